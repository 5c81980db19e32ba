"""chance.small-base: few people asked, or nobody says how many."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.surveys import CSEW, points
from whatworks_eval.caveats.wording import number
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.survey import detectable_points, respondents

FEWEST = 800.0


def _judge(case: Case) -> Verdict | None:
    if case.protocol.outcome.kind != "proportion":
        return None
    before, after = (replace(measure, threshold=FEWEST) for measure in respondents(case))
    seen = detectable_points(case.estimate)
    evidence = (before, after, seen)
    also = (
        ""
        if seen.value is None
        else f" This design would find a change of {points(seen.value)} four times in five."
    )
    if before.value is None or after.value is None:
        return Verdict(
            kind="not assessed",
            message="How many people in the treated areas were asked is not known, so "
            f"{_what_is_lost(case)}.{also}",
            evidence=evidence,
        )
    said = (
        f"In the treated areas {number(before.value, 0)} people were asked before and "
        f"{number(after.value, 0)} after"
    )
    if min(before.value, after.value) < FEWEST:
        return Verdict(
            kind="caveat",
            message=f"{said}: with fewer than {FEWEST:.0f} in a window, who happened to be asked can "
            "move the "
            f"share by more than most projects do.{also}",
            evidence=evidence,
        )
    return Verdict(kind="clear", message=f"{said}.{also}", evidence=evidence)


def _what_is_lost(case: Case) -> str:
    if case.estimate.low is None:
        return "there is no interval and chance is not ruled out"
    return "sampling error is not known by itself; the interval is that of areas relabelled"


RULE = EvidenceRule(
    id="chance.small-base",
    threat="chance",
    asks="Were at least 800 people asked in the treated areas in each window?",
    why="With 800 people in each window of the treated areas, many more in the comparison, a share near "
    "a half and "
    "a design effect of 2, the change found four times in five at 95 % confidence is 10 points: 2.80 x "
    "square "
    "root of 2 x 2 x 0.25 / 800. Published 95 % intervals for 41 police force areas imply design effects "
    "with a "
    "median of 1.7 to 2.3 over ten questions on the police. It is said and does not set the level.",
    remedy="Pool more periods or areas, ask for the numbers of respondents, or take everybody and not "
    "one group.",
    applies_to=BEFORE_AND_AFTER,
    source=CSEW,
    judge=_judge,
)
