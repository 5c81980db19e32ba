"""Difference-in-differences: area and period effects taken out, and what is left in the treated areas.

    counts, common start    the Poisson estimate is the log ratio of ratios: relative_effect.py, same interval
    counts, staggered       recorded over expected, each cohort against its own untouched periods
    rates                   difference of mean changes, common start or staggered
    numbers that vary       counts adjusted by a fixed-effects Poisson fit, then as above
    dose                    effect of one more unit of dose: did_dose.py

The interval relabels whole units, as everywhere in this package; clustered errors stand beside it.

Source: for the equality of the two-way Poisson estimate and the ratio of ratios on a balanced panel with a
common start, test_vectors B4 (checked in tests/did); for each cohort against its own untouched periods,
Callaway and Sant'Anna (2021), Journal of Econometrics 225(2), and Wooldridge (2023), Econometrics Journal
26(3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.did.separation import one_sided_bound
from whatworks_eval.errors import CannotEstimate
from whatworks_eval.inference.mean_change import MeanChange, mean_change, mean_test
from whatworks_eval.inference.placebo import Relative
from whatworks_eval.inference.placebo_sets import DRAWS
from whatworks_eval.inference.relabelling import matches_of, sets_for
from whatworks_eval.inference.roll_out_test import CohortWindows, arranged, roll_out_change, roll_out_test
from whatworks_eval.matching.level import Matches
from whatworks_eval.methods import relative_effect
from whatworks_eval.methods.did_windows import cohort_of_rows, is_linear, roll_out_of, unit_of
from whatworks_eval.methods.result import Effect, centroids_of
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Data, Estimate, Placebo, PlaceboSets, Windowed

NAME = "did"
STAGGERED = "recorded over expected, each cohort against its own months before"
LINEAR = "difference in mean change"

Four = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """What every estimate of one design shares: drawn and built once.

    Attributes:
        data: Values by area and used period, windows by cohort.
        sets: Placebo sets, arranged so that each keeps the roll-out.
        cohorts: Cohort of each column of `sets.members`.
        matches: The matched comparison of each area; None where nothing was matched.
    """

    data: CohortWindows
    sets: PlaceboSets
    cohorts: NDArray[np.intp]
    matches: Matches | None


def setting_of(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, *, draws: int = DRAWS
) -> Setting:
    """The panel, windows and placebo sets of a design."""
    data = roll_out_of(protocol, panel, contrast, windowed)
    drawn = sets_for(contrast, windowed, centroids_of(panel, windowed), seed=protocol.seed, draws=draws)
    sets, cohorts = arranged(drawn, cohort_of_rows(data, drawn), protocol.seed)
    matches = matches_of(contrast, windowed, protocol.matching.per_treated)
    return Setting(data=data, sets=sets, cohorts=cohorts, matches=matches)


def estimate(protocol: Protocol, data: Data, contrast: Contrast, windowed: Windowed | None) -> Effect:
    """The effect with its interval, from counts by area and period.

    Raises:
        CannotEstimate: There are no counts by area and period, or no comparison.
    """
    if not isinstance(data, Panel) or windowed is None:
        raise CannotEstimate(
            "method 'did' needs counts by area and period; with totals use method 'relative-effect'"
        )
    if not windowed.has("comparison"):
        raise CannotEstimate(
            "method 'did' needs comparison areas that are never treated and there are none: declare "
            "areas.comparison. Where every area starts in the end, name the last to start as the comparison "
            "and end windows.after before they do"
        )
    from whatworks_eval.methods.did_beside import with_everything_beside
    from whatworks_eval.methods.did_series import dose_effect

    if protocol.did.dose is not None:
        return dose_effect(
            protocol, data, contrast, windowed, roll_out_of(protocol, data, contrast, windowed)
        )
    effect = from_panel(protocol, data, contrast, windowed)
    if effect.estimate.value is None and not is_linear(protocol) and not protocol.did.adjust_for:
        four = (*windowed.total("treated"), *windowed.total("comparison"))
        if contrast.starts:
            four = _roll_out_totals(
                effect.estimate, roll_out_of(protocol, data, contrast, windowed), windowed
            )
        effect = _bounded(effect, protocol, windowed, four)
    return with_everything_beside(effect, protocol, data, contrast, windowed)


def from_panel(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, *, draws: int = DRAWS
) -> Effect:
    """The registered estimate alone: what the calibration tables and the alternatives run through."""
    if protocol.did.adjust_for and not contrast.starts:
        return _adjusted(protocol, panel, contrast, windowed, draws)
    if is_linear(protocol):
        return _linear(protocol, setting_of(protocol, panel, contrast, windowed, draws=draws))
    if contrast.starts:
        return _staggered(protocol, setting_of(protocol, panel, contrast, windowed, draws=draws))
    return relative_effect.from_panel(protocol, panel, contrast, windowed, draws=draws)


def _adjusted(protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, draws: int) -> Effect:
    """The fitted coefficient: the ratio of the adjusted counts, with the interval placebo sets give them."""
    from whatworks_eval.methods.did_series import adjusted, named_adjusted

    setting = setting_of(protocol, panel, contrast, windowed, draws=draws)
    _, own, data = adjusted(protocol, panel, windowed, setting.data)
    if is_linear(protocol):
        effect = _linear(protocol, replace(setting, data=data))
    else:
        found = relative_effect.relative_over(
            protocol, contrast, windowed, setting.sets, own.before, own.after, quantiles=True
        )
        four = (*own.total("treated"), *own.total("comparison"))
        effect = Effect(
            estimate=relative_effect.as_estimate(found, four, protocol.confidence, setting.sets.how),
            sets=setting.sets,
            placebo=placebo_of(found.log_ratio, found.effects, setting.sets),
        )
    estimate = effect.estimate
    if not is_linear(protocol):  # from the counts at hand: `windowed` has others for the untouched offences
        counts = setting.data.counts[:, setting.data.starts[0] :].sum(axis=1)
        recorded = float((windowed.weight * (windowed.arm == "treated")) @ counts)
        estimate = replace(estimate, recorded=recorded)
    return replace(effect, estimate=named_adjusted(estimate, protocol.did.adjust_for))


def _roll_out_totals(estimate: Estimate, data: CohortWindows, windowed: Windowed) -> Four:
    """Treated before and after their starts, and the smallest comparison, moved as was expected.

    Cohorts share their comparison over windows of unlike length; the smallest is taken for all, which can
    only widen a bound.
    """
    own = np.searchsorted(data.starts, data.start)
    others = (windowed.arm == "comparison") * windowed.weight
    before = after = 0.0
    fewest = [np.inf, np.inf]
    for cohort in range(len(data.starts)):
        mine = (windowed.arm == "treated") & (own == cohort)
        windows = data.before[cohort], data.after[cohort]
        first, second = (float(data.counts[mine][:, window].sum()) for window in windows)
        before, after = before + first, after + second
        for at, window in enumerate(windows):
            fewest[at] = min(fewest[at], float(others @ data.counts[:, window].sum(axis=1)))
    if not before or not estimate.expected:
        return before, after, fewest[0], fewest[1]
    ratio = estimate.expected / before
    shared = min(fewest[0], fewest[1] / ratio)
    return before, after, shared, shared * ratio


def _bounded(effect: Effect, protocol: Protocol, windowed: Windowed, four: Four) -> Effect:
    """The same, with the one end that is left where an arm recorded nothing in a window: never a number."""
    dispersion = _dispersion(windowed)
    bound = one_sided_bound(four, confidence=0.5 + protocol.confidence / 2, dispersion=dispersion)
    if bound.log_ratio is None:
        return effect
    end = {"high" if bound.side == "at most" else "low": bound.log_ratio}
    assumed = f"an exact bound with counts varying {bound.dispersion:.1f} times as much as chance alone gives"
    return replace(effect, estimate=replace(effect.estimate, **end, inference=assumed))  # type: ignore[arg-type]


def _dispersion(windowed: Windowed) -> float:
    """How much more the comparison areas' changes vary than chance alone gives; at least 1."""
    mine = windowed.arm == "comparison"
    before, after = windowed.before[mine], windowed.after[mine]
    known = before + after > 0
    if known.sum() < 2 or before.sum() <= 0 or after.sum() <= 0:
        return 1.0
    ratio = after.sum() / before.sum()
    squares = (after[known] - ratio * before[known]) ** 2 / (ratio * (before[known] + after[known]))
    return max(1.0, float(squares.sum() / (known.sum() - 1)))


