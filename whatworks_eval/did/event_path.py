"""Event-study coefficients in order around their reference: what pre-trend and sensitivity files share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whatworks_eval.errors import DataError

Floats = NDArray[np.float64]

RANK_TOLERANCE = 1e-10  # smallest against largest eigenvalue of the correlation matrix
SYMMETRY_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventPath:
    """Leads and lags in order of time, each relative to a reference period whose value is zero.

    Attributes:
        values: Coefficients, leads first, in outcome units (or log points); length leads + lags.
        covariance: Of the coefficients, outcome units squared.
        leads: Number of coefficients before the reference.
        lags: Number after it.
        steps: Periods from the reference to each coefficient: -leads … -1, 1 … lags.
    """

    values: Floats
    covariance: Floats
    leads: int
    lags: int
    steps: NDArray[np.int64]

    def changes(self) -> tuple[Floats, Floats]:
        """The change into each period from the one before, earliest first, and the changes' covariance."""
        count = self.leads + self.lags
        wide = np.insert(np.eye(count), self.leads, 0.0, axis=0)  # the reference has value zero
        step = np.diff(wide, axis=0)
        return step @ self.values, step @ self.covariance @ step.T


def event_path(
    values: ArrayLike, covariance: ArrayLike, offsets: Sequence[int], *, reference: int = -1
) -> EventPath:
    """Coefficients and covariance sorted by offset and checked: numbers, shapes, no gap, no duplicate.

    Args:
        values: One coefficient an offset; the reference period (zero by construction) is not among them.
        covariance: Coefficients × coefficients.
        offsets: Periods from the start of the project (0 = the first period after it began).
        reference: The offset of the reference period.

    Raises:
        DataError: Anything that does not fit, every problem at once.

    Example:
        >>> path = event_path([0.5, 0.1], [[0.04, 0.0], [0.0, 0.01]], [0, -2])
        >>> path.values.tolist(), path.steps.tolist()
        ([0.1, 0.5], [-1, 1])
    """
    coefficients = np.asarray(values, dtype=np.float64)
    matrix = np.asarray(covariance, dtype=np.float64)
    order = np.argsort(np.asarray(offsets, dtype=np.int64), kind="stable")
    steps = np.asarray(offsets, dtype=np.int64)[order] - reference
    count = len(steps)
    problems = []
    if coefficients.shape != (count,):
        problems.append(f"{count} offsets but coefficients of shape {coefficients.shape}; give one an offset")
    if matrix.shape != (count, count):
        problems.append(f"the covariance has shape {matrix.shape}; it must be {count} × {count}")
    if not problems:
        if not (np.isfinite(coefficients).all() and np.isfinite(matrix).all()):
            problems.append("a coefficient or covariance is not a finite number; leave that period out")
        else:
            scale = float(np.abs(matrix).max(initial=0.0))
            if not np.allclose(matrix, matrix.T, rtol=0, atol=SYMMETRY_TOLERANCE * scale):
                problems.append("the covariance is not symmetric; check the order of rows and columns")
            if (np.diag(matrix) < 0).any():
                problems.append("the covariance has a negative variance on its diagonal")
    if len(set(steps.tolist())) < count:
        problems.append("an offset is given twice; give each period once")
    elif 0 in steps:
        problems.append(f"offset {reference} is the reference, so it has no coefficient of its own")
    elif (np.diff(np.insert(steps, np.searchsorted(steps, 0), 0)) != 1).any():
        listed = ", ".join(str(step + reference) for step in steps)
        problems.append(
            f"the offsets ({listed}) leave a gap around reference {reference}; give every period, or group "
            "them"
        )
    if problems:
        raise DataError(problems)
    symmetric = (matrix + matrix.T) / 2
    leads = int((steps < 0).sum())
    return EventPath(
        values=coefficients[order],
        covariance=symmetric[np.ix_(order, order)],
        leads=leads,
        lags=count - leads,
        steps=steps,
    )


def target_weights(path: EventPath, weights: ArrayLike | None) -> Floats:
    """Weights on the after effects, earliest first: the average of all where none are given.

    Raises:
        DataError: No after effect, a wrong number of weights, or none that is not zero.

    Example:
        >>> path = event_path([0.1, 0.5, 0.7], np.eye(3), [-2, 0, 1])
        >>> target_weights(path, None).tolist()
        [0.5, 0.5]
    """
    if path.lags == 0:
        raise DataError("there is no coefficient after the reference, so no effect to ask about")
    if weights is None:
        return np.full(path.lags, 1 / path.lags)
    given = np.asarray(weights, dtype=np.float64)
    if given.shape != (path.lags,) or not np.isfinite(given).all() or not given.any():
        raise DataError(
            f"the target weights have shape {given.shape}; give {path.lags} finite numbers, one an after "
            "period, not all zero"
        )
    return given


def singular(covariance: Floats) -> str | None:
    """Why a covariance cannot be inverted, with what to do; None where it can.

    Example:
        >>> singular(np.eye(2)) is None
        True
        >>> singular(np.ones((2, 2)))[:41]
        'the covariance of 2 coefficients has rank'
    """
    count = len(covariance)
    spread = np.sqrt(np.diag(covariance))
    if count == 0:
        return "there are no coefficients"
    if (spread == 0).any():
        return f"{int((spread == 0).sum())} of {count} coefficients have no sampling error at all"
    sizes = np.linalg.eigvalsh(covariance / np.outer(spread, spread))
    rank = int((sizes > RANK_TOLERANCE * sizes[-1]).sum())
    if rank == count:
        return None
    return (
        f"the covariance of {count} coefficients has rank {rank}: fewer clusters or placebo sets than "
        "coefficients; group the periods into quarters or half-years, or use more sets"
    )
