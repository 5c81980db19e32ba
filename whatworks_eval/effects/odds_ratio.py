"""The 'odds ratio' of Farrington and Welsh: the ratio of ratios upside down. Above 1 is good.

    OR = (T0 × C1) / (T1 × C0) = 1 / [(T1 / T0) / (C1 / C0)]      variance of its log: sum of 1 / count

It is not a ratio of odds but of rate ratios (Wilson 2022), and it says nothing the ratio of ratios does not:
the Estimate is kept as that ratio, below zero = fewer, and its label carries the published figure.

Source: Journal of Experimental Criminology (2007), doi 10.1007/s11292-007-9024-2, appendix.
"""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

from whatworks_eval.effects.counts import Pair, assumed, check_counts, empty_cells
from whatworks_eval.records import Estimate, Interval

MEASURE = "Farrington-Welsh odds ratio, the inverse of the ratio of ratios (above 1 = fewer than expected)"
NAME = "Farrington-Welsh odds ratio"


def as_odds_ratio(ratio: Estimate) -> Estimate:
    """The ratio of ratios under its other name, with the inverse figure and its interval in the label.

    Example:
        >>> ratio = Estimate(measure="ratio of ratios", value=math.log(0.5), low=math.log(0.4),
        ...                  high=math.log(0.8), confidence=0.95, inference="relabelling")
        >>> as_odds_ratio(ratio).label
        'Farrington-Welsh odds ratio 2.00 (1.25 to 2.50): the inverse, above 1 is good'
    """
    span = odds_ratio(ratio)
    if span.value is None:
        label = f"{NAME}: the inverse, above 1 is good"
    else:
        ends = "" if span.low is None or span.high is None else f" ({span.low:.2f} to {span.high:.2f})"
        label = f"{NAME} {span.value:.2f}{ends}: the inverse, above 1 is good"
    return replace(ratio, measure=MEASURE, label=label, choice="effect measure", quantiles=())


def odds_ratio(ratio: Estimate) -> Interval:
    """The odds ratio behind an Estimate of the ratio of ratios: above 1 = fewer than expected.

    Example:
        >>> odds_ratio(Estimate(measure="ratio of ratios", value=math.log(0.8), confidence=0.95, inference="")
        ...            ).value
        1.25
    """

    def inverse(log_ratio: float | None) -> float | None:
        return None if log_ratio is None else math.exp(-log_ratio)

    return Interval(value=inverse(ratio.value), low=inverse(ratio.high), high=inverse(ratio.low))


def farrington_welsh(
    *,
    treated: Pair,
    comparison: Pair,
    dispersion: float = 1.0,
    confidence: float = 0.95,
    whole: bool = True,
) -> Estimate:
    """The odds ratio of four counts with a normal interval on the log scale; undefined with a zero count.

    Args:
        treated: Incidents before and after.
        comparison: The same in the comparison areas.
        dispersion: Variance of a count over its mean.
        confidence: Of the interval.
        whole: As for `count_problems`.

    Raises:
        DataError: A negative or fractional count.

    Example:
        >>> found = farrington_welsh(treated=(50, 30), comparison=(60, 55))
        >>> round(odds_ratio(found).value, 6), round(found.se, 6), found.value < 0
        (1.527778, 0.296954, True)
    """
    arms = {"treated": treated, "comparison": comparison}
    check_counts(arms, dispersion=dispersion, confidence=confidence, whole=whole)
    bare = Estimate(
        measure=MEASURE, confidence=confidence, inference=assumed(dispersion), recorded=treated[1]
    )
    if missing := empty_cells(arms):
        why = f"no incident was recorded ({missing}), so the odds ratio is not defined"
        return as_odds_ratio(replace(bare, why_missing=why))
    value = -math.log(treated[0] * comparison[1] / (treated[1] * comparison[0]))
    se = math.sqrt(dispersion * sum(1 / count for count in (*treated, *comparison)))
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * se
    return as_odds_ratio(
        replace(
            bare,
            value=value,
            se=se,
            low=value - half,
            high=value + half,
            p_value=2 * NormalDist().cdf(-abs(value) / se),
            expected=treated[0] * comparison[1] / comparison[0],
        )
    )
