"""chance.dispersion: crime counts vary more than chance, and textbook intervals do not know it."""

from __future__ import annotations

import math
from dataclasses import replace

from whatworks_eval.caveats.applies import WINDOWS_ALONE
from whatworks_eval.caveats.references import OVERDISPERSION
from whatworks_eval.caveats.wording import number, span
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.precision import dispersion
from whatworks_eval.records import Interval

LARGEST = 2.0


def _judge(case: Case) -> Verdict:
    measure = replace(dispersion(case), threshold=LARGEST)
    if measure.value is None:
        return Verdict(
            kind="not assessed",
            message=f"How far counts vary beyond chance is not measured: {measure.why_missing}.",
            evidence=(measure,),
        )
    ends = span(Interval(low=measure.low, high=measure.high), unit="")
    said = (
        f"Change in untreated places like these varies {number(measure.value)} times as much as chance "
        f"alone ({ends})"
    )
    if measure.value > LARGEST:
        return Verdict(
            kind="caveat",
            message=f"{said}. An interval that takes counts to vary by chance alone would be "
            f"{number(math.sqrt(measure.value))} times too narrow; the one given here allows for it.",
            evidence=(measure,),
        )
    return Verdict(kind="clear", message=f"{said}.", evidence=(measure,))


RULE = EvidenceRule(
    id="chance.dispersion",
    threat="chance",
    asks="Do counts in untreated places vary more than chance alone?",
    why="Published intervals for crime counts mostly take the variance to equal the mean. Year on year, "
    "ten real LSOAs vary by about four times that, so such intervals are half as wide as they should be. "
    "The line at two is where they come out 1.4 times too narrow. It is said and does not set the level: "
    "the registered interval allows for it.",
    remedy="Quote the registered interval, never the Poisson one printed beside it for comparison.",
    applies_to=WINDOWS_ALONE,
    source=OVERDISPERSION,
    judge=_judge,
)
