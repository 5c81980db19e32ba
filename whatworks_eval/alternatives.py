"""The same question with one choice changed: another comparison set, another baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.alternative_matches import adjusted_match, other_matches, without_value
from whatworks_eval.contrast import adjoining_as_units, level_matched, nearby
from whatworks_eval.errors import CannotEstimate
from whatworks_eval.inference.neighbours import adjoining_pairs
from whatworks_eval.inference.placebo_sets import fewer
from whatworks_eval.matched import on_level_alone
from whatworks_eval.matching.deprivation import deprivation_covariate, same_band
from whatworks_eval.methods import did, interrupted_time_series, survey_difference, synthetic
from whatworks_eval.methods.did_windows import is_linear
from whatworks_eval.methods.relative_effect import (
    Four,
    as_estimate,
    from_panel,
    poisson_estimate,
    relative_over,
)
from whatworks_eval.panel import Panel
from whatworks_eval.periods import months_between
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Estimate, PlaceboSets, Windowed
from whatworks_eval.windows import build_windowed, declared_mask

DRAWS = 499  # enough to see how much a choice matters
UNTOUCHED = "untouched offences"
CLUMPED = "adjoining areas as one unit"
LESS = "less adjoining areas"
VALUE_ALONE = "tried again without areas that adjoin the treated, only the value is worked out"
TOO_MANY = "for another match in so large a pool only the value is worked out"
REGISTERED = {"rest": "every other area", "matched": "level-matched areas"}
Choose = Callable[[Contrast], Contrast]
EARLIER_MONTHS = 12  # whole years only, so that the calendar stays balanced


def alternatives_of(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, sets: PlaceboSets
) -> tuple[Estimate, ...]:
    """The effect under every other comparison set and baseline the data allow.

    One that cannot be computed is an Estimate without a value that says why. The effect of a dose has none:
    it is not a comparison of two arms.
    """
    if protocol.did.dose is not None:
        return ()
    return (
        *other_units(protocol, panel, contrast),
        *comparison_sets(protocol, panel, contrast),
        *baselines(protocol, panel, contrast, windowed, sets),
        *matches(protocol, panel, contrast, windowed, sets),
        *untouched_outcome(protocol, panel, contrast, windowed, sets),
    )


def untouched_outcome(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, sets: PlaceboSets
) -> Iterator[Estimate]:
    """The same estimate of offences that the project should not have touched, where some are named."""
    if panel.untouched is None or protocol.method not in ("relative-effect", did.NAME):
        return
    label = ", ".join(protocol.outcome.untouched or ())
    if _own_estimate(protocol, contrast):
        other = replace(panel, counts=panel.untouched)
        found = did.against(protocol, other, contrast, windowed, draws=DRAWS)
        yield replace(found, label=label, choice=UNTOUCHED)
        return
    assert windowed.index is not None
    assert windowed.before_mask is not None
    assert windowed.after_mask is not None
    values = panel.untouched[windowed.index]
    before, after = (values[:, mask].sum(axis=1) for mask in (windowed.before_mask, windowed.after_mask))
    change = relative_over(protocol, contrast, windowed, sets, before, after)
    treated, comparison = ((windowed.arm == arm) * windowed.weight for arm in ("treated", "comparison"))
    four = (
        float(treated @ before),
        float(treated @ after),
        float(comparison @ before),
        float(comparison @ after),
    )
    yield replace(as_estimate(change, four, protocol.confidence, sets.how), label=label, choice=UNTOUCHED)


def matches(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, sets: PlaceboSets
) -> Iterator[Estimate]:
    """The effect with another good match of the same areas, and with the match adjusted."""
    if protocol.outcome.kind == "proportion" or protocol.method == interrupted_time_series.NAME:
        return

    def again(other: Contrast, over: Windowed, draws: int) -> Estimate:
        if not draws and not _own_estimate(protocol, other):
            four = (*over.total("treated"), *over.total("comparison"))
            return _value_of(four, protocol.confidence, why=TOO_MANY)
        return _again(protocol, panel, other, over, draws=draws or DRAWS)

    yield from other_matches(protocol, panel, contrast, again)
    if not _own_estimate(protocol, contrast):
        yield from adjusted_match(protocol, panel, contrast, windowed, sets)


def other_units(protocol: Protocol, panel: Panel, contrast: Contrast) -> Iterator[Estimate]:
    """The effect with adjoining treated areas as one unit, where the protocol calls each its own."""
    if protocol.outcome.kind == "proportion" or protocol.method == interrupted_time_series.NAME:
        return
    clumped = adjoining_as_units(panel, contrast)
    if clumped is None:
        return
    windowed = build_windowed(protocol, panel, clumped)
    assert windowed is not None
    found = _again(protocol, panel, clumped, windowed)
    yield replace(found, label=CLUMPED, choice="units")


def comparison_sets(protocol: Protocol, panel: Panel, contrast: Contrast) -> Iterator[Estimate]:
    """The effect against every defensible set of comparison areas but the registered one.

    None holds the declared buffer. Where no buffer is declared, each set that holds areas adjoining the
    treated, the registered one first, is tried without them as well: displacement or spill-over lands there.
    """
    assert protocol.areas is not None
    # Who was left out of the treated had the project all the same, and is no comparison.
    had_it = {*contrast.treated, *contrast.unmatched, *contrast.dropped}
    everyone = replace(
        contrast,
        comparison=_but(panel.areas, {*had_it, *contrast.buffer}),
        pool=(),
        weights=None,
        pairs=(),
        matches=None,
        by_lot=False,  # the lot decided among the registered areas, not among these
        blocks={},
    )
    ways = _ways(protocol, panel)
    declared = protocol.areas.comparison
    own = REGISTERED[declared] if isinstance(declared, str) else None
    if declared == "matched" and not on_level_alone(protocol.matching):
        own = None
    beside = set() if contrast.buffer else _adjoining(panel, contrast.treated)
    again: dict[str, Choose] = {}
    if beside & set(contrast.comparison):
        again["as registered"] = ways[own] if own else lambda _: _less(contrast, beside)
    for label, choose in ways.items():
        if label == own:
            continue
        found, other = _against(protocol, panel, choose, everyone)
        yield replace(found, label=label, choice="comparison set")
        if other is not None and beside & set(other.comparison) and found.value is not None:
            again[label] = choose
    less = _less(everyone, beside)
    for label, choose in again.items():
        alone = label != "as registered"
        found, _ = _against(protocol, panel, choose, less, value_alone=alone)
        yield replace(found, label=f"{label}, {LESS}", choice="comparison set")


def _ways(protocol: Protocol, panel: Panel) -> dict[str, Choose]:
    """Every way of choosing a comparison among the areas of a contrast, by label."""
    ways: dict[str, Choose] = {
        "every other area": lambda everyone: everyone,
        "level-matched areas": lambda everyone: level_matched(
            panel, everyone, protocol.matching.per_treated, protocol
        ),
        "nearby areas": lambda everyone: nearby(panel, everyone),
    }
    name = deprivation_covariate(panel.covariates)
    if name is not None:
        ways["same deprivation band"] = lambda everyone: _in_band(protocol, panel, everyone, name)
    return ways


def _in_band(protocol: Protocol, panel: Panel, everyone: Contrast, name: str) -> Contrast:
    """The areas in the deciles of deprivation that the treated areas lie in."""
    treated = np.isin(panel.areas, everyone.treated)
    given = protocol.covariates.get(name)
    same = same_band(
        panel.covariates[name], treated, deciles=given.as_ == "decile" if given else "decile" in name
    )
    inside = {area for area, kept in zip(panel.areas, same, strict=True) if kept}
    band = tuple(area for area in everyone.comparison if area in inside)
    if not band:
        raise CannotEstimate(f"no other area is in a decile of '{name}' that a treated area is in")
    if len(band) == len(everyone.comparison):
        raise CannotEstimate(
            f"the treated areas lie in every decile of '{name}' there is, so this is no other comparison"
        )
    return replace(everyone, comparison=band, chosen=f"areas in the same deciles of '{name}' as the treated")


def _against(
    protocol: Protocol, panel: Panel, choose: Choose, everyone: Contrast, *, value_alone: bool = False
) -> tuple[Estimate, Contrast | None]:
    """The estimate against a set, and the set; without a value, and with the reason, where there is none."""
    try:
        other = choose(everyone)
        if not other.comparison:
            raise CannotEstimate("no comparison area is left")
        windowed = build_windowed(protocol, panel, other)
        assert windowed is not None
        if protocol.outcome.kind == "proportion":
            return survey_difference.from_panel(protocol, panel, other, windowed, draws=DRAWS).estimate, other
        if protocol.method == interrupted_time_series.NAME:
            return interrupted_time_series.against(protocol, panel, other, windowed, draws=DRAWS), other
        if value_alone and not _own_estimate(protocol, other):
            four = (*windowed.total("treated"), *windowed.total("comparison"))
            return _value_of(four, protocol.confidence), other
        return _again(protocol, panel, other, windowed), other
    except CannotEstimate as problem:
        return without_value(protocol, everyone, "; ".join(problem.problems)), None


def _own_estimate(protocol: Protocol, contrast: Contrast) -> bool:
    """Whether the registered estimate is other than the ratio of ratios of two windows."""
    if protocol.method == synthetic.NAME:
        return True
    if protocol.method != did.NAME:
        return False
    return bool(contrast.starts or protocol.did.adjust_for or is_linear(protocol))


def _again(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, *, draws: int = DRAWS
) -> Estimate:
    """The registered estimate for another contrast, with fewer draws."""
    if protocol.method == synthetic.NAME:
        return synthetic.against(protocol, panel, contrast, windowed)
    if _own_estimate(protocol, contrast):
        return did.against(protocol, panel, contrast, windowed, draws=draws)
    return from_panel(protocol, panel, contrast, windowed, draws=draws).estimate


def _value_of(four: Four, confidence: float, why: str = VALUE_ALONE) -> Estimate:
    """The value alone, from treated and comparison counts before and after."""
    found = poisson_estimate(four, confidence)
    return replace(
        found,
        se=None,
        low=None,
        high=None,
        p_value=None,
        quantiles=(),
        inference="none: value alone",
        why_missing=found.why_missing or why,
    )


def _adjoining(panel: Panel, treated: Iterable[str]) -> set[str]:
    """Untreated areas that adjoin a treated one; none where it is not known where areas are."""
    if panel.centroids is None:
        return set()
    inside = np.flatnonzero(np.isin(panel.areas, list(treated)))
    pairs = adjoining_pairs(panel.centroids)
    touching = pairs[np.isin(pairs, inside).any(axis=1)]
    return {panel.areas[at] for at in np.setdiff1d(touching, inside).tolist()}


def _less(contrast: Contrast, beside: set[str]) -> Contrast:
    """The contrast without these areas; where it is matched, their shares go to the other matches."""
    kept = _but(contrast.comparison, beside)
    if contrast.matches is None:
        return replace(contrast, comparison=kept)
    many = len(contrast.treated)
    shares = contrast.matches.for_areas((*contrast.treated, *kept)).shares[:many]
    weights = np.asarray(shares.sum(axis=0)).ravel()[many:]
    return replace(contrast, comparison=kept, weights=dict(zip(kept, weights.tolist(), strict=True)))


def _but(areas: Iterable[str], left_out: set[str]) -> tuple[str, ...]:
    return tuple(area for area in areas if area not in left_out)


def baselines(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, sets: PlaceboSets
) -> Iterator[Estimate]:
    """The effect against a longer and against an earlier baseline, where untouched whole years exist."""
    if protocol.method == interrupted_time_series.NAME or _own_estimate(protocol, contrast):
        return  # an earlier or longer baseline is another trend, or other cohorts' months
    assert protocol.windows is not None
    assert windowed.index is not None
    assert windowed.before_mask is not None
    earlier = np.array([period < protocol.windows.before[0] for period in panel.periods])
    earlier &= panel.observed[windowed.index].all(axis=0)
    declared = declared_mask(panel, protocol.windows.before) & windowed.before_mask
    years = whole_years(panel, earlier)
    if years is None or protocol.outcome.kind == "proportion":
        return
    few = fewer(sets, DRAWS)
    for label, mask in (("longer baseline", years | declared), ("earlier baseline", years)):
        before = panel.counts[np.ix_(windowed.index, np.flatnonzero(mask))].sum(axis=1)
        found = relative_over(protocol, contrast, windowed, few, before, windowed.after)
        treated = (windowed.arm == "treated") * windowed.weight
        comparison = (windowed.arm == "comparison") * windowed.weight
        four = (
            float(treated @ before),
            float(treated @ windowed.after),
            float(comparison @ before),
            float(comparison @ windowed.after),
        )
        estimate = as_estimate(found, four, protocol.confidence, sets.how)
        yield replace(estimate, label=label, choice="window")


def whole_years(panel: Panel, earlier: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The latest whole years among earlier periods, as a mask; None where there is not one whole year."""
    found = np.flatnonzero(earlier)
    if not len(found):
        return None
    months = [months_between(panel.periods[at], panel.periods[at], panel.period) for at in found]
    whole = int(sum(months) + 1e-6) // EARLIER_MONTHS * EARLIER_MONTHS
    if whole == 0:
        return None
    reach = np.cumsum(months[::-1])
    taken = found[::-1][: int(np.searchsorted(reach, whole - 0.02)) + 1]
    mask = np.zeros(len(panel.periods), dtype=bool)
    mask[taken] = True
    return mask
