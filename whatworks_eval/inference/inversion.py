"""An interval from any p-value that can be asked about any effect: the hypotheses that are not rejected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDEST = 6.0  # log ratio: a hypothesis beyond 400-fold either way is not looked at
HALVINGS = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inverted:
    """The effects not rejected.

    Attributes:
        low: Lower end; None where the interval is open there.
        high: Upper end.
        quantiles: 199 quantiles read from the p-values; empty where an end is open.
        no_effect: p-value of no effect that agrees with the ends: above alpha where 0 is between them.
    """

    low: float | None
    high: float | None
    quantiles: tuple[float, ...]
    no_effect: float


def invert(
    p_value: Callable[[float], float], centre: float, alpha: float, *, reach: float = 0.25, points: int = 81
) -> Inverted:
    """The outermost effects a test does not reject, and the quantiles its p-values imply.

    A p-value by ranks is a step function with small dips, so the outermost crossing on a grid is taken and
    refined by halving: an interval can come out a little wide, not narrow. Where few units are ranked,
    effects far beyond 0 may be kept though 0 is not; no effect then has the largest p-value among those.

    Example:
        >>> found = invert(lambda effect: 1.0 if abs(effect) < 0.5 else 0.0, 0.0, 0.05)
        >>> round(found.low, 2), round(found.high, 2)
        (-0.5, 0.5)
    """
    while True:
        grid = centre + np.linspace(-reach, reach, points)
        heights = np.array([p_value(float(point)) for point in grid])
        if (heights[0] <= alpha / 2 and heights[-1] <= alpha / 2) or reach >= WIDEST:
            break
        reach = min(WIDEST, 2 * reach)
    kept = np.flatnonzero(heights > alpha)
    no_effect = p_value(0.0)
    if not len(kept):
        return Inverted(low=None, high=None, quantiles=(), no_effect=no_effect)
    low = None if kept[0] == 0 else _halve(p_value, grid[kept[0] - 1], grid[kept[0]], alpha)
    last = len(grid) - 1
    high = None if kept[-1] == last else _halve(p_value, grid[kept[-1] + 1], grid[kept[-1]], alpha)
    inside = (low is None or low <= 0) and (high is None or high >= 0)
    if inside and no_effect <= alpha:
        beyond = heights[grid <= 0] if centre > 0 else heights[grid >= 0]
        no_effect = float(beyond.max(initial=no_effect))
        if no_effect <= alpha:  # the crossing lies between 0 and the first effect kept
            near = _halve(p_value, 0.0, grid[kept[0 if centre > 0 else -1]], alpha)
            low, high = (near, high) if centre > 0 else (low, near)
    elif not inside and no_effect > alpha:  # the grid passed it by
        step = float(grid[1] - grid[0]) * (-1 if centre > 0 else 1)
        outside = step
        while p_value(outside) > alpha and abs(outside - centre) < WIDEST:
            outside += step
        end = None if abs(outside - centre) >= WIDEST else _halve(p_value, outside, 0.0, alpha)
        low, high = (end, high) if centre > 0 else (low, end)
    if low is None or high is None:
        return Inverted(low=low, high=high, quantiles=(), no_effect=no_effect)
    level = np.where(grid <= centre, heights / 2, 1 - heights / 2)
    found = _quantiles(grid, np.maximum.accumulate(level), (low, high), alpha)
    return Inverted(low=low, high=high, quantiles=tuple(found.tolist()), no_effect=no_effect)


def _quantiles(grid: Floats, level: Floats, ends: tuple[float, float], alpha: float) -> Floats:
    """199 quantiles from levels on a grid: the one at alpha / 2 is the lower end, that opposite the upper."""
    (low, high), least, most = ends, alpha / 2, 1 - alpha / 2
    effects = np.concatenate([grid, ends])
    levels = np.concatenate([level, [least, most]])
    levels = np.clip(levels, np.where(effects > high, most, 0.0), np.where(effects < low, least, 1.0))
    inside = (effects >= low) & (effects <= high)
    levels = np.where(inside, np.clip(levels, least, most), levels)
    order = np.lexsort((levels, effects))
    shares = np.arange(1, 200) / 200
    found = np.interp(shares, levels[order], effects[order])
    found[np.isclose(shares, least)], found[np.isclose(shares, most)] = low, high
    return np.asarray(found)


def _halve(p_value: Callable[[float], float], outside: float, inside: float, alpha: float) -> float:
    """The crossing of alpha between a rejected and a kept hypothesis, on the rejected side."""
    for _ in range(HALVINGS):
        middle = (outside + inside) / 2
        if p_value(middle) > alpha:
            inside = middle
        else:
            outside = middle
    return float(outside)
