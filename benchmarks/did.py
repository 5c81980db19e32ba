"""Difference-in-differences at national scale against pyfixest and diff-diff: ratios in one process.

    python benchmarks/did.py

Targets (issue 4, DESIGN 7), 35,000 areas × 44 months: the closed-form Poisson estimate with its clustered
error at least 200 × faster than pyfixest's `fepois` (second call) and equal to 1e-8; the general Poisson fit
with two covariates no slower than pyfixest; Callaway and Sant'Anna's effects on 2,000 areas × 48 months × 8
cohorts no slower than diff-diff. Memory is the highest the process reached, and the most our own arrays held.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

from whatworks_eval.did.aggregate import aggregate
from whatworks_eval.did.closed_form import cluster_error, common_start_ratio
from whatworks_eval.did.clustered import clustered
from whatworks_eval.did.group_time import group_time
from whatworks_eval.did.poisson_fit import fit_poisson
from whatworks_eval.did.rollout import rollout

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pyfixest
    from diff_diff import CallawaySantAnna

AREAS, MONTHS, START, TREATED, PER_UNIT = 35_000, 44, 24, 1_400, 7
REPEATS = 9
EQUAL = 1e-8


def timed(work: Callable[[], object], repeats: int) -> tuple[float, object]:
    """Median seconds over the repeats, after one run that is not counted, and the last answer."""
    answer = work()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        answer = work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken), answer


def own_peak(work: Callable[[], object]) -> float:
    """MiB that Python and numpy held at once during the work, above what they held before it."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def process_peak() -> float:
    """MiB the process reached at its highest so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def report(name: str, ours: float, theirs: float, peer: str, peak: float, target: str) -> None:
    """One line a comparison."""
    print(
        f"{name:46s} ours {ours:8.4f} s   {peer} {theirs:7.3f} s   ratio {theirs / ours:7.1f} ({target})   "
        f"our arrays {peak:5.0f} MiB   process so far {process_peak():,.0f} MiB"
    )


def national() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Counts like those of LSOAs, the treated areas, the after months, the units and two covariates."""
    rng = np.random.default_rng(1)
    treated, after = np.zeros(AREAS, dtype=bool), np.arange(MONTHS) >= START
    treated[:TREATED] = True
    project = np.outer(treated, after) * 1.0
    other = rng.normal(size=(AREAS, MONTHS))
    level = rng.lognormal(1.0, 0.7, AREAS)[:, None] * np.exp(0.1 * np.sin(np.arange(MONTHS) / 2))
    counts = rng.poisson(level * np.exp(-0.1 * project + 0.05 * other)).astype(float)
    counts[counts.sum(axis=1) == 0, 0] = 1.0  # so that both fit the same cells
    return counts, treated, after, np.arange(AREAS) // PER_UNIT, {"project": project, "other": other}


def against_fepois() -> None:
    """The closed form and the general fit, each against the same model in pyfixest."""
    counts, treated, after, units, covariates = national()
    frame = pd.DataFrame(
        {
            "counts": counts.ravel(),
            **{name: values.ravel() for name, values in covariates.items()},
            "area": np.repeat(np.arange(AREAS), MONTHS),
            "month": np.tile(np.arange(MONTHS), AREAS),
            "unit": np.repeat(units, MONTHS),
        }
    )

    def closed() -> tuple[float, float]:
        found = common_start_ratio(counts, treated, after)
        se = cluster_error(found, units, counted="none").se
        assert found.value is not None
        assert se is not None
        return found.value, se

    def general() -> tuple[float, float]:
        fit = fit_poisson(counts, covariates)
        return fit.coefficient("project"), float(clustered(fit, units, kind="CR1").errors[0])

    def fepois(formula: str, **more: float) -> tuple[float, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # k_fixef is set: without it the error changes with the hash seed (ecosystem.md).
            settings = pyfixest.ssc(k_fixef="none")
            fit = pyfixest.fepois(formula, frame, vcov={"CRV1": "unit"}, ssc=settings, **more)
        return float(fit.coef()["project"]), float(fit.se()["project"])

    for name, ours, columns, repeats, target in (
        ("closed-form Poisson with clustered error", closed, "project", REPEATS, "at least 200"),
        ("general Poisson, two covariates, clustered", general, "project + other", 3, "at least 1"),
    ):
        formula = f"counts ~ {columns} | area + month"
        seconds, answer = timed(ours, repeats)
        peer_seconds, _ = timed(lambda formula=formula: fepois(formula), 1)
        report(name, seconds, peer_seconds, "fepois", own_peak(ours), target)
        tight = fepois(formula, iwls_tol=1e-12, fixef_tol=1e-12)
        assert isinstance(answer, tuple)
        value, se = abs(answer[0] - tight[0]), answer[1] / tight[1]
        if ours is general:  # its CR1 has no (N - 1)/(N - K)
            se *= np.sqrt((counts.size - 1) / (counts.size - 2))
        print(
            f"  differs from fepois at 1e-12 by {value:.1e} (estimate), {abs(se - 1):.1e} (error, relative)"
        )
        if value > EQUAL or abs(se - 1) > EQUAL:
            print(f"  NOT EQUAL to {EQUAL:.0e}")


def against_diff_diff() -> None:
    """Group-time effects of a staggered roll-out, aggregated over event time, against diff-diff."""
    rng = np.random.default_rng(2)
    areas, months = 2_000, 48
    cohorts = np.arange(8) * 4 + 12
    start = np.where(rng.random(areas) < 0.4, -1, rng.choice(cohorts, areas))
    since = np.arange(months) - start[:, None]
    outcome = rng.normal(size=(areas, 1)) + rng.normal(size=(areas, months))
    outcome -= 0.2 * ((since >= 0) & (start[:, None] >= 0))
    frame = pd.DataFrame(
        {
            "outcome": outcome.ravel(),
            "area": np.repeat(np.arange(areas), months),
            "month": np.tile(np.arange(months), areas) + 1,
            # diff-diff's mark of the never treated is 0, and its months begin at 1.
            "first": np.repeat(np.where(start < 0, 0, start + 1), months),
        }
    )

    def ours() -> tuple[float, float]:
        found = aggregate(group_time(rollout(outcome, start)), "simple")
        assert found.overall is not None
        assert found.overall_se is not None
        return found.overall, found.overall_se

    def theirs() -> tuple[float, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = CallawaySantAnna(estimation_method="reg")
            found = model.fit(frame, outcome="outcome", unit="area", time="month", first_treat="first")
        return float(found.overall_att), float(found.overall_se)

    seconds, answer = timed(ours, REPEATS)
    peer_seconds, other = timed(theirs, 3)
    assert isinstance(answer, tuple)
    assert isinstance(other, tuple)
    name = "Callaway-Sant'Anna, 2,000 × 48, 8 cohorts"
    report(name, seconds, peer_seconds, "diff-diff", own_peak(ours), "at least 1")
    print(
        f"  differs by {abs(answer[0] - other[0]):.1e} (estimate) and {abs(answer[1] - other[1]):.1e} (error)"
    )


def main() -> None:
    """Print a line and a difference for each comparison."""
    print(
        f"Python {sys.version.split()[0]}, numpy {np.__version__}, pyfixest {pyfixest.__version__}, "
        f"{AREAS:,} areas × {MONTHS} months, {AREAS // PER_UNIT:,} units"
    )
    against_diff_diff()
    against_fepois()


if __name__ == "__main__":
    main()
