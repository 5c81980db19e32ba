"""Effects by cohort and period: hand-worked cells, other tools' numbers, invariances, a known truth."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from whatworks_eval.did.aggregate import aggregate, joint_test, pre_test
from whatworks_eval.did.cell_estimators import cell_effect
from whatworks_eval.did.group_time import GroupTime, group_time
from whatworks_eval.did.rollout import Rollout, rollout
from whatworks_eval.errors import CannotEstimate, DataError

SMALL = [[1, 2, 3, 5], [1, 4, 3, 5], [2, 3, 9, 9], [2, 5, 6, 8], [0, 1, 2, 7]]
STARTS = [-1, -1, 2, 1, 3]


def staggered(seed: int, areas: int = 60, periods: int = 8, effect: float = 0.0) -> Rollout:
    """Areas starting in periods 3 and 5 or never, with area levels, a common path and a covariate."""
    rng = np.random.default_rng(seed)
    start = rng.permutation(np.resize([-1, -1, 3, 5], areas))
    outcome = rng.normal(size=(areas, 1)) + rng.normal(size=periods) + rng.normal(size=(areas, periods))
    on = (np.arange(periods)[None, :] >= start[:, None]) & (start[:, None] >= 0)
    return rollout(outcome + effect * on, start, covariates=rng.normal(size=areas))


def cell(cells: GroupTime, cohort: int, period: int) -> float:
    """The effect of one cell."""
    (place,) = np.flatnonzero((cells.cohort == cohort) & (cells.period == period))
    return float(cells.value[place])


def test_cells_worked_by_hand() -> None:
    """Change since the base less the mean change of those never treated, or of all not treated yet."""
    data = rollout(SMALL, STARTS)
    never = group_time(data)
    # Area 2 from period 1 to 2: 9 - 3 = 6; areas 0 and 1: (1 - 1) / 2 = 0.
    assert cell(never, 2, 2) == pytest.approx(6, abs=1e-12)
    # Error: comparison changes 1 and -1 around 0, half of each: sqrt(0.5² + 0.5²).
    assert never.se[(never.cohort == 2) & (never.period == 2)] == pytest.approx(np.sqrt(0.5), abs=1e-12)
    later = group_time(data, comparison="not-yet-treated")
    # Area 4 starts in 3, so it too is compared: changes 1, -1, 1.
    assert cell(later, 2, 2) == pytest.approx(6 - 1 / 3, abs=1e-12)
    # For the cohort of period 3 in period 1 (base 0), the cohort of period 2 has not started: 1, 3, 1.
    assert cell(later, 3, 1) == pytest.approx(1 - 5 / 3, abs=1e-12)
    universal = group_time(data, base="universal")
    # Area 4 with base 2: 0 - 2 in period 0, against (-2 - 2) / 2.
    assert cell(universal, 3, 0) == pytest.approx(0, abs=1e-12)
    assert cell(universal, 3, 2) == 0
    assert universal.reference.sum() == 3


def test_anticipation_moves_the_base_back() -> None:
    """With one period of anticipation, the base of the cohort of period 3 is period 1."""
    cells = group_time(rollout(SMALL, STARTS), anticipation=1)
    assert cell(cells, 3, 3) == pytest.approx((7 - 1) - (3 + 1) / 2, abs=1e-12)
    assert cell(cells, 3, 2) == pytest.approx((2 - 1) - (1 - 1) / 2, abs=1e-12)
    assert not cells.before[(cells.cohort == 3) & (cells.period == 2)].any()
    assert [missing.cohort for missing in cells.missing] == [1]


def test_missing_cells_leave_their_area_out_of_that_comparison_alone() -> None:
    """An area not observed in period 2 is compared in the other periods."""
    table = np.array(SMALL, dtype=float)
    table[1, 2] = np.nan
    cells = group_time(rollout(table, STARTS))
    assert cell(cells, 2, 2) == pytest.approx(6 - 1, abs=1e-12)
    assert cell(cells, 2, 3) == pytest.approx(6 - (3 + 1) / 2, abs=1e-12)
    assert cells.compared[(cells.cohort == 2) & (cells.period == 2)].tolist() == [1]


def test_areas_treated_throughout_have_no_cell_and_a_reason() -> None:
    """A cohort with nothing before it is named, not dropped."""
    cells = group_time(rollout(SMALL, [-1, -1, 2, 0, 3]))
    (missing,) = cells.missing
    assert (missing.cohort, missing.period) == (0, None)
    assert "treated from the first period" in missing.why


def test_without_comparison_areas_nothing_is_estimated() -> None:
    """Everyone treated: never-treated comparison is refused with each cohort's reason."""
    with pytest.raises(CannotEstimate, match="no comparison area"):
        group_time(rollout(SMALL, [1, 1, 2, 2, 3]))
    cells = group_time(rollout(SMALL, [1, 1, 2, 2, 3]), comparison="not-yet-treated")
    assert cells.period[cells.cohort == 3].tolist() == [1]
    assert {missing.period for missing in cells.missing if missing.cohort == 2} == {3}


