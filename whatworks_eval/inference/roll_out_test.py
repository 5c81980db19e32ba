"""The test of relabel_test.py for areas that start at different times: each cohort has its own windows.

A cohort is the treated areas that start in one period. Each is compared, over its own before and after
periods, with the areas outside the set; what was expected of the cohorts is added up:

    expected     E = sum over cohorts g of  B_g · A'_g / B'_g
    departure    D = sum over g of  A_g - B_g · A'_g / B'_g
    variance     sum over g of V_g  +  (sum over g of  B_g / B'_g · sqrt(V'_g))²

with A, B after and before in the cohort, A', B' outside the set, and V = R·(phi·M + tau²·sum of m²) as there.
The comparison is the same areas for every cohort, so its errors are added before they are squared. A
placebo set keeps the roll-out: as many units start in each period. With one cohort this is the statistic of
relabel_test.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.inversion import WIDEST, invert
from whatworks_eval.inference.placebo import COARSE, GRID, Relative
from whatworks_eval.inference.relabel_test import _matched_sums, _membership, variance_shape
from whatworks_eval.matching.level import Matches
from whatworks_eval.records import PlaceboSets

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]

ARRANGED = 1_999  # arrangements drawn where every set is known but not which unit starts when
OUT_OF = "no incident was recorded in the {what}, so neither a ratio nor its interval can be formed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CohortWindows:
    """Counts by area and period with the windows of each cohort.

    Attributes:
        counts: areas × periods, incidents.
        start: First treated period of each area, as a position; a number past the last for areas never
            treated.
        before: cohorts × periods, the periods each cohort's baseline is made of.
        after: cohorts × periods, those its effect is wanted over. A cohort without one is left out.
        starts: The start of each cohort, as a position, in order.
        felt: cohorts × periods, those in which its areas hold the effect asked about; None = from its start
            on.
    """

    counts: Floats
    start: NDArray[np.intp]
    before: Masks
    after: Masks
    starts: NDArray[np.intp]
    felt: Masks | None = None

    def touched(self) -> Masks:
        """Areas × periods: where an area holds the effect asked about; nowhere for areas never treated."""
        periods = np.arange(self.counts.shape[1])
        if self.felt is None:
            found: Masks = periods[None, :] >= self.start[:, None]
            return found
        own = np.searchsorted(self.starts, self.start)
        none = np.zeros((1, len(periods)), dtype=bool)
        return np.vstack([self.felt, none])[own]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RollOutTest:
    """Counts of every placebo roll-out, ready to be asked about any hypothesised effect.

    Attributes:
        own: cohorts × 9 × sets, sums over the rows of a set that start with the cohort: 0 and 1 before and
            after without the effect; 2 and 3 before and after with it (treated rows in their treated
            periods); 4, 5 and 6 squared level: without, crossed, with; 7 and 8 chance variation: without,
            with.
        others: The same over all rows outside the set; of the set's matched comparison where it has one.
        observed: `own` for the treated set, cohorts × 9.
        observed_others: `others` for the treated set.
        whole: cohorts × 9, over all rows.
        shape: phi and tau².
        exact: True where every possible set is there.
    """

    own: Floats
    others: Floats
    observed: Floats
    observed_others: Floats
    whole: Floats
    shape: tuple[float, float]
    exact: bool

    def statistic(self, own: Floats, others: Floats, log_ratio: float) -> Floats:
        """T for roll-outs, after taking the effect out of the treated rows in their treated periods."""
        departure, _, error = self._parts(own, others, log_ratio)
        result: Floats = np.where(error > 0, departure / np.where(error > 0, error, 1.0), 0.0)
        return result

    def _parts(self, own: Floats, others: Floats, log_ratio: float) -> tuple[Floats, Floats, Floats]:
        """D, E and the standard error of D of roll-outs, after taking the effect out."""
        scale = math.exp(-log_ratio)
        departure = expected = inside = error = np.zeros(own.shape[2:])
        for cohort in range(len(own)):
            whole_before, whole_after, _, _ = self._at(self.whole[cohort], scale)
            before, after, noise, squares = self._at(own[cohort], scale)
            other_before, other_after, other_noise, other_squares = self._at(others[cohort], scale)
            if whole_before <= 0:
                continue
            overall = whole_after / whole_before
            phi, tau_squared = self.shape
            share = before / np.where(other_before > 0, other_before, np.inf)
            departure, expected = departure + after - share * other_after, expected + share * other_after
            inside = inside + overall * (phi * noise + tau_squared * squares)
            error = error + share * np.sqrt(overall * (phi * other_noise + tau_squared * other_squares))
        return departure, expected, np.sqrt(inside + error**2)

    @staticmethod
    def _at(sums: Floats, scale: float) -> tuple[Floats, Floats, Floats, Floats]:
        """Before, after, chance variation and squared level with the effect's counts times `scale`."""
        before = sums[0] + scale * sums[2]
        after = sums[1] + scale * sums[3]
        noise = sums[7] + scale**2 * sums[8]
        squares: Floats = sums[4] + 2 * scale * sums[5] + scale**2 * sums[6]
        return before, after, noise, squares

    def recorded_and_expected(self, own: Floats, others: Floats) -> tuple[Floats, Floats]:
        """Incidents recorded in roll-outs after their starts, and expected there; NaN where none can be."""
        recorded = expected = np.zeros(own.shape[2:])
        for cohort in range(len(own)):
            before, after = own[cohort, 0] + own[cohort, 2], own[cohort, 1] + own[cohort, 3]
            other_before = others[cohort, 0] + others[cohort, 2]
            other_after = others[cohort, 1] + others[cohort, 3]
            ratio = np.where(
                other_before > 0, other_after / np.where(other_before > 0, other_before, 1.0), np.nan
            )
            recorded, expected = recorded + after, expected + before * ratio
        return recorded, expected

    def effects(self) -> Floats:
        """Log of recorded over expected for every placebo roll-out; NaN where either is nought."""
        recorded, expected = self.recorded_and_expected(self.own, self.others)
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Floats = np.log(recorded / expected)
        return np.where(np.isfinite(found), found, np.nan)

    def like_treated(self, log_ratio: float) -> Floats:
        """What every placebo roll-out would have shown, had it been as certain as the treated one.

        Its T, with the effect taken out, at the error of the treated: log of one plus that. Where errors are
        alike this is `effects`; a set with a surer comparison than the treated (more areas near its level)
        varies less than the treated may, and counts here with its share.
        """
        _, expected, error = self._parts(self.observed, self.observed_others, log_ratio)
        if not (expected > 0 and error > 0):
            return np.full(self.own.shape[2:], np.nan)
        ranked = self.statistic(self.own, self.others, log_ratio)
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Floats = np.log1p(ranked * float(error / expected))
        return np.where(np.isfinite(found), found, np.nan)

    def p_value(self, log_ratio: float) -> float:
        """Two-sided p-value of the hypothesis that the treated areas changed by this log ratio."""
        observed = abs(float(self.statistic(self.observed, self.observed_others, log_ratio)))
        ranked = np.abs(self.statistic(self.own, self.others, log_ratio))
        as_far = int((ranked >= observed * (1 - 1e-9) - 1e-12).sum())
        sets = int(ranked.shape[0])
        return max(as_far, 1) / sets if self.exact else (1 + as_far) / (1 + sets)


