"""How long an evaluation takes: 1,700 areas × 36 months, simulated, medians over runs in one process.

    python benchmarks/speed.py

Targets (DESIGN 7): 9,999 placebo draws below 0.5 s; `evaluate` with every rule below 0.3 s, of which all the
evidence rules together below 0.1 s; `whatworks calc` as typed, imports included, below 2 s; both sensitivity
curves over 24 months before and 24 after below 10 s.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

import whatworks_eval as ww
from whatworks_eval.caveats import ask_evidence
from whatworks_eval.did.event_regression import event_regression
from whatworks_eval.did.sensitivity import sensitivity
from whatworks_eval.evaluation import estimate
from whatworks_eval.inference.relabel_test import relabel_test
from whatworks_eval.inference.relabelling import sets_for
from whatworks_eval.judgement import BEST_LEVEL, Case
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict

AREAS, MONTHS, REPEATS = 1_700, 36, 9
CALC = ("calc", "--treated", "398", "190", "--comparison", "148", "97")


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
        draws, alone, rules, whole = measured(*simulated(treated, unit))
        print(
            f"{treated:3d} treated, unit {unit:10s}  9,999 draws {draws:5.2f} s   "
            f"estimate {alone:5.2f} s   evidence rules {rules:5.2f} s   "
            f"evaluate with every rule {whole:5.2f} s"
        )
    typed = (sys.executable, "-m", "whatworks_eval", *CALC)
    took = median_of(lambda: subprocess.run(typed, check=True, capture_output=True))
    print(f"whatworks calc as typed {took:5.2f} s   both sensitivity curves {median_of(curves()):5.2f} s")


def curves() -> Callable[[], object]:
    """Both sensitivity curves of 40 + 60 simulated areas, 24 months before and 24 after."""
    rng = np.random.default_rng(1)
    treated, months = np.arange(100) < 40, range(-24, 24)
    outcome = rng.normal(size=(100, 48)) - 8.0 * treated[:, None] * (np.arange(48) >= 24)
    found = event_regression(outcome, treated, offsets=months)
    assert found.covariance is not None
    values, covariance, offsets = found.values, found.covariance, [month for month in months if month != -1]
    return lambda: sensitivity(values, covariance, offsets=offsets)


def measured(protocol: Protocol, panel: Panel) -> tuple[float, float, float, float]:
    """Seconds for 9,999 placebo draws, the estimate alone, the evidence rules, and the whole evaluation."""
    answer = estimate(protocol, panel)
    windowed, contrast = answer.windowed, answer.contrast
    assert windowed is not None
    places = panel.centroids[windowed.index] if panel.centroids is not None else None

    def draw() -> object:
        sets = sets_for(contrast, windowed, places, seed=1, draws=9_999)
        return relabel_test(windowed.before, windowed.after, sets).p_value(0.0)

    done = ww.evaluate(protocol, panel)
    case = Case(
        protocol=protocol,
        data=panel,
        contrast=contrast,
        windowed=windowed,
        estimate=done.estimate,
        alternatives=done.alternatives,
        sets=answer.effect.sets,
    )
    return (
        median_of(draw),
        median_of(lambda: estimate(protocol, panel)),
        median_of(lambda: ask_evidence(case, BEST_LEVEL)),
        median_of(lambda: ww.evaluate(protocol, panel)),
    )


if __name__ == "__main__":
    main()
