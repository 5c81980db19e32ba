"""Outcome-only synthetic control: the mixture of donors nearest to the treated series before the start.

    minimise  mean over before periods of (treated - Σ w·donor)² + ridge·Σ w²
    over      w >= 0, Σ w = 1

The nearest point of a polytope, found exactly: with p = donor - treated as columns of P,
non-negative least squares on  [P; 1] u = [0; 1]  has w = u / Σ u as its answer, since the best sum s of u
for given w leaves |Pw|² / (1 + |Pw|²), which rises with |Pw|².

Source: Abadie, Diamond and Hainmueller (2010), JASA 105:493-505, without covariates; Lawson and Hanson
(1974), Solving Least Squares Problems, chapter 23, for the nearest point as non-negative least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.synthetic.fitted import Floats, Synthetic, checked

TIE_RIDGE = 1e-5  # of the scale of the data: breaks ties among weights that fit equally well, and no more
CLOSE = 1e-7  # of the data's scale, squared: a donor this near to being used counts as possible
STEPS = 50  # times the number of donors, before the solver is said not to have settled


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mixture:
    """Weights on the simplex, and whether others fit as well.

    Attributes:
        weights: One for each column, at least 0, adding up to 1.
        unique: Whether no other weights fit exactly as well. Where others do, these are the most even.
        shortfall: How far from the optimum at most, as a share of the mean square of the columns.
    """

    weights: Floats
    unique: bool
    shortfall: float


def mixture(columns: Floats, target: Floats, *, ridge: float = 0.0) -> Mixture:
    """The mixture of columns nearest to the target, exactly.

    Args:
        columns: Rows × columns.
        target: Rows.
        ridge: Added to the sum of squares, times the sum of squared weights; squared unit of the columns.

    Raises:
        CannotEstimate: The solver did not settle.

    Example:
        >>> mixture(np.array([[0.0, 4.0]]), np.array([1.0])).weights.round(6).tolist()
        [0.75, 0.25]
        >>> mixture(np.array([[2.0, 4.0], [2.0, 4.0]]), np.array([1.0, 1.0])).weights.tolist()
        [1.0, 0.0]
    """
    points = columns - target[:, None]
    scale = float(np.sqrt((points**2).sum(axis=0).mean()))
    if scale == 0:  # every column is the target
        return Mixture(
            weights=np.full(columns.shape[1], 1 / columns.shape[1]),
            unique=columns.shape[1] == 1,
            shortfall=0.0,
        )
    points = points / scale
    size = points.shape[1]
    if ridge > 0:
        points = np.vstack([points, np.sqrt(ridge) / scale * np.eye(size)])
        return Mixture(weights=(found := nearest(points)), unique=True, shortfall=_shortfall(points, found))
    weights = nearest(points)
    reached = points @ weights
    possible = points.T @ reached <= reached @ reached + CLOSE
    face = np.vstack([points[:, possible], np.ones(int(possible.sum()))])
    unique = bool(np.linalg.matrix_rank(face, tol=1e-9 * np.sqrt(size)) == face.shape[1])
    if not unique:
        weights = nearest(np.vstack([points, TIE_RIDGE * np.eye(size)]))
    return Mixture(weights=weights, unique=unique, shortfall=_shortfall(points, weights))


def nearest(points: Floats) -> Floats:
    """Weights of the point nearest to the origin among all mixtures of the columns."""
    from scipy.optimize import nnls

    # The row of ones is set to the size of the answer, so that neither part drowns the other.
    size = points.shape[1]
    one = max(float(np.linalg.norm(points.mean(axis=1))), 1e-3)
    rows = np.vstack([points, np.full(size, one)])
    try:
        found, _ = nnls(rows, np.concatenate([np.zeros(len(points)), [one]]), maxiter=STEPS * size)
    except RuntimeError as error:
        raise CannotEstimate(f"the weights of {size} donors did not settle; use fewer donors") from error
    weights: Floats = found / found.sum()
    return weights


def _shortfall(points: Floats, weights: Floats) -> float:
    """Bound on the squared distance still to be gained: zero at the optimum (Wolfe's condition)."""
    reached = points @ weights
    return max(0.0, float(reached @ reached - (points.T @ reached).min()))


def simplex(treated: Floats, donors: Floats, before: int) -> Synthetic:
    """The treated series beside the mixture of donors that was nearest to it before the start.

    Args:
        treated: By period: one area's series, or the mean or total of several on the donors' scale.
        donors: Donors × periods.
        before: Periods before the start.

    Raises:
        CannotEstimate: See `checked`.

    Source: Abadie, Diamond and Hainmueller (2010), JASA 105:493-505.

    Example:
        >>> donors = np.array([[10.0, 20, 10, 20], [30.0, 20, 30, 20]])
        >>> fit = simplex(np.array([20.0, 20, 15, 15]), donors, 2)
        >>> fit.weights.round(6).tolist(), round(fit.effect, 6)
        ([0.5, 0.5], -5.0)
    """
    own, others = checked(treated, donors, before)
    weights = mixture(others[:, :before].T, own[:before]).weights
    return Synthetic(
        method="simplex",
        weights=weights,
        time_weights=np.empty(0),
        intercept=0.0,
        treated=own,
        expected=weights @ others,
        before=before,
    )
