"""Matching in the loop on real counts: a small seeded part of benchmarks/matching_calibration.py."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent.parent / "benchmarks"
DRAWS = 24
FORCE, OFFENCE, TOP = "Avon & Somerset", "ASB", "from the top tenth"


@pytest.fixture(scope="module")
def run(shared_data: Path) -> Any:
    """The benchmark's own cell runner."""
    sys.path.insert(0, str(BENCHMARKS))
    matching_calibration = importlib.import_module("matching_calibration")

    def cell(matching: str, selection: str = TOP, size: int = 20) -> dict[str, Any]:
        asked = matching_calibration.Cell(FORCE, OFFENCE, selection, matching, size)
        found: dict[str, Any] = matching_calibration.run_cell(asked, shared_data, DRAWS)
        return found

    yield cell
    sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize("matching", ["level", "level and IMD", "optimal", "entropy", "propensity"])
def test_matching_on_the_level_takes_out_regression_to_the_mean(run: Any, matching: str) -> None:
    """Areas from the top tenth fall by 5 to 14 % against all others, nothing done; against their like, not.

    24 draws of 20 areas know the bias to about 7 points (95 %), so that is the tolerance; at most 5 nulls of
    24 are rejected (a true 5 % seldom gives more).
    """
    found = run(matching)
    plain = 100 * (found["unmatched_change"][0] / found["unmatched_change"][1] - 1)
    bias = 100 * (found["recorded"] / found["expected"] - 1)
    assert -14 < plain < -5
    assert abs(bias) < 7
    assert bias > plain + 3
    assert found["rejected"] <= 5
    assert found["covered"] >= found["tests"] - 5


def test_matched_on_deprivation_alone_it_stays_and_the_tool_says_so(run: Any) -> None:
    """The draw evaluated whole is level 2, and regression.deprivation-alone names the reason."""
    found = run("IMD alone")
    bias = 100 * (found["recorded"] / found["expected"] - 1)
    assert bias < -5
    assert [one["level"] for one in found["levels"]] == [2]
    assert "regression.deprivation-alone" in found["levels"][0]["regression"]
