"""analysis.overlapping-estimates: a rolling year that ends after the start began before it."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.surveys import PAS
from whatworks_eval.caveats.wording import counted
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.survey import is_survey, overlap
from whatworks_eval.panel import Panel


def _judge(case: Case) -> Verdict | None:
    if not is_survey(case) or not isinstance(case.data, Panel):
        return None
    shared = overlap(case)
    if shared.value is None:
        return Verdict(
            kind="not assessed",
            message="How many months of fieldwork stand behind each estimate is not stated, so whether "
            "estimates "
            "of the after window hold answers from before the start is not known.",
            evidence=(shared,),
        )
    months = case.data.rolling_months or 0
    said = f"Each estimate covers {counted(months, 'month')} of fieldwork"
    if shared.value > 0:
        return Verdict(
            kind="caveat",
            message=f"{said}: the earliest of the after window holds {counted(shared.value, 'month')} "
            "from before "
            "the start, so any effect is diluted, and neighbouring estimates share respondents.",
            evidence=(shared,),
        )
    return Verdict(
        kind="clear",
        message=f"{said}; none of the after window reaches back before the start.",
        evidence=(shared,),
    )


RULE = EvidenceRule(
    id="analysis.overlapping-estimates",
    threat="analysis",
    asks="Do estimates after the start hold answers given before it?",
    why="Quarterly survey figures are often rolling years. One that ends a quarter after the start holds "
    "three "
    "quarters of answers from before it: a true change of 4 points shows as 1. Overlap hides an effect "
    "and does "
    "not invent one, so it is said and does not set the level. Respondents that estimates share are "
    "counted once "
    "in the sampling error.",
    remedy="Begin the after window a full rolling period after the start; state outcome.rolling_months.",
    applies_to=ALWAYS,
    source=PAS,
    judge=_judge,
)
