"""Rules about matching: each fires, clears and says when it cannot tell; and how often, planted and clean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from cases import World, design, make_case
from match_cases import BOTH, IMD, MATCH_CASES, MATCHED, NEED, answered, longer, matched_case

from whatworks_eval.caveats import ask_design, find_rule
from whatworks_eval.judgement import Case, DesignRule, EvidenceRule, Verdict
from whatworks_eval.measures.deprivation_used import crime_in, indices_used
from whatworks_eval.measures.likeness import likeness_of
from whatworks_eval.measures.match_balance import gaps
from whatworks_eval.protocol import Protocol

DRAWS = 60


def verdicts(rule_id: str, case: Case) -> tuple[Verdict, ...]:
    """What a rule says of a case; empty where it is not asked."""
    rule = find_rule(rule_id)
    assert isinstance(rule, EvidenceRule)
    judged = rule.judge(case)
    return () if judged is None else (judged,) if isinstance(judged, Verdict) else judged


@pytest.mark.parametrize("rule_id", sorted({rule_id for rule_id, *_ in MATCH_CASES}))
def test_they_are_not_asked_where_nothing_was_matched(rule_id: str) -> None:
    """Against every other area there is no match to doubt."""
    assert verdicts(rule_id, make_case(World(treated=10))) == ()


CLEAN: Mapping[str, tuple[World, Mapping[str, Any]]] = {
    "level": (MATCHED, {}),
    "level and index": (MATCHED, BOTH),
    "few": (World(treated=8, comparison=120), BOTH),
}


@pytest.mark.parametrize("clean", sorted(CLEAN))
@pytest.mark.parametrize("rule_id", ["selection.imbalance", "selection.common-support"])
def test_sound_matches_are_seldom_marked_down(rule_id: str, clean: str) -> None:
    """At most 5 % of clean draws are capped: of 60, no more than 6 (a true 5 % seldom gives more)."""
    world, changes = CLEAN[clean]
    fired = sum(
        one.kind == "caveat" and one.cap < 5
        for seed in range(DRAWS)
        for one in verdicts(rule_id, matched_case(world, changes, seed=seed))
    )
    assert fired <= 6


PLANTED: list[tuple[str, Callable[[int], Case]]] = [
    ("selection.imbalance", lambda seed: matched_case(replace(MATCHED, imbalance=2.2), IMD, seed=seed)),
    ("selection.imbalance", lambda seed: matched_case(seed=seed, deprived=1.5)),
    ("selection.common-support", lambda seed: matched_case(replace(MATCHED, imbalance=8.0), BOTH, seed=seed)),
    ("chance.few-comparison-areas", lambda seed: matched_case(World(treated=10, comparison=5), seed=seed)),
    ("regression.deprivation-alone", lambda seed: matched_case(changes=IMD | NEED, seed=seed)),
    ("regression.deprivation-alone", lambda seed: matched_case(changes=IMD, seed=seed, from_top=True)),
]


@pytest.mark.parametrize(("rule_id", "planted"), PLANTED)
def test_planted_defects_are_found(rule_id: str, planted: Callable[[int], Case]) -> None:
    """At least nine times in ten, at the size the page states."""
    fired = sum(
        any(one.kind == "caveat" and one.cap < 5 for one in verdicts(rule_id, planted(seed)))
        for seed in range(DRAWS)
    )
    assert fired >= 0.9 * DRAWS


def test_matching_on_deprivation_is_clear_where_the_treated_stood_no_higher() -> None:
    """Volunteers of ordinary level are marked down at most once in twenty."""
    fired = sum(
        one.cap < 5
        for seed in range(DRAWS)
        for one in verdicts("regression.deprivation-alone", matched_case(changes=IMD, seed=seed))
    )
    assert fired <= 6


def test_the_two_baselines_are_named() -> None:
    """The answer on the declared and on the longer baseline stand in one message, and that the sign turns."""
    (said,) = verdicts("regression.deprivation-alone", longer(matched_case(changes=IMD | NEED)))
    assert "on the declared baseline" in said.message
    assert "longer baseline" in said.message
    assert "the sign turns" in said.message
    assert "recent level" in said.message


def test_level_matched_designs_leave_the_range_to_common_support() -> None:
    """One doubt is not said twice."""
    case = matched_case(replace(MATCHED, imbalance=8.0), BOTH)
    assert verdicts("selection.outside-range", case) == ()
    assert verdicts("selection.common-support", case)[0].cap == 2


def test_dropped_areas_change_the_question() -> None:
    """Left-out areas are named, and the effect is said to be that of the others."""
    changes = {"matching": {**BOTH["matching"], "outside_support": "drop"}}
    case = matched_case(replace(MATCHED, imbalance=4.0), changes)
    found = verdicts("selection.common-support", case)
    lost = sorted(case.contrast.unmatched)
    assert lost
    assert lost[0] in found[0].message
    assert f"that of the other {20 - len(lost)}" in found[0].message


def test_leaving_areas_out_does_not_change_the_yardstick() -> None:
    """The rule and the balance table say one number: in standard deviations of all treated areas."""
    changes = {"matching": {**BOTH["matching"], "outside_support": "drop"}}
    case = matched_case(replace(MATCHED, imbalance=4.0), changes)
    assert case.contrast.unmatched
    found = gaps(case)
    shown = likeness_of(case.protocol, case.data, case.contrast)  # type: ignore[arg-type]
    assert found is not None
    assert shown is not None
    for rule, table in zip(found[:2], (shown.features[0], shown.features[2]), strict=True):
        assert rule.after.standardised == pytest.approx(table.after.standardised, abs=1e-12)
        assert rule.before.standardised == pytest.approx(table.before.standardised, abs=1e-12)


def test_gaps_are_worked_by_hand() -> None:
    """The standardised difference is the gap of weighted means over the treated areas' standard deviation."""
    case = matched_case(changes=BOTH)
    found = gaps(case)
    assert found is not None
    windowed, panel = case.windowed, case.data
    assert windowed is not None
    assert windowed.index is not None
    score = panel.covariates["imd_score"][windowed.index]  # type: ignore[union-attr]
    treated = windowed.arm == "treated"
    own = score[treated]
    other = (
        sum(
            weight * value
            for weight, value in zip(
                windowed.weight[windowed.arm == "comparison"],
                score[windowed.arm == "comparison"],
                strict=True,
            )
        )
        / 20
    )
    (one,) = [gap for gap in found if gap.name == "IMD score"]
    assert one.after.standardised == pytest.approx((own.mean() - other) / own.std(ddof=1), rel=1e-9)
    assert [gap.name for gap in found] == ["level before the start", "trend before the start", "IMD score"]


