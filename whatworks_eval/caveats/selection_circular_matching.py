"""selection.circular-matching: an index that holds recorded crime, used to explain recorded crime."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import DEPRIVATION
from whatworks_eval.caveats.wording import listed
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.deprivation_used import indices_used
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict | None:
    used = indices_used(protocol)
    if not used or protocol.outcome.kind == "proportion":
        return None
    holding = [one.name for one in used if one.crime == "inside"]
    domain = [one.name for one in used if one.crime == "domain"]
    if domain:
        return Verdict(
            kind="caveat",
            message=f"The areas are matched on a crime domain ({listed(domain)}), which is recorded crime of "
            "some years before: it says that crime was alike once, and nothing of deprivation.",
        )
    if holding:
        return Verdict(
            kind="caveat",
            message=f"The areas are matched on an overall index ({listed(holding)}) that has recorded "
            "crime as one of its domains, and the outcome is recorded crime: areas alike in it are partly "
            "alike in the outcome, of some years before. The index without its crime domain says "
            "deprivation alone.",
        )
    return Verdict(kind="clear", message="The index matched on holds no crime domain.")


RULE = DesignRule(
    id="selection.circular-matching",
    threat="selection",
    asks="Does the index that areas are matched on hold the outcome itself?",
    why="Crime is one of the seven domains of the English index, with 9.3 % of its weight; the Welsh "
    "index has one on community safety. Matched on the whole, areas are partly matched on recorded crime "
    "of some years before the index, under another name. That does no harm in itself, so it sets no "
    "level; but 'as deprived' then partly means 'with as much crime', and the level just before the start "
    "is still not matched.",
    remedy="Use the index without its crime domain, or its income domain, beside before_level; compare both "
    "answers.",
    applies_to=WITH_COMPARISON,
    source=DEPRIVATION,
    judge=_judge,
)
