"""The other effect measures of the field, beside the registered ratio of ratios: never instead of it.

From totals, intervals take the dispersion the protocol assumes. From a panel, the weighted displacement
difference and the buffer have intervals by relabelling, the scaled-control difference and the odds ratio
carry the registered interval over, and what has no calibrated interval has none, with the reason.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from whatworks_eval.effects.counts import Pair, check_counts, count_problems
from whatworks_eval.effects.odds_ratio import as_odds_ratio
from whatworks_eval.effects.scaled_wdd import in_incidents, scaled_wdd
from whatworks_eval.effects.wdd import LABELS, UNIT, Weights, wdd, why_impossible
from whatworks_eval.effects.wdq import gross_effect, net_effect, total_net_effect, wdq
from whatworks_eval.effects.weighting import weights_for
from whatworks_eval.effects.zero_cells import SAID, add_half
from whatworks_eval.inference.additive import additive_change
from whatworks_eval.inference.neighbours import adjoining_pairs, clumps
from whatworks_eval.inference.placebo import relative_change
from whatworks_eval.inference.placebo_sets import fewer
from whatworks_eval.inference.relabelling import matches_of, sets_for
from whatworks_eval.methods.result import Effect, centroids_of
from whatworks_eval.panel import Panel, Totals
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Estimate, PlaceboSets, Windowed

SETS = 1_999  # enough for a measure beside the registered one
IMPOSSIBLE = "refused as impossible: "
BUFFER = "the buffer areas themselves"
NOT_RELABELLED = (
    "this measure has no calibrated interval; judge by those of the ratio of ratios and of the buffer areas "
    "themselves"
)


def with_effect_measures(
    effect: Effect, protocol: Protocol, data: Panel | Totals, contrast: Contrast, windowed: Windowed
) -> Effect:
    """The same effect with every other measure of it among the alternatives.

    Args:
        effect: The ratio of ratios and what came with it.
        protocol: For confidence, seed, area weights and whether a half may be added to zero counts.
        data: Totals or a panel.
        contrast: Who is compared with whom.
        windowed: Counts before and after.
    """
    if isinstance(data, Totals):
        return _beside_totals(effect, protocol, data, windowed)
    return _beside_panel(effect, protocol, data, contrast, windowed)


def _beside_totals(effect: Effect, protocol: Protocol, totals: Totals, windowed: Windowed) -> Effect:
    effect = _half_added(effect, protocol, totals, windowed)
    confidence, dispersion = protocol.confidence, totals.dispersion
    treated, comparison = windowed.total("treated"), windowed.total("comparison")
    arms: dict[str, Pair | None] = {"treated": treated, "comparison": comparison}
    arms |= {"buffer": totals.buffer, "buffer_comparison": totals.buffer_comparison}
    odds = replace(as_odds_ratio(effect.estimate), choice="effect measure")
    if problems := list(count_problems(arms)):
        why = f"these measures are of counts: {problems[0]}"
        refused = _bare(LABELS["local"], why, confidence)
        return replace(effect, alternatives=(*effect.alternatives, refused, odds))
    check_counts(arms, dispersion=dispersion, confidence=confidence)
    both = {"treated": treated, "comparison": comparison}
    assumed = {"dispersion": dispersion, "confidence": confidence}
    weights = weights_for(protocol, windowed)
    local = wdd(**both, weights=weights, **assumed)  # type: ignore[arg-type]
    scaled = scaled_wdd(**both, **assumed)  # type: ignore[arg-type]
    found = [_possible(local, treated, comparison), scaled, odds]
    if totals.buffer is not None:
        three = {**both, "buffer": totals.buffer}
        total = wdd(**three, buffer_comparison=totals.buffer_comparison, weights=weights, **assumed)  # type: ignore[arg-type]
        found += [
            _with_refusal(total, found[0]),
            _buffer_ratio(totals, comparison, confidence),
            wdq(**three, **assumed),  # type: ignore[arg-type]
            gross_effect(treated=treated, periods=windowed.months, **assumed),  # type: ignore[arg-type]
            net_effect(**both, **assumed),  # type: ignore[arg-type]
            total_net_effect(**three, **assumed),  # type: ignore[arg-type]
        ]
    return replace(effect, alternatives=(*effect.alternatives, *found))


def _half_added(effect: Effect, protocol: Protocol, totals: Totals, windowed: Windowed) -> Effect:
    """The registered estimate with a half added to each count, where one is zero and it is asked for."""
    four = (*windowed.total("treated"), *windowed.total("comparison"))
    table = protocol.outcome.totals
    if table is None or not table.add_half or min(four) > 0:
        return effect
    from whatworks_eval.methods.relative_effect import poisson_estimate  # it calls this file

    def halved(estimate: Estimate, dispersion: float) -> Estimate:
        made = poisson_estimate(add_half(four), protocol.confidence, dispersion)
        return replace(
            made,
            recorded=four[1],
            inference=f"{made.inference}; {SAID}",
            label=estimate.label,
            choice=estimate.choice,
        )

    dispersions = {"Poisson interval": 1.0}
    return replace(
        effect,
        estimate=halved(effect.estimate, totals.dispersion),
        alternatives=tuple(
            halved(other, dispersions.get(other.label) or float(other.label.removeprefix("dispersion ")))
            for other in effect.alternatives
            if other.choice == "inference"
        ),
    )


def _possible(
    difference: Estimate, treated: Pair, comparison: Pair, own_expected: float | None = None
) -> Estimate:
    """The difference, or its refusal where no project could have had that effect."""
    by_ratio = treated[0] * comparison[1] / comparison[0] if comparison[0] > 0 else None
    own = difference.expected if own_expected is None else own_expected
    why = why_impossible(difference.value, by_ratio, own)
    if why is None:
        return difference
    return replace(
        difference,
        value=None,
        se=None,
        low=None,
        high=None,
        p_value=None,
        expected=None,
        quantiles=(),
        why_missing=IMPOSSIBLE + why,
    )


def _with_refusal(total: Estimate, local: Estimate) -> Estimate:
    """The total difference, refused where its local part is."""
    if local.why_missing is None or not local.why_missing.startswith(IMPOSSIBLE):
        return total
    return replace(
        local,
        measure=total.measure,
        label=total.label,
        why_missing=f"{local.why_missing}, so its sum with the buffer is refused too",
    )


def _buffer_ratio(totals: Totals, comparison: Pair, confidence: float) -> Estimate:
    """The ratio of ratios of the buffer, with the assumed dispersion."""
    from whatworks_eval.methods.relative_effect import poisson_estimate  # it calls this file

    assert totals.buffer is not None
    four = (*totals.buffer, *(totals.buffer_comparison or comparison))
    made = poisson_estimate(four, confidence, totals.dispersion)
    return replace(made, label=BUFFER, choice="displacement")


def _beside_panel(
    effect: Effect, protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed
) -> Effect:
    weights = weights_for(protocol, windowed)
    found = [
        relabelled_wdd(effect, protocol, contrast, windowed, weights),
        in_incidents(effect.estimate),
        as_odds_ratio(effect.estimate),
    ]
    if panel.harm is not None and effect.sets is not None:
        found.append(harm_change(protocol, panel, contrast, windowed, effect.sets))
    if windowed.has("buffer"):
        treated, comparison = windowed.total("treated"), windowed.total("comparison")
        three = {"treated": treated, "comparison": comparison, "buffer": windowed.total("buffer")}
        loose = {"confidence": protocol.confidence, "whole": False}
        bare = [
            _with_refusal(wdd(**three, weights=weights, **loose), found[0]),  # type: ignore[arg-type]
            wdq(**three, **loose),  # type: ignore[arg-type]
            gross_effect(treated=treated, periods=windowed.months, **loose),  # type: ignore[arg-type]
            net_effect(treated=treated, comparison=comparison, **loose),  # type: ignore[arg-type]
            total_net_effect(**three, **loose),  # type: ignore[arg-type]
        ]
        bare = [_without_interval(one) for one in bare]
        bare.insert(1, buffer_change(protocol, panel, contrast, windowed))
        found += bare
    return replace(effect, alternatives=(*effect.alternatives, *found))


def harm_change(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, sets: PlaceboSets
) -> Estimate:
    """The ratio of ratios of harm, with an interval by relabelling the same places.

    Few grave offences carry most of the harm, so its interval is as a rule much wider than that of
    the number of incidents: the places relabelled show how far weighed counts drift anyway. It carries no
    recorded or expected number: those are incidents everywhere else, and these would be units of harm.
    """
    harm = panel.harm
    assert harm is not None
    assert windowed.index is not None
    values = harm.values[windowed.index]
    before = values[:, windowed.before_mask].sum(axis=1)
    after = values[:, windowed.after_mask].sum(axis=1)
    few = fewer(sets, SETS)
    matches = matches_of(contrast, windowed, protocol.matching.per_treated)
    found = relative_change(before, after, few, confidence=protocol.confidence, matches=matches)
    return Estimate(
        measure=f"ratio of ratios of harm ({harm.scheme}, {harm.unit})",
        value=found.log_ratio,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        smallest_p=found.smallest_p,
        confidence=protocol.confidence,
        inference=f"relabelling: {sets.how}",
        why_missing=found.why_missing,
        label=f"weighed by harm ({harm.scheme})",
        choice="effect measure",
    )


def relabelled_wdd(
    effect: Effect, protocol: Protocol, contrast: Contrast, windowed: Windowed, weights: Weights
) -> Estimate:
    """The weighted displacement difference of a panel, areas counting alike, with an interval by relabelling.

    Calibration tables run through this function, as `evaluate` does.
    """
    sets = effect.sets
    if sets is None:
        return _bare(LABELS["local"], "no placebo sets were drawn", protocol.confidence)
    change = additive_change(
        windowed.before,
        windowed.after,
        fewer(sets, SETS),
        scale=1.0 / weights.before,
        confidence=protocol.confidence,
        matches=matches_of(contrast, windowed, protocol.matching.per_treated),
    )
    treated, comparison = windowed.total("treated"), windowed.total("comparison")
    own = None if change.difference is None else treated[1] - change.difference
    made = Estimate(
        measure=LABELS["local"],
        scale="difference",
        unit=UNIT,
        value=change.difference,
        low=change.low,
        high=change.high,
        p_value=change.p_value,
        smallest_p=change.smallest_p,
        confidence=protocol.confidence,
        inference=f"relabelling: {sets.how}",
        recorded=treated[1],
        expected=own,
        why_missing=change.why_missing,
        label=LABELS["local"],
        choice="effect measure",
    )
    return _possible(made, treated, comparison, own)


def buffer_change(protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed) -> Estimate:
    """How the buffer changed against everything in neither treated areas nor buffer, by relabelling.

    The buffer stands where the treated areas stood: sets of as many adjoining areas are relabelled, among
    the comparison areas and any other untreated ones; the treated areas are left out.
    """
    flipped, other = _flipped(panel, contrast, windowed)
    sets = fewer_sets(protocol, panel, flipped, other)
    change = relative_change(other.before, other.after, sets, confidence=protocol.confidence)
    before, after = other.total("treated")
    rest = other.total("comparison")
    return Estimate(
        measure="ratio of ratios",
        value=change.log_ratio,
        low=change.low,
        high=change.high,
        p_value=change.p_value,
        smallest_p=change.smallest_p,
        confidence=protocol.confidence,
        inference=f"relabelling: {sets.how}",
        recorded=after,
        expected=before * rest[1] / rest[0] if rest[0] > 0 else None,
        why_missing=change.why_missing,
        label=BUFFER,
        choice="displacement",
    )


def fewer_sets(protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed) -> PlaceboSets:
    """Placebo sets for a measure beside the registered one."""
    return sets_for(contrast, windowed, centroids_of(panel, windowed), seed=protocol.seed, draws=SETS)


def _flipped(panel: Panel, contrast: Contrast, windowed: Windowed) -> tuple[Contrast, Windowed]:
    """The same areas with the buffer in the place of the treated, and the treated left out."""
    places = centroids_of(panel, windowed)
    members = np.flatnonzero(windowed.arm == "buffer")
    groups = (
        [np.array([at]) for at in members] if places is None else clumps(adjoining_pairs(places), members)
    )
    units = {
        windowed.areas[at]: f"part {number}" for number, group in enumerate(groups, start=1) for at in group
    }
    arm = windowed.arm.astype("<U10")
    arm[windowed.arm == "treated"] = "buffer"
    arm[windowed.arm == "buffer"] = "treated"
    arm[windowed.arm == "pool"] = "comparison"
    flipped = Contrast(
        treated=tuple(windowed.areas[at] for at in members),
        comparison=tuple(
            area for area, name in zip(windowed.areas, arm, strict=True) if name == "comparison"
        ),
        buffer=contrast.treated,
        units=units,
        unit_basis="contiguous",
        comparison_units=False,
        chosen="everything in neither treated areas nor buffer",
    )
    return flipped, replace(windowed, arm=arm, weight=np.ones(len(arm)))


def _without_interval(estimate: Estimate) -> Estimate:
    """A measure of a panel whose textbook interval would be too narrow: the number alone, and why."""
    if estimate.value is None:
        return estimate
    return replace(
        estimate,
        se=None,
        low=None,
        high=None,
        p_value=None,
        quantiles=(),
        inference="none",
        why_missing=NOT_RELABELLED,
    )


def _bare(label: str, why: str, confidence: float) -> Estimate:
    return Estimate(
        measure=label,
        scale="difference",
        unit=UNIT,
        confidence=confidence,
        inference="none",
        why_missing=why,
        label=label,
        choice="effect measure",
    )
