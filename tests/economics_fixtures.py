"""Small effects and [economics] sections for the tests of pounds."""

from __future__ import annotations

from datetime import date
from statistics import NormalDist
from typing import Any

from whatworks_eval.economics.effect import EffectInput
from whatworks_eval.economics_keys import Economics
from whatworks_eval.records import Interval


def cost(gbp: float = 1000.0, **keys: Any) -> dict[str, Any]:
    """One declared cost; cash, set-up, 2019-20, unless said otherwise."""
    usual = {"item": "x", "year": "2019-20", "kind": "set-up", "payer": "police", "cash": True}
    return {**usual, "gbp": gbp, **keys}


def economics(*costs: dict[str, Any], **keys: Any) -> Economics:
    """A section in 2019-20 prices, so that nothing is deflated unless a test says so."""
    return Economics(costs=costs or (cost(),), **{"price_year": "2019-20", **keys})


def effect(value: float | None = 10.0, sd: float | None = 2.0, **keys: Any) -> EffectInput:
    """Incidents prevented in a year of theft from the person, spread normally about a value."""
    spread: dict[str, Any] = {"prevented": Interval(value=value)}
    if value is not None and sd is not None:
        made = NormalDist(value, sd)
        spread = {
            "prevented": Interval(value=value, low=made.inv_cdf(0.025), high=made.inv_cdf(0.975)),
            "quantiles": tuple(made.inv_cdf(part / 200) for part in range(1, 200)),
        }
    usual: dict[str, Any] = {
        "months": 12.0,
        "months_declared": 12.0,
        "level": 3,
        "start": date(2019, 4, 1),
        "offences": ("Theft from the person",),
    }
    return EffectInput(**{**usual, **spread, **keys})
