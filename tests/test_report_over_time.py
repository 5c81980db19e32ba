"""The report of an effect followed through time: pictures, words, tables and JSON of method did."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import over_time_fixtures as through
import pytest
import report_fixtures as made
from rollouts import STARTS, design, panel_of
from test_report_html import Page
from test_report_json import check

import whatworks_eval as ww
from whatworks_eval.caveats.selection_differing_trends import PARTED
from whatworks_eval.judgement import Evaluation
from whatworks_eval.over_time import Bound, EventTime, PreTrend
from whatworks_eval.report import Form, render, tables
from whatworks_eval.report.cohort_chart import cohort_chart
from whatworks_eval.report.effect_charts import estimates_chart
from whatworks_eval.report.event_study_chart import event_study_chart
from whatworks_eval.report.over_time_json import NOT_COMPUTED, ONE_END, OPEN_END, REFERENCE
from whatworks_eval.report.over_time_tables import (
    COUNTS_LEFT_OUT,
    cohort_table,
    counts_shown,
    sensitivity_table,
    study_table,
)
from whatworks_eval.report.over_time_words import (
    NOTHING_TO_OVERTURN,
    pretrend_sentence,
    sensitivity_sentence,
    sentences,
    shifts_sentence,
)
from whatworks_eval.report.pretrend_chart import pretrend_chart
from whatworks_eval.report.schema import result_schema
from whatworks_eval.report.sensitivity_chart import sensitivity_chart
from whatworks_eval.report.words import headline

EVERY = pytest.mark.parametrize("name", list(through.EVERY))
CHARTS = (event_study_chart, pretrend_chart, cohort_chart, sensitivity_chart)
DRAWN = pytest.mark.parametrize("draw", CHARTS)


@cache
def rendered(name: str, form: Form) -> str:
    """A fixture's report, rendered once."""
    return render(through.EVERY[name](), form)


@cache
def page(name: str) -> Page:
    """A fixture's page, parsed once."""
    return Page(rendered(name, "html"))


def with_pretrend(evaluation: Evaluation, **changes: Any) -> Evaluation:
    """The same evaluation with another check before the start."""
    over_time = evaluation.over_time
    assert over_time is not None
    study = over_time.event_study
    assert study is not None
    found = replace(study, pretrend=replace(study.pretrend, **changes))
    return replace(evaluation, over_time=replace(over_time, event_study=found))


@EVERY
def test_the_page_is_well_formed_and_described(name: str) -> None:
    """Tags close in turn, no id stands twice, every picture has words, every table a caption."""
    found = page(name)
    assert found.faults == found.open == []
    ids = Counter(attributes["id"] for _, attributes in found.tags if "id" in attributes)
    assert [key for key, times in ids.items() if times > 1] == []
    assert all(30 < len(attributes["aria-label"] or "") < 250 for attributes in found.all("svg"))
    assert len(found.all("figure")) == len(found.all("figcaption")) == len(found.all("svg"))
    assert len(found.all("table")) == len(found.all("caption"))
    for attributes in found.all("a"):
        assert (attributes["href"] or "")[1:] in ids


@EVERY
def test_the_same_evaluation_gives_the_same_bytes(name: str) -> None:
    """No clock and no order of a set reaches page, text or JSON."""
    for form in ("html", "text", "json"):
        assert render(through.EVERY[name](), form) == rendered(name, form)


@DRAWN
def test_every_chart_has_its_numbers_in_a_table(draw: Any) -> None:
    """A chart carries a table of the right shape, a title and a short description with a number."""
    chart = draw(through.staggered())
    assert chart.table.rows
    assert all(len(row) == len(chart.table.columns) for row in chart.table.rows)
    assert chart.title
    assert 30 < len(chart.alt) < 250
    assert re.search(r"\d", chart.alt)
    assert "<text" in chart.svg


@DRAWN
def test_nothing_is_drawn_from_what_is_not_there(draw: Any) -> None:
    """Other methods have no event study; a short window draws none; one start has no cohorts."""
    assert draw(made.large_drop()) is None
    assert draw(through.unfollowed()) is None
    assert cohort_chart(through.common()) is None


