"""How much there is to go on: units, incidents, spread, and what could have been found."""

from __future__ import annotations

import math

import numpy as np

from whatworks_eval.judgement import Case, Measure
from whatworks_eval.measures.one_unit import LeaveOneOut, over_cohorts
from whatworks_eval.measures.relative import detectable, standard_error
from whatworks_eval.panel import Changes, Panel, Totals

ROOM = 10  # sets side by side, below which single units say more than sets
SETS_LOOKED_AT = 500  # enough for dispersion to within a few percent


def units_by_arm(case: Case) -> tuple[Measure, Measure]:
    """Treated and comparison units; for totals as the protocol states them."""
    names = "treated units", "comparison units"
    if isinstance(case.data, Panel) and case.windowed is not None:
        contrast, used = case.contrast, set(case.windowed.areas)
        inside = [area for area in contrast.treated if area in used]
        treated = len({contrast.units[area] for area in inside})
        others = [area for area in contrast.comparison if area in used]
        if contrast.comparison_units or not inside:
            comparison = float(len({contrast.units.get(area, area) for area in others}))
        else:  # as many units of the treated size as would fit
            comparison = float(max(len(others) * treated // len(inside), min(1, len(others))))
        return (
            Measure(name=names[0], unit="units", value=float(treated)),
            Measure(name=names[1], unit="units", value=comparison),
        )
    totals = case.protocol.outcome.totals
    stated = (None, None) if totals is None else (totals.treated_units, totals.comparison_units)
    why = "how many units lie behind the totals is not stated"
    found = [
        Measure(
            name=name,
            unit="units",
            value=None if count is None else float(count),
            why_missing=why if count is None else None,
        )
        for name, count in zip(names, stated, strict=True)
    ]
    return found[0], found[1]


def treated_incidents(case: Case) -> tuple[Measure, Measure]:
    """Incidents in the treated areas, before and after."""
    names = "incidents in the treated areas before", "incidents in the treated areas after"
    if case.windowed is None:
        why = "only percentages are published"
        return (
            Measure(name=names[0], unit="incidents", why_missing=why),
            Measure(name=names[1], unit="incidents", why_missing=why),
        )
    before, after = case.windowed.total("treated")
    return (
        Measure(name=names[0], unit="incidents", value=before),
        Measure(name=names[1], unit="incidents", value=after),
    )


def leave_one_out(case: Case) -> LeaveOneOut | None:
    """The treated unit whose absence moves the answer most; None with one unit or without counts by area.

    With a matched comparison, a unit's own matches stay in: what moves is the treated side.
    """
    windowed, value = case.windowed, case.estimate.value
    if windowed is None or windowed.index is None or value is None:
        return None
    if case.over_time is not None:
        return over_cohorts(case, windowed)
    if case.estimate.scale != "log-ratio":
        return None
    inside = np.flatnonzero(windowed.arm == "treated")
    labels = [case.contrast.units.get(windowed.areas[at], windowed.areas[at]) for at in inside]
    names = sorted(set(labels))
    if len(names) < 2:
        return None
    number = {name: at for at, name in enumerate(names)}
    group = np.array([number[label] for label in labels], dtype=np.intp)
    before = np.bincount(group, weights=windowed.before[inside])
    after = np.bincount(group, weights=windowed.after[inside])
    left_before, left_after = before.sum() - before, after.sum() - after
    if (left_before <= 0).any() or (left_after <= 0).any():
        return None
    moved = np.log(left_after / left_before) - math.log(after.sum() / before.sum())
    most = int(np.argmax(np.abs(moved)))
    return LeaveOneOut(unit=names[most], moved=float(moved[most]), without=value + float(moved[most]))


def dispersion(case: Case) -> Measure:
    """Variance over mean of the change between the windows, in untreated places like the treated.

    One = counts vary by chance alone. Each placebo set's after count is set against what the rest of the
    areas would lead one to expect; the squared departures, over their Poisson variance, are averaged. The
    interval takes as many independent sets as there is room for; where there is room for fewer than ten,
    each untreated unit is set against the rest instead.
    """
    name, unit = "variance over mean of the change in untreated places", "ratio"
    if isinstance(case.data, Totals):
        return Measure(
            name=name, unit=unit, why_missing=f"totals cannot show it; {case.data.dispersion:g} is assumed"
        )
    sets, windowed = case.sets, case.windowed
    if sets is None or windowed is None or not len(sets.members):
        return Measure(name=name, unit=unit, why_missing="there are no untreated places to measure it on")
    row = sets.row
    inside = row >= 0
    before = np.bincount(row[inside], weights=windowed.before[inside], minlength=sets.rows)
    after = np.bincount(row[inside], weights=windowed.after[inside], minlength=sets.rows)
    every = max(1, len(sets.members) // SETS_LOOKED_AT)
    members = sets.members[::every]
    if sets.rows < ROOM * members.shape[1]:
        members = np.setdiff1d(np.arange(sets.rows), sets.treated)[:, None]
    # Treated rows are taken out of sets and rest alike: a set short of one row is still like the others.
    before[sets.treated] = after[sets.treated] = 0.0
    first, second = before[members].sum(axis=1), after[members].sum(axis=1)
    known = (first > 0) & (before.sum() - first > 0) & (after.sum() - second > 0)
    if not known.any():
        return Measure(name=name, unit=unit, why_missing="nothing was recorded in the untreated places")
    first, second = first[known], second[known]
    rest = before.sum() - first, after.sum() - second
    expected = first * rest[1] / rest[0]
    variance = expected + expected**2 * (1 / first + 1 / rest[0] + 1 / rest[1])
    value = float(((second - expected) ** 2 / variance).mean())
    independent = max(1, min(len(first), sets.rows // members.shape[1]))
    low, high = _chi_square_interval(value, independent, case.protocol.confidence)
    return Measure(name=name, unit=unit, value=value, low=low, high=high)


def smallest_detectable(case: Case) -> Measure:
    """The fall this design would have found four times in five, in percent: from its own interval."""
    name, unit = "fall found four times in five", "%"
    estimate = case.estimate
    if isinstance(case.data, Changes):
        return Measure(name=name, unit=unit, why_missing="published percentages give no interval")
    if estimate.scale != "log-ratio":
        return Measure(name=name, unit=unit, why_missing="the effect is not a ratio")
    size = detectable(standard_error(estimate.low, estimate.high, estimate.confidence), estimate.confidence)
    if size is None:
        return Measure(
            name=name, unit=unit, why_missing=estimate.why_missing or "the estimate has no interval"
        )
    return Measure(name=name, unit=unit, value=-100.0 * math.expm1(-size))


def _chi_square_interval(value: float, free: int, confidence: float) -> tuple[float, float]:
    from scipy.special import chdtri  # scipy.stats takes half a second to import

    tail = (1 - confidence) / 2
    return value * free / float(chdtri(free, tail)), value * free / float(chdtri(free, 1 - tail))
