"""Intervals that allow the trends to part after the start by so many times the most they did before it.

Relative magnitudes: each change in the gap after the start is at most `bound` times the largest before it.
That set is a union of pieces, one for each earlier change taken as the largest, up or down; a value of the
effect is kept where any piece keeps it. A piece is tested by the conditional least-favourable hybrid (C-LF).

Written in changes, the moments of a piece are c'd = target, |d(t)| <= bound × v: d the changes after the
start, v the earlier change, c the weight of each change in the target. The dual of the test's linear
programme then has few corners, all known, so nothing is optimised. With s(t±) the error of ±d(t) - bound × v:

    ( c'd - effect - bound × C × v) / sum |c(t)| s(t, same sign as c)          C = sum |c(t)|
    (-c'd + effect - bound × C × v) / sum |c(t)| s(t, other sign)
    -2 × bound × v / (s(t+) + s(t-))                for each t; only the extreme two can bind

Every statistic is linear in two normal quantities, c'd and v, so the least-favourable critical value is a
one-dimensional integral rather than a simulation. With one after period the changes before the start are
moments as well (as in R HonestDiD, which keeps them only there) and the value is simulated from a fixed seed.

Source: Rambachan and Roth (2023), Review of Economic Studies 90(5), 2555-2591, sections 2.4.1 and 3;
Andrews, Roth and Pakes (2023), Review of Economic Studies 90(6), 2763-2791, for the test.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whatworks_eval.did.event_path import EventPath, target_weights
from whatworks_eval.errors import DataError

Floats = NDArray[np.float64]

FIRST_STAGE = 0.1  # share of the error rate spent on the least-favourable stage, as in R HonestDiD
GRID = 300  # effects tried across the least-favourable range, before the ends are refined
CELLS = 1_200  # effects × statistics, so that many moments get a coarser first grid
COARSEST = 80
FINE = 64
NODES = 128
HALVINGS = 26
REACH = 8.5  # standard errors integrated over
DRAWS = 1_000  # and their mirror images, so that swapping arms mirrors the interval
SEED = 2023
SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityPoint:
    """The interval of the effect under one bound.

    Attributes:
        bound: The bound allowed: a multiple (relative magnitudes), or outcome units a period squared.
        low: Lower end, outcome units; None where there is no interval.
        high: Upper end.
        why_missing: Why there is no interval; None where there is one.
    """

    bound: float
    low: float | None
    high: float | None
    why_missing: str | None = None

    @property
    def excludes_zero(self) -> bool:
        """True where there is an interval and zero is outside it."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pieces:
    """Statistics of every piece at an effect of zero, how they move with the effect, and how they vary.

    Attributes:
        at_zero: Pieces × statistics.
        slope: Change of each statistic as the effect rises by one.
        covariance: Pieces × statistics × statistics.
        critical: Least-favourable critical value of each piece.
    """

    at_zero: Floats
    slope: Floats
    covariance: Floats
    critical: Floats


def relative_magnitudes_interval(
    path: EventPath, bound: float, *, weights: ArrayLike | None = None, confidence: float = 0.95
) -> SensitivityPoint:
    """The effects not rejected if later changes in the gap are at most `bound` times the largest earlier one.

    Args:
        path: Leads and lags; at least one lead besides the reference.
        bound: Zero = parallel trends; 1 = as bad after the start as at the worst before it.
        weights: On the after effects, earliest first; None = their average.
        confidence: Of the interval.

    Raises:
        DataError: A bound below zero, or weights that do not fit.

    Example:
        >>> from whatworks_eval.did.event_path import event_path
        >>> path = event_path([0.1, -0.2, 2.0, 2.5], 0.01 * (np.eye(4) + 1), [-3, -2, 0, 1])
        >>> point = relative_magnitudes_interval(path, 1.0)
        >>> round(point.low, 2), round(point.high, 2)
        (1.39, 3.11)
    """
    if not (np.isfinite(bound) and bound >= 0):
        raise DataError(f"the bound is {bound}; give zero or more")
    target = target_weights(path, weights)
    if path.leads == 0:
        why = "no coefficient before the reference, so no earlier change to measure later ones against"
        return SensitivityPoint(bound=bound, low=None, high=None, why_missing=why)
    changes, spread = path.changes()
    if (np.diag(spread) <= SAME * np.diag(spread).max(initial=0.0)).any():
        why = "a change from one period to the next has no sampling error at all; group the periods"
        return SensitivityPoint(bound=bound, low=None, high=None, why_missing=why)
    alpha = 1 - confidence
    build = _after_pieces if path.lags > 1 else _all_pieces
    pieces = build(path, changes, spread, target, bound, 1 - FIRST_STAGE * alpha)
    ends = _ends(pieces, alpha)
    if ends is None:
        why = "no effect agrees with the bound: the earlier changes themselves contradict it"
        return SensitivityPoint(bound=bound, low=None, high=None, why_missing=why)
    return SensitivityPoint(bound=bound, low=ends[0], high=ends[1])


