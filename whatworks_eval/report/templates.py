"""How the HTML templates of this folder are loaded: everything they print is escaped."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from whatworks_eval.report.numerals import MINUS

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


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
