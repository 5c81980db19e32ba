"""California's tobacco programme: vectors E1 and E2, and placebo inference with every state in turn."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from whatworks_eval.synthetic.augmented import augmented
from whatworks_eval.synthetic.checks import fit_quality, leave_one_out
from whatworks_eval.synthetic.fitted import Floats
from whatworks_eval.synthetic.frank_wolfe import frank_wolfe
from whatworks_eval.synthetic.near_optimal import near_optimal
from whatworks_eval.synthetic.permutation import permutation_test
from whatworks_eval.synthetic.placebo_rank import placebo_rank
from whatworks_eval.synthetic.sdid import noise_level, sdid
from whatworks_eval.synthetic.series import ComparisonSeries, comparison_series
from whatworks_eval.synthetic.simplex import mixture, simplex

BEFORE = 19  # 1970 to 1988
OMEGA = {
    "Nevada": 0.124489,
    "New Hampshire": 0.105048,
    "Connecticut": 0.078287,
    "Delaware": 0.070368,
    "Colorado": 0.057513,
    "Illinois": 0.053388,
    "Nebraska": 0.047853,
    "Montana": 0.045135,
}
PATH = [-4.8450, -4.3258, -8.6535, -8.4191, -12.5455, -16.1062]
PATH += [-18.9058, -19.3501, -20.8835, -22.7816, -25.9449, -24.4849]


@pytest.fixture(scope="module")
def states(shared_data: Path) -> ComparisonSeries:
    """Packs per capita, 39 states, 1970 to 2000; California treated from 1989."""
    with gzip.open(shared_data / "panels" / "california_prop99.csv.gz", "rt", encoding="utf-8") as file:
        first = file.readline()
        rows = list(
            csv.DictReader(
                file,
                fieldnames=first.strip().split(";" if ";" in first else ","),
                delimiter=";" if ";" in first else ",",
            )
        )
    names = sorted({row["State"] for row in rows})
    years = sorted({row["Year"] for row in rows})
    values = np.full((len(names), len(years)), np.nan)
    for row in rows:
        values[names.index(row["State"]), years.index(row["Year"])] = float(row["PacksPerCapita"])
    return comparison_series(values, names, ["California"], before=BEFORE, scale="count")


def _named(series: ComparisonSeries, weights: Floats) -> dict[str, float]:
    return dict(zip(series.donors, weights.tolist(), strict=True))


def test_sdid_repeats_the_published_digits(states: ComparisonSeries) -> None:
    """E1 with the authors' search: effect to 1e-9, the rest to the digits given."""
    fit = sdid(*states.split(), BEFORE, solver="frank-wolfe")
    assert fit.effect == pytest.approx(-15.6038278727, abs=1e-9)
    assert fit.time_weights[-3:] == pytest.approx([0.36647, 0.20645, 0.42708], abs=5e-6)
    weights = _named(states, fit.weights)
    assert {name: weights[name] for name in OMEGA} == pytest.approx(OMEGA, abs=5e-7)
    assert fit.gaps[BEFORE:] == pytest.approx(PATH, abs=5e-5)
    found = fit_quality(fit)
    assert found.effective_donors == pytest.approx(16.388, abs=5e-4)
    assert found.effective_periods == pytest.approx(2.783, abs=5e-4)
    donors = states.split()[1]
    assert noise_level(donors, BEFORE) * 12**0.25 == pytest.approx(10.226232571, abs=1e-9)


def test_sdid_at_the_optimum_is_what_an_exact_solver_gives(states: ComparisonSeries) -> None:
    """E1 as mlsynth, which does not stop early: -15.6053979; and the fit is no worse than the search's."""
    treated, donors = states.split()
    exact, searched = sdid(treated, donors, BEFORE), sdid(treated, donors, BEFORE, solver="frank-wolfe")
    assert exact.effect == pytest.approx(-15.6053979, abs=1e-6)
    zeta = noise_level(donors, BEFORE) * 12**0.25

    def lost(weights: Floats) -> float:
        short = (treated - weights @ donors)[:BEFORE]
        return float(short.var() + zeta**2 * (weights @ weights))

    assert lost(exact.weights) < lost(searched.weights)


