"""Synthetic comparisons worked by hand: weights, effects, ranks, intervals and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from whatworks_eval.errors import CannotEstimate, DataError
from whatworks_eval.synthetic.augmented import augmented, chosen_penalty
from whatworks_eval.synthetic.checks import fit_quality, leave_one_out
from whatworks_eval.synthetic.near_optimal import near_optimal
from whatworks_eval.synthetic.permutation import permutation_test
from whatworks_eval.synthetic.placebo_rank import placebo_rank, sets_of
from whatworks_eval.synthetic.sdid import noise_level, sdid
from whatworks_eval.synthetic.series import comparison_series, together
from whatworks_eval.synthetic.simplex import mixture, simplex
from whatworks_eval.synthetic.spread import fit_spread

FAR = np.array([[4.0, 0.0], [0.0, 3.0]])  # two points; the origin is 2.4 from the line through them


def test_the_nearest_point_of_a_line_is_found() -> None:
    """The foot of the perpendicular from (0, 0) to the line from (4, 0) to (0, 3) is 9/25 along it."""
    found = mixture(FAR, np.zeros(2))
    assert found.weights == pytest.approx([9 / 25, 16 / 25], abs=1e-12)
    assert np.linalg.norm(FAR @ found.weights) == pytest.approx(2.4, abs=1e-12)
    assert found.unique
    assert found.shortfall < 1e-12


def test_a_ridge_pulls_weights_together() -> None:
    """With ridge r the two weights of FAR solve 2·(16 + r)·a = 2·(9 + r)·(1 - a)."""
    r = 5.0
    found = mixture(FAR, np.zeros(2), ridge=r)
    assert found.weights == pytest.approx([(9 + r) / (25 + 2 * r), (16 + r) / (25 + 2 * r)], abs=1e-9)


def test_ties_are_broken_evenly_and_said() -> None:
    """Four corners of a square fit its centre with many weights: the even ones come back, as not unique."""
    square = np.array([[0.0, 0.0, 2.0, 2.0], [0.0, 2.0, 0.0, 2.0]])
    found = mixture(square, np.ones(2))
    assert not found.unique
    assert found.weights == pytest.approx([0.25] * 4, abs=1e-6)


def test_donors_that_all_fit_share_the_weight() -> None:
    """Where every donor is the treated series there is nothing to choose between them."""
    found = mixture(np.ones((3, 4)), np.ones(3))
    assert found.weights.tolist() == [0.25] * 4
    assert not found.unique


def test_noise_is_the_spread_of_first_differences() -> None:
    """Changes 1, 3, 0, 0 have the standard deviation sqrt(2)."""
    assert noise_level(np.array([[1.0, 2, 5, 0], [4.0, 4, 4, 0]]), 3) == pytest.approx(2**0.5)


def test_sdid_with_equal_weights_is_difference_in_differences() -> None:
    """Parallel donors leave nothing to weigh: the effect is the plain double difference."""
    donors = np.array([[1.0, 2, 3, 4], [11.0, 12, 13, 14], [6.0, 7, 8, 9]])
    fit = sdid(np.array([20.0, 21, 22, 18]), donors, 3)
    assert fit.effect == pytest.approx(-5.0, abs=1e-9)
    assert fit.weights == pytest.approx([1 / 3] * 3, abs=1e-9)
    assert fit.time_weights.sum() == pytest.approx(1.0)


def test_augmenting_is_weighting_plus_a_ridge_regression_on_what_was_missed() -> None:
    """The corrected weights give the simplex effect less the ridge prediction of the gap left before."""
    draws = np.random.default_rng(3)
    donors, treated = draws.normal(10, 3, (8, 9)), draws.normal(16, 3, 9)
    before, penalty = 6, 4.0
    plain = simplex(treated, donors, before)
    centred = donors[:, :before] - donors[:, :before].mean(axis=0)
    after = donors[:, before:].mean(axis=1)
    slopes = np.linalg.solve(
        centred.T @ centred + penalty * np.eye(before), centred.T @ (after - after.mean())
    )
    expected = plain.effect - float(plain.gaps[:before] @ slopes)
    assert augmented(treated, donors, before, penalty=penalty).effect == pytest.approx(expected, abs=1e-9)


def test_the_penalty_runs_from_the_mixture_to_an_exact_fit() -> None:
    """A huge penalty leaves the simplex weights, a tiny one fits the before window exactly."""
    draws = np.random.default_rng(4)
    donors, treated = draws.normal(10, 3, (12, 7)), draws.normal(16, 3, 7)
    plain = simplex(treated, donors, 5)
    assert augmented(treated, donors, 5, penalty=1e12).weights == pytest.approx(plain.weights, abs=1e-9)
    light = augmented(treated, donors, 5, penalty=1e-9)
    assert light.rmspe_before == pytest.approx(0, abs=1e-6)
    assert light.weights.sum() == pytest.approx(1, abs=1e-9)
    assert fit_quality(light).negative < 0
    assert plain.rmspe_before > augmented(treated, donors, 5).rmspe_before > light.rmspe_before
    assert chosen_penalty(treated[:5], donors[:, :5]) > 0


def test_several_treated_units_are_one_series_on_each_scale() -> None:
    """Totals over residents, over their own before mean, and over how many they are."""
    counts = np.array([[10.0, 10, 4], [30.0, 30, 12], [20.0, 20, 20], [8.0, 8, 8]])
    names, treated = ["a", "b", "c", "d"], ["a", "b"]
    rate = comparison_series(
        counts, names, treated, before=2, scale="rate", residents=np.array([1000.0, 1000, 2000, np.nan])
    )
    assert rate.split()[0] == pytest.approx([20, 20, 8])
    assert rate.dropped == (("d", "residents are not known, or none"),)
    index = comparison_series(counts, names, treated, before=2, scale="index")
    assert index.split()[0] == pytest.approx([100, 100, 40])
    count = comparison_series(counts, names, treated, before=2, scale="count")
    assert count.split()[0] == pytest.approx([20, 20, 8])
    assert count.donors == ("c", "d")


def test_every_problem_with_the_series_is_named_at_once() -> None:
    """A unit twice, one absent and residents missing are three lines of one error."""
    with pytest.raises(DataError) as caught:
        comparison_series(np.ones((2, 3)), ["a", "a"], ["z"], before=2, scale="rate")
    assert len(caught.value.problems) == 3
    with pytest.raises(CannotEstimate, match="another scale"):
        comparison_series(np.zeros((2, 3)), ["a", "b"], ["a"], before=2, scale="index")


def test_what_cannot_be_fitted_is_refused_with_the_reason() -> None:
    """One donor, one before period, a missing value and shapes that do not fit."""
    with pytest.raises(CannotEstimate) as caught:
        simplex(np.array([1.0, np.nan]), np.ones((1, 2)), 1)
    assert len(caught.value.problems) == 3
    with pytest.raises(CannotEstimate, match="shape"):
        simplex(np.ones(3), np.ones((2, 4)), 2)
    with pytest.raises(CannotEstimate, match="above zero"):
        augmented(np.ones(5), np.ones((2, 5)), 4, penalty=0.0)
    with pytest.raises(CannotEstimate, match="leaving one out"):
        augmented(np.ones(4), np.ones((2, 4)), 3)
    with pytest.raises(CannotEstimate, match="can be left out"):
        leave_one_out(np.ones(4), np.ones((2, 4)), 3, simplex)
    crowd = comparison_series(np.ones((4, 4)), list("abcd"), ["a", "b"], before=2, scale="count")
    with pytest.raises(CannotEstimate, match="add donors"):
        placebo_rank(crowd, simplex)


def test_sets_are_enumerated_when_few_and_drawn_without_repeats_otherwise() -> None:
    """All 10 pairs of 5; 20 different triples of 30, the same for the same seed."""
    pairs, exact = sets_of(np.arange(5), 2)
    assert exact
    assert len({tuple(pair) for pair in pairs.tolist()}) == 10
    drawn, exact = sets_of(np.arange(30), 3, most=20, seed=8)
    assert not exact
    assert len({tuple(row) for row in drawn.tolist()}) == 20
    assert (drawn == sets_of(np.arange(30), 3, most=20, seed=8)[0]).all()


def _noisy(effect: float, units: int = 21) -> np.ndarray:
    counts = np.random.default_rng(12).poisson(60, (units, 18)).astype(float)
    counts[0, 12:] += effect
    return counts


def test_the_smallest_p_is_one_over_the_sets() -> None:
    """A fall beyond every donor's ranks first: p = 1 / 21, and no interval is claimed at 99 %."""
    series = comparison_series(
        _noisy(-40), [f"u{n:02}" for n in range(21)], ["u00"], before=12, scale="count"
    )
    ranked = placebo_rank(series, simplex)
    assert (ranked.rank, ranked.exact, len(ranked.sets)) == (1, True, 20)
    assert ranked.p_value == ranked.smallest_p == pytest.approx(1 / 21)
    test = permutation_test(series, simplex)
    assert test.exact
    assert test.p_value(0.0) == pytest.approx(1 / 21)
    assert test.p_value(ranked.fit.effect) == 1.0
    found = test.interval(0.99)
    assert (found.low, found.high) == (None, None)
    assert "smallest p-value is 0.048" in found.why_open


