"""Shares of survey respondents: read, compared in percentage points, and said in words."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import whatworks_eval as ww
from whatworks_eval.caveats.analysis_several_outcomes import holm
from whatworks_eval.judgement import Evaluation, Finding
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol
from whatworks_eval.protocol_tables import Outcome
from whatworks_eval.report.survey_words import share
from whatworks_eval.shipped import shipped_path
from whatworks_eval.sources.survey import load_survey

ROWS = [
    ("A", "2018-Q1", 60, 500),
    ("A", "2019-Q1", 66, 500),
    ("B", "2018-Q1", 50, 1000),
    ("B", "2019-Q1", 51, 1000),
]


def design(outcome: dict[str, Any] | None = None, **changes: Any) -> Protocol:
    """A survey design with two quarters compared; `changes` replace its sections."""
    plain: dict[str, Any] = {
        "schema": 1,
        "id": "survey",
        "question": "Did confidence rise?",
        "method": "relative-effect",
        "period": "quarter",
        "intervention": {"name": "Ward team", "start": "2018-Q2", "assignment": "volunteer"},
        "outcome": {"source": "survey", "path": "survey.csv", "measure": "confidence", **(outcome or {})},
        "windows": {"before": ["2018-Q1", "2018-Q1"], "after": ["2019-Q1", "2019-Q1"]},
        "areas": {"treated": ["A"], "comparison": "rest", "unit": "area"},
    }
    return ww.protocol_from_dict(plain | changes)


def long_file(folder: Path, rows: list[tuple[Any, ...]], header: str = "area,period,percent,base") -> Path:
    """A plain long file of percentages."""
    path = folder / "survey.csv"
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", "utf-8")
    return path


def evaluated(folder: Path, rows: list[tuple[Any, ...]] = ROWS, **changes: Any) -> Evaluation:
    """The evaluation of a plain long file."""
    long_file(folder, rows)
    protocol = design({"measure": None}, **changes)
    return ww.evaluate(protocol, ww.load_data(protocol, folder))


def finding(evaluation: Evaluation, rule: str) -> Finding:
    """The finding of that rule."""
    return next(found for found in evaluation.findings if found.rule == rule)


def test_the_difference_in_points_by_hand(tmp_path: Path) -> None:
    """(66 - 60) - (51 - 50) = 5 points, with the variance of four shares and a design effect of 2."""
    made = evaluated(tmp_path).estimate
    variance = 2 * (0.6 * 0.4 / 500 + 0.66 * 0.34 / 500 + 0.25 / 1000 + 0.51 * 0.49 / 1000)
    assert made.value == pytest.approx(5.0)
    assert (made.scale, made.unit) == ("difference", "percentage points")
    assert made.se == pytest.approx(100 * math.sqrt(variance))
    assert made.low == pytest.approx(5 - 1.959964 * 100 * math.sqrt(variance), abs=1e-5)


def test_the_ratio_stands_beside_in_percent(tmp_path: Path) -> None:
    """(66 / 60) / (51 / 50) is 7.8 percent of the share, which is not 5 points."""
    other = next(one for one in evaluated(tmp_path).alternatives if one.choice == "effect measure")
    assert other.percent_change.value == pytest.approx(100 * (1.1 / 1.02 - 1))
    assert "percent" in other.label


def test_arms_are_pooled_by_base(tmp_path: Path) -> None:
    """An area with thrice the respondents counts thrice."""
    rows = [*ROWS, ("C", "2018-Q1", 40, 3000), ("C", "2019-Q1", 40, 3000)]
    assert evaluated(tmp_path, rows).estimate.value == pytest.approx(6 - 0.25)


def test_without_bases_and_with_few_areas_there_is_no_interval(tmp_path: Path) -> None:
    """The value stands, the interval is missing, and both reasons are given."""
    made = evaluated(tmp_path, [(*row[:3], "") for row in ROWS])
    assert made.estimate.value == pytest.approx(5.0)
    assert (made.estimate.low, made.estimate.p_value) == (None, None)
    assert "how many people were asked is not known" in (made.estimate.why_missing or "")
    assert "too few areas" in (made.estimate.why_missing or "")
    assert finding(made, "chance.small-base").kind == "not assessed"


def test_small_bases_are_said(tmp_path: Path) -> None:
    """Five hundred people in a window is fewer than 800."""
    small = finding(evaluated(tmp_path), "chance.small-base")
    assert small.kind == "caveat"
    assert "500 people were asked before" in small.message


def test_a_declared_design_effect_widens(tmp_path: Path) -> None:
    """Twice the default gives an error the square root of two as large."""
    long_file(tmp_path, ROWS)
    errors = []
    for effect in (2.0, 4.0):
        protocol = design({"measure": None, "design_effect": effect})
        errors.append(ww.evaluate(protocol, ww.load_data(protocol, tmp_path)).estimate.se or 0.0)
    assert errors[1] / errors[0] == pytest.approx(math.sqrt(2))


def test_before_after_is_the_treated_alone(tmp_path: Path) -> None:
    """Six points, said to leave out whatever changed everywhere."""
    made = evaluated(tmp_path, method="before-after", areas={"treated": ["A"]})
    assert made.estimate.value == pytest.approx(6.0)
    assert "leaves out whatever changed everywhere" in made.estimate.inference


def many(seed: int, *, effect: float = 0.0, quarters: int = 9, rolling: int | None = 3) -> Panel:
    """Twenty-six areas whose shares drift, the first three with an effect in the last quarter."""
    rng = np.random.default_rng(seed)
    areas = tuple(f"A{at:02d}" for at in range(26))
    values = 0.6 + rng.normal(0, 0.05, (26, 1)) + rng.normal(0, 0.02, (26, quarters)).cumsum(axis=1)
    values[:3, -1] += effect
    values = np.clip(values, 0.01, 0.99)
    last = 2017 + (quarters - 1) // 4
    periods = period_range("2017-Q1", f"{last}-Q{(quarters - 1) % 4 + 1}", "quarter")
    return Panel(
        areas=areas,
        periods=periods,
        period="quarter",
        counts=values,
        observed=np.ones(values.shape, dtype=bool),
        rolling_months=rolling,
        ledger=Ledger(),
    )


def relabelled(panel: Panel) -> Evaluation:
    """The last quarter against the fifth from the end."""
    before, after = panel.periods[-5], panel.periods[-1]
    protocol = design(
        intervention={"name": "Ward team", "start": after, "assignment": "volunteer"},
        windows={"before": [before, before], "after": [after, after]},
        areas={"treated": ["A00", "A01", "A02"], "comparison": "rest", "unit": "area"},
    )
    return ww.evaluate(protocol, panel)


def test_the_interval_by_relabelling_is_where_the_test_turns() -> None:
    """A shift just inside an end is not rejected and one just outside is, by trying every set of three."""
    panel = many(3, effect=0.1)
    made = relabelled(panel).estimate
    change = panel.counts[:, -1] - panel.counts[:, -5]
    treated = np.arange(26) < 3

    def p_value(shift: float) -> float:
        left = change - shift * treated
        sums = np.array([left[list(places)].sum() for places in itertools.combinations(range(26), 3)])
        far = np.abs(sums / 3 - (left.sum() - sums) / 23)
        return float((far >= far[0] * (1 - 1e-9)).mean())

    assert made.low is not None
    assert made.high is not None
    assert made.p_value == pytest.approx(p_value(0.0))
    for end, outward in ((made.low / 100, -1e-5), (made.high / 100, 1e-5)):
        assert p_value(end + outward) <= 0.05 < p_value(end - outward)


def test_unit_and_words_are_points_throughout() -> None:
    """Headline, text, JSON and page speak of points and of no recorded incident."""
    made = relabelled(many(3, effect=0.2))
    text, page = ww.render(made, "text"), ww.render(made, "html")
    parsed = json.loads(ww.render(made, "json"))
    assert "percentage points higher" in repr(made)
    assert "Share of respondents by arm" in text
    for form in (repr(made), text, page):
        assert "incident" not in form.split("Protocol")[0].casefold().replace("incidents that moved", "")
    assert parsed["estimate"]["unit"] == "percentage points"
    assert parsed["estimate"]["prevented"] == {"value": None, "low": None, "high": None}


def test_the_wider_interval_is_registered() -> None:
    """With a handful of respondents sampling error is the wider; with very many, the drift of areas is."""
    from dataclasses import replace

    panel = many(4)
    few = relabelled(replace(panel, bases=np.full(panel.counts.shape, 20.0))).estimate
    lots = relabelled(replace(panel, bases=np.full(panel.counts.shape, 1e6))).estimate
    assert few.inference.startswith("sampling error")
    assert lots.inference.startswith("relabelling")


def test_overlapping_estimates_share_respondents() -> None:
    """Four rolling years a quarter apart hold 11/16 of the variance of one, not a quarter of it."""
    from dataclasses import replace

    from whatworks_eval.contrast import build_contrast
    from whatworks_eval.methods.survey_shares import shares_of
    from whatworks_eval.windows import build_windowed

    panel = many(5, rolling=12)
    panel = replace(panel, counts=np.full(panel.counts.shape, 0.5), bases=np.full(panel.counts.shape, 400.0))
    protocol = design(
        intervention={"name": "x", "start": "2019-Q1", "assignment": "volunteer"},
        windows={"before": ["2017-Q1", "2017-Q4"], "after": ["2019-Q1", "2019-Q1"]},
        areas={"treated": ["A00"], "comparison": "rest", "unit": "area"},
    )
    windowed = build_windowed(protocol, panel, build_contrast(protocol, panel))
    assert windowed is not None
    assert windowed.before_mask is not None
    found = shares_of(protocol, panel, windowed, windowed.before_mask)
    assert found.variance[0] == pytest.approx(11 / 16 * 2 * 0.25 / 400)
    assert found.bases[0] == pytest.approx(400 * 7 / 4)
    said = finding(ww.evaluate(protocol, panel), "analysis.overlapping-estimates")
    assert said.kind == "caveat"
    assert "9 months from before the start" in said.message


@pytest.mark.parametrize(
    ("rows", "header", "says"),
    [
        ([("A", "2018-Q1", 160, 5)], "area,period,percent,base", "row 2: '160' lies outside 0 to 100 %"),
        ([("A", "2018-Q1", 0.6, 5)], "area,period,percent,base", "looks like a proportion"),
        ([("A", "2018-Q1", 60, 5)], "area,period,proportion,base", "lies outside 0 to 1"),
        ([("A", "2018-Q1", "60%", 5)], "area,period,proportion,base", "is a percentage, not a proportion"),
        ([("A", "2018-Q1", 60, 0)], "area,period,percent,base", "a base of 0"),
        ([("A", "spring", 60, 5)], "area,period,percent,base", "the date 'spring' cannot be read"),
        ([("A", "2018-Q1", 60, 5)] * 2, "area,period,percent,base", "has 2 answers in 2018-Q1"),
        ([("A", "2018-Q1", 60, 5)], "area,period,answer,base", "is it a percentage or a proportion?"),
    ],
)
def test_bad_input_names_row_and_remedy(
    tmp_path: Path, rows: list[tuple[Any, ...]], header: str, says: str
) -> None:
    """Each fault is an error of ours that says where it is and what to do."""
    path = long_file(tmp_path, rows, header)
    with pytest.raises(ww.DataError, match=says.replace("?", r"\?")):
        load_survey(path, Outcome(source="survey", path="survey.csv"), period_kind="quarter")


def test_a_lost_zero_is_refused(tmp_path: Path) -> None:
    """8 % amid values near 70 is '0,8' read as 8."""
    rows = [("A", f"2018-Q{quarter}", value, 400) for quarter, value in enumerate((71, 8, 72, 74), start=1)]
    with pytest.raises(ww.DataError, match="a lost zero"):
        load_survey(
            long_file(tmp_path, rows), Outcome(source="survey", path="survey.csv"), period_kind="quarter"
        )


def test_a_survey_is_always_a_proportion() -> None:
    """Kind follows from the source; counts of a survey, and shares of police.uk, are refused."""
    assert design().outcome.kind == "proportion"
    with pytest.raises(ww.ProtocolError, match="a survey gives shares"):
        design({"kind": "count"})
    with pytest.raises(ww.ProtocolError, match="does not give; survey percentages"):
        design({"source": "counts", "kind": "proportion", "measure": None, "path": "x.csv"})


@pytest.mark.parametrize(
    ("context", "kind", "cap"),
    [
        ({"subgroup": {"what": "women"}}, "not assessed", 3),
        ({"subgroup": {"what": "women", "chosen": "afterwards", "of": 8}}, "caveat", 3),
        ({"subgroup": {"what": "women", "chosen": "beforehand"}}, "clear", 5),
    ],
)
def test_a_subgroup_chosen_afterwards_caps_at_three(
    tmp_path: Path, context: dict[str, Any], kind: str, cap: int
) -> None:
    """Chosen afterwards, or nobody says when: level 3 at most."""
    said = finding(evaluated(tmp_path, context=context), "analysis.subgroup")
    assert (said.kind, said.cap) == (kind, cap)


def test_several_outcomes_are_holm_adjusted(tmp_path: Path) -> None:
    """The raw p-value stands beside the adjusted one; outcomes without a p-value count too."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    rows = [("A", "2018-Q1", 60, 2000), ("A", "2019-Q1", 66, 2000), *ROWS[2:]]
    context = {"outcomes": [{"name": "ASB", "p_value": 0.5}], "outcomes_tested": 6}
    made = evaluated(tmp_path, rows, context=context)
    said = finding(made, "analysis.several-outcomes")
    own = made.estimate.p_value or 0.0
    adjusted = next(taken for taken in said.evidence if taken.name.startswith("the same"))
    assert adjusted.value == pytest.approx(min(1.0, 6 * own))
    assert "6 outcomes were tested" in said.message
    none = finding(evaluated(tmp_path, context={"outcomes": []}), "analysis.several-outcomes")
    assert none.kind == "clear"


