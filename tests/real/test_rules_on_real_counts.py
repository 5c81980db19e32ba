"""The rules on real police.uk counts where nothing was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from whatworks_eval import evaluate, load_data, load_protocol
from whatworks_eval.judgement import Evaluation
from whatworks_eval.shipped import shipped_path


def evaluated(name: str, data: Path) -> Evaluation:
    """A shipped placebo design on the real files."""
    protocol = load_protocol(shipped_path("designs", name))
    return evaluate(protocol, load_data(protocol, base=data / "police_uk"))


@pytest.fixture(scope="module")
def hot_spots(shared_data: Path) -> Evaluation:
    """The forty busiest areas against the rest."""
    return evaluated("hot-spot-placebo", shared_data)


def test_places_chosen_for_need_stay_at_level_two(hot_spots: Evaluation) -> None:
    """Nothing was done there, so no rule may let the fall pass for an effect."""
    assert hot_spots.grade.level == 2
    assert "regression.chosen-by-need" in hot_spots.grade.bound_by
    regression = [finding for finding in hot_spots.caveats if finding.threat == "regression"]
    assert "regression to the mean" in regression[0].message


def test_the_busiest_areas_are_called_unlike_the_rest(hot_spots: Evaluation) -> None:
    """Level and range are contradicted by the counts themselves, not only by what was declared."""
    caps = {finding.rule: finding.cap for finding in hot_spots.findings}
    assert caps["selection.baseline-level"] == 2
    assert caps["selection.outside-range"] == 2


def test_random_clumps_are_not_called_broken(shared_data: Path) -> None:
    """An honest placebo is held back by what was declared, not by a defect that is not there."""
    found = evaluated("placebo-avon-and-somerset", shared_data).findings
    evidence = [finding for finding in found if finding.kind == "caveat" and finding.cap == 2]
    assert [finding.rule for finding in evidence] == []


def test_rows_without_a_location_are_measured(shared_data: Path) -> None:
    """All anti-social behaviour of Avon and Somerset is located; the share is nought, not unknown."""
    found = evaluated("placebo-avon-and-somerset", shared_data).findings
    unlocated = next(finding for finding in found if finding.rule == "recording.unlocated")
    assert unlocated.kind == "clear"
    assert unlocated.evidence[0].value == pytest.approx(0.0, abs=0.1)
