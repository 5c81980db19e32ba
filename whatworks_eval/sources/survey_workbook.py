"""The ONS workbook of perceptions by police force area (Crime Survey for England and Wales)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whatworks_eval.errors import DataError
from whatworks_eval.protocol_tables import Outcome
from whatworks_eval.sources.police_uk_files import hash_of, refuse_swollen
from whatworks_eval.sources.survey_layouts import YEAR, Answer, Answers, share, whole
from whatworks_eval.sources.tables import DAMAGED, MOST_UNPACKED, number_of, text_of

HEADER_WITHIN = 12  # rows: titles and links come first
_YEAR_ENDING = re.compile(r"year ending (\w+ \d{4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """An estimate and the columns with its interval and base."""

    question: str
    value: int
    low: int | None = None
    high: int | None = None
    base: int | None = None


def read_workbook(path: Path, outcome: Outcome) -> Answers | None:
    """Every estimate in the workbook's tables; None where no worksheet has an 'Area code' header below row 1.

    Raises:
        DataError: The workbook cannot be read, or holds no such worksheet as `outcome.sheet`.
    """
    import warnings
    from zipfile import BadZipFile, ZipFile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with ZipFile(path) as archive:
            refuse_swollen(path.name, archive.infolist(), most=MOST_UNPACKED)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's remarks on styles it does not know
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            sheets = {
                sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)]
                for sheet in book.worksheets  # less those that hold a chart alone
            }
            book.close()
    except (BadZipFile, InvalidFileException, *DAMAGED) as error:
        raise DataError(
            f"{path.name}: not a readable XLSX file ({error}); save it again from Excel"
        ) from error
    tables = {name: at for name, rows in sheets.items() if (at := _header(rows)) is not None}
    if not tables:
        return None
    if outcome.sheet is not None and outcome.sheet not in tables:
        raise DataError(
            f"{path.name}: worksheet '{outcome.sheet}' holds no table with an 'Area code' column; those that "
            f"do are {', '.join(map(repr, tables))}"
        )
    wanted = [outcome.sheet] if outcome.sheet is not None else list(tables)
    found, problems, rows = list[Answer](), list[str](), 0
    for name in wanted:
        at = tables[name]
        answers = list(_answers(path.name, name, sheets[name], at, outcome, problems))
        rows += len({answer.row for answer in answers})
        found += answers
    if problems:
        raise DataError(problems[:10] + ([f"and {len(problems) - 10} more"] if len(problems) > 10 else []))
    return Answers(
        name=path.name,
        sha256=hash_of(path),
        rows=rows,
        found=tuple(found),
        rolling_months=YEAR,
        notes=(
            f"{path.name}: Crime Survey for England and Wales; each value covers the 12 months of fieldwork "
            "that end with its date, with a published 95 % interval and an unweighted base.",
        ),
    )


def _header(rows: Sequence[Sequence[Any]]) -> int | None:
    return next(
        (at for at, row in enumerate(rows[:HEADER_WITHIN]) if row and text_of(row[0]) == "Area code"), None
    )


def _answers(
    file: str, sheet: str, rows: Sequence[Sequence[Any]], at: int, outcome: Outcome, problems: list[str]
) -> Iterator[Answer]:
    title = " ".join(text_of(row[0]) for row in rows[:at] if row)
    ending = _YEAR_ENDING.search(title)
    names = outcome.area.casefold() == text_of(rows[at][1]).casefold()
    columns = list(_columns(rows[at], whole(title.split("Source:")[0])))
    for number, row in enumerate(rows[at + 1 :], start=at + 2):
        if not text_of(row[0]) or not text_of(row[1]):
            continue
        for column in columns:

            def cell(place: int | None, row: Sequence[Any] = row, number: int = number) -> float | None:
                """The share in a column of this row."""
                try:
                    return None if place is None else share(row[place], percent=True)
                except ValueError as error:
                    problems.append(f"{file}, worksheet '{sheet}', row {number}: {error}")
                    return None

            yield Answer(
                area=text_of(row[1 if names else 0]),
                when=ending[1] if ending else None,
                question=f"{sheet}: {column.question}",
                value=cell(column.value),
                low=_end(row, column.low),
                high=_end(row, column.high),
                base=_number(row, column.base) or None,
                row=number,
            )


def _number(row: Sequence[Any], place: int | None) -> float | None:
    try:
        return None if place is None else number_of(row[place])
    except ValueError:  # suppressed
        return None


def _end(row: Sequence[Any], place: int | None) -> float | None:
    """An end of an interval; ONS publishes some a little below 0 %."""
    value = _number(row, place)
    return None if value is None else value / 100


def _columns(header: Sequence[Any], title: str) -> Iterator[_Column]:
    """Estimates in order; the interval follows each, and a base serves all since the base before it."""
    waiting: list[dict[str, Any]] = []
    for at, cell in enumerate(header[2:], start=2):
        said = whole(text_of(cell))
        if not said:
            continue
        if "nweighted base" in said:
            for one in waiting:
                yield _Column(**one, base=at)
            waiting = []
        elif "Lower bound" in said:
            waiting[-1]["low"] = at
        elif "Upper bound" in said:
            waiting[-1]["high"] = at
        else:
            question = re.sub(r"\s*Estimate$", "", said) or re.sub(r"^Table \w+:\s*", "", title)
            waiting.append({"question": question, "value": at})
    for one in waiting:
        yield _Column(**one)
