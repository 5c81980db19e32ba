"""Periods as people write them in cells: read where there is one reading, refused where there are two."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from whatworks_eval.periods import EXAMPLES, YEARS, PeriodKind, first_day, period_of

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_NAMED = re.compile(r"([A-Za-z]{3,9})[ \-/]?(\d{4})|(\d{4})[ \-/]?([A-Za-z]{3,9})")
_ISO_DAY = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
_DIGITS = {"month": re.compile(r"(\d{4})(\d{2})"), "day": re.compile(r"(\d{4})(\d{2})(\d{2})")}
_SLASHED = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?: 0?0:00(?::00)?)?")


def read_periods(cells: Iterable[Any], kind: PeriodKind) -> dict[Any, str | None]:
    """Each distinct cell, and the period it names; None where it names none, or could name two.

    Read: '2018-01', 201801, '2018-01-31', 'Jan 2018', 'January-2018', dates, and 31/01/2018 where some
    other date in the same cells shows whether day or month comes first. Not read: 'Jan-18', which may
    be a year or a day.

    Example:
        >>> read_periods(["2018-01", "Feb 2018", "Mar-18"], "month")
        {'2018-01': '2018-01', 'Feb 2018': '2018-02', 'Mar-18': None}
    """
    distinct = list(dict.fromkeys(cells))
    order = _day_first([cell for cell in distinct if isinstance(cell, str)])
    return {cell: _period(cell, kind, order) for cell in distinct}


def is_near(period: str) -> bool:
    """True for a period of the years that records are of.

    Example:
        >>> is_near("2018-01"), is_near("9999-12"), is_near("0018-01")
        (True, False, False)
    """
    return int(period[:4]) in YEARS


def how_to_write(kind: PeriodKind) -> str:
    """What to tell someone whose period could not be read.

    Example:
        >>> how_to_write("month")
        "write each month like '2018-01'"
    """
    return f"write each {kind} like '{EXAMPLES[kind]}'"


def _day_first(texts: Iterable[str]) -> bool | None:
    """Whether 03/04/2018 is in April: told by other dates in the column; None where none tells."""
    day_first = month_first = False
    for text in texts:
        if found := _SLASHED.fullmatch(text.strip()):
            day_first |= int(found[1]) > 12
            month_first |= int(found[2]) > 12
    return None if day_first == month_first else day_first


def _period(cell: Any, kind: PeriodKind, day_first: bool | None) -> str | None:
    found = _any_period(cell, kind, day_first)
    return found if found is not None and is_near(found) else None


def _any_period(cell: Any, kind: PeriodKind, day_first: bool | None) -> str | None:
    try:
        if isinstance(cell, datetime):
            return period_of(cell.date(), kind)
        if isinstance(cell, date):
            return period_of(cell, kind)
        if isinstance(cell, bool) or cell is None or cell != cell:  # noqa: PLR0124 - NaN
            return None
        text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
        return _from_text(text, kind, day_first)
    except ValueError:
        return None


def _from_text(text: str, kind: PeriodKind, day_first: bool | None) -> str | None:
    try:
        return period_of(first_day(text, kind), kind)
    except ValueError:
        pass
    if found := _ISO_DAY.fullmatch(text):
        return period_of(date(int(found[1]), int(found[2]), int(found[3])), kind)
    if kind in _DIGITS and (found := _DIGITS[kind].fullmatch(text)):
        return period_of(date(int(found[1]), int(found[2]), int(found[3]) if kind == "day" else 1), kind)
    if kind == "month" and (found := _NAMED.fullmatch(text)):
        name, year = (found[1], found[2]) if found[1] else (found[4], found[3])
        return f"{int(year):04d}-{_month_number(name):02d}"
    if day_first is not None and (found := _SLASHED.fullmatch(text)):
        day, month = (found[1], found[2]) if day_first else (found[2], found[1])
        return period_of(date(int(found[3]), int(month), int(day)), kind)
    return None


def _month_number(name: str) -> int:
    """1 for 'Jan', 'January'; ValueError for what is no month's name or its first letters."""
    wanted = name.lower()
    number = next((at for at, full in enumerate(_MONTHS, start=1) if full.startswith(wanted)), None)
    if number is None:
        raise ValueError(name)
    return number
