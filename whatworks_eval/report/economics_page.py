"""The economics as a page of its own, and as the part of a report's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from whatworks_eval.economics.records import CostBenefit
from whatworks_eval.report.as_json import tool
from whatworks_eval.report.economics_section import Section, section_of
from whatworks_eval.report.economics_words import CREDIT_FROM
from whatworks_eval.report.templates import templates
from whatworks_eval.report.tornado_chart import tornado_chart

if TYPE_CHECKING:
    pass

BEFORE_THE_CHART = 3  # tables: the answer, who pays and gains, what sort of benefit


def in_template(made: CostBenefit) -> dict[str, Any]:
    """What the template of the section prints."""
    from markupsafe import Markup

    chart = tornado_chart(made)
    drawn = None
    if chart is not None:
        # matplotlib escapes the names in a picture
        drawn = {
            "id": chart.id,
            "title": chart.title,
            "svg": Markup(chart.svg),
            "table": chart.table,
            "notes": chart.notes,
        }
    return {
        "section": section_of(made),
        "tornado": drawn,
        "first": BEFORE_THE_CHART,
        "warn": made.level < CREDIT_FROM or made.prevented_includes_zero is not False,
    }


def economics_html(made: CostBenefit, *, title: str, facts: Sequence[tuple[str, str]]) -> str:
    """The economics as one self-contained HTML file: same inputs, same bytes.

    Args:
        made: What was appraised.
        title: The heading of the page.
        facts: Name and phrase of what was read, for the end of the page.
    """
    return _page(in_template(made), title=title, level=made.level, facts=facts)


def section_html(section: Section, *, title: str, level: int, facts: Sequence[tuple[str, str]]) -> str:
    """A section without a chart as one self-contained HTML file; arguments as for `economics_html`."""
    made = {"section": section, "tornado": None, "first": len(section.tables)}
    return _page({**made, "warn": level < CREDIT_FROM}, title=title, level=level, facts=facts)


def _page(made: dict[str, Any], *, title: str, level: int, facts: Sequence[tuple[str, str]]) -> str:
    shown = templates().get_template("economics_page.html.j2")
    page = shown.render(title=title, level=level, made=made, facts=facts, tool=tool())
    return page.strip() + "\n"
