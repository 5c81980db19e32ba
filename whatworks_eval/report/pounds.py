"""Pounds as a reader meets them: rounded in sentences, whole in tables, no cell a spreadsheet would run."""

from __future__ import annotations

import math

from whatworks_eval.records import Interval
from whatworks_eval.report.numerals import MINUS, clean
from whatworks_eval.report.tables import ABSENT

RUN_BY_A_SHEET = "=+-@\t\r"


def money(value: float, sign: str = "£") -> str:
    """An amount for a sentence: three figures, in millions where it is that large.

    Example:
        >>> money(2_012_500.0), money(-6507.0), money(1.268e9), money(0.4)
        ('£2.01 million', '\u2212£6,510', '£1.27 billion', '£0')
    """
    size = abs(value)
    if size >= 1000:
        size = round(size, 2 - math.floor(math.log10(size)))
    for least, word in ((1e9, " billion"), (1e6, " million")):
        if size >= least:
            return f"{_minus(value)}{sign}{size / least:.3g}{word}"
    said = f"{sign}{size:,.0f}"
    return said if said == f"{sign}0" else _minus(value) + said


def whole(value: float | None) -> str:
    """An amount for a table: whole pounds, so that columns add up to the pound.

    Example:
        >>> whole(184_000.4), whole(-12.0), whole(None)
        ('£184,000', '\u2212£12', '–')
    """
    if value is None:
        return ABSENT
    said = f"£{abs(value):,.0f}"
    return said if said == "£0" else _minus(value) + said


def per_pound(value: float) -> str:
    """What comes back for a pound, in pounds and pence.

    Example:
        >>> per_pound(2.281), per_pound(-0.4), per_pound(1234.5)
        ('£2.28', '\u2212£0.40', '£1,234.50')
    """
    said = f"£{abs(value):,.2f}"
    return said if said == "£0.00" else _minus(value) + said


def ratio(value: float | None) -> str:
    """A ratio for a table, to two places.

    Example:
        >>> ratio(2.284), ratio(-0.5), ratio(None)
        ('2.28', '\u22120.50', '–')
    """
    if value is None:
        return ABSENT
    said = f"{abs(value):,.2f}"
    return said if said == "0.00" else _minus(value) + said


def between(span: Interval, form: str = "money") -> str:
    """A range in words: '−£1,200 to £8,400'; '' where it has no ends.

    Example:
        >>> between(Interval(value=1.0, low=-1200.0, high=8400.0))
        '\u2212£1,200 to £8,400'
    """
    if span.low is None or span.high is None:
        return ""
    said = per_pound if form == "per pound" else money
    return f"{said(span.low)} to {said(span.high)}"


def cell(text: str) -> str:
    """Somebody's words fit for a cell: one that a spreadsheet would take for a formula is quoted.

    Example:
        >>> cell("=1+1"), cell("Officer time"), cell("@home")
        ("'=1+1", 'Officer time', "'@home")
    """
    said = clean(text)
    return f"'{said}" if said[:1] and said[0] in RUN_BY_A_SHEET else said


def _minus(value: float) -> str:
    return MINUS if value < 0 else ""
