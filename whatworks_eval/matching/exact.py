"""Areas that are exactly alike: strata that may not be crossed, and areas no feature can tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
UNKNOWN = ("", "None", "nan", "<NA>")  # how None and the not-a-numbers of numpy and pandas print
MOST_PAIRS = 20_000_000  # 320 MB of indices


def stratum_codes(labels: Sequence[object] | None, areas: int) -> Indices:
    """The stratum of each area as a number from 0; -1 where its label is None, NaN or an empty string.

    Numbers go by the labels' spelling, never by the order of areas. Without labels all areas are in one.

    Args:
        labels: A label for each area (a force, a district); None where there are no strata.
        areas: How many areas there are.

    Example:
        >>> stratum_codes(["Gwent", "Avon", None, "Gwent"], 4).tolist()
        [1, 0, -1, 1]
    """
    if labels is None:
        return np.zeros(areas, dtype=np.intp)
    words = ["" if str(label) in UNKNOWN else str(label) for label in labels]
    numbers = {word: at for at, word in enumerate(sorted(set(words) - {""}))}
    return np.array([numbers.get(word, -1) for word in words], dtype=np.intp)


def canonical_order(features: Floats, strata: Indices, treated: NDArray[np.bool_]) -> Indices:
    """An order of the areas that their names and their place in the data have no part in.

    By stratum, then feature by feature, then arm. Areas that tie in all of these are identical for any
    matcher; whatever is worked out in this order is the same however the rows were ordered.

    Example:
        >>> canonical_order(np.array([[2.0], [1.0]]), np.array([0, 0]), np.array([True, False])).tolist()
        [1, 0]
    """
    keys = [treated, *(features[:, at] for at in reversed(range(features.shape[1]))), strata]
    return np.lexsort(keys)


def identical_classes(features: Floats, strata: Indices, treated: NDArray[np.bool_]) -> Indices:
    """For areas in canonical order, a number from 0 shared by areas that no feature can tell apart.

    Example:
        >>> features, arms = np.array([[1.0], [1.0], [1.0], [2.0]]), np.array([False, False, True, False])
        >>> identical_classes(features, np.zeros(4, dtype=np.intp), arms).tolist()
        [0, 0, 1, 2]
    """
    new = np.ones(len(strata), dtype=bool)
    new[1:] = (strata[1:] != strata[:-1]) | (treated[1:] != treated[:-1])
    if features.shape[1]:
        new[1:] |= (features[1:] != features[:-1]).any(axis=1)
    return np.cumsum(new) - 1


def shared_among_identical(
    pairs: Indices, classes: Indices, treated: NDArray[np.bool_], pool: NDArray[np.bool_]
) -> tuple[Indices, Floats, Indices]:
    """Pairs, the share of each, and treated areas let go, with identical areas treated alike.

    Which of several identical areas an algorithm happened to pick is a matter of their order. So every
    identical comparison area takes an equal share of what any of them was given, every identical treated
    area is compared with all that any of them was compared with, and where there was not enough for all of
    a class of identical treated areas, none of it is matched. Shares of a treated area add up to 1; without
    replacement a comparison area's shares never exceed 1.

    Args:
        pairs: Pairs × 2: treated, comparison, as picked.
        classes: By area, from `identical_classes`.
        treated: True for treated areas.
        pool: True for areas that could be chosen.

    Returns:
        Pairs × 2 sorted, the share of each, and the treated areas of classes only partly matched.

    Example:
        >>> pairs, shares, let_go = shared_among_identical(
        ...     np.array([[2, 0]]), np.array([0, 0, 1]), np.array([False, False, True]),
        ...     np.array([True, True, False]))
        >>> pairs.tolist(), shares.tolist(), let_go.tolist()
        ([[2, 0], [2, 1]], [0.5, 0.5], [])
    """
    size = int(classes.max(initial=-1)) + 1
    wanted = np.bincount(classes[treated], minlength=size)
    matched = np.zeros(len(classes), dtype=bool)
    matched[pairs[:, 0]] = True
    whole = np.bincount(classes[matched], minlength=size) == wanted
    some = np.bincount(classes[matched], minlength=size) > 0
    let_go = np.flatnonzero(treated & (some & ~whole)[classes])
    kept = pairs[whole[classes[pairs[:, 0]]]]
    if not len(kept):
        return np.empty((0, 2), dtype=np.intp), np.empty(0), let_go
    per_area = np.bincount(kept[:, 0], minlength=len(classes))
    share = 1.0 / per_area[kept[:, 0]] / wanted[classes[kept[:, 0]]]
    cells, inverse = np.unique(classes[kept], axis=0, return_inverse=True)
    mass = np.bincount(inverse.reshape(-1), weights=share, minlength=len(cells))
    treated_of, pool_of = _members(classes, treated, size), _members(classes, pool, size)
    joined, cell = _crossed(cells, treated_of, pool_of)
    shares = (mass / pool_of.sizes[cells[:, 1]])[cell]
    order = np.lexsort((joined[:, 1], joined[:, 0]))
    return joined[order], shares[order], let_go


def whole_strata(strata: Indices, treated: NDArray[np.bool_], pool: NDArray[np.bool_]) -> Indices:
    """Every treated area with every pool area of its stratum, as pairs × 2; no distance is used.

    Raises:
        CannotEstimate: Where there would be more pairs than memory should hold.

    Example:
        >>> arms = np.array([True, False, False, False])
        >>> whole_strata(np.array([0, 0, 1, 0]), arms, ~arms).tolist()
        [[0, 1], [0, 3]]
    """
    size = int(strata.max(initial=-1)) + 1
    cells = np.repeat(np.arange(size, dtype=np.intp)[:, None], 2, axis=1)
    pairs, _ = _crossed(cells, _members(strata, treated, size), _members(strata, pool, size))
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def check_size(pairs: int) -> None:
    """Nothing, where memory can hold so many pairs.

    Raises:
        CannotEstimate: Where it cannot, with what to do.

    Example:
        >>> check_size(1_000)
    """
    if pairs > MOST_PAIRS:
        raise CannotEstimate(
            f"matching: so many areas are alike that there would be {pairs:,} pairs, more than "
            f"{MOST_PAIRS:,}; match on a further feature, within finer strata, or by algorithm = 'entropy'"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Members:
    """Areas by label: those of label i are areas[starts[i] : starts[i] + sizes[i]]."""

    areas: Indices
    starts: Indices
    sizes: Indices


def _members(labels: Indices, inside: NDArray[np.bool_], size: int) -> _Members:
    at = np.flatnonzero(inside)
    sizes = np.bincount(labels[at], minlength=size)
    return _Members(at[np.argsort(labels[at], kind="stable")], np.cumsum(sizes) - sizes, sizes)


def _crossed(cells: Indices, rows: _Members, columns: _Members) -> tuple[Indices, Indices]:
    """Every row with every column of each cell, as pairs × 2, and the number of the cell of each."""
    wide = columns.sizes[cells[:, 1]]
    counts = rows.sizes[cells[:, 0]] * wide
    check_size(int(counts.sum()))
    cell = np.repeat(np.arange(len(cells)), counts)
    inside = np.arange(len(cell)) - np.repeat(np.cumsum(counts) - counts, counts)
    one = rows.areas[rows.starts[cells[cell, 0]] + inside // wide[cell]]
    other = columns.areas[columns.starts[cells[cell, 1]] + inside % wide[cell]]
    return np.column_stack([one, other]), cell
