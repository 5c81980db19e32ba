"""Pounds of one year in the prices of another, and no sum over pounds of two.

    gbp × index(to) / index(from)

The index is a labelled stand-in for the Treasury's GDP deflator by financial year (datasets/gdp-deflator).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from whatworks_eval.errors import ProtocolError
from whatworks_eval.shipped import shipped_path

SAID = (
    "GDP deflator, mean of ONS quarters (YBGB, 30 June 2025): a stand-in for the Treasury's "
    "financial-year series"
)


@lru_cache(maxsize=1)
def deflator() -> Mapping[str, float]:
    """The price level by financial year; only ratios of two years mean anything.

    Example:
        >>> round(deflator()["2024-25"] / deflator()["2019-20"], 3)
        1.236
    """
    path = shipped_path("datasets", "gdp-deflator") / "gdp_deflator.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        return MappingProxyType({row["year"]: float(row["index"]) for row in csv.DictReader(lines)})


def latest_year() -> str:
    """The last financial year there is a price level for.

    Example:
        >>> latest_year()
        '2024-25'
    """
    return max(deflator())


def no_price_level(year: str, key: str) -> str | None:
    """What is wrong with a year, as a sentence; None where it has a price level.

    Example:
        >>> no_price_level("2019-20", "economics.price_year")
    """
    if year in deflator():
        return None
    if year > latest_year():
        return (
            f"`{key}` is '{year}', but the latest financial year with a price level is {latest_year()}; "
            "state "
            f'the pounds in {latest_year()} prices and write price_year = "{latest_year()}"'
        )
    known = sorted(deflator())
    near = max((one for one in known if one < year), default=known[0])
    return (
        f"`{key}` is '{year}', which has no price level; the nearest is {near}, and they run from "
        f"{known[0]} to "
        f"{known[-1]}"
    )


def deflate(gbp: float, *, from_year: str, to_year: str, key: str = "price_year") -> float:
    """Pounds of one financial year in the prices of another.

    Args:
        gbp: Pounds of `from_year`.
        from_year: Financial year, as '2019-20'.
        to_year: The same.
        key: What the error names.

    Raises:
        ProtocolError: A year without a price level; the message names the latest.

    Source: HM Treasury, GDP deflators at market prices (method); index from datasets/gdp-deflator.

    Example:
        >>> round(deflate(20_330, from_year="2019-20", to_year="2024-25"))
        25119
    """
    problems = [said for year in (from_year, to_year) if (said := no_price_level(year, key))]
    if problems:
        raise ProtocolError(dict.fromkeys(problems))
    return gbp * (deflator()[to_year] / deflator()[from_year])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pounds:
    """An amount that knows whose prices it is in.

    Attributes:
        gbp: Pounds.
        price_year: Financial year.
    """

    gbp: float
    price_year: str

    def in_prices(self, year: str, key: str = "price_year") -> Pounds:
        """The same amount in the prices of another year."""
        gbp = deflate(self.gbp, from_year=self.price_year, to_year=year, key=key)
        return Pounds(gbp=gbp, price_year=year)


def add_up(amounts: Iterable[Pounds]) -> Pounds:
    """The sum of amounts of one price year.

    Raises:
        ProtocolError: Amounts of several price years, or none at all.

    Example:
        >>> add_up([Pounds(gbp=1, price_year="2019-20"), Pounds(gbp=2, price_year="2019-20")]).gbp
        3
    """
    amounts = tuple(amounts)
    years = sorted({amount.price_year for amount in amounts})
    if len(years) != 1:
        raise ProtocolError(
            f"pounds of {', '.join(years)} cannot be added; bring them to one year"
            if years
            else "nothing to add"
        )
    return Pounds(gbp=sum(amount.gbp for amount in amounts), price_year=years[0])
