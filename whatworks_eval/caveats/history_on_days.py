"""history.on-days: patrols on Fridays only tell of Fridays."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import SWITCHED
from whatworks_eval.caveats.references import ROBINS
from whatworks_eval.caveats.wording import number
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.crossover import weekday_difference

MOST_APART = 5.0  # percentage points


def _judge(case: Case) -> Verdict | None:
    found = weekday_difference(case)
    if found is None:
        return None
    measure, day = replace(found[0], threshold=MOST_APART), found[1]
    apart = measure.value or 0.0
    if apart <= MOST_APART:
        return Verdict(
            kind="clear",
            message="On-days and off-days hold the same days of the week, to within "
            f"{number(apart)} percentage points.",
            evidence=(measure,),
        )
    return Verdict(
        kind="caveat",
        message=f"On-days and off-days differ by {number(apart)} percentage points in how many are {day}s. "
        "Areas on and off share each day, so the answer is not shifted by it; but it speaks more for some "
        "days than others.",
        evidence=(measure,),
    )


RULE = EvidenceRule(
    id="history.on-days",
    threat="history",
    asks="Do on-days and off-days fall on the same days of the week?",
    why="Weekends differ from weekdays in how much is recorded and in what patrols can do. The fit compares "
    "areas on and off on the same day, so an uneven week does not shift the answer and lowers no level; but "
    "an effect found mostly on some days is an effect of those days. One day in seven is 14 %; within five "
    "percentage points counts as the same, this package's own line.",
    remedy="Draw the order within whole weeks, so that each area has each day of the week on and off "
    "equally often.",
    applies_to=SWITCHED,
    source=ROBINS,
    judge=_judge,
)
