"""selection.outside-range: nobody can stand in for an area unlike any other."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import WWG
from whatworks_eval.caveats.wording import counted, listed, percent, probability
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.comparability import outside_range
from whatworks_eval.measures.declared import is_level_matched
from whatworks_eval.measures.relative import FALSE_ALARM

MOST_OUTSIDE = 10.0  # % of treated units


def _judge(case: Case) -> Verdict | None:
    if is_level_matched(case.protocol):
        return None  # selection.common-support asks it of everything matched on, the level included
    found = outside_range(case)
    if found is None or found.outside.value is None:
        return Verdict(
            kind="not assessed",
            message="Whether the treated areas lie within the range of the comparison cannot be seen "
            "without counts by area.",
        )
    evidence = (replace(found.outside, threshold=MOST_OUTSIDE),)
    if not found.names:
        return Verdict(
            kind="clear",
            message="Every treated unit lies within the range of levels of the comparison.",
            evidence=evidence,
        )
    said = (
        f"{counted(len(found.names), 'treated unit lies', 'treated units lie')} outside the range of levels "
        f"of the comparison ({percent(found.outside.value)} of treated units: {listed(found.names, most=3)})"
    )
    rare = found.chance is not None and found.chance <= FALSE_ALARM
    if found.outside.value > MOST_OUTSIDE and rare:
        return Verdict(
            kind="caveat",
            message=f"{said}, which a random choice would seldom give "
            f"(p {probability(found.chance or 0.0)}). Nothing in the comparison shows what such outliers "
            "would have done.",
            cap=2,
            evidence=evidence,
        )
    return Verdict(kind="caveat", message=f"{said}, which chance may do.", evidence=evidence)


RULE = EvidenceRule(
    id="selection.outside-range",
    threat="selection",
    asks="Are there comparison areas as busy, or as quiet, as each treated unit?",
    why="The communities that get a project are often the most deprived, with the highest crime: "
    "'unusual outliers' for which no comparison exists. More than a tenth of treated units beyond "
    "every comparison unit is too many to speak for the treated as a whole, unless a random choice "
    "would do the same more than three times in a hundred, as it does where comparison areas are "
    "few. With 30 treated units of five areas and 90 for comparison it finds treated units three "
    "times as busy; with ten single areas among 200, eight times.",
    remedy="Widen the comparison to areas as busy as the treated, or leave the outliers out and say that "
    "the answer does not speak for them.",
    applies_to=WITH_COMPARISON,
    source=WWG,
    judge=_judge,
)
