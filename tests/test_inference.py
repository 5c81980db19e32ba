"""Neighbours, placebo sets, and intervals by relabelling, on tables small enough to check by hand."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from whatworks_eval.inference.crossover_test import Trial, crossover_test, lots_of
from whatworks_eval.inference.inversion import invert
from whatworks_eval.inference.neighbours import adjoining_pairs, clumps, neighbour_table
from whatworks_eval.inference.placebo import relative_change
from whatworks_eval.inference.placebo_sets import draw_sets
from whatworks_eval.inference.relabel_test import relabel_test, variance_shape
from whatworks_eval.records import PlaceboSets


def grid(side: int, step: float = 100.0) -> np.ndarray:
    """Centroids on a slightly crooked square grid."""
    rng = np.random.default_rng(0)
    points = np.array(list(itertools.product(range(side), repeat=2)), dtype=float)
    return step * (points + rng.uniform(-0.1, 0.1, points.shape))


def test_neighbours_on_a_grid_are_next_to_each_other() -> None:
    """No pair is further apart than two steps, and nearly every inner pair side by side is found."""
    places = grid(8)
    pairs = adjoining_pairs(places)
    distance = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    assert distance.max() < 2.3 * 100
    found = {tuple(pair) for pair in pairs.tolist()}
    inner = [(row * 8 + column, row * 8 + column + 1) for row in range(1, 7) for column in range(1, 6)]
    assert sum(pair in found for pair in inner) >= 0.9 * len(inner)


def test_neighbours_do_not_cross_an_estuary() -> None:
    """Two towns far apart are not joined, though the triangulation has edges between them."""
    places = np.vstack([grid(5), grid(5) + np.array([10_000.0, 0.0])])
    pairs = adjoining_pairs(places)
    assert not ((pairs[:, 0] < 25) & (pairs[:, 1] >= 25)).any()


def test_areas_without_a_place_adjoin_nothing() -> None:
    """NaN centroids are left out, and points on one line have no triangulation and so no neighbours."""
    places = grid(4)
    places[3] = np.nan
    assert 3 not in adjoining_pairs(places)
    line = np.column_stack([np.arange(6.0), np.zeros(6)])
    assert len(adjoining_pairs(line)) == 0


def test_clumps_and_table_agree() -> None:
    """Members of a clump hang together; the table holds each pair twice."""
    pairs = adjoining_pairs(grid(6))
    table = neighbour_table(pairs, 36)
    assert (table >= 0).sum() == 2 * len(pairs)
    groups = clumps(pairs, np.array([0, 1, 2, 33, 35]))
    assert sorted(len(group) for group in groups) == [1, 1, 3]


def sets_of(members: list[list[int]], rows: int, treated: list[int], *, exact: bool = True) -> PlaceboSets:
    """Placebo sets written out by hand."""
    return PlaceboSets(
        row=np.arange(rows),
        rows=rows,
        treated=np.array(treated),
        members=np.array(members, dtype=np.intp),
        exact=exact,
        how="by hand",
        smallest_p=1 / len(members),
    )


def test_p_value_by_hand_for_one_area_among_five() -> None:
    """With one treated area and equal baselines the p-value is its rank by how far it moved."""
    before = np.array([100.0, 100, 100, 100, 100])
    after = np.array([60.0, 100, 95, 104, 110])
    sets = sets_of([[at] for at in range(5)], 5, [0])
    assert relabel_test(before, after, sets).p_value(0.0) == pytest.approx(1 / 5)


def test_the_hypothesised_effect_is_taken_out_of_the_treated_only() -> None:
    """At the estimate itself the departure is zero, so the p-value is one."""
    before = np.array([80.0, 120, 100, 90, 110])
    after = np.array([40.0, 118, 104, 93, 105])
    sets = sets_of([[at] for at in range(5)], 5, [0])
    test = relabel_test(before, after, sets)
    estimate = math.log(40 * (120 + 100 + 90 + 110) / (80 * (118 + 104 + 93 + 105)))
    assert float(test.statistic(test.observed, estimate)) == pytest.approx(0.0, abs=1e-9)
    assert test.p_value(estimate) == 1.0


def test_statistic_changes_sign_when_the_arms_are_swapped() -> None:
    """The departure of a set is minus that of its complement."""
    rng = np.random.default_rng(1)
    before, after = rng.poisson(50, 6).astype(float), rng.poisson(50, 6).astype(float)
    one = relabel_test(before, after, sets_of([[0, 1]], 6, [0, 1]))
    other = relabel_test(before, after, sets_of([[2, 3, 4, 5]], 6, [2, 3, 4, 5]))
    first = float(one.statistic(one.observed, 0.0))
    # phi and tau are fitted with the treated effect taken out, which differs by arm: compare with one shape
    second = float(type(other)(**{**_fields(other), "shape": one.shape}).statistic(other.observed, 0.0))
    assert first == pytest.approx(-second, rel=1e-9)


def _fields(test: object) -> dict[str, object]:
    return {name: getattr(test, name) for name in type(test).__slots__}


def test_nothing_recorded_after_gives_no_number_but_a_reason() -> None:
    """Complete suppression has no ratio and no interval, and says why; how odd it is can still be told."""
    rng = np.random.default_rng(2)
    before, after = rng.poisson(30, 60).astype(float), rng.poisson(30, 60).astype(float)
    after[:3] = 0
    sets = draw_sets(
        row=np.arange(60),
        treated_groups=[np.array([at]) for at in range(3)],
        level=before + after,
        pairs=np.empty((0, 2), dtype=np.intp),
        seed=1,
        unit_word="areas",
        draws=999,
    )
    found = relative_change(before, after, sets)
    assert found.log_ratio is None
    assert found.low is None
    assert found.high is None
    assert found.p_value == pytest.approx(0.001)
    assert "treated areas in the after window" in str(found.why_missing)


def test_too_few_placements_give_no_interval_and_say_so() -> None:
    """Two treated of five areas: ten placements, smallest p 0.1, so no 95 % interval."""
    before = np.array([100.0, 90, 110, 95, 105])
    after = np.array([60.0, 50, 111, 93, 104])
    sets = draw_sets(
        row=np.arange(5),
        treated_groups=[np.array([0]), np.array([1])],
        level=before + after,
        pairs=np.empty((0, 2), dtype=np.intp),
        seed=1,
        unit_word="areas",
    )
    assert sets.exact
    assert len(sets.members) == 10
    found = relative_change(before, after, sets)
    assert found.p_value == pytest.approx(0.1)
    assert found.low is None
    assert found.high is None
    assert "smallest attainable p-value is 0.1" in str(found.why_missing)


def test_sets_hold_no_row_twice_and_have_the_declared_shape() -> None:
    """Clumps are of the treated sizes, adjoining, and disjoint within a set."""
    places = grid(20)
    pairs = adjoining_pairs(places)
    groups = [np.array([0, 1, 20]), np.array([210, 211, 230]), np.array([399])]
    sets = draw_sets(
        row=np.arange(400),
        treated_groups=groups,
        level=np.ones(400),
        pairs=pairs,
        seed=3,
        unit_word="areas",
        draws=500,
    )
    assert sets.members.shape[1] == 7
    assert len(sets.members) > 450
    linked = {tuple(pair) for pair in pairs.tolist()}
    for members in sets.members[:100]:
        assert len(set(members.tolist())) == 7
        first, second = members[:3].tolist(), members[3:6].tolist()
        for group in (first, second):
            links = sum(tuple(sorted(pair)) in linked for pair in itertools.combinations(group, 2))
            assert links >= 2
    assert sets.smallest_p == pytest.approx(1 / (len(sets.members) + 1))


def test_one_unit_is_ranked_among_units_of_like_level() -> None:
    """The reference of one treated unit is the third of units nearest in level."""
    level = np.arange(600.0)
    sets = draw_sets(
        row=np.arange(600),
        treated_groups=[np.array([590])],
        level=level,
        pairs=np.empty((0, 2), dtype=np.intp),
        seed=1,
        unit_word="areas",
    )
    assert sets.exact
    assert sets.members.min() == 400
    assert 590 in sets.members


def test_variance_shape_recovers_what_was_simulated() -> None:
    """Poisson counts give tau near zero; a shared relative shock of 20 % gives tau² near 0.04 / 4."""
    rng = np.random.default_rng(4)
    mean = rng.lognormal(4, 1, 4000)
    none = np.zeros(4000, dtype=bool)
    phi, tau_squared = variance_shape(rng.poisson(mean).astype(float), rng.poisson(mean).astype(float), none)
    assert phi == pytest.approx(1.0, abs=0.15)
    assert tau_squared < 0.0005
    shock = rng.normal(0, 0.2, 4000)
    _, tau_squared = variance_shape(
        rng.poisson(mean).astype(float), rng.poisson(mean * np.exp(shock)).astype(float), none
    )
    assert tau_squared == pytest.approx(0.01, rel=0.35)  # M² = 4·mean², so variance / (R·M²) = 0.04 / 4


def test_interval_ends_are_where_the_p_value_crosses() -> None:
    """Just inside the interval the p-value is above 0.05; just outside it is not."""
    rng = np.random.default_rng(5)
    mean = rng.lognormal(3, 0.5, 200)
    before, after = rng.poisson(mean).astype(float), rng.poisson(mean).astype(float)
    after[:10] = np.round(after[:10] * 0.7)
    sets = draw_sets(
        row=np.arange(200),
        treated_groups=[np.array([at]) for at in range(10)],
        level=before + after,
        pairs=np.empty((0, 2), dtype=np.intp),
        seed=6,
        unit_word="areas",
        draws=1999,
    )
    test = relabel_test(before, after, sets)
    found = relative_change(before, after, sets, quantiles=True)
    assert found.low is not None
    assert found.high is not None
    assert found.log_ratio is not None
    assert found.low < found.log_ratio < found.high
    assert test.p_value(found.low - 1e-3) <= 0.05
    assert test.p_value(found.low + 5e-3) > 0.05
    assert test.p_value(found.high + 1e-3) <= 0.05
    assert test.p_value(found.high - 5e-3) > 0.05
    quantiles = np.array(found.quantiles)
    assert len(quantiles) == 199
    assert (np.diff(quantiles) >= 0).all()
    assert quantiles[4] == pytest.approx(found.low, abs=0.02)  # the 2.5 % quantile is the lower end
    assert quantiles[194] == pytest.approx(found.high, abs=0.02)


def test_a_window_without_any_incident_is_a_reason_not_a_warning() -> None:
    """Where no area recorded anything in a window there is nothing to rank."""
    found = relative_change(np.zeros(5), np.ones(5), sets_of([[at] for at in range(5)], 5, [0]))
    assert found.log_ratio is None
    assert found.p_value is None
    assert "before window" in str(found.why_missing)


def test_half_treated_halves_the_placements() -> None:
    """Three of six: twenty sets, but each is as far out as its complement, so p is 0.1 at the smallest."""
    before, after = np.full(6, 100.0), np.array([50.0, 51, 52, 100, 101, 103])
    sets = draw_sets(
        row=np.arange(6),
        treated_groups=[np.array([at]) for at in range(3)],
        level=before + after,
        pairs=np.empty((0, 2), dtype=np.intp),
        seed=1,
        unit_word="areas",
    )
    found = relative_change(before, after, sets)
    assert found.smallest_p == pytest.approx(0.1)
    assert found.p_value == pytest.approx(0.1)
    assert found.low is None
    assert "smallest attainable p-value is 0.1" in str(found.why_missing)


@pytest.mark.parametrize(
    ("kept", "centre", "low", "high", "p_value"),
    [
        (((0.2, 1.7), (-9.0, -0.1)), 0.6, None, 1.7, 0.3),  # 0 is rejected, effects far beyond it are not
        (((-1.7, -0.2), (0.1, 9.0)), -0.6, -1.7, None, 0.3),
        (((0.2, 1.0), (-0.001, 0.001)), 0.6, -0.001, 1.0, 0.3),  # 0 is kept between two points looked at
        (((-1.0, -0.2), (-0.001, 0.001)), -0.6, -1.0, 0.001, 0.3),
        (((0.2, 1.0),), 0.6, 0.2, 1.0, 0.01),
        (((-0.2, 1.0),), 0.4, -0.2, 1.0, 0.3),
    ],
)
def test_the_interval_holds_no_effect_exactly_where_its_p_value_says_so(
    kept: tuple[tuple[float, float], ...],
    centre: float,
    low: float | None,
    high: float | None,
    p_value: float,
) -> None:
    """Whatever islands a test keeps: 0 inside and a p-value above alpha go together, and so do the others."""
    found = invert(
        lambda effect: 0.3 if any(one <= effect <= other for one, other in kept) else 0.01, centre, 0.05
    )
    assert (found.low, found.high, found.no_effect) == (
        None if low is None else pytest.approx(low, abs=1e-3),
        None if high is None else pytest.approx(high, abs=1e-3),
        p_value,
    )


def test_interval_and_p_value_of_one_unit_among_few_agree() -> None:
    """A rise that only effects far below zero are as likely as: the p-value says so too, over 60 draws.

    Three of them had p = 0.05 or less beside an interval open below before the two were read together.
    """
    moved = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rows = 26
        level = rng.gamma(3.0, 3.0, rows)
        before, after = rng.poisson(level).astype(float), rng.poisson(level).astype(float)
        after[0] = rng.poisson(2.5 * level[0])
        sets = draw_sets(
            row=np.arange(rows),
            treated_groups=[np.array([0])],
            level=before + after,
            pairs=np.empty((0, 2), dtype=np.intp),
            seed=1,
            unit_word="areas",
        )
        found = relative_change(before, after, sets)
        if found.log_ratio is None or found.p_value is None or (found.low is None and found.high is None):
            continue
        holds = (found.low is None or found.low <= 0) and (found.high is None or found.high >= 0)
        assert holds == (found.p_value > 0.05), seed
        moved += found.p_value > max(relabel_test(before, after, sets).p_value(0.0), sets.smallest_p)
    assert moved >= 1


def test_schedules_as_far_out_as_the_one_drawn_are_counted_where_they_are_drawn() -> None:
    """Few incidents leave many ties: exact fractions give the same p-value as the test, to the last draw."""
    rng = np.random.default_rng(54)
    on = rng.random(30) < 0.5
    counts = rng.poisson(1.0, (30, 2)).astype(float)
    trial = Trial(
        counts=counts,
        on=np.column_stack([on, ~on]),
        block=np.zeros((30, 2), dtype=np.intp),
        drawn="order",
        kept=np.ones((30, 2), dtype=bool),
    )
    lots = lots_of(trial, seed=1, draws=1_999)
    columns = [Fraction(int(total)) for total in counts.sum(axis=0)]
    first = [Fraction(int(own.sum())) * columns[0] / sum(columns) for own in counts]
    # Residuals of a unit add up to nought, so a lot turned round changes the sum by twice the first of them.
    change = [
        (2 if later else -2) * (int(own[0]) - fit) for own, fit, later in zip(counts, first, ~on, strict=True)
    ]
    middle = sum(change) / 2
    sums = [sum(c for c, turned in zip(change, row, strict=True) if turned) - middle for row in lots.choice]
    as_far = sum(abs(one) >= abs(middle) for one in sums)
    assert crossover_test(trial, lots).p_value(0.0) == (1 + as_far) / 2_000
