"""The effect of staggered starts by the field's other estimators: beside the registered one, never instead.

Callaway-Sant'Anna (two comparisons, doubly robust), imputation (linear and Poisson), mean of ratios, two-way
fixed effects. One whose error rests on too few units gives its value alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.did.aggregate import aggregate
from whatworks_eval.did.comparisons import Comparisons
from whatworks_eval.did.group_time import Comparison, Method, group_time
from whatworks_eval.did.imputation import imputation
from whatworks_eval.did.linear_fit import fit_linear
from whatworks_eval.did.poisson_fit import fit_poisson
from whatworks_eval.did.poisson_imputation import poisson_imputation
from whatworks_eval.did.ratio_group_time import ratio_group_time
from whatworks_eval.did.rollout import NEVER, Rollout, rollout
from whatworks_eval.inference.roll_out_test import CohortWindows
from whatworks_eval.methods.did_errors import (
    PROJECT,
    TWO_WAY,
    analytic,
    by_cluster,
    clusters_of,
    few_units,
    in_arms,
    smaller_arm,
)
from whatworks_eval.methods.did_windows import is_linear
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Estimate, Windowed

FEWEST_IN_COHORT = 5
"""Units: errors about a cohort's own mean cover 34 to 37 % in cohorts of one, 77 % of two, 82 % of three."""
FEWEST_A_PERIOD = 25
"""Incidents of a cohort: the mean log of Poisson counts of 25 is 2 % low, of 5 it is 11 %."""
ESTIMATOR = "estimator"


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


def staggered_estimators(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, data: CohortWindows
) -> Iterator[Estimate]:
    """Every other estimator of a staggered design; one that cannot be computed says why."""
    covariates, names, unknown = _covariates(protocol, panel, windowed)
    plain = rollout_of(data, contrast, windowed)
    ways: list[tuple[str, Rollout, Comparison, Method]] = [
        ("Callaway-Sant'Anna, never treated", plain, "never-treated", "unconditional"),
        ("Callaway-Sant'Anna, not yet treated", plain, "not-yet-treated", "unconditional"),
    ]
    given = f"Callaway-Sant'Anna, doubly robust with {', '.join(names)}"
    if covariates is not None:
        ways.append(
            (given, rollout_of(data, contrast, windowed, covariates), "never-treated", "doubly-robust")
        )
    few = few_units(plain.clusters, ~plain.never)
    thin = few or _thin_cohort(plain)
    units = smaller_arm(plain.clusters, ~plain.never)

    def beside(
        made: Callable[[], tuple[float | None, float | None, str | None]],
        label: str,
        few: str | None,
        *,
        linear: bool = True,
    ) -> Estimate:
        return analytic(protocol, made, label, few, units=units, linear=linear, choice=ESTIMATOR)

    for label, given_data, comparison, method in ways:

        def simple(
            given_data: Rollout = given_data, comparison: Comparison = comparison, method: Method = method
        ) -> tuple[float | None, float | None, str | None]:
            cells = group_time(
                given_data, comparison=comparison, anticipation=protocol.did.anticipation, method=method
            )
            path = aggregate(cells, "simple")
            return path.overall, path.overall_se, path.why_missing

        yield beside(simple, label, few)

    if unknown is not None:
        yield beside(lambda: (None, None, unknown), given, few)

    def linear_imputed() -> tuple[float | None, float | None, str | None]:
        found = imputation(plain, anticipation=protocol.did.anticipation)
        return found.value, found.se, None

    yield beside(linear_imputed, "imputation (Borusyak, Jaravel and Spiess)", thin)
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

        yield beside(ratios, "mean of ratios by cohort and period", thin, linear=False)
        yield beside(imputed, "Poisson imputation, not yet treated areas included", few, linear=False)


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
    fit = fit_linear if is_linear(protocol) else fit_poisson
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
) -> tuple[NDArray[np.float64] | None, tuple[str, ...], str | None]:
    """Areas × names of the fixed covariates to adjust for, their names, and why there are none."""
    names = protocol.did.adjust_for
    if not names or windowed.index is None:
        return None, names, None
    known = {**panel.covariates, **({} if panel.residents is None else {"residents": panel.residents})}
    absent = [name for name in names if name not in known]
    if absent:
        return None, names, f"covariate '{absent[0]}' is not in the data; give it under [covariates]"
    columns = np.column_stack([known[name][windowed.index] for name in names])
    lacking = in_arms(windowed) & ~np.isfinite(columns).all(axis=1)
    if lacking.any():
        some = ", ".join(np.array(windowed.areas)[lacking][:5].tolist())
        why = f"{', '.join(names)}: not known for {int(lacking.sum())} areas used ({some}); give it, or leave"
        return None, names, f"{why} these areas out"
    return columns, names, None


def _thin_cohort(data: Rollout) -> str | None:
    """Why an error about each cohort's own mean is too small here; None where cohorts have units enough."""
    units = {int(start): len(np.unique(data.clusters[data.start == start])) for start in data.cohorts}
    if (fewest := min(units.values(), default=FEWEST_IN_COHORT)) >= FEWEST_IN_COHORT:
        return None
    what = "unit" if fewest == 1 else "units"
    return f"a cohort holds {fewest} {what}: an error about its own mean needs {FEWEST_IN_COHORT} in each"
