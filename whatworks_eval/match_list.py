"""The match list: who would be compared with whom, as rows and as CSV that a spreadsheet opens safely."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from whatworks_eval.records import Contrast

COLUMNS = ("treated", "comparison", "share", "why_not")
EVERY = "every treated area"
# A spreadsheet takes a cell that begins like this for a formula.
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A treated area with one area of its comparison, or without any.

    Attributes:
        treated: Its code; `EVERY` where all share one weighted comparison.
        comparison: Code; '' where there is none.
        share: What it counts for in that comparison, 0 to 1; None where there is none.
        why_not: Why there is none; '' otherwise.
    """

    treated: str
    comparison: str
    share: float | None
    why_not: str


def match_list(contrast: Contrast) -> tuple[Row, ...]:
    """Pairs in the order of the treated areas, then the treated areas left out.

    Example:
        >>> contrast = Contrast(treated=("a",), comparison=("b", "c"), units={}, unit_basis="area",
        ...     comparison_units=True, chosen="", weights={"b": 0.5, "c": 0.5},
        ...     pairs=(("a", "b"), ("a", "c")), unmatched={"z": "nothing like it"})
        >>> [(row.treated, row.comparison, row.share) for row in match_list(contrast)]
        [('a', 'b', 0.5), ('a', 'c', 0.5), ('z', '', None)]
    """
    rows = []
    if contrast.pairs:
        size: dict[str, int] = {}
        for treated, _ in contrast.pairs:
            size[treated] = size.get(treated, 0) + 1
        made, at = contrast.matches, {}
        if made is not None:
            at = {area: place for place, area in enumerate(made.areas)}
        for treated, other in contrast.pairs:
            share = 1 / size[treated] if made is None else float(made.shares[at[treated], at[other]])
            rows.append(Row(treated=treated, comparison=other, share=share, why_not=""))
    else:
        weights = contrast.weights or {}
        whole = sum(weights.values())
        rows = [
            Row(treated=EVERY, comparison=area, share=weight / whole, why_not="")
            for area, weight in sorted(weights.items())
        ]
    left = [
        Row(treated=area, comparison="", share=None, why_not=why)
        for area, why in sorted(contrast.unmatched.items())
    ]
    return (*rows, *left)


def as_csv(rows: tuple[Row, ...]) -> str:
    """The list as CSV text: a heading, a line each, cells that a spreadsheet would run made plain text.

    Example:
        >>> print(as_csv((Row(treated="=1+1", comparison="b", share=1.0, why_not=""),)), end="")
        treated,comparison,share,why_not
        '=1+1,b,1,
    """
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        share = "" if row.share is None else f"{row.share:.10g}"
        writer.writerow([safe(row.treated), safe(row.comparison), share, safe(row.why_not)])
    return held.getvalue()


def safe(cell: str) -> str:
    """The cell, with an apostrophe before it where a spreadsheet would take it for a formula.

    Source: OWASP, CSV Injection.

    Example:
        >>> safe("@SUM(A1)"), safe("E01000001")
        ("'@SUM(A1)", 'E01000001')
    """
    return f"'{cell}" if cell.startswith(_BEGINS_A_FORMULA) else cell
