"""The wild cluster bootstrap against refits one by one, and what it says when there are few clusters."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from whatworks_eval.did.clustered import clustered
from whatworks_eval.did.linear_fit import fit_linear
from whatworks_eval.did.poisson_fit import fit_poisson
from whatworks_eval.did.two_way import TwoWay
from whatworks_eval.did.wild_bootstrap import wild_bootstrap
from whatworks_eval.errors import CannotEstimate


def by_refitting(
    outcome: np.ndarray,
    covariates: dict[str, np.ndarray],
    weights: np.ndarray,
    clusters: np.ndarray,
    null: float,
) -> float:
    """The restricted bootstrap p-value over every sign, each draw refitted with both effects."""
    effects = TwoWay(weights)

    def fitted(values: np.ndarray, names: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        design = np.stack([effects.residual(covariates[name]) for name in names])
        flat = design.reshape(len(names), -1)
        bread = np.linalg.inv((flat * weights.ravel()) @ flat.T)
        left = effects.residual(values)
        params = bread @ (flat * weights.ravel()) @ left.ravel()
        left = left - np.tensordot(params, design, axes=1)
        return params, left, bread @ (design * weights * left).sum(axis=2)

    def t_value(values: np.ndarray) -> float:
        params, _, influence = fitted(values, ["project", "dose"])
        sums = np.bincount(clusters, weights=influence[0])
        return float((params[0] - null) / np.sqrt(sums @ sums))

    shifted = outcome - null * covariates["project"]
    _, left, _ = fitted(shifted, ["dose"])
    predicted = outcome - left
    groups = clusters.max() + 1
    seen = abs(t_value(outcome))
    far = [
        abs(t_value(predicted + left * np.array(signs)[clusters][:, None])) >= seen * (1 - 1e-9)
        for signs in itertools.product([1.0, -1.0], repeat=groups)
    ]
    return float(np.mean(far))


@pytest.mark.parametrize("null", [0.0, 0.4])
def test_equals_refitting_every_draw(null: float) -> None:
    """All 256 signs, weighted, with a covariate: the p-value of two hypotheses is that of refits (1e-12)."""
    rng = np.random.default_rng(2)
    shape, clusters = (16, 6), np.arange(16) // 2
    covariates = {
        "project": np.outer(np.arange(16) < 8, np.arange(6) >= 3) * 1.0,
        "dose": rng.normal(size=shape),
    }
    weights, outcome = rng.uniform(0.5, 2, shape), rng.normal(size=shape) + 0.5 * covariates["project"]
    # A hypothesis other than zero is zero for the outcome less that much of the project.
    fit = fit_linear(outcome - null * covariates["project"], covariates, weights=weights)
    found = wild_bootstrap(fit, clusters, "project", seed=1, draws=9_999, points="rademacher")
    assert found.enumerated
    assert found.draws == 256
    assert found.p_value == pytest.approx(
        by_refitting(outcome, covariates, weights, clusters, null), abs=1e-12
    )


def test_interval_ends_where_the_p_value_crosses() -> None:
    """Just inside an end the value is not rejected, just outside it is; near clustered t with 40 clusters."""
    rng = np.random.default_rng(3)
    project = np.outer(np.arange(40) < 20, np.arange(8) >= 4) * 1.0
    outcome = rng.normal(size=(40, 8))
    fit = fit_linear(outcome, {"project": project})
    found = wild_bootstrap(fit, np.arange(40), "project", seed=5, draws=4_999)
    assert found.low is not None
    assert found.high is not None
    for end, inward in ((found.low, 1), (found.high, -1)):
        for side, rejected in ((inward, False), (-inward, True)):
            shifted = fit_linear(outcome - (end + side * 0.01) * project, {"project": project})
            p_value = wild_bootstrap(shifted, np.arange(40), "project", seed=5, draws=4_999).p_value
            assert p_value is not None
            assert (p_value <= 0.05) == rejected
    other = clustered(fit, np.arange(40), kind="CR2").interval("project")
    assert other is not None
    assert (found.low, found.high) == pytest.approx(other, abs=0.05)


def test_few_clusters_draw_from_six_points() -> None:
    """Eight clusters use Webb's weights, and the smallest p is that of the draws."""
    rng = np.random.default_rng(4)
    project = np.outer(np.arange(8) < 4, np.arange(6) >= 3) * 1.0
    fit = fit_linear(rng.normal(size=(8, 6)) + 3 * project, {"project": project})
    found = wild_bootstrap(fit, np.arange(8), "project", seed=1, draws=999)
    assert (found.points, found.enumerated, found.draws, found.smallest_p) == ("webb", False, 999, 0.001)
    again = wild_bootstrap(fit, np.arange(8), "project", seed=1, draws=999)
    assert (again.low, again.high) == (found.low, found.high)
    assert again.p_value == found.p_value


def test_reordering_areas_changes_nothing() -> None:
    """With every sign used, the order of areas and clusters cannot matter."""
    rng = np.random.default_rng(5)
    project, outcome = np.outer(np.arange(10) < 5, np.arange(4) >= 2) * 1.0, rng.normal(size=(10, 4))
    order = rng.permutation(10)
    one = wild_bootstrap(
        fit_linear(outcome, {"project": project}), np.arange(10), "project", seed=1, points="rademacher"
    )
    other = wild_bootstrap(
        fit_linear(outcome[order], {"project": project[order]}),
        np.arange(10),
        "project",
        seed=2,
        points="rademacher",
    )
    assert one.p_value == pytest.approx(other.p_value, abs=1e-12)


def test_too_few_clusters_and_counts_are_refused() -> None:
    """Two treated clusters get a reason; a Poisson fit an error that says what to use."""
    rng = np.random.default_rng(6)
    treated = np.arange(12) < 2
    project = np.outer(treated, np.arange(4) >= 2) * 1.0
    fit = fit_linear(rng.normal(size=(12, 4)), {"project": project})
    found = wild_bootstrap(fit, np.arange(12), "project", seed=1, treated=treated)
    assert found.p_value is None
    assert "2 treated and 10 comparison clusters" in str(found.why_missing)
    counts = fit_poisson(rng.poisson(9.0, (12, 4)).astype(float), {"project": project})
    with pytest.raises(CannotEstimate, match="for linear fits"):
        wild_bootstrap(counts, np.arange(12), "project", seed=1)


def test_a_true_null_is_rejected_at_its_rate() -> None:
    """Ten clusters, five treated, errors alike within them: 2 to 9 % of 400 draws at 5 %."""
    rng = np.random.default_rng(7)
    project = np.outer(np.arange(20) < 10, np.arange(6) >= 3) * 1.0
    clusters = np.arange(20) // 2
    out = 0
    fit, effects = fit_linear(rng.normal(size=(20, 6)), {"project": project}), TwoWay(np.ones((20, 6)))
    for _ in range(400):
        shock = rng.normal(size=(10, 2))[clusters][:, (np.arange(6) >= 3).astype(int)]
        noise = effects.residual(shock + rng.normal(size=(20, 6)))
        slope = float(np.vdot(fit.design[0], noise) * fit.bread[0, 0])
        drawn = replace(fit, params=np.array([slope]), residuals=noise - slope * fit.design[0])
        p_value = wild_bootstrap(drawn, clusters, "project", seed=1, draws=399).p_value
        out += p_value is not None and p_value <= 0.05
    assert 0.02 <= out / 400 <= 0.09
