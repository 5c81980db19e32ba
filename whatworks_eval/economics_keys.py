"""Keys of [economics]: what a project cost, and how incidents prevented are turned into pounds or hours."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from whatworks_eval.survey_keys import Section

CostKind = Literal["set-up", "running"]
Payer = Literal[
    "police", "other criminal justice", "health", "local authority", "central government", "other"
]
Perspective = Literal["fiscal", "economic", "social", "economic and social"]
Beneficiary = Literal[
    "victims",
    "businesses",
    "police",
    "other criminal justice",
    "police and other criminal justice",
    "health",
    "local authority",
    "public",
    "not split",
]
Edition = Literal["home-office-2019-20", "home-office-2018", "police-2022-23"]
Grade = Literal["sergeant and below", "inspector and above", "PCSO"]

NOT_VALUED = "not valued"
"""Written among the shares of a category for the part no unit cost stands for."""

_YEAR = r"^\d{4}-\d{2}$"


class Cost(Section):
    """One thing the project cost."""

    item: str = Field(min_length=1, description="What was bought, or whose time it was.")
    gbp: float = Field(ge=0, allow_inf_nan=False, description="Pounds, in the prices of `year`.")
    year: str = Field(pattern=_YEAR, description="Financial year it fell in, as '2019-20'.")
    price_year: str | None = Field(
        None, pattern=_YEAR, description="Whose prices `gbp` is in, where not those of `year`."
    )
    kind: CostKind = Field(description="Once at the beginning (set-up), or for as long as it runs (running).")
    payer: Payer = Field(description="Who bears it.")
    cash: bool = Field(
        description="true where money was paid out; false for time or things that had another use."
    )


class Override(Section):
    """A local value for one offence, in the place of the shipped one or where there is none."""

    offence: str = Field(min_length=1, description="The offence or category it is for.")
    gbp: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="Pounds a crime; absent = as shipped."
    )
    price_year: str | None = Field(None, pattern=_YEAR, description="Whose prices; needed with `gbp`.")
    low: float | None = Field(None, ge=0, allow_inf_nan=False, description="The lowest it could be.")
    high: float | None = Field(None, ge=0, allow_inf_nan=False, description="The highest.")
    per: Literal["actual", "recorded"] = Field(
        "recorded",
        description="Whether `gbp` is for a crime that happens, which takes a multiplier, or for one "
        "recorded.",
    )
    perspective: Perspective = Field("economic and social", description="What `gbp` is a gain to.")
    beneficiary: Beneficiary = Field("not split", description="Who gains it.")
    multiplier: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Actual crimes a recorded one, where `gbp` is for an actual one; absent = as shipped.",
    )
    multiplier_low: float | None = Field(None, gt=0, allow_inf_nan=False, description="The lowest.")
    multiplier_high: float | None = Field(None, gt=0, allow_inf_nan=False, description="The highest.")
    source: str = Field(min_length=1, description="Where the value comes from.")


class Hours(Section):
    """Staff hours saved, where that is what the outcome counts or stands for."""

    per_incident: float = Field(
        1.0,
        gt=0,
        allow_inf_nan=False,
        description="Hours that one unit of the outcome stands for; 1 where the outcome counts hours.",
    )
    grade: Grade = Field("sergeant and below", description="Whose hours.")
    gbp: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Pounds an hour; absent = as shipped, 2013-14 prices."
    )
    price_year: str | None = Field(None, pattern=_YEAR, description="Whose prices; needed with `gbp`.")
    low: float | None = Field(None, ge=0, allow_inf_nan=False, description="The lowest it could be.")
    high: float | None = Field(None, ge=0, allow_inf_nan=False, description="The highest.")
    source: str | None = Field(None, min_length=1, description="Where `gbp` comes from; needed with it.")


class Additionality(Section):
    """Shares of the effect that are not a gain, as declared; a share that the design measured is refused."""

    deadweight_percent: float = Field(
        0.0, ge=0, le=100, description="Would have happened anyway; only where there is no comparison."
    )
    displacement_percent: float = Field(
        0.0, ge=0, le=100, description="Moved elsewhere; only where no buffer measures it."
    )
    leakage_percent: float = Field(
        0.0, ge=0, le=100, description="Gained by others than intended; only where no buffer measures it."
    )
    substitution_percent: float = Field(0.0, ge=0, le=100, description="In the place of other good work.")
    source: str = Field(min_length=1, description="Where the shares come from.")


class Economics(Section):
    """Whether it was worth it."""

    price_year: str = Field(
        "2024-25", pattern=_YEAR, description="The financial year in whose prices everything is said."
    )
    unit_costs: Edition = Field("home-office-2019-20", description="Which unit costs of crime.")
    anticipation: bool = Field(
        False,
        description="Count the costs of anticipating crime too; a local project seldom changes them.",
    )
    persistence_months: float = Field(
        0.0, ge=0, le=600, description="Months the effect goes on at the same rate after the after window."
    )
    persistence_range: tuple[float, float] | None = Field(
        None, description="The fewest and the most months it could; absent = held fixed."
    )
    months: float | None = Field(
        None, gt=0, le=600, description="Length of the after window, where [windows] does not give it."
    )
    mix: dict[str, float] = Field(
        default_factory=dict,
        description="Category, then its share of the incidents prevented; adds up to 1. Needed where the "
        "outcome counts several categories together.",
    )
    shares: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="Category, then costed offence, then its share; adds up to 1, with 'not valued' for the "
        "rest. Needed for a category that is a mixture, such as violence and sexual offences.",
    )
    shares_file: str | None = Field(
        None, description="CSV file with columns category, offence, share, in the place of `shares`."
    )
    unit_cost_range_percent: float | None = Field(
        None, gt=0, le=100, description="How far shipped unit costs could be out, together; absent = fixed."
    )
    cashable_percent: float = Field(
        0.0, ge=0, le=100, description="Share of the fiscal benefit that will be taken out of a budget."
    )
    optimism_bias_costs_percent: float = Field(
        0.0, ge=0, le=200, description="Added to every cost; for planned costs, not for those paid."
    )
    optimism_bias_benefits_percent: float = Field(
        0.0, ge=0, le=100, description="Taken off every benefit, never off a loss."
    )
    count_buffer: bool = Field(
        True, description="Where a buffer was measured, add its own effect, whichever way it points."
    )
    additionality: Additionality | None = Field(None, description="Absent = nothing taken off.")
    overrides: tuple[Override, ...] = Field((), description="Local values, one table an offence.")
    hours: Hours | None = Field(None, description="The outcome is staff hours; no unit costs of crime then.")
    draws: int = Field(10_000, ge=1_000, le=200_000, description="Draws behind every range.")
    costs: tuple[Cost, ...] = Field(min_length=1, description="What the project cost, one table an item.")
