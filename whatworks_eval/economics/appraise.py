"""Costs against benefits: an effect and a declared [economics] in, a CostBenefit out, at its level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from whatworks_eval.economics.benefits import Clock, Formula, Inputs, additionality_factor, clock_of
from whatworks_eval.economics.chain import chain_of
from whatworks_eval.economics.costs import CostSide, cost_side
from whatworks_eval.economics.discounting import earliest, financial_year
from whatworks_eval.economics.effect import EffectInput, effect_of
from whatworks_eval.economics.harm_value import harm_value
from whatworks_eval.economics.lines import benefit_lines, by_whom, net_incidents, officer_hours
from whatworks_eval.economics.mapping import Costed, Mapped, map_offences, year_problems
from whatworks_eval.economics.officer_hours import costed_hours
from whatworks_eval.economics.ratio import Range, Uncertain, draw_inputs, span_of, tornado
from whatworks_eval.economics.records import CostBenefit
from whatworks_eval.economics.rules import ask_economics
from whatworks_eval.economics_keys import Economics
from whatworks_eval.errors import ProtocolError
from whatworks_eval.judgement import Evaluation
from whatworks_eval.records import Interval

LEVEL_FOR_PROBABILITY = 3


def cost_benefit(evaluation: Evaluation) -> CostBenefit:
    """Whether it was worth it, for an evaluation whose protocol has [economics].

    Raises:
        ProtocolError: The protocol has no [economics], or it cannot be carried out.

    Example:
        >>> from whatworks_eval import evaluate, load_data, load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> plain = load_protocol(shipped_path("designs", "police-now-2016"))
        >>> cost_benefit(evaluate(plain, load_data(plain)))
        Traceback (most recent call last):
        ...
        whatworks_eval.errors.ProtocolError: - the protocol has no [economics] section; add one with its costs
    """
    economics = evaluation.protocol.economics
    if economics is None:
        raise ProtocolError("the protocol has no [economics] section; add one with its costs")
    return appraise_effect(effect_of(evaluation), economics)


def check_economics(economics: Economics, offences: Sequence[str] | None, base: Path = Path()) -> Mapped:
    """What the incidents stand for, or every reason why [economics] cannot be carried out; needs no data.

    Args:
        economics: As declared.
        offences: Categories counted together; None where not said.
        base: Folder that `shares_file` is relative to.

    Raises:
        ProtocolError: Every problem found.

    Example:
        >>> cost = dict(item="x", gbp=1.0, year="2019-20", kind="set-up", payer="police", cash=True)
        >>> check_economics(Economics(costs=[cost]), ["Theft from the person"]).mix
        {'Theft from the person': 1.0}
    """
    problems = list(year_problems(economics))
    mapped: Mapped | None = None
    try:
        if economics.hours is not None:
            counted = " and ".join(offences or ("staff hours",))
            mapped = Mapped(mix={}, costed=(costed_hours(economics.hours, counted),), not_valued=())
        else:
            mapped = map_offences(economics, offences, base)
    except ProtocolError as error:
        problems += error.problems
    if problems or mapped is None:
        raise ProtocolError(problems)
    return mapped


def appraise_effect(effect: EffectInput, economics: Economics) -> CostBenefit:
    """Whether an effect was worth what it cost: for an effect read back from a result as well as a fresh one.

    Args:
        effect: Incidents prevented, with their uncertainty, and the level reached.
        economics: As declared.

    Raises:
        ProtocolError: Every reason why [economics] cannot be carried out.

    Example:
        >>> from datetime import date
        >>> cost = dict(item="x", gbp=1000.0, year="2019-20", kind="set-up", payer="police", cash=True)
        >>> economics = Economics(price_year="2019-20", costs=[cost])
        >>> effect = EffectInput(prevented=Interval(value=10.0), months=12, months_declared=12, level=3,
        ...                      start=date(2019, 4, 1), offences=("Theft from the person",))
        >>> round(appraise_effect(effect, economics).ratio.value, 3)  # 10 × 3.43 × (1,120 + 180) / 1,000
        44.59
    """
    mapped = check_economics(economics, effect.offences, effect.base)
    base_year = earliest([financial_year(effect.start), *(cost.year for cost in economics.costs)])
    costs = cost_side(
        economics.costs,
        price_year=economics.price_year,
        base_year=base_year,
        optimism_bias_percent=economics.optimism_bias_costs_percent,
    )
    longest = max(economics.persistence_months, *(economics.persistence_range or (0.0,)))
    clock = clock_of(
        start=effect.start,
        base_year=base_year,
        declared=effect.months_declared,
        used=effect.months,
        longest=longest,
    )
    kept = additionality_factor(economics.additionality)
    formula = Formula(
        clock=clock,
        kept=kept,
        hoped=1 - economics.optimism_bias_benefits_percent / 100,
        shares=tuple(one.share for one in mapped.costed),
    )
    inputs = _inputs(effect, economics, mapped.costed)
    made = _result(effect, economics, mapped, costs, formula, inputs, base_year)
    return replace(made, findings=ask_economics(economics, effect, made))


def _inputs(effect: EffectInput, economics: Economics, costed: Sequence[Costed]) -> Uncertain:
    """Every input in the prices of the appraisal, with its range."""

    def gbp(one: Costed, value: float | None) -> float | None:
        return (
            None if value is None else value * one.pounds.in_prices(economics.price_year).gbp / one.pounds.gbp
        )

    pounds = []
    for one in costed:
        shared = not one.local and one.low is not None
        pounds.append(
            Range(
                name=f"unit cost, {one.offence}",
                unit=f"£ ({economics.price_year})",
                value=one.pounds.in_prices(economics.price_year).gbp,
                low=gbp(one, one.low),
                high=gbp(one, one.high),
                group="unit costs as shipped" if shared else None,
            )
        )
    buffer = effect.buffer if economics.count_buffer else None
    ends = economics.persistence_range or (None, None)
    return Uncertain(
        prevented=Range(
            name="units of the outcome saved" if economics.hours else "incidents prevented",
            unit="units" if economics.hours else "incidents",
            value=effect.prevented.value or 0.0,
            low=effect.prevented.low,
            high=effect.prevented.high,
        ),
        buffer=None
        if buffer is None or buffer.value is None
        else Range(
            name="prevented in the buffer",
            unit="incidents",
            value=buffer.value,
            low=buffer.low,
            high=buffer.high,
        ),
        persistence=Range(
            name="persistence", unit="months", value=economics.persistence_months, low=ends[0], high=ends[1]
        ),
        pounds=tuple(pounds),
        multipliers=tuple(
            Range(
                name=f"multiplier, {one.offence}",
                unit="actual crimes a recorded one",
                value=one.multiplier,
                low=one.multiplier_low,
                high=one.multiplier_high,
            )
            for one in costed
        ),
    )


def _result(
    effect: EffectInput,
    economics: Economics,
    mapped: Mapped,
    costs: CostSide,
    formula: Formula,
    inputs: Uncertain,
    base_year: str,
) -> CostBenefit:
    clock, share, cost = formula.clock, effect.confidence, costs.total
    why = _why_missing(effect, mapped)
    drawn = None
    if effect.prevented.value is not None and effect.quantiles:
        drawn = draw_inputs(inputs, effect, draws=economics.draws, seed=effect.seed)
    central = inputs.central()
    lines = benefit_lines(mapped.costed, formula, inputs, drawn, economics, share) if why is None else ()
    benefits = None if drawn is None or why else formula.benefit(drawn)
    total = None if why else float(formula.benefit(central))
    benefit = Interval() if total is None else span_of(total, benefits, share)
    net = (
        Interval()
        if total is None
        else span_of(total - cost, None if benefits is None else benefits - cost, share)
    )
    no_ratio = why or (None if cost > 0 else "the declared costs add up to nothing")
    ratio = Interval()
    if no_ratio is None and total is not None:
        ratio = span_of(total / cost, None if benefits is None else benefits / cost, share)
    chance, no_chance = None, no_ratio or effect.why_missing
    if effect.level < LEVEL_FOR_PROBABILITY:
        no_chance = f"the effect is at level {effect.level}; a probability is given from level 3 on"
    elif no_ratio is None and benefits is not None:
        chance, no_chance = float((benefits > cost).mean()), None
    found, no_found = _incidents(effect, formula, inputs, drawn, share), effect.why_missing
    each, no_each = _cost_each(cost, found, no_found)
    # Pounds one prevented incident of the after window is worth.
    worth = float(formula.benefit(replace(central, prevented=1.0, buffer=0.0))) if mapped.costed else 0.0
    even = cost / worth * 12 / effect.months if worth > 0 else None
    payback, no_payback = _payback(clock, inputs, total, cost, why)
    perspective, beneficiary = by_whom(lines)
    fiscal = None if why else perspective.get("fiscal", 0.0)
    cashable = None if fiscal is None else fiscal * economics.cashable_percent / 100
    yearly = _yearly(effect, inputs, drawn, share)
    return CostBenefit(
        price_year=economics.price_year,
        base_year=base_year,
        edition="staff hours" if economics.hours else economics.unit_costs,
        range_share=share,
        draws=economics.draws,
        seed=effect.seed,
        months=effect.months,
        persistence_months=economics.persistence_months,
        costs=costs.lines,
        benefits=() if economics.hours else lines,
        cost=Interval(value=cost),
        cost_cash=costs.cash,
        cost_opportunity=costs.opportunity,
        cost_by_kind=costs.by_kind,
        cost_by_payer=costs.by_payer,
        cost_by_year=costs.by_year,
        benefit=benefit,
        benefit_by_perspective=perspective,
        benefit_by_beneficiary=beneficiary,
        cashable=cashable,
        capacity_released=None if fiscal is None or cashable is None else fiscal - cashable,
        net=net,
        ratio=ratio,
        probability_above_one=chance,
        probability_why_missing=no_chance,
        why_missing=no_ratio,
        range_why_missing=no_ratio or (effect.why_missing if benefits is None else None),
        cost_per_incident=each,
        cost_per_incident_why_missing=no_each,
        payback_months=payback,
        payback_why_missing=no_payback,
        break_even_incidents=even,
        break_even_why_missing=None if even is not None else "no incident counted has a value in pounds",
        prevented_a_year=yearly,
        prevented_includes_zero=_includes_zero(effect.prevented, yearly),
        not_valued=mapped.not_valued,
        not_valued_share=None
        if any(one.share is None for one in mapped.not_valued)
        else sum(one.share or 0.0 for one in mapped.not_valued),
        anticipation_included=economics.anticipation or any(one.cost.unsplit for one in mapped.costed),
        harm=None
        if economics.hours
        else harm_value(mapped.mix, found, cost=cost, scheme=effect.harm or "CCHI 2026"),
        hours=officer_hours(economics, mapped.costed[0], lines) if economics.hours and lines else None,
        tornado=tornado(inputs, formula, cost) if no_ratio is None else (),
        chain=chain_of(effect, economics, mapped, inputs, cost),
        level=effect.level,
    )


def _includes_zero(prevented: Interval, net: Interval) -> bool | None:
    """Whether the interval of the effect, or its range with the buffer counted in, holds none prevented."""
    known = [one for one in (prevented, net) if one.low is not None and one.high is not None]
    if not known:
        return None
    return any((one.low or 0.0) <= 0 <= (one.high or 0.0) for one in known)


def _why_missing(effect: EffectInput, mapped: Mapped) -> str | None:
    if effect.prevented.value is None:
        return effect.why_missing or "the number of incidents prevented is not known"
    return None if mapped.costed else "no offence counted has a unit cost"


def _incidents(
    effect: EffectInput, formula: Formula, inputs: Uncertain, drawn: Inputs | None, share: float
) -> Interval:
    if effect.prevented.value is None:
        return Interval()
    draws = None if drawn is None else net_incidents(formula, drawn)
    return span_of(float(net_incidents(formula, inputs.central())), draws, share)


def _yearly(effect: EffectInput, inputs: Uncertain, drawn: Inputs | None, share: float) -> Interval:
    if effect.prevented.value is None:
        return Interval()
    central = inputs.central()
    draws = None
    if drawn is not None:
        draws = (np.asarray(drawn.prevented) + np.asarray(drawn.buffer)) * 12 / effect.months
    value = (float(central.prevented) + float(central.buffer)) * 12 / effect.months
    return span_of(value, draws, share)


def _cost_each(cost: float, incidents: Interval, why: str | None) -> tuple[Interval, str | None]:
    """Pounds for each incident prevented; without a range where it reaches none prevented."""
    if incidents.value is None:
        return Interval(), why or "the number of incidents prevented is not known"
    if incidents.value <= 0:
        return Interval(), "none were prevented by this estimate"
    if incidents.low is None or incidents.high is None:
        return Interval(value=cost / incidents.value), why
    if incidents.low <= 0:
        said = "the range of the incidents prevented includes none, so the cost of each has no upper end"
        return Interval(value=cost / incidents.value, low=cost / incidents.high), said
    return Interval(value=cost / incidents.value, low=cost / incidents.high, high=cost / incidents.low), None


def _payback(
    clock: Clock, inputs: Uncertain, total: float | None, cost: float, why: str | None
) -> tuple[float | None, str | None]:
    """Months until discounted benefits, as they come, cover all costs."""
    if total is None:
        return None, why
    months, done = clock.cumulative(inputs.persistence.value)
    if total < cost or total <= 0:
        return None, f"benefits do not cover the costs within the {months[-1]:g} months appraised"
    return float(np.interp(cost / total * done[-1], done, months)), None
