"""What a crossover rests on: how many lots, whether the effect lingers, how on-days fall in the week."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.crossover_fit import slopes
from whatworks_eval.inference.crossover_test import Trial, cells_of_lots, lots_of, residuals, scheduler
from whatworks_eval.judgement import Case, Measure
from whatworks_eval.methods.crossover import Prepared, prepare
from whatworks_eval.panel import Panel
from whatworks_eval.periods import first_day

DRAWS = 999
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOver:
    """What was recorded just after an area was switched off, against its other off-periods.

    Attributes:
        change: In percent; below zero = fewer than in other off-periods, as where the effect lingers.
        p_value: Two-sided, of no difference, by the schedules the lot could have drawn; None where there is
            no value.
    """

    change: Measure
    p_value: float | None


def prepared(case: Case) -> Prepared | None:
    """The crossover behind a case; None for other data."""
    return prepare(case.protocol, case.data, case.contrast) if isinstance(case.data, Panel) else None


def lots_an_arm(trial: Trial) -> Measure:
    """Separate lots that each arm holds.

    Drawn by order, every unit and block is a lot of its own, and gives a stretch to either arm. Drawn by
    areas, a unit's whole schedule is one lot in each block, so that what counts is how many units are on, and
    how many off, in a typical period of the block; the smaller number.
    """
    if trial.drawn == "order":
        many = float(len(cells_of_lots(trial)))
    else:
        many = 0.0
        for name in np.unique(trial.block[0]):
            on = float(trial.on[:, trial.block[0] == name].sum(axis=0).mean())
            many += min(on, len(trial.on) - on)
    return Measure(name="separate lots in each arm", unit="units", value=many)


def carry_over(case: Case) -> CarryOver | None:
    """Whether the effect lingers beyond the washout; None for data that are no crossover.

    Looked at is the first period used after an area was switched off. Unit, period and on-effect are fitted
    beside it; the p-value ranks the sum of residuals there among schedules the lot could have drawn, with the
    effect of being on taken out at its estimate.
    """
    found = prepared(case)
    if found is None or case.protocol.crossover is None:
        return None
    trial, washout = found.trial, case.protocol.crossover.washout
    name = (
        f"incidents in the first {case.protocol.period} used after switching off, against other off-periods"
    )
    after = _just_off(trial.on, washout) & trial.kept
    others = ~trial.on & trial.kept & ~after
    value = case.estimate.value
    both = None
    if value is not None and after.any() and others.any():
        both = slopes(trial.counts, trial.kept, [trial.on.astype(float), after.astype(float)])
    if both is None or value is None:
        why = (
            "the effect itself could not be computed"
            if value is None
            else "no off-period lies just after a switch, or all do, or they cannot be told from being on"
        )
        return CarryOver(change=Measure(name=name, unit="%", why_missing=why), p_value=None)
    p_value = lingering_p(trial, value, washout, seed=case.protocol.seed)
    change = Measure(name=name, unit="%", value=100.0 * math.expm1(float(both[1])))
    return CarryOver(change=change, p_value=p_value)


def _just_off(on: NDArray[np.bool_], washout: int) -> NDArray[np.bool_]:
    """Cells that are off, in the first period after switching off that the washout does not take."""
    gap = washout + 1
    found = np.zeros_like(on)
    if gap >= on.shape[1]:
        return found
    found[:, gap:] = on[:, :-gap]
    for back in range(gap):
        found[:, gap:] &= ~on[:, gap - back : on.shape[1] - back]
    return found


def lingering_p(trial: Trial, log_ratio: float, washout: int, *, seed: int, draws: int = DRAWS) -> float:
    """Two-sided p-value of nothing lingering: the residuals just after switching off, among other schedules.

    Args:
        trial: The trial.
        log_ratio: The effect of being on, taken out first.
        washout: Periods left out after each possible switch.
        seed: Of the draws.
        draws: How many schedules are looked at, at most.

    Example:
        >>> on = np.tile([[True, False, True, False], [False, True, False, True]], (3, 1))
        >>> trial = Trial(counts=np.ones(on.shape), on=on, block=np.tile([0, 0, 1, 1], (6, 1)),
        ...               drawn="order", kept=np.ones_like(on))
        >>> lingering_p(trial, 0.0, 0, seed=1)
        1.0
    """
    left = residuals(trial, log_ratio)
    choices = lots_of(trial, seed=seed, draws=draws).choice
    choices = choices[:: max(1, len(choices) // draws)][:draws]
    turn = scheduler(trial)
    sums = np.array([float(left[_just_off(turn(choice), washout) & trial.kept].sum()) for choice in choices])
    middle = float(sums.mean())
    observed = abs(float(left[_just_off(trial.on, washout) & trial.kept].sum()) - middle)
    return float((1 + (np.abs(sums - middle) >= observed * (1 - 1e-9)).sum()) / (1 + len(sums)))


def weekday_difference(case: Case) -> tuple[Measure, str] | None:
    """Largest difference between on-days and off-days in the share of one weekday, and which day.

    In percentage points, over the days used; None unless periods are days.
    """
    found = prepared(case)
    if found is None or case.protocol.period != "day":
        return None
    weekday = np.array([first_day(period, "day").weekday() for period in found.periods])
    shares = []
    for state in (True, False):
        used = ((found.trial.on == state) & found.trial.kept).sum(axis=0).astype(float)
        shares.append(100.0 * np.bincount(weekday, weights=used, minlength=7) / used.sum())
    apart = np.abs(shares[0] - shares[1])
    most = int(np.argmax(apart))
    measure = Measure(
        name="largest difference between on-days and off-days in the share of one weekday",
        unit="percentage points",
        value=float(apart[most]),
    )
    return measure, WEEKDAYS[most]
