"""How long an evaluation takes: 1,700 areas × 36 months, simulated, medians over runs in one process.

    python benchmarks/speed.py

Targets (DESIGN 7): 9,999 placebo draws below 0.5 s; `evaluate` with every rule below 0.3 s.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

import whatworks_eval as ww
from whatworks_eval.evaluation import estimate
from whatworks_eval.inference.relabel_test import relabel_test
from whatworks_eval.inference.relabelling import sets_for
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict

AREAS, MONTHS, REPEATS = 1_700, 36, 9


def simulated(treated: int, unit: str) -> tuple[Protocol, Panel]:
    """Counts with levels and shocks like those of LSOAs, and a design with so many treated areas."""
    rng = np.random.default_rng(1)
    periods = period_range("2017-01", "2019-12", "month")
    level = rng.lognormal(2.3, 0.7, AREAS)
    shock = np.repeat(np.exp(rng.normal(0, 0.15, (AREAS, 3))), 12, axis=1)
    areas = tuple(f"a{at:04d}" for at in range(AREAS))
    panel = Panel(
        areas=areas,
        periods=periods,
        counts=rng.poisson(level[:, None] * shock).astype(float),
        observed=np.ones((AREAS, MONTHS), dtype=bool),
        centroids=rng.uniform(0, 40_000, (AREAS, 2)),
        ledger=Ledger(),
    )
    protocol = protocol_from_dict(
        {
            "schema": 1,
            "id": "speed",
            "question": "How long does it take?",
            "registered": "2018-06-01",
            "method": "relative-effect",
            "intervention": {"name": "x", "start": "2019-01", "assignment": "phased"},
            "outcome": {"source": "counts", "path": "x.csv"},
            "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
            "areas": {
                "treated": sorted(rng.choice(areas, treated, replace=False).tolist()),
                "comparison": "rest",
                "unit": unit,
            },
        }
    )
    return protocol, panel


def median_of(work: Callable[[], object]) -> float:
    """Median seconds over the repeats, after one run that is not counted."""
    work()
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Print one line a measurement."""
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}, {AREAS} areas × {MONTHS} months")
    for treated, unit in ((1, "area"), (10, "area"), (40, "area"), (40, "contiguous")):
        draws, alone, whole = measured(*simulated(treated, unit))
        print(
            f"{treated:3d} treated, unit {unit:10s}  9,999 draws {draws:5.2f} s   "
            f"estimate {alone:5.2f} s   evaluate with every rule {whole:5.2f} s"
        )


def measured(protocol: Protocol, panel: Panel) -> tuple[float, float, float]:
    """Seconds for 9,999 placebo draws, for the estimate alone, and for the whole evaluation."""
    answer = estimate(protocol, panel)
    windowed, contrast = answer.windowed, answer.contrast
    assert windowed is not None
    places = panel.centroids[windowed.index] if panel.centroids is not None else None

    def draw() -> object:
        sets = sets_for(contrast, windowed, places, seed=1, draws=9_999)
        return relabel_test(windowed.before, windowed.after, sets).p_value(0.0)

    return (
        median_of(draw),
        median_of(lambda: estimate(protocol, panel)),
        median_of(lambda: ww.evaluate(protocol, panel)),
    )


if __name__ == "__main__":
    main()
