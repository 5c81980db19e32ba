"""The change in mean of the treated against their comparison, with an interval by relabelling.

For rates and other numbers that are not counts: each area's change z from its before mean to its after
mean, for each cohort's own windows. With n areas in a set:

    departure    D = sum over cohorts of  z(set) - n_g · mean of z over the areas outside the set,   over n
    variance     V = phi·m + tau²·m² by area, from its level m; summed inside and out as for a mean
    T            D / sqrt(variance), ranked among the placebo sets'

For a hypothesised effect, that effect is taken out of the treated areas' treated periods: out of D and out of
the level V is made from, since an area that recorded less because it was treated is no quieter place than the
sets it is ranked among. Only the relation of phi to tau² matters: the ranks supply the scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.inversion import invert
from whatworks_eval.inference.placebo import COARSE, GRID
from whatworks_eval.inference.relabel_test import (
    _matched_sums,
    _membership,
    comparison_weights,
    variance_shape,
)
from whatworks_eval.inference.roll_out_test import CohortWindows
from whatworks_eval.matching.level import Matches
from whatworks_eval.records import PlaceboSets

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeanChange:
    """The difference in mean change, with its interval.

    Attributes:
        difference: In the unit of the data, below zero = fewer; None where it could not be computed.
        low: Lower end of the interval; None where it is open or there is none.
        high: Upper end.
        p_value: Two-sided, of no difference; None where there are no placebo sets.
        smallest_p: The smallest it could have been.
        quantiles: 199 quantiles; empty where the interval is open or missing.
        effects: Difference found in every placebo set.
        why_missing: Why a number or the interval is missing; None where both are there.
    """

    difference: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    smallest_p: float | None = None
    quantiles: tuple[float, ...] = ()
    effects: Floats
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TreatedLevels:
    """Levels of the treated areas and how much of a hypothesised effect they hold.

    Attributes:
        level: Mean before plus mean after, by treated area.
        held: How many times the effect is in it.
        row: Which of the treated rows each is in.
        rows: How many treated rows there are.
        shape: phi and tau².
        floor: The level below which none is taken to be.
    """

    level: Floats
    held: Floats
    row: NDArray[np.intp]
    rows: int
    shape: tuple[float, float]
    floor: float

    def moved(self, effect: float) -> Floats:
        """By treated row: how the variance of its change differs with the effect taken out."""
        phi, tau_squared = self.shape
        now, without = (
            np.maximum(level, self.floor) for level in (self.level, self.level - effect * self.held)
        )
        by_area = phi * (without - now) + tau_squared * (without**2 - now**2)
        return np.bincount(self.row, weights=by_area, minlength=self.rows).astype(float)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeanTest:
    """Sums of every placebo set, ready to be asked about any hypothesised difference.

    Attributes:
        departure: By set: D without any effect taken out.
        slope: By set: how much of a hypothesised effect D holds, 1 for the treated set as it was treated.
        variance: By set: the variance of D, no effect taken out.
        observed: The three for the treated set.
        levels: The treated areas' levels, which hold the effect.
        gain: Sets × treated rows: what a row's variance adds to that of D as one of the set or as one
            outside it, less `outside`.
        outside: By set: what the variance of a row outside it adds.
        own_gain: By treated row: what its variance adds to that of the treated set's D.
        exact: True where every possible set is there.
    """

    departure: Floats
    slope: Floats
    variance: Floats
    observed: tuple[float, float, float]
    levels: TreatedLevels
    gain: csr_array
    outside: Floats
    own_gain: Floats
    exact: bool

    def like_treated(self, effect: float) -> Floats:
        """What every placebo set would have shown, this effect taken out, at the error of the treated set."""
        _, spread, ranked = self._at(effect)
        found: Floats = np.nan_to_num(ranked) * spread
        return found

    def p_value(self, effect: float) -> float:
        """Two-sided p-value of the hypothesis that the treated areas changed by this much."""
        departure, spread, ranked = self._at(effect)
        observed = abs(departure) / spread if spread > 0 else 0.0
        as_far = int((np.abs(np.nan_to_num(ranked)) >= observed * (1 - 1e-9) - 1e-12).sum())
        sets = len(self.departure)
        return max(as_far, 1) / sets if self.exact else (1 + as_far) / (1 + sets)

    def _at(self, effect: float) -> tuple[float, float, Floats]:
        """D and its error for the treated set, and T by set, with an effect taken out."""
        departure, slope, variance = self.observed
        moved = self.levels.moved(effect)
        spread = float(np.sqrt(max(variance + float(self.own_gain @ moved), 0.0)))
        spreads = self.variance + self.gain @ moved + self.outside * float(moved.sum())
        with np.errstate(invalid="ignore", divide="ignore"):
            ranked: Floats = (self.departure - effect * self.slope) / np.sqrt(np.maximum(spreads, 0.0))
        return departure - effect * slope, spread, ranked


def mean_test(
    data: CohortWindows, sets: PlaceboSets, cohorts: NDArray[np.intp], matches: Matches | None = None
) -> MeanTest:
    """A test that can be asked about any hypothesised difference.

    Args:
        data: Rates (or counts) by area and period, and the windows of each cohort.
        sets: Placebo sets, arranged (roll_out_test.py).
        cohorts: Cohort of each column of `sets.members`.
        matches: The matched comparison of each area; None where everything outside a set is its comparison.
    """
    inside = sets.row >= 0
    row = sets.row[inside]
    touched = data.touched()

    def by_row(values: Floats) -> Floats:
        return np.bincount(row, weights=values[inside], minlength=sets.rows).astype(float)

    size = by_row(np.ones(len(data.counts)))
    treated = np.isin(np.arange(sets.rows), sets.treated)
    in_treated_row = treated[np.maximum(sets.row, 0)] & inside
    variance_by_area, levels = _variance(data, in_treated_row, sets)
    everyone, variance = _membership(sets.members, sets.rows), by_row(variance_by_area)
    row_cohort = np.full(sets.rows, -1, dtype=np.intp)
    row_cohort[sets.row[in_treated_row]] = np.searchsorted(data.starts, data.start[in_treated_row])
    rest = size.sum() - np.asarray(everyone @ size)
    departure = slope = inner = counted = np.zeros(len(sets.members))
    seen, own_counted = np.zeros(4), 0.0
    rest_of_treated = float(size.sum() - size[sets.treated].sum())
    usable = np.flatnonzero(data.before.any(axis=1) & data.after.any(axis=1))
    for cohort in usable:
        before, after = data.before[cohort], data.after[cohort]
        change = data.counts[:, after].mean(axis=1) - data.counts[:, before].mean(axis=1)
        held = touched[:, after].mean(axis=1) - touched[:, before].mean(axis=1)
        mine = _membership(sets.members[:, cohorts == cohort], sets.rows)
        rows = sets.treated[row_cohort[sets.treated] == cohort]
        table = np.column_stack([by_row(change), by_row(held), variance, size])
        sums, observed = np.asarray(mine @ table).T, table[rows].sum(axis=0)
        if matches is None:
            whole = np.asarray(everyone @ table).T
            mean_out = (table.sum(axis=0)[:, None] - whole)[:2] / np.maximum(rest, 1.0)
            out = sums[3] * mean_out
            of_treated = table.sum(axis=0) - table[sets.treated].sum(axis=0)
            out_observed = observed[3] * of_treated[:2] / max(rest_of_treated, 1.0)
        else:
            mates = sets.members[:, cohorts == cohort]
            out = _out(change, held, sets, mates, matches, sets.members)
            out_observed = _out(change, held, sets, rows[None, :], matches, sets.treated[None, :])[:, 0]
        departure, slope = departure + sums[0] - out[0], slope + sums[1] - out[1]
        inner, counted = inner + sums[2], counted + sums[3]
        own_counted += float(observed[3])
        seen += [observed[0] - out_observed[0], observed[1] - out_observed[1], observed[2], 0.0]
    if matches is None:
        placebo, own = np.asarray(everyone @ variance), float(variance[sets.treated].sum())
        outer = (counted / np.maximum(rest, 1.0)) ** 2 * (variance.sum() - placebo)
        seen[3] = (own_counted / max(rest_of_treated, 1.0)) ** 2 * (variance.sum() - own)
    else:
        columns, rows = np.isin(cohorts, usable), np.isin(row_cohort[sets.treated], usable)
        outer = _of_matches(variance_by_area, sets, sets.members[:, columns], matches, sets.members)
        seen[3] = _of_matches(variance_by_area, sets, sets.treated[rows][None, :], matches)[0]
    # Cohorts without a period here are not counted, so that D is the mean effect on those that are.
    areas, own_counted = np.maximum(counted, 1.0), max(own_counted, 1.0)
    weight = np.zeros(len(areas)) if matches is not None else (counted / np.maximum(rest, 1.0)) ** 2
    used = sets.members[:, np.isin(cohorts, usable)] if len(usable) else sets.members
    gain = _membership(used, sets.rows)[:, sets.treated] - everyone[:, sets.treated].multiply(weight[:, None])
    return MeanTest(
        departure=departure / areas,
        slope=slope / areas,
        variance=(inner + outer) / areas**2,
        observed=(
            float(seen[0]) / own_counted,
            float(seen[1]) / own_counted,
            float(seen[2] + seen[3]) / own_counted**2,
        ),
        levels=levels,
        gain=gain.multiply((1 / areas**2)[:, None]).tocsr(),
        outside=weight / areas**2,
        own_gain=np.isin(row_cohort[sets.treated], usable) / own_counted**2,
        exact=sets.exact,
    )


def _out(
    change: Floats,
    held: Floats,
    sets: PlaceboSets,
    members: NDArray[np.intp],
    matches: Matches,
    whole: NDArray[np.intp],
) -> Floats:
    """Change in the matched comparisons of sets, and what of an effect it holds, added up: 2 × sets."""
    both, found = np.column_stack([change, held])[matches.places], np.zeros((2, len(members)))
    for part, weight in comparison_weights(sets, members, matches, whole):
        found[:, part] = (weight @ both).T
    return found


def _of_matches(
    by_area: Floats,
    sets: PlaceboSets,
    members: NDArray[np.intp],
    matches: Matches,
    whole: NDArray[np.intp] | None = None,
) -> Floats:
    """A matched comparison's part of the variance of D times its areas, by set."""
    found: Floats = _matched_sums(by_area, np.zeros(len(by_area)), sets, members, matches, whole)[2]
    return found


