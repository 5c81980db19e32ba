"""Comparison areas of like level: those whose before count is nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.shares import SharedMatches

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelMatches:
    """For each area, the span of before counts its matched areas lie in.

    Every pool area inside the span counts equally, so areas tied in level are all used and the
    match does not depend on the order or the names of areas.

    Attributes:
        order: Pool areas by before count.
        first: For each area, position in `order` of its first match.
        last: One past its last. The area itself may lie inside; `own` says so.
        own: True where the area is in its own span and must be taken out.
    """

    order: NDArray[np.intp]
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    own: NDArray[np.bool_]

    @property
    def count(self) -> NDArray[np.intp]:
        """Matched areas of each area."""
        result: NDArray[np.intp] = self.last - self.first - self.own
        return result

    def mean_of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of `values` (by area) over the matched areas of each area."""
        running = np.concatenate([[0.0], np.cumsum(values[self.order])])
        total = running[self.last] - running[self.first] - np.where(self.own, values, 0.0)
        result: NDArray[np.float64] = total / np.maximum(self.count, 1)
        return result

    @property
    def places(self) -> NDArray[np.intp]:
        """The areas that columns of `spread` stand for."""
        return self.order

    def by_row(self, gather: csr_array) -> csr_array:
        """Rows × places in order of level: where the shares of each row's matched areas begin and end.

        Args:
            gather: Rows × areas, one where the area counts in the row.
        """
        from scipy.sparse import csr_array

        places = len(self.order)
        share = 1.0 / np.maximum(self.count, 1)
        at = np.full(len(self.own), places, dtype=np.intp)
        at[self.order] = np.arange(places)
        areas, own = np.arange(len(self.own)), np.flatnonzero(self.own)
        values = np.concatenate([share, -share, -share[own], share[own]])
        rows = np.concatenate([areas, areas, own, own])
        columns = np.concatenate([self.first, self.last, at[own], at[own] + 1])
        found: csr_array = gather @ csr_array((values, (rows, columns)), shape=(len(areas), places + 1))
        return found

    @staticmethod
    def spread(chosen: csr_array) -> NDArray[np.float64]:
        """Sets × places: the weight of each area in each set's comparison, from sums of `by_row`."""
        weight: NDArray[np.float64] = np.cumsum(chosen.toarray(), axis=1)[:, :-1]
        return np.maximum(weight, 0.0)

    def of(self, area: int) -> NDArray[np.intp]:
        """The matched areas of one area, sorted."""
        found = self.order[self.first[area] : self.last[area]]
        return np.sort(found[found != area])


def match_on_level(before: NDArray[np.float64], pool: NDArray[np.bool_], per_area: int) -> LevelMatches:
    """The `per_area` pool areas nearest in before count to each area, with all that tie with the furthest.

    Args:
        before: Incidents in the before window, by area.
        pool: True for areas that may be chosen. An area is never its own match.
        per_area: Matches wanted for each area.

    Example:
        >>> counts = np.array([10.0, 1, 9, 11, 30, 12])
        >>> matches = match_on_level(counts, np.array([False, True, True, True, True, True]), 2)
        >>> matches.of(0).tolist()
        [2, 3]
    """
    order = np.flatnonzero(pool)
    order = order[np.argsort(before[order], kind="stable")]
    levels = before[order]
    low, high = np.searchsorted(levels, before, "left"), np.searchsorted(levels, before, "right")
    first, last = low.copy(), high.copy()
    waiting = np.flatnonzero(last - first - pool < per_area)
    size = len(levels)
    while len(waiting):
        down = np.where(
            first[waiting] > 0, before[waiting] - levels[np.maximum(first[waiting] - 1, 0)], np.inf
        )
        up = np.where(
            last[waiting] < size, levels[np.minimum(last[waiting], size - 1)] - before[waiting], np.inf
        )
        step = np.minimum(down, up)
        reachable = np.isfinite(step)
        waiting, step = waiting[reachable], step[reachable]
        first[waiting] = np.searchsorted(levels, before[waiting] - step, "left")
        last[waiting] = np.searchsorted(levels, before[waiting] + step, "right")
        waiting = waiting[last[waiting] - first[waiting] - pool[waiting] < per_area]
    return LevelMatches(order=order, first=first, last=last, own=pool.copy())


Matches = LevelMatches | SharedMatches
"""The matched comparison of every area that could have been treated."""
