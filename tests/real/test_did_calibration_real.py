"""A small seeded part of the did calibration, on real counts where nothing was done and on simulated ones."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
from scipy.stats import binom

DRAWS = 60
FALSE_ALARM = 0.001  # chance that a rate at the edge of its band fails this test
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def modules() -> tuple[ModuleType, ModuleType]:
    """The benchmark and its page writer."""
    sys.path.insert(0, str(BENCHMARKS))
    return importlib.import_module("did_calibration"), importlib.import_module("did_calibration_page")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("force", "outcome", "shape"),
    [
        ("Avon & Somerset", "rate", "10 scattered"),
        ("Avon & Somerset", "ratio", "2 + 2 + 2 clumps of 4"),
        ("simulated", "mean", "3 + 3 scattered"),
    ],
)
def test_a_true_null_is_rejected_one_time_in_twenty(
    modules: tuple[ModuleType, ModuleType], shared_data: Path, force: str, outcome: str, shape: str
) -> None:
    """At most as often as the band allows, to binomial tolerance, and a planted fall is covered."""
    calibration, page = modules
    cell = next(
        cell
        for cell in calibration.CELLS
        if (cell.force, cell.outcome, cell.shape) == (force, outcome, shape)
    )
    found = calibration.run_cell((cell, shared_data, DRAWS))
    _, high = page.BANDS[cell.kind]
    assert round(found["rejection"] * DRAWS / 100) <= binom.ppf(1 - FALSE_ALARM, DRAWS, high / 100)
    assert round(found["coverage"] * DRAWS / 100) >= binom.ppf(FALSE_ALARM, DRAWS, page.LEAST_COVERAGE / 100)
    assert found["refused"] == 0


def test_the_page_holds_every_cell_and_calls_none_liberal(modules: tuple[ModuleType, ModuleType]) -> None:
    """docs/explanation/did-calibration.md has a row a cell, and no row is liberal or covers too little."""
    calibration, page = modules
    text = (BENCHMARKS.parent / "docs" / "explanation" / "did-calibration.md").read_text("utf-8")
    rows = [
        [part.strip() for part in line.strip("|").split("|")] for line in text.splitlines() if "| " in line
    ][1:]
    shown = {(row[0], row[2], row[3]) for row in rows}
    assert {(cell.force, page.OUTCOMES[cell.outcome], cell.shape) for cell in calibration.CELLS} <= shown
    assert not {"liberal", "covers too little"} & {row[7] for row in rows if len(row) > 7}