def _variance(
    data: CohortWindows, treated: NDArray[np.bool_], sets: PlaceboSets
) -> tuple[Floats, TreatedLevels]:
    """How much each area's change varies, up to a factor, from its level; and the treated areas' levels."""
    usable = np.flatnonzero(data.before.any(axis=1) & data.after.any(axis=1))
    areas = np.flatnonzero(treated)
    row = np.searchsorted(sets.treated, sets.row[areas])
    if not len(usable):  # no cohort has both windows: there is nothing to set a level against
        nothing = np.zeros(len(areas))
        return np.ones(len(data.counts)), TreatedLevels(
            level=nothing, held=nothing, row=row, rows=len(sets.treated), shape=(0.0, 0.0), floor=0.0
        )
    first = int(usable[0])
    windows = (data.before[first], data.after[first])
    before, after = (data.counts[:, window].mean(axis=1) for window in windows)
    phi, tau_squared = variance_shape(before, after, treated)
    level = before + after
    floor = 1e-3 * float(np.mean(level)) if float(np.mean(level)) > 0 else 1.0
    touched = data.touched()[areas]
    levels = TreatedLevels(
        level=level[areas],
        held=sum((touched[:, window].mean(axis=1) for window in windows), np.zeros(len(areas))),
        row=row,
        rows=len(sets.treated),
        shape=(phi, tau_squared),
        floor=floor,
    )
    level = np.maximum(level, floor)
    found: Floats = phi * level + tau_squared * level**2
    return found, levels