@pytest.mark.parametrize(
    ("offence", "after", "kind", "size"),
    [
        ("Burglary", 90, "caveat", "10 %"),
        ("Burglary", 60, "clear", "40 %"),
        ("Anti-social behaviour", 90, "not assessed", "10 %"),
    ],
)
def test_the_tipping_point_of_recording(offence: str, after: int, kind: str, size: str) -> None:
    """The fall of recording that would be the whole answer, against the step between national rates."""
    totals = {"treated": [1000, 10 * after], "comparison": [1000, 1000]}
    rates = {"treated": [90.0, 81.0], "comparison": [90.0, 90.0], "source": "made up"}
    protocol = ww.protocol_from_dict(
        {
            "schema": 1,
            "id": "x",
            "question": "?",
            "method": "relative-effect",
            "intervention": {"name": "x", "start": "2019-01", "assignment": "volunteer"},
            "outcome": {"source": "totals", "offences": [offence], "totals": totals},
            "context": {"recording_rates": [rates]},
        }
    )
    said = finding(ww.evaluate(protocol, ww.load_data(protocol)), "recording.tipping-point")
    assert said.kind == kind
    assert f"by {size} relative to comparison" in said.message
    stated = next(taken for taken in said.evidence if "made up" in taken.name)
    assert stated.value == pytest.approx(100 * (after / 100 / 0.9 - 1))


