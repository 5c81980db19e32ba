"""selection.comparability-stated: with totals or published changes, a reason must stand in for data."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import WWG
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import has_areas, has_comparison
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict | None:
    if has_areas(protocol) or not has_comparison(protocol):
        return None
    if protocol.intervention.assignment == "random":
        reason = "allocation was random"
    elif protocol.context.comparability.strip():
        reason = protocol.context.comparability.strip().rstrip(".")
    else:
        return Verdict(
            kind="not assessed",
            message="Whether the comparison areas were like the treated cannot be measured from totals or "
            "percentages, and no reason to think so is given.",
            cap=2,
        )
    return Verdict(
        kind="not assessed",
        message="Whether the comparison areas were like the treated cannot be measured from totals or "
        f"percentages; the reason given is: {reason}.",
        cap=3,
    )


RULE = DesignRule(
    id="selection.comparability-stated",
    threat="selection",
    asks="With totals or percentages only, why should the comparison areas be like the treated?",
    why="Level 3 asks for evidence that the comparison was comparable. Four numbers hold none: a stated "
    "reason reaches level 3 at most, and without one the comparison counts as not shown to be comparable "
    "(level 2). Random allocation is such a reason; its balance is still not shown.",
    remedy="Supply counts by area and period, so that level and trend before the start can be measured; "
    "failing that, say in [context] comparability why the areas are alike.",
    applies_to=WITH_COMPARISON,
    source=WWG,
    judge=_judge,
)