def test_other_methods_have_no_section() -> None:
    """A page, a text and a JSON of another method say nothing of leads and lags."""
    assert "How the effect looks over time" not in made.rendered("large_drop", "html")
    assert "How the effect looks over time" not in made.rendered("large_drop", "text")
    assert json.loads(made.rendered("large_drop", "json"))["over_time"] is None


def test_reference_start_and_thin_stretches_are_marked() -> None:
    """The picture names reference and start; the table marks the stretch two areas stand behind."""
    chart = event_study_chart(through.common())
    assert chart is not None
    assert ">reference<" in chart.svg
    assert ">start 2019-01<" in chart.svg
    assert [row[4] for row in chart.table.rows] == ["12"] * 7 + ["2 (thin)"]
    assert chart.table.rows[3][1:4] == ("reference", "0 (reference)", tables.ABSENT)
    assert any("fewer than 3 treated areas" in note for note in chart.notes)
    whole = replace(through.study_of(), times=through.study_of().times[:-1])
    followed = replace(through.common().over_time, event_study=whole)  # type: ignore[type-var]
    bare = event_study_chart(replace(through.common(), over_time=followed))
    assert bare is not None
    assert not any("fewer than 3" in note for note in bare.notes)


def test_stretches_are_named_by_distance_where_starts_differ() -> None:
    """No calendar month is right for areas that started at different times."""
    chart = event_study_chart(through.staggered())
    assert chart is not None
    assert [row[0] for row in chart.table.rows][:5] == [
        "12 to 10 months before",
        "9 to 7 months before",
        "6 to 4 months before",
        "3 to 1 months before",
        "months 1 to 3",
    ]
    assert "each area's own start" in chart.svg


def test_a_ratio_is_shown_in_percent_and_a_difference_in_its_unit() -> None:
    """-0.2 on the log scale is 18.1 % fewer; on the other it is -0.20 with the unit in the caption."""
    for evaluation, cell in ((through.common(), "\u221218.1 %"), (through.linear(), "\u22120.20")):
        assert evaluation.over_time is not None
        assert evaluation.over_time.event_study is not None
        table = study_table(evaluation, evaluation.over_time.event_study)
        assert table.rows[4][2] == cell
        assert (through.LINEAR_UNIT in table.caption) == (cell == "\u22120.20")


def test_the_check_before_the_start_is_said_with_its_power() -> None:
    """What the check would find, and what such a trend would do by itself."""
    assert pretrend_sentence(through.common()) == (
        "No difference in trend was detected before the start (p-value 0.41); the check would find a trend "
        "of 1.2 % a month four times in five, which by itself would show as a change of 9.0 %."
    )
    weak = with_pretrend(through.common(), bias_most=0.3)
    assert pretrend_sentence(weak).endswith("so the check is weak.")
    blind = with_pretrend(through.common(), detectable_most=None, bias_most=None)
    assert "how large a trend the check would find is not known" in pretrend_sentence(blind)
    seen = with_pretrend(through.common(), p_value=0.01)
    assert pretrend_sentence(seen).startswith("The arms were already moving apart before the start")
    untested = PreTrend(why_missing="40 placebo sets are too few")
    over_time = through.common().over_time
    assert over_time is not None
    none = replace(over_time, event_study=through.study_of(pretrend=untested))
    said = pretrend_sentence(replace(through.common(), over_time=none))
    assert said == (
        "Whether the arms moved apart before the start was not tested: 40 placebo sets are too few."
    )


def test_pretended_starts_are_told_in_order() -> None:
    """Earlier first, and one that is told apart from no change is named."""
    said = shifts_sentence(through.common())
    assert said.index("2018-07") < said.index("2018-10")
    assert said.endswith("None can be told apart from no change.")
    over_time = through.common().over_time
    assert over_time is not None
    odd = replace(over_time, shifts=(replace(through.SHIFTS[0], low=0.01), through.SHIFTS[1]))
    assert "Something was 'found' at 2018-10, with nothing done." in shifts_sentence(
        replace(through.common(), over_time=odd)
    )


