"""How alike treated and comparison areas are in each feature, before and after matching: no opinion here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One feature, in one comparison. None where a number cannot be had; `why_missing` says why.

    Attributes:
        treated: Mean over treated areas, in the feature's unit.
        comparison: Weighted mean over comparison areas.
        standardised: The difference, in standard deviations of the treated areas.
        variance_ratio: Variance among the treated over that among the comparison; None if yes or no.
        furthest: The widest gap between the two cumulative distributions, 0 to 1 (Kolmogorov-Smirnov).
        why_missing: Why `standardised` or `variance_ratio` is None; '' where neither is, or the feature is
            yes or no.
    """

    treated: float
    comparison: float
    standardised: float | None
    variance_ratio: float | None
    furthest: float
    why_missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureBalance:
    """One feature before and after matching, measured with one yardstick.

    Attributes:
        name: Of the feature.
        deviation_of: Whose standard deviation is the yardstick: 'treated', or 'pool' where the treated areas
            have none (one area, or all alike).
        before: All treated areas against all areas that could be chosen.
        after: Matched treated areas against their weighted comparison.
    """

    name: str
    deviation_of: str
    before: Difference
    after: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Balance of every feature.

    Attributes:
        features: One each.
        areas_used: Comparison areas with a weight above zero.
        effective_areas: How many equally weighted areas would tell as much: (Σw)² / Σw².
        not_known: Feature name to areas left out of its numbers because it is not known for them.
    """

    features: tuple[FeatureBalance, ...]
    areas_used: int
    effective_areas: float
    not_known: dict[str, int]


def effective_size(weights: Floats) -> float:
    """How many equally weighted areas would tell as much as these: (Σw)² / Σw²; 0 where all weights are 0.

    Source: Kish 1965, Survey Sampling, section 11.7.

    Example:
        >>> effective_size(np.array([1.0, 1.0, 0.0])), round(effective_size(np.array([3.0, 1.0])), 2)
        (2.0, 1.6)
    """
    squared = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squared if squared > 0 else 0.0


def is_yes_or_no(values: Floats) -> bool:
    """Whether a feature holds only zeros and ones."""
    return bool(np.isin(values, (0.0, 1.0)).all())


def yardstick(values: Floats, treated: Bools, pool: Bools) -> tuple[float, str]:
    """The standard deviation differences are measured in, and whose it is; 0 where no area differs.

    Of the treated areas before matching (so that dropping areas cannot change the yardstick), as MatchIt has
    it for the effect on the treated: with n - 1, or √(p(1 - p)) for a yes-or-no feature. Where the treated
    areas have none, of the pool.

    Source: MatchIt 4.5, summary.matchit; Stuart 2010, Statistical Science 25(1), 1-21.

    Example:
        >>> values, arms = np.array([1.0, 3.0, 5.0]), np.array([True, True, False])
        >>> round(yardstick(values, arms, ~arms)[0], 4), yardstick(values, arms, ~arms)[1]
        (1.4142, 'treated')
    """
    binary = is_yes_or_no(values[treated | pool])
    for arm, whose in ((treated, "treated"), (pool, "pool")):
        inside = values[arm]
        if len(inside) > 1 and np.ptp(inside) > 0:
            share = float(inside.mean())
            return float(np.sqrt(share * (1 - share)) if binary else inside.std(ddof=1)), whose
    return 0.0, "pool"


def balance(
    features: Floats,
    treated: Bools,
    pool: Bools,
    *,
    weights: Floats,
    matched: Bools,
    names: Sequence[str],
) -> Balance:
    """Standardised differences, variance ratios and distributions, before and after matching.

    Args:
        features: Areas × k; NaN where not known (the area is left out of that feature's numbers). They need
            not be those matched on.
        treated: True for every treated area, matched or not.
        pool: True for areas that could be chosen.
        weights: By area, of the comparison; zero where not used.
        matched: True for treated areas that have a match.
        names: Of the features.

    Example:
        >>> arms = np.array([True, True, False, False])
        >>> found = balance(np.array([[1.0], [3.0], [2.0], [9.0]]), arms, ~arms,
        ...                 weights=np.array([0, 0, 1.0, 0]), matched=arms, names=["x"])
        >>> round(found.features[0].before.standardised, 3), found.features[0].after.standardised
        (-2.475, 0.0)
    """
    parts, not_known = [], {}
    for at, name in enumerate(names):
        values = features[:, at]
        known = np.isfinite(values)
        lost = int(((treated | pool) & ~known).sum())
        if lost:
            not_known[name] = lost
        deviation, whose = yardstick(values, treated & known, pool & known)
        parts.append(
            FeatureBalance(
                name=name,
                deviation_of=whose,
                before=_difference(values, _ones(treated & known), _ones(pool & known), deviation),
                after=_difference(values, _ones(matched & known), np.where(known, weights, 0.0), deviation),
            )
        )
    return Balance(
        features=tuple(parts),
        areas_used=int((weights > 0).sum()),
        effective_areas=effective_size(weights),
        not_known=not_known,
    )


def _difference(values: Floats, one: Floats, other: Floats, deviation: float) -> Difference:
    """Two weighted groups; weights of zero leave an area out."""
    first, second = one > 0, other > 0
    if not first.any() or not second.any():
        return Difference(
            treated=0.0, comparison=0.0, standardised=None, variance_ratio=None, furthest=0.0,
            why_missing="no treated area, or no comparison area, has a known value",
        )  # fmt: skip
    a, b = values[first], values[second]
    wa, wb = one[first], other[second]
    means = float(np.average(a, weights=wa)), float(np.average(b, weights=wb))
    reasons = []
    standardised = (means[0] - means[1]) / deviation if deviation > 0 else None
    if standardised is None:
        reasons.append("no area differs from another in it, so there is no standard deviation")
    ratio = None
    if not is_yes_or_no(np.concatenate([a, b])):
        top, bottom = _variance(a, wa), _variance(b, wb)
        if top is None or not bottom:
            reasons.append("the variance in an arm cannot be had from one area, or is zero")
        else:
            ratio = top / bottom
    return Difference(
        treated=means[0],
        comparison=means[1],
        standardised=standardised,
        variance_ratio=ratio,
        furthest=_furthest(a, wa, b, wb),
        why_missing="; ".join(reasons),
    )


def _ones(inside: Bools) -> Floats:
    return inside.astype(np.float64)


def _variance(values: Floats, weights: Floats) -> float | None:
    """Weighted variance, n - 1 where weights are equal; None where one area carries all the weight."""
    total, squares = float(weights.sum()), float(np.square(weights).sum())
    free = total**2 - squares
    if free <= 1e-12 * total**2:
        return None
    middle = np.average(values, weights=weights)
    return float((weights * np.square(values - middle)).sum()) * total / free


def _furthest(a: Floats, wa: Floats, b: Floats, wb: Floats) -> float:
    """Widest gap between two weighted cumulative distributions."""
    joined = np.concatenate([a, b])
    steps = np.concatenate([wa / wa.sum(), -wb / wb.sum()])
    order = np.argsort(joined, kind="stable")
    ends = np.append(np.diff(joined[order]) > 0, True)
    return float(np.abs(np.cumsum(steps[order])[ends]).max())
