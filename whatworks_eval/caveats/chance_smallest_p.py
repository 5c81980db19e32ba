"""chance.smallest-p: a design that could not have found anything has not found nothing."""

from __future__ import annotations

from whatworks_eval.caveats.applies import RELABELLED
from whatworks_eval.caveats.references import FEW_CLUSTERS
from whatworks_eval.caveats.wording import number
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict

LARGEST = 0.05


def _judge(case: Case) -> Verdict:
    estimate = case.estimate
    floor = estimate.smallest_p
    measure = Measure(
        name="smallest p-value this design can give",
        unit="probability",
        value=floor,
        why_missing=None if floor is not None else "the inference has no floor, or there is none",
        threshold=LARGEST,
    )
    if floor is None and estimate.p_value is None:
        why = (estimate.why_missing or "there is no inference").rstrip(".")
        return Verdict(
            kind="not assessed",
            message=f"There is no p-value or interval: {why}.",
            cap=4,
            evidence=(measure,),
        )
    if floor is not None and floor > LARGEST:
        return Verdict(
            kind="caveat",
            message=f"The smallest p-value this design can give is {number(floor, 3)}, above {LARGEST:g}: "
            "there are too few placebo sets for any result to stand out, so there is no interval.",
            cap=4,
            evidence=(measure,),
        )
    return Verdict(
        kind="clear",
        message="The design could have told an effect from chance."
        if floor is None
        else f"The smallest p-value this design can give is {number(floor, 4)}.",
        evidence=(measure,),
    )


RULE = EvidenceRule(
    id="chance.smallest-p",
    threat="chance",
    asks="Could this design have told an effect from chance at all?",
    why="Relabelling ranks the treated among sets that could as well have been treated. With s sets the "
    "smallest p-value is 1/s: with fewer than 20, nothing can reach 0.05, no 95 % interval exists and the "
    "best design stays below level 5.",
    remedy="Add comparison units, or treated units, until at least 20 different sets are possible.",
    applies_to=RELABELLED,
    source=FEW_CLUSTERS,
    judge=_judge,
)
