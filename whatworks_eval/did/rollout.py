"""A staggered roll-out as arrays: outcomes by area and period, and the period in which each area started."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whatworks_eval.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEVER = -1
SHOWN = 3  # areas named in a message before "and more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Outcomes of areas over periods with the period each area started in; made by `rollout`.

    Attributes:
        outcome: areas × periods; NaN = not recorded.
        start: By area: index of the first treated period; -1 = never treated.
        covariates: areas × k, fixed over time; None where there are none.
        weights: By area, above zero; their mean is one.
        clusters: By area: 0, 1, 2, … of the unit of assignment it belongs to.
        n_clusters: How many units there are.
        cohorts: The periods in which some area started, ascending.
    """

    outcome: Floats
    start: Ints
    covariates: Floats | None
    weights: Floats
    clusters: Ints
    n_clusters: int
    cohorts: tuple[int, ...] = field(default=())

    @property
    def never(self) -> Bools:
        """Areas that are never treated."""
        never: Bools = self.start == NEVER
        return never

    def by_cluster(self, values: Floats, rows: Ints | Bools | None = None) -> Floats:
        """Sums of rows (areas) within clusters: clusters × the other axis."""
        codes = self.clusters if rows is None else self.clusters[rows]
        if self.n_clusters == len(self.start):
            sums = np.zeros((self.n_clusters, *values.shape[1:]))
            sums[codes] = values
            return sums
        order = np.argsort(codes, kind="stable")
        present, first = np.unique(codes[order], return_index=True)
        sums = np.zeros((self.n_clusters, *values.shape[1:]))
        if len(present):
            sums[present] = np.add.reduceat(values[order], first, axis=0)
        return sums

    def units_in(self, inside: Bools, rows: Ints | Bools | None = None) -> Ints:
        """How many clusters have a row (area) that is true, by column."""
        if self.n_clusters == len(self.start):
            return np.array(inside.sum(axis=0), dtype=np.int64)
        return np.array((self.by_cluster(inside.astype(float), rows) > 0).sum(axis=0), dtype=np.int64)

    def untreated(self, anticipation: int = 0) -> Bools:
        """Observed cells that the project cannot have touched: areas × periods."""
        periods = np.arange(self.outcome.shape[1])
        before = periods[None, :] < (self.start - anticipation)[:, None]
        return (before | self.never[:, None]) & np.isfinite(self.outcome)


def rollout(
    outcome: ArrayLike,
    start: ArrayLike,
    *,
    covariates: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Rollout:
    """The arrays as a checked `Rollout`, or every problem with them at once.

    Args:
        outcome: areas × periods; NaN = not recorded.
        start: By area: index of the first treated period; -1 = never treated.
        covariates: areas × k (or one value an area), known before the start.
        weights: By area, above zero; all alike where absent.
        clusters: By area: any label of the unit of assignment; each area its own where absent.

    Raises:
        DataError: Shapes that do not fit, a start outside the periods, a value that is not finite.

    Example:
        >>> made = rollout([[3, 4, 9], [2, 3, 4]], [2, -1], clusters=["north", "south"])
        >>> made.cohorts, made.n_clusters
        ((2,), 2)
    """
    table = np.array(outcome, dtype=float)
    if table.ndim != 2 or 0 in table.shape:
        raise DataError(f"the outcome has shape {table.shape}; give areas × periods, at least one of each")
    areas, periods = table.shape
    problems = []
    starts = np.array(start, dtype=float)
    if starts.shape != (areas,):
        problems.append(f"start has shape {starts.shape} for {areas} areas; give one period index an area")
    else:
        wrong = ~np.isin(starts, np.arange(-1, periods))
        if wrong.any():
            problems.append(
                f"start is {starts[wrong][0]:g} in area {_named(wrong)}; give a period index from 0 to "
                f"{periods - 1}, or -1 for an area never treated in these periods"
            )
    if np.isinf(table).any():
        problems.append(f"the outcome is infinite in area {_named(np.isinf(table).any(axis=1))}")
    fixed = None
    if covariates is not None:
        fixed = np.array(covariates, dtype=float)
        fixed = fixed[:, None] if fixed.ndim == 1 else fixed
        if fixed.ndim != 2 or len(fixed) != areas:
            problems.append(f"covariates have shape {fixed.shape}; give {areas} rows, one an area")
        elif not np.isfinite(fixed).all():
            missing = ~np.isfinite(fixed).all(axis=1)
            problems.append(
                f"a covariate is missing in area {_named(missing)}; fill it or leave the area out"
            )
    weight = np.ones(areas) if weights is None else np.array(weights, dtype=float)
    if weight.shape != (areas,):
        problems.append(f"weights have shape {weight.shape}; give one an area ({areas})")
    elif not (np.isfinite(weight) & (weight > 0)).all():
        bad = ~(np.isfinite(weight) & (weight > 0))
        problems.append(f"the weight of area {_named(bad)} is not above zero; leave the area out instead")
    labels = np.arange(areas) if clusters is None else np.array(clusters)
    if labels.shape != (areas,):
        problems.append(f"clusters have shape {labels.shape}; give one label an area ({areas})")
    if problems:
        raise DataError(problems)
    first = starts.astype(np.int64)
    present, codes = np.unique(labels, return_inverse=True)
    return Rollout(
        outcome=_sealed(table),
        start=_sealed(first),
        covariates=None if fixed is None else _sealed(fixed),
        weights=_sealed(weight / weight.mean()),
        clusters=_sealed(codes.astype(np.int64)),
        n_clusters=len(present),
        cohorts=tuple(int(cohort) for cohort in np.unique(first[first != NEVER])),
    )


def _named(rows: Bools) -> str:
    """The first few positions, for a message."""
    places = np.flatnonzero(rows)
    more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return ", ".join(str(place) for place in places[:SHOWN]) + more


def _sealed(values: NDArray[Any]) -> NDArray[Any]:
    """The array, no longer writable."""
    values.flags.writeable = False
    return values
