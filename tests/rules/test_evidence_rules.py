"""Each evidence rule: a case that it caveats, one that it clears, one that it cannot assess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from cases import (
    World,
    alternative,
    case_of,
    design,
    make_case,
    make_panel,
    published_case,
    totals_case,
)
from did_cases import DID_CASES
from effect_cases import EFFECT_CASES
from match_cases import MATCH_CASES, MATCH_WORLDS
from survey_cases import SURVEY_CASES
from trial_cases import TRIAL_CASES

from whatworks_eval.alternatives import other_units
from whatworks_eval.caveats import EVIDENCE_RULES, RULES, ask_design, ask_evidence, find_rule
from whatworks_eval.judgement import BEST_LEVEL, Case, EvidenceRule, Verdict
from whatworks_eval.panel import Panel
from whatworks_eval.records import Contrast

SERIES = {"method": "interrupted-time-series"}
BENT = World(treated=1, before=36, level=300.0, shock=1.0)
LARGE = World(size=5)
RANDOM = {"intervention": {"assignment": "random"}}
NEED = {"intervention": {"assignment": "need"}, "areas": {"comparison": ["B"]}}
VIOLENCE = {"outcome": {"offences": ["Violence and sexual offences"]}}


def verdict(rule_id: str, case: Case) -> Verdict:
    """The one verdict of a rule on a case."""
    rule = find_rule(rule_id)
    assert isinstance(rule, EvidenceRule)
    judged = rule.judge(case)
    assert isinstance(judged, Verdict)
    return judged


def no_forces(case: Case) -> Case:
    """The same data from a table that names no forces and no unlocated rows."""
    assert isinstance(case.data, Panel)
    return replace(case, data=replace(case.data, forces=None, ledger=replace(case.data.ledger, forces={})))


def no_interval(case: Case) -> Case:
    """The same case with an estimate that has no interval."""
    bare = replace(case.estimate, low=None, high=None, p_value=None, why_missing="too few sets")
    return replace(case, estimate=bare)


def estimated(value: float, half: float, *others: float, other_half: float = 0.05) -> Case:
    """A case whose answer and alternatives are made by hand."""
    case = make_case(World(treated=6, comparison=12))
    own = replace(alternative(value, half), label="registered", choice=None)
    return replace(case, estimate=own, alternatives=tuple(alternative(other, other_half) for other in others))


def on_a_grid(block: bool, **changes: object) -> Case:
    """Nine treated areas of 400, each declared a unit: one block of three by three, or scattered."""
    world = World(treated=9, comparison=391)
    panel, _, _ = make_panel(world, 1, draw_treated=False)
    rows, columns = np.divmod(np.arange(400), 20)
    crooked = np.random.default_rng(1).uniform(-40, 40, (400, 2))
    panel = replace(panel, centroids=500.0 * np.column_stack([rows, columns]) + crooked)
    chosen = [20 * row + column for row in (5, 6, 7) for column in (5, 6, 7)] if block else range(0, 400, 46)
    treated = {panel.areas[at] for at in chosen}
    contrast = Contrast(
        treated=tuple(sorted(treated)),
        comparison=tuple(area for area in panel.areas if area not in treated),
        units={area: area for area in panel.areas},
        unit_basis="area",
        comparison_units=True,
        chosen="every other area in the data",
    )
    protocol = design(
        {"windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]}}, changes
    )
    return case_of(protocol, panel, contrast, tuple(other_units(protocol, panel, contrast)))


CASES: list[tuple[str, Callable[[], Case], str, int]] = [
    ("selection.baseline-level", lambda: make_case(replace(LARGE, imbalance=1.5)), "caveat", 2),
    ("selection.baseline-level", lambda: make_case(LARGE), "clear", 5),
    ("selection.baseline-level", totals_case, "not assessed", 5),
    ("selection.baseline-trend", lambda: make_case(replace(LARGE, trend=0.03)), "caveat", 2),
    ("selection.baseline-trend", lambda: make_case(replace(LARGE, effect=0.7)), "clear", 5),
    ("selection.baseline-trend", lambda: make_case(World(treated=10)), "not assessed", 3),
    ("selection.baseline-trend", lambda: make_case(World(treated=10), changes=RANDOM), "not assessed", 5),
    ("selection.baseline-trend", lambda: make_case(replace(LARGE, before=11)), "not assessed", 3),
    ("selection.baseline-trend", published_case, "not assessed", 5),
    ("chance.adjoining-areas", lambda: on_a_grid(True), "caveat", 3),
    ("chance.adjoining-areas", lambda: on_a_grid(True, **RANDOM), "caveat", 5),
    ("chance.adjoining-areas", lambda: on_a_grid(False), "clear", 5),
    ("chance.adjoining-areas", lambda: make_case(LARGE), "clear", 5),
    ("selection.outside-range", lambda: make_case(replace(LARGE, imbalance=4.0)), "caveat", 2),
    ("selection.outside-range", lambda: make_case(LARGE), "clear", 5),
    ("selection.outside-range", totals_case, "not assessed", 5),
    ("selection.comparison-choice", lambda: estimated(-0.15, 0.10, 0.04), "caveat", 2),
    ("selection.comparison-choice", lambda: estimated(-0.03, 0.10, 0.20), "caveat", 2),
    ("selection.comparison-choice", lambda: estimated(-0.03, 0.10, 0.02), "clear", 5),
    ("selection.comparison-choice", lambda: estimated(-0.15, 0.10, -0.04, -0.2), "clear", 5),
    ("selection.comparison-choice", lambda: make_case(LARGE), "not assessed", 3),
    ("selection.comparison-choice", lambda: make_case(LARGE, changes=RANDOM), "not assessed", 5),
    ("history.autocorrelation", lambda: make_case(BENT, seed=3, changes=SERIES), "caveat", 5),
    ("history.autocorrelation", lambda: make_case(World(before=36), changes=SERIES), "clear", 5),
    ("history.autocorrelation", totals_case, "not assessed", 5),
    ("regression.run-up", lambda: make_case(replace(LARGE, run_up=1.5)), "caveat", 2),
    ("regression.run-up", lambda: make_case(replace(LARGE, earlier=1, peak=1.4)), "caveat", 2),
    ("regression.run-up", lambda: make_case(LARGE), "clear", 5),
    ("regression.run-up", lambda: make_case(replace(LARGE, before=9)), "not assessed", 3),
    ("regression.run-up", totals_case, "not assessed", 5),
    (
        "regression.earlier-baseline",
        lambda: make_case(replace(LARGE, earlier=1, peak=1.4), changes=NEED),
        "caveat",
        2,
    ),
    (
        "regression.earlier-baseline",
        lambda: make_case(replace(LARGE, treated=90, comparison=180, earlier=1), changes=NEED),
        "clear",
        5,
    ),
    (
        "regression.earlier-baseline",
        lambda: make_case(World(treated=10, earlier=1), changes=NEED),
        "not assessed",
        2,
    ),
    ("regression.earlier-baseline", lambda: make_case(LARGE, changes=NEED), "not assessed", 2),
    ("recording.missing-periods", lambda: make_case(replace(LARGE, missing=2)), "caveat", 2),
    ("recording.missing-periods", lambda: make_case(replace(LARGE, unlocated=(0.13, 0.13))), "caveat", 2),
    ("recording.missing-periods", lambda: make_case(replace(LARGE, missing=1)), "clear", 5),
    ("recording.missing-periods", totals_case, "not assessed", 5),
    ("recording.unlocated", lambda: make_case(replace(LARGE, unlocated=(0.15, 0.01))), "caveat", 2),
    ("recording.unlocated", lambda: make_case(replace(LARGE, unlocated=(0.08, 0.03))), "caveat", 5),
    ("recording.unlocated", lambda: make_case(LARGE), "clear", 5),
    ("recording.unlocated", lambda: no_forces(make_case(LARGE)), "not assessed", 5),
    ("recording.known-break", lambda: make_case(replace(LARGE, forces=2), changes=VIOLENCE), "caveat", 2),
    ("recording.known-break", lambda: make_case(LARGE, changes=VIOLENCE), "caveat", 5),
    ("recording.known-break", lambda: make_case(LARGE), "clear", 5),
    ("recording.known-break", lambda: no_forces(make_case(LARGE, changes=VIOLENCE)), "caveat", 5),
    (
        "recording.known-break",
        lambda: no_forces(make_case(LARGE, changes={**VIOLENCE, "context": {"recording_changes": None}})),
        "not assessed",
        3,
    ),
    ("recording.known-break", lambda: totals_case({"windows": None}), "not assessed", 5),
    ("chance.one-unit-an-arm", lambda: make_case(replace(LARGE, treated=1)), "caveat", 3),
    ("chance.one-unit-an-arm", lambda: make_case(replace(LARGE, treated=2)), "clear", 5),
    ("chance.one-unit-an-arm", totals_case, "not assessed", 3),
    ("chance.few-units", lambda: make_case(replace(LARGE, treated=5)), "caveat", 3),
    ("chance.few-units", lambda: make_case(replace(LARGE, comparison=5)), "caveat", 3),
    ("chance.few-units", lambda: make_case(replace(LARGE, treated=6)), "clear", 5),
    ("chance.few-units", published_case, "not assessed", 3),
    (
        "chance.few-units",
        lambda: totals_case({"outcome": {"totals": {"treated_units": 6, "comparison_units": 6}}}),
        "clear",
        5,
    ),
    ("chance.smallest-p", lambda: make_case(World(treated=1, comparison=12)), "caveat", 4),
    ("chance.smallest-p", lambda: make_case(LARGE), "clear", 5),
    ("chance.smallest-p", totals_case, "clear", 5),
    ("chance.smallest-p", published_case, "not assessed", 4),
    ("chance.one-unit-drives", lambda: make_case(replace(LARGE, treated=8, one_unit=6.0)), "caveat", 3),
    ("chance.one-unit-drives", lambda: make_case(LARGE), "clear", 5),
    ("chance.one-unit-drives", lambda: no_interval(make_case(LARGE)), "not assessed", 3),
    ("chance.one-unit-drives", totals_case, "not assessed", 5),
    ("chance.few-incidents", lambda: make_case(World(treated=6, comparison=20, level=0.5)), "caveat", 5),
    ("chance.few-incidents", lambda: make_case(LARGE), "clear", 5),
    ("chance.few-incidents", published_case, "not assessed", 5),
    ("chance.dispersion", lambda: make_case(replace(LARGE, shock=0.3, unit_shock=0.2)), "caveat", 5),
    ("chance.dispersion", lambda: make_case(World(level=2.0, shock=0.0, unit_shock=0.0)), "clear", 5),
    ("chance.dispersion", totals_case, "not assessed", 5),
    ("chance.detectable-effect", lambda: make_case(World(treated=6, comparison=30, level=1.0)), "caveat", 5),
    ("chance.detectable-effect", lambda: make_case(LARGE), "clear", 5),
    ("chance.detectable-effect", published_case, "not assessed", 5),
]


CASES += EFFECT_CASES
CASES += MATCH_CASES
CASES += SURVEY_CASES
CASES += TRIAL_CASES


@pytest.mark.parametrize(("rule_id", "make", "kind", "cap"), CASES)
def test_rule(rule_id: str, make: Callable[[], Case], kind: str, cap: int) -> None:
    """The rule says what it should of this case."""
    said = verdict(rule_id, make())
    assert (said.kind, said.cap) == (kind, cap), said.message


def test_every_evidence_rule_has_a_case_that_fires_and_one_that_is_clear() -> None:
    """No rule can be broken without a test noticing."""
    # Rules asked of a mixture alone have their cases in test_synthetic_rules.py.
    ids = {
        rule.id
        for rule in EVIDENCE_RULES
        if {name for name, asked in rule.applies_to.items() if asked} != {"synthetic"}
    }
    made = [(case[0], case[2]) for case in (*CASES, *DID_CASES)]  # test_did_rules.py asks those of did
    assert {rule_id for rule_id, kind in made if kind == "caveat"} == ids
    assert {rule_id for rule_id, kind in made if kind == "clear"} == ids


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        (NEED, True),
        ({"intervention": {"assignment": "need"}}, False),
        ({"intervention": {"assignment": "need"}, "areas": {"comparison": "matched"}}, False),
        ({"areas": {"comparison": ["B"]}}, False),
    ],
)
def test_the_earlier_baseline_is_asked_of_need_with_declared_areas_only(
    changes: dict[str, object], asked: bool
) -> None:
    """With every other area the design rule has spoken, and matched areas would fall back too."""
    rule = find_rule("regression.earlier-baseline")
    assert isinstance(rule, EvidenceRule)
    case = make_case(World(treated=6, comparison=12, earlier=1), changes=changes)
    assert (rule.judge(case) is not None) == asked


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ((-0.04, -0.2), "and does not turn."),
        ((0.02, -0.01), "; 1 on the other side of zero from the declared one, but neither"),
    ],
)
def test_an_answer_with_others_across_zero_is_not_said_not_to_turn(
    others: tuple[float, ...], said: str
) -> None:
    """'Between -12.6 and +11 %, and does not turn' was not true, though two noisy zeros do not disagree."""
    found = verdict("selection.comparison-choice", estimated(-0.03, 0.10, *others))
    assert found.kind == "clear"
    assert said in found.message


def test_one_treated_unit_is_not_asked_whether_one_unit_drives_the_answer() -> None:
    """It does, and chance.one-unit-an-arm says so."""
    rule = find_rule("chance.one-unit-drives")
    assert isinstance(rule, EvidenceRule)
    assert rule.judge(make_case(World(treated=1, comparison=40))) is None


def test_a_random_draw_of_few_units_is_not_contradicted_by_size_alone() -> None:
    """A gap as wide as chance often makes it leaves a non-random design at 3 and a random one alone."""
    wide = next(
        (case for seed in range(60) if _wide(case := make_case(World(treated=6, comparison=60), seed=seed))),
        None,
    )
    assert wide is not None
    assert verdict("selection.baseline-level", wide).cap == 3
    by_lot = replace(wide, protocol=wide.protocol.model_copy(update={"intervention": _random(wide)}))
    assert verdict("selection.baseline-level", by_lot).cap == BEST_LEVEL


def _wide(case: Case) -> bool:
    said = verdict("selection.baseline-level", case)
    return said.kind == "caveat" and said.cap == 3


def _random(case: Case) -> object:
    return case.protocol.intervention.model_copy(update={"assignment": "random"})


def test_small_areas_inside_one_unit_do_not_count_as_units() -> None:
    """Forty small areas of one neighbourhood are one treated unit."""
    said = verdict("chance.few-units", make_case(World(treated=1, comparison=20, size=40)))
    assert [measure.value for measure in said.evidence] == [1.0, 20.0]


def test_comparison_areas_without_units_count_as_units_of_the_treated_size() -> None:
    """Twenty-three single areas make four units of five."""
    case = make_case(World(treated=6, comparison=5, size=5))
    lone = replace(case, contrast=replace(case.contrast, comparison_units=False))
    said = verdict("chance.few-units", lone)
    assert [measure.value for measure in said.evidence] == [6.0, 5.0]
    assert said.cap == 3


def test_dispersion_is_near_one_where_counts_vary_by_chance_alone() -> None:
    """Without shocks the measure comes out near the variance built in."""
    case = make_case(World(treated=10, comparison=300, level=2.0, shock=0.0, unit_shock=0.0))
    measure = verdict("chance.dispersion", case).evidence[0]
    assert measure.value == pytest.approx(1.1, abs=0.35)
    assert measure.low is not None
    assert measure.high is not None
    assert measure.low < measure.value < measure.high


def test_the_longer_baseline_is_printed_beside_the_declared_one() -> None:
    """Both answers are in the sentence and in the evidence."""
    longer = alternative(-0.02, label="longer baseline", choice="window")
    case = make_case(replace(LARGE, earlier=1), alternatives=(longer,))
    said = verdict("regression.run-up", case)
    assert "on a longer baseline" in said.message
    assert "answer: longer baseline" in [measure.name for measure in said.evidence]


def test_a_period_dropped_for_its_counterpart_still_shows_the_run_up() -> None:
    """A month missing after the start does not hide what went on before it."""
    case = make_case(LARGE)
    panel = case.data
    assert isinstance(panel, Panel)
    observed = panel.observed.copy()
    observed[:, -1] = False
    gap = replace(panel, observed=observed, counts=np.where(observed, panel.counts, np.nan))
    assert verdict("regression.run-up", replace(case, data=gap)).kind == "clear"


def test_a_trend_is_not_passed_because_it_is_noisy() -> None:
    """Ten single areas cannot rule out the trend that would account for their answer, and that is said."""
    said = verdict("selection.baseline-trend", make_case(World(treated=10)))
    assert "too uncertain" in said.message
    slope = said.evidence[0]
    assert slope.low is not None
    assert slope.high is not None
    assert slope.low < 0 < slope.high


WORLDS: list[Callable[[], Case]] = [
    lambda: make_case(LARGE),
    lambda: make_case(
        replace(LARGE, imbalance=6.0, run_up=1.5, trend=0.02, missing=1, unlocated=(0.2, 0.02), forces=2)
    ),
    lambda: make_case(World(treated=1, comparison=6, level=0.2)),
    lambda: make_case(World(treated=2, comparison=40, earlier=2), changes=NEED),
    lambda: make_case(World(level=0.02, treated=6, comparison=6)),
    totals_case,
    published_case,
    lambda: totals_case({"outcome": {"totals": {"comparison": None}}, "method": "before-after"}),
    *MATCH_WORLDS,
]


@pytest.mark.parametrize("make", WORLDS)
def test_what_is_said_is_fit_to_print(make: Callable[[], Case]) -> None:
    """Every finding is one or two sentences with finite numbers; clear findings cap nothing."""
    case = make()
    findings = ask_design(case.protocol) + ask_evidence(case, 4)
    assert findings
    by_id = {rule.id: rule for rule in RULES}
    for finding in findings:
        assert finding.message.endswith("."), finding.message
        assert len(finding.message.split(". ")) <= 2 or finding.rule == "analysis.stated-weakness", (
            finding.message
        )
        assert "nan" not in finding.message
        assert "None" not in finding.message
        assert not ({"proved", "significant", "control group"} & set(finding.message.lower().split()))
        assert finding.level_to == min(finding.level_from, finding.cap)
        assert finding.kind != "clear" or finding.cap == BEST_LEVEL
        assert finding.remedy == by_id[finding.rule].remedy
        for measure in finding.evidence:
            numbers = [measure.value, measure.low, measure.high, measure.threshold]
            assert all(number is None or np.isfinite(number) for number in numbers), measure
            assert (measure.value is None) == (measure.why_missing is not None), measure


def test_before_after_is_not_asked_about_a_comparison() -> None:
    """Rules about comparison areas are passed over for a method that uses none."""
    case = totals_case({"outcome": {"totals": {"comparison": None}}, "method": "before-after"})
    asked = {finding.rule for finding in ask_evidence(case, 2)}
    assert "selection.baseline-level" not in asked
    assert "chance.few-units" in asked
