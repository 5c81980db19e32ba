"""Interrupted time series: what was recorded after the start against the trend before, carried on.

Alone, the treated series is held against its own trend and season (inference/segmented.py): never above
level 2, since whatever changed everywhere at the start is counted with the project, and no placebo test can
take that out. With a comparison, the log ratio of the two series is held against its own trend, months shared
by both drop out, and the interval is the rank among placebo series (inference/series_sets.py): at most
level 3.

The registered estimate is the average over the after window: log of recorded over expected. The level change
at the start and the change of slope stand beside it; either alone describes one month or a tendency.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.inference.inversion import invert
from whatworks_eval.inference.placebo_sets import DRAWS, fewer
from whatworks_eval.inference.relabelling import matches_of, sets_for
from whatworks_eval.inference.segmented import Line, Serial, average_gradient, fit_poisson, serial_error
from whatworks_eval.inference.series_sets import series_test
from whatworks_eval.inference.treated_series import Arms, arms_of, coefficients_of, line_of
from whatworks_eval.methods.relative_effect import from_panel as ratio_of_ratios
from whatworks_eval.methods.result import (
    Effect,
    centroids_of,
    half_width,
    normal_p,
    normal_quantile,
    normal_quantiles,
    rank_p,
)
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Curve, Data, Estimate, Placebo, PlaceboSets, Windowed

NAME = "interrupted-time-series"
MEASURE = "recorded over the trend before, carried on"
AGAINST = "recorded over the trend before of the ratio to the comparison, carried on"
LEVEL = "change of level at the start"
SLOPE = "change of slope"
BESIDE = 999  # placebo sets for what stands beside the registered estimate
TAKES_IN = "takes in whatever changed everywhere"


def estimate(protocol: Protocol, data: Data, contrast: Contrast, windowed: Windowed | None) -> Effect:
    """The average effect over the after window, with level and slope change beside it.

    Raises:
        CannotEstimate: Where there is no series, or seasonal terms are asked for and cannot be had.
    """
    if not isinstance(data, Panel):
        raise CannotEstimate(
            "method 'interrupted-time-series' needs counts by area and month, and "
            f"outcome.source = '{protocol.outcome.source}' has none; use method 'before-after' or "
            "'relative-effect'"
        )
    if data.bases is not None:
        raise CannotEstimate(
            "method 'interrupted-time-series' takes counts of incidents, and these are survey percentages; "
            "use method 'relative-effect'"
        )
    assert windowed is not None
    if windowed.has("comparison"):
        return _compared(protocol, data, contrast, windowed)
    return _alone(protocol, data, windowed)


def _alone(protocol: Protocol, panel: Panel, windowed: Windowed) -> Effect:
    arms = arms_of(protocol, panel, windowed)
    why = arms.too_little
    if why is not None:
        return Effect(estimate=_missing(MEASURE, protocol.confidence, arms, why))
    try:
        line = fit_poisson(arms.treated, arms.design, arms.exposure)
    except CannotEstimate as problem:
        why = "; ".join(problem.problems)
        return Effect(estimate=_missing(MEASURE, protocol.confidence, arms, why))
    late = arms.after
    average = average_gradient(line, late)
    effects = np.vstack([average, np.eye(len(average))[2:4]])
    serial = serial_error(arms.treated, line, arms.time, effects, seed=protocol.seed)
    recorded, expected = float(arms.treated[late].sum()), float(line.without[late].sum())
    value = math.log(recorded / expected)
    how = (
        f"error of a series with autocorrelation {serial.next_period:.2f} and dispersion "
        f"{serial.dispersion:.1f}; {TAKES_IN}"
    )
    blank = Estimate(measure=MEASURE, confidence=protocol.confidence, inference=how)
    registered = replace(_with_error(blank, serial, 0, value), recorded=recorded, expected=expected)
    others = [
        replace(
            _with_error(blank, serial, at - 1, float(line.params[at])),
            measure=measure,
            unit=unit,
            label=measure,
            choice="effect measure",
        )
        for at, measure, unit in _beside(protocol)
    ]
    return Effect(
        estimate=registered,
        alternatives=(*others, _poisson(registered, arms, line, average)),
        curve=_curve(arms, line.fitted, line.without),
    )


def _compared(protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed) -> Effect:
    arms = arms_of(protocol, panel, windowed)
    sets = sets_for(contrast, windowed, centroids_of(panel, windowed), seed=protocol.seed, draws=DRAWS)
    registered, placebo, expected = _ranked(protocol, contrast, windowed, arms, sets)
    if expected is None:
        return Effect(estimate=registered, sets=sets)
    others, fitted = _level_and_slope(protocol, contrast, windowed, arms, fewer(sets, BESIDE))
    ratio = ratio_of_ratios(protocol, panel, contrast, windowed, draws=BESIDE).estimate
    others.append(replace(ratio, label="ratio of ratios, without a trend", choice="effect measure"))
    return Effect(
        estimate=registered,
        alternatives=tuple(others),
        sets=sets,
        placebo=placebo,
        curve=_curve(arms, fitted, expected),
    )


def against(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, *, draws: int
) -> Estimate:
    """The average effect against another comparison, alone."""
    arms = arms_of(protocol, panel, windowed)
    sets = sets_for(contrast, windowed, centroids_of(panel, windowed), seed=protocol.seed, draws=draws)
    return _ranked(protocol, contrast, windowed, arms, sets)[0]


def _ranked(
    protocol: Protocol, contrast: Contrast, windowed: Windowed, arms: Arms, sets: PlaceboSets
) -> tuple[Estimate, Placebo | None, NDArray[np.float64] | None]:
    """The estimate with its interval by rank, the placebo effects and the expected counts.

    What cannot be had is None, with the reason in the estimate.
    """
    why = arms.too_little
    line, settled = (None, False) if why else line_of(arms)
    if line is None or not settled:
        why = why or "too few incidents are spread over the before window for a trend to be fitted to them"
        return _missing(AGAINST, protocol.confidence, arms, why), None, None
    recorded, expected = float(arms.treated[arms.after].sum()), float(line[arms.after].sum())
    value = math.log(recorded / expected)
    found = Estimate(
        measure=AGAINST,
        value=value,
        confidence=protocol.confidence,
        inference=f"rank among placebo series: {sets.how}",
        recorded=recorded,
        expected=expected,
    )
    if not len(sets.members):
        why = "no set of areas like the treated could be drawn from the comparison areas"
        return replace(found, why_missing=why), None, line
    matches = matches_of(contrast, windowed, protocol.matching.per_treated)
    late = arms.after
    plain = np.delete(arms.design, (2, 3), axis=1)
    test = series_test(
        arms.by_area[:, ~late], arms.by_area[:, late], (plain[~late], plain[late]), sets, matches
    )
    floor = sets.smallest_p
    found = replace(found, p_value=max(test.p_value(0.0), floor), smallest_p=floor)
    placebo = Placebo(
        effects=test.effects, observed=value, sets=len(sets.members), exact=sets.exact, how=sets.how
    )
    if floor > 1 - protocol.confidence + 1e-12:
        why = (
            f"with this many units the smallest attainable p-value is {floor:.2g}, "
            f"so no {100 * protocol.confidence:g} % interval exists"
        )
        return replace(found, why_missing=why), placebo, line
    inverted = invert(test.p_value, value, 1 - protocol.confidence)
    sides = [end is None for end in (inverted.low, inverted.high)]
    open_on = "the data bound the effect on neither side" if all(sides) else None
    if any(sides) and not all(sides):
        open_on = "the data bound the effect on one side only"
    ends = replace(
        found,
        low=inverted.low,
        high=inverted.high,
        p_value=max(inverted.no_effect, floor),
        quantiles=inverted.quantiles,
        why_missing=open_on,
    )
    return ends, placebo, line


def _level_and_slope(
    protocol: Protocol, contrast: Contrast, windowed: Windowed, arms: Arms, sets: PlaceboSets
) -> tuple[list[Estimate], NDArray[np.float64]]:
    """Level and slope change of the log ratio, each with the spread of the same in placebo series."""
    matches = matches_of(contrast, windowed, protocol.matching.per_treated)
    lines, settled, fitted = coefficients_of(arms, sets, matches)
    others = []
    for at, measure, unit in _beside(protocol):
        made = Estimate(
            measure=measure,
            unit=unit,
            confidence=protocol.confidence,
            inference=f"spread of the same in placebo series: {sets.how}",
            label=measure,
            choice="effect measure",
        )
        if not settled[-1]:
            made = replace(made, why_missing="too few incidents are spread over the windows to fit it")
        else:
            # A placebo series without a fit counts as far as can be: it never narrows the spread.
            size = np.where(settled[:-1], np.abs(lines[:-1, at]), np.inf)
            half = half_width(size, 1 - protocol.confidence, exact=sets.exact)
            value = float(lines[-1, at])
            made = replace(made, value=value)
            if math.isfinite(half) and sets.smallest_p <= 1 - protocol.confidence + 1e-12:
                rank = rank_p(size, value, exact=sets.exact)
                se = half / normal_quantile(protocol.confidence)
                made = replace(
                    made,
                    low=value - half,
                    high=value + half,
                    se=se,
                    p_value=max(rank, sets.smallest_p),
                    smallest_p=sets.smallest_p,
                    quantiles=normal_quantiles(value, se),
                )
            else:
                made = replace(made, why_missing="too few placebo series can be fitted for an interval")
        others.append(made)
    return others, fitted


def _beside(protocol: Protocol) -> tuple[tuple[int, str, str], ...]:
    """Column, name and unit of level and slope change."""
    return (
        (2, LEVEL, "log of recorded over expected"),
        (3, f"{SLOPE}, per {protocol.period}", f"log of recorded over expected, per {protocol.period}"),
    )


def _with_error(blank: Estimate, serial: Serial, effect: int, value: float) -> Estimate:
    se = float(serial.errors[effect])
    half = serial.critical(effect, blank.confidence) * se
    return replace(
        blank,
        value=value,
        se=se,
        low=value - half,
        high=value + half,
        p_value=serial.p_value(effect, value),
        quantiles=serial.quantiles(effect, value),
    )


def _poisson(registered: Estimate, arms: Arms, line: Line, average: NDArray[np.float64]) -> Estimate:
    """The textbook interval, printed beside the registered one to show what it leaves out."""
    assert registered.value is not None
    inverse = np.linalg.inv(arms.design.T @ (arms.design * line.fitted[:, None]))
    se = math.sqrt(float(average @ inverse @ average))
    half = normal_quantile(registered.confidence) * se
    return replace(
        registered,
        se=se,
        low=registered.value - half,
        high=registered.value + half,
        p_value=normal_p(registered.value, se),
        quantiles=normal_quantiles(registered.value, se),
        inference="Poisson error: counts taken to vary by chance alone",
        label="Poisson interval",
        choice="inference",
    )


def _missing(measure: str, confidence: float, arms: Arms, why: str) -> Estimate:
    return Estimate(
        measure=measure,
        confidence=confidence,
        inference="none",
        recorded=float(arms.treated[arms.after].sum()),
        why_missing=why,
    )


def _curve(arms: Arms, fitted: NDArray[np.float64], expected: NDArray[np.float64]) -> Curve:
    return Curve(
        periods=arms.periods,
        recorded=arms.treated,
        fitted=fitted,
        expected=expected,
        after=arms.after,
    )
