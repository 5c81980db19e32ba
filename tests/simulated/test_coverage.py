"""Coverage where the truth is known: neighbourhoods that share shocks, with and without an effect."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from whatworks_eval.evaluation import estimate
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.protocol import Protocol, protocol_from_dict

DRAWS = 120
SIDE, BLOCK = 24, 3  # 576 areas in 64 neighbourhoods of nine
FALSE_ALARM = 0.001


def simulated(rng: np.random.Generator, treated: np.ndarray, effect: float) -> Panel:
    """Two years of counts; each neighbourhood has a shock of its own each year, each area a smaller one."""
    rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
    block = (rows // BLOCK) * (SIDE // BLOCK) + columns // BLOCK
    level = rng.lognormal(4.2, 0.6, SIDE * SIDE)
    shock = rng.normal(0, 0.12, (block.max() + 1, 2))[block] + rng.normal(0, 0.08, (SIDE * SIDE, 2))
    mean = level[:, None] * np.exp(shock)
    mean[treated, 1] *= effect
    return Panel(
        areas=tuple(f"a{at:03d}" for at in range(SIDE * SIDE)),
        periods=("2018-01", "2019-01"),
        counts=rng.poisson(mean).astype(float),
        observed=np.ones((SIDE * SIDE, 2), dtype=bool),
        centroids=np.column_stack([rows, columns]) * 500.0 + rng.uniform(-60, 60, (SIDE * SIDE, 2)),
        units={f"a{at:03d}": f"n{block[at]:02d}" for at in range(SIDE * SIDE)},
        ledger=Ledger(),
    )


def protocol_of(treated: np.ndarray, **areas: Any) -> Protocol:
    """One period a window, so that each draw is quick."""
    return protocol_from_dict(
        {
            "schema": 1,
            "id": "coverage",
            "question": "?",
            "method": "relative-effect",
            "intervention": {"name": "x", "start": "2019-01", "assignment": "random"},
            "outcome": {"source": "counts", "path": "x.csv"},
            "windows": {"before": ["2018-01", "2018-01"], "after": ["2019-01", "2019-01"]},
            "areas": {"treated": [f"a{at:03d}" for at in treated], "comparison": "rest"} | areas,
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "units"), [(1.0, 2), (1.0, 6), (0.8, 6), (0.8, 1)])
def test_whole_neighbourhoods_with_shared_shocks_are_covered(effect: float, units: int) -> None:
    """A 95 % interval from relabelling whole neighbourhoods holds the truth about 95 times in 100."""
    rng = np.random.default_rng([units, round(100 * effect)])
    covered = drawn = 0
    for _ in range(DRAWS):
        chosen = rng.choice(64, units, replace=False)
        rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
        treated = np.flatnonzero(np.isin((rows // BLOCK) * (SIDE // BLOCK) + columns // BLOCK, chosen))
        found = estimate(protocol_of(treated), simulated(rng, treated, effect)).effect.estimate
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= math.log(effect) <= found.high
        drawn += 1
    assert covered >= binom.ppf(FALSE_ALARM, drawn, 0.93)
    assert covered <= binom.ppf(1 - FALSE_ALARM, drawn, 0.985)


@pytest.mark.slow
def test_treating_areas_as_their_own_units_would_have_been_wrong() -> None:
    """Declaring each area its own unit, where neighbourhoods were treated whole, covers far too seldom."""
    rng = np.random.default_rng(9)
    missed = 0
    for _ in range(DRAWS):
        rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
        chosen = rng.choice(64, 4, replace=False)
        treated = np.flatnonzero(np.isin((rows // BLOCK) * (SIDE // BLOCK) + columns // BLOCK, chosen))
        found = estimate(protocol_of(treated, unit="area"), simulated(rng, treated, 1.0)).effect.estimate
        missed += found.excludes_zero
    assert missed / DRAWS > 0.10
