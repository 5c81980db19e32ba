"""The event study in closed form: against pyfixest, by hand, and what must not change it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatworks_eval.did.event_regression import event_regression
from whatworks_eval.errors import CannotEstimate, DataError

OFFSETS = [-4, -3, -2, -1, 0, 1, 2]


def simulated(areas: int = 24, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A panel with area and period effects, noise that lasts, and an effect of 2 from offset 0."""
    rng = np.random.default_rng(seed)
    treated = np.arange(areas) < areas // 3
    lasting = rng.normal(size=(areas, len(OFFSETS))).cumsum(axis=1)
    outcome = rng.normal(size=(areas, 1)) + rng.normal(size=len(OFFSETS)) + lasting
    return outcome + 2.0 * treated[:, None] * (np.array(OFFSETS) >= 0), treated


@pytest.mark.parametrize("per_cluster", [1, 2])
def test_equals_pyfixest_to_rounding(per_cluster: int) -> None:
    """Coefficients and the whole CRV1 covariance equal pyfixest's, clustered by area or by unit (1e-10)."""
    pandas = pytest.importorskip("pandas")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyfixest = pytest.importorskip("pyfixest")
        outcome, treated = simulated()
        unit = np.arange(len(outcome)) // per_cluster
        rows = pandas.DataFrame(
            [
                {"y": outcome[i, t], "area": i, "period": offset, "unit": unit[i], "d": int(treated[i])}
                for i in range(len(outcome))
                for t, offset in enumerate(OFFSETS)
            ]
        )
        names = []
        for offset in OFFSETS:
            if offset != -1:
                names.append(f"k{offset + 10}")
                rows[names[-1]] = rows["d"] * (rows["period"] == offset)
        fit = pyfixest.feols(
            f"y ~ {' + '.join(names)} | area + period",
            rows,
            vcov={"CRV1": "unit"},
            ssc=pyfixest.ssc(k_adj=True, k_fixef="nonnested", G_adj=True, G_df="min"),
        )
    found = event_regression(outcome, treated, offsets=OFFSETS, clusters=unit.tolist())
    np.testing.assert_allclose(found.values, fit.coef().to_numpy(), atol=1e-10)
    np.testing.assert_allclose(found.covariance, fit._vcov, atol=1e-10)
    assert found.df == len(set(unit.tolist())) - 1


def test_several_reference_periods_equal_least_squares() -> None:
    """With several reference periods coefficients and sandwich are those of dummy-variable least squares."""
    outcome, treated = simulated(areas=12, seed=4)
    base = (-2, -1)
    areas, periods = outcome.shape
    area, period = (part.ravel() for part in np.indices(outcome.shape))
    kept = [t for t, offset in enumerate(OFFSETS) if offset not in base]
    events = np.column_stack([treated[area] * (period == t) for t in kept]).astype(float)
    design = np.column_stack([events, np.eye(areas)[area], np.eye(periods)[period][:, 1:]])
    bread = np.linalg.inv(design.T @ design)
    solution = bread @ design.T @ outcome.ravel()
    scores = design * (outcome.ravel() - design @ solution)[:, None]
    sums = np.array([scores[area == i].sum(axis=0) for i in range(areas)])
    factor = areas / (areas - 1) * (outcome.size - 1) / (outcome.size - len(kept) - periods)
    sandwich = factor * bread @ sums.T @ sums @ bread
    found = event_regression(outcome, treated, offsets=OFFSETS, reference=base)
    np.testing.assert_allclose(found.values, solution[: len(kept)], atol=1e-10)
    np.testing.assert_allclose(found.covariance, sandwich[: len(kept), : len(kept)], atol=1e-10)


def test_worked_by_hand() -> None:
    """A treated change of 2 against a comparison change of 1 is 1; one cluster an arm has no error."""
    found = event_regression([[1.0, 3.0], [3.0, 4.0]], [True, False], offsets=[-1, 0])
    assert found.values.tolist() == [1.0]
    assert found.covariance is None
    assert "1 treated and 1 comparison clusters" in str(found.why_missing)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.1, 50), shift=st.floats(-50, 50))
def test_what_must_not_matter(seed: int, factor: float, shift: float) -> None:
    """Order and area effects change nothing; swapping arms turns signs; scaling scales."""
    outcome, treated = simulated(areas=9, seed=seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(9)
    plain = event_regression(outcome, treated, offsets=OFFSETS)
    moved = event_regression(
        factor * outcome[order] + shift * rng.normal(size=(9, 1)), ~treated[order], offsets=OFFSETS
    )
    np.testing.assert_allclose(moved.values, -factor * plain.values, rtol=1e-8, atol=1e-8 * factor)
    np.testing.assert_allclose(moved.covariance, factor**2 * plain.covariance, rtol=1e-7, atol=1e-9)


def test_covers_the_truth() -> None:
    """Over 400 panels with no lead effect a lead's 95 % t interval covers zero 92 to 98 % of the time."""
    from scipy.stats import t

    covered = 0
    for seed in range(400):
        outcome, treated = simulated(areas=60, seed=seed)
        found = event_regression(outcome, treated, offsets=OFFSETS)
        assert found.covariance is not None
        reach = t.ppf(0.975, found.df) * np.sqrt(found.covariance[0, 0])
        covered += abs(found.values[0]) <= reach
    assert 0.92 <= covered / 400 <= 0.98


def test_bad_input_is_said_all_at_once() -> None:
    """A missing cell, a repeated offset and an absent reference are reported together."""
    with pytest.raises(DataError) as caught:
        event_regression(
            [[1.0, np.nan], [1.0, 2.0]], [True, False], offsets=[0, 0], reference=-1, clusters=["a"]
        )
    text = str(caught.value)
    for part in ("cells are missing", "given twice", "not among the offsets", "1 cluster labels for 2 areas"):
        assert part in text


def test_an_empty_arm_has_no_estimate() -> None:
    """All areas treated, or every period in the reference, is CannotEstimate."""
    with pytest.raises(CannotEstimate, match="one arm"):
        event_regression([[1.0, 2.0]], [True], offsets=[-1, 0])
    with pytest.raises(CannotEstimate, match="reference"):
        event_regression([[1.0, 2.0], [1.0, 2.0]], [True, False], offsets=[-1, 0], reference=[-1, 0])
    with pytest.raises(DataError, match="shape"):
        event_regression([1.0, 2.0], [True, False], offsets=[-1, 0])
