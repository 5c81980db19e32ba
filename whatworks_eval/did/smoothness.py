"""Intervals that allow the gap between the arms to bend: so much change of slope a period at most.

Among estimators that are the target plus weights on the leads, the one that gives the shortest interval of
fixed length is found. Weights that leave any straight line out are written as u(m), their weight on each
bend m before the reference; the worst bias is then bound × (fixed part + sum |u|), and for every trade of
bias against variance the best u solves a lasso. Its whole path is piecewise straight and does not depend on
the bound, so it is followed once and each bound picks its point on it.

Source: Rambachan and Roth (2023), Review of Economic Studies 90(5), 2555-2591, section 4; Armstrong and
Kolesar (2018), Econometrica 86(2), 655-683, for the interval; Efron et al. (2004), Annals of Statistics
32(2), 407-499, for following a lasso.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whatworks_eval.did.event_path import EventPath, singular, target_weights
from whatworks_eval.did.relative_magnitudes import SensitivityPoint
from whatworks_eval.errors import DataError

Floats = NDArray[np.float64]

BETWEEN = 32  # points looked at on each straight part of the path
HALVINGS = 36
TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Smoother:
    """Every estimator worth considering, from least bias to least variance.

    Attributes:
        estimates: The target as each estimates it, outcome units.
        errors: Standard error of each.
        bends: Worst bias of each, as a multiple of the bound.
    """

    estimates: Floats
    errors: Floats
    bends: Floats


def smoother(path: EventPath, *, weights: ArrayLike | None = None) -> Smoother | str:
    """The trade of bias against error for the target, or the reason there is none.

    Args:
        path: Leads and lags; at least one lead besides the reference.
        weights: On the after effects, earliest first; None = their average.

    Example:
        >>> from whatworks_eval.did.event_path import event_path
        >>> path = event_path([-1.0, 3.0], np.eye(2), [-2, 0])
        >>> found = smoother(path)  # one lead: its line is carried on, 3 - 1 = 2
        >>> found.estimates.tolist(), found.bends.tolist()
        ([2.0], [1.0])
    """
    target = target_weights(path, weights)
    if path.leads == 0:
        return "no coefficient before the reference, so no line to carry on"
    if reason := singular(path.covariance):
        return reason
    count, steps = path.leads, np.arange(1, path.lags + 1)
    reach = np.arange(1, count + 1)[None, :] - np.arange(count)[:, None]
    to_weights = np.linalg.inv(
        np.maximum(reach, 0).astype(np.float64)
    )  # u → weight of the lead k periods back
    nearest = np.arange(count)[::-1]  # leads are held earliest first
    leads = path.values[:count][nearest]
    covariance = path.covariance
    of_leads = covariance[:count, :count][np.ix_(nearest, nearest)]
    with_target = (covariance[:count, count:] @ target)[nearest]
    line = float(steps @ target)  # u(0): what leaves a straight line out
    after = np.array([float(np.maximum(steps - m, 0) @ target) for m in range(path.lags)])
    quadratic = to_weights.T @ of_leads @ to_weights
    linear = to_weights.T @ with_target
    bends = _lasso_path(quadratic[1:, 1:], linear[1:] + quadratic[1:, 0] * line)
    share = np.linspace(0, 1, BETWEEN, endpoint=False)[:, None]
    dense = [start + share * (end - start) for start, end in pairwise(bends)]
    u = np.concatenate([*dense, bends[-1:]])
    full = np.column_stack([np.full(len(u), line), u])
    variance = np.einsum("ni,ij,nj->n", full, quadratic, full) + 2 * full @ linear
    variance += target @ covariance[count:, count:] @ target
    return Smoother(
        estimates=path.values[count:] @ target + full @ to_weights.T @ leads,
        errors=np.sqrt(np.maximum(variance, 0.0)),
        bends=np.abs(after).sum() + np.abs(u).sum(axis=1),
    )


def smoothness_interval(
    path: EventPath,
    bound: float,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    prepared: Smoother | str | None = None,
) -> SensitivityPoint:
    """The interval if the gap's slope changes by at most `bound` from one period to the next.

    Args:
        path: Leads and lags.
        bound: Outcome units a period squared; zero = the earlier line carries straight on.
        weights: On the after effects, earliest first; None = their average.
        confidence: Of the interval.
        prepared: What `smoother` returned for the same path and weights, to ask about many bounds.

    Raises:
        DataError: A bound below zero, or weights that do not fit.

    Example:
        >>> from whatworks_eval.did.event_path import event_path
        >>> path = event_path([-1.0, 3.0], np.eye(2), [-2, 0])
        >>> point = smoothness_interval(path, 0.0)
        >>> round(point.low, 3), round(point.high, 3)
        (-0.772, 4.772)
    """
    if not (np.isfinite(bound) and bound >= 0):
        raise DataError(f"the bound is {bound}; give zero or more")
    found = smoother(path, weights=weights) if prepared is None else prepared
    if isinstance(found, str):
        return SensitivityPoint(bound=bound, low=None, high=None, why_missing=found)
    half = found.errors * folded_quantile(bound * found.bends / found.errors, confidence)
    best = int(half.argmin())
    centre = float(found.estimates[best])
    return SensitivityPoint(bound=bound, low=centre - float(half[best]), high=centre + float(half[best]))


def folded_quantile(shift: ArrayLike, confidence: float) -> Floats:
    """The value |Z + shift| stays below with the given probability, Z standard normal.

    Example:
        >>> folded_quantile([0.0, 5.0], 0.95).round(4).tolist()
        [1.96, 6.6449]
    """
    from scipy.special import ndtr

    moved = np.abs(np.asarray(shift, dtype=np.float64))
    low = moved + NormalDist().inv_cdf(confidence)  # one tail alone
    high = moved + NormalDist().inv_cdf(0.5 + confidence / 2)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = ndtr(middle - moved) - ndtr(-middle - moved) < confidence
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    quantile: Floats = high
    return quantile


def _lasso_path(quadratic: Floats, linear: Floats) -> Floats:
    """Corners of the path of argmin u'Qu / 2 + linear'u + penalty × sum |u|, from all zero to no penalty."""
    count = len(linear)
    u = np.zeros(count)
    corners = [u]
    if count == 0:
        return np.zeros((1, 0))
    active: list[int] = [int(np.abs(linear).argmax())]
    penalty = float(np.abs(linear).max())
    signs = -np.sign(linear)
    just_left = -1
    while penalty > TINY * np.abs(linear).max():
        inverse = np.linalg.solve(
            quadratic[np.ix_(active, active)], np.column_stack([linear[active], signs[active]])
        )
        # On this part u(active) = -(constant + penalty × tilt); the gradient elsewhere is a + penalty × b.
        constant, tilt = inverse[:, 0], inverse[:, 1]
        others = [j for j in range(count) if j not in active]
        a = linear[others] - quadratic[np.ix_(others, active)] @ constant
        b = -quadratic[np.ix_(others, active)] @ tilt
        with np.errstate(divide="ignore", invalid="ignore"):
            joins = np.concatenate([a / (1 - b), -a / (1 + b)])
            leaves = -constant / tilt
        # One that has just left sits exactly on the edge it left by: it may come back by the other one only.
        edge = np.concatenate([np.ones(len(others)), -np.ones(len(others))])
        same = (np.tile(others, 2) == just_left) & (edge == -signs[just_left])
        limit = penalty * (1 + 1e-10)
        joins = np.where((joins > 0) & (joins <= limit) & ~same, joins, 0.0)
        inside = (leaves > 0) & (leaves < penalty * (1 - 1e-10))
        leaves = np.where(inside, leaves, 0.0)
        penalty = min(penalty, max(joins.max(initial=0.0), leaves.max(initial=0.0)))
        u = np.zeros(count)
        u[active] = -(constant + penalty * tilt)
        corners.append(u)
        if penalty == 0:
            break
        if leaves.max(initial=0.0) > joins.max(initial=0.0):
            just_left = active.pop(int(leaves.argmax()))
            corners[-1][just_left] = 0.0
        else:
            which = int(joins.argmax())
            joined = others[which % len(others)]
            signs[joined] = -1.0 if which < len(others) else 1.0
            active.append(joined)
            just_left = -1
    return np.array(corners)
