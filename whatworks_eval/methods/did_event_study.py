"""Leads and lags by relabelling: every stretch of periods against the last one before the start.

The same placebo sets serve every stretch, so what they do jointly when nothing was done is known: the test
of all leads together ranks among them, and their covariance is what power and sensitivity are computed from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.mean_change import mean_change, mean_test
from whatworks_eval.inference.placebo_sets import fewer
from whatworks_eval.inference.roll_out_test import roll_out_change, roll_out_test
from whatworks_eval.methods.did import Setting
from whatworks_eval.methods.did_windows import is_linear, unit_of
from whatworks_eval.over_time import EventStudy, EventTime, PreTrend
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Windowed

Floats = NDArray[np.float64]

SETS_LOOKED_AT = 1_999
PARTS_BEFORE = 4  # stretches the before window is cut into: three leads and the reference
FEWEST_AREAS = 3  # behind a stretch, for it to enter a joint test
SETS_A_STRETCH = 20  # placebo sets for each stretch tested, for their covariance to mean anything


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Studied:
    """An event study with what its placebo sets did.

    Attributes:
        study: Leads and lags; its `pretrend` says why there is no test until one is put in.
        kept: Positions in `study.times` of the stretches with a value, thin ones and the reference left out.
        placebo: Placebo sets × kept stretches; sets without a number in any of them left out.
        covariance: Of the kept stretches, from the placebo sets; None with too few of them.
    """

    study: EventStudy
    kept: tuple[int, ...]
    placebo: Floats
    covariance: Floats | None


def stretch_of(protocol: Protocol, setting: Setting) -> int:
    """Periods in each stretch: as declared, or a quarter of the first cohort's before periods."""
    return protocol.did.stretch or max(1, round(int(setting.data.starts[0]) / PARTS_BEFORE))


def event_study(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, setting: Setting
) -> Studied | str:
    """The effect in each stretch before and after the start, against the last stretch before it.

    Returns a reason where the before window is too short for a lead and a reference.
    """
    length = stretch_of(protocol, setting)
    data = setting.data
    first, periods = int(data.starts[0]), data.counts.shape[1]
    if first // length < 2:
        return (
            f"the before window holds {first} {protocol.period}s, too few for stretches of {length}: an "
            "event study needs one to refer to and at least one earlier"
        )
    names = _names(panel, windowed)
    sets = fewer(setting.sets, SETS_LOOKED_AT)
    areas = np.bincount(np.searchsorted(data.starts, data.start), minlength=len(data.starts) + 1)
    earliest = -(-first // length) * length
    offsets = [*range(-earliest, 0, length), *range(0, periods - first, length)]
    reference = _masks(setting, -length, length)
    times, effects = [], []
    for offset in offsets:
        masks = _masks(setting, offset, length)
        usable: NDArray[np.bool_] = np.logical_and(masks.any(axis=1), reference.any(axis=1))
        if not usable.any():
            continue
        count = int(areas[: len(data.starts)][usable].sum())
        base = EventTime(
            offset=offset,
            first=None if contrast.starts else names[int(np.flatnonzero(masks[0])[0])],
            last=None if contrast.starts else names[int(np.flatnonzero(masks[0])[-1])],
            periods=int(masks.sum(axis=1).max()),
            areas=count,
            thin=count < FEWEST_AREAS,
        )
        if offset == -length:
            times.append(replace(base, value=0.0, reference=True, thin=False))
            effects.append(np.zeros(len(sets.members)))
            continue
        # Before the start nothing is felt, so what is asked of a lead is an effect in that stretch alone.
        here = replace(
            data,
            before=reference & usable[:, None],
            after=masks & usable[:, None],
            felt=masks if offset < 0 else None,
        )
        if is_linear(protocol):
            mean = mean_test(here, sets, setting.cohorts, setting.matches)
            difference = mean_change(mean, sets, confidence=protocol.confidence)
            value, low, high, why = (
                difference.difference,
                difference.low,
                difference.high,
                difference.why_missing,
            )
            effects.append(mean.departure if value is not None else np.full(len(sets.members), np.nan))
        else:
            ratio = roll_out_test(here, sets, setting.cohorts, setting.matches)
            change = roll_out_change(ratio, sets, confidence=protocol.confidence)
            value, low, high, why = change.log_ratio, change.low, change.high, change.why_missing
            effects.append(ratio.effects() if value is not None else np.full(len(sets.members), np.nan))
        times.append(replace(base, value=value, low=low, high=high, why_missing=why))
    kept = tuple(
        at for at, time in enumerate(times) if time.value is not None and not time.reference and not time.thin
    )
    placebo = np.array(effects).T[:, list(kept)]
    placebo = placebo[np.isfinite(placebo).all(axis=1)]
    enough = len(kept) > 0 and len(placebo) >= SETS_A_STRETCH * len(kept)
    study = EventStudy(
        scale="difference" if is_linear(protocol) else "log-ratio",
        unit=unit_of(protocol) if is_linear(protocol) else "log of recorded over expected",
        times=tuple(times),
        reference=_reference(protocol, length),
        inference=f"relabelling: {sets.how}",
        pretrend=PreTrend(why_missing="not tested"),
        confidence=protocol.confidence,
    )
    return Studied(
        study=study,
        kept=kept,
        placebo=placebo,
        covariance=np.atleast_2d(np.cov(placebo, rowvar=False)) if enough else None,
    )


def joint_p_value(observed: Floats, placebo: Floats, smallest_p: float) -> float:
    """How far the leads stand from zero together, ranked among what the placebo sets do.

    The distance is Mahalanobis, with the covariance of the placebo sets.

    Args:
        observed: The leads.
        placebo: sets × leads.
        smallest_p: The smallest p-value these sets can give.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> joint_p_value(np.array([9.0, 9.0]), rng.normal(size=(999, 2)), 0.001)
        0.001
    """
    weight = np.linalg.pinv(np.atleast_2d(np.cov(placebo, rowvar=False)))

    def distance(values: Floats) -> Floats:
        found: Floats = np.einsum("...i,ij,...j->...", values, weight, values)
        return found

    as_far = int((distance(placebo) >= float(distance(observed)) * (1 - 1e-9)).sum())
    return max((1 + as_far) / (1 + len(placebo)), smallest_p)


def _masks(setting: Setting, offset: int, length: int) -> NDArray[np.bool_]:
    """Cohorts × periods: the stretch that begins so many periods from each cohort's start.

    A stretch at either end of the data may be shorter, down to half.
    """
    periods = np.arange(setting.data.counts.shape[1])
    first = setting.data.starts[:, None] + offset
    masks: NDArray[np.bool_] = (periods >= first) & (periods < first + length)
    found: NDArray[np.bool_] = masks & (2 * masks.sum(axis=1, keepdims=True) >= length)
    return found


def _names(panel: Panel, windowed: Windowed) -> list[str]:
    assert windowed.before_mask is not None
    assert windowed.after_mask is not None
    return [panel.periods[at] for at in np.flatnonzero(windowed.before_mask | windowed.after_mask)]


def _reference(protocol: Protocol, length: int) -> str:
    if length == 1:
        return f"the last {protocol.period} before the start"
    return f"the last {length} {protocol.period}s before the start"
