"""selection.no-comparison: without other areas, whatever changed everywhere is counted as the project's."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.references import SMS
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import has_comparison
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict:
    if has_comparison(protocol):
        return Verdict(kind="clear", message="The treated areas are compared with areas without the project.")
    return Verdict(
        kind="caveat",
        message="The treated areas are compared only with themselves, so whatever changed everywhere "
        "between the two windows is counted with the project.",
        cap=2,
    )


RULE = DesignRule(
    id="selection.no-comparison",
    threat="selection",
    asks="Is there anything to compare the treated areas with?",
    why="Crime moves with seasons, the economy, the law and recording, everywhere at once. Level 3 of the "
    "scale asks for a comparison measured before and after; a change in the treated areas alone is level 2 "
    "at most.",
    remedy="Name comparison areas ([areas] comparison = 'rest', 'matched', codes or a file) and use a "
    "method that compares, such as relative-effect.",
    applies_to=ALWAYS,
    source=SMS,
    judge=_judge,
)
