"""Staff hours saved, as capacity released: what a productivity project gives back, never cash."""

from __future__ import annotations

from whatworks_eval.economics.mapping import Costed
from whatworks_eval.economics.prices import Pounds
from whatworks_eval.economics.unit_costs import UnitCost, hourly_costs
from whatworks_eval.economics_keys import Hours


def costed_hours(hours: Hours, category: str = "staff hours") -> Costed:
    """An hour of staff time as a costed offence, so that one formula values hours and crimes alike.

    Args:
        hours: As declared; the shipped hourly cost where it gives none.
        category: What the outcome counts.

    Example:
        >>> found = costed_hours(Hours())
        >>> found.pounds.gbp, found.pounds.price_year, found.multiplier
        (38.43, '2013-14', 1.0)
    """
    cost = hourly_costs()[hours.grade]
    if hours.gbp is not None:
        assert hours.price_year is not None
        cost = UnitCost(
            offence=f"hour, {hours.grade}",
            victim="police",
            parts={"whole": hours.gbp},
            total=hours.gbp,
            price_year=hours.price_year,
            per="recorded",
            source=f"the protocol: {hours.source}",
            confidence="stated by the user",
        )
    return Costed(
        category=category,
        offence=cost.offence,
        share=1.0,
        within=1.0,
        cost=cost,
        pounds=Pounds(gbp=cost.total, price_year=cost.price_year),
        low=hours.low,
        high=hours.high,
        local=hours.gbp is not None,
        multiplier=hours.per_incident,
        multiplier_low=None,
        multiplier_high=None,
        multiplier_source="the protocol: hours for each unit of the outcome",
        multiplier_confidence="stated by the user",
        override=None,
    )
