"""The rank of a crossover among the schedules its lot could have drawn, for any hypothesised effect.

For a hypothesised effect, that effect is taken out of the cells that were on; if the hypothesis is right,
what is left is what would have been recorded whatever the lot had drawn. Unit and period effects are fitted
to it, and the residuals summed over the cells that were on are ranked among the same sum for every schedule
the lot could have drawn: the score of a Poisson model, with the lot and not the model as its yardstick.

Which cells are left out (the washout) depends on where switches could have come, never on which schedule was
drawn, so that every schedule is judged on the same cells.

Source: Fisher (1935), The Design of Experiments: the test follows from how the lot was drawn.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.crossover_fit import scaled

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DRAWS = 9_999
FEWEST_DRAWS = 999
ENUMERATE_UP_TO = 20_000
CELLS = 20_000_000  # draws × lots held at once: with very many lots fewer draws serve as well


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """A crossover by unit and period, as used.

    Attributes:
        counts: units × periods.
        on: The same, True where the project ran.
        block: The same, number of the block the lot was drawn in.
        drawn: What the lot decided: 'order' of on and off in each unit and block, or which of the 'areas'
            followed which schedule.
        kept: units × periods, False in the washout.
    """

    counts: Floats
    on: Bools
    block: NDArray[np.intp]
    drawn: Literal["order", "areas"]
    kept: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lots:
    """The schedules the lot could have drawn, as choices.

    Attributes:
        choice: draws × lots. Drawn 'order': 1 where a lot (a unit and block) is the other way round. Drawn
            'areas': for each block in turn, the unit whose schedule each unit takes.
        exact: True where every choice is here once.
        smallest_p: The smallest p-value they can give.
        possible: How many different schedules the lot could have drawn; inf where too many to count.
    """

    choice: NDArray[Any]
    exact: bool
    smallest_p: float
    possible: float


def cells_of_lots(trial: Trial) -> list[tuple[int, NDArray[np.intp]]]:
    """Each lot of a trial drawn by order: its unit, and its periods in order."""
    return [
        (unit, np.flatnonzero(trial.block[unit] == name))
        for unit in range(len(trial.on))
        for name in np.unique(trial.block[unit])
    ]


def lots_of(trial: Trial, *, seed: int, draws: int = DRAWS) -> Lots:
    """Every schedule the lot could have drawn where they are at most 20,000, otherwise so many draws.

    Args:
        trial: The trial.
        seed: Of the draws.
        draws: How many, where they are drawn.
    """
    rng = np.random.default_rng(seed)
    if trial.drawn == "order":
        lots = cells_of_lots(trial)
        equal = all(2 * int(trial.on[unit, cells].sum()) == len(cells) for unit, cells in lots)
        possible = 2.0 ** min(len(lots), 1_000)
        if possible <= ENUMERATE_UP_TO:
            every = np.array(list(itertools.product((0.0, 1.0), repeat=len(lots))))
            return Lots(
                choice=every, exact=True, smallest_p=(2 if equal else 1) / possible, possible=possible
            )
        draws = min(draws, max(FEWEST_DRAWS, CELLS // len(lots)))
        # Sums in full precision: in single, schedules as far out as the one drawn would miss it by rounding.
        choice = rng.integers(0, 2, size=(draws, len(lots)), dtype=np.int8).astype(np.float64)
        return Lots(choice=choice, exact=False, smallest_p=1 / (1 + draws), possible=possible)
    units, names = len(trial.on), np.unique(trial.block[0])
    possible, mirrored = 1.0, True
    for name in names:
        rows = [tuple(row) for row in trial.on[:, trial.block[0] == name].tolist()]
        times = Counter(rows)
        log_count = math.lgamma(units + 1) - sum(math.lgamma(many + 1) for many in times.values())
        possible *= math.exp(min(log_count, 600.0 / len(names)))
        mirrored &= all(times[tuple(not cell for cell in row)] == many for row, many in times.items())
    floor = (2 if mirrored else 1) / possible
    if math.factorial(min(units, 20)) ** len(names) <= ENUMERATE_UP_TO:
        one = [list(order) for order in itertools.permutations(range(units))]
        every = np.array(
            [list(itertools.chain(*parts)) for parts in itertools.product(one, repeat=len(names))]
        )
        return Lots(choice=every, exact=True, smallest_p=min(1.0, floor), possible=possible)
    draws = min(draws, max(FEWEST_DRAWS, CELLS // (units * len(names))))
    order = np.argsort(rng.random((draws, len(names), units)), axis=2)
    return Lots(
        choice=order.reshape(draws, -1),
        exact=False,
        smallest_p=min(1.0, max(floor, 1 / (1 + draws))),
        possible=possible,
    )


def scheduler(trial: Trial) -> Callable[[NDArray[Any]], Bools]:
    """A function from one choice of the lot to the schedule it gives: units × periods.

    Example:
        >>> on = np.array([[True, False], [False, True]])
        >>> trial = Trial(counts=np.ones((2, 2)), on=on, block=np.zeros((2, 2), dtype=int), drawn="order",
        ...               kept=np.ones((2, 2), dtype=bool))
        >>> scheduler(trial)(np.array([0, 1])).tolist()
        [[True, False], [True, False]]
    """
    if trial.drawn == "order":
        turned, lot = _turned(trial)
        return lambda choice: np.where(choice.astype(bool)[lot], turned, trial.on)
    units = len(trial.on)
    inside = [trial.block[0] == name for name in np.unique(trial.block[0])]

    def swapped(choice: NDArray[Any]) -> Bools:
        on = trial.on.copy()
        for number, columns in enumerate(inside):
            on[:, columns] = trial.on[choice[number * units : (number + 1) * units]][:, columns]
        return on

    return swapped


def residuals(trial: Trial, log_ratio: float) -> Floats:
    """What is left of the counts once a hypothesised effect and unit and period effects are taken out."""
    adjusted = np.where(trial.kept, trial.counts * np.where(trial.on, math.exp(-log_ratio), 1.0), 0.0)
    return adjusted - scaled(adjusted, trial.kept.astype(float))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossoverTest:
    """A test that can be asked about any hypothesised effect.

    Attributes:
        trial: The trial.
        lots: What the lot could have drawn.
        turned: units × periods: schedule with every lot the other way round, less the schedule as it fell.
        lot: units × periods: number of the lot each cell belongs to.
    """

    trial: Trial
    lots: Lots
    turned: Floats
    lot: NDArray[np.intp]

    def p_value(self, log_ratio: float) -> float:
        """Two-sided p-value of the hypothesis that on-periods changed by this log ratio."""
        observed, others = self._sums(residuals(self.trial, log_ratio))
        as_far = int((np.abs(others) >= abs(observed) * (1 - 1e-9) - 1e-12).sum())
        if self.lots.exact:
            return max(as_far, 1) / len(others)
        return max((1 + as_far) / (1 + len(others)), self.lots.smallest_p)

    def _sums(self, left: Floats) -> tuple[float, Floats]:
        """Residuals summed over cells that are on, less their mean over the lot: as it fell, as it could."""
        trial = self.trial
        if trial.drawn == "order":
            change = np.bincount(self.lot.ravel(), weights=(left * self.turned).ravel())
            middle = float(change.sum()) / 2
            sums: Floats = np.asarray(self.lots.choice @ change, dtype=np.float64)
            return -middle, sums - middle
        units = len(trial.on)
        others = np.zeros(len(self.lots.choice))
        observed = 0.0
        for number, name in enumerate(np.unique(trial.block[0])):
            columns = trial.block[0] == name
            pairs = left[:, columns] @ trial.on[:, columns].T.astype(float)
            observed += float(np.trace(pairs))
            taken = self.lots.choice[:, number * units : (number + 1) * units]
            others += pairs[np.arange(units)[None, :], taken].sum(axis=1)
        return observed, others


def crossover_test(trial: Trial, lots: Lots) -> CrossoverTest:
    """The test for a trial and what its lot could have drawn.

    Example:
        >>> on = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], dtype=bool)
        >>> counts = np.array([[5.0, 9], [8, 4], [3, 7], [9, 5]])
        >>> trial = Trial(counts=counts, on=on, block=np.zeros((4, 2), dtype=int), drawn="order",
        ...               kept=np.ones((4, 2), dtype=bool))
        >>> crossover_test(trial, lots_of(trial, seed=1)).p_value(0.0)
        0.125
    """
    turned, lot = _turned(trial)
    return CrossoverTest(trial=trial, lots=lots, turned=turned.astype(float) - trial.on, lot=lot)


def _turned(trial: Trial) -> tuple[Bools, NDArray[np.intp]]:
    """The schedule with every lot the other way round, and the lot of each cell."""
    turned = trial.on.copy()
    lot = np.zeros(trial.on.shape, dtype=np.intp)
    if trial.drawn == "order":
        for number, (unit, cells) in enumerate(cells_of_lots(trial)):
            turned[unit, cells] = trial.on[unit, cells[::-1]]
            lot[unit, cells] = number
    return turned, lot
