"""What a synthetic comparison rests on: weights, fit, other weights as good, and starts that were not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.methods.synthetic_sets import Setting
from whatworks_eval.synthetic.checks import USED, fit_quality, leave_one_out
from whatworks_eval.synthetic.fitted import Estimator, Floats
from whatworks_eval.synthetic.near_optimal import SLACK, near_optimal
from whatworks_eval.synthetic.sets_test import BASE, SetsTest, in_time
from whatworks_eval.synthetic.spread import fit_spread
from whatworks_eval.synthetic_records import (
    AsGoodWeights,
    Donor,
    Fit,
    PretendedStart,
    SyntheticComparison,
)

SHOWN_GAPS = 60  # placebo sets in the picture; more hide one another


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Where the treated set's size lies among placebo sets', each over what its level leads to.

    Attributes:
        p_value: Share of sets, the treated one included, at least as large; None with none to rank among.
        smallest_p: The smallest it could be.
        typical: What the middle placebo set would have at the treated level; None with none.
    """

    p_value: float | None
    smallest_p: float | None
    typical: float | None


def rests_on(found: SetsTest, setting: Setting, estimator: Estimator) -> SyntheticComparison:
    """Everything rules and reports need of the treated comparison."""
    fit, counts = found.fit, setting.counts
    quality = fit_quality(fit)
    ranked = ranked_by_level(np.array([one.rmspe_before for one in found.fits]), found.incidents)
    gaps = np.array([one.gaps for one in found.fits[1:]]).reshape(-1, len(setting.periods))
    step = max(1, len(gaps) // SHOWN_GAPS)
    incidents = np.concatenate(
        [counts.before[counts.treated].sum(axis=0), counts.after[counts.treated].sum(axis=0)]
    )
    return SyntheticComparison(
        kind=fit.method,
        donor_word=setting.donor_word,
        possible=len(setting.names),
        periods=setting.periods,
        before=fit.before,
        recorded=fit.treated,
        expected=fit.expected,
        incidents=incidents,
        donors=_donors(found, setting, estimator),
        effective=quality.effective_donors,
        fit=Fit(
            rmspe=fit.rmspe_before,
            typical=ranked.typical,
            p_value=ranked.p_value,
            smallest_p=ranked.smallest_p,
        ),
        as_good=_as_good(found) if fit.method == "simplex" else None,
        in_time=_in_time(found, setting, estimator),
        placebo_gaps=gaps[::step][:SHOWN_GAPS],
    )


def ranked_by_level(sizes: Floats, incidents: Floats) -> Ranked:
    """Where the first of some sizes ranks among the rest, each over the spread that its level leads to.

    Args:
        sizes: Index points, at least 0; the treated set first, NaN where there is none.
        incidents: Incidents per period of each set before the start.

    Example:
        >>> found = ranked_by_level(np.array([30.0, 10.0, 9.0, 11.0]), np.full(4, 100.0))
        >>> found.p_value, round(found.typical, 6)
        (0.25, 10.0)
    """
    known = np.isfinite(sizes)
    if not known[0] or known.sum() < 2:
        return Ranked(p_value=None, smallest_p=None, typical=None)
    kept, level = sizes[known], incidents[known]
    shape = fit_spread((kept * level / BASE)[1:], level[1:])
    spread = shape.of(level) * BASE / level
    heights = kept / spread
    return Ranked(
        p_value=float((heights >= heights[0] * (1 - 1e-9)).mean()),
        smallest_p=1 / len(kept),
        typical=float(np.median(heights[1:]) * spread[0]),
    )


def _donors(found: SetsTest, setting: Setting, estimator: Estimator) -> tuple[Donor, ...]:
    """Donors with a weight that counts, the heaviest first, each with the effect without it."""
    fit, near = found.fit, found.near[0]
    without: dict[int, float] = {}
    try:
        tried = leave_one_out(fit.treated, found.donors, fit.before, estimator)
    except CannotEstimate:
        tried = ()
    after = float(fit.treated[fit.before :].mean())
    for one in tried:
        if (value := _log_ratio(after, one.effect)) is not None:
            without[one.donor] = value
    made = [
        Donor(
            name=setting.names[near[at]],
            areas=setting.areas[near[at]],
            weight=float(fit.weights[at]),
            without=without.get(int(at)),
        )
        for at in np.flatnonzero(np.abs(fit.weights) > USED)
    ]
    return tuple(sorted(made, key=lambda donor: (-abs(donor.weight), donor.name)))


def _log_ratio(after: float, effect: float) -> float | None:
    """Log of recorded over expected from the mean after index and the mean gap; None where there is none."""
    expected = after - effect
    return math.log(after / expected) if after > 0 and expected > 0 else None


def _as_good(found: SetsTest) -> AsGoodWeights:
    fit = found.fit
    other = near_optimal(fit.treated, found.donors, fit.before)
    after = float(fit.treated[fit.before :].mean())
    return AsGoodWeights(
        low=_log_ratio(after, other.low),
        high=_log_ratio(after, other.high),
        slack=100 * SLACK,
        unique=other.unique,
    )


def _in_time(found: SetsTest, setting: Setting, estimator: Estimator) -> PretendedStart:
    try:
        effects, at = in_time(found, setting.counts, estimator)
    except CannotEstimate as problem:
        return PretendedStart(why_missing="; ".join(problem.problems))
    start = setting.periods[at]
    if not np.isfinite(effects[0]):
        return PretendedStart(start=start, why_missing="nothing was recorded, or expected, after it")
    ranked = ranked_by_level(np.abs(100 * effects), found.incidents)
    return PretendedStart(
        start=start, value=float(effects[0]), p_value=ranked.p_value, smallest_p=ranked.smallest_p
    )