def _staggered(protocol: Protocol, setting: Setting) -> Effect:
    """The count version: incidents recorded after each area's start over those expected there."""
    test = roll_out_test(setting.data, setting.sets, setting.cohorts, setting.matches)
    found = roll_out_change(test, setting.sets, confidence=protocol.confidence, quantiles=True)
    recorded, expected = test.recorded_and_expected(test.observed, test.observed_others)
    registered = ratio_estimate(found, float(recorded), float(expected), protocol, setting.sets)
    return Effect(
        estimate=registered,
        sets=setting.sets,
        placebo=placebo_of(found.log_ratio, found.effects, setting.sets),
    )


def _linear(protocol: Protocol, setting: Setting) -> Effect:
    """The linear version: difference of mean changes."""
    test = mean_test(setting.data, setting.sets, setting.cohorts, setting.matches)
    found = mean_change(test, setting.sets, confidence=protocol.confidence, quantiles=True)
    return Effect(
        estimate=mean_estimate(found, protocol, setting.sets),
        sets=setting.sets,
        placebo=None,
    )


def ratio_estimate(
    found: Relative, recorded: float, expected: float, protocol: Protocol, sets: PlaceboSets
) -> Estimate:
    """The Estimate behind a change over all cohorts."""
    return Estimate(
        measure=STAGGERED,
        value=found.log_ratio,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        smallest_p=found.smallest_p,
        confidence=protocol.confidence,
        inference=f"relabelling the roll-out: {sets.how}",
        recorded=recorded,
        expected=expected if np.isfinite(expected) else None,
        quantiles=found.quantiles,
        why_missing=found.why_missing,
    )


def mean_estimate(found: MeanChange, protocol: Protocol, sets: PlaceboSets) -> Estimate:
    """The Estimate behind a difference in mean change."""
    return Estimate(
        measure=LINEAR,
        scale="difference",
        unit=unit_of(protocol),
        value=found.difference,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        smallest_p=found.smallest_p,
        confidence=protocol.confidence,
        inference=f"relabelling: {sets.how}",
        quantiles=found.quantiles,
        why_missing=found.why_missing,
    )


def placebo_of(observed: float | None, effects: NDArray[np.float64], sets: PlaceboSets) -> Placebo:
    """The effects of the placebo sets, for the report."""
    return Placebo(effects=effects, observed=observed, sets=len(sets.members), exact=sets.exact, how=sets.how)


def against(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, *, draws: int
) -> Estimate:
    """The estimate against another comparison set, for the alternatives."""
    return from_panel(protocol, panel, contrast, windowed, draws=draws).estimate
