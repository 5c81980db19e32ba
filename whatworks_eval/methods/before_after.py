"""Before and after in the treated areas alone: never above level 2.

The ratio of the after rate to the before rate. Its interval is what untreated neighbourhoods of like size
moved by, apart from the change they all shared: it leaves out whatever changed everywhere, which is why
a narrow interval here says nothing about cause. Year-on-year dispersion of neighbourhoods of about
ten LSOAs is near 4 on real counts, though their monthly dispersion is below 2; where no untreated areas are
at hand, 4 is assumed.
"""

from __future__ import annotations

import math

import numpy as np

from whatworks_eval.inference.placebo_sets import DRAWS
from whatworks_eval.inference.relabelling import sets_for
from whatworks_eval.methods import published_points, survey_difference
from whatworks_eval.methods.relative_effect import relative_over
from whatworks_eval.methods.result import (
    Effect,
    centroids_of,
    half_width,
    normal_p,
    normal_quantile,
    normal_quantiles,
    rank_p,
)
from whatworks_eval.panel import Changes, Panel, Totals
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Data, Estimate, Placebo, Windowed

MEASURE = "ratio of after to before, unadjusted"
ASSUMED_DISPERSION = 4.0
LEAVES_OUT = "leaves out whatever changed everywhere"
FEWEST_EFFECTS = 40  # placebo sets with counts, for a 95 % spread read off them


def estimate(protocol: Protocol, data: Data, contrast: Contrast, windowed: Windowed | None) -> Effect:
    """The unadjusted change in the treated areas, with the interval of like-sized untreated places."""
    if isinstance(data, Changes):
        if data.unit != "percent":
            return published_points.from_changes(protocol, data)
        return _from_changes(data, protocol.confidence)
    assert windowed is not None
    if isinstance(data, Panel) and protocol.outcome.kind == "proportion":
        return survey_difference.estimate(protocol, data, contrast, windowed)
    before, after = windowed.total("treated")
    expected = before * windowed.months[1] / windowed.months[0]
    if before <= 0 or after <= 0:
        window = "before" if before <= 0 else "after"
        missing = Estimate(
            measure=MEASURE,
            confidence=protocol.confidence,
            inference="none",
            recorded=after,
            expected=expected,
            why_missing=f"no incident was recorded in the treated areas in the {window} window, "
            "so a ratio cannot be formed",
        )
        return Effect(estimate=missing)
    value = math.log(after / expected)
    if isinstance(data, Panel) and len(contrast.comparison) + len(contrast.pool) > 0:
        return _among_untreated(protocol, data, contrast, windowed, value, expected)
    dispersion = data.dispersion if isinstance(data, Totals) else ASSUMED_DISPERSION
    return Effect(estimate=_assumed(value, before, after, expected, dispersion, protocol.confidence))


def _assumed(
    value: float, before: float, after: float, expected: float, dispersion: float, confidence: float
) -> Estimate:
    se = math.sqrt(dispersion * (1 / before + 1 / after))
    half = normal_quantile(confidence) * se
    return Estimate(
        measure=MEASURE,
        value=value,
        se=se,
        low=value - half,
        high=value + half,
        p_value=normal_p(value, se),
        confidence=confidence,
        inference=f"assumed dispersion {dispersion:g}; {LEAVES_OUT}",
        recorded=after,
        expected=expected,
        quantiles=normal_quantiles(value, se),
    )


def _among_untreated(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, value: float, expected: float
) -> Effect:
    """The interval from how far like places moved apart from the common change."""
    sets = sets_for(contrast, windowed, centroids_of(panel, windowed), seed=protocol.seed, draws=DRAWS)
    found = relative_over(protocol, contrast, windowed, sets, windowed.before, windowed.after)
    before, after = windowed.total("treated")
    size = np.abs(found.effects)
    half = half_width(size, 1 - protocol.confidence, exact=sets.exact)
    few = len(size) < FEWEST_EFFECTS or sets.smallest_p > 1 - protocol.confidence + 1e-12
    if few or not math.isfinite(half):
        return Effect(
            estimate=_assumed(value, before, after, expected, ASSUMED_DISPERSION, protocol.confidence)
        )
    se = half / normal_quantile(protocol.confidence)
    registered = Estimate(
        measure=MEASURE,
        value=value,
        se=se,
        low=value - half,
        high=value + half,
        p_value=max(rank_p(size, value, exact=sets.exact), sets.smallest_p),
        smallest_p=sets.smallest_p,
        confidence=protocol.confidence,
        inference=f"spread of the change in untreated places ({sets.how}); {LEAVES_OUT}",
        recorded=after,
        expected=expected,
        quantiles=normal_quantiles(value, se),
    )
    placebo = Placebo(
        effects=found.effects, observed=value, sets=len(sets.members), exact=sets.exact, how=sets.how
    )
    return Effect(estimate=registered, sets=sets, placebo=placebo)


def _from_changes(changes: Changes, confidence: float) -> Effect:
    return Effect(
        estimate=Estimate(
            measure="published change, unadjusted",
            value=math.log1p(changes.treated / 100),
            confidence=confidence,
            inference="none: only a percentage is published",
            why_missing="only a percentage change is published; an interval needs the counts behind it",
        )
    )
