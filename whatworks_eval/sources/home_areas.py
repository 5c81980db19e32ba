"""Which small areas a police.uk file is about: its rows also lie in other forces' areas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Share of the busiest district's rows per LSOA from which a district is the force's own. Over a year or
# more, districts of other forces reach a hundredth or two, a force's own quietest a fifth or more.
_OWN_FROM = 0.10

# In a single month a district of another force may show one row in one of its LSOAs: a row per LSOA seen,
# as many as a quiet district of the force's own. Its LSOAs are numbered by MSOA ('Oldham 012B'), and all
# but 246 of 7,201 MSOAs hold four or more (ONS LSOA 2011 to MSOA 2011 lookup): so a district has about
# four times as many LSOAs as the highest number seen, or more.
_LSOAS_PER_MSOA = 4
_MSOA_NUMBER = re.compile(r" (\d{3})[A-Z]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A force's own areas.

    Attributes:
        areas: LSOA codes with at least one row, of whatever category.
        districts: Names of its districts, busiest first.
        nearest_out: Rows per LSOA of the busiest district left out, over those of the busiest; 0 = none.
        nearest_in: The same for the quietest district kept: how clear the cut was.
    """

    areas: frozenset[str]
    districts: tuple[str, ...]
    nearest_out: float
    nearest_in: float


def district_of(name: str) -> str:
    """The district in an LSOA's name: all but its last code.

    Example:
        >>> district_of("Bath and North East Somerset 007B")
        'Bath and North East Somerset'
    """
    return name.rsplit(" ", 1)[0]


def home_areas(rows: Mapping[str, int], names: Mapping[str, str]) -> Home:
    """A force's own areas: the districts with at least a tenth of the busiest one's rows per LSOA.

    Args:
        rows: LSOA code, then the force's rows there, over all categories and months.
        names: LSOA code, then its name.

    Example:
        >>> rows = {"E01000001": 200, "E01000002": 100, "E01000907": 3}
        >>> names = {"E01000001": "City of London 001A", "E01000002": "City of London 001B",
        ...          "E01000907": "Camden 021A"}
        >>> home_areas(rows, names).districts
        ('City of London',)
    """
    by_district: dict[str, list[str]] = {}
    for code in rows:
        by_district.setdefault(district_of(names.get(code, code)), []).append(code)
    busy = {
        district: sum(rows[code] for code in codes) / _size(codes, names)
        for district, codes in by_district.items()
    }
    ranked = sorted(busy, key=lambda district: (-busy[district], district))
    if not ranked:
        return Home(areas=frozenset(), districts=(), nearest_out=0.0, nearest_in=0.0)
    most = busy[ranked[0]]
    own = [district for district in ranked if busy[district] >= _OWN_FROM * most]
    left = ranked[len(own) :]
    return Home(
        areas=frozenset(code for district in own for code in by_district[district]),
        districts=tuple(own),
        nearest_out=busy[left[0]] / most if left else 0.0,
        nearest_in=busy[own[-1]] / most,
    )


def _size(codes: list[str], names: Mapping[str, str]) -> int:
    """How many LSOAs a district has, about, at least: those seen, or what their numbering implies."""
    return max(len(codes), _LSOAS_PER_MSOA * max(_msoa_numbers(names.get(code, "") for code in codes)))


def _msoa_numbers(names: Iterable[str]) -> Iterable[int]:
    for name in names:
        found = _MSOA_NUMBER.search(name)
        yield int(found[1]) if found else 0
