"""The weighted displacement difference by relabelling: its algebra, its ends, a true null on made-up data."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from whatworks_eval.effects.wdd import Weights, wdd
from whatworks_eval.inference.additive import additive_change, additive_test
from whatworks_eval.inference.placebo_sets import draw_sets
from whatworks_eval.matching.level import match_on_level
from whatworks_eval.records import PlaceboSets

Floats = NDArray[np.float64]


def world(seed: int, areas: int = 300, treated: int = 10) -> tuple[Floats, Floats, PlaceboSets]:
    """Counts of areas that vary more than chance, and sets of as many areas as were treated."""
    rng = np.random.default_rng(seed)
    level = np.exp(rng.normal(3.5, 0.4, areas))
    before, after = (rng.poisson(level * rng.gamma(25.0, 1 / 25.0, areas)).astype(float) for _ in range(2))
    chosen = np.sort(rng.choice(areas, treated, replace=False))
    sets = draw_sets(
        row=np.arange(areas, dtype=np.intp),
        treated_groups=[np.array([at]) for at in chosen],
        level=before + after,
        pairs=np.empty((0, 2), dtype=np.intp),
        seed=seed,
        unit_word="areas",
        draws=399,
    )
    return before, after, sets


def test_it_is_the_published_difference_with_areas_as_weights() -> None:
    """The number is that of `wdd` with each arm weighing as many areas as it holds."""
    before, after, sets = world(1)
    inside = np.isin(np.arange(300), sets.treated)
    found = additive_change(before, after, sets)
    plain = wdd(
        treated=(before[inside].sum(), after[inside].sum()),
        comparison=(before[~inside].sum(), after[~inside].sum()),
        weights=Weights(treated=1, comparison=29),
    )
    assert found.difference == pytest.approx(plain.value)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.difference < found.high


def test_an_effect_moves_the_interval_by_as_much() -> None:
    """Taking ten incidents out of every treated area moves estimate and ends by that many."""
    before, after, sets = world(2)
    moved = after.copy()
    moved[sets.treated] += 10
    one, other = additive_change(before, after, sets), additive_change(before, moved, sets)
    assert one.difference is not None
    assert one.low is not None
    assert other.difference == pytest.approx(one.difference + 100)
    assert other.low == pytest.approx(one.low + 100, abs=0.2 * abs(one.low - one.difference))


def test_the_interval_is_the_test_turned_round() -> None:
    """Inside the ends the hypothesis stands, outside it falls; at the estimate p is 1."""
    before, after, sets = world(3)
    test, found = additive_test(before, after, sets), additive_change(before, after, sets)
    assert found.difference is not None
    assert found.low is not None
    assert found.high is not None
    assert test.p_value(found.difference) == pytest.approx(1.0)
    width = found.high - found.low
    for end, way in ((found.low, -1), (found.high, 1)):
        assert test.p_value(end + way * 0.01 * width) <= 0.05
        assert test.p_value(end - way * 0.05 * width) > 0.05


def test_a_true_null_is_rejected_one_time_in_twenty() -> None:
    """Over 300 made-up worlds where nothing was done, 3 to 7.5 % are rejected at 5 %."""
    rejected = [additive_test(*world(seed)).p_value(0.0) <= 0.05 for seed in range(300)]
    assert 0.03 <= np.mean(rejected) <= 0.075


def test_windows_of_unequal_length_are_brought_to_the_after_window() -> None:
    """Twice as long a before window with twice the counts is no change."""
    before, _, sets = world(4)
    assert additive_change(2 * before, before, sets, scale=0.5).difference == pytest.approx(0.0)


def test_a_matched_comparison_is_each_set_s_own() -> None:
    """With matches the number is treated change less that of the matched areas, share by share."""
    before, after, sets = world(5)
    pool = ~np.isin(np.arange(300), sets.treated)
    matches = match_on_level(before, pool, 3)
    found = additive_change(before, after, sets, matches=matches)
    assert found.difference is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.difference < found.high
    assert found.difference != additive_change(before, after, sets).difference


def test_nothing_recorded_and_too_few_sets_give_reasons() -> None:
    """All zeros is undefined; sets too few for the confidence give a number and no interval."""
    before, after, sets = world(6)
    nothing = additive_change(0 * before, 0 * after, sets)
    assert nothing.difference is None
    assert nothing.why_missing is not None
    few = additive_change(before, after, sets, confidence=0.999)
    assert few.difference is not None
    assert few.low is None
    assert "smallest attainable p-value" in str(few.why_missing)
