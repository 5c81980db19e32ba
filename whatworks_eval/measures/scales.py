"""Equal absolute against equal relative change: where the two part company, and how the buffer fared."""

from __future__ import annotations

from dataclasses import dataclass

from whatworks_eval.effects.weighting import weights_for
from whatworks_eval.judgement import Case, Measure
from whatworks_eval.records import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoScales:
    """The same four counts read on both scales, in incidents of the treated areas' after window.

    Attributes:
        absolute: The weighted displacement difference: below zero = fewer than by equal absolute change.
        relative: Recorded less expected by equal relative change.
        expected: Incidents expected by equal relative change.
        baseline: Treated over comparison before the start, per area weight: 1 = alike.
        common: Change of the comparison, after over before, windows brought to one length.
    """

    absolute: float
    relative: float
    expected: float
    baseline: float
    common: float

    @property
    def gap(self) -> float:
        """How far the two lie apart, in incidents: the baseline gap times the common change."""
        return self.absolute - self.relative


def two_scales(case: Case) -> TwoScales | str:
    """Both readings, or why there are none."""
    windowed = case.windowed
    if windowed is None:
        return "the counts behind the percentages are not known"
    if not windowed.has("comparison"):
        return "there are no comparison areas"
    weights = weights_for(case.protocol, windowed)
    (t0, t1), (c0, c1) = windowed.total("treated"), windowed.total("comparison")
    if t0 <= 0 or c0 <= 0:
        return "no incident was recorded before the start in one arm, so there is no baseline to compare"
    t0, c0 = t0 / weights.before, c0 / weights.before
    size = weights.comparison
    return TwoScales(
        absolute=(t1 - t0) - (c1 - c0) / size,
        relative=t1 - t0 * c1 / c0,
        expected=t0 * c1 / c0,
        baseline=t0 / (c0 / size),
        common=c1 / c0,
    )


def named(case: Case, label: str) -> Estimate | None:
    """The alternative of that label; None where there is none."""
    return next((other for other in case.alternatives if other.label == label), None)


def in_percent(name: str, estimate: Estimate) -> Measure:
    """An estimate on the log scale as a measure in percent."""
    span = estimate.percent_change
    return Measure(
        name=name,
        unit="%",
        value=span.value,
        low=span.low,
        high=span.high,
        why_missing=estimate.why_missing if span.value is None else None,
    )


def displaced(buffer: Estimate) -> tuple[float | None, float | None, float | None]:
    """Incidents more in the buffer than expected: value, low, high; below zero = fewer.

    Example:
        >>> buffer = Estimate(measure="ratio of ratios", value=0.2231435513142097, recorded=50, expected=40,
        ...                   confidence=0.95, inference="")
        >>> round(displaced(buffer)[0], 6)
        10.0
    """
    span = buffer.prevented

    def negative(value: float | None) -> float | None:
        return None if value is None else -value

    return negative(span.value), negative(span.high), negative(span.low)
