"""Each rule on economics: a case where it fires, and one where it is clear."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from economics_fixtures import cost, economics, effect

from whatworks_eval.caveats import page
from whatworks_eval.economics.appraise import appraise_effect
from whatworks_eval.economics.records import TornadoEntry
from whatworks_eval.economics.rules import ECONOMICS_RULES, find_economics_rule
from whatworks_eval.economics.verdicts import EconomicsCase, judge_one_input
from whatworks_eval.errors import ProtocolError
from whatworks_eval.judgement import Finding, Verdict
from whatworks_eval.records import Interval

SEXUAL = {"Violence and sexual offences": {"other sexual offences": 1.0}}
LOCAL = {
    "offence": "theft from person",
    "gbp": 1300.0,
    "price_year": "2019-20",
    "per": "actual",
    "source": "x",
}
POLICE = {"unit_costs": "police-2022-23"}
NO_FISCAL = {"overrides": [{**LOCAL, "perspective": "social"}]}
NEVER = re.compile(r"\bprov(ed|en)\b|\bsignificant|\bno effect\b|\bcontrol groups?\b", re.IGNORECASE)

# Rule, then what to change of effect and section for the caveat, then for the clear case.
Changes = dict[str, Any]
CASES: list[tuple[str, Changes, Changes, Changes, Changes]] = [
    ("interval-includes-zero", {"sd": 10.0}, {}, {"sd": 2.0}, {}),
    (
        "interval-includes-zero",
        {"buffer": Interval(value=-9.0, low=-19.0, high=1.0)},
        {},
        {"buffer": Interval(value=-1.0, low=-2.0, high=0.0)},
        {},
    ),
    ("level-below-3", {"level": 2}, {}, {"level": 3}, {}),
    ("single-source", {}, {}, {}, POLICE),
    ("single-source", {}, {"hours": {}}, {}, {"overrides": [LOCAL]}),
    ("not-cashable", {}, {}, {}, {"cashable_percent": 100.0}),
    ("not-cashable", {}, {"hours": {}}, {}, NO_FISCAL),
    ("anticipation", {}, {"anticipation": True}, {}, {}),
    ("large-multiplier", {"offences": tuple(SEXUAL)}, {"shares": SEXUAL}, {}, {}),
    ("not-valued", {"offences": ("Drugs",)}, {}, {}, {}),
    ("persistence", {}, {"persistence_months": 6.0}, {}, {}),
    ("displacement-not-measured", {}, {}, {"buffer": Interval(value=0.0)}, {}),
    (
        "displacement-not-measured",
        {"buffer": Interval(value=0.0)},
        {"count_buffer": False},
        {},
        {"additionality": {"displacement_percent": 10.0, "source": "x"}},
    ),
    ("no-opportunity-cost", {}, {}, {}, {"costs": (cost(cash=False),)}),
    ("one-input", {}, {"costs": (cost(44_000.0),)}, {}, {"costs": (cost(10.0),)}),
]


def findings(of_effect: Changes, section: Changes) -> dict[str, Finding]:
    """What the rules say of a case, by id."""
    section = dict(section)
    made = economics(*section.pop("costs", ()), **section)
    return {one.rule: one for one in appraise_effect(effect(**of_effect), made).findings}


@pytest.mark.parametrize(("name", "bad", "bad_keys", "good", "good_keys"), CASES)
def test_a_rule_fires_and_is_clear(
    name: str, bad: Changes, bad_keys: Changes, good: Changes, good_keys: Changes
) -> None:
    """A caveat where the doubt is there, clear where it is not; the level stays where it is."""
    fired = findings(bad, bad_keys)[f"economics.{name}"]
    clear = findings(good, good_keys)[f"economics.{name}"]
    assert (fired.kind, clear.kind) == ("caveat", "clear")
    assert fired.level_from == fired.level_to == bad.get("level", 3)
    for said in (fired.message, clear.message):
        assert said.endswith(".")
        assert not NEVER.search(said)


@pytest.mark.parametrize(
    ("amount", "unit", "said"),
    [
        ((60.0, 880.0), "£ (2024-25)", "At £60 the ratio is \N{MINUS SIGN}0.2, at £880 it is 2.9."),
        (
            (-7.0, 1_240.0),
            "incidents",
            "At \N{MINUS SIGN}7 incidents the ratio is \N{MINUS SIGN}0.2, at 1,240 incidents it is 2.9.",
        ),
    ],
)
def test_the_one_input_is_said_with_its_unit_and_one_minus_sign(
    amount: tuple[float, float], unit: str, said: str
) -> None:
    """Both ends of the input and of the ratio, as a reader writes them."""
    made = economics(cost(44_000.0))
    result = appraise_effect(effect(), made)
    ends = dict(zip(("low", "high"), amount, strict=True))
    entry = TornadoEntry(input="x", unit=unit, **ends, ratio_at_low=-0.2, ratio_at_high=2.9)
    case = EconomicsCase(effect=effect(), economics=made, result=replace(result, tornado=(entry,)))
    found = judge_one_input(case)
    assert isinstance(found, Verdict)
    assert found.message == f"One input by itself carries the ratio across 1: x. {said}"


def test_every_rule_has_its_cases() -> None:
    """No rule without a firing and a clear case."""
    assert {f"economics.{case[0]}" for case in CASES} == {rule.id for rule in ECONOMICS_RULES}


@pytest.mark.parametrize("rule", ECONOMICS_RULES, ids=lambda rule: rule.id)
def test_rules_explain_themselves(rule: Any) -> None:
    """A question, a reason, what to do and a source, in our words; found by its id."""
    assert re.fullmatch(r"economics\.[a-z0-9]+(-[a-z0-9]+)*", rule.id)
    assert rule.asks.endswith("?")
    assert rule.why.endswith(".")
    assert rule.remedy.endswith(".")
    assert len(rule.source.text) > len(rule.source.key) > 5
    assert not NEVER.search(" ".join((rule.asks, rule.why, rule.remedy)))
    assert find_economics_rule(rule.id) is rule


def test_the_terminal_and_the_page_name_every_rule() -> None:
    """`whatworks rules`, `whatworks explain` and the reference page leave none out."""
    for rule in ECONOMICS_RULES:
        assert rule.id in page.rules_table()
        assert f"### {rule.id}" in page.rules_page()
        assert " ".join(rule.why.split()) in " ".join(page.explain(rule.id).split())


def test_without_an_interval_two_rules_are_not_assessed() -> None:
    """What was not measured is not passed."""
    found = findings({"sd": None, "why_missing": "no interval"}, {})
    assert found["economics.interval-includes-zero"].kind == "not assessed"
    assert found["economics.one-input"].kind == "not assessed"


def test_a_mistyped_rule_is_answered_with_the_nearest() -> None:
    """The error names what was probably meant."""
    with pytest.raises(ProtocolError, match=r"did you mean 'economics\.persistence'"):
        find_economics_rule("economics.persistance")
