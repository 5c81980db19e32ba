"""What the file of an earlier result says of a project: its cost and what it prevented, or why it cannot."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from whatworks_eval.errors import DataError
from whatworks_eval.records import Interval

if TYPE_CHECKING:
    from whatworks_eval.report.options_words import Project

AGREES = 1e-6
"""How far the number of incidents may differ, as a share, from the one the cost for each was divided by."""
TAKEN_OFF = ("Optimism bias", "Additionality")
ON_COSTS = "Optimism bias, added to costs"
LASTING = "Months the effect goes on after the window"
STAFF_HOURS = "staff hours"
NONE = Interval()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a file says of one project, for a comparison with another.

    Attributes:
        file: Its name.
        sha256: Of the protocol its effect was found by.
        project: What it cost and prevented.
        counted: What is counted: categories of offence, or whose hours.
        price_year: Whose prices.
        base_year: Year 0 of the discounting.
        share: Share inside every range.
        yearly: What was prevented a year: two files with the same hold the same effect.
        opportunity: True where time that had another use is among the costs.
        taken_off: What was taken off by assumption, with the percent of each.
        areas: Areas by arm; empty where the file does not hold them.
    """

    file: str
    sha256: str
    project: Project
    counted: tuple[str, ...]
    price_year: str
    base_year: str
    share: float
    yearly: Interval
    opportunity: bool
    taken_off: tuple[tuple[str, float], ...]
    areas: Mapping[str, frozenset[str]]


def held_in(path: Path) -> Held:
    """What a result.json or an economics.json says of a project.

    Raises:
        DataError: Everything that is missing or odd, by file and key.
    """
    try:
        given = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:  # the second where it nests without end
        raise DataError(f"{path}: not a JSON file ({error}); give result.json or economics.json") from None
    kind = given if isinstance(given, Mapping) else {}
    about, made = kind.get("protocol") or kind.get("effect"), kind.get("economics")
    if not isinstance(about, Mapping) or kind.get("schema") != 1:
        raise DataError(
            f"{path}: not one of ours (schema 1); give the result.json of `whatworks run`, or the "
            "economics.json of `whatworks cost --effect`"
        )
    if not isinstance(made, Mapping):
        raise DataError(
            f"{path}: it holds no economics; add [economics] to the design, or give the economics.json that "
            "`whatworks cost --effect result.json --costs costs.toml --out DIR` writes"
        )
    return _held(path, kind, about, made)


def _held(path: Path, given: Mapping[str, Any], about: Mapping[str, Any], made: Mapping[str, Any]) -> Held:
    from whatworks_eval.economics.options import Option
    from whatworks_eval.report.options_words import Project

    told = _Told(path, made)
    cost, yearly = told.span("cost"), told.span("prevented_a_year")
    months = told.number("months", above=0.0)
    persistence = told.number("persistence_months", least=0.0)
    level = told.number("level", least=1.0, most=5.0)
    share = told.number("range_share", above=0.0, most=1.0)
    price_year, base_year, edition = (told.words(key) for key in ("price_year", "base_year", "unit_costs"))
    taken = tuple(
        (str(step.get("step")), float(step["value"]))
        for step in told.tables("chain")
        if str(step.get("step")).startswith(TAKEN_OFF) and _is_number(step.get("value"))
    )
    hours = edition == STAFF_HOURS
    lasting = [step.get("high") for step in told.tables("chain") if step.get("step") == LASTING]
    cut = [step for step, _ in taken if step != ON_COSTS]
    plain = not (persistence or any(lasting) or cut)
    counted, prevented = _hours(told) if hours else _incidents(told, yearly, months, plain=plain)
    if cost.value is None or cost.value < 0:
        told.problem("`economics.cost` has no value")
    if prevented.value is None and not told.problems:
        missing = "hours were saved" if hours else "incidents were prevented"
        why = made.get("why_missing") or "the number is not in the file"
        told.problem(f"how many {missing} cannot be said, so there is nothing to compare: {why}")
    if told.problems:
        raise DataError(told.problems)
    ranged = prevented.low is not None and prevented.high is not None
    inside = (prevented.low or 0.0) <= 0 <= (prevented.high or 0.0)
    contrast = given.get("contrast")
    return Held(
        file=path.name,
        sha256=str(about.get("sha256")),
        project=Project(
            id=str(about.get("id") or about.get("protocol") or path.stem),
            option=Option(cost=cost, prevented=prevented),
            hours=hours,
            level=int(level),
            months=months,
            persistence_months=persistence,
            range_why_missing=None if (why_not := made.get("range_why_missing")) is None else str(why_not),
            includes_none=inside or made.get("prevented_includes_zero") is True if ranged else None,
        ),
        counted=counted,
        price_year=price_year,
        base_year=base_year,
        share=share,
        yearly=yearly,
        opportunity=bool(made.get("cost_opportunity")),
        taken_off=taken,
        areas={
            arm: frozenset(map(str, areas)) - {arm}  # totals name their arms in the place of areas
            for arm in ("treated", "comparison")
            if isinstance(contrast, Mapping) and isinstance(areas := contrast.get(arm), list)
        },
    )


