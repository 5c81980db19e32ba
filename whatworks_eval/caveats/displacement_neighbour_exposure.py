"""displacement.neighbour-exposure: comparison areas next to the treated that the project may have reached."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ROLLED_OUT
from whatworks_eval.caveats.references import DISPLACEMENT
from whatworks_eval.caveats.wording import span
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.records import Estimate, Interval

LABEL = "as registered, less adjoining areas"


def _judge(case: Case) -> Verdict | None:
    other = next((one for one in case.alternatives if one.label == LABEL), None)
    own = case.estimate
    if other is None or own.value is None:
        return None
    if other.value is None:
        return Verdict(
            kind="not assessed",
            message="Whether comparison areas next to the treated were touched could not be tried: without "
            f"them there is no estimate ({other.why_missing}).",
        )
    evidence = tuple(
        Measure(name=name, unit=_unit(one), value=found.value, low=found.low, high=found.high)
        for name, one, found in (
            ("with the adjoining comparison areas", own, _of(own)),
            ("without them", other, _of(other)),
        )
    )
    changes = own.excludes_zero != other.excludes_zero or (own.excludes_zero and own.value * other.value < 0)
    if not changes:
        return Verdict(
            kind="clear",
            message="Leaving out the comparison areas that adjoin the treated does not change the answer.",
            evidence=evidence,
        )
    return Verdict(
        kind="caveat",
        message="Leaving out the comparison areas that adjoin the treated changes the answer: without them "
        f"the interval is {span(_of(other), ' ' + _unit(other))}. Crime moved next door, or benefits that "
        "spread there, would do this.",
        cap=3,
        evidence=evidence,
    )


def _of(estimate: Estimate) -> Interval:
    if estimate.scale == "log-ratio":
        return estimate.percent_change
    return Interval(value=estimate.value, low=estimate.low, high=estimate.high)


def _unit(estimate: Estimate) -> str:
    return "%" if estimate.scale == "log-ratio" else estimate.unit


RULE = EvidenceRule(
    id="displacement.neighbour-exposure",
    threat="displacement",
    asks="Does the answer change without the comparison areas that adjoin the treated?",
    why="Displacement and diffusion land next door. If next door is in the comparison, displaced crime is "
    "counted as an effect and benefits that spread hide one. The effect is worked out again without those "
    "areas; where the answer then changes, the comparison was likely touched and the level is 3 at most.",
    remedy="Declare areas.buffer = { adjacent_to = 'treated' }, which takes them out and measures them.",
    applies_to=ROLLED_OUT,
    source=DISPLACEMENT,
    judge=_judge,
)
