"""What a report says of money: tied to the level, honest of ranges, escaped, drawn with words and numbers."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest
from economics_fixtures import cost, economics, effect
from test_report_html import Page
from test_report_json import check

from whatworks_eval.economics.appraise import appraise_effect
from whatworks_eval.economics.records import CostBenefit
from whatworks_eval.report import economics_tables as tables
from whatworks_eval.report.economics_page import economics_html
from whatworks_eval.report.economics_section import economics_dict, economics_text, section_of
from whatworks_eval.report.economics_words import economics_headline, economics_sentences
from whatworks_eval.report.pounds import RUN_BY_A_SHEET
from whatworks_eval.report.schema import economics_schema
from whatworks_eval.report.tornado_chart import tornado_chart

HOSTILE = '=HYPERLINK("x")<script>alert(1)</script>'
NEVER = ("proved", "significant", "no effect", "control group", "confidence interval (")


def found(value: float | None = 10.0, sd: float | None = 2.0, *, level: int = 3, **keys: Any) -> CostBenefit:
    """An appraisal of thefts from the person prevented, by level."""
    return appraise_effect(effect(value, sd, level=level), economics(**keys))


CASES = {
    "clear gain": found(),
    "level 2": found(level=2),
    "level 5": found(level=5),
    "null": found(1.0, 5.0),
    "more crime": found(-10.0, 2.0),
    "no interval": appraise_effect(effect(10.0, None, why_missing="two counts alone"), economics()),
    "no estimate": appraise_effect(effect(None, None, why_missing="nothing recorded"), economics()),
    "ranges": found(
        persistence_months=6.0,
        persistence_range=(0.0, 12.0),
        unit_cost_range_percent=20.0,
        cashable_percent=10.0,
    ),
    "hostile": appraise_effect(
        effect(), economics(cost(500.0, item=HOSTILE), cost(300.0, item="-2+3", payer="health", cash=False))
    ),
}
EVERY = pytest.mark.parametrize("name", CASES)


@EVERY
def test_the_headline_carries_the_level_and_a_range_or_why_none(name: str) -> None:
    """No ratio stands alone: the level is beside it, and its range, or the reason there is none."""
    made = CASES[name]
    said = economics_headline(made)
    assert f"design strength level {made.level} of 5" in said
    if made.ratio.value is None:
        assert "cannot be said" in said
    elif made.ratio.low is None:
        assert "no range can be given" in said
    else:
        assert "(range " in said


@EVERY
def test_no_rendering_says_what_may_not_be_said(name: str) -> None:
    """The words DESIGN forbids are in no form of the section."""
    whole = economics_text(CASES[name]) + economics_html(CASES[name], title="t", facts=())
    for word in NEVER:
        assert word not in whole.lower()
    assert "nan" not in re.findall(r"\b\w+\b", whole.lower())


def test_below_level_3_it_is_if_the_change_was_due_to_the_project() -> None:
    """The condition is there at level 2 and gone at 3."""
    words = "If the change was due to the project"
    assert economics_headline(CASES["level 2"]).startswith(words)
    assert words not in economics_headline(CASES["clear gain"])
    assert "No probability is given" in " ".join(economics_sentences(CASES["level 2"]))
    assert "If the estimate is unbiased" in " ".join(economics_sentences(CASES["clear gain"]))


def test_a_null_effect_says_in_the_headline_that_the_range_includes_no_benefit() -> None:
    """It comes before the ratio, and the range printed does hold zero."""
    made = CASES["null"]
    assert made.prevented_includes_zero
    said = economics_headline(made)
    assert said.startswith("The range includes no benefit at all")
    assert made.ratio.low is not None
    assert made.ratio.high is not None
    assert made.ratio.low < 0 < made.ratio.high
    assert "no benefit at all" not in economics_headline(CASES["clear gain"])


def test_more_crime_is_a_cost_not_a_negative_benefit() -> None:
    """A ratio below zero is said in words."""
    said = economics_headline(CASES["more crime"])
    assert "more incidents were recorded than expected" in said
    assert "benefits came to" not in said


def test_the_headline_is_built_from_the_ratio() -> None:
    """The pounds and pence said are the ratio to two places."""
    made = CASES["clear gain"]
    assert made.ratio.value is not None
    assert f"For every £1 spent, benefits came to £{made.ratio.value:,.2f} (range " in economics_headline(
        made
    )


@EVERY
def test_tables_are_whole_and_safe_for_a_spreadsheet(name: str) -> None:
    """As many cells as heads; no cell that a spreadsheet would run as a formula."""
    every = [*tables.tables_of(CASES[name]), tables.tornado(CASES[name])]
    for table in every:
        for row in table.rows:
            assert len(row) == len(table.columns)
            for cell in row:
                assert cell[:1] not in RUN_BY_A_SHEET or not cell


def test_who_pays_and_who_gains_add_up() -> None:
    """Payers sum to the cost, gainers to the benefit, and each row's net is its gain less its pay."""
    for made in CASES.values():
        if made.ratio.value is None:
            continue
        assert sum(made.cost_by_payer.values()) == pytest.approx(made.cost.value)
        rows = [[_pounds(cell) for cell in row[1:]] for row in tables.pays_and_gains(made).rows]
        *each, total = rows
        for row in rows:
            assert row[1] - row[0] == pytest.approx(row[2], abs=1.01)
        for at in range(3):
            assert sum(row[at] for row in each) == pytest.approx(total[at], abs=len(each) / 2 + 0.01)


