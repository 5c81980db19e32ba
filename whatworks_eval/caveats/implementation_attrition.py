"""implementation.attrition: a lot only helps those who are analysed as the lot decided."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import WWG
from whatworks_eval.caveats.wording import percent
from whatworks_eval.judgement import DesignRule, Measure, Verdict
from whatworks_eval.protocol import Protocol

MOST_PERCENT = 10.0


def _judge(protocol: Protocol) -> Verdict | None:
    if protocol.intervention.assignment != "random":
        return None
    lost, as_assigned = protocol.context.attrition_percent, protocol.context.analysed_as_assigned
    measure = Measure(
        name="units lost after allocation",
        unit="%",
        value=lost,
        why_missing="attrition is not stated" if lost is None else None,
        threshold=MOST_PERCENT,
    )
    if as_assigned is False:
        return Verdict(
            kind="caveat",
            message="Units were not analysed in the arm the lot gave them, so the arms may differ in more "
            "than chance.",
            cap=4,
            evidence=(measure,),
        )
    if lost is not None and lost > MOST_PERCENT:
        return Verdict(
            kind="caveat",
            message=f"{percent(lost)} of units were lost after allocation, more than "
            f"{percent(MOST_PERCENT)}, so those left may differ in more than chance.",
            cap=4,
            evidence=(measure,),
        )
    if lost is None or as_assigned is None:
        what = [
            words
            for words, missing in (
                ("how many units were lost after allocation", lost is None),
                ("whether units were analysed as allocated", as_assigned is None),
            )
            if missing
        ]
        return Verdict(
            kind="not assessed",
            message=f"Allocation was random, but {' and '.join(what)} is not stated.",
            cap=4,
            evidence=(measure,),
        )
    return Verdict(
        kind="clear",
        message=f"{percent(lost)} of units were lost after allocation, and units were analysed as allocated.",
        evidence=(measure,),
    )


RULE = DesignRule(
    id="implementation.attrition",
    threat="implementation",
    asks="In a randomised design, were all units kept and analysed as the lot decided?",
    why="Level 5 asks for little attrition: units that drop out are seldom a random part. The line at a "
    "tenth is this package's own; with a tenth of units lost, the lost would have to differ from the rest "
    "by about ten times the effect to account for it.",
    remedy="State [context] attrition_percent and analysed_as_assigned; analyse every unit in the arm it "
    "was given.",
    applies_to=WITH_COMPARISON,
    source=WWG,
    judge=_judge,
)