def _after_pieces(
    path: EventPath, changes: Floats, spread: Floats, target: Floats, bound: float, level: float
) -> _Pieces:
    """Pieces of two or more after periods: four statistics each, in c'd and v."""
    before, after = slice(0, path.leads), slice(path.leads, None)
    share = np.cumsum(target[::-1])[::-1]  # weight of each change in the target
    total = np.abs(share).sum()
    sign = np.repeat([1.0, -1.0], path.leads)
    v = sign * np.tile(changes[before], 2)
    var_v = np.tile(np.diag(spread)[before], 2)
    with_v = sign * np.tile(spread[after, before], 2)  # after changes × pieces
    own = np.diag(spread)[after][:, None] + bound**2 * var_v
    up = np.sqrt(np.maximum(own - 2 * bound * with_v, 0.0))  # error of +d(t) - bound × v
    down = np.sqrt(np.maximum(own + 2 * bound * with_v, 0.0))
    rising = (share >= 0)[:, None]
    size = np.abs(share)[:, None]
    plus = (size * np.where(rising, up, down)).sum(axis=0)
    minus = (size * np.where(rising, down, up)).sum(axis=0)
    width = up + down
    narrow, wide = width.min(axis=0), width.max(axis=0)
    zero = np.zeros_like(v)
    in_target = np.stack([1 / plus, -1 / minus, zero, zero], axis=1)
    in_v = -bound * np.stack([total / plus, total / minus, 2 / narrow, 2 / wide], axis=1)
    effect = float(share @ changes[after])
    var_effect = float(share @ spread[after, after] @ share)
    both = share @ with_v
    cross = in_target[:, :, None] * in_v[:, None, :]
    covariance = (
        var_effect * in_target[:, :, None] * in_target[:, None, :]
        + both[:, None, None] * (cross + cross.transpose(0, 2, 1))
        + var_v[:, None, None] * in_v[:, :, None] * in_v[:, None, :]
    )
    lowest = narrow / (2 * bound) if bound > 0 else np.full_like(v, np.inf)
    critical = _least_favourable(plus, minus, bound * total, lowest, (var_effect, both, var_v), level)
    return _Pieces(
        at_zero=in_target * effect + in_v * v[:, None],
        slope=-in_target,
        covariance=covariance,
        critical=critical,
    )


def _least_favourable(
    plus: Floats,
    minus: Floats,
    reach: float,
    lowest: Floats,
    moments: tuple[float, Floats, Floats],
    level: float,
) -> Floats:
    """The value the largest statistic stays below with probability `level`, by integrating over v.

    Given x, the largest is below x where v >= -x × lowest and c'd lies in
    [-x × minus - reach × v, x × plus + reach × v].
    """
    from scipy.special import ndtr

    var_effect, both, var_v = moments
    error_v = np.sqrt(var_v)
    left = np.sqrt(np.maximum(var_effect - both**2 / var_v, SAME * var_effect))
    nodes, node_weights = _nodes()

    def below(x: Floats) -> Floats:
        start = np.maximum(-REACH, -x * lowest / error_v)
        half = (REACH - start) / 2
        u = start[:, None] + half[:, None] * (nodes + 1)
        v = error_v[:, None] * u
        centre = (both / error_v)[:, None] * u
        top = ((x * plus)[:, None] + reach * v - centre) / left[:, None]
        bottom = (-(x * minus)[:, None] - reach * v - centre) / left[:, None]
        inside = np.maximum(ndtr(top) - ndtr(bottom), 0.0)
        density = np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
        chance: Floats = half * ((inside * density) @ node_weights)
        return chance

    low = np.zeros_like(plus)
    high = np.full_like(plus, REACH)  # a statistic's error is at most one, so this is out of reach
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = below(middle) < level
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return high


