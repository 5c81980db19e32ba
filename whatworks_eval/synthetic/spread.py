"""How far a set's mean gap strays when nothing is done, by its level: chance and shocks of its own.

    variance of the mean gap in incidents    shock · m² + chance · m      m incidents per period before

Chance counts for less the larger a unit is, shocks do not. A gap over this spread can be ranked among units
of other sizes; over its own before gap, it cannot: in 200 made-up nulls with 40 units the largest, ranked
among all by gap after over gap before, came out at p <= 0.10 in 28 %, over this spread in 14 %
(Monte Carlo error 2.4 points).

Both parts are fitted to what placebo sets of donors did, so that no hypothesis about the treated moves them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whatworks_eval.synthetic.fitted import Floats

FEWEST_SETS = 10  # below this the two parts are not told apart
ROUNDS = 6
SMALLEST = 0.5  # incidents per period, for a unit that had none
SHARE = 1e-9  # of the variance, that shocks make up at least


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadByLevel:
    """The two parts of the variance of a mean gap.

    Attributes:
        shock: Per squared incident.
        chance: Per incident.
    """

    shock: float
    chance: float

    def of(self, incidents: Floats) -> Floats:
        """Spread in incidents per period of sets with these incidents per period before the start.

        Example:
            >>> SpreadByLevel(shock=0.01, chance=1.0).of(np.array([100.0])).round(3).tolist()
            [14.142]
        """
        m = np.maximum(incidents, SMALLEST)
        found: Floats = np.sqrt(self.shock * m**2 + self.chance * m)
        return found


def fit_spread(gaps: Floats, incidents: Floats) -> SpreadByLevel:
    """The parts that fit the squared gaps of placebo sets, each weighed by what it should vary by.

    With fewer than 10 sets, or gaps of nothing, the two parts are set equal at the middle level.

    Args:
        gaps: Mean gap of each placebo set, incidents per period.
        incidents: Incidents per period of each before the start.

    Example:
        >>> m = np.repeat([10.0, 100.0, 1_000.0], 8)
        >>> found = fit_spread(np.sqrt(0.01 * m**2 + 2 * m), m)
        >>> round(found.shock, 4), round(found.chance, 4)
        (0.01, 2.0)
    """
    from scipy.optimize import nnls

    m = np.maximum(incidents, SMALLEST)
    squares = (gaps / m) ** 2
    middle = float(np.median(m))
    if len(m) < FEWEST_SETS or squares.sum() <= 0:
        return SpreadByLevel(shock=1 / middle, chance=1.0)
    shock, chance = 1 / middle, 1.0
    for _ in range(ROUNDS):
        weight = 1 / (shock + chance / m)
        (shock, chance), _ = nnls(np.column_stack([weight, weight / m]), squares * weight)
        if shock + chance <= 0:
            return SpreadByLevel(shock=1 / middle, chance=1.0)
        shock = max(float(shock), SHARE * float(chance) / middle)
    return SpreadByLevel(shock=float(shock), chance=float(chance))
