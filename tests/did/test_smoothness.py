"""Smoothness: the path against its optimality conditions, the interval against brute force, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatworks_eval.did.event_path import EventPath, event_path
from whatworks_eval.did.smoothness import _lasso_path, folded_quantile, smoothness_interval
from whatworks_eval.errors import DataError


def drawn(leads: int, lags: int, seed: int) -> EventPath:
    """Coefficients with correlated errors around a noisy reference."""
    rng = np.random.default_rng(seed)
    root = np.tril(rng.normal(size=(leads + lags, leads + lags))) * 0.3 + np.eye(leads + lags)
    offsets = [k for k in range(-leads - 1, lags) if k != -1]
    return event_path(root @ rng.normal(size=leads + lags), root @ root.T, offsets)


def worst_bias(weights: np.ndarray, steps: np.ndarray) -> float:
    """The largest bias at a bound of one, by linear programme over every path with bends of at most one."""
    from scipy.optimize import linprog

    whole = np.sort(np.append(steps, 0))
    bends = np.diff(np.eye(len(whole)), n=2, axis=0)
    zero = (whole == 0).astype(float)[None, :]
    objective = np.zeros(len(whole))
    objective[whole != 0] = weights
    solved = linprog(
        -objective,
        A_ub=np.concatenate([bends, -bends]),
        b_ub=np.ones(2 * len(bends)),
        A_eq=zero,
        b_eq=[0.0],
        bounds=(None, None),
    )
    assert solved.status == 0
    return -float(solved.fun)


@pytest.mark.parametrize(("leads", "lags", "seed"), [(3, 3, 2), (2, 4, 3)])
@pytest.mark.parametrize("bound", [0.1, 1.0])
def test_no_other_weights_give_a_shorter_interval(leads: int, lags: int, seed: int, bound: float) -> None:
    """Half the length is the least a general optimiser finds over weights on the leads, to 1e-3 of it."""
    from scipy.optimize import minimize

    path = drawn(leads, lags, seed)
    target = np.full(lags, 1 / lags)
    near = path.steps[:leads].astype(float)

    def weights_of(free: np.ndarray) -> np.ndarray:
        # The last lead's weight makes a straight line drop out.
        last = -(target @ path.steps[leads:] + near[:-1] @ free) / near[-1]
        return np.concatenate([free, [last], target])

    def half(free: np.ndarray) -> float:
        weights = weights_of(free)
        error = float(weights @ path.covariance @ weights) ** 0.5
        bias = bound * worst_bias(weights, path.steps) if bound else 0.0
        return error * float(folded_quantile([bias / error], 0.95)[0])

    point = smoothness_interval(path, bound)
    found = (point.high - point.low) / 2
    options = {"xatol": 1e-4, "fatol": 1e-5, "maxfev": 160}
    best = minimize(half, np.zeros(leads - 1), method="Nelder-Mead", options=options).fun
    assert found == pytest.approx(best, rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 12), seed=st.integers(0, 10_000))
def test_every_corner_of_the_path_is_optimal(count: int, seed: int) -> None:
    """At a corner the gradient is the penalty where u is not zero and within it elsewhere (1e-7)."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(count, count + 3))
    quadratic, linear = root @ root.T, rng.normal(size=count)
    corners = _lasso_path(quadratic, linear)
    assert (corners[0] == 0).all()
    for u in corners:
        gradient = quadratic @ u + linear
        penalty = np.abs(gradient).max()
        moved = np.abs(u) > 1e-9
        np.testing.assert_allclose(gradient[moved], -penalty * np.sign(u[moved]), atol=1e-7)
    np.testing.assert_allclose(corners[-1], -np.linalg.solve(quadratic, linear), atol=1e-6)


def test_one_lead_by_hand() -> None:
    """Leads -1, effect 3, unit errors: 3 - 1 = 2, error sqrt 2, bias one bound; at zero 2 ± 1.96 × sqrt 2."""
    path = event_path([-1.0, 3.0], np.eye(2), [-2, 0])
    plain = smoothness_interval(path, 0.0)
    assert plain.low == pytest.approx(2 - 1.959964 * 2**0.5, abs=1e-5)
    far = smoothness_interval(path, 100.0)
    assert far.high == pytest.approx(2 + 100 + 1.644854 * 2**0.5, abs=1e-5)


def test_the_folded_normal_quantile() -> None:
    """The quantile puts exactly the confidence inside, from no shift to a large one."""
    from scipy.stats import norm

    shifts = np.array([0.0, 0.3, 1.0, 4.0, 40.0])
    found = folded_quantile(shifts, 0.9)
    np.testing.assert_allclose(norm.cdf(found - shifts) - norm.cdf(-found - shifts), 0.9, atol=1e-10)


def test_covers_the_effect_under_the_worst_bend() -> None:
    """A line that bends by the bound at every period is covered in 93 % or more of 500 draws."""
    rng = np.random.default_rng(5)
    offsets = [-5, -4, -3, -2, 0, 1, 2]
    steps = np.array(offsets) + 1.0
    covariance = 0.04 * (np.eye(7) + 1)
    inside = 0
    for values in rng.multivariate_normal(0.7 * steps + 0.05 * steps**2, covariance, size=500):
        point = smoothness_interval(event_path(values, covariance, offsets), 0.1)
        inside += point.low <= 0.0 <= point.high
    assert inside / 500 >= 0.93


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100), slope=st.floats(-5, 5))
def test_what_must_not_matter(seed: int, factor: float, slope: float) -> None:
    """A straight line added changes nothing, units scale, arms mirror, a larger bound is no shorter."""
    path = drawn(4, 3, seed)
    offsets = (path.steps - 1).tolist()
    plain = smoothness_interval(path, 0.2)
    moved = smoothness_interval(
        event_path(-factor * (path.values + slope * path.steps), factor**2 * path.covariance, offsets),
        0.2 * factor,
    )
    scale = abs(plain.low) + abs(plain.high) + 10 * abs(slope) + 1
    assert moved.high == pytest.approx(-factor * plain.low, abs=1e-7 * factor * scale)
    assert moved.low == pytest.approx(-factor * plain.high, abs=1e-7 * factor * scale)
    wider = smoothness_interval(path, 0.4)
    assert wider.high - wider.low >= plain.high - plain.low


def test_what_cannot_be_said_has_a_reason() -> None:
    """No lead, and a covariance from five placebo sets, are reasons; a negative bound is an error."""
    lone = smoothness_interval(event_path([1.0, 2.0], np.eye(2), [0, 1]), 1.0)
    assert "no line to carry on" in str(lone.why_missing)
    draws = np.random.default_rng(3).normal(size=(5, 9))
    poor = event_path(draws[0], np.cov(draws.T), [k for k in range(-5, 5) if k != -1])
    point = smoothness_interval(poor, 0.1)
    assert point.low is None
    assert "rank 4" in str(point.why_missing)
    with pytest.raises(DataError, match="bound"):
        smoothness_interval(drawn(2, 2, 1), -0.1)
