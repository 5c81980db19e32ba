"""reporting.expected-change: trust brings reports, so a good project can raise the count."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.references import ROBINS
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.protocol import Protocol

_SAID = {
    "up": "More of what happens is expected to be reported in the treated areas, which would raise the "
    "recorded count: it would hide a fall or make a rise look larger.",
    "down": "Less of what happens is expected to be reported in the treated areas, which would lower the "
    "recorded count: it would look like a fall that did not happen.",
}


def _judge(protocol: Protocol) -> Verdict:
    expected = protocol.context.reporting_change_expected
    if expected is None:
        return Verdict(
            kind="not assessed",
            message="Whether the project was expected to change how much gets reported is not stated.",
        )
    if expected == "none":
        return Verdict(kind="clear", message="No change in how much gets reported is expected.")
    return Verdict(kind="caveat", message=_SAID[expected], cap=2)


RULE = DesignRule(
    id="reporting.expected-change",
    threat="reporting",
    asks="Was the project expected to change how much of what happens is reported?",
    why="Neighbourhood policing sets out to win trust, and trust raises reports of anti-social behaviour "
    "and domestic abuse. Recorded counts then move with reporting in the treated areas alone, which no "
    "comparison takes out: it is a change of instrument in one arm.",
    remedy="Use an outcome that does not depend on reporting (a survey, ambulance or hospital data), or "
    "one that reporting hardly touches; say in [context] reporting_change_expected what is expected.",
    applies_to=ALWAYS,
    source=ROBINS,
    judge=_judge,
)
