"""chance.few-incidents: small counts bounce."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.references import CALIBRATION
from whatworks_eval.caveats.wording import number
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.precision import treated_incidents

FEWEST = 100.0


def _judge(case: Case) -> Verdict:
    before, after = (replace(measure, threshold=FEWEST) for measure in treated_incidents(case))
    if before.value is None or after.value is None:
        return Verdict(
            kind="not assessed",
            message="How many incidents lie behind the percentages is not published.",
            evidence=(before, after),
        )
    said = (
        f"The treated areas recorded {number(before.value)} incidents before and {number(after.value)} after"
    )
    if min(before.value, after.value) < FEWEST:
        return Verdict(
            kind="caveat",
            message=f"{said}: with fewer than {FEWEST:.0f} in a window only a fall of about half would be "
            "found.",
            evidence=(before, after),
        )
    return Verdict(kind="clear", message=f"{said}.", evidence=(before, after))


RULE = EvidenceRule(
    id="chance.few-incidents",
    threat="chance",
    asks="Are there at least 100 incidents in the treated areas in each window?",
    why="With 100 incidents in each window of the treated areas, many more in the comparison and counts "
    "that vary twice as much as chance alone (real neighbourhoods do), the fall found four times in five "
    "at 95 % confidence is 49 %: b = 2.80 x square root of (2/100 + 2 exp(b)/100). It is said and does not "
    "set the level.",
    remedy="Lengthen both windows, add areas or widen the offences counted.",
    applies_to=BEFORE_AND_AFTER,
    source=CALIBRATION,
    judge=_judge,
)
