"""One set among many like it: the statistic that is ranked, for any hypothesised effect.

For a hypothesised effect, that effect is taken out of the treated areas; then, if the hypothesis is right,
the treated set is one set among many like it. Its studentised departure from the rest is ranked among theirs.

    departure    N = A·B' - A'·B        A, B = after and before in the set; A', B' = outside it
    variance     B'²·V + B²·V'          V = R·(phi·M + tau²·sum of m²) for each side
    ratio        T = N / sqrt(variance)

with M = A + B, m its parts by row, R the overall ratio after over before; phi and tau² are fitted to all
rows, once. T is defined where a set recorded nothing, changes sign when the arms are swapped, and has a
like spread at every level. Only the relation of phi to tau² matters: the ranks supply the scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.matching.level import Matches
from whatworks_eval.records import PlaceboSets

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]

FEW_ROWS = 20  # below this the variance function is not fitted
BINS = 20
LARGEST_SQUARE = 12.0  # times a bin's typical square, so that one strange area does not set the variance
CELLS = 20_000_000  # sets × comparison areas held at once
MEDIAN_SQUARE = 0.4549  # of a standard normal: median of chi-squared with one degree of freedom


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelTest:
    """Counts of every placebo set, ready to be asked about any hypothesised effect.

    Built by `relabel_test`; `p_value(log_ratio)` is all that intervals and calibration use.

    Attributes:
        sums: columns × sets, each the sum over the rows of a set: 0 before; 1 after, untreated rows;
            2 after, treated rows; 3 squared level (before + after), untreated rows; 4, 5 and 6 the parts of
            squared level of treated rows that scale with the effect (before², before × after, after²);
            and of the set's matched comparison, where it has one: 7 before; 8 after; 9 chance
            variation; 10 squared level.
        observed: The same columns for the treated set.
        totals: Columns 0 to 6 over all rows.
        shape: phi and tau².
        matched: True where each set has a comparison of its own.
        exact: True where every possible set is among `sums`, the treated set included.
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
            other_before, other_after = sums[7], sums[8]
            other_noise, other_squares = sums[9], sums[10]
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

    def four(self, sums: Floats) -> Floats:
        """Before and after in sets, before and after in what they are compared with: … × 4."""
        before, after = sums[0], sums[1] + sums[2]
        if self.matched:
            other_before, other_after = sums[7], sums[8]
        else:
            other_before = self.totals[0] - before
            other_after = self.totals[1] + self.totals[2] - after
        return np.stack([before, after, other_before, other_after], axis=-1)

    @staticmethod
    def _at(sums: Floats, scale: float) -> tuple[Floats, Floats, Floats, Floats]:
        """Before, after, chance variation and squared level, with treated after counts times `scale`.

        A count multiplied by `scale` varies by its square, so its part of the chance variation does too.
        """
        before, after, treated_after = sums[0], sums[1], sums[2]
        noise = before + after + scale**2 * treated_after
        squares: Floats = sums[3] + sums[4] + 2 * scale * sums[5] + scale**2 * sums[6]
        return before, after + scale * treated_after, noise, squares

    def p_value(self, log_ratio: float) -> float:
        """Two-sided p-value of the hypothesis that the treated areas changed by this log ratio."""
        observed = abs(float(self.statistic(self.observed, log_ratio)))
        as_far = int((np.abs(self.statistic(self.sums, log_ratio)) >= observed * (1 - 1e-9) - 1e-12).sum())
        if self.exact:
            return max(as_far, 1) / int(self.sums.shape[1])
        return (1 + as_far) / (1 + int(self.sums.shape[1]))


def relabel_test(
    before: Floats, after: Floats, sets: PlaceboSets, matches: Matches | None = None
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
    sums = (_membership(sets.members, sets.rows) @ table).T
    observed = table[sets.treated].sum(axis=0)
    if matches is not None:
        sums = np.vstack([sums, _matched_sums(before, after, sets, sets.members, matches)])
        own = _matched_sums(before, after, sets, sets.treated[None, :], matches)
        observed = np.concatenate([observed, own[:, 0]])
    return RelabelTest(
        sums=np.ascontiguousarray(sums),
        observed=observed,
        totals=table.sum(axis=0),
        shape=variance_shape(first, second, treated),
        matched=matches is not None,
        exact=sets.exact,
    )


def _matched_sums(
    before: Floats,
    after: Floats,
    sets: PlaceboSets,
    members: NDArray[np.intp],
    matches: Matches,
    whole: NDArray[np.intp] | None = None,
) -> Floats:
    """Of each set's own matched comparison: before, after, chance variation and squared level.

    A comparison area used by several members counts with the sum of its shares, so that a comparison
    made of few areas is as uncertain as it is. `whole` as for `comparison_weights`.
    """
    first, second = before[matches.places], after[matches.places]
    level = first + second
    found = np.empty((4, len(members)))
    for part, weight in comparison_weights(sets, members, matches, whole):
        found[0, part] = weight @ first
        found[1, part] = weight @ second
        np.square(weight, out=weight)
        found[2, part] = weight @ level
        found[3, part] = weight @ level**2
    return found


def comparison_weights(
    sets: PlaceboSets, members: NDArray[np.intp], matches: Matches, whole: NDArray[np.intp] | None = None
) -> Iterator[tuple[slice, Floats]]:
    """The weight of each area (of `matches.places`) in the matched comparison of sets, sets × areas in parts.

    No area of a set serves in its comparison, as no treated area does in that of the treated: what such an
    area would count for goes to the rest. Compared with itself in part, a set would stray less than the
    treated do, and the test would reject too often.

    Args:
        sets: For the row of each area.
        members: Sets × rows whose matches are wanted.
        matches: The matched comparison of each area.
        whole: Sets × rows of the whole sets, where `members` are a cohort of them; None = `members`.
    """
    from scipy.sparse import csr_array

    areas = np.flatnonzero(sets.row >= 0)
    gather = csr_array((np.ones(len(areas)), (sets.row[areas], areas)), shape=(sets.rows, len(sets.row)))
    steps, row = matches.by_row(gather), sets.row[matches.places]
    whole = members if whole is None else whole
    at_once = max(1, CELLS // (len(row) + sets.rows + 1))
    for start in range(0, len(members), at_once):
        part = slice(start, min(start + at_once, len(members)))
        weight = matches.spread(_membership(members[part], sets.rows) @ steps)
        inside = np.zeros((len(weight), sets.rows + 1), dtype=bool)  # the last column: areas in no row
        inside[np.arange(len(weight))[:, None], whole[part]] = True
        own = inside[:, row]
        own &= weight > 0
        if own.any():
            total = weight.sum(axis=1)
            left = total - np.where(own, weight, 0.0).sum(axis=1)
            able = left > 1e-9 * total  # a set all of whose matches are its own keeps them
            weight[own & able[:, None]] = 0.0
            weight *= np.where(able, total / np.where(able, left, 1.0), 1.0)[:, None]
        yield part, weight


def _membership(members: NDArray[np.intp], rows: int) -> csr_array:
    """Sets × rows, one where the row is in the set."""
    from scipy.sparse import csr_array

    starts = np.arange(len(members) + 1) * members.shape[1]  # a cohort without units has no columns
    return csr_array((np.ones(members.size), members.ravel(), starts), shape=(len(members), rows))


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
    in_order = np.lexsort((first, level))  # rows of one level by their counts, so that names part no bin
    bins = np.array_split(in_order, min(BINS, max(4, len(level) // 15)))
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
