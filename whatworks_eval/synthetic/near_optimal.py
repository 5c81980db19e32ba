"""Other weights that fit nearly as well, and the least and the most they would say the effect is.

Among all mixtures of donors whose before gap is at most a stated bound, the mean gap after the start is
pushed as low and as high as it will go. That is a straight-line aim over a simplex cut by an ellipsoid; each
point of its frontier is the nearest point of a polytope with one more row (donor after means against an aim
beyond them all), and the weight of that row is halved in until the bound is met.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whatworks_eval.synthetic.fitted import SMALLEST_GAP, Floats, checked
from whatworks_eval.synthetic.simplex import mixture, nearest

SLACK = 0.10  # a before gap a tenth larger counts as fitting as well
HALVINGS = 50
PULL = (1e-5, 1e5)  # weight of the aim against the fit, from hardly any to all that counts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearOptimal:
    """The range of the effect over weights that fit as well within the tolerance.

    Attributes:
        low: Least effect, mean gap after the start in the unit of the series.
        high: Greatest.
        bound: Root mean squared gap before the start that was allowed, the same unit.
        best: The smallest there is.
        unique: Whether exactly one set of weights reaches the smallest.
        low_weights: Weights that give `low`, one for each donor.
        high_weights: Weights that give `high`.
    """

    low: float
    high: float
    bound: float
    best: float
    unique: bool
    low_weights: Floats
    high_weights: Floats


def near_optimal(treated: Floats, donors: Floats, before: int, *, slack: float = SLACK) -> NearOptimal:
    """The least and greatest effect over simplex weights that fit as well within the tolerance.

    Args:
        treated: By period.
        donors: Donors × periods.
        before: Periods before the start.
        slack: How much larger, as a share, the before gap may be than the smallest there is. It may always
            be 0.1 % of the treated level, which is all that an exact fit leaves.

    Raises:
        CannotEstimate: See `checked`.

    Example:
        >>> donors = np.array([[0.0, 0, 5], [2.0, 2, 7], [1.0, 1, 0], [1.0, 1, 4]])
        >>> found = near_optimal(np.array([1.0, 1, 4]), donors, 2)
        >>> found.unique, round(found.low, 1), round(found.high, 1)
        (False, -2.0, 4.0)
    """
    own, others = checked(treated, donors, before)
    points = others[:, :before].T - own[:before, None]
    at_best = mixture(others[:, :before].T, own[:before])
    best = _gap(points, at_best.weights)
    bound = max(best * (1 + slack), SMALLEST_GAP * float(np.abs(own[:before]).mean()))
    after = others[:, before:].mean(axis=1)
    low, high = (_furthest(points, after, sign, bound, at_best.weights) for sign in (1.0, -1.0))
    mean = float(own[before:].mean())
    return NearOptimal(
        low=mean - float(low @ after),
        high=mean - float(high @ after),
        bound=bound,
        best=best,
        unique=at_best.unique,
        low_weights=low,
        high_weights=high,
    )


def _gap(points: Floats, weights: Floats) -> float:
    return float(np.sqrt(((points @ weights) ** 2).mean()))


def _furthest(points: Floats, after: Floats, sign: float, bound: float, inside: Floats) -> Floats:
    """Weights within the bound whose donors' after mean is as high (sign 1) or as low (-1) as can be."""
    spread = float(after.max() - after.min())
    scale = float(np.sqrt((points**2).sum(axis=0).mean()))
    if spread == 0 or scale == 0:
        alone = np.zeros(len(after))
        alone[int(np.argmax(sign * after))] = 1.0
        return alone if scale == 0 else inside
    aim = sign * (after - after.mean()) / spread
    rows, short = points / scale, aim - 2.0  # every donor falls short of an aim of 2

    def pulled(log_pull: float) -> Floats:
        return nearest(np.vstack([rows, np.exp(log_pull) * short]))

    low, high = np.log(PULL[0]), np.log(PULL[1])
    if _gap(points, (all_the_way := pulled(high))) <= bound:
        return all_the_way
    found = inside
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        weights = pulled(middle)
        if _gap(points, weights) <= bound:
            low = middle
            if aim @ weights >= aim @ found:
                found = weights
        else:
            high = middle
    return found
