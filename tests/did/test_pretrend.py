"""Pre-trend test and its power: against the pretrends package's numbers, by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from whatworks_eval.did.event_path import EventPath, event_path
from whatworks_eval.did.pretrend import joint_test, lead_slope, trend_power
from whatworks_eval.errors import DataError

# He and Wang (2017), Figure 2A: coefficients and covariance as printed in the Stata port of pretrends.
BETA = [0.0667031482, -0.0077017923, -0.0307690538, 0.084030658, 0.2424418181, 0.2198789865, 0.1910925359]
SIGMA = [
    [0.0089065712, 0.0044883136, 0.0014587025, 0.0012157689, 0.0020327645, 0.0013225015, 0.0019617728],
    [0.0044883136, 0.0059369169, 0.0027500791, 0.0013505858, 0.0014315459, 0.0012067792, 0.0013847158],
    [0.0014587025, 0.0027500791, 0.0030386248, 0.0009056166, 0.0006791299, 0.0010167636, 0.0007090144],
    [0.0012157689, 0.0013505858, 0.0009056166, 0.0039247409, 0.002596118, 0.0017326149, 0.0022345525],
    [0.0020327645, 0.0014315459, 0.0006791299, 0.002596118, 0.008065897, 0.0058753751, 0.0037414359],
    [0.0013225015, 0.0012067792, 0.0010167636, 0.0017326149, 0.0058753751, 0.007881579, 0.0036507095],
    [0.0019617728, 0.0013847158, 0.0007090144, 0.0022345525, 0.0037414359, 0.0036507095, 0.0097884266],
]


def he_wang() -> EventPath:
    """The published coefficients around reference -1."""
    return event_path(BETA, SIGMA, [-4, -3, -2, 0, 1, 2, 3])


def monthly(leads: int = 23, lags: int = 24, rho: float = 0.0) -> EventPath:
    """Coefficients around a noisy reference month, errors of one unit."""
    when = np.arange(leads + lags + 1)
    noise = rho ** np.abs(when[:, None] - when)
    relative = np.delete(np.eye(len(when)), leads, axis=0)
    relative[:, leads] = -1
    offsets = [k for k in range(-leads - 1, lags) if k != -1]
    return event_path(np.zeros(leads + lags), relative @ noise @ relative.T, offsets)


def test_slope_at_half_power_is_the_published_one() -> None:
    """0.05205871 in the package's README; it rounds 1.96 and simulates, so 5e-5."""
    found = trend_power(he_wang(), power=0.5)
    assert found.slope == pytest.approx(0.05205871, abs=5e-5)


def test_means_after_passing_are_the_published_ones() -> None:
    """The README's meanAfterPretesting, lags 0 to 3, to 1e-4; the bias itself is slope times distance."""
    published = [0.06490184, 0.12084694, 0.16946498, 0.22453827]
    for lag, mean in enumerate(published):
        weights = np.eye(4)[lag]
        found = trend_power(he_wang(), power=0.5, weights=weights)
        assert found.bias_if_passed == pytest.approx(mean, abs=1e-4)
        assert found.bias == pytest.approx(found.slope * (lag + 1), abs=1e-12)


@pytest.mark.parametrize("check", ["individual", "joint"])
def test_power_and_bias_by_brute_simulation(check: str) -> None:
    """200,000 draws: noticed 80 % of the time (0.004), and the bias of those that pass (0.002)."""
    path = he_wang()
    found = trend_power(path, power=0.8, check=check)
    assert found.slope is not None
    rng = np.random.default_rng(7)
    drawn = rng.multivariate_normal(found.slope * path.steps, path.covariance, size=200_000)
    leads = drawn[:, : path.leads]
    errors = np.sqrt(np.diag(path.covariance)[: path.leads])
    inverse = np.linalg.inv(path.covariance[: path.leads, : path.leads])
    if check == "individual":
        noticed = (np.abs(leads) > 1.959964 * errors).any(axis=1)
    else:
        noticed = np.einsum("ni,ij,nj->n", leads, inverse, leads) > 7.814728  # chi-squared, 3
    assert noticed.mean() == pytest.approx(0.8, abs=0.004)
    effects = drawn[:, path.leads :].mean(axis=1)
    assert effects.mean() == pytest.approx(found.bias, abs=0.002)
    assert effects[~noticed].mean() == pytest.approx(found.bias_if_passed, abs=0.002)


