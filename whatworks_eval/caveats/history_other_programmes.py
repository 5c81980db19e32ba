"""history.other-programmes: something else may have been going on in the treated areas."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.references import QUALITY
from whatworks_eval.caveats.wording import listed
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict:
    others = protocol.context.other_programmes
    if others is None:
        return Verdict(
            kind="not assessed",
            message="Whether other programmes ran in the treated or comparison areas is not stated.",
        )
    if not others:
        return Verdict(kind="clear", message="No other programme is said to have run in these areas.")
    return Verdict(
        kind="caveat",
        message=f"Other programmes ran in these areas ({listed(others)}), and their effect cannot be told "
        "from the project's.",
    )


RULE = DesignRule(
    id="history.other-programmes",
    threat="history",
    asks="Did anything else start or stop in these areas?",
    why="Areas that get one project often get several. No count can say which of two programmes moved it, "
    "so this is said and does not set the level.",
    remedy="List other programmes in [context] other_programmes (an empty list says there were none), and "
    "leave out areas where a large one started.",
    applies_to=ALWAYS,
    source=QUALITY,
    judge=_judge,
)
