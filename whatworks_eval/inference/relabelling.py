"""From a Contrast to its placebo sets: what is relabelled follows from what was assigned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.allocation_sets import allocation_sets
from whatworks_eval.inference.neighbours import adjoining_pairs
from whatworks_eval.inference.placebo_sets import DRAWS, LIKE, LIKE_MATCHED, draw_sets
from whatworks_eval.matching.level import Matches, match_on_level
from whatworks_eval.records import Contrast, PlaceboSets, Windowed

Floats = NDArray[np.float64]


def sets_for(
    contrast: Contrast,
    windowed: Windowed,
    centroids: Floats | None,
    *,
    seed: int,
    draws: int = DRAWS,
) -> PlaceboSets:
    """Placebo sets for a contrast: whole units, single areas or clumps, never the buffer.

    Where a lot decided, and the units of both arms are known, they are the allocations it could have drawn.

    Rows are numbered by their counts and places, not by their names, so that renaming or reordering
    areas changes nothing. 'Like level' is the total of both windows, which favours neither direction; with
    a matched comparison it is the before count, on which the treated areas may have been picked.

    Args:
        contrast: Who is compared with whom.
        windowed: Counts by area.
        centroids: Areas of `windowed` × 2, metres; None where not known.
        seed: Of the draws.
        draws: Sets wanted.
    """
    inside = np.flatnonzero(windowed.arm != "buffer")
    matched = contrast.weights is not None
    treated = windowed.arm == "treated"
    level = windowed.before if matched else windowed.before + windowed.after
    places = np.full((len(windowed.areas), 2), np.nan) if centroids is None else centroids
    whole_units = contrast.comparison_units
    if whole_units:  # an area without a known unit is its own; a unit in both arms is two rows
        names = [
            (contrast.units.get(windowed.areas[at], windowed.areas[at]), bool(treated[at])) for at in inside
        ]
        labels = {name: number for number, name in enumerate(dict.fromkeys(names))}
        group = np.array([labels[name] for name in names], dtype=np.intp)
    else:
        group = np.arange(len(inside), dtype=np.intp)
    size = int(group.max(initial=-1)) + 1

    def total(values: Floats) -> Floats:
        return np.bincount(group, weights=values[inside], minlength=size).astype(float)

    before, after, known = (
        total(windowed.before),
        total(windowed.after),
        total(np.isfinite(places[:, 0]) * 1.0),
    )
    middle = np.column_stack([total(np.nan_to_num(places[:, axis])) for axis in (0, 1)])
    middle = np.where(known[:, None] > 0, middle / np.maximum(known, 1)[:, None], np.nan)
    alike = total(np.zeros(len(windowed.areas)) if windowed.rank is None else windowed.rank.astype(float))
    by_place = np.nan_to_num(middle[:, 1]), np.nan_to_num(middle[:, 0])
    order = np.lexsort((total(treated * 1.0), alike, after, *by_place, before))
    number = np.empty(size, dtype=np.intp)
    number[order] = np.arange(size)
    row = np.full(len(windowed.areas), -1, dtype=np.intp)
    row[inside] = number[group]
    unit_word = "whole units" if whole_units and contrast.unit_basis != "area" else "areas"
    if contrast.by_lot and whole_units:  # what the lot could have drawn is known: nothing else is asked
        named = {name: at for at, name in enumerate(dict.fromkeys(contrast.blocks.values()))}
        block = np.zeros(size, dtype=np.intp)
        for at in inside:
            block[row[at]] = named.get(contrast.blocks.get(windowed.areas[at], ""), 0)
        return allocation_sets(
            row=row,
            treated=np.unique(row[treated]),
            block=block,
            seed=seed,
            unit_word=unit_word,
            in_order=bool(contrast.starts),
            draws=draws,
        )
    treated_units: dict[str, set[int]] = {}
    for at in np.flatnonzero(treated):
        area = windowed.areas[at]
        treated_units.setdefault(contrast.units.get(area, area), set()).add(int(row[at]))
    groups = sorted((np.array(sorted(rows), dtype=np.intp) for rows in treated_units.values()), key=tuple)
    several = any(len(rows) > 1 for rows in groups)
    pairs = adjoining_pairs(middle[order]) if several else np.empty((0, 2), dtype=np.intp)
    if several and not len(pairs):  # nowhere to grow clumps: every area of a unit moves on its own
        groups = [np.array([at]) for rows in groups for at in rows]
    return draw_sets(
        row=row,
        treated_groups=groups,
        level=total(level)[order],
        pairs=pairs,
        seed=seed,
        unit_word=unit_word,
        draws=draws,
        like=LIKE_MATCHED if matched else LIKE,
    )


def matches_of(contrast: Contrast, windowed: Windowed, per_area: int) -> Matches | None:
    """The matched comparison of every area that could have been treated; None where nothing was matched.

    Matches are made on the registered before window, or on the features the contrast's own were made on.
    """
    if contrast.weights is None:
        return None
    if contrast.matches is not None:
        return contrast.matches.for_areas(windowed.areas)
    pool = (windowed.arm == "comparison") | (windowed.arm == "pool")
    return match_on_level(windowed.before, pool, per_area)
