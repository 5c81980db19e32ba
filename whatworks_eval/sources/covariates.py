"""Covariates and residents joined to a Panel by area code; what is lost in a join is counted and named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.panel import InputFile, Panel
from whatworks_eval.protocol_tables import Covariate
from whatworks_eval.sources.area_codes import code_column
from whatworks_eval.sources.boundaries import is_lsoa, vintage
from whatworks_eval.sources.carry_over import Kind, carry, read_exact_fit
from whatworks_eval.sources.cells import few
from whatworks_eval.sources.deprivation import (
    Edition,
    Form,
    check_values,
    decile_of_rank,
    edition_of,
    form_in_name,
    index_columns,
)
from whatworks_eval.sources.rebuilt_index import rebuilt_index
from whatworks_eval.sources.tables import Table, number_of, read_table, text_of

RESIDENTS = "residents"
# What total population is called in tables as ONS and Nomis publish them, in small letters.
_POPULATION = (
    "residents",
    "population",
    "total population",
    "all usual residents",
    "residence type: total; measures: value",
    "total population: mid 2015 (excluding prisoners)",
)
_NAMED = 20


def join_covariates(panel: Panel, covariates: Mapping[str, Covariate], base: Path) -> Panel:
    """The Panel with every covariate joined on area code; one called 'residents' fills `residents`.

    Raises:
        DataError: A file, column or code that does not fit, or areas of two censuses without a lookup;
            every covariate's first problem at once.
    """
    found: dict[str, NDArray[np.float64]] = dict(panel.covariates)
    residents = panel.residents
    notes, files, problems = list(panel.ledger.notes), list(panel.ledger.files), []
    for name, covariate in covariates.items():
        try:
            values, table, said = _joined(panel, name, covariate, base)
        except DataError as error:
            problems += [f"`covariates.{name}`: {problem}" for problem in error.problems]
            continue
        if name == RESIDENTS:
            residents = values
        else:
            found[name] = values
        notes += said
        used = InputFile(name=covariate.path, sha256=table.sha256, rows=len(table.rows))
        if used not in files:
            files.append(used)
    if problems:
        raise DataError(problems)
    ledger = replace(panel.ledger, notes=tuple(notes), files=tuple(files))
    return replace(panel, covariates=found, residents=residents, ledger=ledger)


def _joined(
    panel: Panel, name: str, covariate: Covariate, base: Path
) -> tuple[NDArray[np.float64], Table, list[str]]:
    """Values in the order of the panel's areas, the table they came from, and what to say of the join."""
    wanted = [column for column in (covariate.column, covariate.code) if column]
    table = read_table(base / covariate.path, wanted=wanted)
    codes = table.text(covariate.code or code_column(table))
    index = index_columns(table)
    deprivation = covariate.edition is not None or covariate.as_ != "value" or bool(index)
    index_of = _country(panel, table, codes) if deprivation and name != RESIDENTS else ""
    edition = _edition(table, codes, covariate, index_of) if index_of else None
    if covariate.without:
        if covariate.edition is None:
            raise DataError(f"{table.name}: `without` needs `edition`: 2019 or 2025")
        year = covariate.edition
        covariate = covariate.model_copy(update={"as_": "score"})
        values, made = rebuilt_index(table, codes, year, covariate.without)
        column, form = "the index rebuilt", None
        notes = [f"Covariate '{name}': the index {made}.", *table.notes]
    else:
        column, form = _column(table, name, covariate, index)
        values = _values(table, codes, column, covariate)
        notes = [f"Covariate '{name}': column '{column}' of {table.name}.", *table.notes]
    if form is not None:
        check_values(table, column, form, values)
        if form == "rank" and covariate.as_ == "decile" and edition is not None:
            values = {code: float(decile_of_rank(rank, edition.areas)) for code, rank in values.items()}
            notes.append(f"Deciles of '{name}' were computed from ranks among {edition.areas:,} areas.")
    if name == RESIDENTS and any(value < 0 for value in values.values()):
        raise DataError(f"{table.name}: '{column}' holds a negative number of residents")
    values, said = _on_panel_areas(panel, name, covariate, base, table, codes, edition, index_of, values)
    notes += said
    lost = [area for area in panel.areas if area not in values]
    if len(lost) == len(panel.areas):
        raise DataError(
            f"{table.name}: none of the {len(lost)} areas of the data is in it ('{lost[0]}' for one); "
            "check that the codes are of the same sort, or name their column in `code`"
        )
    if lost:
        notes.append(_lost_note(name, lost, len(panel.areas), index_of))
    return np.array([values.get(area, np.nan) for area in panel.areas]), table, notes


def _lost_note(name: str, lost: Sequence[str], areas: int, country: str) -> str:
    more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    abroad = sum(is_lsoa(area) and area[0] != country for area in lost) if country else 0
    why = f" {abroad} of them lie in the other country, whose index is not comparable." if abroad else ""
    return f"{len(lost)} of {areas} areas have no '{name}': {', '.join(lost[:_NAMED])}{more}.{why}"


def _country(panel: Panel, table: Table, codes: Sequence[str]) -> str:
    """'E' or 'W', the country an index is of; '' where its areas are not LSOAs.

    One table with both countries is refused, and so is the one country's index for the other's areas.
    """
    countries = {code[0] for code in codes if is_lsoa(code)}
    if len(countries) > 1:
        raise DataError(
            f"{table.name}: holds English and Welsh areas; their indices are not comparable: "
            "use one country's table"
        )
    here = {area[0] for area in panel.areas if is_lsoa(area)}
    if countries and here and not countries & here:
        names = {"E": "English", "W": "Welsh"}
        raise DataError(
            f"{table.name}: holds {names[min(countries)]} areas, the data are {names[min(here)]}; "
            "give that country's own index"
        )
    return min(countries, default="")


