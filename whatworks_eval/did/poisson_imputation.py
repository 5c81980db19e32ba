"""Staggered starts for counts: what treated cells recorded, over what untreated cells lead one to expect.

Area × period effects are fitted to untreated cells alone, so no area already treated is a comparison. The
effect is the log of recorded over expected, sums before ratio: a month with few incidents weighs little and
an area with none before the start biases nothing. Such an area has no expected count of its own; what it
records later stays in the sum, because leaving it out would keep only areas chosen for having had incidents.

Errors are influence sums by unit of assignment: each area's part in recorded and in expected, and its pull on
the period effects; no small-sample factor. With a common start and no gaps the estimate is the log ratio of
ratios of the four sums and the error that of Poisson two-way fixed effects clustered by unit.

Source: Wooldridge (2023), Econometrics Journal 26, C31-C66, for the model; the error is the delta method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from whatworks_eval.did.group_time import check_cohorts
from whatworks_eval.did.imputation import NotImputed, left_out
from whatworks_eval.did.paths import Axis, EffectPath, NoEffect, standard_error
from whatworks_eval.did.rollout import Bools, Floats, Ints, Rollout
from whatworks_eval.did.untreated_counts import UntreatedCounts, untreated_counts
from whatworks_eval.errors import CannotEstimate, DataError

WEIGHTING = "recorded over expected incidents, all treated cells from the start on"
NONE_UNTREATED = "nothing was recorded in any untreated area in the period"
NOTHING_RECORDED = "nothing was recorded in these cells, so the log ratio has no lower end"
NOTHING_EXPECTED = "nothing is expected in these cells: their areas recorded nothing before the start"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputedCounts:
    """Effects as log ratios of recorded to expected incidents, all together and along three axes.

    Attributes:
        value: Log of recorded over expected, treated cells from the start on; None with the reason.
        se: Its standard error.
        influence: By cluster: sum of squares is `se` squared.
        recorded: Incidents recorded in those cells.
        expected: Incidents expected there.
        treated: Treated areas behind them.
        cells: How many cells.
        dynamic: By periods since the start (those of the anticipation window included, below zero).
        by_cohort: By start period.
        calendar: By period.
        silent_before: Treated areas that recorded nothing before the start: no expected count of their own.
        recorded_there: What those recorded from the start on; part of `recorded`.
        not_imputed: Treated cells left out, by reason.
        why_missing: Why there is no value.
    """

    value: float | None
    se: float | None
    influence: Floats | None
    recorded: float
    expected: float
    treated: int
    cells: int
    dynamic: EffectPath
    by_cohort: EffectPath
    calendar: EffectPath
    silent_before: tuple[int, ...]
    recorded_there: float
    not_imputed: tuple[NotImputed, ...]
    why_missing: str | None = None


def poisson_imputation(
    data: Rollout, *, anticipation: int = 0, exposure: ArrayLike | None = None
) -> ImputedCounts:
    """Effects of a staggered start on counts, as log ratios of recorded to expected.

    Args:
        data: The roll-out; its covariates are not used.
        anticipation: Periods before the start that the project may have touched: not fitted to.
        exposure: Residents or the like, areas × periods; only its change over time matters.

    Raises:
        DataError: A count below zero, or an exposure not above zero.
        CannotEstimate: No treated cell has an expected count.

    Example:
        >>> from whatworks_eval.did.rollout import rollout
        >>> found = poisson_imputation(rollout([[10, 20], [10, 20], [30, 30]], [-1, -1, 1]))
        >>> round(float(np.exp(found.value)), 9), round(found.expected, 9)
        (0.5, 60.0)
    """
    check_cohorts(data, anticipation)
    counts, observed = check_counts(data)
    residents = _exposure(exposure, counts.shape)
    inside = data.untreated(anticipation)
    fit = untreated_counts(counts, inside, data.weights, residents)
    periods = np.arange(counts.shape[1])
    touched = observed & ~data.never[:, None] & (periods[None, :] >= (data.start - anticipation)[:, None])
    refused = touched & ~fit.usable
    no_count = ~(data.weights @ np.where(inside, counts, 0.0) > 0) & inside.any(axis=0)
    reasons = left_out(refused, inside, [(np.broadcast_to(no_count, refused.shape), NONE_UNTREATED)])
    rows, columns = np.nonzero(touched & fit.usable)
    after = columns >= data.start[rows]
    if not after.any():
        raise CannotEstimate(
            ["no treated cell can be given an expected count"]
            + [f"{item.cells} cells: {item.why}" for item in reasons]
        )
    cells = _Cells(
        data=data,
        fit=fit,
        rows=rows,
        columns=columns,
        recorded=counts[rows, columns],
        expected=fit.fitted[rows, columns],
        scores=fit.scores(counts, data.weights) @ fit.inverse,
    )
    whole = cells.ratio(after)
    silent = ~data.never & inside.any(axis=1) & (np.where(inside, counts, 0.0).sum(axis=1) == 0)
    there = after & silent[rows]
    return ImputedCounts(
        value=whole.value,
        se=None if whole.influence is None else float(standard_error(whole.influence)),
        influence=whole.influence,
        recorded=whole.recorded,
        expected=whole.expected,
        treated=whole.treated,
        cells=int(after.sum()),
        dynamic=_path("event time", cells, columns - data.start[rows], np.ones_like(after), whole),
        by_cohort=_path("cohort", cells, data.start[rows], after, whole),
        calendar=_path("period", cells, columns, after, whole),
        silent_before=tuple(int(area) for area in np.flatnonzero(silent)),
        recorded_there=float((data.weights[rows] * cells.recorded)[there].sum()),
        not_imputed=reasons,
        why_missing=whole.why,
    )


def check_counts(data: Rollout) -> tuple[Floats, Bools]:
    """Counts with zero where missing, and where they are observed.

    Raises:
        DataError: A count below zero.
    """
    observed = np.isfinite(data.outcome)
    counts = np.where(observed, data.outcome, 0.0)
    if (counts < 0).any():
        area, period = np.argwhere(counts < 0)[0]
        raise DataError(
            f"the count of area {area} in period {period} is {counts[area, period]:g}; counts are zero or "
            "more, so use the linear estimators for outcomes that can be below zero"
        )
    return counts, observed


def _exposure(exposure: ArrayLike | None, shape: tuple[int, ...]) -> Floats:
    if exposure is None:
        return np.ones(shape)
    values = np.array(exposure, dtype=float)
    if values.shape != shape or not (np.isfinite(values) & (values > 0)).all():
        raise DataError(f"exposure must be {shape[0]} areas × {shape[1]} periods of numbers above zero")
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ratio:
    """Recorded over expected in some cells."""

    value: float | None
    influence: Floats | None
    recorded: float
    expected: float
    treated: int
    units: int
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """Treated cells with recorded and expected counts, and areas' pull on the period effects."""

    data: Rollout
    fit: UntreatedCounts
    rows: Ints
    columns: Ints
    recorded: Floats
    expected: Floats
    scores: Floats

    def ratio(self, chosen: Bools) -> _Ratio:
        """Log of recorded over expected in the cells chosen, with its influence by cluster."""
        rows, columns = self.rows[chosen], self.columns[chosen]
        areas, periods = self.fit.inside.shape
        weights = self.data.weights
        recorded = weights * np.bincount(rows, weights=self.recorded[chosen], minlength=areas)
        expected = weights * np.bincount(rows, weights=self.expected[chosen], minlength=areas)
        total, due = float(recorded.sum()), float(expected.sum())
        treated, units = len(np.unique(rows)), len(np.unique(self.data.clusters[rows]))
        if total <= 0 or due <= 0:
            why = NOTHING_EXPECTED if due <= 0 else NOTHING_RECORDED
            return _Ratio(
                value=None,
                influence=None,
                recorded=total,
                expected=due,
                treated=treated,
                units=units,
                why=why,
            )
        # Slope of the expected sum in the log period effects: through the cells, and through areas' levels.
        direct = np.bincount(columns, weights=weights[rows] * self.expected[chosen], minlength=periods)
        slope = direct - expected @ np.where(self.fit.inside, self.fit.shares, 0.0)
        influence = recorded / total - expected / due - self.scores @ slope / due
        return _Ratio(
            value=float(np.log(total / due)),
            influence=self.data.by_cluster(influence),
            recorded=total,
            expected=due,
            treated=treated,
            units=units,
            why=None,
        )


