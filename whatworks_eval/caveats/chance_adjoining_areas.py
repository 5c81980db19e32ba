"""chance.adjoining-areas: neighbours rise and fall together, whatever the protocol calls them."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import CALIBRATION
from whatworks_eval.caveats.wording import counted, effect_span
from whatworks_eval.contrast import adjoining_as_units
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.panel import Panel

AREAS_A_CLUMP = 2.0  # on average: forty areas drawn at random out of a thousand come to about 1.2
FEWEST = 6


def _judge(case: Case) -> Verdict:
    other = next((estimate for estimate in case.alternatives if estimate.choice == "units"), None)
    if other is None:
        return Verdict(kind="clear", message="No adjoining treated areas are counted as separate units.")
    areas, clumps = len(case.contrast.treated), _clumps(case)
    evidence = (
        Measure(name="treated areas, each declared a unit", unit="areas", value=float(areas)),
        Measure(name="clumps of adjoining treated areas", unit="units", value=float(clumps)),
    )
    overturned = case.estimate.excludes_zero and not other.excludes_zero
    if areas < AREAS_A_CLUMP * clumps and not overturned:
        return Verdict(
            kind="clear",
            message=f"Few of the treated areas adjoin: the {areas} make {counted(clumps, 'clump')}.",
            evidence=evidence,
        )
    random = case.protocol.intervention.assignment == "random"
    capped = not random and (overturned or clumps < FEWEST)
    return Verdict(
        kind="caveat",
        message=f"Each of the {areas} treated areas is declared a unit of its own, but they make only "
        f"{counted(clumps, 'clump')}, and adjoining areas rise and fall together. With each clump as one "
        f"unit the interval is {effect_span(other)}.",
        cap=3 if capped else 5,
        evidence=evidence,
    )


def _clumps(case: Case) -> int:
    assert isinstance(case.data, Panel)
    clumped = adjoining_as_units(case.data, case.contrast)
    return len(case.contrast.treated) if clumped is None else len(clumped.treated_units)


RULE = EvidenceRule(
    id="chance.adjoining-areas",
    threat="chance",
    asks="Are treated areas that adjoin counted as separate units?",
    why="On real counts, relabelling single areas finds an effect where there is none in 10 % of draws for "
    "ten adjoining areas and 17 % for forty, against 5 % for scattered ones. The unit is what was chosen: if "
    "whole neighbourhoods were, their areas are not so many independent cases. The rule speaks from two "
    "areas a clump on average, or where the answer no longer excludes zero with clumps as units. Then, or "
    "below six clumps, the level is 3 at most unless areas were drawn by lot.",
    remedy="Set areas.unit = 'contiguous', or name the neighbourhood of each area, unless areas were "
    "allocated one by one.",
    applies_to=WITH_COMPARISON,
    source=CALIBRATION,
    judge=_judge,
)
