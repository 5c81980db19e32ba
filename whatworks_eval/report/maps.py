"""Where: a small map of the areas used, from their centroids. No outline, no basemap, no counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from whatworks_eval.judgement import Evaluation
from whatworks_eval.records import Arm
from whatworks_eval.report import drawing
from whatworks_eval.report.charts import beside
from whatworks_eval.report.drawing import BUFFER, COMPARISON, INK, TREATED, Chart
from whatworks_eval.report.numerals import counted
from whatworks_eval.report.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_DRAWN_AS_SHAPES = 4000  # beyond this the comparison is drawn as a picture, to keep the page small
MARKS: dict[Arm, tuple[str, str, bool]] = {
    "comparison": ("o", COMPARISON, False),
    "buffer": ("x", BUFFER, True),
    "treated": ("s", TREATED, True),
}


def area_map(evaluation: Evaluation) -> Chart | None:
    """Treated, comparison and buffer areas as marks of different shape and colour; None without centroids."""
    used: dict[Arm, tuple[str, ...]] = {
        "treated": evaluation.contrast.treated,
        "comparison": evaluation.contrast.comparison,
        "buffer": evaluation.contrast.buffer,
    }
    return map_of(used, evaluation.centroids)


def map_of(used: Mapping[Arm, tuple[str, ...]], centroids: Mapping[str, tuple[float, float]]) -> Chart | None:
    """The map of these areas by arm; None where no treated area's place is known.

    Args:
        used: Arm, then its areas.
        centroids: Area, then (x, y) in metres.
    """
    points = {
        arm: np.array([centroids[area] for area in areas if area in centroids]) for arm, areas in used.items()
    }
    points = {arm: found[np.isfinite(found).all(axis=1)] for arm, found in points.items() if found.size}
    points = {arm: found for arm, found in points.items() if len(found)}
    if "treated" not in points:
        return None
    sizes = [counted(len(found), f"{arm} area") for arm, found in points.items()]
    alt = drawing.short(f"Map of area centroids, without outlines: {', '.join(sizes)}.")
    every = np.concatenate(list(points.values()))
    low, high = every.min(axis=0), every.max(axis=0)
    spread = np.maximum(high - low, 2_000.0)
    tall = min(max(float(spread[1] / spread[0]) * (drawing.WIDTH - 2.2), 2.6), 6.0)
    with drawing.style("map"):
        frame = drawing.figure(tall)
        axes = frame.add_axes((0.01, 0.04, 0.76, 0.92))
        axes.set_aspect("equal")
        axes.axis("off")
        middle, reach = (low + high) / 2, 0.54 * spread
        axes.set_xlim(middle[0] - reach[0], middle[0] + reach[0])
        axes.set_ylim(middle[1] - 1.04 * reach[1], middle[1] + reach[1])
        for arm, (mark, colour, filled) in MARKS.items():
            if arm not in points:
                continue
            many = len(points[arm])
            crowd = 1.0 if len(every) > 400 else 1.5
            big = crowd * (2.4 if arm == "comparison" else 4.2)
            axes.plot(
                *points[arm].T,
                mark,
                color=colour,
                mfc=colour if filled else "none",
                markersize=big,
                markeredgewidth=0.9,
                linestyle="none",
                label=f"{arm.capitalize()} ({many:,})",
                rasterized=many > MOST_DRAWN_AS_SHAPES,
            )
        scale_bar(axes, float(reach[0] * 2))
        marks = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(
            [mark for _, mark in sorted(marks.items(), reverse=True)],
            sorted(marks, reverse=True),
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
            handletextpad=0.2,
            markerscale=1.6,
        )
        svg = drawing.as_svg(frame, "map", alt)
    return Chart(
        id="map",
        title="The areas used, by their centres",
        alt=alt,
        svg=svg,
        table=Table(
            caption="Areas on the map",
            columns=("Arm", "Areas on the map", "Areas without a known place"),
            rows=tuple(
                (
                    arm.capitalize(),
                    f"{len(points.get(arm, ())):,}",
                    f"{len(areas) - len(points.get(arm, ())):,}",
                )
                for arm, areas in used.items()
                if areas
            ),
            numeric=(1, 2),
        ),
        notes=("Each mark is the centre of an area; north is up.",),
    )


def scale_bar(axes: Axes, metres: float) -> None:
    """Draw a round length, about a fifth of this width, at the lower left."""
    rough = metres / 5
    power = 10.0 ** math.floor(math.log10(rough))
    length = max(step * power for step in (1, 2, 5) if step * power <= rough)
    left, low = axes.get_xlim()[0], axes.get_ylim()[0]
    axes.plot([left, left + length], [low, low], color=INK, linewidth=3, solid_capstyle="butt", clip_on=False)
    beside(axes, f"{length / 1000:g} km", (left + length, low), 6)
