"""The weighted displacement difference: how many incidents more or fewer, taken as equal absolute change.

With T treated, C comparison, D buffer and DC the buffer's comparison, before (0) and after (1), and w the
weight of a count (area weight times time weight):

    local         (T1/w - T0/w) - (C1/w - C0/w)
    displacement  (D1/w - D0/w) - (DC1/w - DC0/w)
    total         local + displacement              variance   dispersion × sum of count / w²

Below zero is good. It assumes that without the project the treated areas would have changed by the same
*number* of incidents (per weight) as the comparison areas; the ratio of ratios assumes the same proportion.

Source: Wheeler and Ratcliffe (2018), A simple weighted displacement difference test to evaluate place based
crime interventions, Crime Science 7:11; weights as in the R package ptools (apwheele/ptools).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from whatworks_eval.effects.counts import Pair, check_counts, undefined, with_error
from whatworks_eval.errors import DataError
from whatworks_eval.records import Estimate

MEASURE = "weighted displacement difference"
UNIT = "incidents"
Part = Literal["local", "displacement", "total"]
LABELS: dict[Part, str] = {
    "local": MEASURE,
    "displacement": f"{MEASURE}, buffer alone",
    "total": f"{MEASURE}, buffer included",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each count is divided by: how large its areas are and how long its window is.

    Attributes:
        treated: Size of the treated areas, in any unit all arms share (areas, street segments, residents).
        comparison: The same for the comparison.
        buffer: The same for the buffer.
        buffer_comparison: The same for the buffer's comparison.
        before: Length of the before window. With 2 and 1 the difference is over the after window.
        after: Length of the after window.
    """

    treated: float = 1.0
    comparison: float = 1.0
    buffer: float = 1.0
    buffer_comparison: float = 1.0
    before: float = 1.0
    after: float = 1.0


EQUAL = Weights()


def wdd(
    *,
    treated: Pair,
    comparison: Pair,
    buffer: Pair | None = None,
    buffer_comparison: Pair | None = None,
    weights: Weights = EQUAL,
    part: Part | None = None,
    dispersion: float = 1.0,
    confidence: float = 0.95,
    whole: bool = True,
) -> Estimate:
    """The weighted displacement difference with a normal interval; undefined where nothing was recorded.

    A buffer without a comparison of its own is compared with the comparison areas, whose counts then stand
    in the sum twice: their part of the variance of the total is fourfold.

    Args:
        treated: Incidents before and after.
        comparison: The same in the comparison areas.
        buffer: The same in the displacement areas.
        buffer_comparison: The same in the areas the buffer is compared with.
        weights: What each count is divided by.
        part: 'local' leaves the buffer out, 'displacement' is the buffer alone; absent = 'total' with a
            buffer and 'local' without.
        dispersion: Variance of a count over its mean: 1 is the published test.
        confidence: Of the interval.
        whole: As for `count_problems`.

    Raises:
        DataError: A negative or fractional count, a weight not above zero, or a part that is not there.

    Example:
        >>> found = wdd(treated=(207, 110), comparison=(308, 318), buffer=(178, 157),
        ...             buffer_comparison=(150, 140))
        >>> found.value, round(found.se, 4), round(found.low, 1), round(found.high, 1)
        (-118.0, 39.598, -195.6, -40.4)
    """
    arms = {
        "treated": treated,
        "comparison": comparison,
        "buffer": buffer,
        "buffer_comparison": buffer_comparison,
    }
    _check_weights(weights)
    check_counts(arms, dispersion=dispersion, confidence=confidence, whole=whole)
    part = part or ("local" if buffer is None else "total")
    if buffer is None and (part != "local" or buffer_comparison is not None):
        raise DataError("there is no buffer to measure displacement in; give its counts before and after")
    named = {"measure": LABELS[part], "label": LABELS[part], "unit": UNIT, "confidence": confidence}
    signs = {"treated": 1.0, "comparison": -1.0} if part != "displacement" else {}
    if part != "local":
        other = "comparison" if buffer_comparison is None else "buffer_comparison"
        signs |= {"buffer": 1.0, other: signs.get(other, 0.0) - 1.0}
    value = variance = 0.0
    for name, sign in signs.items():
        pair, size = arms[name], getattr(weights, name)
        assert pair is not None
        before, after = size * weights.before, size * weights.after
        value += sign * (pair[1] / after - pair[0] / before)
        variance += sign**2 * (pair[1] / after**2 + pair[0] / before**2)
    if variance == 0 or (part != "displacement" and not any((*treated, *comparison))):
        return undefined(
            "every count is zero, so neither the difference nor its error is defined",
            **named,  # type: ignore[arg-type]
        )
    recorded = treated[1] / (weights.treated * weights.after)
    return with_error(
        value,
        variance,
        dispersion=dispersion,
        recorded=recorded if part == "local" else None,
        expected=recorded - value if part == "local" else None,
        **named,  # type: ignore[arg-type]
    )


def _check_weights(weights: Weights) -> None:
    names = ("treated", "comparison", "buffer", "buffer_comparison", "before", "after")
    wrong = [
        f"weight '{name}' is {getattr(weights, name):g}; a weight must be above zero"
        for name in names
        if not 0 < getattr(weights, name) < float("inf")
    ]
    if wrong:
        raise DataError(wrong)


def why_impossible(
    difference: float | None, expected: float | None, own_expected: float | None
) -> str | None:
    """Why a difference cannot be an effect of the project; None where it can.

    Args:
        difference: Incidents, below zero = fewer.
        expected: Incidents expected in the treated areas by the change of the comparison in proportion.
        own_expected: Incidents the difference itself implies were expected: recorded less the difference.

    Example:
        >>> why_impossible(-85.0, 70.0, 130.0)
        'it claims 85 incidents prevented where 70 were expected'
    """
    if difference is None:
        return None
    if own_expected is not None and own_expected < 0:
        return (
            f"it implies that {own_expected:,.0f} incidents were expected in the treated areas, "
            "fewer than none: the comparison fell by more incidents than the treated areas had"
        )
    if expected is not None and -difference > expected:
        return f"it claims {-difference:,.0f} incidents prevented where {expected:,.0f} were expected"
    return None
