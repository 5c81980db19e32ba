"""The Poisson fit against statsmodels with dummies, pyfixest, the closed form, and data it must refuse."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatworks_eval.did.closed_form import common_start_ratio
from whatworks_eval.did.clustered import clustered
from whatworks_eval.did.fit import Fit
from whatworks_eval.did.poisson_fit import fit_poisson
from whatworks_eval.errors import CannotEstimate, DataError


def panel(seed: int, areas: int = 20, periods: int = 9) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Counts that depend on a project and a covariate."""
    rng = np.random.default_rng(seed)
    project = np.outer(np.arange(areas) < areas // 2, np.arange(periods) >= 4) * 1.0
    dose = rng.normal(size=(areas, periods))
    level = rng.lognormal(1.6, 0.5, areas)[:, None] * np.exp(0.1 * rng.normal(size=periods))
    counts = rng.poisson(level * np.exp(-0.3 * project + 0.2 * dose)).astype(float)
    return counts, {"project": project, "dose": dose}


def by_dummies(
    counts: np.ndarray,
    covariates: dict[str, np.ndarray],
    observed: np.ndarray,
    weights: np.ndarray,
    offset: np.ndarray,
):
    """Coefficients and covariance by statsmodels' GLM with a dummy for every area and period."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import statsmodels.api as sm

        area, period = np.nonzero(observed)
        columns = [values[observed] for values in covariates.values()]
        dummies = [(area == at) * 1.0 for at in range(counts.shape[0])]
        dummies += [(period == at) * 1.0 for at in range(1, counts.shape[1])]
        fit = sm.GLM(
            counts[observed],
            np.column_stack(columns + dummies),
            family=sm.families.Poisson(),
            freq_weights=weights[observed],
            offset=offset[observed],
        ).fit(tol=1e-14, maxiter=100)
    wide = len(columns)
    return np.asarray(fit.params)[:wide], np.asarray(fit.cov_params())[:wide, :wide]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_equals_dummies_in_statsmodels(seed: int) -> None:
    """Unbalanced, weighted, with an offset: coefficients to 1e-8, the bread to 1e-7."""
    counts, covariates = panel(seed)
    rng = np.random.default_rng(100 + seed)
    observed = rng.random(counts.shape) > 0.15
    weights, offset = rng.uniform(0.5, 2, counts.shape), rng.normal(0, 0.3, counts.shape)
    fit = fit_poisson(
        np.where(observed, counts, np.nan), covariates, weights=weights, offset=offset, observed=observed
    )
    params, covariance = by_dummies(counts, covariates, observed, weights, offset)
    assert fit.params == pytest.approx(params, abs=1e-8)
    assert fit.bread == pytest.approx(covariance, rel=1e-7)
    assert fit.settled.gap < 1e-9
    assert fit.cells == observed.sum()


@pytest.mark.parametrize("counted", ["none", "full"])
def test_equals_pyfixest(counted: str) -> None:
    """Two covariates, clusters of two areas: coefficients to 1e-8 and both errors to 1e-6 relative."""
    import pandas as pd

    pyfixest = pytest.importorskip("pyfixest")
    counts, covariates = panel(5)
    areas, periods = counts.shape
    clusters = np.arange(areas) // 2
    frame = pd.DataFrame(
        {
            "y": counts.ravel(),
            **{name: values.ravel() for name, values in covariates.items()},
            "area": np.repeat(np.arange(areas), periods),
            "period": np.tile(np.arange(periods), areas),
            "unit": np.repeat(clusters, periods),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = pyfixest.fepois(
            "y ~ project + dose | area + period",
            frame,
            vcov={"CRV1": "unit"},
            ssc=pyfixest.ssc(k_fixef=counted),
            iwls_tol=1e-13,
            fixef_tol=1e-13,
        )
    fit = fit_poisson(counts, covariates)
    error = clustered(fit, clusters, kind="CR1")
    number, effects = counts.size, fit.absorbed if counted == "full" else 0
    factor = np.sqrt((number - 1) / (number - 2 - effects))
    assert fit.params == pytest.approx(oracle.coef().to_numpy(), abs=1e-8)
    assert error.errors * factor == pytest.approx(oracle.se().to_numpy(), rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_equals_the_closed_form_and_its_influence(seed: int) -> None:
    """Vector B4: one start, balanced: the log ratio of ratios to 1e-9, and the same influence by area."""
    rng = np.random.default_rng(seed)
    treated, after = np.arange(12) < 5, np.arange(6) >= 2
    counts = rng.poisson(rng.lognormal(1.0, 0.7, 12)[:, None] * np.ones(6)).astype(float)
    weights = rng.uniform(0.5, 2, 12)
    closed = common_start_ratio(counts, treated, after, weights=weights)
    if closed.value is None:
        return
    fit = fit_poisson(counts, {"project": np.outer(treated, after) * 1.0}, weights=weights[:, None])
    assert fit.params[0] == pytest.approx(closed.value, abs=1e-9)
    assert fit.area_influence()[:, 0] == pytest.approx(closed.influence[fit.areas], abs=1e-8)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.2, 20))
def test_what_must_not_change_it(seed: int, scale: float) -> None:
    """Order, scale of counts and exposure by area change no coefficient; the scale of a covariate does."""
    counts, covariates = panel(seed)
    fit = fit_poisson(counts, covariates)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(counts))
    moved = fit_poisson(
        scale * counts[order],
        {"project": covariates["project"][order], "dose": covariates["dose"][order] / 4},
        offset=rng.normal(size=(len(counts), 1)),
    )
    assert moved.params == pytest.approx(fit.params * np.array([1.0, 4.0]), abs=1e-8)


def test_silent_areas_and_periods_leave_by_place() -> None:
    """Areas and periods that recorded nothing change no coefficient, and the fit says who is left."""
    counts, covariates = panel(6)
    counts[[3, 15]] = 0.0
    counts[:, 8] = 0.0
    fit = fit_poisson(counts, covariates)
    kept = np.ix_(np.delete(np.arange(20), [3, 15]), np.arange(8))
    alone = fit_poisson(counts[kept], {name: values[kept] for name, values in covariates.items()})
    assert fit.params == pytest.approx(alone.params, abs=1e-10)
    assert fit.areas.tolist() == np.delete(np.arange(20), [3, 15]).tolist()
    assert fit.periods.tolist() == list(range(8))
    assert fit.cells == 18 * 8


@pytest.mark.parametrize(
    "column",
    [
        np.ones((20, 9)),
        np.arange(20.0)[:, None] * np.ones(9),
        np.arange(20.0)[:, None] + np.arange(9.0) ** 2,
        1e6 + np.arange(9.0) * np.ones((20, 1)),
    ],
)
def test_a_covariate_the_effects_hold_is_named(column: np.ndarray) -> None:
    """A covariate that varies by area only, by period only, or as their sum is an error naming it."""
    counts, covariates = panel(7)
    with pytest.raises(CannotEstimate, match="covariate 'deprivation'"):
        fit_poisson(counts, {**covariates, "deprivation": column})


def test_a_covariate_that_follows_from_others_is_named() -> None:
    """A sum of two covariates and an area's own number is an error naming the last."""
    counts, covariates = panel(8)
    total = covariates["project"] + 2 * covariates["dose"] + np.arange(20.0)[:, None]
    with pytest.raises(CannotEstimate, match="'total' follows exactly from those before it"):
        fit_poisson(counts, {**covariates, "total": total})


def test_complete_suppression_is_refused_by_name() -> None:
    """Nothing in the treated areas after the start: no tiny-error number, but the covariate to blame."""
    counts, covariates = panel(9)
    counts[covariates["project"] == 1] = 0.0
    with pytest.raises(CannotEstimate, match="recorded in 50 cells") as caught:
        fit_poisson(counts, covariates)
    assert "'project'" in str(caught.value)
    assert "'dose'" not in str(caught.value)


def test_large_and_rare_counts_settle() -> None:
    """Counts from 0.02 to a million an area and period, most cells zero, settle to every total."""
    rng = np.random.default_rng(10)
    level = np.exp(rng.uniform(np.log(0.02), np.log(1e6), 60))
    project = np.outer(np.arange(60) % 2, np.arange(30) >= 15) * 1.0
    fit: Fit = fit_poisson(rng.poisson(level[:, None] * np.ones(30)).astype(float), {"project": project})
    assert fit.settled.gap < 1e-9
    assert abs(fit.params[0]) < 5 * np.sqrt(fit.bread[0, 0])


def test_bad_cells_are_refused_together() -> None:
    """Every problem is in one error: a shape, a missing value, a negative count."""
    counts, covariates = panel(11)
    counts[1, 2] = -3
    covariates["dose"][4, 5] = np.nan
    with pytest.raises(DataError) as caught:
        fit_poisson(counts, covariates, weights=np.ones(7))
    text = str(caught.value)
    assert "negative at area 1, period 2" in text
    assert "'dose' is not a number at area 4, period 5" in text
    assert "'weights' has shape (7,)" in text
    with pytest.raises(CannotEstimate, match="no area recorded anything"):
        fit_poisson(np.zeros((3, 4)), {"x": np.arange(12.0).reshape(3, 4)})
