"""Treated areas the pool has no like of: which, in what, and how far beyond it they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.matching.distances import Positions
from whatworks_eval.matching.features import in_words

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
AS_LONELY = 0.01
"""A treated area is lonely where at most this share of pool areas lie as far from every other pool area."""
CLOSE = 0.25  # standard deviations: a like this near is near enough, however much nearer the pool's own are
ROUNDING = 1e-9  # standard deviations


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """A treated area beyond the pool.

    Attributes:
        area: Its row.
        outside: Features in which it lies beyond every pool area, and how far beyond the furthest, in the
            pool's standard deviations.
        nearest: Distance to the nearest pool area, in standard deviations of the distance used.
        lonelier: Share of pool areas at least as far from every other pool area, 0 to 1.
    """

    area: int
    outside: tuple[tuple[str, float], ...]
    nearest: float
    lonelier: float

    @property
    def how_far(self) -> str:
        """In words, for a list of such areas.

        Example:
            >>> Beyond(area=0, outside=(("imd", 0.5),), nearest=1.25, lonelier=0.0).how_far
            'IMD 0.5 SD beyond every other area; nearest other area 1.2 SD away, further than any pool area'
        """
        parts = [f"{in_words(name)} {size:.2g} SD beyond every other area" for name, size in self.outside]
        share = (
            "further than any pool area"
            if self.lonelier == 0
            else f"as far as {100 * self.lonelier:.2g} % of pool areas"
        )
        return "; ".join([*parts, f"nearest other area {self.nearest:.2g} SD away, {share}"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What the pool can and cannot stand for.

    Attributes:
        beyond: Treated areas beyond it, the furthest first.
        treated: Treated areas looked at.
        usual: The distance to the nearest other pool area that `AS_LONELY` of pool areas reach, in SD.
    """

    beyond: tuple[Beyond, ...]
    treated: int
    usual: float


def support(
    features: Floats, positions: Positions, treated: Bools, pool: Bools, names: Sequence[str]
) -> Support:
    """Treated areas outside the pool's range in any feature, or lonelier than nearly every pool area.

    A treated area's distance to its nearest pool area is ranked among the pool areas' distances to their own
    nearest other. Were it drawn from where the pool is drawn from, its rank would be any with equal chance,
    so at most `AS_LONELY` of such areas would be named by this alone, however many features there are; an
    area with a like within `CLOSE` is never called lonely. A convex hull would not do: the more features, the
    more areas of any sample lie outside the hull of the rest, near neighbours or not.

    Args:
        features: Areas × k, all known.
        positions: Where areas lie.
        treated: True for treated areas.
        pool: True for areas that may be chosen.
        names: Of the features.

    Raises:
        CannotEstimate: Where the pool has fewer than two areas.

    Source: the rank argument is that of conformal prediction (Vovk, Gammerman and Shafer 2005, Algorithmic
        Learning in a Random World, chapter 2); hulls: Bárány and Füredi 1988, Probability Theory and Related
        Fields 77(2), 231-240.

    Example:
        >>> values = np.array([[1.0], [2.0], [3.0], [4.5]])
        >>> arms = np.array([False, False, False, True])
        >>> places = Positions(at=values, hardest=np.zeros(4), name="")
        >>> [(one.area, one.outside) for one in support(values, places, arms, ~arms, ["x"]).beyond]
        [(3, (('x', 1.5),))]
    """
    from scipy.spatial import cKDTree

    inside, rows = np.flatnonzero(pool), np.flatnonzero(treated)
    if len(inside) < 2:
        raise CannotEstimate(
            "matching: common support cannot be judged with fewer than two areas to choose from"
        )
    tree = cKDTree(positions.at[inside])
    own = np.sort(np.asarray(tree.query(positions.at[inside], k=[2])[0])[:, 0])
    nearest = np.asarray(tree.query(positions.at[rows], k=[1])[0])[:, 0]
    # Loneliness of at least this; rounding must not make a tie a difference.
    lonelier = 1.0 - np.searchsorted(own, nearest - ROUNDING, side="left") / len(own)
    low, high = features[inside].min(axis=0), features[inside].max(axis=0)
    spread = features[inside].std(axis=0, ddof=1)
    spread = np.where(spread > 0, spread, 1.0)
    past = np.maximum(features[rows] - high, low - features[rows]) / spread
    found = [
        Beyond(
            area=int(row),
            outside=tuple(
                (names[at], float(past[number, at]))
                for at in np.flatnonzero(past[number] > ROUNDING).tolist()
            ),
            nearest=float(nearest[number]),
            lonelier=float(lonelier[number]),
        )
        for number, row in enumerate(rows)
        if (past[number] > ROUNDING).any() or (lonelier[number] <= AS_LONELY and nearest[number] > CLOSE)
    ]
    return Support(
        beyond=tuple(sorted(found, key=lambda one: (-one.nearest, one.area))),
        treated=len(rows),
        usual=float(np.quantile(own, 1 - AS_LONELY, method="higher")),
    )
