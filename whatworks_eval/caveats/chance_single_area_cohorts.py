"""chance.single-area-cohorts: a start shared by one or two areas says little by itself."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ROLLED_OUT
from whatworks_eval.caveats.references import FEW_CLUSTERS
from whatworks_eval.caveats.wording import counted, listed
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict

FEWEST = 3


def _judge(case: Case) -> Verdict | None:
    if case.over_time is None or not case.over_time.cohorts:
        return None
    cohorts = case.over_time.cohorts
    small = [cohort for cohort in cohorts if cohort.units < FEWEST]
    evidence = (
        Measure(name="cohorts", unit="cohorts", value=float(len(cohorts))),
        Measure(
            name="fewest units in a cohort",
            unit="units",
            value=float(min(cohort.units for cohort in cohorts)),
            threshold=float(FEWEST),
        ),
    )
    if not small:
        return Verdict(
            kind="clear", message=f"Every cohort holds at least {FEWEST} units.", evidence=evidence
        )
    named = listed([f"{cohort.start} ({counted(cohort.units, 'unit')})" for cohort in small])
    return Verdict(
        kind="caveat",
        message=f"Some cohorts hold fewer than {FEWEST} units: {named}. Read the effect over all cohorts, "
        "not theirs; event times that rest on fewer than three areas are marked and left out of joint tests.",
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="chance.single-area-cohorts",
    threat="chance",
    asks="Does any cohort hold fewer than three units?",
    why="A cohort of one area has nothing to tell its own bad month from the project, and the usual error "
    "for it is far too small: in a published example one state gives a t value of 12.7 eight years before "
    "the law. Three is where this package begins to use a cell in joint tests. It does not set the level: "
    "the number of units over all cohorts does.",
    remedy="Group neighbouring starts, or report the effect over all cohorts alone.",
    applies_to=ROLLED_OUT,
    source=FEW_CLUSTERS,
    judge=_judge,
)
