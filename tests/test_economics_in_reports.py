"""The shipped designs with [economics]: the section is in every form, and no design without it has one."""

from __future__ import annotations

import json
from functools import cache

import pytest
from test_report_json import check

from whatworks_eval import evaluate, load_data, load_protocol, render
from whatworks_eval.judgement import Evaluation
from whatworks_eval.report.schema import result_schema
from whatworks_eval.shipped import shipped_path
from whatworks_eval.terminal import summary

WITH = ("simulated-neighbourhoods", "beat-problem-solving")


@cache
def shipped(name: str) -> Evaluation:
    """A shipped design evaluated on its own data."""
    protocol = load_protocol(shipped_path("designs", name))
    return evaluate(protocol, load_data(protocol))


@pytest.mark.parametrize("name", WITH)
def test_the_section_is_in_every_form(name: str) -> None:
    """Text, page, JSON and the summary at the prompt carry the pounds with the level."""
    evaluation = shipped(name)
    held = json.loads(render(evaluation, "json"))
    check(held, result_schema(), "result")
    assert held["economics"]["level"] == held["grade"]["level"]
    assert "Was it worth it?\n----------------" in render(evaluation, "text")
    page = render(evaluation, "html")
    assert page.count('<section id="worth">') == 1
    assert 'href="#worth"' in page
    assert page.count('id="tornado"') == 1
    said = " ".join(summary(evaluation).split())
    assert f"Was it worth it? {held['economics']['headline'][:30]}" in said


@pytest.mark.parametrize("name", WITH)
def test_the_shipped_costs_are_marked_as_made_up(name: str) -> None:
    """Nobody can take the example's pounds for anybody's budget."""
    text = shipped_path("designs", name).read_text("utf-8")
    assert "made up" in text or "ILLUSTRATIVE" in text
    made = shipped(name).economics
    assert made is not None
    if name == "simulated-neighbourhoods":
        assert all("simulated" in line.item for line in made.costs)
        assert all("Illustrative" in line.source for line in made.benefits)


def test_the_demo_has_a_ratio_with_a_range_about_it() -> None:
    """A clear effect at level 3: no 'if', no 'includes no benefit', and a share of draws above 1."""
    made = shipped("simulated-neighbourhoods").economics
    assert made is not None
    assert made.ratio.low is not None
    assert made.ratio.value is not None
    assert made.ratio.high is not None
    assert 0 < made.ratio.low < made.ratio.value < made.ratio.high
    assert made.prevented_includes_zero is False
    assert made.probability_above_one is not None


def test_a_small_project_that_cannot_be_told_from_nothing_says_so() -> None:
    """The beat's headline leads with it, though its best estimate is many pounds for one."""
    made = shipped("beat-problem-solving").economics
    assert made is not None
    assert made.ratio.value is not None
    assert made.ratio.value > 10
    assert "The range includes no benefit at all" in render(shipped("beat-problem-solving"), "html")


def test_a_design_without_economics_has_no_section() -> None:
    """Nothing is said of money where none was declared."""
    evaluation = shipped("police-now-2016")
    assert json.loads(render(evaluation, "json"))["economics"] is None
    assert "worth it" not in render(evaluation, "text")
    assert 'id="worth"' not in render(evaluation, "html")