@cache
def _nodes() -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights on [-1, 1]; finding them takes longer than using them."""
    nodes, node_weights = np.polynomial.legendre.leggauss(NODES)
    return nodes, node_weights


def _all_pieces(
    path: EventPath, changes: Floats, spread: Floats, target: Floats, bound: float, level: float
) -> _Pieces:
    """Pieces of one after period: every change, before and after, up and down, is a moment."""
    count = path.leads
    rows = np.concatenate([np.eye(count + 1), -np.eye(count + 1)])
    limit = np.where(np.arange(count + 1) < count, 1.0, bound)
    limits = np.tile(limit, 2)
    half = np.random.default_rng(SEED).standard_normal((DRAWS, count + 1))
    draws = np.concatenate([half, -half])
    sizes, axes = np.linalg.eigh(spread)
    drawn = draws @ (axes * np.sqrt(np.maximum(sizes, 0.0))).T
    found = []
    for sign in (1.0, -1.0):
        for largest in range(count):
            moments = rows.copy()
            moments[:, largest] -= sign * limits
            # v <= v says nothing; its row is kept so that pieces stack, as a copy of another row
            empty = (moments**2).sum(axis=1) < SAME
            moments[empty] = moments[~empty][0]
            error = np.sqrt(np.einsum("ri,ij,rj->r", moments, spread, moments))
            if (error <= 0).any():
                raise DataError("a moment has no sampling error at all; group the periods")
            moments /= error[:, None]
            worst = (drawn @ moments.T).max(axis=1)
            found.append(
                (
                    moments @ changes,
                    -moments[:, count] / target[0],
                    moments @ spread @ moments.T,
                    np.quantile(worst, level),
                )
            )
    at_zero, slope, covariance, critical = (np.array(part) for part in zip(*found, strict=True))
    return _Pieces(at_zero=at_zero, slope=slope, covariance=covariance, critical=critical)


def _ends(pieces: _Pieces, alpha: float) -> tuple[float, float] | None:
    """The outermost effects any piece keeps; None where none keeps any."""
    gap = pieces.critical[:, None] - pieces.at_zero
    moving = np.abs(pieces.slope) > 0
    stays = np.where(moving, True, gap >= 0).all(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        cut = gap / pieces.slope
    high = np.where(pieces.slope > 0, cut, np.inf).min(axis=1)
    low = np.where(pieces.slope < 0, cut, -np.inf).max(axis=1)
    possible = np.flatnonzero(stays & (high >= low))
    if not len(possible):
        return None
    pieces = _Pieces(
        at_zero=pieces.at_zero[possible],
        slope=pieces.slope[possible],
        covariance=pieces.covariance[possible],
        critical=pieces.critical[possible],
    )
    grid = min(GRID, max(COARSEST, CELLS // pieces.slope.shape[1]))
    effects = np.linspace(low[possible], high[possible], grid, axis=1)
    kept = _kept(pieces, effects, alpha)
    some = kept.any(axis=1)
    if not some.any():
        return None
    row = np.arange(len(effects))
    first = kept.argmax(axis=1)
    last = grid - 1 - kept[:, ::-1].argmax(axis=1)
    bottoms = np.linspace(effects[row, np.maximum(first - 1, 0)], effects[row, first], FINE, axis=1)
    tops = np.linspace(effects[row, last], effects[row, np.minimum(last + 1, grid - 1)], FINE, axis=1)
    bottom = bottoms[row, _kept(pieces, bottoms, alpha).argmax(axis=1)]
    top = tops[row, FINE - 1 - _kept(pieces, tops, alpha)[:, ::-1].argmax(axis=1)]
    return float(bottom[some].min()), float(top[some].max())


def _kept(pieces: _Pieces, effects: Floats, alpha: float) -> NDArray[np.bool_]:
    """Pieces × effects: True where the conditional least-favourable hybrid test does not reject."""
    from scipy.special import log_ndtr

    first = FIRST_STAGE * alpha
    size = (alpha - first) / (1 - first)
    statistic = pieces.at_zero[:, None, :] + pieces.slope[:, None, :] * effects[:, :, None]
    which = statistic.argmax(axis=2)
    largest = statistic.max(axis=2)
    row = np.arange(len(effects))[:, None]
    with_largest = pieces.covariance[row, which]  # pieces × effects × statistics
    variance = np.take_along_axis(with_largest, which[:, :, None], axis=2)
    flat = variance[:, :, 0] < SAME**2
    ratio = with_largest / np.where(flat[:, :, None], 1.0, variance)
    # Given what is independent of it, the largest statistic is the largest only between these.
    room = 1 - ratio
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = (statistic - ratio * largest[:, :, None]) / room
    low = np.where(room > SAME, edge, -np.inf).max(axis=2)
    high = np.where(room < -SAME, edge, np.inf).min(axis=2)
    error = np.sqrt(np.where(flat, 1.0, variance[:, :, 0]))
    at = largest / error
    below = np.minimum(low / error, at)
    above = np.maximum(np.minimum(high, pieces.critical[:, None]) / error, at)
    tail, end, whole = (log_ndtr(-part) for part in (at, above, below))
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.exp(tail - whole) * -np.expm1(end - tail) / -np.expm1(end - whole)
    conditional = (largest > 0) & (np.nan_to_num(chance, nan=1.0) < size) & ~flat
    rejected = (largest > pieces.critical[:, None] + SAME) | conditional | (flat & (largest > 0))
    kept: NDArray[np.bool_] = ~rejected
    return kept
