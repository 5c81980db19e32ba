"""What a pound later is worth now, by the Green Book: a rate that falls with the years, year 0 untouched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# Last year of each band, then percent a year: standard, and for effects in units of health.
BANDS = (30, 75, 125, 200, 300)
STANDARD = (3.5, 3.0, 2.5, 2.0, 1.5, 1.0)
HEALTH = (1.5, 1.29, 1.07, 0.86, 0.64, 0.43)
LONGEST = 500


@lru_cache(maxsize=2)
def _factors(health: bool) -> tuple[float, ...]:
    rates = HEALTH if health else STANDARD
    factors = [1.0]
    for year in range(1, LONGEST + 1):
        band = sum(year > last for last in BANDS)
        factors.append(factors[-1] / (1 + rates[band] / 100))
    return tuple(factors)


def discount_factor(year: int, *, health: bool = False) -> float:
    """What a pound `year` years after year 0 is worth in year 0.

    Args:
        year: Whole years, 0 to 500; year 0 is not discounted.
        health: True only for effects counted in units of health (QALYs), never for pounds of crime.

    Source: HM Treasury, The Green Book (2026); health rates as in DfT TAG, April 2026.

    Example:
        >>> round(discount_factor(10), 9), round(discount_factor(31), 9)
        (0.708918814, 0.34590137)
    """
    if not 0 <= year <= LONGEST:
        raise ValueError(f"{year} years after year 0 is outside 0 to {LONGEST}")
    return _factors(health)[year]


def present_value(flows: Sequence[float], *, health: bool = False) -> float:
    """The sum of amounts in years 0, 1, 2, …, each discounted.

    Example:
        >>> round(present_value([-100] + [30] * 5), 10)
        35.4515712641
    """
    return sum(flow * discount_factor(year, health=health) for year, flow in enumerate(flows))


def financial_year(day: date) -> str:
    """The financial year a day lies in, April to March.

    Example:
        >>> financial_year(date(2019, 3, 31)), financial_year(date(2019, 4, 1))
        ('2018-19', '2019-20')
    """
    first = day.year - (day.month < 4)
    return f"{first}-{(first + 1) % 100:02d}"


def years_after(year: str, base: str) -> int:
    """Whole years from one financial year to another.

    Example:
        >>> years_after("2021-22", "2019-20")
        2
    """
    return int(year[:4]) - int(base[:4])


def earliest(years: Iterable[str]) -> str:
    """The first of several financial years: year 0 of an appraisal."""
    return min(years)


def discounted_months(start: date, base: str, months: int) -> NDArray[np.float64]:
    """Discounted length, in months, of the time from `start` to each of 0, 1, …, `months` months later.

    A benefit at a steady rate from month a to month b is worth rate × (D[b] - D[a]); in between, months are
    interpolated. A month counts to the financial year its first day lies in.

    Args:
        start: First day benefits arise.
        base: Year 0.
        months: How far to go.

    Example:
        >>> discounted_months(date(2020, 2, 1), "2019-20", 3).round(4).tolist()
        [0.0, 1.0, 2.0, 2.9662]
    """
    worth = [0.0]
    for month in range(months):
        at = start.month - 1 + month
        year = financial_year(date(start.year + at // 12, at % 12 + 1, 1))
        worth.append(discount_factor(years_after(year, base)))
    return np.cumsum(worth)
