"""chance.one-unit-drives: an answer that leaves with one unit is that unit's."""

from __future__ import annotations

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.references import CALIBRATION
from whatworks_eval.caveats.wording import as_percent, effect
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.declared import has_areas
from whatworks_eval.measures.one_unit import LeaveOneOut
from whatworks_eval.measures.precision import leave_one_out, units_by_arm
from whatworks_eval.records import Estimate


def _judge(case: Case) -> Verdict | None:
    if not has_areas(case.protocol):
        return Verdict(
            kind="not assessed", message="Whether one unit drives the answer cannot be seen from totals."
        )
    if case.protocol.did.dose is not None:
        return Verdict(
            kind="not assessed",
            message="Whether one unit drives the effect of a dose is not worked out.",
            cap=3,
        )
    treated = units_by_arm(case)[0].value
    if treated is None or treated < 2:
        return None  # one unit is all there is: chance.one-unit-an-arm and chance.few-units say so
    if case.estimate.value is None:
        why = (case.estimate.why_missing or "it could not be computed").rstrip(".")
        return Verdict(
            kind="not assessed", message=f"There is no answer for one unit to drive: {why}.", cap=3
        )
    left = leave_one_out(case)
    if left is None:
        return Verdict(
            kind="caveat",
            message="Without one of the treated units nothing would be left in a window, so the answer is "
            "that unit's.",
            cap=3,
        )
    return _weigh(case.estimate, case.estimate.value, left)


def _weigh(estimate: Estimate, value: float, left: LeaveOneOut) -> Verdict:
    ratio = estimate.scale == "log-ratio"
    half = None if estimate.low is None or estimate.high is None else (estimate.high - estimate.low) / 2
    evidence = (
        Measure(
            name="answer without the unit that moves it most",
            unit="%" if ratio else estimate.unit,
            value=as_percent(left.without) if ratio else left.without,
        ),
        Measure(
            name="largest move of the answer from leaving one unit out",
            unit="log points" if ratio else estimate.unit,
            value=abs(left.moved),
            threshold=half,
        ),
    )
    said = (
        f"Without {left.unit} the answer is {effect(estimate, left.without)} instead of "
        f"{effect(estimate, value)}"
    )
    if half is None:
        return Verdict(
            kind="not assessed",
            message=f"{said}; without an interval it cannot be said whether that is much.",
            cap=3,
            evidence=evidence,
        )
    turned = estimate.excludes_zero and value * left.without <= 0
    if turned or abs(left.moved) > half:
        how = "changes sign" if turned else "leaves its own interval"
        return Verdict(kind="caveat", message=f"{said}: it {how} with one unit.", cap=3, evidence=evidence)
    return Verdict(kind="clear", message=f"No one unit drives the answer. {said}.", evidence=evidence)


RULE = EvidenceRule(
    id="chance.one-unit-drives",
    threat="chance",
    asks="Does the answer hold without any one of the treated units?",
    why="A new supermarket, a prolific offender or a recording fault in one place can carry a whole "
    "project. Each treated unit is left out in turn. If that moves the answer by more than half the "
    "width of its interval, or turns the sign of an answer whose interval excludes zero, the answer "
    "is that unit's: level 3 at most. Of 8 treated units of five areas, one that quadruples by "
    "itself is found nine times in ten. With fewer than six units, where the level is 3 at most "
    "anyway, up to one sound design in ten is named.",
    remedy="Look at what happened in that unit; report the answer with and without it, or add units.",
    applies_to=BEFORE_AND_AFTER,
    source=CALIBRATION,
    judge=_judge,
)
