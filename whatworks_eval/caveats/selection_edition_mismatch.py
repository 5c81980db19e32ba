"""selection.edition-mismatch: an index of another time than the start, or two that cannot be compared."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import DEPRIVATION
from whatworks_eval.caveats.wording import listed
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.deprivation_used import indices_used
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict | None:
    used = indices_used(protocol)
    if not used:
        return None
    start = int(protocol.intervention.start[:4])
    later = [f"{one.name} ({one.edition})" for one in used if one.edition is not None and one.edition > start]
    if later:
        return Verdict(
            kind="caveat",
            message="The areas are matched on an index published in a year after the start: "
            f"{listed(later)}. Some of what it measures may lie after the start and bear the project's "
            "mark; a match must rest on what was known before.",
            cap=3,
        )
    editions = sorted({one.edition for one in used if one.edition is not None})
    if len(editions) > 1:
        return Verdict(
            kind="caveat",
            message=f"The areas are matched on indices of {listed([str(year) for year in editions])} at "
            "once. Each edition ranks areas among themselves; the gap between two is not a change in "
            "deprivation.",
        )
    unknown = [one.name for one in used if one.edition is None]
    if unknown:
        return Verdict(
            kind="not assessed",
            message=f"Which edition {listed(unknown)} is of is not declared, so it is not shown that it was "
            "known before the start.",
        )
    return Verdict(
        kind="clear", message=f"The index matched on is of {editions[0]}, no later than the start in {start}."
    )


RULE = DesignRule(
    id="selection.edition-mismatch",
    threat="selection",
    asks="Was the deprivation index known before the start, and is it one edition?",
    why="An edition published after the start may rest on years in which the project was under way, crime "
    "among them, and matching on what a project changed hides its effect: a choice made after the fact, "
    "level 3 at most. Editions rank areas among themselves, so their scores are not compared with one "
    "another. Codes of the wrong census, or the other country's index, are errors and never reach this "
    "rule.",
    remedy="Give the last edition published before the start, with its `edition` declared.",
    applies_to=WITH_COMPARISON,
    source=DEPRIVATION,
    judge=_judge,
)
