"""Displacement set against the direct effect: the weighted displacement quotient and its companions.

With T treated, B buffer and C comparison, before (0) and after (1):

    success measure    T1/C1 - T0/C0      below zero: the treated areas did better than the comparison
    buffer measure     B1/C1 - B0/C0      above zero: the buffer did worse than the comparison
    WDQ                buffer measure / success measure
    gross effect       T0 - T1
    net effect         T0/C0 - T1/C1
    total net effect   [T0 × C1/C0 - T1] + [B0 × C1/C0 - B1]

WDQ has a meaning only where the success measure is below zero: with nothing gained there is nothing to be
displaced or spread, and the quotient of two rises reads like a benefit. Estimates here keep the sign of this
package (below zero = fewer); the published gross, net and total net effects, above zero = fewer, are
`prevented` of each.

Source: the weighted displacement quotient of Bowers and Johnson, as set out with the reading of its
values in the POP Center's problem-solving tool guide 10, appendix C.
Intervals: Fieller for the quotient, delta method for the others; neither is in the source.
"""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

from whatworks_eval.effects.counts import (
    Pair,
    assumed,
    check_counts,
    empty_cells,
    undefined,
    with_error,
)
from whatworks_eval.records import Estimate

QUOTIENT, QUOTIENT_UNIT = (
    "weighted displacement quotient",
    "of the direct effect (above zero = spread of benefit)",
)
GROSS, NET, TOTAL = "gross effect", "net effect", "total net effect"
NET_UNIT = "treated incidents per comparison incident"
NOT_BETTER = (
    "the treated areas did not do better than the comparison areas, so there is no benefit to be displaced "
    "or spread"
)


def success_measure(treated: Pair, comparison: Pair) -> float:
    """T1/C1 - T0/C0: below zero where the treated areas did better than the comparison.

    Example:
        >>> round(success_measure((100, 70), (200, 190)), 6)
        -0.131579
    """
    return treated[1] / comparison[1] - treated[0] / comparison[0]


buffer_measure = success_measure
"""B1/C1 - B0/C0, the same of the buffer: above zero where it did worse than the comparison."""


def wdq(
    *,
    treated: Pair,
    comparison: Pair,
    buffer: Pair,
    dispersion: float = 1.0,
    confidence: float = 0.95,
    whole: bool = True,
) -> Estimate:
    """The weighted displacement quotient; undefined unless the treated did better than the comparison.

    Args:
        treated: Incidents before and after.
        comparison: The same in comparison areas that neither project nor displacement reaches.
        buffer: The same in the ring between the two.
        dispersion: Variance of a count over its mean.
        confidence: Of the interval (Fieller's, which knows that the direct effect is uncertain too).
        whole: As for `count_problems`.

    Raises:
        DataError: A negative or fractional count.

    Example:
        >>> round(wdq(treated=(100, 70), comparison=(200, 190), buffer=(80, 70)).value, 6)
        0.24
        >>> wdq(treated=(100, 150), comparison=(100, 100), buffer=(100, 50)).value is None
        True
    """
    arms = {"treated": treated, "comparison": comparison, "buffer": buffer}
    check_counts(arms, dispersion=dispersion, confidence=confidence, whole=whole)
    named = {"measure": QUOTIENT, "label": QUOTIENT, "unit": QUOTIENT_UNIT, "confidence": confidence}
    if missing := empty_cells({"comparison": comparison}):
        return undefined(f"no incident was recorded ({missing}), so shares of it are not defined", **named)  # type: ignore[arg-type]
    success, spill = success_measure(treated, comparison), buffer_measure(buffer, comparison)
    if success >= 0:
        return undefined(NOT_BETTER, **named)  # type: ignore[arg-type]
    value = spill / success
    low, high = _fieller(success, spill, _covariances(treated, comparison, buffer, dispersion), confidence)
    return Estimate(
        measure=QUOTIENT,
        scale="difference",
        unit=QUOTIENT_UNIT,
        value=value + 0.0,  # a buffer that did not move is 0, not -0
        low=low,
        high=high,
        confidence=confidence,
        inference=f"Fieller; {assumed(dispersion)}",
        why_missing=None
        if low is not None
        else "the direct effect itself cannot be told from zero, so the quotient is bounded on neither side",
        label=QUOTIENT,
        choice="effect measure",
    )


def _covariances(
    treated: Pair, comparison: Pair, buffer: Pair, dispersion: float
) -> tuple[float, float, float]:
    """Variance of the success measure, of the buffer measure, and their covariance (they share C)."""

    def between(one: Pair, other: Pair, *, same: bool) -> float:
        parts = zip(one, other, comparison, strict=True)
        return dispersion * sum((x / c**2 if same else 0.0) + x * y / c**3 for x, y, c in parts)

    return (
        between(treated, treated, same=True),
        between(buffer, buffer, same=True),
        between(treated, buffer, same=False),
    )


