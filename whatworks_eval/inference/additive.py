"""The weighted displacement difference of the treated areas, with an interval by relabelling.

For a hypothesised number of incidents, that number is taken out of the treated areas (as many from each);
then, if the hypothesis is right, the treated set is one set among many like it. With d = after less before,
n = areas in the set, and the dash for what it is compared with:

    departure    d - d' × n / n'          areas count alike: so many incidents an area
    variance     V + V' × (n / n')²       V = phi × M + tau² × sum of m², as in relabel_test.py
    T            departure / sqrt(variance), ranked among the placebo sets'

Placebo sets are of like level, so that what sets of that level gain or lose when all places change by the
same proportion is in their ranks too: the interval is wider for it, and honest where the assumption of equal
absolute change is not quite right. Only the relation of phi to tau² matters: the ranks supply the scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.relabel_test import _matched_sums, _membership, variance_shape
from whatworks_eval.matching.level import Matches
from whatworks_eval.records import PlaceboSets

Floats = NDArray[np.float64]

POINTS = 31  # hypotheses looked at before the ends are refined
DOUBLINGS = 8
HALVINGS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Additive:
    """The difference in incidents over the after window, with its interval.

    Attributes:
        difference: Incidents in the treated areas, below zero = fewer; None where nothing was recorded.
        low: Lower end of the interval; None where it is open or there is none.
        high: Upper end.
        p_value: Two-sided, of no difference; None where there are no placebo sets.
        smallest_p: The smallest it could have been.
        why_missing: Why a number or the interval is missing; None where both are there.
    """

    difference: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    smallest_p: float | None = None
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditiveTest:
    """Sums of every placebo set, ready to be asked about any hypothesised difference.

    Attributes:
        sums: columns × sets: 0 before, 1 after, 2 areas, 3 treated areas, 4 squared level, 5 level × areas
            of treated rows, 6 squared areas of treated rows.
        observed: The same columns for the treated set.
        totals: The same over all rows.
        matched: Of each set's own comparison: before, after, chance variation, squared level; None where
            everything outside a set is its comparison.
        matched_observed: The same for the treated set.
        shape: phi and tau².
        exact: True where every possible set is among `sums`.
    """

    sums: Floats
    observed: Floats
    totals: Floats
    matched: Floats | None
    matched_observed: Floats | None
    shape: tuple[float, float]
    exact: bool

    def parts(self, sums: Floats, matched: Floats | None, difference: float) -> tuple[Floats, Floats]:
        """Departure and its variance for sets of rows, the difference taken out of the treated rows."""
        phi, tau_squared = self.shape
        each = difference / float(self.observed[3])
        change, level, squares = self._at(sums, each)
        inside = phi * level + tau_squared * squares
        if matched is not None:
            other_change = matched[1] - matched[0]
            outside = phi * matched[2] + tau_squared * matched[3]
            scale: Floats | float = 1.0
        else:
            whole_change, whole_level, whole_squares = self._at(self.totals, each)
            other_change = whole_change - change
            outside = phi * (whole_level - level) + tau_squared * (whole_squares - squares)
            scale = sums[2] / np.maximum(self.totals[2] - sums[2], 1e-9)
        return change - scale * other_change, inside + scale**2 * outside

    def statistic(self, sums: Floats, matched: Floats | None, difference: float) -> Floats:
        """T for sets of rows."""
        departure, variance = self.parts(sums, matched, difference)
        result: Floats = np.where(
            variance > 0, departure / np.sqrt(np.where(variance > 0, variance, 1.0)), 0.0
        )
        return result

    @staticmethod
    def _at(sums: Floats, each: float) -> tuple[Floats, Floats, Floats]:
        """Change, level and squared level, with `each` taken from every treated area's after count."""
        after = sums[1] - each * sums[3]
        squares = sums[4] - 2 * each * sums[5] + each**2 * sums[6]
        return after - sums[0], np.maximum(sums[0] + after, 0.0), np.maximum(squares, 0.0)

    def p_value(self, difference: float) -> float:
        """Two-sided p-value of the hypothesis that the treated areas changed by this many incidents."""
        observed = abs(float(self.statistic(self.observed, self.matched_observed, difference)))
        ranked = np.abs(self.statistic(self.sums, self.matched, difference))
        as_far = int((ranked >= observed * (1 - 1e-9) - 1e-12).sum())
        sets = int(self.sums.shape[1])
        return max(as_far, 1) / sets if self.exact else (1 + as_far) / (1 + sets)


