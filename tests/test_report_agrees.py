"""One report says one thing: words, pictures, tables and findings give the same numbers."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import over_time_fixtures as through
import pytest
import report_fixtures as made

from whatworks_eval.caveats import find_rule
from whatworks_eval.judgement import Case, Evaluation, EvidenceRule, Measure, Verdict
from whatworks_eval.records import Curve, Series
from whatworks_eval.report import drawing, render, tables
from whatworks_eval.report.charts import counts_chart, index_chart
from whatworks_eval.report.effect_charts import estimates_chart
from whatworks_eval.report.evidence import evidence
from whatworks_eval.report.over_time_words import pretrend_sentence, sensitivity_sentence
from whatworks_eval.report.running_chart import running_chart
from whatworks_eval.report.subject import moved
from whatworks_eval.report.survey_chart import _alt
from whatworks_eval.report.words import headline

sys.path.insert(0, str(Path(__file__).parent / "rules"))

from cases import World, make_case
from did_cases import common as did_common


def verdict(rule_id: str, case: Case) -> Verdict:
    """What a rule says of a case."""
    rule = find_rule(rule_id)
    assert isinstance(rule, EvidenceRule)
    judged = rule.judge(case)
    assert isinstance(judged, Verdict)
    return judged


def of_method(method: str, level: int = 2, **changes: Any) -> Evaluation:
    """The common evaluation under another method."""
    return made.evaluation(level, protocol=made.make_protocol(method=method), **changes)


def a_curve() -> Curve:
    """A fitted series of two years."""
    periods = made.YEARS[0] + made.YEARS[1]
    flat, after = np.full(24, 100.0), np.arange(24) >= 12
    return Curve(periods=periods, recorded=flat, fitted=flat, expected=flat + 20, after=after)


@pytest.mark.parametrize("level", [2, 3])
def test_a_time_series_is_held_against_a_trend_and_not_against_areas(level: int) -> None:
    """The ratio of ratios of the same counts may point the other way, so areas alone suggest nothing."""
    said = headline(of_method("interrupted-time-series", level, curve=a_curve()))
    assert "than the earlier trend of their ratio to comparison areas would suggest" in said
    assert "fell more" not in said
    assert "than comparison areas would suggest" not in said


@pytest.mark.parametrize("level", [2, 3])
def test_a_synthetic_comparison_is_a_mixture_everywhere(level: int) -> None:
    """The number expected is the mixture's, not that of the comparison areas in the table beside it."""
    evaluation = of_method("synthetic", level)
    assert "than a mixture of comparison areas would suggest" in headline(evaluation)
    table = tables.arms(evaluation)
    assert table is not None
    assert "had they changed as the mixture did" in table.notes[0]


def test_no_motion_is_said_that_the_totals_deny() -> None:
    """Treated -5 %, comparison -20 %, and an adjusted estimate below zero: they did not fall more."""
    start = made.evaluation(3)
    windowed = made.make_windowed(start.contrast, (1000.0, 950.0), (9000.0, 7200.0))
    assert moved(replace(start, windowed=windowed), "lower") == ""
    assert moved(replace(start, windowed=windowed), "higher") == "fell less than in comparison areas"


@pytest.mark.parametrize(
    "evaluation",
    [
        through.staggered(),
        made.evaluation(
            2,
            protocol=made.make_protocol(
                method="did", did={"adjust_for": ["x"]}, covariates={"x": {"path": "x.csv"}}
            ),
        ),
    ],
)
def test_no_sum_stands_beside_an_estimate_that_expects_another_number(evaluation: Evaluation) -> None:
    """Added up, it came to 1,086 where the report said 962 fewer, and to 261 more where it said 793 fewer."""
    assert running_chart(made.evaluation()) is not None
    assert running_chart(evaluation) is None


def test_the_change_names_its_basis_where_windows_are_of_unlike_length() -> None:
    """10,762 in 24 months and 4,388 in 12 are 18 % fewer a month, which the numbers shown do not say."""
    alike = made.evaluation()
    assert alike.windowed is not None
    unlike = replace(alike, windowed=replace(alike.windowed, months=(22.0, 11.0)))
    heads = [table.columns[-1] for one in (alike, unlike) if (table := tables.arms(one)) is not None]
    assert heads == ["Change, unadjusted", "Change of the number a month, unadjusted"]


