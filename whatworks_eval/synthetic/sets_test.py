"""The treated set's gap ranked among those of sets like it, each beside donors that share no area with it.

    index      incidents by period over a set's own before mean: a small donor can stand for a large set
    donors     of each set: the nearest in before level that share no row with it
    statistic  |mean gap after, the hypothesised effect taken out| / spread that sets of its level have
    ratio r    a count of n divided by r is n/r, and varies by chance by n/r², not n/r

The spread by level and the interval by inversion are those of `spread.py` and `permutation.py`; what is
added here is that a set may be a clump, that sets may overlap, and that donors may be clumps too. Taking the
effect out of the treated areas reaches every set and every donor that holds some of them, so that with all
sets enumerated the test is a permutation test. Synthetic difference-in-differences weighs periods by what
donors did after the start: there no set or donor holds a treated area, and the test is approximate.

Source: Firpo and Possebom (2018), Journal of Causal Inference 6(2), for inverting the placebo test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.synthetic.fitted import FEWEST_BEFORE, FEWEST_DONORS, Estimator, Floats, Synthetic
from whatworks_eval.synthetic.permutation import PermutationTest
from whatworks_eval.synthetic.spread import fit_spread

Rows = NDArray[np.intp]
BASE = 100.0  # the before mean of every index
PRETENDED = 2 / 3  # of the before window, where the pretended start is put


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetCounts:
    """Incidents by row and period, and what may be mixed.

    Attributes:
        before: rows × before periods.
        after: rows × after periods.
        treated: Rows of the treated areas.
        units: How many units the treated rows are: a donor stands for one.
        donors: Rows of each donor; no row in two of them. Treated units are donors of placebo sets.
        most: Donors of a set at most, the nearest in level first.
    """

    before: Floats
    after: Floats
    treated: Rows
    units: int
    donors: tuple[Rows, ...]
    most: int

    def members(self, rows: Sequence[Rows]) -> Floats:
        """Sets × rows: one where the row is in the set."""
        held = np.zeros((len(rows), len(self.before)))
        for at, chosen in enumerate(rows):
            held[at, chosen] = 1.0
        return held


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetsTest:
    """The treated comparison and every placebo one; the treated set comes first in every array.

    Attributes:
        test: Ready to be asked about any hypothesised effect.
        fits: The comparison of each set, in index points.
        near: Positions among the donors of those of each set, in the order of its weights.
        series: Donors × periods, index points; NaN for donors left out.
        incidents: Incidents per period of each set before the start.
        log_ratios: Log of recorded over expected of the placebo sets; those without one left out.
        chance: By set, the share of its squared spread that is chance in what treated rows recorded after the
            start: incidents vary at least as their number does, whatever else moves them.
    """

    test: PermutationTest
    fits: tuple[Synthetic, ...]
    near: tuple[Rows, ...]
    series: Floats
    incidents: Floats
    log_ratios: Floats
    chance: Floats

    def p_value(self, ratio: float) -> float:
        """Two-sided p-value of the hypothesis that the treated areas recorded this many times as many."""
        return self.test.p_value(ratio, "ratio", spreads=np.sqrt(1 + self.chance * (1 / ratio - 1)))

    @property
    def fit(self) -> Synthetic:
        """The treated set's own comparison."""
        return self.fits[0]

    @property
    def donors(self) -> Floats:
        """Series of the treated set's donors, in the order of its weights."""
        return self.series[self.near[0]]


