"""What a project cost, in one year's prices, discounted, by who bore it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from whatworks_eval.economics.discounting import discount_factor, years_after
from whatworks_eval.economics.prices import Pounds, add_up
from whatworks_eval.economics.records import CostLine
from whatworks_eval.economics_keys import Cost, CostKind, Payer


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSide:
    """Every cost, and their sums as present values in pounds.

    Attributes:
        lines: One a declared cost.
        total: All of them.
        cash: Of which paid out.
        opportunity: Of which time and things that had another use.
        by_kind: Set-up and running.
        by_payer: Who bears them.
        by_year: Financial year, in order.
    """

    lines: tuple[CostLine, ...]
    total: float
    cash: float
    opportunity: float
    by_kind: dict[CostKind, float]
    by_payer: dict[Payer, float]
    by_year: dict[str, float]


def cost_side(
    costs: Sequence[Cost], *, price_year: str, base_year: str, optimism_bias_percent: float = 0.0
) -> CostSide:
    """Declared costs in the prices of one year, with optimism bias, discounted to year 0.

    Args:
        costs: As declared.
        price_year: Whose prices everything is said in.
        base_year: Year 0; no cost may lie before it.
        optimism_bias_percent: Added to every cost.

    Raises:
        ProtocolError: A year without a price level.

    Source: HM Treasury, The Green Book (2026).

    Example:
        >>> patrol = Cost(
        ...     item="Overtime", gbp=1000.0, year="2019-20", kind="running", payer="police", cash=True
        ... )
        >>> found = cost_side([patrol], price_year="2019-20", base_year="2018-19")
        >>> round(found.total, 2), found.opportunity
        (966.18, 0.0)
    """
    lines, amounts = [], []
    for cost in costs:
        stated = Pounds(gbp=cost.gbp, price_year=cost.price_year or cost.year)
        real = stated.in_prices(price_year, "economics.costs").gbp * (1 + optimism_bias_percent / 100)
        index = years_after(cost.year, base_year)
        worth = Pounds(gbp=real * discount_factor(index), price_year=price_year)
        amounts.append(worth)
        lines.append(
            CostLine(
                item=cost.item,
                gbp=cost.gbp,
                year=cost.year,
                price_year=stated.price_year,
                kind=cost.kind,
                payer=cost.payer,
                cash=cost.cash,
                real=real,
                year_index=index,
                present_value=worth.gbp,
            )
        )

    def total(of: Callable[[CostLine], bool]) -> float:
        return sum((line.present_value for line in lines if of(line)), start=0.0)

    return CostSide(
        lines=tuple(lines),
        total=add_up(amounts).gbp,
        cash=total(lambda line: line.cash),
        opportunity=total(lambda line: not line.cash),
        by_kind={kind: total(lambda line, kind=kind: line.kind == kind) for kind in _seen(lines, "kind")},  # type: ignore[misc]
        by_payer={who: total(lambda line, who=who: line.payer == who) for who in _seen(lines, "payer")},  # type: ignore[misc]
        by_year={
            year: total(lambda line, year=year: line.year == year)  # type: ignore[misc]
            for year in sorted(_seen(lines, "year"))
        },
    )


def _seen(lines: Sequence[CostLine], name: str) -> list[str]:
    return list(dict.fromkeys(getattr(line, name) for line in lines))
