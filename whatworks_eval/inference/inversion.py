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
    """

    low: float | None
    high: float | None
    quantiles: tuple[float, ...]


def invert(
    p_value: Callable[[float], float], centre: float, alpha: float, *, reach: float = 0.25, points: int = 81
) -> Inverted:
    """The outermost effects a test does not reject, and the quantiles its p-values imply.

    A p-value by ranks is a step function with small dips, so the outermost crossing on a grid is taken and
    refined by halving: an interval can come out a little wide, not narrow.

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
    if not len(kept):
        return Inverted(low=None, high=None, quantiles=())
    low = None if kept[0] == 0 else _halve(p_value, grid[kept[0] - 1], grid[kept[0]], alpha)
    last = len(grid) - 1
    high = None if kept[-1] == last else _halve(p_value, grid[kept[-1] + 1], grid[kept[-1]], alpha)
    if low is None or high is None:
        return Inverted(low=low, high=high, quantiles=())
    level = np.maximum.accumulate(np.where(grid <= centre, heights / 2, 1 - heights / 2))
    found = np.interp(np.arange(1, 200) / 200, level, grid)
    return Inverted(low=low, high=high, quantiles=tuple(found.tolist()))


def _halve(p_value: Callable[[float], float], outside: float, inside: float, alpha: float) -> float:
    """The crossing of alpha between a rejected and a kept hypothesis, on the rejected side."""
    for _ in range(HALVINGS):
        middle = (outside + inside) / 2
        if p_value(middle) > alpha:
            inside = middle
        else:
            outside = middle
    return float(outside)