def test_the_breakdown_is_said_and_marked() -> None:
    """1.3 times the largest step in words, on the picture and in the description."""
    chart = sensitivity_chart(through.common())
    assert chart is not None
    said = (
        "The conclusion survives departures from parallel trends up to 1.3 times the largest step seen "
        "before the start."
    )
    assert said in chart.notes
    assert ">holds up to 1.3<" in chart.svg
    assert ">holds throughout<" in chart.svg


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"breakdown": None, "beyond": True}, "beyond 2 times the largest step"),
        ({"breakdown": 0.0}, "does not survive any departure"),
        ({"breakdown": 0.0, "original": Bound(bound=0.0, low=-0.3, high=0.1)}, f"{PARTED}."),
        ({"breakdown": None, "why_missing": "it did not converge"}, "not worked out: it did not converge."),
        ({"original": None, "bounds": (), "why_missing": "no lag"}, "was not worked out: no lag."),
    ],
)
def test_every_way_a_sensitivity_can_end_is_said(changes: dict[str, Any], said: str) -> None:
    """Beyond what was tried, at once, nothing to overturn, or not worked out with the reason."""
    found = through.sensitivity_of(**changes)[0]
    assert said in sensitivity_sentence(found, through.common())


def test_without_a_finding_there_is_nothing_to_overturn() -> None:
    """Where the estimate is not told from no change, nothing parts from it; chart and text say the same."""
    (found, *_) = through.sensitivity_of(breakdown=0.0, original=Bound(bound=0.0, low=-0.3, high=0.1))
    common = through.common()
    none = replace(common, estimate=made.make_estimate(-3.0, -12.0, 7.0))
    assert sensitivity_sentence(found, none) == NOTHING_TO_OVERTURN
    assert common.over_time is not None
    chart = sensitivity_chart(replace(common, over_time=replace(common.over_time, sensitivity=(found,))))
    assert chart is not None
    assert chart.notes[0] == f"{PARTED}."
    assert PARTED.split(";")[0] in chart.alt


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"low": None}, ONE_END),
        ({"high": None}, ONE_END),
        ({"low": None, "high": None}, NOT_COMPUTED),
        ({"value": None, "low": None}, NOT_COMPUTED),
    ],
)
def test_an_interval_open_at_one_end_is_not_unknown(changes: dict[str, Any], said: str) -> None:
    """Beside a value and one end, only the other is missing; nothing else is called so."""
    followed = through.common()
    assert followed.over_time is not None
    shifts = (replace(through.SHIFTS[0], **changes), through.SHIFTS[1])
    over_time = replace(followed.over_time, shifts=shifts)
    found = json.loads(render(replace(followed, over_time=over_time), "json"))["over_time"]["shifts"]
    assert found[0]["why_missing"] == said
    assert found[1]["why_missing"] is None


def test_an_open_end_is_a_word_in_the_table() -> None:
    """A bound without a lower end reads 'at most', never a blank or an infinity."""
    table = sensitivity_table(through.common(), through.sensitivity_of())
    assert table.rows[3][2] == "at most +35.0 %"


def test_an_end_too_far_out_is_cut() -> None:
    """An end of several thousand percent is said to be beyond a thousand."""
    followed = through.common().over_time
    assert followed is not None
    far = EventTime(offset=0, periods=3, value=0.1, low=-0.1, high=5.0, areas=9)
    study = through.study_of(times=(*through.study_of().times[:4], far), scale="log-ratio")
    table = study_table(replace(through.common(), over_time=followed), study)
    assert table.rows[-1][3] == "\u22129.5 % to beyond +1,000 %"


def test_cohorts_of_one_area_are_marked_everywhere() -> None:
    """In the picture, under it, in the table and in the text."""
    chart = cohort_chart(through.staggered())
    assert chart is not None
    assert "2019-08 (1 area only)" in chart.svg
    assert any("one bad month looks like an effect" in note for note in chart.notes)
    assert chart.table.rows[-1][0] == "2019-08 (too few to read alone)"
    assert "2019-08 (1 area only)" in rendered("staggered", "text").replace("\n", " ").replace("  ", " ")


def test_counts_by_cohort_are_hidden_together() -> None:
    """A count below 5, or of one area, takes every cohort's count with it: the rest would give it away."""
    several = tuple(replace(one, areas=4, units=4) for one in through.COHORTS)
    open_case = through.staggered(cohorts=several)
    assert counts_shown(open_case)
    assert open_case.over_time is not None
    assert "Recorded" in cohort_table(open_case, open_case.over_time).columns
    small = (*several[:2], replace(several[2], recorded=3.0, expected=4.1))
    for hidden in (through.staggered(), through.staggered(cohorts=small)):
        assert not counts_shown(hidden)
        assert hidden.over_time is not None
        table = cohort_table(hidden, hidden.over_time)
        assert "Recorded" not in table.columns
        assert COUNTS_LEFT_OUT in table.notes
        cohorts = json.loads(render(hidden, "json"))["over_time"]["cohorts"]
        assert all(one["recorded"] is None and one["expected"] is None for one in cohorts)
        assert all(one["why_missing"] for one in cohorts)
    kept = json.loads(render(open_case, "json"))["over_time"]["cohorts"]
    assert [one["recorded"] for one in kept] == [700.0, 410.0, 100.0]


