"""chance.few-units: with a handful of units chance looks like anything."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.references import FEW_CLUSTERS
from whatworks_eval.caveats.wording import counted
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.declared import has_comparison
from whatworks_eval.measures.precision import units_by_arm

FEWEST = 6


def _judge(case: Case) -> Verdict:
    arms = units_by_arm(case) if has_comparison(case.protocol) else units_by_arm(case)[:1]
    units = tuple(replace(measure, threshold=float(FEWEST)) for measure in arms)
    counts = [measure.value for measure in units]
    if any(count is None for count in counts):
        return Verdict(
            kind="not assessed",
            message=f"How many units lie behind the totals is not stated, so at least {FEWEST} an arm are "
            "not shown.",
            cap=3,
            evidence=units,
        )
    said = " and ".join(
        counted(count or 0.0, f"{arm} unit")
        for arm, count in zip(("treated", "comparison"), counts, strict=False)
    )
    if any(count is not None and count < FEWEST for count in counts):
        return Verdict(
            kind="caveat",
            message=f"There {'is' if counts[0] == 1 else 'are'} only {said}: with fewer than {FEWEST} in an "
            "arm, chance and anything local weigh heavily.",
            cap=3,
            evidence=units,
        )
    return Verdict(kind="clear", message=f"There are {said}.", evidence=units)


RULE = EvidenceRule(
    id="chance.few-units",
    threat="chance",
    asks="Are there at least six units in each arm?",
    why="With one or two treated units out of twenty, the usual tests find an effect in 20 to 65 % of "
    "draws where there is none. From six an arm, relabelling has at least 924 ways to fall and one odd "
    "unit no longer decides; below, the level is 3 at most however many small areas the units hold.",
    remedy="Add units to the smaller arm; one more small area inside the same unit does not count.",
    applies_to=BEFORE_AND_AFTER,
    source=FEW_CLUSTERS,
    judge=_judge,
)
