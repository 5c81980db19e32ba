"""How far areas are apart in what was known beforehand: each a place in a space measured in SDs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.matching.features import in_words

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
COLLINEAR = 1e-10  # smallest eigenvalue of a correlation matrix that is not rounding error
LOADING = 0.1  # of a feature in the combination that does not vary


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Positions:
    """Where each area lies, so that a plain (Euclidean) distance is in standard deviations.

    Attributes:
        at: Areas × dimensions. A distance of 1 is one standard deviation: of the score where there is one;
            otherwise the root mean square over the features, taken as uncorrelated.
        hardest: By area: who is matched first where areas compete; the higher, the further from the pool.
        name: Of the distance, in words.
    """

    at: Floats
    hardest: Floats
    name: str


def mahalanobis(features: Floats, pool: Bools, names: Sequence[str]) -> Positions:
    """Positions whose distances are Mahalanobis distances under the pool's covariance, over root k.

    Divided by the root of the number of features, so that a caliper means the same whatever their number.

    Args:
        features: Areas × k, all known.
        pool: True for areas that may be chosen.
        names: Of the features, for messages.

    Raises:
        DataError: Where a feature does not vary in the pool, or features say the same thing.

    Source: Rubin 1980, Biometrics 36(2), 293-298.

    Example:
        >>> found = mahalanobis(np.array([[1.0], [2], [3], [5]]), np.array([True, True, True, False]), "x")
        >>> float(found.at[3, 0] - found.at[2, 0])
        2.0
    """
    return _whitened(features, pool, names, "Mahalanobis distance", pool)


def robust_mahalanobis(features: Floats, pool: Bools, names: Sequence[str]) -> Positions:
    """Positions by Mahalanobis distance of ranks, which an outlier cannot blunt nor a rare value rule.

    Features are replaced by their ranks over all areas (ties share the mean rank), and the ranks' covariance
    over all areas is scaled so that each has the variance of untied ranks.

    Args:
        features: Areas × k, all known.
        pool: True for areas that may be chosen.
        names: Of the features, for messages.

    Raises:
        DataError: Where a feature does not vary, or features say the same thing.

    Source: Rosenbaum 2010, Design of Observational Studies, section 8.3.

    Example:
        >>> values = np.array([[1.0], [2.0], [3.0], [4.0], [1000.0]])
        >>> found = robust_mahalanobis(values, np.array([True, True, True, True, False]), "x")
        >>> bool(np.isclose(found.at[4, 0] - found.at[3, 0], found.at[1, 0] - found.at[0, 0]))
        True
    """
    from scipy.stats import rankdata

    ranks = rankdata(features, axis=0).astype(float)
    everyone = np.ones(len(features), dtype=bool)
    untied = float(np.sqrt(len(ranks) * (len(ranks) + 1) / 12.0))
    return _whitened(ranks, everyone, names, "robust (rank) Mahalanobis distance", pool, deviation=untied)


def score_difference(score: Floats, treated: Bools, pool: Bools, name: str) -> Positions:
    """Positions on one score, in pooled standard deviations: the root of the mean variance of the two arms.

    With fewer than two treated areas, the pool's alone.

    Args:
        score: By area, all known.
        treated: True for treated areas.
        pool: True for areas that may be chosen.
        name: Of the score.

    Raises:
        DataError: Where the score does not vary.

    Source: Rosenbaum and Rubin 1985, The American Statistician 39(1), 33-38.

    Example:
        >>> arms = np.array([True, False, False, False])
        >>> score_difference(np.array([4.0, 1, 2, 3]), arms, ~arms, "score").at.ravel().tolist()
        [4.0, 1.0, 2.0, 3.0]
    """
    parts = [float(np.var(score[arm], ddof=1)) for arm in (treated, pool) if arm.sum() > 1]
    spread = float(np.sqrt(np.mean(parts))) if parts else 0.0
    if not spread > 0:
        raise DataError(f"matching.on: {name} is the same in every area, so it cannot tell areas apart")
    return Positions(
        at=(score / spread)[:, None],
        hardest=np.abs(score - score[pool].mean()) / spread,
        name=f"difference in {in_words(name)}",
    )


def _whitened(
    values: Floats,
    spread_of: Bools,
    names: Sequence[str],
    name: str,
    pool: Bools,
    *,
    deviation: float | None = None,
) -> Positions:
    """Standardised, turned so that nothing is correlated, and divided by the root of the number of features.

    A deviation given stands in for the features' own: tied ranks vary less than untied ones, and dividing by
    what they do vary would make a rare value of a yes-or-no feature outweigh all else.
    """
    inside = values[spread_of]
    if len(inside) <= values.shape[1]:
        raise DataError(
            f"matching.on: {values.shape[1]} features need more than {len(inside)} areas to choose from; "
            "match on fewer, or widen the pool"
        )
    still = [names[at] for at in np.flatnonzero(np.ptp(inside, axis=0) == 0).tolist()]
    if still:
        raise DataError(
            f"matching.on: {one} is the same in every area that could be chosen; take it out" for one in still
        )
    spread = inside.std(axis=0, ddof=1) if deviation is None else deviation
    standard = (values - inside.mean(axis=0)) / spread
    correlation = np.atleast_2d(np.corrcoef(inside, rowvar=False))
    roots, vectors = np.linalg.eigh(correlation)
    if roots[0] < COLLINEAR:
        which = ", ".join(names[at] for at in np.flatnonzero(np.abs(vectors[:, 0]) > LOADING).tolist())
        raise DataError(
            f"matching.on: {which} say the same thing (one follows from the others); take one out"
        )
    factor = np.linalg.cholesky(correlation)
    turned = np.linalg.solve(factor, standard.T).T / np.sqrt(values.shape[1])
    middle = turned[pool].mean(axis=0)
    return Positions(at=turned, hardest=np.linalg.norm(turned - middle, axis=1), name=name)
