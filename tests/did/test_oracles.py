"""Edges that the other files' panels do not reach, each against a second way of working it out."""

from __future__ import annotations

import numpy as np
import pytest

from whatworks_eval.did.clustered import Kind, clustered
from whatworks_eval.did.event_path import event_path
from whatworks_eval.did.linear_fit import fit_linear
from whatworks_eval.did.relative_magnitudes import relative_magnitudes_interval
from whatworks_eval.did.wild_bootstrap import wild_bootstrap


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR1S", "CR2", "CR3", "fixest"])
def test_an_area_or_period_without_a_cell_is_as_if_it_were_not_there(kind: Kind) -> None:
    """A unit never observed is no cluster, and a period of weight zero no effect: same errors to 1e-12."""
    rng = np.random.default_rng(8)
    outcome, units = rng.normal(size=(14, 6)), np.r_[np.arange(12), 12, 3]
    project = np.outer(np.arange(14) % 2 == 0, np.arange(6) >= 3) * 1.0
    weights = rng.uniform(0.5, 2, outcome.shape)
    weights[:, 1] = 0.0
    observed = rng.random(outcome.shape) > 0.1
    observed[12] = False  # the only area of unit 12
    found = fit_linear(outcome, {"project": project}, weights=weights, observed=observed)
    areas, periods = np.delete(np.arange(14), 12), np.delete(np.arange(6), 1)
    kept = np.ix_(areas, periods)
    without = fit_linear(
        outcome[kept], {"project": project[kept]}, weights=weights[kept], observed=observed[kept]
    )
    assert found.areas.tolist() == areas.tolist()
    assert found.periods.tolist() == periods.tolist()
    assert found.params == pytest.approx(without.params, abs=1e-12)
    one, other = clustered(found, units, kind=kind), clustered(without, units[areas], kind=kind)
    assert one.clusters == other.clusters == 12
    assert one.errors == pytest.approx(other.errors, rel=1e-12)
    assert one.df == pytest.approx(other.df, rel=1e-9)
    assert wild_bootstrap(found, units, "project", seed=1, draws=99).clusters == 12


@pytest.mark.parametrize("bound", [0.25, 1.0])
def test_relative_magnitudes_with_one_lead_and_one_lag(bound: float) -> None:
    """The test written out for its three moments a sign: ends to 0.03 standard errors of the effect.

    The critical value is simulated here too, with 100 times as many draws.
    """
    from scipy.stats import norm

    values = np.array([0.05, 0.4])
    covariance = np.array([[0.010, 0.003], [0.003, 0.012]])
    found = relative_magnitudes_interval(event_path(values, covariance, [-2, 0]), bound)
    assert found.low is not None
    assert found.high is not None
    draws = np.random.default_rng(1).multivariate_normal(np.zeros(2), covariance, 200_000)
    grid = np.linspace(found.low - 0.05, found.high + 0.05, 1_001)
    kept = np.zeros(len(grid), dtype=bool)
    for sign in (1.0, -1.0):
        v = np.array([-sign, 0.0])  # the change from the lead into the reference, signed
        rows = np.array([[0.0, 1.0] - bound * v, [0.0, -1.0] - bound * v, -2 * v])
        rows /= np.sqrt(np.einsum("ri,ij,rj->r", rows, covariance, rows))[:, None]
        critical = np.quantile((draws @ rows.T).max(axis=1), 0.995)
        together = rows @ covariance @ rows.T
        for place, effect in enumerate(grid):
            moments = rows @ (values - [0.0, effect])
            top = int(moments.argmax())
            if moments[top] > critical:
                continue
            edges = [
                (moments[k] - together[k, top] * moments[top]) / (1 - together[k, top])
                for k in range(3)
                if k != top
            ]
            low, high = min(max(edges), moments[top]), critical
            chance = norm.sf(moments[top]) - norm.sf(high)
            size = (0.05 - 0.005) / (1 - 0.005) * (norm.sf(low) - norm.sf(high))
            kept[place] |= moments[top] <= 0 or chance >= size
    ends = grid[kept]
    assert [found.low, found.high] == pytest.approx([ends.min(), ends.max()], abs=0.03 * 0.012**0.5)
