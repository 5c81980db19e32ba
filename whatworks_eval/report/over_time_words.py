"""What may be said of an effect followed through time: before the start, by cohort, if trends differ."""

from __future__ import annotations

import math
from dataclasses import dataclass

from whatworks_eval.caveats.selection_differing_trends import PARTED
from whatworks_eval.judgement import Evaluation
from whatworks_eval.measures.relative import FALSE_ALARM
from whatworks_eval.over_time import Cohort, EventStudy, EventTime, OverTime, Sensitivity, Shift
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Interval
from whatworks_eval.report.numerals import (
    clean,
    counted,
    decimals_for,
    enough,
    listed,
    number,
    p_value,
    percent,
    plain,
    signed,
)
from whatworks_eval.report.words import picked_for_need

MOST_PERCENT = 1_000.0  # an end beyond this says only that nothing is known on that side
FEWEST_UNITS = 3  # behind a cohort or a stretch, below which it is marked
ABSENT = "–"
NOTHING_TO_OVERTURN = (
    "With trends exactly parallel the stretches after the start, taken together against the last one before "
    "it, cannot be told apart from no change; there is nothing for differing trends to overturn."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How values of one scale are shown: percent for log ratios, the unit of the estimate otherwise.

    Attributes:
        ratio: True for log ratios.
        unit: '%', or the unit in words.
    """

    ratio: bool
    unit: str

    def shown(self, value: float) -> float:
        """The value in percent, or as it is."""
        return 100.0 * math.expm1(value) if self.ratio else value

    def cell(self, value: float | None, places: int = 1) -> str:
        """One signed number; with its per cent sign, without any other unit.

        Example:
            >>> Scale(ratio=True, unit="%").cell(-0.2), Scale(ratio=False, unit="points").cell(-0.2)
            ('\u221218.1 %', '\u22120.2')
        """
        if value is None:
            return ABSENT
        if self.ratio and (value > math.log1p(MOST_PERCENT / 100.0)):
            return f"beyond +{MOST_PERCENT:,.0f} %"
        at = self.shown(value)
        said = signed(at, enough(at, places))
        return f"{said} %" if self.ratio else said

    def said(self, value: float | None, places: int = 1) -> str:
        """One signed number with its unit, for a sentence."""
        held = self.cell(value, places)
        return held if self.ratio or held == ABSENT else f"{held} {self.unit}"

    def size(self, value: float) -> str:
        """A number without its sign, with its unit.

        Example:
            >>> Scale(ratio=True, unit="%").size(0.0119)
            '1.2 %'
        """
        at = self.shown(value)
        if self.ratio:
            return percent(at, enough(at, 0 if abs(at) >= 10 else 1), sign=False)
        return f"{plain(at, enough(at, 2 if abs(at) < 1 else 1))} {self.unit}"

    def span(self, low: float | None, high: float | None, places: int = 1) -> str:
        """An interval in a cell; in words where an end is open; 'none' without one."""
        if low is None and high is None:
            return "none"
        if low is None:
            return f"at most {self.cell(high, places)}"
        if high is None:
            return f"at least {self.cell(low, places)}"
        return f"{self.cell(low, places)} to {self.cell(high, places)}"

    def places(self, low: float | None, high: float | None) -> int:
        """Decimals an interval supports in a table, where percentages always have one."""
        if self.ratio or low is None or high is None:
            return 1
        return max(decimals_for(Interval(low=low, high=high)), 2 if max(abs(low), abs(high)) < 10 else 1)


def scale_of(evaluation: Evaluation) -> Scale:
    """The scale of everything followed through time, which is that of the estimate."""
    estimate = evaluation.estimate
    ratio = estimate.scale == "log-ratio"
    return Scale(ratio=ratio, unit="%" if ratio else clean(estimate.unit))


def in_unit(scale: Scale) -> str:
    """', in …' where values are not percentages, whose cells then carry no unit."""
    return "" if scale.ratio else f", in {scale.unit}"


def level_said(evaluation: Evaluation) -> str:
    """The level, and for places picked for need that nothing drawn is an effect of the project."""
    said = f"design strength level {evaluation.grade.level} of 5"
    return f"{said}; none is an effect of the project" if picked_for_need(evaluation) is not None else said


def stretch_name(time: EventTime, study: EventStudy, protocol: Protocol) -> str:
    """What to call a stretch: its periods, or where starts differ its distance from the start.

    Example:
        >>> from whatworks_eval.over_time import PreTrend
        >>> from whatworks_eval import load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> protocol = load_protocol(shipped_path("designs", "police-now-2016"))
        >>> times = (EventTime(offset=-3, periods=3, areas=9, reference=True), EventTime(offset=0, areas=9))
        >>> study = EventStudy(scale="log-ratio", unit="", times=times, reference="", inference="",
        ...     pretrend=PreTrend(), confidence=0.95)
        >>> [stretch_name(time, study, protocol) for time in times]
        ['3 to 1 months before', 'months 1 to 3']
    """
    if time.first is not None and time.last is not None:
        first, last = clean(time.first), clean(time.last)
        return first if first == last else f"{first} to {last}"
    kind, length = protocol.period, length_of(study)
    if time.offset < 0:
        far, near = -time.offset, -time.offset - length + 1
        return f"{counted(far, kind)} before" if far == near else f"{far} to {near} {kind}s before"
    first_one, last_one = time.offset + 1, time.offset + length
    return f"{kind} {first_one}" if first_one == last_one else f"{kind}s {first_one} to {last_one}"


def length_of(study: EventStudy) -> int:
    """Periods in each stretch: those of the reference."""
    return next((time.periods for time in study.times if time.reference), 1)


def cohort_name(cohort: Cohort) -> str:
    """A cohort by its start, marked where few stand behind it: '2019-04 (1 area only)'."""
    name = f"{clean(cohort.start)} ({counted(cohort.areas, 'area')}"
    if cohort.areas == 1:
        return f"{name} only)"
    return name + (f" in {counted(cohort.units, 'unit')})" if cohort.units != cohort.areas else ")")


def is_thin(cohort: Cohort) -> bool:
    """True where fewer than three units stand behind a cohort."""
    return cohort.units < FEWEST_UNITS


def sentences(evaluation: Evaluation) -> list[str]:
    """What the months show, in plain sentences; empty where nothing was followed through time."""
    over_time = evaluation.over_time
    if over_time is None:
        return []
    found = [
        *_event_study(evaluation, over_time),
        pretrend_sentence(evaluation),
        shifts_sentence(evaluation),
        cohorts_sentence(evaluation),
        forbidden_sentence(over_time),
        *(sensitivity_sentence(one, evaluation) for one in over_time.sensitivity),
    ]
    return [sentence for sentence in found if sentence]


def _event_study(evaluation: Evaluation, over_time: OverTime) -> list[str]:
    study = over_time.event_study
    if study is None:
        why = clean(over_time.why_no_event_study or "the reason was not recorded").rstrip(".")
        return [f"The effect could not be followed stretch by stretch: {why}."]
    known = [time for time in study.lags if time.value is not None]
    if not known:
        return ["No stretch after the start has a value, so the effect could not be followed."]
    scale = scale_of(evaluation)
    apart = sum(_apart(time.low, time.high) for time in known)
    what = counted(len(known), "stretch", "stretches")
    values = [time.value for time in known if time.value is not None]
    spread = f"ran from {scale.cell(min(values))} to {scale.said(max(values))}"
    spread = f"stood at {scale.said(values[0])}" if len(values) == 1 else spread
    return [
        f"Against {clean(study.reference)}, the {what} after it {spread}; "
        f"{_how_many(apart, len(known))} told apart from no change."
    ]


def _how_many(some: int, every: int) -> str:
    if some == every:
        return "it can be" if every == 1 else "each can be"
    if some == 0:
        return "it cannot be" if every == 1 else "none can be"
    return f"{some} of them can be"


def _apart(low: float | None, high: float | None) -> bool:
    return (low is not None and low > 0) or (high is not None and high < 0)


def unseen(evaluation: Evaluation) -> list[str]:
    """Sentences for what has no picture, since it could not be worked out."""
    over_time = evaluation.over_time
    if over_time is None:
        return []
    found = []
    study = over_time.event_study
    if study is None or not any(time.value is not None for time in study.lags):
        found += _event_study(evaluation, over_time)
    if study is not None and not any(time.value is not None for time in study.leads):
        found.append(pretrend_sentence(evaluation))
    drawn = any(one.bounds and one.original is not None for one in over_time.sensitivity)
    if not drawn:
        found += [sensitivity_sentence(one, evaluation) for one in over_time.sensitivity]
    return [sentence for sentence in dict.fromkeys(found) if sentence]


def pretrend_sentence(evaluation: Evaluation) -> str:
    """Whether the arms parted before the start, and what the check could have seen."""
    over_time = evaluation.over_time
    if over_time is None or over_time.event_study is None:
        return ""
    found, scale = over_time.event_study.pretrend, scale_of(evaluation)
    if found.p_value is None:
        why = clean(found.why_missing or "the reason was not recorded").rstrip(".")
        return f"Whether the arms moved apart before the start was not tested: {why}."
    if found.p_value <= FALSE_ALARM:
        return (
            f"The arms were already moving apart before the start (p-value {p_value(found.p_value)}), so "
            "what followed may be more of the same."
        )
    said = f"No difference in trend was detected before the start (p-value {p_value(found.p_value)})"
    if _apart(found.slope_low, found.slope_high):
        said = (
            "Taken together, the stretches before the start cannot be told apart from no difference (p-value "
            f"{p_value(found.p_value)}), though a straight line through them can"
        )
    if found.detectable_most is None:
        return f"{said}; how large a trend the check would find is not known."
    trend = _trend(found.detectable_most, scale, evaluation)
    said += f"; the check would find a trend of {trend} four times in five"
    if found.bias_most is None:
        return f"{said}."
    said += f", which by itself would show as a change of {scale.size(found.bias_most)}"
    value = evaluation.estimate.value
    if value is not None and abs(found.bias_most) >= abs(value):
        said += ": at least as much as the effect estimated, so the check is weak"
    return f"{said}."


def _trend(slope: float, scale: Scale, evaluation: Evaluation) -> str:
    """A slope by period: '2.7 % a month'."""
    each = f"a {evaluation.protocol.period}"
    if scale.ratio:
        return f"{scale.size(slope)} {each}"
    return f"{plain(slope, enough(slope, 2))} {each} ({scale.unit})"


def shifts_sentence(evaluation: Evaluation) -> str:
    """What was 'found' at pretended starts before the real one; '' where none could be tried."""
    over_time = evaluation.over_time
    known = [] if over_time is None else [shift for shift in over_time.shifts if shift.value is not None]
    if not known:
        return ""
    scale, known = scale_of(evaluation), sorted(known, key=lambda shift: shift.start)
    found = listed([f"{scale.cell(shift.value)} ({clean(shift.start)})" for shift in known], most=4)
    apart = [shift for shift in known if _apart(shift.low, shift.high)]
    told = "None can be told apart from no change." if len(known) > 1 else "It cannot be told from no change."
    if apart:
        told = f"Something was 'found' at {listed([clean(one.start) for one in apart])}, with nothing done."
    return (
        f"With the start pretended to be earlier, the same comparison 'finds' {found}{in_unit(scale)}. {told}"
    )


def shift_name(shift: Shift) -> str:
    """What to call a pretended start."""
    return f"start pretended in {clean(shift.start)}"


def cohorts_sentence(evaluation: Evaluation) -> str:
    """How far cohorts differ, and which are too small to be read alone; '' where all start together."""
    over_time = evaluation.over_time
    if over_time is None or not over_time.cohorts:
        return ""
    cohorts, scale = over_time.cohorts, scale_of(evaluation)
    known = [cohort.value for cohort in cohorts if cohort.value is not None]
    said = f"Areas started at {counted(len(cohorts), 'different time')}"
    if len(known) > 1:
        said += f"; by cohort the effect runs from {scale.cell(min(known))} to {scale.said(max(known))}"
    thin = [cohort_name(cohort) for cohort in cohorts if is_thin(cohort)]
    if thin:
        said += (
            f". Fewer than {FEWEST_UNITS} units stand behind {counted(len(thin), 'cohort')}, marked in the "
            f"chart ({listed(thin, most=4)}): {'it says' if len(thin) == 1 else 'they say'} little alone"
        )
    return f"{said}."


def forbidden_sentence(over_time: OverTime) -> str:
    """How much of a two-way fixed-effects estimate compares with areas already treated; '' if not asked."""
    share = over_time.forbidden_share
    if share is None:
        return ""
    return (
        f"A two-way fixed-effects regression would take {_share(share)} of its estimate from comparisons "
        "with areas already treated, which can turn its sign; the registered estimate makes none of them."
    )


def _share(share: float) -> str:
    if share <= 0:
        return "none"
    return percent(100 * share, 0 if share >= 0.095 else 1, sign=False) if share >= 0.001 else "under 0.1 %"


def sensitivity_sentence(found: Sensitivity, evaluation: Evaluation) -> str:
    """How far trends may differ before the conclusion goes."""
    relative = found.kind == "relative magnitudes"
    way = "as much as before the start" if relative else "ever more as time goes on"
    if found.original is None or (found.why_missing and not found.bounds):
        why = clean(found.why_missing or "the reason was not recorded").rstrip(".")
        return f"What trends that differ {way} would do was not worked out: {why}."
    if not _apart(found.original.low, found.original.high):
        nothing = f"{PARTED}." if evaluation.estimate.excludes_zero else NOTHING_TO_OVERTURN
        return nothing if relative else ""
    if found.breakdown is None and not found.beyond:
        why = clean(found.why_missing or "the reason was not recorded").rstrip(".")
        return f"How far trends that differ {way} could carry the conclusion was not worked out: {why}."
    return _survives(found, scale_of(evaluation))


def _survives(found: Sensitivity, scale: Scale) -> str:
    """Up to where the conclusion holds."""
    most = found.bounds[-1].bound if found.beyond else found.breakdown
    assert most is not None
    upto = "beyond" if found.beyond else "up to"
    if found.kind == "relative magnitudes":
        if most <= 0:
            return "The conclusion does not survive any departure from parallel trends."
        return (
            f"The conclusion survives departures from parallel trends {upto} {number(round(most, 2))} times "
            "the largest step seen before the start."
        )
    if most <= 0:
        return "The conclusion does not survive a straight-line difference in trend carried on."
    return (
        "The conclusion survives a straight-line difference in trend carried on, and changes of that slope "
        f"{upto} {scale.size(most)} from one stretch to the next."
    )
