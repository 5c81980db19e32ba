"""The linear fit against pyfixest, dummies by least squares, and the closed form."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from whatworks_eval.did.clustered import clustered
from whatworks_eval.did.linear_fit import fit_linear
from whatworks_eval.did.two_way import TwoWay, to_grid
from whatworks_eval.errors import CannotEstimate, DataError


def panel(seed: int) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Scores, a dose in officer hours and a project, weights, and which cells are there."""
    rng = np.random.default_rng(seed)
    shape = (18, 7)
    covariates = {
        "project": np.outer(np.arange(18) < 8, np.arange(7) >= 3) * 1.0,
        "hours": rng.gamma(2.0, 30.0, shape),
    }
    return rng.normal(size=shape), covariates, rng.uniform(0.5, 4, shape), rng.random(shape) > 0.2


@pytest.mark.parametrize("weighted", [True, False])
def test_equals_least_squares_with_dummies(weighted: bool) -> None:
    """Unbalanced, continuous dose: coefficients to 1e-8, residuals those of the dummy model to 1e-8."""
    outcome, covariates, weights, observed = panel(1)
    fit = fit_linear(outcome, covariates, weights=weights if weighted else None, observed=observed)
    area, period = np.nonzero(observed)
    root = np.sqrt(weights[observed]) if weighted else np.ones(len(area))
    design = np.column_stack(
        [values[observed] for values in covariates.values()]
        + [(area == at) * 1.0 for at in range(18)]
        + [(period == at) * 1.0 for at in range(1, 7)]
    )
    params = np.linalg.lstsq(design * root[:, None], outcome[observed] * root, rcond=None)[0]
    assert fit.params == pytest.approx(params[:2], abs=1e-8)
    assert fit.residuals[observed] == pytest.approx(outcome[observed] - design @ params, abs=1e-8)
    assert fit.absorbed == 18 + 7 - 1


def test_equals_pyfixest() -> None:
    """Weighted, unbalanced, two covariates: coefficients to 1e-8, the clustered error to 1e-7 relative."""
    import pandas as pd

    pyfixest = pytest.importorskip("pyfixest")
    outcome, covariates, weights, observed = panel(2)
    area, period = np.nonzero(observed)
    frame = pd.DataFrame({name: values[observed] for name, values in covariates.items()}).assign(
        y=outcome[observed], w=weights[observed], area=area, period=period
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = pyfixest.feols(
            "y ~ project + hours | area + period",
            frame,
            vcov={"CRV1": "area"},
            weights="w",
            ssc=pyfixest.ssc(k_fixef="none", k_adj=False),
            fixef_tol=1e-13,
        )
    fit = fit_linear(outcome, covariates, weights=weights, observed=observed)
    assert fit.params == pytest.approx(oracle.coef().to_numpy(), abs=1e-8)
    errors = clustered(fit, np.arange(18), kind="CR1").errors
    assert errors == pytest.approx(oracle.se().to_numpy(), rel=1e-7)


def test_effects_absorbed_count_connected_parts() -> None:
    """Two sets of areas that share no period have one effect fewer than areas + periods - 1."""
    weights = np.zeros((6, 8))
    weights[:3, :4] = 1.0
    weights[3:, 4:] = 1.0
    assert TwoWay(weights).absorbed == 6 + 8 - 2


def test_long_rows_make_a_grid_and_duplicates_are_refused() -> None:
    """Rows go where their codes say; two rows for one area and period are an error naming it."""
    area, period = np.array([0, 1, 1]), np.array([1, 0, 1])
    found, seen = to_grid(area, period, {"n": np.array([7.0, 8.0, 9.0])})
    assert found["n"].tolist() == [[0.0, 7.0], [8.0, 9.0]]
    assert seen.tolist() == [[False, True], [True, True]]
    with pytest.raises(DataError, match="area code 1 has 2 rows in period code 1"):
        to_grid(np.array([0, 1, 1]), np.array([1, 1, 1]), {"n": np.ones(3)})
    with pytest.raises(DataError, match="column 'n' is not a number in row 2"):
        to_grid(area, period, {"n": np.array([7.0, 8.0, np.nan])})


def test_too_few_cells_are_refused() -> None:
    """Four cells and three effects cannot carry two coefficients."""
    with pytest.raises(CannotEstimate, match="leave nothing to estimate 2 coefficients"):
        fit_linear(
            np.array([[1.0, 2], [3, 5]]),
            {"project": np.array([[0.0, 0], [0, 1]]), "hours": np.array([[1.0, 0], [0, 3]])},
        )
