"""How alike the areas are: worked by hand, the same under any names and order, and in every report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matched_designs import made

from whatworks_eval.contrast import build_contrast
from whatworks_eval.evaluation import evaluate
from whatworks_eval.likeness import Likeness
from whatworks_eval.measures.likeness import likeness_of
from whatworks_eval.panel import Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, load_protocol, protocol_from_dict
from whatworks_eval.report import likeness_words, render
from whatworks_eval.report.likeness_section import likeness_dict
from whatworks_eval.report.love_plot import love_plot
from whatworks_eval.report.schema import likeness_schema
from whatworks_eval.sources import load_data
from whatworks_eval.sources.counts import panel_from_counts

PERIODS = period_range("2018-01", "2019-12", "month")


def protocol(treated: list[str], matching: dict[str, Any], comparison: Any = "matched") -> Protocol:
    """A design on counts handed over."""
    found = {
        "schema": 1,
        "id": "x",
        "question": "?",
        "method": "relative-effect",
        "intervention": {"name": "x", "start": "2019-01", "assignment": "need"},
        "outcome": {"source": "counts", "path": "x.csv"},
        "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
        "areas": {"treated": treated, "comparison": comparison, "unit": "area"},
    }
    return protocol_from_dict(found | ({"matching": matching} if comparison == "matched" else {}))


def panel(levels: dict[str, int], score: dict[str, float]) -> Panel:
    """Areas with the same count every month, and a score."""
    rows = [(area, period, level) for area, level in levels.items() for period in PERIODS]
    return panel_from_counts(
        pd.DataFrame(rows, columns=["area", "period", "count"]), covariates={"score": score}
    )


def found(made_from: Panel, declared: Protocol) -> Likeness:
    """How alike, which must be known."""
    likeness = likeness_of(declared, made_from, build_contrast(declared, made_from))
    assert likeness is not None
    return likeness


def test_balance_by_hand() -> None:
    """Treated 10 and 14, matched to 11 and 15 out of 0, 11, 15, 30: means, differences and ratio by hand."""
    score = {"t1": 10.0, "t2": 14.0, "c1": 11.0, "c2": 15.0, "c3": 0.0, "c4": 30.0}
    likeness = found(
        panel(dict.fromkeys(score, 5), score), protocol(["t1", "t2"], {"on": ["score"], "per_treated": 1})
    )
    first = likeness.features[0]
    assert (first.name, first.matched_on) == ("score", True)
    deviation = np.std([10, 14], ddof=1)
    assert (first.before.treated, first.before.comparison) == (12.0, 14.0)
    assert first.before.standardised == pytest.approx(-2 / deviation)
    assert (first.after.treated, first.after.comparison) == (12.0, 13.0)
    assert first.after.standardised == pytest.approx(-1 / deviation)
    assert first.after.variance_ratio == pytest.approx(1.0)
    assert (likeness.declared, likeness.matched, likeness.pool, likeness.used) == (2, 2, 4, 2)
    assert likeness.effective == pytest.approx(2.0)
    assert [one.name for one in likeness.features] == ["score", "before_level", "before_trend"]
    assert [group.means[0] for group in likeness.lead_in] == [5.0, 5.0, 5.0]
    assert likeness.periods == PERIODS[:12]


def test_an_area_used_twice_counts_for_less() -> None:
    """Two treated areas with the same two matches, one of which one of them shares with nobody."""
    score = {"t1": 10.0, "t2": 10.2, "c1": 10.1, "c2": 30.0, "c3": 40.0}
    likeness = found(
        panel(dict.fromkeys(score, 5), score), protocol(["t1", "t2"], {"on": ["score"], "per_treated": 1})
    )
    assert (likeness.used, likeness.heaviest[0]) == (1, "c1")
    assert likeness.heaviest[1] == pytest.approx(2.0)
    assert likeness.effective == pytest.approx(1.0)


def test_who_lies_beyond_is_named_with_how_far() -> None:
    """A treated area far above every other is kept and named; told to drop it, it is left out."""
    rng = np.random.default_rng(0)
    score = {f"c{at}": float(value) for at, value in enumerate(rng.normal(20, 5, 40))} | {
        "t1": 21.0,
        "t2": 90.0,
    }
    counts = panel(dict.fromkeys(score, 5), score)
    kept = found(counts, protocol(["t1", "t2"], {"on": ["score"]}))
    assert [area for area, _ in kept.beyond] == ["t2"]
    assert "beyond every other area" in kept.beyond[0][1]
    assert kept.unmatched == ()
    dropped = found(counts, protocol(["t1", "t2"], {"on": ["score"], "outside_support": "drop"}))
    assert [area for area, _ in dropped.unmatched] == ["t2"]
    assert dropped.beyond == ()
    assert likeness_words.estimand(dropped) == (
        "The effect is for the 1 of 2 treated areas that could be matched; nothing is said of the other 1."
    )


def test_what_came_of_the_search_is_said() -> None:
    """Fewer matches than asked and areas without a score stand beside how the comparison was chosen."""
    score = {"t1": 5.0, "t2": 5.5, "a": 5.1, "b": 5.6, "c": 9.0, "d": float("nan")}
    counts = panel(dict.fromkeys(score, 5), score)
    few = {"on": ["score"], "replacement": False, "per_treated": 2, "caliper": 0.5}
    made = found(counts, protocol(["t1", "t2"], few))
    assert made.searched == (
        "2 matched treated areas have fewer than 2 matches. 1 area could not be chosen: score not known."
    )
    assert made.searched in likeness_words.lead(made)
    assert found(counts, protocol(["t1"], {"on": ["before_level"]})).searched == ""


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(12)), st.integers(0, 10_000))
def test_names_and_order_do_not_matter(order: list[int], seed: int) -> None:
    """Areas called otherwise and in another order are as alike as before."""
    rng = np.random.default_rng(seed)
    levels, scores = rng.integers(1, 30, 12), rng.normal(20, 8, 12)

    def of(names: list[str]) -> Likeness:
        one = panel(
            {names[at]: int(levels[at]) for at in range(12)}, {names[at]: scores[at] for at in range(12)}
        )
        return found(one, protocol(sorted(names[:3]), {"on": ["before_level", "score"], "per_treated": 2}))

    first, second = of([f"a{at:02d}" for at in range(12)]), of([f"b{at:02d}" for at in order])
    for one, other in zip(first.features, second.features, strict=True):
        assert one.after.standardised == pytest.approx(other.after.standardised, abs=1e-9)
        assert one.before.standardised == pytest.approx(other.before.standardised, abs=1e-9)
    assert first.effective == pytest.approx(second.effective)


def test_no_match_no_section() -> None:
    """A comparison that was named is not said to be alike: JSON null, no section."""
    score = {"t1": 10.0, "t2": 14.0} | {f"c{at}": float(at) for at in range(8)}
    counts = panel(dict.fromkeys(score, 9), score)
    evaluation = evaluate(protocol(["t1", "t2"], {}, comparison="rest"), counts)
    assert evaluation.likeness is None
    assert json.loads(render(evaluation, "json"))["matching"] is None
    assert likeness_words.TITLE not in render(evaluation, "text") + render(evaluation, "html")


def test_areas_that_nothing_tells_apart_still_match() -> None:
    """The default match takes areas of one level; how alike they are is said without a distance."""
    score = {"t1": 10.0, "t2": 14.0} | {f"c{at}": float(at) for at in range(8)}
    likeness = found(panel(dict.fromkeys(score, 9), score), protocol(["t1", "t2"], {}))
    assert likeness.beyond == ()
    level = likeness.features[0]
    assert (level.name, level.after.standardised) == ("before_level", None)
    assert "no area differs" in level.after.why_missing


def test_every_report_has_the_section(tmp_path: Path) -> None:
    """Text, page and JSON say how alike the areas are, with the same numbers."""
    declared = load_protocol(made(tmp_path, matching={"caliper": 0.2}))
    evaluation = evaluate(declared, load_data(declared))
    assert evaluation.likeness is not None
    text, page = render(evaluation, "text"), render(evaluation, "html")
    assert likeness_words.TITLE in text
    assert 'id="alike"' in page
    assert 'id="love-' in page
    held = json.loads(render(evaluation, "json"))["matching"]
    assert held == json.loads(json.dumps(likeness_dict(evaluation.likeness)))
    assert set(held) == set(likeness_schema()["properties"])
    estimand = likeness_words.estimand(evaluation.likeness)
    assert 0 < evaluation.likeness.matched < evaluation.likeness.declared
    assert estimand in " ".join(text.split())
    assert estimand in page
    for area, _ in evaluation.likeness.unmatched:
        assert area in text


def test_matching_on_deprivation_alone_is_said_to_leave_the_level() -> None:
    """Where the level before was not matched on, the section says what that leaves open."""
    score = {"t1": 10.0, "t2": 14.0} | {f"c{at}": float(at) for at in range(8)}
    counts = panel({area: 9 + at for at, area in enumerate(score)}, score)
    alone = found(counts, protocol(["t1", "t2"], {"on": ["score"]}))
    both = found(counts, protocol(["t1", "t2"], {"on": ["score", "before_level"]}))
    assert "not matched on the level" in " ".join(likeness_words.lead(alone))
    assert "not matched on the level" not in " ".join(likeness_words.lead(both))


def test_a_handful_of_incidents_is_not_printed() -> None:
    """A treated area with three incidents in the year: no level, no month of it."""
    score = {"t1": 10.0, **{f"c{at}": float(at) for at in range(8)}}
    rows = [
        (area, period, int(area != "t1" or period in PERIODS[:3])) for area in score for period in PERIODS
    ]
    counts = panel_from_counts(
        pd.DataFrame(rows, columns=["area", "period", "count"]), covariates={"score": score}
    )
    likeness = found(counts, protocol(["t1"], {"on": ["score"]}))
    level = next(row for row in likeness_words.typical_table(likeness).rows if row[0] == "Incidents before")
    assert level[1] == level[3] == "fewer than 5 in all"
    months = likeness_words.lead_in_table(likeness)
    assert {row[1] for row in months.rows} == {"fewer than 5 in all"}


def test_the_love_plot_has_its_numbers_beside_it() -> None:
    """One mark before and after for each feature; the table under it holds the same differences."""
    score = {"t1": 10.0, "t2": 14.0, "c1": 11.0, "c2": 15.0, "c3": 0.0, "c4": 30.0}
    likeness = found(
        panel(dict.fromkeys(score, 5), score), protocol(["t1", "t2"], {"on": ["score"], "per_treated": 1})
    )
    chart = love_plot(likeness)
    assert chart is not None
    assert len(chart.alt) < 250
    assert chart.table.rows[0][2:4] == ("\u22120.71", "\u22120.35")
    assert "\u22120.71 to \u22120.35" in chart.alt
