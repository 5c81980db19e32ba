"""Whether the arms already moved apart, and how much that would matter, from placebo sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.did.event_path import EventPath, event_path
from whatworks_eval.did.pretrend import lead_slope, trend_power
from whatworks_eval.did.sensitivity import SensitivityCurve, sensitivity
from whatworks_eval.errors import DataError
from whatworks_eval.methods.did_event_study import Studied, joint_p_value
from whatworks_eval.methods.result import normal_quantile
from whatworks_eval.over_time import Bound, EventStudy, PreTrend, Sensitivity

Floats = NDArray[np.float64]
Kind = Literal["relative magnitudes", "smoothness"]

HALF, MOST = 0.5, 0.8  # how often a slope would be found: half the time, four times in five
CHECKED_AT = (
    0.97  # selection.pre-trend speaks from a p-value of 0.03, so that is the check whose power counts
)
TARGET = "the mean of the stretches after the start, against the last stretch before it"
UNITS: Mapping[Kind, str] = {
    "relative magnitudes": "times the largest step between stretches before the start",
    "smoothness": "change of the difference in slope from one stretch to the next",
}


def with_pretrend(studied: Studied, smallest_p: float) -> EventStudy:
    """The event study with the test of its leads put in."""
    return replace(studied.study, pretrend=_pretrend(studied, smallest_p))


def _path(studied: Studied) -> EventPath | str:
    """The stretches with a number as leads and lags by stretch; why not, where they cannot be so ordered."""
    if studied.covariance is None:
        sets, stretches = len(studied.placebo), len(studied.kept)
        return f"{sets} placebo sets are too few for the covariance of {stretches} stretches"
    times = studied.study.times
    at_reference = next(at for at, time in enumerate(times) if time.reference)
    values = [times[at].value for at in studied.kept]
    try:
        return event_path(
            np.array(values, dtype=float),
            studied.covariance,
            [at - at_reference for at in studied.kept],
            reference=0,
        )
    except DataError as problem:
        return "; ".join(problem.problems)


def _pretrend(studied: Studied, smallest_p: float) -> PreTrend:
    path = _path(studied)
    if isinstance(path, str):
        return PreTrend(why_missing=path)
    if path.leads == 0 or path.lags == 0:
        side = "before the reference" if path.leads == 0 else "after the start"
        return PreTrend(why_missing=f"no stretch {side} has a number")
    length = next(time.periods for time in studied.study.times if time.reference)
    leads, placebo = path.values[: path.leads], studied.placebo[:, : path.leads]
    slope = lead_slope(path)
    assert slope is not None
    confidence = studied.study.confidence
    half_width = normal_quantile(confidence) * slope.se
    found = {
        power: trend_power(path, power=power, check="joint", confidence=CHECKED_AT) for power in (HALF, MOST)
    }
    changes, _ = path.changes()
    return PreTrend(
        stretches=path.leads,
        p_value=joint_p_value(leads, placebo, smallest_p),
        how=f"all stretches together, ranked among {len(placebo):,} placebo sets",
        slope=slope.slope / length,
        slope_low=(slope.slope - half_width) / length,
        slope_high=(slope.slope + half_width) / length,
        detectable_half=_per(found[HALF].slope, length),
        detectable_most=_per(found[MOST].slope, length),
        bias_half=found[HALF].bias,
        bias_most=found[MOST].bias,
        largest_step=float(np.abs(changes[: path.leads]).max()),
    )


def sensitivity_of(studied: Studied, confidence: float) -> tuple[Sensitivity, ...]:
    """The interval of the mean effect after the start as the trends are allowed to differ, both ways."""
    path = _path(studied)
    reason = path if isinstance(path, str) else None
    if reason is None and isinstance(path, EventPath):
        if path.lags == 0:
            reason = "no stretch after the start has a number"
        elif path.leads == 0:
            reason = "there is no stretch before the reference to take the size of past steps from"
    if reason is not None or isinstance(path, str):
        return tuple(
            Sensitivity(kind=kind, target=TARGET, unit=unit, why_missing=reason)
            for kind, unit in UNITS.items()
        )
    offsets = path.steps.tolist()
    found = sensitivity(path.values, path.covariance, offsets=offsets, reference=0, confidence=confidence)
    original = Bound(bound=0.0, low=found.low, high=found.high)
    curves: Mapping[Kind, SensitivityCurve] = {
        "relative magnitudes": found.relative,
        "smoothness": found.smoothness,
    }
    return tuple(_as_record(kind, curve, original) for kind, curve in curves.items())


def _as_record(kind: Kind, curve: SensitivityCurve, original: Bound) -> Sensitivity:
    bounds = tuple(
        Bound(bound=point.bound, low=_end(point.low), high=_end(point.high)) for point in curve.points
    )
    excluded = (
        original.low is not None and original.high is not None and not original.low <= 0 <= original.high
    )
    # Smoothness of nought still lets the arms drift apart in a straight line, which may be enough by itself.
    at_once = bool(bounds) and bounds[0].bound == 0 and not _apart(bounds[0])
    beyond = curve.breakdown is None and excluded and bool(bounds) and _apart(bounds[-1])
    return Sensitivity(
        kind=kind,
        target=TARGET,
        unit=UNITS[kind],
        original=original,
        bounds=bounds,
        breakdown=0.0 if at_once or not excluded else curve.breakdown,
        beyond=beyond,
        largest_step=curve.largest_seen,
        why_missing=None if curve.points else curve.why_missing,
    )


def _apart(bound: Bound) -> bool:
    return (bound.low is not None and bound.low > 0) or (bound.high is not None and bound.high < 0)


def _end(value: float | None) -> float | None:
    """An end of an interval; None where it is open or too far out to mean anything."""
    return None if value is None or not np.isfinite(value) else float(value)


def _per(slope: float | None, length: int) -> float | None:
    return None if slope is None else slope / length
