"""The section 'How alike the areas are': for the terminal, the page and JSON."""

from __future__ import annotations

from typing import Any

from whatworks_eval.likeness import Gap, Likeness
from whatworks_eval.report import likeness_words as words
from whatworks_eval.report.drawing import Chart
from whatworks_eval.report.lead_in_chart import lead_in_chart
from whatworks_eval.report.love_plot import love_plot
from whatworks_eval.report.tables import Table
from whatworks_eval.report.text import grid, heading, wrap


def likeness_text(found: Likeness) -> str:
    """The section as plain text: sentences, balance, areas left out and areas beyond the others."""
    tables = (
        words.balance_table(found),
        words.typical_table(found),
        words.left_out_table(found),
        words.beyond_table(found),
    )
    return "\n".join(
        [
            heading(words.TITLE),
            *(wrap(sentence) for sentence in words.lead(found)),
            *(grid(table) for table in tables if table is not None),
        ]
    )


def likeness_in_template(found: Likeness) -> dict[str, Any]:
    """What the template of the section prints."""
    areas: list[Table | None] = [words.left_out_table(found), words.beyond_table(found)]
    return {
        "title": words.TITLE,
        "lead": words.lead(found),
        "figures": [drawn(chart) for chart in (love_plot(found), lead_in_chart(found)) if chart is not None],
        "typical": words.typical_table(found),
        "areas": [table for table in areas if table is not None],
    }


def drawn(chart: Chart) -> dict[str, Any]:
    """A picture as the template prints it."""
    from markupsafe import Markup

    return {
        "id": chart.id,
        "title": chart.title,
        "svg": Markup(chart.svg),  # matplotlib escapes the names in it
        "table": chart.table,
        "notes": chart.notes,
    }


def likeness_dict(found: Likeness) -> dict[str, Any]:
    """The section as plain JSON values, as `likeness_schema` describes them."""
    return {
        "chosen": found.chosen,
        "algorithm": found.algorithm,
        "on": list(found.on),
        "searched": found.searched or None,
        "averaged": dict(found.averaged),
        "estimand": words.estimand(found),
        "treated": found.declared,
        "matched": found.matched,
        "pool": found.pool,
        "used": found.used,
        "effective": found.effective,
        "heaviest": {"area": found.heaviest[0], "stands_for": found.heaviest[1]},
        "features": [
            {
                "name": one.name,
                "matched_on": one.matched_on,
                "before": _gap(one.before),
                "after": _gap(one.after),
                "not_known": one.not_known,
            }
            for one in found.features
        ],
        "unmatched": dict(found.unmatched),
        "beyond": [{"area": area, "how_far": how_far} for area, how_far in found.beyond],
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "treated": gap.treated,
        "comparison": gap.comparison,
        "standardised": gap.standardised,
        "variance_ratio": gap.variance_ratio,
        "why_missing": gap.why_missing or None,
    }
