"""Costs against benefits: worked by hand, refusals, and what each key does."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from datetime import date

import pytest
from economics_fixtures import cost, economics, effect

from whatworks_eval import evaluate, load_data, protocol_from_dict
from whatworks_eval.economics.appraise import appraise_effect, cost_benefit
from whatworks_eval.economics.effect import effect_of
from whatworks_eval.errors import ProtocolError
from whatworks_eval.records import Interval
from whatworks_eval.shipped import shipped_path

THEFT = 3.43 * (1120 + 180)  # multiplier × (consequence + response), 2019-20


def test_worked_by_hand() -> None:
    """Ten thefts prevented in year 0 for £1,000 cash and £500 of time in year 1."""
    spent = (
        cost(),
        cost(500.0, year="2020-21", price_year="2019-20", payer="health", cash=False, kind="running"),
    )
    found = appraise_effect(effect(), economics(*spent))
    paid = 1000 + 500 / 1.035
    assert found.base_year == "2019-20"
    assert found.cost.value == pytest.approx(paid)
    assert (found.cost_cash, found.cost_opportunity) == (1000.0, pytest.approx(500 / 1.035))
    assert found.cost_by_payer == {"police": 1000.0, "health": pytest.approx(500 / 1.035)}
    assert found.cost_by_kind == {"set-up": 1000.0, "running": pytest.approx(500 / 1.035)}
    assert found.cost_by_year == {"2019-20": 1000.0, "2020-21": pytest.approx(500 / 1.035)}
    assert found.benefit.value == pytest.approx(10 * THEFT)
    assert found.net.value == pytest.approx(10 * THEFT - paid)
    assert found.ratio.value == pytest.approx(10 * THEFT / paid)
    assert found.cost_per_incident.value == pytest.approx(paid / 10)
    assert found.break_even_incidents == pytest.approx(paid / THEFT)
    assert found.payback_months == pytest.approx(12 * paid / (10 * THEFT))
    assert found.prevented_a_year.value == 10.0
    assert found.benefit_by_perspective == {
        "economic and social": pytest.approx(10 * 3.43 * 1120),
        "fiscal": pytest.approx(10 * 3.43 * 180),
    }
    assert found.benefit_by_beneficiary["police and other criminal justice"] == pytest.approx(34.3 * 180)
    assert (found.cashable, found.capacity_released) == (0.0, pytest.approx(34.3 * 180))


def test_the_range_is_that_of_the_effect_where_all_else_is_fixed() -> None:
    """With one uncertain input the ends of the ratio are the ends of the effect, to 2 % of its width."""
    found = appraise_effect(effect(10.0, 2.0), economics(draws=100_000))
    at = 1.959964 * 2.0
    assert found.ratio.low == pytest.approx((10 - at) * THEFT / 1000, abs=0.02 * 2 * at * THEFT / 1000)
    assert found.ratio.high == pytest.approx((10 + at) * THEFT / 1000, abs=0.02 * 2 * at * THEFT / 1000)
    assert found.range_share == 0.95


def test_the_same_seed_gives_the_same_draws() -> None:
    """Nothing unseeded reaches a result; another seed gives other draws."""
    ranged = economics(
        unit_cost_range_percent=20.0
    )  # the effect alone has its own interval, whatever the seed
    one, same = (appraise_effect(effect(), ranged) for _ in range(2))
    assert (one.ratio, one.probability_above_one) == (same.ratio, same.probability_above_one)
    assert appraise_effect(effect(seed=2), ranged).ratio.low != one.ratio.low


def test_persistence_adds_discounted_months_of_the_same_rate() -> None:
    """Twelve months more in year 1 add 1/1.035 of the first year; the range runs between its ends."""
    found = appraise_effect(effect(), economics(persistence_months=12.0))
    assert found.benefit.value == pytest.approx(10 * THEFT * (1 + 1 / 1.035))
    assert found.benefits[0].incidents.value == pytest.approx(20.0)
    lasting = next(one for one in found.tornado if one.input == "persistence")
    assert (lasting.low, lasting.high) == (0.0, 12.0)
    assert lasting.ratio_at_low == pytest.approx(10 * THEFT / 1000)
    wide = appraise_effect(effect(sd=1e-9), economics(persistence_months=6.0, persistence_range=(0.0, 12.0)))
    assert wide.benefit.low is not None
    assert wide.benefit.high is not None
    assert 10 * THEFT < wide.benefit.low < wide.benefit.value < wide.benefit.high < 20 * THEFT


def test_dropped_periods_are_not_counted_as_effect() -> None:
    """Ten prevented in the 6 months used of 12: nothing for the months dropped, twice the rate after them."""
    found = appraise_effect(effect(months=6.0), economics(persistence_months=12.0))
    assert found.benefit.value == pytest.approx(10 * THEFT * (1 + 2 / 1.035))
    assert found.prevented_a_year.value == pytest.approx(20.0)


def test_a_window_across_financial_years_is_discounted_by_month() -> None:
    """From October: six months in year 0 and six in year 1."""
    found = appraise_effect(effect(start=date(2019, 10, 1)), economics())
    assert found.benefit.value == pytest.approx(10 * THEFT * (0.5 + 0.5 / 1.035))


def test_what_is_taken_off_is_shown_step_by_step() -> None:
    """Additionality and optimism bias multiply, and each has its line in the chain."""
    taken = {"displacement_percent": 20.0, "substitution_percent": 10.0, "source": "local review"}
    section = economics(
        additionality=taken, optimism_bias_benefits_percent=5.0, optimism_bias_costs_percent=10.0
    )
    found = appraise_effect(effect(), section)
    assert found.benefit.value == pytest.approx(10 * THEFT * 0.8 * 0.9 * 0.95)
    assert found.cost.value == pytest.approx(1100.0)
    steps = {one.step: one.value for one in found.chain}
    assert steps["Additionality: displacement, taken off the effect"] == 20.0
    assert steps["Additionality: substitution, taken off the effect"] == 10.0
    assert steps["Optimism bias, added to costs"] == 10.0
    assert steps["Optimism bias, taken off benefits"] == 5.0


def test_a_measured_buffer_is_counted_in_whichever_way_it_points() -> None:
    """Four that moved next door leave six; `count_buffer = false` leaves ten."""
    moved = effect(buffer=Interval(value=-4.0, low=-6.0, high=-2.0))
    assert appraise_effect(moved, economics()).benefit.value == pytest.approx(6 * THEFT)
    assert appraise_effect(moved, economics(count_buffer=False)).benefit.value == pytest.approx(10 * THEFT)
    spread = effect(buffer=Interval(value=4.0))
    assert appraise_effect(spread, economics()).benefit.value == pytest.approx(14 * THEFT)


def test_ranges_of_shipped_unit_costs_move_together_and_local_ones_alone() -> None:
    """One line in the tornado for what would be wrong together."""
    shares = {"Robbery": {"robbery": 0.5, "violence with injury": 0.5}}
    section = economics(shares=shares, unit_cost_range_percent=20.0)
    found = appraise_effect(effect(offences=("Robbery",)), section)
    together = next(one for one in found.tornado if one.input == "unit costs as shipped")
    assert (together.low, together.high) == (pytest.approx(-20.0), pytest.approx(20.0))
    assert found.ratio.value is not None
    assert together.ratio_at_low == pytest.approx(0.8 * found.ratio.value)
    own = {"offence": "robbery", "gbp": 100.0, "price_year": "2019-20", "low": 50.0, "high": 300.0}
    own |= {"source": "x", "perspective": "fiscal", "beneficiary": "local authority"}
    found = appraise_effect(effect(offences=("Robbery",)), economics(shares=shares, overrides=[own]))
    assert "unit cost, robbery" in {one.input for one in found.tornado}
    assert found.benefit_by_beneficiary["local authority"] == pytest.approx(5 * 100.0)


def test_a_multiplier_of_ones_own_has_its_range() -> None:
    """It replaces the shipped one and widens the ratio."""
    own = {"offence": "theft from person", "multiplier": 2.0, "multiplier_low": 1.0, "multiplier_high": 4.0}
    found = appraise_effect(effect(), economics(overrides=[{**own, "source": "local survey"}]))
    assert found.benefits[0].multiplier == 2.0
    assert found.benefit.value == pytest.approx(10 * 2.0 * 1300)
    entry = next(one for one in found.tornado if one.input.startswith("multiplier"))
    assert (entry.ratio_at_low, entry.ratio_at_high) == (pytest.approx(13.0), pytest.approx(52.0))


def test_a_probability_is_given_from_level_3_on_only() -> None:
    """Below it the reason stands in its place; the level is the effect's."""
    low, high = (appraise_effect(effect(level=level), economics()) for level in (2, 3))
    assert low.probability_above_one is None
    assert low.probability_why_missing is not None
    assert "level 2" in low.probability_why_missing
    assert high.probability_above_one == pytest.approx(1.0, abs=0.01)
    assert [low.level, high.level] == [2, 3]


