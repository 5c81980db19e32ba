"""An index of LSOAs on areas made of them (wards, beats): each area's mean score, weighted by population.

    score of an area = sum of population · score of its LSOAs / sum of their population

The indices call this the average score. Scores alone are averaged: a mean of ranks or deciles is no rank. An
LSOA of an area that has no score or no population would leave the mean to the others, so it is an error.

Source: MHCLG, The English Indices of Deprivation 2019, Technical Report (average score: the
population-weighted average of the scores of the neighbourhoods in a larger area).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum
from pathlib import Path

from whatworks_eval.errors import DataError
from whatworks_eval.panel import InputFile
from whatworks_eval.protocol_tables import Average, Covariate
from whatworks_eval.sources.area_codes import code_column
from whatworks_eval.sources.boundaries import is_lsoa, vintage
from whatworks_eval.sources.cells import few
from whatworks_eval.sources.column_values import population_column, values_by_area
from whatworks_eval.sources.deprivation import Edition
from whatworks_eval.sources.index_table import IndexTable
from whatworks_eval.sources.tables import Table, read_table


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Averages:
    """Mean scores of areas made of LSOAs.

    Attributes:
        values: Area of the data, then its population-weighted mean score.
        lsoas: How many LSOAs the means are over, in all.
        said: How they were made, as a phrase.
        files: Read for it, the index itself aside.
    """

    values: dict[str, float]
    lsoas: int
    said: str
    files: tuple[InputFile, ...]


def averaged(
    areas: Sequence[str],
    covariate: Covariate,
    base: Path,
    table: Table,
    edition: Edition,
    scores: Mapping[str, float],
) -> Averages:
    """The mean score of each of these areas over its LSOAs, weighted by their population.

    Args:
        areas: Of the data; every one must have LSOAs in the lookup.
        covariate: With `average`.
        base: Folder that the files are relative to.
        table: The index, which holds the population where `average.residents` is not given.
        edition: Of the index.
        scores: LSOA, then score.

    Raises:
        DataError: Lookup or population on another census than the index; an area without LSOAs, an LSOA in
            two areas, without a score or without a population above zero; all at once.
    """
    given = covariate.average
    assert given is not None
    lookup = read_table(base / given.file, wanted=[name for name in (given.code, given.area) if name])
    codes = lookup.text(given.code or _codes(lookup, "average.code"))
    people, residents, column = _residents(given, covariate, base, table)
    problems = _other_census(lookup, codes, covariate, edition, "a lookup from")
    if people is not table:
        problems += _other_census(people, residents, covariate, edition, "the population of")
    if problems:
        raise DataError(problems)
    members, problems = _members(lookup, codes, given.area, set(areas))
    lost = [area for area in areas if area not in members]
    if len(lost) == len(areas):
        raise DataError(
            f"{lookup.name}: none of the {len(lost)} areas of the data is in '{given.area}' ('{lost[0]}' for "
            "one); check that the codes are of the same sort, or name their column in `average.area`"
        )
    if lost:
        problems.append(
            f"{lookup.name}: {len(lost)} of {len(areas)} areas of the data have no LSOA in it ({few(lost)}); "
            "give the whole lookup"
        )
    inside = [code for area in areas for code in members.get(area, ())]
    problems += _without_score(table, inside, scores, edition) + _without_people(people, inside, residents)
    if problems:
        raise DataError(problems)
    return Averages(
        values=mean_scores({area: members[area] for area in areas}, scores, residents),
        lsoas=len(inside),
        said=f"the score of each area is the population-weighted mean of its LSOAs' scores: {len(inside):,} "
        f"LSOAs in {len(areas):,} areas ('{given.area}' of {lookup.name}, '{column}' of {people.name})",
        files=tuple(
            InputFile(name=name, sha256=read.sha256, rows=len(read.rows))
            for name, read in ((given.file, lookup), (given.residents, people))
            if name is not None
        ),
    )


def mean_scores(
    members: Mapping[str, Iterable[str]], scores: Mapping[str, float], residents: Mapping[str, float]
) -> dict[str, float]:
    """Area, then the mean of its LSOAs' scores, each weighted by its residents.

    Args:
        members: Area, then its LSOAs.
        scores: LSOA, then score.
        residents: LSOA, then people, above zero.

    Example:
        >>> mean_scores({"North": ("a", "b")}, {"a": 10.0, "b": 40.0}, {"a": 2_000, "b": 1_000})
        {'North': 20.0}
    """
    return {
        area: fsum(scores[code] * residents[code] for code in codes) / fsum(residents[code] for code in codes)
        for area, codes in ((area, tuple(codes)) for area, codes in members.items())
    }


def averaged_index(
    index: IndexTable, covariate: Covariate, base: Path, table: Table, areas: Sequence[str]
) -> IndexTable:
    """The index on the areas of the data, scores alone; as it is where it has none to average."""
    if not index.scores:
        return index
    made = averaged(areas, covariate, base, table, index.edition, index.scores)
    return replace(index, scores=made.values, ranks={}, averaged=made.said)


def _residents(
    given: Average, covariate: Covariate, base: Path, table: Table
) -> tuple[Table, dict[str, float], str]:
    """The table with the population, people by LSOA, and the column they stand in."""
    if given.residents is None:
        people, codes = table, table.text(covariate.code or code_column(table))
    else:
        wanted = [name for name in (given.residents_column, given.residents_code) if name]
        people = read_table(base / given.residents, wanted=wanted)
        codes = people.text(given.residents_code or _codes(people, "average.residents_code"))
    if given.residents_column is None:
        column = population_column(people, "average.residents_column")
    else:
        column = people.columns[people.position(given.residents_column)]
    return people, values_by_area(people, codes, column, "average.residents_column"), column


def _codes(table: Table, key: str) -> str:
    """The column of LSOA codes, or which key to name it in."""
    try:
        return code_column(table)
    except DataError as error:
        raise DataError(
            f"{table.name}: which column holds the LSOA codes? Name it in `{key}`: {few(table.columns)}"
        ) from error


def _other_census(
    table: Table, codes: Iterable[str], covariate: Covariate, edition: Edition, what: str
) -> list[str]:
    census = vintage(codes)
    if census in {None, edition.boundaries}:
        return []
    return [
        f"{table.name}: `edition = {covariate.edition}` is on {edition.boundaries} LSOAs, but its "
        f"codes are of {census}; give {what} {edition.boundaries} LSOAs"
    ]


def _members(
    lookup: Table, codes: Sequence[str], column: str, wanted: set[str]
) -> tuple[dict[str, list[str]], list[str]]:
    """LSOAs of each area wanted, each once; and what is wrong with them."""
    area_of: dict[str, str] = {}
    torn: dict[str, None] = {}
    for code, area in zip(codes, lookup.text(column), strict=True):
        if code and area and area_of.setdefault(code, area) != area and {area, area_of[code]} & wanted:
            torn[code] = None
    members: dict[str, list[str]] = {}
    for code, area in area_of.items():
        if area in wanted:
            members.setdefault(area, []).append(code)
    if not torn:
        return members, []
    return members, [
        f"{lookup.name}: {len(torn)} LSOAs are in two areas of '{column}' ({few(list(torn))}); give a lookup "
        "with each LSOA in one area (ONS calls it best-fit)"
    ]


def _without_score(
    table: Table, inside: Sequence[str], scores: Mapping[str, float], edition: Edition
) -> list[str]:
    lost = [code for code in inside if code not in scores]
    if not lost:
        return []
    abroad = sum(is_lsoa(code) and code[0] != edition.country for code in lost)
    why = f"; {abroad} of them lie in the other country, whose index is not comparable" if abroad else ""
    return [
        f"{table.name}: {len(lost)} LSOAs of the areas have no score in it ({few(lost)}){why}; an "
        "area's mean needs them all"
    ]


def _without_people(people: Table, inside: Sequence[str], residents: Mapping[str, float]) -> list[str]:
    lost = [code for code in inside if code not in residents]
    empty = [f"{code}: {residents[code]:g}" for code in inside if residents.get(code, 1.0) <= 0]
    problems = []
    if lost:
        problems.append(
            f"{people.name}: {len(lost)} LSOAs of the areas have no population in it ({few(lost)}); an "
            "area's mean needs them all"
        )
    if empty:
        problems.append(
            f"{people.name}: {len(empty)} LSOAs of the areas have no population above zero ({few(empty)}); "
            "correct it"
        )
    return problems
