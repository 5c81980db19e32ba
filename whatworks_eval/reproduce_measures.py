"""What each published value is computed with: a table from the name of a measure to a function on a row.

The effect measures of the field are those of `effects/` and `methods/`; what stands here alone is
the arithmetic of published rates, percentages and persons, which is no estimator of this package.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from statistics import NormalDist
from types import MappingProxyType
from typing import Any, TypeVar

from whatworks_eval.effects.harm import OffenceCounts, harm_wdd
from whatworks_eval.effects.odds_ratio import odds_ratio
from whatworks_eval.effects.wdd import Weights, wdd
from whatworks_eval.methods.relative_effect import from_changes, poisson_estimate
from whatworks_eval.panel import Changes
from whatworks_eval.published import Arm, Computed, Pair, Published, decimals
from whatworks_eval.records import Estimate

Rows = Mapping[str, Published]
Measure = Callable[[Published, Rows], Computed]
_T = TypeVar("_T")


def pair_of(row: Published, arm: Arm) -> Pair:
    """Before and after of an arm that the reading says is there."""
    pair = row.pair(arm)
    assert pair is not None, f"row {row.id} has no {arm} before and after"
    return pair


def weights_of(row: Published) -> Weights:
    """What the row's counts are divided by: area weights, time weights, or the scale of the comparison."""
    reading, sizes = row.reading, dict(row.reading.area_weights)
    before, after = reading.time_weights or (1.0, 1.0)
    return Weights(
        treated=sizes.get("treated", 1.0),
        comparison=sizes.get("comparison", 1.0) * (reading.scale or 1.0),
        buffer=sizes.get("displacement", 1.0),
        buffer_comparison=sizes.get("displacement_comparison", 1.0),
        before=before,
        after=after,
    )


def difference(row: Published, weights: Weights, *, confidence: float, dispersion: float = 1.0) -> Estimate:
    """The weighted displacement difference of a row's counts."""
    between = row.reading.displacement_comparison
    return wdd(
        treated=pair_of(row, "treated"),
        comparison=pair_of(row, "comparison"),
        buffer=pair_of(row, "buffer") if between else None,
        buffer_comparison=between,
        weights=weights,
        confidence=confidence,
        dispersion=dispersion,
    )


def _wdd(row: Published, _: Rows) -> Computed:
    return _on_its_scale(difference(row, weights_of(row), confidence=row.reading.interval))


def _harm_wdd(row: Published, rows: Rows) -> Computed:
    counts = {
        name: OffenceCounts(
            treated=pair_of(rows[name], "treated"), comparison=pair_of(rows[name], "comparison")
        )
        for name in row.reading.of
    }
    weights = dict(zip(row.reading.of, row.reading.harm_weights, strict=True))
    return _on_its_scale(harm_wdd(counts, weights, confidence=row.reading.interval))


def _ratio_of_ratios(row: Published, _: Rows) -> Computed:
    four = (*pair_of(row, "treated"), *pair_of(row, "comparison"))
    found = poisson_estimate(four, row.reading.interval)
    ratio = found.ratio
    assert ratio.value is not None
    return Computed(
        value=ratio.value,
        low=ratio.low,
        high=ratio.high,
        p_value=found.p_value,
        log_value=found.value,
        log_se=found.se,
    )


def _ratio_of_rates(row: Published, _: Rows) -> Computed:
    (before, after), (before_there, after_there) = pair_of(row, "treated"), pair_of(row, "comparison")
    return Computed(value=(after / before) / (after_there / before_there))


def changes_of(row: Published) -> Changes:
    """The published percentages of a row."""
    given = row.reading.changes
    return Changes(
        treated=given["treated"], comparison=given.get("comparison"), decimals=int(given.get("decimals", 0))
    )


def _ratio_of_changes(row: Published, _: Rows) -> Computed:
    return Computed(value=_known(from_changes(changes_of(row), row.reading.interval).estimate.ratio.value))


def _inverse_ratio_of_changes(row: Published, _: Rows) -> Computed:
    return Computed(
        value=_known(odds_ratio(from_changes(changes_of(row), row.reading.interval).estimate).value)
    )


def _points_between_changes(row: Published, _: Rows) -> Computed:
    others = from_changes(changes_of(row), row.reading.interval).alternatives
    return Computed(value=_known(next(one.value for one in others if one.scale == "difference")))


def _difference_in_differences(row: Published, _: Rows) -> Computed:
    """Change of the treated less that of the comparison, per unit and month where the row has counts."""
    units, months = row.reading.units, (row.months or (1.0, 1.0)) if row.reading.units else (1.0, 1.0)

    def change(arm: Arm) -> float:
        before, after = pair_of(row, arm)
        return (after / months[1] - before / months[0]) / units.get(arm, 1.0)

    return Computed(value=change("treated") - change("comparison"))


def _percent_change(row: Published, _: Rows) -> Computed:
    (before, after), (months_before, months_after) = pair_of(row, row.reading.arm), row.months or (1.0, 1.0)
    return Computed(value=100 * ((after / months_after) / (before / months_before) - 1))


def _ratio_after_before(row: Published, _: Rows) -> Computed:
    before, after = pair_of(row, "treated")
    return Computed(value=after / before)


def _percentage_points(row: Published, _: Rows) -> Computed:
    """Untreated less treated: published reductions are printed as positive."""
    return Computed(value=_known(row.after("comparison")) - _known(row.after("treated")))


