"""Clumps of adjoining rows that share none: what a treated clump can be mixed from, like from like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.neighbours import neighbour_table


def separate_clumps(
    pairs: NDArray[np.intp], middle: NDArray[np.float64], free: NDArray[np.bool_], size: int
) -> list[NDArray[np.intp]]:
    """Clumps of `size` adjoining rows, no row in two of them, each sorted, in the order they were grown.

    The free row with the fewest free neighbours starts a clump, so that few rows are left over at the edges;
    it then takes, of the free rows that adjoin it, the one nearest to its middle. What cannot grow to `size`
    is left out.

    Args:
        pairs: Adjoining rows, as `adjoining_pairs` gives them.
        middle: rows × 2, metres.
        free: Rows that may be used.
        size: Rows in a clump.

    Example:
        >>> chain = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
        >>> places = np.column_stack([np.arange(5.0), np.zeros(5)])
        >>> [group.tolist() for group in separate_clumps(chain, places, np.ones(5, dtype=bool), 2)]
        [[0, 1], [2, 3]]
    """
    rows = len(free)
    if size == 1:
        return [np.array([row], dtype=np.intp) for row in np.flatnonzero(free)]
    table = neighbour_table(pairs, rows)
    beside = [line[line >= 0] for line in table]
    left = free.copy()
    waiting = np.array([int(left[near].sum()) for near in beside])
    found = []
    while left.any():
        candidates = np.flatnonzero(left)
        group = [int(candidates[np.argmin(waiting[candidates])])]
        left[group[0]] = False
        while len(group) < size:
            edge = np.unique(np.concatenate([beside[row] for row in group]))
            edge = edge[left[edge]]
            if not len(edge):
                break
            away = np.linalg.norm(middle[edge] - middle[group].mean(axis=0), axis=1)
            taken = int(edge[np.argmin(away)])
            left[taken] = False
            group.append(taken)
        for row in group:
            waiting[beside[row]] -= 1
        if len(group) == size:
            found.append(np.sort(np.array(group, dtype=np.intp)))
    return found
