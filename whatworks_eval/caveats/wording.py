"""Numbers inside the sentences of rules: a true minus sign, a space before %, no more figures than carry."""

from __future__ import annotations

import math

from whatworks_eval.records import Estimate, Interval

MINUS = "\u2212"


def number(value: float, places: int = 1, *, plus: bool = False) -> str:
    """A number with thousands separated and trailing zeros dropped; with its sign where it is a change.

    Example:
        >>> number(1234.0), number(-2.50), number(0.04, 2), number(3.0, plus=True), number(0.0, plus=True)
        ('1,234', '\u22122.5', '0.04', '+3', '0')
    """
    text = f"{abs(value):,.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    sign = MINUS if value < 0 else "+" if plus else ""
    return f"{sign}{text}" if text.strip("0.,") else text


def percent(value: float, places: int = 1, *, plus: bool = False) -> str:
    """A percentage; with its sign where it is a change.

    Example:
        >>> percent(12.34), percent(-3.0), percent(12.34, plus=True)
        ('12.3 %', '\u22123 %', '+12.3 %')
    """
    return f"{number(value, places, plus=plus)} %"


def probability(value: float) -> str:
    """A probability after its name: 'p = 0.012'-style, never a bare zero.

    Example:
        >>> probability(0.0123), probability(0.00001)
        ('= 0.012', 'below 0.001')
    """
    return "below 0.001" if value < 0.001 else f"= {number(value, 3)}"


def as_percent(log_ratio: float) -> float:
    """A log ratio as a change in percent.

    Example:
        >>> round(as_percent(0.1), 1)
        10.5
    """
    return 100.0 * math.expm1(log_ratio)


def change(log_ratio: float) -> str:
    """A log ratio of counts in words.

    Example:
        >>> change(-0.1), change(0.1)
        ('9.5 % fewer', '10.5 % more')
    """
    value = as_percent(log_ratio)
    return f"{percent(abs(value))} {'fewer' if value < 0 else 'more'}"


def span(interval: Interval, unit: str = " %", places: int = 1) -> str:
    """The ends of an interval, with signs as in the report unless they are bare ratios.

    'no interval' where an end is missing.

    Example:
        >>> span(Interval(value=1, low=-4.2, high=6.0)), span(Interval(value=1, low=0.8, high=1.2), unit="")
        ('between \u22124.2 and +6 %', 'between 0.8 and 1.2')
    """
    if interval.low is None or interval.high is None:
        return "no interval"
    low, high = (number(end, places, plus=bool(unit)) for end in (interval.low, interval.high))
    return f"between {low} and {high}{unit}"


def effect(estimate: Estimate, value: float) -> str:
    """A change on an estimate's scale, in percent or in its own unit, with its sign.

    Example:
        >>> made = dict(measure="m", confidence=0.95, inference="i")
        >>> effect(Estimate(**made), -0.1)
        '\u22129.5 %'
        >>> effect(Estimate(scale="difference", unit="points", **made), -0.123)
        '\u22120.12 points'
    """
    if estimate.scale == "log-ratio":
        return percent(as_percent(value), plus=True)
    return f"{number(value, 2, plus=True)} {estimate.unit}"


def effect_span(estimate: Estimate) -> str:
    """The ends of an estimate's interval, in percent or in its own unit."""
    if estimate.scale == "log-ratio":
        return span(estimate.percent_change)
    return span(Interval(low=estimate.low, high=estimate.high), f" {estimate.unit}", 2)


def counted(value: float, one: str, many: str | None = None) -> str:
    """A count with its noun.

    Example:
        >>> counted(1, "unit"), counted(3, "unit"), counted(2, "has", "have")
        ('1 unit', '3 units', '2 have')
    """
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def listed(names: tuple[str, ...] | list[str], most: int = 4) -> str:
    """Names in a row; beyond `most`, how many more.

    Example:
        >>> listed(["a", "b", "c"]), listed(["a", "b", "c"], most=2)
        ('a, b and c', 'a, b and 1 more')
    """
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
