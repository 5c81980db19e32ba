"""Curves, breakdown values and grouping: consistent, quick at 24 + 24 months, exact as linear maps."""

from __future__ import annotations

import time

import numpy as np
import pytest

from whatworks_eval.did.event_groups import group_events
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


def test_two_years_each_side_take_under_ten_seconds() -> None:
    """Both curves and breakdown values of the average over 24 lags, full covariance: under 10 s."""
    values, covariance = monthly(effect=-8.0)
    started = time.process_time()
    found = sensitivity(values, covariance, offsets=MONTHS)
    assert time.process_time() - started < 10
    assert found.relative.breakdown is not None
    assert found.smoothness.breakdown is not None


def test_quarters_are_the_regression_on_quarters() -> None:
    """Grouping monthly coefficients equals running the event study on quarterly means (values to 1e-10)."""
    rng = np.random.default_rng(2)
    treated = np.arange(30) < 12
    outcome = rng.normal(size=(30, 24)).cumsum(axis=1)
    by_month = event_regression(outcome, treated, offsets=range(-12, 12))
    assert by_month.covariance is not None
    quarters = outcome.reshape(30, 8, 3).mean(axis=2)
    by_quarter = event_regression(quarters, treated, offsets=range(-4, 4))
    assert by_quarter.covariance is not None
    found = group_events(by_month.values, by_month.covariance, offsets=by_month.offsets, size=3)
    assert found.offsets == by_quarter.offsets
    np.testing.assert_allclose(found.values, by_quarter.values, atol=1e-10)
    # The same sandwich but for the small-sample factor, which counts cells and parameters.
    ratio = found.covariance / by_quarter.covariance
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-9)
    whole = event_regression(outcome, treated, offsets=range(-12, 12), reference=(-3, -2, -1))
    assert whole.covariance is not None
    again = group_events(
        whole.values, whole.covariance, offsets=whole.offsets, size=3, reference=(-3, -2, -1)
    )
    np.testing.assert_allclose(again.values, found.values, atol=1e-10)


def test_months_that_fill_no_group_are_listed() -> None:
    """Offsets -7 to 4 in threes: -7 and 3, 4 fill no quarter and are named."""
    offsets = [k for k in range(-7, 5) if k != -1]
    found = group_events(np.arange(11.0), np.eye(11), offsets=offsets, size=3)
    assert found.offsets == (-2, 0)
    assert found.left_out == (-7, 3, 4)


def test_groups_that_cannot_be_made() -> None:
    """A reference outside the last group, a gap, a repeated offset and too few periods are errors."""
    with pytest.raises(DataError, match="must be one offset of the last group"):
        group_events([1.0, 2.0, 3.0], np.eye(3), offsets=[-1, 0, 1], size=1, reference=-2)
    with pytest.raises(DataError, match="gap"):
        group_events([1.0, 2.0], np.eye(2), offsets=[-4, 0], size=2)
    with pytest.raises(DataError, match="twice"):
        group_events([1.0, 2.0], np.eye(2), offsets=[-1, 0], size=1)
    with pytest.raises(DataError, match="smaller group"):
        group_events([1.0, 2.0], np.eye(2), offsets=[-2, 0], size=6)
    with pytest.raises(DataError, match="shape"):
        group_events([1.0], np.eye(2), offsets=[-2, 0], size=1)
    with pytest.raises(DataError, match="confidence"):
        sensitivity([1.0, 2.0], np.eye(2), offsets=[-2, 0], confidence=95)
