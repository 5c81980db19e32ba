"""What is known of each area, put in the order of a panel's areas; what does not fit is noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.sources.cells import few, frame_columns
from whatworks_eval.sources.tables import text_of

AREA = "area"


def by_area(values: Any, areas: Sequence[str], what: str, notes: list[str]) -> NDArray[np.float64]:
    """Values in the order of the areas, NaN where there is none; areas on one side only are noted.

    Args:
        values: A mapping of area to number, a Series with the area as index, or a dataframe with a column
            'area' and one other.
        areas: The panel's areas.
        what: What the values are, for messages.
        notes: Sentences for the ledger are added here.

    Example:
        >>> by_area({"a": 5, "b": None}, ["a", "b", "c"], "residents", [])
        array([ 5., nan, nan])
    """
    clean = {text_of(area): value for area, value in _pairs(values, what)}
    _compare(clean, areas, what, notes)
    found = np.array([_number(clean.get(area), what, area) for area in areas], dtype=np.float64)
    if np.isinf(found).any():
        raise DataError(f"{what}: not a finite number for area '{areas[int(np.isinf(found).argmax())]}'")
    return found


def residents_by_area(values: Any, areas: Sequence[str], notes: list[str]) -> NDArray[np.float64]:
    """Residents in the order of the areas; a negative number is a DataError."""
    found = by_area(values, areas, "residents", notes)
    if (found < 0).any():
        area = areas[int((found < 0).argmax())]
        raise DataError(
            f"residents: {found[found < 0][0]:g} for area '{area}'; there cannot be fewer than none"
        )
    return found


def covariates_by_area(values: Any, areas: Sequence[str], notes: list[str]) -> dict[str, NDArray[np.float64]]:
    """Each covariate in the order of the areas.

    Args:
        values: A mapping of name to what `by_area` takes, or a dataframe with a column 'area' and one for
            each covariate.
        areas: The panel's areas.
        notes: Sentences for the ledger are added here.
    """
    if not isinstance(values, Mapping):
        columns = frame_columns(values, (AREA,), "covariates", every=True)
        names = [name for name in columns if name != AREA]
        values = {name: _unique(columns[AREA], columns[name], "covariates") for name in names}
    return {name: by_area(one, areas, f"covariate '{name}'", notes) for name, one in values.items()}


def centroids_by_area(places: Any, areas: Sequence[str], notes: list[str]) -> NDArray[np.float64]:
    """Metres east and north in the order of the areas; NaN where not known.

    Args:
        places: A dataframe with columns area, x and y, or a mapping of area to (x, y).
        areas: The panel's areas.
        notes: Sentences for the ledger are added here.
    """
    if isinstance(places, Mapping):
        pairs = {text_of(area): place for area, place in places.items()}
    else:
        columns = frame_columns(places, (AREA, "x", "y"), "centroids")
        both = list(zip(columns["x"], columns["y"], strict=True))
        pairs = _unique(columns[AREA], both, "centroids")
    _compare(pairs, areas, "centroids", notes)
    nowhere = (None, None)
    return np.array(
        [[_number(part, "centroids", area) for part in pairs.get(area, nowhere)] for area in areas],
        dtype=np.float64,
    ).reshape(-1, 2)


def units_by_area(units: Mapping[str, str], areas: Sequence[str], notes: list[str]) -> dict[str, str]:
    """Area, then the unit it belongs to; areas without one left out."""
    if not isinstance(units, Mapping):
        raise DataError("units: give a mapping of area to unit")
    clean = {text_of(area): text_of(unit) for area, unit in units.items()}
    _compare(clean, areas, "units", notes)
    return {area: clean[area] for area in areas if clean.get(area)}


def _pairs(values: Any, what: str) -> list[tuple[Any, Any]]:
    if isinstance(values, Mapping) or (hasattr(values, "items") and not hasattr(values, "columns")):
        return list(values.items())
    columns = frame_columns(values, (AREA,), what, every=True)
    others = [name for name in columns if name != AREA]
    if len(others) != 1:
        raise DataError(f"{what}: give a mapping, or a dataframe with a column 'area' and one other")
    return list(_unique(columns[AREA], columns[others[0]], what).items())


def _unique(areas: Sequence[Any], values: Sequence[Any], what: str) -> dict[str, Any]:
    """Area, then value; an area that is there twice is a DataError."""
    found: dict[str, Any] = {}
    twice: list[str] = []
    for area, value in zip(map(text_of, areas), values, strict=True):
        if area in found:
            twice.append(area)
        found[area] = value
    if twice:
        raise DataError(f"{what}: area {few(twice)} is there more than once; keep one row each")
    return found


def _number(value: Any, what: str, area: str) -> float:
    if text_of(value) in {"", "<NA>", "NaT"}:
        return float("nan")
    try:
        if isinstance(value, str):
            raise TypeError
        return float(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: '{value}' for area '{area}' is not a number") from error


def _compare(given: Mapping[str, Any], areas: Sequence[str], what: str, notes: list[str]) -> None:
    """Notes on areas that are only in one of the two; a DataError where they have none in common."""
    there = set(areas)
    unknown = sorted(set(given) - there)
    without = [area for area in areas if area not in given]
    if len(without) == len(areas):
        example = f" ('{unknown[0]}' against '{areas[0]}')" if unknown else ""
        raise DataError(f"{what}: no area is in the data{example}; check that both use the same codes")
    if unknown:
        notes.append(f"{len(unknown)} areas in {what} are not in the data: {few(unknown)}.")
    if without:
        notes.append(f"{len(without)} of {len(areas)} areas have no {what}: {few(without)}.")
