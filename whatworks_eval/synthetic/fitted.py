"""What every synthetic comparison returns: the weights, the expected series, and the gap to it by period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate

Floats = NDArray[np.float64]

FEWEST_BEFORE = 2  # periods; one point is fitted by nearly any weights
FEWEST_DONORS = 2
# A before gap is never taken as smaller than this share of the level when gaps are divided by it: weights
# that fit exactly fit the noise too, and dividing by nothing would rank units by rounding.
SMALLEST_GAP = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Synthetic:
    """A treated series beside the weighted donors that stand in for it.

    Attributes:
        method: 'simplex', 'sdid' or 'augmented'.
        weights: One for each donor, adding up to 1; below zero only in the augmented comparison.
        time_weights: One for each before period, adding up to 1; empty where periods are not weighted.
        intercept: Added to the weighted donors at every period, in the unit of the series; 0 without one.
        treated: The treated series by period.
        expected: Weighted donors plus intercept by period, the same unit.
        before: How many periods lie before the start.
    """

    method: str
    weights: Floats
    time_weights: Floats
    intercept: float
    treated: Floats
    expected: Floats
    before: int

    @property
    def gaps(self) -> Floats:
        """Treated less expected by period; negative = fewer."""
        return self.treated - self.expected

    @property
    def effect(self) -> float:
        """Mean gap after the start, in the unit of the series; negative = fewer."""
        return float(self.gaps[self.before :].mean())

    @property
    def ratio(self) -> float | None:
        """Treated over expected after the start; None where nothing above zero was expected."""
        expected = float(self.expected[self.before :].sum())
        return float(self.treated[self.before :].sum()) / expected if expected > 0 else None

    @property
    def level(self) -> float:
        """Mean size of the treated series before the start."""
        return float(np.abs(self.treated[: self.before]).mean())

    @property
    def rmspe_before(self) -> float:
        """Root mean squared gap before the start, in the unit of the series."""
        return float(np.sqrt((self.gaps[: self.before] ** 2).mean()))

    @property
    def rmspe_after(self) -> float:
        """Root mean squared gap after the start, in the unit of the series."""
        return float(np.sqrt((self.gaps[self.before :] ** 2).mean()))

    @property
    def spread(self) -> float:
        """What gaps are divided by when units are ranked: the gap before, at least 0.1 % of the level."""
        return max(self.rmspe_before, SMALLEST_GAP * self.level)


Estimator = Callable[[Floats, Floats, int], Synthetic]
"""Treated series (periods), donors (donors × periods) and the number of before periods in, a fit out."""


def checked(treated: Floats, donors: Floats, before: int) -> tuple[Floats, Floats]:
    """Both as arrays of floats, once shapes fit and every value is a number.

    Raises:
        CannotEstimate: Too few donors or periods, shapes that do not fit, or a missing value; all at once.

    Example:
        >>> checked(np.ones(3), np.ones((2, 3)), 2)[1].shape
        (2, 3)
    """
    own, others = np.asarray(treated, dtype=np.float64), np.asarray(donors, dtype=np.float64)
    problems = []
    if own.ndim != 1 or others.ndim != 2 or others.shape[1] != len(own):
        raise CannotEstimate(
            f"the treated series has shape {own.shape}, the donors {others.shape}: "
            "give periods, and donors × the same periods"
        )
    if len(others) < FEWEST_DONORS:
        problems.append(f"{len(others)} donors: a synthetic comparison needs at least {FEWEST_DONORS}")
    if not FEWEST_BEFORE <= before < len(own):
        problems.append(
            f"{before} before periods of {len(own)}: at least {FEWEST_BEFORE} before and one after are needed"
        )
    if not (np.isfinite(own).all() and np.isfinite(others).all()):
        problems.append("a series has a missing value: leave that period, or that donor, out")
    if problems:
        raise CannotEstimate(problems)
    return own, others
