"""The declared design: TOML in, a frozen Protocol out, or every problem with it at once."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from whatworks_eval.periods import PeriodKind, first_day

Method = Literal["before-after", "relative-effect"]
SourceName = Literal["police-uk", "counts", "totals", "published-changes", "dataset"]
Assignment = Literal["random", "phased", "need", "volunteer", "cutoff"]


class _Section(BaseModel):
    """A table of the protocol: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, strict=False)


class Intervention(_Section):
    """What was done, from when, and how the places were chosen."""

    name: str = Field(min_length=1, description="What the project is called.")
    start: str = Field(description="First period with the project running, e.g. '2019-01'.")
    assignment: Assignment = Field(description="How the treated areas came to be treated.")


class TotalsTable(_Section):
    """The four (or six) numbers of a 2 × 2 table."""

    treated: tuple[float, float] = Field(description="Incidents before and after, treated areas.")
    comparison: tuple[float, float] | None = Field(None, description="The same, comparison areas.")
    buffer: tuple[float, float] | None = Field(None, description="The same, buffer areas.")
    periods: tuple[float, float] = Field((1.0, 1.0), description="Periods in each window.")
    dispersion: float = Field(4.0, ge=1.0, description="Assumed variance of a count over its mean.")
    treated_units: int | None = Field(None, ge=1, description="Neighbourhoods behind the totals.")
    comparison_units: int | None = Field(None, ge=1, description="The same for the comparison.")


class ChangesTable(_Section):
    """Published percentage changes; the counts behind them are not known."""

    treated: float = Field(gt=-100, description="Change in percent; a fall is negative.")
    comparison: float | None = Field(None, gt=-100, description="The same, comparison areas.")
    decimals: int = Field(0, ge=0, le=6, description="Decimal places as published.")


class Outcome(_Section):
    """What is counted and where it comes from."""

    source: SourceName
    path: str | None = Field(None, description="File, folder or zip; relative to the protocol.")
    dataset: str | None = Field(None, description="Name of a shipped dataset.")
    offences: tuple[str, ...] | None = Field(None, description="Absent = all.")
    kind: Literal["count"] = "count"
    area: str = Field("area", description="counts: column with the area code.")
    date: str = Field("period", description="counts: column with the period.")
    count: str = Field("count", description="counts: column with the number of incidents.")
    offence: str | None = Field(None, description="counts: column with the offence, if any.")
    layout: Literal["long", "wide"] = Field("long", description="counts: one row a period, or one column.")
    sheet: str | None = Field(None, description="counts: worksheet of an XLSX file; absent = first.")
    empty_periods: Literal["missing", "zero"] = Field(
        "missing", description="counts: what a period without any row means."
    )
    deduplicate: bool = Field(
        False, description="police-uk: count a Crime ID once. Never applies to rows without one."
    )
    totals: TotalsTable | None = None
    changes: ChangesTable | None = None


class Windows(_Section):
    """The months compared."""

    before: tuple[str, str] = Field(description="First and last period, both included.")
    after: tuple[str, str] = Field(description="First and last period, both included.")
    match_missing: bool = Field(
        True, description="Drop a missing period's counterpart in the other window too."
    )


class AreaFile(_Section):
    """Areas listed in a file."""

    file: str
    column: str = Field("area", description="Column with the area code.")
    unit: str | None = Field(None, description="Column with the unit each area belongs to.")


class UnitLookup(_Section):
    """A table from area to unit (ward, beat, neighbourhood)."""

    file: str
    code: str = Field(description="Column with the area code.")
    unit: str = Field(description="Column with the unit.")


class Buffer(_Section):
    """Areas near the treated ones, left out of the comparison."""

    within_m: float | None = Field(None, gt=0, description="Metres between centroids.")
    adjacent_to: Literal["treated"] | None = None


Codes = Annotated[tuple[str, ...], Field(min_length=1)]


class Areas(_Section):
    """Who is treated and who they are compared with."""

    treated: Codes | AreaFile
    comparison: Literal["rest", "matched"] | Codes | AreaFile | None = None
    unit: Literal["area", "contiguous"] | UnitLookup | None = None
    buffer: Buffer | Codes | None = None
    home: str = Field("auto", description="police-uk: 'auto', 'all' or a file of area codes.")


class Covariate(_Section):
    """Something known of each area: residents, deprivation."""

    path: str
    column: str | None = Field(None, description="Column with the value; absent = recognised layouts.")
    code: str | None = Field(None, description="Column with the area code; absent = recognised.")
    edition: int | None = Field(None, description="Indices of Deprivation: 2015, 2019 or 2025.")
    as_: Literal["score", "rank", "decile", "value"] = Field("value", alias="as")
    lookup: str | None = Field(
        None, description="Exact-fit lookup between LSOA 2011 and 2021, where the vintages differ."
    )


class Matching(_Section):
    """How `comparison = "matched"` chooses."""

    on: tuple[Literal["before_level"], ...] = ("before_level",)
    per_treated: int = Field(3, ge=1, le=50, description="Comparison areas for each treated area.")


class RecordingChange(_Section):
    """A change in how incidents are recorded that the data cannot show."""

    what: str
    start: str = Field(description="First period under the new practice.")
    arm: Literal["treated", "comparison", "both"]


class Weakness(_Section):
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
    ]
    says: str
    source: str


class Context(_Section):
    """What no data can show. Absent is not 'none': an empty list or text says 'none'."""

    recording_changes: tuple[RecordingChange, ...] | None = None
    reporting_change_expected: Literal["up", "down", "none"] | None = None
    other_programmes: tuple[str, ...] | None = None
    comparability: str = Field("", description="Why the comparison areas are like the treated.")
    comparison_touched: str | None = Field(
        None, description="How the project reached the comparison areas; '' = it did not."
    )
    evaluator: Literal["independent", "funder", "provider"] | None = None
    delivery: str | None = Field(None, description="Dose, who, how much of it happened.")
    attrition_percent: float | None = Field(None, ge=0, le=100)
    analysed_as_assigned: bool | None = None
    weaknesses: tuple[Weakness, ...] = ()


class Protocol(_Section):
    """A declared design. Build one with `load_protocol` or `protocol_from_dict`."""

    schema_: Literal[1] = Field(alias="schema")
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)
    question: str = Field(min_length=1)
    registered: date | None = Field(None, description="When the analysis was written down.")
    method: Method
    confidence: float = Field(0.95, ge=0.5, lt=1.0)
    seed: int = Field(1, ge=0)
    period: PeriodKind = "month"
    intervention: Intervention
    outcome: Outcome
    windows: Windows | None = None
    areas: Areas | None = None
    covariates: dict[str, Covariate] = Field(default_factory=dict)
    matching: Matching = Matching()
    context: Context = Context()

    _base: Path = PrivateAttr(default=Path())

    @property
    def base(self) -> Path:
        """Folder that paths in the protocol are relative to. Not part of the protocol's hash."""
        return self._base

    @property
    def sha256(self) -> str:
        """Hash of the canonical JSON with defaults filled in: the same design, the same hash."""
        canonical = json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The protocol as plain JSON values, with the names used in TOML."""
        return self.model_dump(mode="json", by_alias=True)