def test_an_effect_that_is_missing_leaves_cost_and_break_even() -> None:
    """No benefit, with the reason; what it cost and what it would take are still said."""
    found = appraise_effect(effect(None, why_missing="nothing was recorded"), economics())
    assert found.benefit == found.ratio == found.net == Interval()
    assert found.why_missing == "nothing was recorded"
    assert found.cost.value == 1000.0
    assert found.break_even_incidents == pytest.approx(1000 / THEFT)
    assert found.cost_per_incident_why_missing == "nothing was recorded"


def test_an_effect_without_quantiles_has_a_ratio_and_no_range() -> None:
    """The central value stands alone, and the result says why."""
    found = appraise_effect(effect(sd=None, why_missing="no interval"), economics())
    assert (found.ratio.low, found.range_why_missing) == (None, "no interval")
    assert found.ratio.value == pytest.approx(10 * THEFT / 1000)
    assert found.probability_why_missing == "no interval"


def test_offences_without_a_value_have_no_ratio() -> None:
    """All of it not valued: no benefit is made up."""
    found = appraise_effect(effect(offences=("Drugs",)), economics())
    assert found.why_missing == "no offence counted has a unit cost"
    assert (found.not_valued_share, found.break_even_incidents) == (1.0, None)


def test_more_incidents_than_expected_cost_money() -> None:
    """A harmful effect has a negative ratio, no payback and no cost for each incident prevented."""
    found = appraise_effect(effect(-5.0), economics())
    assert found.ratio.value == pytest.approx(-5 * THEFT / 1000)
    assert (found.payback_months, found.cost_per_incident.value) == (None, None)
    assert found.payback_why_missing == "benefits do not cover the costs within the 12 months appraised"


