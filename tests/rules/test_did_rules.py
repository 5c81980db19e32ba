"""Rules of difference-in-differences: when each fires, is clear, or cannot tell, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from did_cases import (
    DID_CASES,
    MANY,
    SMALL,
    common,
    did_case,
    part_of_all,
    silent,
    together,
    unlike_levels,
    unrecorded,
    without_places,
)
from effect_cases import case_through
from rollouts import SIDE, design, panel_of
from scipy.stats import binom

import whatworks_eval as ww
from whatworks_eval.caveats import find_rule
from whatworks_eval.caveats.applies import ROLLED_OUT
from whatworks_eval.caveats.wording import percent
from whatworks_eval.judgement import Case, EvidenceRule, Judged, Verdict
from whatworks_eval.panel import Panel

CLEAN, DRAWS = 60, 25
LUCK = 0.001  # chance that a rule which keeps its promise fails the test of it


def judged(rule_id: str, case: Case) -> Judged:
    """What a rule says, None included."""
    rule = find_rule(rule_id)
    assert isinstance(rule, EvidenceRule)
    return rule.judge(case)


def said(rule_id: str, case: Case) -> Verdict:
    """The one verdict of a rule."""
    found = judged(rule_id, case)
    assert isinstance(found, Verdict)
    return found


def hours(folder: Path) -> Case:
    """A design that asks for the effect of one more hour."""
    panel = panel_of(areas=SMALL, treated=MANY)
    dose = np.zeros(panel.counts.shape)
    dose[:MANY, 12:] = np.random.default_rng(1).uniform(2, 9, (MANY, 12))
    rows = [
        f"{area},{period},{value:.3f}"
        for area, row in zip(panel.areas, dose, strict=True)
        for period, value in zip(panel.periods, row, strict=True)
    ]
    (folder / "hours.csv").write_text("area,period,value\n" + "\n".join(rows) + "\n", encoding="utf-8")
    sections = {"did": {"series": {"hours": {"path": "hours.csv"}}, "dose": "hours"}}
    return did_case(panel, folder, treated=MANY, **sections)


@pytest.mark.parametrize(
    ("rule_id", "make", "kind", "cap", "part"),
    DID_CASES,
    ids=[f"{case[0]}-{case[2]}-{number}" for number, case in enumerate(DID_CASES)],
)
def test_each_rule_says_what_it_should(
    rule_id: str, make: Callable[[], Case], kind: str, cap: int, part: str
) -> None:
    """The kind of verdict, its cap, and the words that matter."""
    found = said(rule_id, make())
    assert (found.kind, found.cap) == (kind, cap), found.message
    assert part in found.message


def test_every_rule_of_the_method_fires_and_is_clear_here() -> None:
    """No rule asked of did alone is without a firing and a clear case."""
    from whatworks_eval.caveats import EVIDENCE_RULES

    own = {rule.id for rule in EVIDENCE_RULES if rule.applies_to is ROLLED_OUT}
    assert len(own) == 11
    for kind in ("caveat", "clear"):
        assert own <= {case[0] for case in DID_CASES if case[2] == kind}


@pytest.mark.parametrize(
    ("rule_id", "make"),
    [
        ("analysis.forbidden-comparisons", common),
        ("chance.single-area-cohorts", common),
        ("analysis.no-information", lambda: common(linear=True)),
        ("displacement.neighbour-exposure", lambda: did_case(without_places(panel_of()))),
        ("analysis.functional-form", lambda: did_case(panel_of(), outcome={"kind": "rate"})),
    ],
)
def test_a_question_that_does_not_arise_is_not_answered(rule_id: str, make: Callable[[], Case]) -> None:
    """Cohorts without cohorts, zeros without a ratio, neighbours without a map: no verdict."""
    assert judged(rule_id, make()) is None


def test_a_dose_rests_on_its_clustered_error(tmp_path: Path) -> None:
    """Where the interval is a clustered error, the rule on few units says that it may be too narrow."""
    case = hours(tmp_path)
    assert "may still be too narrow" in said("chance.few-clusters", case).message


NOT_FOR_A_DOSE = (
    "selection.pre-trend",
    "selection.differing-trends",
    "selection.composition",
    "analysis.no-information",
    "analysis.functional-form",
    "chance.spatial-correlation",
)


def test_what_is_not_built_for_a_dose_is_said_not_to_be_assessed(tmp_path: Path) -> None:
    """Nothing follows a dose through time: each check that needs it says so, and none is silently passed."""
    case = hours(tmp_path)
    assert case.over_time is None
    for rule_id in NOT_FOR_A_DOSE:
        found = said(rule_id, case)
        assert (found.kind, found.cap) == ("not assessed", 5)
        assert "not built for a dose, which has no single start" in found.message
    assert case.windowed is not None
    gone = dict.fromkeys(case.windowed.areas[MANY : MANY + 20], "3 of the 12 periods are missing")
    lost = replace(case, windowed=replace(case.windowed, areas_dropped=gone))
    found = said("selection.composition", lost)
    assert (found.kind, found.cap) == ("caveat", 4)


def test_the_weak_check_says_both_numbers() -> None:
    """The trend that could hide is set against the effect, in the same unit."""
    case = common()
    assert case.over_time is not None
    assert case.over_time.event_study is not None
    pretrend = case.over_time.event_study.pretrend
    message = said("selection.pre-trend", case).message
    bias = abs(pretrend.bias_most)
    down, up = (percent(100 * np.expm1(end), 0) for end in (-bias, bias))
    assert f"come to a change of {down} or +{up}, and the effect estimated is" in message
    assert pretrend.bias_half < pretrend.bias_most


@pytest.mark.parametrize(("treated", "seed"), [(8, 1), (30, 1), (12, 2)])
def test_the_clustered_interval_is_held_against_the_one_reported(treated: int, seed: int) -> None:
    """How wide it is beside the other is read off the two, and no date makes it 'registered'."""
    case = common(treated=treated, seed=seed)
    (beside,) = (one for one in case.alternatives if one.label == "error clustered by unit")
    own = case.estimate
    width = 100 * (beside.high - beside.low) / (own.high - own.low)
    message = said("chance.few-clusters", case).message
    assert f"an interval {width:.0f} % as wide as the one reported" in message
    assert "registered" not in message
    assert ("may be too narrow" in message) == (round(width) < 100)
    assert ("but not narrower here" in message) == (round(width) >= 100)


def test_months_left_out_on_purpose_are_told_and_are_not_missing() -> None:
    """Two months of anticipation leave with their counterparts, said as such; a month lost is missing."""
    case = did_case(panel_of(), did={"anticipation": 2})
    found = said("recording.missing-periods", case)
    assert (found.kind, found.message) == ("clear", "No period and no row is missing.")
    assert case.windowed is not None
    dropped = case.windowed.periods_dropped
    assert set(dropped) == {"2018-11", "2018-12", "2019-11", "2019-12"}
    assert dropped["2019-12"] == "counterpart of 2018-12, which is left out (did.anticipation)"
    lost = unrecorded(panel_of(), range(SIDE * SIDE), slice(0, 1))
    short = said("recording.missing-periods", did_case(lost, did={"anticipation": 2}))
    assert "10 % (months of the before window missing or dropped)" in short.message


def test_areas_left_out_are_missing_too() -> None:
    """Where areas had to leave, 'nothing is missing' is said of the areas used and the rest are counted."""
    message = said("recording.missing-periods", part_of_all(0.2)).message
    assert message == (
        "No period and no row is missing, in the areas used; 20.1 % of areas are left out since counts are "
        "missing."
    )


def test_zero_cells_speaks_of_the_totals_alone() -> None:
    """A treated area that recorded nothing is a count of zero; the four totals are not."""
    case = did_case(silent(panel_of(), [3], slice(None)))
    assert said("chance.zero-cells", case).message == "Each of the four totals of the table is above zero."


def test_the_rules_reach_the_evaluation_and_the_level() -> None:
    """What is tested here is what `evaluate` says: the same findings, and the caps in the level."""
    panel = panel_of(drift=0.03, level=30.0)
    evaluation = ww.evaluate(design(), panel)
    by_rule = {finding.rule: finding for finding in evaluation.findings}
    case = did_case(panel)
    for rule_id in {case[0] for case in DID_CASES}:
        found = judged(rule_id, case)
        assert (by_rule[rule_id].message if found is not None else None) == (
            found.message if isinstance(found, Verdict) else None
        ) or (rule_id not in by_rule and found is None)
    assert evaluation.grade.level <= by_rule["selection.pre-trend"].level_to == 2


def clean(seed: int) -> Panel:
    """Thirty treated areas among 144, nothing done."""
    return panel_of(treated=MANY, areas=SMALL, spread=0.15, seed=seed)


PLANTED: dict[str, tuple[str, Callable[[int], Panel]]] = {
    "selection.pre-trend": (
        "3 % a month",
        lambda seed: panel_of(treated=MANY, areas=SMALL, spread=0.15, drift=0.03, seed=seed),
    ),
    "history.anticipation": (
        "30 % lower",
        lambda seed: panel_of(treated=MANY, areas=SMALL, spread=0.15, lead=0.7, seed=seed),
    ),
    "chance.spatial-correlation": ("of 20 %", lambda seed: together(spread=0.2, seed=seed)),
    "analysis.functional-form": (
        "three times the level",
        lambda seed: unlike_levels(times=3.0, common=0.75, seed=seed),
    ),
}


def fires(rule_id: str, case: Case) -> bool:
    """Whether a rule speaks: for the pre-trend, lowers the level (its word on power does not)."""
    found = said(rule_id, case)
    return found.cap < 5 if rule_id == "selection.pre-trend" else found.kind == "caveat"


@pytest.mark.slow
def test_clean_draws_are_seldom_called_broken() -> None:
    """Each rule fires in at most 5 % of 60 clean draws, but for luck (at a true 5 %, 9 in 99.9 % of runs)."""
    protocol, fired = design(treated=MANY), dict.fromkeys(PLANTED, 0)
    for seed in range(CLEAN):
        case = case_through(protocol, clean(1_000 + seed))
        for rule_id in PLANTED:
            fired[rule_id] += fires(rule_id, case)
    assert {
        rule_id: count for rule_id, count in fired.items() if count > binom.ppf(1 - LUCK, CLEAN, 0.05)
    } == {}


@pytest.mark.slow
@pytest.mark.parametrize("rule_id", PLANTED)
def test_planted_defects_are_found(rule_id: str) -> None:
    """At the size on the rule's page, in 90 % of 25 draws, less what chance allows (17 in 99.9 % of runs)."""
    size, make = PLANTED[rule_id]
    assert size in find_rule(rule_id).why
    protocol = design(treated=MANY)
    found = sum(fires(rule_id, case_through(protocol, make(2_000 + seed))) for seed in range(DRAWS))
    assert found >= binom.ppf(LUCK, DRAWS, 0.9)
