"""Shares of survey respondents by area and window, and how far whom the survey asked may move them.

Variance of a share p of n people: d × p (1 - p) / n, d the design effect (1 for a simple random sample);
or read back from a published interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.panel import Panel
from whatworks_eval.periods import months_between
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Series, Windowed
from whatworks_eval.survey_keys import DESIGN_EFFECT

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of one window by area.

    Attributes:
        value: Share by area, pooled over the window's periods.
        mass: What an area counts in its arm: respondents, or 1 where bases are not known.
        variance: Sampling variance of `value`; NaN where not known.
        bases: Respondents by area, each counted once though estimates overlap; NaN where not known.
    """

    value: Floats
    mass: Floats
    variance: Floats
    bases: Floats


def shares_of(protocol: Protocol, panel: Panel, windowed: Windowed, mask: Mask) -> Shares:
    """The shares of one window by area, pooled over its periods by base, with their sampling variance.

    Estimates that cover several periods overlap: two that are k periods apart share 1 - k / L of their
    respondents, L the periods each covers, and are that much correlated.
    """
    assert windowed.index is not None
    at = np.flatnonzero(mask)
    values = panel.counts[np.ix_(windowed.index, at)]
    bases = _window(panel.bases, windowed.index, at)
    if bases is not None and not np.isfinite(bases).all():
        bases = None
    part = np.full(values.shape, 1 / len(at)) if bases is None else bases / bases.sum(axis=1, keepdims=True)
    value = (part * values).sum(axis=1)
    nothing = np.full(len(values), np.nan)
    apart = np.abs(at[:, None] - at[None, :])
    shared = np.clip(1 - apart / periods_covered(panel), 0.0, 1.0)
    effective = _effective(protocol, panel, windowed.index, at, bases)
    variance = nothing
    if effective is not None:
        # A share of 0 or 1 is not known without error: half a respondent is added to either side.
        spread = np.clip(values, 0.5 / effective, 1 - 0.5 / effective)
        error = np.sqrt(spread * (1 - spread) / effective)
        variance = np.einsum("it,iu,tu->i", part * error, part * error, shared)
    once = nothing if bases is None else bases.sum(axis=1) * _counted_once(shared)
    mass = np.ones(len(values)) if bases is None else once
    return Shares(value=value, mass=mass, variance=variance, bases=once)


def periods_covered(panel: Panel) -> float:
    """How many periods of the panel each estimate covers; 1 where that is not known."""
    if panel.rolling_months is None:
        return 1.0
    return max(1.0, panel.rolling_months / months_between(panel.periods[0], panel.periods[0], panel.period))


def _counted_once(shared: Floats) -> float:
    """Separate respondents over the sum of bases, for estimates that share some."""
    steps = 1 - np.diag(shared, 1)
    return float((1 + steps.sum()) / len(shared))


def _window(values: Floats | None, index: NDArray[np.intp], at: NDArray[np.intp]) -> Floats | None:
    return None if values is None else values[np.ix_(index, at)]


def _effective(
    protocol: Protocol, panel: Panel, index: NDArray[np.intp], at: NDArray[np.intp], bases: Floats | None
) -> Floats | None:
    """Respondents of a simple random sample as exact: from published intervals, else base / design effect."""
    declared = protocol.outcome.design_effect
    published = _window(panel.effective_bases, index, at)
    if bases is None:
        worked = np.full((len(index), len(at)), np.nan)
    else:
        worked = bases / (DESIGN_EFFECT if declared is None else declared)
    best = (
        worked
        if published is None or declared is not None
        else np.where(np.isfinite(published), published, worked)
    )
    return best if np.isfinite(best).all() else None


def how_sampled(protocol: Protocol, panel: Panel) -> str:
    """Where the sampling error comes from, in a few words."""
    declared = protocol.outcome.design_effect
    if panel.effective_bases is not None and declared is None:
        return "sampling error from the published intervals"
    stated = "as declared" if declared is not None else "assumed"
    return (
        "sampling error from bases, design effect "
        f"{DESIGN_EFFECT if declared is None else declared:g} {stated}"
    )


def series_of_shares(protocol: Protocol, panel: Panel, windowed: Windowed) -> Series:
    """The share by period for each arm in percent, and less its mean over the before window, in points.

    Areas count by base where every base of a period is known, and alike otherwise. A period missing for any
    area of an arm is missing for the arm.
    """
    assert windowed.index is not None
    assert windowed.before_mask is not None
    assert windowed.after_mask is not None
    counts, index = {}, {}
    for arm in ("treated", "comparison", "buffer"):
        inside = windowed.arm == arm
        if not inside.any():
            continue
        values = panel.counts[windowed.index[inside]]
        mass = np.repeat(windowed.weight[inside][:, None], values.shape[1], axis=1)
        if panel.bases is not None:
            bases = panel.bases[windowed.index[inside]]
            mass = np.where(np.isfinite(bases).all(axis=0), mass * bases, mass)
        counts[arm] = 100 * (mass * values).sum(axis=0) / mass.sum(axis=0)
        index[arm] = counts[arm] - float(counts[arm][windowed.before_mask].mean())
    return Series(
        periods=panel.periods,
        counts=counts,
        index=index,
        before=windowed.before_mask,
        after=windowed.after_mask,
        start=protocol.intervention.start,
    )
