"""Synthetic comparisons on made-up units: what is found where nothing was done, and where a fall was."""

from __future__ import annotations

import numpy as np
import pytest

from whatworks_eval.synthetic.fitted import Floats
from whatworks_eval.synthetic.permutation import permutation_test
from whatworks_eval.synthetic.placebo_rank import placebo_rank
from whatworks_eval.synthetic.sdid import sdid
from whatworks_eval.synthetic.series import ComparisonSeries, comparison_series
from whatworks_eval.synthetic.sets_test import SetCounts, sets_test
from whatworks_eval.synthetic.simplex import simplex

UNITS, BEFORE, AFTER = 20, 16, 8
DRAWS = 250
NOMINAL = 0.10
# Three Monte Carlo standard errors of a share of 10 % over 250 draws.
ALLOWED = NOMINAL + 3 * (NOMINAL * (1 - NOMINAL) / DRAWS) ** 0.5


def _counts(draws: np.random.Generator) -> Floats:
    """Unit levels, two common factors with unit loadings, persistent unit shocks, Poisson counts."""
    periods = BEFORE + AFTER
    factors = draws.normal(0, 0.10, (2, periods)).cumsum(axis=1)
    shocks = draws.normal(0, 0.08, (UNITS, periods))
    for period in range(1, periods):
        shocks[:, period] += 0.7 * shocks[:, period - 1]
    rates = np.exp(draws.normal(3.5, 0.5, (UNITS, 1)) + draws.uniform(0, 1, (UNITS, 2)) @ factors + shocks)
    return draws.poisson(rates).astype(float)


def _series(counts: Floats, treated: int) -> ComparisonSeries:
    names = [f"u{n:02}" for n in range(UNITS)]
    return comparison_series(counts, names, names[:treated], before=BEFORE, scale="index")


@pytest.mark.slow
def test_a_true_null_is_rejected_at_most_as_often_as_stated() -> None:
    """One of 20 units drawn at random: rank test and permutation test reject at most 10 % plus MC error."""
    draws = np.random.default_rng(99)
    rejected = np.zeros(3)
    for _ in range(DRAWS):
        series = _series(_counts(draws), 1)
        rejected += [
            placebo_rank(series, simplex).p_value <= NOMINAL,
            permutation_test(series, simplex).p_value(0.0) <= NOMINAL,
            permutation_test(series, sdid).p_value(0.0) <= NOMINAL,
        ]
    assert (rejected / DRAWS <= ALLOWED).all()
    assert (rejected / DRAWS > 0.02).all()  # a test that never rejects would pass too


@pytest.mark.slow
def test_the_largest_unit_is_not_found_for_being_large() -> None:
    """The largest of 20 units, nothing done: ranked by level-wise spread it keeps to 10 % plus MC error.

    Its gap after over its own gap before, the conventional statistic, does not.
    """
    draws = np.random.default_rng(31)
    runs = 150
    rejected = np.zeros(2)
    for _ in range(runs):
        counts = _counts(draws)
        counts = counts[np.argsort(-counts[:, :BEFORE].sum(axis=1))]
        series = _series(counts, 1)
        rejected += [
            permutation_test(series, simplex).p_value(0.0) <= NOMINAL,
            placebo_rank(series, simplex).p_value <= NOMINAL,
        ]
    by_level, conventional = rejected / runs
    assert by_level <= NOMINAL + 3 * (NOMINAL * (1 - NOMINAL) / runs) ** 0.5
    assert conventional > by_level


@pytest.mark.slow
def test_pairs_of_treated_units_keep_the_rate_and_the_interval_covers() -> None:
    """Two of 20 units, a fall of 30 % planted: 90 % intervals of the ratio hold it as often as stated."""
    draws = np.random.default_rng(7)
    held = found = 0
    runs = 60
    values = []
    for _ in range(runs):
        counts = _counts(draws)
        counts[:2, BEFORE:] = draws.binomial(counts[:2, BEFORE:].astype(int), 0.7)
        test = permutation_test(_series(counts, 2), simplex, most=190)
        interval = test.interval(0.9, "ratio")
        assert interval.value is not None
        values.append(interval.value)
        held += (interval.low or 0.0) <= 0.7 <= (interval.high or np.inf)
        found += test.p_value(1.0, "ratio") <= NOMINAL
    assert held / runs >= 0.9 - 3 * (0.09 / runs) ** 0.5
    assert found / runs > 0.3
    assert abs(np.log(values).mean() - np.log(0.7)) < 3 * np.log(values).std() / runs**0.5


@pytest.mark.slow
def test_a_large_fall_is_covered_where_counts_are_small() -> None:
    """Few incidents, seven in ten gone: the truth is rejected in at most 10 % of 200 draws (5 % asked for).

    A count divided by 0.3 varies by chance over three times as much as one of its size that nothing moved.
    With the spread of a null instead, one draw in five rejected it.
    """
    rng = np.random.default_rng(61)
    units, before, after, draws = 60, 12, 12, 200
    sets = np.arange(1, units)[:, None]
    rejected = 0
    for _ in range(draws):
        rates = np.full((units, before + after), 4.0)
        rates[0, before:] *= 0.3
        counts = rng.poisson(rates).astype(float)
        found = sets_test(
            SetCounts(
                before=counts[:, :before],
                after=counts[:, before:],
                treated=np.array([0]),
                units=1,
                donors=tuple(np.array([row]) for row in range(units)),
                most=30,
            ),
            sets,
            simplex,
        )
        rejected += found.p_value(0.3) <= 0.05
        assert found.p_value(1.0) == found.test.p_value(1.0, "ratio")
    assert rejected <= 0.10 * draws
