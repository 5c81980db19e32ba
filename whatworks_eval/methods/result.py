"""What every method returns: the registered estimate, close alternatives, and the placebo sets it used."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.over_time import OverTime
from whatworks_eval.panel import Panel
from whatworks_eval.records import Curve, Estimate, Placebo, PlaceboSets, Windowed
from whatworks_eval.synthetic_records import SyntheticComparison


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effect:
    """An estimate with what comes out beside it at no further cost.

    Attributes:
        estimate: The registered estimate.
        alternatives: The same effect under another inference or another reading of the numbers.
        sets: Placebo sets, for measures that ask about other windows; None where none were drawn.
        placebo: Placebo effects; None where none were computed.
        curve: Fitted and expected series; None where none was fitted.
        over_time: Leads and lags, cohorts and what they rest on; None for methods without.
        synthetic: Weights, fit and what to doubt of a synthetic comparison; None for other methods.
    """

    estimate: Estimate
    alternatives: tuple[Estimate, ...] = ()
    sets: PlaceboSets | None = None
    placebo: Placebo | None = None
    curve: Curve | None = None
    over_time: OverTime | None = None
    synthetic: SyntheticComparison | None = None


def centroids_of(panel: Panel, windowed: Windowed) -> NDArray[np.float64] | None:
    """Centroids of the areas used, in their order; None where the panel has none."""
    if panel.centroids is None or windowed.index is None:
        return None
    places: NDArray[np.float64] = panel.centroids[windowed.index]
    return places


def normal_quantile(confidence: float) -> float:
    """The two-sided normal multiplier: 1.96 for 0.95."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + confidence / 2)


def normal_quantiles(value: float, se: float) -> tuple[float, ...]:
    """199 quantiles of a normal effect."""
    from statistics import NormalDist

    normal = NormalDist(value, se)
    return tuple(normal.inv_cdf(part / 200) for part in range(1, 200))


def normal_p(value: float, se: float) -> float:
    """Two-sided p-value of no effect under a normal error."""
    from statistics import NormalDist

    return 2 * (1 - NormalDist().cdf(abs(value) / se))


def rank_p(sizes: NDArray[np.float64], value: float, *, exact: bool) -> float:
    """Two-sided p-value of no effect: how many placebo effects are as large.

    Args:
        sizes: Of the placebo effects, without sign.
        value: The effect itself.
        exact: True where every set is there, the treated one among them.
    """
    as_far = int((sizes >= abs(value) * (1 - 1e-9)).sum())
    return max(as_far, 1) / len(sizes) if exact else (1 + as_far) / (1 + len(sizes))


def half_width(sizes: NDArray[np.float64], alpha: float, *, exact: bool) -> float:
    """The size an effect must exceed for `rank_p` to be at most alpha; infinite where none would do.

    Example:
        >>> sizes = np.arange(1.0, 100.0)
        >>> half_width(sizes, 0.05, exact=False), rank_p(sizes, 95.5, exact=False)
        (95.0, 0.05)
    """
    above = (
        math.floor(alpha * len(sizes) + 1e-9) if exact else math.floor(alpha * (len(sizes) + 1) + 1e-9) - 1
    )
    return float(np.sort(sizes)[::-1][above]) if 0 <= above < len(sizes) else math.inf
