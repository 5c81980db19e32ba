"""Two-way fixed-effects event study for a common start on a balanced panel, in closed form.

With area and period effects and one coefficient an arm and period outside the reference, least squares gives

    coefficient(k) = gap(k) - mean gap over the reference,   gap = treated mean - comparison mean

so no matrix is inverted. The error clustered by unit is the sandwich of the same linear map applied to the
residuals, with the small-sample factor G / (G - 1) × (N - 1) / (N - k); k counts coefficients and period
effects (area effects are inside their clusters and do not count).

Source: the factor as in pyfixest and fixest (`CRV1`, fixed effects nested in the clusters not counted).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whatworks_eval.errors import CannotEstimate, DataError

Floats = NDArray[np.float64]

FEWEST_CLUSTERS = 3  # an arm: with one its own residuals are zero by construction, with two nearly so


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventRegression:
    """Leads and lags of a common start, with their full covariance.

    Attributes:
        offsets: Periods from the start of each coefficient, in order of time; the reference is left out.
        reference: Offsets whose mean gap is the zero line.
        values: Coefficients, outcome units.
        covariance: Clustered, outcome units squared; None where there are too few clusters.
        clusters: Number of clusters.
        df: Clusters less one, for t and F.
        observations: Areas × periods.
        why_missing: Why there is no covariance; None where there is one.
    """

    offsets: tuple[int, ...]
    reference: tuple[int, ...]
    values: Floats
    covariance: Floats | None
    clusters: int
    df: int
    observations: int
    why_missing: str | None = None


def event_regression(
    outcome: ArrayLike,
    treated: ArrayLike,
    *,
    offsets: Sequence[int],
    reference: int | Sequence[int] = -1,
    clusters: Sequence[Hashable] | None = None,
) -> EventRegression:
    """Least-squares leads and lags relative to the reference, with the covariance clustered by unit.

    Args:
        outcome: Areas × periods, no cell missing: rates, scores or logs.
        treated: Areas; True for those treated from offset 0 on.
        offsets: Periods from the start, one a column.
        reference: The offset, or offsets, whose mean is the zero line.
        clusters: The unit of each area; None = every area is its own.

    Raises:
        DataError: Shapes, missing cells, repeated offsets, a reference not among the offsets.
        CannotEstimate: An arm is empty, or nothing is left outside the reference.

    Example:
        >>> outcome = [[1.0, 2.0, 5.0], [2.0, 2.0, 6.0], [1.0, 1.0, 1.0], [3.0, 2.0, 4.0]]
        >>> found = event_regression(outcome, [True, True, False, False], offsets=[-2, -1, 0])
        >>> found.offsets, found.values.tolist()
        ((-2, 0), [-1.0, 2.5])
    """
    panel = np.asarray(outcome, dtype=np.float64)
    arm = np.asarray(treated, dtype=bool)
    when = np.asarray(offsets, dtype=np.int64)
    base = (int(reference),) if isinstance(reference, (int, np.integer)) else tuple(sorted(set(reference)))
    labels: list[Hashable] = list(range(len(arm))) if clusters is None else list(clusters)
    _check(panel, arm, when, base, labels)
    order = np.argsort(when)
    panel, when = panel[:, order], when[order]
    in_base = np.isin(when, base)
    # The estimate is linear in the outcome: coefficient(k) = sum over areas of weight × (y(k) - base mean).
    weight = np.where(arm, 1 / arm.sum(), -1 / (~arm).sum())
    values = _relative(weight @ panel, in_base)
    coefficients = int((~in_base).sum())
    which = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    codes = np.array([which[label] for label in labels])
    clusters_an_arm = (len(set(codes[arm].tolist())), len(set(codes[~arm].tolist())))
    covariance, why = None, None
    if min(clusters_an_arm) < FEWEST_CLUSTERS:
        why = (
            f"{clusters_an_arm[0]} treated and {clusters_an_arm[1]} comparison clusters: under "
            f"{FEWEST_CLUSTERS} in an arm a clustered error is far too small; use placebo units"
        )
    else:
        fitted = np.zeros_like(panel)
        fitted[np.ix_(arm, ~in_base)] = values
        rest = panel - fitted
        residuals = rest - rest.mean(axis=1, keepdims=True) - rest.mean(axis=0) + rest.mean()
        sums = np.zeros((len(which), coefficients))
        np.add.at(sums, codes, weight[:, None] * _relative(residuals, in_base))
        groups, cells = len(which), panel.size
        parameters = coefficients + panel.shape[1]
        factor = groups / (groups - 1) * (cells - 1) / (cells - parameters)
        covariance = factor * sums.T @ sums
    return EventRegression(
        offsets=tuple(int(offset) for offset in when[~in_base]),
        reference=base,
        values=values,
        covariance=covariance,
        clusters=len(which),
        df=len(which) - 1,
        observations=panel.size,
        why_missing=why,
    )


def _relative(rows: Floats, in_base: NDArray[np.bool_]) -> Floats:
    """Columns outside the reference, less the mean of those in it."""
    relative: Floats = rows[..., ~in_base] - rows[..., in_base].mean(axis=-1, keepdims=True)
    return relative


def _check(
    panel: Floats,
    arm: NDArray[np.bool_],
    when: NDArray[np.int64],
    base: tuple[int, ...],
    labels: list[Hashable],
) -> None:
    """Every problem with the input at once."""
    problems = []
    if panel.ndim != 2 or arm.shape != panel.shape[:1] or when.shape != panel.shape[1:]:
        problems.append(
            f"the outcome has shape {panel.shape} for {arm.size} areas and {when.size} periods; "
            "give areas × periods"
        )
    elif not np.isfinite(panel).all():
        row, column = np.argwhere(~np.isfinite(panel))[0]
        problems.append(
            f"{int((~np.isfinite(panel)).sum())} cells are missing, the first in row {row} at offset "
            f"{when[column]}; the closed form needs every cell, so leave the area or the period out"
        )
    if len(labels) != len(arm):
        problems.append(f"{len(labels)} cluster labels for {len(arm)} areas; give one an area")
    if len(set(when.tolist())) < len(when):
        problems.append("an offset is given twice; give each period once")
    if not base:
        problems.append("there is no reference period; give at least one offset")
    if absent := [offset for offset in base if offset not in when]:
        problems.append(f"reference {absent} is not among the offsets; choose from those in the panel")
    if problems:
        raise DataError(problems)
    if not arm.any() or arm.all():
        raise CannotEstimate("every area is in one arm; an event study needs treated and comparison areas")
    if len(base) == len(when):
        raise CannotEstimate("every period is in the reference, so there is no lead or lag to estimate")
