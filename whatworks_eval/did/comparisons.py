"""Goodman-Bacon's reading of two-way fixed effects: every two-group comparison inside it and its weight.

With staggered starts the coefficient of a two-way fixed-effects regression is a weighted average of every
comparison of two groups of areas over a stretch of time. Those that take areas already treated as the
comparison are forbidden: effects that grow push them the wrong way.

Source: Goodman-Bacon (2021), J Econometrics 225, 254-277, theorem 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whatworks_eval.did.rollout import NEVER, Floats, Rollout
from whatworks_eval.errors import CannotEstimate

Kind = Literal[
    "treated against never treated",
    "earlier against later, before it starts",
    "later against earlier, already treated",
    "treated against always treated",
]
NEVER_TREATED: Kind = "treated against never treated"
LATER: Kind = "earlier against later, before it starts"
EARLIER: Kind = "later against earlier, already treated"
ALWAYS: Kind = "treated against always treated"
KINDS: tuple[Kind, ...] = (NEVER_TREATED, LATER, EARLIER, ALWAYS)
FORBIDDEN = frozenset({EARLIER, ALWAYS})


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoByTwo:
    """One comparison of two groups of areas.

    Attributes:
        kind: Which kind.
        treated: Start period of the group whose treatment changes.
        compared: Start period of the group it is compared with; -1 = never treated, 0 = always.
        value: Difference in differences, in units of the outcome.
        weight: Share of the two-way fixed-effects coefficient.
    """

    kind: Kind
    treated: int
    compared: int
    value: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTotal:
    """All comparisons of one kind.

    Attributes:
        kind: Which kind.
        weight: Sum of their weights.
        value: Their weighted average.
        comparisons: How many there are.
    """

    kind: Kind
    weight: float
    value: float
    comparisons: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparisons:
    """The two-way fixed-effects coefficient taken apart.

    Attributes:
        twfe: The coefficient, from the regression itself.
        detail: Every comparison; weights sum to one and weight × value sums to `twfe`.
        kinds: By kind, those present alone.
        forbidden_share: Weight of comparisons with areas already treated.
        without_forbidden: Weighted average of the others; None where all are forbidden.
    """

    twfe: float
    detail: tuple[TwoByTwo, ...]
    kinds: tuple[KindTotal, ...]
    forbidden_share: float
    without_forbidden: float | None


def goodman_bacon(data: Rollout) -> Comparisons:
    """Every comparison inside the two-way fixed-effects coefficient, with its weight.

    Raises:
        CannotEstimate: A cell is missing (the weights hold for a full table alone), or nobody's treatment
            changes, or there is nobody to compare with.

    Example:
        >>> from whatworks_eval.did.rollout import rollout
        >>> found = goodman_bacon(rollout([[1, 2, 3], [1, 5, 6], [1, 2, 9]], [-1, 1, 2]))
        >>> [(total.kind, round(total.weight, 3)) for total in found.kinds][0]
        ('treated against never treated', 0.667)
        >>> round(found.forbidden_share, 3), round(found.twfe, 3)
        (0.167, 4.5)
    """
    table = data.outcome
    periods = table.shape[1]
    gaps = ~np.isfinite(table)
    if gaps.any():
        raise CannotEstimate(
            f"{int(gaps.sum())} cells are missing in {int(gaps.any(axis=1).sum())} areas; the decomposition "
            "needs every area in every period: leave those areas or periods out first"
        )
    groups = [int(group) for group in np.unique(data.start)]
    if len(groups) < 2 or not any(group > 0 for group in groups):
        raise CannotEstimate(
            "all areas start together, or none does after the first period: there is no comparison to weigh"
        )
    total = data.weights.sum()
    share = {g: float(data.weights[data.start == g].sum() / total) for g in groups}
    mean = {
        g: data.weights[data.start == g] @ table[data.start == g] / data.weights[data.start == g].sum()
        for g in groups
    }
    treated_time = {g: 0.0 if g == NEVER else (periods - g) / periods for g in groups}
    found = []
    for first in groups:
        if first <= 0:
            continue
        for other in groups:
            # Never treated is as if it started after the last period, always treated as if at the first.
            begins = periods if other == NEVER else other
            if other == first:
                continue
            both = share[first] * share[other]
            gap = abs(treated_time[first] - treated_time[other])
            if begins > first:
                kind = NEVER_TREATED if other == NEVER else LATER
                raw = both * gap * (1 - treated_time[first])
                value = _double_difference(mean[first], mean[other], 0, first, begins)
            else:
                kind = ALWAYS if other == 0 else EARLIER
                raw = both * gap * treated_time[first]
                value = _double_difference(mean[first], mean[other], other, first, periods)
            found.append((kind, first, other, value, raw))
    whole = sum(item[4] for item in found)
    detail = tuple(
        TwoByTwo(kind=kind, treated=first, compared=other, value=value, weight=raw / whole)
        for kind, first, other, value, raw in found
    )
    forbidden = sum(pair.weight for pair in detail if pair.kind in FORBIDDEN)
    clean = [pair for pair in detail if pair.kind not in FORBIDDEN]
    return Comparisons(
        twfe=_twfe(data),
        detail=detail,
        kinds=tuple(_total(kind, detail) for kind in KINDS if any(pair.kind == kind for pair in detail)),
        forbidden_share=float(forbidden),
        without_forbidden=sum(p.weight * p.value for p in clean) / sum(p.weight for p in clean)
        if clean
        else None,
    )


def _double_difference(mine: Floats, theirs: Floats, begin: int, change: int, end: int) -> float:
    """Mean over [change, end) less mean over [begin, change), one group less the other."""
    gap = mine - theirs
    return float(gap[change:end].mean() - gap[begin:change].mean())


def _total(kind: Kind, detail: tuple[TwoByTwo, ...]) -> KindTotal:
    inside = [pair for pair in detail if pair.kind == kind]
    weight = sum(pair.weight for pair in inside)
    return KindTotal(
        kind=kind,
        weight=weight,
        value=sum(pair.weight * pair.value for pair in inside) / weight,
        comparisons=len(inside),
    )


def _twfe(data: Rollout) -> float:
    """The coefficient of treatment with area and period effects, for a full table."""
    periods = np.arange(data.outcome.shape[1])
    on = ((periods[None, :] >= data.start[:, None]) & ~data.never[:, None]).astype(float)
    weights = data.weights[:, None]
    by_period = (weights * on).sum(axis=0) / weights.sum()
    left = on - on.mean(axis=1, keepdims=True) - by_period + by_period.mean()
    return float((weights * left * data.outcome).sum() / (weights * left * on).sum())
