"""regression.chosen-by-need: places picked at a peak fall back with nothing done."""

from __future__ import annotations

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.references import REGRESSION
from whatworks_eval.judgement import BEST_LEVEL, DesignRule, Verdict
from whatworks_eval.matching.features import all_in_words
from whatworks_eval.measures.declared import (
    has_areas,
    has_comparison,
    is_level_matched,
    is_matched,
    matched_on,
)
from whatworks_eval.protocol import Protocol

_FALL = "places picked at a peak tend to fall back with nothing done (regression to the mean)"


def _judge(protocol: Protocol) -> Verdict:
    assignment = protocol.intervention.assignment
    if assignment == "need":
        return _for_need(protocol)
    if assignment == "cutoff":
        return Verdict(
            kind="caveat",
            message=f"The areas were chosen by a score; if past crime is part of it, {_FALL}.",
        )
    return Verdict(kind="clear", message="The treated areas were not chosen for their need.")


def _for_need(protocol: Protocol) -> Verdict:
    if not has_comparison(protocol):
        against, cap = f"compared only with themselves; {_FALL}", 2
    elif is_level_matched(protocol):
        return Verdict(
            kind="clear",
            message="The treated areas were chosen for their need and are compared with areas of like level, "
            "which would fall back too.",
        )
    elif not has_areas(protocol):
        against = f"compared with areas that totals cannot show to have stood as high; {_FALL}"
        cap = 2
    elif is_matched(protocol):
        alike = all_in_words(matched_on(protocol))
        against = (
            f"compared with areas alike in {alike}, but not in level just before the start; {_FALL}, and "
            "areas merely as deprived do not"
        )
        cap = 2
    elif protocol.areas is not None and protocol.areas.comparison == "rest":
        against = f"compared with all the others; {_FALL}, so part or all of a fall here would be expected"
        cap = 2
    else:  # an evidence rule decides: regression.earlier-baseline
        against = (
            f"compared with declared areas; {_FALL}, unless an earlier baseline shows that they were not"
        )
        cap = BEST_LEVEL
    return Verdict(
        kind="caveat", message=f"The treated areas were chosen for their need and {against}.", cap=cap
    )


RULE = DesignRule(
    id="regression.chosen-by-need",
    threat="regression",
    asks="Were the treated areas chosen because crime there was high?",
    why="On real LSOA counts, areas picked from the top tenth 'fall' by 8 to 12 % on average with nothing "
    "done; between whole police districts the same effect is put at about 4 %. Comparison areas of like "
    "level fall back as well; all the others do not. So need with every other area as comparison, or with "
    "areas matched on anything but the level, is level 2 at most; need with declared areas rests on an "
    "earlier baseline, which the evidence rules measure.",
    remedy="Set [areas] comparison = 'matched' on before_level, so that the comparison stood as high before "
    "the start, or start the before window earlier than the figures the areas were chosen on.",
    applies_to=BEFORE_AND_AFTER,
    source=REGRESSION,
    judge=_judge,
)
