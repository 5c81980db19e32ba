"""From a Contrast to the rows, donors and placebo sets of a synthetic comparison: like stands for like.

A donor is what a treated unit is: a whole unit where comparison areas have units of the same sort, an area
where each is its own, else a clump of as many adjoining areas as the treated units hold, no two sharing one.

Placebo sets are those of every method, but for several single areas: there the ranks of level among which
each treated area's stand-ins are drawn turn back at both ends of the order. Windows that stop there hold
the middle too often: the smallest and largest areas, which stray furthest, are then treated twice as often
as they stand in placebo sets. On 8 real cells of three areas that added 0.41 points to a rejection of 5 %
(-0.07 to 0.90; turned back 0.04), and 11 % was rejected in two where all three were of the smallest sixth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.inference.neighbours import adjoining_pairs
from whatworks_eval.inference.placebo_sets import LIKE, TRIES, fewer
from whatworks_eval.inference.relabelling import sets_for
from whatworks_eval.inference.separate_clumps import separate_clumps
from whatworks_eval.methods.result import centroids_of
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, PlaceboSets, Windowed
from whatworks_eval.synthetic.sets_test import SetCounts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """What every synthetic estimate of one design shares.

    Attributes:
        counts: Incidents by row and period, and the donors.
        sets: Placebo sets.
        names: Name of each donor.
        areas: Areas of each donor.
        donor_word: What a donor is, in the plural.
        periods: Periods used, before then after.
    """

    counts: SetCounts
    sets: PlaceboSets
    names: tuple[str, ...]
    areas: tuple[tuple[str, ...], ...]
    donor_word: str
    periods: tuple[str, ...]


def setting_of(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, *, most_sets: int
) -> Setting:
    """Rows, donors and placebo sets of a design.

    Raises:
        DataError: A donor that is no comparison area.
    """
    assert windowed.index is not None
    assert windowed.before_mask is not None
    assert windowed.after_mask is not None
    centroids = centroids_of(panel, windowed)
    sets = fewer(sets_for(contrast, windowed, centroids, seed=protocol.seed, draws=most_sets), most_sets)
    inside = sets.row >= 0
    counts = panel.counts[windowed.index]

    def by_row(values: NDArray[np.float64]) -> NDArray[np.float64]:
        added = np.zeros((sets.rows, values.shape[1]))
        np.add.at(added, sets.row[inside], values[inside])
        return added

    before, after = by_row(counts[:, windowed.before_mask]), by_row(counts[:, windowed.after_mask])
    groups = _treated_groups(contrast, windowed, sets)
    if not contrast.by_lot and all(len(group) == 1 for group in groups):
        sets = drawn_evenly(sets, before.sum(axis=1) + after.sum(axis=1), seed=protocol.seed)
    size = int(np.median([len(group) for group in groups]))
    free = np.zeros(sets.rows, dtype=bool)
    free[sets.row[_may_be_mixed(protocol, contrast, windowed, sets)]] = True
    if size > 1:
        middle = _middles(sets, centroids)
        pairs = adjoining_pairs(middle)
        if not len(pairs):  # nowhere to grow clumps: areas stand for areas
            size = 1
    found = (
        separate_clumps(pairs, middle, free, size)
        if size > 1
        else [np.array([row], dtype=np.intp) for row in np.flatnonzero(free)]
    )
    areas = _areas_of(found, windowed, sets)
    return Setting(
        counts=SetCounts(
            before=before,
            after=after,
            treated=sets.treated,
            units=len(groups) if size == len(groups[0]) else max(1, len(sets.treated) // size),
            donors=(*found, *(group for group in groups if len(group) == size)),
            most=protocol.synthetic.most_donors,
        ),
        sets=sets,
        names=tuple(_name(held, contrast) for held in areas),
        areas=areas,
        donor_word=_word(size, contrast),
        periods=(*windowed.periods[0], *windowed.periods[1]),
    )


def drawn_evenly(sets: PlaceboSets, level: NDArray[np.float64], *, seed: int) -> PlaceboSets:
    """Sets of several single rows of like level drawn anew: each row as often as it would be treated.

    A row as many ranks above a treated one as there are below it stands for it as often; ranks beyond an end
    count back from it, so that any row stands for another as often as that one for it.

    Args:
        sets: As drawn; left as they are where every set is there, one row is treated, or all are of like
            level.
        level: Incidents by row that 'like level' is judged on.
        seed: Of the draws.

    Example:
        >>> drawn = PlaceboSets(row=np.arange(400), rows=400, treated=np.array([0, 7]), exact=False, how="",
        ...                     members=np.zeros((999, 2), dtype=np.intp), smallest_p=0.01,
        ...                     stands_for=np.array([0, 7]))
        >>> found = drawn_evenly(drawn, np.arange(400.0), seed=1)
        >>> found.members.shape, int(found.members.max()) < 75  # of 134 of like level, half above
        ((999, 2), True)
    """
    near = max(LIKE[1], math.ceil(sets.rows * LIKE[0]))
    if sets.exact or sets.stands_for is None or len(sets.treated) < 2 or sets.rows <= near:
        return sets
    rng = np.random.default_rng(seed)
    order = np.argsort(level, kind="stable")
    rank = np.empty(sets.rows, dtype=np.intp)
    rank[order] = np.arange(sets.rows)
    members = np.full((len(sets.members), len(sets.stands_for)), -1, dtype=np.intp)
    waiting = np.arange(len(members))
    for column, centre in enumerate(rank[sets.stands_for]):
        placed = [waiting[:0]]
        for _ in range(TRIES):
            place = centre + rng.integers(-(near // 2), near // 2 + 1, size=len(waiting))
            place = np.where(place < 0, -1 - place, np.minimum(place, 2 * sets.rows - 1 - place))
            taken = (members[waiting, :column] == order[place][:, None]).any(axis=1)
            members[waiting[~taken], column] = order[place[~taken]]
            placed.append(waiting[~taken])
            waiting = waiting[taken]
            if not len(waiting):
                break
        waiting = np.sort(np.concatenate(placed))
    return replace(sets, members=members[waiting])


def _treated_groups(contrast: Contrast, windowed: Windowed, sets: PlaceboSets) -> list[NDArray[np.intp]]:
    """Rows of each treated unit, the largest first."""
    units: dict[str, set[int]] = {}
    for at in np.flatnonzero(windowed.arm == "treated"):
        area = windowed.areas[at]
        units.setdefault(contrast.units.get(area, area), set()).add(int(sets.row[at]))
    groups = sorted((sorted(rows) for rows in units.values()), key=lambda rows: (-len(rows), rows))
    return [np.array(rows, dtype=np.intp) for rows in groups]


def _may_be_mixed(
    protocol: Protocol, contrast: Contrast, windowed: Windowed, sets: PlaceboSets
) -> NDArray[np.intp]:
    """Positions of comparison areas that may be mixed: all, or those the protocol names.

    A unit is mixed whole, so naming one of its areas names it.
    """
    comparison = np.flatnonzero((windowed.arm == "comparison") & (sets.row >= 0))
    named = protocol.synthetic.donors
    if named is None:
        return comparison
    strange = sorted(set(named) - set(contrast.comparison))
    if strange:
        raise DataError(
            f"synthetic.donors: {len(strange)} of {len(named)} are no comparison areas in the data: "
            f"{', '.join(strange[:5])}; check the codes, or add them to areas.comparison"
        )
    return np.array([at for at in comparison if windowed.areas[at] in set(named)], dtype=np.intp)


def _middles(sets: PlaceboSets, centroids: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Places of the rows; clumps are only asked for where each row is one area."""
    middle = np.full((sets.rows, 2), np.nan)
    if centroids is not None:
        inside = sets.row >= 0
        middle[sets.row[inside]] = centroids[inside]
    return middle


def _areas_of(
    donors: list[NDArray[np.intp]], windowed: Windowed, sets: PlaceboSets
) -> tuple[tuple[str, ...], ...]:
    held: dict[int, list[str]] = {}
    for at, row in enumerate(sets.row):
        held.setdefault(int(row), []).append(windowed.areas[at])
    return tuple(tuple(sorted(area for row in donor for area in held[int(row)])) for donor in donors)


def _name(areas: tuple[str, ...], contrast: Contrast) -> str:
    if len(areas) == 1:
        return contrast.units.get(areas[0], areas[0]) if contrast.comparison_units else areas[0]
    units = {contrast.units.get(area, area) for area in areas}
    if contrast.comparison_units and len(units) == 1:
        return units.pop()
    return f"{areas[0]} and {len(areas) - 1} adjoining"


def _word(size: int, contrast: Contrast) -> str:
    if size > 1:
        return f"clumps of {size} adjoining areas"
    return "whole units" if contrast.comparison_units and contrast.unit_basis != "area" else "areas"
