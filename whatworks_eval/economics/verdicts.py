"""What each rule on economics says of a result: the judges behind rules.py, one function a rule."""

from __future__ import annotations

from dataclasses import dataclass

from whatworks_eval.economics.effect import EffectInput
from whatworks_eval.economics.records import CostBenefit
from whatworks_eval.economics_keys import Economics
from whatworks_eval.judgement import Judged, Measure, Verdict

LARGE_MULTIPLIER, DRIVES = 5.0, 0.25
TRUSTED_LEVEL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EconomicsCase:
    """Everything a rule on economics may look at."""

    economics: Economics
    effect: EffectInput
    result: CostBenefit


def judge_includes_zero(case: EconomicsCase) -> Judged:
    """Whether the interval of the incidents prevented holds none."""
    low, high = case.effect.prevented.low, case.effect.prevented.high
    prevented = Measure(
        name="recorded incidents prevented",
        unit="incidents",
        value=case.effect.prevented.value,
        low=low,
        high=high,
        threshold=0.0,
        why_missing=case.effect.why_missing if case.effect.prevented.value is None else None,
    )
    if low is None or high is None:
        message = (
            f"Whether any incidents were prevented is not known: {case.effect.why_missing or 'no interval'}."
        )
        return Verdict(kind="not assessed", message=message, evidence=(prevented,))
    if case.result.prevented_includes_zero:
        beside = "" if low <= 0 <= high else " once the buffer is counted in"
        message = (
            f"The pounds rest on an effect whose interval includes none prevented{beside} ({_number(low)} to "
            f"{_number(high)} incidents in the treated areas): the ratio may as well be zero or below."
        )
        return Verdict(kind="caveat", message=message, evidence=(prevented,))
    message = "The interval of the effect does not include none prevented."
    return Verdict(kind="clear", message=message, evidence=(prevented,))


def judge_level(case: EconomicsCase) -> Judged:
    """Whether the level of the effect bears pounds."""
    level = case.result.level
    reached = Measure(name="level of the effect", unit="level", value=level, threshold=TRUSTED_LEVEL)
    if level < TRUSTED_LEVEL:
        message = (
            f"The effect is at level {level}, so the pounds hold only if the change was due to the project; "
            "no "
            "probability is given that it paid."
        )
        return Verdict(kind="caveat", message=message, evidence=(reached,))
    message = f"The effect is at level {level}; the ratio is no better evidence than that."
    return Verdict(kind="clear", message=message, evidence=(reached,))


def judge_single_source(case: EconomicsCase) -> Judged:
    """Whether every unit cost was seen at its source."""
    if not case.result.benefits and case.result.hours is None:
        return None
    lines = case.result.benefits
    second_hand = [line for line in lines if line.confidence == "secondary"]
    hours = case.result.hours
    if hours is not None and hours.confidence == "secondary":
        return Verdict(
            kind="caveat",
            message=f"The hourly cost (£{hours.hourly:.2f}) was read in one copy of its source and is "
            "uprated from "
            "2013-14; give your force's own under [economics.hours].",
        )
    if second_hand:
        worth = _share_of(case, sum(line.present_value.value or 0.0 for line in second_hand))
        names = ", ".join(line.offence for line in second_hand[:5])
        more = f" and {len(second_hand) - 5} more" if len(second_hand) > 5 else ""
        return Verdict(
            kind="caveat",
            message=f"The unit costs of {names}{more} were read in one account of their source, with no "
            "second to "
            "check it against, and have no published range.",
            evidence=(Measure(name="share of the benefit", unit="%", value=worth),)
            if worth is not None
            else (),
        )
    return Verdict(
        kind="clear", message="Every unit cost was seen in the issuing body's own words, or is yours."
    )


def judge_not_cashable(case: EconomicsCase) -> Judged:
    """Whether time released is counted as a benefit."""
    result = case.result
    released, cashable = result.capacity_released, result.cashable
    if released is None or cashable is None:
        return None
    evidence = (
        Measure(name="capacity released", unit=f"£ ({result.price_year})", value=released),
        Measure(name="cashable", unit=f"£ ({result.price_year})", value=cashable),
    )
    if released > 0:
        message = (
            f"£{_number(released)} of the benefit is time of the police and other services that can be used "
            "otherwise, not money that can be taken out of a budget."
        )
        return Verdict(kind="caveat", message=message, evidence=evidence)
    return Verdict(kind="clear", message="No capacity released is counted as a benefit.", evidence=evidence)


def judge_anticipation(case: EconomicsCase) -> Judged:
    """Whether the costs of anticipating crime are counted."""
    if case.economics.hours is not None or not case.result.benefits:
        return None
    if case.economics.unit_costs == "home-office-2018" and case.result.anticipation_included:
        message = (
            "The unit costs of the 2018 edition are here as whole sums: what people spend in anticipation of "
            "crime is in them and could not be left out."
        )
        return Verdict(kind="caveat", message=message)
    if not case.economics.anticipation:
        message = "The costs of anticipating crime (insurance, security) are left out."
        return Verdict(kind="clear", message=message)
    counted = sum(
        part.present_value
        for line in case.result.benefits
        for part in line.parts
        if part.component == "anticipation"
    )
    message = (
        f"£{_number(counted)} of the benefit is what people spend in fear of crime; a local project seldom "
        "changes "
        "insurance or security."
    )
    return Verdict(kind="caveat", message=message)