def _edition(table: Table, codes: Sequence[str], covariate: Covariate, country: str) -> Edition | None:
    """The edition of an index; codes of another census than it stands on are refused."""
    edition = edition_of(table, covariate.edition, country)
    of_codes = vintage(codes)
    if edition is not None and of_codes is not None and of_codes != edition.boundaries:
        raise DataError(
            f"{table.name}: `edition = {covariate.edition}` is on {edition.boundaries} LSOAs, but its "
            f"codes are of {of_codes}; give the right edition"
        )
    return edition


def _column(
    table: Table, name: str, covariate: Covariate, index: Mapping[Form, str]
) -> tuple[str, Form | None]:
    """The column to read, and what form of an index it holds; None for what is not an index."""
    asked = covariate.as_ if covariate.as_ != "value" else None
    if covariate.column:
        column = table.columns[table.position(covariate.column)]
        says = form_in_name(column)
        if asked and says and asked != says:
            raise DataError(
                f"{table.name}: '{column}' holds a {says}, but `as = \"{asked}\"`; make them agree"
            )
        return column, asked
    if name == RESIDENTS:
        return _population(table), None
    if asked:
        if asked in index:
            return index[asked], asked
        if asked == "decile" and "rank" in index:
            return index["rank"], "rank"
        held = f"it has {' and '.join(index)}" if index else "it has no column of the overall index"
        raise DataError(
            f"{table.name}: no {asked} of the index ({held}); give another file, or name `column`"
        )
    if index:
        raise DataError(
            f"{table.name}: holds an index as {', '.join(index)}; say which with `as`, or name `column`"
        )
    codes = {covariate.code or code_column(table)}
    numeric = [column for column in table.columns if column not in codes and _is_numeric(table, column)]
    if len(numeric) == 1:
        return numeric[0], None
    listed = ", ".join(f"'{column}'" for column in (numeric or table.columns)[:12])
    raise DataError(f"{table.name}: which column is meant? Name it in `column`: {listed}")


def _population(table: Table) -> str:
    known = [column for column in table.columns if column.casefold() in _POPULATION]
    if len(known) == 1:
        return known[0]
    numeric = [column for column in table.columns if _is_numeric(table, column)]
    listed = ", ".join(f"'{column}'" for column in numeric[:12])
    raise DataError(
        f"{table.name}: which column holds residents? Name it, and so the year, in `column`: {listed}"
    )


def _is_numeric(table: Table, column: str) -> bool:
    try:
        cells = [number_of(cell, decimal_comma=table.decimal_comma) for cell in table.column(column)[:50]]
    except (ValueError, DataError, TypeError):
        return False
    return any(cell is not None for cell in cells)


def _values(table: Table, codes: Sequence[str], column: str, covariate: Covariate) -> dict[str, float]:
    """Area, then number; blank cells left out; an area twice, or text, is a DataError with its row."""
    seen: dict[str, int] = {}
    values: dict[str, float] = {}
    problems: list[str] = []
    for code, cell, row in zip(codes, table.column(column), table.numbers, strict=True):
        if not code:
            continue
        if code in seen:
            problems.append(
                f"{table.name}, row {seen[code]} and {row}: area '{code}' is there twice; "
                "keep one row an area"
            )
            continue
        seen[code] = row
        try:
            number = number_of(cell, decimal_comma=table.decimal_comma)
        except (ValueError, TypeError):
            problems.append(f"{table.name}, row {row}: '{text_of(cell)}' in '{column}' is not a number")
            continue
        if number is not None:
            values[code] = number
    if problems:
        more = [f"and {len(problems) - 5} more such rows in {table.name}"] if len(problems) > 5 else []
        raise DataError([*problems[:5], *more])
    if not values:
        raise DataError(f"{table.name}: column '{column}' is empty; name another in `column`")
    return values


def _on_panel_areas(
    panel: Panel,
    name: str,
    covariate: Covariate,
    base: Path,
    table: Table,
    codes: Sequence[str],
    edition: Edition | None,
    country: str,
    values: dict[str, float],
) -> tuple[dict[str, float], list[str]]:
    """Values on the panel's boundaries: as they are, or carried over by the exact-fit lookup."""
    source = edition.boundaries if edition is not None else vintage(codes)
    target = panel.boundaries
    if source is None or target is None or source == target:
        return values, []
    known = set(codes)
    lost = [a for a in panel.areas if a not in known and is_lsoa(a) and country in {"", a[0]}]
    if covariate.lookup is None:
        if not lost:
            return values, []
        raise DataError(
            f"{table.name} is on {source} LSOAs, the data are on those of {target}: {len(lost)} of "
            f"{len(panel.areas)} areas would be lost ({few(lost)}). "
            "Give ONS's exact-fit lookup in `lookup`, or a table on the same areas"
        )
    kind = cast("Kind", RESIDENTS if name == RESIDENTS else covariate.as_)
    fit = read_exact_fit(read_table(base / covariate.lookup))
    carried = carry(values, fit, source=source, target=target, kind=kind)
    changed = [area for area in panel.areas if area in carried and area not in values]
    return carried, [
        f"'{name}' was carried from {source} to {target} LSOAs: {len(changed)} of {len(panel.areas)} areas "
        "took it from areas that were split or merged."
    ]
