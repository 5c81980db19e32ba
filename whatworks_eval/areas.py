"""Lists of areas and lookups from area to unit, as protocols name them: in place or in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from whatworks_eval.errors import DataError
from whatworks_eval.protocol_tables import AreaFile, UnitLookup
from whatworks_eval.sources.tables import Table, read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaList:
    """Areas of one arm as declared.

    Attributes:
        codes: In the order given, each once.
        units: Area, then unit, where the file has a unit column.
        starts: Area, then the period it started in, where the file has a start column.
        blocks: Area, then block, where the file has a block column; '' where its cell is empty.
    """

    codes: tuple[str, ...]
    units: Mapping[str, str] = field(default_factory=dict)
    starts: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, str] = field(default_factory=dict)


def read_areas(given: tuple[str, ...] | AreaFile, base: Path, key: str) -> AreaList:
    """The areas a protocol names.

    Args:
        given: Codes, or a file with a column of them.
        base: Folder the file is relative to.
        key: Where the protocol says so, for messages.

    Raises:
        DataError: A code twice or empty, a file or column that is not there; every problem at once.
    """
    if isinstance(given, tuple):
        _refuse_repeats(given, key)
        return AreaList(codes=given)
    table = read_table(base / given.file)
    wanted = [name for name in (given.column, given.unit, given.start, given.block) if name]
    cells = _columns(table, wanted, key)
    codes = cells[given.column]
    _refuse_empty(table, codes, given.column, key)
    _refuse_repeats(codes, f"{key}: {given.file}")
    beside: dict[str, dict[str, str]] = {}
    for name in (given.unit, given.start):
        if name:
            _refuse_empty(table, cells[name], name, key)
            beside[name] = dict(zip(codes, cells[name], strict=True))
    return AreaList(
        codes=codes,
        units=beside.get(given.unit or "", {}),
        starts=beside.get(given.start or "", {}),
        blocks=dict(zip(codes, cells[given.block], strict=True)) if given.block else {},
    )


def read_units(lookup: UnitLookup, base: Path) -> dict[str, str]:
    """Area, then unit, from a lookup file; an area with two different units is an error."""
    table = read_table(base / lookup.file)
    cells = _columns(table, [lookup.code, lookup.unit], "areas.unit")
    found: dict[str, str] = {}
    problems = []
    for number, code, unit in zip(table.numbers, cells[lookup.code], cells[lookup.unit], strict=True):
        if not code or not unit:
            continue  # an area without a unit is missed only if the design uses it
        if found.setdefault(code, unit) != unit:
            problems.append(
                f"areas.unit: {lookup.file} row {number}: {code} is in '{unit}' and in '{found[code]}'; "
                f"an area has one unit"
            )
    if problems:
        raise DataError(problems)
    return found


def _columns(table: Table, wanted: list[str], key: str) -> dict[str, tuple[str, ...]]:
    problems, found = [], {}
    for name in wanted:
        try:
            found[name] = table.text(name)
        except DataError as problem:
            problems += [f"{key}: {text}" for text in problem.problems]
    if problems:
        raise DataError(problems)
    return found


def _refuse_empty(table: Table, cells: tuple[str, ...], column: str, key: str) -> None:
    if not cells:
        raise DataError(f"{key}: {table.name} has no rows; list one area a row")
    empty = [number for number, cell in zip(table.numbers, cells, strict=True) if not cell]
    if empty:
        raise DataError(
            f"{key}: {table.name} row {empty[0]}: column '{column}' is empty ({len(empty)} such rows)"
        )


def _refuse_repeats(codes: tuple[str, ...], where: str) -> None:
    twice = sorted(code for code, times in Counter(codes).items() if times > 1)
    if twice:
        raise DataError(f"{where}: {', '.join(twice[:5])} listed more than once; list each area once")
