"""The words a number may be given, at each level and for each kind of interval."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import report_fixtures as made

from whatworks_eval.judgement import Evaluation
from whatworks_eval.records import Estimate, Interval
from whatworks_eval.report import FORMS, render, render_appraisal
from whatworks_eval.report.numerals import clean, count, decimals_for, percent, signed
from whatworks_eval.report.strength import binding_sentence
from whatworks_eval.report.subject import recorded
from whatworks_eval.report.words import (
    doubts,
    headline,
    level_sentence,
    range_words,
    verdict,
    what_would_raise,
)

EVERY = pytest.mark.parametrize("name", list(made.EVERY))
FORBIDDEN = re.compile(
    r"\bprov(e|ed|es|en)\b|\bsignifican|\bno effect\b|\bcontrol (group|area)|\bcaused\b|\bworked\b",
    re.IGNORECASE,
)


def at_level(level: int, **changes: Any) -> Evaluation:
    """The large drop at any level."""
    return made.evaluation(level, 5, **changes)


def first_sentence(evaluation: Evaluation) -> str:
    """The headline without the sentence on level and scope."""
    said = headline(evaluation)
    assert said.endswith(".")
    return said[: said.rindex(". ", 0, -1) + 1]


@EVERY
def test_the_level_and_the_scope_stand_beside_every_number(name: str) -> None:
    """Every headline says the level, these areas and these months."""
    evaluation = made.EVERY[name]()
    said = headline(evaluation)
    assert f"level {evaluation.grade.level} of 5" in said
    assert "these areas and these months" in said
    assert repr(evaluation) == said


@EVERY
@pytest.mark.parametrize("form", ["text", "html"])
def test_no_forbidden_word_is_ever_said(name: str, form: Any) -> None:
    """Nothing is proved, significant or without effect, in any form of any report."""
    said = made.rendered(name, form)
    said = re.sub(r"<style>.*?</style>", "", said, flags=re.DOTALL)
    assert not FORBIDDEN.search(said), FORBIDDEN.search(said)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-20.0, -5.0, "lower"),
        (5.0, 20.0, "higher"),
        (-9.9, 9.9, "no larger change"),
        (-10.1, 2.0, "too imprecise"),
        (-2.0, 10.1, "too imprecise"),
        (None, -5.0, "lower"),
        (None, 5.0, "too imprecise"),
        (5.0, None, "higher"),
        (-5.0, None, "too imprecise"),
        (None, None, "no interval"),
    ],
)
def test_the_interval_alone_decides_the_verdict(low: float | None, high: float | None, expected: str) -> None:
    """Lower or higher off zero; bounded where neither end reaches a tenth; imprecise otherwise."""
    assert verdict(made.make_estimate(-4.0, low, high)) == expected


def test_no_number_at_all_is_said_with_its_reason() -> None:
    """An estimate of None gives its reason, and no percentage."""
    said = headline(made.no_estimate())
    assert verdict(made.no_estimate().estimate) == "no estimate"
    assert said.startswith("No estimate could be made: both windows are empty in the comparison areas.")
    assert "%" not in said


@pytest.mark.parametrize("level", [1, 2])
def test_up_to_level_2_a_fall_is_a_fall_whatever_the_cause(level: int) -> None:
    """'Was lower, whatever the cause', and never 'fell more' or 'reduced'."""
    said = headline(at_level(level))
    assert "was 19 % lower than comparison areas would suggest, whatever the cause" in said
    assert "fell more" not in said
    assert "reduced" not in said


def test_level_3_compares_without_claiming() -> None:
    """'Fell more than in comparison areas', with the size and the interval."""
    said = headline(at_level(3))
    assert "fell more than in comparison areas: it was 19 % lower than expected from them" in said
    assert "(95 % interval: 10 % to 26 % lower)" in said
    assert "reduced" not in said


@pytest.mark.parametrize("level", [4, 5])
def test_reduced_needs_level_4_and_an_interval_off_zero(level: int) -> None:
    """The only levels that may say 'reduced', and only where the interval excludes zero."""
    assert "Problem-oriented patrol reduced recorded anti-social behaviour" in headline(at_level(level))
    for estimate in (
        made.make_estimate(-18.0, -40.0, 12.0),
        made.make_estimate(-4.0, -9.0, 2.0),
        made.make_estimate(-18.0, None, None, why_missing="too few units"),
    ):
        assert "reduced" not in headline(at_level(level, estimate=estimate))


@pytest.mark.parametrize(
    ("treated", "comparison", "change", "words"),
    [
        ((1500, 1200), (11000, 10900), -18.0, "fell more than in comparison areas:"),
        ((1500, 1200), (11000, 11100), -18.0, "fell more than in comparison areas, where it did not fall:"),
        ((1500, 1600), (11000, 15000), -18.0, "rose less than in comparison areas:"),
        ((1500, 1900), (11000, 11900), 18.0, "rose more than in comparison areas:"),
        ((1500, 1900), (11000, 10900), 18.0, "rose more than in comparison areas, where it fell:"),
        ((1500, 1400), (11000, 8000), 18.0, "fell less than in comparison areas:"),
    ],
)
def test_fell_is_never_said_of_a_rise(treated: Any, comparison: Any, change: float, words: str) -> None:
    """The verb follows what the treated areas recorded, the comparison follows the estimate."""
    estimate = made.make_estimate(change, min(change - 5, -2.0), -2.0)
    if change > 0:
        estimate = made.make_estimate(change, 2.0, change + 5)
    evaluation = made.evaluation(
        windowed=made.make_windowed(made.make_contrast(), treated, comparison), estimate=estimate
    )
    assert words in headline(evaluation)


SERIES = {"footfall": {"path": "f.csv"}, "patrol_hours": {"path": "p.csv"}}
ADJUSTED = {
    "method": "did",
    "did": {"adjust_for": ["footfall", "imd_score"], "series": {"footfall": SERIES["footfall"]}},
    "covariates": {"imd_score": {"path": "imd.csv"}},
}
HELD = "with footfall held still and allowing for IMD score"


@pytest.mark.parametrize(
    ("level", "change", "words"),
    [
        (2, (-18.0, -26.0, -10.0), f"lower than comparison areas would suggest {HELD}, whatever the cause ("),
        (3, (-18.0, -26.0, -10.0), f"it was 18 % lower than expected from them {HELD} ("),
        (4, (-18.0, -26.0, -10.0), f"in the treated areas by 18 % {HELD} ("),
        (3, (-1.1, -6.2, 4.3), f"no change larger than 6.2 % against comparison areas {HELD} ("),
        (3, (-2.0, -24.0, 26.0), f"differed from what comparison areas would suggest {HELD}; "),
        (3, (-18.0, None, None), f"lower than expected from them {HELD}; no interval"),
    ],
)
def test_what_was_held_still_is_beside_the_number(level: int, change: Any, words: str) -> None:
    """An adjusted answer is one with something held still, and says what, at every level and verdict."""
    estimate = made.make_estimate(*change, why_missing="too few units")
    protocol = made.make_protocol(**ADJUSTED)
    assert words in headline(at_level(level, estimate=estimate, protocol=protocol))
    assert "held still" not in headline(at_level(level, estimate=estimate))


def test_a_dose_says_what_was_held_still() -> None:
    """The effect of one more unit is with the other numbers as they are; the dose is not among them."""
    did = {"dose": "patrol_hours", "series": SERIES, "adjust_for": ["footfall"]}
    protocol = made.make_protocol(method="did", did=did)
    said = headline(at_level(3, protocol=protocol))
    assert "with one more unit of patrol hours (with footfall held still)" in said.lower()


def test_a_null_says_how_large_a_change_is_ruled_out() -> None:
    """The larger end is the bound, with sign and interval beside it."""
    said = headline(made.null_result())
    assert "showed no change larger than 6.2 % against comparison areas" in said
    assert "(estimate −1.1 %; 95 % interval: −6.2 % to +4.3 %)" in said


def test_an_imprecise_result_says_so_first() -> None:
    """'Too imprecise to tell (between −x and +y %)', and no direction word for the estimate."""
    said = headline(made.imprecise())
    assert said.startswith("The data are too imprecise to tell (between −24 and +26 %) whether recorded")
    assert "estimate of −2 %" in said
    assert "lower" not in said


def test_before_and_after_is_always_unadjusted() -> None:
    """Whatever the verdict, a before-after says 'unadjusted' and what it leaves out."""
    for low, high in ((-30.0, -7.0), (-8.0, 5.0), (-30.0, 20.0), (None, None)):
        estimate = made.make_estimate(-5.0 if high is None or high > 0 else -19.0, low, high, why_missing="x")
        said = headline(replace(made.before_after(), estimate=estimate))
        assert said.startswith("Unadjusted, ")
        assert "leaves out whatever changed everywhere" in said


def test_places_picked_for_need_cannot_be_quoted_as_a_success() -> None:
    """Regression to the mean comes before the number, the matched estimate after it, in one sentence."""
    said = first_sentence(made.hot_spot())
    assert ". " not in said
    number = said.index("10 % lower")
    assert said.index("regression to the mean") < number
    assert said.index("no fall here can be credited to the project") < number
    assert said.index("against level-matched areas the figure is −0.9 %") > number
    assert "fell more" not in said


def test_places_picked_for_need_are_warned_of_in_every_table_of_effects() -> None:
    """The warning stands under the estimates too, and no incident is called prevented."""
    for form in FORMS[::2]:
        said = re.sub(r"\s+", " ", made.rendered("hot_spot", form))
        assert "no row here is an effect of the project" in said
        assert "not a count of incidents prevented" in said


def test_need_without_a_matched_estimate_says_that_none_could_be_made() -> None:
    """The alternative that is missing is named as missing."""
    said = headline(replace(made.hot_spot(), alternatives=()))
    assert "no estimate against areas of like level could be made" in said


def test_need_with_a_rise_does_not_speak_of_a_fall() -> None:
    """Where the figure is a rise, the warning says which way the bias runs."""
    said = headline(replace(made.hot_spot(), estimate=made.make_estimate(9.0, 2.0, 16.0)))
    assert "any bias here favours the project" in said
    assert "no fall" not in said


def test_published_changes_say_what_rounding_and_missing_counts_mean() -> None:
    """The ratio of factors, the range from rounding, the points, and that no interval exists."""
    said = headline(made.published())
    assert "about 4.8 % lower" in said
    assert "4.7 to 5.0 % given the rounding" in said
    assert "4.5 points between two percentage changes" in said
    assert "No interval can be computed without the counts behind them" in said
    assert "whatever the cause" in said


def test_published_change_without_a_comparison_is_unadjusted() -> None:
    """One published percentage is a before-after, and worded as one."""
    evaluation = made.published()
    outcome = {"source": "published-changes", "changes": {"treated": -14.0}}
    alone = made.make_protocol(method="before-after", outcome=outcome, windows=None, areas=None)
    said = headline(
        replace(evaluation, protocol=alone, alternatives=(), estimate=made.make_estimate(-14.0, None, None))
    )
    assert said.startswith("Unadjusted, by the published percentages")
    assert "14.0 % lower than before, whatever the cause" in said
    assert "leaves out whatever changed everywhere" in said


def test_nothing_recorded_gives_a_limit_and_no_single_figure() -> None:
    """A one-sided interval reads 'at least', and the reason stands before it."""
    said = headline(made.nothing_after())
    assert said.startswith("Nothing was recorded in the treated areas in the after window")
    assert "at least 62.0 % lower" in said
    wide = replace(made.nothing_after(), estimate=replace(made.nothing_after().estimate, high=0.2))
    assert "too imprecise to tell (anything up to +22.1 %)" in headline(wide)


def test_an_offence_named_in_the_plural_agrees_with_its_verb() -> None:
    """'Violence and sexual offences was' is not English; the number of incidents was."""
    outcome = {"source": "police-uk", "path": "a.zip", "offences": ["Violence and sexual offences"]}
    said = headline(made.evaluation(protocol=made.make_protocol(outcome=outcome)))
    assert said.startswith(
        "The number of recorded incidents (violence and sexual offences) in the treated areas"
    )


def test_a_rate_is_not_called_a_number_of_incidents() -> None:
    """By 1,000 residents: the headline says so, and what was recorded is still incidents."""
    rate = made.make_protocol(method="did", outcome={"source": "counts", "path": "a.csv", "kind": "rate"})
    estimate = replace(made.make_estimate(None, None, None), value=-0.4, low=-0.7, high=-0.1)
    unit = "incidents by 1,000 residents and month"
    own = replace(estimate, scale="difference", unit=unit)
    said = headline(made.evaluation(protocol=rate, estimate=own))
    assert "he rate for 1,000 residents of recorded incidents in the treated areas" in said
    assert "number of recorded" not in said
    assert recorded(rate) == "the number of recorded incidents"


def test_open_intervals_have_words_of_their_own() -> None:
    """'At least' where zero is excluded, 'anything up to' or 'from' where it is not."""
    assert range_words(made.make_estimate(30.0, 10.0, None)) == "at least 10.0 % higher"
    assert range_words(made.make_estimate(30.0, -10.0, None)) == "anything from −10.0 % upwards"
    assert range_words(made.make_estimate(-3.0, None, None)) == ""


def test_the_difference_scale_keeps_its_own_unit() -> None:
    """Points are never turned into percent."""
    points = Estimate(
        measure="difference",
        scale="difference",
        unit="percentage points",
        value=-4.5,
        low=-8.0,
        high=-1.0,
        confidence=0.9,
        inference="x",
    )
    assert range_words(points) == "1.0 to 8.0 percentage points lower"


def test_decimals_follow_the_width_of_the_interval() -> None:
    """Wide intervals get whole numbers; an end that is not zero is never printed as zero."""
    assert decimals_for(Interval(value=-50.0, low=-80.0, high=10.0)) == 0
    assert decimals_for(Interval(value=-3.0, low=-5.0, high=-1.0)) == 1
    assert decimals_for(Interval(value=-0.4, low=-0.7, high=-0.1)) == 2
    assert range_words(made.make_estimate(-9.0, -18.0, -0.02)) == "0.02 % to 18 % lower"
    assert range_words(made.make_estimate(-9.0, -18.0, 0.04)) == "−18 % to +0.04 %"


def test_numbers_carry_a_true_minus_and_no_signed_zero() -> None:
    """U+2212 throughout; zero has no sign; small counts can be hidden."""
    assert (percent(-3.21, 1), percent(0.04, 1), signed(-0.04, 1)) == ("−3.2 %", "0.0 %", "0.0")
    assert (count(4, hide=True), count(5, hide=True), count(0, hide=True)) == (
        "fewer than 5",
        "5",
        "fewer than 5",
    )


def test_control_characters_in_a_name_do_not_reach_the_terminal() -> None:
    """An escape sequence in a name cannot colour or clear a terminal, nor turn text round."""
    assert clean("a\x1b[2J\u202eb\nc") == "a [2J b c"
    said = made.rendered("hostile", "text")
    assert "\x1b" not in said
    assert "\u202e" not in said


@EVERY
def test_the_text_fits_a_hundred_columns(name: str) -> None:
    """No line is wider than 100 characters, and none ends in a space."""
    for line in made.rendered(name, "text").splitlines():
        assert len(line) <= 100, line
        assert line == line.rstrip()


def test_doubts_lead_with_the_lowest_cap_and_spread_over_threats() -> None:
    """Regression first, then the lowest caps; a second finding under one threat waits."""
    findings = (
        made.finding("selection.baseline-level", 2),
        made.finding("selection.outside-range", 2),
        made.finding("recording.break", 2),
        made.finding("regression.chosen-by-need", 2),
        made.finding("history.covid", 3),
    )
    told = doubts(made.evaluation(2, findings=findings), most=4)
    assert [doubt[doubt.index("[") :] for doubt in told] == [
        "[regression.chosen-by-need]",
        "[selection.baseline-level]",
        "[recording.break]",
        "[selection.outside-range]",
    ]
    assert doubts(made.evaluation(5, findings=())) == ()


def test_chosen_by_a_score_leads_the_doubts_only_where_it_binds() -> None:
    """A caveat on choice that does not limit the level waits its turn, and the headline has no warning."""
    findings = (made.finding("regression.chosen-by-need", 5), made.finding("history.covid", 3))
    evaluation = made.evaluation(3, findings=findings)
    assert doubts(evaluation)[0].endswith("[history.covid]")
    assert "picked at a peak" not in headline(evaluation)


def test_what_holds_the_level_is_counted_by_finding_and_by_threat() -> None:
    """Findings at the binding cap, the threats they fall under, and that all must be answered."""
    evaluation = made.large_drop()
    assert binding_sentence(evaluation) == (
        "3 findings under 1 threat (selection) hold it at 3; every one of them would have to be answered "
        "to raise it."
    )
    assert what_would_raise(evaluation) == (
        "Answer selection.baseline-level.",
        "Answer selection.not-adjusted.",
        "Answer selection.baseline-trend.",
    )
    assert "this design could reach level 4" in level_sentence(evaluation)
    assert binding_sentence(made.randomised()) == "Nothing found lowers the level."


def test_small_counts_are_not_printed_and_cannot_be_worked_out() -> None:
    """Below 5 the count, the expected count and the incidents prevented all stay out."""
    for form in FORMS[::2]:
        said = made.rendered("nothing_after", form)
        assert "fewer than 5" in said
        assert "12.7" not in said


def test_published_totals_are_printed_as_they_are() -> None:
    """Counts that are public already are not hidden."""
    evaluation = made.totals()
    assert evaluation.windowed is not None
    few = replace(evaluation.windowed, after=evaluation.windowed.after * 0 + 3.0)
    assert "fewer than 5" not in render(replace(evaluation, windowed=few))


def test_an_appraisal_says_that_no_data_were_read() -> None:
    """`whatworks check` gives the ceiling, what holds it, what would raise it and every finding."""
    evaluation = made.hot_spot()
    ceiling = replace(evaluation.grade, ceiling=2, level=2)
    said = render_appraisal(replace(evaluation, grade=ceiling))
    flat = re.sub(r"\s+", " ", said)
    assert "No data were needed or read" in flat
    assert "The best level this design can reach is 2 of 5" in flat
    assert "Compare with areas of the same level before the start." in flat
    assert all(finding.rule in flat for finding in evaluation.findings)
    assert max(len(line) for line in said.splitlines()) <= 100


def test_an_unknown_form_is_refused_with_the_forms_there_are() -> None:
    """A misspelt form names those that exist."""
    with pytest.raises(ValueError, match="expected one of 'text', 'json', 'html'"):
        render(made.large_drop(), "pdf")  # type: ignore[arg-type]
