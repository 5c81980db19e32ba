"""Pounds are never surer than the effect: shared errors, starts that differ, offences without a unit cost."""

from __future__ import annotations

import tomllib
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from economics_fixtures import cost, economics, effect

from whatworks_eval import evaluate, load_data, protocol_from_dict
from whatworks_eval.economics.appraise import appraise_effect
from whatworks_eval.economics.effect import buffer_correlation, months_treated, why_no_incidents
from whatworks_eval.economics.prices import SAID
from whatworks_eval.errors import ProtocolError
from whatworks_eval.records import Estimate, Interval
from whatworks_eval.report.economics_section import economics_text
from whatworks_eval.report.economics_words import economics_headline, economics_sentences
from whatworks_eval.shipped import list_shipped


def _design(totals: dict[str, Any], seed: int = 1, **keys: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "id": "x",
        "question": "Did it fall?",
        "method": "relative-effect",
        "seed": seed,
        "intervention": {"name": "x", "start": "2019-04", "assignment": "volunteer"},
        "outcome": {"source": "totals", "offences": ["Theft from the person"], "totals": totals},
        "economics": {"price_year": "2019-20", "months": 12.0, "costs": [cost()], **keys},
    }


def test_effect_and_buffer_share_the_errors_of_their_comparison() -> None:
    """Worked by hand: the comparison's part of the variance over the root of both variances."""
    totals = {"treated": (400, 300), "comparison": (400, 400), "buffer": (300, 330)}
    shared = 1 / 400 + 1 / 400
    root = ((1 / 400 + 1 / 300 + shared) * (1 / 300 + 1 / 330 + shared)) ** 0.5
    assert buffer_correlation(totals, []) == pytest.approx(shared / root, rel=1e-12)
    assert buffer_correlation({**totals, "buffer_comparison": (200, 200)}, []) == 0
    alone = effect(50.0, 10.0, buffer=Interval(value=0.0, low=-19.6, high=19.6))
    spans = {}
    for together in (0.0, 0.5, 1.0):
        keys = {name: getattr(alone, name) for name in alone.__dataclass_fields__}
        made = appraise_effect(type(alone)(**{**keys, "buffer_correlation": together}), economics())
        assert made.prevented_a_year.low is not None
        assert made.prevented_a_year.high is not None
        spans[together] = made.prevented_a_year.high - made.prevented_a_year.low
    # sqrt(1 + 1 + 2 r) × 10 × 3.92; half a percent for the draws and the cut-off tails, times six
    for together, span in spans.items():
        assert span == pytest.approx(39.2 * (2 + 2 * together) ** 0.5, rel=0.03)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_year_of_the_effect_has_the_interval_of_the_effect(seed: int) -> None:
    """The window is twelve months: the report says one number of it, not 88 here and 86 there."""
    one = effect(226.0, 75.0, seed=seed)
    made = appraise_effect(one, economics())
    # the 199 quantiles are read off in straight lines: within a thousandth of the width
    assert made.prevented_a_year.low == pytest.approx(one.prevented.low, abs=0.3)
    assert made.prevented_a_year.high == pytest.approx(one.prevented.high, abs=0.3)


@pytest.mark.slow
def test_the_range_with_a_small_shared_comparison_covers_the_truth() -> None:
    """At least 93 % of 300 draws, less two standard errors; 87.7 % when the two were drawn apart."""
    random, held = np.random.default_rng(0), 0
    truth = 400 * 0.25 + 400 * 0.1
    for draw in range(300):
        arms = {"treated": (400, 300), "comparison": (150, 150), "buffer": (400, 360)}
        counts = {name: [int(random.poisson(mean)) for mean in pair] for name, pair in arms.items()}
        totals = {**counts, "periods": [12, 12], "dispersion": 1.0}
        protocol = protocol_from_dict(_design(totals, seed=draw + 1, draws=2000))
        made = evaluate(protocol, load_data(protocol)).economics
        assert made is not None
        assert made.prevented_a_year.low is not None
        assert made.prevented_a_year.high is not None
        held += made.prevented_a_year.low <= truth <= made.prevented_a_year.high
    assert held / 300 >= 0.93 - 2 * (0.93 * 0.07 / 300) ** 0.5


