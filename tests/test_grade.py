"""The level is the lowest cap: nothing raises it, order does not matter, less data never helps."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "rules"))

from cases import World, design, make_case, published_design, totals_design

from whatworks_eval.caveats import RULES, ask_design, ask_evidence
from whatworks_eval.grade import CROSSWALK, LEVELS, SCALE, ceiling_of, grade, level_in_words, what_would_raise
from whatworks_eval.judgement import BEST_LEVEL, Finding, Source

SOURCE = Source(key="made up", text="made up for a test")


def finding(rule: str, cap: int = BEST_LEVEL, kind: str = "caveat", level_from: int = BEST_LEVEL) -> Finding:
    """A finding made by hand."""
    return Finding(
        rule=rule,
        threat=rule.partition(".")[0],  # type: ignore[arg-type]
        kind=kind,  # type: ignore[arg-type]
        message="Made up.",
        evidence=(),
        source=SOURCE,
        level_from=level_from,
        level_to=min(level_from, cap),
        remedy=f"Mend {rule}.",
        cap=cap,
    )


findings = st.lists(
    st.builds(
        finding,
        st.sampled_from([rule.id for rule in RULES]),
        st.integers(1, BEST_LEVEL),
        st.sampled_from(["clear", "caveat", "not assessed"]),
        st.integers(1, BEST_LEVEL),
    ),
    max_size=12,
)


@given(findings, st.data())
def test_order_does_not_matter(found: list[Finding], data: st.DataObject) -> None:
    """The same findings in another order give the same level, ceiling, crosswalk and binding rules."""
    shuffled = data.draw(st.permutations(found))
    one, other = grade(tuple(found)), grade(tuple(shuffled))
    assert (one.level, one.ceiling, one.crosswalk) == (other.level, other.ceiling, other.crosswalk)
    assert set(one.bound_by) == set(other.bound_by)


@given(findings, findings)
def test_no_finding_raises_a_level(found: list[Finding], more: list[Finding]) -> None:
    """Adding findings lowers the level and the ceiling or leaves them."""
    before, after = grade(tuple(found)), grade(tuple(found + more))
    assert after.level <= before.level
    assert after.ceiling <= before.ceiling


@given(findings)
def test_one_weakness_found_twice_counts_once(found: list[Finding]) -> None:
    """Doubling every finding changes nothing."""
    assert grade(tuple(found)) == grade(tuple(found + found))


@given(findings)
def test_the_level_is_between_one_and_the_ceiling(found: list[Finding]) -> None:
    """No level above its ceiling, none off the scale, and the crosswalk never above the level."""
    result = grade(tuple(found))
    assert 1 <= result.level <= result.ceiling <= BEST_LEVEL
    assert 1 <= result.crosswalk[CROSSWALK] <= result.level


@given(findings)
def test_binding_rules_have_the_level_as_their_cap(found: list[Finding]) -> None:
    """bound_by names rules that said this level and no others; every remedy is one of theirs."""
    result = grade(tuple(found))
    caps = {(one.rule, one.cap) for one in found} | {(one.rule, one.level_to) for one in found}
    assert all((rule, result.level) in caps for rule in result.bound_by)
    assert {f"Mend {rule}." for rule in result.bound_by} >= set(what_would_raise(found, result))


def test_nothing_found_is_the_best_level() -> None:
    """Every design starts at 5, and nothing binds it there."""
    result = grade(())
    assert (result.level, result.ceiling, result.bound_by) == (5, 5, ())
    assert result.scale == SCALE


def test_a_cap_equal_to_the_ceiling_binds_too() -> None:
    """What holds a level is every rule that says it, so that mending one is not promised to be enough."""
    design_side = finding("selection.not-adjusted", 3)
    evidence = finding("chance.few-units", 3, level_from=3)
    harmless = finding("chance.dispersion", 5, level_from=3)
    result = grade((design_side, evidence, harmless))
    assert result.bound_by == ("selection.not-adjusted", "chance.few-units")
    assert what_would_raise((design_side, evidence, harmless), result) == (
        "Mend selection.not-adjusted.",
        "Mend chance.few-units.",
    )


def test_the_ceiling_is_what_the_design_rules_leave() -> None:
    """An evidence finding lowers the level and not the ceiling."""
    found = (finding("selection.not-random", 4), finding("chance.few-units", 3, level_from=4))
    result = grade(found)
    assert (result.ceiling, result.level) == (4, 3)
    assert ceiling_of(found[:1]) == 4


@pytest.mark.parametrize(
    ("changes", "level", "elsewhere"),
    [
        ({"method": "before-after"}, 2, 1),
        ({}, 3, 3),
        ({"areas": {"comparison": "matched"}}, 4, 3),
        (
            {
                "intervention": {"assignment": "random"},
                "context": {"attrition_percent": 0, "analysed_as_assigned": True},
            },
            5,
            5,
        ),
        ({"intervention": {"assignment": "random"}}, 4, 4),
        ({"intervention": {"assignment": "need"}}, 2, 2),
    ],
)
def test_the_crosswalk(changes: dict[str, Any], level: int, elsewhere: int) -> None:
    """The other scale gives 1 without a comparison, 3 at most without a lot, and never more than this one."""
    result = grade(ask_design(design(changes)))
    assert (result.level, result.crosswalk[CROSSWALK]) == (level, elsewhere)


@pytest.mark.parametrize(
    ("changes", "level"),
    [({}, 2), ({"context": {"comparability": "twin towns, ten miles apart"}}, 3)],
)
def test_a_bare_table_is_level_two_or_three_with_a_reason(changes: dict[str, Any], level: int) -> None:
    """Four numbers show no comparability; a stated reason reaches 3 and no further."""
    assert grade(ask_design(totals_design(changes))).level == level


def test_published_percentages_are_level_two() -> None:
    """Two percentages without a reason to think the areas alike stay at 2."""
    assert grade(ask_design(published_design())).level == 2


def test_a_sound_comparison_of_many_units_reaches_three() -> None:
    """An honest large design is not held below the level the scale gives it."""
    case = make_case(World(size=5), seed=3)
    found = ask_design(case.protocol)
    found += ask_evidence(case, ceiling_of(found))
    assert grade(found).level == 3


def test_less_said_never_raises_a_level() -> None:
    """Taking any answer out of the protocol leaves the ceiling or lowers it."""
    full = design(
        {
            "intervention": {"assignment": "random"},
            "context": {"attrition_percent": 0, "analysed_as_assigned": True},
        }
    )
    best = grade(ask_design(full)).level
    for key in type(full.context).model_fields:
        if key == "weaknesses":
            continue
        bare = full.context.model_copy(update={key: type(full.context).model_fields[key].default})
        assert grade(ask_design(full.model_copy(update={"context": bare}))).level <= best


@pytest.mark.parametrize("seed", range(6))
def test_less_data_never_raises_a_level(seed: int) -> None:
    """The same design with its counts by area withheld, as totals or percentages, grades no higher."""
    case = make_case(World(size=5), seed=seed)
    found = ask_design(case.protocol)
    full = grade(found + ask_evidence(case, ceiling_of(found))).level
    assert grade(ask_design(totals_design())).level <= full
    assert grade(ask_design(published_design())).level <= full


@pytest.mark.parametrize("level", range(1, 6))
def test_each_level_is_one_plain_sentence(level: int) -> None:
    """What a level means is said in one sentence."""
    said = level_in_words(level)
    assert said == LEVELS[level]
    assert said.endswith(".")
    assert said.count(".") == 1
