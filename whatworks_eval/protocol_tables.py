"""The tables of a protocol, one model each: what may be written under [intervention], [outcome] and so on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag

from whatworks_eval.survey_keys import DoubtKeys, Section, SurveyKeys

SourceName = Literal["police-uk", "counts", "survey", "totals", "published-changes", "dataset"]
Domain = Literal["income", "employment", "education", "health", "crime", "barriers", "living"]
Assignment = Literal["random", "phased", "need", "volunteer", "cutoff"]


def _form(value: Any) -> str:
    """Which way a key that can be written in several ways is written here: 'table', 'codes' or 'word'."""
    if isinstance(value, Mapping | BaseModel):
        return "table"
    return "codes" if isinstance(value, list | tuple) else "word"


_Form = Discriminator(_form)


class Intervention(Section):
    """What was done, from when, and how the places were chosen."""

    name: str = Field(min_length=1, description="What the project is called.")
    start: str = Field(description="First period with the project running, e.g. '2019-01'.")
    assignment: Assignment = Field(
        description="How the treated areas came to be treated: by lot (random), in steps (phased), because "
        "they needed it (need), because they asked (volunteer), or by a rule with a threshold (cutoff)."
    )


class AreaWeights(Section):
    """How large the areas of each arm are, in any unit all arms share."""

    treated: float = Field(1.0, gt=0, description="Treated areas (number of areas, street segments, homes).")
    comparison: float = Field(1.0, gt=0, description="The same, comparison areas.")
    buffer: float = Field(1.0, gt=0, description="The same, buffer areas.")
    buffer_comparison: float = Field(1.0, gt=0, description="The same, areas the buffer is compared with.")


class TotalsTable(Section):
    """The four (or six, or eight) numbers of a 2 × 2 table."""

    treated: tuple[float, float] = Field(description="Incidents before and after, treated areas.")
    comparison: tuple[float, float] | None = Field(None, description="The same, comparison areas.")
    buffer: tuple[float, float] | None = Field(None, description="The same, buffer areas.")
    buffer_comparison: tuple[float, float] | None = Field(
        None, description="The same, areas the buffer is compared with; absent = the comparison areas."
    )
    area_weights: AreaWeights | None = Field(
        None, description="What the weighted displacement difference divides by; absent = all alike."
    )
    add_half: bool = Field(
        False, description="Add 0.5 to each of the four counts where one of them is zero; the report says so."
    )
    periods: tuple[float, float] = Field((1.0, 1.0), description="How many periods each window holds.")
    dispersion: float = Field(4.0, ge=1.0, description="Assumed variance of a count over its mean.")
    treated_units: int | None = Field(None, ge=1, description="Neighbourhoods behind the treated totals.")
    comparison_units: int | None = Field(None, ge=1, description="The same for the comparison.")


class ChangesTable(Section):
    """Published percentage changes; the counts behind them are not known."""

    treated: float = Field(gt=-100, description="Change in percent, treated areas; a fall is negative.")
    comparison: float | None = Field(None, gt=-100, description="The same, comparison areas.")
    decimals: int = Field(0, ge=0, le=6, description="Decimal places the changes were published to.")
    unit: Literal["percent", "points", "not stated"] = Field(
        "percent",
        description="Whether the changes are percentages of the earlier value, or percentage points (62 % to "
        "65 % is 3 points and 4.8 percent); 'not stated' where the publication leaves it open.",
    )


class Outcome(SurveyKeys):
    """What is counted and where it comes from."""

    source: SourceName = Field(description="What sort of data the counts come in.")
    path: str | None = Field(None, description="File, folder or zip; relative to the protocol.")
    dataset: str | None = Field(None, description="Name of a shipped dataset (`whatworks list`).")
    offences: tuple[str, ...] | None = Field(
        None, min_length=1, description="Offences counted, as the data name them; absent = all."
    )
    kind: Literal["count", "rate", "proportion"] = Field(
        "count",
        description="Incidents, incidents by 1,000 residents (rate; method did), or a share of survey "
        "respondents; survey: always proportion.",
    )
    area: str = Field("area", description="counts: column with the area code.")
    date: str = Field("period", description="counts, long: column with the period.")
    count: str = Field("count", description="counts, long: column with the number of incidents.")
    offence: str | None = Field(None, description="counts: column with the offence, if any.")
    layout: Literal["long", "wide"] = Field(
        "long", description="counts: one row an area and period (long), or one column a period (wide)."
    )
    sheet: str | None = Field(None, description="counts: worksheet of an XLSX file; absent = first.")
    empty_periods: Literal["missing", "zero"] = Field(
        "missing", description="counts: what a period without any row means."
    )
    deduplicate: bool = Field(
        False, description="police-uk: count a Crime ID once. Never applies to rows without one."
    )
    untouched: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="police-uk, counts: offences the project should not have touched. The same estimate of "
        "them should find nothing (a placebo outcome).",
    )
    harm: Literal["CCHI 2026", "ONS CSS 2019"] | None = Field(
        None,
        description="police-uk: weigh the same effect by harm as well, with the category averages of this "
        "scheme; needs `offences`, each with a weight. Anti-social behaviour has none.",
    )
    totals: TotalsTable | None = Field(None, description="totals: the numbers themselves.")
    changes: ChangesTable | None = Field(None, description="published-changes: the numbers themselves.")


class Windows(Section):
    """The periods compared."""

    before: tuple[str, str] = Field(description="First and last period, both included.")
    after: tuple[str, str] = Field(description="First and last period, both included.")
    match_missing: bool = Field(
        True,
        description="Drop a missing period's counterpart in the other window too, where both windows hold "
        "the same calendar periods equally often.",
    )
    seasonal: bool | None = Field(
        None,
        description="interrupted-time-series: fit the time of year, which takes 24 before months. Absent = "
        "where there are that many and no comparison that shares the season.",
    )


class AreaFile(Section):
    """Areas listed in a file."""

    file: str = Field(description="CSV file; relative to the protocol.")
    column: str = Field("area", description="Column with the area code.")
    unit: str | None = Field(None, description="Column with the unit each area belongs to.")
    block: str | None = Field(
        None,
        description="Column with the block or pair the lot was drawn in; assignment random, both arms.",
    )
    start: str | None = Field(
        None,
        description="treated, method did: column with the period each area started in (staggered starts).",
    )


class UnitLookup(Section):
    """A table from area to unit (ward, beat, neighbourhood)."""

    file: str = Field(description="CSV file; relative to the protocol.")
    code: str = Field(description="Column with the area code.")
    unit: str = Field(description="Column with the unit.")


class Buffer(Section):
    """Areas near the treated ones, left out of the comparison."""

    within_m: float | None = Field(None, gt=0, description="Metres between centroids.")
    adjacent_to: Literal["treated"] | None = Field(None, description="Areas that adjoin a treated one.")


AtMostAll = Annotated[float, Field(ge=0, le=100)]
Codes = Annotated[tuple[str, ...], Field(min_length=1)]
_Codes = Annotated[Codes, Tag("codes")]
_AreaFile = Annotated[AreaFile, Tag("table")]


class Areas(Section):
    """Who is treated and who they are compared with."""

    treated: Annotated[_Codes | _AreaFile, _Form] = Field(
        description="Area codes, or a file that lists them (and, with `unit`, the neighbourhood of each)."
    )
    comparison: (
        Annotated[Annotated[Literal["rest", "matched"], Tag("word")] | _Codes | _AreaFile, _Form] | None
    ) = Field(
        None,
        description="Every other area in the data (rest), areas of like level before (matched), codes, or "
        "a file. Absent = no comparison; methods before-after and interrupted-time-series only.",
    )
    unit: (
        Annotated[
            Annotated[Literal["area", "contiguous"], Tag("word")] | Annotated[UnitLookup, Tag("table")],
            _Form,
        ]
        | None
    ) = Field(
        None,
        description="What was assigned: each area by itself (area), adjoining treated areas together "
        "(contiguous), or a lookup. Absent = the `unit` column of the treated file, or found from the map.",
    )
    buffer: Annotated[Annotated[Buffer, Tag("table")] | _Codes, _Form] | None = Field(
        None, description="Areas in neither arm: by distance, by adjacency, or codes. Absent = none."
    )
    home: str = Field(
        "auto", description="police-uk: the force's own areas: 'auto', 'all' or a file of area codes."
    )


class Average(Section):
    """Which LSOAs each area of the data is made of, and how many people live in each."""

    file: str = Field(description="Lookup from LSOA to your own areas; relative to the protocol.")
    area: str = Field(
        description="Column of the lookup with the area, as the counts name it: codes rather than names, "
        "which two districts may share."
    )
    code: str | None = Field(None, description="Column of the lookup with the LSOA; absent = recognised.")
    residents: str | None = Field(
        None,
        description="File with the residents of each LSOA; absent = the covariate's own (File 7 has them).",
    )
    residents_column: str | None = Field(
        None, description="Column with the residents; absent = recognised layouts."
    )
    residents_code: str | None = Field(
        None, description="Column with the LSOA, `residents` file; absent = recognised."
    )


class Covariate(Section):
    """Something known of each area: residents, deprivation."""

    path: str = Field(description="File; relative to the protocol.")
    column: str | None = Field(None, description="Column with the value; absent = recognised layouts.")
    code: str | None = Field(None, description="Column with the area code; absent = recognised.")
    edition: int | None = Field(None, description="Indices of Deprivation: 2015, 2019 or 2025.")
    as_: Literal["score", "rank", "decile", "value", "class"] = Field(
        "value",
        alias="as",
        description="What the column holds; class: names, such as districts, for `matching.exact`.",
    )
    without: tuple[Domain, ...] = Field(
        (),
        description="English index: put it together again without these of its seven domains (crime, where "
        "the outcome is crime); the file must hold domain ranks or transformed scores, as File 7 and 9 do.",
    )
    lookup: str | None = Field(
        None, description="Exact-fit lookup between LSOA 2011 and 2021, where the vintages differ."
    )
    average: Average | None = Field(
        None,
        description="Where the areas are wards or neighbourhoods made of LSOAs: each has the mean score of "
        "its LSOAs, weighted by population.",
    )


class Matching(Section):
    """How `areas.comparison = "matched"` chooses; nothing after the start is looked at."""

    on: tuple[str, ...] = Field(
        ("before_level",),
        min_length=1,
        description="What the areas are matched on: before_level, before_trend, residents, or names under "
        "[covariates].",
    )
    per_treated: int = Field(3, ge=1, le=50, description="Comparison areas for each treated area.")
    algorithm: Literal["nearest", "optimal", "cardinality", "entropy", "strata"] = Field(
        "nearest",
        description="nearest: each treated area's nearest. optimal: least distance in all, each comparison "
        "area used once. cardinality: the most treated areas that can be balanced. entropy: weights. strata: "
        "every area of the same `exact` stratum.",
    )
    distance: Literal["mahalanobis", "robust", "score", "propensity"] = Field(
        "mahalanobis",
        description="How far apart two areas are: over all features (robust: by ranks), one score alone, or "
        "a fitted propensity to be treated.",
    )
    replacement: bool | None = Field(
        None, description="nearest: whether a comparison area may serve several treated areas; absent = yes."
    )
    caliper: float | None = Field(
        None, gt=0, le=10, description="Furthest a match may be, in standard deviations; further = left out."
    )
    exact: tuple[str, ...] = Field(
        (),
        description="What matches must share exactly: force, or names under [covariates] (rural-urban "
        "class).",
    )
    tolerance: float | None = Field(
        None, gt=0, le=1, description="cardinality: largest standardised difference allowed in any feature."
    )
    outside_support: Literal["keep", "drop"] = Field(
        "keep",
        description="Treated areas with nothing like them: keep them and say so, or leave them out, which "
        "makes the effect that of the others.",
    )


class RecordingChange(Section):
    """A change in how incidents are recorded that the data cannot show."""

    what: str = Field(description="What changed.")
    start: str = Field(description="First period under the new practice.")
    arm: Literal["treated", "comparison", "both"] = Field(description="Where it changed.")


class Weakness(Section):
    """A weakness that the publication being re-examined states of itself."""

    threat: Literal[
        "chance",
        "history",
        "selection",
        "regression",
        "recording",
        "reporting",
        "displacement",
        "analysis",
        "implementation",
    ] = Field(description="What it bears on.")
    says: str = Field(min_length=1, description="The weakness, in a sentence.")
    source: str = Field(min_length=1, description="The publication, with the page if there is one.")


class Context(DoubtKeys):
    """What no data can show. Absent is not 'none': an empty list or text says 'none'."""

    recording_changes: tuple[RecordingChange, ...] | None = Field(
        None, description="Changes of recording practice; [] = none known."
    )
    reporting_change_expected: Literal["up", "down", "none"] | None = Field(
        None, description="Whether the project itself changes how much people report."
    )
    other_programmes: tuple[str, ...] | None = Field(
        None, description="What else was done in these places and periods; [] = none known."
    )
    comparability: str = Field(
        "",
        description="Why the comparison areas are like the treated; reaches level 3 at most.",
    )
    comparison_touched: str | None = Field(
        None, description="How the project reached the comparison areas; '' = it did not."
    )
    evaluator: Literal["independent", "funder", "provider"] | None = Field(
        None, description="Who did the evaluation."
    )
    delivery: str | None = Field(None, description="Dose, who, how much of it happened.")
    attrition_percent: float | None = Field(
        None, ge=0, le=100, description="Share of assigned units that dropped out, in percent."
    )
    attrition_by_arm: tuple[AtMostAll, AtMostAll] | None = Field(
        None, description="The same in the treated and in the comparison arm, in percent of each."
    )
    analysed_as_assigned: bool | None = Field(
        None, description="Whether every unit is analysed in the arm it was assigned to."
    )
    weaknesses: tuple[Weakness, ...] = Field(
        (), description="What the publication being re-examined says of its own weaknesses."
    )
