"""From incidents prevented to pounds: one formula, for central value, draws and tornado alike.

    benefit = (prevented + prevented in the buffer) × additionality × (1 - optimism bias)
              × worth of time × sum over costed offences of share × multiplier × pounds a crime

Optimism bias is taken off a gain alone: of a loss it would leave less than was found.

`worth of time` turns incidents of the after window into discounted ones, those of the persistence included:
the mean discount factor over the window, plus the discounted months after it over the months in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.economics.discounting import discounted_months
from whatworks_eval.economics_keys import Additionality

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clock:
    """When benefits arise, and what that does to their worth.

    Attributes:
        worth: Discounted months from the start to each month after it.
        declared: Months of the after window as declared.
        used: Months of it as used: what the number prevented was counted over.
    """

    worth: Numbers
    declared: float
    used: float

    def factor(self, persistence: Numbers | float) -> Numbers:
        """Discounted incidents for each one prevented in the after window."""
        after = self._at(self.declared)
        beyond = self._at(self.declared + np.asarray(persistence, dtype=float)) - after
        return np.asarray(after / self.declared + beyond / self.used)

    def undiscounted(self, persistence: Numbers | float) -> Numbers:
        """Incidents for each one prevented in the after window."""
        return 1.0 + np.asarray(persistence, dtype=float) / self.used

    def cumulative(self, persistence: float) -> tuple[Numbers, Numbers]:
        """Months from the start, and discounted incidents by then for each one prevented in the window."""
        months = np.append(np.arange(0.0, self.declared + persistence), self.declared + persistence)
        inside = self._at(np.minimum(months, self.declared)) / self.declared
        beyond = (self._at(months) - self._at(np.minimum(months, self.declared))) / self.used
        return months, inside + beyond

    def _at(self, months: Numbers | float) -> Numbers:
        return np.asarray(np.interp(months, np.arange(len(self.worth)), self.worth))


def clock_of(*, start: date, base_year: str, declared: float, used: float, longest: float) -> Clock:
    """When benefits arise, from the first day of the after window to the longest persistence tried.

    Example:
        >>> found = clock_of(start=date(2019, 4, 1), base_year="2019-20", declared=12, used=12, longest=12)
        >>> found.factor(0.0).tolist(), round(float(found.factor(12.0)), 6)
        (1.0, 1.966184)
    """
    months = math.ceil(declared + longest) + 1
    worth = discounted_months(start, base_year, months)
    return Clock(worth=worth, declared=declared, used=used)


def additionality_factor(additionality: Additionality | None) -> float:
    """The share of the effect that is a gain: the product of what is left after each loss.

    Source: HM Treasury, The Green Book; English Partnerships, Additionality Guide, gross × (1 - deadweight) ×
    (1 - displacement) × (1 - leakage) × (1 - substitution).

    Example:
        >>> additionality_factor(Additionality(displacement_percent=20.0, leakage_percent=10.0, source="x"))
        0.7200000000000001
    """
    if additionality is None:
        return 1.0
    return math.prod(
        1 - percent / 100
        for percent in (
            additionality.deadweight_percent,
            additionality.displacement_percent,
            additionality.leakage_percent,
            additionality.substitution_percent,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inputs:
    """Everything the formula takes, central values or draws; arrays of draws broadcast with single values.

    Attributes:
        prevented: Recorded incidents prevented over the after window.
        buffer: The same in the buffer; zero where it is not counted.
        persistence: Months after the window.
        pounds: For each costed offence, pounds a crime in one year's prices.
        multipliers: For each, actual crimes a recorded one.
    """

    prevented: Numbers | float
    buffer: Numbers | float
    persistence: Numbers | float
    pounds: Sequence[Numbers | float]
    multipliers: Sequence[Numbers | float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Formula:
    """What is held fixed.

    Attributes:
        clock: When benefits arise.
        kept: Additionality: the share of the effect that the project made.
        hoped: 1 - optimism bias: taken off incidents prevented, never off more than were expected.
        shares: For each costed offence, its share of the incidents prevented.
    """

    clock: Clock
    kept: float
    hoped: float
    shares: tuple[float, ...]

    def gain(self, inputs: Inputs) -> Numbers:
        """Recorded incidents prevented in the after window that are a gain of the project."""
        incidents = (np.asarray(inputs.prevented) + np.asarray(inputs.buffer)) * self.kept
        return np.asarray(np.where(incidents > 0, incidents * self.hoped, incidents))

    def lines(self, inputs: Inputs) -> list[Numbers]:
        """Present value for each costed offence, in pounds."""
        worth = self.gain(inputs) * self.clock.factor(inputs.persistence)
        return [
            np.asarray(worth * share * np.asarray(times) * np.asarray(gbp))
            for share, times, gbp in zip(self.shares, inputs.multipliers, inputs.pounds, strict=True)
        ]

    def benefit(self, inputs: Inputs) -> Numbers:
        """Present value of all of them, in pounds."""
        return np.asarray(sum(self.lines(inputs), start=np.asarray(0.0)))