def test_bad_arrays_are_refused_with_every_problem_at_once() -> None:
    """Shapes, starts, weights and covariates: one error, four sentences."""
    with pytest.raises(DataError) as caught:
        rollout([[1, 2], [np.inf, 3]], [0, 2], covariates=[1, np.nan], weights=[1, 0])
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize("comparison", ["never-treated", "not-yet-treated"])
@pytest.mark.parametrize("base", ["varying", "universal"])
def test_cells_are_those_of_diff_diff(comparison: str, base: str) -> None:
    """Values and errors of every cell and aggregation, clustered too, to rounding."""
    import pandas as pd

    diff_diff = pytest.importorskip("diff_diff")
    data = staggered(3, 80)
    areas, periods = data.outcome.shape
    units = np.arange(areas) // 2
    clustered = rollout(data.outcome, data.start, clusters=units)
    frame = pd.DataFrame(
        {
            "area": np.repeat(np.arange(areas), periods),
            "period": np.tile(np.arange(1, periods + 1), areas),
            "y": data.outcome.ravel(),
            "first": np.repeat(np.where(data.start < 0, 0, data.start + 1), periods),
            "unit": np.repeat(units, periods),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = diff_diff.CallawaySantAnna(control_group=comparison.replace("-", "_"), base_period=base).fit(
            frame, "y", "area", "period", "first", aggregate="all"
        )
    ours = group_time(data, comparison=comparison, base=base)  # type: ignore[arg-type]
    for g, t, value, error, reference in zip(
        ours.cohort, ours.period, ours.value, ours.se, ours.reference, strict=True
    ):
        if not reference:
            found = theirs.group_time_effects[(g + 1, t + 1)]
            assert (value, error) == pytest.approx((found["effect"], found["se"]), abs=1e-12)
    simple = aggregate(ours, "simple")
    assert (simple.overall, simple.overall_se) == pytest.approx(
        (theirs.overall_att, theirs.overall_se), abs=1e-12
    )
    dynamic = aggregate(ours, "dynamic")
    for place, value, error in zip(dynamic.at, dynamic.value, dynamic.se, strict=True):
        if place != -1 or base == "varying":
            found = theirs.event_study_effects[place]
            assert (value, error) == pytest.approx((found["effect"], found["se"]), abs=1e-12)
    # Clusters: the influence of a unit is the sum of its areas'.
    grouped = group_time(clustered, comparison=comparison, base=base)  # type: ignore[arg-type]
    assert grouped.value == pytest.approx(ours.value, abs=1e-14)
    assert grouped.influence == pytest.approx(ours.influence[::2] + ours.influence[1::2], abs=1e-14)


def plain_doubly_robust(
    change: NDArray[np.float64], arm: NDArray[np.bool_], x: NDArray[np.float64]
) -> tuple[float, float]:
    """DRDID's drdid_panel, transcribed formula by formula, with statsmodels' logit."""
    import statsmodels.api as sm

    design = np.column_stack([np.ones(len(x)), x])
    n, d = len(x), arm.astype(float)
    p = sm.Logit(d, design).fit(disp=0, tol=1e-12).predict(design)
    out = design @ sm.OLS(change[~arm], design[~arm]).fit().params
    wt, wc = d, p * (1 - d) / (1 - p)
    eta_t = np.mean(wt * (change - out)) / wt.mean()
    eta_c = np.mean(wc * (change - out)) / wc.mean()
    ols = ((1 - d) * (change - out))[:, None] * design
    ols = ols @ np.linalg.inv((design * (1 - d)[:, None]).T @ design / n)
    logit = (d - p)[:, None] * design @ (np.linalg.inv((design * (p * (1 - p))[:, None]).T @ design) * n)
    m1, m3 = (wt[:, None] * design).mean(axis=0), (wc[:, None] * design).mean(axis=0)
    m2 = ((wc * (change - out - eta_c))[:, None] * design).mean(axis=0)
    treat = (wt * (change - out) - wt * eta_t - ols @ m1) / wt.mean()
    control = (wc * (change - out) - wc * eta_c + logit @ m2 - ols @ m3) / wc.mean()
    return float(eta_t - eta_c), float(np.sqrt(((treat - control) ** 2).sum()) / n)


def test_doubly_robust_is_the_authors_formula() -> None:
    """Against a transcription of DRDID; other tools skip its last normalisation."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=90)
    arm = rng.random(90) < 1 / (1 + np.exp(-x))
    change = 1 + x + 0.5 * x**2 + rng.normal(size=90)
    found = cell_effect(change, arm, np.column_stack([np.ones(90), x]), np.ones(90), method="doubly-robust")
    assert not isinstance(found, str)
    value, error = plain_doubly_robust(change, arm, x)
    assert found.value == pytest.approx(value, abs=1e-9)
    assert np.sqrt((found.influence**2).sum()) == pytest.approx(error, abs=1e-9)


@pytest.mark.parametrize("method", ["regression", "weighting", "doubly-robust"])
def test_covariates_that_say_nothing_change_nothing_much(method: str) -> None:
    """A covariate that takes the same values in both arms leaves the plain difference."""
    rng = np.random.default_rng(2)
    x = np.tile([0.0, 1.0, 2.0], 8)
    arm = np.repeat([True, False], 12)
    change = rng.normal(size=24) + arm
    found = cell_effect(
        change,
        arm,
        np.column_stack([np.ones(24), x]),
        np.ones(24),
        method=method,  # type: ignore[arg-type]
    )
    assert not isinstance(found, str)
    assert found.value == pytest.approx(change[arm].mean() - change[~arm].mean(), abs=1e-9)
    assert found.influence.sum() == pytest.approx(0, abs=1e-9)


def test_separated_arms_are_refused_in_words() -> None:
    """Where treated areas all lie beyond the comparison areas, weighting has no number."""
    data = staggered(1)
    apart = rollout(data.outcome, data.start, covariates=np.where(data.start >= 0, 1.0, -1.0))
    with pytest.raises(CannotEstimate, match="separate"):
        group_time(apart, method="weighting")
    with pytest.raises(CannotEstimate, match="told apart"):
        group_time(apart, method="regression")
    with pytest.raises(CannotEstimate, match="needs covariates"):
        group_time(rollout(data.outcome, data.start), method="regression")


def test_weights_count_as_repeated_areas() -> None:
    """Twice the weight is the same as the area twice, in values and in shares."""
    data = staggered(4, 30)
    twice = np.arange(30) % 3 == 0
    weighted = rollout(data.outcome, data.start, weights=np.where(twice, 2.0, 1.0))
    rows = np.concatenate([np.arange(30), np.flatnonzero(twice)])
    repeated = rollout(data.outcome[rows], data.start[rows], clusters=rows)
    first, second = group_time(weighted), group_time(repeated)
    assert first.value == pytest.approx(second.value, abs=1e-12)
    assert first.se == pytest.approx(second.se, abs=1e-12)
    for kind in ("simple", "dynamic", "group", "calendar"):
        one, two = aggregate(first, kind), aggregate(second, kind)  # type: ignore[arg-type]
        assert one.overall == pytest.approx(two.overall, abs=1e-12)
        assert one.overall_se == pytest.approx(two.overall_se, abs=1e-12)


def test_cells_on_few_areas_are_marked_and_kept_out_of_the_joint_test() -> None:
    """A cohort of one area has an error of its comparison alone: marked, not tested."""
    data = staggered(6, 20)
    start = data.start.copy()
    start[np.flatnonzero(start == 5)[1:]] = -1
    cells = group_time(rollout(data.outcome, start))
    path = aggregate(cells, "dynamic")
    assert path.few.tolist() == (path.treated < 3).tolist()
    assert path.few.any()
    test = pre_test(cells)
    assert test.left_out == 4
    assert test.tested == 2
    assert test.p_value is not None
    assert test.p_value_few is not None
    assert test.p_value < test.p_value_few


def test_units_are_counted_not_areas() -> None:
    """Fifteen treated areas in two wards are two treated units: marked as few, and not tested."""
    data = staggered(6)
    wards = np.where(data.start == 5, np.arange(60) % 2, np.arange(60) + 2)
    cells = group_time(rollout(data.outcome, data.start, clusters=wards))
    late = cells.cohort == 5
    assert set(cells.treated[late]) == {15}
    assert set(cells.treated_units[late]) == {2}
    assert set(cells.compared_units[late]) == {30}
    test = pre_test(cells)
    assert (test.tested, test.left_out) == (2, 4)
    path = aggregate(cells, "group")
    assert path.treated.tolist() == [15, 15]
    assert path.few.tolist() == [False, True]
    assert (path.overall_treated, path.overall_units) == (30, 17)


def test_the_joint_test_holds_its_level_with_fifteen_areas_a_cohort() -> None:
    """Over 400 draws without a difference: about 5 % by Hotelling's F; chi-squared three times that."""
    tests = [pre_test(group_time(staggered(seed))) for seed in range(400)]
    few = np.array([test.p_value_few for test in tests], dtype=float)
    many = np.array([test.p_value for test in tests], dtype=float)
    assert 0.02 <= (few < 0.05).mean() <= 0.08
    assert (many < 0.05).mean() > 0.1


def test_more_effects_than_units_are_not_tested_together() -> None:
    """No joint test, and a sentence instead."""
    few = joint_test(np.ones(4), np.random.default_rng(0).normal(size=(4, 4)))
    assert few.statistic is None
    assert few.why_missing == "4 effects cannot be tested together with 4 units"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 50), shift=st.floats(-100, 100))