def test_a_year_of_a_staggered_effect_is_one_with_every_area_treated(tmp_path: Path) -> None:
    """Starts in January, May and September: the mean area had 8 of 12 months, and a year is 12 over 8."""
    assert months_treated([f"2019-{m:02d}" for m in range(1, 13)], "month", []) == 12
    starts = ("2019-01", "2019-05", "2019-09")
    months = [f"{year}-{month:02d}" for year in (2018, 2019) for month in range(1, 13)]
    areas = [f"A{number:03d}" for number in range(90)]
    begun = {area: starts[at % 3] for at, area in enumerate(areas[:30])}
    pd.DataFrame({"area": begun.keys(), "start": begun.values()}).to_csv(tmp_path / "areas.csv", index=False)
    random = np.random.default_rng(3)
    rows = [
        (area, month, random.poisson(20 * (0.75 if month >= begun.get(area, "9999") else 1)))
        for area in areas
        for month in months
    ]
    pd.DataFrame(rows, columns=["area", "period", "count"]).to_csv(tmp_path / "counts.csv", index=False)
    made = _design({})
    made["method"] = "did"
    made["outcome"] = {"source": "counts", "path": "counts.csv"}
    made["windows"] = {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]}
    made["intervention"]["start"] = "2019-01"
    made["areas"] = {
        "treated": {"file": "areas.csv", "column": "area", "start": "start"},
        "comparison": "rest",
    }
    made["economics"] = {"price_year": "2019-20", "persistence_months": 12.0, "costs": [cost()]}
    made["economics"] |= {"mix": {"Theft from the person": 1.0}}
    protocol = protocol_from_dict(made, base=tmp_path)
    found = evaluate(protocol, load_data(protocol))
    assert found.economics is not None
    assert found.estimate.prevented.value is not None
    assert found.economics.months == pytest.approx(8.0)
    assert found.economics.prevented_a_year.value == pytest.approx(found.estimate.prevented.value * 12 / 8)
    # 30 areas × 20 × 25 % × 12 months = 1,800 a year; four standard errors of about 90
    assert found.economics.prevented_a_year.value == pytest.approx(1800, abs=360)
    line = found.economics.benefits[0]
    assert line.incidents.value == pytest.approx(found.estimate.prevented.value * (1 + 12 / 8))


def test_a_crossover_says_how_long_it_was_and_takes_no_deadweight() -> None:
    """It has no [windows]: without `months` an error of ours, never a failed assertion; and it compares."""
    made = _design({})
    made["method"] = "crossover"
    made["outcome"] = {"source": "counts", "path": "x.csv", "offences": ["Theft from the person"]}
    made["areas"] = {"treated": ["a", "b"]}
    made["crossover"] = {"schedule": {"file": "s.csv", "on": "on", "period": "week"}, "drawn": "areas"}
    del made["economics"]["months"]
    with pytest.raises(ProtocolError, match=r"`economics\.months` is missing"):
        protocol_from_dict(made)
    made["economics"] |= {"months": 4.0, "additionality": {"deadweight_percent": 10.0, "source": "x"}}
    with pytest.raises(ProtocolError, match="would count it twice"):
        protocol_from_dict(made)


@pytest.mark.parametrize(
    "keys",
    [
        {"overrides": [{"offence": "Theft from the person", "gbp": 100.0, "price_year": "2019-20"}]},
        {"unit_costs": "police-2022-23", "overrides": [{"offence": "theft from person"}]},
    ],
)
def test_a_multiplier_that_would_not_be_used_is_refused(keys: dict[str, Any]) -> None:
    """Pounds for a recorded crime take no multiplier; one that was given was left out without a word."""
    keys["overrides"][0] |= {"multiplier": 3.0, "source": "x"}
    totals = {"treated": [200, 150], "comparison": [2000, 1900]}
    with pytest.raises(ProtocolError, match=r"overrides\[1\]\.multiplier` is given, but"):
        protocol_from_dict(_design(totals, **keys))
    if "gbp" in keys["overrides"][0]:
        keys["overrides"][0]["per"] = "actual"
        assert protocol_from_dict(_design(totals, **keys)).economics is not None


def test_the_override_the_template_shows_is_accepted() -> None:
    """Uncommented as it stands, with its multiplier, it goes into a design."""
    template = next(item.path for item in list_shipped("designs") if item.name == "template")
    lines = iter(template.read_text("utf-8").splitlines())
    block = [next(line for line in lines if line.startswith("# [[economics.overrides]]"))]
    block += takewhile(lambda line: line != "#", lines)
    held = tomllib.loads("\n".join(line.removeprefix("# ") for line in block))["economics"]["overrides"]
    assert "multiplier" in held[0]
    totals = {"treated": [200, 150], "comparison": [2000, 1900]}
    made = _design(totals, overrides=held)
    made["outcome"]["offences"] = [held[0]["offence"]]
    assert protocol_from_dict(made).economics is not None