def sets_test(
    counts: SetCounts, sets: NDArray[np.intp], estimator: Estimator, *, keep_apart: bool = False
) -> SetsTest:
    """The treated set among placebo sets, ready to be asked about any hypothesised effect.

    Args:
        counts: Incidents by row and period, and what may be mixed.
        sets: sets × rows in a set; the treated set itself may be there and is left out.
        estimator: Such as `simplex`; the same for every set.
        keep_apart: Leave out sets and donors that hold a treated row, as an estimator whose weights look at
            the after window must.

    Raises:
        CannotEstimate: The treated areas recorded nothing before, or too few donors did.

    Example:
        >>> from whatworks_eval.synthetic.simplex import simplex
        >>> draws = np.random.default_rng(5).poisson(50, (25, 20)).astype(float)
        >>> draws[0, 12:] *= 0.5
        >>> counts = SetCounts(before=draws[:, :12], after=draws[:, 12:], treated=np.array([0]), units=1,
        ...                    donors=tuple(np.array([row]) for row in range(25)), most=25)
        >>> found = sets_test(counts, np.arange(1, 25)[:, None], simplex)
        >>> round(found.p_value(1.0), 3), round(found.p_value(0.5), 3) > 0.05
        (0.04, True)
    """
    length = counts.before.shape[1]
    held = counts.members(counts.donors)
    whole = held @ counts.before
    sizes = whole.sum(axis=1) / length
    usable = sizes > 0
    if keep_apart:
        usable &= held[:, counts.treated].sum(axis=1) == 0
    by_size = np.where(usable, BASE / np.where(sizes > 0, sizes, 1.0), np.nan)
    series = np.hstack([whole, held @ counts.after]) * by_size[:, None]
    mine = np.zeros(len(counts.before))
    mine[counts.treated] = 1.0
    lent = (held * mine) @ counts.after.mean(axis=1) * by_size
    fits: list[Synthetic] = []
    near: list[Rows] = []
    parts, incidents, by_chance = [], [], []
    for rows in [counts.treated, *_others(sets, counts.treated, apart=keep_apart)]:
        own = np.concatenate([counts.before[rows].sum(axis=0), counts.after[rows].sum(axis=0)])
        size = float(own[:length].mean())
        allowed = usable & (held[:, rows].sum(axis=1) == 0)
        if not fits:
            _check(size, int(allowed.sum()))
        if size <= 0 or allowed.sum() < FEWEST_DONORS:
            continue
        chosen = _nearest(allowed, whole, size / counts.units, counts.most)
        fit = estimator(own * (BASE / size), series[chosen], length)
        after = float(mine[rows] @ counts.after[rows].mean(axis=1)) * BASE / size
        parts.append(after - float(fit.weights @ lent[chosen]))
        fits.append(fit)
        near.append(chosen)
        incidents.append(size)
        by_chance.append(float(mine[rows] @ counts.before[rows].mean(axis=1)) / counts.after.shape[1])
    test, variances = _test_of(fits, np.array(parts), np.array(incidents), exact=not keep_apart)
    return SetsTest(
        test=test,
        fits=tuple(fits),
        near=tuple(near),
        series=series,
        incidents=np.array(incidents),
        log_ratios=np.log([fit.ratio for fit in fits[1:] if fit.ratio]),
        chance=np.minimum(np.array(by_chance) / variances, 1.0),
    )


def _check(size: float, donors: int) -> None:
    if size <= 0:
        raise CannotEstimate(
            "nothing was recorded in the treated areas before the start, so they have no index"
        )
    if donors < FEWEST_DONORS:
        raise CannotEstimate(
            f"donors that recorded anything before the start: {donors}, and at least {FEWEST_DONORS} are "
            "needed; name more comparison areas"
        )


def _test_of(
    fits: Sequence[Synthetic], treated_parts: Floats, incidents: Floats, *, exact: bool
) -> tuple[PermutationTest, Floats]:
    """The lines of every set over the spread of its level, fitted to placebo sets; squared, in incidents."""
    gaps = np.array([fit.effect for fit in fits])
    shape = fit_spread((gaps * incidents / BASE)[1:], incidents[1:]) if len(fits) > 1 else None
    stray = incidents / BASE if shape is None else shape.of(incidents)
    spreads = stray * BASE / incidents
    test = PermutationTest(
        fit=fits[0],
        gaps=gaps / spreads,
        shares=np.zeros(len(gaps)),
        levels=treated_parts / spreads,
        spread="level",
        exact=exact,
        smallest_p=1 / len(fits),
    )
    return test, stray**2


def in_time(found: SetsTest, counts: SetCounts, estimator: Estimator) -> tuple[Floats, int]:
    """Log of recorded over expected with the start pretended to be earlier, by set, and where it was put.

    Weights are chosen anew from the periods before the pretended start alone, for the same donors. A set
    without one is NaN. Two thirds of the before window count as before.

    Raises:
        CannotEstimate: Too few before periods for a start among them.
    """
    before = counts.before.shape[1]
    at = max(FEWEST_BEFORE, round(before * PRETENDED))
    if at >= before:
        raise CannotEstimate(f"{before} before periods leave no room for a pretended start")
    ratios = []
    for fit, near in zip(found.fits, found.near, strict=True):
        again = estimator(fit.treated[:before], found.series[near, :before], at)
        ratio = again.ratio
        ratios.append(np.log(ratio) if ratio else np.nan)
    return np.array(ratios), at


def _others(sets: NDArray[np.intp], treated: Rows, *, apart: bool) -> list[Rows]:
    """The sets but the treated one; without those that hold a treated row where they must be apart."""
    touching = np.isin(sets, treated).sum(axis=1)
    kept = touching == 0 if apart else touching < len(treated)
    return list(sets[kept])


def _nearest(allowed: NDArray[np.bool_], whole: Floats, level: float, most: int) -> Rows:
    """Positions of the allowed donors nearest in level, in their own order.

    Of donors alike in level those come first whose incidents came later, and all that are alike in every
    period come together: which of them a name puts first must not change the answer.
    """
    held = np.flatnonzero(allowed)
    before = whole[held]
    away = np.abs(np.log(before.mean(axis=1) / level))
    order = np.lexsort((*before.T[::-1], away))
    last = min(most, len(order))
    while last < len(order) and (before[order[last]] == before[order[last - 1]]).all():
        last += 1
    nearest: Rows = np.sort(held[order[:last]])
    return nearest
