"""The comparison matched on what was known beforehand: level, trend, deprivation, residents.

The matcher is given a panel that ends before the start. It is run for the treated areas, and once more for
every area that could have been chosen, so that placebo sets are compared with matches of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate, DataError
from whatworks_eval.matching.balance import Balance, balance, is_yes_or_no
from whatworks_eval.matching.distances import Positions, mahalanobis, robust_mahalanobis, score_difference
from whatworks_eval.matching.exact import stratum_codes, whole_strata
from whatworks_eval.matching.features import Features, all_in_words, features_of, until_start
from whatworks_eval.matching.match import Match, match
from whatworks_eval.matching.propensity import propensity
from whatworks_eval.matching.support import Support, support
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.protocol_tables import Matching
from whatworks_eval.records import Contrast
from whatworks_eval.shares import SharedMatches
from whatworks_eval.windows import usable

Bools = NDArray[np.bool_]
NO_LIKE = "nothing like it among the areas to choose from ({how})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matched:
    """A match with what it was made from.

    Attributes:
        areas: Codes, in the order of every array here.
        treated: By area.
        pool: By area, True where it may be chosen.
        features: What was matched on.
        match: Who is compared with whom.
        balance: How alike the arms are in each feature, before and after matching.
        support: Treated areas beyond the pool; None where the features are not all known.
    """

    areas: tuple[str, ...]
    treated: Bools
    pool: Bools
    features: Features
    match: Match
    balance: Balance
    support: Support | None


def on_level_alone(matching: Matching) -> bool:
    """Whether a match is the default one: the nearest in before count, ties included (matching/level.py)."""
    plain = Matching(per_treated=matching.per_treated)
    return matching == plain


def matched_of(
    panel: Panel, contrast: Contrast, protocol: Protocol, matching: Matching | None = None
) -> Matched:
    """The match a protocol asks for, with its balance and support.

    Args:
        panel: The whole panel; what lies after the start is cut off first.
        contrast: Treated areas, and all areas that may be chosen in its comparison or pool.
        protocol: The declared design.
        matching: Another way of matching than the declared one.

    Raises:
        DataError: A feature is not in the data.
        CannotEstimate: No treated area can be matched.
    """
    assert protocol.windows is not None
    chosen = protocol.matching if matching is None else matching
    pool_areas = {*contrast.comparison, *contrast.pool}
    areas = tuple(sorted({*contrast.treated, *pool_areas}))
    known = until_start(panel, protocol.intervention.start)
    features = features_of(known, chosen.on, chosen.exact, protocol.windows.before, areas)
    treated, pool = np.isin(areas, contrast.treated), np.isin(areas, sorted(pool_areas))
    beyond = support_of(features, treated, pool, chosen)
    wanted = treated.copy()
    let_go: dict[int, str] = {}
    if chosen.outside_support == "drop" and beyond is not None:
        let_go = {one.area: NO_LIKE.format(how=one.how_far) for one in beyond.beyond}
        wanted[list(let_go)] = False
        if not wanted.any():
            raise CannotEstimate(
                "matching.outside_support = 'drop' leaves no treated area: each lies beyond every area to "
                "choose from; widen the pool, match on less, or keep them and read the finding"
            )
    weighs = chosen.algorithm in ("entropy", "strata")
    if chosen.algorithm == "entropy":
        found = _weighted(features, wanted, pool)
    else:
        found = match(
            features.values,
            wanted,
            names=features.names,
            pool=pool,
            exact=features.exact or None,
            algorithm=chosen.algorithm,
            distance=chosen.distance,
            per_treated=None if weighs else chosen.per_treated,
            replacement=chosen.replacement,
            caliper=chosen.caliper,
            tolerance=chosen.tolerance,
        )
    unmatched = dict(sorted({**found.unmatched, **let_go}.items()))
    found = replace(found, unmatched=unmatched)
    inside = np.isin(np.arange(len(areas)), found.matched)
    return Matched(
        areas=areas,
        treated=treated,
        pool=pool,
        features=features,
        match=found,
        balance=balance(
            features.values, treated, pool, weights=found.weights, matched=inside, names=features.names
        ),
        support=beyond,
    )


def _weighted(features: Features, wanted: Bools, pool: Bools) -> Match:
    """Weights that balance the mean and the spread of each feature; of the means alone where both cannot be.

    Means alone would weigh quiet and very busy areas against each other to look like busy ones, and such a
    mixture falls back less: on real counts from the top tenth it leaves a bias of -3 %, the spread as well
    leaves none (docs/explanation/matching-calibration.md).
    """
    middle = np.nanmean(np.where(wanted[:, None], features.values, np.nan), axis=0)
    spread = (features.values - middle) ** 2
    more = [
        at for at, name in enumerate(features.names) if not is_yes_or_no(features.values[wanted | pool, at])
    ]
    names = (*features.names, *(f"spread of {features.names[at]}" for at in more))
    exact = features.exact or None
    try:
        both = np.column_stack([features.values, spread[:, more]])
        return match(both, wanted, names=names, pool=pool, exact=exact, algorithm="entropy")
    except (CannotEstimate, DataError):
        return match(
            features.values, wanted, names=features.names, pool=pool, exact=exact, algorithm="entropy"
        )


def by_features(
    panel: Panel, contrast: Contrast, protocol: Protocol, matching: Matching | None = None
) -> Contrast:
    """The contrast with its comparison areas replaced by those matched on features.

    Each treated area is compared with the mean of its matches; treated areas without a match leave, with the
    reason. Raises as `matched_of`.
    """
    wide = replace(
        contrast,
        comparison=(),
        pool=tuple(sorted({*contrast.comparison, *contrast.pool})),
        weights=None,
        pairs=(),
        matches=None,
    )
    dropped = usable(protocol, panel, {*wide.treated, *wide.pool}).areas_dropped
    wide = replace(
        wide,
        treated=tuple(area for area in wide.treated if area not in dropped),
        dropped={**wide.dropped, **{area: dropped[area] for area in wide.treated if area in dropped}},
        pool=tuple(area for area in wide.pool if area not in dropped),
    )
    chosen = protocol.matching if matching is None else matching
    made = matched_of(panel, wide, protocol, chosen)
    weights = {made.areas[at]: float(made.match.weights[at]) for at in made.match.used}
    names = made.areas
    return replace(
        wide,
        treated=tuple(names[at] for at in made.match.matched),
        comparison=tuple(sorted(weights)),
        pool=tuple(area for area in wide.pool if area not in weights),
        weights=dict(sorted(weights.items())),
        pairs=tuple(sorted((names[one], names[other]) for one, other in made.match.pairs)),
        matches=_for_all(made, chosen),
        unmatched={names[at]: why for at, why in made.match.unmatched.items()},
        searched=_searched(made.match),
        chosen=_how(chosen, made.match),
    )


def _for_all(made: Matched, chosen: Matching) -> SharedMatches:
    """What every area would be compared with: the treated as matched, the others by their nearest.

    Placebo sets need a comparison of their own, made as like theirs as the treated areas' is like them. An
    algorithm that weighs areas jointly is run for the treated alone; the others then take their nearest.
    """
    from scipy.sparse import coo_array, csr_array

    treated = made.treated
    pairs, shares = _in_strata(made) if chosen.algorithm == "strata" else _by_nearest(made, chosen)
    untreated = ~treated[pairs[:, 0]]
    rows, columns, shares = pairs[untreated, 0], pairs[untreated, 1], shares[untreated]
    own = made.match
    if own.algorithm == "entropy":
        each = own.weights / own.weights.sum()
        used = np.flatnonzero(each > 0)
        rows = np.concatenate([rows, np.repeat(own.matched, len(used))])
        columns = np.concatenate([columns, np.tile(used, len(own.matched))])
        shares = np.concatenate([shares, np.tile(each[used], len(own.matched))])
    else:
        rows = np.concatenate([rows, own.pairs[:, 0]])
        columns = np.concatenate([columns, own.pairs[:, 1]])
        shares = np.concatenate([shares, own.shares])
    size = len(made.areas)
    return SharedMatches(
        areas=made.areas, shares=csr_array(coo_array((shares, (rows, columns)), shape=(size, size)))
    )


def _by_nearest(made: Matched, chosen: Matching) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Pairs and shares of every area with its nearest, used again and again."""
    values, treated, pool = made.features.values, made.treated, made.pool
    names, distance = made.features.names, chosen.distance
    if distance == "propensity":  # fitted once, to the treated: then its log odds are a score like any other
        rows = np.flatnonzero((treated | pool) & np.isfinite(values).all(axis=1))
        fitted = propensity(values[rows], treated[rows], names)
        values, names, distance = np.full((len(values), 1), np.nan), ("propensity score (log odds)",), "score"
        values[rows, 0] = fitted.logit
    found = match(
        values,
        treated | pool,
        names=names,
        pool=pool,
        exact=made.features.exact or None,
        distance=distance,
        per_treated=chosen.per_treated,
        replacement=True,
    )
    return found.pairs, found.shares


