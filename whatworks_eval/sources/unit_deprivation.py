"""Deprivation of wards, beats and neighbourhoods from that of the small areas in them, weighed by residents.

A score or rank of a unit is the mean of its areas', each counted with its residents; of ranks this is what
the indices call the average rank, and no rank itself. Deciles are not averaged: the share of residents in
the most deprived tenth is given instead.

Source: MHCLG, The English Indices of Deprivation 2019: average score and average rank of larger areas are
population-weighted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from whatworks_eval.errors import DataError
from whatworks_eval.sources.deprivation import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitValue:
    """A unit's deprivation.

    Attributes:
        value: Mean over residents of score or rank, or the share of them in decile 1; None with the reason.
        residents: Of the areas that have a value.
        areas: In the unit.
        missing: Areas of it without a value or residents.
        why_missing: Empty where there is a value.
    """

    value: float | None
    residents: float
    areas: int
    missing: int
    why_missing: str


def by_unit(
    values: Mapping[str, float],
    residents: Mapping[str, float],
    unit_of: Mapping[str, str],
    *,
    form: Form,
    most_missing: float = 0.0,
) -> dict[str, UnitValue]:
    """Units in order of name, each with the residents' mean of its areas' values.

    Args:
        values: Area, then score, rank or decile.
        residents: Area, then residents.
        unit_of: Area, then the unit it lies in.
        form: What the values are.
        most_missing: Share of a unit's areas that may be without a value or residents; above it the unit has
            no value.

    Raises:
        DataError: A negative number of residents, or no area in common.

    Example:
        >>> unit = {"E01000001": "a", "E01000002": "a"}
        >>> found = by_unit({"E01000001": 10.0, "E01000002": 40.0}, {"E01000001": 2_000, "E01000002": 1_000},
        ...                 unit, form="score")
        >>> found["a"].value
        20.0
    """
    negative = [area for area in unit_of if residents.get(area, 0.0) < 0]
    if negative:
        raise DataError(f"{negative[0]} has {residents[negative[0]]:g} residents: that cannot be")
    if unit_of and not any(area in values for area in unit_of):
        raise DataError(
            f"none of the {len(unit_of)} areas in the lookup has a value ('{next(iter(unit_of))}' for one); "
            "check that both are on LSOAs of the same census"
        )
    members: dict[str, list[str]] = {}
    for area, unit in unit_of.items():
        members.setdefault(unit, []).append(area)
    return {unit: _of_areas(members[unit], values, residents, form, most_missing) for unit in sorted(members)}


def _of_areas(
    areas: list[str],
    values: Mapping[str, float],
    residents: Mapping[str, float],
    form: Form,
    most_missing: float,
) -> UnitValue:
    known = [area for area in areas if area in values and area in residents]
    whole = float(sum(residents[area] for area in known))
    missing = len(areas) - len(known)
    why = ""
    if missing > most_missing * len(areas):
        why = f"{missing} of {len(areas)} areas have no value or no residents"
    elif whole == 0:
        why = "nobody lives there"
    if why:
        return UnitValue(value=None, residents=whole, areas=len(areas), missing=missing, why_missing=why)
    measured = [float(values[area] == 1) if form == "decile" else values[area] for area in known]
    value = sum(one * residents[area] for one, area in zip(measured, known, strict=True)) / whole
    return UnitValue(value=value, residents=whole, areas=len(areas), missing=missing, why_missing="")
