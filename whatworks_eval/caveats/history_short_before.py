"""history.short-before: under a year, neither season nor trend can be told from the project."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.references import WWG
from whatworks_eval.caveats.wording import counted
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import before_months
from whatworks_eval.protocol import Protocol

FEWEST_MONTHS = 12.0
SLACK = 0.1  # of a month: 52 weeks are 11.97 months and pass


def _judge(protocol: Protocol) -> Verdict:
    measure = replace(before_months(protocol), threshold=FEWEST_MONTHS)
    if measure.value is None:
        return Verdict(
            kind="not assessed",
            message="How long the before window is was not declared, so a full year of it is not shown.",
            cap=3,
            evidence=(measure,),
        )
    length = counted(measure.value, "month")
    if measure.value >= FEWEST_MONTHS - SLACK:
        return Verdict(kind="clear", message=f"The before window is {length} long.", evidence=(measure,))
    return Verdict(
        kind="caveat",
        message=f"The before window is only {length} long, too short to show a full year's season or a "
        "trend.",
        cap=3,
        evidence=(measure,),
    )


RULE = DesignRule(
    id="history.short-before",
    threat="history",
    asks="Is there at least a year of counts before the start?",
    why="Twelve months is the shortest window that holds every season once, and the shortest on which this "
    "package measures a trend before the start. With less, comparability over time is not shown.",
    remedy="Extend [windows] before to at least 12 months (24 is better), in the same calendar months as "
    "after.",
    applies_to=BEFORE_AND_AFTER,
    source=WWG,
    judge=_judge,
)
