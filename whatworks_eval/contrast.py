"""Who is compared with whom, in which units: declared, or matched on what was known before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.areas import AreaList, read_areas, read_units
from whatworks_eval.errors import CannotEstimate, DataError
from whatworks_eval.inference.allocation_sets import checked_blocks
from whatworks_eval.inference.neighbours import adjoining_pairs, clumps
from whatworks_eval.matched import by_features, on_level_alone
from whatworks_eval.matching.level import match_on_level
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.protocol_tables import Areas, Buffer
from whatworks_eval.records import Contrast, Data
from whatworks_eval.starts import apart_by_start, starts_of
from whatworks_eval.windows import rewindow, usable

Basis = Literal["column", "lookup", "contiguous", "area", "found", "not stated"]
NEARBY_PER_TREATED = 3  # areas in the ring for each treated area
NEARBY_AT_LEAST = 20

ARM_NAMES = {"treated": "treated areas", "comparison": "comparison areas", "buffer": "buffer"}


def build_contrast(protocol: Protocol, data: Data) -> Contrast:
    """Who is compared with whom, as declared, from the areas in the data.

    Raises:
        DataError: Where a declared area is not in the data or in two arms, or a table cannot be read.
        CannotEstimate: Where an arm is empty.
    """
    if not isinstance(data, Panel):
        return _of_totals(protocol)
    assert protocol.areas is not None
    areas = protocol.areas
    treated = read_areas(areas.treated, protocol.base, "areas.treated")
    given = (
        read_areas(areas.comparison, protocol.base, "areas.comparison")
        if areas.comparison is not None and not isinstance(areas.comparison, str)
        else None
    )
    buffer_given = (
        read_areas(areas.buffer, protocol.base, "areas.buffer") if isinstance(areas.buffer, tuple) else None
    )
    _check_present(data, {"areas.treated": treated, "areas.comparison": given, "areas.buffer": buffer_given})
    buffer = (set(buffer_given.codes) if buffer_given else _near(data, treated.codes, areas.buffer)) - set(
        treated.codes
    )
    others = [area for area in data.areas if area not in buffer and area not in set(treated.codes)]
    comparison = [area for area in given.codes if area not in buffer] if given else others
    units, basis, comparison_units = _units(protocol, data, treated, given, comparison)
    if basis in ("found", "contiguous"):
        units = apart_by_start(units, treated.starts)
    contrast = Contrast(
        treated=tuple(sorted(treated.codes)),
        comparison=tuple(sorted(comparison)) if areas.comparison is not None else (),
        buffer=tuple(sorted(buffer)),
        pool=tuple(sorted(others)) if areas.comparison is None else (),
        units=units,
        unit_basis=basis,
        comparison_units=comparison_units,
        chosen=_how_chosen(areas),
        starts=starts_of(protocol, treated, units),
        by_lot=protocol.intervention.assignment == "random" and areas.comparison not in (None, "matched"),
        blocks=_blocks(treated, given, units),
    )
    if protocol.method == "crossover":
        return replace(contrast, pool=(), chosen="the same areas, and others, while switched off")
    if areas.comparison is not None and not contrast.comparison:
        last = (
            ". Where every area starts in the end, name the last to start as the comparison and end "
            "windows.after before they do"
            if contrast.starts
            else ""
        )
        raise CannotEstimate(
            "areas.comparison: no comparison area is left once treated and buffer areas are taken out; "
            f"name more areas, or make areas.buffer smaller{last}"
        )
    kept = usable(protocol, data, {*contrast.treated, *contrast.comparison, *contrast.pool})
    if areas.comparison == "matched":
        if on_level_alone(protocol.matching):
            contrast = level_matched(data, contrast, protocol.matching.per_treated, protocol)
        else:
            contrast = by_features(data, contrast, protocol)
    if kept.areas_dropped:
        contrast = _without(contrast, kept.areas_dropped)
    return contrast


def level_matched(panel: Panel, contrast: Contrast, per_treated: int, protocol: Protocol) -> Contrast:
    """The contrast with its comparison areas replaced by those nearest in before level to each treated area.

    Each treated area is compared with the mean of its matches; a comparison area's weight is the sum of
    its shares. Only the before window is looked at.
    """
    wide = replace(
        contrast,
        comparison=(),
        pool=tuple(sorted({*contrast.comparison, *contrast.pool})),
        weights=None,
        pairs=(),
        matches=None,
        unmatched={},
    )
    windowed = rewindow(panel, wide, usable(protocol, panel, {*wide.treated, *wide.pool}))
    in_pool = windowed.arm == "pool"
    if not in_pool.any():
        raise CannotEstimate("areas.comparison = 'matched': there is no area to choose from")
    matches = match_on_level(windowed.before, in_pool, per_treated)
    weights: dict[str, float] = {}
    pairs = []
    for at in np.flatnonzero(windowed.arm == "treated"):
        found = matches.of(int(at))
        for other in found:
            area = windowed.areas[other]
            weights[area] = weights.get(area, 0.0) + 1.0 / len(found)
            pairs.append((windowed.areas[at], area))
    return replace(
        wide,
        comparison=tuple(sorted(weights)),
        pool=tuple(area for area in wide.pool if area not in weights),
        weights=dict(sorted(weights.items())),
        pairs=tuple(sorted(pairs)),
        chosen=f"the {per_treated} areas nearest in before count to each treated area, ties included",
    )


def nearby(panel: Panel, contrast: Contrast) -> Contrast:
    """The contrast with the untreated areas nearest to the treated as its comparison.

    Raises:
        CannotEstimate: Where it is not known where areas are, or there are too few others to choose from.
    """
    if panel.centroids is None:
        raise CannotEstimate("the data have no centroids, so it is not known which areas are nearby")
    from scipy.spatial import cKDTree

    position = {area: at for at, area in enumerate(panel.areas)}
    others = sorted({*contrast.comparison, *contrast.pool})
    ends = panel.centroids[[position[area] for area in contrast.treated]]
    places = panel.centroids[[position[area] for area in others]]
    known = np.isfinite(places).all(axis=1)
    if not np.isfinite(ends).all() or not known.any():
        raise CannotEstimate("the place of some treated areas, or of all others, is not known")
    distance = np.full(len(others), np.inf)
    distance[known] = cKDTree(ends).query(places[known])[0]
    wanted = max(NEARBY_AT_LEAST, NEARBY_PER_TREATED * len(contrast.treated))
    if wanted >= known.sum():
        raise CannotEstimate(
            f"the nearest {wanted} areas would be all {known.sum()} others, so this is no other comparison"
        )
    near = [others[at] for at in np.argsort(distance, kind="stable")[:wanted]]
    return replace(
        contrast,
        comparison=tuple(sorted(near)),
        pool=(),
        weights=None,
        pairs=(),
        chosen=f"the {wanted} areas nearest to the treated",
    )


def adjoining_as_units(panel: Panel, contrast: Contrast) -> Contrast | None:
    """The contrast with adjoining treated areas as one unit, where each was declared its own.

    None where no two treated areas adjoin, or where it is not known where areas are.
    """
    if contrast.unit_basis != "area" or panel.centroids is None:
        return None
    units = _clumped(panel, contrast.treated, "finding units")
    if len(set(units.values())) == len(contrast.treated):
        return None
    return replace(
        contrast, units=units, unit_basis="contiguous", comparison_units=False, by_lot=False, blocks={}
    )


def _of_totals(protocol: Protocol) -> Contrast:
    totals, changes = protocol.outcome.totals, protocol.outcome.changes
    arms = {
        "comparison": (totals.comparison if totals else None) or (changes.comparison if changes else None),
        "buffer": totals.buffer if totals else None,
    }
    has = {name: value is not None for name, value in arms.items()}
    if changes is not None:
        has["comparison"] = changes.comparison is not None
    return Contrast(
        treated=("treated",),
        comparison=("comparison",) if has["comparison"] else (),
        buffer=("buffer",) if has["buffer"] else (),
        units={"treated": "treated", "comparison": "comparison"},
        unit_basis="not stated",
        comparison_units=False,
        chosen="as published" if changes else "as given",
    )


def _blocks(treated: AreaList, given: AreaList | None, units: Mapping[str, str]) -> dict[str, str]:
    lists = {"treated": treated} | ({} if given is None else {"comparison": given})
    return checked_blocks(
        {arm: listed.blocks for arm, listed in lists.items()},
        units,
        {arm: listed.codes for arm, listed in lists.items()},
    )


def _how_chosen(areas: Areas) -> str:
    if areas.comparison is None:
        return "none"
    if areas.comparison == "rest":
        return "every other area in the data"
    return "named in the protocol" if isinstance(areas.comparison, tuple) else "listed in a file"


def _check_present(panel: Panel, lists: Mapping[str, AreaList | None]) -> None:
    """Every declared area is in the data, and none is in two arms; all problems at once."""
    known, problems = set(panel.areas), []
    for key, given in lists.items():
        absent = [area for area in given.codes if area not in known] if given else []
        if absent:
            dropped = [area for area in absent if area in panel.ledger.areas_dropped]
            hint = (
                f"; {dropped[0]} was left out: {panel.ledger.areas_dropped[dropped[0]]}"
                if dropped
                else "; check the codes, their boundary year (2011 or 2021) and areas.home"
            )
            shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
            of_all = f"{len(absent)} of {len(given.codes) if given else 0}"
            problems.append(f"{key}: {of_all} areas are not in the data: {shown}{hint}")
    keys = [key for key, given in lists.items() if given]
    for at, first in enumerate(keys):
        for second in keys[at + 1 :]:
            one, other = lists[first], lists[second]
            shared = sorted(set(one.codes) & set(other.codes)) if one and other else []
            if shared:
                problems.append(
                    f"{first} and {second} both hold {', '.join(shared[:5])}; an area can be in one arm only"
                )
    if problems:
        raise DataError(problems)


def _near(panel: Panel, treated: Iterable[str], buffer: Buffer | tuple[str, ...] | None) -> set[str]:
    """Areas the declared buffer holds, from centroids."""
    if buffer is None or isinstance(buffer, tuple):
        return set()
    if panel.centroids is None:
        raise DataError(
            "areas.buffer needs to know where areas are, and the data have no centroids; name the codes"
        )
    position = {area: at for at, area in enumerate(panel.areas)}
    inside = np.array([position[area] for area in treated], dtype=np.intp)
    found: set[int] = set()
    if buffer.within_m is not None:
        from scipy.spatial import cKDTree

        known = np.flatnonzero(np.isfinite(panel.centroids).all(axis=1))
        ends = inside[np.isfinite(panel.centroids[inside]).all(axis=1)]
        if len(ends):
            distance, _ = cKDTree(panel.centroids[ends]).query(panel.centroids[known])
            found |= set(known[distance <= buffer.within_m].tolist())
    if buffer.adjacent_to is not None:
        pairs = adjoining_pairs(panel.centroids)
        touching = np.isin(pairs, inside)
        found |= set(pairs[touching.any(axis=1)].ravel().tolist())
    return {panel.areas[at] for at in found}


def _units(  # noqa: PLR0911 - one return for each place units can come from, in order of trust
    protocol: Protocol, panel: Panel, treated: AreaList, given: AreaList | None, comparison: Iterable[str]
) -> tuple[dict[str, str], Basis, bool]:
    """Unit of each area, where units come from, and whether the comparison areas have the same sort."""
    assert protocol.areas is not None
    declared = protocol.areas.unit
    codes = set(treated.codes)
    by_row = treated.blocks or protocol.method == "crossover"  # the rows of the lot are what it was drawn for
    if declared == "area" or (declared is None and by_row and not treated.units):
        return {area: area for area in {*codes, *comparison}}, "area", True
    if declared is not None and not isinstance(declared, str):
        lookup = read_units(declared, protocol.base)
        others = set(comparison)
        # Known for the treated alone, as with a column of the treated file; known for some would make each of
        # the rest a unit by itself, and a comparison of many small units looks surer than it is.
        alike = bool(others & lookup.keys())
        needed = codes | others if alike and protocol.areas.comparison is not None else codes
        if absent := sorted(needed - lookup.keys()):
            some = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
            who = "treated" if codes - lookup.keys() else "comparison"
            raise DataError(
                f"areas.unit: {declared.file} has no unit for {len(absent)} areas, some of them {who}: {some}"
                "; add a row for each"
            )
        return {area: lookup[area] for area in codes | others if area in lookup}, "lookup", alike
    if declared == "contiguous":
        return _clumped(panel, treated.codes, "areas.unit = 'contiguous'"), "contiguous", False
    if treated.units:
        units = dict(treated.units)
        if given is not None and given.units:
            return units | dict(given.units), "column", True
        if panel.units is not None:  # the comparison's units come with the data
            units |= {area: panel.units[area] for area in comparison if area in panel.units}
            return units, "column", True
        return units, "column", False
    if panel.units is not None and codes <= panel.units.keys():
        known = {area: panel.units[area] for area in {*codes, *comparison} if area in panel.units}
        return known, "column", True
    if panel.centroids is not None and len(panel.areas) > len(codes):
        return _clumped(panel, treated.codes, "finding units"), "found", False
    return {area: area for area in {*codes, *comparison}}, "not stated", True


def _clumped(panel: Panel, treated: Iterable[str], what_for: str) -> dict[str, str]:
    """Treated areas that adjoin, as one unit each, named after their first area."""
    if panel.centroids is None:
        raise DataError(f"{what_for} needs to know where areas are, and the data have no centroids")
    position = {area: at for at, area in enumerate(panel.areas)}
    inside: NDArray[np.intp] = np.array(sorted(position[area] for area in treated), dtype=np.intp)
    units: dict[str, str] = {}
    for group in clumps(adjoining_pairs(panel.centroids), inside):
        name = (
            panel.areas[group[0]]
            if len(group) == 1
            else f"{panel.areas[group[0]]} and {len(group) - 1} adjoining"
        )
        units |= {panel.areas[at]: name for at in group.tolist()}
    return units


def _without(contrast: Contrast, dropped: Mapping[str, str]) -> Contrast:
    """The contrast with areas that had to leave taken out of every arm."""

    def staying(areas: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(area for area in areas if area not in dropped)

    left = replace(
        contrast,
        treated=staying(contrast.treated),
        comparison=staying(contrast.comparison),
        buffer=staying(contrast.buffer),
        pool=staying(contrast.pool),
        dropped={
            **contrast.dropped,
            **{
                area: dropped[area]
                for area in (*contrast.treated, *contrast.comparison, *contrast.buffer)
                if area in dropped
            },
        },
    )
    for name in ("treated", "comparison"):
        if getattr(contrast, name) and not getattr(left, name):
            area = getattr(contrast, name)[0]
            raise CannotEstimate(
                f"areas.{name}: no area is left; too much is missing for each (for {area}: {dropped[area]})"
            )
    return left
