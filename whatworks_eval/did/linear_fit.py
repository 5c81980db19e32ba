"""A linear regression with area and period effects, through linearmodels: rates, scores, doses, gaps.

The coefficients are PanelOLS's, with both effects absorbed; the pieces of a clustered error are worked out at
its solution, in the record that the Poisson fit gives, so that one room serves both.

Source: Sheppard et al., linearmodels, PanelOLS (entity and time effects); the effects taken out are those of
Wansbeek and Kapteyn (1989), Journal of Econometrics 41(3), 341-361.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whatworks_eval.did.fit import Cells, Fit, Settled, bread_of, checked_cells
from whatworks_eval.did.two_way import Bools, Codes, Floats, TwoWay, residual_design
from whatworks_eval.errors import CannotEstimate


def fit_linear(
    outcome: Floats,
    covariates: Mapping[str, Floats],
    *,
    weights: Floats | None = None,
    observed: Bools | None = None,
) -> Fit:
    """The linear coefficients with area and period effects, and the pieces a clustered error needs.

    Args:
        outcome: areas × periods, any unit: a rate, a score, a logarithm.
        covariates: Name → areas × periods: treated × after, a dose such as officer hours, others.
        weights: areas × periods or areas × 1, such as residents; None = 1.
        observed: False where a cell is missing; None = all observed.

    Raises:
        DataError: For shapes and values that do not fit.
        CannotEstimate: Where a covariate follows from the effects, or no cell is left to judge by.

    Example:
        >>> rows = np.array([[10.0, 11.0, 15.0, 18.0], [9.0, 10.0, 12.0, 13.0]])
        >>> project = np.outer([1.0, 0.0], [0.0, 0.0, 1.0, 1.0])
        >>> round(fit_linear(rows, {"project": project}).coefficient("project"), 7)
        3.0
    """
    cells = checked_cells(outcome, covariates, weights=weights, observed=observed, counts=False)
    areas, periods = (np.flatnonzero(cells.weights.any(axis=at)) for at in (1, 0))
    if len(areas) < len(outcome) or len(periods) < outcome.shape[1]:
        cells = _part(cells, areas, periods)
    two_way = TwoWay(cells.weights)
    used = int((cells.weights > 0).sum())
    if used <= two_way.absorbed + len(cells.names):
        raise CannotEstimate(
            f"{used} cells with {two_way.absorbed} area and period effects leave nothing to estimate "
            f"{len(cells.names)} coefficients from; use more periods or areas"
        )
    design = residual_design(two_way, cells.columns, cells.names)
    params = _panel_ols(cells.outcome, cells.columns, cells.weights)
    residuals = two_way.residual(cells.outcome) - np.tensordot(params, design, axes=1)
    return Fit(
        kind="linear",
        names=cells.names,
        params=params,
        design=design,
        weights=cells.weights,
        residuals=residuals,
        fitted=cells.outcome - residuals,
        bread=bread_of(cells.weights, design),
        areas=areas,
        periods=periods,
        cells=used,
        absorbed=two_way.absorbed,
        settled=Settled(iterations=0, step=0.0, gap=0.0),
    )


def _part(cells: Cells, areas: Codes, periods: Codes) -> Cells:
    """The cells of some areas and periods: one without any weight is no cluster and no effect to count."""
    kept = np.ix_(areas, periods)
    return Cells(
        outcome=cells.outcome[kept],
        columns=np.ascontiguousarray(cells.columns[:, areas][:, :, periods]),
        names=cells.names,
        weights=np.ascontiguousarray(cells.weights[kept]),
        offset=cells.offset,
    )


def _panel_ols(outcome: Floats, columns: Floats, weights: Floats) -> Floats:
    """PanelOLS's coefficients, from the cells with any weight."""
    import pandas as pd
    from linearmodels.panel import PanelOLS

    area, period = np.nonzero(weights > 0)
    index = pd.MultiIndex.from_arrays([area, period], names=["area", "period"])
    plain = bool((weights[area, period] == 1).all())
    model = PanelOLS(
        pd.DataFrame({"outcome": outcome[area, period]}, index=index),
        pd.DataFrame({f"x{at}": column[area, period] for at, column in enumerate(columns)}, index=index),
        entity_effects=True,
        time_effects=True,
        weights=None if plain else pd.DataFrame({"weight": weights[area, period]}, index=index),
        singletons=True,
        check_rank=False,  # asked above, with the covariate's name
    )
    return np.asarray(model.fit(cov_type="unadjusted").params, dtype=float)
