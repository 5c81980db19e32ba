"""Periods as sortable text: months '2018-01', quarters '2018-Q1', ISO weeks '2018-W05', days '2018-01-31'."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Literal

PeriodKind = Literal["month", "quarter", "week", "day"]

EXAMPLES: dict[PeriodKind, str] = {
    "month": "2018-01",
    "quarter": "2018-Q1",
    "week": "2018-W05",
    "day": "2018-01-31",
}
YEARS = range(1900, 2200)
"""Years records are of: '0018-01' and '9999-12' are slips, and the months between would fill the memory."""
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def first_day(period: str, kind: PeriodKind) -> date:
    """The first day of a period; ValueError where the text is not one, or of a year that no record is of.

    Example:
        >>> first_day("2018-W05", "week")
        datetime.date(2018, 1, 29)
    """
    if re.match(r"\d{4}-", period) and int(period[:4]) not in YEARS:
        raise ValueError(f"'{period}' is not of a year from {YEARS[0]} to {YEARS[-1]}")
    if kind == "month" and (found := _MONTH.fullmatch(period)):
        return date(int(found[1]), int(found[2]), 1)
    if kind == "quarter" and (found := _QUARTER.fullmatch(period)):
        return date(int(found[1]), 3 * int(found[2]) - 2, 1)
    if kind == "week" and (found := _WEEK.fullmatch(period)):
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    if kind == "day" and (found := _DAY.fullmatch(period)):
        return date(int(found[1]), int(found[2]), int(found[3]))
    raise ValueError(f"'{period}' is not a {kind}; write it like '{EXAMPLES[kind]}'")


def period_of(day: date, kind: PeriodKind) -> str:
    """The period a day lies in.

    Example:
        >>> period_of(date(2018, 1, 31), "month")
        '2018-01'
    """
    if kind == "month":
        return f"{day.year:04d}-{day.month:02d}"
    if kind == "quarter":
        return f"{day.year:04d}-Q{(day.month + 2) // 3}"
    if kind == "week":
        year, week, _ = day.isocalendar()
        return f"{year:04d}-W{week:02d}"
    return day.isoformat()


def next_period(period: str, kind: PeriodKind) -> str:
    """The period after this one.

    Example:
        >>> next_period("2018-12", "month")
        '2019-01'
    """
    day = first_day(period, kind)
    return period_of(day + timedelta(days={"month": 32, "quarter": 100, "week": 7, "day": 1}[kind]), kind)


def period_range(first: str, last: str, kind: PeriodKind) -> tuple[str, ...]:
    """Every period from first to last, both included; empty if last lies before first.

    Example:
        >>> period_range("2018-11", "2019-01", "month")
        ('2018-11', '2018-12', '2019-01')
    """
    first_day(last, kind)
    found = []
    current = period_of(first_day(first, kind), kind)
    while current <= last:
        found.append(current)
        current = next_period(current, kind)
    return tuple(found)


def calendar_part(period: str) -> str:
    """What of a period comes round each year: its month, its quarter, its week number, or its month and day.

    Example:
        >>> calendar_part("2018-11")
        '11'
    """
    return period.split("-", 1)[1]


def months_between(first: str, last: str, kind: PeriodKind) -> float:
    """Length in months from the start of first to the end of last.

    Example:
        >>> months_between("2018-01", "2018-12", "month")
        12.0
    """
    start, end = first_day(first, kind), first_day(next_period(last, kind), kind)
    if kind in ("month", "quarter"):
        return float((end.year - start.year) * 12 + end.month - start.month)
    return (end - start).days / (365.2425 / 12)