def test_the_forbidden_share_is_said_once_for_staggered_starts() -> None:
    """24 % of a two-way estimate; nothing of the sort where all start together."""
    said = "would take 24 % of its estimate from comparisons with areas already treated"
    text = rendered("staggered", "text").replace("\n", " ").replace("   ", " ").replace("  ", " ")
    assert said in text
    assert "two-way fixed-effects regression" not in " ".join(sentences(through.common()))
    assert "What a two-way fixed-effects regression compares" in rendered("staggered", "html")


def test_why_there_is_no_event_study_is_said() -> None:
    """On the page and in the text, as a sentence."""
    for form in ("html", "text"):
        assert "could not be followed stretch by stretch: the before window holds 1 months" in " ".join(
            rendered("unfollowed", form).split()
        )


def test_every_heading_of_the_section_carries_the_level() -> None:
    """The level stands by the numbers, and places picked for need are said to show no effect."""
    for draw in (event_study_chart, cohort_chart, sensitivity_chart):
        chart = draw(through.staggered())
        assert chart is not None
        assert "design strength level 3 of 5" in chart.title
    need = made.finding("regression.chosen-by-need", 2, message="Chosen for need.")
    picked = event_study_chart(replace(through.common(), findings=(need,)))
    assert picked is not None
    assert "none is an effect of the project" in picked.title


def test_names_that_are_markup_stay_text() -> None:
    """A script in a start, a reference, a comparison or a reason is printed and never a tag."""
    text = rendered("hostile", "html")
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 10
    assert '"' not in re.findall(r'aria-label="([^"]*)"', text)[0]


@EVERY
def test_a_result_fits_its_schema(name: str) -> None:
    """The shipped schema describes every fixture of method did."""
    check(json.loads(rendered(name, "json")), result_schema(), "result")


@EVERY
def test_every_missing_number_has_a_reason(name: str) -> None:
    """Wherever value, low or high is null, the why_missing beside it says why."""

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            numbers = [part[key] for key in ("value", "low", "high", "breakdown", "p_value") if key in part]
            if "why_missing" in part and None in numbers:
                assert part["why_missing"]
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(json.loads(rendered(name, "json"))["over_time"])


def test_the_json_says_what_the_records_hold() -> None:
    """Values on their own scale; the reference and an open end carry their reasons; silent areas unnamed."""
    found = json.loads(rendered("common", "json"))["over_time"]
    times = found["event_study"]["times"]
    assert times[4]["value"] == -0.2
    assert times[3]["why_missing"] == REFERENCE
    assert found["sensitivity"][0]["breakdown"] == 1.3
    assert found["sensitivity"][0]["bounds"][2]["why_missing"] == OPEN_END
    assert found["sensitivity"][1]["why_missing"] == "beyond the bounds tried"
    assert found["no_information"] == {
        "treated": 1,
        "comparison": 0,
        "treated_before": 0,
        "suppressed": False,
    }
    assert through.SILENT not in json.dumps(found)
    assert found["entering"] == {"E01000090": "2018-03"}
    assert found["forbidden_share"] is None
    assert json.loads(rendered("staggered", "json"))["over_time"]["forbidden_share"] == 0.24


def test_a_linear_effect_is_said_and_drawn_in_its_unit() -> None:
    """Headline, table and chart name incidents an area and month; the ratio has a table of its own."""
    evaluation = through.linear()
    assert f"it was 0.61 {through.LINEAR_UNIT} lower than expected from them" in headline(evaluation)
    table = tables.effects(evaluation)
    assert f"in {through.LINEAR_UNIT}" in table.caption
    assert [row[1:3] for row in table.rows] == [
        ("\u22120.61", "\u22120.93 to \u22120.28"),
        ("\u22120.50", "\u22120.90 to \u22120.10"),
    ]
    other = tables.other_units(evaluation)
    assert other is not None
    assert other.rows[0][:4] == (
        "Model: ratio of counts",
        "\u221214.0 %",
        "\u221224.0 % to \u22122.0 %",
        "percent",
    )
    chart = estimates_chart(evaluation)
    assert chart is not None
    assert through.LINEAR_UNIT in chart.svg
    assert "atio of counts" not in chart.svg


