"""The declared design: TOML in, a frozen Protocol out, or every problem with it at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, PrivateAttr, Tag, ValidationError

from whatworks_eval.contradictions import contradictions
from whatworks_eval.errors import ProtocolError
from whatworks_eval.periods import PeriodKind
from whatworks_eval.protocol_problems import explain
from whatworks_eval.toml_file import read_toml

Method = Literal["before-after", "relative-effect"]
SourceName = Literal["police-uk", "counts", "totals", "published-changes", "dataset"]
Assignment = Literal["random", "phased", "need", "volunteer", "cutoff"]


class _Section(BaseModel):
    """A table of the protocol: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _form(value: Any) -> str:
    """Which way a key that can be written in several ways is written here: 'table', 'codes' or 'word'."""
    if isinstance(value, Mapping | BaseModel):
        return "table"
    return "codes" if isinstance(value, list | tuple) else "word"


_Form = Discriminator(_form)


class Intervention(_Section):
    """What was done, from when, and how the places were chosen."""

    name: str = Field(min_length=1, description="What the project is called.")
    start: str = Field(description="First period with the project running, e.g. '2019-01'.")
    assignment: Assignment = Field(
        description="How the treated areas came to be treated: by lot (random), in steps (phased), because "
        "they needed it (need), because they asked (volunteer), or by a rule with a threshold (cutoff)."
    )


class TotalsTable(_Section):
    """The four (or six) numbers of a 2 × 2 table."""

    treated: tuple[float, float] = Field(description="Incidents before and after, treated areas.")
    comparison: tuple[float, float] | None = Field(None, description="The same, comparison areas.")
    buffer: tuple[float, float] | None = Field(None, description="The same, buffer areas.")
    periods: tuple[float, float] = Field((1.0, 1.0), description="How many periods each window holds.")
    dispersion: float = Field(4.0, ge=1.0, description="Assumed variance of a count over its mean.")
    treated_units: int | None = Field(None, ge=1, description="Neighbourhoods behind the treated totals.")
    comparison_units: int | None = Field(None, ge=1, description="The same for the comparison.")


class ChangesTable(_Section):
    """Published percentage changes; the counts behind them are not known."""

    treated: float = Field(gt=-100, description="Change in percent, treated areas; a fall is negative.")
    comparison: float | None = Field(None, gt=-100, description="The same, comparison areas.")
    decimals: int = Field(0, ge=0, le=6, description="Decimal places the changes were published to.")


class Outcome(_Section):
    """What is counted and where it comes from."""

    source: SourceName = Field(description="What sort of data the counts come in.")
    path: str | None = Field(None, description="File, folder or zip; relative to the protocol.")
    dataset: str | None = Field(None, description="Name of a shipped dataset (`whatworks list`).")
    offences: tuple[str, ...] | None = Field(
        None, min_length=1, description="Offences counted, as the data name them; absent = all."
    )
    kind: Literal["count"] = Field("count", description="What the outcome is.")
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
    totals: TotalsTable | None = Field(None, description="totals: the numbers themselves.")
    changes: ChangesTable | None = Field(None, description="published-changes: the numbers themselves.")


class Windows(_Section):
    """The periods compared."""

    before: tuple[str, str] = Field(description="First and last period, both included.")
    after: tuple[str, str] = Field(description="First and last period, both included.")
    match_missing: bool = Field(
        True,
        description="Drop a missing period's counterpart in the other window too, where both windows hold "
        "the same calendar periods equally often.",
    )


class AreaFile(_Section):
    """Areas listed in a file."""

    file: str = Field(description="CSV file; relative to the protocol.")
    column: str = Field("area", description="Column with the area code.")
    unit: str | None = Field(None, description="Column with the unit each area belongs to.")


class UnitLookup(_Section):
    """A table from area to unit (ward, beat, neighbourhood)."""

    file: str = Field(description="CSV file; relative to the protocol.")
    code: str = Field(description="Column with the area code.")
    unit: str = Field(description="Column with the unit.")


class Buffer(_Section):
    """Areas near the treated ones, left out of the comparison."""

    within_m: float | None = Field(None, gt=0, description="Metres between centroids.")
    adjacent_to: Literal["treated"] | None = Field(None, description="Areas that adjoin a treated one.")


Codes = Annotated[tuple[str, ...], Field(min_length=1)]
_Codes = Annotated[Codes, Tag("codes")]
_AreaFile = Annotated[AreaFile, Tag("table")]


class Areas(_Section):
    """Who is treated and who they are compared with."""

    treated: Annotated[_Codes | _AreaFile, _Form] = Field(
        description="Area codes, or a file that lists them (and, with `unit`, the neighbourhood of each)."
    )
    comparison: (
        Annotated[Annotated[Literal["rest", "matched"], Tag("word")] | _Codes | _AreaFile, _Form] | None
    ) = Field(
        None,
        description="Every other area in the data (rest), areas of like level before (matched), codes, or "
        "a file. Absent = no comparison; method before-after only.",
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


class Covariate(_Section):
    """Something known of each area: residents, deprivation."""

    path: str = Field(description="File; relative to the protocol.")
    column: str | None = Field(None, description="Column with the value; absent = recognised layouts.")
    code: str | None = Field(None, description="Column with the area code; absent = recognised.")
    edition: int | None = Field(None, description="Indices of Deprivation: 2015, 2019 or 2025.")
    as_: Literal["score", "rank", "decile", "value"] = Field(
        "value", alias="as", description="What the column holds."
    )
    lookup: str | None = Field(
        None, description="Exact-fit lookup between LSOA 2011 and 2021, where the vintages differ."
    )


class Matching(_Section):
    """How `areas.comparison = "matched"` chooses."""

    on: tuple[Literal["before_level"], ...] = Field(
        ("before_level",), min_length=1, description="What the areas are matched on."
    )
    per_treated: int = Field(3, ge=1, le=50, description="Comparison areas for each treated area.")


class RecordingChange(_Section):
    """A change in how incidents are recorded that the data cannot show."""

    what: str = Field(description="What changed.")
    start: str = Field(description="First period under the new practice.")
    arm: Literal["treated", "comparison", "both"] = Field(description="Where it changed.")


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
    ] = Field(description="What it bears on.")
    says: str = Field(min_length=1, description="The weakness, in a sentence.")
    source: str = Field(min_length=1, description="The publication, with the page if there is one.")


