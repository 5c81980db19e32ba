"""Relative magnitudes: corners against a linear programme, critical values by simulation, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatworks_eval.did.event_path import EventPath, event_path
from whatworks_eval.did.relative_magnitudes import _after_pieces, _kept, relative_magnitudes_interval
from whatworks_eval.errors import DataError

ALPHA = 0.05
LEVEL = 0.995
SIZE = (0.05 - 0.005) / (1 - 0.005)


def drawn(leads: int, lags: int, seed: int) -> EventPath:
    """Coefficients with correlated errors and an effect of three after the start."""
    rng = np.random.default_rng(seed)
    root = np.tril(rng.normal(size=(leads + lags, leads + lags))) * 0.3 + np.eye(leads + lags)
    values = root @ rng.normal(size=leads + lags) * 0.5 + 3.0 * (np.arange(leads + lags) >= leads)
    offsets = [k for k in range(-leads - 1, lags) if k != -1]
    return event_path(values, 0.25 * root @ root.T, offsets)


def moments(path: EventPath, bound: float, largest: int, sign: int) -> np.ndarray:
    """Rows A of the piece: +d(t) - bound × v and -d(t) - bound × v on leads and lags, after periods only."""
    count = path.leads + path.lags
    step = np.diff(np.insert(np.eye(count), path.leads, 0.0, axis=0), axis=0)
    v = sign * step[largest]
    after = step[path.leads :]
    return np.concatenate([after - bound * v, -after - bound * v])


def programme(y: np.ndarray, nuisance: np.ndarray, error: np.ndarray) -> float:
    """The least eta with y - nuisance × free <= eta × error, by HiGHS."""
    from scipy.optimize import linprog

    solved = linprog(
        np.r_[1.0, np.zeros(nuisance.shape[1])],
        A_ub=-np.column_stack([error, nuisance]),
        b_ub=-y,
        bounds=(None, None),
    )
    assert solved.status == 0
    return float(solved.fun)


@pytest.mark.parametrize(("seed", "bound"), [(1, 1.0), (2, 0.5), (3, 2.0)])
@pytest.mark.parametrize("weights", [[1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0], [-1.0, 0.0, 1.0]])
def test_the_corners_are_those_of_the_linear_programme(seed: int, bound: float, weights: list[float]) -> None:
    """The largest of the four statistics is the programme's optimum at every effect, to 1e-8."""
    path = drawn(3, 3, seed)
    changes, spread = path.changes()
    target = np.array(weights)
    pieces = _after_pieces(path, changes, spread, target, bound, LEVEL)
    assert pieces is not None
    # After effects whose weighted sum is the effect: one solution, and the null space of the target.
    null = np.linalg.svd(target[None, :])[2][1:].T
    for number, (sign, largest) in enumerate((s, k) for s in (1, -1) for k in range(3)):
        rows = moments(path, bound, largest, sign)
        error = np.sqrt(np.einsum("ri,ij,rj->r", rows, path.covariance, rows))
        for effect in (-2.0, 0.0, 1.0, 4.0):
            y = rows @ path.values - rows[:, 3:] @ target * effect / (target @ target)
            expected = programme(y, rows[:, 3:] @ null, error)
            found = (pieces.at_zero[number] + pieces.slope[number] * effect).max()
            assert found == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_test_is_the_one_the_programme_gives(seed: int) -> None:
    """Rejections equal those from HiGHS duals and truncation points by bisection, 8 effects a piece."""
    from scipy.stats import norm

    path = drawn(2, 3, seed)
    changes, spread = path.changes()
    target, bound = np.full(3, 1 / 3), 1.0
    pieces = _after_pieces(path, changes, spread, target, bound, LEVEL)
    assert pieces is not None
    null = np.linalg.svd(target[None, :])[2][1:].T
    effects = np.tile(np.linspace(-1.0, 7.0, 8), (4, 1))
    ours = _kept(pieces, effects, ALPHA)
    theirs = np.zeros_like(ours)
    for number, (sign, largest) in enumerate((s, k) for s in (1, -1) for k in range(2)):
        rows = moments(path, bound, largest, sign)
        sigma = rows @ path.covariance @ rows.T
        error, nuisance = np.sqrt(np.diag(sigma)), rows[:, 2:] @ null
        for place, effect in enumerate(effects[number]):
            y = rows @ path.values - rows[:, 2:] @ target * effect / (target @ target)
            theirs[number, place] = not rejects(
                y, nuisance, sigma, error, float(pieces.critical[number]), norm
            )
    assert (ours == theirs).all()
    assert ours.any()
    assert not ours.all()