def test_estimates_of_a_ratio_in_other_units_stand_apart() -> None:
    """A difference beside ratios names its unit, in a table of its own, and is not drawn among them."""
    other = replace(through.linear().estimate, label="imputation", choice="estimator")
    evaluation = replace(through.common(), alternatives=(other,))
    assert len(tables.effects(evaluation).rows) == 1
    table = tables.other_units(evaluation)
    assert table is not None
    assert table.rows[0][:4] == (
        "Estimator: imputation",
        "\u22120.61",
        "\u22120.93 to \u22120.28",
        through.LINEAR_UNIT,
    )
    assert tables.other_units(made.published()) is None


def test_expected_is_explained_where_starts_differ() -> None:
    """Recorded and expected run from each area's own start; no before and after totals are set in words."""
    said = headline(through.staggered())
    assert "in the treated areas, each from its own start, was 19 % lower" in said
    assert "fell more than" not in said
    table = tables.arms(through.staggered())
    assert table is not None
    assert "from each area's own start to the end of the after window" in table.notes[0]
    assert "2019-01 to 2019-08: 3 different starts" in rendered("staggered", "html")


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (
            (-3.1, -5.0, -1.2),
            "With one more unit of patrol hours recorded anti-social behaviour was 3.1 % lower",
        ),
        ((0.4, -2.0, 3.0), "showed no change larger than 3.0 % with one more unit of patrol hours"),
        (
            (0.4, -20.0, 30.0),
            "too imprecise to tell (\u221220 % to +30 %) whether recorded anti-social behaviour",
        ),
        ((-3.1, None, None), "no interval can be given"),
    ],
)
def test_a_dose_is_said_by_unit(ends: tuple[float | None, float | None, float | None], said: str) -> None:
    """Never 'in the treated areas lower': the effect is of one more unit."""
    words = headline(through.dose(*ends))
    assert said in words
    assert "treated areas" not in words
    assert "level 3 of 5" in words
    caption = tables.effects(through.dose(*ends)).caption
    assert caption.startswith("Recorded with one more unit of patrol_hours, against without")


def test_a_linear_dose_says_its_unit_once() -> None:
    """'by unit of hours' is in the unit of the estimate and must not be said twice."""
    evaluation = replace(
        through.dose(),
        estimate=replace(through.linear().estimate, unit=f"{through.LINEAR_UNIT}, by unit of patrol_hours"),
    )
    words = headline(evaluation)
    assert "by unit of" not in words
    assert f"was 0.61 {through.LINEAR_UNIT} lower" in words


def test_complete_suppression_is_a_limit_in_the_headline() -> None:
    """Nothing recorded after the start: at least so much lower, and no number."""
    panel = panel_of(treated=6, level=2.0, effect=0.0)
    evaluation = ww.evaluate(design(treated=6), panel)
    assert evaluation.estimate.value is None
    said = headline(evaluation)
    assert said.startswith(
        "Nothing was recorded in the treated areas in the after window, so there is only a"
    )
    assert re.search(r"at least [\d.]+ % lower", said)
    assert render(evaluation, "html").count("<figure") >= 1


def test_a_real_roll_out_is_reported_whole(tmp_path: Path) -> None:
    """From files to page, text and JSON: three cohorts, an effect, every part there."""
    evaluation = ww.evaluate(
        design(tmp_path, treated=12, starts=STARTS), panel_of(treated=12, effect=0.7, starts=STARTS)
    )
    text, html = render(evaluation, "text"), render(evaluation, "html")
    assert max(len(line) for line in text.splitlines()) <= 100
    for chart in ("event-study", "pretrend", "cohorts", "sensitivity"):
        assert f'<figure id="{chart}">' in html
    assert Page(html).faults == []
    check(json.loads(render(evaluation, "json")), result_schema(), "result")
    assert "Effect by calendar time" in html
