"""Areas switched on and off in turn: what was recorded while on, over what was expected from the rest.

With an effect for each unit and each period, a unit that is on is compared with itself while off and with the
units that are off in the same period. The interval holds the effects whose rank among the schedules the lot
could have drawn is not extreme (inference/crossover_test.py).

There is no before and after: `Windowed` is None, and rules that ask about two windows are not asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate, DataError
from whatworks_eval.inference.crossover_fit import slopes
from whatworks_eval.inference.crossover_test import Trial, cells_of_lots, crossover_test, lots_of
from whatworks_eval.inference.inversion import invert
from whatworks_eval.methods.result import Effect
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Data, Estimate, Windowed
from whatworks_eval.sources.schedule import Schedule, read_schedule

NAME = "crossover"
MEASURE = "ratio of on to off"
WITHOUT_WASHOUT = "no periods left out"
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A crossover as used.

    Attributes:
        trial: By unit and period.
        units: Names of the units, in the order of the trial.
        periods: Those of the schedule that were used.
    """

    trial: Trial
    units: tuple[str, ...]
    periods: tuple[str, ...]


def estimate(protocol: Protocol, data: Data, contrast: Contrast, windowed: Windowed | None) -> Effect:
    """The ratio of recorded to expected while on, with its interval from the lot.

    Raises:
        DataError: A schedule that cannot be read or is not of the declared sort; missing counts.
        CannotEstimate: Where data are not by area and period, or the washout leaves nothing.
    """
    if not isinstance(data, Panel):
        raise CannotEstimate("method 'crossover' needs counts by area and period; use source = \"counts\"")
    prepared = prepare(protocol, data, contrast)
    registered = _of_trial(protocol, prepared.trial, prepared.periods)
    others: tuple[Estimate, ...] = ()
    if protocol.crossover is not None and protocol.crossover.washout:
        whole = replace(prepared.trial, kept=np.ones(prepared.trial.on.shape, dtype=bool))
        beside = _of_trial(protocol, whole, prepared.periods)
        others = (replace(beside, label=WITHOUT_WASHOUT, choice="window"),)
    return Effect(estimate=registered, alternatives=others)


def prepare(protocol: Protocol, panel: Panel, contrast: Contrast) -> Prepared:
    """Counts, schedule and lots by unit and period, checked.

    Areas of one unit are added up: they are switched together, so nothing is lost by it.

    Raises:
        DataError: As for `estimate`; every problem of a sort at once.
        CannotEstimate: Where the washout leaves no unit on, or none off.
    """
    keys = protocol.crossover
    assert keys is not None
    schedule = read_schedule(keys, protocol.base, panel.period, contrast.treated)
    counts = _counts(panel, schedule)
    names = [contrast.units.get(area, area) for area in schedule.areas]
    units = tuple(sorted(set(names)))
    first = [names.index(unit) for unit in units]
    _check(schedule, names, units, protocol)
    of = np.array([units.index(name) for name in names], dtype=np.intp)
    total = np.zeros((len(units), len(schedule.periods)))
    np.add.at(total, of, counts)
    on, block = schedule.on[first], schedule.block[first]
    # Rows in the order of their counts, so that the names of areas decide nothing: of two alike in total, the
    # one with more in the first period in which they differ comes last.
    order = np.lexsort((*total.T[::-1], *on.T[::-1], total.sum(axis=1)))
    trial = Trial(
        counts=total[order], on=on[order], block=block[order], drawn=keys.drawn, kept=np.ones_like(on)
    )
    _check_lots(trial, tuple(units[at] for at in order), schedule)
    trial = replace(trial, kept=_kept(trial, keys.washout))
    if not (trial.on & trial.kept).any() or not (~trial.on & trial.kept).any():
        periods = "1 period" if keys.washout == 1 else f"{keys.washout} periods"
        raise CannotEstimate(
            f"crossover.washout: leaving out {periods} after each switch leaves no area on, or "
            "none off; make it shorter"
        )
    return Prepared(trial=trial, units=tuple(units[at] for at in order), periods=schedule.periods)


def _counts(panel: Panel, schedule: Schedule) -> NDArray[np.float64]:
    at = {period: number for number, period in enumerate(panel.periods)}
    absent = [period for period in schedule.periods if period not in at]
    if absent:
        raise DataError(
            f"crossover.schedule: the data have no {panel.period} {_listed(absent)}; they run from "
            f"{panel.periods[0]} to {panel.periods[-1]}: set crossover.periods inside that"
        )
    rows = [panel.areas.index(area) for area in schedule.areas]
    counts: NDArray[np.float64] = panel.counts[np.ix_(rows, [at[period] for period in schedule.periods])]
    missing = [
        f"{schedule.areas[row]} in {schedule.periods[column]}"
        for row, column in np.argwhere(~np.isfinite(counts)).tolist()
    ]
    if missing:
        raise DataError(
            f"the counts are missing for {_listed(missing)}; supply them, leave those periods out with "
            "crossover.periods, or, where no row means that nothing was recorded, set outcome.empty_periods "
            '= "zero"'
        )
    return counts


