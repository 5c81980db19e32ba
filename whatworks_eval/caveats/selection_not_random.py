"""selection.not-random: only allocation by lot makes the arms alike in what nobody measured."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.references import SMS
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.protocol import Protocol

_HOW = {
    "phased": "in phases that were not drawn by lot",
    "need": "because of their need",
    "volunteer": "because they came forward",
    "cutoff": "by a score and a cut-off",
}


def _judge(protocol: Protocol) -> Verdict:
    assignment = protocol.intervention.assignment
    if assignment == "random":
        return Verdict(kind="clear", message="The treated areas were chosen at random.")
    return Verdict(
        kind="caveat",
        message=f"The treated areas were chosen {_HOW[assignment]}, not at random, so they may differ from "
        "the comparison in ways that were not measured.",
        cap=4,
    )


RULE = DesignRule(
    id="selection.not-random",
    threat="selection",
    asks="Were the treated areas chosen at random?",
    why="Allocation by lot is what separates level 5 from level 4: it balances what was not measured as "
    "well as what was. A phased start counts as random only where a lot decided the order; declare it as "
    "random then.",
    remedy="Next time, let a lot decide which of the eligible areas start first; nothing done to these "
    "data can.",
    applies_to=ALWAYS,
    source=SMS,
    judge=_judge,
)
