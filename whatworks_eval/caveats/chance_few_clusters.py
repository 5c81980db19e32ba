"""chance.few-clusters: an error clustered by unit is too small where one arm has few units."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ROLLED_OUT
from whatworks_eval.caveats.references import FEW_CLUSTERS
from whatworks_eval.caveats.wording import counted
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict

ENOUGH = 50  # units in the smaller arm from which a clustered error is near the truth
FEWEST = 6  # below which none is shown


def _judge(case: Case) -> Verdict | None:
    treated, others = len(case.contrast.treated_units), len(case.contrast.comparison_unit_names)
    smaller = min(treated, others)
    arm = "treated" if treated <= others else "comparison"
    evidence = (Measure(name=f"{arm} units", unit="units", value=float(smaller), threshold=float(ENOUGH)),)
    if smaller >= ENOUGH:
        return Verdict(
            kind="clear",
            message=f"The smaller arm holds {counted(smaller, 'unit')}, enough for an error clustered by "
            "unit.",
            evidence=evidence,
        )
    if case.protocol.did.dose is not None:
        return Verdict(
            kind="caveat",
            message="The interval rests on an error clustered by unit with "
            f"{counted(smaller, f'{arm} unit')}; the small-sample correction (CR2) helps, but it may still "
            "be too narrow.",
            evidence=evidence,
        )
    shown = "none is shown" if smaller < FEWEST else "the one shown beside it is likely too narrow"
    return Verdict(
        kind="caveat",
        message=f"With {counted(smaller, f'{arm} unit')} an error clustered by unit cannot be trusted: "
        f"{shown}. The registered interval ranks the treated areas among placebo sets instead.",
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="chance.few-clusters",
    threat="chance",
    asks="Are there units enough in the smaller arm for an error clustered by unit?",
    why="What counts is the units in the smaller arm: ten treated among nine hundred is few. On real counts "
    "where nothing was done, normal intervals from clustered errors find an effect in 20 to 28 % of draws "
    "with three treated areas. So the registered interval relabels whole units, whatever their number; below "
    "six units in an arm no clustered error is shown beside it, and from fifty the two agree. It does not "
    "set the level: chance.few-units does.",
    remedy="Quote the registered interval, not the clustered error.",
    applies_to=ROLLED_OUT,
    source=FEW_CLUSTERS,
    judge=_judge,
)
