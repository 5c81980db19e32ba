"""The same effect by the field's other estimators, beside the registered one: never instead of it.

    common start    the registered ratio with an error clustered by unit
    staggered       Callaway-Sant'Anna (two comparisons), imputation (linear and Poisson), two-way fixed
    effects

An estimator whose error rests on fewer than six units in an arm gives its value alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.did.aggregate import aggregate
from whatworks_eval.did.closed_form import common_start_difference, common_start_ratio
from whatworks_eval.did.clustered import Kind, clustered
from whatworks_eval.did.comparisons import Comparisons
from whatworks_eval.did.fit import Fit
from whatworks_eval.did.group_time import Comparison, Method, group_time
from whatworks_eval.did.imputation import imputation
from whatworks_eval.did.linear_fit import fit_linear
from whatworks_eval.did.poisson_fit import fit_poisson
from whatworks_eval.did.poisson_imputation import poisson_imputation
from whatworks_eval.did.ratio_group_time import ratio_group_time
from whatworks_eval.did.rollout import NEVER, Rollout, rollout
from whatworks_eval.did.spatial import conley_error
from whatworks_eval.did.wild_bootstrap import wild_bootstrap
from whatworks_eval.errors import CannotEstimate, DataError
from whatworks_eval.inference.roll_out_test import CohortWindows
from whatworks_eval.methods.did_windows import unit_of
from whatworks_eval.methods.result import centroids_of, normal_p, normal_quantile
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Estimate, Windowed

FEWEST_UNITS = (
    6  # in the smaller arm, for an interval from a clustered error (DESIGN: below six, placebo units only)
)
MOST_CLUSTERS = 400  # for CR2, whose adjustment grows with the square of their number
PROJECT = "project"
TWO_WAY = "two-way fixed effects"
NEAR_M = 2_000.0  # metres: neighbouring small areas in a town
WILD_DRAWS = 1_999
FEWEST_A_PERIOD = 25
"""Incidents of a cohort: the mean log of Poisson counts of 25 is 2 % low, of 5 it is 11 %."""
ESTIMATOR = "estimator"


def clusters_of(contrast: Contrast, windowed: Windowed) -> NDArray[np.intp]:
    """Code of each used area's unit; an area whose unit is not known is its own."""
    names = [contrast.units.get(area, area) for area in windowed.areas]
    number = {name: at for at, name in enumerate(sorted(set(names)))}
    return np.array([number[name] for name in names], dtype=np.intp)


def in_arms(windowed: Windowed) -> NDArray[np.bool_]:
    """True for treated and comparison areas."""
    found: NDArray[np.bool_] = (windowed.arm == "treated") | (windowed.arm == "comparison")
    return found


def rollout_of(
    data: CohortWindows, contrast: Contrast, windowed: Windowed, covariates: NDArray[np.float64] | None = None
) -> Rollout:
    """The areas of both arms as the staggered estimators take them."""
    inside = in_arms(windowed)
    last = data.counts.shape[1]
    return rollout(
        data.counts[inside],
        np.where(data.start < last, data.start, NEVER)[inside],
        covariates=None if covariates is None else covariates[inside],
        weights=windowed.weight[inside],
        clusters=clusters_of(contrast, windowed)[inside],
    )


def clustered_error(
    protocol: Protocol,
    contrast: Contrast,
    windowed: Windowed,
    data: CohortWindows,
    beside: Mapping[str, NDArray[np.float64]],
    *,
    linear: bool,
) -> Estimate:
    """The two-way fixed-effects coefficient with an error clustered by unit: CR2, or CR1 with many units.

    `beside` holds what the effect is adjusted for, areas × used periods; `data` is as recorded.
    """
    inside = in_arms(windowed)
    treated = (windowed.arm == "treated")[inside]
    after = np.arange(data.counts.shape[1]) >= data.starts[0]
    project = np.outer(treated, after) * 1.0
    codes = clusters_of(contrast, windowed)[inside]
    kind: Kind = "CR2" if len(np.unique(codes)) <= MOST_CLUSTERS else "CR1"
    weights = windowed.weight[inside][:, None]
    fit = fit_linear if linear else fit_poisson

    def made() -> Fit:
        columns = {name: values[inside] for name, values in beside.items()}
        return fit(data.counts[inside], {PROJECT: project, **columns}, weights=weights)

    return by_cluster(
        protocol, made, codes, treated, kind=kind, label="error clustered by unit", choice="inference"
    )


