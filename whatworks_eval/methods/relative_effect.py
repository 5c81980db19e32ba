"""The ratio of ratios: how the treated areas changed against how the comparison areas changed.

With T the counts of the treated and C of the comparison areas, before (0) and after (1), the relative
incidence rate ratio is (T1 / T0) / (C1 / C0): below 1 is good. Windows of unequal length need no scaling,
since both arms have the same. The expected count is T0 × C1 / C0.

Source: Wilson (2022), the relative incidence rate ratio, as set out at andrewpwheeler.com, 18 March 2021.
Its inverse is the 'odds ratio' of Farrington and Welsh.
Inference on panels is by relabelling (inference/placebo.py); on bare totals by an assumed dispersion.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.inference.placebo import Relative, relative_change
from whatworks_eval.inference.placebo_sets import DRAWS
from whatworks_eval.inference.relabelling import matches_of, sets_for
from whatworks_eval.methods import published_points, survey_difference
from whatworks_eval.methods.effect_measures import with_effect_measures
from whatworks_eval.methods.result import (
    Effect,
    centroids_of,
    normal_p,
    normal_quantile,
    normal_quantiles,
)
from whatworks_eval.panel import Changes, Panel, Totals
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Data, Estimate, Placebo, PlaceboSets, Windowed

MEASURE = "ratio of ratios"
OTHER_DISPERSIONS = (1.0, 2.0, 4.0, 8.0)

Four = tuple[float, float, float, float]


def estimate(protocol: Protocol, data: Data, contrast: Contrast, windowed: Windowed | None) -> Effect:
    """The ratio of ratios with its interval, from a panel, totals or published changes.

    Raises:
        CannotEstimate: Where there is no comparison.
    """
    if isinstance(data, Changes):
        if data.unit != "percent":
            return published_points.from_changes(protocol, data)
        return from_changes(data, protocol.confidence)
    assert windowed is not None
    if isinstance(data, Panel) and protocol.outcome.kind == "proportion":
        return survey_difference.estimate(protocol, data, contrast, windowed)
    if not windowed.has("comparison"):
        raise CannotEstimate(
            "method 'relative-effect' needs comparison areas and there are none: "
            "declare areas.comparison, or use method 'before-after'"
        )
    effect = (
        _from_totals(data, windowed, protocol.confidence)
        if isinstance(data, Totals)
        else from_panel(protocol, data, contrast, windowed)
    )
    return with_effect_measures(effect, protocol, data, contrast, windowed)


def from_panel(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, *, draws: int = DRAWS
) -> Effect:
    """The ratio of ratios with an interval by relabelling, and the Poisson interval beside it.

    Calibration tables run through this function, as `evaluate` does.
    """
    sets = sets_for(contrast, windowed, centroids_of(panel, windowed), seed=protocol.seed, draws=draws)
    found = relative_over(protocol, contrast, windowed, sets, windowed.before, windowed.after, quantiles=True)
    treated, comparison = windowed.total("treated"), windowed.total("comparison")
    four = (*treated, *comparison)
    registered = as_estimate(found, four, protocol.confidence, sets.how)
    placebo = Placebo(
        effects=found.effects,
        observed=found.log_ratio,
        sets=len(sets.members),
        exact=sets.exact,
        how=sets.how,
    )
    return Effect(
        estimate=registered,
        alternatives=(poisson_estimate(four, protocol.confidence),),
        sets=sets,
        placebo=placebo,
    )


def relative_over(
    protocol: Protocol,
    contrast: Contrast,
    windowed: Windowed,
    sets: PlaceboSets,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    *,
    quantiles: bool = False,
) -> Relative:
    """The relative change between any two sets of periods, for the same areas and placebo sets.

    Args:
        protocol: For the confidence and the number of matches.
        contrast: Who is compared with whom.
        windowed: The areas; its own counts are not used but for the matching.
        sets: Placebo sets of the contrast.
        before: Incidents by area of `windowed` in the first set of periods.
        after: The same in the second.
        quantiles: Whether to compute the 199 quantiles.
    """
    matches = matches_of(contrast, windowed, protocol.matching.per_treated)
    return relative_change(
        before, after, sets, confidence=protocol.confidence, matches=matches, quantiles=quantiles
    )


def as_estimate(found: Relative, four: Four, confidence: float, how: str) -> Estimate:
    """The registered Estimate behind a relative change."""
    return Estimate(
        measure=MEASURE,
        value=found.log_ratio,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        smallest_p=found.smallest_p,
        confidence=confidence,
        inference=f"relabelling: {how}",
        recorded=four[1],
        expected=four[0] * four[3] / four[2] if four[2] > 0 else None,
        quantiles=found.quantiles,
        why_missing=found.why_missing,
    )


def poisson_estimate(four: Four, confidence: float, dispersion: float = 1.0) -> Estimate:
    """The ratio of ratios with a normal interval on the log scale, variance = dispersion × (sum of 1/count).

    Source: Journal of Experimental Criminology (2007), doi 10.1007/s11292-007-9024-2, appendix, for
    dispersion 1; a dispersion factor multiplies that variance.

    Example:
        >>> found = poisson_estimate((50, 30, 60, 55), 0.95)
        >>> round(found.ratio.value, 6), round(found.ratio.low, 4), round(found.ratio.high, 4)
        (0.654545, 0.3657, 1.1714)
    """
    expected = four[0] * four[3] / four[2] if four[2] > 0 else None
    assumed = (
        "Poisson error: counts taken to vary by chance alone"
        if dispersion == 1
        else f"assumed dispersion {dispersion:g}: variance of a count taken as {dispersion:g} times its mean"
    )
    label = "Poisson interval" if dispersion == 1 else f"dispersion {dispersion:g}"
    if min(four) <= 0:
        return Estimate(
            measure=MEASURE,
            confidence=confidence,
            inference=assumed,
            recorded=four[1],
            expected=expected,
            why_missing="one of the four counts is zero, so neither the ratio nor its error is defined",
            label=label,
            choice="inference",
        )
    value = math.log(four[1] * four[2] / (four[0] * four[3]))
    se = math.sqrt(dispersion * sum(1 / count for count in four))
    half = normal_quantile(confidence) * se
    return Estimate(
        measure=MEASURE,
        value=value,
        se=se,
        low=value - half,
        high=value + half,
        p_value=normal_p(value, se),
        confidence=confidence,
        inference=assumed,
        recorded=four[1],
        expected=expected,
        quantiles=normal_quantiles(value, se),
        label=label,
        choice="inference",
    )


def _from_totals(totals: Totals, windowed: Windowed, confidence: float) -> Effect:
    four = (*windowed.total("treated"), *windowed.total("comparison"))
    registered = replace(
        poisson_estimate(four, confidence, totals.dispersion), label="registered", choice=None
    )
    others = tuple(
        poisson_estimate(four, confidence, dispersion)
        for dispersion in OTHER_DISPERSIONS
        if dispersion != totals.dispersion
    )
    return Effect(estimate=registered, alternatives=others)


def from_changes(changes: Changes, confidence: float) -> Effect:
    """The ratio of published change factors, with how far rounding alone could move it.

    Example:
        >>> effect = from_changes(Changes(treated=-11.7, comparison=-7.2, decimals=1), 0.95)
        >>> round(effect.estimate.percent_change.value, 2)
        -4.85
    """
    if changes.comparison is None:
        raise CannotEstimate(
            "outcome.changes: method 'relative-effect' needs the published change in the comparison areas; "
            "give outcome.changes.comparison, or use method 'before-after'"
        )

    def factor(percent: float) -> float:
        return 1 + percent / 100

    half = 0.5 * 10**-changes.decimals
    without = (
        "only percentage changes are published; an interval needs the four counts behind them "
        "(before and after, treated and comparison) or, better, counts by area and month"
    )

    def ratio(treated: float, comparison: float, label: str, choice: str | None) -> Estimate:
        return Estimate(
            measure="ratio of change factors",
            value=math.log(factor(treated) / factor(comparison)),
            confidence=confidence,
            inference="none: only percentages are published",
            why_missing=without,
            label=label,
            choice=choice,
        )

    registered = ratio(changes.treated, changes.comparison, "registered", None)
    points = Estimate(
        measure="points between two percentage changes",
        scale="difference",
        unit="percentage points",
        value=changes.treated - changes.comparison,
        confidence=confidence,
        inference="none: only percentages are published",
        why_missing=without,
        label="points between the two percentage changes",
        choice="effect measure",
    )
    lowest = ratio(changes.treated - half, changes.comparison + half, "rounding: smallest", "rounding")
    highest = ratio(changes.treated + half, changes.comparison - half, "rounding: largest", "rounding")
    return Effect(estimate=registered, alternatives=(points, lowest, highest))
