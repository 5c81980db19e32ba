"""The page `whatworks match` writes: how alike the areas are, where they lie, who is matched with whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from whatworks_eval.likeness import Likeness
from whatworks_eval.match_list import Row
from whatworks_eval.matching.features import all_in_words
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Arm, Contrast
from whatworks_eval.report.as_json import tool
from whatworks_eval.report.drawing import Chart
from whatworks_eval.report.likeness_section import drawn, likeness_in_template
from whatworks_eval.report.likeness_words import estimand
from whatworks_eval.report.maps import map_of
from whatworks_eval.report.numerals import clean, counted
from whatworks_eval.report.tables import Table
from whatworks_eval.report.templates import templates

MOST_LISTED = 200  # treated areas on the page; all are in the list


def match_page(
    protocol: Protocol,
    contrast: Contrast,
    found: Likeness,
    rows: Sequence[Row],
    centroids: Mapping[str, tuple[float, float]],
    *,
    note: str,
    outlines: Chart | None = None,
) -> str:
    """One self-contained HTML file; the same design and counts before the start give the same bytes.

    Args:
        protocol: What was declared.
        contrast: Who would be compared with whom.
        found: How alike they are.
        rows: The match list.
        centroids: Area, then (x, y) in metres.
        note: What the page rests on, in a sentence.
        outlines: A map with boundaries, in place of the one drawn from centroids.
    """
    used: dict[Arm, tuple[str, ...]] = {
        "treated": contrast.treated,
        "comparison": contrast.comparison,
        "buffer": contrast.buffer,
    }
    where = outlines or map_of(used, centroids)
    shown: dict[str, Any] = {
        "title": f"Who would be compared with whom: {clean(protocol.question)}",
        "headline": f"{estimand(found)} {note}",
        "warn": found.matched < found.declared or bool(found.beyond),
        "alike": likeness_in_template(found),
        "map": None if where is None else drawn(where),
        "list": list_table(rows),
        "facts": [
            ("Project", clean(protocol.intervention.name)),
            ("Start", clean(protocol.intervention.start)),
            ("Before window", " to ".join(found.before)),
            ("Matched on", clean(all_in_words(found.on)) or "strata alone"),
        ],
        "protocol": protocol,
        "tool": tool(),
    }
    return templates().get_template("match_page.html.j2").render(**shown).strip() + "\n"


def list_table(rows: Sequence[Row]) -> Table:
    """Each treated area with its comparison areas and what each counts for in it."""
    by_area: dict[str, list[Row]] = {}
    for row in rows:
        by_area.setdefault(row.treated, []).append(row)
    lines = [
        (
            clean(area),
            ", ".join(f"{clean(row.comparison)} ({row.share:.2g})" for row in its if row.share is not None)
            or f"none: {clean(its[0].why_not)}",
        )
        for area, its in by_area.items()
    ]
    more = len(lines) - MOST_LISTED
    return Table(
        caption=f"The match list: {counted(len(lines), 'row')}",
        columns=("Treated", "Comparison, and what each counts for"),
        rows=tuple(lines[:MOST_LISTED]),
        notes=(f"And {more:,} more; all are in match.csv.",) if more > 0 else (),
    )