class Context(_Section):
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
    analysed_as_assigned: bool | None = Field(
        None, description="Whether every unit is analysed in the arm it was assigned to."
    )
    weaknesses: tuple[Weakness, ...] = Field(
        (), description="What the publication being re-examined says of its own weaknesses."
    )


class Protocol(_Section):
    """A declared design. Build one with `load_protocol` or `protocol_from_dict`."""

    schema_: Literal[1] = Field(alias="schema", description="Version of this format.")
    id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        max_length=80,
        description="Short name: small letters, digits and hyphens.",
    )
    question: str = Field(min_length=1, description="The question, as a sentence.")
    registered: date | None = Field(
        None, description="Day the analysis was written down; absent = it was not written down beforehand."
    )
    method: Method = Field(description="How the effect is estimated.")
    confidence: float = Field(0.95, ge=0.5, lt=1.0, description="Confidence of every interval.")
    seed: int = Field(1, ge=0, description="Seed of every random draw.")
    period: PeriodKind = Field("month", description="What a period is (police-uk: month only).")
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


_SECTIONS: dict[str, type[_Section]] = {
    "intervention": Intervention,
    "outcome": Outcome,
    "windows": Windows,
    "areas": Areas,
    "matching": Matching,
    "context": Context,
}


def load_protocol(path: str | Path) -> Protocol:
    """The design declared in a TOML file; ProtocolError with every problem where there are any.

    Example:
        >>> load_protocol("nowhere.toml")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        whatworks_eval.errors.ProtocolError: - nowhere.toml: there is no such file; ...
    """
    path = Path(path)
    return _parse(read_toml(path), base=path.parent, file=str(path))


def protocol_from_dict(mapping: Mapping[str, Any], base: str | Path | None = None) -> Protocol:
    """The design held in a mapping shaped like the TOML; ProtocolError with every problem.

    Args:
        mapping: Sections and keys as in TOML.
        base: Folder that paths in it are relative to; None = the current folder.

    Example:
        >>> totals = {"treated": [398, 190], "comparison": [148, 97]}
        >>> protocol = protocol_from_dict({
        ...     "schema": 1, "id": "lighting", "question": "Did it fall?", "method": "relative-effect",
        ...     "intervention": {"name": "Street lighting", "start": "2019-01", "assignment": "need"},
        ...     "outcome": {"source": "totals", "totals": totals},
        ... })
        >>> protocol.outcome.totals.treated
        (398.0, 190.0)
    """
    if not isinstance(mapping, Mapping):
        raise ProtocolError(f"a protocol is a mapping of sections, not {type(mapping).__name__}")
    return _parse(mapping, base=Path() if base is None else Path(base), file=None)


def _parse(mapping: Mapping[str, Any], *, base: Path, file: str | None) -> Protocol:
    plain = _plain(mapping)
    problems: list[str] = []
    protocol: Protocol | None = None
    try:
        # Strict: TOML has types, and a number in quotes is more often a slip than a wish.
        protocol = Protocol.model_validate(plain, strict=True)
    except ValidationError as error:
        problems += explain(error.errors(include_url=False), Protocol)
    # Contradictions are looked for in every section that can be read, so that mending a misspelt key
    # does not bring up the next complaint.
    problems += contradictions(_readable(plain), given=plain)
    if problems or protocol is None:
        raise ProtocolError(f"{file}: {problem}" if file else problem for problem in problems)
    protocol._base = base
    return protocol


def _plain(value: Any) -> Any:
    """The same with tuples for lists, text for paths, and a date where `registered` is ISO text."""
    if isinstance(value, Mapping):
        plain = {str(key): _plain(item) for key, item in value.items()}
        if isinstance(registered := plain.get("registered"), str):
            with suppress(ValueError):  # the model then says what is wrong with it
                plain["registered"] = date.fromisoformat(registered)
        return plain
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return str(value) if isinstance(value, Path) else value


def _readable(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Each section with defaults filled in, less the keys that are wrong by themselves."""
    readable = {key: plain[key] for key in ("method", "period") if isinstance(plain.get(key), str)}
    for name, section in _SECTIONS.items():
        given = plain.get(name)
        if not isinstance(given, Mapping):
            continue
        try:
            readable[name] = section.model_validate(given, strict=True).model_dump(by_alias=True)
        except ValidationError as error:
            wrong = {problem["loc"][0] for problem in error.errors()}
            readable[name] = {
                field.alias or key: None if field.is_required() else field.get_default()
                for key, field in section.model_fields.items()
            } | {key: value for key, value in given.items() if key not in wrong}
    return readable
