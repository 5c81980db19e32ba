"""displacement.no-buffer: what moves next door lands in the comparison."""

from __future__ import annotations

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.references import DISPLACEMENT
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import has_areas
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict:
    if has_areas(protocol):
        declared = protocol.areas is not None and protocol.areas.buffer is not None
    else:
        declared = protocol.outcome.totals is not None and protocol.outcome.totals.buffer is not None
    if declared:
        return Verdict(kind="clear", message="A buffer of nearby areas is kept out of the comparison.")
    return Verdict(
        kind="caveat",
        message="No buffer is declared, so incidents that moved next door are not looked for and may sit "
        "in the comparison areas.",
    )


RULE = DesignRule(
    id="displacement.no-buffer",
    threat="displacement",
    asks="Is there a buffer around the treated areas, to look for displacement?",
    why="A review of 44 focused policing initiatives found displacement far from certain and a spread of "
    "benefit at least as likely, so both directions of error are open: neighbours that gain make the "
    "effect look smaller, neighbours that lose make it look larger. It is said and does not set the level.",
    remedy="Set [areas] buffer (for example { adjacent_to = 'treated' } or { within_m = 500 }).",
    applies_to=BEFORE_AND_AFTER,
    source=DISPLACEMENT,
    judge=_judge,
)
