"""Columns of cells as numbers: areas and periods as positions, counts as counts, bad cells by row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.periods import PeriodKind
from whatworks_eval.sources.dates import how_to_write, read_periods
from whatworks_eval.sources.tables import text_of

MOST_NAMED = 5
# Above this, a computer's numbers no longer tell one incident from the next.
MOST_INCIDENTS = 1e15
_UNSEEN = {"Cf", "Cc"}
_BESIDE_A_FIGURE = re.compile(r"(?<=\d) (?=[^\W\d])|(?<=[^\W\d]) (?=\d)")
_NULL = {"", "<NA>", "NaT"}  # how pandas writes a missing value

Cells = Sequence[Any] | NDArray[Any]
Rows = Sequence[int] | NDArray[np.intp]
# Puts positions of rows into words: 'counts.csv, row 2, 5'.
Where = Callable[[Rows], str]


def few(items: Sequence[Any] | NDArray[Any]) -> str:
    """The first few of a list, and how many more there are.

    Example:
        >>> few([1, 2, 3, 4, 5, 6, 7])
        '1, 2, 3, 4, 5 and 2 more'
    """
    more = f" and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else ""
    return ", ".join(str(item) for item in items[:MOST_NAMED]) + more


def frame_columns(frame: Any, names: Sequence[str], what: str, *, every: bool = False) -> dict[str, Any]:
    """The named columns as lists, or as arrays where the column holds numbers; all columns on request."""
    import narwhals as nw

    try:
        native = nw.from_native(frame)
    except TypeError as error:
        kind = type(frame).__name__
        raise DataError(
            f"{what}: {kind} is not a dataframe; give pandas, Polars, PyArrow or DuckDB"
        ) from error
    if isinstance(native, nw.LazyFrame):
        native = native.collect("pandas")
    absent = [name for name in names if name not in native.columns]
    if absent:
        raise DataError(
            f"{what}: no column '{name}'; the columns are {', '.join(map(repr, native.columns))}"
            for name in absent
        )
    found: dict[str, Any] = {}
    for name in native.columns if every else dict.fromkeys(names):
        column = native[name]
        plain = column.dtype.is_numeric() and not column.dtype.is_decimal() and column.null_count() == 0
        found[name] = column.to_numpy() if plain else column.to_list()
    return found


def coded_areas(cells: Cells, where: Where) -> tuple[NDArray[np.intp], list[str]]:
    """Position of each row's area in the list of distinct codes, and that list, in order of appearance."""
    at, distinct = _factorized(cells)
    texts = [text_of(cell) for cell in distinct]
    codes = list(dict.fromkeys(text for text in texts if text))
    blank = [i for i, text in enumerate(texts) if not text]
    if blank or (at < 0).any():
        rows = np.flatnonzero(np.isin(at, blank) | (at < 0))
        raise DataError(f"{where(rows)}: no area code; give one in every row or leave the row out")
    if not codes:
        raise DataError("there are no rows to count")
    number = _positions(texts, codes)
    _refuse_alike(number[at], codes, where)
    return number[at], codes


def _refuse_alike(at: NDArray[np.intp], codes: Sequence[str], where: Where) -> None:
    """A DataError for codes that a reader takes for one area: two rows of numbers, each with false zeros."""
    written: dict[str, list[int]] = {}
    for number, code in enumerate(codes):
        written.setdefault(_as_read(code), []).append(number)
    alike = [numbers for numbers in written.values() if len(numbers) > 1]
    problems = [
        f"{where(np.flatnonzero(at == numbers[1]))}: area {codes[numbers[1]]!r} is also written "
        f"{codes[numbers[0]]!r}, which differs only in letter case or blanks; write each area one way"
        for numbers in alike[:MOST_NAMED]
    ]
    if len(alike) > MOST_NAMED:
        problems.append(f"and {len(alike) - MOST_NAMED} more areas that are written in several ways")
    if problems:
        raise DataError(problems)


