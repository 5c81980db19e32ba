"""A dataset that comes with the tool: its folder says what it is, and its checksum that it is whole."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.panel import InputFile, Ledger, Panel
from whatworks_eval.periods import PeriodKind
from whatworks_eval.protocol_tables import Outcome
from whatworks_eval.sources.counts import panel_from_cells
from whatworks_eval.sources.tables import Table, number_of, read_table, text_of

# Keys of [panel] in dataset.toml, and whether a dataset can do without.
PANEL_KEYS = {"area": True, "period": True, "count": True}
OPTIONAL_KEYS = ("unit", "centroid_x", "centroid_y", "residents")


def load_dataset(outcome: Outcome, *, period_kind: PeriodKind = "month") -> Panel:
    """The Panel in a shipped dataset, as its dataset.toml describes it.

    Raises:
        DataError: No such dataset, or its file is not the one its checksum was taken of.
    """
    from whatworks_eval.shipped import shipped_path

    if not outcome.dataset:
        raise ProtocolError("`outcome.dataset` is missing; `whatworks list` shows the names")
    folder = shipped_path("datasets", outcome.dataset)
    counted = tuple(_about(folder).get("offences", ()))
    if outcome.offences and sorted(outcome.offences) != sorted(counted):
        raise ProtocolError(
            f"`outcome.offences`: dataset '{folder.name}' counts "
            f"{' and '.join(counted) or 'incidents of no stated offence'}, all together; "
            "write that, or leave the key out"
        )
    return read_dataset(folder, period_kind=period_kind)


def read_dataset(folder: Path, *, period_kind: PeriodKind = "month") -> Panel:
    """The Panel in a dataset folder: dataset.toml names the data file, its checksum and its columns.

    Raises:
        DataError: A key is missing, or the data are not what the description says.
    """
    about = _about(folder)
    table = read_table(folder / about["data"])
    if table.sha256 != about["sha256"]:
        raise DataError(
            f"{folder.name}/{about['data']}: not the file that dataset.toml describes (SHA-256 differs); "
            "restore it, or update the checksum if the change was meant"
        )
    named: Mapping[str, str] = about["panel"]
    areas = table.text(named["area"])
    x, y = (_constant(table, areas, named.get(key)) for key in ("centroid_x", "centroid_y"))
    residents = _constant(table, areas, named.get("residents"))
    units = _units(table, areas, named.get("unit"))
    panel = panel_from_cells(
        areas,
        table.column(named["period"]),
        _numbers(table, named["count"]),
        where=lambda rows: f"{table.name}, row {table.numbers[rows[0]]}",
        centroids={area: (x[area], y[area]) for area in x} if x and y else None,
        residents=residents,
        units=units,
        period_kind=period_kind,
        ledger=Ledger(
            files=(InputFile(name=f"{folder.name}/{table.name}", sha256=table.sha256, rows=len(table.rows)),)
        ),
    )
    said = f"Dataset '{folder.name}': {about['title']}."
    if about.get("simulated"):
        said += f" SIMULATED (seed {about.get('seed')}, {about.get('generator')}): no real place is in it."
    return replace(panel, ledger=replace(panel.ledger, notes=(said, *panel.ledger.notes)))


def _about(folder: Path) -> dict[str, Any]:
    """dataset.toml, with every key that is needed."""
    path = folder / "dataset.toml"
    try:
        about = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path}: not found; a dataset folder describes itself there") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{folder.name}/dataset.toml: not readable ({error})") from error
    if "panel" not in about:
        raise DataError(
            f"{folder.name}: holds no outcome to evaluate (no [panel] in dataset.toml); choose another"
        )
    panel = about["panel"]
    problems = [
        f"{folder.name}/dataset.toml: `{key}` is missing"
        for key in ("title", "data", "sha256")
        if key not in about
    ]
    problems += [
        f"{folder.name}/dataset.toml: `panel.{key}` is missing" for key in PANEL_KEYS if key not in panel
    ]
    problems += [
        f"{folder.name}/dataset.toml: `panel.{key}` is not a known key"
        for key in panel
        if key not in PANEL_KEYS and key not in OPTIONAL_KEYS
    ]
    if Path(str(about.get("data", ""))).name != about.get("data", ""):
        problems.append(f"{folder.name}/dataset.toml: `data` must be the name of a file in the folder")
    if problems:
        raise DataError(problems)
    return about


def _numbers(table: Table, column: str) -> list[float | None]:
    return [_number(table, at, cell) for at, cell in enumerate(table.column(column))]


def _number(table: Table, at: int, cell: Any) -> float | None:
    try:
        return number_of(cell, decimal_comma=table.decimal_comma)
    except ValueError as error:
        raise DataError(
            f"{table.name}, row {table.numbers[at]}: '{text_of(cell)}' is not a number"
        ) from error


def _constant(table: Table, areas: Sequence[str], column: str | None) -> dict[str, float]:
    """A number that every row of an area repeats; a DataError where rows disagree."""
    if column is None:
        return {}
    found: dict[str, float] = {}
    for at, (area, cell) in enumerate(zip(areas, table.column(column), strict=True)):
        number = _number(table, at, cell)
        if number is not None and found.setdefault(area, number) != number:
            raise DataError(
                f"{table.name}, row {table.numbers[at]}: '{column}' of area '{area}' differs "
                "from what other rows say"
            )
    return found


def _units(table: Table, areas: Sequence[str], column: str | None) -> dict[str, str] | None:
    if column is None:
        return None
    found: dict[str, str] = {}
    for at, (area, unit) in enumerate(zip(areas, table.text(column), strict=True)):
        if found.setdefault(area, unit) != unit:
            raise DataError(
                f"{table.name}, row {table.numbers[at]}: area '{area}' is in unit '{unit}' here, "
                f"in '{found[area]}' before"
            )
    return found