def rejects(y, nuisance, sigma, error, critical, norm) -> bool:
    """The hybrid test with the dual taken from HiGHS and the truncation points by bisection."""
    from scipy.optimize import linprog

    count = nuisance.shape[1]
    solved = linprog(
        np.r_[1.0, np.zeros(count)],
        A_ub=-np.column_stack([error, nuisance]),
        b_ub=-y,
        bounds=(None, None),
    )
    eta = float(solved.fun)
    if eta > critical:
        return True
    dual = -solved.ineqlin.marginals
    variance = float(dual @ sigma @ dual)
    if variance < 1e-16 or eta <= 0:
        return eta > 0 and variance < 1e-16
    along = sigma @ dual / variance
    rest = y - along * eta

    def optimal(at: float) -> bool:
        return programme(rest + along * at, nuisance, error) <= at + 1e-9

    ends = []
    for far in (-60.0, 60.0):
        if optimal(far):
            ends.append(far)
            continue
        inside, outside = eta, far
        for _ in range(24):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if optimal(middle) else (inside, middle)
        ends.append(inside)
    spread = variance**0.5
    low, high = ends[0] / spread, min(ends[1], critical) / spread
    tail = norm.sf(eta / spread) - norm.sf(high)
    return bool(tail < SIZE * (norm.sf(low) - norm.sf(high)))


def test_the_critical_value_by_simulation() -> None:
    """400,000 draws of the statistics put 0.5 % (0.05 either way) above the integrated critical value."""
    path = drawn(4, 5, 9)
    changes, spread = path.changes()
    pieces = _after_pieces(path, changes, spread, np.full(5, 0.2), 1.0, LEVEL)
    assert pieces is not None
    rng = np.random.default_rng(2)
    for number in range(8):
        sizes, axes = np.linalg.eigh(pieces.covariance[number])
        draws = rng.normal(size=(400_000, 4)) @ (axes * np.sqrt(np.maximum(sizes, 0))).T
        above = (draws.max(axis=1) > pieces.critical[number]).mean()
        assert above == pytest.approx(0.005, abs=5e-4)


@pytest.mark.parametrize("lags", [1, 3])
def test_covers_an_effect_when_the_bound_is_just_right(lags: int) -> None:
    """Leads step by 1 and so do after changes: the effect is inside in at least 94 % of 200 draws."""
    rng = np.random.default_rng(11)
    leads = 3
    offsets = [k for k in range(-leads - 1, lags) if k != -1]
    trend = np.array([k + 1.0 for k in offsets])
    covariance = 0.05 * (np.eye(leads + lags) + 1)
    inside = 0
    for values in rng.multivariate_normal(trend, covariance, size=200):
        point = relative_magnitudes_interval(event_path(values, covariance, offsets), 1.0)
        assert point.low is not None
        assert point.high is not None
        inside += point.low <= 0.0 <= point.high
    assert inside / 200 >= 0.94


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100), lags=st.sampled_from([1, 2, 5]))
def test_what_must_not_matter(seed: int, factor: float, lags: int) -> None:
    """Changing units scales the interval, swapping arms mirrors it, and a larger bound never shortens it."""
    path = drawn(3, lags, seed)
    offsets = (path.steps - 1).tolist()
    plain = relative_magnitudes_interval(path, 1.0)
    scaled = relative_magnitudes_interval(
        event_path(factor * path.values, factor**2 * path.covariance, offsets), 1.0
    )
    mirrored = relative_magnitudes_interval(event_path(-path.values, path.covariance, offsets), 1.0)
    wider = relative_magnitudes_interval(path, 1.5)
    width = plain.high - plain.low
    assert scaled.low / factor == pytest.approx(plain.low, abs=2e-3 * width)
    assert mirrored.high == pytest.approx(-plain.low, abs=2e-3 * width)
    assert wider.low <= plain.low + 2e-2 * width
    assert wider.high >= plain.high - 2e-2 * width


def test_what_cannot_be_said_has_a_reason() -> None:
    """No lead, and changes without error, are reasons; a negative bound is an error."""
    lone = relative_magnitudes_interval(event_path([1.0, 2.0], np.eye(2), [0, 1]), 1.0)
    assert lone.low is None
    assert "no coefficient before" in str(lone.why_missing)
    flat = relative_magnitudes_interval(event_path([0.1, 1.0, 2.0], np.diag([0.0, 1, 1]), [-2, 0, 1]), 1.0)
    assert "no sampling error" in str(flat.why_missing)
    with pytest.raises(DataError, match="bound"):
        relative_magnitudes_interval(drawn(2, 2, 1), -1.0)
    with pytest.raises(DataError, match="weights"):
        relative_magnitudes_interval(drawn(2, 2, 1), 1.0, weights=[1.0])


def test_few_placebo_sets_still_have_an_interval() -> None:
    """A covariance of rank 4 for 9 coefficients needs no inverse here: a finite interval, no crash."""
    draws = np.random.default_rng(3).normal(size=(5, 9))
    path = event_path(draws[0], np.cov(draws.T), [k for k in range(-5, 5) if k != -1])
    point = relative_magnitudes_interval(path, 1.0)
    assert point.low is not None
    assert point.high is not None
    assert np.isfinite([point.low, point.high]).all()
