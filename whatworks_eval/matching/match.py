"""One way in to every way of matching, and the record of what was matched with what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.matching.cardinality import SECONDS, largest_balanced_set
from whatworks_eval.matching.distances import Positions, mahalanobis, robust_mahalanobis, score_difference
from whatworks_eval.matching.entropy import entropy_weights
from whatworks_eval.matching.exact import (
    canonical_order,
    identical_classes,
    shared_among_identical,
    stratum_codes,
    whole_strata,
)
from whatworks_eval.matching.features import all_in_words
from whatworks_eval.matching.match_problems import Algorithm, Distance, Options, check_arrays, check_options
from whatworks_eval.matching.nearest import nearest_with_replacement, nearest_without_replacement
from whatworks_eval.matching.optimal import optimal
from whatworks_eval.matching.propensity import propensity

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
NO_STRATUM = "the stratum it must be matched in is not known"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Match:
    """Who is compared with whom, from what was known beforehand alone. Rows are those of the features given.

    Attributes:
        pairs: Pairs × 2 rows, treated then comparison, sorted; none with 'entropy', where every treated area
            has the whole weighted comparison.
        shares: By pair, what the comparison area counts for in that treated area's comparison; they add up
            to 1 for each treated area.
        weights: By area, the sum of its shares; they add up to the number of treated areas matched.
        matched: Rows of treated areas with a match, sorted.
        unmatched: Row of each other treated area, and why.
        not_usable: Row of each area that could not be chosen though it is in the pool, and why.
        algorithm: As asked for.
        distance: In words; 'none' where the algorithm uses none.
        replacement: Whether a comparison area may serve several treated areas.
        per_treated: Matches wanted for each treated area; None where the algorithm sets the number.
        caliper: The furthest allowed, in standard deviations; None where there was no limit.
        proven: Whether the answer is known to be the best of its kind; None where it is not a search.
        note: '' or what the reader should know of the search.
    """

    pairs: Indices
    shares: Floats
    weights: Floats
    matched: Indices
    unmatched: dict[int, str]
    not_usable: dict[int, str]
    algorithm: Algorithm
    distance: str
    replacement: bool
    per_treated: int | None
    caliper: float | None
    proven: bool | None
    note: str

    @property
    def used(self) -> Indices:
        """Rows of the comparison areas used, sorted."""
        return np.flatnonzero(self.weights > 0)

    def of(self, area: int) -> Indices:
        """Rows of the comparison areas of one treated area, sorted; none where it has no match."""
        if self.algorithm == "entropy":
            return self.used if area in self.matched else self.used[:0]
        found: Indices = self.pairs[self.pairs[:, 0] == area, 1]
        return found

    def mean_of(self, values: Floats) -> Floats:
        """The comparison's mean of `values` (by area) for each area of `matched`, in that order."""
        if self.algorithm == "entropy":
            return np.full(len(self.matched), self.weights @ values / self.weights.sum())
        at = np.searchsorted(self.matched, self.pairs[:, 0])
        parts = self.shares * values[self.pairs[:, 1]]
        result: Floats = np.bincount(at, weights=parts, minlength=len(self.matched)).astype(np.float64)
        return result


