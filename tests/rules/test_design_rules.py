"""Each design rule: a protocol that it caveats, one that it clears, one that it cannot assess."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from cases import design, published_design, totals_design
from match_cases import MATCH_DESIGNS
from survey_cases import SURVEY_DESIGNS

from whatworks_eval.caveats import DESIGN_RULES, ask_design, find_rule
from whatworks_eval.judgement import BEST_LEVEL, DesignRule, Finding, Verdict

NO_COMPARISON = {"areas": {"comparison": None}, "method": "before-after"}
SERIES = {"method": "interrupted-time-series"}
NO_COMPARISON_AREAS = {"areas": {"comparison": None}}
LONG = {"windows": {"before": ["2017-01", "2018-12"]}}
RANDOM = {"intervention": {"assignment": "random"}}
HELD_STILL = {
    "method": "did",
    "did": {"series": {"footfall": {"path": "footfall.csv"}}, "adjust_for": ["footfall"]},
}
ADJUSTED = {
    "method": "did",
    "did": {"adjust_for": ["in_work"]},
    "covariates": {"in_work": {"path": "work.csv"}},
}
BY_START = {"file": "areas.csv", "start": "start"}
NEED = {"intervention": {"assignment": "need"}}


def change(arm: str, start: str = "2019-01") -> dict[str, Any]:
    """A protocol change: one declared recording change."""
    return {"context": {"recording_changes": [{"what": "new crime system", "start": start, "arm": arm}]}}


def attrition(percent: float | None, as_assigned: bool | None) -> dict[str, Any]:
    """A random design with what became of its units."""
    return {**RANDOM, "context": {"attrition_percent": percent, "analysed_as_assigned": as_assigned}}


# rule, change to the sound design, kind, cap
CASES: list[tuple[str, Mapping[str, Any], str, int]] = [
    ("selection.no-comparison", NO_COMPARISON, "caveat", 2),
    ("selection.no-comparison", {"method": "before-after"}, "caveat", 2),
    ("selection.no-comparison", {}, "clear", 5),
    ("selection.not-random", {}, "caveat", 4),
    ("selection.not-random", {"intervention": {"assignment": "phased"}}, "caveat", 4),
    ("selection.not-random", NEED, "caveat", 4),
    ("selection.not-random", {"intervention": {"assignment": "cutoff"}}, "caveat", 4),
    ("selection.not-random", RANDOM, "clear", 5),
    ("selection.not-adjusted", {}, "caveat", 3),
    ("selection.not-adjusted", {"areas": {"comparison": "matched"}}, "clear", 5),
    ("selection.not-adjusted", RANDOM, "clear", 5),
    ("selection.not-adjusted", ADJUSTED, "clear", 5),
    ("selection.not-adjusted", HELD_STILL, "caveat", 3),
    ("selection.not-adjusted", {**ADJUSTED, "areas": {"treated": BY_START}}, "caveat", 3),
    ("analysis.unit-not-stated", {"areas": {"unit": None}}, "caveat", 5),
    ("analysis.unit-not-stated", {}, "clear", 5),
    (
        "analysis.unit-not-stated",
        {"areas": {"unit": None, "treated": {"file": "a.csv", "column": "lsoa", "unit": "beat"}}},
        "clear",
        5,
    ),
    ("analysis.unregistered", {"registered": None}, "caveat", 3),
    ("analysis.unregistered", {"registered": "2019-01-02"}, "caveat", 3),
    ("analysis.unregistered", {"registered": "2019-01-01"}, "clear", 5),
    ("history.calendar-months", {"windows": {"after": ["2019-01", "2019-06"]}}, "caveat", 5),
    ("history.calendar-months", {"windows": {"before": ["2017-01", "2018-12"]}}, "clear", 5),
    ("history.short-before", {"windows": {"before": ["2018-02", "2018-12"]}}, "caveat", 3),
    ("history.short-before", {}, "clear", 5),
    ("history.seasonal-windows", {**SERIES, **NO_COMPARISON_AREAS}, "caveat", 5),
    ("history.seasonal-windows", {**SERIES, **NO_COMPARISON_AREAS, **LONG}, "clear", 5),
    ("history.seasonal-windows", SERIES, "clear", 5),
    ("history.seasonal-windows", {**SERIES, "windows": {"after": ["2019-01", "2019-06"]}}, "caveat", 5),
    ("selection.two-series", SERIES, "caveat", 3),
    ("history.covid", {"windows": {"after": ["2019-04", "2020-03"]}}, "caveat", 3),
    (
        "history.covid",
        {"windows": {"before": ["2021-07", "2022-06"], "after": ["2022-07", "2023-06"]}},
        "caveat",
        3,
    ),
    (
        "history.covid",
        {"windows": {"before": ["2021-08", "2022-07"], "after": ["2022-08", "2023-07"]}},
        "clear",
        5,
    ),
    ("history.covid", {"windows": {"after": ["2019-03", "2020-02"]}}, "clear", 5),
    ("history.other-programmes", {"context": {"other_programmes": ["street lighting"]}}, "caveat", 5),
    ("history.other-programmes", {}, "clear", 5),
    ("history.other-programmes", {"context": {"other_programmes": None}}, "not assessed", 5),
    ("recording.declared-change", change("treated"), "caveat", 2),
    ("recording.declared-change", change("comparison"), "caveat", 2),
    ("recording.declared-change", change("both"), "caveat", 5),
    ("recording.declared-change", {**NO_COMPARISON, **change("both")}, "caveat", 2),
    ("recording.declared-change", change("treated", "2018-01"), "clear", 5),
    ("recording.declared-change", change("treated", "2020-01"), "clear", 5),
    ("recording.declared-change", {}, "clear", 5),
    ("recording.declared-change", {"context": {"recording_changes": None}}, "not assessed", 5),
    ("recording.detection-driven", {"outcome": {"offences": ["Burglary", "Drugs"]}}, "caveat", 5),
    ("recording.detection-driven", {"outcome": {"source": "police-uk", "offences": None}}, "caveat", 5),
    ("recording.detection-driven", {}, "clear", 5),
    ("recording.detection-driven", {"outcome": {"offences": None}}, "not assessed", 5),
    ("reporting.expected-change", {"context": {"reporting_change_expected": "up"}}, "caveat", 2),
    ("reporting.expected-change", {"context": {"reporting_change_expected": "down"}}, "caveat", 2),
    ("reporting.expected-change", {}, "clear", 5),
    ("reporting.expected-change", {"context": {"reporting_change_expected": None}}, "not assessed", 5),
    ("regression.chosen-by-need", NEED, "caveat", 2),
    ("regression.chosen-by-need", {**NEED, **NO_COMPARISON}, "caveat", 2),
    ("regression.chosen-by-need", {**NEED, "areas": {"comparison": ["B"]}}, "caveat", 5),
    ("regression.chosen-by-need", {**NEED, "areas": {"comparison": "matched"}}, "clear", 5),
    ("regression.chosen-by-need", {"intervention": {"assignment": "cutoff"}}, "caveat", 5),
    ("regression.chosen-by-need", {}, "clear", 5),
    ("displacement.no-buffer", {"areas": {"buffer": None}}, "caveat", 5),
    ("displacement.no-buffer", {}, "clear", 5),
    (
        "displacement.comparison-touched",
        {"context": {"comparison_touched": "two officers moved"}},
        "caveat",
        3,
    ),
    ("displacement.comparison-touched", {}, "clear", 5),
    ("displacement.comparison-touched", {"context": {"comparison_touched": None}}, "not assessed", 5),
    ("implementation.evaluator", {"context": {"evaluator": "provider"}}, "caveat", 5),
    ("implementation.evaluator", {"context": {"evaluator": "funder"}}, "caveat", 5),
    ("implementation.evaluator", {}, "clear", 5),
    ("implementation.evaluator", {"context": {"evaluator": None}}, "not assessed", 5),
    ("implementation.delivery", {"context": {"delivery": ""}}, "caveat", 5),
    ("implementation.delivery", {}, "clear", 5),
    ("implementation.delivery", {"context": {"delivery": None}}, "not assessed", 5),
    ("implementation.attrition", attrition(10.1, True), "caveat", 4),
    ("implementation.attrition", attrition(0.0, False), "caveat", 4),
    ("implementation.attrition", attrition(10.0, True), "clear", 5),
    ("implementation.attrition", attrition(None, True), "not assessed", 4),
    ("implementation.attrition", attrition(0.0, None), "not assessed", 4),
]
HARM = {"outcome": {"source": "police-uk", "offences": ["Burglary"], "harm": "CCHI 2026"}}
CASES += [("analysis.harm-weights", HARM, "caveat", 5)]
CASES += SURVEY_DESIGNS
CASES += MATCH_DESIGNS
TOTALS: list[tuple[str, Mapping[str, Any], str, int]] = [
    ("selection.comparability-stated", {}, "not assessed", 2),
    ("selection.comparability-stated", {"context": {"comparability": "twin towns"}}, "not assessed", 3),
    ("selection.comparability-stated", RANDOM, "not assessed", 3),
    ("selection.no-comparison", {"outcome": {"totals": {"comparison": None}}}, "caveat", 2),
    ("regression.chosen-by-need", NEED, "caveat", 2),
    ("analysis.unit-not-stated", {}, "caveat", 5),
    ("analysis.unit-not-stated", {"outcome": {"totals": {"treated_units": 8}}}, "clear", 5),
    ("history.short-before", {"windows": None}, "not assessed", 3),
    ("history.covid", {"windows": None}, "not assessed", 3),
    ("history.calendar-months", {"windows": None}, "not assessed", 5),
    ("displacement.no-buffer", {}, "caveat", 5),
    ("displacement.no-buffer", {"outcome": {"totals": {"buffer": [40, 35]}}}, "clear", 5),
]


def only(judged: object) -> Verdict:
    """The one verdict of a rule."""
    assert isinstance(judged, Verdict)
    return judged


@pytest.mark.parametrize(("rule_id", "changes", "kind", "cap"), CASES)
def test_rule_on_counts_by_area(rule_id: str, changes: Mapping[str, Any], kind: str, cap: int) -> None:
    """The rule says what it should of a design with counts by area."""
    rule = find_rule(rule_id)
    assert isinstance(rule, DesignRule)
    verdict = only(rule.judge(design(changes)))
    assert (verdict.kind, verdict.cap) == (kind, cap)


@pytest.mark.parametrize(("rule_id", "changes", "kind", "cap"), TOTALS)
def test_rule_on_totals(rule_id: str, changes: Mapping[str, Any], kind: str, cap: int) -> None:
    """The rule says what it should of a design with four totals."""
    rule = find_rule(rule_id)
    assert isinstance(rule, DesignRule)
    verdict = only(rule.judge(totals_design(changes)))
    assert (verdict.kind, verdict.cap) == (kind, cap)


def test_every_design_rule_has_a_case_that_is_not_clear() -> None:
    """No rule can be broken without a test noticing."""
    tested = {rule_id for rule_id, _, kind, _ in (*CASES, *TOTALS) if kind != "clear"}
    assert tested | {"analysis.stated-weakness"} == {rule.id for rule in DESIGN_RULES}


def found(protocol_findings: tuple[Finding, ...]) -> dict[str, Finding]:
    """Findings by rule; the last of several."""
    return {finding.rule: finding for finding in protocol_findings}


@pytest.mark.parametrize("rule_id", ["selection.not-adjusted", "selection.comparability-stated"])
def test_questions_about_a_comparison_do_not_arise_without_one(rule_id: str) -> None:
    """A before-after is not asked whether its comparison was matched or alike."""
    assert rule_id not in found(ask_design(design(NO_COMPARISON)))


def test_what_is_adjusted_for_is_named_and_is_not_said_of_an_answer_it_leaves_alone() -> None:
    """With several starts the adjusted estimate stands beside the registered one, which the cap is for."""
    own = found(ask_design(design(ADJUSTED)))["selection.not-adjusted"]
    assert own.message.endswith("and the answer is adjusted for in work.")
    beside = found(ask_design(design(ADJUSTED, {"areas": {"treated": BY_START}})))
    assert beside["selection.not-adjusted"].message.endswith(
        "an estimate beside it is adjusted for in work, this one is not."
    )
    months = found(ask_design(design(HELD_STILL)))["selection.not-adjusted"]
    assert months.message.endswith("footfall is held still, which tells months apart rather than places.")


def test_attrition_is_asked_of_random_designs_only() -> None:
    """Where nothing was allocated, nobody can be lost after allocation."""
    assert "implementation.attrition" not in found(ask_design(design()))


def test_stated_weaknesses_are_carried_with_their_own_threat_and_source() -> None:
    """Each weakness a publication states becomes a finding under its own threat and source."""
    weaknesses = [
        {
            "threat": "selection",
            "says": "Communities were unusual outliers.",
            "source": "Impact report, page 9",
        },
        {"threat": "recording", "says": "Recording can change", "source": "Impact report, page 10"},
    ]
    asked = ask_design(published_design({"context": {"weaknesses": weaknesses}}))
    stated = [finding for finding in asked if finding.rule == "analysis.stated-weakness"]
    assert [finding.threat for finding in stated] == ["selection", "recording"]
    assert [finding.source.key for finding in stated] == ["Impact report, page 9", "Impact report, page 10"]
    assert all(finding.level_to == BEST_LEVEL for finding in stated)
    assert "unusual outliers." in stated[0].message


def test_a_publication_that_states_no_weakness_has_no_such_finding() -> None:
    """Silence is not turned into a finding."""
    assert "analysis.stated-weakness" not in found(ask_design(published_design()))


def test_reporting_messages_say_which_way_the_answer_would_be_wrong() -> None:
    """More reporting hides a fall; less reporting looks like one."""
    up = found(ask_design(design({"context": {"reporting_change_expected": "up"}})))
    down = found(ask_design(design({"context": {"reporting_change_expected": "down"}})))
    assert "hide a fall" in up["reporting.expected-change"].message
    assert "look like a fall" in down["reporting.expected-change"].message


def test_a_sound_non_random_design_may_reach_level_three() -> None:
    """Nothing but the lack of matching holds it there."""
    asked = ask_design(design())
    assert min(finding.level_to for finding in asked) == 3
    assert [finding.rule for finding in asked if finding.level_to == 3] == ["selection.not-adjusted"]


def test_a_sound_random_design_may_reach_level_five() -> None:
    """No design rule caps it."""
    assert all(finding.level_to == BEST_LEVEL for finding in ask_design(design(attrition(4.0, True))))


def test_weeks_and_days_are_measured_in_months() -> None:
    """Fifty-two weeks are a year; fifty-one are not; the same weeks of two years match."""
    weeks = {
        "period": "week",
        "intervention": {"start": "2019-W01"},
        "windows": {"before": ["2018-W01", "2018-W52"], "after": ["2019-W01", "2019-W52"]},
    }
    year = found(ask_design(design(weeks)))
    short = found(ask_design(design(weeks, {"windows": {"before": ["2018-W02", "2018-W52"]}})))
    assert year["history.short-before"].kind == "clear"
    assert year["history.calendar-months"].kind == "clear"
    assert short["history.short-before"].kind == "caveat"


@pytest.mark.parametrize(("day", "kind"), [(date(2018, 12, 31), "clear"), (date(2019, 1, 15), "caveat")])
def test_registration_is_judged_against_the_first_day_of_the_project(day: date, kind: str) -> None:
    """A date inside the first month of the project is too late."""
    asked = found(ask_design(design({"registered": day.isoformat()})))
    assert asked["analysis.unregistered"].kind == kind