def _check(schedule: Schedule, names: list[str], units: tuple[str, ...], protocol: Protocol) -> None:
    """Areas of a unit are switched together, and none before the start."""
    problems = []
    torn = []
    for unit in units:
        rows = [at for at, name in enumerate(names) if name == unit]
        if any((schedule.on[at] != schedule.on[rows[0]]).any() for at in rows):
            torn.append(f"'{unit}'")
    if torn:
        problems.append(
            f"crossover.schedule: areas of one unit are not switched together in {_listed(torn)}; the unit "
            'is what the lot was drawn for: mend the schedule, or set areas.unit = "area"'
        )
    early = [
        period
        for at, period in enumerate(schedule.periods)
        if schedule.on[:, at].any() and period < protocol.intervention.start
    ]
    if early:
        problems.append(
            f"crossover.schedule: areas are on in {early[0]}, before intervention.start "
            f"({protocol.intervention.start}); mend one of them"
        )
    if problems:
        raise DataError(problems)


def _check_lots(trial: Trial, units: tuple[str, ...], schedule: Schedule) -> None:
    """What the lot is said to have decided can be turned round in the schedule."""
    problems = []
    if trial.drawn == "order":
        odd = [
            f"{units[unit]} in block {schedule.blocks[int(trial.block[unit, cells[0]])]}"
            for unit, cells in cells_of_lots(trial)
            if int(np.abs(np.diff(trial.on[unit, cells].astype(int))).sum()) != 1
        ]
        if odd:
            problems.append(
                f"crossover.schedule: {_listed(odd)}: not one stretch on and one off, which is what drawn = "
                '"order" says; mend the blocks, or use drawn = "areas"'
            )
    elif (trial.block != trial.block[0]).any():
        problems.append(
            'crossover.schedule: blocks differ between areas; with drawn = "areas" schedules are swapped '
            "between "
            "areas inside a block, so each period has one block"
        )
    together = [bool(column.all() or not column.any()) for column in trial.on.T]
    if all(together):
        problems.append(
            "crossover.schedule: in every period all areas are on or all are off, so no area is there to "
            "compare with in the same period; method 'interrupted-time-series' asks less"
        )
    if problems:
        raise DataError(problems)


def _kept(trial: Trial, washout: int) -> NDArray[np.bool_]:
    """False in the first periods after each point where a switch could have come, whatever the lot drew."""
    kept = np.ones(trial.on.shape, dtype=bool)
    if trial.drawn == "order":
        for unit, cells in cells_of_lots(trial):
            on = int(trial.on[unit, cells].sum())
            for point in (0, on, len(cells) - on):
                kept[unit, cells[point : point + washout]] = False
        return kept
    changes = (trial.on[:, 1:] != trial.on[:, :-1]).any(axis=0) | (trial.block[0, 1:] != trial.block[0, :-1])
    for point in (0, *(np.flatnonzero(changes) + 1).tolist()):
        kept[:, point : point + washout] = False
    return kept


def _of_trial(protocol: Protocol, trial: Trial, names: tuple[str, ...]) -> Estimate:
    lots = lots_of(trial, seed=protocol.seed)
    test = crossover_test(trial, lots)
    used = np.where(trial.kept, trial.counts, 0.0)
    recorded, off = float(used[trial.on].sum()), float(used[~trial.on].sum())
    units, periods = trial.on.shape
    what = (
        f"{len(cells_of_lots(trial))} lots: the order in each block of {units} units"
        if trial.drawn == "order"
        else f"which of {units} units followed which schedule"
    )
    blank = Estimate(
        measure=MEASURE,
        confidence=protocol.confidence,
        smallest_p=lots.smallest_p,
        inference=f"relabelling: {'every schedule' if lots.exact else 'schedules'} the lot could have drawn "
        f"({what}, {periods} {protocol.period}s{_span(trial, names)})",
        recorded=recorded,
    )
    if recorded <= 0 or off <= 0:
        state = "on" if recorded <= 0 else "off"
        return replace(
            blank, why_missing=f"no incident was recorded while areas were {state}, so no ratio can be formed"
        )
    found = slopes(trial.counts, trial.kept, [trial.on.astype(float)])
    if found is None:
        return replace(
            blank,
            why_missing="unit and period effects leave nothing from which to tell on from off",
        )
    value = float(found[0])
    p_value = max(test.p_value(0.0), lots.smallest_p)
    filled = replace(blank, value=value, p_value=p_value, expected=recorded * math.exp(-value))
    if lots.smallest_p > 1 - protocol.confidence + 1e-12:
        return replace(
            filled,
            why_missing=f"with this few lots the smallest attainable p-value is {lots.smallest_p:.2g}, so no "
            f"{100 * protocol.confidence:g} % interval exists",
        )
    ends = invert(test.p_value, value, 1 - protocol.confidence)
    reason = "the data bound the effect on one side only"
    return replace(
        filled,
        low=ends.low,
        high=ends.high,
        p_value=max(ends.no_effect, lots.smallest_p),
        quantiles=ends.quantiles,
        why_missing=None if ends.low is not None and ends.high is not None else reason,
    )


def _span(trial: Trial, periods: tuple[str, ...]) -> str:
    """Which periods were used and how much the washout took out: nothing is left out without a line."""
    out = int((~trial.kept).sum())
    left = f"; the washout leaves out {out:,} of {trial.kept.size:,} counts" if out else ""
    return f" from {periods[0]} to {periods[-1]}{left}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
