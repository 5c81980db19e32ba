"""chance.one-unit-an-arm: with one place a side, anything local to either is the answer."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import SMS
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.precision import units_by_arm

FEWEST = 2


def _judge(case: Case) -> Verdict:
    units = tuple(replace(measure, threshold=float(FEWEST)) for measure in units_by_arm(case))
    treated, comparison = (measure.value for measure in units)
    if treated is None or comparison is None:
        return Verdict(
            kind="not assessed",
            message="How many units lie behind each arm is not known, so no more than one a side is shown.",
            cap=3,
            evidence=units,
        )
    lone = [name for name, value in (("treated", treated), ("comparison", comparison)) if value < FEWEST]
    if lone:
        return Verdict(
            kind="caveat",
            message=f"There is only one {' and one '.join(lone)} unit, so whatever else happened there "
            "cannot be told from the project.",
            cap=3,
            evidence=units,
        )
    return Verdict(
        kind="clear",
        message=f"There are {treated:,.0f} treated units and {comparison:,.0f} comparison units.",
        evidence=units,
    )


RULE = EvidenceRule(
    id="chance.one-unit-an-arm",
    threat="chance",
    asks="Is there more than one unit in each arm?",
    why="One against one is level 3 on the scale: several units an arm are what separates level 4 from it. "
    "Units are what was chosen (wards, beats, neighbourhoods), not the small areas they are made of; where "
    "comparison areas have no units, as many are counted as units of the treated size would fit.",
    remedy="Add treated or comparison units; for totals say how many there are (treated_units, "
    "comparison_units).",
    applies_to=WITH_COMPARISON,
    source=SMS,
    judge=_judge,
)
