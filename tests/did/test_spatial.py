"""Moran's I and Conley's error against sums over all pairs, and on maps with and without a pattern."""

from __future__ import annotations

import numpy as np
import pytest

from whatworks_eval.did.closed_form import cluster_error, common_start_ratio
from whatworks_eval.did.spatial import Kernel, NeighbourKind, conley_error, morans_i
from whatworks_eval.errors import DataError


def places(number: int, seed: int = 1) -> np.ndarray:
    """Centroids in a square of 10 km."""
    return np.random.default_rng(seed).uniform(0, 10_000, (number, 2))


def distances(points: np.ndarray) -> np.ndarray:
    """All pairs, the plain way."""
    return np.linalg.norm(points[:, None] - points[None], axis=2)


@pytest.mark.parametrize("kind", ["nearest", "inverse-distance"])
def test_morans_i_is_the_sum_over_pairs(kind: NeighbourKind) -> None:
    """The value with five neighbours is the textbook double sum (to 1e-12)."""
    points, values = places(60), np.random.default_rng(2).normal(size=60)
    apart = distances(points)
    np.fill_diagonal(apart, np.inf)
    weights = np.zeros((60, 60))
    for row in range(60):
        nearest = np.argsort(apart[row])[:5]
        weights[row, nearest] = 1.0 if kind == "nearest" else 1 / apart[row, nearest]
    weights /= weights.sum(axis=1, keepdims=True)
    centred = values - values.mean()
    by_hand = 60 / weights.sum() * (centred @ weights @ centred) / (centred @ centred)
    found = morans_i(values, points, seed=1, neighbours=5, kind=kind, draws=99)
    assert found.value == pytest.approx(by_hand, abs=1e-12)
    assert found.expected == pytest.approx(-1 / 59)


def test_a_pattern_is_found_and_none_is_not_invented() -> None:
    """A smooth surface gives the smallest p; over 200 draws of noise p ≤ 0.05 in at most 9 %."""
    points = places(150)
    smooth = morans_i(np.sin(points[:, 0] / 3_000), points, seed=1)
    assert smooth.p_value == smooth.smallest_p == 0.002
    assert smooth.value is not None
    assert smooth.value > 0.6
    rng = np.random.default_rng(3)
    low = sum(
        (morans_i(rng.normal(size=150), points, seed=4, draws=99).p_value or 0) <= 0.05 for _ in range(200)
    )
    assert low <= 18


def test_places_and_residuals_that_are_missing_are_left_out() -> None:
    """NaN rows leave; too few areas, or residuals all alike, give a reason."""
    points, values = places(30), np.random.default_rng(5).normal(size=30)
    points[3] = np.nan
    values[9] = np.nan
    assert morans_i(values, points, seed=1, draws=9).areas == 28
    few = morans_i(values[:6], points[:6], seed=1)
    assert few.value is None
    assert "8 are needed" in str(few.why_missing)
    assert morans_i(np.full(30, 2.5), places(30), seed=1).why_missing == "all residuals are the same"


def test_areas_on_one_spot_are_not_their_own_neighbours() -> None:
    """Twenty areas on the same spot: the value is that of everyone with everyone else among the nearest."""
    points = np.zeros((20, 2))
    found = morans_i(np.arange(20.0), points, seed=1, neighbours=19, draws=9)
    assert found.value == pytest.approx(-1 / 19, abs=1e-12)


@pytest.mark.parametrize("kernel", ["bartlett", "uniform"])
def test_conley_is_the_sum_over_pairs(kernel: Kernel) -> None:
    """The variance is the double sum with the named kernel (to 1e-10), pairs counted once."""
    points = places(300, seed=6)
    smooth = np.sin(points[:, 0] / 2_500) + 0.2 * np.random.default_rng(7).normal(size=300)
    apart = distances(points)
    inside = apart <= 1_500
    weight = np.where(inside, 1 - apart / 1_500 if kernel == "bartlett" else 1.0, 0.0)
    found = conley_error(smooth, points, cutoff_m=1_500.0, kernel=kernel)
    assert found.se is not None
    assert found.se**2 == pytest.approx(smooth @ weight @ smooth, rel=1e-10)
    assert found.pairs == (inside.sum() - 300) // 2


def test_a_cutoff_below_every_distance_is_the_error_by_area() -> None:
    """With no neighbours in reach Conley's error is CR0 with each area its own cluster."""
    rng = np.random.default_rng(8)
    treated, after = np.arange(40) < 15, np.arange(6) >= 3
    found = common_start_ratio(rng.poisson(6.0, (40, 6)).astype(float), treated, after)
    grid = np.column_stack([np.arange(40) * 1_000.0, np.zeros(40)])
    conley = conley_error(found.influence, grid, cutoff_m=10.0)
    assert conley.se == pytest.approx(cluster_error(found, correction="CR0").se, rel=1e-12)
    # Areas of a cluster on one spot, clusters far apart: the error of those clusters.
    clusters = np.arange(40) // 2
    spots = np.column_stack([clusters * 1_000.0, np.zeros(40)])
    together = conley_error(found.influence, spots, cutoff_m=10.0, kernel="uniform")
    assert together.se == pytest.approx(cluster_error(found, clusters, correction="CR0").se, rel=1e-12)


def test_no_error_has_a_reason() -> None:
    """A sum at or below zero, an area without a place, a cutoff of zero."""
    line = np.column_stack([np.array([0.0, 100.0, 200.0]), np.zeros(3)])
    negative = conley_error(np.array([1.0, -2.0, 1.0]), line, cutoff_m=500.0, kernel="uniform")
    assert negative.se is None
    assert "not above zero" in str(negative.why_missing)
    line[1] = np.nan
    assert "1 areas that count have no place" in str(conley_error(np.ones(3), line, cutoff_m=5.0).why_missing)
    with pytest.raises(DataError, match="cutoff above 0 m"):
        conley_error(np.ones(3), line, cutoff_m=0.0)


def test_rotating_and_shifting_the_map_changes_nothing() -> None:
    """Only distances count."""
    points, values = places(80, seed=9), np.random.default_rng(10).normal(size=80)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    moved = points @ turn + 5_000.0
    assert conley_error(values, moved, cutoff_m=2_000.0).se == pytest.approx(
        conley_error(values, points, cutoff_m=2_000.0).se or 0.0, rel=1e-9
    )
    assert morans_i(values, moved, seed=1, draws=9).value == pytest.approx(
        morans_i(values, points, seed=1, draws=9).value or 0.0, abs=1e-9
    )
