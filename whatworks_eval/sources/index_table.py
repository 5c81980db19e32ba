"""A published index of deprivation, read whole: edition, country and boundaries known, or refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from whatworks_eval.errors import DataError
from whatworks_eval.sources.area_codes import code_column
from whatworks_eval.sources.boundaries import is_lsoa, vintage
from whatworks_eval.sources.carry_over import carry, read_exact_fit
from whatworks_eval.sources.deprivation import (
    ENGLAND,
    WALES,
    Edition,
    Form,
    check_values,
    decile_of_rank,
    edition_of,
    index_columns,
)
from whatworks_eval.sources.tables import Table, number_of, text_of

COUNTRIES = {"E": "English", "W": "Welsh"}
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IndexTable:
    """The overall index by area, in whatever forms its table holds.

    Attributes:
        name: Of the file.
        country: 'E' or 'W'.
        year: Edition.
        edition: What is known of that edition: boundaries and number of areas ranked.
        scores: Area, then score, higher = more deprived; empty where the table has none.
        ranks: Area, then rank, 1 = most deprived; empty where the table has none.
        carried: Census whose areas the values were carried to; None where they are on the edition's own.
        averaged: How LSOAs were put together to larger areas, as a phrase; '' where they were not.
    """

    name: str
    country: str
    year: int
    edition: Edition
    scores: dict[str, float]
    ranks: dict[str, float]
    carried: int | None = None
    averaged: str = ""

    @property
    def title(self) -> str:
        """The edition in words: 'English index of 2019'."""
        return f"{COUNTRIES[self.country]} index of {self.year}"

    def decile(self, area: str) -> int | None:
        """The national decile of an area, 1 the most deprived; None where its rank is not known."""
        rank = self.ranks.get(area)
        return None if rank is None else decile_of_rank(rank, self.edition.areas)


def read_index(table: Table, year: int | None = None) -> IndexTable:
    """The index in a table, once edition, boundaries and the form of every column agree.

    Args:
        table: Any layout in which the overall index was published or tidied.
        year: Edition; None takes it from the table where only one fits.

    Raises:
        DataError: Both countries in one table, an edition that is not known, contradicted or not told, codes
            of another census, an area twice, a value that is not what its column says; all at once.

    Example:
        >>> table = Table(name="x", columns=("lsoa21_code", "IMD_rank"), numbers=(2,),
        ...               rows=(("E01035762", 3_375),), sha256="")
        >>> found = read_index(table, 2025)
        >>> found.title, found.decile("E01035762")
        ('English index of 2025', 1)
    """
    codes = table.text(code_column(table))
    countries = {code[0] for code in codes if is_lsoa(code)}
    if countries not in ({"E"}, {"W"}):
        said = "English and Welsh areas, whose indices are not comparable" if countries else "no LSOA codes"
        raise DataError(f"{table.name}: holds {said}; give one country's table by LSOA")
    country = min(countries)
    found = _year(table, codes, country, year)
    edition = (WALES if country == "W" else ENGLAND)[found]
    columns = index_columns(table)
    if not {"score", "rank"} & set(columns):
        raise DataError(f"{table.name}: it has neither score nor rank of the overall index")
    values: dict[Form, dict[str, float]] = {"score": {}, "rank": {}, "decile": {}}
    problems = _twice(table, codes)
    for form, column in columns.items():
        try:
            values[form] = _numbers(table, codes, column)
            check_values(table, column, form, values[form])
        except DataError as error:
            problems += error.problems
    too_far = [code for code, rank in values["rank"].items() if rank > edition.areas]
    if too_far:
        problems.append(
            f"{table.name}: rank {values['rank'][too_far[0]]:g} of {too_far[0]} is beyond the "
            f"{edition.areas:,} areas of the edition"
        )
    problems += [] if problems else _deciles_disagree(table, values["rank"], values["decile"], edition)
    if problems:
        raise DataError(problems)
    return IndexTable(
        name=table.name,
        country=country,
        year=found,
        edition=edition,
        scores=values["score"],
        ranks=values["rank"],
    )


def carried_to(index: IndexTable, lookup: Table, boundaries: int) -> IndexTable:
    """The index on another census's areas by ONS's exact-fit lookup; areas without an exact fit have none.

    A score is the plain mean where several areas became one, and no rank is.
    """
    fit, source = read_exact_fit(lookup), index.edition.boundaries
    return replace(
        index,
        scores=carry(index.scores, fit, source=source, target=boundaries, kind="score"),
        ranks=carry(index.ranks, fit, source=source, target=boundaries, kind="rank"),
        carried=boundaries,
    )


def not_in_index(index: IndexTable, areas: Iterable[str]) -> tuple[str, ...]:
    """Areas of the other country, which have no value; areas of its own country must all have one.

    Where the index was carried over, areas without an exact fit are among them.

    Raises:
        DataError: LSOAs of the index's country that are not in it: another census's, or a table cut short.
    """
    known = index.scores or index.ranks
    absent = [area for area in areas if area not in known]
    own = [area for area in absent if not is_lsoa(area) or area[0] == index.country]
    if own and index.carried is None:
        more = f" and {len(own) - _NAMED} more" if len(own) > _NAMED else ""
        raise DataError(
            f"{index.name}: {len(own)} areas are not in it ({', '.join(own[:_NAMED])}{more}); the "
            f"{index.title} is on {index.edition.boundaries} LSOAs: use an edition on the areas' own "
            "boundaries, carry them over by the exact-fit lookup, or give the whole table"
        )
    return tuple(absent)


def _year(table: Table, codes: tuple[str, ...], country: str, asked: int | None) -> int:
    """The edition: the one asked for where nothing speaks against it, or the only one that fits."""
    known = WALES if country == "W" else ENGLAND
    census = vintage(codes)
    if asked is not None:
        edition = edition_of(table, asked, country)
        if edition is not None and census is not None and census != edition.boundaries:
            raise DataError(
                f"{table.name}: edition {asked} is on {edition.boundaries} LSOAs, but its codes are of "
                f"{census}; give the right edition"
            )
        return asked
    fits = [
        one
        for one, edition in known.items()
        if census in {None, edition.boundaries} and _may_be(table, one, country)
    ]
    if len(fits) == 1:
        return fits[0]
    could = " or ".join(map(str, fits or sorted(known)))
    raise DataError(f"{table.name}: nothing in it says which edition it is; give the year: {could}")


def _may_be(table: Table, year: int, country: str) -> bool:
    try:
        edition_of(table, year, country)
    except DataError:
        return False
    return True


def _twice(table: Table, codes: tuple[str, ...]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for code, row in zip(codes, table.numbers, strict=True):
        if code in seen:
            found.append(f"{table.name}, row {seen[code]} and {row}: area '{code}' is there twice; keep one")
        seen.setdefault(code, row)
    return found[:_NAMED]


def _numbers(table: Table, codes: tuple[str, ...], column: str) -> dict[str, float]:
    found, problems = {}, []
    for code, cell, row in zip(codes, table.column(column), table.numbers, strict=True):
        try:
            number = number_of(cell, decimal_comma=table.decimal_comma)
        except (ValueError, TypeError):
            problems.append(f"{table.name}, row {row}: '{text_of(cell)}' in '{column}' is not a number")
            continue
        if code and number is not None:
            found[code] = number
    if problems:
        raise DataError(problems[:_NAMED])
    return found


def _deciles_disagree(
    table: Table, ranks: dict[str, float], deciles: dict[str, float], edition: Edition
) -> list[str]:
    """Where rank and decile of one row contradict each other, which an edition mistaken also causes."""
    off = [
        code
        for code in ranks
        if code in deciles and decile_of_rank(ranks[code], edition.areas) != deciles[code]
    ]
    if not off:
        return []
    return [
        f"{table.name}: rank {ranks[off[0]]:g} and decile {deciles[off[0]]:g} of {off[0]} contradict "
        f"each other among {edition.areas:,} areas ({len(off)} such rows); check the edition"
    ]
