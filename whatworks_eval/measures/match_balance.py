"""How alike the arms are after matching, in what was matched on and in what was not; and who had no like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import WhatWorksError
from whatworks_eval.inference.relabelling import matches_of
from whatworks_eval.judgement import Case
from whatworks_eval.matched import support_of
from whatworks_eval.matching.balance import Difference, balance, effective_size, is_yes_or_no
from whatworks_eval.matching.features import (
    FEWEST_FOR_TREND,
    FROM_DATA,
    LEVEL,
    TREND,
    Features,
    features_of,
    in_words,
    until_start,
)
from whatworks_eval.matching.support import AS_LONELY, Support
from whatworks_eval.measures.declared import is_matched
from whatworks_eval.panel import Panel

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One feature after matching.

    Attributes:
        name: Of the feature, in words.
        matched_on: Whether the match looked at it.
        before: All treated areas against all that could be chosen.
        after: Matched treated areas against their weighted comparison.
        p_value: Of the difference after matching, were treated units and their matches alike in it: a t-test
            of each unit's difference from its own comparison. None with fewer than two treated units.
        spread_p: The same of the two variances; None likewise or where there is no ratio.
    """

    name: str
    matched_on: bool
    before: Difference
    after: Difference
    p_value: float | None
    spread_p: float | None


def known_features(case: Case, more: Sequence[str] = ()) -> Features | None:
    """Level, trend and every declared covariate of each area used, then of some `more` that are not.

    None where there are no counts by area.
    """
    panel, windowed, protocol = case.data, case.windowed, case.protocol
    if not isinstance(panel, Panel) or windowed is None or windowed.index is None or protocol.windows is None:
        return None
    first, last = protocol.windows.before
    length = sum(first <= period <= last for period in panel.periods)
    names = [LEVEL, *([TREND] if length >= FEWEST_FOR_TREND else [])]
    declared = (*protocol.matching.on, *protocol.matching.exact, *protocol.covariates)
    names += [
        name
        for name in dict.fromkeys(declared)
        if name not in names and (name in panel.covariates or (name in FROM_DATA and name != TREND))
    ]
    if "residents" in names and panel.residents is None:
        names.remove("residents")
    known = until_start(panel, protocol.intervention.start)
    return features_of(known, names, (), protocol.windows.before, (*windowed.areas, *more))


def gaps(case: Case) -> tuple[Gap, ...] | None:
    """Balance after matching, feature by feature; None where nothing was matched or there are no counts.

    Treated areas left out count in the yardstick, so that leaving them out cannot change it, and before.
    """
    windowed = case.windowed
    if windowed is None or not is_matched(case.protocol) or case.contrast.weights is None:
        return None
    left_out = sorted(set(case.contrast.unmatched) - set(windowed.areas))
    wide = known_features(case, left_out)
    if wide is None:
        return None
    arm = np.append(windowed.arm, ["left out"] * len(left_out))
    weight = np.append(windowed.weight, np.zeros(len(left_out)))
    whole = balance(
        wide.values,
        np.isin(arm, ("treated", "left out")),
        np.isin(arm, ("comparison", "pool")),
        weights=np.where(arm == "comparison", weight, 0.0),
        matched=arm == "treated",
        names=wide.names,
    ).features
    features = replace(wide, values=wide.values[: len(windowed.areas)])
    treated, comparison = windowed.arm == "treated", windowed.arm == "comparison"
    weights = np.where(comparison, windowed.weight, 0.0)
    matches = matches_of(case.contrast, windowed, case.protocol.matching.per_treated)
    assert matches is not None
    units = np.array([case.contrast.units.get(area, area) for area in windowed.areas])
    made = []
    for at, one in enumerate(whole):
        values = features.values[:, at]
        known = np.isfinite(values)
        share = matches.mean_of(known.astype(float))
        mean = matches.mean_of(np.where(known, values, 0.0)) / np.where(share > 0, share, 1.0)
        usable = treated & known & (share > 0)
        made.append(
            Gap(
                name=in_words(one.name),
                matched_on=one.name in (*case.protocol.matching.on, *case.protocol.matching.exact),
                before=one.before,
                after=one.after,
                p_value=_t_test(values[usable] - mean[usable], units[usable]),
                spread_p=_spread_test(
                    values[usable], values[comparison & known], weights[comparison & known]
                ),
            )
        )
    return tuple(made)


