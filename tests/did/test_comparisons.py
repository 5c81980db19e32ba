"""Goodman-Bacon's comparisons: published weights, identities with the regression, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatworks_eval.did.comparisons import ALWAYS, EARLIER, LATER, NEVER_TREATED, goodman_bacon
from whatworks_eval.did.rollout import rollout
from whatworks_eval.errors import CannotEstimate


def test_the_toy_of_the_r_package() -> None:
    """Three areas, 100 periods, starts at the 34th and 85th, one never treated: R's test, and by hand."""
    found = goodman_bacon(rollout(np.random.default_rng(1).normal(size=(3, 100)), [33, 84, -1]))
    weights = {(pair.kind, pair.treated): pair.weight for pair in found.detail}
    assert weights[NEVER_TREATED, 33] == pytest.approx(0.3652, abs=5e-5)
    assert weights[NEVER_TREATED, 84] == pytest.approx(0.2220, abs=5e-5)
    assert weights[LATER, 33] == pytest.approx(0.2780, abs=5e-5)
    assert weights[EARLIER, 84] == pytest.approx(0.1348, abs=5e-5)
    assert found.forbidden_share == pytest.approx(0.1348, abs=5e-5)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    starts=st.lists(st.sampled_from([-1, 0, 2, 3, 5]), min_size=4, max_size=12),
)
def test_weights_sum_to_one_and_give_back_the_regression(seed: int, starts: list[int]) -> None:
    """With weighted areas, cohorts treated throughout and none never treated alike."""
    starts = [*starts, 2, 4]
    rng = np.random.default_rng(seed)
    outcome = rng.normal(size=(len(starts), 6)) * 3
    weights = rng.uniform(0.5, 2, len(starts))
    found = goodman_bacon(rollout(outcome, starts, weights=weights))
    assert sum(pair.weight for pair in found.detail) == pytest.approx(1, abs=1e-12)
    assert sum(pair.weight * pair.value for pair in found.detail) == pytest.approx(found.twfe, abs=1e-9)
    assert sum(total.weight for total in found.kinds) == pytest.approx(1, abs=1e-12)
    # The regression by brute force, with dummies.
    area, period = np.divmod(np.arange(outcome.size), 6)
    on = (period >= np.array(starts)[area]) & (np.array(starts)[area] >= 0)
    design = np.column_stack([on, np.eye(len(starts))[area], np.eye(6)[period]])
    root = np.sqrt(weights[area])
    slope = np.linalg.lstsq(design * root[:, None], outcome.ravel() * root, rcond=None)[0][0]
    assert found.twfe == pytest.approx(slope, abs=1e-9)
    assert any(total.kind == ALWAYS for total in found.kinds) == (0 in starts)
    # Reordering areas, and a level for each area or period, change nothing.
    order = rng.permutation(len(starts))
    moved = outcome + rng.normal(size=(len(starts), 1)) + rng.normal(size=6)
    again = goodman_bacon(rollout(moved[order], np.array(starts)[order], weights=weights[order]))
    assert [pair.weight for pair in again.detail] == pytest.approx([pair.weight for pair in found.detail])
    assert [pair.value for pair in again.detail] == pytest.approx(
        [pair.value for pair in found.detail], abs=1e-9
    )


def test_growing_effects_pull_the_regression_the_wrong_way() -> None:
    """Truth above zero everywhere, forbidden comparisons below zero, the clean ones not."""
    start = np.array([1] * 5 + [6] * 5 + [-1] * 2)
    since = np.arange(10)[None, :] - start[:, None]
    outcome = np.where((since >= 0) & (start[:, None] >= 0), 1.0 + since, 0.0)
    found = goodman_bacon(rollout(outcome, start))
    forbidden = next(total for total in found.kinds if total.kind == EARLIER)
    assert forbidden.value < 0
    assert found.without_forbidden is not None
    assert found.without_forbidden > found.twfe


def test_a_gap_or_a_common_start_is_refused() -> None:
    """Weights hold for full tables and need a group to compare."""
    with pytest.raises(CannotEstimate, match="1 cells are missing in 1 areas"):
        goodman_bacon(rollout([[1, np.nan], [1, 2]], [1, -1]))
    with pytest.raises(CannotEstimate, match="no comparison to weigh"):
        goodman_bacon(rollout([[1, 2], [1, 2]], [1, 1]))