def _hours(told: _Told) -> tuple[tuple[str, ...], Interval]:
    """Whose staff hours, and how many were saved."""
    hours = told.made.get("hours")
    if not isinstance(hours, Mapping):  # none could be worked out
        return (STAFF_HOURS,), NONE
    return (f"{STAFF_HOURS} ({hours.get('grade')})",), told.span("hours", hours)


def _incidents(
    told: _Told, yearly: Interval, months: float, *, plain: bool
) -> tuple[tuple[str, ...], Interval]:
    """The categories counted, and incidents prevented over the period appraised: as the cost of each has it.

    Args:
        told: The file.
        yearly: What was prevented a year of the after window.
        months: Length of that window.
        plain: True where nothing is assumed of months beyond it or taken off, so that it says the same.
    """
    lines, left = told.tables("benefits"), told.tables("not_valued")
    counted = tuple(sorted({str(one.get("category")) for one in (*lines, *left)}))
    unvalued = told.made.get("not_valued_share")
    spans = [told.span("incidents", line) for line in lines]
    valued = 1.0 - (float(unvalued) if unvalued is not None and _is_number(unvalued) else 0.0)
    if spans and valued > 0:
        prevented = _all_of(spans, valued)
    elif plain:
        prevented = _all_of([yearly], 12 / months)
    else:
        return counted, NONE
    each, cost = told.span("cost_per_incident").value, told.span("cost").value
    if each and cost and prevented.value and not math.isclose(cost / each, prevented.value, rel_tol=AGREES):
        told.problem(
            "`economics.cost_per_incident` is not of the incidents in `economics.benefits`; make it again"
        )
    return counted, prevented


def _all_of(spans: list[Interval], part: float) -> Interval:
    """Spans of one effect added up, which rise and fall together, over the part of the whole they are."""

    def end(name: str) -> float | None:
        ends = [getattr(one, name) for one in spans]
        return None if None in ends else sum(ends) / part

    return Interval(value=end("value"), low=end("low"), high=end("high"))


class _Told:
    """The economics of a file, with every problem met on reading them."""

    def __init__(self, path: Path, made: Mapping[str, Any]) -> None:
        self.path, self.made = path, made
        self.problems: list[str] = []

    def problem(self, what: str) -> None:
        self.problems.append(f"{self.path}: {what}")

    def words(self, key: str) -> str:
        value = self.made.get(key)
        if not isinstance(value, str) or not value:
            self.problem(f"`economics.{key}` is {value!r}; expected text")
        return str(value)

    def number(
        self, key: str, *, above: float = -math.inf, least: float = -math.inf, most: float = math.inf
    ) -> float:
        value = self.made.get(key)
        if not _is_number(value) or not (above < float(value) and least <= float(value) <= most):
            self.problem(f"`economics.{key}` is {value!r}, which it cannot be")
            return 1.0
        return float(value)

    def span(self, key: str, holder: Mapping[str, Any] | None = None) -> Interval:
        value = (self.made if holder is None else holder).get(key)
        if not isinstance(value, Mapping) or not all(
            value.get(end) is None or _is_number(value.get(end)) for end in ("value", "low", "high")
        ):
            self.problem(f"`{key}` is {value!r}; expected a value with its low and high")
            return NONE
        made = Interval(value=value.get("value"), low=value.get("low"), high=value.get("high"))
        if made.low is not None and made.high is not None and made.low > made.high:
            self.problem(f"`{key}` is {value!r}; its low is above its high")
        return made

    def tables(self, key: str) -> list[Mapping[str, Any]]:
        value = self.made.get(key)
        return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
