"""Imputation: by hand, against dummies and another tool, what cannot be imputed, invariances, known truth."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from whatworks_eval.did.imputation import NO_AREA_THEN, NO_CELL_BEFORE, NOT_JOINED, imputation
from whatworks_eval.did.rollout import Rollout, rollout
from whatworks_eval.errors import CannotEstimate, DataError


def staggered(seed: int, *, areas: int = 60, gaps: float = 0.0, growing: float = 0.0) -> Rollout:
    """Areas starting in periods 3 and 5 or never, with effects that grow by the period."""
    rng = np.random.default_rng(seed)
    start = rng.permutation(np.resize([-1, -1, 3, 5], areas))
    outcome = rng.normal(size=(areas, 1)) + rng.normal(size=8) + rng.normal(size=(areas, 8))
    since = np.arange(8)[None, :] - start[:, None]
    outcome += np.where((since >= 0) & (start[:, None] >= 0), growing * (1 + since), 0.0)
    outcome[rng.random(outcome.shape) < gaps] = np.nan
    return rollout(outcome, start, covariates=rng.normal(size=areas), weights=rng.uniform(0.5, 2, areas))


def by_dummies(
    data: Rollout, *, by_period: NDArray[np.float64] | None = None, varying: NDArray[np.float64] | None = None
) -> float:
    """The same estimate from a regression with a dummy for every area and period."""
    area, period = np.nonzero(np.isfinite(data.outcome))
    values = data.outcome[area, period]
    parts = [np.eye(len(data.start))[area], np.eye(data.outcome.shape[1])[period]]
    if by_period is not None:
        parts.append(np.eye(data.outcome.shape[1])[period] * by_period[area][:, None])
    if varying is not None:
        parts.append(varying[area, period][:, None])
    design = np.column_stack(parts)
    free = (period < data.start[area]) | data.never[area]
    root = np.sqrt(data.weights[area])
    line = np.linalg.lstsq(design[free] * root[free][:, None], values[free] * root[free], rcond=None)[0]
    effect = (values - design @ line)[~free]
    return float(np.average(effect, weights=data.weights[area][~free]))


def test_three_areas_by_hand() -> None:
    """One treated area rises by 5 where the others rise by 1 and by 3: an effect of 3."""
    found = imputation(rollout([[1, 2, 3], [2, 3, 6], [4, 5, 10]], [-1, -1, 2]))
    assert found.value == pytest.approx(3, abs=1e-12)
    assert (found.treated, found.cells) == (1, 1)
    assert found.dynamic.few.tolist() == [True]


@pytest.mark.parametrize("gaps", [0.0, 0.15])
def test_the_estimate_is_that_of_a_regression_with_dummies(gaps: float) -> None:
    """Weights, gaps, and covariates fixed and changing: to rounding."""
    data = staggered(7, gaps=gaps, growing=0.4)
    moving = np.random.default_rng(1).normal(size=data.outcome.shape)
    bare = rollout(data.outcome, data.start, weights=data.weights)
    assert data.covariates is not None
    assert imputation(bare).value == pytest.approx(by_dummies(bare), abs=1e-9)
    assert imputation(data).value == pytest.approx(
        by_dummies(data, by_period=data.covariates[:, 0]), abs=1e-9
    )
    assert imputation(bare, varying=moving).value == pytest.approx(by_dummies(bare, varying=moving), abs=1e-9)


def test_values_and_errors_are_those_of_diff_diff() -> None:
    """Overall, by event time and by cohort, with gaps, and clustered: its tolerance is 1e-8."""
    import pandas as pd

    diff_diff = pytest.importorskip("diff_diff")
    data = staggered(8, gaps=0.1, growing=0.3)
    area, period = np.nonzero(np.isfinite(data.outcome))
    frame = pd.DataFrame(
        {
            "area": area,
            "period": period + 1,
            "y": data.outcome[area, period],
            "first": np.where(data.start < 0, 0, data.start + 1)[area],
            "unit": area // 3,
        }
    )
    for clusters, name in ((None, None), (np.arange(60) // 3, "unit")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = diff_diff.ImputationDiD(cluster=name).fit(
                frame, "y", "area", "period", "first", aggregate="all"
            )
        ours = imputation(rollout(data.outcome, data.start, clusters=clusters))
        assert (ours.value, ours.se) == pytest.approx((theirs.overall_att, theirs.overall_se), abs=1e-8)
        for place, value, error in zip(ours.dynamic.at, ours.dynamic.value, ours.dynamic.se, strict=True):
            found = theirs.event_study_effects[place]
            assert (value, error) == pytest.approx((found["effect"], found["se"]), abs=1e-8)


def test_what_cannot_be_imputed_is_named_with_the_reason() -> None:
    """No period before, no untreated area then, no chain: each cell under one reason."""
    everyone = imputation(rollout([[1, 2, 3, 9], [1, 2, 5, 9], [4, 5, 6, 9]], [1, 2, 0]))
    reasons = {item.why: item for item in everyone.not_imputed}
    assert reasons[NO_CELL_BEFORE].areas == (2,)
    assert reasons[NO_CELL_BEFORE].cells == 4
    assert reasons[NO_AREA_THEN].periods == (2, 3)
    assert everyone.cells == 1
    gap = float("nan")
    parted = imputation(
        rollout(
            [[1, 2, gap, gap], [1, 3, gap, gap], [gap, gap, 3, 9], [2, gap, gap, 5], [2, 9, gap, gap]],
            [-1, -1, -1, 3, 1],
        )
    )
    (item,) = parted.not_imputed
    assert (item.why, item.areas, item.periods) == (NOT_JOINED, (3,), (3,))
    assert parted.value == pytest.approx((9 - 2) - 1.5, abs=1e-9)


def test_nothing_to_impute_is_an_error_and_so_is_a_covariate_that_says_nothing() -> None:
    """Never a zero for an estimate that was not computed."""
    with pytest.raises(CannotEstimate, match="no area is observed untreated"):
        imputation(rollout([[1, 2], [1, 2]], [1, 1]))
    with pytest.raises(CannotEstimate, match="cannot be told from"):
        imputation(staggered(1), varying=np.tile(np.arange(8.0), (60, 1)))
    with pytest.raises(DataError, match="60 areas × 8 periods"):
        imputation(staggered(1), varying=np.ones((3, 8)))
    with pytest.raises(CannotEstimate, match="ever treated"):
        imputation(rollout([[1, 2], [1, 2]], [-1, -1]))


def test_anticipated_periods_are_not_fitted_to() -> None:
    """A dip in the period before the start moves the answer unless it is declared."""
    data = staggered(9)
    dipped = data.outcome.copy()
    treated = np.flatnonzero(~data.never)
    dipped[treated, data.start[treated] - 1] -= 10
    assert imputation(rollout(dipped, data.start)).value > 2
    found = imputation(rollout(dipped, data.start), anticipation=1)
    assert found.value == pytest.approx(0, abs=0.6)
    assert found.dynamic.at[0] == -1
    assert found.dynamic.value[0] == pytest.approx(-10, abs=1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 50), shift=st.floats(-100, 100))
def test_invariances(seed: int, scale: float, shift: float) -> None:
    """Order of areas, a level for each area or period, and the unit do not matter; gaps allowed."""
    data = staggered(seed % 40, gaps=0.1, growing=0.2)
    rng = np.random.default_rng(seed)
    order = rng.permutation(60)
    moved = scale * data.outcome + shift * rng.normal(size=(60, 1)) + shift * rng.normal(size=8)
    assert data.covariates is not None
    other = rollout(
        moved[order],
        data.start[order],
        covariates=5 - 3 * data.covariates[order],
        weights=7 * data.weights[order],
    )
    first, second = imputation(data), imputation(other)
    for one, two in ((first.dynamic, second.dynamic), (first.calendar, second.calendar)):
        assert two.value == pytest.approx(scale * one.value, rel=1e-7, abs=1e-8 * (scale + abs(shift)))
        assert two.se == pytest.approx(scale * one.se, rel=1e-6)
    assert second.se == pytest.approx(scale * first.se, rel=1e-6)


def test_growing_effects_are_found_and_covered() -> None:
    """Effects of 0.5 more each period since the start: unbiased at every event time, intervals cautious."""
    draws = [imputation(staggered(seed, growing=0.5)) for seed in range(300)]
    values = np.array([draw.dynamic.value for draw in draws])
    truth = 0.5 * (1 + draws[0].dynamic.at)
    assert values.mean(axis=0) == pytest.approx(truth, abs=4 * values.std(axis=0).max() / np.sqrt(300))
    errors = np.array([draw.dynamic.se for draw in draws])
    assert ((np.abs(values - truth) <= 1.96 * errors).mean(axis=0) >= 0.90).all()
