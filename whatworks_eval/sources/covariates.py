"""Covariates and residents joined to a Panel by area code; what is lost in a join is counted and named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.matching_keys import ADDED, average_problems
from whatworks_eval.panel import InputFile, Panel
from whatworks_eval.protocol_tables import Covariate
from whatworks_eval.sources.area_averages import Averages, averaged
from whatworks_eval.sources.area_classes import classes_of
from whatworks_eval.sources.area_codes import code_column
from whatworks_eval.sources.boundaries import is_lsoa, vintage
from whatworks_eval.sources.carry_over import Kind, carry, read_exact_fit
from whatworks_eval.sources.cells import few
from whatworks_eval.sources.column_values import is_numeric, population_column, values_by_area
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
from whatworks_eval.sources.tables import Table, read_table

RESIDENTS = "residents"
_NAMED = 20
_MOST_RESIDENTS = 1e9


def join_covariates(panel: Panel, covariates: Mapping[str, Covariate], base: Path) -> Panel:
    """The Panel with every covariate joined on area code; one called 'residents' fills `residents`.

    Raises:
        DataError: A file, column or code that does not fit, or areas of two censuses without a lookup;
            every covariate's first problem at once.
    """
    found: dict[str, NDArray[np.float64]] = dict(panel.covariates)
    residents = panel.residents
    classes: dict[str, Mapping[str, str]] = dict(panel.classes)
    lsoas: dict[str, int] = dict(panel.averaged)
    notes, files, problems = list(panel.ledger.notes), list(panel.ledger.files), []
    for name, covariate in covariates.items():
        try:
            made = None
            _check_average(name, covariate)
            if covariate.as_ == "class":
                classes[name], table, said = _classes(panel, name, covariate, base)
            else:
                values, table, said, made = _joined(panel, name, covariate, base)
        except DataError as error:
            problems += [f"`covariates.{name}`: {problem}" for problem in error.problems]
            continue
        if name == RESIDENTS:
            residents = values
        elif covariate.as_ != "class":
            found[name] = values
        notes += said
        if made is not None:
            lsoas[name] = made.lsoas
        used = InputFile(name=covariate.path, sha256=table.sha256, rows=len(table.rows))
        files += [one for one in (used, *(made.files if made else ())) if one not in files]
    if problems:
        raise DataError(problems)
    ledger = replace(panel.ledger, notes=tuple(notes), files=tuple(files))
    return replace(
        panel, covariates=found, averaged=lsoas, classes=classes, residents=residents, ledger=ledger
    )


def _joined(
    panel: Panel, name: str, covariate: Covariate, base: Path
) -> tuple[NDArray[np.float64], Table, list[str], Averages | None]:
    """Values in the order of the panel's areas, their table, what to say, and how they were averaged."""
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
        values = values_by_area(table, codes, column)
        notes = [f"Covariate '{name}': column '{column}' of {table.name}.", *table.notes]
    if form is not None:
        check_values(table, column, form, values)
        if form == "rank" and covariate.as_ == "decile" and edition is not None:
            values = {code: float(decile_of_rank(rank, edition.areas)) for code, rank in values.items()}
            notes.append(f"Deciles of '{name}' were computed from ranks among {edition.areas:,} areas.")
    if name == RESIDENTS and any(not 0 <= value <= _MOST_RESIDENTS for value in values.values()):
        wrong = next(value for value in values.values() if not 0 <= value <= _MOST_RESIDENTS)
        size = "a negative number of" if wrong < 0 else "more"
        raise DataError(
            f"{table.name}: '{column}' holds {size} residents{' than there are people' if wrong > 0 else ''} "
            f"({wrong:g}); correct it"
        )
    averages = None
    if covariate.average is not None:
        averages = _averaged(panel, covariate, base, table, edition, values)
        values = averages.values
        notes.append(f"Covariate '{name}': {averages.said}.")
    else:
        values, said = _on_panel_areas(panel, name, covariate, base, table, codes, edition, index_of, values)
        notes += said
    lost = [area for area in panel.areas if area not in values]
    _check_any(panel, table, lost)
    if lost:
        notes.append(_lost_note(name, lost, len(panel.areas), index_of))
    return np.array([values.get(area, np.nan) for area in panel.areas]), table, notes, averages


def _check_average(name: str, covariate: Covariate) -> None:
    """A DataError where `average` is asked of what has no mean; a protocol file has been told already."""
    if covariate.average is None:
        return
    problems = [] if name != RESIDENTS else [ADDED]
    problems += average_problems(covariate.model_dump(by_alias=True))
    if problems:
        raise DataError(problems)


def _averaged(
    panel: Panel,
    covariate: Covariate,
    base: Path,
    table: Table,
    edition: Edition | None,
    values: Mapping[str, float],
) -> Averages:
    """The mean scores of the panel's areas over their LSOAs."""
    if edition is None:
        raise DataError(
            f"{table.name}: `average` needs an index by LSOA, and it holds no LSOA codes; give the published "
            "table, or take `average` out"
        )
    return averaged(panel.areas, covariate, base, table, edition, values)


def _classes(
    panel: Panel, name: str, covariate: Covariate, base: Path
) -> tuple[dict[str, str], Table, list[str]]:
    """Class by area, the table it came from, and what to say of the join."""
    if covariate.column is None:
        raise DataError(f'{covariate.path}: `as = "class"` needs `column`, the one that holds the classes')
    table = read_table(
        base / covariate.path, wanted=[column for column in (covariate.column, covariate.code) if column]
    )
    codes = table.text(covariate.code or code_column(table))
    found, said = classes_of(panel, covariate, base, table, codes)
    lost = [area for area in panel.areas if area not in found]
    _check_any(panel, table, lost)
    notes = [f"Covariate '{name}': {one}" for one in said] + list(table.notes)
    return found, table, [*notes, *([_lost_note(name, lost, len(panel.areas), "")] if lost else [])]


def _check_any(panel: Panel, table: Table, lost: Sequence[str]) -> None:
    """A DataError where no area of the data is in the table."""
    if len(lost) == len(panel.areas):
        raise DataError(
            f"{table.name}: none of the {len(lost)} areas of the data is in it ('{lost[0]}' for one); "
            "check that the codes are of the same sort, or name their column in `code`"
        )


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
    # Two comparisons, not `in`: mypy narrows a Literal by `==` alone.
    asked: Form | None = (
        None if covariate.as_ == "value" or covariate.as_ == "class" else covariate.as_  # noqa: PLR1714
    )
    if covariate.column:
        column = table.columns[table.position(covariate.column)]
        says = form_in_name(column)
        if asked and says and asked != says:
            raise DataError(
                f"{table.name}: '{column}' holds a {says}, but `as = \"{asked}\"`; make them agree"
            )
        return column, asked
    if name == RESIDENTS:
        return population_column(table), None
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
    numeric = [column for column in table.columns if column not in codes and is_numeric(table, column)]
    if len(numeric) == 1:
        return numeric[0], None
    listed = ", ".join(f"'{column}'" for column in (numeric or table.columns)[:12])
    raise DataError(f"{table.name}: which column is meant? Name it in `column`: {listed}")


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
