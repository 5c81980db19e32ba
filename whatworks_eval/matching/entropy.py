"""Weights on the pool that make its means those of the treated areas, as near to equal as that allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
STEPS = 200
CLOSE = 1e-9  # pool standard deviations between the means


def entropy_weights(
    features: Floats, strata: Indices, treated: Bools, pool: Bools, names: Sequence[str]
) -> Floats:
    """Weights by area, adding up to the number of treated areas, that balance every mean exactly.

    Of all weights that do, those nearest to equal (least Kullback-Leibler divergence). In each stratum they
    add up to its treated areas; the means are balanced over all strata together.

    Args:
        features: Areas × k, all known.
        strata: By area; each with a treated area has a pool area.
        treated: True for treated areas.
        pool: True for areas that may be weighted.
        names: Of the features.

    Raises:
        CannotEstimate: Where no weights can, with the features in which the treated lie beyond the pool.

    Source: Hainmueller 2012, Political Analysis 20(1), 25-46; its dual by damped Newton steps.

    Example:
        >>> arms = np.array([True, False, False, False])
        >>> found = entropy_weights(np.array([[2.0], [0.0], [2.0], [4.0]]), np.zeros(4, dtype=np.intp), arms,
        ...                         ~arms, ["x"])
        >>> found.round(6).tolist()
        [0.0, 0.333333, 0.333333, 0.333333]
    """
    shared = np.unique(strata[treated])
    usable = pool & np.isin(strata, shared)
    _within_range(features, treated, usable, names)
    dummies = (strata[:, None] == shared[None, 1:]).astype(float)
    inside = np.column_stack([features, dummies])
    gap = inside[usable] - inside[treated].mean(axis=0)
    spread = inside[usable].std(axis=0)
    gap = gap[:, spread > 0] / spread[spread > 0]
    shares = _least_divergent(gap)
    if shares is None:
        raise CannotEstimate(_why_not(gap))
    weights = np.zeros(len(features))
    weights[usable] = shares * int(treated.sum())
    return weights


def _within_range(features: Floats, treated: Bools, usable: Bools, names: Sequence[str]) -> None:
    """Raise where a treated mean lies beyond every pool area: then no weights can reach it."""
    target, inside = features[treated].mean(axis=0), features[usable]
    beyond = [
        f"{name} (treated mean {value:.6g}, pool {low:.6g} to {high:.6g})"
        for name, value, low, high in zip(names, target, inside.min(axis=0), inside.max(axis=0), strict=True)
        if value < low - 1e-12 * abs(low) or value > high + 1e-12 * abs(high)
    ]
    if beyond:
        raise CannotEstimate(
            "matching.algorithm = 'entropy': no weights can balance " + "; ".join(beyond) + ". Drop treated "
            "areas beyond the pool, widen the pool, or leave the feature out and say so"
        )


def _least_divergent(gap: Floats) -> Floats | None:
    """Shares of the pool with mean gap zero, by Newton steps on the dual; None where they do not settle."""
    slope = np.zeros(gap.shape[1])

    def at(point: Floats) -> tuple[float, Floats]:
        odds = gap @ point
        top = float(odds.max())
        raw = np.exp(odds - top)
        return top + float(np.log(raw.sum())), raw / raw.sum()

    value, shares = at(slope)
    for _ in range(STEPS):
        error = shares @ gap
        if float(np.abs(error).max(initial=0.0)) <= CLOSE:
            return shares
        curvature = (gap * shares[:, None]).T @ gap - np.outer(error, error)
        step = -np.linalg.lstsq(curvature, error, rcond=1e-12)[0]
        size = 1.0
        while size > 1e-10:
            trial, new = at(slope + size * step)
            if trial <= value + 1e-4 * size * float(error @ step):
                break
            size /= 2
        else:
            # No further descent can be seen in double precision: near enough, or not to be had.
            return shares if float(np.abs(error).max()) <= 1e-7 else None
        slope, value, shares = slope + size * step, trial, new
    return None


def _why_not(gap: Floats) -> str:
    """Whether weights exist at all, by linear programming."""
    from scipy.optimize import linprog

    sums = np.vstack([gap.T, np.ones(len(gap))])
    target = np.concatenate([np.zeros(gap.shape[1]), [1.0]])
    found = linprog(np.zeros(len(gap)), A_eq=sums, b_eq=target, bounds=(0.0, None))
    if found.status == 2:
        return (
            "matching.algorithm = 'entropy': no weights balance all features at once: the treated mean lies "
            "beyond every mixture of the areas that could be chosen. Match on fewer features, widen the "
            "pool, or use 'cardinality', which says which treated areas can be balanced"
        )
    return (
        "matching.algorithm = 'entropy': the weights did not settle: the treated mean lies at the very edge "
        "of what the areas that could be chosen can be mixed to, so that a few would carry all the weight. "
        "Match on fewer features, or widen the pool"
    )
