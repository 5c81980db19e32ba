"""A cohort of offenders in: a TOML file with [cohort], and one row a person and window, or totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from whatworks_eval.economics.prices import no_price_level
from whatworks_eval.economics.unit_costs import unit_costs
from whatworks_eval.economics_keys import Edition
from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.protocol_problems import explain
from whatworks_eval.protocol_tables import Assignment
from whatworks_eval.sources.tables import Table, number_of, read_table, text_of
from whatworks_eval.survey_keys import Section
from whatworks_eval.toml_file import read_toml

Arm = Literal["treated", "comparison"]
Window = Literal["earlier", "before", "after"]
ARMS: tuple[Arm, ...] = get_args(Arm)
WINDOWS: tuple[Window, ...] = get_args(Window)
OWN = ("person", "arm", "window", "days")
MOST_NAMED = 10
FEWEST = 5  # people in an arm: below that, a table would be about persons
_YEAR = r"^\d{4}-\d{2}$"


class WindowTotals(Section):
    """One arm in one window."""

    days: float = Field(gt=0, allow_inf_nan=False, description="Days in the community, all people together.")
    offences: dict[str, float] = Field(min_length=1, description="Offence, then how many were recorded.")


class ArmTotals(Section):
    """One arm."""

    people: int = Field(ge=FEWEST, description="People behind the totals.")
    earlier: WindowTotals | None = Field(None, description="A window before the one they were picked on.")
    before: WindowTotals = Field(description="The window before they joined.")
    after: WindowTotals = Field(description="The window after.")


class CohortTotals(Section):
    """Counts alone, where no row a person can be had."""

    treated: ArmTotals = Field(description="Those who joined.")
    comparison: ArmTotals | None = Field(None, description="Those who did not.")


class CohortKeys(Section):
    """What is known of a cohort, and how it is valued."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$", description="Small letters, digits and hyphens.")
    name: str = Field(min_length=1, description="What the scheme is called.")
    simulated: bool = Field(False, description="true where the people are made up; every output says so.")
    start: str = Field(pattern=r"^\d{4}-\d{2}$", description="First month anybody joined, as '2023-04'.")
    assignment: Assignment = Field(description="How people came to join, as in a protocol.")
    people: str | None = Field(
        None, description="CSV file with columns person, arm, window, days and one an offence."
    )
    totals: CohortTotals | None = Field(None, description="Instead of `people`: counts alone.")
    not_valued: tuple[str, ...] = Field((), description="Offences counted that no unit cost stands for.")
    comparability: str = Field("", description="Why the comparison is like those who joined.")
    unit_costs: Edition = Field("home-office-2019-20", description="Which unit costs of crime.")
    price_year: str = Field("2024-25", pattern=_YEAR, description="In whose prices everything is said.")
    anticipation: bool = Field(False, description="Count the costs of anticipating crime too.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Of every range.")
    dispersion: float = Field(
        4.0, ge=1, le=100, description="totals: assumed variance of a count over its mean."
    )
    draws: int = Field(2_000, ge=200, le=100_000, description="Draws behind every range.")
    seed: int = Field(1, ge=0, description="Of the draws.")