@pytest.fixture(scope="module")
def young() -> Evaluation:
    """Police Now's +17 against +3 among 16 to 24 year olds."""
    protocol = ww.load_protocol(shipped_path("designs", "police-now-confidence"))
    return ww.evaluate(protocol, ww.load_data(protocol))


def test_police_now_confidence_is_read_both_ways(young: Evaluation) -> None:
    """1.17 / 1.03 is 13.6 % higher; 17 - 3 is 14 points; no interval, and the reason."""
    assert young.estimate.percent_change.value == pytest.approx(13.5922, abs=1e-4)
    points = next(other for other in young.alternatives if other.choice == "reading")
    assert (points.value, points.unit) == (14.0, "percentage points")
    assert (young.estimate.low, young.estimate.high) == (None, None)
    assert "number of people asked" in (young.estimate.why_missing or "")
    assert young.grade.level == 2


def test_police_now_confidence_says_what_is_wrong(young: Evaluation) -> None:
    """Subgroup, unit, outcomes and unknown bases are findings; the headline gives both readings."""
    assert finding(young, "analysis.percent-or-points").kind == "caveat"
    assert finding(young, "analysis.subgroup").cap == 3
    assert finding(young, "chance.small-base").kind == "not assessed"
    assert "3 outcomes were tested" in finding(young, "analysis.several-outcomes").message
    said = repr(young)
    assert "13.6 % higher" in said
    assert "14 percentage points" in said
    assert "chance is not ruled out" in said
    assert share(young.protocol) in said
