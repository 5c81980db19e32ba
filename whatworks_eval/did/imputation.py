"""Effects by imputation: what treated cells recorded, less what untreated cells say they would have.

Area and period effects are fitted to untreated cells alone; each treated cell's effect is the difference
from them, and averages of those are reported. Errors are the authors' conservative ones: residuals of
untreated cells, and of treated cells around the average effect of their cohort and period, added up within
the unit of assignment.

Source: Borusyak, Jaravel and Spiess (2024), Review of Economic Studies 91, 3253-3285, equations 7 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from whatworks_eval.did.cell_estimators import has_constant
from whatworks_eval.did.group_time import check_cohorts
from whatworks_eval.did.paths import Axis, EffectPath, standard_error
from whatworks_eval.did.rollout import Bools, Floats, Ints, Rollout
from whatworks_eval.did.untreated_fit import UntreatedFit, untreated_fit
from whatworks_eval.errors import CannotEstimate, DataError

WEIGHTING = "treated cells from the start on, by area weight"
ABSORBED = 1e-10  # left of a covariate's variation once area and period effects are out of it: rounding
NO_CELL_BEFORE = "the area has no observed period before its start"
NO_AREA_THEN = "no area is observed untreated in the period"
NOT_JOINED = "no chain of untreated cells joins the area to the period, or the covariates' part of it"
NO_COVARIATE = "a covariate is missing in the cell"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotImputed:
    """Treated cells with no expected value, and why.

    Attributes:
        why: In words.
        areas: Areas with such a cell.
        periods: Periods with such a cell.
        cells: How many cells.
    """

    why: str
    areas: tuple[int, ...]
    periods: tuple[int, ...]
    cells: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imputed:
    """Effects in units of the outcome, all together and along three axes.

    Attributes:
        value: Average effect over treated cells from the start on.
        se: Its standard error.
        influence: By cluster: sum of squares is `se` squared.
        treated: Treated areas behind it.
        cells: Treated cells behind it.
        dynamic: By periods since the start (those of the anticipation window included, below zero).
        by_cohort: By start period.
        calendar: By period.
        not_imputed: Treated cells left out, by reason.
    """

    value: float
    se: float
    influence: Floats
    treated: int
    cells: int
    dynamic: EffectPath
    by_cohort: EffectPath
    calendar: EffectPath
    not_imputed: tuple[NotImputed, ...]


def imputation(data: Rollout, *, anticipation: int = 0, varying: ArrayLike | None = None) -> Imputed:
    """Effects of a staggered start on the scale of the outcome, by imputation.

    Args:
        data: The roll-out. Covariates fixed over time get a coefficient in each period.
        anticipation: Periods before the start that the project may have touched: not fitted to.
        varying: Covariates that change over time, areas × periods (× m), with one coefficient each.

    Raises:
        CannotEstimate: No treated cell can be imputed, or a covariate is one with area and period effects.
        DataError: `varying` has another shape.

    Example:
        >>> from whatworks_eval.did.rollout import rollout
        >>> found = imputation(rollout([[1, 2, 3], [2, 3, 4], [4, 5, 9]], [-1, -1, 2]))
        >>> round(found.value, 9), found.dynamic.at.tolist()
        (3.0, [0])
    """
    check_cohorts(data, anticipation)
    if has_constant(data.covariates):
        raise CannotEstimate("a covariate is the same in every area; leave it out")
    inside = data.untreated(anticipation)
    touched = ~data.never[:, None] & (
        np.arange(data.outcome.shape[1])[None, :] >= (data.start - anticipation)[:, None]
    )
    touched &= np.isfinite(data.outcome)
    moving = None if varying is None else _moving(varying, data.outcome.shape)
    known: Bools = np.ones(inside.shape, dtype=bool)
    if moving is not None:
        known = np.array(np.isfinite(moving).all(axis=2))
    inside = inside & known
    fit = untreated_fit(inside, data.weights, data.covariates)
    outcome = np.where(inside | touched, data.outcome, 0.0)
    slopes = None if moving is None else _Slopes(fit, np.where(known[:, :, None], moving, 0.0))
    expected = fit.expected(outcome)
    if slopes is not None:
        expected = expected + slopes.parts @ slopes.slopes(outcome)
    reached = fit.reaches() & known
    usable = touched & reached
    refused = left_out(touched & ~reached, inside, [(~known, NO_COVARIATE)])
    rows, columns = np.nonzero(usable)
    after = columns >= data.start[rows]
    if not after.any():
        raise CannotEstimate(
            ["no treated cell can be given an expected value"]
            + [f"{item.cells} cells: {item.why}" for item in refused]
        )
    cells = _Cells(
        data=data,
        fit=fit,
        slopes=slopes,
        rows=rows,
        columns=columns,
        effect=(outcome - expected)[usable],
        residual=np.where(inside, outcome - expected, 0.0),
    )
    overall = cells.average(after)
    value, influence, treated, _ = overall
    return Imputed(
        value=value,
        se=float(standard_error(influence)),
        influence=influence,
        treated=treated,
        cells=int(after.sum()),
        dynamic=_path("event time", cells, columns - data.start[rows], np.ones_like(after), overall),
        by_cohort=_path("cohort", cells, data.start[rows], after, overall),
        calendar=_path("period", cells, columns, after, overall),
        not_imputed=refused,
    )


def left_out(refused: Bools, inside: Bools, reasons: list[tuple[Bools, str]]) -> tuple[NotImputed, ...]:
    """Cells with no expected value under the first reason that applies."""
    shape = refused.shape
    ladder = [
        *reasons,
        (np.broadcast_to(~inside.any(axis=1, keepdims=True), shape), NO_CELL_BEFORE),
        (np.broadcast_to(~inside.any(axis=0), shape), NO_AREA_THEN),
        (np.ones(shape, dtype=bool), NOT_JOINED),
    ]
    found = []
    for applies, why in ladder:
        here = refused & applies
        refused = refused & ~applies
        if here.any():
            found.append(
                NotImputed(
                    why=why,
                    areas=tuple(int(area) for area in np.flatnonzero(here.any(axis=1))),
                    periods=tuple(int(period) for period in np.flatnonzero(here.any(axis=0))),
                    cells=int(here.sum()),
                )
            )
    return tuple(found)


def _moving(varying: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Covariates by area, period and number."""
    values = np.array(varying, dtype=float)
    values = values[:, :, None] if values.ndim == 2 else values
    if values.ndim != 3 or values.shape[:2] != shape:
        raise DataError(
            f"`varying` has shape {values.shape}; give {shape[0]} areas × {shape[1]} periods (× covariates)"
        )
    return values


