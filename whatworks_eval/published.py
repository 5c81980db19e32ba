"""The shipped table of published evaluations: each row, how it is read, what came of computing it again."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from whatworks_eval.errors import DataError
from whatworks_eval.shipped import shipped_path

DATASET = "published-evaluations"
TABLE = "published_evaluations.csv"
READINGS = "readings.toml"

Verdict = Literal["match", "mismatch", "cannot be computed"]
Arm = Literal["treated", "comparison", "buffer"]
Pair = tuple[float, float]
# The columns of the table keep the names of the table it was compiled from.
COLUMN: Mapping[Arm, str] = {"treated": "treated", "comparison": "control", "buffer": "buffer"}
NUMBERS = (
    *(f"{name}_{window}" for name in COLUMN.values() for window in ("before", "after")),
    *("months_before", "months_after", "reported_value", "reported_low", "reported_high"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a row is read: what `readings.toml` says of it, key for key.

    Attributes:
        measure: Which measure the published value is; '' where nothing can be computed.
        inputs: What sort of numbers the row starts from.
        assignment: How the places were chosen, as in a protocol; None where no level is asked for.
        arm: The arm whose change is reported, where it is not the treated.
        interval: Confidence of the published interval.
        se: Published standard error, as printed; `z`, `p`, `log_value` and `log_se` likewise.
        p_sides: 1 where the published p-value is one-tailed.
        displacement_comparison: Before and after of the buffer's own comparison.
        area_weights: What each arm's counts are divided by.
        time_weights: What the counts before and after are divided by.
        scale: What the comparison's counts are divided by.
        dispersion: The overdispersion factor the source reports.
        units: Blocks or areas in each arm, for effects per unit.
        changes: Published percentage changes, with `decimals`.
        parts: Numbers that are added up, times `part_weights`.
        of: Other rows that the row is worked out from; `harm_weights` weigh them.
        reason: Why a mismatch is known, or why nothing can be computed.
        no_level: Why the rules cannot grade the row.
        note: What a reader of the published number would otherwise trip over.
    """

    measure: str = ""
    inputs: Literal["counts", "rates", "persons", "changes", "parts", "money", "none"]
    assignment: str | None = None
    arm: Arm = "treated"
    interval: float = 0.95
    se: str = ""
    z: str = ""
    p: str = ""
    p_sides: int = 2
    log_value: str = ""
    log_se: str = ""
    displacement_comparison: Pair | None = None
    area_weights: Mapping[str, float] = field(default_factory=dict)
    time_weights: Pair | None = None
    scale: float | None = None
    dispersion: float | None = None
    units: Mapping[str, float] = field(default_factory=dict)
    changes: Mapping[str, float] = field(default_factory=dict)
    parts: tuple[float, ...] = ()
    part_weights: tuple[float, ...] = ()
    of: tuple[str, ...] = ()
    harm_weights: tuple[float, ...] = ()
    reason: str = ""
    no_level: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One row of the table: what was published, and the numbers behind it.

    Attributes:
        id: Name of the row, for ever.
        cells: Every cell as printed: the digits say to what a number was published.
        reading: How the row is read.
    """

    id: str
    cells: Mapping[str, str]
    reading: Reading

    def number(self, column: str) -> float | None:
        """A cell as a number; None where it is empty."""
        text = self.cells[column]
        return float(text) if text else None

    def pair(self, arm: Arm) -> Pair | None:
        """Before and after of an arm; None where either is not in the table."""
        before, after = (self.number(f"{COLUMN[arm]}_{window}") for window in ("before", "after"))
        return None if before is None or after is None else (before, after)

    def after(self, arm: Arm) -> float | None:
        """The number after of an arm, alone where nothing before is published."""
        return self.number(f"{COLUMN[arm]}_after")

    @property
    def months(self) -> Pair | None:
        """Length of the windows; None where not published."""
        before, after = self.number("months_before"), self.number("months_after")
        return None if before is None or after is None else (before, after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A published effect, computed again; parts that the row's numbers do not allow are None."""

    value: float
    low: float | None = None
    high: float | None = None
    se: float | None = None
    p_value: float | None = None
    log_value: float | None = None
    log_se: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One published number beside the computed one.

    Attributes:
        name: 'value', 'low', 'high', 'standard error', 'z', 'p-value'.
        published: As printed.
        computed: None where the row's numbers do not allow it.
        agrees: Whether they agree to the digits printed; None where nothing could be computed.
    """

    name: str
    published: str
    computed: float | None
    agrees: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """A row computed again, with its verdict and its level.

    Attributes:
        row: What was published.
        measure: What the value is, in words; '' where nothing can be computed.
        computed: The same from the row's numbers; None where that cannot be done.
        checks: Every published number beside the computed one.
        verdict: 'match' where every number that can be computed agrees to the digits printed.
        reason: Why it does not match, or cannot be computed; '' for a match.
        notes: What a reader of the published number would otherwise trip over, with the numbers.
        level: Design strength of the row's numbers by the ordinary rules; None where they cannot grade it.
        bound_by: The rules that hold the level there.
        why_no_level: Why there is none; '' where there is one.
        of_before: Change of the treated alone in percent of their count before; None without counts.
        of_expected: The same in percent of the count expected from the comparison.
    """

    row: Published
    measure: str
    computed: Computed | None
    checks: tuple[Check, ...]
    verdict: Verdict
    reason: str
    notes: tuple[str, ...]
    level: int | None
    bound_by: tuple[str, ...]
    why_no_level: str
    of_before: float | None = None
    of_expected: float | None = None


def decimals(text: str) -> int:
    """Decimal places a number was printed to.

    Example:
        >>> decimals("-39.40"), decimals("12")
        (2, 0)
    """
    return len(text.partition(".")[2])


def load_published(folder: Path | None = None) -> tuple[Published, ...]:
    """Every row of the table with its reading, in the order of the table.

    Args:
        folder: Where the table and its readings lie; None = the shipped ones.

    Raises:
        DataError: A cell that is not a number, a row without a reading, a reading without a row.

    Example:
        >>> load_published()[0].pair("treated")
        (207.0, 110.0)
    """
    folder = shipped_path("datasets", DATASET) if folder is None else folder
    readings = _readings(folder / READINGS)
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    problems = [
        f"{TABLE}, row {row['id']}: {column} is '{row[column]}', not a number"
        for row in rows
        for column in NUMBERS
        if row[column] and not _is_number(row[column])
    ]
    there = [row["id"] for row in rows]
    problems += [f"{READINGS}: no reading for row '{name}'" for name in there if name not in readings]
    problems += [f"{READINGS}: '{name}' is not a row of {TABLE}" for name in readings if name not in there]
    if problems:
        raise DataError(problems)
    return tuple(Published(id=row["id"], cells=row, reading=readings[row["id"]]) for row in rows)


def _readings(path: Path) -> dict[str, Reading]:
    known = {item.name for item in fields(Reading)}
    found: dict[str, Reading] = {}
    problems: list[str] = []
    for entry in tomllib.loads(path.read_text("utf-8"))["reading"]:
        names = entry.pop("rows")
        problems += [
            f"{path.name}, {names[0]}: '{key}' is not a known key" for key in entry if key not in known
        ]
        problems += [f"{path.name}: '{name}' is read twice" for name in names if name in found]
        if not problems:
            reading = Reading(**{key: _frozen(value) for key, value in entry.items()})
            found |= dict.fromkeys(names, reading)
    if problems:
        raise DataError(problems)
    return found


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