class CohortFile(Section):
    """The file."""

    schema_: Literal[1] = Field(alias="schema", description="Version of these keys: 1.")
    cohort: CohortKeys = Field(description="The cohort.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmRows:
    """The people of one arm.

    Attributes:
        people: How many.
        counts: Window, then people × offences; one row in all where only totals are known.
        days: Window, then days in the community of each row.
    """

    people: int
    counts: Mapping[Window, NDArray[np.float64]]
    days: Mapping[Window, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cohort:
    """A cohort as read.

    Attributes:
        keys: What the file says.
        offences: What is counted, in the order of every array.
        arms: The people, by arm.
        by_person: True where there is a row for each person.
        read: Rows read.
        left_out: Why people were left out, then how many.
    """

    keys: CohortKeys
    offences: tuple[str, ...]
    arms: Mapping[Arm, ArmRows]
    by_person: bool
    read: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)


def load_cohort(path: Path) -> Cohort:
    """The cohort a TOML file declares, with its people or totals.

    Args:
        path: The file; `people` in it is relative to it.

    Raises:
        ProtocolError: Every problem with the file, by key.
        DataError: Every problem with the people, by file and row.

    Example:
        >>> from whatworks_eval.shipped import shipped_path
        >>> made = load_cohort(shipped_path("datasets", "simulated-cohort") / "cohort.toml")
        >>> made.by_person, sorted(made.arms)
        (True, ['comparison', 'treated'])
    """
    given = _tuples(read_toml(path))
    try:
        keys = CohortFile.model_validate(given, strict=True).cohort
    except ValidationError as error:
        problems = explain(error.errors(include_url=False), CohortFile)
        raise ProtocolError(f"{path.name}: {problem}" for problem in problems) from None
    problems = []
    if (keys.people is None) == (keys.totals is None):
        problems.append("`cohort` takes either `people` (a file) or `totals`; give one of them")
    if wrong := no_price_level(keys.price_year, "cohort.price_year"):
        problems.append(wrong)
    if problems:
        raise ProtocolError(f"{path.name}: {problem}" for problem in problems)
    if keys.totals is not None:
        return _from_totals(path.name, keys, keys.totals)
    return _from_people(read_table(path.parent / str(keys.people), wanted=OWN), keys)


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _unknown(names: list[str], keys: CohortKeys, place: str) -> list[str]:
    """Offences that are neither costed nor said not to be: a slip would drop their cost without a word."""
    known = unit_costs(keys.unit_costs)
    told = []
    for name in names:
        if name in known or name in keys.not_valued:
            continue
        near = get_close_matches(name, known, n=1, cutoff=0.6)
        meant = f"did you mean '{near[0]}'? " if near else ""
        told.append(
            f"{place}: '{name}' has no unit cost in {keys.unit_costs}; {meant}If nothing stands for it, "
            f"add it to `cohort.not_valued`, and it is counted but not valued"
        )
    if not any(name in known for name in names):
        told.append(f"{place}: no offence has a unit cost; those of {keys.unit_costs} are {', '.join(known)}")
    return told


def _from_totals(file: str, keys: CohortKeys, totals: CohortTotals) -> Cohort:
    given = {"treated": totals.treated, "comparison": totals.comparison}
    windows: dict[tuple[Arm, Window], WindowTotals] = {
        (arm, window): made
        for arm in ARMS
        if (rows := given[arm]) is not None
        for window in WINDOWS
        if (made := getattr(rows, window)) is not None
    }
    offences = list(dict.fromkeys(name for made in windows.values() for name in made.offences))
    problems = _unknown(offences, keys, file)
    for (arm, window), made in windows.items():
        key = f"cohort.totals.{arm}.{window}.offences"
        problems += [
            f"{file}: `{key}` has no '{name}', which another window has; write 0 if none was recorded"
            for name in offences
            if name not in made.offences
        ]
        problems += [
            f"{file}: `{key}`: '{name}' is {number:g}; a count is 0 or more"
            for name, number in made.offences.items()
            if not (np.isfinite(number) and number >= 0)
        ]
    if problems:
        raise ProtocolError(problems)
    arms: dict[Arm, ArmRows] = {}
    for arm in ARMS:
        rows = given[arm]
        if rows is not None:
            held = {window: made for (other, window), made in windows.items() if other == arm}
            arms[arm] = ArmRows(
                people=rows.people,
                counts={
                    w: np.array([[made.offences[name] for name in offences]]) for w, made in held.items()
                },
                days={w: np.array([made.days]) for w, made in held.items()},
            )
    return Cohort(keys=keys, offences=tuple(offences), arms=arms, by_person=False)


def _from_people(table: Table, keys: CohortKeys) -> Cohort:
    for column in OWN:
        table.position(column)
    offences = [name for name in table.columns if name.casefold() not in OWN]
    problems = _unknown(offences, keys, table.name)
    if not offences:
        problems = [f"{table.name}: no column counts an offence; add one column an offence"]
    people: dict[str, tuple[Arm, dict[Window, tuple[float | None, NDArray[np.float64]]]]] = {}
    first: dict[tuple[str, str], int] = {}
    at = {name: table.position(name) for name in (*OWN, *offences)}
    for number, row in zip(table.numbers, table.rows, strict=True):
        place = f"{table.name}, row {number}"
        person, arm, window = (text_of(row[at[name]]) for name in ("person", "arm", "window"))
        wrong = []
        if not person:
            wrong.append("no person; give each a code")
        wrong += _not_one_of(arm, ARMS, "arm") + _not_one_of(window, WINDOWS, "window")
        before = first.setdefault((person, window), number)
        if before != number:
            wrong.append(f"person '{person}' has window '{window}' in row {before} too; keep one")
        days, told = _number(row[at["days"]], "days", table.decimal_comma, blank=True)
        wrong += told
        counts = np.zeros(len(offences))
        for place_of, name in enumerate(offences):
            count, told = _number(row[at[name]], name, table.decimal_comma, blank=False)
            counts[place_of] = count or 0.0
            wrong += told
        if days == 0 and counts.any():
            wrong.append("offences, but no days in the community; say how many days, or leave days blank")
        if person in people and arm in ARMS and people[person][0] != arm:
            wrong.append(f"person '{person}' is in both arms; a person counts in one")
        problems += [f"{place}: {said}" for said in wrong]
        if not wrong:
            held = people.setdefault(person, (arm, {}))  # type: ignore[arg-type]
            held[1][window] = (days, counts)  # type: ignore[index]
    if problems:
        more = [f"and {len(problems) - MOST_NAMED} more problems"] if len(problems) > MOST_NAMED else []
        raise DataError([*problems[:MOST_NAMED], *more])
    return _arranged(table, keys, tuple(offences), people)


def _not_one_of(text: str, known: tuple[str, ...], column: str) -> list[str]:
    return [] if text in known else [f"{column} is '{text}'; expected {', '.join(known)}"]


def _number(cell: Any, column: str, decimal_comma: bool, *, blank: bool) -> tuple[float | None, list[str]]:
    try:
        found = number_of(cell, decimal_comma=decimal_comma)
    except ValueError:
        return None, [f"{column} is '{text_of(cell)}', not a number"]
    if found is None:
        return None, [] if blank else [f"{column} is blank; write 0 if none was recorded"]
    if not (np.isfinite(found) and found >= 0):
        return None, [f"{column} is {found:g}; it cannot be below zero"]
    return found, []


def _arranged(
    table: Table,
    keys: CohortKeys,
    offences: tuple[str, ...],
    people: Mapping[str, tuple[Arm, Mapping[Window, tuple[float | None, NDArray[np.float64]]]]],
) -> Cohort:
    """Arrays by arm, of people with a row and known days in every window their arm is compared over."""
    earlier = any("earlier" in windows for _, windows in people.values())
    needed: tuple[Window, ...] = WINDOWS if earlier else ("before", "after")
    left_out: dict[str, int] = {}
    kept: dict[Arm, list[str]] = {arm: [] for arm in ARMS}
    for person, (arm, windows) in sorted(people.items()):
        absent = next((window for window in needed if window not in windows), None)
        unknown = next((w for w in needed if w in windows and windows[w][0] is None), None)
        if absent is not None:
            why = f"no row for window '{absent}'"
        elif unknown is not None:
            why = f"days in the community not known in window '{unknown}'"
        else:
            kept[arm].append(person)
            continue
        left_out[why] = left_out.get(why, 0) + 1
    problems = [
        f"{table.name}: {len(names)} people in arm '{arm}' with every window known; fewer than {FEWEST} "
        "cannot "
        "be reported without telling of persons"
        for arm, names in kept.items()
        if len(names) < FEWEST and (arm == "treated" or any(a == arm for a, _ in people.values()))
    ]
    if problems:
        raise DataError(problems)
    arms = {
        arm: ArmRows(
            people=len(names),
            counts={w: np.array([people[name][1][w][1] for name in names]) for w in needed},
            days={w: np.array([people[name][1][w][0] for name in names], dtype=float) for w in needed},
        )
        for arm, names in kept.items()
        if names
    }
    for arm, rows in arms.items():
        problems += [
            f"{table.name}: no days in the community in arm '{arm}', window '{window}'"
            for window in needed
            if rows.days[window].sum() <= 0
        ]
    if problems:
        raise DataError(problems)
    return Cohort(
        keys=keys, offences=offences, arms=arms, by_person=True, read=len(table.rows), left_out=left_out
    )
