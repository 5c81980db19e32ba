"""Benefits line by line: each costed offence with its incidents, its pounds and whose they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from whatworks_eval.economics.benefits import Formula, Inputs, Numbers
from whatworks_eval.economics.mapping import Costed
from whatworks_eval.economics.ratio import Uncertain, span_of
from whatworks_eval.economics.records import BenefitLine, BenefitPart, OfficerHours
from whatworks_eval.economics.unit_costs import parts_of
from whatworks_eval.economics_keys import Beneficiary, Economics, Perspective
from whatworks_eval.records import Interval


def benefit_lines(
    costed: Sequence[Costed],
    formula: Formula,
    inputs: Uncertain,
    drawn: Inputs | None,
    economics: Economics,
    share: float,
) -> tuple[BenefitLine, ...]:
    """One line a costed offence.

    Args:
        costed: What the incidents stand for.
        formula: What is held fixed.
        inputs: What is not, with ranges.
        drawn: Its draws; None where the effect has none.
        economics: As declared.
        share: Share of the draws inside each range.
    """
    central = inputs.central()
    worth = formula.lines(central)
    spread = formula.lines(drawn) if drawn is not None else None
    incidents, incidents_drawn = net_incidents(formula, central), None
    if drawn is not None:
        incidents_drawn = net_incidents(formula, drawn)
    lines = []
    for place, (one, gbp) in enumerate(zip(costed, inputs.pounds, strict=True)):
        value = float(worth[place])
        lines.append(
            BenefitLine(
                offence=one.offence,
                category=one.category,
                share=one.within,
                incidents=span_of(
                    float(incidents) * one.share,
                    None if incidents_drawn is None else incidents_drawn * one.share,
                    share,
                ),
                multiplier=one.multiplier,
                unit_cost=Interval(value=gbp.value, low=gbp.low, high=gbp.high),
                published=one.pounds.gbp,
                published_price_year=one.pounds.price_year,
                present_value=span_of(value, None if spread is None else spread[place], share),
                parts=_parts(one, value, anticipation=economics.anticipation),
                source=one.cost.source,
                confidence=one.cost.confidence,
            )
        )
    return tuple(lines)


def _parts(one: Costed, value: float, *, anticipation: bool) -> tuple[BenefitPart, ...]:
    if one.local and one.override is not None:
        own = one.override
        return (
            BenefitPart(
                component="whole",
                perspective=own.perspective,
                beneficiary=own.beneficiary,
                present_value=value,
            ),
        )
    return parts_of(one.cost, value, anticipation=anticipation)


def net_incidents(formula: Formula, inputs: Inputs) -> Numbers:
    """Recorded incidents prevented over the period appraised, net of what is no gain; not discounted."""
    return np.asarray(formula.gain(inputs) * formula.clock.undiscounted(inputs.persistence))


def by_whom(lines: Sequence[BenefitLine]) -> tuple[dict[Perspective, float], dict[Beneficiary, float]]:
    """Central present values summed by perspective, and by who gains."""
    perspective: dict[Perspective, float] = {}
    beneficiary: dict[Beneficiary, float] = {}
    for part in (part for line in lines for part in line.parts):
        perspective[part.perspective] = perspective.get(part.perspective, 0.0) + part.present_value
        beneficiary[part.beneficiary] = beneficiary.get(part.beneficiary, 0.0) + part.present_value
    return perspective, beneficiary


def officer_hours(economics: Economics, one: Costed, lines: Sequence[BenefitLine]) -> OfficerHours:
    """The hours behind the one line of a productivity project, and what they are worth."""
    assert economics.hours is not None
    line, times = lines[0], one.multiplier
    incidents = line.incidents
    return OfficerHours(
        hours=Interval(
            value=None if incidents.value is None else incidents.value * times,
            low=None if incidents.low is None else incidents.low * times,
            high=None if incidents.high is None else incidents.high * times,
        ),
        grade=economics.hours.grade,
        hourly=line.unit_cost.value or 0.0,
        value=line.present_value,
        source=line.source,
        confidence=line.confidence,
    )
