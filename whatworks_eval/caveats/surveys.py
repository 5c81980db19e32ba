"""Rules on surveys: which are about counts alone, and what the others say in points instead of percent.

A rule whose question makes sense of a share, but whose numbers are counts, has a judge of its own here, under
the same id and the same caps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from whatworks_eval.caveats.wording import counted, listed, number, probability
from whatworks_eval.judgement import Case, Judged, Measure, Source, Verdict
from whatworks_eval.measures.survey import (
    FEWEST_PERIODS,
    POINTS,
    Move,
    earlier_move,
    is_survey,
    level_before,
    moves_before,
    trend_before,
    without_each_unit,
)
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Estimate

COUNTS_ONLY = frozenset(
    {
        "chance.detectable-effect",  # in percent; chance.small-base gives it in points
        "chance.dispersion",
        "chance.few-incidents",
        "displacement.no-buffer",
        "recording.detection-driven",
        "recording.known-break",
        "recording.unlocated",
        "reporting.expected-change",
    }
)
"""Rules about recorded incidents: not asked where the outcome is a share of survey respondents."""

FALSE_ALARM = 0.03
APART = 0.25  # standard deviations, as for counts

CSEW = Source(
    key="ONS, CSEW year ending September 2022",
    text="Office for National Statistics. Crime Survey for England and Wales, perceptions by police "
    "force area, "
    "year ending September 2022: estimates, 95 % intervals and unweighted bases. Design effects worked "
    "out here.",
)
PAS = Source(
    key="MOPAC Public Attitude Survey",
    text="Mayor's Office for Policing and Crime, Public Attitude Survey; study description in the UK "
    "Data Service "
    "catalogue (seen at b2find.dkrz.de): a continuous survey designed for 100 interviews a borough and "
    "quarter, "
    "400 in any 12-month rolling period.",
)


def suits(rule_id: str, protocol: Protocol) -> bool:
    """False for a rule about incidents where the outcome is a share of respondents.

    Example:
        >>> from whatworks_eval import load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> suits("chance.dispersion", load_protocol(shipped_path("designs", "police-now-confidence")))
        False
    """
    return protocol.outcome.kind != "proportion" or rule_id not in COUNTS_ONLY


def judge_of(rule_id: str, judge: Callable[[Case], Judged], case: Case) -> Callable[[Case], Judged]:
    """The judge to ask: the rule's own or, for surveys by area, the one in points."""
    return JUDGES.get(rule_id, judge) if is_survey(case) else judge


def points(value: float) -> str:
    """A difference of shares in words; never a bare per cent sign.

    Example:
        >>> points(-2.345), points(1.0)
        ('−2.3 percentage points', '1 percentage point')
    """
    said = number(value)
    return f"{said} percentage point{'' if said.strip('−') == '1' else 's'}"


def _between(measure: Measure) -> str:
    if measure.low is None or measure.high is None:
        return "no interval"
    low, high = number(measure.low, plus=True), number(measure.high, plus=True)
    return f"between {low} and {high} percentage points"


def _level(case: Case) -> Verdict:
    level = level_before(case)
    if level is None or level.gap.value is None:
        return Verdict(
            kind="not assessed",
            message="Shares before the start could not be compared, so the comparison is not shown to be "
            "alike.",
            cap=3 if case.protocol.context.comparability.strip() else 2,
        )
    evidence = (level.gap, *level.shares)
    treated, comparison = (measure.value or 0.0 for measure in level.shares)
    said = (
        f"Before the start the share was {number(treated)} % in treated areas and {number(comparison)} % in "
        f"comparison areas, {points(treated - comparison)} apart"
    )
    if abs(level.gap.value) <= APART:
        return Verdict(
            kind="clear", message=f"{said}: within a quarter of a standard deviation.", evidence=evidence
        )
    apart = f"{said}: {number(abs(level.gap.value), 2)} standard deviations between areas"
    if level.p_value is not None and level.p_value < FALSE_ALARM:
        return Verdict(
            kind="caveat",
            message=f"{apart}, further than chance would put this many units (p "
            f"{probability(level.p_value)}). "
            "Areas that start from such different levels cannot be expected to change alike.",
            cap=2,
            evidence=evidence,
        )
    return Verdict(
        kind="caveat",
        message=f"{apart}, though with so few units chance alone may do that.",
        cap=5 if case.protocol.intervention.assignment == "random" else 3,
        evidence=evidence,
    )