@pytest.mark.parametrize("estimator", [simplex, sdid, augmented])
@pytest.mark.parametrize("scale", ["difference", "ratio"])
@pytest.mark.parametrize("spread", ["level", "before-gap"])
def test_interval_ends_are_where_the_test_begins_to_reject(estimator: Any, scale: Any, spread: Any) -> None:
    """Just inside an end the p-value is above 5 %; just outside it is not."""
    series = comparison_series(
        _noisy(-25, 30), [f"u{n:02}" for n in range(30)], ["u00"], before=12, scale="count"
    )
    test = permutation_test(series, estimator, spread=spread)
    found = test.interval(0.95, scale)
    assert found.low is not None
    assert found.high is not None
    assert found.value is not None
    assert found.low < found.value < found.high
    width = found.high - found.low
    assert (
        test.p_value(found.low + 1e-6 * width, scale) > 0.05 >= test.p_value(found.low - 1e-6 * width, scale)
    )
    assert test.p_value(found.high - 1e-6 * width, scale) > 0.05
    assert test.p_value(found.high + 1e-6 * width, scale) <= 0.05
    assert test.exact == (estimator is not sdid)


def test_taking_an_effect_out_of_a_treated_donor_is_refitting_on_the_data_without_it() -> None:
    """The lines of the test say what fitting every set to the changed counts says, for pairs too."""
    counts = np.random.default_rng(2).poisson(40, (9, 14)).astype(float)
    names, treated = [f"u{n}" for n in range(9)], ["u2", "u5"]
    series = comparison_series(counts, names, treated, before=9, scale="count")
    for scale, hypothesis in (("difference", -7.0), ("ratio", 0.8)):
        clean = counts.copy()
        if scale == "difference":
            clean[[2, 5], 9:] -= hypothesis
        else:
            clean[[2, 5], 9:] /= hypothesis
        without = comparison_series(clean, names, treated, before=9, scale="count")
        neutral = 0.0 if scale == "difference" else 1.0
        here = permutation_test(series, simplex).p_value(hypothesis, scale)  # type: ignore[arg-type]
        assert here == permutation_test(without, simplex).p_value(neutral, scale)  # type: ignore[arg-type]
        assert 0 < here < 1