def mean_change(
    test: MeanTest, sets: PlaceboSets, *, confidence: float, quantiles: bool = False
) -> MeanChange:
    """The difference in mean change with an interval by relabelling.

    Args:
        test: Made by `mean_test`.
        sets: The arranged sets it was made from.
        confidence: Of the interval. Where the sets' smallest p-value is above 1 - confidence there is none.
        quantiles: Whether to compute the 199 quantiles.
    """
    departure, slope, variance = test.observed
    if slope <= 0:
        return MeanChange(
            difference=None, effects=np.empty(0), why_missing="no treated area has periods before and after"
        )
    value = departure / slope
    if not len(sets.members):
        why = "no set of areas like the treated could be drawn from the comparison areas"
        return MeanChange(difference=value, effects=np.empty(0), why_missing=why)
    p_value = max(test.p_value(0.0), sets.smallest_p)
    effects = test.departure
    known = {"difference": value, "p_value": p_value, "smallest_p": sets.smallest_p, "effects": effects}
    if sets.smallest_p > 1 - confidence + 1e-12:
        floor = (
            f"with this many units the smallest attainable p-value is {sets.smallest_p:.2g}, "
            f"so no {100 * confidence:g} % interval exists"
        )
        return MeanChange(**known, why_missing=floor)  # type: ignore[arg-type]
    # `invert` looks no further than six units of its own scale, so it is given effects in standard errors.
    size = max(float(np.std(effects)), float(np.sqrt(variance)), 1e-12)
    ends = invert(
        lambda effect: test.p_value(effect * size),
        value / size,
        1 - confidence,
        reach=3.0,
        points=GRID if quantiles else COARSE,
    )
    reason = None
    if ends.low is None or ends.high is None:
        reason = "the data do not bound the difference"
    known["p_value"] = max(ends.no_effect, sets.smallest_p)
    return MeanChange(
        **known,  # type: ignore[arg-type]
        low=None if ends.low is None else ends.low * size,
        high=None if ends.high is None else ends.high * size,
        quantiles=tuple(quantile * size for quantile in ends.quantiles) if quantiles else (),
        why_missing=reason,
    )
