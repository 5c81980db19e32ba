"""analysis.functional-form: an answer that depends on whether changes are taken as shares or as incidents."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ROLLED_OUT, of_a_dose
from whatworks_eval.caveats.references import FUNCTIONAL_FORM
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.records import Estimate

QUESTION = "Whether the answer is the same taken as a ratio and as a difference in means"


def _judge(case: Case) -> Verdict | None:
    other = next((one for one in case.alternatives if one.choice == "model"), None)
    own = case.estimate
    if case.protocol.outcome.kind == "count" and (dose := of_a_dose(case, QUESTION)) is not None:
        return dose
    if other is None or other.value is None or own.value is None:
        return None
    evidence = tuple(_shown(one) for one in (own, other))
    opposite = own.value * other.value < 0 and (own.excludes_zero or other.excludes_zero)
    if not opposite and own.excludes_zero == other.excludes_zero:
        return Verdict(
            kind="clear",
            message="Taken as a ratio or as a difference in means, the answer is the same.",
            evidence=evidence,
        )
    return Verdict(
        kind="caveat",
        message="The answer depends on how change is counted: taken as a ratio and as a difference in means, "
        + (
            "the two have opposite signs."
            if opposite
            else "only one of the two intervals excludes no change."
        ),
        evidence=evidence,
    )


def _shown(estimate: Estimate) -> Measure:
    if estimate.scale == "log-ratio":
        found = estimate.percent_change
        return Measure(name="as a ratio", unit="%", value=found.value, low=found.low, high=found.high)
    return Measure(
        name="as a difference in means",
        unit=estimate.unit,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
    )


RULE = EvidenceRule(
    id="analysis.functional-form",
    threat="analysis",
    asks="Is the answer the same taken as a ratio and as a difference in means?",
    why="Trends that are parallel in incidents are not parallel in shares, unless the arms stand at the same "
    "level. Crime mostly moves in shares, so the ratio is the default for counts; where the linear answer "
    "differs in sign, or only one of the two excludes no change, the conclusion rests on that choice: so it "
    "is found in nine draws of ten where thirty areas stand at three times the level of the others and all "
    "fall by a quarter, with nothing done. It does not set the level.",
    remedy="Choose comparison areas of like level, where the two agree, or report both.",
    applies_to=ROLLED_OUT,
    source=FUNCTIONAL_FORM,
    judge=_judge,
)
