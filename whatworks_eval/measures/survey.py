"""Numbers about a survey design: who was asked, what overlaps, how shares moved before the start."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from whatworks_eval.judgement import Case, Measure
from whatworks_eval.measures.comparability import unit_levels
from whatworks_eval.measures.relative import (
    FALSE_ALARM,
    POWER,
    Mask,
    earlier_periods,
    split,
    usable_baseline,
    with_confidence,
)
from whatworks_eval.methods.survey_difference import Points, points_between
from whatworks_eval.methods.survey_shares import shares_of
from whatworks_eval.panel import Panel
from whatworks_eval.periods import first_day, months_between
from whatworks_eval.records import Estimate

POINTS = "percentage points"
FEWEST_PERIODS = 12  # for a trend, or a run-up inside the before window
LAST_PART = 4
DAYS_A_MONTH = 365.2425 / 12


def is_survey(case: Case) -> bool:
    """True where shares of respondents come in by area and period."""
    return case.protocol.outcome.kind == "proportion" and isinstance(case.data, Panel)


def respondents(case: Case) -> tuple[Measure, Measure]:
    """People asked in the treated areas, before and after; each once, though estimates overlap."""
    names = "people asked in the treated areas before", "people asked in the treated areas after"
    panel, windowed = case.data, case.windowed
    if not isinstance(panel, Panel) or windowed is None or windowed.before_mask is None:
        why = "how many people were asked is not published"
        return (
            Measure(name=names[0], unit="people", why_missing=why),
            Measure(name=names[1], unit="people", why_missing=why),
        )
    assert windowed.after_mask is not None
    found = []
    for name, mask in zip(names, (windowed.before_mask, windowed.after_mask), strict=True):
        bases = shares_of(case.protocol, panel, windowed, mask).bases[windowed.arm == "treated"]
        known = bool(np.isfinite(bases).all())
        found.append(
            Measure(
                name=name,
                unit="people",
                value=float(bases.sum()) if known else None,
                why_missing=None if known else "the data do not say how many people were asked",
            )
        )
    return found[0], found[1]


def detectable_points(estimate: Estimate) -> Measure:
    """The change this design would have found four times in five, in points: from its own interval."""
    name = "change found four times in five"
    if estimate.scale != "difference" or estimate.low is None or estimate.high is None:
        why = estimate.why_missing or "the estimate has no interval in points"
        return Measure(name=name, unit=POINTS, why_missing=why)
    z = NormalDist().inv_cdf(0.5 + estimate.confidence / 2)
    se = (estimate.high - estimate.low) / (2 * z)
    return Measure(name=name, unit=POINTS, value=(z + NormalDist().inv_cdf(POWER)) * se)


def overlap(case: Case) -> Measure:
    """Months of fieldwork before the start that the estimates of the after window hold."""
    name = "fieldwork from before the start in the earliest after estimate"
    panel, windowed = case.data, case.windowed
    if not isinstance(panel, Panel) or windowed is None or windowed.after_mask is None:
        return Measure(name=name, unit="months", why_missing="there are no periods")
    if panel.rolling_months is None:
        return Measure(
            name=name, unit="months", why_missing="how many months each estimate covers is not stated"
        )
    first = panel.periods[int(np.flatnonzero(windowed.after_mask)[0])]
    start = case.protocol.intervention.start
    # From the start to the end of the earliest after estimate; what it covers beyond that lies before.
    since = months_between(start, first, panel.period)
    return Measure(name=name, unit="months", value=max(0.0, panel.rolling_months - since))


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How far apart the arms stood before the start.

    Attributes:
        shares: Treated and comparison, in percent.
        gap: Treated less comparison, in standard deviations between areas.
        p_value: Of no gap, counted by unit; None with fewer than two units in an arm.
    """

    shares: tuple[Measure, Measure]
    gap: Measure
    p_value: float | None