def conley(
    protocol: Protocol,
    panel: Panel,
    contrast: Contrast,
    windowed: Windowed,
    data: CohortWindows,
    *,
    linear: bool,
) -> Estimate | None:
    """The same coefficient with an error that lets areas within 2 km err alike; None without a map."""
    places = centroids_of(panel, windowed)
    if places is None:
        return None
    inside = in_arms(windowed)
    treated = (windowed.arm == "treated")[inside]
    after = np.arange(data.counts.shape[1]) >= data.starts[0]
    made = common_start_difference if linear else common_start_ratio
    found = made(data.counts[inside], treated, after, weights=windowed.weight[inside])

    def simple() -> tuple[float | None, float | None, str | None]:
        if found.value is None:
            return None, None, found.why_missing
        error = conley_error(found.influence, places[inside], cutoff_m=NEAR_M)
        return found.value, error.se, error.why_missing

    few = few_units(clusters_of(contrast, windowed)[inside], treated)
    label = f"error for neighbours within {NEAR_M / 1000:g} km (Conley, Bartlett weights)"
    made_of = _analytic(protocol, simple, label, few, linear=linear)
    said = f"Conley error: areas within {NEAR_M / 1000:g} km may err alike, the nearer the more"
    return replace(made_of, choice="inference", inference="none" if made_of.se is None else said)


def wild(protocol: Protocol, contrast: Contrast, windowed: Windowed, data: CohortWindows) -> Estimate:
    """The linear coefficient with the interval of a wild cluster bootstrap."""
    inside = in_arms(windowed)
    treated = (windowed.arm == "treated")[inside]
    after = np.arange(data.counts.shape[1]) >= data.starts[0]
    project = np.outer(treated, after) * 1.0
    codes = clusters_of(contrast, windowed)[inside]
    empty = Estimate(
        measure=TWO_WAY,
        scale="difference",
        unit=unit_of(protocol),
        confidence=protocol.confidence,
        inference="none",
        label="wild cluster bootstrap",
        choice="inference",
    )
    fit = fit_linear(data.counts[inside], {PROJECT: project}, weights=windowed.weight[inside][:, None])
    value = fit.coefficient(PROJECT)
    if few := few_units(codes, treated):
        return _with(empty, value=value, why_missing=few)
    found = wild_bootstrap(
        fit,
        codes,
        PROJECT,
        seed=protocol.seed,
        draws=WILD_DRAWS,
        confidence=protocol.confidence,
        treated=treated,
    )
    one_end = found.low is None or found.high is None
    return _with(
        empty,
        value=value,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        smallest_p=found.smallest_p,
        inference=f"wild cluster bootstrap, {found.points} weights, {found.draws:,} draws",
        why_missing=found.why_missing or ("an end lies beyond every value looked at" if one_end else None),
    )


def by_cluster(
    protocol: Protocol,
    made: Callable[[], Fit],
    codes: NDArray[np.intp],
    treated: NDArray[np.bool_],
    *,
    kind: Kind,
    label: str,
    choice: str,
    name: str = PROJECT,
) -> Estimate:
    """A coefficient of a fit as an Estimate; without an interval where units are few."""
    empty = Estimate(
        measure=TWO_WAY,
        confidence=protocol.confidence,
        inference="none",
        label=label,
        choice=choice,
    )
    try:
        fit = made()
    except (CannotEstimate, DataError) as problem:
        return _with(empty, why_missing="; ".join(problem.problems))
    linear = fit.kind == "linear"
    scale = {"scale": "difference", "unit": unit_of(protocol)} if linear else {}
    value = fit.coefficient(name)
    few = few_units(codes, treated)
    if few is not None:
        return _with(empty, **scale, value=value, why_missing=few)
    found = clustered(fit, codes, kind=kind, treated=treated)
    if found.why_missing is not None:
        return _with(empty, **scale, value=value, why_missing=found.why_missing)
    span = found.interval(name, protocol.confidence)
    assert span is not None
    return _with(
        empty,
        **scale,
        value=value,
        se=float(found.errors[found.names.index(name)]),
        low=span[0],
        high=span[1],
        p_value=found.p_value(name),
        inference=f"error clustered by unit, {found.words}",
    )


def few_units(codes: NDArray[np.intp], treated: NDArray[np.bool_]) -> str | None:
    """Why a clustered error is not to be trusted here; None where both arms have units enough."""
    arms = {
        name: len(np.unique(codes[inside]))
        for name, inside in (("treated", treated), ("comparison", ~treated))
    }
    few = [f"{number} {name}" for name, number in arms.items() if number < FEWEST_UNITS]
    if not few:
        return None
    return f"{' and '.join(few)} units: an error clustered by unit needs {FEWEST_UNITS} in each arm"


