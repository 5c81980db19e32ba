"""chance.spatial-correlation: neighbouring areas that still move together."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ROLLED_OUT, of_a_dose
from whatworks_eval.caveats.references import CALIBRATION
from whatworks_eval.caveats.wording import number, probability
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict

ALPHA = 0.05


def _judge(case: Case) -> Verdict | None:
    if case.over_time is None:
        return of_a_dose(case, "Whether neighbouring areas move together")
    found = case.over_time.spatial
    if found.moran is None or found.p_value is None:
        return Verdict(
            kind="not assessed",
            message=f"Whether neighbouring areas move together was not measured: {found.why_missing}.",
        )
    evidence = (
        Measure(name="Moran's I of the areas' changes", unit="index", value=found.moran),
        Measure(name="its p-value", unit="probability", value=found.p_value, threshold=ALPHA),
    )
    if found.p_value > ALPHA or found.moran <= 0:
        return Verdict(
            kind="clear",
            message=f"Neighbouring areas do not visibly move together (Moran's I {number(found.moran, 2)}).",
            evidence=evidence,
        )
    whole = case.contrast.unit_basis not in ("area", "not stated")
    answer = (
        "placebo sets are made of whole units or clumps, so the interval allows for it"
        if whole
        else "each area is declared a unit of its own; where treated areas adjoin, see the interval with "
        "clumps as units"
    )
    return Verdict(
        kind="caveat",
        message=f"Neighbouring areas move together (Moran's I {number(found.moran, 2)}, p "
        f"{probability(found.p_value)}): {answer}.",
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="chance.spatial-correlation",
    threat="chance",
    asks="Do neighbouring areas still move together once the arms are accounted for?",
    why="Errors clustered by single areas take neighbours for independent. Moran's I of each area's change, "
    "against shuffled places, says whether they are: changes that blocks of nine areas share, of 20 %, are "
    "found in nine draws of ten among 144 areas. It is a reason to take whole neighbourhoods as units, "
    "which the registered interval does where the design says or shows so. It does not set the level.",
    remedy="Name the neighbourhood, ward or beat of each area, or set areas.unit = 'contiguous'.",
    applies_to=ROLLED_OUT,
    source=CALIBRATION,
    judge=_judge,
)