def _in_strata(made: Matched) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Pairs and shares of every area to choose from with every other one of its stratum."""
    strata = stratum_codes(made.features.exact, len(made.areas))
    known = made.pool & (strata >= 0)
    pairs = whole_strata(strata, known, known)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    shares = 1.0 / np.bincount(pairs[:, 0], minlength=len(made.areas))[pairs[:, 0]]
    return pairs, shares


def support_of(features: Features, treated: Bools, pool: Bools, chosen: Matching) -> Support | None:
    """Treated areas beyond the pool, over the areas whose features are all known."""
    known = np.isfinite(features.values).all(axis=1)
    if not (known & treated).any() or (known & pool).sum() < 2:
        return None
    rows = np.flatnonzero(known)
    values = features.values[rows]
    places = _positions(values, treated[rows], pool[rows], features.names, chosen)
    found = support(values, places, treated[rows], pool[rows], features.names)
    return replace(found, beyond=tuple(replace(one, area=int(rows[one.area])) for one in found.beyond))


def _positions(
    values: NDArray[np.float64], treated: Bools, pool: Bools, names: tuple[str, ...], chosen: Matching
) -> Positions:
    if values.shape[1] == 1:
        return score_difference(values[:, 0], treated, pool, names[0])
    if chosen.distance == "robust":
        return robust_mahalanobis(values, pool, names)
    return mahalanobis(values, pool, names)


def _how(chosen: Matching, found: Match) -> str:
    """How the comparison was chosen, as a phrase."""
    on, same = all_in_words(chosen.on), all_in_words(chosen.exact)
    within = f", of the same {same}" if same else ""
    if chosen.algorithm == "entropy":
        return f"other areas weighted to balance {on}{within}"
    if chosen.algorithm == "strata":
        return f"every area of the same {same}"
    limit = f", at most {chosen.caliper:g} standard deviations away" if chosen.caliper else ""
    one = found.per_treated == 1
    if chosen.algorithm == "cardinality":
        size = "one area" if one else f"{found.per_treated} areas"
        alike = f"so that both groups are alike on average in {on}"
        return f"{size} for each treated area, chosen {alike} (paired by {found.distance}){limit}{within}"
    size = "the nearest area" if one else f"the {found.per_treated} nearest areas"
    apart = ", the least distance of all pairs together" if chosen.algorithm == "optimal" else ""
    alone = len(chosen.on) == 1 and chosen.distance in ("mahalanobis", "score") and not apart
    by = "" if alone else f" ({found.distance}{apart})"  # the distance in one number is that number's
    return f"{size} in {on}{by}{limit}{within}"


def _searched(found: Match) -> str:
    """What the reader should know of the search, as sentences: cut short, fewer than asked, not usable."""
    parts = [part[0].upper() + part[1:] + "." for part in found.note.split("; ") if part]
    if found.not_usable:
        size, reasons = len(found.not_usable), ", ".join(sorted(set(found.not_usable.values())))
        parts.append(f"{size:,} area{'' if size == 1 else 's'} could not be chosen: {reasons}.")
    return " ".join(parts)
