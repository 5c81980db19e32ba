"""Counts with staggered starts: closed forms, Poisson regressions, the jackknife, zeros, known truth."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatworks_eval.did.aggregate import aggregate, pre_test
from whatworks_eval.did.imputation import NO_CELL_BEFORE
from whatworks_eval.did.poisson_imputation import NONE_UNTREATED, NOTHING_RECORDED, poisson_imputation
from whatworks_eval.did.ratio_group_time import ratio_group_time
from whatworks_eval.did.rollout import Rollout, rollout
from whatworks_eval.errors import CannotEstimate, DataError


def staggered(seed: int, *, areas: int = 80, effect: float = 0.0, gaps: float = 0.0) -> Rollout:
    """Counts of areas of unlike level starting in periods 4 and 7 or never, with a common path and shocks."""
    rng = np.random.default_rng(seed)
    start = rng.permutation(np.resize([-1, -1, 4, 7], areas))
    level = rng.gamma(2, 3, areas)
    on = (np.arange(10)[None, :] >= start[:, None]) & (start[:, None] >= 0)
    mean = level[:, None] * np.linspace(1, 1.6, 10) * np.exp(effect * on)
    counts = rng.poisson(mean * rng.gamma(10, 0.1, mean.shape)).astype(float)
    counts[rng.random(counts.shape) < gaps] = np.nan
    return rollout(counts, start)


def test_four_sums_by_hand() -> None:
    """Comparison areas double, so 60 are expected of 30 before; 30 are recorded."""
    found = poisson_imputation(rollout([[10, 20], [10, 20], [30, 30]], [-1, -1, 1]))
    assert (found.recorded, found.expected) == pytest.approx((30, 60), abs=1e-9)
    assert found.value == pytest.approx(np.log(0.5), abs=1e-10)
    # Influence: 30/30 - 60/60 - 0 for the treated area; comparison areas alike, so no error is left.
    assert found.se == pytest.approx(0, abs=1e-10)


def test_a_common_start_is_the_log_ratio_of_ratios_with_its_clustered_error() -> None:
    """The value of the four sums, and the error of their influence sums by unit: 1e-8."""
    rng = np.random.default_rng(3)
    counts = rng.poisson(rng.gamma(2, 4, (50, 1)), (50, 9)).astype(float)
    start = np.where(np.arange(50) < 14, 5, -1)
    units = np.arange(50) // 2
    found = poisson_imputation(rollout(counts, start, clusters=units))
    treated, before = start >= 0, np.arange(9) < 5
    first, second = counts[:, before].sum(axis=1), counts[:, ~before].sum(axis=1)
    parts = [(second[arm].sum(), first[arm].sum()) for arm in (treated, ~treated)]
    assert found.value == pytest.approx(
        np.log(parts[0][0] / parts[0][1]) - np.log(parts[1][0] / parts[1][1]), abs=1e-10
    )
    influence = np.where(treated, second / parts[0][0] - first / parts[0][1], 0.0)
    influence -= np.where(treated, 0.0, second / parts[1][0] - first / parts[1][1])
    by_unit = np.bincount(units, weights=influence)
    assert found.se == pytest.approx(np.sqrt((by_unit**2).sum()), abs=1e-8)
    (place,) = found.by_cohort.value
    assert place == pytest.approx(found.value, abs=1e-12)


def test_a_common_start_is_pyfixest_poisson() -> None:
    """Value and clustered error (its small-sample factors off) of fepois, to its convergence."""
    import pandas as pd

    pyfixest = pytest.importorskip("pyfixest")
    rng = np.random.default_rng(4)
    counts = rng.poisson(rng.gamma(2, 4, (40, 1)), (40, 8)).astype(float)
    start = np.where(np.arange(40) < 12, 5, -1)
    area, period = np.divmod(np.arange(counts.size), 8)
    frame = pd.DataFrame({"y": counts.ravel(), "area": area, "period": period})
    frame["on"] = ((area < 12) & (period >= 5)).astype(int)
    plain = pyfixest.ssc(k_adj=False, G_adj=False, k_fixef="none")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pyfixest.fepois("y ~ on | area + period", frame, vcov={"CRV1": "area"}, ssc=plain)
    found = poisson_imputation(rollout(counts, start))
    assert found.value == pytest.approx(float(fit.coef().iloc[0]), abs=1e-6)
    assert found.se == pytest.approx(float(fit.se().iloc[0]), abs=1e-6)


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_expected_counts_are_those_of_a_poisson_regression_on_untreated_cells(gaps: float) -> None:
    """Staggered, with gaps and an exposure: statsmodels with dummies, 1e-8."""
    import statsmodels.api as sm

    data = staggered(5, areas=24, gaps=gaps)
    exposure = np.random.default_rng(2).uniform(0.5, 2, data.outcome.shape)
    area, period = np.nonzero(np.isfinite(data.outcome))
    design = np.column_stack([np.eye(24)[area], np.eye(10)[period][:, 1:]])
    free = (period < data.start[area]) | data.never[area]
    recorded = np.bincount(area[free], weights=data.outcome[area, period][free], minlength=24)
    assert (recorded > 0).all()
    offset = np.log(exposure[area, period])
    fit = sm.GLM(
        data.outcome[area, period][free], design[free], family=sm.families.Poisson(), offset=offset[free]
    ).fit(tol=1e-14, maxiter=200)
    expected = np.exp(design[~free] @ fit.params + offset[~free])
    found = poisson_imputation(data, exposure=exposure)
    assert found.expected == pytest.approx(expected.sum(), rel=1e-8)
    assert found.value == pytest.approx(
        np.log(data.outcome[area, period][~free].sum() / expected.sum()), abs=1e-8
    )
    since = (period - data.start[area])[~free]
    assert found.dynamic.expected == pytest.approx(np.bincount(since, weights=expected), rel=1e-8)


def test_the_error_is_near_the_jackknife() -> None:
    """Leaving out one area at a time: within a tenth, overall and at each event time."""
    data = staggered(6, areas=100, gaps=0.05)
    found = poisson_imputation(data)
    without = [
        poisson_imputation(rollout(np.delete(data.outcome, i, 0), np.delete(data.start, i)))
        for i in range(100)
    ]
    values = np.array([[draw.value, *draw.dynamic.value] for draw in without])
    jackknife = np.sqrt(99 / 100 * ((values - values.mean(axis=0)) ** 2).sum(axis=0))
    assert np.array([found.se, *found.dynamic.se]) == pytest.approx(jackknife, rel=0.1)


def test_areas_silent_before_the_start_are_named_and_kept() -> None:
    """They have no expected count; what they record later stays in the sum, or it would be biased."""
    found = poisson_imputation(rollout([[10, 20], [10, 20], [30, 30], [0, 6]], [-1, -1, 1, 1]))
    assert found.silent_before == (3,)
    assert found.recorded_there == 6
    assert (found.recorded, found.expected) == pytest.approx((36, 60), abs=1e-9)
    # Sparse counts, no effect: with such areas in, recorded and expected agree on average.
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(200):
        counts = rng.poisson(0.4, (200, 6)).astype(float)
        draw = poisson_imputation(rollout(counts, np.repeat([3, -1], 100)))
        assert draw.silent_before
        ratios.append(draw.value)
    assert np.mean(ratios) == pytest.approx(0, abs=4 * np.std(ratios) / np.sqrt(200))


def test_cells_without_a_number_say_why() -> None:
    """Complete suppression, a silent period, an area with nothing before: reasons, never a number."""
    stopped = poisson_imputation(rollout([[10, 20, 5], [10, 20, 5], [30, 0, 0]], [-1, -1, 1]))
    assert (stopped.value, stopped.se, stopped.why_missing) == (None, None, NOTHING_RECORDED)
    assert [item.at for item in stopped.dynamic.missing] == [0, 1]
    silent = poisson_imputation(rollout([[10, 20, 0], [10, 20, 0], [30, 9, 8], [3, 4, 5]], [-1, -1, 1, 0]))
    reasons = {item.why: item for item in silent.not_imputed}
    assert reasons[NONE_UNTREATED].periods == (2,)
    assert reasons[NO_CELL_BEFORE].areas == (3,)
    assert silent.recorded == 9
    with pytest.raises(CannotEstimate, match="no treated cell"):
        poisson_imputation(rollout([[1, 2], [1, 2]], [1, 1]))
    gap = float("nan")
    with pytest.raises(CannotEstimate, match="effects of periods 1 do not settle"):
        poisson_imputation(rollout([[5, 0, 4], [gap, 3, gap], [2, gap, 6]], [-1, -1, 2]))
    with pytest.raises(CannotEstimate, match="nothing was recorded"):
        poisson_imputation(rollout([[0, 2], [0, 0]], [1, -1]))
    with pytest.raises(DataError, match=r"count of area 0 in period 1 is -2"):
        poisson_imputation(rollout([[1, -2], [1, 2]], [1, -1]))
    with pytest.raises(DataError, match="above zero"):
        poisson_imputation(rollout([[1, 2], [1, 2]], [1, -1]), exposure=[[1, 0], [1, 1]])


def test_ratios_by_cohort_and_period_by_hand() -> None:
    """Against all of the cohort's own periods before, and for one of those against the others."""
    cells = ratio_group_time(rollout([[10, 10, 20, 40], [30, 15, 30, 30], [5, 5, 5, 5]], [-1, 2, 3]))
    found = {
        (int(g), int(t)): float(v) for g, t, v in zip(cells.cohort, cells.period, cells.value, strict=True)
    }
    assert found[2, 2] == pytest.approx(np.log((30 / 45) / (20 / 20)), abs=1e-12)
    assert found[2, 0] == pytest.approx(np.log((30 / 15) / (10 / 10)), abs=1e-12)
    assert found[3, 3] == pytest.approx(np.log((5 / 15) / (40 / 40)), abs=1e-12)
    assert found[3, 2] == pytest.approx(np.log((5 / 10) / (20 / 20)), abs=1e-12)
    later = ratio_group_time(
        rollout([[10, 10, 20, 40], [30, 15, 30, 30], [5, 5, 5, 5]], [-1, 2, 3]), comparison="not-yet-treated"
    )
    (place,) = np.flatnonzero((later.cohort == 2) & (later.period == 2))
    assert later.value[place] == pytest.approx(np.log((30 / 45) / (25 / 30)), abs=1e-12)
    assert later.compared[place] == 2


