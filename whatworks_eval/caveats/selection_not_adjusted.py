"""selection.not-adjusted: level 4 asks for several units and control for other influences."""

from __future__ import annotations

from whatworks_eval.caveats.applies import TAKEN_AS_THEY_ARE
from whatworks_eval.caveats.references import SMS
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.matching.features import all_in_words
from whatworks_eval.measures.declared import has_comparison, is_matched, matched_on, starts_differ
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict | None:
    if not has_comparison(protocol):
        return None
    if protocol.intervention.assignment == "random":
        return Verdict(kind="clear", message="Random allocation stands in for matching or adjustment.")
    if is_matched(protocol):
        return Verdict(
            kind="clear",
            message=f"The comparison areas are chosen to be alike in {all_in_words(matched_on(protocol))}.",
        )
    of_areas = [name for name in protocol.did.adjust_for if name not in protocol.did.series]
    if of_areas and not starts_differ(protocol):
        return Verdict(
            kind="clear",
            message="The comparison areas are taken as declared, and the answer is adjusted for "
            f"{all_in_words(of_areas)}.",
        )
    return Verdict(
        kind="caveat",
        message="The comparison areas are taken as declared, neither matched to the treated nor adjusted "
        f"for what makes them different{_but(protocol)}.",
        cap=3,
    )


def _but(protocol: Protocol) -> str:
    """What is adjusted for and does not answer the question; '' where nothing is."""
    names = all_in_words(protocol.did.adjust_for)
    if not names:
        return ""
    if starts_differ(protocol):
        return f"; an estimate beside it is adjusted for {names}, this one is not"
    return f"; {names} is held still, which tells months apart rather than places"


RULE = DesignRule(
    id="selection.not-adjusted",
    threat="selection",
    asks="Are the comparison areas matched to the treated, or the answer adjusted for how they differ?",
    why="Without random allocation, level 4 asks for control of other influences, by matching or in the "
    "analysis: adjusting for a number that each area has (deprivation) counts, holding still one that "
    "changes by month (footfall) does not. A plain comparison with other areas reaches level 3.",
    remedy="Set [areas] comparison = 'matched', so that each treated area is compared with areas of like "
    "level.",
    applies_to=TAKEN_AS_THEY_ARE,
    source=SMS,
    judge=_judge,
)
