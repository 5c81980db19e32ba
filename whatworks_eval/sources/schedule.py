"""Which area was switched on in which period: the schedule of a crossover trial, read and checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.periods import EXAMPLES, PeriodKind, first_day
from whatworks_eval.sources.tables import Table, read_table
from whatworks_eval.trial_keys import Crossover

ON = {"1", "on", "yes", "true", "y"}
OFF = {"0", "off", "no", "false", "n"}
SHOWN = 5  # of one sort of problem, before the rest are counted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """Which area was on when, and in which stretch of periods the lot was drawn.

    Attributes:
        areas: Sorted.
        periods: Those used, sorted.
        on: areas × periods, True where the project ran.
        block: areas × periods, number of the block; all 0 where no blocks are given.
        blocks: Names of the blocks by number.
    """

    areas: tuple[str, ...]
    periods: tuple[str, ...]
    on: NDArray[np.bool_]
    block: NDArray[np.intp]
    blocks: tuple[str, ...]


def read_schedule(keys: Crossover, base: Path, kind: PeriodKind, areas: Sequence[str]) -> Schedule:
    """The schedule a protocol names, one row an area and period.

    Args:
        keys: Section [crossover] of the protocol.
        base: Folder the file is relative to.
        kind: What a period is.
        areas: The areas of the trial; the schedule must hold these and no others.

    Raises:
        DataError: A cell that cannot be read, an area and period twice or not at all, areas that do not
            belong; every problem of a sort at once.
    """
    table = read_table(base / keys.schedule.file)
    names = [keys.schedule.area, keys.schedule.period, keys.schedule.on]
    columns = {name: table.text(name) for name in (*names, keys.schedule.block) if name}
    area, period, on = (columns[name] for name in names)
    block = columns[keys.schedule.block] if keys.schedule.block else ("",) * len(area)
    problems = list(_cells(table, keys, kind, area, period, on, block))
    if problems:
        raise DataError(f"crossover.schedule: {problem}" for problem in problems)
    first, last = keys.periods or (min(period, default=""), max(period, default=""))
    rows = [at for at in range(len(area)) if first <= period[at] <= last]
    found = {(area[at], period[at]) for at in rows}
    used = tuple(sorted({period[at] for at in rows}))
    if not used:
        raise DataError(
            f"crossover.periods: {table.name} has no row from {first} to {last}; mend the periods"
        )
    problems = list(_coverage(table, found, used, set(areas), {area[at] for at in rows}))
    if problems:
        raise DataError(f"crossover.schedule: {problem}" for problem in problems)
    known = tuple(sorted(areas))
    row = {name: at for at, name in enumerate(known)}
    column = {name: at for at, name in enumerate(used)}
    labels = {
        name: at
        for at, name in enumerate(dict.fromkeys(block[at] for at in sorted(rows, key=lambda at: period[at])))
    }
    switched = np.zeros((len(known), len(used)), dtype=bool)
    blocks = np.zeros((len(known), len(used)), dtype=np.intp)
    for at in rows:
        switched[row[area[at]], column[period[at]]] = on[at].casefold() in ON
        blocks[row[area[at]], column[period[at]]] = labels[block[at]]
    return Schedule(areas=known, periods=used, on=switched, block=blocks, blocks=tuple(labels))


def _cells(
    table: Table,
    keys: Crossover,
    kind: PeriodKind,
    area: Sequence[str],
    period: Sequence[str],
    on: Sequence[str],
    block: Sequence[str],
) -> Iterator[str]:
    """What cannot be read, row by row; the first few of each sort are named."""
    wrong: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    for at, number in enumerate(table.numbers):
        where = f"{table.name} row {number}"
        if not area[at]:
            wrong.setdefault("no area", []).append(f"{where}: column '{keys.schedule.area}' is empty")
        try:
            first_day(period[at], kind)
        except ValueError:
            wrong.setdefault("period", []).append(
                f"{where}: '{period[at]}' is not a {kind}; write it like '{EXAMPLES[kind]}'"
            )
        if on[at].casefold() not in ON | OFF:
            wrong.setdefault("on", []).append(
                f"{where}: column '{keys.schedule.on}' holds '{on[at]}'; write 1 or 0, on or off, yes or no"
            )
        if keys.schedule.block and not block[at]:
            wrong.setdefault("block", []).append(f"{where}: column '{keys.schedule.block}' is empty")
        if (area[at], period[at]) in seen:
            wrong.setdefault("twice", []).append(
                f"{where}: {area[at]} in {period[at]} is there twice; keep one row"
            )
        seen.add((area[at], period[at]))
    if not table.numbers:
        yield f"{table.name} has no rows; write one row an area and period"
    for found in wrong.values():
        yield from found[:SHOWN]
        if len(found) > SHOWN:
            yield f"{len(found) - SHOWN} more rows like the last"


def _coverage(
    table: Table, found: set[tuple[str, str]], periods: Sequence[str], declared: set[str], listed: set[str]
) -> Iterator[str]:
    """Areas that do not belong, or are not there in every period."""
    for odd, why in (
        (listed - declared, "in the schedule but not under areas.treated; name them there, or take them out"),
        (declared - listed, "under areas.treated but not in the schedule; add their rows, or take them out"),
    ):
        if odd:
            yield f"{table.name}: {_listed(sorted(odd))} {why}"
    lacking = [
        f"{area} in {period}"
        for area in sorted(listed & declared)
        for period in periods
        if (area, period) not in found
    ]
    if lacking:
        yield f"{table.name}: no row for {_listed(lacking)}; each area needs a row in each period, on or off"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