def test_placebo_sets_can_be_kept_to_units_of_like_level() -> None:
    """Five candidates make five placebo sets and a floor of 1 in 6; a name that is no donor is refused."""
    names = [f"u{n:02}" for n in range(21)]
    series = comparison_series(_noisy(-40), names, ["u00"], before=12, scale="count")
    like = names[3:8]
    ranked = placebo_rank(series, simplex, candidates=like)
    assert ranked.sets == tuple((name,) for name in like)
    assert len(ranked.fit.weights) == 20
    assert permutation_test(series, simplex, candidates=like).smallest_p == pytest.approx(1 / 6)
    with pytest.raises(DataError, match="'u00' is no donor"):
        placebo_rank(series, simplex, candidates=["u00", "u03"])
    with pytest.raises(CannotEstimate, match="0 candidates"):
        placebo_rank(series, simplex, candidates=[])


def test_spread_by_level_tells_chance_from_shocks() -> None:
    """Gaps made with both parts give them back within a fifth; few sets are not told apart."""
    draws = np.random.default_rng(1)
    m = draws.uniform(5, 2_000, 4_000)
    gaps = draws.normal(0, np.sqrt(0.02 * m**2 + 3 * m))
    found = fit_spread(gaps, m)
    assert found.shock == pytest.approx(0.02, rel=0.2)
    assert found.chance == pytest.approx(3, rel=0.5)
    few = fit_spread(gaps[:5], m[:5])
    assert (few.shock, few.chance) == (1 / float(np.median(m[:5])), 1.0)
    assert fit_spread(np.zeros(20), m[:20]).chance == 1.0