def test_without_a_unit_cost_the_cost_of_each_still_carries_the_effects_range() -> None:
    """Drugs have no pounds; what each prevented one cost and the harm keep the doubt of the effect."""
    made = appraise_effect(effect(10.0, 10.0, offences=("Drugs",), level=2), economics())
    assert made.ratio.value is None
    assert made.benefit.low is None
    assert made.cost_per_incident_why_missing is not None
    assert "includes none" in made.cost_per_incident_why_missing
    assert made.harm is not None
    assert made.harm.prevented.low is not None
    assert made.harm.prevented.low < 0
    said = " ".join((economics_headline(made), *economics_sentences(made)))
    assert "could not be told from none" in said
    assert "only if the change was due to the project" in said
    assert "by the central estimate, with no upper end" in said


def test_an_increase_releases_nothing() -> None:
    """More crime takes time; it is not negative time that can be used otherwise."""
    said = " ".join(economics_sentences(appraise_effect(effect(-10.0), economics())))
    assert "No cash and no capacity was released" in said
    assert "can be used otherwise" not in said


def test_optimism_bias_makes_no_loss_smaller() -> None:
    """Half taken off what was gained; what an increase cost stays whole, in the range as well."""
    bias = {"optimism_bias_benefits_percent": 50.0}
    for value, times in ((10.0, 0.5), (-10.0, 1.0)):
        plain, less = (appraise_effect(effect(value, 0.5), economics(**keys)) for keys in ({}, bias))
        assert plain.benefit.value is not None
        assert plain.benefit.low is not None
        assert less.benefit.value == pytest.approx(times * plain.benefit.value)
        assert less.benefit.low == pytest.approx(times * plain.benefit.low)
        assert less.benefits[0].incidents.value == pytest.approx(times * value)


def test_a_superseded_unit_cost_says_so_wherever_it_is_used() -> None:
    """The 2019-20 value for fraud has a later one, of a table with no multiplier of its own."""
    made = appraise_effect(effect(offences=("Fraud",)), economics())
    assert "superseded by the 2023/24 fraud estimate" in made.benefits[0].source
    assert any("superseded" in one.source for one in made.chain if one.step == "Unit cost, fraud")
    assert "superseded" not in appraise_effect(effect(), economics()).benefits[0].source


def test_whole_unit_costs_are_not_said_to_leave_anticipation_out() -> None:
    """The 2018 edition is here without its parts: its totals hold what locks and insurance cost."""
    old = economics(unit_costs="home-office-2018", mix={"Rape": 1.0})
    made = appraise_effect(effect(offences=("Rape",)), old)
    assert made.anticipation_included
    said = economics_text(made)
    assert "Left out of the benefit" not in said
    assert "anticipation of crime is in them and could not be left out" in " ".join(said.split())
    assert not appraise_effect(effect(), economics()).anticipation_included


def test_hours_are_not_spoken_of_as_crime() -> None:
    """A productivity project saves units of its outcome; anticipation of crime has no part in it."""
    keys = {"offences": ("staff hours",), "start": date(2019, 4, 1)}
    for value in (10.0, -10.0):
        said = economics_text(appraise_effect(effect(value, **keys), economics(hours={})))
        assert "anticipation" not in said
        assert "incident" not in said.split("The chain of")[0].lower()
        assert "crime" not in said.split("The answer")[0]


def test_the_input_that_carries_the_ratio_is_named_with_its_figures() -> None:
    """A multiplier from 0.6 to 1.4 is not said to go from 1 to 1, nor a ratio of 150 as a power of ten."""
    own = {"offence": "Theft from the person", "gbp": 9.0, "price_year": "2019-20", "per": "actual"}
    own |= {"multiplier": 1.1, "multiplier_low": 0.6, "multiplier_high": 1.4, "source": "x"}
    made = appraise_effect(effect(110.0, 1.0), economics(overrides=(own,)))
    said = {one.rule: one.message for one in made.findings}["economics.one-input"]
    assert "At 0.6 actual crimes a recorded one the ratio is 0.59, at 1.4 actual crimes" in said
    assert said.endswith("it is 1.39.")
    made = appraise_effect(effect(30.0, 30.0), economics())
    said = {one.rule: one.message for one in made.findings}["economics.one-input"]
    assert "e+" not in said
    assert "\N{MINUS SIGN}" in said


def test_an_effect_that_is_no_number_of_incidents_says_so() -> None:
    """The linear model's effect is a mean for an area; that is the reason, not a count that is missing."""
    one = Estimate(
        measure="difference", scale="difference", unit="incidents an area a month", value=-1.0,
        confidence=0.95, inference="x",
    )  # fmt: skip
    assert why_no_incidents(one) == "the effect is not one of a number of incidents"


def test_the_deflator_is_named_whole() -> None:
    """The chain of assumptions says whose series the index stands in for."""
    assert SAID.endswith("a stand-in for the Treasury's financial-year series")