def _trend(case: Case) -> Verdict:
    not_shown = 5 if case.protocol.intervention.assignment == "random" else 3
    found = trend_before(case)
    if found is None:
        return Verdict(
            kind="not assessed",
            message=f"Fewer than {FEWEST_PERIODS} {case.protocol.period}s before the start can be used, "
            "too few "
            "to compare trends.",
            cap=not_shown,
        )
    move, times = found
    drift = move.measure(times, "what that trend would add up to between the middles of the windows")
    evidence = (move.measure(), drift)
    if drift.low is None or drift.high is None:
        return Verdict(
            kind="not assessed",
            message=f"The difference in trend before the start has no interval: {move.points.why_open}.",
            cap=not_shown,
            evidence=evidence,
        )
    said = (
        f"From the first to the last third of the before window the treated areas moved by "
        f"{points(move.measure().value or 0.0)} against the comparison ({_between(move.measure())})"
    )
    if move.found:
        return Verdict(
            kind="caveat",
            message=f"{said}. Carried on, that would be {points(drift.value or 0.0)} between the windows.",
            cap=2,
            evidence=evidence,
        )
    if _accounts_for(drift, case.estimate):
        return Verdict(
            kind="not assessed",
            message=f"{said}, too uncertain to rule out a trend that would account for the answer.",
            cap=not_shown,
            evidence=evidence,
        )
    return Verdict(kind="clear", message=f"{said}, too little to account for the answer.", evidence=evidence)


def _accounts_for(drift: Measure, estimate: Estimate) -> bool:
    """Whether trends not ruled out reach the effect found or, where none was, outweigh its uncertainty."""
    assert drift.low is not None
    assert drift.high is not None
    value, low, high = estimate.value, estimate.low, estimate.high
    if value is None or low is None or high is None:
        return True
    if estimate.excludes_zero:
        return drift.low <= value if value < 0 else drift.high >= value
    return max(-drift.low, drift.high) > (high - low) / 2


def _run_up(case: Case) -> Verdict:
    moves = moves_before(case)
    measured = [move for move in moves if move.points.low is not None]
    if not measured:
        why = next((move.points.why_open for move in moves if move.points.why_open), None)
        return Verdict(
            kind="not assessed",
            message="Whether the treated areas were moving apart before the start could not be measured: "
            f"{why or 'there are too few periods before it'}.",
            cap=5 if case.protocol.intervention.assignment == "random" else 3,
        )
    evidence = tuple(move.measure() for move in moves)
    found = [move for move in measured if move.found]
    if found:
        return Verdict(
            kind="caveat",
            message=f"{listed([_say(move) for move in found])}.".capitalize(),
            cap=2,
            evidence=evidence,
        )
    return Verdict(
        kind="clear",
        message=f"No move of the treated areas apart before the start was found ({_say(measured[-1])}).",
        evidence=evidence,
    )


def _say(move: Move) -> str:
    taken = move.measure()
    return f"{move.name}: {points(taken.value or 0.0)} against the comparison, {_between(taken)}"


