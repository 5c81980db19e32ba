"""A Poisson regression with area and period effects, for what the closed form does not cover.

    recorded ~ Poisson, log mean = area + period + covariates · coefficients + offset

Iteratively reweighted least squares, in which the effects of areas and periods are taken out exactly each
time (`two_way`); nothing but the coefficients is ever solved for at full width. An area or period that
recorded nothing has no finite effect and leaves, by place, as do its cells from every total. Where a
covariate itself separates zero from non-zero cells there is no finite coefficient: an error says which.

Source: Correia, Guimarães and Zylkin (2020), Stata Journal 20(1), 95-115 (the method); Santos Silva and
Tenreyro (2010), Economics Letters 107(2), 310-312 (whether a coefficient exists).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whatworks_eval.did.fit import Cells, Fit, Settled, bread_of, checked_cells
from whatworks_eval.did.separation import separated_cells
from whatworks_eval.did.two_way import Bools, Codes, Floats, TwoWay, residual_design, weighted_gram
from whatworks_eval.errors import CannotEstimate

TOLERANCE = 1e-10  # of a coefficient's movement, and of every area's and period's total
MOST_STEPS = 60
MOST_HALVINGS = 12
VANISHING = 1e-7  # a fitted share of its area's mean below this asks whether the cells are separated


def fit_poisson(
    counts: Floats,
    covariates: Mapping[str, Floats],
    *,
    weights: Floats | None = None,
    offset: Floats | None = None,
    observed: Bools | None = None,
) -> Fit:
    """The Poisson coefficients with area and period effects, and the pieces a clustered error needs.

    Args:
        counts: areas × periods.
        covariates: Name → areas × periods; for a project, treated × after.
        weights: areas × periods or areas × 1; None = 1.
        offset: Log of exposure, likewise; None = 0.
        observed: False where a cell is missing; None = all observed.

    Raises:
        DataError: For shapes and values that do not fit.
        CannotEstimate: Where nothing was recorded, a covariate follows from the effects or separates the
            zeros from the rest, or the fit does not settle.

    Example:
        >>> counts = np.array([[20.0, 10.0], [20.0, 20.0]])
        >>> fit = fit_poisson(counts, {"project": np.array([[0.0, 1.0], [0.0, 0.0]])})
        >>> round(fit.coefficient("project"), 7)
        -0.6931472
    """
    given = checked_cells(counts, covariates, weights=weights, offset=offset, observed=observed, counts=True)
    cells, areas, periods = _informative(given)
    mean, step, steps, design = _solve(cells)
    weight = cells.weights * mean
    bread = bread_of(weight, design)
    recorded = cells.weights * cells.outcome
    filled = weight.sum(axis=1) > 0
    gap = max(
        float(np.abs(weight.sum(axis=at)[keep] / recorded.sum(axis=at)[keep] - 1).max())
        for at, keep in ((1, filled), (0, slice(None)))
    )
    return Fit(
        kind="poisson",
        names=cells.names,
        params=step.params,
        design=design,
        weights=weight,
        residuals=cells.outcome / mean - 1,
        fitted=mean,
        bread=bread,
        areas=areas,
        periods=periods,
        cells=int((cells.weights > 0).sum()),
        absorbed=step.absorbed,
        settled=Settled(iterations=steps, step=step.size, gap=gap),
    )


class _Step:
    """Where the iteration stands: coefficients, their last movement, and effects absorbed."""

    __slots__ = ("absorbed", "params", "size")

    def __init__(self, width: int) -> None:
        self.params: Floats = np.zeros(width)
        self.size = np.inf
        self.absorbed = 0


def _informative(given: Cells) -> tuple[Cells, Codes, Codes]:
    """The cells of areas and periods that recorded anything, and which those are."""
    recorded = given.weights * given.outcome
    by_area, by_period = recorded.sum(axis=1) > 0, recorded.sum(axis=0) > 0
    areas, periods = np.flatnonzero(by_area), np.flatnonzero(by_period)
    if not len(areas):
        raise CannotEstimate("no area recorded anything in any period: there is nothing to fit")
    if by_area.all() and by_period.all():
        return given, areas, periods
    kept = np.ix_(areas, periods)
    return (
        Cells(
            outcome=given.outcome[kept],
            columns=np.ascontiguousarray(given.columns[:, areas][:, :, periods]),
            names=given.names,
            weights=np.ascontiguousarray(given.weights[kept]),
            offset=np.broadcast_to(given.offset, given.outcome.shape)[kept],
        ),
        areas,
        periods,
    )


def _solve(cells: Cells) -> tuple[Floats, _Step, int, Floats]:
    """The fitted means, the coefficients, the steps taken and the residual design."""
    count, base = cells.outcome, cells.weights
    weighted = base * count
    recorded = weighted.sum(axis=1)
    share = (recorded / base.sum(axis=1))[:, None]
    mean = 0.5 * (count + share)
    predictor = np.log(mean)
    level = -np.inf
    step = _Step(len(cells.names))
    design = cells.columns
    for number in range(1, MOST_STEPS + 1):
        two_way = TwoWay(base * mean)
        aim = count / mean
        aim += predictor
        aim -= cells.offset
        aim -= 1
        left = two_way.residual(aim)
        design = (
            residual_design(two_way, cells.columns, cells.names)
            if number == 1
            else np.stack([two_way.residual(column) for column in cells.columns])
        )
        gram = weighted_gram(two_way.weights, design)
        scores = design.reshape(len(design), -1) @ (two_way.weights * left).ravel()
        try:
            params: Floats = np.asarray(np.linalg.solve(gram, scores), dtype=float)
        except np.linalg.LinAlgError:
            break
        aim -= left
        aim += cells.offset
        for coefficient, column in zip(params, design, strict=True):
            aim += coefficient * column
        aim, mean, level_now = _uphill(predictor, aim, weighted, base, level)
        step.size = float(np.abs((params - step.params) / np.maximum(1.0, np.abs(params))).max())
        step.params, step.absorbed = params, two_way.absorbed
        predictor -= aim
        moved = float((np.abs(np.einsum("at,at->a", base * mean, predictor)) / recorded).max())
        predictor, level = aim, level_now
        if not np.isfinite(step.size):
            break
        if step.size <= TOLERANCE and moved <= TOLERANCE:
            _refuse_separated(cells, mean, share)
            return mean, step, number, design
    _refuse_separated(cells, mean, share)
    raise CannotEstimate(
        f"the Poisson fit did not settle in {MOST_STEPS} steps (last movement of a coefficient "
        f"{step.size:.1e}); look for a covariate with a few very large values, or for areas with one or two "
        "incidents only"
    )


def _uphill(
    old: Floats, new: Floats, weighted: Floats, base: Floats, level: float
) -> tuple[Floats, Floats, float]:
    """The new predictor, halved towards the old until the likelihood does not fall; its means and level."""
    for _ in range(MOST_HALVINGS):
        mean = np.exp(np.clip(new, -700.0, 300.0)) if np.abs(new).max() > 300.0 else np.exp(new)
        level_now = float(np.vdot(weighted, new) - np.vdot(base, mean))
        if level_now >= level - 1e-9 * abs(level):
            break
        new = 0.5 * (old + new)
    return new, mean, level_now


def _refuse_separated(cells: Cells, mean: Floats, share: Floats) -> None:
    """Say so where a covariate separates zero cells from the rest.

    Raises:
        CannotEstimate: Naming the covariates.
    """
    zero = (cells.outcome == 0) & (cells.weights > 0)
    if not (zero & (mean < VANISHING * share)).any():
        return
    apart, guilty = separated_cells(cells.outcome, cells.columns, weights=cells.weights)
    if apart.any():
        named = ", ".join(f"'{cells.names[at]}'" for at in guilty)
        raise CannotEstimate(
            f"nothing was recorded in {int(apart.sum())} cells that {named} sets apart from all others: "
            "there is no finite coefficient; leave the covariate out, widen the window, or report the "
            "one-sided bound"
        )
