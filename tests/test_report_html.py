"""The page: self-contained, escaped, accessible, the same bytes each time."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import report_fixtures as made

from whatworks_eval.report import render
from whatworks_eval.report.charts import counts_chart, index_chart
from whatworks_eval.report.effect_charts import estimates_chart, placebo_chart
from whatworks_eval.report.maps import area_map

EVERY = pytest.mark.parametrize("name", list(made.EVERY))
VOID = {"meta", "br", "hr", "img", "link", "input"}
CHARTS = (index_chart, counts_chart, estimates_chart, placebo_chart, area_map)


class Page(HTMLParser):
    """Every tag with its attributes, and every tag left open or closed out of turn."""

    def __init__(self, text: str) -> None:
        """Read the page."""
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and that it is open."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Note a tag closed out of turn."""
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every tag of a name."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def pages() -> dict[str, Page]:
    """Every fixture's page, parsed once."""
    return {name: Page(made.rendered(name, "html")) for name in made.EVERY}


@EVERY
def test_the_page_is_well_formed(pages: dict[str, Page], name: str) -> None:
    """Every tag is closed in turn, and no id stands twice."""
    page = pages[name]
    assert page.faults == []
    assert page.open == []
    ids = Counter(found["id"] for _, found in page.tags if "id" in found)
    assert [key for key, times in ids.items() if times > 1] == []


@EVERY
def test_the_page_asks_for_nothing_outside(pages: dict[str, Page], name: str) -> None:
    """No address, no script, no handler; links go to places on the page that exist."""
    page = pages[name]
    ids = {found["id"] for _, found in page.tags if "id" in found}
    for tag, found in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        for key, value in found.items():
            assert not key.startswith("on"), (tag, key)
            if key in {"src", "href", "xlink:href", "data", "action", "srcset", "poster"}:
                assert value is not None
                assert value.startswith(("#", "data:image/png;base64,")), (tag, key, value)
                if value.startswith("#"):
                    assert value[1:] in ids, value
            assert "url(http" not in (value or "")
    text = made.rendered(name, "html")
    assert "http" not in text.replace("http-equiv", "")
    assert "default-src 'none'" in text


@EVERY
def test_the_page_can_be_read_without_seeing_it(pages: dict[str, Page], name: str) -> None:
    """Language, one h1, headings in order, captions, scoped heads, described pictures, a skip link."""
    page = pages[name]
    assert page.all("html") == [{"lang": "en-GB"}]
    assert len(page.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(found.get("scope") in {"col", "row"} for found in page.all("th"))
    for found in page.all("svg"):
        assert found["role"] == "img"
        assert 30 < len(found["aria-label"] or "") < 250
    assert len(page.all("figure")) == len(page.all("figcaption")) == len(page.all("svg"))
    assert {"class": "skip", "href": "#content"} in page.all("a")
    assert len(page.all("title")) == 1


def test_names_that_are_markup_stay_text(pages: dict[str, Page]) -> None:
    """A script in a name is printed, in the words and in the pictures, and is never a tag."""
    text = made.rendered("hostile", "html")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert '<script>alert("x")</script> did it?' in "".join(pages["hostile"].words)
    assert "\x1b" not in text


@EVERY
def test_the_page_is_the_same_bytes_twice(name: str) -> None:
    """No clock, no path, no unseeded id."""
    assert render(made.EVERY[name](), "html") == made.rendered(name, "html")


def test_drawing_leaves_the_callers_style_alone() -> None:
    """A user's own matplotlib settings are as they were, and pyplot's state is not touched."""
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    render(made.large_drop(), "html")
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("draw", CHARTS)
def test_every_chart_has_its_numbers_in_a_table(draw: Any) -> None:
    """A chart carries a table, a title and a description under 250 characters."""
    chart = draw(made.large_drop())
    assert chart.table.rows
    assert all(len(row) == len(chart.table.columns) for row in chart.table.rows)
    assert chart.title
    assert len(chart.alt) < 250
    assert "<text" in chart.svg


@pytest.mark.parametrize("draw", [index_chart, counts_chart, placebo_chart, area_map])
def test_no_chart_is_drawn_from_what_is_not_there(draw: Any) -> None:
    """Published percentages have no months, no placebo sets and no places."""
    assert draw(made.published()) is None


def test_a_missing_month_is_a_gap_and_a_word() -> None:
    """July 2019 breaks the line and reads 'missing' in the table."""
    chart = index_chart(made.large_drop())
    assert chart is not None
    assert ("2019-07", "neither", "missing", "missing", "missing") in chart.table.rows
    assert "Gaps are periods with no data: missing, not zero." in chart.notes


def test_months_with_few_incidents_are_hidden_in_both_charts() -> None:
    """Neither the count nor the index from which it could be worked out is printed."""
    series = made.make_series(0.0, 6.0)
    evaluation = made.evaluation(series=series)
    for draw in (index_chart, counts_chart):
        chart = draw(evaluation)
        assert chart is not None
        for row, seen in zip(chart.table.rows, series.counts["treated"], strict=True):
            if seen < 5:
                assert row[2] == "fewer than 5"
            elif not np.isnan(seen):
                assert row[2] != "fewer than 5"
        assert any("Hollow marks" in note for note in chart.notes)


def test_every_month_too_small_still_draws() -> None:
    """A treated arm that never reaches 5 a month is described as such."""
    chart = index_chart(made.nothing_after())
    assert chart is not None
    assert "treated" not in chart.alt.split("window:")[1]


def test_the_placebo_chart_gives_rank_and_p() -> None:
    """How many sets changed as much, and the p-value beside it."""
    chart = placebo_chart(made.large_drop())
    assert chart is not None
    effects = made.make_placebo(-0.206).effects
    assert (
        f"{(abs(effects) >= 0.206).sum()} of 2,000 sets changed at least as much, up or down." in chart.notes
    )
    assert any("p-value of the estimate is 0.012" in note for note in chart.notes)
    assert sum(int(row[1].replace(",", "")) for row in chart.table.rows) == 2000


def test_every_finding_is_on_the_page_with_its_source(pages: dict[str, Page]) -> None:
    """Caveats, what was not assessed and what is clear, in that order, each with rule and source."""
    words = "".join(pages["large_drop"].words)
    places = [words.index(head) for head in ("Caveats (2)", "Not assessed (2)", "Clear (2)")]
    assert places == sorted(places)
    for finding in made.large_drop().findings:
        assert words.count(finding.rule) >= 1
        assert finding.message in words
    assert made.FARRINGTON.text in words


def test_a_source_may_hold_an_address_as_text() -> None:
    """An address in a reference is printed and not linked."""
    cited = replace(made.FARRINGTON, text="See https://example.org/a?b=1&c=2")
    text = render(made.evaluation(findings=(made.finding("history.covid", 3, source=cited),)), "html")
    assert "https://example.org/a?b=1&amp;c=2" in text
    assert 'href="http' not in text


def test_many_areas_keep_the_page_small() -> None:
    """The map of a whole country does not make a page of megabytes."""
    contrast = made.make_contrast(40, 12_000, 0)
    evaluation = made.evaluation(
        contrast=contrast,
        windowed=made.make_windowed(contrast, (5000.0, 4900.0), (90_000.0, 90_500.0)),
        centroids=made.make_centroids(contrast),
    )
    assert len(render(evaluation, "html")) < 1_000_000
