"""How likely each area was to be chosen, given what was known beforehand: a logit, or why there is none."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate, DataError

Floats = NDArray[np.float64]
MAX_STEPS = 100
SUSPECT = 12.0
"""Log odds (6 in a million) beyond which a fit is tested for separation before it is believed."""
ROOM = 1e-7  # of a separating direction: what HiGHS leaves as zero


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Propensity:
    """A fitted propensity score.

    Attributes:
        names: 'const', then the features.
        coefficients: Log odds per unit of each.
        probability: Of being treated, by area.
        logit: Its log odds, by area: what distances are measured on.
    """

    names: tuple[str, ...]
    coefficients: Floats
    probability: Floats
    logit: Floats


def propensity(features: Floats, treated: NDArray[np.bool_], names: Sequence[str]) -> Propensity:
    """The chance of being treated given the features, by maximum likelihood.

    Args:
        features: Areas × k, all known; only areas that are treated or may be chosen.
        treated: True for treated areas.
        names: Of the features.

    Raises:
        DataError: Where a feature does not vary or follows from the others.
        CannotEstimate: Where features tell treated from untreated areas without error, so that no chance
            between 0 and 1 fits, or the fit did not converge.

    Source: Rosenbaum and Rubin 1983, Biometrika 70(1), 41-55; separation: Albert and Anderson 1984,
        Biometrika 71(1), 1-10, found by linear programming as in Konis 2007 (doctoral thesis, Oxford).

    Example:
        >>> values = np.array([[1.0], [2.0], [3.0], [2.0], [3.0], [4.0]])
        >>> arms = np.array([False, False, False, True, True, True])
        >>> propensity(values, arms, ["score"]).probability.round(3).tolist()
        [0.111, 0.333, 0.667, 0.333, 0.667, 0.889]
    """
    from statsmodels.discrete.discrete_model import Logit

    middle, spread = features.mean(axis=0), features.std(axis=0)
    still = [names[at] for at in np.flatnonzero(np.ptp(features, axis=0) == 0).tolist()]
    if still:
        raise DataError(f"matching.on: {one} is the same in every area; take it out" for one in still)
    standard = np.column_stack([np.ones(len(features)), (features - middle) / spread])
    if np.linalg.matrix_rank(standard) < standard.shape[1]:
        raise DataError(
            f"matching.on: of {', '.join(names)}, at least one follows from the others; take one out"
        )
    chosen = treated.astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # judged below, whatever filters statsmodels left behind
        try:
            fit = Logit(chosen, standard).fit(disp=0, maxiter=MAX_STEPS)
            slopes, converged = np.asarray(fit.params, dtype=float), bool(fit.mle_retvals["converged"])
        except np.linalg.LinAlgError:
            slopes, converged = np.full(standard.shape[1], np.nan), False
    odds = standard @ slopes
    suspect = not converged or not np.isfinite(odds).all() or bool(np.abs(odds).max() > SUSPECT)
    if suspect:
        telling = _separating(standard, chosen)
        if telling is not None:
            which = ", ".join(names[at - 1] for at in telling if at > 0) or "the features together"
            raise CannotEstimate(
                f"matching.distance = 'propensity': {which} tell treated from untreated areas without "
                "error, so no propensity score can be fitted. Use fewer or coarser features, or the "
                "'mahalanobis' or 'robust' distance; areas told apart without error may have no like to be "
                "compared with"
            )
        if not converged or not np.isfinite(odds).all():
            raise CannotEstimate(
                f"matching.distance = 'propensity': the fit did not settle in {MAX_STEPS} steps; use fewer "
                "features, or the 'mahalanobis' or 'robust' distance"
            )
    per_unit = slopes[1:] / spread
    return Propensity(
        names=("const", *names),
        coefficients=np.concatenate([[slopes[0] - per_unit @ middle], per_unit]),
        probability=1.0 / (1.0 + np.exp(-odds)),
        logit=odds,
    )


def _separating(standard: Floats, chosen: Floats) -> list[int] | None:
    """Columns of a direction in which no treated area lies below an untreated one; None without one."""
    from scipy.optimize import linprog

    signed = standard * (2.0 * chosen - 1.0)[:, None]
    found = linprog(-signed.mean(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1.0, 1.0))
    if found.status != 0 or found.x is None or -float(found.fun or 0.0) < ROOM:
        return None
    size = np.abs(found.x[1:])
    return [int(at) + 1 for at in np.flatnonzero(size > 1e-6 * max(float(size.max(initial=0.0)), 1e-12))]
