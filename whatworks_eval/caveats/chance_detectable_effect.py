"""chance.detectable-effect: what could have been found, had it been there?"""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.references import POP_REVIEW
from whatworks_eval.caveats.wording import percent
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.precision import smallest_detectable

PLAUSIBLE = 33.8  # % fall


def _judge(case: Case) -> Verdict | None:
    if case.protocol.did.dose is not None:
        return None  # by unit of dose, not over a window
    measure = replace(smallest_detectable(case), threshold=PLAUSIBLE)
    if measure.value is None:
        return Verdict(
            kind="not assessed",
            message=f"What size of effect could have been found is not known: {measure.why_missing}.",
            evidence=(measure,),
        )
    said = f"The smallest fall this design would find four times in five is {percent(measure.value)}"
    if measure.value > PLAUSIBLE:
        return Verdict(
            kind="caveat",
            message=f"{said}, more than the {percent(PLAUSIBLE)} that a review of problem-oriented policing "
            "found on average. Not finding an effect here says little.",
            evidence=(measure,),
        )
    return Verdict(kind="clear", message=f"{said}.", evidence=(measure,))


RULE = EvidenceRule(
    id="chance.detectable-effect",
    threat="chance",
    asks="Would an effect of plausible size have been found?",
    why="The largest average effect in the reviews read for this package is a fall of 33.8 % "
    "(problem-oriented policing, 34 studies); most projects do less. A design that could only find more "
    "than that cannot tell a good project from a useless one. It is said and does not set the level.",
    remedy="Lengthen the windows, add units, or choose an outcome with more incidents.",
    applies_to=ALWAYS,
    source=POP_REVIEW,
    judge=_judge,
)