def test_the_spread_is_counted() -> None:
    """Lowest, highest, and how many intervals of how many exclude zero."""
    (said,) = verdicts("selection.match-drives-answer", answered(-0.2, 0.1, (-0.3, 0.1), (-0.1, 0.15)))
    named = {measure.name: measure.value for measure in said.evidence}
    assert named["lowest answer over good matched sets"] == pytest.approx(-25.9, abs=0.05)
    assert named["highest answer over good matched sets"] == pytest.approx(-9.5, abs=0.05)
    assert named["matched sets whose interval excludes zero, of 3"] == 2


def test_the_hidden_confounder_gives_its_numbers() -> None:
    """E-values as published for the ratio and its nearer end; gamma where there are pairs."""
    (said,) = verdicts("selection.hidden-confounder", matched_case())
    named = {measure.name: measure.value for measure in said.evidence}
    ratio = 1 / 0.9048374180359595
    assert named["E-value of the answer"] == pytest.approx(ratio + (ratio * (ratio - 1)) ** 0.5, rel=1e-9)
    assert said.cap == 5


def test_matches_on_both_sides_of_zero_are_not_said_not_to_turn() -> None:
    """Two noisy zeros do not disagree, but 'between -2 and +3 %, and does not turn' is not true."""
    (across,) = verdicts("selection.match-drives-answer", answered(-0.02, 0.1, (0.03, 0.1)))
    assert "between \u22122 % and +3 %, on both sides of zero. 0 of 2" in across.message
    (same,) = verdicts("selection.match-drives-answer", answered(-0.02, 0.1, (-0.03, 0.1)))
    assert "and does not turn" in same.message


