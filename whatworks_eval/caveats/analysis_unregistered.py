"""analysis.unregistered: choices made after seeing the outcome can be bent to it, knowingly or not."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.references import ROBINS
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.periods import first_day
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict:
    if protocol.registered is None:
        return Verdict(
            kind="caveat",
            message="No date is given on which this analysis was written down, so its windows, areas and "
            "outcome may have been chosen after the results were known.",
            cap=3,
        )
    start = first_day(protocol.intervention.start, protocol.period)
    if protocol.registered > start:
        return Verdict(
            kind="caveat",
            message=f"This analysis was written down on {protocol.registered.isoformat()}, after the "
            f"project started ({protocol.intervention.start}), so its choices may have been made with "
            "results in view.",
            cap=3,
        )
    return Verdict(
        kind="clear",
        message=f"The analysis was written down on {protocol.registered.isoformat()}, before the project "
        f"started ({protocol.intervention.start}).",
    )


RULE = DesignRule(
    id="analysis.unregistered",
    threat="analysis",
    asks="Was the analysis written down before the project started?",
    why="With several outcomes, windows and comparison areas to pick from, one of them shows a fall by "
    "chance. The line is the first day of the project: from then on some results can be seen.",
    remedy="Write the design down before the start (registered = date) and keep the dated copy; for a "
    "finished project, treat the answer as exploratory and repeat it on new areas or a new period.",
    applies_to=ALWAYS,
    source=ROBINS,
    judge=_judge,
)
