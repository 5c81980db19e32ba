"""Every donor in turn as if it had been treated: where the treated gap ranks among theirs.

The conventional placebo test of synthetic control. Each placebo set holds as many units as are treated; the
treated units are nobody's donors, so that their effect cannot leak into a placebo. Sets are enumerated where
they are few and drawn without repeats otherwise. With n placebo sets no p-value below 1 / (n + 1) can come
out, and the record says so.

A rank says something where the treated units are like those they are ranked among. Large units vary less
for their size than small ones, so the largest unit of all, ranked among everyone, comes out far too often:
`candidates` keeps the placebo sets to units of like level, while every donor stays a donor.

Source: Abadie, Diamond and Hainmueller (2010), JASA 105:493-505: rank of the ratio of the root
mean squared gap after the start to that before it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate, DataError
from whatworks_eval.synthetic.fitted import Estimator, Floats, Synthetic
from whatworks_eval.synthetic.series import ComparisonSeries, together

MOST_SETS = 1_000
TIE = 1e-9  # relative: statistics this close are as far as each other
FEWEST_LEFT = 2  # donors a placebo set must leave


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaceboRank:
    """The treated gap among placebo gaps.

    Attributes:
        fit: The treated units' own synthetic comparison.
        sets: Names of the units of each placebo set.
        effects: Mean gap after the start of each placebo set, in the unit of the series.
        spreads: Root mean squared gap before the start of each placebo set, at least 0.1 % of its level.
        ratios: Root mean squared gap after the start over `spreads`.
        ratio: The same of the treated.
        rank: Place of the treated ratio, 1 the largest; ties count against it.
        p_value: rank / (placebo sets + 1).
        smallest_p: The smallest p-value so few sets can give.
        exact: Whether every possible set of candidates is there.
    """

    fit: Synthetic
    sets: tuple[tuple[str, ...], ...]
    effects: Floats
    spreads: Floats
    ratios: Floats
    ratio: float
    rank: int
    p_value: float
    smallest_p: float
    exact: bool


def sets_of(
    units: NDArray[np.intp], size: int, *, most: int = MOST_SETS, seed: int = 0
) -> tuple[NDArray[np.intp], bool]:
    """Sets of `size` units, sets × members, and whether they are all there are.

    Args:
        units: Positions to choose from.
        size: Members of a set.
        most: Sets above which they are drawn, this many, without repeats.
        seed: Of the draws.

    Example:
        >>> sets, exact = sets_of(np.arange(4), 2)
        >>> len(sets), exact
        (6, True)
        >>> sets, exact = sets_of(np.arange(30), 4, most=50, seed=1)
        >>> len({tuple(sorted(row)) for row in sets.tolist()}), exact
        (50, False)
    """
    possible = comb(len(units), size)
    if possible <= most:
        found = np.array(list(combinations(units.tolist(), size)), dtype=np.intp).reshape(possible, size)
        return found, True
    draws = np.random.default_rng(seed)
    seen: dict[tuple[int, ...], None] = {}
    while len(seen) < most:
        seen.setdefault(tuple(sorted(draws.choice(units, size, replace=False).tolist())))
    return np.array(list(seen), dtype=np.intp), False


def placebo_rank(
    series: ComparisonSeries,
    estimator: Estimator,
    *,
    candidates: Collection[str] | None = None,
    most: int = MOST_SETS,
    seed: int = 0,
) -> PlaceboRank:
    """The treated units' comparison, and where its gap ranks among those of untreated sets.

    Args:
        series: Every unit on one scale.
        estimator: Such as `simplex`; the same for the treated and every placebo set.
        candidates: Donors that placebo sets are made of; None = all of them.
        most: Placebo sets above which they are drawn.
        seed: Of the draws.

    Raises:
        CannotEstimate: See `checked`; or too few donors to make a placebo set and compare it.
        DataError: A candidate that is no donor.

    Source: Abadie, Diamond and Hainmueller (2010), JASA 105:493-505.
    """
    treated = np.flatnonzero(series.is_treated)
    donors = np.flatnonzero(~series.is_treated)
    if len(donors) < len(treated) + FEWEST_LEFT:
        raise CannotEstimate(
            f"{len(donors)} donors for {len(treated)} treated units: a placebo set needs as many units again "
            f"and {FEWEST_LEFT} donors of its own; add donors"
        )
    like = candidates_of(series, candidates)
    fit = fit_set(series, treated, donors, estimator)
    members, exact = sets_of(like, len(treated), most=most, seed=seed)
    fits = [fit_set(series, chosen, np.setdiff1d(donors, chosen), estimator) for chosen in members]
    spreads = np.array([one.spread for one in fits])
    ratios = np.array([one.rmspe_after for one in fits]) / spreads
    ratio = fit.rmspe_after / fit.spread
    rank = 1 + int((ratios >= ratio * (1 - TIE)).sum())
    return PlaceboRank(
        fit=fit,
        sets=tuple(tuple(series.names[unit] for unit in chosen) for chosen in members),
        effects=np.array([one.effect for one in fits]),
        spreads=spreads,
        ratios=ratios,
        ratio=ratio,
        rank=rank,
        p_value=rank / (len(fits) + 1),
        smallest_p=1 / (len(fits) + 1),
        exact=exact,
    )


def candidates_of(series: ComparisonSeries, candidates: Collection[str] | None) -> NDArray[np.intp]:
    """Positions of the donors that placebo sets are made of, in order.

    Raises:
        DataError: A candidate that is no donor.
        CannotEstimate: Fewer candidates than treated units.
    """
    donors = np.flatnonzero(~series.is_treated)
    if candidates is None:
        return donors
    strange = sorted(set(candidates) - set(series.donors))
    if strange:
        raise DataError(
            f"'{strange[0]}' is no donor ({len(strange)} such names): placebo sets are made of donors"
        )
    like = np.array([unit for unit in donors if series.names[unit] in set(candidates)], dtype=np.intp)
    if len(like) < series.is_treated.sum():
        raise CannotEstimate(
            f"{len(like)} candidates for placebo sets of {int(series.is_treated.sum())} units; give more"
        )
    return like


def fit_set(
    series: ComparisonSeries, chosen: NDArray[np.intp], donors: NDArray[np.intp], estimator: Estimator
) -> Synthetic:
    """The comparison of a set of units taken together with the donors given."""
    return estimator(together(series.values, series.sizes, chosen), series.values[donors], series.before)
