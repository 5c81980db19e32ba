"""How a picture is made: Analysis Function style, same bytes every time, text kept as text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from whatworks_eval.report.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1a1a1a"
TREATED, COMPARISON, BUFFER = "#12436D", "#F46A25", "#28A197"  # afcharts: duo, then categorical 2
FAINT, BEFORE_SHADE, AFTER_SHADE = "#BFBFBF", "#F2F2F2", "#E3EDF6"
WIDTH = 8.6  # inches of 72 points: at 200 % zoom of a 1,280 pixel screen the text keeps its size
LONGEST_ALT = 249
_FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture with what a reader who cannot see it needs.

    Attributes:
        id: Unique on the page.
        title: What it shows, as a heading.
        alt: The same in under 250 characters, with the numbers that matter.
        svg: Inline SVG.
        table: The numbers drawn.
        notes: Sentences under it.
    """

    id: str
    title: str
    alt: str
    svg: str
    table: Table
    notes: tuple[str, ...] = ()


@contextmanager
def style(name: str) -> Iterator[None]:
    """The Analysis Function chart style, inside a `with` block only; ids hashed with the chart's name."""
    import matplotlib as mpl
    import matplotlib.style

    own: dict[Any, Any] = {
        "svg.hashsalt": f"whatworks-{name}",
        "svg.fonttype": "none",
        # Measured with a font matplotlib always carries, wider than the one shown: nothing overlaps.
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 12,
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.color": "#707070",
        "axes.edgecolor": "#707070",
        "text.parse_math": False,  # a dollar sign in a name is a dollar sign
        "path.simplify": False,
    }
    with mpl.style.context("afcharts.afcharts"), mpl.rc_context(own):
        yield


def figure(height: float) -> Figure:
    """An empty figure of the common width, outside pyplot's global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height))


def as_svg(made: Figure, name: str, alt: str) -> str:
    """The figure as inline SVG: one image with its description, ids made unique, no date, no address."""
    held = io.BytesIO()
    made.savefig(held, format="svg", dpi=144, metadata={"Date": None, "Creator": None})
    text = held.getvalue().decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"""(\bid="|href="#|url\(#)""", rf"\g<1>{name}-", text)
    text = text.replace("'DejaVu Sans'", _FONT)
    box = re.search(r'viewBox="([^"]+)"', text)
    assert box is not None
    opening = f'<svg class="chart" role="img" aria-label={quoteattr(alt)} viewBox="{box[1]}">'
    return re.sub(r"^<svg[^>]*>", lambda _: opening, text, count=1).strip()


def short(alt: str) -> str:
    """The description; where it would reach 250 characters, cut after a clause or else at a word.

    Example:
        >>> len(short("word " * 100)) < 250, short("A line chart.")
        (True, 'A line chart.')
    """
    if len(alt) <= LONGEST_ALT:
        return alt
    kept = alt[: LONGEST_ALT - 1]
    whole = [found.start() for found in re.finditer(r"[.;](?= )", kept)]
    if whole and whole[-1] > LONGEST_ALT / 5:
        return f"{kept[: whole[-1]]}."
    return kept.rsplit(" ", 1)[0] + "…"