class _Slopes:
    """Covariates that change over time, once area and period effects are taken out of them."""

    __slots__ = ("inverse", "parts", "scores_left", "weights")

    def __init__(self, fit: UntreatedFit, moving: Floats) -> None:
        """Take the effects of the fitted cells out of each covariate, everywhere."""
        count = moving.shape[2]
        self.parts = np.stack([moving[:, :, j] - fit.expected(moving[:, :, j]) for j in range(count)], axis=2)
        self.scores_left = np.where(fit.inside[:, :, None], self.parts, 0.0)
        self.weights = fit.weights
        gram = np.einsum("i,itj,itl->jl", self.weights, self.scores_left, self.scores_left)
        whole = np.einsum("i,itj,it->j", self.weights, moving**2, fit.inside.astype(float))
        absorbed = np.diag(gram) <= ABSORBED * whole
        if absorbed.any() or np.linalg.eigvalsh(gram / np.sqrt(np.outer(whole, whole)))[0] <= ABSORBED:
            raise CannotEstimate(
                "covariates that change over time cannot be told from area and period effects, or from each "
                f"other, in untreated cells (columns {np.flatnonzero(absorbed).tolist() or 'together'}); "
                "leave one out"
            )
        self.inverse = np.linalg.inv(gram)

    def slopes(self, outcome: Floats) -> Floats:
        """One coefficient a covariate."""
        slopes: Floats = self.inverse @ np.einsum("i,itj,it->j", self.weights, self.scores_left, outcome)
        return slopes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """Treated cells with their effects, and what errors need of the fit."""

    data: Rollout
    fit: UntreatedFit
    slopes: _Slopes | None
    rows: Ints
    columns: Ints
    effect: Floats
    residual: Floats

    def average(self, chosen: Bools) -> tuple[float, Floats, int, int]:
        """Average effect of the cells chosen, its influence by cluster, treated areas and units behind it."""
        rows, columns, effect = self.rows[chosen], self.columns[chosen], self.effect[chosen]
        weight = self.data.weights[rows]
        weight = weight / weight.sum()
        value = float(weight @ effect)
        areas, periods = self.fit.inside.shape
        design = self.fit.design
        # How far a unit of each period effect moves the cells' expected sum, then through the fit to outcomes
        moved: Floats = np.column_stack(
            [
                np.bincount(columns, weights=weight * design[rows, j], minlength=periods).astype(float)
                for j in range(design.shape[1])
            ]
        )
        by_area = np.bincount(rows, weights=weight, minlength=areas)
        moved -= self.fit.on.T @ ((by_area / self.fit.cells)[:, None] * design)
        through = (self.fit.inverse @ moved.ravel()).reshape(moved.shape)
        influence = -self.data.weights * ((self.residual @ through) * design).sum(axis=1)
        if self.slopes is not None:
            target = weight @ self.slopes.parts[rows, columns]
            scores = np.einsum("itj,it->ij", self.slopes.scores_left, self.residual)
            influence -= self.data.weights * (scores @ (self.slopes.inverse @ target))
        group = self.data.start[rows] * periods + columns
        squares = np.bincount(group, weights=weight**2)
        around = np.bincount(group, weights=weight**2 * effect)[group] / squares[group]
        influence = influence + np.bincount(rows, weights=weight * (effect - around), minlength=areas)
        units = len(np.unique(self.data.clusters[rows]))
        return value, self.data.by_cluster(influence), len(np.unique(rows)), units


def _path(
    axis: Axis, cells: _Cells, key: Ints, kept: Bools, overall: tuple[float, Floats, int, int]
) -> EffectPath:
    """Averages by key."""
    places = np.unique(key[kept])
    parts = [cells.average(kept & (key == place)) for place in places]
    influence = np.column_stack([part[1] for part in parts])
    return EffectPath(
        axis=axis,
        scale="difference",
        at=places,
        value=np.array([part[0] for part in parts]),
        se=standard_error(influence),
        treated=np.array([part[2] for part in parts], dtype=np.int64),
        treated_units=np.array([part[3] for part in parts], dtype=np.int64),
        influence=influence,
        overall=overall[0],
        overall_se=float(standard_error(overall[1])),
        overall_influence=overall[1],
        overall_treated=overall[2],
        overall_units=overall[3],
        weighting=WEIGHTING,
    )