def _earlier(case: Case) -> Verdict | None:
    protocol = case.protocol
    declared = protocol.areas is not None and not isinstance(protocol.areas.comparison, str)
    if protocol.intervention.assignment != "need" or protocol.method == "before-after" or not declared:
        return None
    move = earlier_move(case)
    if move is None or move.points.low is None or move.points.high is None:
        return Verdict(
            kind="not assessed",
            message="The areas were chosen for need, and no earlier baseline shows that they did not "
            "stand at a "
            "passing low.",
            cap=2,
        )
    evidence, said = (move.measure(),), _say(move).capitalize()
    if move.found:
        return Verdict(
            kind="caveat",
            message=f"{said}: the baseline is not where they usually stood, and going back to it would look "
            "like an effect.",
            cap=2,
            evidence=evidence,
        )
    value = case.estimate.value
    if value is None or 100 * max(-move.points.low, move.points.high) >= abs(value):
        return Verdict(
            kind="not assessed",
            message=f"{said}, which does not rule out a passing low as large as the answer.",
            cap=2,
            evidence=evidence,
        )
    return Verdict(kind="clear", message=f"{said}: too little to account for the answer.", evidence=evidence)


def _choice(case: Case) -> Verdict:
    registered = case.estimate
    others = [
        other
        for other in case.alternatives
        if other.choice == "comparison set" and other.value is not None and other.scale == registered.scale
    ]
    if not others or registered.value is None:
        limited = case.protocol.intervention.assignment != "random"
        return Verdict(
            kind="not assessed",
            message="No other set of comparison areas could be tried, so how far the answer rests on the "
            "choice "
            "is not known.",
            cap=3 if limited else 5,
        )
    evidence = tuple(
        Measure(name=f"answer: {made.label}", unit=POINTS, value=made.value, low=made.low, high=made.high)
        for made in (registered, *others)
    )
    turned = [
        other
        for other in others
        if registered.value * (other.value or 0.0) < 0 and (registered.excludes_zero or other.excludes_zero)
    ]
    answers = [f"{points(other.value or 0.0)} against {other.label}" for other in turned or others]
    said = f"{points(registered.value)} as registered, {listed(answers)}"
    if turned:
        return Verdict(
            kind="caveat",
            message=f"The answer changes sign with the comparison: {said}.",
            cap=2,
            evidence=evidence,
        )
    return Verdict(
        kind="clear",
        message=f"The answer does not turn with the comparison: {said}.",
        evidence=evidence,
    )


def _one_unit(case: Case) -> Verdict | None:
    if len(case.contrast.treated_units) < 2:
        return None  # chance.one-unit-an-arm and chance.few-units say so
    left, value = without_each_unit(case), case.estimate.value
    if left is None or value is None:
        return Verdict(kind="not assessed", message="There is no answer for one unit to drive.", cap=3)
    unit, without = left
    made = case.estimate
    half = None if made.low is None or made.high is None else (made.high - made.low) / 2
    evidence = (
        Measure(name="answer without the unit that moves it most", unit=POINTS, value=without),
        Measure(
            name="largest move of the answer from leaving one unit out",
            unit=POINTS,
            value=abs(without - value),
            threshold=half,
        ),
    )
    said = f"Without {unit} the answer is {points(without)} instead of {points(value)}"
    if half is None:
        return Verdict(
            kind="not assessed",
            message=f"{said}; without an interval it cannot be said whether that is much.",
            cap=3,
            evidence=evidence,
        )
    turned = made.excludes_zero and value * without <= 0
    if turned or abs(without - value) > half:
        how = "changes sign" if turned else "leaves its own interval"
        return Verdict(kind="caveat", message=f"{said}: it {how} with one unit.", cap=3, evidence=evidence)
    treated = counted(len(case.contrast.treated_units), "treated unit")
    return Verdict(kind="clear", message=f"No one of {treated} drives the answer. {said}.", evidence=evidence)


JUDGES: Mapping[str, Callable[[Case], Judged]] = MappingProxyType(
    {
        "selection.baseline-level": _level,
        "selection.baseline-trend": _trend,
        "selection.comparison-choice": _choice,
        "regression.run-up": _run_up,
        "regression.earlier-baseline": _earlier,
        "chance.one-unit-drives": _one_unit,
    }
)
"""Rule id, then its judge for shares by area and period."""
