"""Curves, breakdown values and grouping: consistent, exact as linear maps."""

from __future__ import annotations

import numpy as np
import pytest

from whatworks_eval.did.event_path import event_path
from whatworks_eval.did.event_regression import event_regression
from whatworks_eval.did.relative_magnitudes import relative_magnitudes_interval
from whatworks_eval.did.sensitivity import sensitivity
from whatworks_eval.did.smoothness import smoothness_interval
from whatworks_eval.errors import DataError

MONTHS = [k for k in range(-24, 24) if k != -1]


def monthly(effect: float = -1.0, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of 40 + 60 simulated areas, 24 months before and 24 after, with their covariance."""
    rng = np.random.default_rng(seed)
    treated = np.arange(100) < 40
    outcome = rng.normal(size=(100, 48)) + effect * treated[:, None] * (np.arange(48) >= 24)
    found = event_regression(outcome, treated, offsets=range(-24, 24))
    assert found.covariance is not None
    return found.values, found.covariance


def test_breakdown_is_where_the_interval_reaches_zero() -> None:
    """At the breakdown value the interval excludes zero, 1 % beyond it does not, in both families."""
    covariance = 0.01 * (np.eye(5) + 1)
    values, offsets = [0.1, -0.1, 0.05, 2.0, 2.2], [-4, -3, -2, 0, 1]
    found = sensitivity(values, covariance, offsets=offsets)
    path = event_path(values, covariance, offsets)
    for curve, interval in (
        (found.relative, relative_magnitudes_interval),
        (found.smoothness, smoothness_interval),
    ):
        assert curve.breakdown is not None
        assert interval(path, curve.breakdown).excludes_zero
        assert not interval(path, curve.breakdown * 1.01).excludes_zero
        lows = [point.low for point in curve.points]
        assert lows == sorted(lows, reverse=True)
    assert found.value == pytest.approx(2.1)
    assert found.relative.largest_seen == pytest.approx(0.2)
    assert found.smoothness.largest_seen == pytest.approx(0.35)


def test_an_effect_not_detected_has_no_breakdown() -> None:
    """Where the interval includes zero with parallel trends, both families say so and keep their curves."""
    found = sensitivity([0.1, -0.1, 0.1, 0.1], np.eye(4), offsets=[-3, -2, 0, 1])
    for curve in (found.relative, found.smoothness):
        assert curve.breakdown is None
        assert "includes zero already" in str(curve.why_missing)
        assert all(point.low is not None for point in curve.points)


def test_an_effect_that_outlasts_every_bound_says_so() -> None:
    """A huge effect after flat leads is still there at the largest bound tried: a reason, not a number."""
    found = sensitivity([0.0, 0.0, 1e6, 1e6], np.eye(4), offsets=[-3, -2, 0, 1])
    assert found.relative.breakdown is None
    assert "the largest bound tried" in str(found.relative.why_missing)


def test_a_poor_covariance_leaves_reasons() -> None:
    """A covariance of rank 4 for 9 coefficients: smoothness has a reason at every bound, nothing crashes."""
    draws = np.random.default_rng(3).normal(size=(5, 9))
    values = draws[0] + 30 * (np.arange(9) >= 4)
    found = sensitivity(values, np.cov(draws.T), offsets=[k for k in range(-5, 5) if k != -1])
    assert found.smoothness.breakdown is None
    assert "rank 4" in str(found.smoothness.why_missing)
    assert all("rank 4" in str(point.why_missing) for point in found.smoothness.points)
    assert found.relative.points[0].low is not None


def test_two_years_each_side_have_both_breakdown_values() -> None:
    """Of the average over 24 lags, with the full covariance; how long it takes is in benchmarks/speed.py."""
    values, covariance = monthly(effect=-8.0)
    found = sensitivity(values, covariance, offsets=MONTHS)
    assert found.relative.breakdown is not None
    assert found.smoothness.breakdown is not None


def test_a_confidence_beyond_one_is_refused() -> None:
    """A percentage where a share is wanted is an error."""
    with pytest.raises(DataError, match="confidence"):
        sensitivity([1.0, 2.0], np.eye(2), offsets=[-2, 0], confidence=95)
