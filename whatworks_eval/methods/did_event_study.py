"""Leads and lags by relabelling: every stretch of periods against the last one before the start.

The same placebo sets serve every stretch, so what they do jointly when nothing was done is known: the test
of all leads together ranks among them, and their covariance is what power and sensitivity are computed from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.mean_change import MeanTest, mean_change, mean_test
from whatworks_eval.inference.placebo_sets import fewer
from whatworks_eval.inference.roll_out_test import RollOutTest, roll_out_change, roll_out_test
from whatworks_eval.methods.did import Setting
from whatworks_eval.methods.did_windows import is_linear, unit_of
from whatworks_eval.methods.result import normal_quantile
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
        covariance: Of the kept stretches, from the placebo sets and the intervals; None with too few sets.
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
    # The first cohort's anticipated periods are in no window; those of later ones lie before their stretches.
    gap = np.where(data.starts > first, protocol.did.anticipation, 0)
    reference = _masks(setting, -length, length, gap)
    times, effects = [], []
    for offset in offsets:
        masks = _masks(setting, offset, length, gap if offset < 0 else 0 * gap)
        usable: NDArray[np.bool_] = np.logical_and(masks.any(axis=1), reference.any(axis=1))
        if not usable.any():
            continue
        count = int(areas[: len(data.starts)][usable].sum())
        base = EventTime(
            offset=offset if offset >= 0 else offset - protocol.did.anticipation,
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
            tested: MeanTest | RollOutTest = mean
        else:
            ratio = roll_out_test(here, sets, setting.cohorts, setting.matches)
            change = roll_out_change(ratio, sets, confidence=protocol.confidence)
            value, low, high, why = change.log_ratio, change.low, change.high, change.why_missing
            tested = ratio
        # A lead is tested against none, so nothing is taken out of it; what was found after the start is not
        # chance, so it is taken out of the sets that hold treated areas.
        taken_out = 0.0 if offset < 0 or value is None else value
        none = np.full(len(sets.members), np.nan)
        effects.append(none if value is None else tested.like_treated(taken_out))
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
        covariance=_covariance(placebo, [times[at] for at in kept], protocol.confidence) if enough else None,
    )


def _covariance(placebo: Floats, times: list[EventTime], confidence: float) -> Floats:
    """Of the stretches: correlations from the placebo sets, errors from each stretch's own interval.

    Sets taken at the effect found follow it where they share areas with the treated, and then vary too
    little; the interval asks at every effect, and does not. Where it is open the sets' own error stands.
    """
    found = about_zero(placebo)
    own = np.sqrt(np.diag(found))
    errors = own.copy()
    for at, time in enumerate(times):
        if time.low is not None and time.high is not None and own[at] > 0:
            errors[at] = (time.high - time.low) / (2 * normal_quantile(confidence))
    scale = errors / np.where(own > 0, own, 1.0)
    scaled: Floats = found * np.outer(scale, scale)
    return scaled


def about_zero(placebo: Floats) -> Floats:
    """Mean squares and products of what placebo sets show, not less their mean.

    Sets of like level share areas with the treated, and one comparison, so they lean the way the treated do:
    about their mean they would vary less than the treated may.

    Args:
        placebo: sets × stretches.

    Example:
        >>> about_zero(np.array([[1.0], [3.0]])).tolist()
        [[5.0]]
    """
    found: Floats = placebo.T @ placebo / len(placebo)
    return found


def joint_p_value(observed: Floats, placebo: Floats, smallest_p: float) -> float:
    """How far the leads stand from zero together, ranked among what the placebo sets do.

    The distance is Mahalanobis, with the covariance of the placebo sets about zero.

    Args:
        observed: The leads.
        placebo: sets × leads.
        smallest_p: The smallest p-value these sets can give.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> joint_p_value(np.array([9.0, 9.0]), rng.normal(size=(999, 2)), 0.001)
        0.001
    """
    weight = np.linalg.pinv(about_zero(placebo))

    def distance(values: Floats) -> Floats:
        found: Floats = np.einsum("...i,ij,...j->...", values, weight, values)
        return found

    as_far = int((distance(placebo) >= float(distance(observed)) * (1 - 1e-9)).sum())
    return max((1 + as_far) / (1 + len(placebo)), smallest_p)


def _masks(setting: Setting, offset: int, length: int, gap: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Cohorts × periods: the stretch that begins so many periods from each cohort's start less its gap.

    A stretch at either end of the data may be shorter, down to half.
    """
    periods = np.arange(setting.data.counts.shape[1])
    first = (setting.data.starts - gap)[:, None] + offset
    masks: NDArray[np.bool_] = (periods >= first) & (periods < first + length)
    found: NDArray[np.bool_] = masks & (2 * masks.sum(axis=1, keepdims=True) >= length)
    return found


def _names(panel: Panel, windowed: Windowed) -> list[str]:
    assert windowed.before_mask is not None
    assert windowed.after_mask is not None
    return [panel.periods[at] for at in np.flatnonzero(windowed.before_mask | windowed.after_mask)]


def _reference(protocol: Protocol, length: int) -> str:
    left_out = protocol.did.anticipation
    since = f"the start and the {left_out} left out ahead of it" if left_out else "the start"
    if length == 1:
        return f"the last {protocol.period} before {since}"
    return f"the last {length} {protocol.period}s before {since}"
