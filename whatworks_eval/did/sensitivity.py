"""How far the arms could have parted before the effect is no longer there: curves and breakdown values.

Two ways of parting: changes up to so many times the largest seen before the start (relative magnitudes), and
a slope that bends by so much a period (smoothness).

Source: Rambachan and Roth (2023), Review of Economic Studies 90(5), 2555-2591.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from whatworks_eval.did.event_path import EventPath, event_path, target_weights
from whatworks_eval.did.relative_magnitudes import SensitivityPoint, relative_magnitudes_interval
from whatworks_eval.did.smoothness import smoother, smoothness_interval
from whatworks_eval.errors import DataError

RELATIVE_BOUNDS = (0.0, 0.5, 1.0, 1.5, 2.0)
SMOOTHNESS_SHARES = (0.0, 0.5, 1.0, 1.5, 2.0)  # of the largest bend seen among the leads
DOUBLINGS = 8
PRECISION = 0.002  # of the breakdown value, as a share of itself
HALVINGS = 40

Family = Literal["relative magnitudes", "smoothness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityCurve:
    """Intervals over bounds of one family, and the bound at which the conclusion goes.

    Attributes:
        family: "relative magnitudes" or "smoothness".
        unit: Of the bounds, in words.
        points: One a bound, in the order asked.
        breakdown: The largest bound at which the interval still excludes zero; None with a reason.
        largest_seen: The largest change (or bend) among the leads, outcome units; None where there is none.
        why_missing: Why there is no breakdown value; None where there is one.
    """

    family: Family
    unit: str
    points: tuple[SensitivityPoint, ...]
    breakdown: float | None
    largest_seen: float | None
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """The target effect as estimated, and under each family.

    Attributes:
        value: The target, outcome units.
        low: Lower end of the normal interval, trends taken as parallel.
        high: Upper end.
        confidence: Of every interval.
        relative: Relative magnitudes.
        smoothness: Smoothness.
    """

    value: float
    low: float
    high: float
    confidence: float
    relative: SensitivityCurve
    smoothness: SensitivityCurve


def sensitivity(
    values: ArrayLike,
    covariance: ArrayLike,
    *,
    offsets: Sequence[int],
    reference: int = -1,
    weights: ArrayLike | None = None,
    relative_bounds: Sequence[float] = RELATIVE_BOUNDS,
    smoothness_bounds: Sequence[float] | None = None,
    confidence: float = 0.95,
) -> Sensitivity:
    """Curves and breakdown values of both families for a weighted sum of the after effects.

    The covariance is taken as known. One estimated from few clusters or placebo sets makes every interval
    too narrow, more so the more coefficients there are: group the periods first.

    Args:
        values: Event-study coefficients, the reference left out.
        covariance: Of them.
        offsets: Periods from the start of each.
        reference: Offset of the reference period.
        weights: On the after effects, earliest first; None = their average.
        relative_bounds: Multiples of the largest change before the start.
        smoothness_bounds: Outcome units a period squared; None = up to twice the largest bend before.
        confidence: Of every interval.

    Raises:
        DataError: Input that does not fit together.

    Example:
        >>> found = sensitivity([0.1, -0.1, 2.0, 2.2], 0.01 * (np.eye(4) + 1), offsets=[-3, -2, 0, 1])
        >>> found.relative.points[2].excludes_zero, found.relative.breakdown > 1
        (True, True)
    """
    if not 0 < confidence < 1:
        raise DataError(f"the confidence is {confidence}; give a number between zero and one, such as 0.95")
    path = event_path(values, covariance, offsets, reference=reference)
    target = target_weights(path, weights)
    value = float(target @ path.values[path.leads :])
    error = max(float(target @ path.covariance[path.leads :, path.leads :] @ target), 0.0) ** 0.5
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * error
    crosses = None
    if value - half <= 0 <= value + half:
        crosses = "with trends taken as parallel the interval includes zero already: nothing to break down"
    prepared = smoother(path, weights=target)

    def relative(bound: float) -> SensitivityPoint:
        return relative_magnitudes_interval(path, bound, weights=target, confidence=confidence)

    def smooth(bound: float) -> SensitivityPoint:
        return smoothness_interval(path, bound, weights=target, confidence=confidence, prepared=prepared)

    step, bend = _largest(path)
    if smoothness_bounds is None:
        smoothness_bounds = [share * bend for share in SMOOTHNESS_SHARES] if bend else [0.0]
    return Sensitivity(
        value=value,
        low=value - half,
        high=value + half,
        confidence=confidence,
        relative=_curve(
            "relative magnitudes",
            "times the largest change before the start",
            relative,
            relative_bounds,
            (1.0, step, crosses),
        ),
        smoothness=_curve(
            "smoothness",
            "outcome units a period squared",
            smooth,
            smoothness_bounds,
            (bend or error or 1.0, bend, crosses),
        ),
    )


def _largest(path: EventPath) -> tuple[float | None, float | None]:
    """The largest change and the largest bend among the leads and the reference."""
    changes = path.changes()[0][: path.leads]
    bends = np.diff(changes)
    return (
        float(np.abs(changes).max()) if len(changes) else None,
        float(np.abs(bends).max()) if len(bends) else None,
    )


def _curve(
    family: Family,
    unit: str,
    interval: Callable[[float], SensitivityPoint],
    bounds: Sequence[float],
    known: tuple[float, float | None, str | None],
) -> SensitivityCurve:
    """Points at the bounds asked, and the breakdown value."""
    first, largest_seen, crosses = known
    points = tuple(interval(float(bound)) for bound in bounds)
    breakdown, why = (None, crosses) if crosses else _breakdown(interval, first)
    return SensitivityCurve(
        family=family,
        unit=unit,
        points=points,
        breakdown=breakdown,
        largest_seen=largest_seen,
        why_missing=why,
    )


def _breakdown(
    interval: Callable[[float], SensitivityPoint], first: float
) -> tuple[float | None, str | None]:
    """The largest bound whose interval excludes zero, by doubling from `first` and halving; or why none."""
    start = interval(0.0)
    if start.why_missing:
        return None, start.why_missing
    if not start.excludes_zero:
        return (
            None,
            "at a bound of zero the interval includes zero already: nothing to break down",
        )
    low, high = 0.0, first
    for _ in range(DOUBLINGS):
        if not interval(high).excludes_zero:
            break
        low, high = high, 2 * high
    else:
        return None, f"the interval still excludes zero at {low:g}, the largest bound tried"
    for _ in range(HALVINGS):
        if high - low <= PRECISION * high:
            break
        middle = (low + high) / 2
        low, high = (middle, high) if interval(middle).excludes_zero else (low, middle)
    return low, None
