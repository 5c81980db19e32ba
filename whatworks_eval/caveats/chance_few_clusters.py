"""chance.few-clusters: an error clustered by unit may be too small where one arm has few units."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ROLLED_OUT
from whatworks_eval.caveats.references import FEW_CLUSTERS
from whatworks_eval.caveats.wording import counted, percent
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
    widths = _widths(case)
    wide = bool(widths) and round(min(widths)) >= 100
    narrow = "is often too narrow, but not narrower here:" if wide else "may be too narrow;"
    if smaller < FEWEST:
        said = "cannot be trusted: none is shown. The interval reported"
    elif not widths:
        said = "may be too narrow. The interval reported"
    elif len(widths) == 1:
        said = (
            f"{narrow} the one shown beside it gives an interval "
            f"{percent(widths[0], 0)} as wide as the one reported, which"
        )
    else:
        said = (
            f"{narrow} the {len(widths)} shown beside it give intervals "
            f"{percent(min(widths), 0)} to {percent(max(widths), 0)} as wide as the one reported, which"
        )
    return Verdict(
        kind="caveat",
        message=f"With {counted(smaller, f'{arm} unit')} an error clustered by unit {said} ranks the "
        "treated areas among placebo sets instead.",
        evidence=evidence,
    )


def _widths(case: Case) -> list[float]:
    """How wide each interval from an error clustered by unit is, in percent of the one reported."""
    own = case.estimate
    if own.low is None or own.high is None:
        return []
    return [
        100.0 * (other.high - other.low) / (own.high - own.low)
        for other in case.alternatives
        if "clustered by unit" in other.inference
        and other.scale == own.scale
        and other.low is not None
        and other.high is not None
    ]


RULE = EvidenceRule(
    id="chance.few-clusters",
    threat="chance",
    asks="Are there units enough in the smaller arm for an error clustered by unit?",
    why="What counts is the units in the smaller arm: ten treated among nine hundred is few. On real counts "
    "where nothing was done, normal intervals from clustered errors find an effect in 20 to 28 % of draws "
    "with three treated areas. So the interval reported relabels whole units, whatever their number; below "
    "six units in an arm no clustered error is shown beside it, and from fifty the two agree. It does not "
    "set the level: chance.few-units does.",
    remedy="Quote the interval reported, not the clustered error.",
    applies_to=ROLLED_OUT,
    source=FEW_CLUSTERS,
    judge=_judge,
)
