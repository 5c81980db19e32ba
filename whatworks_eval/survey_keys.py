"""Keys of a protocol that surveys brought: how answers are read, who was asked, what else was tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

DESIGN_EFFECT = 2.0
"""Variance of a survey share over that of a simple random sample, where the protocol does not say.

Measured on ../shared/data: the 95 % intervals that ONS publishes for 41 police force areas (CSEW, year ending
September 2022) imply a median of 1.7 to 2.3 over ten questions on the police, against their unweighted bases.
"""


class Section(BaseModel):
    """A table of the protocol: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class SurveyKeys(Section):
    """The keys of [outcome] that source 'survey' takes."""

    measure: str | None = Field(
        None, description="survey: the question, in the words of the file or enough of them to tell it."
    )
    subgroup: str | None = Field(
        None, description="survey: the group of respondents, where the file gives several; absent = all."
    )
    percent: str | None = Field(None, description="survey, long: column with a percentage, 0 to 100.")
    proportion: str | None = Field(None, description="survey, long: column with a proportion, 0 to 1.")
    base: str | None = Field(
        None, description="survey, long: column with the number of respondents; absent = 'base', if any."
    )
    design_effect: float | None = Field(
        None,
        ge=1.0,
        le=20.0,
        description="survey: variance over that of a simple random sample of the same size; absent = 2.",
    )
    rolling_months: int | None = Field(
        None,
        ge=1,
        le=120,
        description="survey: months of fieldwork behind each value, ending with its period; absent = as the "
        "layout says (12 for CSEW and MOPAC), otherwise not known.",
    )
    periods: dict[str, str] = Field(
        default_factory=dict,
        description="survey: file name, then the period in which its fieldwork ended, for files that do not "
        "say; with a folder as `path`, the files to read.",
    )

    @model_validator(mode="before")
    @classmethod
    def _a_survey_gives_proportions(cls, given: Any) -> Any:
        """What a survey gives is always a share of respondents."""
        if isinstance(given, Mapping) and given.get("source") == "survey":
            return {"kind": "proportion", **given}
        return given


class Subgroup(Section):
    """The part of the people or places that the outcome was looked at in."""

    what: str = Field(min_length=1, description="Which: '16 to 24 year olds'.")
    chosen: Literal["beforehand", "afterwards", "not stated"] = Field(
        "not stated", description="Whether it was chosen before the results were seen."
    )
    of: int | None = Field(None, ge=1, description="How many such groups were looked at, this one included.")


class OtherOutcome(Section):
    """Another outcome that was tested in the same evaluation."""

    name: str = Field(min_length=1, description="What it is.")
    p_value: float | None = Field(None, ge=0, le=1, description="Its p-value; absent = not published.")


Rate = Annotated[float, Field(ge=0.01, le=100)]


class RecordingRates(Section):
    """Shares of what is reported that the police record, in percent."""

    treated: tuple[Rate, Rate] = Field(description="Before and after, treated areas; percent.")
    comparison: tuple[Rate, Rate] = Field(description="Before and after, comparison areas; percent.")
    source: str = Field(min_length=1, description="Where the rates come from.")


class DoubtKeys(Section):
    """Keys of [context] on what else was looked at, and how recording may have moved."""

    subgroup: Subgroup | None = Field(
        None, description="The group looked at, where it is not everybody; absent = everybody."
    )
    outcomes: tuple[OtherOutcome, ...] | None = Field(
        None, description="Every other outcome that was tested; [] = none."
    )
    outcomes_tested: int | None = Field(
        None, ge=1, description="How many outcomes were tested in all, this one included."
    )
    recording_rates: tuple[RecordingRates, ...] = Field(
        (), description="Recording rates to try, for how far the answer rests on recording."
    )