def _as_read(code: str) -> str:
    """A code less what the eye does not see: letter case, blanks, marks of no width, ways of accenting.

    A blank between two letters or two figures is seen: Red Hill and Redhill, beats '1 12' and '11 2' are two.

    Example:
        >>> _as_read("A 01") == _as_read("a01"), _as_read("Red  Hill") == _as_read("Redhill")
        (True, False)
    """
    plain = unicodedata.normalize("NFKC", code).casefold()
    shown = "".join(
        letter for letter in plain if letter.isspace() or unicodedata.category(letter) not in _UNSEEN
    )
    return _BESIDE_A_FIGURE.sub("", " ".join(shown.split()))


def _positions(texts: Sequence[str], codes: Sequence[str]) -> NDArray[np.intp]:
    position = {code: i for i, code in enumerate(codes)}
    return np.array([position[text] for text in texts], dtype=np.intp)


def coded_periods(cells: Cells, kind: PeriodKind, where: Where) -> tuple[NDArray[np.intp], list[str]]:
    """Position of each row's period in the list of distinct periods, and that list, sorted."""
    at, distinct = _factorized(cells)
    read = read_periods(distinct, kind)
    unread = [i for i, cell in enumerate(distinct) if read[cell] is None]
    problems = [
        f"{where(np.flatnonzero(at == i))}: '{text_of(distinct[i])}' is not a {kind} that can be "
        f"read one way; {how_to_write(kind)}"
        for i in unread[:MOST_NAMED]
    ]
    if (at < 0).any():
        problems.append(f"{where(np.flatnonzero(at < 0))}: no period; {how_to_write(kind)}")
    if len(unread) > MOST_NAMED:
        problems.append(f"and {len(unread) - MOST_NAMED} more such periods")
    if problems:
        raise DataError(problems)
    texts = [read[cell] or "" for cell in distinct]
    named = sorted(set(texts))
    return _positions(texts, named)[at], named


def _factorized(cells: Cells) -> tuple[NDArray[np.intp], list[Any]]:
    """Position of each cell in the list of distinct cells (-1 where null), and that list."""
    import pandas as pd

    values = np.array([*cells, None], dtype=object)[:-1] if not isinstance(cells, np.ndarray) else cells
    at, distinct = pd.factorize(values)
    return np.asarray(at, dtype=np.intp), list(distinct)


def checked_counts(cells: Cells, where: Where) -> NDArray[np.float64]:
    """Counts as numbers, NaN where null; every sort of bad cell is named with its rows."""
    odd: list[int] = []
    if hasattr(cells, "dtype") and cells.dtype.kind in "iuf":
        values = np.asarray(cells, dtype=np.float64)
    else:
        values = np.full(len(cells), np.nan)
        for at, cell in enumerate(cells):
            if isinstance(cell, (str, bool, np.bool_)) and cell != "":
                odd.append(at)
            elif text_of(cell) not in _NULL:
                try:
                    values[at] = float(cell)
                except (TypeError, ValueError):
                    odd.append(at)
    problems = []
    if odd:
        problems.append(f"{where(odd)}: '{cells[odd[0]]}' is not a number of incidents; give a whole number")
    with np.errstate(invalid="ignore"):
        for wrong, says in (
            (
                np.isinf(values),
                "is not a finite number of incidents; correct it, or leave it blank if not known",
            ),
            (values < 0, "is negative: a number of incidents cannot be"),
            (
                np.isfinite(values) & (values > MOST_INCIDENTS),
                "is more incidents than there can be; correct it, or leave it blank if not known",
            ),
            (
                np.isfinite(values) & (values != np.floor(values)),
                "is not a whole number of incidents; give counts, not rates or averages",
            ),
        ):
            rows = np.flatnonzero(wrong)
            if rows.size:
                problems.append(f"{where(rows)}: {values[rows[0]]:g} {says}")
    if problems:
        raise DataError(problems)
    return values
