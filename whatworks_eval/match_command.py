"""What `whatworks match` does: choose the comparison, show how alike it is, and estimate nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.before_start import before_start
from whatworks_eval.contrast import build_contrast
from whatworks_eval.errors import ProtocolError
from whatworks_eval.likeness import Likeness
from whatworks_eval.match_list import Row, as_csv, match_list
from whatworks_eval.measures.likeness import likeness_of
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Arm, Contrast, Data
from whatworks_eval.terminal import UsageProblem, aside, folder_for, read, save

if TYPE_CHECKING:
    from whatworks_eval.report.drawing import Chart

NOTHING_LATER = "Made from what was known before the start; no effect was estimated and no later count used."

NOT_MATCHED = (
    'areas.comparison: there is nothing to match; write comparison = "matched" and, for more than the level '
    "before the start, a section [matching]"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """A comparison chosen beforehand.

    Attributes:
        protocol: What was declared.
        contrast: Who would be compared with whom.
        likeness: How alike they are.
        rows: The match list.
        centroids: Area, then (x, y) in metres; areas without a known place left out.
    """

    protocol: Protocol
    contrast: Contrast
    likeness: Likeness
    rows: tuple[Row, ...]
    centroids: dict[str, tuple[float, float]]


def choose(protocol: Protocol, data: Data) -> Chosen:
    """The comparison a design asks for, with balance and support, from before the start alone.

    Args:
        protocol: With `areas.comparison = "matched"`.
        data: What `load_data` returned; what happened after the start is taken out first.

    Raises:
        ProtocolError: The comparison is not matched, or the outcome is a share of respondents.
        DataError: A declared area or feature is not in the data.
        CannotEstimate: No treated area can be matched.
    """
    if not matches(protocol) or not isinstance(data, Panel):
        raise ProtocolError(NOT_MATCHED)
    early = before_start(protocol, data)
    contrast = build_contrast(protocol, early)
    found = likeness_of(protocol, early, contrast)
    if found is None:
        raise ProtocolError(
            f"method '{protocol.method}' does not match areas on counts before the start; use "
            "'relative-effect' or 'did' with counts"
        )
    return Chosen(
        protocol=protocol,
        contrast=contrast,
        likeness=found,
        rows=match_list(contrast),
        centroids=_places(early),
    )


def matches(protocol: Protocol) -> bool:
    """Whether the design asks for a matched comparison."""
    return protocol.areas is not None and protocol.areas.comparison == "matched"


def _places(panel: Panel) -> dict[str, tuple[float, float]]:
    if panel.centroids is None:
        return {}
    known: NDArray[np.bool_] = np.asarray(np.isfinite(panel.centroids).all(axis=1))
    return {
        area: (float(panel.centroids[at, 0]), float(panel.centroids[at, 1]))
        for at, area in enumerate(panel.areas)
        if known[at]
    }


def as_text(made: Chosen) -> str:
    """What is printed: the question, how alike the areas are, and what was left out."""
    from whatworks_eval.report.likeness_section import likeness_text
    from whatworks_eval.report.text import heading, wrap

    parts = [heading(made.protocol.question, "="), wrap(NOTHING_LATER), likeness_text(made.likeness)]
    return "\n".join(parts)


def as_dict(made: Chosen) -> dict[str, Any]:
    """The same as plain JSON values; `matching` is as in result.json."""
    from whatworks_eval.report.as_json import tool
    from whatworks_eval.report.likeness_section import likeness_dict

    return {
        "schema": 1,
        "tool": tool(),
        "protocol": {"sha256": made.protocol.sha256, "id": made.protocol.id},
        "matching": likeness_dict(made.likeness),
        "list": [
            {"treated": row.treated, "comparison": row.comparison, "share": row.share, "why_not": row.why_not}
            for row in made.rows
        ],
    }


def command(
    file: str, *, data: Path | None, out: Path | None, numbers: str | None, boundaries: Path | None
) -> None:
    """Choose, print, write match.csv and match.html.

    Args:
        file: The design, or the name of a shipped one.
        data: Folder that outcome.path is relative to; None = the design's own.
        out: Folder to write to; None = out/ID.
        numbers: Where JSON goes too; '-' = only to stdout.
        boundaries: GeoJSON for the map; None draws it from centroids.
    """
    from whatworks_eval.report.match_page import match_page
    from whatworks_eval.sources import load_data

    protocol = read(file)
    if data is not None and not data.is_dir():
        raise UsageProblem(f"--data {data}: there is no such folder")
    folder = folder_for(protocol.id, out)
    if not matches(protocol):  # before any file is read
        raise ProtocolError(NOT_MATCHED)
    made = choose(protocol, load_data(protocol, base=data))
    page = match_page(
        made.protocol,
        made.contrast,
        made.likeness,
        made.rows,
        made.centroids,
        note=NOTHING_LATER,
        outlines=None if boundaries is None else _with_boundaries(made, boundaries),
    )
    written = [save(folder / "match.csv", as_csv(made.rows)), save(folder / "match.html", page)]
    values = json.dumps(as_dict(made), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if numbers is not None and numbers != "-":
        written.append(save(Path(numbers), values))
    told = "\n".join([as_text(made), "", *(f"Written: {path}" for path in written)])
    if numbers == "-":
        aside(told)
        print(values, end="")
    else:
        print(told)


def _with_boundaries(made: Chosen, file: Path) -> Chart | None:
    from whatworks_eval.report.outline_map import outline_map
    from whatworks_eval.sources.outlines import read_outlines

    used: dict[Arm, tuple[str, ...]] = {
        "treated": made.contrast.treated,
        "comparison": made.contrast.comparison,
        "buffer": made.contrast.buffer,
    }
    pool = {*made.contrast.pool, *made.contrast.unmatched}
    found = read_outlines(file, {*pool, *(area for areas in used.values() for area in areas)})
    return outline_map(used, pool, found.rings)
