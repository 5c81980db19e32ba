"""The rules on real police.uk counts where nothing was done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from whatworks_eval import evaluate, load_data, load_protocol
from whatworks_eval.judgement import Evaluation
from whatworks_eval.panel import Panel
from whatworks_eval.shipped import shipped_path


def evaluated(name: str, data: Path) -> Evaluation:
    """A shipped placebo design on the real files."""
    protocol = load_protocol(shipped_path("designs", name))
    return evaluate(protocol, load_data(protocol, base=data / "police_uk"))


@pytest.fixture(scope="module")
def hot_spots(shared_data: Path) -> Evaluation:
    """Forty of the hundred busiest areas against the rest."""
    return evaluated("hot-spot-placebo", shared_data)


def test_places_chosen_for_need_stay_at_level_two(hot_spots: Evaluation) -> None:
    """Nothing was done there, so no rule may let the fall pass for an effect."""
    assert hot_spots.grade.level == 2
    assert "regression.chosen-by-need" in hot_spots.grade.bound_by
    regression = [finding for finding in hot_spots.caveats if finding.threat == "regression"]
    assert "regression to the mean" in regression[0].message


def test_hot_spots_are_called_unlike_the_rest(hot_spots: Evaluation) -> None:
    """Level is contradicted by the counts themselves, not only by what was declared."""
    caps = {finding.rule: finding.cap for finding in hot_spots.findings}
    assert caps["selection.baseline-level"] == 2


def test_the_fall_is_not_there_against_areas_that_stood_as_high(hot_spots: Evaluation) -> None:
    """Against the rest the hot spots 'fell' by a tenth or so; against level-matched areas they did not."""
    matched = next(other for other in hot_spots.alternatives if other.label == "level-matched areas")
    assert hot_spots.estimate.percent_change.value is not None
    assert matched.percent_change.value is not None
    assert -16 < hot_spots.estimate.percent_change.value < -8
    assert not matched.excludes_zero
    assert abs(matched.percent_change.value) < abs(hot_spots.estimate.percent_change.value) / 2


def test_the_very_highest_areas_are_outside_the_range_of_the_rest(
    hot_spots: Evaluation, shared_data: Path
) -> None:
    """Nothing in the comparison shows what the forty highest of all would have done."""
    protocol = hot_spots.protocol
    panel = load_data(protocol, base=shared_data / "police_uk")
    assert isinstance(panel, Panel)
    year = [period.startswith("2018") for period in panel.periods]
    highest = np.argsort(-np.nansum(panel.counts[:, year], axis=1))[:40]
    assert protocol.areas is not None
    areas = protocol.areas.model_copy(update={"treated": tuple(sorted(panel.areas[at] for at in highest))})
    found = evaluate(protocol.model_copy(update={"areas": areas}), panel).findings
    assert next(one for one in found if one.rule == "selection.outside-range").cap == 2


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
