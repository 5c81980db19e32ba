"""What happened to every row, file, period and area, and what was declared, as tables."""

from __future__ import annotations

import itertools
from typing import Any

from whatworks_eval.judgement import Evaluation
from whatworks_eval.protocol import Protocol
from whatworks_eval.report.numerals import clean, listed
from whatworks_eval.report.tables import ABSENT, Table

MOST_VALUES = 12


def rows_kept(evaluation: Evaluation) -> Table:
    """Rows read, used and excluded under each reason: read = used + excluded."""
    kept = evaluation.ledger
    rows = [("Read", f"{kept.read:,}", ABSENT), ("Used", f"{kept.used:,}", ABSENT)]
    for reason, by_period in sorted(
        kept.excluded.items(), key=lambda pair: (-sum(pair[1].values()), pair[0])
    ):
        spread = [period for period in by_period if period]
        rows.append(
            (
                f"Excluded: {clean(reason)}",
                f"{sum(by_period.values()):,}",
                f"{len(spread):,}" if spread else ABSENT,
            )
        )
    return Table(
        caption="What happened to every row",
        columns=("Rows", "Number", "Periods concerned"),
        rows=tuple(rows),
        numeric=(1, 2),
    )


def files(evaluation: Evaluation) -> Table | None:
    """Files read with rows and SHA-256, the members of an archive in one row; None where there were none."""
    read = evaluation.ledger.files
    if not read:
        return None
    rows, notes = [], []
    for sha256, group in itertools.groupby(read, key=lambda file: file.sha256):
        members = list(group)
        name = clean(members[0].name)
        if len(members) > 1:
            notes = ["The files in an archive share its SHA-256; result.json names each with its rows."]
            name = f"{name.split('/', 1)[0]} ({len(members):,} files in it)"
        rows.append((name, f"{sum(file.rows for file in members):,}", clean(sha256)))
    return Table(
        caption="Files read",
        columns=("File", "Rows", "SHA-256"),
        rows=tuple(rows),
        numeric=(1,),
        notes=tuple(notes),
    )


def lost(evaluation: Evaluation) -> Table | None:
    """Periods without a file, periods dropped and areas dropped, with why; None where nothing was lost."""
    kept, windowed = evaluation.ledger, evaluation.windowed
    rows = [
        ("Period without a file", period, f"no file from {clean(force)}" if force else "no file")
        for force, periods in sorted(kept.periods_without_file.items())
        for period in periods
    ]
    if windowed is not None:
        rows += [
            ("Period left out", period, clean(why))
            for period, why in sorted(windowed.periods_dropped.items())
        ]
    dropped = {**kept.areas_dropped, **(windowed.areas_dropped if windowed is not None else {})}
    by_reason: dict[str, list[str]] = {}
    for area, why in sorted(dropped.items()):
        by_reason.setdefault(clean(why), []).append(area)
    rows += [("Areas left out", f"{len(areas):,}: {listed(areas)}", why) for why, areas in by_reason.items()]
    if not rows:
        return None
    return Table(
        caption="Periods and areas missing or left out",
        columns=("What", "Which", "Why"),
        rows=tuple(rows),
        notes=("Every area left out is named in result.json.",) if by_reason else (),
    )


def declared(protocol: Protocol) -> Table:
    """The protocol, one row a key, with defaults filled in; long lists are cut and the rest counted."""
    rows = tuple((key, value) for key, value in _flat("", protocol.as_dict()) if value is not None)
    return Table(
        caption="The protocol as declared, defaults filled in",
        columns=("Key", "Value"),
        rows=rows,
        notes=("Keys that were not declared are left out; result.json holds every value in full.",),
    )


def _flat(key: str, value: Any) -> list[tuple[str, str | None]]:
    if isinstance(value, dict):
        if not value:
            return []
        return [
            pair
            for name, inner in value.items()
            for pair in _flat(f"{key}.{name}" if key else clean(name), inner)
        ]
    if isinstance(value, (list, tuple)):
        if any(isinstance(item, dict) for item in value):
            return [pair for at, item in enumerate(value, 1) for pair in _flat(f"{key}[{at}]", item)]
        return [(key, listed([_said(item) for item in value], most=MOST_VALUES) or "none")]
    return [(key, None if value is None else _said(value))]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return clean(str(value)) or "none"
