"""What a synthetic comparison rests on, for rules and reports: series, weights, fit and what to doubt.

Series are an index: 100 = the mean of the before window. Effects are log ratios of recorded over expected.
What could not be computed is None with the reason beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Donor:
    """One donor of the treated areas.

    Attributes:
        name: The area, the unit, or a clump of adjoining areas named after its first.
        areas: The areas it is made of.
        weight: Its share of the mixture; below zero only in the augmented comparison.
        without: The effect with this donor left out, log ratio; None where its weight is nothing, or it could
            not be computed.
    """

    name: str
    areas: tuple[str, ...]
    weight: float
    without: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How well the treated series was reproduced before the start.

    Attributes:
        rmspe: Root mean squared gap before, index points.
        typical: The middle of the same over placebo sets, each allowed what its level leads to; None without.
        p_value: Share of sets, the treated one included, that fit no better for their level; None without.
        smallest_p: The smallest it could be.
    """

    rmspe: float
    typical: float | None
    p_value: float | None
    smallest_p: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PretendedStart:
    """The effect 'found' with the start pretended to be earlier, from before periods alone.

    Attributes:
        start: First period that counts as after.
        value: Log ratio; None where it could not be computed.
        p_value: By rank among placebo sets; None without.
        smallest_p: The smallest it could be.
        why_missing: Why there is no value.
    """

    start: str | None = None
    value: float | None = None
    p_value: float | None = None
    smallest_p: float | None = None
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AsGoodWeights:
    """What other weights that fit nearly as well would have said.

    Attributes:
        low: The least effect, log ratio; None where such weights expect nothing.
        high: The greatest.
        slack: How much larger their gap before may be, in percent of the smallest.
        unique: Whether exactly one set of weights fits best.
    """

    low: float | None
    high: float | None
    slack: float
    unique: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SyntheticComparison:
    """The treated areas beside the mixture of donors that stands in for them.

    Attributes:
        kind: 'simplex', 'sdid' or 'augmented'.
        donor_word: What a donor is: 'areas', 'whole units', 'clumps of 10 adjoining areas'.
        possible: Donors there were to choose from; the nearest in level were mixed.
        periods: Periods used, before then after.
        before: How many of them lie before the start.
        recorded: Index of the treated areas by period.
        expected: Index of the mixture by period.
        incidents: Incidents recorded in the treated areas by period.
        donors: Those mixed, the heaviest first.
        effective: As many donors of equal weight would be as concentrated.
        fit: Before the start.
        as_good: None where the weights are the only ones by construction.
        in_time: The pretended start.
        placebo_gaps: sets × periods, index points: what the same comparison leaves where nothing was done.
    """

    kind: str
    donor_word: str
    possible: int
    periods: tuple[str, ...]
    before: int
    recorded: NDArray[np.float64]
    expected: NDArray[np.float64]
    incidents: NDArray[np.float64]
    donors: tuple[Donor, ...]
    effective: float
    fit: Fit
    as_good: AsGoodWeights | None
    in_time: PretendedStart
    placebo_gaps: NDArray[np.float64]

    @property
    def gaps(self) -> NDArray[np.float64]:
        """Recorded less expected by period, index points; below zero = fewer."""
        return self.recorded - self.expected

    @property
    def left_out(self) -> tuple[Donor, ...]:
        """Donors whose absence was tried."""
        return tuple(donor for donor in self.donors if donor.without is not None)