def test_the_box_agrees_with_scipy() -> None:
    """False alarms of 11 correlated leads equal scipy's multivariate normal box to 0.001."""
    from scipy.stats import multivariate_normal

    path = monthly(leads=11, lags=2, rho=0.3)
    covariance = path.covariance[:11, :11]
    limit = 1.959964 * np.sqrt(np.diag(covariance))
    inside = multivariate_normal(np.zeros(11), covariance, seed=1, maxpts=400_000).cdf(
        limit, lower_limit=-limit
    )
    found = trend_power(path, power=0.8)
    assert found.false_alarm == pytest.approx(1 - inside, abs=1e-3)


def test_more_power_needs_a_steeper_slope_and_quicker_leaves_more() -> None:
    """Slopes rise with power, and on He and Wang passing leaves more bias than the slope itself."""
    half, most = (trend_power(he_wang(), power=power) for power in (0.5, 0.8))
    assert most.slope > half.slope
    assert half.bias_if_passed > half.bias


def test_a_check_that_always_goes_off_has_no_slope() -> None:
    """Twenty-three monthly leads go off too often for a power of 0.4 to mean a thing; the joint test not."""
    found = trend_power(monthly(), power=0.4)
    assert found.slope is None
    assert "goes off" in str(found.why_missing)
    assert found.false_alarm > 0.4
    joint = trend_power(monthly(), power=0.4, check="joint")
    assert joint.slope is not None
    assert joint.false_alarm == pytest.approx(0.05)


def test_a_singular_covariance_has_a_reason() -> None:
    """Five placebo sets for eleven leads: no test and no power, with why; the slope weighs equally."""
    path = monthly(leads=11, lags=3)
    draws = np.random.default_rng(3).normal(size=(5, 14))
    poor = event_path(draws[0], np.cov(draws.T), path.steps - 1)
    assert joint_test(poor).statistic is None
    assert "rank 4" in str(joint_test(poor).why_missing)
    assert trend_power(poor, power=0.5).slope is None
    assert "rank 4" in str(trend_power(poor, power=0.5).why_missing)
    slope = lead_slope(poor)
    assert slope is not None
    assert slope.weighting == "equal"


def test_joint_test_by_hand() -> None:
    """Leads 2 and 0 with unit errors: chi-squared 4 on 2, p = exp(-2); as F it is 2 on 2 and the df given."""
    path = event_path([2.0, 0.0, 1.0], np.eye(3), [-3, -2, 0])
    assert joint_test(path).p_value == pytest.approx(np.exp(-2))
    found = joint_test(path, df=10)
    assert found.statistic == pytest.approx(2.0)
    assert found.p_value == pytest.approx((1 + 2 * 2 / 10) ** -5)  # F(2, n) has a closed tail
    assert "degrees of freedom" in str(joint_test(path, df=1).why_missing)


def test_the_slope_is_found_where_there_is_one() -> None:
    """Leads exactly on a line of 0.3 a period give 0.3 whatever the covariance."""
    path = monthly(leads=6, lags=2, rho=0.5)
    line = event_path(0.3 * path.steps, path.covariance, path.steps - 1)
    found = lead_slope(line)
    assert found is not None
    assert found.slope == pytest.approx(0.3)
    towards = path.steps[:6] @ np.linalg.solve(path.covariance[:6, :6], path.steps[:6])
    assert found.se == pytest.approx(towards**-0.5)


def test_input_outside_its_range() -> None:
    """A power of one, no degrees of freedom, and offsets with a gap are errors."""
    with pytest.raises(DataError, match="power"):
        trend_power(he_wang(), power=1.0)
    with pytest.raises(DataError, match="degrees of freedom"):
        joint_test(he_wang(), df=0)
    with pytest.raises(DataError, match="gap"):
        event_path([1.0, 2.0], np.eye(2), [-4, 0])
    with pytest.raises(DataError, match="reference"):
        event_path([1.0, 2.0], np.eye(2), [-1, 0])
    with pytest.raises(DataError, match="symmetric"):
        event_path([1.0, 2.0], [[1.0, 0.5], [0.0, 1.0]], [-2, 0])