def said_of(rule_id: str, protocol: Protocol) -> Verdict | None:
    """The one verdict of a design rule."""
    rule = find_rule(rule_id)
    assert isinstance(rule, DesignRule)
    judged = rule.judge(protocol)
    assert judged is None or isinstance(judged, Verdict)
    return judged


def on(covariates: Mapping[str, Any], *names: str, **changes: Any) -> Protocol:
    """A design matched on the level and on some covariates."""
    return design(
        {
            "areas": {"comparison": "matched", "buffer": None},
            "covariates": covariates,
            "matching": {"on": ["before_level", *names]},
        },
        changes,
    )


def index(**keys: Any) -> dict[str, Any]:
    """A covariate that is an index."""
    return {"path": "imd.csv", "as": "score"} | keys


def test_an_overall_index_is_said_to_hold_crime() -> None:
    """Never with a cap; clear without the crime domain; no question without an index."""
    rule = "selection.circular-matching"
    whole = said_of(rule, on({"imd": index(edition=2015)}, "imd"))
    assert whole is not None
    assert (whole.kind, whole.cap) == ("caveat", 5)
    without = said_of(rule, on({"imd": index(edition=2015, without=["crime"])}, "imd"))
    assert without is not None
    assert without.kind == "clear"
    domain = said_of(rule, on({"x": index(column="Crime Score")}, "x"))
    assert domain is not None
    assert "crime domain" in domain.message
    assert said_of(rule, design()) is None
    assert said_of(rule, on({"density": {"path": "d.csv"}}, "density")) is None


@pytest.mark.parametrize(
    ("name", "column", "holds"),
    [
        ("imd_score", "", "inside"),
        ("imd_rank", "Index of Multiple Deprivation (IMD) Rank", "inside"),
        ("imd_without_crime", "", "none"),
        ("income", "Income Score (rate)", "none"),
        ("deprivation", "Employment Score (rate)", "none"),
        ("crime", "", "domain"),
        ("wimd", "WIMD 2019", "inside"),
        ("safety", "Community Safety", "domain"),
    ],
)
def test_what_an_index_holds_is_read_off_its_names(name: str, column: str, holds: str) -> None:
    """From the column where it is named, otherwise from the covariate."""
    assert crime_in(name, column) == holds


def test_editions_are_held_against_the_start() -> None:
    """Later than the start: level 3; two at once, or not declared: said; one in time: clear."""
    rule = "selection.edition-mismatch"
    late = said_of(rule, on({"imd": index(edition=2025)}, "imd"))
    assert late is not None
    assert (late.kind, late.cap) == ("caveat", 3)
    two = said_of(rule, on({"a": index(edition=2015), "b": index(edition=2019)}, "a", "b"))
    assert two is not None
    assert (two.kind, two.cap) == ("caveat", 5)
    unknown = said_of(rule, on({"imd": index()}, "imd"))
    assert unknown is not None
    assert unknown.kind == "not assessed"
    good = said_of(rule, on({"imd": index(edition=2019)}, "imd"))
    assert good is not None
    assert good.kind == "clear"
    assert said_of(rule, design()) is None


def test_an_index_beside_the_match_is_not_held_against_it() -> None:
    """Declared but not matched on: it says nothing of the match."""
    assert indices_used(on({"imd": index(edition=2025)})) == ()


def test_need_and_a_match_without_the_level_is_level_two_before_any_data() -> None:
    """`check` says so; matched on the level as well, it does not; whole strata are no match on level."""
    need = {"intervention": {"assignment": "need"}}
    level = on({"imd": index(edition=2015)}, "imd", **need)
    alone = design({"areas": {"comparison": "matched", "buffer": None}}, {"matching": {"on": ["imd"]}}, need)
    strata = design(
        {"areas": {"comparison": "matched", "buffer": None}},
        {"matching": {"algorithm": "strata", "exact": ["band"]}},
        need,
    )
    caps = {}
    for name, protocol in (("level", level), ("alone", alone), ("strata", strata)):
        found = {one.rule: one for one in ask_design(protocol)}
        caps[name] = found["regression.chosen-by-need"].cap
    assert caps == {"level": 5, "alone": 2, "strata": 2}