def test_a_range_that_reaches_none_has_no_upper_cost_for_each() -> None:
    """A cost for each incident prevented is open where there may be none."""
    found = appraise_effect(effect(10.0, 10.0), economics())
    assert found.prevented_includes_zero is True
    assert found.cost_per_incident.high is None
    assert found.cost_per_incident_why_missing is not None


def test_prices_and_cashable_share() -> None:
    """Everything in 2024-25 prices is the same times the deflator; half the fiscal part is cash."""
    old = appraise_effect(effect(), economics(cashable_percent=50.0))
    new = appraise_effect(effect(), economics(cashable_percent=50.0, price_year="2024-25"))
    times = 112.375 / 90.95
    assert old.benefit.value is not None
    assert new.benefit.value == pytest.approx(old.benefit.value * times)
    assert new.ratio.value == pytest.approx(old.ratio.value)
    assert new.cashable == new.capacity_released == pytest.approx(34.3 * 180 / 2 * times)


def test_harm_stands_beside_the_pounds() -> None:
    """Two days for each recorded theft from the person (CCHI 2026), and none for anti-social behaviour."""
    found = appraise_effect(effect(), economics()).harm
    assert found is not None
    assert (found.prevented.value, found.cost_per_unit) == (20.0, 50.0)
    assert appraise_effect(effect(offences=("Anti-social behaviour",)), economics()).harm is None


def test_hours_are_valued_as_capacity_released() -> None:
    """100 hours of constables at £38.43 (2013-14), in 2019-20 prices: never cash, never beside crimes."""
    found = appraise_effect(effect(100.0, offences=("Hours on scene",)), economics(hours={}))
    worth = 100 * 38.43 * 90.95 / 82.175
    assert found.benefits == ()
    assert found.hours is not None
    assert found.hours.hours.value == 100.0
    assert found.hours.value.value == found.capacity_released == pytest.approx(worth)
    assert (found.cashable, found.edition) == (0.0, "staff hours")
    own = {"gbp": 50.0, "price_year": "2019-20", "source": "force finance", "per_incident": 0.5}
    found = appraise_effect(effect(100.0), economics(hours=own))
    assert found.benefit.value == pytest.approx(100 * 0.5 * 50)
    assert found.hours is not None
    assert found.hours.hours.value == 50.0


