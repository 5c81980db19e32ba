"""What to doubt in a synthetic comparison: fit, few donors and one donor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.synthetic.fitted import (
    FEWEST_DONORS,
    Estimator,
    Floats,
    Synthetic,
    checked,
)

USED = 1e-6  # a weight below this changes nothing that is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class FitQuality:
    """How well the treated series was reproduced before the start, and by how many donors.

    Attributes:
        rmspe: Root mean squared gap before the start, in the unit of the series.
        share_of_level: The same over the mean size of the treated series there; None where that is 0.
        effective_donors: 1 / Σ w²: as many equal weights would be as concentrated.
        effective_periods: The same of the weights of before periods; None where they are not weighted.
        used: Donors with a weight that counts.
        largest_weight: Of one donor.
        largest_donor: Its position among the donors.
        negative: Sum of the weights below zero; beyond what donors did where it is not 0.
    """

    rmspe: float
    share_of_level: float | None
    effective_donors: float
    effective_periods: float | None
    used: int
    largest_weight: float
    largest_donor: int
    negative: float


def fit_quality(fit: Synthetic) -> FitQuality:
    """How well the treated series was reproduced before the start, and by how many donors.

    Example:
        >>> from whatworks_eval.synthetic.simplex import simplex
        >>> donors = np.array([[10.0, 20, 10, 20], [30.0, 20, 30, 20]])
        >>> found = fit_quality(simplex(np.array([20.0, 20, 15, 15]), donors, 2))
        >>> round(found.effective_donors, 6), round(found.rmspe, 6)
        (2.0, 0.0)
    """
    largest = int(np.argmax(fit.weights))
    return FitQuality(
        rmspe=fit.rmspe_before,
        share_of_level=fit.rmspe_before / fit.level if fit.level > 0 else None,
        effective_donors=1 / float(fit.weights @ fit.weights),
        effective_periods=1 / float(fit.time_weights @ fit.time_weights) if fit.time_weights.size else None,
        used=int((np.abs(fit.weights) > USED).sum()),
        largest_weight=float(fit.weights[largest]),
        largest_donor=largest,
        negative=float(np.minimum(fit.weights, 0).sum()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutOne:
    """The effect without one donor.

    Attributes:
        donor: Its position among the donors.
        weight: What it had.
        effect: Mean gap after the start without it, in the unit of the series.
        rmspe: Root mean squared gap before the start without it.
    """

    donor: int
    weight: float
    effect: float
    rmspe: float


def leave_one_out(
    treated: Floats, donors: Floats, before: int, estimator: Estimator
) -> tuple[WithoutOne, ...]:
    """The effect without each donor that counts, in the order of the donors.

    Raises:
        CannotEstimate: See `checked`; or no donor can be spared.

    Example:
        >>> from whatworks_eval.synthetic.simplex import simplex
        >>> donors = np.array([[10.0, 20, 10, 20], [30.0, 20, 30, 20], [20.0, 20, 40, 40]])
        >>> found = leave_one_out(np.array([15.0, 20, 15, 15]), donors, 2, simplex)
        >>> [(one.donor, round(one.effect, 3)) for one in found]
        [(0, -25.0), (1, -12.5), (2, -2.5)]
    """
    own, others = checked(treated, donors, before)
    if len(others) <= FEWEST_DONORS:
        raise CannotEstimate(f"{len(others)} donors: none can be left out; add donors")
    weights = estimator(own, others, before).weights
    found = []
    for donor in np.flatnonzero(np.abs(weights) > USED):
        fit = estimator(own, np.delete(others, donor, axis=0), before)
        found.append(
            WithoutOne(
                donor=int(donor), weight=float(weights[donor]), effect=fit.effect, rmspe=fit.rmspe_before
            )
        )
    return tuple(found)