def additive_test(
    before: Floats, after: Floats, sets: PlaceboSets, matches: Matches | None = None
) -> AdditiveTest:
    """A test that can be asked about any hypothesised difference.

    Args:
        before: Incidents by area in the first window, brought to the length of the second.
        after: Incidents by area in the second window.
        sets: Placebo sets for these areas.
        matches: The matched comparison of each area; None where everything outside a set is its comparison.
    """
    inside = sets.row >= 0
    row = sets.row[inside]

    def by_row(values: Floats) -> Floats:
        return np.bincount(row, weights=values[inside], minlength=sets.rows).astype(float)

    first, second, areas = by_row(before), by_row(after), by_row(np.ones(len(before)))
    treated = np.zeros(sets.rows, dtype=bool)
    treated[sets.treated] = True
    own = np.where(treated, areas, 0.0)
    level = first + second
    table = np.column_stack([first, second, areas, own, level**2, own * level, own**2])
    matched = matched_observed = None
    if matches is not None:
        matched = _matched_sums(before, after, sets, sets.members, matches)
        matched_observed = _matched_sums(before, after, sets, sets.treated[None, :], matches)[:, 0]
    return AdditiveTest(
        sums=np.ascontiguousarray((_membership(sets.members, sets.rows) @ table).T),
        observed=table[sets.treated].sum(axis=0),
        totals=table.sum(axis=0),
        matched=matched,
        matched_observed=matched_observed,
        shape=variance_shape(first, second, treated),
        exact=sets.exact,
    )


def additive_change(
    before: Floats,
    after: Floats,
    sets: PlaceboSets,
    *,
    scale: float = 1.0,
    confidence: float = 0.95,
    matches: Matches | None = None,
) -> Additive:
    """How many incidents more or fewer in the treated areas than by equal change an area, by relabelling.

    Args:
        before: Incidents by area in the first window.
        after: The same in the second.
        sets: Placebo sets for these areas.
        scale: Length of the after window over that of the before window.
        confidence: Of the interval. Where the sets' smallest p-value is above 1 - confidence there is none.
        matches: As for `additive_test`.
    """
    if not len(sets.members):
        return Additive(
            difference=None,
            why_missing="no set of areas like the treated could be drawn from the comparison areas",
        )
    test = additive_test(before * scale, after, sets, matches)
    if test.totals[0] + test.totals[1] <= 0:
        return Additive(
            difference=None,
            why_missing="every count is zero, so neither the difference nor its error is defined",
        )
    departure, variance = test.parts(test.observed, test.matched_observed, 0.0)
    difference = float(departure)
    p_value = max(test.p_value(0.0), sets.smallest_p)
    if sets.smallest_p > 1 - confidence + 1e-12:
        return Additive(
            difference=difference,
            p_value=p_value,
            smallest_p=sets.smallest_p,
            why_missing=f"with this many units the smallest attainable p-value is {sets.smallest_p:.2g}, "
            f"so no {100 * confidence:g} % interval exists",
        )
    spread = float(np.quantile(np.abs(test.statistic(test.sums, test.matched, difference)), confidence))
    reach = max(1.5 * spread * float(np.sqrt(variance)), 1.0)
    low, high = _ends(test.p_value, difference, reach, 1 - confidence)
    return Additive(
        difference=difference,
        low=low,
        high=high,
        p_value=p_value,
        smallest_p=sets.smallest_p,
        why_missing=None if low is not None and high is not None else "the data do not bound the difference",
    )


def _ends(
    p_value: Callable[[float], float], centre: float, reach: float, alpha: float
) -> tuple[float | None, float | None]:
    """The outermost differences not rejected: crossings on a grid, refined on the rejected side."""
    for _ in range(DOUBLINGS):
        grid = centre + np.linspace(-reach, reach, POINTS)
        kept = np.flatnonzero([p_value(float(point)) > alpha for point in grid])
        if len(kept) and kept[0] > 0 and kept[-1] < POINTS - 1:
            break
        reach *= 2

    def refined(outside: float, inside: float) -> float:
        for _ in range(HALVINGS):
            middle = (outside + inside) / 2
            outside, inside = (outside, middle) if p_value(middle) > alpha else (middle, inside)
        return float(outside)

    low = refined(grid[kept[0] - 1], grid[kept[0]]) if len(kept) and kept[0] > 0 else None
    high = refined(grid[kept[-1] + 1], grid[kept[-1]]) if len(kept) and kept[-1] < POINTS - 1 else None
    return low, high
