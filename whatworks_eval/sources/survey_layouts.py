"""Tables of survey percentages as they are published: what each layout holds, one answer a cell.

Recognised by their headers: the ONS police-force-area workbook (Crime Survey for England and Wales), MOPAC's
Public Attitude Survey by quarter, MOPAC's borough trends, a Tableau cross-table of boroughs, the
Metropolitan Police neighbourhood tables with two or three header rows, and a plain long table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whatworks_eval.errors import DataError
from whatworks_eval.protocol_tables import Outcome
from whatworks_eval.sources.tables import Cell, Table, number_of, read_table, text_of

NOT_GIVEN = {"", "n/a", "na", "-", "–", "..", ":", "*", "[x]", "[u]", "[c]", "[low]", "[z]"}
_MOST_ASKED = 1e9  # respondents
YEAR = 12  # CSEW: 'year ending'; MOPAC: 400 interviews a borough in any 12-month rolling period
_PAS = ("date", "survey", "borough", "measure", "proportion")
_TREND = ("measure", "date", "borough trends", "borough", "proportion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One percentage as published: the share of an area's respondents who gave an answer.

    Attributes:
        area: Name or code.
        when: The period as the file writes it; None where the file does not say.
        question: What was asked.
        group: Of whom; '' for everybody.
        value: Share, 0 to 1; None where none is given.
        low: Lower end of the published interval.
        high: Upper end.
        base: Respondents, not weighted.
        row: Row of the file, as a spreadsheet numbers it.
        not_a_share: Why the cell is no share of respondents (a rank); '' where it is one.
    """

    area: str
    when: Cell | None
    question: str
    group: str = ""
    value: float | None
    low: float | None = None
    high: float | None = None
    base: float | None = None
    row: int
    not_a_share: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Every answer in a file.

    Attributes:
        name: File name.
        sha256: Of its bytes.
        rows: Data rows.
        found: One a cell.
        rolling_months: Months of fieldwork behind each, where the layout tells.
        notes: What was assumed in reading it.
    """

    name: str
    sha256: str
    rows: int
    found: tuple[Answer, ...]
    rolling_months: int | None = None
    notes: tuple[str, ...] = ()


def read_answers(path: Path, outcome: Outcome) -> Answers:
    """Every answer in a file of survey percentages, whichever layout it has.

    Raises:
        DataError: The file cannot be read, or a value is no percentage; with its row.

    Example:
        >>> read_answers(Path("no-such.csv"), Outcome(source="survey", path="no-such.csv"))
        Traceback (most recent call last):
        ...
        whatworks_eval.errors.DataError: - no-such.csv: not found
    """
    if path.suffix.lower() in {".xlsx", ".xlsm"} and path.is_file():
        from whatworks_eval.sources.survey_workbook import read_workbook

        book = read_workbook(path, outcome)
        if book is not None:
            return book
    table = read_table(path, sheet=outcome.sheet)
    if not table.rows:
        raise DataError(f"{table.name}: a header and no rows; there is nothing to read")
    header = tuple(name.casefold() for name in table.columns)
    notes: tuple[str, ...] = ()
    rolling: int | None = None
    if header[: len(_PAS)] == _PAS:
        found, rolling = _pas(table), YEAR
        notes = (
            f"{table.name}: MOPAC Public Attitude Survey; each quarter is taken as the 12 months that end "
            "with it. The number of respondents is not in the file.",
        )
    elif header == _TREND:
        found, rolling = _trend(table), YEAR
        notes = (
            f"{table.name}: MOPAC borough trend; each quarter is taken as the 12 months that end with it. "
            "The number of respondents is not in the file.",
        )
    elif header[:3] == ("date", "measure", ""):
        found, rolling = _cross_table(table), YEAR
        notes = (
            f"{table.name}: cross-table of boroughs; each value is taken as the 12 months that end with its "
            "date. The number of respondents is not in the file.",
        )
    elif header[0] == "neighbourhood" and _second_header(table):
        found = _neighbourhoods(table, outcome)
        notes = (f"{table.name}: neighbourhood table; the number of respondents is not in the file.",)
    else:
        found = _long(table, outcome)
    return Answers(
        name=table.name,
        sha256=table.sha256,
        rows=len(table.rows),
        found=tuple(found),
        rolling_months=rolling,
        notes=(*table.notes, *notes),
    )


def share(cell: Cell, *, percent: bool, decimal_comma: bool = False) -> float | None:
    """A cell as a share from 0 to 1; None where none is given; ValueError where it is no share.

    Example:
        >>> share("62%", percent=True), share("0,56", percent=False, decimal_comma=True)
        (0.62, 0.56)
    """
    text = text_of(cell)
    if text.casefold() in NOT_GIVEN:
        return None
    with_sign = text.endswith("%")
    if with_sign and not percent:
        raise ValueError(f"'{text}' is a percentage, not a proportion from 0 to 1")
    value = number_of(text.removesuffix("%").strip() if with_sign else cell, decimal_comma=decimal_comma)
    if value is None:
        return None
    value = value / 100 if percent else value
    if not 0 <= value <= 1:
        raise ValueError(f"'{text}' lies outside {'0 to 100 %' if percent else '0 to 1'}")
    return value


def whole(text: str) -> str:
    """A header on one line, without note marks: 'Good job [note 2]' is 'Good job'."""
    return re.sub(r"\s+", " ", re.sub(r"\[note[^\]]*\]", "", text, flags=re.IGNORECASE)).strip()


class _Shares:
    """Turns cells into shares and gathers what is wrong with them, so that all is told at once."""

    def __init__(self, table: Table, *, percent: bool) -> None:
        self.table, self.percent, self.problems = table, percent, list[str]()

    def of(self, cell: Cell, row: int) -> float | None:
        try:
            return share(cell, percent=self.percent, decimal_comma=self.table.decimal_comma)
        except ValueError as error:
            self.problems.append(f"{self.table.name}, row {row}: {error}")
            return None

    def done(self) -> None:
        if self.problems:
            more = len(self.problems) - 10
            raise DataError(self.problems[:10] + ([f"and {more} more such cells"] if more > 0 else []))


def _pas(table: Table) -> Iterator[Answer]:
    """Date;Survey;Borough;Measure;Proportion: a share with a decimal comma. A force column is left."""
    shares = _Shares(table, percent=False)
    for row, number in zip(table.rows, table.numbers, strict=True):
        date, survey, borough, measure, value = row[:5]
        yield Answer(
            area=text_of(borough),
            when=date,
            question=text_of(measure)
            if text_of(survey) == "PAS"
            else f"{text_of(survey)}: {text_of(measure)}",
            value=shares.of(value, number),
            row=number,
        )
    shares.done()


def _trend(table: Table) -> Iterator[Answer]:
    """Measure,Date,Borough Trends,Borough,Proportion: '62%' against 'December 2014'."""
    shares = _Shares(table, percent=True)
    for row, number in zip(table.rows, table.numbers, strict=True):
        measure, date, _, borough, value = row[:5]
        yield Answer(
            area=text_of(borough),
            when=date,
            question=text_of(measure),
            value=shares.of(value, number),
            row=number,
        )
    shares.done()


def _cross_table(table: Table) -> Iterator[Answer]:
    """Date, Measure, what the row holds, then a column an area; rows of ranks hold no shares."""
    shares = _Shares(table, percent=True)
    for row, number in zip(table.rows, table.numbers, strict=True):
        date, measure, holds = (text_of(cell) for cell in row[:3])
        is_share = holds.casefold() == "proportion"
        for area, cell in zip(table.columns[3:], row[3:], strict=True):
            yield Answer(
                area=area,
                when=date,
                question=measure,
                value=shares.of(cell, number) if is_share else None,
                row=number,
                not_a_share="" if is_share else f"'{holds or 'blank'}' rows hold no share of respondents",
            )
    shares.done()


def _second_header(table: Table) -> bool:
    """True where the row under the header is a second header: the name is blank, an answer is given."""
    heads = [text_of(cell) for cell in table.rows[0]]
    return not heads[0] and len([head for head in heads if head]) > 1


def _neighbourhoods(table: Table, outcome: Outcome) -> Iterator[Answer]:
    """A question, perhaps a group, and the answer counted over each column; a row a neighbourhood."""
    heads = [[text_of(cell) for cell in row] for row in table.rows if not text_of(row[0])]
    answers, groups = heads[-1], (heads[-2] if len(heads) > 1 else [""] * len(heads[0]))
    name = table.position(outcome.area) if outcome.area.casefold() == "code" else 0
    shares = _Shares(table, percent=True)
    for row, number in zip(table.rows, table.numbers, strict=True):
        if not text_of(row[0]):
            continue
        for at, question in enumerate(table.columns):
            if question.casefold() in {"neighbourhood", "code", "group"}:
                continue
            is_share = answers[at].startswith("%")
            yield Answer(
                area=text_of(row[name]),
                when=None,
                question=f"{whole(question)} ({answers[at]})" if is_share else whole(question),
                group=groups[at],
                value=shares.of(row[at], number) if is_share else None,
                row=number,
                not_a_share="" if is_share else f"column '{whole(question)}' holds no share of respondents",
            )
    shares.done()


def _long(table: Table, outcome: Outcome) -> Iterator[Answer]:
    """One row an area and period: a percentage or a proportion, and how many were asked."""
    column, percent = _value_column(table, outcome)
    base_name = outcome.base or next((name for name in table.columns if name.casefold() == "base"), None)
    areas, dates, values = table.text(outcome.area), table.column(outcome.date), table.column(column)
    bases: Sequence[Any] = table.column(base_name) if base_name else [None] * len(values)
    shares = _Shares(table, percent=percent)
    held = []
    for area, date, value, base, number in zip(areas, dates, values, bases, table.numbers, strict=True):
        if not area:
            shares.problems.append(f"{table.name}, row {number}: no area")
        respondents = _base(base, table, number, shares.problems)
        held.append(
            Answer(
                area=area,
                when=date,
                question=column,
                value=shares.of(value, number),
                base=respondents,
                row=number,
            )
        )
    shares.done()
    known = [answer.value for answer in held if answer.value is not None]
    if percent and known and max(known) <= 0.01:
        raise DataError(
            f"{table.name}: no value of column '{column}' is above 1, so it looks like a proportion from "
            "0 to 1 "
            f'and not a percentage; name it as `outcome.proportion = "{column}"`'
        )
    yield from held


def _base(cell: Cell, table: Table, row: int, problems: list[str]) -> float | None:
    if text_of(cell).casefold() in NOT_GIVEN:
        return None
    try:
        value = number_of(cell, decimal_comma=table.decimal_comma)
    except ValueError as error:
        problems.append(f"{table.name}, row {row}: base: {error}")
        return None
    if value is not None and not 0 < value <= _MOST_ASKED:
        needs = "a share needs at least one respondent" if value <= 0 else "more than there are people to ask"
        problems.append(f"{table.name}, row {row}: a base of {value:g}; {needs}")
        return None
    return value


def _value_column(table: Table, outcome: Outcome) -> tuple[str, bool]:
    """The column with the shares, and whether it holds percentages: said by the user or by its name."""
    if outcome.percent is not None:
        return outcome.percent, True
    if outcome.proportion is not None:
        return outcome.proportion, False
    named = {name.casefold(): name for name in table.columns}
    both = [name for name in ("percent", "proportion") if name in named]
    if len(both) == 1:
        return named[both[0]], both[0] == "percent"
    raise DataError(
        f"{table.name}: which column holds the answer, and is it a percentage or a proportion? Write "
        '`outcome.percent = "COLUMN"` (0 to 100) or `outcome.proportion = "COLUMN"` (0 to 1). The '
        "columns are " + ", ".join(f"'{name}'" for name in table.columns[:12])
    )
