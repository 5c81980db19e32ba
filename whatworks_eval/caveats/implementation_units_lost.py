"""implementation.units-lost: what the lot drew and the data do not hold is lost, whatever was declared."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import WWG
from whatworks_eval.caveats.wording import percent
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.allocation import units_without_data

MOST_PERCENT = 10.0


def _judge(case: Case) -> Verdict | None:
    if case.protocol.intervention.assignment != "random":
        return None
    found = tuple(replace(measure, threshold=MOST_PERCENT) for measure in units_without_data(case))
    if not found:
        return None
    worst = max(found, key=lambda measure: measure.value or 0.0)
    if not worst.value:
        return Verdict(
            kind="clear", message="Every unit of the lot that was declared has data.", evidence=found
        )
    said = (
        f"{percent(worst.value)} of the {worst.name.split()[0]} units have too little data and are left out"
    )
    if worst.value > MOST_PERCENT:
        return Verdict(
            kind="caveat",
            message=f"{said}, more than {percent(MOST_PERCENT)}, so those left may differ in more than "
            "chance.",
            cap=4,
            evidence=found,
        )
    return Verdict(kind="caveat", message=f"{said}: they are part of what was lost.", evidence=found)


RULE = EvidenceRule(
    id="implementation.units-lost",
    threat="implementation",
    asks="Do the data hold every unit of the lot?",
    why="A unit that was drawn and has no data is lost to the analysis as surely as one that dropped out, "
    "and the arms are no longer what the lot made them. The line is that of implementation.attrition, a "
    "tenth, for the worse of the two arms.",
    remedy="Find the missing periods of these units, or shorten the windows to periods that all units have.",
    applies_to=WITH_COMPARISON,
    source=WWG,
    judge=_judge,
)
