"""Whether neighbouring areas err alike, and an error of the common-start estimate that allows for it.

Moran's I is a measure of the residuals by area; Conley's error adds to an estimate's variance the products of
influence of areas within a cutoff. Both find neighbours with a k-d tree: no matrix of all pairs is made.

Source: Moran (1950), Biometrika 37(1/2), 17-23; Cliff and Ord (1981), Spatial Processes (permutation);
Conley (1999), Journal of Econometrics 92(1), 1-45.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whatworks_eval.did.two_way import Codes, Floats
from whatworks_eval.errors import DataError

Kernel = Literal["bartlett", "uniform"]
NeighbourKind = Literal["nearest", "inverse-distance"]

FEWEST_AREAS = 8  # below this a permutation has too few arrangements worth the name
BLOCK = 4_000  # areas whose neighbours are held at a time
SAME_PLACE = 1.0  # metres: nearer areas count as this far apart, so that no inverse distance is endless


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MoransI:
    """How alike neighbouring areas are.

    Attributes:
        value: From about -1 to 1; None with `why_missing`.
        expected: Its mean where place does not matter: -1 / (areas - 1).
        p_value: Two-sided, by permutation of areas.
        smallest_p: The smallest p-value these draws could give.
        areas: Areas with a place and a residual.
        neighbours: How neighbours were weighed, in words.
        why_missing: Why there is no value.
    """

    value: float | None
    expected: float | None
    p_value: float | None
    smallest_p: float | None
    areas: int
    neighbours: str
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConleyError:
    """A standard error that allows for areas within a cutoff erring alike.

    Attributes:
        se: In the estimate's unit; None with `why_missing`.
        cutoff_m: Metres.
        kernel: 'bartlett' (weight 1 - distance / cutoff) or 'uniform' (weight 1 up to the cutoff).
        pairs: Pairs of different areas within the cutoff.
        areas: Areas in the sum.
        why_missing: Why there is no error.
    """

    se: float | None
    cutoff_m: float
    kernel: Kernel
    pairs: int
    areas: int
    why_missing: str | None = None


def morans_i(
    residuals: Floats,
    places: Floats,
    *,
    seed: int,
    neighbours: int = 8,
    kind: NeighbourKind = "nearest",
    draws: int = 999,
) -> MoransI:
    """Moran's I of residuals by area, with a permutation p-value.

    Args:
        residuals: By area, such as each area's summed residual after the start; NaN = left out.
        places: areas × 2, metres; rows with NaN are left out.
        seed: Of the permutations.
        neighbours: How many nearest areas count.
        kind: All of them alike ('nearest'), or by the inverse of their distance; rows sum to 1 either way.
        draws: Permutations.

    Example:
        >>> east, north = np.meshgrid(np.arange(8) * 100.0, np.arange(8) * 100.0)
        >>> found = morans_i(east.ravel(), np.column_stack([east.ravel(), north.ravel()]), seed=1)
        >>> found.value > 0.5, found.p_value
        (True, 0.002)
    """
    known = np.isfinite(places).all(axis=1) & np.isfinite(residuals)
    values, points = residuals[known], places[known]
    number = len(values)
    near = min(neighbours, number - 1)
    words = f"{near} nearest areas, " + ("alike" if kind == "nearest" else "by inverse distance")

    def none(why: str) -> MoransI:
        return MoransI(
            value=None,
            expected=None,
            p_value=None,
            smallest_p=None,
            areas=number,
            neighbours=words,
            why_missing=why,
        )

    if number < FEWEST_AREAS:
        return none(f"{number} areas have a place and a residual; {FEWEST_AREAS} are needed")
    centred = values - values.mean()
    spread = float(centred @ centred)
    if spread <= 1e-24 * float(values @ values):
        return none("all residuals are the same")
    at, weights = _neighbour_weights(points, near, kind)
    value = float(centred @ np.einsum("an,an->a", weights, centred[at])) / spread
    rng = np.random.default_rng(seed)
    expected = -1 / (number - 1)
    drawn = np.empty(draws)
    for draw in range(draws):
        mixed = rng.permutation(centred)
        drawn[draw] = mixed @ np.einsum("an,an->a", weights, mixed[at]) / spread
    # Permutations are not symmetric about their mean, so the smaller tail is doubled.
    tail = min((drawn >= value).sum(), (drawn <= value).sum())
    return MoransI(
        value=value,
        expected=expected,
        p_value=float(min(1.0, 2 * (1 + tail) / (1 + draws))),
        smallest_p=2 / (1 + draws),
        areas=number,
        neighbours=words,
    )


def _neighbour_weights(points: Floats, near: int, kind: NeighbourKind) -> tuple[Codes, Floats]:
    """The nearest areas of each area and their weights, which sum to 1: areas × neighbours each."""
    from scipy.spatial import cKDTree

    far, which = cKDTree(points).query(points, k=near + 1)
    distance, at = np.asarray(far), np.asarray(which)
    # An area is its own nearest unless others stand on the same spot: it is taken out wherever it is.
    itself = at == np.arange(len(points))[:, None]
    itself[~itself.any(axis=1), -1] = True
    at, distance = at[~itself].reshape(-1, near), distance[~itself].reshape(-1, near)
    weights = np.ones_like(distance) if kind == "nearest" else 1 / np.maximum(distance, SAME_PLACE)
    return at, weights / weights.sum(axis=1, keepdims=True)


def conley_error(
    influence: Floats, places: Floats, *, cutoff_m: float, kernel: Kernel = "bartlett"
) -> ConleyError:
    """The Conley standard error of an estimate from its areas' influence.

    No small-sample correction is made. Neither kernel keeps the sum above zero in two dimensions; where it
    comes out at or below zero there is no error, with the reason.

    Args:
        influence: By area, in the estimate's unit (`CommonStart.influence`, or a column of
            `Fit.area_influence()`).
        places: areas × 2, metres.
        cutoff_m: Areas further apart than this are taken to err independently.
        kernel: Weight by distance.

    Raises:
        DataError: For a cutoff that is not above zero or shapes that do not fit.

    Example:
        >>> places = np.array([[0.0, 0.0], [300.0, 0.0], [9000.0, 0.0]])
        >>> found = conley_error(np.array([3.0, 4.0, -1.0]), places, cutoff_m=600.0)
        >>> round(found.se**2, 9), found.pairs     # 9 + 16 + 1 + 2 · ½ · 12
        (38.0, 1)
    """
    from scipy.spatial import cKDTree

    if not cutoff_m > 0 or places.shape != (len(influence), 2):
        raise DataError(
            f"a cutoff above 0 m and one place an area are needed; given {cutoff_m} m and places of shape "
            f"{places.shape} for {len(influence)} areas"
        )
    placed = np.isfinite(places).all(axis=1)
    lost = int((~placed & (influence != 0)).sum())
    if lost or not len(influence):
        return ConleyError(
            se=None,
            cutoff_m=cutoff_m,
            kernel=kernel,
            pairs=0,
            areas=int(placed.sum()),
            why_missing=f"{lost} areas that count have no place" if lost else "there is no influence by area",
        )
    points, values = places[placed], influence[placed]
    tree = cKDTree(points)
    total, pairs = 0.0, 0
    for start in range(0, len(points), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(points)))
        found = cKDTree(points[block]).sparse_distance_matrix(tree, cutoff_m, output_type="coo_matrix")
        weight = 1 - found.data / cutoff_m if kernel == "bartlett" else np.ones(len(found.data))
        total += float((weight * values[block][found.row]) @ values[found.col])
        pairs += found.nnz - len(block)
    positive = total > 0
    return ConleyError(
        se=float(np.sqrt(total)) if positive else None,
        cutoff_m=cutoff_m,
        kernel=kernel,
        pairs=pairs // 2,
        areas=len(points),
        why_missing=None
        if positive
        else f"the {kernel} sum of products within {cutoff_m:,.0f} m is not above zero; use another cutoff "
        "or kernel",
    )
