"""The synthetic comparison on real counts where nothing was done: a small seeded part of the benchmark."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "benchmarks"))

from synthetic_calibration import real

DRAWS = 30


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["1 scattered", "clump of 10"])
def test_a_true_null_is_kept_and_a_planted_fall_covered(shared_data: Path, shape: str) -> None:
    """Gwent, all crime: 6 of 30 rejected at most (7 have a chance of 0.6 % at 7.5 %), 24 covered at least."""
    found = real("Gwent", "all crime", shape, shared_data, DRAWS)
    assert found["refused"] == 0
    assert found["rejected"] <= 100 * 6 / DRAWS
    assert found["covered"] >= 100 * 24 / DRAWS
