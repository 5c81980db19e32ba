"""Cells and areas whose counts of zero carry no information, and what can still be said.

An area that recorded nothing in any period adds nothing to a ratio: it is listed by arm, since the estimate
is then about the areas that recorded something. Where a whole cell of arm × window is empty the log ratio has
no finite estimate, and one end is all that can be given.

The bound: conditional on the totals of arms and windows, the treated after count of four independent Poisson
counts has Fisher's noncentral hypergeometric distribution, whose odds ratio is the ratio of ratios. With
nothing recorded after, the chance of that is

    P(0) = C(C₀ + C₁, C₁) / Σ_k C(T₀, k) C(C₀ + C₁, C₁ - k) ρᵏ      (0 ≤ k ≤ T₀ and k ≤ C₁)

which falls as ρ grows; the upper end is the ρ at which it is 1 - confidence: any ρ above it would have shown
nothing less often than that. All four counts' own chance is in it; as they grow with T₀ C₁ / C₀ held, it
becomes the rule of three, ρ ≤ 3.0 over the expected count at 95 %. Counts that vary by more than chance, with
dispersion φ, count for less: each is divided by φ first and rounded the way that widens the bound, which is
down for the empty cell's two neighbours (T₀ and C₁ above) and up for the cell across from it (C₀). The mirror
cases (nothing before, or nothing in a comparison cell) follow by swapping.

Source: Cornfield (1956), Proceedings of the Third Berkeley Symposium 4, 135-148 (the conditional
distribution); Correia, Guimarães and Zylkin (2019), arXiv:1903.01633 (the iterative rectifier).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whatworks_eval.did.two_way import Bools, Codes, Floats, TwoWay, weighted_gram
from whatworks_eval.errors import DataError

RECTIFIER_STEPS = 500
LARGE = 1e4  # weight of a cell with incidents against one without, in the rectifier
APART = 1e-3  # a certificate above this is not rounding; certificates start at 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bound:
    """One end of the log ratio of ratios, where the other does not exist.

    Attributes:
        side: 'at most' or 'at least'; None with `why_missing`.
        log_ratio: The end.
        confidence: One-sided.
        dispersion: Variance over mean that was assumed.
        why_missing: Why there is no bound.
    """

    side: Literal["at most", "at least"] | None
    log_ratio: float | None
    confidence: float
    dispersion: float
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Separation:
    """What recorded nothing, by arm.

    Attributes:
        silent_treated: Treated areas that recorded nothing in any period.
        silent_comparison: Comparison areas likewise.
        silent_periods: Periods in which no area recorded anything.
        stopped_treated: Treated areas that recorded something before and nothing after.
        stopped_comparison: Comparison areas likewise.
        empty_cells: Names of the cells of arm × window with nothing in them.
        reasons: What follows, in sentences; empty where nothing does.
    """

    silent_treated: Codes
    silent_comparison: Codes
    silent_periods: Codes
    stopped_treated: Codes
    stopped_comparison: Codes
    empty_cells: tuple[str, ...]
    reasons: tuple[str, ...]


def find_separation(counts: Floats, treated: Bools, after: Bools) -> Separation:
    """Areas, periods and cells of a common-start panel that recorded nothing, by arm.

    Args:
        counts: areas × periods; a missing cell as 0.
        treated: By area.
        after: By period.

    Example:
        >>> counts = np.array([[3.0, 0.0], [0.0, 0.0], [4.0, 5.0]])
        >>> found = find_separation(counts, np.array([True, True, False]), np.array([False, True]))
        >>> found.empty_cells, found.silent_treated.tolist(), found.stopped_treated.tolist()
        (('treated after',), [1], [0])
    """
    before_sum, after_sum = counts[:, ~after].sum(axis=1), counts[:, after].sum(axis=1)
    silent, stopped = (before_sum + after_sum) == 0, (before_sum > 0) & (after_sum == 0)
    totals = {
        "treated before": before_sum[treated].sum(),
        "treated after": after_sum[treated].sum(),
        "comparison before": before_sum[~treated].sum(),
        "comparison after": after_sum[~treated].sum(),
    }
    empty = tuple(name for name, total in totals.items() if total == 0)
    quiet_periods = np.flatnonzero(counts.sum(axis=0) == 0)
    reasons = []
    for arm, members in (("treated", treated), ("comparison", ~treated)):
        number = int((silent & members).sum())
        if number:
            reasons.append(
                f"{number} of {int(members.sum())} {arm} areas recorded nothing in any period: a ratio says "
                "nothing of them, and the estimate is for the areas that recorded something"
            )
    if len(quiet_periods):
        reasons.append(
            f"in {len(quiet_periods)} periods no area recorded anything: they add nothing to a ratio"
        )
    if empty:
        reasons.append(
            f"nothing was recorded in {' or '.join(empty)}: a ratio has no finite estimate, "
            "only a one-sided bound"
        )
    return Separation(
        silent_treated=np.flatnonzero(silent & treated),
        silent_comparison=np.flatnonzero(silent & ~treated),
        silent_periods=quiet_periods,
        stopped_treated=np.flatnonzero(stopped & treated),
        stopped_comparison=np.flatnonzero(stopped & ~treated),
        empty_cells=empty,
        reasons=tuple(reasons),
    )


def one_sided_bound(
    sums: tuple[float, float, float, float], *, confidence: float = 0.95, dispersion: float = 1.0
) -> Bound:
    """The end of the log ratio of ratios that an empty cell still allows.

    Args:
        sums: Recorded: treated before, treated after, comparison before, comparison after.
        confidence: One-sided.
        dispersion: Variance of a count over its mean; below 1 is taken as 1.

    Raises:
        DataError: For sums that are not counts, or a confidence outside 0 to 1.

    Example:
        >>> found = one_sided_bound((30.0, 0.0, 300_000.0, 300_000.0))
        >>> found.side, round(float(np.exp(found.log_ratio)), 4)   # 0.05 ** (-1 / 30) - 1
        ('at most', 0.105)
    """
    if min(sums) < 0 or not np.isfinite(sums).all() or not 0 < confidence < 1 or not np.isfinite(dispersion):
        raise DataError(
            f"a bound needs four counts of 0 or more and a confidence between 0 and 1; given {sums}, "
            f"{confidence}"
        )
    phi = max(1.0, dispersion)
    t0, t1, c0, c1 = (total / phi for total in sums)

    def none(why: str) -> Bound:
        return Bound(side=None, log_ratio=None, confidence=confidence, dispersion=phi, why_missing=why)

    low_cells, high_cells = (sums[1] == 0) + (sums[2] == 0), (sums[0] == 0) + (sums[3] == 0)
    if low_cells + high_cells == 0:
        return none("no cell is empty: there is a finite estimate, with two ends")
    if low_cells + high_cells > 1:
        return none("more than one cell is empty: the totals alone fix the table, and nothing can be said")
    # Turned so that the empty cell is the first: (row partner, column partner, the cell across).
    partners = {1: (t0, c1, c0), 2: (c1, t0, t1), 0: (t1, c0, c1), 3: (c0, t1, t0)}
    row, column, across = partners[sums.index(0)]
    # Rounding the cell across down would raise what was expected in the empty cell, and narrow the bound.
    row, column, across = float(np.floor(row)), float(np.floor(column)), float(np.ceil(across))
    if min(row, column) < 1:
        return none(
            f"the empty cell's neighbours hold too little once divided by the dispersion of {phi:.2f}: "
            "nothing can be said"
        )
    size = _largest_ratio(row, column, across, 1 - confidence)
    return Bound(
        side="at most" if low_cells else "at least",
        log_ratio=size if low_cells else -size,
        confidence=confidence,
        dispersion=phi,
    )


def _largest_ratio(row: float, column: float, across: float, chance: float) -> float:
    """The log ratio at which an empty cell has just this chance, given the margins."""
    from scipy.optimize import brentq
    from scipy.special import gammaln, logsumexp

    inside = np.arange(0.0, min(row, column) + 1)

    def ways(among: float, taken: Floats) -> Floats:
        found: Floats = gammaln(among + 1) - gammaln(taken + 1) - gammaln(among - taken + 1)
        return found

    logs = ways(row, inside) + ways(across + column, column - inside)
    logs -= logs[0]

    def excess(log_ratio: float) -> float:
        return float(logsumexp(logs + inside * log_ratio)) + float(np.log(chance))

    low, high = -1.0, 1.0
    while excess(low) > 0:
        low *= 2
    while excess(high) < 0:
        high *= 2
    return float(brentq(excess, low, high, xtol=1e-12, rtol=1e-14))


def separated_cells(counts: Floats, columns: Floats, *, weights: Floats | None = None) -> tuple[Bools, Codes]:
    """Zero cells that the columns and the effects set apart from cells with incidents, and by which columns.

    The iterative rectifier: a regression in which cells with incidents are held at zero and the others are
    pulled up from it; what can be pulled up for ever is separated.

    Args:
        counts: areas × periods.
        columns: columns × areas × periods.
        weights: Zero where a cell is missing; None = all there.

    Example:
        >>> counts = np.array([[3.0, 0.0], [2.0, 0.0], [4.0, 5.0], [1.0, 2.0]])
        >>> project = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
        >>> apart, by = separated_cells(counts, project[None])
        >>> np.argwhere(apart).tolist(), by.tolist()
        ([[0, 1], [1, 1]], [0])
    """
    there = np.ones(counts.shape) if weights is None else (weights > 0).astype(float)
    two_way = TwoWay(np.where(counts > 0, LARGE, 1.0) * there)
    design = np.stack([two_way.residual(column) for column in columns])
    gram = weighted_gram(two_way.weights, design)
    flat = design.reshape(len(design), -1)
    zero = (counts == 0) & (there > 0)
    target: Floats = zero.astype(float)
    params: Floats = np.zeros(len(columns))
    for _ in range(RECTIFIER_STEPS):
        left = two_way.residual(target)
        sums = flat @ (two_way.weights * left).ravel()
        params = np.asarray(np.linalg.lstsq(gram, sums, rcond=None)[0], dtype=float)
        found = target - left + np.tensordot(params, design, axes=1)
        # What the columns cannot lift stays at zero; a cell with incidents always does.
        lifted: Floats = np.where(zero, np.maximum(found, 0.0), 0.0)
        if np.abs(lifted - target).max(initial=0.0) < 1e-9 or lifted.max(initial=0.0) < APART:
            target = lifted
            break
        target = lifted
    apart: Bools = target > APART
    reach = np.abs(params)[:, None, None] * np.abs(design)
    guilty = (
        np.flatnonzero((reach * apart).max(axis=(1, 2)) > APART)
        if apart.any()
        else np.empty(0, dtype=np.intp)
    )
    return apart, guilty
