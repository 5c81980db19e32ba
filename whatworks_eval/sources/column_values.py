"""Numbers of one column of a table by area, and which column holds residents."""

from __future__ import annotations

from collections.abc import Sequence

from whatworks_eval.errors import DataError
from whatworks_eval.sources.tables import Table, number_of, text_of

# What total population is called in tables as ONS and Nomis publish them, in small letters.
_POPULATION = (
    "residents",
    "population",
    "total population",
    "all usual residents",
    "residence type: total; measures: value",
    "total population: mid 2015 (excluding prisoners)",
)


def population_column(table: Table, key: str = "column") -> str:
    """The column of residents, where one is named as ONS and Nomis name it.

    Raises:
        DataError: None or several are; it says in which key to name one.
    """
    known = [column for column in table.columns if column.casefold() in _POPULATION]
    if len(known) == 1:
        return known[0]
    numeric = [column for column in table.columns if is_numeric(table, column)]
    listed = ", ".join(f"'{column}'" for column in numeric[:12])
    raise DataError(
        f"{table.name}: which column holds residents? Name it, and so the year, in `{key}`: {listed}"
    )


def is_numeric(table: Table, column: str) -> bool:
    """Whether the first cells of a column are numbers or blank, and not all blank."""
    try:
        cells = [number_of(cell, decimal_comma=table.decimal_comma) for cell in table.column(column)[:50]]
    except (ValueError, DataError, TypeError):
        return False
    return any(cell is not None for cell in cells)


def values_by_area(table: Table, codes: Sequence[str], column: str, key: str = "column") -> dict[str, float]:
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
    if problems and not values:
        problems.insert(0, f"{table.name}: '{column}' holds no number; if it holds classes, as = \"class\"")
    if problems:
        more = [f"and {len(problems) - 5} more such rows in {table.name}"] if len(problems) > 5 else []
        raise DataError([*problems[:5], *more])
    if not values:
        raise DataError(f"{table.name}: column '{column}' is empty; name another in `{key}`")
    return values