def _path(axis: Axis, cells: _Cells, key: Ints, kept: Bools, whole: _Ratio) -> EffectPath:
    """Ratios by key."""
    places = [(int(place), cells.ratio(kept & (key == place))) for place in np.unique(key[kept])]
    found = [(place, ratio) for place, ratio in places if ratio.influence is not None]
    sums = [ratio.influence for _, ratio in found if ratio.influence is not None]
    influence = np.column_stack(sums) if sums else np.zeros((cells.data.n_clusters, 0))
    return EffectPath(
        axis=axis,
        scale="log-ratio",
        at=np.array([place for place, _ in found], dtype=np.int64),
        value=np.array([ratio.value for _, ratio in found], dtype=float),
        se=standard_error(influence),
        treated=np.array([ratio.treated for _, ratio in found], dtype=np.int64),
        treated_units=np.array([ratio.units for _, ratio in found], dtype=np.int64),
        influence=influence,
        overall=whole.value,
        overall_se=None if whole.influence is None else float(standard_error(whole.influence)),
        overall_influence=whole.influence,
        overall_treated=whole.treated,
        overall_units=whole.units,
        weighting=WEIGHTING,
        recorded=np.array([ratio.recorded for _, ratio in found], dtype=float),
        expected=np.array([ratio.expected for _, ratio in found], dtype=float),
        missing=tuple(NoEffect(at=place, why=ratio.why) for place, ratio in places if ratio.why),
        why_missing=whole.why,
    )
