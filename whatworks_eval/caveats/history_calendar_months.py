"""history.calendar-months: a summer set against a winter differs with nothing done."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WINDOWS_ALONE
from whatworks_eval.caveats.references import QUALITY
from whatworks_eval.caveats.wording import number
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import calendar_difference
from whatworks_eval.protocol import Protocol

MOST_POINTS = 2.5
"""A week more or less in one month of a year is 1.9 points, a leap day less; a month of 36 is 2.6."""


def _judge(protocol: Protocol) -> Verdict:
    measure = calendar_difference(protocol)
    if measure.value is None:
        return Verdict(
            kind="not assessed",
            message="The windows are not declared, so whether their seasons match is not known.",
            evidence=(measure,),
        )
    if measure.value <= MOST_POINTS:
        return Verdict(
            kind="clear",
            message="Both windows hold the same calendar months equally often, so seasons cancel.",
            evidence=(measure,),
        )
    return Verdict(
        kind="caveat",
        message="The windows do not hold the same calendar months equally often: the share of one month "
        f"differs by {number(measure.value)} percentage points. Any season the treated areas do not share "
        "with the comparison is left in the answer.",
        evidence=(measure,),
    )


RULE = DesignRule(
    id="history.calendar-months",
    threat="history",
    asks="Do both windows hold the same calendar months equally often?",
    why="Anti-social behaviour and theft rise and fall with the seasons. A comparison takes out the season "
    "both arms share, but places with students, beaches or night life have their own. Two and a half "
    "percentage points let a leap day or an odd week pass and nothing larger.",
    remedy="Choose windows of whole years, or of the same calendar months.",
    applies_to=WINDOWS_ALONE,
    source=QUALITY,
    judge=_judge,
)
