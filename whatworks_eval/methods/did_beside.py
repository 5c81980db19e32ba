"""What stands beside a difference-in-differences: other estimators, leads and lags, cohorts, sensitivity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.did.comparisons import Comparisons, goodman_bacon
from whatworks_eval.did.separation import find_separation
from whatworks_eval.did.spatial import morans_i
from whatworks_eval.errors import CannotEstimate, DataError
from whatworks_eval.inference.mean_change import mean_change, mean_test
from whatworks_eval.inference.placebo_sets import fewer
from whatworks_eval.inference.roll_out_test import CohortWindows, roll_out_change, roll_out_test
from whatworks_eval.methods.did import Setting, against, setting_of
from whatworks_eval.methods.did_errors import clustered_error, conley, in_arms, wild
from whatworks_eval.methods.did_estimators import rollout_of, staggered_estimators, two_way
from whatworks_eval.methods.did_event_study import SETS_LOOKED_AT, event_study, stretch_of
from whatworks_eval.methods.did_series import adjusted, adjustments
from whatworks_eval.methods.did_trends import sensitivity_of, with_pretrend
from whatworks_eval.methods.did_windows import is_linear, used_periods
from whatworks_eval.methods.effect_measures import with_effect_measures
from whatworks_eval.methods.result import Effect, centroids_of
from whatworks_eval.over_time import (
    Cohort,
    Comparison,
    EventStudy,
    EventTime,
    NoInformation,
    OverTime,
    Sensitivity,
    Shift,
    Spatial,
)
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Estimate, Windowed
from whatworks_eval.windows import declared_mask

MORAN_DRAWS = 499
OTHER_MODEL = "difference in mean change"
DRAWS = 499  # enough to see how much a choice matters


def with_everything_beside(
    effect: Effect,
    protocol: Protocol,
    panel: Panel,
    contrast: Contrast,
    windowed: Windowed,
) -> Effect:
    """The same effect with its alternatives and everything followed through time.

    Where the effect is adjusted, so is all that stands beside it: the clustered fit holds the same columns,
    and leads, lags and placebo starts are of the adjusted counts. Errors and measures that cannot be adjusted
    are left out, since they would be of another effect.

    Args:
        effect: The registered estimate.
        protocol: The declared design.
        panel: Counts by area and period.
        contrast: Who is compared with whom.
        windowed: The areas and periods used.
    """
    setting = setting_of(protocol, panel, contrast, windowed)
    recorded = setting.data
    beside = {} if contrast.starts else adjustments(protocol, panel, windowed)
    made_of = _comparisons(setting, contrast, windowed)
    linear = is_linear(protocol)
    if contrast.starts:
        others = (
            *staggered_estimators(protocol, panel, contrast, windowed, setting.data),
            two_way(protocol, contrast, windowed, setting.data, made_of),
        )
    else:
        others = (clustered_error(protocol, contrast, windowed, setting.data, beside, linear=linear),)
        near = conley(protocol, panel, contrast, windowed, setting.data, linear=linear)
        if beside:
            setting = replace(setting, data=adjusted(protocol, panel, windowed, setting.data)[2])
        elif near is not None:
            others += (near,)
        if linear and not beside:
            others += (wild(protocol, contrast, windowed, setting.data),)
        elif not beside:
            effect = with_effect_measures(effect, protocol, panel, contrast, windowed)
    others += tuple(_other_model(protocol, panel, contrast, windowed))
    studied = event_study(protocol, panel, contrast, windowed, setting)
    study: EventStudy | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    if not isinstance(studied, str):
        study = with_pretrend(studied, setting.sets.smallest_p)
        sensitivity = sensitivity_of(studied, protocol.confidence)
    return replace(
        effect,
        alternatives=(*effect.alternatives, *others),
        over_time=OverTime(
            model="linear" if linear else "poisson",
            event_study=study,
            why_no_event_study=studied if isinstance(studied, str) else None,
            sensitivity=sensitivity,
            cohorts=tuple(_cohorts(protocol, contrast, windowed, setting)) if contrast.starts else (),
            by_calendar=tuple(_by_calendar(protocol, panel, windowed, setting)) if contrast.starts else (),
            comparisons=() if made_of is None else _kinds(made_of),
            shifts=tuple(_shifts(protocol, panel, windowed, setting)),
            spatial=_spatial(panel, windowed, setting.data, protocol.seed),
            no_information=_no_information(windowed, recorded),
            **_composition(protocol, panel, contrast, windowed),
        ),
    )


def _other_model(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed
) -> Iterator[Estimate]:
    """The linear estimate beside the Poisson one, and the other way round for counts."""
    if protocol.outcome.kind != "count":
        return
    linear = is_linear(protocol)
    model = "poisson" if linear else "linear"
    other = protocol.model_copy(update={"did": protocol.did.model_copy(update={"model": model})})
    found = against(other, panel, contrast, windowed, draws=DRAWS)
    label = "ratio of counts" if linear else OTHER_MODEL
    yield replace(found, label=label, choice="model")


def _comparisons(setting: Setting, contrast: Contrast, windowed: Windowed) -> Comparisons | None:
    """The two-way estimate taken apart; None where all start together."""
    if not contrast.starts:
        return None
    try:
        return goodman_bacon(rollout_of(setting.data, contrast, windowed))
    except (CannotEstimate, DataError):
        return None


def _kinds(made_of: Comparisons) -> tuple[Comparison, ...]:
    return tuple(
        Comparison(
            kind=kind.kind,
            weight=kind.weight,
            value=kind.value,
            forbidden=kind.kind.startswith("later against") or "always" in kind.kind,
        )
        for kind in made_of.kinds
    )


def _change(
    protocol: Protocol,
    setting: Setting,
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    felt: NDArray[np.bool_] | None = None,
) -> tuple[float | None, float | None, float | None, float | None, float | None, float | None, str | None]:
    """Value, ends, p-value, recorded and expected, and why missing, for other windows of each cohort."""
    here = replace(setting.data, before=before, after=after, felt=felt)
    sets = fewer(setting.sets, SETS_LOOKED_AT)
    if is_linear(protocol):
        mean = mean_change(
            mean_test(here, sets, setting.cohorts, setting.matches), sets, confidence=protocol.confidence
        )
        return mean.difference, mean.low, mean.high, mean.p_value, None, None, mean.why_missing
    test = roll_out_test(here, sets, setting.cohorts, setting.matches)
    found = roll_out_change(test, sets, confidence=protocol.confidence)
    recorded = expected = None
    if len(test.observed):
        recorded, expected = (
            float(x) for x in test.recorded_and_expected(test.observed, test.observed_others)
        )
    return found.log_ratio, found.low, found.high, found.p_value, recorded, expected, found.why_missing


def _cohorts(
    protocol: Protocol, contrast: Contrast, windowed: Windowed, setting: Setting
) -> Iterator[Cohort]:
    """The effect of each cohort by itself, in order of start."""
    data = setting.data
    own = np.searchsorted(data.starts, data.start)
    for cohort in range(len(data.starts)):
        only = (np.arange(len(data.starts)) == cohort)[:, None]
        value, low, high, _, recorded, expected, why = _change(
            protocol, setting, data.before & only, data.after & only
        )
        inside = [windowed.areas[at] for at in np.flatnonzero((own == cohort) & (windowed.arm == "treated"))]
        yield Cohort(
            start=min(contrast.starts[area] for area in inside),
            areas=len(inside),
            units=len({contrast.units.get(area, area) for area in inside}),
            value=value,
            low=low,
            high=high,
            recorded=recorded,
            expected=None if expected is None or not np.isfinite(expected) else expected,
            why_missing=why,
        )


def _by_calendar(
    protocol: Protocol, panel: Panel, windowed: Windowed, setting: Setting
) -> Iterator[EventTime]:
    """The effect by stretch of calendar time, over the cohorts then treated."""
    data = setting.data
    names = [panel.periods[at] for at in used_periods(windowed)]
    length = stretch_of(protocol, setting)
    own = np.searchsorted(data.starts, data.start)
    for first in range(int(data.starts[0]), data.counts.shape[1], length):
        inside = np.zeros(data.counts.shape[1], dtype=bool)
        inside[first : first + length] = True
        after = data.after & inside[None, :]
        value, low, high, _, _, _, why = _change(protocol, setting, data.before, after)
        last = min(first + length, len(names)) - 1
        started: NDArray[np.bool_] = np.any(after, axis=1)
        yield EventTime(
            offset=first - int(data.starts[0]),
            first=names[first],
            last=names[last],
            periods=last - first + 1,
            value=value,
            low=low,
            high=high,
            areas=int(started[own[windowed.arm == "treated"]].sum()),
            why_missing=why,
        )


def _shifts(protocol: Protocol, panel: Panel, windowed: Windowed, setting: Setting) -> Iterator[Shift]:
    """The effect found at pretended starts, from the months before any area started alone."""
    data = setting.data
    names = [panel.periods[at] for at in used_periods(windowed)]
    first = int(data.starts[0])
    length = stretch_of(protocol, setting)
    periods = np.arange(data.counts.shape[1])
    for pretended in range(first - length, length - 1, -length):
        before = np.tile(periods < pretended, (len(data.starts), 1))
        after = np.tile((periods >= pretended) & (periods < first), (len(data.starts), 1))
        value, low, high, p_value, _, _, _ = _change(protocol, setting, before, after, after)
        yield Shift(start=names[pretended], value=value, low=low, high=high, p_value=p_value)


def _spatial(panel: Panel, windowed: Windowed, data: CohortWindows, seed: int) -> Spatial:
    """Moran's I of each area's own change, arms taken out."""
    places = centroids_of(panel, windowed)
    if places is None:
        return Spatial(why_missing="the data have no centroids")
    inside = in_arms(windowed)
    before, after = windowed.before, windowed.after
    residual = np.zeros(len(before))
    for arm in ("treated", "comparison"):
        mine = windowed.arm == arm
        total = before[mine].sum()
        expected = (before[mine] + after[mine]) * (after[mine].sum() / max(total + after[mine].sum(), 1.0))
        residual[mine] = (after[mine] - expected) / np.sqrt(np.maximum(expected, 0.5))
    found = morans_i(residual[inside], places[inside], draws=MORAN_DRAWS, seed=seed)
    return Spatial(
        moran=found.value, p_value=found.p_value, neighbours=found.neighbours, why_missing=found.why_missing
    )


def _no_information(windowed: Windowed, data: CohortWindows) -> NoInformation:
    """Areas in which nothing was recorded, by arm."""
    inside = np.flatnonzero(in_arms(windowed))
    treated = windowed.arm[inside] == "treated"
    after = np.arange(data.counts.shape[1]) >= data.starts[0]
    found = find_separation(data.counts[inside], treated, after)
    names = np.array(windowed.areas)[inside]
    counts = data.counts[inside]
    started = np.array([counts[at, : data.start[inside[at]]].sum() == 0 for at in range(len(inside))])
    some = counts.sum(axis=1) > 0
    own = data.touched()[inside]
    stopped = not counts[own].any() and bool((counts * ~own)[treated].any())
    return NoInformation(
        treated=tuple(names[found.silent_treated].tolist()),
        comparison=tuple(names[found.silent_comparison].tolist()),
        treated_before=tuple(names[treated & started & some].tolist()),
        suppressed=bool(own.any()) and stopped,
    )


def _composition(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Areas of either arm observed only from, or only up to, some period of the windows."""
    assert protocol.windows is not None
    inside = declared_mask(panel, protocol.windows.before) | declared_mask(panel, protocol.windows.after)
    wanted = {*contrast.treated, *contrast.comparison, *windowed.areas_dropped}
    at = [position for position, area in enumerate(panel.areas) if area in wanted]
    seen = panel.observed[at][:, inside]
    common = seen.any(axis=0)
    seen, names = seen[:, common], np.array(panel.periods)[inside][common]
    entering, leaving = [], []
    for place, row in zip(at, seen, strict=True):
        known = np.flatnonzero(row)
        if not len(known):
            continue
        if known[0] > 0:
            entering.append((panel.areas[place], str(names[known[0]])))
        if known[-1] < len(names) - 1:
            leaving.append((panel.areas[place], str(names[known[-1]])))
    return {"entering": tuple(entering), "leaving": tuple(leaving)}
