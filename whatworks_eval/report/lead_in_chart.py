"""Level and trend of the outcome before the start: treated, comparison, and all areas to choose from."""

from __future__ import annotations

import numpy as np

from whatworks_eval.likeness import Likeness
from whatworks_eval.periods import calendar_part
from whatworks_eval.report import drawing
from whatworks_eval.report.charts import MOST_TICKS, beside
from whatworks_eval.report.drawing import BEFORE_SHADE, COMPARISON, TREATED, Chart
from whatworks_eval.report.likeness_words import lead_in_table
from whatworks_eval.report.numerals import SMALLEST_COUNT, number

_LINES = {
    "treated": (TREATED, "-", 2.2, "Treated"),
    "comparison": (COMPARISON, "--", 2.0, "Comparison"),
    "pool": ("#707070", ":", 1.8, "All to choose\nfrom"),
}


def lead_in_chart(found: Likeness) -> Chart | None:
    """Incidents an area by period before the start, for the three groups; None where nothing can be shown."""
    lines = {}
    for group in found.lead_in:
        shown = [
            np.nan if mean is None or total is None or total < SMALLEST_COUNT else mean
            for mean, total in zip(group.means, group.totals, strict=True)
        ]
        lines[group.group] = np.array(shown, dtype=np.float64)
    lines = {name: values for name, values in lines.items() if np.isfinite(values).any()}
    if "treated" not in lines or not found.periods:
        return None
    said = [
        f"{_LINES[name][3].lower()} {number(round(float(np.nanmin(values)), 2))} to "
        f"{number(round(float(np.nanmax(values)), 2))}"
        for name, values in lines.items()
    ]
    alt = drawing.short(
        f"Line chart of incidents an area by {found.period}, {found.periods[0]} to {found.periods[-1]}, all "
        f"before the start. Lowest and highest: {'; '.join(said)}."
    )
    with drawing.style("lead-in"):
        frame = drawing.figure(3.8)
        axes = frame.add_axes((0.09, 0.12, 0.73, 0.8))
        axes.set_xlim(-0.6, len(found.periods) - 0.4)
        axes.grid(axis="x", visible=False)
        tops = [float(np.nanmax(values)) for values in lines.values()]
        axes.set_ylim(0, 1.1 * max(tops) or 1.0)
        inside = [found.before[0] <= period <= found.before[1] for period in found.periods]
        if any(inside):
            held = np.flatnonzero(inside)
            axes.axvspan(held[0] - 0.5, held[-1] + 0.5, color=BEFORE_SHADE, linewidth=0, zorder=0)
            axes.text(
                float(held.mean()), 1.015, "before", transform=axes.get_xaxis_transform(),
                ha="center", va="bottom",
            )  # fmt: skip
        at = np.arange(len(found.periods))
        ends: list[tuple[float, str]] = []
        for name, values in lines.items():
            colour, dash, width, words = _LINES[name]
            axes.plot(at, values, dash, color=colour, linewidth=width, zorder=3)
            if len(at) == 1:
                axes.plot(at, values, "o", color=colour, zorder=3)
            last = np.flatnonzero(np.isfinite(values))[-1]
            ends.append((float(values[last]), words))
        least = 0.075 * axes.get_ylim()[1]
        lowest = -least
        for height, words in sorted(ends):  # moved apart where two would overlap
            lowest = max(height, lowest + least)
            beside(axes, words, (len(at) - 0.4, lowest), 6)
        axes.yaxis.set_major_formatter(lambda value, _: number(round(value, 3)))
        axes.locator_params(axis="y", nbins=5)
        ticks = [
            place for place, period in enumerate(found.periods) if calendar_part(period) in {"01", "W01"}
        ]
        if not 2 <= len(ticks) <= MOST_TICKS:
            ticks = list(range(0, len(at), max(1, -(-len(at) // MOST_TICKS))))
        axes.set_xticks(ticks, [found.periods[place] for place in ticks])
        svg = drawing.as_svg(frame, "lead-in", alt)
    notes = ["All areas of a group together, divided by their number; nothing after the start is drawn."]
    if any(np.isnan(values).any() for values in lines.values()):
        notes.append(
            f"Gaps are periods without data, or with fewer than {SMALLEST_COUNT} incidents in the group."
        )
    return Chart(
        id="lead-in",
        title=f"Incidents an area by {found.period}, up to the start",
        alt=alt,
        svg=svg,
        table=lead_in_table(found),
        notes=tuple(notes),
    )
