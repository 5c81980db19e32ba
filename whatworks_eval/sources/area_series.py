"""A number for each area and period from a file in long form: officer hours, temperature, footfall."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.did_keys import AreaSeries
from whatworks_eval.errors import DataError
from whatworks_eval.sources.tables import read_table

SHOWN = 5  # problems of one sort named before the rest are counted


def read_area_series(
    given: AreaSeries,
    base: Path,
    *,
    key: str,
    areas: Sequence[str],
    periods: Sequence[str],
    order: Sequence[str],
) -> NDArray[np.float64]:
    """The number of every area and period wanted, areas × periods in the given order.

    Args:
        given: The file and its columns.
        base: Folder the file is relative to.
        key: Where the protocol names it, for messages.
        areas: Areas that must be there for every period; others are 0 where absent.
        periods: Periods wanted, in order.
        order: All areas of the result, in order.

    Raises:
        DataError: A cell that is no number, an area and period twice, or one that is not there: a missing
            number is not taken for zero. Every problem at once.
    """
    table = read_table(base / given.path)
    cells = {}
    problems = []
    for column in (given.area, given.period, given.value):
        try:
            cells[column] = table.text(column)
        except DataError as problem:
            problems += [f"{key}: {text}" for text in problem.problems]
    if problems:
        raise DataError(problems)
    row = {area: at for at, area in enumerate(order)}
    place = {period: at for at, period in enumerate(periods)}
    found = np.full((len(order), len(periods)), np.nan)
    seen: dict[tuple[int, int], int] = {}
    for number, area, period, text in zip(
        table.numbers, cells[given.area], cells[given.period], cells[given.value], strict=True
    ):
        at = (row.get(area, -1), place.get(period, -1))
        if -1 in at:
            continue  # an area or period the design does not use
        if at in seen:
            problems.append(
                f"{key}: {table.name} row {number}: {area} in {period} is already in row {seen[at]}; keep one"
            )
            continue
        seen[at] = number
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            problems.append(
                f"{key}: {table.name} row {number}: column '{given.value}' is '{text}', not a number; "
                "give it, or leave the area out"
            )
            continue
        found[at] = value
    needed = np.isin(np.array(order), np.array(areas))
    lacking = np.argwhere(~np.isfinite(found) & needed[:, None])
    known = {at for at in map(tuple, lacking.tolist()) if at not in seen}
    if known:
        some = ", ".join(f"{order[at]} in {periods[when]}" for at, when in sorted(known)[:SHOWN])
        problems.append(
            f"{key}: {table.name} lacks {len(known)} of the areas and periods used ({some}); a missing "
            "number is not taken for zero: give them, or narrow the windows"
        )
    if problems:
        more = len(problems) - SHOWN
        raise DataError(problems[:SHOWN] + ([f"{key}: and {more} more like these"] if more > 0 else []))
    return np.where(needed[:, None], found, np.nan_to_num(found))
