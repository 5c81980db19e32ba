"""The largest set of treated areas that can be balanced: balance is stated, size is what gives way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.matching.balance import yardstick

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
SECONDS = 60.0
NODES = 20_000
"""Of the search tree: usually reached first, so that the answer does not hang on the machine's speed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LargestSet:
    """The areas kept.

    Attributes:
        treated: True for treated areas kept.
        chosen: True for comparison areas kept; of identical areas, as many as were wanted.
        proven: Whether no larger set can exist.
        note: '' or what stopped the search and how large a set might still exist.
    """

    treated: Bools
    chosen: Bools
    proven: bool
    note: str


def largest_balanced_set(
    features: Floats,
    strata: Indices,
    classes: Indices,
    treated: Bools,
    pool: Bools,
    *,
    per_treated: int,
    tolerance: float | Floats,
    seconds: float = SECONDS,
) -> LargestSet:
    """The most treated areas, and `per_treated` times as many others, whose means agree within tolerance.

    In each stratum exactly `per_treated` comparison areas are kept for each treated area kept. Identical
    treated areas are kept or let go together.

    Args:
        features: Areas × k, all known, in canonical order (exact.py).
        strata: By area.
        classes: By area, from `identical_classes`.
        treated: True for treated areas.
        pool: True for areas that may be chosen.
        per_treated: Comparison areas kept for each treated area kept.
        tolerance: Largest standardised difference allowed, one for all features or one each; in the standard
            deviations of balance.py.
        seconds: Time given to the search.

    Raises:
        CannotEstimate: Where not even one treated area can be kept, or nothing was found in the time.

    Source: Zubizarreta, Paredes and Rosenbaum 2014, Annals of Applied Statistics 8(1), 204-231; solved by
        HiGHS (Huangfu and Hall 2018) through SciPy.

    Example:
        >>> arms = np.array([True, True, False, False])
        >>> found = largest_balanced_set(np.array([[1.0], [9.0], [1.0], [2.0]]), np.zeros(4, dtype=np.intp),
        ...     np.arange(4), arms, ~arms, per_treated=1, tolerance=0.1)
        >>> np.flatnonzero(found.treated | found.chosen).tolist(), found.proven
        ([0, 2], True)
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    first = {
        arm: np.unique(classes[inside], return_index=True, return_counts=True)
        for arm, inside in (("treated", treated), ("pool", pool))
    }
    rows = np.flatnonzero(treated)[first["treated"][1]], np.flatnonzero(pool)[first["pool"][1]]
    copies = first["treated"][2], first["pool"][2]
    counts = np.concatenate([-per_treated * copies[0], np.ones(len(rows[1]))])  # of one step of each variable
    sides = [yardstick(features[:, at], treated, pool)[0] for at in range(features.shape[1])]
    spread = np.array([side if side > 0 else 1.0 for side in sides])
    scaled = (features - features[treated].mean(axis=0)) / spread
    values = scaled[np.concatenate(rows)]
    kept = np.concatenate([per_treated * copies[0], np.zeros(len(rows[1]))])
    gap = values.T * counts  # Σ comparison − Σ treated, as a function of what is kept
    room = np.broadcast_to(np.asarray(tolerance, dtype=float), (features.shape[1],))[:, None] * kept
    inside = np.concatenate([strata[rows[0]], strata[rows[1]]])
    each = csr_array(
        (counts, (np.searchsorted(np.unique(inside), inside), np.arange(len(inside)))),
        shape=(len(np.unique(inside)), len(inside)),
    )
    constraints = [LinearConstraint(each, 0.0, 0.0)]
    if features.shape[1]:
        constraints += [
            LinearConstraint(gap - room, -np.inf, 0.0),
            LinearConstraint(gap + room, 0.0, np.inf),
        ]
    found = milp(
        np.concatenate([-copies[0].astype(float), np.zeros(len(rows[1]))]),
        integrality=np.ones(len(inside), dtype=np.intp),
        bounds=Bounds(0.0, np.concatenate([np.ones(len(rows[0])), copies[1]])),
        constraints=constraints,
        options={"time_limit": seconds, "node_limit": NODES},
    )
    best = np.zeros(len(inside)) if found.x is None else np.asarray(found.x)
    largest = round(float(best[: len(rows[0])] @ copies[0]))
    proven = found.status == 0
    if not largest:
        raise CannotEstimate(
            "matching.algorithm = 'cardinality': no set of treated and comparison areas is balanced within "
            "the stated tolerance; allow a larger one, match on fewer features, or accept that no fair "
            "comparison was found"
            if proven
            else f"matching.algorithm = 'cardinality': nothing was found within {seconds:g} seconds or "
            f"{NODES:,} steps; allow a larger tolerance, or use 'optimal' or 'nearest'"
        )
    amounts = np.round(best).astype(np.intp)
    keep_treated, keep_pool = np.zeros(len(treated), dtype=bool), np.zeros(len(treated), dtype=bool)
    taken = dict(zip(first["treated"][0].tolist(), amounts[: len(rows[0])].tolist(), strict=True))
    keep_treated[treated] = [taken[one] > 0 for one in classes[treated].tolist()]
    for start, amount in zip(rows[1].tolist(), amounts[len(rows[0]) :].tolist(), strict=True):
        if amount:  # identical areas are not always side by side: the first so many of the class
            keep_pool[np.flatnonzero(pool & (classes == classes[start]))[:amount]] = True
    bound = getattr(found, "mip_dual_bound", None)
    limit = int(treated.sum()) if bound is None else min(int(treated.sum()), int(np.floor(1e-6 - bound)))
    note = (
        ""
        if proven
        else f"the search stopped at {seconds:g} seconds or {NODES:,} steps: {largest} treated areas were "
        f"kept, and up to {limit} may be possible"
    )
    return LargestSet(treated=keep_treated, chosen=keep_pool, proven=proven, note=note)
