"""A Poisson fit with an effect for each unit and each period, the effects concentrated out.

    count = Poisson(unit effect × period effect × exp(sum of slope × regressor))

For given slopes the unit and period effects are found by scaling rows and columns in turn until both margins
are those of the counts; the slopes by Newton steps on what is left. Only the slopes are of interest.

Source: Deming and Stephan (1940), on adjusting a table to its margins; the slopes are those of a Poisson
regression with a dummy for each unit and period, checked against statsmodels in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SWEEPS = 2_000
TOLERANCE = 1e-12  # of margins, relative to their total
STEPS = 60


def scaled(counts: Floats, weight: Floats) -> Floats:
    """Row effect × column effect × weight with the row and column sums of the counts: units × periods.

    Args:
        counts: units × periods, 0 in cells that are left out.
        weight: The same, 0 in cells that are left out.

    Example:
        >>> scaled(np.array([[1.0, 3.0], [2.0, 6.0]]), np.ones((2, 2))).round(6).tolist()
        [[1.0, 3.0], [2.0, 6.0]]
    """
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    total = max(float(rows.sum()), 1e-300)
    fitted = weight
    for _ in range(SWEEPS):
        fitted = fitted * _ratio(rows, fitted.sum(axis=1))[:, None]
        fitted = fitted * _ratio(columns, fitted.sum(axis=0))[None, :]
        if np.abs(fitted.sum(axis=1) - rows).max() <= TOLERANCE * total:
            break
    return fitted


def slopes(counts: Floats, kept: NDArray[np.bool_], regressors: Sequence[Floats]) -> Floats | None:
    """The slope of each regressor, on the log scale; None where they are not identified or do not settle.

    Args:
        counts: units × periods.
        kept: The same, False for cells that are left out.
        regressors: Each units × periods.
    """
    weight = kept.astype(float)
    counts = np.where(kept, counts, 0.0)
    found: Floats = np.zeros(len(regressors))
    for _ in range(STEPS):
        offset = sum((slope * x for slope, x in zip(found, regressors, strict=True)), np.zeros(counts.shape))
        fitted = scaled(counts, weight * np.exp(offset))
        centred = [_swept(x, fitted) for x in regressors]
        score = np.array([((counts - fitted) * x)[kept].sum() for x in regressors])
        information = np.array([[(fitted * one * other).sum() for other in centred] for one in centred])
        scale = max(float(fitted.sum()), 1e-300)
        if np.linalg.eigvalsh(information)[0] <= 1e-9 * scale:
            return None
        step = np.linalg.solve(information, score)
        found += np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-11:
            return found
    return None


def _swept(values: Floats, weight: Floats) -> Floats:
    """The values less their weighted row and column means, taken out in turn until none is left."""
    left = values.astype(float)
    for _ in range(SWEEPS):
        by_row = _ratio((weight * left).sum(axis=1), weight.sum(axis=1))
        left = left - by_row[:, None]
        by_column = _ratio((weight * left).sum(axis=0), weight.sum(axis=0))
        left = left - by_column[None, :]
        if np.abs(by_row).max() < 1e-11 and np.abs(by_column).max() < 1e-11:
            break
    return left


def _ratio(upper: Floats, lower: Floats) -> Floats:
    result: Floats = np.where(lower > 0, upper / np.where(lower > 0, lower, 1.0), 0.0)
    return result
