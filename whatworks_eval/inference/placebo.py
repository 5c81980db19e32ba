"""How odd is this change, among places where nothing was done? Intervals from relabelling.

For a hypothesised effect, that effect is taken out of the treated areas; then, if the hypothesis is right,
the treated set is one set among many like it. Its studentised departure from the rest is ranked
among theirs; the hypotheses whose rank is not extreme form the interval.

    departure    N = A·B' - A'·B        A, B = after and before in the set; A', B' = outside it
    variance     B'²·V + B²·V'          V = R·(phi·M + tau²·sum of m²) for each side
    ratio        T = N / sqrt(variance)

with M = A + B, m its parts by row, R the overall ratio after over before; phi and tau² are fitted to all
rows, once. T is defined where a set recorded nothing, changes sign when the arms are swapped, and has a
like spread at every level. Only the relation of phi to tau² matters: the ranks supply the scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.matching.level import LevelMatches
from whatworks_eval.records import PlaceboSets

Floats = NDArray[np.float64]

GRID = 81  # hypotheses looked at before the ends are refined
WIDEST = 6.0  # log ratio: a hypothesis beyond 400-fold either way is not looked at
FEW_ROWS = 20  # below this the variance function is not fitted
BINS = 20
LARGEST_SQUARE = 12.0  # times a bin's typical square, so that one strange area does not set the variance
CELLS = 20_000_000  # sets × comparison areas held at once
MEDIAN_SQUARE = 0.4549  # of a standard normal: median of chi-squared with one degree of freedom
QUANTILES = np.arange(1, 200) / 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """The change of the treated areas relative to their comparison, with its interval.

    Attributes:
        log_ratio: Log of the ratio of ratios; None where a count is zero.
        low: Lower end of the interval on the same scale; None where it is open or there is none.
        high: Upper end.
        p_value: Two-sided, of no effect; None where there are no placebo sets.
        smallest_p: The smallest it could have been.
        quantiles: 199 quantiles of the effect; empty where the interval is open or missing.
        effects: Log ratio of every placebo set with counts above zero.
        why_missing: Why a number or the interval is missing; None where both are there.
    """

    log_ratio: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    smallest_p: float | None = None
    quantiles: tuple[float, ...] = ()
    effects: Floats
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelTest:
    """Counts of every placebo set, ready to be asked about any hypothesised effect.

    Built by `relabel_test`; `p_value(log_ratio)` is all that intervals and calibration use.

    Attributes:
        set_before: Sets: before count. `set_after`, `treated_after`: after count of untreated and of
            treated rows in it. `squares`, `cross`, `treated_squares`: sum of squared levels of
            untreated rows, and the parts of that of treated rows that scale with the effect.
        other_before: Sets: before count of what each set is compared with, where that is not the rest.
        observed: The same sums for the treated set itself, in the same order.
        totals: The same sums over all rows.
        shape: phi and tau².
        matched: True where each set has a comparison of its own.
    """

    sums: Floats
    observed: Floats
    totals: Floats
    shape: tuple[float, float]
    matched: bool
    exact: bool

    def statistic(self, sums: Floats, log_ratio: float) -> Floats:
        """T for sets of rows, after taking the effect out of the treated rows."""
        scale = np.exp(-log_ratio)
        whole = self._at(self.totals, scale)
        before, after, noise, squares = self._at(sums, scale)
        overall = whole[1] / whole[0]
        if self.matched:
            other_before, other_after = sums[..., 7], sums[..., 8]
            other_noise, other_squares = sums[..., 9], sums[..., 10]
        else:
            other_before, other_after = whole[0] - before, whole[1] - after
            other_noise, other_squares = whole[2] - noise, whole[3] - squares
        phi, tau_squared = self.shape
        inside = overall * (phi * noise + tau_squared * squares)
        outside = overall * (phi * other_noise + tau_squared * other_squares)
        departure = after * other_before - other_after * before
        variance = other_before**2 * inside + before**2 * outside
        result: Floats = np.where(
            variance > 0, departure / np.sqrt(np.where(variance > 0, variance, 1.0)), 0.0
        )
        return result

    @staticmethod
    def _at(sums: Floats, scale: float) -> tuple[Floats, Floats, Floats, Floats]:
        """Before, after, chance variation and squared level, with treated after counts times `scale`.

        A count multiplied by `scale` varies by its square, so its part of the chance variation does too.
        """
        before, after, treated_after = sums[..., 0], sums[..., 1], sums[..., 2]
        noise = before + after + scale**2 * treated_after
        squares: Floats = sums[..., 3] + sums[..., 4] + 2 * scale * sums[..., 5] + scale**2 * sums[..., 6]
        return before, after + scale * treated_after, noise, squares

    def p_value(self, log_ratio: float) -> float:
        """Two-sided p-value of the hypothesis that the treated areas changed by this log ratio."""
        observed = abs(float(self.statistic(self.observed, log_ratio)))
        as_far = int((np.abs(self.statistic(self.sums, log_ratio)) >= observed * (1 - 1e-9) - 1e-12).sum())
        if self.exact:
            return max(as_far, 1) / len(self.sums)
        return (1 + as_far) / (1 + len(self.sums))


def relabel_test(
    before: Floats, after: Floats, sets: PlaceboSets, matches: LevelMatches | None = None
) -> RelabelTest:
    """A test that can be asked about any hypothesised effect.

    Args:
        before: Incidents by area in the first window.
        after: The same in the second.
        sets: Placebo sets; their `row` says which row each area counts in.
        matches: The matched comparison of each area; None where everything outside a set is its comparison.
    """
    inside = sets.row >= 0
    row = sets.row[inside]

    def by_row(values: Floats) -> Floats:
        return np.bincount(row, weights=values[inside], minlength=sets.rows).astype(float)

    first, second = by_row(before), by_row(after)
    treated = np.zeros(sets.rows, dtype=bool)
    treated[sets.treated] = True
    untreated = ~treated
    table = np.column_stack(
        [
            first,
            np.where(untreated, second, 0.0),
            np.where(treated, second, 0.0),
            np.where(untreated, (first + second) ** 2, 0.0),
            np.where(treated, first**2, 0.0),
            np.where(treated, first * second, 0.0),
            np.where(treated, second**2, 0.0),
        ]
    )
    sums = np.zeros((len(sets.members), table.shape[1]))
    for column in range(sets.members.shape[1]):  # one gather a member keeps memory at sets × columns
        sums += table[sets.members[:, column]]
    observed = table[sets.treated].sum(axis=0)
    if matches is not None:
        sums = np.hstack([sums, _matched_sums(before, after, sets, sets.members, matches)])
        own = _matched_sums(before, after, sets, sets.treated[None, :], matches)
        observed = np.concatenate([observed, own[0]])
    return RelabelTest(
        sums=sums,
        observed=observed,
        totals=table.sum(axis=0),
        shape=variance_shape(first, second, treated),
        matched=matches is not None,
        exact=sets.exact,
    )


def _matched_sums(
    before: Floats, after: Floats, sets: PlaceboSets, members: NDArray[np.intp], matches: LevelMatches
) -> Floats:
    """Of each set's own matched comparison: before, after, chance variation and squared level.

    A comparison area used by several members counts with the sum of its shares, so that a comparison
    made of few areas is as uncertain as it is. Shares are added as steps along the areas in order of level.
    """
    from scipy.sparse import csr_array

    areas = np.flatnonzero(sets.row >= 0)
    places = len(matches.order)
    share = 1.0 / np.maximum(matches.count[areas], 1)
    at = np.full(len(matches.own), places, dtype=np.intp)
    at[matches.order] = np.arange(places)
    own = areas[matches.own[areas]]
    own_share = 1.0 / np.maximum(matches.count[own], 1)
    rows = sets.row
    steps = csr_array(
        (
            np.concatenate([share, -share, -own_share, own_share]),
            (
                np.concatenate([rows[areas], rows[areas], rows[own], rows[own]]),
                np.concatenate([matches.first[areas], matches.last[areas], at[own], at[own] + 1]),
            ),
        ),
        shape=(sets.rows, places + 1),
    )
    first, second = before[matches.order], after[matches.order]
    level = first + second
    found = np.empty((len(members), 4))
    at_once = max(1, CELLS // (places + 1))
    for start in range(0, len(members), at_once):
        part = members[start : start + at_once]
        membership = csr_array(
            (np.ones(part.size), part.ravel(), np.arange(0, part.size + 1, part.shape[1])),
            shape=(len(part), sets.rows),
        )
        weight = np.cumsum((membership @ steps).toarray(), axis=1)[:, :-1]
        found[start : start + at_once, 0] = weight @ first
        found[start : start + at_once, 1] = weight @ second
        np.square(weight, out=weight)
        found[start : start + at_once, 2] = weight @ level
        found[start : start + at_once, 3] = weight @ level**2
    return found


def variance_shape(before: Floats, after: Floats, treated: NDArray[np.bool_]) -> tuple[float, float]:
    """The phi and tau² that say how the variance of a row's change grows with its level.

    Squared Poisson-standardised departures are averaged in bins of level, and phi + tau²·level is
    fitted to them with neither below zero. The treated rows count with their overall effect taken out.
    With fewer than 20 rows the two parts are set equal at the middle level.
    """
    from scipy.optimize import nnls

    adjusted = after.astype(float)
    outside = ~treated
    if outside.any() and before[outside].sum() > 0 and after[outside].sum() > 0 and treated.any():
        ratio_outside = after[outside].sum() / before[outside].sum()
        expected = before[treated].sum() * ratio_outside
        if after[treated].sum() > 0 and expected > 0:
            adjusted[treated] *= expected / after[treated].sum()
    level = before + adjusted
    known = level > 0
    level, first, second = level[known], before[known], adjusted[known]
    middle = float(np.median(level)) if len(level) else 1.0
    if len(level) < FEW_ROWS or first.sum() <= 0 or second.sum() <= 0:
        return 1.0, 1.0 / middle
    ratio = second.sum() / first.sum()
    squares = (second - ratio * first) ** 2 / (ratio * level)
    bins = np.array_split(np.argsort(level, kind="stable"), min(BINS, max(4, len(level) // 15)))
    heights = np.array([level[part].mean() for part in bins])
    values = np.array([_typical(squares[part]) for part in bins])
    weights = 1.0 / np.maximum(values, 0.3)
    design = np.column_stack([np.ones(len(bins)), heights]) * weights[:, None]
    (phi, tau_squared), _ = nnls(design, values * weights)
    if phi + tau_squared <= 0:
        return 1.0, 1.0 / middle
    return float(phi), float(tau_squared)


def _typical(squares: Floats) -> float:
    """Mean of the squares, each counted as at most 12 times what their median says is typical."""
    most = LARGEST_SQUARE * max(float(np.median(squares)) / MEDIAN_SQUARE, 0.1)
    return float(np.minimum(squares, most).mean())


def relative_change(
    before: Floats,
    after: Floats,
    sets: PlaceboSets,
    *,
    confidence: float = 0.95,
    matches: LevelMatches | None = None,
    quantiles: bool = False,
) -> Relative:
    """The relative change of the treated areas between two windows, with an interval by relabelling.

    Args:
        before: Incidents by area in the first window.
        after: The same in the second.
        sets: Placebo sets for these areas.
        confidence: Of the interval. Where the sets' smallest p-value is above 1 - confidence there is none.
        matches: As for `relabel_test`.
        quantiles: Whether to compute the 199 quantiles.
    """
    if not len(sets.members):
        inside, rest = np.isin(sets.row, sets.treated), (sets.row >= 0) & ~np.isin(sets.row, sets.treated)
        value = _log_ratio(
            np.array([before[inside].sum(), after[inside].sum(), before[rest].sum(), after[rest].sum()])
        )
        return Relative(
            log_ratio=value,
            effects=np.empty(0),
            why_missing="no set of areas like the treated could be drawn from the comparison areas",
        )
    test = relabel_test(before, after, sets, matches)
    value = _log_ratio(_four(test, test.observed))
    four = _four(test, test.sums)
    countable = (four > 0).all(axis=-1)
    effects = np.log(four[countable, 1] * four[countable, 2] / (four[countable, 0] * four[countable, 3]))
    p_value = max(test.p_value(0.0), sets.smallest_p)
    if value is None:  # a count of nought stays nought whatever effect is taken out, so nothing bounds it
        return Relative(
            log_ratio=None,
            p_value=p_value,
            smallest_p=sets.smallest_p,
            effects=effects,
            why_missing=_why_no_ratio(_four(test, test.observed)),
        )
    if sets.smallest_p > 1 - confidence + 1e-12:
        floor = (
            f"with this many units the smallest attainable p-value is {sets.smallest_p:.2g}, "
            f"so no {100 * confidence:g} % interval exists"
        )
        return Relative(
            log_ratio=value,
            p_value=p_value,
            smallest_p=sets.smallest_p,
            effects=effects,
            why_missing=floor,
        )
    low, high, curve = _invert(test, value, 1 - confidence)
    reason = None
    if low is None and high is None:
        reason = "the data bound the effect on neither side"
    elif low is None or high is None:
        reason = "the data bound the effect on one side only"
    found: tuple[float, ...] = ()
    if quantiles and low is not None and high is not None:
        found = _quantiles(curve, value)
    return Relative(
        log_ratio=value,
        low=low,
        high=high,
        p_value=p_value,
        smallest_p=sets.smallest_p,
        quantiles=found,
        effects=effects,
        why_missing=reason,
    )


def _four(test: RelabelTest, sums: Floats) -> Floats:
    """Before and after in sets, before and after in what they are compared with: … × 4."""
    before, after = sums[..., 0], sums[..., 1] + sums[..., 2]
    if test.matched:
        other_before, other_after = sums[..., 7], sums[..., 8]
    else:
        other_before = test.totals[0] - before
        other_after = test.totals[1] + test.totals[2] - after
    return np.stack([before, after, other_before, other_after], axis=-1)


def _log_ratio(four: Floats) -> float | None:
    if not (four > 0).all():
        return None
    return float(np.log(four[1] * four[2] / (four[0] * four[3])))


def _why_no_ratio(four: Floats) -> str:
    names = (
        "treated areas in the before window",
        "treated areas in the after window",
        "comparison areas in the before window",
        "comparison areas in the after window",
    )
    empty = [name for name, count in zip(names, four, strict=True) if count <= 0]
    return (
        f"no incident was recorded in the {' or the '.join(empty)}, so neither a ratio nor its interval "
        "can be formed"
    )


def _invert(
    test: RelabelTest, centre: float, alpha: float
) -> tuple[float | None, float | None, tuple[Floats, Floats]]:
    """Ends of the set of hypotheses not rejected at alpha, and the p-value curve they were read from.

    The p-value is a step function with small dips, so the outermost crossing on a grid is taken and
    refined by halving: an interval can come out a little wide, not narrow.
    """
    reach = _reach(test, centre, alpha)
    for _ in range(6):
        grid = centre + np.linspace(-reach, reach, GRID)
        p_values = np.array([test.p_value(float(point)) for point in grid])
        if (p_values[0] <= alpha and p_values[-1] <= alpha) or reach >= WIDEST:
            break
        reach = min(WIDEST, 2 * reach)
    kept = np.flatnonzero(p_values > alpha)
    if not len(kept):  # cannot happen at the estimate itself, where T is zero
        return None, None, (grid, p_values)
    low = None if kept[0] == 0 else _halve(test, grid[kept[0] - 1], grid[kept[0]], alpha)
    high = None if kept[-1] == GRID - 1 else _halve(test, grid[kept[-1] + 1], grid[kept[-1]], alpha)
    return low, high, (grid, p_values)


def _reach(test: RelabelTest, centre: float, alpha: float) -> float:
    """A first guess at twice the half-width: slope of T at the estimate against the spread of T."""
    step = 0.02
    slope = (
        float(test.statistic(test.observed, centre - step))
        - float(test.statistic(test.observed, centre + step))
    ) / (2 * step)
    spread = float(np.quantile(np.abs(test.statistic(test.sums, centre)), 1 - alpha))
    if slope <= 0 or spread <= 0:
        return 1.0
    return float(np.clip(2.0 * spread / slope, 0.02, WIDEST))


def _halve(test: RelabelTest, outside: float, inside: float, alpha: float) -> float:
    """The crossing of alpha between a rejected and a kept hypothesis, on the rejected side."""
    for _ in range(12):
        middle = (outside + inside) / 2
        if test.p_value(middle) > alpha:
            inside = middle
        else:
            outside = middle
    return float(outside)


def _quantiles(curve: tuple[Floats, Floats], value: float) -> tuple[float, ...]:
    """199 quantiles read from the p-value curve: p(x)/2 below the estimate, 1 - p(x)/2 above."""
    grid, p_values = curve
    level = np.where(grid <= value, p_values / 2, 1 - p_values / 2)
    level = np.maximum.accumulate(level)
    return tuple(float(point) for point in np.interp(QUANTILES, level, grid))
