"""How long matching takes and how much memory, simulated; the assignment against SciPy's own in one run.

    python benchmarks/matching.py

Targets (issue 5): 3,000 treated × 33,000 pool by 'nearest' below 5 s and 1 GiB; 200 × 2,000 by 'optimal'
below 0.1 s. Wall time is what a user waits; processor time is what is left of it on a busy machine.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from whatworks_eval.matching.distances import mahalanobis
from whatworks_eval.matching.match import match
from whatworks_eval.matching.support import support

FEATURES = 5
NAMES = [f"feature {at}" for at in range(FEATURES)]
LARGE: tuple[dict[str, Any], ...] = (
    {"per_treated": 3},
    {"per_treated": 3, "distance": "robust"},
    {"per_treated": 3, "distance": "propensity"},
    {"per_treated": 3, "caliper": 0.25},
    {"replacement": False},
    {"replacement": False, "per_treated": 3},
    {"algorithm": "entropy"},
)


def areas(treated: int, pool: int, *, whole: bool = False) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Features like those of LSOAs, the treated higher in each; the first a count if `whole`."""
    rng = np.random.default_rng(1)
    features = np.vstack([rng.normal(0.7, 1, (treated, FEATURES)), rng.normal(0, 1, (pool, FEATURES))])
    features[:, 0] = np.exp(0.7 * features[:, 0] + 2.3)
    if whole:
        features[:, :2] = np.round(features[:, :2])
    return features, np.arange(treated + pool) < treated


def seconds(repeats: int, work: Callable[..., object], *given: Any, **options: Any) -> tuple[float, float]:
    """Median wall and processor seconds."""
    wall, busy = [], []
    for _ in range(repeats):
        starts = time.perf_counter(), time.process_time()
        work(*given, **options)
        wall.append(time.perf_counter() - starts[0])
        busy.append(time.process_time() - starts[1])
    return statistics.median(wall), statistics.median(busy)


def assignment_alone(place: NDArray[np.float64], arms: NDArray[np.bool_], each: int) -> object:
    """What SciPy does once areas have places."""
    return linear_sum_assignment(np.tile(cdist(place[arms], place[~arms]), (each, 1)))


def support_of(features: NDArray[np.float64], arms: NDArray[np.bool_]) -> object:
    """Treated areas beyond the pool."""
    return support(features, mahalanobis(features, ~arms, NAMES), arms, ~arms, NAMES)


def said(what: str, took: tuple[float, float], more: str = "") -> None:
    """Print one line."""
    print(f"{what}: {took[0]:.3f} s, processor {took[1]:.3f} s, {peak():.2f} GiB at most so far{more}")


def peak() -> float:
    """The most memory this process has held, GiB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / 2**30 if sys.platform == "darwin" else size / 2**20


def main() -> None:
    """Print one line a measurement."""
    features, arms = areas(200, 2_000)
    match(features[:300], arms[:300], names=NAMES)  # imports
    place = mahalanobis(features, ~arms, NAMES).at
    for each in (1, 3):
        took = seconds(9, match, features, arms, names=NAMES, algorithm="optimal", per_treated=each)
        bare = seconds(9, assignment_alone, place, arms, each)
        more = f", {took[1] / bare[1]:.2f} × SciPy's assignment alone"
        said(f"200 × 2,000 optimal, {each} each", took, more)
    took = seconds(1, match, features, arms, names=NAMES, algorithm="cardinality", tolerance=0.05)
    said("200 × 2,000 cardinality", took)
    features, arms = areas(3_000, 33_000)
    for way in LARGE:
        said(f"3,000 × 33,000 {way}", seconds(1, match, features, arms, names=NAMES, **way))
    said("3,000 × 33,000 support", seconds(1, support_of, features, arms))
    features, arms = areas(3_000, 33_000, whole=True)
    for way in (LARGE[0], LARGE[4]):
        took = seconds(1, match, features[:, :2], arms, names=NAMES[:2], **way)
        said(f"3,000 × 33,000 counts with many ties {way}", took)


if __name__ == "__main__":
    main()