def _t_test(differences: Floats, units: NDArray[np.str_]) -> float | None:
    """Two-sided, of a mean of zero over units."""
    from scipy.special import stdtr

    _, group = np.unique(units, return_inverse=True)
    by_unit = np.bincount(group, weights=differences) / np.bincount(group) if len(group) else np.empty(0)
    if len(by_unit) < 2:
        return None
    error = float(by_unit.std(ddof=1)) / math.sqrt(len(by_unit))
    if error <= 0:
        return 1.0 if by_unit.mean() == 0 else 0.0
    return float(2 * stdtr(len(by_unit) - 1, -abs(float(by_unit.mean())) / error))


def _spread_test(one: Floats, other: Floats, weights: Floats) -> float | None:
    """Two-sided, of equal variances: the log ratio against its error, with kurtosis as the data have it."""
    from scipy.special import ndtr

    if len(one) < 2 or len(other) < 2 or is_yes_or_no(np.concatenate([one, other])):
        return None
    middle, second = one.mean(), float(np.average(other, weights=weights))
    spread, wide = float(one.var()), float(np.average((other - second) ** 2, weights=weights))
    if spread <= 0 or wide <= 0:
        return None
    fourth = np.concatenate([(one - middle) ** 4 / spread**2, (other - second) ** 4 / wide**2])
    shares = np.concatenate([np.full(len(one), 0.5 / len(one)), 0.5 * weights / weights.sum()])
    kurtosis = max(3.0, float(shares @ fourth))  # short tails in few areas would promise too much
    error = math.sqrt((kurtosis - 1) * (1 / (len(one) - 1) + 1 / max(effective_size(weights) - 1, 1.0)))
    return float(2 * ndtr(-abs(math.log(spread / wide)) / error))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfReach:
    """Treated areas the pool has no like of.

    Attributes:
        kept: Code, then how far beyond, of areas in the estimate.
        left_out: Code, then why, of areas not in it.
        treated: Treated areas declared and usable.
        chance: How likely so many kept areas would be named if the treated were drawn like the pool; None
            where none was.
        why_missing: Why it could not be judged; None where it was.
    """

    kept: dict[str, str]
    left_out: dict[str, str]
    treated: int
    chance: float | None
    why_missing: str | None = None


def out_of_reach(case: Case) -> OutOfReach | None:
    """Treated areas beyond the pool in what was matched on; None where nothing was matched."""
    if not is_matched(case.protocol) or not isinstance(case.data, Panel) or case.windowed is None:
        return None
    contrast = case.contrast
    left_out = dict(contrast.unmatched)
    treated = len(contrast.treated) + len(left_out)
    if case.protocol.matching.algorithm == "strata":
        return OutOfReach(kept={}, left_out=left_out, treated=treated, chance=None)
    try:
        areas, found = _support(case)
    except WhatWorksError as problem:
        why = str(problem).splitlines()[0]
        return OutOfReach(kept={}, left_out=left_out, treated=treated, chance=None, why_missing=why)
    if found is None:
        why = "too few areas have everything known that was matched on"
        return OutOfReach(kept={}, left_out=left_out, treated=treated, chance=None, why_missing=why)
    kept = {areas[one.area]: one.how_far for one in found.beyond if areas[one.area] not in left_out}
    pool = len(contrast.comparison) + len(contrast.pool)
    named = min(1.0, AS_LONELY + 2 * len(case.protocol.matching.on) / (pool + 1))
    return OutOfReach(
        kept=kept,
        left_out=left_out,
        treated=treated,
        chance=_at_least(len(kept), treated, named) if kept else None,
    )


def _support(case: Case) -> tuple[tuple[str, ...], Support | None]:
    """The areas looked at, in order, and the support of what was matched on among them."""
    panel, contrast, protocol = case.data, case.contrast, case.protocol
    assert isinstance(panel, Panel)
    assert protocol.windows is not None
    whole = {*contrast.treated, *contrast.unmatched}
    others = {*contrast.comparison, *contrast.pool}
    areas = tuple(sorted(whole | others))
    known = until_start(panel, protocol.intervention.start)
    features = features_of(known, protocol.matching.on, (), protocol.windows.before, areas)
    treated, pool = np.isin(areas, sorted(whole)), np.isin(areas, sorted(others))
    return areas, support_of(features, treated, pool, protocol.matching)


def _at_least(found: int, of: int, chance: float) -> float:
    """Chance of at least so many of so many, each with this chance."""
    return math.fsum(
        math.comb(of, at) * chance**at * (1 - chance) ** (of - at) for at in range(found, of + 1)
    )
