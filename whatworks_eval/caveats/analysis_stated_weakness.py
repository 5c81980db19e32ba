"""analysis.stated-weakness: what the publication itself says against its result, kept beside the number."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.references import MAGENTA
from whatworks_eval.judgement import DesignRule, Source, Verdict
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> tuple[Verdict, ...] | None:
    return (
        tuple(
            Verdict(
                kind="caveat",
                message=f"The publication itself says: {weakness.says.strip().rstrip('.')}.",
                threat=weakness.threat,
                source=Source(key=weakness.source, text=weakness.source),
            )
            for weakness in protocol.context.weaknesses
        )
        or None
    )


RULE = DesignRule(
    id="analysis.stated-weakness",
    threat="analysis",
    asks="Which weaknesses does the publication being re-examined state of itself?",
    why="A published number travels further than the warnings printed beside it. They are carried here "
    "with their own source; the level follows from the other rules, so that a frank report is not graded "
    "below a silent one.",
    remedy="Read the publication's own discussion of its limits before quoting the number.",
    applies_to=ALWAYS,
    source=MAGENTA,
    judge=_judge,
)
