"""selection.not-adjusted: level 4 asks for several units and control for other influences."""

from __future__ import annotations

from whatworks_eval.caveats.applies import TAKEN_AS_THEY_ARE
from whatworks_eval.caveats.references import SMS
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import has_comparison, is_matched, matched_on
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict | None:
    if not has_comparison(protocol):
        return None
    if protocol.intervention.assignment == "random":
        return Verdict(kind="clear", message="Random allocation stands in for matching or adjustment.")
    if is_matched(protocol):
        return Verdict(
            kind="clear", message=f"The comparison areas are chosen to be alike in {_said(protocol)}."
        )
    return Verdict(
        kind="caveat",
        message="The comparison areas are taken as declared, neither matched to the treated nor adjusted "
        "for what makes them different.",
        cap=3,
    )


def _said(protocol: Protocol) -> str:
    words = {"before_level": "level before the start", "before_trend": "trend before the start"}
    return " and ".join(words.get(name, name.replace("_", " ")) for name in matched_on(protocol))


RULE = DesignRule(
    id="selection.not-adjusted",
    threat="selection",
    asks="Are the comparison areas matched to the treated, or the answer adjusted for how they differ?",
    why="Without random allocation, level 4 asks for control of other influences, by matching or in the "
    "analysis. A plain comparison with other areas reaches level 3.",
    remedy="Set [areas] comparison = 'matched', so that each treated area is compared with areas of like "
    "level.",
    applies_to=TAKEN_AS_THEY_ARE,
    source=SMS,
    judge=_judge,
)
