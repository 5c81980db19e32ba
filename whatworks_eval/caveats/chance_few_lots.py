"""chance.few-lots: a crossover is as large as the number of times the lot was drawn."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import SWITCHED
from whatworks_eval.caveats.references import FEW_CLUSTERS
from whatworks_eval.caveats.wording import number
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.crossover import lots_an_arm, prepared

FEWEST = 6.0


def _judge(case: Case) -> Verdict | None:
    found = prepared(case)
    if found is None:
        return None
    lots = replace(lots_an_arm(found.trial), threshold=FEWEST)
    many = lots.value or 0.0
    said = f"{number(many)} separate lots gave each arm its share"
    if many < FEWEST:
        return Verdict(
            kind="caveat",
            message=f"Only {said}: with fewer than {FEWEST:g}, chance and anything local weigh heavily.",
            cap=3,
            evidence=(lots,),
        )
    return Verdict(kind="clear", message=f"{said[0].upper()}{said[1:]}.", evidence=(lots,))


RULE = EvidenceRule(
    id="chance.few-lots",
    threat="chance",
    asks="Did the lot fall at least six times for each arm?",
    why="In a crossover the unit is what was drawn. Where the order of on and off was drawn afresh in each "
    "area and block, each of these is a lot of its own that gives both arms a stretch; where areas drew a "
    "schedule, each area is one lot, however many periods it has. Days inside a stretch are not separate "
    "lots. The line is that of chance.few-units: six an arm, and below it level 3 at most.",
    remedy="Draw more often: more areas, or more blocks with an order drawn in each.",
    applies_to=SWITCHED,
    source=FEW_CLUSTERS,
    judge=_judge,
)