def test_the_range_over_weights_that_fit_as_well_is_the_one_worked_by_hand() -> None:
    """Two donors at 0 and 10, treated 4: the gap is |10w - 4|, so weights within 0.3 to 0.5 have gap 1."""
    donors = np.array([[0.0, 0, 0], [10.0, 10, 30]])
    treated = np.array([5.0, 3, 10])  # best w 0.4, before gap 1 throughout; effect 10 - 30 w
    found = near_optimal(treated, donors, 2, slack=2**0.5 - 1)  # gap up to sqrt 2: |10 w - 4| up to 1
    assert found.best == pytest.approx(1.0)
    assert found.unique
    assert found.low == pytest.approx(10 - 30 * 0.5, abs=1e-6)
    assert found.high == pytest.approx(10 - 30 * 0.3, abs=1e-6)
    assert found.low_weights == pytest.approx([0.5, 0.5], abs=1e-6)


def test_weights_that_fit_exactly_but_disagree_are_found() -> None:
    """Two pairs of donors reproduce the treated series exactly and say +4 and -6."""
    donors = np.array([[0.0, 0, 3], [2.0, 2, 3], [0.0, 2, 13], [2.0, 0, 13]])
    found = near_optimal(np.array([1.0, 1, 7]), donors, 2)
    assert not found.unique
    assert found.best == pytest.approx(0, abs=1e-9)
    assert found.low == pytest.approx(-6, abs=0.05)
    assert found.high == pytest.approx(4, abs=0.05)


def test_effective_donors_count_equal_weights_and_concentration() -> None:
    """Four equal weights are four donors; one weight of 1 is one."""
    square = np.array([[0.0, 0, 1], [0.0, 2, 1], [2.0, 0, 1], [2.0, 2, 1]])
    assert fit_quality(simplex(np.array([1.0, 1, 1]), square, 2)).effective_donors == pytest.approx(4)
    alone = fit_quality(simplex(np.array([9.0, 9, 1]), square, 2))
    assert alone.effective_donors == pytest.approx(1)
    assert (alone.largest_donor, alone.used) == (3, 1)
    assert alone.share_of_level == pytest.approx(7 / 9)


def test_series_together_are_weighed_by_size() -> None:
    """A rate of 1 among 1 and of 4 among 2 is 3 among 3."""
    assert together(np.array([[1.0], [4.0]]), np.array([1.0, 2.0]), np.array([True, True])).tolist() == [3.0]
