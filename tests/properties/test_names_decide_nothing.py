"""Areas alike in their totals are told apart by their counts and never by their names: nothing moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import crossovers
import numpy as np
import pytest
import rollouts

from whatworks_eval.evaluation import estimate
from whatworks_eval.inference.relabel_test import variance_shape
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import protocol_from_dict
from whatworks_eval.records import Estimate

PERIODS = period_range("2018-W01", "2018-W52", "week")
MANY = 36


def ends(made: Estimate) -> tuple[float | None, ...]:
    """What must not move."""
    assert made.value is not None
    return (made.value, made.low, made.high, made.p_value)


def quiet(method: str, order: np.ndarray, **more: Any) -> tuple[float | None, ...]:
    """A design on few incidents a week, no places known, with area `at` called by its place in `order`."""
    rng = np.random.default_rng(4)
    counts = rng.poisson(np.repeat([0.15, 0.3, 0.6], MANY // 3)[:, None] * np.ones(len(PERIODS))).astype(
        float
    )
    names = np.array([f"a{at:02d}" for at in range(MANY)])
    panel = Panel(
        areas=tuple(names.tolist()),
        periods=PERIODS,
        period="week",
        counts=counts[np.argsort(order)],
        observed=np.ones(counts.shape, dtype=bool),
        ledger=Ledger(),
    )
    treated = sorted(names[order[[3, 14, 30]]].tolist())
    protocol = protocol_from_dict(
        {
            "schema": 1,
            "id": "quiet",
            "question": "Did it fall?",
            "method": method,
            "period": "week",
            "intervention": {"name": "Patrol", "start": "2018-W27", "assignment": "phased"},
            "outcome": {"source": "counts", "path": "none.csv"},
            "windows": {"before": ["2018-W01", "2018-W26"], "after": ["2018-W27", "2018-W52"]},
            "areas": {"treated": treated, "comparison": "rest", "unit": "area"},
            **more,
        }
    )
    return ends(estimate(protocol, panel).effect.estimate)


@pytest.mark.parametrize("method", ["interrupted-time-series", "synthetic"])
def test_areas_of_equal_totals_are_told_apart_by_their_weeks(method: str) -> None:
    """Without places, areas with as many before and after are many; new names for all leave every end."""
    plain = quiet(method, np.arange(MANY))
    for seed in range(3):
        assert quiet(method, np.random.default_rng(seed).permutation(MANY)) == pytest.approx(plain, abs=1e-9)


def test_the_spread_by_level_does_not_look_at_the_order_of_rows() -> None:
    """Rows of one level go into the bins by their counts: in any order they give the same phi and tau²."""
    rng = np.random.default_rng(1)
    before, after = rng.poisson(4.0, (2, 90)).astype(float)
    treated = np.arange(90) < 6
    plain = variance_shape(before, after, treated)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(90)
        assert variance_shape(before[order], after[order], treated[order]) == pytest.approx(plain, rel=1e-9)


def test_a_difference_in_mean_change_does_not_look_at_names(tmp_path: Path) -> None:
    """Cohorts in the linear model: new names for all areas leave value, interval and p-value."""
    panel = rollouts.panel_of(treated=6, areas=60, level=2.0, starts=rollouts.STARTS)

    def made(order: np.ndarray, folder: Path) -> tuple[float | None, ...]:
        folder.mkdir()
        protocol = rollouts.design(folder, treated=6, starts=rollouts.STARTS, did={"model": "linear"})
        lines = (folder / "areas.csv").read_text("utf-8").splitlines()
        new = {panel.areas[at]: panel.areas[order[at]] for at in range(60)}
        renamed = [lines[0], *(f"{new[line[:5]]}{line[5:]}" for line in lines[1:])]
        (folder / "areas.csv").write_text("\n".join(renamed) + "\n", "utf-8")
        back = np.argsort(order)
        assert panel.centroids is not None
        other = Panel(
            areas=panel.areas,
            periods=panel.periods,
            counts=panel.counts[back],
            observed=panel.observed,
            centroids=panel.centroids[back],
            ledger=Ledger(),
        )
        return ends(estimate(protocol, other).effect.estimate)

    plain = made(np.arange(60), tmp_path / "plain")
    for seed in range(2):
        order = np.random.default_rng(seed).permutation(60)
        assert made(order, tmp_path / str(seed)) == pytest.approx(plain, abs=1e-9)


def test_lots_of_areas_alike_in_total_do_not_look_at_names(tmp_path: Path) -> None:
    """A crossover of quiet areas, its lots too many to list: new names leave interval and p-value."""
    rng = np.random.default_rng(6)
    on, block = crossovers.by_order(rng, 20, 2, 2)
    counts = rng.poisson(0.8, on.shape).astype(float)

    def made(order: np.ndarray, folder: Path) -> tuple[float | None, ...]:
        folder.mkdir()
        panel = crossovers.panel_of(counts[order])
        crossovers.written(folder, on[order], block[order], panel)
        return ends(estimate(crossovers.protocol_of(folder, areas=20), panel).effect.estimate)

    plain = made(np.arange(20), tmp_path / "plain")
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(20)
        assert made(order, tmp_path / str(seed)) == pytest.approx(plain, abs=1e-9)