def test_ratio_cells_with_a_zero_sum_are_left_out_with_the_reason() -> None:
    """Nothing is added to counts to make a ratio."""
    cells = ratio_group_time(rollout([[10, 10, 20], [3, 3, 0]], [-1, 2]))
    assert cells.period.tolist() == [0, 1]
    (missing,) = cells.missing
    assert "recorded nothing" in missing.why
    first = ratio_group_time(rollout([[10, 10, 20], [3, 3, 4], [1, 2, 3]], [-1, 1, 0]))
    assert [(missing.cohort, missing.period) for missing in first.missing] == [(0, None), (1, 0)]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 50))
def test_invariances(seed: int, scale: float) -> None:
    """Order of areas and the unit of counting change nothing; nor does a change common to all areas."""
    data = staggered(seed % 30, areas=40, gaps=0.05)
    rng = np.random.default_rng(seed)
    order = rng.permutation(40)
    first = poisson_imputation(data)
    second = poisson_imputation(rollout(scale * data.outcome[order], data.start[order]))
    assert (second.value, second.se) == pytest.approx((first.value, first.se), rel=1e-7, abs=1e-9)
    # A period in which every area records twice as much is one expected to be so.
    path = np.exp(rng.normal(size=10))
    third = poisson_imputation(rollout(data.outcome * path, data.start))
    assert third.calendar.expected == pytest.approx(
        first.calendar.expected * path[first.calendar.at], rel=0.5
    )
    full = staggered(seed % 30, areas=40)
    one = ratio_group_time(full)
    two = ratio_group_time(
        rollout(full.outcome[order] * np.where(np.arange(10) >= 7, path, 1.0), full.start[order])
    )
    late = one.period >= 7
    assert two.value[two.period >= 7] == pytest.approx(one.value[late], abs=1e-9)


def test_a_known_effect_is_covered() -> None:
    """A fall of 20 % planted in 300 roll-outs of over-dispersed counts: unbiased, and covered."""
    truth = float(np.log(0.8))
    draws = [poisson_imputation(staggered(seed, effect=truth)) for seed in range(300)]
    values = np.array([draw.value for draw in draws])
    errors = np.array([draw.se for draw in draws])
    assert values.mean() == pytest.approx(truth, abs=4 * values.std() / np.sqrt(300))
    assert 0.91 <= (np.abs(values - truth) <= 1.96 * errors).mean() <= 0.98
    cells = [ratio_group_time(staggered(seed, effect=truth)) for seed in range(200)]
    simple = np.array([aggregate(draw, "simple").overall for draw in cells])
    assert simple.mean() == pytest.approx(truth, abs=0.02)
    p_values = np.array([pre_test(draw).p_value_few for draw in cells], dtype=float)
    assert (p_values < 0.05).mean() <= 0.12