def staggered_estimators(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, data: CohortWindows
) -> Iterator[Estimate]:
    """Every other estimator of a staggered design; one that cannot be computed says why."""
    covariates, names = _covariates(protocol, panel, windowed)
    plain = rollout_of(data, contrast, windowed)
    ways: list[tuple[str, Rollout, Comparison, Method]] = [
        ("Callaway-Sant'Anna, never treated", plain, "never-treated", "unconditional"),
        ("Callaway-Sant'Anna, not yet treated", plain, "not-yet-treated", "unconditional"),
    ]
    if covariates is not None:
        given = f"Callaway-Sant'Anna, doubly robust with {', '.join(names)}"
        ways.append(
            (given, rollout_of(data, contrast, windowed, covariates), "never-treated", "doubly-robust")
        )
    few = few_units(plain.clusters, ~plain.never)
    for label, given_data, comparison, method in ways:

        def simple(
            given_data: Rollout = given_data, comparison: Comparison = comparison, method: Method = method
        ) -> tuple[float | None, float | None, str | None]:
            cells = group_time(
                given_data, comparison=comparison, anticipation=protocol.did.anticipation, method=method
            )
            path = aggregate(cells, "simple")
            return path.overall, path.overall_se, path.why_missing

        yield _analytic(protocol, simple, label, few, linear=True)

    def linear_imputed() -> tuple[float | None, float | None, str | None]:
        found = imputation(plain, anticipation=protocol.did.anticipation)
        return found.value, found.se, None

    yield _analytic(protocol, linear_imputed, "imputation (Borusyak, Jaravel and Spiess)", few, linear=True)
    if protocol.outcome.kind == "count":

        def imputed() -> tuple[float | None, float | None, str | None]:
            found = poisson_imputation(plain, anticipation=protocol.did.anticipation)
            return found.value, found.se, found.why_missing

        def ratios() -> tuple[float | None, float | None, str | None]:
            by_cohort = [plain.outcome[plain.start == start].sum(axis=0) for start in plain.cohorts]
            least = min(float(counts.mean()) for counts in by_cohort)
            if least < FEWEST_A_PERIOD:
                low = f"logs of counts below {FEWEST_A_PERIOD} lean low"
                return None, None, f"a cohort records {least:.1f} incidents a {protocol.period}, and {low}"
            path = aggregate(ratio_group_time(plain, anticipation=protocol.did.anticipation), "simple")
            return path.overall, path.overall_se, path.why_missing

        yield _analytic(protocol, ratios, "mean of ratios by cohort and period", few, linear=False)
        yield _analytic(
            protocol, imputed, "Poisson imputation, not yet treated areas included", few, linear=False
        )


def two_way(
    protocol: Protocol,
    contrast: Contrast,
    windowed: Windowed,
    data: CohortWindows,
    made_of: Comparisons | None,
) -> Estimate:
    """The two-way fixed-effects coefficient of a staggered design, the forbidden share in its label."""
    inside = in_arms(windowed)
    periods = np.arange(data.counts.shape[1])
    project = (periods[None, :] >= data.start[inside, None]).astype(np.float64)
    share = "" if made_of is None else f", {100 * made_of.forbidden_share:.0f} % of it against treated areas"
    linear = protocol.outcome.kind != "count"
    fit = fit_linear if linear else fit_poisson
    return by_cluster(
        protocol,
        lambda: fit(data.counts[inside], {PROJECT: project}, weights=windowed.weight[inside][:, None]),
        clusters_of(contrast, windowed)[inside],
        (windowed.arm == "treated")[inside],
        kind="CR1",
        label=f"{TWO_WAY}{share}",
        choice=ESTIMATOR,
    )


def _covariates(
    protocol: Protocol, panel: Panel, windowed: Windowed
) -> tuple[NDArray[np.float64] | None, tuple[str, ...]]:
    """Areas × names of the fixed covariates to adjust for; None where none is named or one is not known."""
    names = tuple(name for name in protocol.did.adjust_for if name in panel.covariates)
    if not names or windowed.index is None:
        return None, ()
    columns = np.column_stack([panel.covariates[name][windowed.index] for name in names])
    return (columns, names) if np.isfinite(columns).all() else (None, ())


def _analytic(
    protocol: Protocol,
    made: Callable[[], tuple[float | None, float | None, str | None]],
    label: str,
    few: str | None,
    *,
    linear: bool,
) -> Estimate:
    """A value with its analytic error as an Estimate; without an interval where units are few."""
    empty = Estimate(
        measure=label.split(",", maxsplit=1)[0],
        confidence=protocol.confidence,
        inference="none",
        label=label,
        choice=ESTIMATOR,
    )
    scale = {"scale": "difference", "unit": unit_of(protocol)} if linear else {}
    try:
        value, se, why = made()
    except (CannotEstimate, DataError) as problem:
        return _with(empty, **scale, why_missing="; ".join(problem.problems))
    if value is None:
        return _with(empty, **scale, why_missing=why or "it has no cell to average")
    if few is not None or not se:
        return _with(empty, **scale, value=value, why_missing=few or "it has no error")
    half = normal_quantile(protocol.confidence) * se
    return _with(
        empty,
        **scale,
        value=value,
        se=se,
        low=value - half,
        high=value + half,
        p_value=normal_p(value, se),
        inference="analytic error clustered by unit, normal",
    )


def _with(estimate: Estimate, **changes: object) -> Estimate:
    return replace(estimate, **changes)  # type: ignore[arg-type]
