"""Which areas could as well have been treated: sets that look like the treated one, drawn once.

What is relabelled is what was assigned: whole units where the comparison areas have units of the same sort,
otherwise sets of adjoining areas of the same sizes, since neighbourhoods are clumps and adjoining areas
move together. Each unit of a set is of like level: among the third of candidates nearest in level to
the treated unit it stands for (at least a hundred), because small and large areas differ in how they vary.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.neighbours import neighbour_table
from whatworks_eval.records import PlaceboSets

DRAWS = 9_999
Like = tuple[float, int]
LIKE: Like = (1 / 3, 100)
"""Share of candidates that count as of like level, and how many at least.

A single rank over all levels rejects 1 to 20 % by level on real counts; a hundred keep the smallest p near
0.01.
"""
LIKE_MATCHED: Like = (1 / 10, 40)
"""The same where the comparison is matched on level: the treated may all have been picked at the top.

On real counts the wider span rejects up to 14 % there: few of its places are as high as the treated.
"""
ENUMERATE_UP_TO = 20_000
LIBRARY = 2_000  # candidate clumps of one size
COMPACT = 4.0  # the power that draws the next source towards the first members
TRIES = 60  # to place a unit beside those already in the set
CELLS = 30_000_000  # draws × rows held at once
PLACES = 2_000_000  # draws × rows in a set: with thousands treated, fewer draws serve as well
FEWEST_DRAWS = 999


def draw_sets(
    *,
    row: NDArray[np.intp],
    treated_groups: Sequence[NDArray[np.intp]],
    level: NDArray[np.float64],
    pairs: NDArray[np.intp],
    seed: int,
    unit_word: str,
    draws: int = DRAWS,
    like: Like = LIKE,
) -> PlaceboSets:
    """Sets of rows that could as well have been the treated ones.

    Args:
        row: Row of each area, -1 for areas in no arm.
        treated_groups: Rows of each treated unit.
        level: Incidents by row that 'like level' is judged on.
        pairs: Adjoining rows; only needed where a treated unit holds several rows.
        seed: Of the draws. Rows should come in an order that does not depend on area names.
        unit_word: What a group of several rows, or a row, is called: 'areas', 'whole units'.
        draws: Sets wanted; all of them where there are no more than 20,000.
        like: Share of candidates that count as of like level, and how many at least.
    """
    rows = len(level)
    treated = np.sort(np.concatenate(list(treated_groups)))
    sizes = [len(group) for group in treated_groups]
    nearest = _like(rows, like)
    single = all(size == 1 for size in sizes)
    if single and rows <= nearest and math.comb(rows, len(sizes)) <= ENUMERATE_UP_TO:
        members = np.array(list(itertools.combinations(range(rows), len(sizes))), dtype=np.intp)
        how = f"every set of {len(sizes)} of the {rows} {unit_word}"
        return _finish(row, rows, treated, members, sizes, exact=True, how=how)
    rng = np.random.default_rng(seed)
    if single and len(sizes) == 1:
        members = _nearest(level, float(level[treated[0]]), nearest)[:, None]
        how = f"each of the {len(members)} {unit_word} of like level"
        return _finish(row, rows, treated, members, sizes, exact=True, how=how)
    library: dict[int, NDArray[np.intp]] = {1: np.arange(rows, dtype=np.intp)[:, None]}
    table = None if single else neighbour_table(pairs, rows)
    for size in sorted(set(sizes) - {1}):
        assert table is not None
        library[size] = _library(table.tobytes(), table.shape[1], size, seed)
    slots = []
    in_order = sorted(treated_groups, key=len, reverse=True)
    for group in in_order:
        candidates = library[len(group)]
        if not len(candidates):
            continue
        totals = level[candidates].sum(axis=1)
        enough = _like(len(candidates), like)
        slots.append(candidates[_nearest(totals, float(level[group].sum()), enough)])
    if len(slots) < len(sizes):
        members = np.empty((0, len(treated)), dtype=np.intp)
    elif len(slots) == 1:
        members = slots[0]
    else:
        wanted = min(draws, max(FEWEST_DRAWS, PLACES // len(treated)))
        members = _fill(slots, rows, wanted, rng)
    drawn = _finish(row, rows, treated, members, sizes, exact=False, how=_describe(sizes, unit_word))
    return replace(drawn, stands_for=np.concatenate(in_order))


def _like(candidates: int, like: Like) -> int:
    return max(like[1], math.ceil(candidates * like[0]))


def fewer(sets: PlaceboSets, most: int) -> PlaceboSets:
    """At most so many of the sets, taken evenly, where a look is enough.

    Sets of one unit stand in order of level, so that the first of them would be the smallest places.
    """
    if len(sets.members) <= most:
        return sets
    members = sets.members[np.linspace(0, len(sets.members) - 1, most).round().astype(np.intp)]
    return replace(
        sets, members=members, exact=False, smallest_p=max(sets.smallest_p, 1 / (1 + len(members)))
    )


def _finish(
    row: NDArray[np.intp],
    rows: int,
    treated: NDArray[np.intp],
    members: NDArray[np.intp],
    sizes: Sequence[int],
    *,
    exact: bool,
    how: str,
) -> PlaceboSets:
    """The record, with the floor of its p-values.

    Overlapping clumps are not separate places, so for clumps of m areas the floor counts the separate
    places there is room for. Where half of all rows are treated, a set and its complement are as far apart
    either way, so each place counts for half.
    """
    room = rows // max(1, round(sum(sizes) / len(sizes)))
    places = math.comb(max(room, len(sizes)), len(sizes))
    available = len(members) if exact else len(members) + 1
    mirrored = 2 if exact and 2 * len(treated) == rows else 1
    return PlaceboSets(
        row=row,
        rows=rows,
        treated=treated,
        members=members,
        exact=exact,
        how=how,
        smallest_p=min(1.0, mirrored / min(places, available)) if len(members) else 1.0,
    )


def _describe(sizes: Sequence[int], unit_word: str) -> str:
    if all(size == 1 for size in sizes):
        return f"sets of {len(sizes)} {unit_word} of like level"
    if len(sizes) == 1:
        return f"sets of {sizes[0]} adjoining areas of like level"
    low, high = min(sizes), max(sizes)
    span = f"{low}" if low == high else f"{low} to {high}"
    return f"sets of {len(sizes)} clumps of {span} adjoining areas of like level"


def _nearest(level: NDArray[np.float64], target: float, wanted: int) -> NDArray[np.intp]:
    """The candidates nearest in rank of level to the target, ties in level kept together."""
    order: NDArray[np.intp] = np.argsort(level, kind="stable")
    if len(order) <= wanted:
        return order
    middle = (
        int(
            np.searchsorted(level[order], target, side="left")
            + np.searchsorted(level[order], target, side="right")
        )
        // 2
    )
    first = min(max(0, middle - wanted // 2), len(order) - wanted)
    last = first + wanted
    while first > 0 and level[order[first - 1]] == level[order[first]]:
        first -= 1
    while last < len(order) and level[order[last]] == level[order[last - 1]]:
        last += 1
    return order[first:last]


@lru_cache(maxsize=8)
def _library(table: bytes, degree: int, size: int, seed: int) -> NDArray[np.intp]:
    """Clumps of one size for one map: grown once, since every baseline and measure asks for the same."""
    neighbours = np.frombuffer(table, dtype=np.intp).reshape(-1, degree)
    grown = _grow(neighbours, size, np.random.default_rng([seed, size]))
    grown.flags.writeable = False
    return grown


def _grow(table: NDArray[np.intp], size: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Random sets of `size` adjoining rows, grown one neighbour at a time from every row in turn.

    Half grow from any member, half mostly from early ones, which keeps them round: the places a project
    picks are either. On real counts rounder clumps move together a little more.
    """
    rows, degree = table.shape
    grown = np.full((max(1, -(-LIBRARY // rows)) * rows, size), -1, dtype=np.intp)
    grown[:, 0] = np.resize(np.arange(rows), len(grown))
    filled = np.ones(len(grown), dtype=np.intp)
    quick = len(grown) * rows <= CELLS  # a table of who is in: quicker than comparing, where it fits
    inside = np.zeros((len(grown), rows) if quick else (0, 0), dtype=bool)
    if quick:
        inside[np.arange(len(grown)), grown[:, 0]] = True
    for _ in range(40 * size):
        open_sets = np.flatnonzero(filled < size)
        if not len(open_sets):
            break
        towards_seed = np.where(open_sets % 2 == 0, 1.0, COMPACT)
        member = (filled[open_sets] * rng.random(len(open_sets)) ** towards_seed).astype(np.intp)
        source = grown[open_sets, member]
        found = table[source, rng.integers(0, degree, size=len(open_sets))]
        if quick:
            good = (found >= 0) & ~inside[open_sets, found]
            inside[open_sets[good], found[good]] = True
        else:
            good = (found >= 0) & ~(grown[open_sets] == found[:, None]).any(axis=1)
        chosen = open_sets[good]
        grown[chosen, filled[chosen]] = found[good]
        filled[chosen] += 1
    whole: NDArray[np.intp] = grown[filled == size]
    return whole


def _fill(
    slots: Sequence[NDArray[np.intp]], rows: int, draws: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draws that take one candidate per slot, no row twice; draws with no room left are given up."""
    width = sum(candidates.shape[1] for candidates in slots)
    parts = []
    at_once = max(1, min(draws, CELLS // rows))
    for first in range(0, draws, at_once):
        count = min(at_once, draws - first)
        taken = np.zeros((count, rows), dtype=bool)
        members = np.empty((count, width), dtype=np.intp)
        placed = np.ones(count, dtype=bool)
        column = 0
        for candidates in slots:
            size = candidates.shape[1]
            waiting = np.arange(count)
            for _ in range(TRIES):
                picked = candidates[rng.integers(0, len(candidates), size=len(waiting))]
                clash = taken[waiting[:, None], picked].any(axis=1)
                done = waiting[~clash]
                members[done, column : column + size] = picked[~clash]
                taken[done[:, None], picked[~clash]] = True
                waiting = waiting[clash]
                if not len(waiting):
                    break
            placed[waiting] = False
            column += size
        parts.append(members[placed])
    return np.vstack(parts)
