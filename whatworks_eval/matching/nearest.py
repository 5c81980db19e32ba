"""The nearest areas of a large pool, with or without taking an area twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.matching.distances import Positions
from whatworks_eval.matching.exact import check_size

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
TIE = 1e-9  # standard deviations: distances closer than this are the same distance
AHEAD = 8  # neighbours asked for beyond those wanted, in the hope of seeing every tie at once
AT_ONCE = 2_000_000  # distances held at a time, 32 MB with their indices


def nearest_with_replacement(
    positions: Positions,
    strata: Indices,
    treated: Bools,
    pool: Bools,
    *,
    per_treated: int,
    caliper: float | None = None,
) -> Indices:
    """The nearest pool areas of each treated area, with all that tie with the furthest; pairs × 2, sorted.

    Ties are all used, so the answer does not depend on the order or the names of areas. An area is never its
    own match, so `treated` may hold pool areas: that is how a pool area's own comparison is found.

    Args:
        positions: Where areas lie, in standard deviations.
        strata: By area; matches stay inside the stratum.
        treated: True for areas to be matched.
        pool: True for areas that may be chosen.
        per_treated: Matches wanted for each.
        caliper: The furthest allowed, in standard deviations.

    Raises:
        CannotEstimate: Where so many areas tie that memory could not hold the pairs.

    Example:
        >>> places = Positions(at=np.array([[0.0], [1], [-1], [3]]), hardest=np.zeros(4), name="")
        >>> arms = np.array([True, False, False, False])
        >>> nearest_with_replacement(
        ...     places, np.zeros(4, dtype=np.intp), arms, ~arms, per_treated=1).tolist()
        [[0, 1], [0, 2]]
    """
    parts = [
        _nearest_in_stratum(positions.at, rows, columns, per_treated, caliper)
        for rows, columns in _by_stratum(strata, treated, pool)
    ]
    pairs = np.concatenate(parts) if parts else np.empty((0, 2), dtype=np.intp)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def nearest_without_replacement(
    positions: Positions,
    strata: Indices,
    treated: Bools,
    pool: Bools,
    *,
    per_treated: int,
    caliper: float | None = None,
) -> Indices:
    """Greedy matches, each pool area taken once; pairs × 2, sorted.

    In each of `per_treated` rounds treated areas choose in turn, the hardest to match first, ties and equal
    distances going by the order of the rows: give rows in canonical order (exact.py) for an answer that names
    have no part in.

    Args:
        positions: Where areas lie, in standard deviations, and who is hardest to match.
        strata: By area; matches stay inside the stratum.
        treated: True for treated areas.
        pool: True for areas that may be chosen, none of them treated.
        per_treated: Matches wanted for each.
        caliper: The furthest allowed, in standard deviations.

    Source: the procedure of MatchIt's method = "nearest" (Ho, Imai, King and Stuart 2011, Journal of
        Statistical Software 42(8)).

    Example:
        >>> places = Positions(
        ...     at=np.array([[0.0], [1], [1.1], [5]]), hardest=np.array([0.0, 1, 0, 0]), name="")
        >>> arms = np.array([True, True, False, False])
        >>> nearest_without_replacement(
        ...     places, np.zeros(4, dtype=np.intp), arms, ~arms, per_treated=1).tolist()
        [[0, 3], [1, 2]]
    """
    found: list[tuple[int, int]] = []
    for rows, columns in _by_stratum(strata, treated, pool):
        places = _Places.of(positions.at, columns)
        queue = rows[np.lexsort((rows, -positions.hardest[rows]))]
        lists = places.ranked(positions.at[queue], min(len(places.copies), per_treated + 4 * AHEAD))
        left = places.copies.copy()
        for _ in range(per_treated):
            for at, area in enumerate(queue.tolist()):
                distances, who = lists[at]
                free = left[who] > 0
                here = int(free.argmax())
                # A list that is used up, or ends in a tie that may go on beyond it: a longer one.
                while len(who) < len(left) and not (free[here] and distances[here] < distances[-1]):
                    lists[at] = places.ranked(positions.at[[area]], min(len(left), 2 * len(who)))[0]
                    distances, who = lists[at]
                    free = left[who] > 0
                    here = int(free.argmax())
                if free[here] and (caliper is None or distances[here] <= caliper + TIE):
                    spot = who[here]
                    found.append((area, int(places.members[places.ends[spot] - left[spot]])))
                    left[spot] -= 1
    return np.array(sorted(found), dtype=np.intp).reshape(-1, 2)


def _by_stratum(strata: Indices, treated: Bools, pool: Bools) -> list[tuple[Indices, Indices]]:
    """Treated and pool areas of each stratum that has both."""
    shared = np.intersect1d(strata[treated], strata[pool])
    return [
        (np.flatnonzero(treated & (strata == one)), np.flatnonzero(pool & (strata == one))) for one in shared
    ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Places:
    """Where pool areas lie: a thousand areas without a crime are one place, and cost no more than one.

    Attributes:
        tree: Of the places (a cKDTree), in order of the first area in each.
        copies: Areas in each.
        members: Areas, place by place.
        ends: Where each place's areas end in `members`.
        of_area: By area of the whole, its place; -1 where it is not in the pool.
    """

    tree: Any
    copies: Indices
    members: Indices
    ends: Indices
    of_area: Indices

    @classmethod
    def of(cls, at: Floats, columns: Indices) -> _Places:
        from scipy.spatial import cKDTree

        points, first, where = np.unique(
            np.round(at[columns] / TIE) * TIE, axis=0, return_index=True, return_inverse=True
        )
        order = np.argsort(first)
        number = np.empty(len(order), dtype=np.intp)
        number[order] = np.arange(len(order))
        where = number[where.reshape(-1)]
        copies = np.bincount(where)
        of_area = np.full(len(at), -1, dtype=np.intp)
        of_area[columns] = where
        return cls(
            tree=cKDTree(points[order]),
            copies=copies,
            members=columns[np.argsort(where, kind="stable")],
            ends=np.cumsum(copies),
            of_area=of_area,
        )

    def ranked(self, points: Floats, wanted: int) -> list[tuple[Floats, Indices]]:
        """For each point its nearest places: distances (to a TIE), and which, ties in order of places."""
        distance, who = self.tree.query(points, k=np.arange(1, wanted + 1))
        distance = np.round(distance / TIE) * TIE
        order = np.lexsort((who, distance), axis=1)
        rows = np.arange(len(points))[:, None]
        return list(zip(distance[rows, order], who[rows, order], strict=True))


def _nearest_in_stratum(
    at: Floats, rows: Indices, columns: Indices, per_treated: int, caliper: float | None
) -> Indices:
    places = _Places.of(at, columns)
    copies, members, starts = places.copies, places.members, places.ends - places.copies
    parts: list[Indices] = []
    waiting, wanted = rows, min(len(copies), per_treated + AHEAD)
    while len(waiting):
        left: list[Indices] = []
        step = max(1, AT_ONCE // wanted)
        for start in range(0, len(waiting), step):
            some = waiting[start : start + step]
            distance, who = map(np.asarray, places.tree.query(at[some], k=np.arange(1, wanted + 1)))
            others = copies[who] - (who == places.of_area[some][:, None])
            enough = np.cumsum(others, axis=1) >= per_treated
            last = np.where(enough.any(axis=1), enough.argmax(axis=1), wanted - 1)
            reach = distance[np.arange(len(some)), last] + TIE
            seen = (wanted == len(copies)) | (enough.any(axis=1) & (distance[:, -1] > reach))
            if caliper is not None:
                reach = np.minimum(reach, caliper + TIE)
                seen |= distance[:, -1] > reach
            left.append(some[~seen])
            one, two = np.nonzero((distance <= reach[:, None]) & seen[:, None])
            spots = who[one, two]
            size = copies[spots]
            total = int(size.sum())
            check_size(total + sum(map(len, parts)))
            inside = np.arange(total) - np.repeat(np.cumsum(size) - size, size)
            pairs = np.column_stack(
                [np.repeat(some[one], size), members[np.repeat(starts[spots], size) + inside]]
            )
            parts.append(pairs[pairs[:, 0] != pairs[:, 1]])
        waiting = np.concatenate(left)
        wanted = min(len(copies), 2 * wanted)
    return np.concatenate(parts) if parts else np.empty((0, 2), dtype=np.intp)
