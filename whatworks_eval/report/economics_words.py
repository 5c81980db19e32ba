"""Whether it was worth it, in sentences: tied to the level of the effect, never surer than its range."""

from __future__ import annotations

from whatworks_eval.economics.records import CostBenefit
from whatworks_eval.report.numerals import MINUS, clean, counted, number, per_cent_of, plain
from whatworks_eval.report.pounds import between, money, per_pound

CREDIT_FROM = 3
STAFF_HOURS = "staff hours"
IF_IT_WAS = "If the change was due to the project, which a design of level {level} of 5 does not show"
NOT_SAMPLING = "It is not a confidence interval: how far unit costs may be out is not sampling error."


def economics_headline(made: CostBenefit) -> str:
    """The answer in two or three sentences: what comes back for a pound, its range, and the level.

    Below level 3 it begins with 'if'; where the effect's interval includes none prevented, that is said
    before anything else is.
    """
    spent = f"{money(made.cost.value or 0.0)} was spent ({clean(made.price_year)} prices)"
    level = f"design strength level {made.level} of 5"
    if made.ratio.value is None:
        why = clean(made.why_missing or "the reason was not recorded").rstrip(".")
        doubt = _doubt(made)
        return f"{spent}; what it was worth cannot be said: {why}. The effect stands at {level}{doubt}."
    null = made.prevented_includes_zero
    parts = []
    if null:
        parts.append(
            "The range includes no benefit at all: the effect could not be told from none, so this does not "
            "show "
            "that the project paid for itself"
        )
    back = f"for every £1 spent, {_returned(made)}"
    if made.level < CREDIT_FROM:
        back = f"{IF_IT_WAS.format(level=made.level)}, {back}"
    parts.append(back)
    said = ". ".join(part[:1].upper() + part[1:] for part in parts)
    rests = f"the ratio rests on an effect at {level} and is no surer than it"
    return f"{said}. {spent[:1].upper()}{spent[1:]}; {rests}."


def _doubt(made: CostBenefit) -> str:
    """What must stand before any number of incidents prevented, where no ratio carries it."""
    if made.prevented_a_year.value is None:
        return ""
    none = " and could not be told from none" if made.prevented_includes_zero else ""
    if made.level < CREDIT_FROM:
        return f"{none}; what is counted as prevented below is so only if the change was due to the project"
    return none


def _returned(made: CostBenefit) -> str:
    """What came back for a pound, with its range or why it has none."""
    value = made.ratio.value
    assert value is not None
    best = ", as the best estimate" if made.prevented_includes_zero else ""
    if value < 0:
        more = "more hours were used" if made.edition == STAFF_HOURS else "more incidents were recorded"
        what = f"{more} than expected, costing {per_pound(-value)}{best}"
    else:
        what = f"benefits came to {per_pound(value)}{best}"
    span = between(made.ratio, "per pound")
    if span:
        low, high = made.ratio.low or 0.0, made.ratio.high or 0.0
        either = not made.prevented_includes_zero and low < 1 < high
        beside = ", so it may have cost more than it was worth" if either else ""
        named = "range of the benefits" if value < 0 else "range"
        return f"{what} ({named} {span}{beside})"
    return f"{what}; no range can be given ({clean(made.range_why_missing or 'not recorded').rstrip('.')})"


def economics_sentences(made: CostBenefit) -> list[str]:
    """What else a finance director asks, each in a sentence: net value, chance, cash, break-even, payback."""
    said = []
    if made.net.value is not None:
        way = "gain" if made.net.value >= 0 else "loss"
        ends = between(made.net)
        said.append(
            f"Net present social value: a {way} of {money(abs(made.net.value))}"
            + (f" (range of the net value {ends})." if ends else ".")
        )
    if made.probability_above_one is not None:
        said.append(
            f"If the estimate is unbiased, the benefits exceed the costs in "
            f"{_chance(made.probability_above_one)} of "
            "draws."
        )
    elif made.probability_why_missing:
        said.append(f"No probability is given: {_end(made.probability_why_missing)}")
    said += [_cash(made), _break_even(made), _incident(made), _payback(made), _hours(made), _harm(made)]
    if made.ratio.low is not None:
        said.append(
            f"A range is the middle {per_cent_of(made.range_share)} of {counted(made.draws, 'seeded draw')} "
            "of the "
            f"effect and of every input that was given a low and a high. {NOT_SAMPLING}"
        )
    said.append(_left_out(made))
    return [one for one in said if one]


def _chance(share: float) -> str:
    if share > 0.99:
        return "over 99 %"
    return "under 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def _end(text: str) -> str:
    return f"{clean(text).rstrip('.')}."


def _cash(made: CostBenefit) -> str:
    if made.cashable is None or made.capacity_released is None:
        return ""
    if made.cashable + made.capacity_released < 0:
        taken = money(-made.cashable - made.capacity_released)
        return f"No cash and no capacity was released: {taken} more of public services' time was taken up."
    if made.cashable == 0:
        return (
            f"None of the benefit is claimed as cash; {money(made.capacity_released)} of it is time and "
            "capacity of "
            "public services, which can be used otherwise but not taken out of a budget."
        )
    return (
        f"{money(made.cashable)} of the benefit is claimed as cash that can be taken out of a budget; "
        f"{money(made.capacity_released)} is time and capacity released."
    )


