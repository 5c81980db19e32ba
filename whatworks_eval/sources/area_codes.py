"""Find the column of a table that holds small-area codes."""

from __future__ import annotations

from whatworks_eval.errors import DataError
from whatworks_eval.sources.boundaries import is_lsoa
from whatworks_eval.sources.tables import Table

_NAMES = ("area", "lsoa", "lsoa code", "lsoa_code", "lsoa11cd", "lsoa21cd", "lsoa11_code", "lsoa21_code")
_MOST_LOOKED_AT = 50


def code_column(table: Table) -> str:
    """The column with area codes: the only one that holds LSOA codes, or one with a name that says so.

    Raises:
        DataError: No such column, or more than one; the message says what to name.

    Example:
        >>> table = Table(name="x.csv", columns=("place", "code"), rows=(("Rhyl", "W01000240"),),
        ...               numbers=(2,), sha256="")
        >>> code_column(table)
        'code'
    """
    first = table.rows[:_MOST_LOOKED_AT]
    holding = [
        name
        for at, name in enumerate(table.columns)
        if first and all(isinstance(row[at], str) and is_lsoa(row[at].strip()) for row in first)
    ]
    if len(holding) == 1:
        return holding[0]
    if len(holding) > 1:
        raise DataError(
            f"{table.name}: columns {', '.join(repr(name) for name in holding)} all hold LSOA codes; "
            "say which in `code`, or keep one"
        )
    named = [name for name in table.columns if name.casefold() in _NAMES]
    if len(named) == 1:
        return named[0]
    if len(table.columns) == 1:
        return table.columns[0]
    raise DataError(
        f"{table.name}: no column holds LSOA codes (such as E01014399); name the column of area codes 'area'"
    )