@pytest.mark.parametrize("level", [4.0, 6.0, 60.0, 900.0])
@pytest.mark.parametrize("chart", [counts_chart, running_chart])
def test_every_number_on_an_axis_of_incidents_is_where_it_says(
    level: float, chart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark at 7.5 was labelled 8, and one at 2.5 was labelled 2."""
    drawn: list[Any] = []
    keep = drawing.as_svg
    monkeypatch.setattr(drawing, "as_svg", lambda figure, *rest: drawn.append(figure) or keep(figure, *rest))
    series = made.make_series(level=level)
    counts = {arm: np.maximum(values, 5.0) for arm, values in series.counts.items()}
    assert chart(made.evaluation(series=replace(series, counts=counts))) is not None
    for axes in drawn[0].axes:
        for place, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
            shown = label.get_text().replace("\u2212", "-").replace("+", "").replace(",", "")
            assert not shown or float(shown) == pytest.approx(place)


def test_the_picture_of_estimates_is_described_as_the_table_has_it() -> None:
    """The value with as many decimals as in the table; a picture of one estimate is left out."""
    evaluation = made.evaluation()
    chart = estimates_chart(evaluation)
    assert chart is not None
    value, span = tables.effects(evaluation).rows[0][1:3]
    assert f"{value} ({span})" in chart.alt
    assert estimates_chart(replace(evaluation, alternatives=())) is None


def test_series_are_described_by_their_windows() -> None:
    """The message is before against after; the first and last value lie outside both windows."""
    evaluation = made.evaluation()
    chart, series = index_chart(evaluation), evaluation.series
    assert chart is not None
    assert series is not None
    after = np.nanmean(series.index["treated"][series.after])
    assert f"Mean of the after window: treated {after:.0f}," in chart.alt
    share = Series(
        **{name: getattr(series, name) for name in series.__slots__}
        | {"counts": {"treated": np.where(series.before, 60.0, np.where(series.after, 66.0, 1.0))}}
    )
    assert "treated 60.0 % before and 66.0 % after" in _alt(share, ["treated"])


def test_a_long_description_ends_with_a_sentence() -> None:
    """A screen reader is not left hanging in the middle of one."""
    first = "Dot plot of 3 stretches. Nothing was detected (p-value 0.12). "
    assert drawing.short(first + "The check would find " + "a trend " * 40) == first.strip()


def test_reasons_that_rows_share_are_given_once_and_names_with_commas_stay_apart() -> None:
    """'nearby areas, less adjoining areas, Comparison set: …' could not be taken apart."""
    none = {"low": None, "high": None, "why_missing": "value alone", "choice": "comparison set"}
    others = tuple(
        made.make_estimate(-5.0, **none, label=label)  # type: ignore[arg-type]
        for label in ("nearby areas, less some", "other areas, less some")
    )
    notes = tables.effects(made.evaluation(alternatives=others)).notes
    said = "Comparison set: nearby areas, less some; Comparison set: other areas, less some: value alone."
    assert said in notes


def test_estimates_in_incidents_stand_apart_from_percentages() -> None:
    """For every method: one column of one table is in one unit."""
    other = replace(
        made.make_estimate(-5.0, -9.0, -1.0),
        scale="difference",
        unit="incidents",
        label="wdd",
        choice="effect measure",
    )
    evaluation = made.evaluation(alternatives=(other,))
    table = tables.other_units(evaluation)
    assert len(tables.effects(evaluation).rows) == 1
    assert table is not None
    assert table.rows[0][3] == "incidents"


def test_breakdown_and_trend_are_the_same_number_in_finding_and_picture() -> None:
    """1.95 was 1.9 in the finding; a trend of 31 % was -23.6 % there."""
    case = did_common()
    evaluation = replace(through.common(), estimate=case.estimate, over_time=case.over_time)
    assert case.over_time is not None
    study = case.over_time.event_study
    assert study is not None
    bias = study.pretrend.bias_most
    assert bias is not None
    size = f"{100 * math.expm1(bias):.0f} %"
    assert f"show as a change of {size}" in pretrend_sentence(evaluation)
    down = f"\N{MINUS SIGN}{-100 * math.expm1(-bias):.0f} %"
    assert f"come to a change of {down} or +{size}, and" in verdict("selection.pre-trend", case).message
    found = tuple(replace(one, breakdown=1.949) for one in through.sensitivity_of()[:1])
    there = replace(case, over_time=replace(case.over_time, sensitivity=found))
    assert "up to 1.95 times" in sensitivity_sentence(found[0], evaluation)
    assert "up to 1.95 times" in verdict("selection.differing-trends", there).message


def test_one_unit_is_said_in_the_singular_and_an_empty_interval_not_at_all() -> None:
    """'There are only 1 treated unit'; 'typical ratio 1.29, between 0 and 94,622.9'."""
    assert "There is only 1 treated unit and" in verdict("chance.few-units", lone()).message
    for seed in range(40):
        said = verdict("selection.baseline-level", make_case(World(treated=2, comparison=30), seed=seed))
        ratio = said.evidence[0]
        if ratio.low is not None and ratio.high is not None and ratio.high > 100 * ratio.low:
            assert "from too few units to say how far off that may be" in said.message
            return
    pytest.fail("no draw had so wide an interval")


def lone() -> Case:
    """A case with one treated unit."""
    return make_case(World(treated=1, comparison=20))


def test_a_spell_of_recording_is_said_with_its_end() -> None:
    """A drive that began before the windows and ended inside them is no change 'from 2014 between' them."""
    violence = {"outcome": {"offences": ["Violence and sexual offences"]}}
    said = verdict("recording.known-break", make_case(World(treated=10), changes=violence)).message
    assert "from 2014-11 to 2018-12" in said
    assert "in the time compared" in said


def test_offences_that_are_not_named_are_not_called_anti_social_behaviour() -> None:
    """A table of counts of who knows what."""
    named = make_case(World(treated=10))
    unnamed = replace(
        named,
        protocol=named.protocol.model_copy(
            update={"outcome": named.protocol.outcome.model_copy(update={"offences": None})}
        ),
    )
    assert "anti-social behaviour" in verdict("recording.tipping-point", named).message
    said = verdict("recording.tipping-point", unnamed).message
    assert "anti-social" not in said
    assert "which offences are counted is not stated" in said


def test_one_of_anything_is_said_in_the_singular_in_the_evidence() -> None:
    """'1 units' stood beside 'There is only 1 treated unit'."""
    judged = verdict("chance.few-units", lone())
    table = evidence(made.finding("chance.few-units", evidence=judged.evidence), hide=True)
    assert table is not None
    assert table.rows[0][1] == "1 unit"
    assert table.rows[1][1].endswith(" units")


def test_words_of_a_row_are_not_broken_on_a_narrow_screen() -> None:
    """Only a name without a space may break anywhere: 'Differenc-e in trend' stood at 400 pixels."""
    name = "Difference in trend before the start, in the typical unit"
    measure = Measure(name=name, unit="%", value=1.0)
    found = made.finding("selection.baseline-trend", evidence=(measure,))
    page = render(made.evaluation(findings=(found,)), "html")
    assert f'<th scope="row">{name}</th>' in page


def test_a_line_that_can_be_told_from_none_is_not_called_undetected() -> None:
    """'No difference in trend was detected' stood over a slope of -0.37 % a month (-0.69 to -0.06)."""
    case = did_common()
    assert case.over_time is not None
    study = case.over_time.event_study
    assert study is not None
    for low, said in ((-0.02, False), (0.001, True)):
        leads = replace(study.pretrend, p_value=0.12, slope=0.01, slope_low=low, slope_high=0.04)
        over_time = replace(case.over_time, event_study=replace(study, pretrend=leads))
        there = replace(case, over_time=over_time)
        page = pretrend_sentence(replace(through.common(), estimate=case.estimate, over_time=over_time))
        for words in (page, verdict("selection.pre-trend", there).message):
            assert ("though a straight line through them can" in words) is said
            assert ("No difference in trend was detected" in words) is not said
