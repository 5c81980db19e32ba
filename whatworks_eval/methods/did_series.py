"""Numbers that change by area and period: what the effect is adjusted for, or the dose itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.did.clustered import Clustered, clustered
from whatworks_eval.did.fit import Fit
from whatworks_eval.did.linear_fit import fit_linear
from whatworks_eval.did.poisson_fit import fit_poisson
from whatworks_eval.errors import CannotEstimate, DataError
from whatworks_eval.inference.relabelling import sets_for
from whatworks_eval.inference.roll_out_test import CohortWindows
from whatworks_eval.methods.did_errors import PROJECT, clusters_of, few_units, in_arms
from whatworks_eval.methods.did_windows import is_linear, roll_out_of, unit_of, used_periods
from whatworks_eval.methods.result import Effect, centroids_of
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Estimate, Windowed
from whatworks_eval.sources.area_series import read_area_series

Floats = NDArray[np.float64]


def adjustments(protocol: Protocol, panel: Panel, windowed: Windowed) -> dict[str, Floats]:
    """Name, then areas × used periods, of what the effect is adjusted for.

    A covariate that does not change enters as its own difference between before and after.

    Raises:
        DataError: A file cannot be read, or lacks an area and period used.
    """
    used = used_periods(windowed)
    after = windowed.after_mask[used] if windowed.after_mask is not None else np.zeros(len(used), dtype=bool)
    found: dict[str, Floats] = {}
    for name in protocol.did.adjust_for:
        if name in protocol.did.series:
            found[name] = _series(protocol, panel, windowed, name)
            continue
        assert windowed.index is not None
        known = panel.residents if name == "residents" else panel.covariates.get(name)
        if known is None:
            raise DataError(
                f"did.adjust_for: covariate '{name}' is not in the data; give it under [covariates]"
            )
        values = known[windowed.index]
        inside = in_arms(windowed)
        missing = [area for area, at in zip(windowed.areas, inside & ~np.isfinite(values), strict=True) if at]
        if missing:
            raise DataError(
                f"did.adjust_for: covariate '{name}' is not known for {len(missing)} areas used "
                f"({', '.join(missing[:5])}); give it, or leave these areas out"
            )
        centred = np.where(np.isfinite(values), values - values[inside].mean(), 0.0)
        found[name] = np.outer(centred, after)
    return found


def _series(protocol: Protocol, panel: Panel, windowed: Windowed, name: str) -> Floats:
    """One series over the areas and periods used."""
    used = used_periods(windowed)
    table = protocol.did.series[name]
    return read_area_series(
        table,
        protocol.base,
        key=f"did.series.{name}",
        areas=tuple(area for area, kept in zip(windowed.areas, in_arms(windowed), strict=True) if kept),
        periods=tuple(panel.periods[at] for at in used),
        order=windowed.areas,
    )


def fitted(protocol: Protocol, windowed: Windowed, data: CohortWindows, columns: dict[str, Floats]) -> Fit:
    """The two-way fit of both arms with these columns."""
    inside = in_arms(windowed)
    chosen = {name: values[inside] for name, values in columns.items()}
    fit = fit_linear if is_linear(protocol) else fit_poisson
    return fit(data.counts[inside], chosen, weights=windowed.weight[inside][:, None])


def adjusted(
    protocol: Protocol, panel: Panel, windowed: Windowed, data: CohortWindows
) -> tuple[Fit, Windowed, CohortWindows]:
    """The fit with the project and what it is adjusted for, and the counts with that taken out.

    Each area's counts are brought to what they would have been had its adjusted numbers stayed at their mean,
    by the fitted coefficients; the placebo sets then rank those counts. The ratio of ratios of counts so
    brought is not quite the fitted coefficient, so what the treated areas recorded after the start is scaled
    to it: as any effect, that is taken out before ranking, and value, interval and p-value are of one number.

    Raises:
        CannotEstimate: Nothing was recorded in an arm in one of the windows, or the fit has no solution.
    """
    beside = adjustments(protocol, panel, windowed)
    after = np.arange(data.counts.shape[1]) >= data.starts[0]
    _refuse_empty(protocol, _four(windowed, data.counts, after))
    project = np.outer(windowed.arm == "treated", after) * 1.0
    fit = fitted(protocol, windowed, data, {PROJECT: project, **beside})
    moved = np.zeros_like(data.counts)
    for name, values in beside.items():
        moved += fit.coefficient(name) * (values - values.mean(axis=1, keepdims=True))
    counts = data.counts - moved if is_linear(protocol) else data.counts * np.exp(-moved)
    if not is_linear(protocol):
        t0, t1, c0, c1 = _four(windowed, counts, after)
        treated = windowed.arm == "treated"
        counts[np.ix_(treated, after)] *= math.exp(fit.coefficient(PROJECT)) * t0 * c1 / (t1 * c0)
    own = replace(windowed, before=counts[:, ~after].sum(axis=1), after=counts[:, after].sum(axis=1))
    return fit, own, replace(data, counts=counts)


def _four(windowed: Windowed, counts: Floats, after: NDArray[np.bool_]) -> tuple[float, ...]:
    """Treated before and after, comparison before and after; comparison areas as they are weighted."""
    return tuple(
        float((windowed.weight * (windowed.arm == arm)) @ counts[:, window].sum(axis=1))
        for arm in ("treated", "comparison")
        for window in (~after, after)
    )


def _refuse_empty(protocol: Protocol, four: tuple[float, ...]) -> None:
    if is_linear(protocol):
        return
    cells = (
        "treated areas before",
        "treated areas after",
        "comparison areas before",
        "comparison areas after",
    )
    empty = [f"the {cell} the start" for cell, total in zip(cells, four, strict=True) if total == 0]
    if empty:
        raise CannotEstimate(
            f"nothing was recorded in {' or in '.join(empty)}, so there is no ratio to adjust; leave "
            "`did.adjust_for` out for what can still be said (one end of the interval)"
        )


def named_adjusted(estimate: Estimate, names: tuple[str, ...]) -> Estimate:
    """The estimate from counts so moved, saying what was held still; expected is of incidents as recorded."""
    expected = None
    if estimate.recorded is not None and estimate.value is not None and estimate.scale == "log-ratio":
        expected = estimate.recorded * math.exp(-estimate.value)
    return replace(
        estimate, measure=f"{estimate.measure}, adjusted for {', '.join(names)}", expected=expected
    )


def dose_effect(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, data: CohortWindows
) -> Effect:
    """The effect of one more unit of dose, with an error clustered by unit (CR2).

    Raises:
        CannotEstimate: Fewer than six units have a dose that changes, or none do without.
    """
    assert protocol.did.dose is not None
    name = protocol.did.dose
    dose = _series(protocol, panel, windowed, name)
    beside = {
        other: values for other, values in adjustments(protocol, panel, windowed).items() if other != name
    }
    inside = in_arms(windowed)
    codes = clusters_of(contrast, windowed)[inside]
    changing = np.ptp(dose[inside], axis=1) > 0
    if few := few_units(codes, changing):
        few = few.replace("treated units", "units with a dose that changes").replace("comparison", "other")
        raise CannotEstimate(
            f"did.dose: {few}; with so few, declare the areas treated or not and leave `did.dose` out, so "
            "that placebo sets can give the interval"
        )

    def by_dose(counts: CohortWindows) -> Estimate:
        fit = fitted(protocol, windowed, counts, {name: dose, **beside})
        return _by_unit_of_dose(protocol, clustered(fit, codes, kind="CR2", treated=changing), name)

    return Effect(
        sets=sets_for(  # for what is asked of the months before the start
            contrast, windowed, centroids_of(panel, windowed), seed=protocol.seed
        ),
        estimate=by_dose(data),
        alternatives=tuple(_untouched_by_dose(protocol, panel, contrast, windowed, by_dose)),
    )


def _by_unit_of_dose(protocol: Protocol, found: Clustered, name: str) -> Estimate:
    """The Estimate behind a fitted dose."""
    span = found.interval(name, protocol.confidence)
    at = found.names.index(name)
    se = None if span is None else float(found.errors[at])
    linear = is_linear(protocol)
    return Estimate(
        measure=f"change with one more unit of {name}",
        scale="difference" if linear else "log-ratio",
        unit=f"{unit_of(protocol)}, by unit of {name}" if linear else f"log ratio by unit of {name}",
        value=float(found.params[at]),
        se=se,
        low=None if span is None else span[0],
        high=None if span is None else span[1],
        p_value=found.p_value(name),
        confidence=protocol.confidence,
        inference=f"error clustered by unit, {found.words}",
        quantiles=() if se is None else _t_quantiles(float(found.params[at]), se, float(found.df[at])),
        why_missing=found.why_missing,
    )


def _untouched_by_dose(
    protocol: Protocol,
    panel: Panel,
    contrast: Contrast,
    windowed: Windowed,
    by_dose: Callable[[CohortWindows], Estimate],
) -> Iterator[Estimate]:
    """What one more unit of dose does to the offences it should not touch, where some are named."""
    if panel.untouched is None:
        return
    other = replace(panel, counts=panel.untouched)
    try:
        found = by_dose(roll_out_of(protocol, other, contrast, windowed))
    except (CannotEstimate, DataError) as error:
        found = Estimate(
            measure=f"change with one more unit of {protocol.did.dose}",
            confidence=protocol.confidence,
            inference="none",
            why_missing=str(error),
        )
    yield replace(found, label=", ".join(protocol.outcome.untouched or ()), choice="untouched offences")


def _t_quantiles(value: float, se: float, df: float) -> tuple[float, ...]:
    """199 quantiles of a t-distributed effect."""
    from scipy.special import stdtrit

    return tuple(value + se * float(stdtrit(df, part / 200)) for part in range(1, 200))
