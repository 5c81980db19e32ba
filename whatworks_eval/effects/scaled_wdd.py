"""The scaled-control difference: the comparison brought to the size of the treated areas first.

    value = T1 - T0 × C1 / C0      = recorded less expected, in incidents; below zero is good

It says the ratio of ratios in incidents: equal *relative* change is assumed. The delta-method variance
counts the scale itself as uncertain, which a plain difference with C0 / T0 as a fixed weight leaves out:

    dispersion × [T1 + E² × (1/T0 + 1/C0 + 1/C1)]      E = T0 × C1 / C0

Source: the weighted displacement difference of Wheeler and Ratcliffe (2018) with the comparison area weighted
by C0 / T0; variance derived here by the delta method.
"""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.effects.counts import Pair, check_counts, empty_cells, undefined, with_error
from whatworks_eval.effects.wdd import UNIT
from whatworks_eval.records import Estimate

MEASURE = "scaled-control difference"


def scaled_wdd(
    *,
    treated: Pair,
    comparison: Pair,
    dispersion: float = 1.0,
    confidence: float = 0.95,
    whole: bool = True,
) -> Estimate:
    """Recorded less expected incidents in the treated areas; undefined where a count it divides by is zero.

    Windows of unequal length need no scaling: both arms have the same.

    Args:
        treated: Incidents before and after.
        comparison: The same in the comparison areas.
        dispersion: Variance of a count over its mean.
        confidence: Of the interval.
        whole: As for `count_problems`.

    Raises:
        DataError: A negative or fractional count.

    Example:
        >>> found = scaled_wdd(treated=(50, 30), comparison=(60, 55))
        >>> round(found.value, 4), round(found.expected, 4)
        (-15.8333, 45.8333)
    """
    arms = {"treated": treated, "comparison": comparison}
    check_counts(arms, dispersion=dispersion, confidence=confidence, whole=whole)
    missing = empty_cells({"treated": (treated[0], 1), "comparison": comparison})
    if missing:
        return undefined(
            f"no incident was recorded ({missing}), so no expected count with an error can be formed",
            measure=MEASURE,
            label=MEASURE,
            unit=UNIT,
            confidence=confidence,
        )
    expected = treated[0] * comparison[1] / comparison[0]
    return with_error(
        treated[1] - expected,
        treated[1] + expected**2 * (1 / treated[0] + 1 / comparison[0] + 1 / comparison[1]),
        measure=MEASURE,
        label=MEASURE,
        unit=UNIT,
        dispersion=dispersion,
        confidence=confidence,
        recorded=treated[1],
        expected=expected,
    )


def in_incidents(ratio: Estimate) -> Estimate:
    """A ratio of ratios said as recorded less expected incidents, with the same interval and p-value.

    Recorded is taken as it is and the range is that of expected, so the interval holds zero exactly where
    that of the ratio does: it is as well calibrated as the ratio.

    Example:
        >>> import math
        >>> ratio = Estimate(measure="ratio of ratios", value=math.log(0.5), low=math.log(0.4),
        ...                  high=math.log(0.8), recorded=50, expected=100, confidence=0.95,
        ...                  inference="relabelling")
        >>> found = in_incidents(ratio)
        >>> round(found.value, 6), round(found.low, 6), round(found.high, 6)
        (-50.0, -75.0, -12.5)
    """
    prevented = ratio.prevented
    return replace(
        ratio,
        measure=MEASURE,
        scale="difference",
        unit=UNIT,
        value=None if prevented.value is None else -prevented.value,
        low=None if prevented.high is None else -prevented.high,
        high=None if prevented.low is None else -prevented.low,
        se=None,
        quantiles=(),
        label=MEASURE,
        choice="effect measure",
        why_missing=ratio.why_missing
        or (
            None if ratio.recorded else "nothing was recorded, so the ratio does not bound the expected count"
        ),
    )
