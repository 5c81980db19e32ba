"""The matches with the smallest total distance, each comparison area taken once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.matching.distances import Positions

Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
MOST_CELLS = 50_000_000
"""Distances held at once: 400 MB. Ten times a 200 × 2,000 problem with k = 12."""


def optimal(
    positions: Positions,
    strata: Indices,
    treated: Bools,
    pool: Bools,
    *,
    per_treated: int,
    caliper: float | None = None,
) -> Indices:
    """Matches that first serve as many treated areas as can be, then fill up, at the least total distance.

    Pairs × 2, sorted. Solved stratum by stratum. Where several answers are equally good, the order of the
    rows decides: give rows in canonical order (exact.py).

    Args:
        positions: Where areas lie, in standard deviations.
        strata: By area; matches stay inside the stratum.
        treated: True for treated areas.
        pool: True for areas that may be chosen, none of them treated.
        per_treated: Matches wanted for each.
        caliper: The furthest allowed, in standard deviations.

    Raises:
        CannotEstimate: Where a stratum is too large for memory.

    Source: Rosenbaum 1989, Journal of the American Statistical Association 84(408), 1024-1032; the assignment
        by SciPy's linear_sum_assignment (Crouse 2016).

    Example:
        >>> places = Positions(at=np.array([[0.0], [1], [1.1], [-4], [9]]), hardest=np.zeros(5), name="")
        >>> arms = np.array([True, True, False, False, False])
        >>> optimal(places, np.zeros(5, dtype=np.intp), arms, ~arms, per_treated=1).tolist()
        [[0, 3], [1, 2]]
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    found = [np.empty((0, 2), dtype=np.intp)]
    for stratum in np.intersect1d(strata[treated], strata[pool]):
        rows = np.flatnonzero(treated & (strata == stratum))
        columns = np.flatnonzero(pool & (strata == stratum))
        cells = per_treated * len(rows) * len(columns)
        if cells > MOST_CELLS:
            raise CannotEstimate(
                f"matching.algorithm = 'optimal' would hold {cells:,} distances ({len(rows):,} treated × "
                f"{len(columns):,} others × {per_treated} each), more than {MOST_CELLS:,}; use 'nearest', or "
                "match exactly within smaller strata"
            )
        distance = cdist(positions.at[rows], positions.at[columns])
        allowed = distance <= (np.inf if caliper is None else caliper + 1e-9)
        cost = np.tile(distance, (per_treated, 1))
        if not allowed.all() or len(cost) > len(columns):
            # A match earns more than all distances together could cost; a first match more than all others.
            fill = 1.0 + float(distance[allowed].max(initial=0.0)) * len(cost)
            first = fill * (len(cost) + 1)
            cost -= np.repeat([first] + [fill] * (per_treated - 1), len(rows))[:, None]
            cost[~np.tile(allowed, (per_treated, 1))] = 0.0
        one, two = linear_sum_assignment(cost)
        keep = allowed[one % len(rows), two]
        found.append(np.column_stack([rows[one[keep] % len(rows)], columns[two[keep]]]))
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
