"""Published changes that are percentage points, or that may be: read both ways where nobody says."""

from __future__ import annotations

import math

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.methods.result import Effect
from whatworks_eval.methods.survey_difference import POINTS
from whatworks_eval.panel import Changes
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Estimate

AS_POINTS = "read as percentage points"
AS_PERCENT = "ratio of change factors, read as percent"
NO_INTERVAL = (
    "only two changes are published; an interval needs the number of people asked and the shares, before and "
    "after, in treated and comparison areas"
)


def from_changes(protocol: Protocol, changes: Changes) -> Effect:
    """The difference in points, or where the unit is not stated both readings, the percentage registered.

    Raises:
        CannotEstimate: Where the method compares and no change in comparison areas was published.

    Example:
        >>> from whatworks_eval import load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> protocol = load_protocol(shipped_path("designs", "police-now-confidence"))
        >>> effect = from_changes(protocol, Changes(treated=17, comparison=3, unit="not stated"))
        >>> round(effect.estimate.percent_change.value, 1), float(effect.alternatives[0].value)
        (13.6, 14.0)
    """
    alone = protocol.method == "before-after"
    if changes.comparison is None and not alone:
        raise CannotEstimate(
            "outcome.changes: method 'relative-effect' needs the published change in the comparison areas; "
            "give outcome.changes.comparison, or use method 'before-after'"
        )
    other = 0.0 if alone or changes.comparison is None else changes.comparison
    half, both = 0.5 * 10**-changes.decimals, 0.0 if alone else 1.0

    def points(treated: float, comparison: float, label: str, choice: str | None) -> Estimate:
        return Estimate(
            measure="difference between two published changes in points",
            scale="difference",
            unit=POINTS,
            value=treated - comparison,
            confidence=protocol.confidence,
            inference="none: only two changes are published",
            why_missing=NO_INTERVAL,
            label=label,
            choice=choice,
        )

    def percent(treated: float, comparison: float, label: str, choice: str | None) -> Estimate:
        return Estimate(
            measure=AS_PERCENT,
            value=math.log((100 + treated) / (100 + comparison)),
            confidence=protocol.confidence,
            inference="none: only two changes are published",
            why_missing=NO_INTERVAL,
            label=label,
            choice=choice,
        )

    made = points if changes.unit == "points" else percent
    rounding = tuple(
        made(changes.treated + sign * half, other - sign * half * both, f"rounding: {name}", "rounding")
        for sign, name in ((-1, "smallest"), (1, "largest"))
    )
    readings = (points(changes.treated, other, AS_POINTS, "reading"),) if changes.unit == "not stated" else ()
    return Effect(
        estimate=made(changes.treated, other, "registered", None), alternatives=(*readings, *rounding)
    )
