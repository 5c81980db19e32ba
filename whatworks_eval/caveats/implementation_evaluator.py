"""implementation.evaluator: who holds the pen."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.references import EVALUATORS
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict:
    evaluator = protocol.context.evaluator
    if evaluator is None:
        return Verdict(kind="not assessed", message="Who carried out the evaluation is not stated.")
    if evaluator == "independent":
        return Verdict(kind="clear", message="The evaluation is said to be independent.")
    return Verdict(
        kind="caveat",
        message=f"The evaluation was carried out by the {evaluator} of the project, who has an interest in "
        "its result.",
    )


RULE = DesignRule(
    id="implementation.evaluator",
    threat="implementation",
    asks="Who carried out the evaluation?",
    why="Across 300 trials in crime reduction, evaluators with a large part in running the treatment "
    "reported consistently larger effects; whether from bias or from better delivery is disputed. It is "
    "said and does not set the level.",
    remedy="Have somebody without an interest in the result run or check the analysis, and say who in "
    "[context] evaluator.",
    applies_to=ALWAYS,
    source=EVALUATORS,
    judge=_judge,
)
