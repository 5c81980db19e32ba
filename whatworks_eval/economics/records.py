"""What the economics of an evaluation comes out as: costs, benefits, the chain between them, and the ratio.

    Evaluation ─► CostLine, BenefitLine, Assumption ─► CostBenefit      (appraise.py)

Every amount in pounds is in the prices of `CostBenefit.price_year`, and a present value at the start of
`CostBenefit.base_year` (year 0), unless its line below says otherwise. A range is the middle share
(`CostBenefit.range_share`) of seeded draws; it is not a confidence interval, since the ranges of unit costs
are not sampling error. What could not be computed is None, with the reason beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from whatworks_eval.economics_keys import Beneficiary, CostKind, Payer, Perspective
from whatworks_eval.judgement import Finding
from whatworks_eval.records import Interval

Component = Literal["anticipation", "consequence", "response", "whole"]
Confidence = Literal["seen_verbatim", "secondary", "derived", "stated by the user"]
"""How a number was come by, as in the datasets; `secondary` = in somebody else's account of the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One step of the chain from recorded incidents to pounds.

    Attributes:
        step: What is assumed, in the reader's words: 'Recorded to actual, Robbery'.
        value: The value used.
        unit: Of the values: 'incidents', 'actual crimes a recorded one', '£ (2024-25)', '%', 'months', …
        low: The lowest value tried; None where it is held fixed.
        high: The highest.
        source: Where the value comes from; 'the protocol' where the user stated it.
        confidence: How far the source was seen; None for what the evaluation itself estimated.
    """

    step: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    source: str
    confidence: Confidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One declared cost.

    Attributes:
        item: What was bought or whose time it was.
        gbp: As declared, in pounds of `price_year`.
        year: The financial year it fell in: '2019-20'.
        price_year: Whose prices `gbp` is in: `year`, unless the protocol says otherwise.
        kind: 'set-up' or 'running'.
        payer: Who bears it.
        cash: True where money was paid out; False for time or things that had another use.
        real: `gbp` in the prices of the whole appraisal, with optimism bias, not discounted.
        year_index: Years after year 0.
        present_value: `real`, discounted.
    """

    item: str
    gbp: float
    year: str
    price_year: str
    kind: CostKind
    payer: Payer
    cash: bool
    real: float
    year_index: int
    present_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BenefitPart:
    """Part of a benefit, by whose it is.

    Attributes:
        component: As the source splits its unit cost; 'whole' where it does not.
        perspective: Whether a public budget, the economy or wellbeing gains.
        beneficiary: Who gains.
        present_value: Central value, in pounds.
    """

    component: Component
    perspective: Perspective
    beneficiary: Beneficiary
    present_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BenefitLine:
    """Incidents of one costed offence that were prevented, and what they would have cost.

    `present_value.value` is close to `incidents.value × multiplier × unit_cost.value`, less what discounting
    takes off benefits that come later.

    Attributes:
        offence: The costed offence, as its source calls it.
        category: The offence category it stands for in the data: 'Vehicle crime'.
        share: Share of the category's incidents taken to be of this offence, 0 to 1.
        incidents: Recorded incidents prevented, over the after window and the persistence assumed, net of
            additionality; with the range of the effect.
        multiplier: Actual crimes for each recorded one; 1 for unit costs per recorded crime.
        unit_cost: Pounds a crime, in the prices of the whole appraisal; ends None without a range.
        published: The same as printed, in pounds of `published_price_year`; without anticipation
            unless asked for.
        published_price_year: '2019-20'.
        present_value: In pounds, with its range.
        parts: The central value by component, perspective and beneficiary; they add up to it.
        source: Where the unit cost comes from.
        confidence: How far that source was seen.
    """

    offence: str
    category: str
    share: float
    incidents: Interval
    multiplier: float
    unit_cost: Interval
    published: float
    published_price_year: str
    present_value: Interval
    parts: tuple[BenefitPart, ...]
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class NotValued:
    """Incidents that no pound stands for.

    Attributes:
        category: The offence category in the data.
        share: Share of all incidents counted in the treated areas, 0 to 1; None where the data do not tell
            one category from another.
        why: Why there is no value, as a sentence without a full stop.
    """

    category: str
    share: float | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TornadoEntry:
    """What one input does to the ratio by itself, every other input at its central value.

    Attributes:
        input: Its name, as in the chain of assumptions.
        unit: Of `low` and `high`.
        low: Its lowest value.
        high: Its highest.
        ratio_at_low: Benefit over cost there.
        ratio_at_high: The same at the other end.
    """

    input: str
    unit: str
    low: float
    high: float
    ratio_at_low: float
    ratio_at_high: float

    @property
    def swing(self) -> float:
        """Distance between the two ratios."""
        return abs(self.ratio_at_high - self.ratio_at_low)


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmValue:
    """Harm prevented, for readers who do not want money; not discounted, never added to pounds.

    Attributes:
        scheme: Scheme and vintage: 'CCHI 2026'.
        unit: 'days' or 'severity score'.
        prevented: Over the after window and the persistence assumed, by recorded incidents; empty where none.
        cost_per_unit: Pounds (present value) a day or point; None where nothing was prevented.
        why_missing: Why either is missing.
        caveat: What must be said beside it.
    """

    scheme: str
    unit: str
    prevented: Interval
    cost_per_unit: float | None = None
    why_missing: str | None = None
    caveat: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerHours:
    """Staff hours saved by a project, as capacity released; never cash.

    Attributes:
        hours: Saved over the after window and the persistence assumed, with the range of the effect.
        grade: Whose: 'sergeant and below'.
        hourly: Pounds an hour, in the prices of the whole appraisal.
        value: Present value in pounds.
        source: Where the hourly cost comes from.
        confidence: How far that source was seen.
    """

    hours: Interval
    grade: str
    hourly: float
    value: Interval
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CostBenefit:
    """Whether it was worth it, at the level of the effect and never above.

    Attributes:
        price_year: Whose prices every amount is in: '2024-25'.
        base_year: The financial year nothing is discounted in (year 0).
        edition: Which unit costs: 'home-office-2019-20'.
        range_share: Share of the draws inside every range: 0.95.
        draws: How many were drawn.
        seed: Of the draws.
        months: Length of the after window as used, in months; where areas started at different times, the
            mean of what each had of it.
        persistence_months: Months the effect is taken to go on beyond it.
        costs: Every declared cost.
        benefits: One line a costed offence; empty where only hours are valued.
        cost: Present value of all costs. Low and high None: declared costs have no range.
        cost_cash: Of which money paid out.
        cost_opportunity: Of which time and things that had another use.
        cost_by_kind: Set-up and running.
        cost_by_payer: Payer, then present value.
        cost_by_year: Financial year, then present value.
        benefit: Present value of all benefits.
        benefit_by_perspective: Perspective, then present value (central).
        benefit_by_beneficiary: Who gains, then present value (central).
        cashable: Of the fiscal benefit, what can be taken out of a budget.
        capacity_released: The rest of the fiscal benefit: time that can be used otherwise.
        net: Benefit less cost (net present social value).
        ratio: Benefit over all costs, cash and opportunity.
        probability_above_one: Share of draws in which the ratio is above 1: 'if the estimate is unbiased'.
        probability_why_missing: Why there is none (level below 3, or no interval).
        why_missing: Why benefit, net and ratio are missing, where they are.
        range_why_missing: Why they have no range, where they have none.
        cost_per_incident: Pounds for each recorded incident prevented within the period appraised.
        cost_per_incident_why_missing: Why that is missing, or has no range.
        payback_months: Months from the start of the after window until benefits as they come cover all costs.
        payback_why_missing: Why there is none.
        break_even_incidents: Recorded incidents a year to be prevented for a ratio of exactly 1.
        break_even_why_missing: Why there is none.
        prevented_a_year: Recorded incidents prevented a year, the buffer's counted in, before
            additionality: what to hold beside it.
        prevented_includes_zero: True where the effect's interval includes none; None without interval.
        not_valued: Offences without a unit cost.
        not_valued_share: Their share of all incidents counted, 0 to 1; None where not known.
        anticipation_included: True where the costs of anticipating crime are counted: asked for, or in unit
            costs that are printed whole.
        harm: Beside the pounds; None where the offences have no weights or are not known.
        hours: Officer hours; None where the protocol declares none.
        tornado: Inputs by what they do to the ratio, the largest first.
        chain: Every assumption from incidents to ratio, in order.
        level: That of the effect.
        findings: The rules on economics, every one asked.
    """

    price_year: str
    base_year: str
    edition: str
    range_share: float
    draws: int
    seed: int
    months: float
    persistence_months: float
    costs: tuple[CostLine, ...]
    benefits: tuple[BenefitLine, ...]
    cost: Interval
    cost_cash: float
    cost_opportunity: float
    cost_by_kind: Mapping[CostKind, float]
    cost_by_payer: Mapping[Payer, float]
    cost_by_year: Mapping[str, float]
    benefit: Interval
    benefit_by_perspective: Mapping[Perspective, float]
    benefit_by_beneficiary: Mapping[Beneficiary, float]
    cashable: float | None
    capacity_released: float | None
    net: Interval
    ratio: Interval
    probability_above_one: float | None
    probability_why_missing: str | None
    why_missing: str | None
    range_why_missing: str | None
    cost_per_incident: Interval
    cost_per_incident_why_missing: str | None
    payback_months: float | None
    payback_why_missing: str | None
    break_even_incidents: float | None
    break_even_why_missing: str | None
    prevented_a_year: Interval
    prevented_includes_zero: bool | None
    not_valued: tuple[NotValued, ...]
    not_valued_share: float | None
    anticipation_included: bool
    harm: HarmValue | None
    hours: OfficerHours | None
    tornado: tuple[TornadoEntry, ...]
    chain: tuple[Assumption, ...]
    level: int
    findings: tuple[Finding, ...] = field(default=())

    @property
    def caveats(self) -> tuple[Finding, ...]:
        """Findings that raise a doubt, in the order asked."""
        return tuple(finding for finding in self.findings if finding.kind != "clear")