def test_an_evaluation_carries_its_economics_at_its_level() -> None:
    """From totals through `evaluate`: prevented × multiplier × unit cost, at the same level and interval."""
    spent = cost(100_000.0, cash=False)
    declared = {
        "schema": 1,
        "id": "x",
        "question": "q?",
        "method": "relative-effect",
        "intervention": {"name": "n", "start": "2019-04", "assignment": "need"},
        "outcome": {
            "source": "totals",
            "offences": ["Theft from the person"],
            "totals": {"treated": [398, 190], "comparison": [148, 97]},
        },
        "economics": {"months": 12.0, "price_year": "2019-20", "costs": [spent]},
    }
    protocol = protocol_from_dict(declared)
    evaluation = evaluate(protocol, load_data(protocol))
    found = evaluation.economics
    assert found is not None
    expected = 398 * 97 / 148
    assert found.benefit.value == pytest.approx((expected - 190) * THEFT)
    assert found.level == evaluation.grade.level == 2
    assert found.prevented_a_year.value == pytest.approx(expected - 190)
    quantiles = effect_of(evaluation).quantiles
    assert list(quantiles) == sorted(quantiles)
    assert quantiles[4] == pytest.approx(evaluation.estimate.prevented.low)
    plain = protocol_from_dict({key: value for key, value in declared.items() if key != "economics"})
    without = evaluate(plain, load_data(plain))
    assert without.economics is None
    assert without.estimate == evaluation.estimate
    assert without.findings == evaluation.findings
    with pytest.raises(ProtocolError, match=r"no \[economics\]"):
        cost_benefit(without)


def test_every_number_of_a_result_is_finite() -> None:
    """No NaN and no infinity reaches a result, whatever the effect."""
    for made in (effect(), effect(0.0), effect(None, why_missing="x"), effect(sd=None), effect(1e-9, 1e-12)):
        found = appraise_effect(made, economics())
        values = [found.ratio, found.benefit, found.net, found.cost_per_incident, found.prevented_a_year]
        numbers = [number for one in values for number in (one.value, one.low, one.high)]
        assert all(number is None or math.isfinite(number) for number in numbers)


def test_a_project_that_cost_nothing_has_no_ratio() -> None:
    """Nothing to divide by is a reason, not an infinity."""
    found = appraise_effect(effect(), economics(cost(0.0)))
    assert found.ratio == Interval()
    assert found.why_missing == "the declared costs add up to nothing"
    assert replace(found, findings=()).tornado == ()


def test_a_panel_with_a_buffer_carries_its_economics() -> None:
    """The shipped neighbourhoods with a value for anti-social behaviour: level, months, buffer and share."""
    path = shipped_path("designs", "simulated-neighbourhoods")
    declared = tomllib.loads(path.read_text("utf-8"))
    own = {"offence": "Anti-social behaviour", "gbp": 62.0, "price_year": "2019-20", "source": "made up here"}
    spent = cost(184_000, year="2016-17", kind="running", cash=False)
    declared["economics"] = {"price_year": "2019-20", "overrides": [own], "costs": [spent]}
    protocol = protocol_from_dict(declared, base=path.parent)
    evaluation = evaluate(protocol, load_data(protocol))
    found, effect_taken = evaluation.economics, effect_of(evaluation)
    assert found is not None
    assert found.level == evaluation.grade.level == 3
    assert found.probability_above_one is not None
    assert found.months == 22.0
    assert effect_taken.buffer is not None
    assert effect_taken.prevented.value is not None
    assert effect_taken.buffer.value is not None
    net = effect_taken.prevented.value + effect_taken.buffer.value
    years = {"2016-17": 6, "2017-18": 12, "2018-19": 4}
    worth = sum(months / 22 / 1.035**at for at, months in enumerate(years.values()))
    assert found.benefit.value == pytest.approx(net * 62 * worth)
    assert found.harm is None
    assert found.not_valued == ()
    assert [line.confidence for line in found.benefits] == ["stated by the user"]
