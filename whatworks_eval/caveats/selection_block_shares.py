"""selection.block-shares: where blocks were shared out unevenly, the arms are made of other blocks."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import SMS
from whatworks_eval.caveats.wording import percent
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.allocation import treated_share_by_block

MOST_APART = 5.0  # percentage points


def _judge(case: Case) -> Verdict | None:
    shares = treated_share_by_block(case)
    if shares is None:
        return None
    low, high = (measure.value or 0.0 for measure in shares)
    if high - low <= MOST_APART:
        return Verdict(
            kind="clear",
            message=f"The same share of every block was treated ({percent(low)}).",
            evidence=shares,
        )
    return Verdict(
        kind="caveat",
        message=f"Between {percent(low)} and {percent(high)} of a block was treated, so the arms are made of "
        "different blocks: if blocks changed differently, part of that is in the answer. The interval allows "
        "for it; the answer in the middle does not.",
        evidence=shares,
    )


RULE = EvidenceRule(
    id="selection.block-shares",
    threat="selection",
    asks="Was the same share of every block treated?",
    why="Arms drawn in equal shares hold the same mixture of blocks. Where one block gave half of its units "
    "and another a quarter, the treated lean towards the first, and what happened in it counts as the "
    "project's. Ranking among the allocations the lot could have drawn stays right, so the level does not "
    "fall. Shares within five percentage points count as the same: this package's own line.",
    remedy="Draw the same share in every block; for data in hand, leave out the blocks that differ and say "
    "so.",
    applies_to=WITH_COMPARISON,
    source=SMS,
    judge=_judge,
)
