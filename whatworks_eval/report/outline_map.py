"""Where, with boundaries: treated and comparison areas filled, those not chosen as outlines."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.records import Arm
from whatworks_eval.report import drawing
from whatworks_eval.report.drawing import BUFFER, COMPARISON, FAINT, TREATED, Chart
from whatworks_eval.report.maps import scale_bar
from whatworks_eval.report.numerals import counted
from whatworks_eval.report.tables import Table

Rings = tuple[NDArray[np.float64], ...]
# Hatching tells the arms apart where colour does not.
FILLS: dict[Arm, tuple[str, str]] = {
    "comparison": (COMPARISON, "////"),
    "buffer": (BUFFER, "...."),
    "treated": (TREATED, ""),
}


def outline_map(
    used: Mapping[Arm, tuple[str, ...]], pool: Collection[str], rings: Mapping[str, Rings]
) -> Chart | None:
    """The map of these areas by arm with their boundaries; None where no treated area has one.

    Args:
        used: Arm, then its areas.
        pool: Areas that could have been chosen and were not.
        rings: Area, then its rings in metres; areas without boundaries are counted under the map.
    """
    from matplotlib.patches import Patch, PathPatch
    from matplotlib.path import Path as Outline

    drawn = {arm: [area for area in areas if area in rings] for arm, areas in used.items() if areas}
    if not drawn.get("treated"):
        return None
    lost = sum(len(areas) for areas in used.values()) - sum(map(len, drawn.values()))
    others = [area for area in sorted(pool) if area in rings]
    every = np.concatenate(
        [ring for areas in (*drawn.values(), others) for area in areas for ring in rings[area]]
    )
    low, high = every.min(axis=0), every.max(axis=0)
    spread = np.maximum(high - low, 2_000.0)
    alt = drawing.short(
        "Map of area boundaries: "
        + ", ".join(counted(len(areas), f"{arm} area") for arm, areas in drawn.items())
        + "."
    )

    def shape(area: str) -> Outline:
        return Outline.make_compound_path(*(Outline(ring, closed=True) for ring in rings[area]))

    with drawing.style("outlines"):
        frame = drawing.figure(min(max(float(spread[1] / spread[0]) * (drawing.WIDTH - 2.2), 2.6), 8.0))
        axes = frame.add_axes((0.01, 0.04, 0.76, 0.92))
        axes.set_aspect("equal")
        axes.axis("off")
        middle, reach = (low + high) / 2, 0.52 * spread
        axes.set_xlim(middle[0] - reach[0], middle[0] + reach[0])
        axes.set_ylim(middle[1] - 1.06 * reach[1], middle[1] + reach[1])
        for area in others:
            axes.add_patch(PathPatch(shape(area), facecolor="none", edgecolor=FAINT, linewidth=0.3))
        keys = []
        for arm, (colour, hatch) in FILLS.items():
            for area in drawn.get(arm, ()):
                face = colour if arm == "treated" else "white"
                axes.add_patch(
                    PathPatch(shape(area), facecolor=face, edgecolor=colour, hatch=hatch, linewidth=0.8)
                )
            if drawn.get(arm):
                keys.append(
                    Patch(
                        facecolor=colour if arm == "treated" else "white",
                        edgecolor=colour,
                        hatch=hatch,
                        label=f"{arm.capitalize()} ({len(drawn[arm]):,})",
                    )
                )
        scale_bar(axes, float(reach[0] * 2))
        axes.legend(handles=keys[::-1], loc="upper left", bbox_to_anchor=(1.0, 1.0))
        svg = drawing.as_svg(frame, "outlines", alt)
    return Chart(
        id="outlines",
        title="The areas used, with their boundaries",
        alt=alt,
        svg=svg,
        table=Table(
            caption="Areas on the map",
            columns=("Arm", "Areas on the map", "Areas without boundaries"),
            rows=tuple(
                (arm.capitalize(), f"{len(drawn[arm]):,}", f"{len(areas) - len(drawn[arm]):,}")
                for arm, areas in used.items()
                if areas
            ),
            numeric=(1, 2),
        ),
        notes=(
            "Thin outlines: areas that could have been chosen and were not. North is up.",
            *([f"The file of boundaries lacks {counted(lost, 'area')} used here."] if lost else []),
        ),
    )