def test_invariances(seed: int, scale: float, shift: float) -> None:
    """Order of areas, a level for each area, a level for each period and the unit do not matter."""
    data = staggered(seed % 50)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(data.start))
    moved = scale * data.outcome + shift * rng.normal(size=(len(order), 1)) + shift * rng.normal(size=8)
    assert data.covariates is not None
    other = rollout(moved[order], data.start[order], covariates=3 + 2 * data.covariates[order])
    for method in ("unconditional", "doubly-robust"):
        first = group_time(data, comparison="not-yet-treated", method=method)  # type: ignore[arg-type]
        second = group_time(other, comparison="not-yet-treated", method=method)  # type: ignore[arg-type]
        assert second.value == pytest.approx(scale * first.value, rel=1e-8, abs=1e-9 * scale)
        assert second.se == pytest.approx(scale * first.se, rel=1e-8)
        one, two = aggregate(first, "group"), aggregate(second, "group")
        assert two.overall_se == pytest.approx(scale * (one.overall_se or 0), rel=1e-8)
        assert pre_test(second).statistic == pytest.approx(pre_test(first).statistic, rel=1e-6)


def test_a_known_effect_is_covered() -> None:
    """Over 300 draws of 60 areas: no bias, 95 % intervals that hold it about 95 times in a hundred."""
    draws = [aggregate(group_time(staggered(seed, effect=1.5)), "simple") for seed in range(300)]
    values = np.array([draw.overall for draw in draws])
    errors = np.array([draw.overall_se for draw in draws])
    assert values.mean() == pytest.approx(1.5, abs=4 * values.std() / np.sqrt(300))
    assert 0.91 <= (np.abs(values - 1.5) <= 1.96 * errors).mean() <= 0.98
