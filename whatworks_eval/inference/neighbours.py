"""Which areas adjoin, from their centroids alone.

police.uk files carry no boundaries but do carry coordinates, so neighbours are always known. Two areas
count as adjoining where they share an edge of the Delaunay triangulation no longer than twice the typical
edge at either end: on the LSOAs of Avon and of Gwent about four in five such pairs share a real boundary,
and about three in four real boundaries are found.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LONGEST_EDGE = 2.0  # times the median edge at each end; longer ones bridge estuaries and empty country
FEWEST_POINTS = 4  # a triangulation needs more than a triangle to say anything


def adjoining_pairs(centroids: NDArray[np.float64]) -> NDArray[np.intp]:
    """Pairs of adjoining areas, each once, smaller index first: pairs × 2.

    Args:
        centroids: areas × 2, metres; rows with NaN adjoin nothing.

    Example:
        >>> square = np.array([[0, 0], [100, 0], [0, 100], [101, 101], [50, 52.0]])
        >>> int((adjoining_pairs(square) == 4).any(axis=1).sum())
        4
    """
    return _adjoining(np.ascontiguousarray(centroids, dtype=np.float64).tobytes())


@lru_cache(maxsize=8)
def _adjoining(centroids_as_bytes: bytes) -> NDArray[np.intp]:
    """The pairs for one map: worked out once, since contrasts, buffers and placebo sets all ask."""
    from scipy.spatial import Delaunay, QhullError

    centroids = np.frombuffer(centroids_as_bytes).reshape(-1, 2)
    known = np.flatnonzero(np.isfinite(centroids).all(axis=1))
    points, first = np.unique(centroids[known], axis=0, return_index=True)
    none = np.empty((0, 2), dtype=np.intp)
    if len(points) < FEWEST_POINTS:
        return none
    try:
        corners = Delaunay(points).simplices
    except QhullError:  # all on one line
        return none
    edges = np.unique(
        np.sort(np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=1), axis=0
    )
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    ends = np.concatenate([edges[:, 0], edges[:, 1]])
    order = np.lexsort((np.concatenate([length, length]), ends))
    start = np.searchsorted(ends[order], np.arange(len(points) + 1))
    middle = (start[:-1] + start[1:] - 1) // 2
    typical = np.concatenate([length, length])[order][middle]
    short = length <= LONGEST_EDGE * np.minimum(typical[edges[:, 0]], typical[edges[:, 1]])
    pairs: NDArray[np.intp] = np.sort(known[first][edges[short]], axis=1)
    pairs.flags.writeable = False
    return pairs


def neighbour_table(pairs: NDArray[np.intp], areas: int) -> NDArray[np.intp]:
    """Neighbours of each area in a row, padded with -1: areas × most neighbours.

    Example:
        >>> neighbour_table(np.array([[0, 1], [0, 2]]), 3).tolist()
        [[1, 2], [0, -1], [0, -1]]
    """
    both = np.vstack([pairs, pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    degree = np.bincount(both[:, 0], minlength=areas) if len(both) else np.zeros(areas, dtype=np.intp)
    table = np.full((areas, max(1, int(degree.max(initial=0)))), -1, dtype=np.intp)
    column = np.arange(len(both)) - np.repeat(np.cumsum(degree) - degree, degree)
    table[both[:, 0], column] = both[:, 1]
    return table


def clumps(pairs: NDArray[np.intp], members: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The given areas in groups that hang together through adjoining pairs, each sorted.

    Example:
        >>> [group.tolist() for group in clumps(np.array([[0, 1], [1, 2], [3, 4]]), np.array([0, 1, 4]))]
        [[0, 1], [4]]
    """
    inside = set(members.tolist())
    links: dict[int, list[int]] = {area: [] for area in inside}
    for first, second in pairs.tolist():
        if first in inside and second in inside:
            links[first].append(second)
            links[second].append(first)
    groups = []
    waiting = set(inside)
    for area in sorted(inside):
        if area not in waiting:
            continue
        waiting.discard(area)
        group, edge = [area], [area]
        while edge:
            for other in links[edge.pop()]:
                if other in waiting:
                    waiting.discard(other)
                    group.append(other)
                    edge.append(other)
        groups.append(np.array(sorted(group), dtype=np.intp))
    return groups
