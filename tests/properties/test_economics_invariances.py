"""What must hold of every appraisal, whatever its numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from economics_fixtures import cost, economics, effect
from hypothesis import given, settings
from hypothesis import strategies as st

from whatworks_eval.economics.appraise import appraise_effect

SHARES = {"Vehicle crime": {"theft of vehicle": 0.4, "theft from vehicle": 0.5, "not valued": 0.1}}
POUNDS = st.floats(100.0, 1e6)
few = settings(max_examples=25, deadline=None)


def local(times: float) -> list[dict[str, Any]]:
    """Unit costs of one's own, all multiplied alike."""
    values = {"theft of vehicle": 18_000.0, "theft from vehicle": 1_300.0}
    usual = {"price_year": "2015-16", "per": "actual", "source": "x"}
    return [
        {"offence": name, "gbp": times * gbp, "low": times * gbp / 2, "high": times * gbp * 2, **usual}
        for name, gbp in values.items()
    ]


@few
@given(gbp=POUNDS, value=st.floats(-50, 200), later=st.integers(0, 5), months=st.floats(0, 36))
def test_doubling_all_prices_leaves_the_ratio(gbp: float, value: float, later: int, months: float) -> None:
    """Twice the costs and twice the unit costs: the same ratio, range and tornado, to a part in 10^9."""
    made = effect(value, 20.0, offences=("Vehicle crime",))
    year = f"{2019 + later}-{20 + later}"
    one, two = (
        appraise_effect(
            made,
            economics(
                cost(times * gbp),
                cost(times * gbp / 3, year=year, cash=False),
                shares=SHARES,
                overrides=local(times),
                persistence_months=months,
                draws=1000,
            ),
        )
        for times in (1.0, 2.0)
    )
    for first, second in zip(
        (one.ratio.value, one.ratio.low, one.ratio.high, one.break_even_incidents),
        (two.ratio.value, two.ratio.low, two.ratio.high, two.break_even_incidents),
        strict=True,
    ):
        assert second == pytest.approx(first, rel=1e-9, abs=1e-12)
    assert one.benefit.value is not None
    assert two.benefit.value == pytest.approx(2 * one.benefit.value, rel=1e-9)


@few
@given(
    gbp=POUNDS,
    months=st.floats(1, 36),
    persistence=st.floats(0, 60),
    bias=st.floats(0, 50),
    price_year=st.sampled_from(["2015-16", "2019-20", "2024-25"]),
)
def test_the_ratio_at_the_break_even_effect_is_one(
    gbp: float, months: float, persistence: float, bias: float, price_year: str
) -> None:
    """As many prevented as break even says: benefit equals cost, to a part in 10^9."""
    made = effect(offences=("Vehicle crime",), months=months, months_declared=months)
    section = economics(
        cost(gbp, year="2021-22"),
        shares=SHARES,
        price_year=price_year,
        persistence_months=persistence,
        optimism_bias_benefits_percent=bias,
        draws=1000,
    )
    enough = appraise_effect(made, section).break_even_incidents
    assert enough is not None
    even = replace(made, prevented=replace(made.prevented, value=enough * months / 12))
    assert appraise_effect(even, section).ratio.value == pytest.approx(1.0, rel=1e-9)


@few
@given(level=st.integers(1, 5), value=st.floats(-50, 50), sd=st.floats(0.1, 50))
def test_the_level_is_never_above_the_effects(level: int, value: float, sd: float) -> None:
    """Pounds add no evidence, and no finding on them moves the level."""
    found = appraise_effect(effect(value, sd, level=level), economics(draws=1000))
    assert found.level == level
    assert {(one.level_from, one.level_to) for one in found.findings} == {(level, level)}
    assert (found.probability_above_one is None) == (level < 3)


@few
@given(value=st.floats(-50, 200), sd=st.floats(0.1, 50), months=st.floats(0, 24))
def test_parts_add_up(value: float, sd: float, months: float) -> None:
    """Lines to the benefit, parts to their line, payers and years to the cost."""
    section = economics(
        *(cost(100.0), cost(50.0, payer="health", cash=False), cost(25.0, year="2021-22")),
        shares=SHARES,
        anticipation=True,
        persistence_months=months,
        draws=1000,
    )
    found = appraise_effect(effect(value, sd, offences=("Vehicle crime",)), section)
    total = found.benefit.value
    assert sum(line.present_value.value or 0 for line in found.benefits) == pytest.approx(total)
    assert sum(found.benefit_by_perspective.values()) == pytest.approx(total)
    assert sum(found.benefit_by_beneficiary.values()) == pytest.approx(total)
    for sums in (found.cost_by_kind, found.cost_by_payer, found.cost_by_year):
        assert sum(sums.values()) == pytest.approx(found.cost.value)
    assert found.cost_cash + found.cost_opportunity == pytest.approx(found.cost.value)
    for line in found.benefits:
        assert sum(part.present_value for part in line.parts) == pytest.approx(line.present_value.value)
    assert found.ratio.low is not None
    assert found.ratio.high is not None
    assert found.ratio.low <= found.ratio.high


@few
@given(order=st.permutations(range(3)))
def test_the_order_of_costs_and_shares_does_not_matter(order: list[int]) -> None:
    """The same items in any order give the same ratio."""
    costs = [cost(100.0), cost(50.0, year="2020-21"), cost(25.0, year="2021-22", cash=False)]
    shares = {"Vehicle crime": dict([list(SHARES["Vehicle crime"].items())[at] for at in order])}
    made = effect(offences=("Vehicle crime",))
    shuffled = economics(*(costs[at] for at in order), shares=shares, draws=1000)
    plain = economics(*costs, shares=SHARES, draws=1000)
    one, other = appraise_effect(made, shuffled), appraise_effect(made, plain)
    assert one.ratio.value == pytest.approx(other.ratio.value)
    assert one.ratio.low == pytest.approx(other.ratio.low)
