"""A small seeded part of the calibration benchmark, on real counts where nothing was done."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from scipy.stats import binom

DRAWS = 150
FALSE_ALARM = 0.001  # chance that a rate at the edge of its band fails this test


@pytest.fixture(scope="module")
def calibration() -> ModuleType:
    """The benchmark itself."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "calibration.py"
    spec = importlib.util.spec_from_file_location("calibration", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["10 scattered", "clump of 10", "4 wards", "10 from top tenth, matched"])
def test_a_true_null_is_rejected_one_time_in_twenty(
    calibration: ModuleType, shared_data: Path, shape: str
) -> None:
    """Rejections lie within the band of DESIGN 6, and a planted fall is covered, to binomial tolerance."""
    cell = next(
        cell
        for cell in calibration.cells()
        if (cell.shape, cell.force, cell.offence) == (shape, "Avon & Somerset", "ASB")
    )
    found = calibration.run_cell((cell, shared_data, DRAWS))
    low, high = calibration.BANDS[calibration.SHAPES[shape][0]]
    rejected = round(found["rejection"] * DRAWS / 100)
    covered = round(found["coverage"] * DRAWS / 100)
    assert rejected <= binom.ppf(1 - FALSE_ALARM, DRAWS, high / 100)
    assert rejected >= binom.ppf(FALSE_ALARM, DRAWS, low / 100)
    assert covered >= binom.ppf(FALSE_ALARM, DRAWS, calibration.LEAST_COVERAGE / 100)
    assert found["refused"] == 0
    # the usual interval would have failed the same test many times over
    assert found["others"]["Poisson"][0] > 10