def _pounds(cell: str) -> float:
    return float(cell.replace("£", "").replace(",", "").replace("\N{MINUS SIGN}", "-"))


@EVERY
def test_the_json_fits_its_schema_and_the_contract(name: str) -> None:
    """Every number finite or null; the keys DESIGN names are there."""
    held = economics_dict(CASES[name])
    text = json.dumps(held, allow_nan=False)
    check(json.loads(text), economics_schema(), "economics")
    for key in ("price_year", "cost", "benefit", "net", "ratio", "probability_above_one", "level", "caveats"):
        assert key in held
    assert list(held["ratio"]) == ["value", "low", "high"]
    if held["ratio"]["value"] is None:
        assert held["why_missing"]
    if held["probability_above_one"] is None:
        assert held["probability_why_missing"]


@EVERY
def test_the_page_is_sound_and_escaped(name: str) -> None:
    """Balanced tags, unique ids, nothing loaded, no markup of the user's let through; the same twice."""
    text = economics_html(CASES[name], title="Was it worth it? <b>x</b>", facts=(("Effect", HOSTILE),))
    page = Page(text)
    assert page.faults == []
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert {"script", "b", "link", "img"} & {name for name, _ in page.tags} == set()
    for svg in page.all("svg"):
        assert svg["role"] == "img"
        assert 20 < len(str(svg["aria-label"])) < 250
    for head in page.all("th"):
        assert head["scope"] in {"col", "row"}
    assert text == economics_html(
        CASES[name], title="Was it worth it? <b>x</b>", facts=(("Effect", HOSTILE),)
    )


def test_the_tornado_draws_the_largest_swing_first_with_its_ends_in_words() -> None:
    """Bars in order, both ends of every input labelled, the numbers in the table beneath."""
    made = CASES["ranges"]
    chart = tornado_chart(made)
    assert chart is not None
    swings = [entry.swing for entry in made.tornado]
    assert swings == sorted(swings, reverse=True)
    assert len(chart.table.rows) == len(made.tornado) >= 3
    assert "Breaks even" in chart.svg
    assert "12 months" in chart.svg
    assert str(made.level) in chart.title
    assert tornado_chart(CASES["no estimate"]) is None


def test_a_tornado_without_ranges_is_not_drawn() -> None:
    """Inputs held fixed have no bar, and none at all means no picture."""
    made = replace(CASES["clear gain"], tornado=())
    assert tornado_chart(made) is None
    assert "tornado" not in economics_html(made, title="t", facts=())


@EVERY
def test_every_caveat_is_in_every_form(name: str) -> None:
    """What the pounds rest on is said in text, page and JSON alike."""
    made = CASES[name]
    section, held = section_of(made), economics_dict(made)
    assert [found["rule"] for found in held["caveats"]] == [rule for rule, _ in section.doubts]
    text = " ".join(economics_text(made).split())
    page = " ".join(Page(economics_html(made, title="t", facts=())).words)
    for rule, _ in section.doubts:
        assert rule in text
        assert rule in page


def test_the_chain_shows_low_central_and_high_of_what_has_a_range() -> None:
    """Every assumption has a row; those with a range show both ends."""
    made = CASES["ranges"]
    chain = tables.chain(made)
    assert len(chain.rows) == len(made.chain)
    for row, step in zip(chain.rows, made.chain, strict=True):
        assert (row[1] == "–") == (step.low is None)
        assert row[5]


def test_ratios_and_pounds_in_the_text_are_those_of_the_record() -> None:
    """The table's central ratio and present values are the record's, to their rounding."""
    made = CASES["clear gain"]
    rows = {row[0]: row[1:] for row in tables.answer(made).rows}
    assert made.ratio.value is not None
    assert float(rows["Benefits over costs"][1]) == pytest.approx(made.ratio.value, abs=0.005)
    assert _pounds(rows["Costs (present value)"][1]) == pytest.approx(made.cost.value, abs=0.5)
    assert math.isclose(
        _pounds(rows["Net present social value"][1]), made.net.value or 0.0, rel_tol=0, abs_tol=0.5
    )
