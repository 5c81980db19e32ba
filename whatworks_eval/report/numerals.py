"""Numbers as a reader meets them: decimals from the interval width, a true minus sign."""

from __future__ import annotations

import math
import re
import unicodedata

from whatworks_eval.records import Interval

MINUS = "\u2212"  # a hyphen is passed over by many screen readers
SMALLEST_COUNT = 5  # counts below this are not printed: a shared report may be read by anybody
MOST_DECIMALS = 3


def clean(text: str) -> str:
    r"""The text on one line, without control or direction-changing characters a name may carry.

    Example:
        >>> clean("Town\x1b[31m\nhall")
        'Town [31m hall'
    """
    kept = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"} else letter for letter in text
    )
    return re.sub(r"\s+", " ", kept).strip()


def decimals_for(interval: Interval) -> int:
    """Decimal places the width of an interval supports: two figures of the width, three places at most.

    At least one place where both ends are below 10. Without two ends, one place.

    Example:
        >>> decimals_for(Interval(value=-12.3, low=-19.4, high=-4.1))
        0
        >>> decimals_for(Interval(value=-1.2, low=-4.4, high=2.1))
        1
    """
    if interval.low is None or interval.high is None:
        return 1 if interval.value is None or abs(interval.value) < 100 else 0
    width = interval.high - interval.low
    places = MOST_DECIMALS if width <= 0 else 1 - math.floor(math.log10(width))
    places = min(max(places, 0), MOST_DECIMALS)
    if max(abs(interval.low), abs(interval.high)) < 10:
        return max(places, 1)
    return places


def enough(value: float, decimals: int) -> int:
    """The decimals a number needs not to be printed as zero when it is not; three at most.

    Example:
        >>> enough(-0.04, 1), enough(-4.0, 1), enough(0.0, 1)
        (2, 1, 1)
    """
    while value != 0 and decimals < MOST_DECIMALS and round(value, decimals) == 0:
        decimals += 1
    return decimals


def plain(value: float, decimals: int) -> str:
    """The size of a number, without its sign.

    Example:
        >>> plain(-1234.56, 1)
        '1,234.6'
    """
    return f"{abs(value):,.{decimals}f}"


def signed(value: float, decimals: int, *, plus: bool = True) -> str:
    """A number with its sign; one that rounds to zero has none.

    Example:
        >>> signed(-4.26, 1), signed(3.0, 0), signed(-0.004, 1)
        ('\u22124.3', '+3', '0.0')
    """
    size = plain(value, decimals)
    if not size.strip("0.,"):
        return size
    return (MINUS if value < 0 else "+" if plus else "") + size


def percent(value: float, decimals: int = 0, *, sign: bool = True) -> str:
    """A percentage, signed unless asked otherwise.

    Example:
        >>> percent(-12.34, 1), percent(12.34, sign=False)
        ('\u221212.3 %', '12 %')
    """
    return f"{signed(value, decimals) if sign else plain(value, decimals)} %"


def count(value: float, *, hide: bool = False, decimals: int = 0) -> str:
    """A count with thousands separated; 'fewer than 5' where small ones are hidden.

    Example:
        >>> count(1234), count(3, hide=True), count(-12)
        ('1,234', 'fewer than 5', '\u221212')
    """
    if hide and value < SMALLEST_COUNT:
        return f"fewer than {SMALLEST_COUNT}"
    return signed(value, decimals, plus=False)


def number(value: float) -> str:
    """A number of unknown size to three figures, whole where it is whole.

    Example:
        >>> number(1234.0), number(0.01234), number(3.14159), number(-250.4)
        ('1,234', '0.0123', '3.14', '\u2212250')
    """
    if value == round(value) and abs(value) < 1e15:
        return signed(value, 0, plus=False)
    said = signed(value, min(max(2 - math.floor(math.log10(abs(value))), 0), 6), plus=False)
    return said.rstrip("0").rstrip(".") if "." in said else said


def p_value(value: float) -> str:
    """A p-value to two figures, or 'below 0.0001'.

    Example:
        >>> p_value(0.0312), p_value(0.45), p_value(0.00001)
        ('0.031', '0.45', 'below 0.0001')
    """
    if value < 0.0001:
        return "below 0.0001"
    return f"{value:.{2 if value >= 0.0995 else 3 if value >= 0.00995 else 4}f}"


def per_cent_of(confidence: float) -> str:
    """A confidence as a percentage.

    Example:
        >>> per_cent_of(0.95), per_cent_of(0.975)
        ('95 %', '97.5 %')
    """
    return f"{100 * confidence:.6g} %"


def listed(words: list[str] | tuple[str, ...], *, most: int = 6) -> str:
    """Words as an English list; the rest counted where there are many.

    Example:
        >>> listed(["a", "b", "c"]), listed(["a", "b", "c"], most=2)
        ('a, b and c', 'a, b and 1 more')
    """
    words = [clean(word) for word in words]
    if len(words) > most:
        words = [*words[:most], f"{len(words) - most:,} more"]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def counted(size: int, noun: str, plural: str | None = None) -> str:
    """A count and its noun.

    Example:
        >>> counted(1, "area"), counted(1200, "area"), counted(2, "category", "categories")
        ('1 area', '1,200 areas', '2 categories')
    """
    return f"{size:,} {noun if size == 1 else plural or noun + 's'}"
