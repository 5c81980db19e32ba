"""The same question with another good match, and with the match adjusted for what it left unlike.

Which of several sound ways of matching is taken is a choice nobody can defend to the last decimal. Each
other way is tried with few draws, or for its value alone where the pool is large, so that an evaluation
stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.did.poisson_fit import fit_poisson
from whatworks_eval.errors import CannotEstimate, DataError, ProtocolError
from whatworks_eval.inference.placebo_sets import fewer
from whatworks_eval.matched import by_features
from whatworks_eval.matching.deprivation import deprivation_covariate
from whatworks_eval.matching.features import (
    FEWEST_FOR_TREND,
    LEVEL,
    RESIDENTS,
    TREND,
    features_of,
    in_words,
    until_start,
)
from whatworks_eval.methods import did, interrupted_time_series, survey_difference, synthetic
from whatworks_eval.methods.did_series import named_adjusted
from whatworks_eval.methods.did_windows import is_linear, unit_of
from whatworks_eval.methods.relative_effect import MEASURE, as_estimate, relative_over
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.protocol_tables import Matching
from whatworks_eval.records import Contrast, Estimate, PlaceboSets, Windowed
from whatworks_eval.windows import build_windowed

CHOICE = "match"
ADJUSTED = "adjustment"
DRAWS = 199  # enough to see on which side of zero an interval lies
LARGE_POOL = 5_000  # areas to choose from, beyond which only the value is worked out
Again = Callable[[Contrast, Windowed, int], Estimate]
"""The registered estimate for another contrast, with so many draws; the value alone where that is 0."""


def other_matches(protocol: Protocol, panel: Panel, contrast: Contrast, again: Again) -> Iterator[Estimate]:
    """The effect under every other good way of matching the same areas.

    One that cannot be computed is an Estimate without a value that says why.

    Args:
        protocol: The declared design.
        panel: Counts by area and period.
        contrast: Who is compared with whom.
        again: The estimate for another contrast.
    """
    if protocol.areas is None or protocol.areas.comparison != "matched" or contrast.weights is None:
        return
    wide = replace(contrast, treated=tuple(sorted({*contrast.treated, *contrast.unmatched})), unmatched={})
    draws = DRAWS if len(contrast.comparison) + len(contrast.pool) <= LARGE_POOL else 0
    for label, matching in ways_of(protocol.matching, panel).items():
        try:
            other = by_features(panel, wide, protocol, matching)
            windowed = build_windowed(protocol, panel, other)
            assert windowed is not None
            found = again(other, windowed, draws)
            left_out = f" ({len(other.unmatched)} treated left out)" if other.unmatched else ""
        except (CannotEstimate, DataError, ProtocolError) as problem:
            found = without_value(protocol, contrast, "; ".join(problem.problems))
            left_out = ""
        yield replace(found, label=f"{label}{left_out}", choice=CHOICE)


def without_value(protocol: Protocol, contrast: Contrast, why: str) -> Estimate:
    """An answer that could not be had, with the measure, scale and unit the registered one is in, and why."""
    blank = Estimate(measure=MEASURE, confidence=protocol.confidence, inference="none", why_missing=why)
    if protocol.outcome.kind == "proportion":
        return replace(
            blank, measure=survey_difference.MEASURE, scale="difference", unit=survey_difference.POINTS
        )
    if protocol.method == interrupted_time_series.NAME:
        return replace(blank, measure=interrupted_time_series.AGAINST)
    if protocol.method == synthetic.NAME:
        return replace(blank, measure=synthetic.MEASURES[protocol.synthetic.kind])
    if protocol.method != did.NAME:
        return blank
    if is_linear(protocol):
        blank = replace(blank, measure=did.LINEAR, scale="difference", unit=unit_of(protocol))
    elif contrast.starts:
        blank = replace(blank, measure=did.STAGGERED)
    adjusted = bool(protocol.did.adjust_for) and not contrast.starts
    return named_adjusted(blank, protocol.did.adjust_for) if adjusted else blank


def ways_of(chosen: Matching, panel: Panel) -> dict[str, Matching]:
    """Every other good way of matching, by label: each changes one thing of the declared one.

    Example:
        >>> from whatworks_eval.panel import Ledger
        >>> bare = Panel(areas=("a",), periods=("2018-01",), counts=np.ones((1, 1)),
        ...              observed=np.ones((1, 1), dtype=bool), ledger=Ledger())
        >>> list(ways_of(Matching(), bare))[:3]
        ['1 match each', '5 matches each', 'caliper of 0.25 SD']
    """
    if chosen.algorithm == "strata":
        return {}
    ways: dict[str, dict[str, Any]] = {}
    pairs = chosen.algorithm in ("nearest", "optimal")
    plain = {"algorithm": "nearest", "tolerance": None}
    if pairs:
        for each in (1, 5):
            if each != chosen.per_treated:
                ways[f"{each} match{'' if each == 1 else 'es'} each"] = {"per_treated": each}
        for caliper in (0.25, 0.5):
            if caliper != chosen.caliper:
                ways[f"caliper of {caliper:g} SD"] = {"caliper": caliper}
        ways["weights that balance"] = {"algorithm": "entropy", "replacement": None, "caliper": None}
    if chosen.algorithm == "nearest" and chosen.replacement is not False:
        ways["each comparison area once"] = {"replacement": False}
    elif chosen.algorithm == "nearest":
        ways["comparison areas used again"] = {"replacement": None}
    else:
        ways["nearest areas"] = plain
    if chosen.algorithm != "entropy" and len(chosen.on) > 1:
        others = {"mahalanobis": "distance by ranks", "robust": "Mahalanobis distance"}
        other = "robust" if chosen.distance == "mahalanobis" else "mahalanobis"
        ways[others.get(chosen.distance, "Mahalanobis distance")] = {"distance": other}
        if chosen.distance != "propensity":
            ways["propensity score"] = {"distance": "propensity"}
    for name, instead in _other_indices(chosen, panel):
        on = tuple(instead if one == name else one for one in chosen.on)
        ways[f"on {in_words(instead)} instead of {in_words(name)}"] = {"on": on}
    return {label: chosen.model_copy(update=update) for label, update in ways.items()}


def _other_indices(chosen: Matching, panel: Panel) -> list[tuple[str, str]]:
    """A measure of deprivation matched on, and each other one in the data: an edition, one without crime."""
    indices = [name for name in panel.covariates if deprivation_covariate([name])]
    used = [name for name in indices if name in chosen.on]
    return [(used[0], name) for name in indices if name not in chosen.on] if used else []


def adjusted_match(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, sets: PlaceboSets
) -> Iterator[Estimate]:
    """The matched ratio of ratios with what matching left unlike taken out by a regression: doubly robust.

    A Poisson regression of the change on the features is fitted to the untreated areas; every area's after
    count is divided by what its features alone would have made of it, and the matched comparison and its
    relabelling are run on that. Right where either the match or the regression is.

    Source: the bias-corrected matching estimator of Abadie and Imbens (2011), Journal of Business & Economic
    Statistics 29(1), 1-11, on the scale of a ratio.
    """
    if protocol.areas is None or protocol.areas.comparison != "matched" or contrast.weights is None:
        return
    features, names = _features(protocol, panel, windowed)
    label = f"matched, and adjusted for {', '.join(names)} (doubly robust)"
    try:
        factor = _explained(features, windowed)
    except (CannotEstimate, DataError) as problem:
        yield Estimate(
            measure=MEASURE,
            confidence=protocol.confidence,
            inference="none",
            why_missing="; ".join(problem.problems),
            label=label,
            choice=ADJUSTED,
        )
        return
    after = windowed.after / factor
    few = fewer(sets, DRAWS)
    found = relative_over(protocol, contrast, windowed, few, windowed.before, after)
    treated = np.where(windowed.arm == "treated", windowed.weight, 0.0)
    comparison = np.where(windowed.arm == "comparison", windowed.weight, 0.0)
    parts = [float(arm @ counts) for arm in (treated, comparison) for counts in (windowed.before, after)]
    made = as_estimate(found, (parts[0], parts[1], parts[2], parts[3]), protocol.confidence, few.how)
    recorded = windowed.total("treated")[1]
    yield replace(
        made,
        recorded=recorded,
        expected=None if made.value is None else recorded * float(np.exp(-made.value)),
        label=label,
        choice=ADJUSTED,
    )


def _features(protocol: Protocol, panel: Panel, windowed: Windowed) -> tuple[NDArray[np.float64], list[str]]:
    """Areas × features, each less its mean and over its spread: the level, and all that was declared."""
    assert protocol.windows is not None
    first, last = protocol.windows.before
    long = sum(first <= period <= last for period in panel.periods) >= FEWEST_FOR_TREND
    wanted = dict.fromkeys((LEVEL, *protocol.matching.on, *protocol.covariates))
    from_data = {LEVEL: True, TREND: long, RESIDENTS: panel.residents is not None}
    names = [name for name in wanted if from_data.get(name, name in panel.covariates)]
    known = until_start(panel, protocol.intervention.start)
    values = features_of(known, names, (), protocol.windows.before, windowed.areas).values
    middle, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    scaled: NDArray[np.float64] = np.nan_to_num((values - middle) / np.where(spread > 0, spread, 1.0))
    varies = np.flatnonzero(spread > 0)
    return scaled[:, varies], [in_words(names[at]) for at in varies]


def _explained(features: NDArray[np.float64], windowed: Windowed) -> NDArray[np.float64]:
    """What each area's features make of its change, as a factor; fitted to untreated areas alone."""
    untreated = (windowed.arm == "comparison") | (windowed.arm == "pool")
    counts = np.column_stack([windowed.before, windowed.after])[untreated]
    later = np.array([0.0, 1.0])
    columns = {f"x{at}": features[untreated, at][:, None] * later for at in range(features.shape[1])}
    fit = fit_poisson(counts, columns)
    factor: NDArray[np.float64] = np.exp(features @ fit.params)
    return factor
