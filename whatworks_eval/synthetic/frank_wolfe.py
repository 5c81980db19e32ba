"""Weights on the simplex as the synthdid package searches for them, to repeat digits others published."""

from __future__ import annotations

import numpy as np

from whatworks_eval.synthetic.fitted import Floats

ROUNDS = 10_000
FIRST_ROUNDS = 100  # before small weights are set to zero and the search starts again from there
SMALL = 4.0  # a weight at most the largest divided by this is small


def frank_wolfe(columns: Floats, target: Floats, *, zeta: float, least_gain: float) -> Floats:
    """Weights after a Frank-Wolfe search that stops when a step gains little: near the optimum, not at it.

    Args:
        columns: Rows × columns.
        target: Rows.
        zeta: Ridge: zeta² times the sum of squared weights is added to the mean square.
        least_gain: The search stops when the mean square falls by less than this squared.

    Source: R package synthdid, `sc.weight.fw`, `fw.step` and `sparsify_function`.

    Example:
        >>> frank_wolfe(np.eye(2), np.array([1.0, 0.0]), zeta=0.0, least_gain=1e-9).round(3).tolist()
        [1.0, 0.0]
    """
    start = np.full(columns.shape[1], 1 / columns.shape[1])
    weights = _search(columns, target, start, zeta, least_gain, FIRST_ROUNDS)
    weights = np.where(weights <= weights.max() / SMALL, 0.0, weights)
    return _search(columns, target, weights / weights.sum(), zeta, least_gain, ROUNDS)


def _search(
    columns: Floats, target: Floats, weights: Floats, zeta: float, least_gain: float, rounds: int
) -> Floats:
    rows = len(columns)
    ridge = rows * zeta**2
    fitted = columns @ weights
    last = np.inf
    for _ in range(rounds):
        short = fitted - target
        half = short @ columns + ridge * weights
        best = int(np.argmin(half))
        step = -weights
        step[best] += 1.0
        if step.any():
            moved = columns[:, best] - fitted
            bend = float(moved @ moved + ridge * (step @ step))
            length = min(1.0, max(0.0, -float(half @ step) / bend)) if bend > 0 else 1.0
            weights = weights + length * step
            fitted = fitted + length * moved
        value = float(zeta**2 * (weights @ weights) + ((fitted - target) ** 2).sum() / rows)
        if last - value <= least_gain**2:
            break
        last = value
    return weights
