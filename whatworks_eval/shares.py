"""The matched comparison of every area that could have been treated, as shares: what placebo sets need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SharedMatches:
    """For each area, what every other area counts for in its comparison.

    Attributes:
        areas: Codes, in the order of rows and columns.
        shares: Areas × areas; a row adds up to 1, or is empty where the area has no match.
    """

    areas: tuple[str, ...]
    shares: csr_array

    @property
    def places(self) -> NDArray[np.intp]:
        """The areas that columns of `spread` stand for: all of them."""
        return np.arange(len(self.areas))

    @property
    def count(self) -> NDArray[np.intp]:
        """Matched areas of each area."""
        found: NDArray[np.intp] = np.diff(self.shares.indptr).astype(np.intp)
        return found

    def mean_of(self, values: Floats) -> Floats:
        """Mean of `values` (by area) over the comparison of each area; 0 where it has none."""
        found: Floats = np.asarray(self.shares @ values)
        return found

    def by_row(self, gather: csr_array) -> csr_array:
        """Rows × places: the summed shares of each row's areas.

        Args:
            gather: Rows × areas, one where the area counts in the row.
        """
        found: csr_array = gather @ self.shares
        return found

    @staticmethod
    def spread(chosen: csr_array) -> Floats:
        """Sets × places: the weight of each area in each set's comparison, from sums of `by_row`."""
        found: Floats = chosen.toarray()
        return found

    def for_areas(self, areas: tuple[str, ...]) -> SharedMatches:
        """The same for these areas, in this order; the shares of areas left out go to the rest.

        An area it does not know (one in the buffer) has no match and is nobody's.

        Example:
            >>> from scipy.sparse import csr_array
            >>> whole = SharedMatches(areas=("a", "b", "c"), shares=csr_array(np.array(
            ...     [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])))
            >>> whole.for_areas(("b", "a")).shares.toarray().tolist()
            [[0.0, 1.0], [1.0, 0.0]]
            >>> whole.for_areas(("ring", "a", "b")).shares.toarray().tolist()
            [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
        """
        from scipy.sparse import csr_array, diags_array

        at = {area: place for place, area in enumerate(self.areas)}
        known = [(place, at[area]) for place, area in enumerate(areas) if area in at]
        rows, columns = np.array(known, dtype=np.intp).reshape(-1, 2).T
        taken = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(areas), len(self.areas)))
        kept = csr_array(taken @ self.shares @ taken.T)
        total = np.asarray(kept.sum(axis=1)).ravel()
        scaled = diags_array(1.0 / np.where(total > 0, total, 1.0)) @ kept
        return SharedMatches(areas=areas, shares=csr_array(scaled))
