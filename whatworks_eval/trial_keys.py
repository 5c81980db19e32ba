"""Keys of a protocol that randomised trials brought: blocks of a lot, and areas switched on and off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from whatworks_eval.survey_keys import Section


class ScheduleFile(Section):
    """A table of which area had the project in which period."""

    file: str = Field(
        description="CSV, XLSX or parquet, one row an area and period; relative to the protocol."
    )
    area: str = Field("area", description="Column with the area code.")
    period: str = Field("period", description="Column with the period.")
    on: str = Field(
        "on", description="Column that says whether the project ran: 1 or 0, on or off, yes or no."
    )
    block: str | None = Field(
        None, description="Column with the stretch of periods within which the lot was drawn."
    )


class Crossover(Section):
    """How areas were switched on and off; for method 'crossover'."""

    schedule: ScheduleFile = Field(description="Which area was on in which period.")
    drawn: Literal["order", "areas"] = Field(
        description="What the lot decided: in each area and block, whether on or off came first (order); or "
        "which area followed which schedule (areas), afresh in each block where blocks are given."
    )
    washout: int = Field(
        0, ge=0, le=60, description="Periods left out after each point where a switch could have come."
    )
    periods: tuple[str, str] | None = Field(
        None, description="First and last period used, both included; absent = all in the schedule."
    )


def trial_problems(sections: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    """What a design says against itself about its lot or its schedule, one sentence each.

    Args:
        sections: As for `contradictions`.
        given: The protocol as written.
    """
    yield from _blocks(sections)
    yield from _crossover(sections, given)


def _blocks(sections: Mapping[str, Any]) -> Iterator[str]:
    areas = sections.get("areas") or {}
    has = {
        arm: isinstance(areas.get(arm), Mapping) and bool(areas[arm].get("block"))
        for arm in ("treated", "comparison")
    }
    if not any(has.values()):
        return
    assignment = (sections.get("intervention") or {}).get("assignment")
    if assignment not in (None, "random"):
        yield (
            f"`areas.treated.block` says a lot was drawn in blocks, but `intervention.assignment` is "
            f"'{assignment}'; write \"random\" if a lot decided, or take `block` out"
        )
    for arm, other in (("treated", "comparison"), ("comparison", "treated")):
        if not has[arm]:
            yield (
                f"`areas.{arm}.block` is missing; `areas.{other}.block` is given, and a lot drawn in blocks "
                "has "
                'both arms in each: write both as { file = "…", column = "…", block = "…" }'
            )
    if areas.get("unit") == "contiguous":
        yield (
            "`areas.unit` is 'contiguous', but a lot drawn in blocks needs the units of both arms; give a "
            "`unit` "
            'column in both files, a lookup, or "area"'
        )
    if all(has.values()) and areas.get("unit") is None:
        units = [bool(areas[arm].get("unit")) for arm in ("treated", "comparison")]
        if units[0] != units[1]:
            missing = "comparison" if units[0] else "treated"
            yield (
                f"`areas.{missing}.unit` is missing; the other arm has it, and a lot is drawn over units of "
                "both"
            )


def _crossover(sections: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    method, outcome = sections.get("method"), sections.get("outcome") or {}
    if method != "crossover":
        if method is not None and "crossover" in given:
            yield "`crossover` is only used with method 'crossover'; take the section out"
        return
    if "crossover" not in given:
        yield (
            "`crossover` is missing; method 'crossover' needs it: `schedule`, which area was on when, and "
            "`drawn`, what the lot decided"
        )
    elif isinstance(given["crossover"], Mapping):
        schedule = given["crossover"].get("schedule")
        drawn = given["crossover"].get("drawn")
        if drawn == "order" and isinstance(schedule, Mapping) and not schedule.get("block"):
            yield (
                '`crossover.schedule.block` is missing; drawn = "order" needs the column that says within '
                "which "
                "stretch of periods each order was drawn"
            )
    if outcome.get("source") not in (None, "counts"):
        yield (
            f"`outcome.source` is '{outcome['source']}', but method 'crossover' takes counts by area and "
            "period: "
            'use source = "counts"'
        )
    if outcome.get("kind") not in (None, "count", "proportion"):
        yield f"`outcome.kind` is '{outcome['kind']}', but method 'crossover' takes counts; take it out"
    if "windows" in given:
        yield (
            "`windows` is not used with method 'crossover', which has no before and after; take it out and, "
            "if not all of the schedule is wanted, write crossover.periods"
        )
    areas = given.get("areas")
    for key in ("comparison", "buffer"):
        if isinstance(areas, Mapping) and key in areas:
            yield (
                f"`areas.{key}` is not used with method 'crossover', where areas that are off stand for "
                "those that are on; list every area of the trial under `areas.treated` and take it out"
            )
