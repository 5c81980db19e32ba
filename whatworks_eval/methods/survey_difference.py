"""The change in a share of survey respondents, in percentage points: treated less comparison.

With T and C the shares of the treated and the comparison areas, each pooled over areas and periods by base
(every area alike where bases are not known), before (0) and after (1), the effect is (T1 - T0) - (C1 - C0).

Two things blur it: whom the survey happened to ask, and that opinion in any one area drifts for reasons
of its own. The sampling error follows from bases and a design effect, or from published intervals; it knows
nothing of drift. Relabelling areas holds both, but needs many areas. Where both can be had, the wider is the
registered interval. Source of the variance of a share: d × p (1 - p) / n, d the design effect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.inference.placebo_sets import DRAWS
from whatworks_eval.inference.relabelling import sets_for
from whatworks_eval.methods.result import (
    Effect,
    centroids_of,
    normal_p,
    normal_quantile,
    normal_quantiles,
)
from whatworks_eval.methods.survey_shares import Floats, Mask, Shares, how_sampled, shares_of
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Arm, Contrast, Estimate, PlaceboSets, Windowed

MEASURE = "difference in differences of shares"
ALONE = "change in the share, unadjusted"
POINTS = "percentage points"
RATIO = "ratio of the two changes in share"
NO_BASES = "how many people were asked is not known for every area and period, so there is no sampling error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """A difference between two sets of periods, as a share (0.03 = 3 points).

    Attributes:
        value: Treated less comparison; the treated alone where there is no comparison.
        low: Lower end of its interval by relabelling; None where there is none.
        high: Upper end.
        p_value: By relabelling, of no difference.
        se: Sampling error; None where bases are not known.
        arms: Arm, then its share in the first and the second set of periods.
        why_open: Why there is no interval by relabelling.
    """

    value: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    se: float | None = None
    arms: dict[Arm, tuple[float, float]]
    why_open: str | None = None


def estimate(protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed) -> Effect:
    """The change in the share with its interval, for methods 'relative-effect' and 'before-after'.

    Raises:
        CannotEstimate: Where the method compares and there is no comparison.
    """
    if protocol.method == "before-after":
        return _alone(protocol, panel, windowed)
    return from_panel(protocol, panel, contrast, windowed)


def from_panel(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, *, draws: int = DRAWS
) -> Effect:
    """The difference in differences of shares, with the wider of two intervals.

    Calibration runs through this function, as `evaluate` does.
    """
    if not windowed.has("comparison"):
        raise CannotEstimate(
            "method 'relative-effect' needs comparison areas and there are none: "
            "declare areas.comparison, or use method 'before-after'"
        )
    sets = sets_for(contrast, windowed, centroids_of(panel, windowed), seed=protocol.seed, draws=draws)
    assert windowed.before_mask is not None
    assert windowed.after_mask is not None
    found = points_between(
        protocol, panel, windowed, windowed.before_mask, windowed.after_mask, sets=_unmatched(contrast, sets)
    )
    sampling = _sampling(found, protocol, panel)
    relabelled = _relabelled(found, protocol, sets)
    chosen, other = relabelled, sampling
    if relabelled.low is None or (sampling.low is not None and _width(sampling) > _width(relabelled)):
        chosen, other = sampling, relabelled
    if chosen.low is None:
        chosen = replace(chosen, inference="none", why_missing=f"{NO_BASES}, and {found.why_open}")
    alternatives = (replace(other, choice="inference"),) if other.low is not None else ()
    return Effect(
        estimate=replace(chosen, label="registered", choice=None),
        alternatives=(*alternatives, _ratio(found, protocol, panel, windowed)),
        sets=sets,
    )


def points_between(
    protocol: Protocol,
    panel: Panel,
    windowed: Windowed,
    first: Mask,
    second: Mask,
    *,
    sets: PlaceboSets | None,
    confidence: float | None = None,
) -> Points:
    """The difference between any two sets of periods, for the same areas and placebo sets.

    Args:
        protocol: For the confidence and the design effect.
        panel: Shares.
        windowed: The areas, arms and weights.
        first: Over the panel's periods.
        second: The same.
        sets: Placebo sets; None for no relabelling.
        confidence: Of the interval; None = the protocol's.
    """
    confidence = protocol.confidence if confidence is None else confidence
    before, after = (shares_of(protocol, panel, windowed, mask) for mask in (first, second))
    arms: dict[Arm, tuple[float, float]] = {}
    variance = 0.0
    for arm in ("treated", "comparison"):
        inside = windowed.arm == arm
        if not inside.any():
            continue
        ends = []
        for window in (before, after):
            part = (window.mass * windowed.weight)[inside]
            part = part / part.sum()
            ends.append(float(part @ window.value[inside]))
            variance += float(part**2 @ window.variance[inside])
        arms["treated" if arm == "treated" else "comparison"] = (ends[0], ends[1])
    value = arms["treated"][1] - arms["treated"][0]
    if "comparison" in arms:
        value -= arms["comparison"][1] - arms["comparison"][0]
    made = Points(value=value, arms=arms, se=math.sqrt(variance) if math.isfinite(variance) else None)
    if sets is None or "comparison" not in arms:
        return replace(made, why_open="a matched comparison is not relabelled")
    if not len(sets.members):
        return replace(made, why_open="no set of areas like the treated could be drawn to relabel")
    if sets.smallest_p > 1 - confidence + 1e-12:
        return replace(
            made,
            why_open=f"there are too few areas to relabel for a {100 * confidence:g} % interval (the "
            "smallest "
            f"p-value they can give is {sets.smallest_p:.2g})",
        )
    return _invert(made, before, after, sets, confidence)


def _invert(made: Points, before: Shares, after: Shares, sets: PlaceboSets, confidence: float) -> Points:
    """The interval of shifts that relabelling does not reject.

    Taking a shift d out of the treated areas moves the statistic of a set by d times b, the share of its
    respondents who live in treated areas less that of the rest. A set is at least as far out as the
    treated one for every d between (a - t) / (b - 1) and (t + a) / (1 + b), with t the observed and a
    the set's own difference: so the ends are order statistics, with no search.
    """
    inside = sets.row >= 0
    row = sets.row[inside]
    treated = np.zeros(sets.rows)
    treated[sets.treated] = 1.0

    def by_row(values: Floats) -> Floats:
        return np.bincount(row, weights=values[inside], minlength=sets.rows).astype(float)

    parts = np.column_stack(
        [
            by_row(before.mass * before.value),
            by_row(before.mass),
            by_row(after.mass * after.value),
            by_row(after.mass),
            by_row(after.mass) * treated,
        ]
    )
    whole = parts.sum(axis=0)

    def statistic(sums: Floats) -> tuple[Floats, Floats]:
        rest = whole - sums
        change = sums[..., 2] / sums[..., 3] - sums[..., 0] / sums[..., 1]
        change = change - (rest[..., 2] / rest[..., 3] - rest[..., 0] / rest[..., 1])
        return change, sums[..., 4] / sums[..., 3] - rest[..., 4] / rest[..., 3]

    effects, overlap = statistic(parts[sets.members].sum(axis=1))
    t = float(statistic(parts[sets.treated].sum(axis=0))[0])
    own = overlap > 1 - 1e-9  # the treated set itself: never further out, never less far
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (t - effects) / (1 - overlap), (t + effects) / (1 + overlap)
    low = np.sort(np.where(own, -np.inf, np.minimum(one, other)))
    high = np.sort(np.where(own, np.inf, np.maximum(one, other)))[::-1]
    total = len(effects) + (0 if sets.exact else 1)
    # A shift is kept while more than alpha of the sets, the treated one included, are as far out as it.
    spare = math.floor((1 - confidence) * total + 1e-9) - (0 if sets.exact else 1)
    ends = (float(low[spare]), float(high[spare])) if spare >= 0 else (-math.inf, math.inf)
    as_far = int((np.abs(effects) >= abs(t) * (1 - 1e-9) - 1e-15).sum())
    p_value = max(as_far, 1) / total if sets.exact else (1 + as_far) / total
    if not all(map(math.isfinite, ends)):
        return replace(made, why_open="the placebo sets leave an end of the interval open", p_value=p_value)
    if ends[1] - ends[0] < 1e-12:
        return replace(made, why_open="every area moved alike, so there is nothing to relabel by")
    # The pooled statistic of the relabelling takes in areas of neither arm, so the interval is moved onto
    # the estimate where the two differ; they are the same in every design without a pool.
    moved = made.value - t
    return replace(made, low=ends[0] + moved, high=ends[1] + moved, p_value=p_value)


def _unmatched(contrast: Contrast, sets: PlaceboSets) -> PlaceboSets | None:
    return sets if contrast.weights is None else None


def _width(made: Estimate) -> float:
    assert made.low is not None
    assert made.high is not None
    return made.high - made.low


def _sampling(found: Points, protocol: Protocol, panel: Panel, measure: str = MEASURE) -> Estimate:
    se = found.se
    made = Estimate(
        measure=measure,
        scale="difference",
        unit=POINTS,
        value=100 * found.value,
        confidence=protocol.confidence,
        inference=f"{how_sampled(protocol, panel)}; leaves out how opinion drifts from area to area",
        label="sampling error alone",
    )
    if se is None or se <= 0:
        return replace(made, inference="none", why_missing=NO_BASES)
    half = 100 * normal_quantile(protocol.confidence) * se
    return replace(
        made,
        se=100 * se,
        low=100 * found.value - half,
        high=100 * found.value + half,
        p_value=normal_p(found.value, se),
        quantiles=normal_quantiles(100 * found.value, 100 * se),
    )


def _relabelled(found: Points, protocol: Protocol, sets: PlaceboSets) -> Estimate:
    made = Estimate(
        measure=MEASURE,
        scale="difference",
        unit=POINTS,
        value=100 * found.value,
        confidence=protocol.confidence,
        inference=f"relabelling: {sets.how}",
        label="relabelling of areas",
    )
    if found.low is None or found.high is None:
        return replace(made, inference="none", why_missing=found.why_open)
    # Half a normal on either side of the value, each to its own end: the interval may be lopsided.
    below, above = (
        abs(end - found.value) / normal_quantile(protocol.confidence) for end in (found.low, found.high)
    )
    return replace(
        made,
        low=100 * found.low,
        high=100 * found.high,
        p_value=found.p_value,
        smallest_p=sets.smallest_p,
        quantiles=tuple(
            100 * (found.value + place * (below if place < 0 else above))
            for place in normal_quantiles(0.0, 1.0)
        ),
    )


def _ratio(found: Points, protocol: Protocol, panel: Panel, windowed: Windowed) -> Estimate:
    """The same four shares as a ratio of ratios: a percentage of the share, not points."""
    made = Estimate(
        measure=RATIO,
        unit="log of share over expected share",
        confidence=protocol.confidence,
        inference=f"{how_sampled(protocol, panel)}; leaves out how opinion drifts from area to area",
        label="percent of the share, not points",
        choice="effect measure",
    )
    shares = [end for ends in found.arms.values() for end in ends]
    if min(shares) <= 0:
        return replace(made, inference="none", why_missing="a share is zero, so there is no ratio")
    first, last = found.arms["treated"]
    value = math.log(last / first)
    if "comparison" in found.arms:
        value -= math.log(found.arms["comparison"][1] / found.arms["comparison"][0])
    made = replace(made, value=value)
    variance = _log_variance(found, protocol, panel, windowed)
    if variance is None:
        return replace(
            made, inference="none", why_missing=f"{NO_BASES}; the interval by relabelling is in points"
        )
    se = math.sqrt(variance)
    half = normal_quantile(protocol.confidence) * se
    return replace(
        made,
        se=se,
        low=value - half,
        high=value + half,
        p_value=normal_p(value, se),
        quantiles=normal_quantiles(value, se),
    )


def _log_variance(found: Points, protocol: Protocol, panel: Panel, windowed: Windowed) -> float | None:
    """Variance of the log ratio of ratios: each arm's over its squared share."""
    if found.se is None or windowed.before_mask is None or windowed.after_mask is None:
        return None
    total = 0.0
    for place, mask in enumerate((windowed.before_mask, windowed.after_mask)):
        window = shares_of(protocol, panel, windowed, mask)
        for arm, ends in found.arms.items():
            inside = windowed.arm == arm
            part = (window.mass * windowed.weight)[inside]
            part = part / part.sum()
            total += float(part**2 @ window.variance[inside]) / ends[place] ** 2
    return total


def _alone(protocol: Protocol, panel: Panel, windowed: Windowed) -> Effect:
    """The change in the treated areas alone."""
    assert windowed.before_mask is not None
    assert windowed.after_mask is not None
    found = points_between(protocol, panel, windowed, windowed.before_mask, windowed.after_mask, sets=None)
    found = replace(
        found,
        value=found.arms["treated"][1] - found.arms["treated"][0],
        arms={"treated": found.arms["treated"]},
    )
    made = _sampling(found, protocol, panel, ALONE)
    if made.low is not None:
        made = replace(
            made, inference=f"{how_sampled(protocol, panel)}; leaves out whatever changed everywhere"
        )
    return Effect(
        estimate=replace(made, label="registered", choice=None),
        alternatives=(_ratio(found, protocol, panel, windowed),),
    )
