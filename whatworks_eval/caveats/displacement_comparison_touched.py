"""displacement.comparison-touched: a comparison that had some of the project is no comparison."""

from __future__ import annotations

from whatworks_eval.caveats.applies import TWO_ARMS
from whatworks_eval.caveats.references import ROBINS
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import has_comparison
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict | None:
    if not has_comparison(protocol):
        return None
    touched = protocol.context.comparison_touched
    if touched is None:
        return Verdict(
            kind="not assessed",
            message="Whether the project reached the comparison areas, or took officers from them, is not "
            "stated.",
            cap=4 if protocol.intervention.assignment == "random" else 5,
        )
    if not touched.strip():
        return Verdict(kind="clear", message="The project is said not to have reached the comparison areas.")
    return Verdict(
        kind="caveat",
        message=f"The project reached the comparison areas: {touched.strip().rstrip('.')}. The comparison "
        "no longer shows what would have happened without it.",
        cap=3,
    )


RULE = DesignRule(
    id="displacement.comparison-touched",
    threat="displacement",
    asks="Did the project reach the comparison areas, or take officers from them?",
    why="Officers work across boundaries, and extra patrol in one place is often drawn from another. "
    "Either way the comparison moves because of the project, in a direction the counts do not show. Level 5 "
    "asks that a trial had little of it, so there it has to be said.",
    remedy="Leave the areas that were reached out of the comparison (put them in the buffer), and say in "
    "[context] comparison_touched how it was; '' says it was not.",
    applies_to=TWO_ARMS,
    source=ROBINS,
    judge=_judge,
)
