"""Keys of a protocol that difference-in-differences brought: model, comparison, adjustment, dose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from whatworks_eval.survey_keys import Section

Model = Literal["poisson", "linear"]


class AreaSeries(Section):
    """A number for each area and period that changes over time: officer hours, temperature, footfall."""

    path: str = Field(
        description="CSV, Parquet or XLSX file, one row an area and period; relative to the protocol."
    )
    area: str = Field("area", description="Column with the area code.")
    period: str = Field("period", description="Column with the period.")
    value: str = Field("value", description="Column with the number.")


class Did(Section):
    """How `method = "did"` estimates; each key has a default that suits most designs."""

    model: Model | None = Field(
        None,
        description="Ratios of counts (poisson) or differences of means (linear). Absent = poisson for "
        "counts, linear for rates.",
    )
    anticipation: int = Field(
        0,
        ge=0,
        le=24,
        description="Periods just before the start that the project may already have touched; left out.",
    )
    stretch: int | None = Field(
        None,
        ge=1,
        le=24,
        description="Periods in each stretch of the event study. Absent = a quarter of the before window.",
    )
    series: dict[str, AreaSeries] = Field(
        default_factory=dict, description="Numbers by area and period, by name."
    )
    adjust_for: tuple[str, ...] = Field(
        (),
        description="Names under [did.series] or [covariates] that the effect is adjusted for; a covariate, "
        "which does not change, enters as a difference between before and after. With several starts "
        "covariates alone, in a doubly robust estimate beside the registered one.",
    )
    dose: str | None = Field(
        None,
        description="Name under [did.series] of a dose (officer hours) whose effect by unit of dose is "
        "wanted, in place of treated or not.",
    )


def did_problems(sections: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    """What a design says against itself about its model, starts, adjustment or dose, one sentence each.

    Args:
        sections: As for `contradictions`.
        given: The protocol as written.
    """
    method, outcome, areas = (
        sections.get("method"),
        sections.get("outcome") or {},
        sections.get("areas") or {},
    )
    treated, comparison = areas.get("treated"), areas.get("comparison")
    staggered = isinstance(treated, Mapping) and treated.get("start") is not None
    if isinstance(comparison, Mapping) and comparison.get("start") is not None:
        yield "`areas.comparison.start` is not used: a comparison area is never treated; take it out"
    if method != "did":
        if staggered:
            yield f"`areas.treated.start` is given, but method '{method}' has one start for all; use 'did'"
        if outcome.get("kind") == "rate":
            yield f"`outcome.kind` is 'rate', but method '{method}' takes counts; use method 'did'"
        if "did" in given:
            yield f"`did` is given, but `method` is '{method}'; take the section out, or use method 'did'"
        return
    source = outcome.get("source")
    if source in ("totals", "published-changes"):
        yield (
            f"`method` is 'did', but source '{source}' has no counts by area and period; use "
            "'relative-effect', which is the same estimate from four totals"
        )
    yield from _model_and_names(sections, given, outcome, staggered)


def _model_and_names(
    sections: Mapping[str, Any], given: Mapping[str, Any], outcome: Mapping[str, Any], staggered: bool
) -> Iterator[str]:
    """Whether the keys of [did] fit the outcome, the starts and each other."""
    did = sections.get("did") or {}
    if did.get("model") == "poisson" and outcome.get("kind") == "rate":
        yield (
            "`did.model` is 'poisson', but `outcome.kind` is 'rate'; a Poisson model takes counts: residents "
            "that do not change are in the area effects already"
        )
    series = set(did.get("series") or {})
    covariates = given.get("covariates")
    known = series | set(covariates if isinstance(covariates, Mapping) else ())
    listed = ", ".join(f"'{name}'" for name in sorted(known)) or "none"
    for name in did.get("adjust_for") or ():
        if name not in known:
            yield (
                f"`did.adjust_for` names '{name}', which is under neither [did.series] nor [covariates]; "
                f"there: {listed}"
            )
    dose = did.get("dose")
    if dose is not None and dose not in series:
        yield f"`did.dose` is '{dose}', which is not under [did.series]; give its file there"
    for name in sorted(series - {dose, *(did.get("adjust_for") or ())}):
        yield f"`did.series.{name}` is not used; name it in `did.adjust_for` or `did.dose`, or take it out"
    if staggered:
        varying = [name for name in did.get("adjust_for") or () if name in series]
        for key in [*(["adjust_for"] if varying else []), *(["dose"] if dose is not None else [])]:
            what = f" names '{varying[0]}', which varies, and" if key == "adjust_for" else ""
            yield (
                f"`did.{key}`{what} is for one start, but `areas.treated.start` is given; take one out. With "
                "several starts, names under [covariates] go into a doubly robust estimate beside the "
                "registered one"
            )
    if dose is not None and outcome.get("kind") == "rate":
        yield "`did.dose` takes counts, but `outcome.kind` is 'rate'; use kind = \"count\""
