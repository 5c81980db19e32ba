"""Synthetic difference-in-differences: donors weighted, before periods weighted, a level difference allowed.

    omega   minimises  Σ over before periods (a + Σ ω·donor - treated)² + zeta²·T0·Σ ω²,  ω on the simplex
    lambda  minimises  Σ over donors (b + Σ λ·before period - mean after)² + (1e-6·sd)²·N0·Σ λ²
    effect  (treated after - treated before by λ) - (donors by ω after - donors by ω before by λ)
    zeta    (treated units × after periods)^(1/4) · sd,  sd of the donors' first differences before the start

Both problems are solved exactly. The authors' package stops a Frank-Wolfe search early, so that its digits
differ a little: on California's tobacco programme -15.6038 against the optimum's -15.6054.
`solver="frank-wolfe"` repeats their search.

Source: Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), American Economic Review 111:4088-4118;
defaults as in the authors' synthdid package.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from whatworks_eval.synthetic.fitted import Floats, Synthetic, checked
from whatworks_eval.synthetic.frank_wolfe import frank_wolfe
from whatworks_eval.synthetic.simplex import mixture

Solver = Literal["exact", "frank-wolfe"]
ETA_TIME = 1e-6


def noise_level(donors: Floats, before: int) -> float:
    """Standard deviation of the donors' changes from one before period to the next, in their unit.

    Example:
        >>> noise_level(np.array([[1.0, 2.0, 5.0, 9.0], [4.0, 4.0, 4.0, 9.0]]), 3)
        1.4142135623730951
    """
    return float(np.diff(donors[:, :before], axis=1).std(ddof=1)) if before * len(donors) > 3 else 0.0


def sdid(
    treated: Floats, donors: Floats, before: int, *, treated_units: int = 1, solver: Solver = "exact"
) -> Synthetic:
    """The treated series beside weighted donors moved to its own weighted level before the start.

    Args:
        treated: By period: one area's series, or the mean of several.
        donors: Donors × periods.
        before: Periods before the start.
        treated_units: How many areas the treated series is the mean of; it enters the ridge.
        solver: 'exact', or 'frank-wolfe' as the authors' package searches and stops.

    Raises:
        CannotEstimate: See `checked`.

    Source: Arkhangelsky et al. (2021), AER 111:4088-4118, algorithm 1.

    Example:
        >>> donors = np.array([[1.0, 3, 2, 4], [2.0, 2, 5, 5], [0.0, 1, 0, 3]])
        >>> fit = sdid(np.array([11.0, 13, 12, 10]), donors, 3)
        >>> other = sdid(np.array([11.0, 13, 12, 10]) + 100, donors, 3)
        >>> round(fit.effect - other.effect, 9)
        0.0
    """
    own, others = checked(treated, donors, before)
    noise = noise_level(others, before)
    first, after = others[:, :before], others[:, before:]
    zeta = (treated_units * after.shape[1]) ** 0.25 * noise
    omega = _weights(first.T, own[:before], zeta, noise, solver)
    time = _weights(first, after.mean(axis=1), ETA_TIME * noise, noise, solver)
    mixed = omega @ others
    intercept = float((own[:before] - mixed[:before]) @ time)
    return Synthetic(
        method="sdid",
        weights=omega,
        time_weights=time,
        intercept=intercept,
        treated=own,
        expected=mixed + intercept,
        before=before,
    )


def _weights(columns: Floats, target: Floats, zeta: float, noise: float, solver: Solver) -> Floats:
    """Weights on the simplex for columns and target with their means taken out (an intercept)."""
    centred, aim = columns - columns.mean(axis=0), target - target.mean()
    if solver == "frank-wolfe":
        return frank_wolfe(centred, aim, zeta=zeta, least_gain=1e-5 * noise)
    return mixture(centred, aim, ridge=len(columns) * zeta**2).weights
