"""The economics as a page of its own, and as the part of a report's page; and how templates are loaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whatworks_eval.economics.records import CostBenefit
from whatworks_eval.report.as_json import tool
from whatworks_eval.report.economics_section import Section, section_of
from whatworks_eval.report.economics_words import CREDIT_FROM
from whatworks_eval.report.numerals import MINUS
from whatworks_eval.report.tornado_chart import tornado_chart

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

BEFORE_THE_CHART = 3  # tables: the answer, who pays and gains, what sort of benefit


def templates() -> Environment:
    """The templates of this folder, everything they print escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["held"] = held
    return made


def held(text: str) -> Markup:
    """The text escaped, with what belongs on one line held together.

    Example:
        >>> str(held("<b> 12 % lower"))
        '&lt;b&gt; 12&nbsp;% lower'
    """
    from markupsafe import Markup, escape

    whole = re.sub(r"(?<=\d) %", "&nbsp;%", str(escape(text)))
    whole = whole.replace(f"{MINUS}£", f"{MINUS}&#8288;£")  # a word joiner: the sign stays with its pounds
    return Markup(whole.replace("p-value", "p&#8209;value"))


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