def _break_even(made: CostBenefit) -> str:
    if made.break_even_incidents is None:
        return (
            f"No break-even can be given: {_end(made.break_even_why_missing)}"
            if made.break_even_why_missing
            else ""
        )
    hours = made.edition == STAFF_HOURS
    way, counted_as = ("saved", "counted") if hours else ("prevented", "recorded")
    said = f"It pays for itself if at least {_incidents(made.break_even_incidents, hours)} a year are {way}"
    found = made.prevented_a_year.value
    if found is None:
        return f"{said}."
    beside = f"none; more were {counted_as} than expected" if found < 0 else _incidents(found, hours)
    return f"{said}; the estimate is {beside} a year." if found >= 0 else f"{said}; the estimate is {beside}."


def _incidents(value: float, hours: bool) -> str:
    return f"{plain(value, 0 if value >= 10 else 1)} {'units of the outcome' if hours else 'incidents'}"


def _incident(made: CostBenefit) -> str:
    one = made.cost_per_incident
    hours = made.edition == STAFF_HOURS
    if one.value is None:
        why = made.cost_per_incident_why_missing
        what = "unit of the outcome saved" if hours else "incident prevented"
        return f"No cost for each {what} can be given: {_end(why)}" if why else ""
    ends, why = between(one), made.cost_per_incident_why_missing
    beside = f" (range {ends})" if ends else f"; {clean(why).rstrip('.')}" if why else ""
    what = "unit of the outcome saved" if hours else "recorded incident prevented"
    return f"Cost for each {what}: {money(one.value)}{beside}."


def _payback(made: CostBenefit) -> str:
    if made.payback_months is not None:
        months = counted(max(round(made.payback_months), 1), "month")
        return f"Payback, by the central estimate: {months} from the start of the after window."
    return f"No payback can be given: {_end(made.payback_why_missing)}" if made.payback_why_missing else ""


def _hours(made: CostBenefit) -> str:
    hours = made.hours
    if hours is None or hours.hours.value is None or hours.value.value is None:
        return ""
    if hours.hours.value < 0:
        return (
            f"More staff hours were used than expected ({clean(hours.grade)}): "
            f"{number(round(-hours.hours.value))}, worth {money(-(hours.value.value))} at "
            f"{per_pound(hours.hourly)} an hour."
        )
    return (
        f"Staff hours saved ({clean(hours.grade)}): {number(round(hours.hours.value))}, worth "
        f"{money(hours.value.value)} at {per_pound(hours.hourly)} an hour. This is capacity released, not "
        "cash."
    )


def _harm(made: CostBenefit) -> str:
    harm = made.harm
    if harm is None:
        return ""
    if harm.prevented.value is None:
        return f"Harm beside the pounds: none can be given: {_end(harm.why_missing or 'not recorded')}"
    span = harm.prevented
    ends = (
        f" (range {_plainly(span.low)} to {_plainly(span.high)})"
        if span.low is not None and span.high is not None
        else ""
    )
    each = f"; {money(harm.cost_per_unit)} for each" if harm.cost_per_unit is not None else ""
    if each and span.low is not None and span.low <= 0:
        each += " by the central estimate, with no upper end"
    caveat = f" {_end(harm.caveat)}" if harm.caveat else ""
    return (
        f"Harm prevented, beside the pounds and never added to them ({clean(harm.scheme)}): "
        f"{_plainly(span.value or 0.0)} {clean(harm.unit)}{ends}{each}.{caveat}"
    )


def _plainly(value: float | None) -> str:
    return number(float(f"{value or 0.0:.3g}"))


def _left_out(made: CostBenefit) -> str:
    crime = made.edition != STAFF_HOURS
    said = ["what people spend in anticipation of crime"] if crime and not made.anticipation_included else []
    if made.not_valued:
        share = made.not_valued_share
        said.append(
            "offences that no unit cost stands for ("
            + ", ".join(clean(one.category) for one in made.not_valued)
            + ("" if share is None else f"; {100 * share:.0f} % of incidents")
            + ")"
        )
    return f"Left out of the benefit: {' and '.join(said)}." if said else ""


def chain_cell(value: float | None, unit: str) -> str:
    """A number of the chain of assumptions in its unit.

    Example:
        >>> chain_cell(20330.0, "£ (2024-25)"), chain_cell(12.0, "months"), chain_cell(None, "%")
        ('£20,330', '12', '–')
    """
    if value is None:
        return "–"
    if unit.startswith("£"):
        places = 0 if abs(value) >= 100 or value == round(value) else 2
        return f"{MINUS if value < 0 else ''}£{abs(value):,.{places}f}"
    return number(float(f"{value:.4g}"))
