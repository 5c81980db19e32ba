"""implementation.attrition: a lot only helps those who are analysed as the lot decided."""

from __future__ import annotations

from whatworks_eval.caveats.applies import TWO_ARMS
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
    by_arm = _by_arm(protocol)
    evidence = (measure, *by_arm)
    if as_assigned is False:
        return Verdict(
            kind="caveat",
            message="Units were not analysed in the arm the lot gave them, so the arms may differ in more "
            "than chance.",
            cap=4,
            evidence=evidence,
        )
    if lost is not None and lost > MOST_PERCENT:
        return Verdict(
            kind="caveat",
            message=f"{percent(lost)} of units were lost after allocation, more than "
            f"{percent(MOST_PERCENT)}, so those left may differ in more than chance.",
            cap=4,
            evidence=evidence,
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
            evidence=evidence,
        )
    arms = protocol.context.attrition_by_arm
    if arms is not None and max(arms) > MOST_PERCENT:
        return Verdict(
            kind="caveat",
            message=f"{percent(lost)} of units were lost after allocation, but {percent(arms[0])} of the "
            f"treated and {percent(arms[1])} of the comparison: losses in one arm do the most harm.",
            evidence=evidence,
        )
    return Verdict(
        kind="clear",
        message=f"{percent(lost)} of units were lost after allocation, and units were analysed as allocated.",
        evidence=evidence,
    )


def _by_arm(protocol: Protocol) -> tuple[Measure, ...]:
    """Units lost in each arm, as stated; empty where they are not."""
    stated = protocol.context.attrition_by_arm
    if stated is None:
        return ()
    return tuple(
        Measure(name=f"units lost after allocation, {arm} arm", unit="%", value=value, threshold=MOST_PERCENT)
        for arm, value in zip(("treated", "comparison"), stated, strict=True)
    )


RULE = DesignRule(
    id="implementation.attrition",
    threat="implementation",
    asks="In a randomised design, were all units kept and analysed as the lot decided?",
    why="Level 5 asks for little attrition: units that drop out are seldom a random part. The line at a "
    "tenth is this package's own; with a tenth of units lost, the lost would have to differ from the rest "
    "by about ten times the effect to account for it. Losses of one arm above that line are "
    "said as well and lower nothing, so that nobody is better off for not stating them.",
    remedy="State [context] attrition_percent, attrition_by_arm and analysed_as_assigned; analyse every "
    "unit in the arm it was given.",
    applies_to=TWO_ARMS,
    source=WWG,
    judge=_judge,
)