def arranged(
    sets: PlaceboSets, cohort_of_row: NDArray[np.intp], seed: int
) -> tuple[PlaceboSets, NDArray[np.intp]]:
    """The sets with a cohort for each column, so that every placebo set starts as the treated one did.

    Sets drawn unit for unit keep their columns; where every set is listed without order, the places are dealt
    out at random, each set several times.

    Args:
        sets: As `sets_for` made them.
        cohort_of_row: Cohort of each row; only those of treated rows are looked at.
        seed: Of the dealing.
    """
    if sets.stands_for is not None:
        return sets, cohort_of_row[sets.stands_for]
    cohorts = cohort_of_row[sets.treated]
    if len(np.unique(cohorts)) == 1 or not len(sets.members):
        return sets, cohorts
    times = max(1, -(-ARRANGED // len(sets.members)))
    members = np.repeat(sets.members, times, axis=0)
    members = np.random.default_rng([seed, len(members)]).permuted(members, axis=1)
    ways = math.factorial(len(cohorts)) / math.prod(
        math.factorial(int((cohorts == one).sum())) for one in set(cohorts)
    )
    floor = max(sets.smallest_p / ways, 1 / (1 + len(members)))
    return replace(sets, members=members, exact=False, smallest_p=floor), cohorts


def roll_out_test(
    data: CohortWindows, sets: PlaceboSets, cohorts: NDArray[np.intp], matches: Matches | None = None
) -> RollOutTest:
    """A test that can be asked about any hypothesised effect.

    Args:
        data: Counts and windows.
        sets: Placebo sets, arranged.
        cohorts: Cohort of each column of `sets.members`.
        matches: The matched comparison of each area; None where everything outside a set is its comparison.
    """
    inside = sets.row >= 0
    row = sets.row[inside]
    touched = data.touched()
    untouched_counts = np.where(touched, 0.0, data.counts)
    touched_counts = np.where(touched, data.counts, 0.0)
    treated = np.zeros(sets.rows, dtype=bool)
    treated[sets.treated] = True
    everyone = _membership(sets.members, sets.rows)
    own: list[Floats] = []
    others: list[Floats] = []
    observed: list[Floats] = []
    observed_others: list[Floats] = []
    whole: list[Floats] = []
    shape = (1.0, 0.0)
    row_cohort = np.full(sets.rows, -1, dtype=np.intp)
    by_area = np.searchsorted(data.starts, data.start)
    for area in np.flatnonzero(inside):
        if treated[sets.row[area]]:
            row_cohort[sets.row[area]] = by_area[area]
    for cohort in range(len(data.starts)):
        before, after = data.before[cohort], data.after[cohort]
        if not before.any() or not after.any():
            continue
        parts = [
            part[:, window].sum(axis=1)
            for part in (untouched_counts, touched_counts)
            for window in (before, after)
        ]
        columns = [
            np.bincount(row, weights=part[inside], minlength=sets.rows).astype(float) for part in parts
        ]
        clean, with_it = columns[0] + columns[1], columns[2] + columns[3]
        table = np.column_stack([*columns, clean**2, clean * with_it, with_it**2, clean, with_it])
        if not own:
            shape = variance_shape(columns[0] + columns[2], columns[1] + columns[3], treated)
        own.append(np.asarray(_membership(sets.members[:, cohorts == cohort], sets.rows) @ table).T)
        mine = sets.treated[row_cohort[sets.treated] == cohort]
        observed.append(table[mine].sum(axis=0))
        whole.append(table.sum(axis=0))
        if matches is None:
            others.append(whole[-1][:, None] - np.asarray(everyone @ table).T)
            observed_others.append(whole[-1] - table[sets.treated].sum(axis=0))
        else:
            first, second = parts[0] + parts[2], parts[1] + parts[3]
            mates = sets.members[:, cohorts == cohort]
            found = _matched_sums(first, second, sets, mates, matches, sets.members)
            others.append(_as_columns(found))
            found = _matched_sums(first, second, sets, mine[None, :], matches)
            observed_others.append(_as_columns(found)[:, 0])
    return RollOutTest(
        own=np.array(own),
        others=np.array(others),
        observed=np.array(observed),
        observed_others=np.array(observed_others),
        whole=np.array(whole),
        shape=shape,
        exact=sets.exact,
    )


def _as_columns(matched: Floats) -> Floats:
    """Before, after, chance variation and squares of a matched comparison, untouched by the effect."""
    before, after, noise, squares = matched
    nothing = np.zeros_like(before)
    return np.stack([before, after, nothing, nothing, squares, nothing, nothing, noise, nothing])


def roll_out_change(
    test: RollOutTest, sets: PlaceboSets, *, confidence: float, quantiles: bool = False
) -> Relative:
    """The effect over all cohorts with an interval by relabelling.

    Args:
        test: Made by `roll_out_test`.
        sets: The arranged sets it was made from.
        confidence: Of the interval. Where the sets' smallest p-value is above 1 - confidence there is none.
        quantiles: Whether to compute the 199 quantiles.
    """
    none = np.empty(0)
    if not len(test.observed):
        return Relative(log_ratio=None, effects=none, why_missing="no treated area has periods here")
    recorded, expected = (float(x) for x in test.recorded_and_expected(test.observed, test.observed_others))
    if not recorded > 0 or not expected > 0:
        what = (
            "treated areas after their starts"
            if expected > 0
            else "baseline of the treated or the comparison areas"
        )
        return Relative(log_ratio=None, effects=none, why_missing=OUT_OF.format(what=what))
    value = math.log(recorded / expected)
    if not len(sets.members):
        why = "no set of areas like the treated could be drawn from the comparison areas"
        return Relative(log_ratio=value, effects=none, why_missing=why)
    effects = test.effects()
    found = Relative(
        log_ratio=value,
        p_value=max(test.p_value(0.0), sets.smallest_p),
        smallest_p=sets.smallest_p,
        effects=effects[np.isfinite(effects)],
    )
    if sets.smallest_p > 1 - confidence + 1e-12:
        return replace(
            found,
            why_missing=f"with this many units the smallest attainable p-value is {sets.smallest_p:.2g}, "
            f"so no {100 * confidence:g} % interval exists",
        )
    reach = float(np.clip(2.5 * np.nanstd(effects), 0.05, WIDEST)) if np.isfinite(effects).any() else 1.0
    ends = invert(test.p_value, value, 1 - confidence, reach=reach, points=GRID if quantiles else COARSE)
    reason = None
    if ends.low is None or ends.high is None:
        both = ends.low is None and ends.high is None
        reason = f"the data bound the effect on {'neither side' if both else 'one side only'}"
    return replace(
        found,
        low=ends.low,
        high=ends.high,
        p_value=max(ends.no_effect, sets.smallest_p),
        quantiles=ends.quantiles if quantiles else (),
        why_missing=reason,
    )