def match(
    features: Floats,
    treated: Bools,
    *,
    names: Sequence[str],
    pool: Bools | None = None,
    exact: Sequence[object] | None = None,
    algorithm: Algorithm = "nearest",
    distance: Distance = "mahalanobis",
    per_treated: int | None = None,
    replacement: bool | None = None,
    caliper: float | None = None,
    tolerance: float | Sequence[float] | None = None,
    seconds: float = SECONDS,
) -> Match:
    """The comparison of each treated area, from features known before the start.

    The same whatever areas are called and however they are ordered: ties are all used, or broken by the
    features themselves, and areas that no feature tells apart share alike.

    Args:
        features: Areas × k, in any unit; NaN where not known: such an area is not matched, and is listed.
        treated: True for treated areas.
        names: Of the features.
        pool: True for areas that may be chosen; None for every area not treated. With 'nearest', replacement
            and a distance other than 'propensity' an area may be in both: it is never its own match.
        exact: A label for each area (its force, its district): matches share it. None, NaN or '' is unknown.
        algorithm: 'nearest' (large pools), 'optimal' (least total distance), 'cardinality' (most treated
            areas that can be balanced), 'entropy' (weights), 'strata' (every area of the stratum).
        distance: 'mahalanobis', 'robust' (its rank-based form), 'score' (one feature alone), 'propensity' (a
            fitted logit).
        per_treated: Matches wanted for each treated area, 1 if not given; not for 'entropy' and 'strata'.
        replacement: Whether a comparison area may be used twice: yes if not given, for 'nearest'; never for
            'optimal' and 'cardinality'.
        caliper: For 'nearest' and 'optimal': the furthest a match may be, in standard deviations of the
            distance.
        tolerance: For 'cardinality', which needs it: largest standardised difference, one or one a feature.
        seconds: For 'cardinality': time given to the search.

    Raises:
        ProtocolError: Where options do not go together; all that do not, at once.
        DataError: Where arrays do not fit or a feature cannot be used.
        CannotEstimate: Where no treated area can be matched, or the algorithm has no answer.

    Example:
        >>> arms = np.array([True, False, False, False])
        >>> found = match(np.array([[5.0], [4.0], [6.0], [9.0]]), arms, names=["level"], distance="score")
        >>> found.pairs.tolist(), found.weights.tolist()
        ([[0, 1], [0, 2]], [0.0, 0.5, 0.5, 0.0])
    """
    options = Options(
        algorithm=algorithm, distance=distance, per_treated=per_treated, replacement=replacement,
        caliper=caliper, tolerance=tolerance, seconds=seconds,
    )  # fmt: skip
    check_options(options, features.shape[-1])
    choice = ~treated if pool is None else pool
    check_arrays(features, treated, choice, exact, names, options)
    strata = stratum_codes(exact, len(treated))
    reasons = _not_known(features, strata, names)
    able = treated | choice
    able[list(reasons)] = False
    alone = treated & able & ~np.isin(strata, strata[choice & able])
    unmatched = {at: why for at, why in reasons.items() if treated[at]}
    unmatched |= dict.fromkeys(
        np.flatnonzero(alone).tolist(), "no area that could be chosen shares its stratum"
    )
    rows = np.flatnonzero(able & ~alone)
    rows = rows[canonical_order(features[rows], strata[rows], treated[rows])]
    if not treated[rows].any():
        raise CannotEstimate(f"matching: no treated area can be matched: {_said(unmatched)}")
    at = _Ordered(
        features=features[rows], strata=strata[rows], treated=treated[rows], pool=choice[rows], names=names
    )
    found = _weighted(at) if algorithm == "entropy" else _paired(at, options)
    unmatched |= {int(rows[one]): why for one, why in found.let_go.items()}
    if not len(found.matched):
        raise CannotEstimate(f"matching: no treated area can be matched: {_said(unmatched)}")
    pairs = rows[found.pairs]
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    weights = np.zeros(len(treated))
    weights[rows] = found.weights
    return Match(
        pairs=pairs[order],
        shares=found.shares[order],
        weights=weights,
        matched=np.sort(rows[found.matched]),
        unmatched=dict(sorted(unmatched.items())),
        not_usable={one: why for one, why in sorted(reasons.items()) if choice[one] and not treated[one]},
        algorithm=algorithm,
        distance=found.distance,
        replacement=options.again,
        per_treated=options.each,
        caliper=caliper,
        proven=found.proven,
        note=found.note,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ordered:
    """The areas that can be used, in canonical order."""

    features: Floats
    strata: Indices
    treated: Bools
    pool: Bools
    names: Sequence[str]

    @property
    def classes(self) -> Indices:
        return identical_classes(self.features, self.strata, self.treated)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """What an algorithm came to, in rows of `_Ordered`."""

    matched: Indices
    weights: Floats
    pairs: Indices = field(default_factory=lambda: np.empty((0, 2), dtype=np.intp))
    shares: Floats = field(default_factory=lambda: np.empty(0))
    let_go: dict[int, str] = field(default_factory=dict)
    distance: str = "none"
    proven: bool | None = None
    note: str = ""


def _weighted(at: _Ordered) -> _Found:
    weights = entropy_weights(at.features, at.strata, at.treated, at.pool, at.names)
    return _Found(matched=np.flatnonzero(at.treated), weights=weights)


def _paired(at: _Ordered, options: Options) -> _Found:
    each, caliper, distance, note = options.each or 1, options.caliper, "none", ""
    let_go: dict[int, str] = {}
    proven = None
    if options.algorithm == "strata":
        pairs = whole_strata(at.strata, at.treated, at.pool)
    else:
        place = _positions(at, options.distance)
        distance = place.name
        if options.algorithm == "cardinality":
            kept = largest_balanced_set(
                at.features,
                at.strata,
                at.classes,
                at.treated,
                at.pool,
                per_treated=each,
                tolerance=np.asarray(options.tolerance, dtype=float),
                seconds=options.seconds,
            )
            proven, note = kept.proven, kept.note
            pairs = optimal(place, at.strata, kept.treated, kept.chosen, per_treated=each)
            dropped = np.flatnonzero(at.treated & ~kept.treated)
            let_go = dict.fromkeys(dropped.tolist(), "left out so that the rest can be balanced")
        elif options.algorithm == "optimal":
            pairs = optimal(place, at.strata, at.treated, at.pool, per_treated=each, caliper=caliper)
            proven = True
        else:
            way = nearest_with_replacement if options.again else nearest_without_replacement
            pairs = way(place, at.strata, at.treated, at.pool, per_treated=each, caliper=caliper)
    short = "" if options.algorithm == "strata" else _fewer_than_asked(pairs, each)
    if options.again:
        shares = 1.0 / np.bincount(pairs[:, 0], minlength=len(at.treated))[pairs[:, 0]]
    else:
        pairs, shares, partly = shared_among_identical(pairs, at.classes, at.treated, at.pool)
        why = "not enough comparison areas for it and the treated areas identical to it"
        let_go |= dict.fromkeys(partly.tolist(), why)
    matched = np.unique(pairs[:, 0])
    lost = (
        "no area is left to choose" if caliper is None else f"no area within {caliper:g} SD is left to choose"
    )
    for one in np.setdiff1d(np.flatnonzero(at.treated), matched).tolist():
        let_go.setdefault(one, lost)
    return _Found(
        matched=matched,
        weights=np.bincount(pairs[:, 1], weights=shares, minlength=len(at.treated)).astype(np.float64),
        pairs=pairs,
        shares=shares,
        let_go=let_go,
        distance=distance,
        proven=proven,
        note="; ".join(part for part in (note, short) if part),
    )


def _positions(at: _Ordered, distance: Distance) -> Positions:
    if distance == "mahalanobis":
        return mahalanobis(at.features, at.pool, at.names)
    if distance == "robust":
        return robust_mahalanobis(at.features, at.pool, at.names)
    if distance == "score":
        return score_difference(at.features[:, 0], at.treated, at.pool, at.names[0])
    fitted = propensity(at.features, at.treated, at.names)
    found = score_difference(fitted.logit, at.treated, at.pool, "propensity score (log odds)")
    # The likeliest are the hardest to match, not those far from the pool on either side.
    return Positions(at=found.at, hardest=fitted.logit, name=found.name)


def _fewer_than_asked(pairs: Indices, each: int) -> str:
    _, counts = np.unique(pairs[:, 0], return_counts=True)
    short = int((counts < each).sum())
    return f"{short} matched treated areas have fewer than {each} matches" if short else ""


def _not_known(features: Floats, strata: Indices, names: Sequence[str]) -> dict[int, str]:
    """Rows that cannot be matched, and why."""
    reasons: dict[int, str] = {}
    for at in np.flatnonzero((strata < 0) | ~np.isfinite(features).all(axis=1)).tolist():
        lost = [names[one] for one in np.flatnonzero(~np.isfinite(features[at])).tolist()]
        parts = [f"{all_in_words(lost)} not known"] if lost else []
        reasons[at] = "; ".join([*parts, *([NO_STRATUM] if strata[at] < 0 else [])])
    return reasons


def _said(unmatched: dict[int, str]) -> str:
    """Reasons and how many areas each keeps out."""
    counts: dict[str, int] = {}
    for why in unmatched.values():
        counts[why] = counts.get(why, 0) + 1
    return "; ".join(f"{why} ({number} treated)" for why, number in counts.items())
