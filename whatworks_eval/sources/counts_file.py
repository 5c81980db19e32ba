"""The `counts` source: a CSV, TSV, XLSX or parquet file of counts, long or wide by period."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from whatworks_eval.errors import DataError
from whatworks_eval.panel import InputFile, Ledger, Panel
from whatworks_eval.periods import PeriodKind
from whatworks_eval.protocol_tables import Outcome
from whatworks_eval.sources.cells import MOST_NAMED, Rows, Where
from whatworks_eval.sources.counts import panel_from_cells
from whatworks_eval.sources.dates import how_to_write, read_periods
from whatworks_eval.sources.tables import Cell, Table, number_of, read_table, text_of

OTHER_OFFENCE = "other offence"
# One thousand to some, one to others: between semicolons a comma or a point may be either mark.
_THOUSAND = re.compile(r"[-+]?\d{1,3}(?:[.,]\d{3})+")


@dataclass(slots=True, kw_only=True)
class _Cells:
    """Counts in long form, each with the row of the file it came from."""

    areas: list[Cell] = field(default_factory=list)
    periods: list[Cell] = field(default_factory=list)
    counts: list[float | None] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    excluded: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def load_counts(path: Path, outcome: Outcome, *, period_kind: PeriodKind = "month") -> Panel:
    """The Panel in a file of counts, laid out as `[outcome]` says.

    In the wide layout every cell under a period's column counts as a row. Where `outcome.offence` names a
    column, the offences wanted are added up by area and period.

    Raises:
        DataError: Every problem with its file and row, as an editor or spreadsheet numbers rows.

    Example:
        >>> load_counts(Path("no-such.csv"), Outcome(source="counts", path="no-such.csv"))
        Traceback (most recent call last):
        ...
        whatworks_eval.errors.DataError: - no-such.csv: not found
    """
    columns = [outcome.area] + ([outcome.date, outcome.count] if outcome.layout == "long" else [])
    table = read_table(path, sheet=outcome.sheet, wanted=columns)
    if not table.rows:
        raise DataError(f"{table.name}: a header and no rows; there is nothing to count")
    keep = _wanted(table, outcome)
    cells = (
        _long(table, outcome, keep, period_kind)
        if outcome.layout == "long"
        else _wide(table, outcome, keep, period_kind)
    )
    if outcome.offence is not None:
        cells = _added_up(table, outcome, cells, period_kind)
    return panel_from_cells(
        cells.areas,
        cells.periods,
        cells.counts,
        where=_where(table, cells.rows),
        parts=cells.parts,
        empty_periods=outcome.empty_periods,
        period_kind=period_kind,
        ledger=Ledger(
            excluded=cells.excluded,
            files=(InputFile(name=table.name, sha256=table.sha256, rows=len(table.rows)),),
            notes=(*table.notes, *cells.notes),
        ),
    )


def _where(table: Table, rows: Sequence[int]) -> Where:
    """Puts positions among the cells into words: file and row numbers."""

    def words(positions: Rows) -> str:
        numbers = list(dict.fromkeys(table.numbers[rows[at]] for at in positions))
        more = f" and {len(numbers) - MOST_NAMED} more" if len(numbers) > MOST_NAMED else ""
        return f"{table.name}, row {', '.join(map(str, numbers[:MOST_NAMED]))}{more}"

    return words


def _wanted(table: Table, outcome: Outcome) -> list[bool]:
    """For each row, whether its offence is wanted."""
    if outcome.offence is None:
        if outcome.offences:
            raise DataError(
                f"{table.name}: `outcome.offences` asks for {', '.join(map(repr, outcome.offences))}, but no "
                "column is said to hold the offence; name it in `outcome.offence`, or drop `outcome.offences`"
            )
        return [True] * len(table.rows)
    found = table.text(outcome.offence)
    if not outcome.offences:
        return [True] * len(table.rows)
    present = sorted(set(found))
    problems = []
    for offence in outcome.offences:
        if offence not in present:
            near = get_close_matches(offence, present, n=1, cutoff=0.6)
            meant = f"did you mean '{near[0]}'? " if near else ""
            listed = ", ".join(map(repr, present[:20])) + (" …" if len(present) > 20 else "")
            problems.append(
                f"`outcome.offences`: '{offence}' is not in column '{outcome.offence}' of {table.name}; "
                f"{meant}The column has {listed}"
            )
    if problems:
        raise DataError(problems)
    wanted = set(outcome.offences)
    return [offence in wanted for offence in found]


def _long(table: Table, outcome: Outcome, keep: Sequence[bool], kind: PeriodKind) -> _Cells:
    cells = _Cells()
    areas, dates = table.column(outcome.area), table.column(outcome.date)
    counts = table.column(outcome.count)
    left_out: dict[str, int] = {}
    named = read_periods(dates, kind)
    odd: list[tuple[int, Cell]] = []
    for at, (area, when, count, wanted) in enumerate(zip(areas, dates, counts, keep, strict=True)):
        if not wanted:
            period = named[when] or text_of(when)
            left_out[period] = left_out.get(period, 0) + 1
            continue
        _append(cells, table, at, area, when, count, odd)
    _refuse(table, odd)
    if left_out:
        cells.excluded[OTHER_OFFENCE] = left_out
    return cells


def _wide(table: Table, outcome: Outcome, keep: Sequence[bool], kind: PeriodKind) -> _Cells:
    """A column a period: those whose header can be read as one."""
    named = {text_of(outcome.area), *([outcome.offence] if outcome.offence else [])}
    read = read_periods(table.columns, kind)
    columns = [(at, name) for at, name in enumerate(table.columns) if read[name] and name not in named]
    if not columns:
        raise DataError(
            f'{table.name}: no column is named after a {kind}, as layout = "wide" needs; {how_to_write(kind)}'
        )
    twice = sorted({str(read[name]) for _, name in columns if _times(read, columns, name) > 1})
    if twice:
        raise DataError(f"{table.name}: two columns are named after {twice[0]}; keep one")
    cells = _Cells()
    areas = table.column(outcome.area)
    odd: list[tuple[int, Cell]] = []
    for at, (area, wanted) in enumerate(zip(areas, keep, strict=True)):
        if not wanted:
            by_period = cells.excluded.setdefault(OTHER_OFFENCE, {})
            for _, name in columns:
                by_period[str(read[name])] = by_period.get(str(read[name]), 0) + 1
            continue
        for column, name in columns:
            _append(cells, table, at, area, name, table.rows[at][column], odd)
    _refuse(table, odd)
    passed = [name for at, name in enumerate(table.columns) if name not in named and not read[name]]
    if passed:
        cells.notes.append(f"Columns not used: {', '.join(passed)}.")
    return cells


def _times(read: dict[Cell, str | None], columns: Sequence[tuple[int, str]], name: str) -> int:
    return sum(read[other] == read[name] for _, other in columns)


def _append(
    cells: _Cells, table: Table, at: int, area: Cell, when: Cell, count: Cell, odd: list[tuple[int, Cell]]
) -> None:
    try:
        if table.decimal_comma and isinstance(count, str) and _THOUSAND.fullmatch(count.strip()):
            raise ValueError(count)
        number = number_of(count, decimal_comma=table.decimal_comma)
    except ValueError:
        odd.append((at, count))
        return
    cells.areas.append(area)
    cells.periods.append(when)
    cells.counts.append(number)
    cells.rows.append(at)
    cells.parts.append(1)


def _refuse(table: Table, odd: Sequence[tuple[int, Cell]]) -> None:
    """A DataError for cells that hold no number: text is never read as zero or as missing."""
    if not odd:
        return
    problems = [
        f"{table.name}, row {table.numbers[at]}: '{text_of(cell)}' is not a number of incidents; give a "
        "whole number, or leave the cell blank if it is not known"
        for at, cell in odd[:MOST_NAMED]
    ]
    if len(odd) > MOST_NAMED:
        problems.append(f"and {len(odd) - MOST_NAMED} more such cells in {table.name}")
    raise DataError(problems)


def _added_up(table: Table, outcome: Outcome, cells: _Cells, kind: PeriodKind) -> _Cells:
    """Counts summed by area and period over the offences wanted; one missing part makes the sum missing.

    Rows alike in every column but the count are copies, and an error. Rows of one area, period and offence
    that differ in another column split the offence further: they are added up, and the ledger says so.
    """
    assert outcome.offence is not None
    offences = table.text(outcome.offence)
    used = {table.position(outcome.area), table.position(outcome.offence)}
    if outcome.layout == "long":
        used |= {table.position(outcome.date), table.position(outcome.count)}
    read = read_periods(table.columns, kind) if outcome.layout == "wide" else {}
    others = [at for at, name in enumerate(table.columns) if at not in used and not read.get(name)]
    seen: dict[tuple[str, str, str], dict[tuple[str, ...], int]] = {}
    copies: list[str] = []
    for area, when, row in zip(cells.areas, cells.periods, cells.rows, strict=True):
        key = (text_of(area), text_of(when), offences[row])
        detail = tuple(text_of(table.rows[row][at]) for at in others)
        before = seen.setdefault(key, {}).setdefault(detail, row)
        if before != row:
            copies.append(
                f"{table.name}, row {table.numbers[before]} and {table.numbers[row]}: "
                f"'{key[0]}', {key[1]}, '{key[2]}' is there twice; remove the copy"
            )
    if copies:
        more = [f"and {len(copies) - MOST_NAMED} more copies"] if len(copies) > MOST_NAMED else []
        raise DataError([*copies[:MOST_NAMED], *more])
    split = sum(len(details) > 1 for details in seen.values())
    if split:
        names = ", ".join(f"'{table.columns[at]}'" for at in others)
        cells.notes.append(
            f"{split:,} cells of '{outcome.offence}' are split further by {names}: their rows were added up."
        )
    return _summed(table, cells)


def _summed(table: Table, cells: _Cells) -> _Cells:
    first: dict[tuple[str, str], int] = {}
    summed = _Cells(excluded=cells.excluded, notes=cells.notes)
    for area, when, count, row in zip(cells.areas, cells.periods, cells.counts, cells.rows, strict=True):
        key = (text_of(area), text_of(when))
        if key in first:
            at = first[key]
            so_far = summed.counts[at]
            summed.parts[at] += 1
            summed.counts[at] = None if so_far is None or count is None else so_far + count
            continue
        first[key] = len(summed.areas)
        summed.areas.append(area)
        summed.periods.append(when)
        summed.counts.append(count)
        summed.rows.append(row)
        summed.parts.append(1)
    return summed
