"""history.covid: restrictions changed where people were, and what was recorded, unevenly by place."""

from __future__ import annotations

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.references import LOCKDOWNS
from whatworks_eval.caveats.wording import counted
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import restricted_periods
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict:
    before, after = restricted_periods(protocol)
    if before.value is None or after.value is None:
        return Verdict(
            kind="not assessed",
            message="The windows are not declared, so whether Covid restrictions fall in them is not known.",
            cap=3,
            evidence=(before, after),
        )
    if before.value == 0 and after.value == 0:
        return Verdict(
            kind="clear",
            message="Neither window holds a month with Covid restrictions (March 2020 to July 2021).",
            evidence=(before, after),
        )
    unit = protocol.period
    return Verdict(
        kind="caveat",
        message=f"Covid restrictions (March 2020 to July 2021) cover {counted(before.value, unit)} of the "
        f"before window and {counted(after.value, unit)} of the after window. They moved crime and its "
        "recording by place, in ways a comparison may not take out.",
        cap=3,
        evidence=(before, after),
    )


RULE = DesignRule(
    id="history.covid",
    threat="history",
    asks="Do Covid restrictions (March 2020 to July 2021) fall inside either window?",
    why="Lockdowns emptied town centres and filled homes, and Covid breaches were logged as anti-social "
    "behaviour: monthly counts rose two- to sixfold in the forces looked at. Town centres and estates were "
    "hit differently, so comparison areas do not take it out. Any restricted month in either window counts.",
    remedy="Choose windows that leave out March 2020 to July 2021, or repeat the analysis without those "
    "months.",
    applies_to=BEFORE_AND_AFTER,
    source=LOCKDOWNS,
    judge=_judge,
)