def _percent_difference(row: Published, _: Rows) -> Computed:
    return Computed(value=100 * (_known(row.after("treated")) / _known(row.after("comparison")) - 1))


def _table_of(row: Published) -> list[list[float]]:
    """Persons with and without the outcome: treated first."""
    return [[hit, at_risk - hit] for at_risk, hit in (pair_of(row, "treated"), pair_of(row, "comparison"))]


def _odds_ratio_of_persons(row: Published, _: Rows) -> Computed:
    """The odds ratio of a 2 × 2 table of persons with Woolf's interval; above 1 = more among the treated."""
    (a, b), (c, d) = _table_of(row)
    log_ratio, se = math.log(a * d / (b * c)), math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    half = NormalDist().inv_cdf(0.5 + row.reading.interval / 2) * se
    return Computed(
        value=math.exp(log_ratio),
        low=math.exp(log_ratio - half),
        high=math.exp(log_ratio + half),
        log_value=log_ratio,
        log_se=se,
    )


def _mantel_haenszel(row: Published, rows: Rows) -> Computed:
    """The pooled odds ratio of several 2 × 2 tables with the interval of Robins, Breslow and Greenland."""
    from statsmodels.stats.contingency_tables import StratifiedTable

    tables: Any = [_table_of(rows[name]) for name in row.reading.of]
    pooled = StratifiedTable(tables)
    low, high = pooled.oddsratio_pooled_confint(alpha=1 - row.reading.interval)
    return Computed(value=float(pooled.oddsratio_pooled), low=float(low), high=float(high))


def _sum_of_parts(row: Published, _: Rows) -> Computed:
    return Computed(value=sum(row.reading.parts))


def _weighted_sum(row: Published, _: Rows) -> Computed:
    together = zip(row.reading.parts, row.reading.part_weights, strict=True)
    return Computed(value=sum(part * weight for part, weight in together))


MEASURES: Mapping[str, tuple[str, Measure]] = MappingProxyType(
    {
        "wdd": ("weighted displacement difference", _wdd),
        "scaled-wdd": ("weighted displacement difference, comparison divided by a fixed number", _wdd),
        "harm-wdd": ("harm-weighted displacement difference", _harm_wdd),
        "ratio-of-ratios": ("ratio of ratios", _ratio_of_ratios),
        "ratio-of-rates": ("ratio of ratios of rates", _ratio_of_rates),
        "ratio-of-changes": ("ratio of change factors", _ratio_of_changes),
        "inverse-ratio-of-changes": (
            "odds ratio of Farrington and Welsh: the inverse of the ratio of change factors",
            _inverse_ratio_of_changes,
        ),
        "points-between-changes": ("points between two percentage changes", _points_between_changes),
        "difference-in-differences": ("difference of two differences of rates", _difference_in_differences),
        "percent-change": ("percent change in one arm", _percent_change),
        "ratio-after-before": ("after over before", _ratio_after_before),
        "percentage-points": ("percentage points between two rates", _percentage_points),
        "percent-difference": ("percent difference between two rates", _percent_difference),
        "odds-ratio-of-persons": ("odds ratio of persons", _odds_ratio_of_persons),
        "mantel-haenszel": ("Mantel-Haenszel odds ratio", _mantel_haenszel),
        "sum-of-parts": ("sum of published parts", _sum_of_parts),
        "weighted-sum": ("weighted sum of published parts", _weighted_sum),
    }
)
"""Name in readings.toml, then the measure in words and the function that computes it."""


def compute(row: Published, rows: Rows) -> Computed | None:
    """The published effect of a row, computed again; None where its reading names no measure.

    Example:
        >>> from whatworks_eval.published import load_published
        >>> rows = {row.id: row for row in load_published()}
        >>> compute(rows["WT-2"], rows).value.__round__(4)
        0.6545
    """
    if not row.reading.measure:
        return None
    return MEASURES[row.reading.measure][1](row, rows)


def reach_of_rounding(row: Published, rows: Rows) -> tuple[float, float]:
    """The lowest and highest value the row's numbers allow, each being off by half of its last digit."""
    values = [_known(compute(near, rows)).value for near in _neighbours(row)]
    return min(values), max(values)


def _neighbours(row: Published) -> Iterator[Published]:
    """The row with every printed rate or percentage moved to either end of its rounding."""
    cells = [
        name
        for name in row.cells
        if name.endswith(("_before", "_after")) and not name.startswith("months") and row.cells[name]
    ]
    changes = [name for name in ("treated", "comparison") if name in row.reading.changes]
    steps = [0.5 * 10 ** -decimals(row.cells[name]) for name in cells]
    step = 0.5 * 10 ** -row.reading.changes.get("decimals", 0)
    for signs in itertools.product((-1, 1), repeat=len(cells) + len(changes)):
        moved = {
            name: repr(float(row.cells[name]) + sign * size)
            for name, size, sign in zip(cells, steps, signs, strict=False)
        }
        shifted = {
            name: row.reading.changes[name] + sign * step
            for name, sign in zip(changes, signs[len(cells) :], strict=True)
        }
        reading = replace(row.reading, changes={**row.reading.changes, **shifted})
        yield replace(row, cells={**row.cells, **moved}, reading=reading)


def _on_its_scale(found: Estimate) -> Computed:
    return Computed(
        value=_known(found.value), low=found.low, high=found.high, se=found.se, p_value=found.p_value
    )


def _known(value: _T | None) -> _T:
    assert value is not None
    return value
