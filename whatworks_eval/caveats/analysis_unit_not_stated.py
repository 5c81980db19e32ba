"""analysis.unit-not-stated: what was chosen (ward, beat, neighbourhood) is what must be counted."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.references import FEW_CLUSTERS
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import has_areas
from whatworks_eval.protocol import Protocol
from whatworks_eval.protocol_tables import AreaFile


def _judge(protocol: Protocol) -> Verdict:
    if not has_areas(protocol):
        totals = protocol.outcome.totals
        if totals is not None and totals.treated_units is not None:
            return Verdict(
                kind="clear", message=f"The totals are said to cover {totals.treated_units} treated units."
            )
        return Verdict(
            kind="caveat", message="How many neighbourhoods lie behind the treated total is not stated."
        )
    areas = protocol.areas
    column = (
        areas is not None
        and isinstance(areas.treated, AreaFile)
        and bool(areas.treated.unit or areas.treated.block)
    )
    if column or (areas is not None and areas.unit is not None):
        return Verdict(kind="clear", message="The unit the project was given to is declared.")
    return Verdict(
        kind="caveat",
        message="The unit the project was given to is not stated, so adjoining treated areas are taken as "
        "one unit where neighbours are known, and otherwise each area as its own.",
    )


RULE = DesignRule(
    id="analysis.unit-not-stated",
    threat="analysis",
    asks="Is it stated what was chosen: areas one by one, or whole wards, beats or neighbourhoods?",
    why="Adjoining areas move together. On real counts a placebo test that relabels single areas is right "
    "for scattered areas (about 5 %) but rejects a true null in 10 % of draws for ten adjoining areas and "
    "17 % for forty, so uncertainty must be counted in the units that were chosen.",
    remedy="Give a unit column with the treated areas, or set [areas] unit to 'area', 'contiguous' or a "
    "lookup; for totals give treated_units and comparison_units.",
    applies_to=ALWAYS,
    source=FEW_CLUSTERS,
    judge=_judge,
)
