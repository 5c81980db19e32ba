"""What a declared [economics] says against itself, or against the rest of the design."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

_UNIT_COST_KEYS = ("mix", "shares", "shares_file", "overrides", "unit_cost_range_percent", "unit_costs")


def economics_contradictions(sections: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    """One sentence for each contradiction.

    Args:
        sections: Method and each section with defaults filled in; None for what cannot be read.
        given: The protocol as written.

    Example:
        >>> list(economics_contradictions({}, {}))
        []
    """
    economics, written = sections.get("economics"), given.get("economics")
    if not economics or not isinstance(written, Mapping):
        return
    yield from _outcome(sections, economics, given)
    yield from _years(economics)
    yield from _sums(economics)
    yield from _values(economics)
    yield from _double_counting(sections, economics)
    if economics["hours"]:
        for key in _UNIT_COST_KEYS:
            if key in written:
                yield (
                    f"`economics.{key}` is not used where [economics.hours] is given: unit costs of crime "
                    "hold "
                    "police time already, so both together would count it twice; take one of them out"
                )


def _outcome(
    sections: Mapping[str, Any], economics: Mapping[str, Any], given: Mapping[str, Any]
) -> Iterator[str]:
    outcome = sections.get("outcome") or {}
    if outcome.get("source") == "survey" or outcome.get("kind") == "proportion":
        yield (
            "`economics` is given, but the outcome is a share of respondents; pounds are worked out from "
            "incidents prevented: take the section out"
        )
    windows = bool(given.get("windows"))
    without = (
        outcome.get("source") in {"totals", "published-changes"} or sections.get("method") == "crossover"
    )
    if without and not windows and not economics["months"]:
        yield (
            "`economics.months` is missing; it is needed where [windows] does not say how long the after "
            "window is"
        )
    if windows and economics["months"]:
        yield "`economics.months` is given, but [windows] says how long the after window is; take it out"


def _years(economics: Mapping[str, Any]) -> Iterator[str]:
    named = {"price_year": economics["price_year"]}
    for place, cost in enumerate(economics["costs"] or (), start=1):
        named |= {f"costs[{place}].{key}": cost.get(key) for key in ("year", "price_year")}
    for place, override in enumerate(economics["overrides"] or (), start=1):
        named[f"overrides[{place}].price_year"] = override.get("price_year")
    named["hours.price_year"] = (economics["hours"] or {}).get("price_year")
    for key, year in named.items():
        if isinstance(year, str) and len(year) == 7 and int(year[5:]) != (int(year[:4]) + 1) % 100:
            following = f"{year[:4]}-{(int(year[:4]) + 1) % 100:02d}"
            yield f"`economics.{key}` is '{year}'; a financial year is written like '{following}'"


def _sums(economics: Mapping[str, Any]) -> Iterator[str]:
    tables = {"mix": economics["mix"] or {}}
    tables |= {f"shares.{category}": table for category, table in (economics["shares"] or {}).items()}
    for key, table in tables.items():
        total = math.fsum(table.values())
        if any(not 0 <= share <= 1 for share in table.values()):
            yield f"`economics.{key}` holds a share outside 0 to 1"
        elif table and abs(total - 1) > 0.001:
            yield (
                f"`economics.{key}` adds up to {total:g}; shares add up to 1, with 'not valued' for the "
                "part no "
                "unit cost stands for"
            )
    if economics["shares"] and economics["shares_file"]:
        yield "`economics.shares` and `economics.shares_file` are both given; keep one"


def _values(economics: Mapping[str, Any]) -> Iterator[str]:
    seen: set[str] = set()
    for place, one in enumerate(economics["overrides"] or (), start=1):
        key = f"economics.overrides[{place}]"
        offence = str(one.get("offence", "")).casefold()
        if offence in seen:
            yield f"`{key}`: '{one['offence']}' has more than one override; keep one"
        seen.add(offence)
        if one.get("gbp") is None and one.get("multiplier") is None:
            yield f"`{key}` gives neither `gbp` nor `multiplier`; give one, or take it out"
        if one.get("multiplier") is not None and _per_recorded(one, economics):
            yield (
                f"`{key}.multiplier` is given, but its pounds are for a crime recorded, which takes none; "
                'write per = "actual" if they are for a crime that happens, or take the multiplier out'
            )
        if (one.get("gbp") is None) != (one.get("price_year") is None):
            yield f"`{key}`: `gbp` and `price_year` go together; pounds of no year cannot be compared"
        yield from _ordered(key, one, "low", "gbp", "high")
        yield from _ordered(key, one, "multiplier_low", "multiplier", "multiplier_high")
    if hours := economics["hours"]:
        given = [key for key in ("gbp", "price_year", "source") if hours.get(key) is not None]
        if given and len(given) < 3:
            yield "`economics.hours`: `gbp`, `price_year` and `source` go together; give all three or none"
        if hours.get("gbp") is not None or hours.get("low") is None is hours.get("high"):
            yield from _ordered("economics.hours", hours, "low", "gbp", "high")
        else:
            yield "`economics.hours`: `low` and `high` are given without `gbp`"
    ends = economics["persistence_range"]
    if ends and not 0 <= ends[0] <= economics["persistence_months"] <= ends[1]:
        yield (
            f"`economics.persistence_range` is {ends[0]:g} to {ends[1]:g}, which does not hold "
            f"`persistence_months` ({economics['persistence_months']:g})"
        )


def _per_recorded(override: Mapping[str, Any], economics: Mapping[str, Any]) -> bool:
    """Whether the value an override's multiplier would multiply is for a recorded crime already."""
    if override.get("gbp") is not None:
        return bool(override.get("per") == "recorded")
    return bool(economics["unit_costs"] == "police-2022-23")


def _ordered(key: str, table: Mapping[str, Any], low: str, middle: str, high: str) -> Iterator[str]:
    ends = [table.get(name) for name in (low, middle, high)]
    if (ends[0] is None) != (ends[2] is None):
        yield f"`{key}`: `{low}` and `{high}` go together"
    elif ends[0] is not None and ends[1] is None:
        yield f"`{key}`: `{low}` and `{high}` are given without `{middle}`"
    elif ends[0] is not None and not ends[0] <= ends[1] <= ends[2]:  # type: ignore[operator]
        yield f"`{key}`: `{middle}` must lie between `{low}` and `{high}`"


def _double_counting(sections: Mapping[str, Any], economics: Mapping[str, Any]) -> Iterator[str]:
    taken = economics["additionality"] or {}
    method, areas = sections.get("method"), sections.get("areas") or {}
    totals = (sections.get("outcome") or {}).get("totals") or {}
    always = method in {"relative-effect", "crossover"}  # crossover: with areas off in the same periods
    compared = always or (method != "before-after" and areas.get("comparison"))
    if taken.get("deadweight_percent") and compared:
        yield (
            "`economics.additionality.deadweight_percent` is given, but the effect is measured against "
            "comparison areas, which show what would have happened anyway; taking it off again would count "
            "it twice: take it out"
        )
    if method == "relative-effect" and (areas.get("buffer") or totals.get("buffer")):
        for name in ("displacement", "leakage"):
            if taken.get(f"{name}_percent"):
                yield (
                    f"`economics.additionality.{name}_percent` is given, but a buffer measures what moved "
                    "next door; taking it off again would count it twice: take it out"
                )
