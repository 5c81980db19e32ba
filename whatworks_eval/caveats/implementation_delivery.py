"""implementation.delivery: a project that was not delivered cannot have had an effect, or lacked one."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.references import TIDIER
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict:
    delivery = protocol.context.delivery
    if delivery is None:
        return Verdict(
            kind="not assessed",
            message="What was delivered is not stated (how much, by whom, for how long), so the answer "
            "cannot tell a weak project from one that hardly took place.",
        )
    if not delivery.strip():
        return Verdict(
            kind="caveat",
            message="No record of what was delivered is said to exist, so the answer cannot tell a weak "
            "project from one that hardly took place.",
        )
    return Verdict(kind="clear", message=f"Delivery is described: {delivery.strip().rstrip('.')}.")


RULE = DesignRule(
    id="implementation.delivery",
    threat="implementation",
    asks="Is it recorded what was delivered: dose, by whom, how much of the plan?",
    why="The estimate is of the project as it happened. Without its dose, no change can mean that it does "
    "not work or that it was not done, and nobody can repeat it. It is said and does not set the level.",
    remedy="Describe dose, people and the share of the plan that took place in [context] delivery.",
    applies_to=ALWAYS,
    source=TIDIER,
    judge=_judge,
)
