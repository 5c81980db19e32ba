"""history.seasonal-windows: a series must be long enough to tell the season from the project."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import SERIES
from whatworks_eval.caveats.references import TIME_SERIES
from whatworks_eval.caveats.wording import counted, number
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import before_months, calendar_difference, has_comparison
from whatworks_eval.protocol import Protocol

FEWEST_MONTHS = 24.0
SLACK = 0.1  # of a month: 104 weeks are 23.9 months and pass
MOST_POINTS = 2.5  # as for history.calendar-months


def _judge(protocol: Protocol) -> Verdict:
    length = replace(before_months(protocol), threshold=FEWEST_MONTHS)
    uneven = replace(calendar_difference(protocol), threshold=MOST_POINTS)
    evidence = (length, uneven)
    if length.value is None or uneven.value is None:
        return Verdict(
            kind="not assessed",
            message="The windows are not declared, so whether the season can be told from the project is not "
            "known.",
            evidence=evidence,
        )
    said = counted(length.value, "month")
    compared = has_comparison(protocol)
    wished = protocol.windows is not None and protocol.windows.seasonal
    fitted = length.value >= FEWEST_MONTHS - SLACK and (wished or (wished is None and not compared))
    if fitted:
        return Verdict(
            kind="clear",
            message=f"The time of year is fitted, on {said} before the start.",
            evidence=evidence,
        )
    if compared and uneven.value <= MOST_POINTS:
        return Verdict(
            kind="clear",
            message="The season both series share drops out, and both windows hold the same calendar months "
            "equally often.",
            evidence=evidence,
        )
    if compared:
        return Verdict(
            kind="caveat",
            message="The season both series share drops out. The windows do not hold the same calendar "
            f"months equally often (the share of one differs by {number(uneven.value)} percentage points), "
            "so any season of the treated areas' own is left in the answer.",
            evidence=evidence,
        )
    even = (
        "Both windows hold the same calendar months equally often, which balances the averages, not the trend"
        if uneven.value <= MOST_POINTS
        else "The windows do not hold the same calendar months equally often: the share of one differs by "
        f"{number(uneven.value)} percentage points"
    )
    return Verdict(
        kind="caveat",
        message=f"The time of year is not fitted, with {said} before the start. {even}; part of the answer "
        "may be season.",
        evidence=evidence,
    )


RULE = DesignRule(
    id="history.seasonal-windows",
    threat="history",
    asks="Is the series long enough to tell the season from the project?",
    why="A year's rhythm bends the end of a short series, and a trend drawn through it points the wrong "
    "way. Two whole years are the least that show a month twice, so that a rhythm can be told from a "
    "trend; seasonal terms asked for with less are refused. A comparison takes out the season it shares.",
    remedy="Begin [windows] before at least 24 months before the start, or name comparison areas and use "
    "windows of the same calendar months.",
    applies_to=SERIES,
    source=TIME_SERIES,
    judge=_judge,
)
