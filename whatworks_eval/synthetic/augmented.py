"""Ridge-augmented synthetic control: what the mixture could not fit before the start is allowed for after it.

    weights  v = w + (treated - Σ w·donor) (X'X + penalty·I)^-1 X'     X donors × before periods, means out

with w the simplex weights. A heavy penalty leaves w as it is, a light one fits the before window exactly,
with weights below zero where need be: it then extrapolates beyond the donors. The penalty is the largest
whose error in leaving out one before period at a time is within one standard error of the smallest.

Source: Ben-Michael, Feller and Rothstein (2021), JASA 116:1789-1803; grid of penalties and choice among them
as in the authors' augsynth package: 20 steps to 1e-8 of the largest, one period left out, one standard error.
"""

from __future__ import annotations

import numpy as np

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.synthetic.fitted import Floats, Synthetic, checked
from whatworks_eval.synthetic.simplex import mixture

PENALTIES = 20
SMALLEST_PENALTY = 1e-8  # of the largest, which is the largest squared singular value of X
FEWEST_TO_CHOOSE = 4  # before periods, below which leaving one out says little


def augmented(treated: Floats, donors: Floats, before: int, *, penalty: float | None = None) -> Synthetic:
    """The treated series beside donors whose mixture was corrected by ridge regression.

    Args:
        treated: By period: one area's series, or the mean of several.
        donors: Donors × periods.
        before: Periods before the start.
        penalty: Of the ridge, squared unit of the series; None chooses it from the before window alone.

    Raises:
        CannotEstimate: See `checked`; or too few before periods to choose the penalty from; or one not
            above zero.

    Source: Ben-Michael, Feller and Rothstein (2021), JASA 116:1789-1803.

    Example:
        >>> donors = np.array([[10.0, 20, 10, 20], [30.0, 20, 30, 20], [12.0, 12, 14, 14]])
        >>> treated = np.array([20.0, 25, 15, 15])
        >>> fit = augmented(treated, donors, 2, penalty=1e-6)
        >>> round(fit.rmspe_before, 4), bool(fit.weights.min() < 0)
        (0.0, True)
    """
    own, others = checked(treated, donors, before)
    if penalty is not None and penalty <= 0:
        raise CannotEstimate(f"a penalty of {penalty:g}: it must be above zero")
    if penalty is None:
        if before < FEWEST_TO_CHOOSE:
            raise CannotEstimate(
                f"{before} before periods: the penalty is chosen by leaving one out, which takes "
                f"{FEWEST_TO_CHOOSE}; give a penalty or use the simplex comparison"
            )
        penalty = chosen_penalty(own[:before], others[:, :before])
    weights = _weights(own[:before], others[:, :before], np.array([penalty]))[0]
    return Synthetic(
        method="augmented",
        weights=weights,
        time_weights=np.empty(0),
        intercept=0.0,
        treated=own,
        expected=weights @ others,
        before=before,
    )


def chosen_penalty(treated: Floats, donors: Floats) -> float:
    """The largest penalty within one standard error of the smallest left-out error; squared unit.

    Args:
        treated: Before periods.
        donors: Donors × before periods.

    Example:
        >>> donors = np.array([[1.0, 2, 1, 3, 2], [5.0, 4, 6, 4, 5], [9.0, 8, 7, 9, 8]])
        >>> float(round(chosen_penalty(donors.mean(axis=0), donors), 3))
        104.122
    """
    centred = donors - donors.mean(axis=0)
    largest = float(np.linalg.svd(centred, compute_uv=False)[0] ** 2)
    if largest == 0:  # donors all alike: any penalty leaves the mixture as it is
        return 1.0
    penalties = largest * SMALLEST_PENALTY ** (np.arange(PENALTIES + 1) / PENALTIES)
    periods = np.arange(len(treated))
    squares = np.empty((len(periods), len(penalties)))
    for period in periods:
        rest = periods != period
        weights = _weights(treated[rest], donors[:, rest], penalties)
        squares[period] = (treated[period] - weights @ donors[:, period]) ** 2
    errors = squares.mean(axis=0)
    best = int(np.argmin(errors))
    allowed = errors[best] + squares[:, best].std(ddof=1) / np.sqrt(len(periods))
    return float(penalties[errors <= allowed].max())


def _weights(treated: Floats, donors: Floats, penalties: Floats) -> Floats:
    """Penalties × donors: corrected weights for each penalty, adding up to 1 as the simplex weights do."""
    plain = mixture(donors.T, treated).weights
    left, values, right = np.linalg.svd(donors - donors.mean(axis=0), full_matrices=False)
    short = right @ (treated - plain @ donors)
    found: Floats = plain + (short * values / (values**2 + penalties[:, None])) @ left.T
    return found
