"""What must not matter to a synthetic comparison: the order of donors, the unit, a constant added to all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatworks_eval.synthetic.augmented import augmented
from whatworks_eval.synthetic.fitted import Estimator, Floats
from whatworks_eval.synthetic.near_optimal import near_optimal
from whatworks_eval.synthetic.permutation import permutation_test
from whatworks_eval.synthetic.placebo_rank import placebo_rank
from whatworks_eval.synthetic.sdid import sdid
from whatworks_eval.synthetic.series import comparison_series
from whatworks_eval.synthetic.simplex import mixture, simplex

BEFORE = 8
ESTIMATORS: tuple[Estimator, ...] = (simplex, sdid, augmented)
SEEDS = st.integers(0, 10_000)
DONORS = st.integers(3, 14)


def _drawn(seed: int, donors: int) -> tuple[Floats, Floats]:
    draws = np.random.default_rng(seed)
    level = draws.uniform(20, 60, donors + 1)
    values = level[:, None] + draws.normal(0, 4, (donors + 1, 12)).cumsum(axis=1) / 2
    return values[0], values[1:]


@given(seed=SEEDS, donors=DONORS)
@settings(max_examples=25, deadline=None)
def test_the_order_of_donors_does_not_matter(seed: int, donors: int) -> None:
    """Effects agree and weights go with their donors, to 1e-6 (ties are broken to about that)."""
    treated, others = _drawn(seed, donors)
    order = np.random.default_rng(seed + 1).permutation(donors)
    for estimator in ESTIMATORS:
        one, two = estimator(treated, others, BEFORE), estimator(treated, others[order], BEFORE)
        assert two.effect == pytest.approx(one.effect, abs=1e-5)
        assert two.weights == pytest.approx(one.weights[order], abs=1e-6)


@given(seed=SEEDS, donors=DONORS, scale=st.sampled_from([0.001, 0.3, 7.0, 1_000.0]))
@settings(max_examples=25, deadline=None)
def test_the_unit_does_not_matter(seed: int, donors: int, scale: float) -> None:
    """Every series times a constant multiplies the effect by it, and leaves weights and ratio alone."""
    treated, others = _drawn(seed, donors)
    for estimator in ESTIMATORS:
        one, two = estimator(treated, others, BEFORE), estimator(scale * treated, scale * others, BEFORE)
        assert two.effect == pytest.approx(scale * one.effect, abs=1e-5 * scale)
        assert two.weights == pytest.approx(one.weights, abs=1e-6)
        assert two.ratio == pytest.approx(one.ratio)


@given(seed=SEEDS, donors=DONORS, constant=st.floats(-500, 500))
@settings(max_examples=25, deadline=None)
def test_a_constant_added_to_one_side_does_not_move_sdid(seed: int, donors: int, constant: float) -> None:
    """A level difference between treated and donors is taken out."""
    treated, others = _drawn(seed, donors)
    fit = sdid(treated, others, BEFORE)
    assert sdid(treated + constant, others, BEFORE).effect == pytest.approx(fit.effect, abs=1e-6)


@given(seed=SEEDS, donors=DONORS)
@settings(max_examples=25, deadline=None)
def test_a_shock_to_everyone_does_not_move_the_simplex(seed: int, donors: int) -> None:
    """The same amount added to every series in a period cancels, since weights add up to 1."""
    treated, others = _drawn(seed, donors)
    shock = np.random.default_rng(seed + 2).normal(0, 20, len(treated))
    one, two = simplex(treated, others, BEFORE), simplex(treated + shock, others + shock, BEFORE)
    assert two.effect == pytest.approx(one.effect, abs=1e-5)


@given(seed=SEEDS, donors=DONORS)
@settings(max_examples=25, deadline=None)
def test_weights_are_the_best_there_are(seed: int, donors: int) -> None:
    """No mixture tried at random fits better, and what is still to be gained is nil."""
    treated, others = _drawn(seed, donors)
    columns, target = others[:, :BEFORE].T, treated[:BEFORE]
    found = mixture(columns, target)
    assert found.shortfall < 1e-9
    assert found.weights.min() >= 0
    assert found.weights.sum() == pytest.approx(1)
    best = float(((columns @ found.weights - target) ** 2).sum())
    tried = np.random.default_rng(seed).dirichlet(np.full(donors, 0.5), 200)
    assert best <= ((tried @ columns.T - target) ** 2).sum(axis=1).min() + 1e-9


@given(seed=SEEDS, donors=DONORS)
@settings(max_examples=15, deadline=None)
def test_no_weights_that_fit_as_well_say_anything_outside_the_range(seed: int, donors: int) -> None:
    """Mixtures near the ends and near the best that meet the bound stay inside the range found."""
    treated, others = _drawn(seed, donors)
    found = near_optimal(treated, others, BEFORE, slack=0.3)
    fit = simplex(treated, others, BEFORE)
    assert found.low - 1e-6 <= fit.effect <= found.high + 1e-6
    draws = np.random.default_rng(seed)
    near = np.stack([found.low_weights, found.high_weights, fit.weights])
    tried = draws.dirichlet(np.ones(3), 300) @ near
    tried = 0.97 * tried + 0.03 * draws.dirichlet(np.full(donors, 0.3), 300)
    gaps = np.sqrt(((tried @ others[:, :BEFORE] - treated[:BEFORE]) ** 2).mean(axis=1))
    said = (treated - tried @ others)[:, BEFORE:].mean(axis=1)[gaps <= found.bound]
    assert ((said >= found.low - 1e-5) & (said <= found.high + 1e-5)).all()


@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_ranks_and_tests_do_not_see_names_or_order(seed: int) -> None:
    """The same units in another order under other names have the same p-values and interval."""
    treated, others = _drawn(seed, 11)
    values = np.abs(np.vstack([treated, others]))
    order = np.random.default_rng(seed).permutation(12)
    names = [f"u{n:02}" for n in range(12)]
    one = comparison_series(values, names, ["u00"], before=BEFORE, scale="count")
    two = comparison_series(
        values[order], names, [names[int(np.flatnonzero(order == 0)[0])]], before=BEFORE, scale="count"
    )
    assert placebo_rank(one, simplex).p_value == placebo_rank(two, simplex).p_value
    first, second = (permutation_test(made, simplex).interval(0.8) for made in (one, two))
    for end, other in ((first.low, second.low), (first.high, second.high)):
        assert (end is None) == (other is None)
        assert end is None or end == pytest.approx(other, rel=1e-4)
