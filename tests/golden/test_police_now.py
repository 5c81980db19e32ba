"""Police Now's published figures, worked by hand; the sources stand beside each number."""

from __future__ import annotations

import math
from typing import Any

import pytest

import whatworks_eval as ww
from whatworks_eval.judgement import Evaluation
from whatworks_eval.shipped import shipped_path

REPORT = "Police Now, Impact and Insights Report 2020/21"


@pytest.fixture(scope="module")
def cohort_2() -> Evaluation:
    """The second cohort: -11.7 % with a participant, -7.2 % without."""
    protocol = ww.load_protocol(shipped_path("designs", "police-now-2016"))
    return ww.evaluate(protocol, ww.load_data(protocol))


def alternative(evaluation: Evaluation, label: str) -> float:
    """The value of the alternative of that label."""
    found = next(other for other in evaluation.alternatives if other.label == label)
    value = found.percent_change.value if found.scale == "log-ratio" else found.value
    assert value is not None
    return value


def test_the_ratio_of_change_factors(cohort_2: Evaluation) -> None:
    """(1 - .117) / (1 - .072) = .883 / .928 = .95151: 4.85 % lower."""
    assert cohort_2.estimate.value == pytest.approx(math.log(0.883 / 0.928), abs=1e-12)
    assert cohort_2.estimate.percent_change.value == pytest.approx(-4.8491, abs=5e-5)


def test_how_far_the_rounding_reaches(cohort_2: Evaluation) -> None:
    """.8825 / .9285 = .95046 and .8835 / .9275 = .95256: 4.7 to 5.0 % lower."""
    assert alternative(cohort_2, "rounding: smallest") == pytest.approx(-4.9542, abs=5e-5)
    assert alternative(cohort_2, "rounding: largest") == pytest.approx(-4.7439, abs=5e-5)


def test_the_points_between_the_two_percentages(cohort_2: Evaluation) -> None:
    """-11.7 less -7.2 is -4.5 points."""
    assert alternative(cohort_2, "points between the two percentage changes") == pytest.approx(-4.5)


def test_no_interval_is_made_up(cohort_2: Evaluation) -> None:
    """Percentages alone hold no error; the reason names the numbers that would."""
    estimate = cohort_2.estimate
    assert (estimate.low, estimate.high, estimate.p_value) == (None, None, None)
    assert "the four counts behind them" in (estimate.why_missing or "")


def test_the_level_is_two_and_need_is_named(cohort_2: Evaluation) -> None:
    """Chosen by need, comparability not shown: level 2, and regression to the mean is said."""
    assert cohort_2.grade.level == 2
    assert "regression.chosen-by-need" in cohort_2.grade.bound_by
    assert "selection.comparability-stated" in cohort_2.grade.bound_by


def test_what_the_report_says_of_itself_is_carried(cohort_2: Evaluation) -> None:
    """Each weakness the report states is a finding with the report as its source, and moves no level."""
    stated = [finding for finding in cohort_2.findings if finding.rule == "analysis.stated-weakness"]
    said = " ".join(finding.message for finding in stated)
    assert {finding.source.key for finding in stated} == {REPORT}
    assert {finding.level_to for finding in stated} == {5}
    for weakness in (
        "no randomised design",
        "other factors were not controlled",
        "cannot be claimed as an outcome",
        "Recording practice can change",
        "beyond their own neighbourhood",
        "unusual outliers",
    ):
        assert weakness in said


def test_the_words_never_sell_it(cohort_2: Evaluation) -> None:
    """4.8 % lower, whatever the cause, with its rounding and the level in one breath."""
    text = ww.render(cohort_2)
    shown = " ".join(text.split())
    for phrase in ("4.8 % lower", "whatever the cause", "4.7 to 5.0 %", "4.5 points", "level 2 of 5"):
        assert phrase in shown
    for word in ("reduced recorded", "proved", "significant", "no effect", "worked"):
        assert word not in shown


@pytest.mark.parametrize(
    ("outcome", "fewer", "percent", "low", "high"),
    [
        ("ASB", 38_772, 14, -14.5, -13.5),
        ("criminal damage and arson", 14_301, 13, -13.8, -12.2),
        ("burglary", 12_460, 16, -16.9, -15.1),
        ("theft", 31_732, 14, -14.5, -13.5),
    ],
)
def test_press_release_of_june_2021(
    outcome: str, fewer: float, percent: float, low: float, high: float
) -> None:
    """Falls without comparison: the Poisson intervals of police_now.md section 5, and never above level 2.

    The release gives how many fewer and the percent; the counts are implied, and carry its rounding.
    """
    before = 100 * fewer / percent
    after = before - fewer
    declared: dict[str, Any] = {
        "schema": 1,
        "id": "press-release-2021",
        "question": f"Did recorded {outcome} fall?",
        "method": "before-after",
        "intervention": {"name": "Police Now", "start": "2016-10", "assignment": "need"},
        "outcome": {"source": "totals", "totals": {"treated": [before, after], "dispersion": 1.0}},
    }
    protocol = ww.protocol_from_dict(declared)
    evaluation = ww.evaluate(protocol, ww.load_data(protocol))
    change = evaluation.estimate.percent_change
    assert change.low == pytest.approx(low, abs=0.05)
    assert change.high == pytest.approx(high, abs=0.05)
    assert evaluation.grade.level <= 2


def test_confidence_of_young_people() -> None:
    """+17 % against +3 %, if both are percent changes: 1.17 / 1.03 = 1.136 (no decimals published)."""
    declared: dict[str, Any] = {
        "schema": 1,
        "id": "confidence-16-24",
        "question": "Did confidence rise?",
        "method": "relative-effect",
        "intervention": {"name": "Police Now, first cohort", "start": "2015-07", "assignment": "need"},
        "outcome": {"source": "published-changes", "changes": {"treated": 17, "comparison": 3}},
    }
    protocol = ww.protocol_from_dict(declared)
    evaluation = ww.evaluate(protocol, ww.load_data(protocol))
    assert evaluation.estimate.ratio.value == pytest.approx(1.17 / 1.03)
    assert alternative(evaluation, "rounding: largest") == pytest.approx(100 * (1.175 / 1.025 - 1))