def judge_multiplier(case: EconomicsCase) -> Judged:
    """Whether offences of which few are recorded carry the benefit."""
    lines = [line for line in case.result.benefits if line.multiplier > LARGE_MULTIPLIER]
    if not case.result.benefits:
        return None
    worth = _share_of(case, sum(line.present_value.value or 0.0 for line in lines))
    if worth is None:
        return None
    share = Measure(
        name="share of the benefit with a multiplier above 5", unit="%", value=worth, threshold=100 * DRIVES
    )
    if worth >= 100 * DRIVES:
        names = ", ".join(f"{line.offence} (× {line.multiplier:g})" for line in lines)
        message = (
            f"{worth:.0f} % of the benefit comes from offences of which few are recorded: {names}. It "
            "assumes that "
            "crimes nobody reported fell as much as those recorded."
        )
        return Verdict(kind="caveat", message=message, evidence=(share,))
    message = f"Multipliers above 5 carry {worth:.0f} % of the benefit."
    return Verdict(kind="clear", message=message, evidence=(share,))


def judge_not_valued(case: EconomicsCase) -> Judged:
    """Whether some incidents have no value."""
    without, share = case.result.not_valued, case.result.not_valued_share
    if not without:
        return Verdict(kind="clear", message="Every incident counted has a value.")
    names = ", ".join(dict.fromkeys(one.category for one in without))
    part = "an unknown share" if share is None else f"{100 * share:.0f} %"
    measure = Measure(
        name="incidents without a value",
        unit="%",
        value=None if share is None else 100 * share,
        why_missing="the data do not tell the categories apart" if share is None else None,
    )
    message = f"No pounds stand for {part} of the incidents counted: {names}."
    return Verdict(kind="caveat", message=message, evidence=(measure,))


def judge_persistence(case: EconomicsCase) -> Judged:
    """Whether the effect is assumed beyond the data."""
    months = case.economics.persistence_months
    after = Measure(name="months assumed after the window", unit="months", value=months, threshold=0.0)
    if months > 0:
        message = (
            f"The effect is taken to go on for {months:g} months after the last month with data; nothing "
            "here "
            "shows that it did."
        )
        return Verdict(kind="caveat", message=message, evidence=(after,))
    message = "Nothing is counted beyond the months with data."
    return Verdict(kind="clear", message=message, evidence=(after,))


def judge_displacement(case: EconomicsCase) -> Judged:
    """Whether displacement was measured, declared or left at nothing."""
    taken = case.economics.additionality
    if case.effect.buffer is not None and case.economics.count_buffer:
        message = "What moved next door was measured in a buffer and is in the benefit."
        return Verdict(kind="clear", message=message)
    if taken is not None and taken.displacement_percent > 0:
        message = (
            f"{taken.displacement_percent:g} % of the effect is taken to have moved elsewhere, as declared."
        )
        return Verdict(kind="clear", message=message)
    if case.economics.hours is not None:
        return None
    if case.effect.buffer is not None:
        message = "A buffer measured what moved next door, but `economics.count_buffer` leaves it out."
    else:
        message = (
            "Nothing is taken off for incidents that moved elsewhere, and no buffer measured whether any did."
        )
    return Verdict(kind="caveat", message=message)


def judge_opportunity(case: EconomicsCase) -> Judged:
    """Whether time is among the costs."""
    result = case.result
    measure = Measure(
        name="opportunity cost", unit=f"£ ({result.price_year})", value=result.cost_opportunity, threshold=0.0
    )
    if result.cost_opportunity > 0:
        message = f"Time and things that had another use are counted, at £{_number(result.cost_opportunity)}."
        return Verdict(kind="clear", message=message, evidence=(measure,))
    message = (
        "Only money paid out is counted as cost; officers and rooms had another use, so the project cost "
        "more than "
        "this and the ratio is too high."
    )
    return Verdict(kind="caveat", message=message, evidence=(measure,))


def judge_one_input(case: EconomicsCase) -> Judged:
    """Whether one input by itself carries the ratio across 1."""
    ratio = case.result.ratio.value
    if ratio is None:
        return None
    if not case.result.tornado:
        message = "No input has a range, so which of them the ratio rests on is not known."
        return Verdict(kind="not assessed", message=message)
    turning = [
        one
        for one in case.result.tornado
        if min(one.ratio_at_low, one.ratio_at_high) < 1 <= max(one.ratio_at_low, one.ratio_at_high)
    ]
    if not turning:
        side = "above" if ratio >= 1 else "below"
        message = f"No single input carries the ratio across 1: it stays {side} over the range of each."
        return Verdict(kind="clear", message=message)
    first = turning[0]
    message = (
        f"One input by itself carries the ratio across 1: {first.input}. At {_amount(first.low, first.unit)} "
        f"the ratio is {_three(first.ratio_at_low)}, at {_amount(first.high, first.unit)} it is "
        f"{_three(first.ratio_at_high)}."
    )
    return Verdict(kind="caveat", message=message)


def _share_of(case: EconomicsCase, pounds: float) -> float | None:
    """Percent of the central benefit; None where there is none to take a share of."""
    lines = [line.present_value.value or 0.0 for line in case.result.benefits]
    total = sum(lines)
    return 100 * pounds / total if total else None


def _amount(value: float, unit: str) -> str:
    """A number of any size with its unit: '£880' for pounds of any year, '−7 incidents'."""
    said = _three(value)
    if not unit.startswith("£"):
        return f"{said} {unit}"
    sign = "\N{MINUS SIGN}" if said.startswith("\N{MINUS SIGN}") else ""
    return f"{sign}£{said.removeprefix(sign)}"


def _three(value: float) -> str:
    """A number of any size inside a sentence: three figures, never as a power of ten."""
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    said = f"{value:,.{places}f}"
    said = said.rstrip("0").rstrip(".") if "." in said else said
    return said.replace("-", "\N{MINUS SIGN}")


def _number(value: float) -> str:
    """A number inside a sentence: whole, with thousands apart and a true minus sign."""
    return f"{value:,.0f}".replace("-", "\N{MINUS SIGN}")