def level_before(case: Case) -> Level | None:
    """Shares before the start by arm and how far apart; None without a comparison."""
    panel, windowed = case.data, case.windowed
    if not isinstance(panel, Panel) or windowed is None or not windowed.has("comparison"):
        return None
    assert windowed.before_mask is not None
    found = shares_of(case.protocol, panel, windowed, windowed.before_mask)
    means, spreads, units = [], [], []
    for arm in ("treated", "comparison"):
        inside = windowed.arm == arm
        weight = (found.mass * windowed.weight)[inside]
        values = found.value[inside]
        means.append(float(np.average(values, weights=weight)))
        spreads.append(float(values.var(ddof=1)) if len(values) > 1 else math.nan)
        by_unit = arm == "treated" or case.contrast.comparison_units
        units.append(unit_levels(case, found.value, inside, by_unit=by_unit)[1])
    spread = float(np.sqrt(np.nanmean(spreads))) if np.isfinite(spreads).any() else 0.0
    p_value = None
    if all(len(one) > 1 and one.var() > 0 for one in units):
        from scipy.stats import ttest_ind

        p_value = float(ttest_ind(*units, equal_var=False).pvalue)
    return Level(
        shares=(
            Measure(name="share in the treated areas before the start", unit="%", value=100 * means[0]),
            Measure(name="share in the comparison areas before the start", unit="%", value=100 * means[1]),
        ),
        gap=Measure(
            name="difference in level before the start",
            unit="standard deviations",
            value=(means[0] - means[1]) / spread if spread > 0 else None,
            why_missing=None if spread > 0 else "the areas do not differ, or there is one in each arm",
        ),
        p_value=p_value,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How the treated moved against the comparison between two sets of periods before the start.

    Attributes:
        name: What was compared with what.
        points: The difference, as a share.
        confidence: Of its interval.
        months: Between the middles of the two sets of periods.
    """

    name: str
    points: Points
    confidence: float
    months: float

    @property
    def found(self) -> bool:
        """True where the interval excludes no move."""
        low, high = self.points.low, self.points.high
        return low is not None and high is not None and (low > 0 or high < 0)

    def measure(self, times: float = 1.0, name: str | None = None) -> Measure:
        """The move in points, `times` as large."""
        made = self.points
        return Measure(
            name=with_confidence(name or self.name, self.confidence),
            unit=POINTS,
            value=100 * made.value * times,
            low=None if made.low is None else 100 * made.low * times,
            high=None if made.high is None else 100 * made.high * times,
        )


def trend_before(case: Case) -> tuple[Move, float] | None:
    """The last against the first third of the before window; None with fewer than 12 periods.

    The second number is how many times as long the windows lie apart, middle to middle, as the two thirds.
    """
    baseline, windowed = usable_baseline(case), case.windowed
    if baseline is None or windowed is None or windowed.after_mask is None:
        return None
    length = int(baseline.sum())
    if length < FEWEST_PERIODS or not windowed.has("comparison"):
        return None
    first, last = split(baseline, length // 3, length // 3)
    move = _move(case, "the last against the first third of the before window", first, last, 1 - FALSE_ALARM)
    between = _months(case, baseline, windowed.after_mask)
    return move, between / move.months


def moves_before(case: Case) -> tuple[Move, ...]:
    """The last quarter of the before window against the rest, and the window against earlier periods."""
    baseline = usable_baseline(case)
    if baseline is None or case.windowed is None or not case.windowed.has("comparison"):
        return ()
    kind = case.protocol.period
    pairs: list[tuple[str, Mask, Mask]] = []
    length = int(baseline.sum())
    if length >= FEWEST_PERIODS:
        last = length // LAST_PART
        rest, end = split(baseline, length - last, last)
        pairs.append((f"the last {last} {kind}s before the start against those before them", rest, end))
    earlier = earlier_periods(case)
    if earlier is not None:
        name = f"the before window against the {int(earlier.sum())} {kind}s before it"
        pairs.append((name, earlier, baseline))
    return tuple(_move(case, *pair, 1 - FALSE_ALARM / len(pairs)) for pair in pairs)


def earlier_move(case: Case) -> Move | None:
    """The before window against earlier periods of the same calendar; None without any."""
    baseline, earlier = usable_baseline(case), earlier_periods(case)
    if baseline is None or earlier is None:
        return None
    name = f"the before window against the {int(earlier.sum())} {case.protocol.period}s before it"
    return _move(case, name, earlier, baseline, 1 - FALSE_ALARM)


def without_each_unit(case: Case) -> tuple[str, float] | None:
    """The treated unit whose absence moves the answer most, and the answer without it in points."""
    panel, windowed, value = case.data, case.windowed, case.estimate.value
    if not isinstance(panel, Panel) or windowed is None or value is None or windowed.before_mask is None:
        return None
    assert windowed.after_mask is not None
    unit = [case.contrast.units.get(area, area) for area in windowed.areas]
    treated = windowed.arm == "treated"
    names = sorted({unit[at] for at in np.flatnonzero(treated)})
    if len(names) < 2:
        return None
    answers = {}
    for name in names:
        arm = np.where(treated & (np.array(unit) == name), "pool", windowed.arm)
        left = replace(windowed, arm=arm)
        found = points_between(
            case.protocol, panel, left, windowed.before_mask, windowed.after_mask, sets=None
        )
        answers[name] = 100 * found.value
    most = max(names, key=lambda name: abs(answers[name] - value))
    return most, answers[most]


def _move(case: Case, name: str, first: Mask, second: Mask, confidence: float) -> Move:
    panel, windowed = case.data, case.windowed
    assert isinstance(panel, Panel)
    assert windowed is not None
    sets = case.sets if case.contrast.weights is None else None
    found = points_between(
        case.protocol,
        panel,
        windowed,
        np.asarray(first),
        np.asarray(second),
        sets=sets,
        confidence=confidence,
    )
    return Move(name=name, points=found, confidence=confidence, months=_months(case, first, second))


def _months(case: Case, first: Mask, second: Mask) -> float:
    panel = case.data
    assert isinstance(panel, Panel)
    days = np.array([first_day(period, panel.period).toordinal() for period in panel.periods], dtype=float)
    return float(days[second].mean() - days[first].mean()) / DAYS_A_MONTH
