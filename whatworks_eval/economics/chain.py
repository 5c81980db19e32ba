"""Every assumption between the incidents prevented and the ratio, in the order they are used."""

from __future__ import annotations

from collections.abc import Iterator

from whatworks_eval.economics.effect import EffectInput
from whatworks_eval.economics.mapping import Mapped
from whatworks_eval.economics.prices import SAID, deflate
from whatworks_eval.economics.ratio import Range, Uncertain
from whatworks_eval.economics.records import Assumption, Confidence
from whatworks_eval.economics_keys import Economics

GREEN_BOOK = "HM Treasury, The Green Book (2026): 3.5 % a year to year 30, 3.0 % to 75, 2.5 % to 125"
STATED = "the protocol"


def chain_of(
    effect: EffectInput, economics: Economics, mapped: Mapped, inputs: Uncertain, cost: float
) -> tuple[Assumption, ...]:
    """The chain of assumptions, from what the evaluation found to the cost it is held against."""
    found: list[Assumption] = []
    if effect.prevented.value is not None:
        found.append(_of(inputs.prevented, f"{_counted(economics)} in the after window", "this evaluation"))
    if inputs.buffer is not None:
        found.append(
            _of(inputs.buffer, "Prevented in the buffer (below zero: moved there)", "this evaluation")
        )
    found.append(
        _of(inputs.persistence, "Months the effect goes on after the window", STATED, "stated by the user")
    )
    found += _taken_off(economics)
    found += _shares(economics, mapped)
    found += _values(economics, mapped, inputs)
    found.append(
        Assumption(
            step="Discount rate, years 1 to 30; year 0 is not discounted",
            value=3.5,
            unit="% a year",
            source=GREEN_BOOK,
            confidence="seen_verbatim",
        )
    )
    found.append(
        Assumption(
            step="Cost of the project, present value",
            value=cost,
            unit=f"£ ({economics.price_year})",
            source=STATED,
            confidence="stated by the user",
        )
    )
    return tuple(found)


def _counted(economics: Economics) -> str:
    return "Units of the outcome saved" if economics.hours else "Recorded incidents prevented"


def _taken_off(economics: Economics) -> Iterator[Assumption]:
    taken = economics.additionality
    percents = {
        "Optimism bias, taken off benefits": economics.optimism_bias_benefits_percent,
        "Optimism bias, added to costs": economics.optimism_bias_costs_percent,
    }
    for step, percent in percents.items():
        if percent:
            yield Assumption(
                step=step, value=percent, unit="%", source=STATED, confidence="stated by the user"
            )
    for name in ("deadweight", "displacement", "leakage", "substitution") if taken else ():
        assert taken is not None
        if percent := getattr(taken, f"{name}_percent"):
            yield Assumption(
                step=f"Additionality: {name}, taken off the effect",
                value=percent,
                unit="%",
                source=f"the protocol: {taken.source}",
                confidence="stated by the user",
            )


def _shares(economics: Economics, mapped: Mapped) -> Iterator[Assumption]:
    for category, share in mapped.mix.items():
        if len(mapped.mix) > 1:
            yield _share(f"Share of the incidents prevented, {category}", share, STATED)
    source = f"the protocol: {economics.shares_file}" if economics.shares_file else STATED
    for one in mapped.costed:
        if one.within != 1:
            yield _share(f"Share of {category_of(one.category)}, {one.offence}", one.within, source)
    for left in mapped.not_valued:
        if left.share is not None:
            yield _share(f"Not valued in pounds, {left.category}", left.share, left.why, of="all incidents")


def category_of(category: str) -> str:
    """A category as it stands inside a sentence."""
    return category[:1].lower() + category[1:]


def _share(step: str, share: float, source: str, of: str = "") -> Assumption:
    said: Confidence | None = "stated by the user" if source.startswith(STATED) else None
    unit = f"% of {of}" if of else "%"
    return Assumption(step=step, value=100 * share, unit=unit, source=source, confidence=said)


def _values(economics: Economics, mapped: Mapped, inputs: Uncertain) -> Iterator[Assumption]:
    for one, times in zip(mapped.costed, inputs.multipliers, strict=True):
        if economics.hours:
            yield _of(times, "Hours for each unit of the outcome", STATED, "stated by the user", unit="hours")
        elif one.cost.per == "actual":
            step = f"Actual crimes for each one recorded, {one.offence}"
            source = one.multiplier_source
            if economics.unit_costs == "home-office-2018" and not source.startswith(STATED):
                source += " (those of the 2018 edition were not seen)"
            yield _of(times, step, source, one.multiplier_confidence)
    years: dict[str, None] = {}
    for one, gbp in zip(mapped.costed, inputs.pounds, strict=True):
        years[one.pounds.price_year] = None
        yield _of(gbp, f"Unit cost, {one.offence}", one.cost.source, one.cost.confidence)
    years |= dict.fromkeys(cost.price_year or cost.year for cost in economics.costs)
    for year in sorted(years):
        if year != economics.price_year:
            factor = deflate(1.0, from_year=year, to_year=economics.price_year)
            step = f"Prices, {year} to {economics.price_year}"
            yield Assumption(step=step, value=factor, unit="times", source=SAID, confidence="derived")


def _of(
    one: Range, step: str, source: str, confidence: Confidence | None = None, unit: str | None = None
) -> Assumption:
    return Assumption(
        step=step,
        value=one.value,
        unit=unit or one.unit,
        low=one.low,
        high=one.high,
        source=source,
        confidence=confidence,
    )
