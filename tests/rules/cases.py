"""One builder of small worlds: a protocol, a panel and everything else a rule may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from whatworks_eval.judgement import Case
from whatworks_eval.methods.relative_effect import from_changes, from_panel, poisson_estimate
from whatworks_eval.panel import Changes, Ledger, Panel, Totals
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Estimate
from whatworks_eval.windows import build_windowed

DRAWS = 999
FORCE, OTHER = "Avon and Somerset Constabulary", "Wiltshire Police"


def design(*changes: Mapping[str, Any] | None) -> Protocol:
    """A sound, non-random design with every context question answered; `changes` are merged into it in turn.

    A value of None takes its key out.
    """
    plain: dict[str, Any] = {
        "schema": 1,
        "id": "made-up",
        "question": "Did it fall?",
        "registered": "2018-11-01",
        "method": "relative-effect",
        "intervention": {"name": "Patrol", "start": "2019-01", "assignment": "volunteer"},
        "outcome": {"source": "counts", "path": "counts.csv", "offences": ["Anti-social behaviour"]},
        "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
        "areas": {
            "treated": ["A"],
            "comparison": "rest",
            "unit": "area",
            "buffer": {"adjacent_to": "treated"},
        },
        "context": {
            "recording_changes": [],
            "reporting_change_expected": "none",
            "other_programmes": [],
            "comparison_touched": "",
            "evaluator": "independent",
            "delivery": "Two officers, 20 hours a week, all of it done",
        },
    }
    for change in changes:
        plain = _merged(plain, change or {})
    return Protocol.model_validate(plain)


def totals_design(changes: Mapping[str, Any] | None = None) -> Protocol:
    """The same with four totals instead of counts by area."""
    outcome = {
        "source": "totals",
        "path": None,
        "offences": ["Burglary"],
        "totals": {"treated": [398, 190], "comparison": [148, 97]},
    }
    return design({"outcome": outcome, "areas": None}, changes)


def published_design(changes: Mapping[str, Any] | None = None) -> Protocol:
    """The same with two published percentages."""
    outcome = {
        "source": "published-changes",
        "path": None,
        "changes": {"treated": -11.7, "comparison": -7.2, "decimals": 1},
    }
    return design({"outcome": outcome, "areas": None}, changes)


def _merged(plain: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(plain)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = value
    return merged


@dataclass(frozen=True, kw_only=True)
class World:
    """Counts where nothing was done, but for what is planted.

    Attributes:
        treated: Treated units. `comparison`: comparison units. `size`: areas in each.
        level: Incidents an area and month. `spread`: s.d. of log level between areas.
        shock: S.d. of an area's own log shift each year; `unit_shock` the same for its unit.
        earlier: Years of counts before the before window.
        before: Months of the before window; the after window is always 2019.
        run_up: Factor on the treated in the last quarter of the before window.
        trend: Slope of the treated, in log points a month, through the before window and on.
        imbalance: Factor on the level of the treated throughout.
        effect: Factor on the treated in the after window.
        one_unit: Factor on the first treated unit in the after window.
        peak: Factor on the treated in the before window and in no other time.
        forces: Police forces: 1, or 2 with the treated in the one and the comparison in the other.
        missing: Months of the before window without a file, from its first.
        unlocated: Share of rows without a location, before and after.
    """

    treated: int = 30
    comparison: int = 90
    size: int = 1
    level: float = 10.0
    spread: float = 0.5
    shock: float = 0.1
    unit_shock: float = 0.05
    earlier: int = 0
    before: int = 12
    run_up: float = 1.0
    trend: float = 0.0
    imbalance: float = 1.0
    effect: float = 1.0
    one_unit: float = 1.0
    peak: float = 1.0
    forces: int = 1
    missing: int = 0
    unlocated: tuple[float, float] = (0.02, 0.02)


def make_panel(
    world: World, seed: int, *, draw_treated: bool = True
) -> tuple[Panel, dict[str, str], set[str]]:
    """A panel, the unit of each area and the treated areas, drawn at random unless told otherwise."""
    rng = np.random.default_rng(seed)
    units = world.treated + world.comparison
    areas = units * world.size
    years = world.earlier + world.before // 12 + (world.before % 12 > 0)
    periods = period_range(f"{2019 - years}-{1:02d}", "2019-12", "month")
    periods = periods[len(periods) - 12 - world.before - 12 * world.earlier :]
    unit = np.repeat(np.arange(units), world.size)
    chosen = (
        set(rng.choice(units, world.treated, replace=False).tolist())
        if draw_treated
        else set(range(world.treated))
    )
    treated = np.isin(unit, sorted(chosen))
    months = len(periods)
    logs = np.log(world.level) + rng.normal(0, world.spread, areas) - world.spread**2 / 2
    logs = np.repeat(logs[:, None], months, axis=1)
    year = np.array([int(period[:4]) for period in periods])
    for value in np.unique(year):
        shock = rng.normal(0, world.shock, areas) + rng.normal(0, world.unit_shock, units)[unit]
        logs[:, year == value] += shock[:, None]
    logs += 0.15 * np.sin(2 * np.pi * np.arange(months) / 12)
    start = months - 12
    planted = np.zeros(months)
    planted[start - world.before // 4 : start] += np.log(world.run_up)
    planted[start - world.before : start] += np.log(world.peak)
    planted += world.trend * (np.arange(months) - start)
    planted[start:] += np.log(world.effect)
    logs[treated] += planted + np.log(world.imbalance)
    logs[unit == min(chosen), start:] += np.log(world.one_unit)
    counts = rng.poisson(np.exp(logs) * rng.gamma(20.0, 1 / 20.0, logs.shape)).astype(float)
    observed = np.ones(counts.shape, dtype=bool)
    first = start - world.before
    observed[:, first : first + world.missing] = False
    counts[~observed] = np.nan
    names = tuple(f"A{at:05d}" for at in range(areas))
    rows = {}
    for at, period in enumerate(periods):
        read = float(np.nansum(counts[:, at]))
        share = world.unlocated[int(at >= start)]
        rows[period] = (round(read / (1 - share)), round(read * share / (1 - share)))
    panel = Panel(
        areas=names,
        periods=periods,
        counts=counts,
        observed=observed,
        forces={
            name: FORCE if world.forces == 1 or inside else OTHER
            for name, inside in zip(names, treated, strict=True)
        },
        ledger=Ledger(forces={FORCE: rows} | ({OTHER: rows} if world.forces == 2 else {})),
    )
    labels = {name: f"unit {unit[at]}" for at, name in enumerate(names)}
    return panel, labels, {names[at] for at in np.flatnonzero(treated)}


def make_case(
    world: World | None = None,
    *,
    seed: int = 1,
    changes: Mapping[str, Any] | None = None,
    alternatives: tuple[Estimate, ...] = (),
    draw_treated: bool = True,
) -> Case:
    """Everything an evidence rule may look at, for a world and a design with `changes`."""
    world = world or World()
    panel, units, treated = make_panel(world, seed, draw_treated=draw_treated)
    start = panel.periods[-12 - world.before]
    windows = {"before": [start, panel.periods[-13]], "after": ["2019-01", "2019-12"]}
    protocol = design({"seed": seed, "windows": windows}, changes)
    contrast = Contrast(
        treated=tuple(sorted(treated)),
        comparison=tuple(area for area in panel.areas if area not in treated),
        units=units if world.size > 1 else {area: area for area in panel.areas},
        unit_basis="column" if world.size > 1 else "area",
        comparison_units=True,
        chosen="every other area in the data",
    )
    return case_of(protocol, panel, contrast, alternatives)


def case_of(
    protocol: Protocol, panel: Panel, contrast: Contrast, alternatives: tuple[Estimate, ...] = ()
) -> Case:
    """The case of a panel and a contrast, estimated as the method does but with fewer draws."""
    windowed = build_windowed(protocol, panel, contrast)
    assert windowed is not None
    effect = from_panel(protocol, panel, contrast, windowed, draws=DRAWS)
    return Case(
        protocol=protocol,
        data=panel,
        contrast=contrast,
        windowed=windowed,
        estimate=effect.estimate,
        alternatives=effect.alternatives + alternatives,
        sets=effect.sets,
    )


def totals_case(changes: Mapping[str, Any] | None = None) -> Case:
    """The case of four totals."""
    protocol = totals_design(changes)
    given = protocol.outcome.totals
    assert given is not None
    data = Totals(treated=given.treated, comparison=given.comparison, dispersion=given.dispersion)
    contrast = _bare(given.comparison is not None)
    windowed = build_windowed(protocol, data, contrast)
    assert windowed is not None
    comparison = windowed.total("comparison") if given.comparison is not None else (1.0, 1.0)
    estimate = replace(
        poisson_estimate((*windowed.total("treated"), *comparison), protocol.confidence, data.dispersion),
        label="registered",
        choice=None,
    )
    return Case(protocol=protocol, data=data, contrast=contrast, windowed=windowed, estimate=estimate)


def published_case(changes: Mapping[str, Any] | None = None) -> Case:
    """The case of two published percentages."""
    protocol = published_design(changes)
    given = protocol.outcome.changes
    assert given is not None
    data = Changes(treated=given.treated, comparison=given.comparison, decimals=given.decimals)
    effect = from_changes(data, protocol.confidence)
    return Case(
        protocol=protocol,
        data=data,
        contrast=_bare(given.comparison is not None),
        windowed=None,
        estimate=effect.estimate,
        alternatives=effect.alternatives,
    )


def alternative(
    log_ratio: float | None,
    half: float = 0.05,
    *,
    label: str = "level-matched areas",
    choice: str = "comparison set",
) -> Estimate:
    """An estimate made by hand."""
    return Estimate(
        measure="ratio of ratios",
        value=log_ratio,
        low=None if log_ratio is None else log_ratio - half,
        high=None if log_ratio is None else log_ratio + half,
        why_missing="not computed" if log_ratio is None else None,
        confidence=0.95,
        inference="by hand",
        label=label,
        choice=choice,
    )


def _bare(comparison: bool) -> Contrast:
    return Contrast(
        treated=("treated",),
        comparison=("comparison",) if comparison else (),
        units={"treated": "treated", "comparison": "comparison"},
        unit_basis="not stated",
        comparison_units=False,
        chosen="as given",
    )
