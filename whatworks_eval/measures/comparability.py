"""Were treated and comparison areas alike before the start: in level, in trend, in range?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.judgement import Case, Measure
from whatworks_eval.measures.relative import (
    FALSE_ALARM,
    detectable,
    relative_between,
    split,
    standard_error,
    usable_baseline,
    with_confidence,
)
from whatworks_eval.panel import Panel
from whatworks_eval.periods import first_day

Floats = NDArray[np.float64]
FEWEST_PERIODS = 12  # for a trend
DAYS_A_MONTH = 365.2425 / 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How far apart the arms stood before the start.

    Attributes:
        difference: Difference in mean log level by area, in standard deviations between areas.
        ratio: Typical (geometric mean) level of treated over comparison units, with its interval.
        p_value: Of no difference in typical level, counted by unit; None with fewer than three units in all.
        means: Incidents an area and month, treated and comparison.
        per_resident: Incidents by 1,000 residents and year, treated and comparison; missing where not known.
    """

    difference: Measure
    ratio: Measure
    p_value: float | None
    means: tuple[Measure, Measure]
    per_resident: tuple[Measure, Measure]


def baseline_level(case: Case) -> Level | None:
    """Levels before the start, by area and by unit; None where there are no counts by area.

    Counts are compared on the log scale with half an incident added, since a few areas record many times
    what most do. The standard deviation is between areas, both arms pooled. The interval and p-value take the
    unit as the observation (Welch), so that ten adjoining areas do not count as ten.
    """
    windowed = case.windowed
    if windowed is None or windowed.index is None or not windowed.has("comparison"):
        return None
    months = windowed.months[0]
    treated, comparison = windowed.arm == "treated", windowed.arm == "comparison"
    logs = np.log((windowed.before + 0.5) / months)
    weight = windowed.weight
    spread = math.sqrt(
        (_variance(logs[treated], weight[treated]) + _variance(logs[comparison], weight[comparison])) / 2
    )
    gap = float(logs[treated].mean() - np.average(logs[comparison], weights=weight[comparison]))
    unit_gap, low, high, p_value = _welch(case, logs, treated, comparison)
    means = (
        float(windowed.before[treated].mean()) / months,
        float(np.average(windowed.before[comparison], weights=weight[comparison])) / months,
    )
    return Level(
        difference=Measure(
            name="difference in level before the start",
            unit="standard deviations",
            value=gap / spread if spread > 0 else None,
            why_missing=None if spread > 0 else "all areas recorded the same",
        ),
        ratio=Measure(
            name=with_confidence("typical level of treated over comparison units", 1 - FALSE_ALARM),
            unit="ratio",
            value=math.exp(unit_gap),
            low=None if low is None else math.exp(low),
            high=None if high is None else math.exp(high),
        ),
        p_value=p_value,
        means=(
            Measure(
                name="treated areas before the start", unit="incidents an area and month", value=means[0]
            ),
            Measure(
                name="comparison areas before the start", unit="incidents an area and month", value=means[1]
            ),
        ),
        per_resident=(
            _per_resident(case, treated, "treated"),
            _per_resident(case, comparison, "comparison"),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """How differently the arms were moving before the start.

    Attributes:
        slope: Difference in slope, in % a month, with its interval.
        drift: What that slope would add up to between the middles of the windows, in %, with its interval.
        detectable: Slope it would find four times in five, in % a month.
        why_open: Why an end of the interval is missing; None where both are there.
    """

    slope: Measure
    drift: Measure
    detectable: Measure
    why_open: str | None


def baseline_trend(case: Case) -> Trend | None:
    """The difference in trend before the start; None where the before window holds fewer than 12 periods.

    The last third of the before window against the first: eight ninths as sharp as a fitted line, and open to
    the same relabelling as the effect itself.
    """
    baseline, windowed, panel = usable_baseline(case), case.windowed, case.data
    if baseline is None or windowed is None or windowed.after_mask is None or not isinstance(panel, Panel):
        return None
    length = int(baseline.sum())
    if length < FEWEST_PERIODS or case.sets is None or not windowed.has("comparison"):
        return None
    third = length // 3
    first, last = split(baseline, third, third)
    days = np.array([first_day(period, panel.period).toordinal() for period in panel.periods], dtype=float)
    apart = float(days[last].mean() - days[first].mean()) / DAYS_A_MONTH
    between = float(days[windowed.after_mask].mean() - days[baseline].mean()) / DAYS_A_MONTH
    confidence = 1 - FALSE_ALARM
    change = relative_between(case, first, last, confidence=confidence)
    reason = change.why_missing if change.log_ratio is None else None
    seen = detectable(standard_error(change.low, change.high, confidence), confidence)

    def over(months: float, name: str, unit: str) -> Measure:
        ends = [
            None if end is None else 100.0 * math.expm1(end / apart * months)
            for end in (change.low, change.high)
        ]
        value = None if change.log_ratio is None else 100.0 * math.expm1(change.log_ratio / apart * months)
        return Measure(
            name=with_confidence(name, confidence),
            unit=unit,
            value=value,
            low=ends[0],
            high=ends[1],
            why_missing=reason,
        )

    return Trend(
        slope=over(1.0, "difference in trend before the start", "% a month"),
        drift=over(between, "what that trend would add up to between the middles of the windows", "%"),
        detectable=Measure(
            name="trend found four times in five",
            unit="% a month",
            value=None if seen is None else 100.0 * math.expm1(seen / apart),
            why_missing=None if seen is not None else "the trend has no interval",
        ),
        why_open=change.why_missing,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Treated units whose level lies beyond every comparison unit or area.

    Attributes:
        outside: Treated units above the highest or below the lowest, in % of treated units.
        names: Those units.
        chance: How likely so many would lie out on that side if the treated were a random draw; None if none.
    """

    outside: Measure
    names: tuple[str, ...]
    chance: float | None


def outside_range(case: Case) -> Range | None:
    """Treated units outside the range of the comparison; None where there are no counts by area."""
    windowed, contrast = case.windowed, case.contrast
    if windowed is None or windowed.index is None or not windowed.has("comparison"):
        return None
    names, levels = unit_levels(case, windowed.before, windowed.arm == "treated")
    _, others = unit_levels(
        case, windowed.before, windowed.arm == "comparison", by_unit=contrast.comparison_units
    )
    above, below = levels > others.max(), levels < others.min()
    share = 100.0 * float((above | below).mean())
    chances = [
        _all_on_top(int(side.sum()), len(levels), len(others)) for side in (above, below) if side.any()
    ]
    return Range(
        outside=Measure(
            name="treated units outside the range of the comparison", unit="% of treated units", value=share
        ),
        names=tuple(names[at] for at in np.flatnonzero(above | below)),
        chance=min(1.0, 2 * min(chances)) if chances else None,
    )


def unit_levels(
    case: Case, values: Floats, inside: NDArray[np.bool_], *, by_unit: bool = True
) -> tuple[list[str], Floats]:
    """Mean of `values` by unit, over the areas inside; by area where units are not asked for."""
    assert case.windowed is not None
    areas = [case.windowed.areas[at] for at in np.flatnonzero(inside)]
    if not by_unit:
        return areas, values[inside]
    labels = [case.contrast.units.get(area, area) for area in areas]
    names = sorted(set(labels))
    number = {name: at for at, name in enumerate(names)}
    group = np.array([number[label] for label in labels], dtype=np.intp)
    return names, np.bincount(group, weights=values[inside]) / np.bincount(group)


def _all_on_top(found: int, treated: int, others: int) -> float:
    """Chance that the `found` highest of all are all treated, if the treated are a random draw."""
    return math.prod((treated - at) / (treated + others - at) for at in range(found))


def _variance(values: Floats, weight: Floats) -> float:
    if len(values) < 2:
        return 0.0
    mean = np.average(values, weights=weight)
    return float(np.average((values - mean) ** 2, weights=weight) * len(values) / (len(values) - 1))


def _welch(
    case: Case, logs: Floats, treated: NDArray[np.bool_], comparison: NDArray[np.bool_]
) -> tuple[float, float | None, float | None, float | None]:
    """Difference in mean log level of units, its interval and p-value.

    A lone unit lends no spread of its own; it is taken to vary as the comparison does.
    """
    from scipy.special import stdtr, stdtrit  # scipy.stats takes half a second to import

    assert case.windowed is not None
    names, one = unit_levels(case, logs, treated)
    others, two = unit_levels(case, logs, comparison, by_unit=case.contrast.comparison_units)
    weight = (
        case.windowed.weight[comparison] if len(others) == int(comparison.sum()) else np.ones(len(others))
    )
    gap = float(one.mean() - np.average(two, weights=weight))
    if len(names) + len(others) < 3:
        return gap, None, None, None
    spread_one = float(one.var(ddof=1)) if len(one) > 1 else float(two.var(ddof=1))
    spread_two = float(two.var(ddof=1)) if len(two) > 1 else spread_one
    if case.contrast.comparison_units:
        # A handful of units that happen to lie close together would otherwise look surely different.
        spread_one = max(spread_one, spread_two)
    parts = spread_one / len(one), spread_two / len(two)
    if sum(parts) <= 0:
        return gap, None, None, None
    own = len(one) - 1, len(two) - 1
    freedom = own[0] or own[1], own[1] or own[0]
    free = sum(parts) ** 2 / (parts[0] ** 2 / freedom[0] + parts[1] ** 2 / freedom[1])
    error = math.sqrt(sum(parts))
    half = float(stdtrit(free, 1 - FALSE_ALARM / 2)) * error
    return gap, gap - half, gap + half, float(2 * stdtr(free, -abs(gap) / error))


def _per_resident(case: Case, inside: NDArray[np.bool_], arm: str) -> Measure:
    name = f"{arm} areas before the start, by residents"
    unit = "incidents a year by 1,000 residents"
    panel, windowed = case.data, case.windowed
    if not isinstance(panel, Panel) or panel.residents is None or windowed is None or windowed.index is None:
        return Measure(name=name, unit=unit, why_missing="residents are not given")
    residents = panel.residents[windowed.index][inside]
    known = np.isfinite(residents) & (residents > 0)
    if not known.any():
        return Measure(name=name, unit=unit, why_missing=f"residents are not known for any {arm} area")
    share = windowed.weight[inside][known]
    incidents = float(share @ windowed.before[inside][known])
    people = float(share @ residents[known])
    return Measure(name=name, unit=unit, value=1000.0 * incidents / people * 12.0 / windowed.months[0])
