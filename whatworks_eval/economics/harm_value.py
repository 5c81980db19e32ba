"""The same incidents in days of sentence or points of severity, for readers who do not want money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from whatworks_eval.economics.records import HarmValue
from whatworks_eval.effects.harm import harm_scheme
from whatworks_eval.records import Interval


def harm_value(
    mix: Mapping[str, float],
    incidents: Interval,
    *,
    cost: float,
    scheme: Literal["CCHI 2026", "ONS CSS 2019"] = "CCHI 2026",
) -> HarmValue | None:
    """Harm prevented by recorded incidents, and what a day or point of it cost.

    Args:
        mix: Category, then its share of the incidents prevented.
        incidents: Recorded incidents prevented, with range.
        cost: Present value of the project's cost, in pounds.
        scheme: Whose weights.

    Returns:
        None where no category has a weight: anti-social behaviour has none, and none is put in its place.

    Example:
        >>> found = harm_value({"Robbery": 1.0}, Interval(value=10.0), cost=7300.0)
        >>> found.prevented.value, found.cost_per_unit, found.unit
        (3650.0, 2.0, 'days')
    """
    weights = {name.casefold(): weight for name, weight in harm_scheme(scheme).weights.items()}
    known = {one: share for one, share in mix.items() if one.casefold() in weights}
    if not known:
        return None
    found = harm_scheme(scheme)
    average = sum(share * weights[one.casefold()] for one, share in known.items())
    left_out = [one for one in mix if one not in known]
    caveat = found.caveat + (f". Without a weight, and left out: {', '.join(left_out)}" if left_out else "")
    prevented = Interval(
        value=_times(incidents.value, average),
        low=_times(incidents.low, average),
        high=_times(incidents.high, average),
    )
    why = None
    if prevented.value is None:
        why = "the number of incidents prevented is not known"
    elif prevented.value <= 0:
        why = "no incidents were prevented by this estimate"
    return HarmValue(
        scheme=found.name,
        unit=found.unit,
        prevented=prevented,
        cost_per_unit=None if why or not prevented.value else cost / prevented.value,
        why_missing=why,
        caveat=caveat,
    )


def _times(value: float | None, weight: float) -> float | None:
    return None if value is None else value * weight