def _fieller(
    success: float, spill: float, spread: tuple[float, float, float], confidence: float
) -> tuple[float | None, float | None]:
    """Quotients q for which spill - q × success is not extreme; (None, None) where they reach infinity."""
    square = NormalDist().inv_cdf(0.5 + confidence / 2) ** 2
    quadratic = success**2 - square * spread[0]
    if quadratic <= 0:
        return None, None
    linear = success * spill - square * spread[2]
    root = math.sqrt(max(linear**2 - quadratic * (spill**2 - square * spread[1]), 0.0))
    return (linear - root) / quadratic, (linear + root) / quadratic


def reading(quotient: Estimate) -> str:
    """What a quotient says, in words; the words displacement and spread only where the data bear them.

    Source: POP Center tool guide 10, appendix C, for the bands; the interval comes first here.

    Example:
        >>> reading(wdq(treated=(1000, 500), comparison=(1000, 1000), buffer=(1000, 750)))
        'spread of benefit, smaller than the direct effect'
    """
    if quotient.value is None:
        return quotient.why_missing or "not defined"
    if quotient.low is None or quotient.high is None:
        return "no interval, so neither displacement nor spread of benefit can be told"
    if quotient.low <= 0 <= quotient.high:
        return "neither displacement nor spread of benefit can be told: the interval holds zero"
    bands = (
        (1.0, "spread of benefit, larger than the direct effect"),
        (0.0, "spread of benefit, smaller than the direct effect"),
        (-1.0, "displacement, smaller than the direct effect"),
    )
    return next(
        (words for above, words in bands if quotient.value > above),
        "displacement as large as the direct effect or larger",
    )


def gross_effect(
    *,
    treated: Pair,
    periods: Pair = (1.0, 1.0),
    dispersion: float = 1.0,
    confidence: float = 0.95,
    whole: bool = True,
) -> Estimate:
    """After less before in the treated areas, before brought to the length of after; nothing compared.

    Example:
        >>> gross_effect(treated=(100, 70)).prevented.value
        30.0
    """
    check_counts({"treated": treated}, dispersion=dispersion, confidence=confidence, whole=whole)
    named = {"measure": GROSS, "label": GROSS, "unit": "incidents", "confidence": confidence}
    if not any(treated):
        return undefined("every count is zero, so the effect has no error", **named)  # type: ignore[arg-type]
    scale = periods[1] / periods[0]
    return with_error(
        treated[1] - scale * treated[0],
        treated[1] + scale**2 * treated[0],
        dispersion=dispersion,
        **named,  # type: ignore[arg-type]
    )


def net_effect(
    *,
    treated: Pair,
    comparison: Pair,
    dispersion: float = 1.0,
    confidence: float = 0.95,
    whole: bool = True,
) -> Estimate:
    """The fall in treated incidents per comparison incident: the success measure with an error.

    Example:
        >>> round(net_effect(treated=(100, 70), comparison=(200, 190)).prevented.value, 6)
        0.131579
    """
    arms = {"treated": treated, "comparison": comparison}
    check_counts(arms, dispersion=dispersion, confidence=confidence, whole=whole)
    named = {"measure": NET, "label": NET, "unit": NET_UNIT, "confidence": confidence}
    if missing := empty_cells({"comparison": comparison}):
        return undefined(f"no incident was recorded ({missing}), so shares of it are not defined", **named)  # type: ignore[arg-type]
    if not any(treated):
        return undefined("no incident was recorded in the treated areas", **named)  # type: ignore[arg-type]
    variance = _covariances(treated, comparison, treated, 1.0)[0]
    return with_error(success_measure(treated, comparison), variance, dispersion=dispersion, **named)  # type: ignore[arg-type]


def total_net_effect(
    *,
    treated: Pair,
    comparison: Pair,
    buffer: Pair,
    dispersion: float = 1.0,
    confidence: float = 0.95,
    whole: bool = True,
) -> Estimate:
    """Recorded less expected incidents in treated areas and buffer together.

    Example:
        >>> found = total_net_effect(treated=(100, 70), comparison=(200, 190), buffer=(80, 70))
        >>> round(found.prevented.value, 6)
        31.0
    """
    arms = {"treated": treated, "comparison": comparison, "buffer": buffer}
    check_counts(arms, dispersion=dispersion, confidence=confidence, whole=whole)
    named = {"measure": TOTAL, "label": TOTAL, "unit": "incidents", "confidence": confidence}
    before, after = treated[0] + buffer[0], treated[1] + buffer[1]
    if missing := empty_cells({"treated and buffer": (before, 1), "comparison": comparison}):
        return undefined(f"no incident was recorded ({missing}), so nothing can be expected", **named)  # type: ignore[arg-type]
    expected = before * comparison[1] / comparison[0]
    variance = after + expected**2 * (1 / before + 1 / comparison[0] + 1 / comparison[1])
    found = with_error(after - expected, variance, dispersion=dispersion, **named)  # type: ignore[arg-type]
    return replace(found, recorded=after, expected=expected)
