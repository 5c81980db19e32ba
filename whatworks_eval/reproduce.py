"""Published evaluations computed again: published value, computed value, verdict, level.

The level is that of the row's own numbers under the ordinary rules, as if they were all anybody had; a
study may hold more evidence than its row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from whatworks_eval.evaluation import evaluate
from whatworks_eval.judgement import Evaluation
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.published import (
    Check,
    Computed,
    Published,
    Reproduction,
    Verdict,
    decimals,
    load_published,
)
from whatworks_eval.reproduce_measures import MEASURES, Rows, compute
from whatworks_eval.reproduce_traps import traps_of
from whatworks_eval.sources import load_data

NOT_GIVEN = "no numbers to build a design from"
WITHIN = 1e-9  # of the last digit, for halves that fall on the boundary


def reproduce(folder: Path | None = None) -> tuple[Reproduction, ...]:
    """Every row of the published table computed again, in the order of the table.

    Args:
        folder: Where the table and its readings lie; None = the shipped ones.

    Raises:
        DataError: The table or its readings cannot be read.

    Example:
        >>> first = reproduce()[0]
        >>> first.row.id, first.verdict, first.level
        ('WR18-1', 'match', 2)
    """
    rows = {row.id: row for row in load_published(folder)}
    return tuple(_again(row, rows) for row in rows.values())


def _again(row: Published, rows: Rows) -> Reproduction:
    computed = compute(row, rows)
    checks = checks_of(row, computed)
    verdict = _verdict(computed, checks)
    protocol = protocol_of(row, rows)
    evaluation = None if protocol is None else evaluate(protocol, load_data(protocol))
    of_before, of_expected = _in_percent(evaluation)
    return Reproduction(
        row=row,
        measure=MEASURES[row.reading.measure][0] if row.reading.measure else "",
        computed=computed,
        checks=checks,
        verdict=verdict,
        reason="" if verdict == "match" else row.reading.reason or "no reason is known",
        notes=traps_of(row, rows, computed),
        level=None if evaluation is None else evaluation.grade.level,
        bound_by=() if evaluation is None else evaluation.grade.bound_by,
        why_no_level="" if evaluation is not None else row.reading.no_level or NOT_GIVEN,
        of_before=of_before,
        of_expected=of_expected,
    )


def checks_of(row: Published, computed: Computed | None) -> tuple[Check, ...]:
    """Every published number of a row beside the computed one; the value first."""
    reading = row.reading
    found = {} if computed is None else {item.name: getattr(computed, item.name) for item in fields(computed)}
    value, se, p = found.get("value"), found.get("se"), found.get("p_value")
    pairs: tuple[tuple[str, str, float | None], ...] = (
        ("value", row.cells["reported_value"], value),
        ("low", row.cells["reported_low"], found.get("low")),
        ("high", row.cells["reported_high"], found.get("high")),
        ("standard error", reading.se, se),
        ("z", reading.z, value / se if value is not None and se else None),
        ("p-value", reading.p, None if p is None else p * reading.p_sides / 2),
        ("log ratio", reading.log_value, found.get("log_value")),
        ("standard error of the log ratio", reading.log_se, found.get("log_se")),
    )
    return tuple(
        Check(
            name=name,
            published=published,
            computed=number,
            agrees=None if number is None else to_the_digits(published, number),
        )
        for name, published, number in pairs
        if published
    )


def to_the_digits(published: str, computed: float) -> bool:
    """True where the computed number rounds to the published one at the digits published.

    Example:
        >>> to_the_digits("-88", -87.5), to_the_digits("-90", -90.9), to_the_digits("22.4", 22.36)
        (True, False, True)
    """
    unit: float = 10.0 ** -decimals(published)
    return abs(computed - float(published)) <= (0.5 + WITHIN) * unit


def _verdict(computed: Computed | None, checks: tuple[Check, ...]) -> Verdict:
    if computed is None or not checks or checks[0].agrees is None:
        return "cannot be computed"
    return "mismatch" if any(check.agrees is False for check in checks) else "match"


def protocol_of(row: Published, rows: Rows) -> Protocol | None:
    """The row as a declared design, from its numbers alone; None where they make none.

    Counts become totals; rates and percentages become published changes, since they are no counts.
    """
    reading = row.reading
    if reading.assignment is None:
        return None
    outcome = _totals(row, rows) if reading.inputs == "counts" else _changes(row)
    compared = "comparison" in next(iter(value for key, value in outcome.items() if key != "source"))
    # The table gives the year of publication; a start is asked for and, without windows, not looked at.
    year = row.cells["year"] or "2000"
    return protocol_from_dict(
        {
            "schema": 1,
            "id": f"published-{row.id.lower()}",
            "question": f"{row.cells['study']}: did {row.cells['outcome']} change?",
            "method": "relative-effect" if compared else "before-after",
            "intervention": {
                "name": row.cells["intervention"],
                "start": f"{year}-01",
                "assignment": reading.assignment,
            },
            "outcome": outcome,
        }
    )


def _totals(row: Published, rows: Rows) -> dict[str, Any]:
    parts = [rows[name] for name in row.reading.of] or [row]
    totals: dict[str, Any] = {"periods": list(row.months or row.reading.time_weights or (1.0, 1.0))}
    for arm in ("treated", "comparison", "buffer"):
        pairs = [part.pair(arm) for part in parts]
        if all(pair is not None for pair in pairs):
            totals[arm] = [sum(pair[window] for pair in pairs if pair) for window in (0, 1)]
    for arm, size in row.reading.units.items():
        totals[f"{arm}_units"] = int(size)
    return {"source": "totals", "totals": totals}


def _changes(row: Published) -> dict[str, Any]:
    changes: dict[str, Any] = dict(row.reading.changes)
    for arm in ("treated", "comparison"):
        pair = row.pair(arm)
        if row.reading.inputs == "rates" and pair is not None:
            changes[arm] = 100 * (pair[1] / pair[0] - 1)
    if "decimals" in changes:
        changes["decimals"] = int(changes["decimals"])
    return {"source": "published-changes", "changes": changes}


def _in_percent(evaluation: Evaluation | None) -> tuple[float | None, float | None]:
    """The treated areas' own change in percent, and their change in percent of what was expected."""
    if evaluation is None or evaluation.windowed is None:
        return None, None
    (before, after), (length, length_after) = evaluation.windowed.total("treated"), evaluation.windowed.months
    own = 100 * ((after / length_after) / (before / length) - 1) if before > 0 else None
    if not evaluation.windowed.has("comparison"):
        return own, None
    return own, evaluation.estimate.percent_change.value


def as_json(every: Iterable[Reproduction]) -> str:
    """Every reproduction as a JSON list: same rows, same bytes."""
    return json.dumps([as_dict(one) for one in every], indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_dict(found: Reproduction) -> dict[str, Any]:
    """A reproduction as plain JSON values."""
    row, reading = found.row, found.row.reading
    return {
        "id": row.id,
        "study": row.cells["study"],
        "outcome": row.cells["outcome"],
        "confidence_in_row": row.cells["confidence"],
        "reported_measure": row.cells["reported_measure"],
        "measure": found.measure or None,
        "inputs": reading.inputs,
        "interval": reading.interval,
        "verdict": found.verdict,
        "reason": found.reason or None,
        "checks": [
            {
                "name": check.name,
                "published": check.published,
                "computed": check.computed,
                "agrees": check.agrees,
            }
            for check in found.checks
        ],
        "percent_of_before": found.of_before,
        "percent_of_expected": found.of_expected,
        "notes": list(found.notes),
        "level": found.level,
        "bound_by": list(found.bound_by),
        "why_no_level": found.why_no_level or None,
        "design_as_described": row.cells["design"],
        "source": row.cells["source"],
    }
