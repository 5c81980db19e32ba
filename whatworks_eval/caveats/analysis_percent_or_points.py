"""analysis.percent-or-points: '+15 %' of a share is either of two numbers."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.references import MAGENTA
from whatworks_eval.caveats.wording import number, percent
from whatworks_eval.judgement import DesignRule, Measure, Verdict
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict | None:
    changes = protocol.outcome.changes
    if changes is None or protocol.outcome.kind != "proportion":
        return None
    if changes.unit != "not stated":
        kept = "percentages of the earlier share" if changes.unit == "percent" else "percentage points"
        return Verdict(kind="clear", message=f"The published changes are {kept}.")
    other = 0.0 if changes.comparison is None or protocol.method == "before-after" else changes.comparison
    as_percent = 100.0 * ((100 + changes.treated) / (100 + other) - 1)
    as_points = changes.treated - other
    return Verdict(
        kind="caveat",
        message="The publication does not say whether its changes are percentages of the earlier share or "
        f"percentage points. Read as percentages, the treated areas changed by {percent(as_percent)} "
        "against the "
        f"comparison; read as points, by {number(as_points)} percentage points.",
        evidence=(
            Measure(name="change against the comparison, read as percentages", unit="%", value=as_percent),
            Measure(
                name="change against the comparison, read as percentage points",
                unit="percentage points",
                value=as_points,
            ),
        ),
    )


RULE = DesignRule(
    id="analysis.percent-or-points",
    threat="analysis",
    asks="Are published changes of a share percentages or percentage points?",
    why="A share that goes from 60 to 66 % of people has risen by 6 percentage points and by 10 percent. Two "
    "published changes that do not say which they are leave the effect open by that much. It is said, both "
    "readings are given, and the level is left alone.",
    remedy="Find the shares themselves, before and after; or state [outcome.changes] unit.",
    applies_to=ALWAYS,
    source=MAGENTA,
    judge=_judge,
)
