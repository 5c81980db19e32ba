"""Published evaluations computed again, as one self-contained HTML file that loads and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from whatworks_eval.published import Reproduction
from whatworks_eval.report.as_json import tool
from whatworks_eval.report.forest import forest_charts, not_drawn
from whatworks_eval.report.reproduced import SAID, VERDICTS, table_of, tally_sentence
from whatworks_eval.report.templates import templates


def reproductions_page(every: Sequence[Reproduction]) -> str:
    """The page as text: same rows, same bytes."""
    from markupsafe import Markup

    tables = {verdict: table_of(every, verdict) for verdict in VERDICTS}
    charts = [
        # matplotlib escapes the names in a picture
        {
            "id": chart.id,
            "title": chart.title,
            "svg": Markup(chart.svg),
            "table": chart.table,
            "notes": chart.notes,
        }
        for chart in forest_charts(every)
    ]
    shown = (
        templates()
        .get_template("reproduce_page.html.j2")
        .render(
            tally=tally_sentence(every),
            said=SAID,
            groups=[
                (verdict.replace(" ", "-"), verdict.capitalize(), table)
                for verdict, table in tables.items()
                if table
            ],
            charts=charts,
            not_drawn=not_drawn(every),
            tool=tool(),
        )
    )
    return shown.strip() + "\n"
