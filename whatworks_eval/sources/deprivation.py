"""Indices of Deprivation: which column of a published table holds the index, on which areas it stands.

The English indices of 2015 and 2019 are on LSOAs of the 2011 census, that of 2025 on those of 2021. The
Welsh index of 2019 is on 2011 LSOAs. English and Welsh indices measure different things on different
scales and are never put in one column here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from whatworks_eval.errors import DataError
from whatworks_eval.sources.tables import Table

Form = Literal["score", "rank", "decile"]
FORMS: tuple[Form, ...] = ("score", "rank", "decile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """An edition of a national index.

    Attributes:
        country: First letter of its area codes: 'E' or 'W'.
        boundaries: Census whose LSOAs it is on.
        areas: How many areas it ranks.
    """

    country: str
    boundaries: int
    areas: int


# Counts of areas: the published tables themselves, in every copy opened.
ENGLAND = {
    2015: Edition(country="E", boundaries=2011, areas=32_844),
    2019: Edition(country="E", boundaries=2011, areas=32_844),
    2025: Edition(country="E", boundaries=2021, areas=33_755),
}
WALES = {2019: Edition(country="W", boundaries=2011, areas=1_909)}

_INDEX = {
    form: re.compile(rf"(index of multiple deprivation \(w?imd\) {form}\b.*|w?imd[_ ]{form})", re.IGNORECASE)
    for form in FORMS
}
_WELSH_SCORE = re.compile(r"WIMD \d{4}", re.IGNORECASE)  # wimd-2019-index-and-domain-scores.csv
_FORM_IN_NAME = re.compile(r"(?:^|[ _(])(score|rank|decile)(?:$|[ _)])", re.IGNORECASE)
# The year of the district codes beside the scores gives an English edition away: 2015 came with those
# of 2013, 2019 with those of 2019.
_DISTRICTS = re.compile(r"local authority district code \((\d{4})\)|lad(\d\d)_code", re.IGNORECASE)
_EDITION_OF_DISTRICTS = {2013: 2015, 2019: 2019}
_WELSH_TENTH = 191
_ENOUGH = 20  # values, below which whole numbers may be chance
_DISTINCT = 0.9  # of the values of a rank are different, ties and all


def index_columns(table: Table) -> dict[Form, str]:
    """The columns that hold the overall index, by form, in any layout it was published or tidied in.

    Example:
        >>> table = Table(name="x", columns=("lsoa11_code", "IMD_score", "IMD_rank"), rows=(), numbers=(),
        ...               sha256="")
        >>> index_columns(table)
        {'score': 'IMD_score', 'rank': 'IMD_rank'}
    """
    found: dict[Form, str] = {}
    for name in table.columns:
        for form, pattern in _INDEX.items():
            if pattern.fullmatch(name):
                found.setdefault(form, name)
        if _WELSH_SCORE.fullmatch(name):
            found.setdefault("score", name)
    return found


def form_in_name(column: str) -> Form | None:
    """What a column's name says it holds; None where it says nothing.

    Example:
        >>> form_in_name("Income Rank (where 1 is most deprived)"), form_in_name("IMD_decile")
        ('rank', 'decile')
    """
    found = _FORM_IN_NAME.search(column)
    return next((form for form in FORMS if found and found[1].lower() == form), None)


def edition_of(table: Table, asked: int | None, country: str) -> Edition | None:
    """The edition a table is of: the one asked for, once nothing in the table speaks against it.

    Raises:
        DataError: An edition there is not, or the table's own header names another.
    """
    known = WALES if country == "W" else ENGLAND
    said = next((int(m[1] or f"20{m[2]}") for name in table.columns if (m := _DISTRICTS.fullmatch(name))), 0)
    seen = _EDITION_OF_DISTRICTS.get(said) if country == "E" else None
    if asked is None:
        return known.get(seen or 0)
    if asked not in known:
        place = "Welsh" if country == "W" else "English"
        raise DataError(f"{table.name}: there is no {place} edition {asked} here; known are {sorted(known)}")
    if seen is not None and seen != asked:
        raise DataError(
            f"{table.name}: `edition = {asked}`, but its district codes are those of the {seen} edition; "
            f"give edition = {seen} or the other file"
        )
    return known[asked]


def decile_of_rank(rank: float, areas: int) -> int:
    """The decile of a rank, 1 the most deprived tenth: the tenth part it lies in, rounded up.

    Agrees with every decile published with the English indices of 2015, 2019 and 2025. The Welsh index of
    2019 has nine deciles of 191 areas and a last one of 190: also as published.

    Example:
        >>> decile_of_rank(3_284, 32_844), decile_of_rank(3_285, 32_844), decile_of_rank(191, 1_909)
        (1, 2, 1)
    """
    if areas == WALES[2019].areas:
        return math.ceil(rank / _WELSH_TENTH)
    return math.ceil(10 * rank / areas)


def form_of_values(values: Collection[float]) -> Form | None:
    """What numbers of an index look like, whatever their column is called; None where that cannot be told.

    Scores carry decimals. Ranks are whole and hardly any is there twice. Deciles are whole and at most 10.

    Example:
        >>> form_of_values([12.3, 4.5]), form_of_values(range(1, 41)), form_of_values([3, 7] * 10)
        ('score', 'rank', 'decile')
    """
    if any(value != int(value) for value in values):
        return "score"
    if len(values) < _ENOUGH or min(values) < 1:
        return None
    if max(values) <= 10:
        return "decile"
    return "rank" if len(set(values)) >= _DISTINCT * len(values) else None


def check_values(table: Table, column: str, form: Form, values: dict[str, float]) -> None:
    """A DataError where values cannot be what they are said to be.

    Scores of domains and of other indices (Townsend's) are standardised and lie on both sides of zero; those
    of the overall index do not.
    """
    overall = index_columns(table).get("score")
    for code, value in values.items():
        if form == "decile" and value not in range(1, 11):
            raise DataError(f"{table.name}: {value:g} in '{column}' for {code} is not a decile (1 to 10)")
        if form == "score" and value < 0 and column == overall:
            raise DataError(f"{table.name}: {value:g} in '{column}' for {code} is not a score (0 or more)")
        if form == "rank" and (value < 1 or value != int(value)):
            raise DataError(f"{table.name}: {value:g} in '{column}' for {code} is not a rank (1, 2, 3, …)")
    looks = form_of_values(values.values())
    if form != "decile" and looks not in {None, form}:
        raise DataError(
            f"{table.name}: '{column}' is said to hold a {form}, but its {len(values)} values are those of a "
            f'{looks}; say `as = "{looks}"`, or name the column of the {form}'
        )