def test_the_other_two_numbers_of_e1(states: ComparisonSeries) -> None:
    """Their synthetic control (the same early stop) to 1e-9, and plain difference-in-differences."""
    treated, donors = states.split()
    noise = noise_level(donors, BEFORE)
    weights = frank_wolfe(donors[:, :BEFORE].T, treated[:BEFORE], zeta=1e-6 * noise, least_gain=1e-5 * noise)
    assert (treated - weights @ donors)[BEFORE:].mean() == pytest.approx(-19.6196634709, abs=1e-9)
    gaps = treated - donors.mean(axis=0)
    assert gaps[BEFORE:].mean() - gaps[:BEFORE].mean() == pytest.approx(-27.3491110836, abs=1e-9)


def test_simplex_weights_and_gaps_of_e2(states: ComparisonSeries) -> None:
    """E2: six states, pre-fit, mean gap and gaps by year to the digits given; the weights are unique."""
    treated, donors = states.split()
    fit = simplex(treated, donors, BEFORE)
    weights = {name: weight for name, weight in _named(states, fit.weights).items() if weight > 1e-6}
    assert weights == pytest.approx(
        {
            "Utah": 0.3939,
            "Montana": 0.2318,
            "Nevada": 0.2049,
            "Connecticut": 0.1091,
            "New Hampshire": 0.0454,
            "Colorado": 0.0148,
        },
        abs=5e-5,
    )
    assert fit.rmspe_before == pytest.approx(1.6564002, abs=5e-8)
    assert fit.effect == pytest.approx(-19.5136297, abs=2e-7)
    assert fit.gaps[[19, 20, 25, 30]] == pytest.approx([-8.440, -9.207, -22.858, -26.597], abs=5e-4)
    assert mixture(donors[:, :BEFORE].T, treated[:BEFORE]).unique


def test_placebo_ranks_by_enumeration(states: ComparisonSeries) -> None:
    """E2: ratio 12.43997, third of 39, p 0.076923; every state once, and the floor of p is 1 in 39."""
    ranked = placebo_rank(states, simplex)
    assert ranked.ratio == pytest.approx(12.43997, abs=5e-6)
    assert (ranked.rank, len(ranked.sets), ranked.exact) == (3, 38, True)
    assert ranked.p_value == pytest.approx(3 / 39)
    assert ranked.smallest_p == pytest.approx(1 / 39)
    assert {name for chosen in ranked.sets for name in chosen} == set(states.donors)


def test_intervals_by_enumeration_agree_with_their_p_values(states: ComparisonSeries) -> None:
    """A zero effect is inside exactly those intervals whose test does not reject it."""
    for estimator in (simplex, sdid, augmented):
        test = permutation_test(states, estimator)
        assert test.smallest_p == pytest.approx(1 / 39)
        for confidence in (0.90, 0.95):
            found = test.interval(confidence)
            assert found.low is not None
            assert found.high is not None
            assert (found.low <= 0 <= found.high) == (test.p_value(0.0) > 1 - confidence)
    by_gap = {one: permutation_test(states, one, spread="before-gap") for one in (simplex, sdid)}
    assert by_gap[simplex].p_value(0.0) == pytest.approx(3 / 39)
    assert by_gap[sdid].p_value(0.0) == pytest.approx(1 / 39)


def test_no_other_weights_and_no_one_state_change_the_direction(states: ComparisonSeries) -> None:
    """Weights that fit within a tenth of the best, and every comparison less one state, all say a fall."""
    treated, donors = states.split()
    near = near_optimal(treated, donors, BEFORE)
    assert near.unique
    assert near.low < simplex(treated, donors, BEFORE).effect < near.high < 0
    without = leave_one_out(treated, donors, BEFORE, simplex)
    assert len(without) == 6
    assert all(one.effect < -15 and one.rmspe >= 1.6564 for one in without)
