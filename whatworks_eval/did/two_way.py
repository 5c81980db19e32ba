"""Area and period effects taken out of areas × periods matrices, exactly and with any weights.

With weights w the effects of areas are solved for given those of periods, which leaves one system as large
as the number of periods: no alternating sweeps. A missing cell has weight zero.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate, DataError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.intp]

EMPTY = 1e-11  # an eigenvalue of the scaled period system below this is a direction the areas already span
ABSORBED = 1e-10  # part of a column's variation left over when it is the effects' own, by rounding alone


class TwoWay:
    """The effects of one set of weights, ready to be taken out of any number of matrices.

    Attributes:
        weights: areas × periods; zero where a cell is missing.
        absorbed: Number of effects, linearly independent: areas + periods - connected parts.

    Example:
        >>> plain = TwoWay(np.ones((2, 2)))
        >>> plain.residual(np.array([[0.0, 0.0], [0.0, 1.0]])).tolist()
        [[0.25, -0.25], [-0.25, 0.25]]
        >>> plain.absorbed
        3
    """

    __slots__ = ("_inverse", "_per_area", "absorbed", "weights")

    def __init__(self, weights: Floats) -> None:
        """Solve the period system once."""
        self.weights = weights
        by_area, by_period = weights.sum(axis=1), weights.sum(axis=0)
        filled = by_area > 0
        self._per_area = np.divide(1.0, by_area, out=np.zeros_like(by_area), where=filled)
        system = -(weights.T @ (weights * self._per_area[:, None]))
        system[np.diag_indices(len(system))] += by_period
        scale = np.divide(1.0, np.sqrt(by_period), out=np.zeros_like(by_period), where=by_period > 0)
        values, vectors = np.linalg.eigh(system * scale * scale[:, None])
        kept = values > EMPTY
        half = (vectors[:, kept] / np.sqrt(values[kept])) * scale[:, None]
        self._inverse: Floats = half @ half.T
        self.absorbed = int(filled.sum() + kept.sum())

    def effects(self, values: Floats) -> tuple[Floats, Floats]:
        """The area and the period effects of a matrix: weighted least squares."""
        weighted_rows = np.einsum("at,at->a", self.weights, values)
        mean = weighted_rows * self._per_area
        left = np.einsum("at,at->t", self.weights, values) - mean @ self.weights
        periods: Floats = self._inverse @ left
        return mean - (self.weights @ periods) * self._per_area, periods

    def residual(self, values: Floats) -> Floats:
        """What the effects leave of a matrix: areas × periods."""
        areas, periods = self.effects(values)
        left = values - periods
        left -= areas[:, None]
        return left


def residual_design(two_way: TwoWay, columns: Floats, names: tuple[str, ...]) -> Floats:
    """The columns without their area and period effects: columns × areas × periods.

    Raises:
        CannotEstimate: Naming each column that the effects, or the columns before it, already explain.

    Example:
        >>> ramp = np.arange(3.0) * np.ones((4, 1))
        >>> residual_design(TwoWay(np.ones((4, 3))), ramp[None], ("trend",))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        whatworks_eval.errors.CannotEstimate: - covariate 'trend' is held by the area and period effects: ...
    """
    weights = two_way.weights
    left = np.empty_like(columns)
    total = weights.sum()
    problems = []
    for at, name in enumerate(names):
        left[at] = two_way.residual(columns[at])
        centred = columns[at] - np.vdot(weights, columns[at]) / total
        before, after = weighted_square(weights, centred), weighted_square(weights, left[at])
        # Rounding is as large as the column itself allows, even where it hardly varies about its mean.
        floor = 1e-24 * weighted_square(weights, columns[at])
        if after <= ABSORBED * before + floor:
            problems.append(
                f"covariate '{name}' is held by the area and period effects: it is the same for all areas in "
                "each period, or in all periods for each area, or a sum of the two; leave it out"
            )
    if problems:
        raise CannotEstimate(problems)
    gram = weighted_gram(weights, left)
    size = np.sqrt(np.diag(gram))
    upper = np.linalg.qr(gram / size / size[:, None], mode="r")
    for at in np.flatnonzero(np.abs(np.diag(upper)) < ABSORBED).tolist():
        problems.append(
            f"covariate '{names[at]}' follows exactly from those before it ({', '.join(names[:at])}) and the "
            "area and period effects; leave it out"
        )
    if problems:
        raise CannotEstimate(problems)
    return left


def weighted_square(weights: Floats, values: Floats) -> float:
    """The weighted sum of squares of a matrix."""
    return float(np.einsum("at,at,at->", weights, values, values))


def weighted_gram(weights: Floats, columns: Floats) -> Floats:
    """Weighted sums of products of columns: columns × columns."""
    flat = columns.reshape(len(columns), -1)
    gram = np.empty((len(columns), len(columns)))
    for at, column in enumerate(columns):
        gram[at] = flat @ (weights * column).ravel()
    return gram


def to_grid(
    area: Codes, period: Codes, columns: Mapping[str, NDArray[np.generic]]
) -> tuple[dict[str, Floats], Bools]:
    """Long rows as areas × periods matrices, zero where no row is, and which cells have a row.

    Args:
        area: Code of each row's area, from 0.
        period: Code of each row's period, from 0.
        columns: Name → value of each row.

    Raises:
        DataError: Where an area has two rows in a period, or a value is not a number.

    Example:
        >>> found, seen = to_grid(np.array([0, 1, 1]), np.array([0, 0, 1]), {"n": np.array([3.0, 4.0, 5.0])})
        >>> found["n"].tolist(), seen.tolist()
        ([[3.0, 0.0], [4.0, 5.0]], [[True, False], [True, True]])
    """
    shape = (int(area.max(initial=-1)) + 1, int(period.max(initial=-1)) + 1)
    place = area * shape[1] + period
    times = np.bincount(place, minlength=shape[0] * shape[1])
    problems = []
    if (times > 1).any():
        first = int(np.argmax(times > 1))
        problems.append(
            f"area code {first // shape[1]} has {times[first]} rows in period code {first % shape[1]} "
            f"({int((times > 1).sum())} cells in all have more than one); keep one row an area and period"
        )
    matrices = {}
    for name, values in columns.items():
        numbers = np.asarray(values, dtype=float)
        if not np.isfinite(numbers).all():
            row = int(np.argmin(np.isfinite(numbers)))
            problems.append(f"column '{name}' is not a number in row {row}; leave out rows without a value")
        matrices[name] = np.zeros(shape)
        matrices[name].ravel()[place] = numbers
    if problems:
        raise DataError(problems)
    return matrices, (times > 0).reshape(shape)
