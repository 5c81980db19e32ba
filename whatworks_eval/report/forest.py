"""Forest plots of published against computed effects, one for each scale they were published on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from whatworks_eval.published import Reproduction
from whatworks_eval.report import drawing
from whatworks_eval.report.drawing import COMPARISON, INK, TREATED, Chart
from whatworks_eval.report.numerals import listed, signed
from whatworks_eval.report.reproduced import computed_cell, level_cell, name_of, published_cell
from whatworks_eval.report.tables import Table

ROW = 0.29  # inches
RATIO_ENDS = (0.2, 6.0)
INCIDENT_ENDS = (-320.0, 180.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One plot: which measures it holds and how its axis reads."""

    id: str
    title: str
    axis: str
    measures: frozenset[str]
    ratio: bool = False
    ends: tuple[float, float] | None = None


PANELS = (
    Panel(
        id="incidents",
        title="Differences in incidents (weighted displacement difference)",
        axis="Incidents; below zero = fewer",
        measures=frozenset({"wdd", "scaled-wdd"}),
        ends=INCIDENT_ENDS,
    ),
    Panel(
        id="ratios",
        title="Ratios and odds ratios, as published: what is good differs by row",
        axis="Ratio, each step the same proportion",
        measures=frozenset(
            {
                "ratio-of-ratios",
                "ratio-of-rates",
                "ratio-of-changes",
                "inverse-ratio-of-changes",
                "odds-ratio-of-persons",
                "mantel-haenszel",
            }
        ),
        ratio=True,
        ends=RATIO_ENDS,
    ),
    Panel(
        id="percents",
        title="Percentages and percentage points, as published",
        axis="Percent, or points",
        measures=frozenset(
            {"percent-change", "percent-difference", "percentage-points", "points-between-changes"}
        ),
    ),
)


def forest_charts(every: Sequence[Reproduction]) -> tuple[Chart, ...]:
    """A plot for each scale that has rows: published as a hollow diamond, computed as a dot."""
    charts = []
    for panel in PANELS:
        these = [one for one in every if one.computed and one.row.reading.measure in panel.measures]
        if these:
            charts.append(_chart(panel, these))
    return tuple(charts)


def not_drawn(every: Sequence[Reproduction]) -> str:
    """The computed rows that fit on no common axis, as a sentence; '' where there are none."""
    drawn = frozenset().union(*(panel.measures for panel in PANELS))
    left = [one.row.id for one in every if one.computed and one.row.reading.measure not in drawn]
    return f"Not drawn, being in units of their own: {listed(left, most=len(left))}." if left else ""


def _chart(panel: Panel, these: list[Reproduction]) -> Chart:
    differ = [one.row.id for one in these if one.verdict == "mismatch"]
    said = f"all but {listed(differ)} agree" if differ else "all agree"
    alt = drawing.short(
        f"Forest plot of {len(these)} published effects beside the same computed again, with intervals: "
        f"{said} to the digits published. {panel.axis}."
    )
    name = f"forest-{panel.id}"
    with drawing.style(name):
        frame = drawing.figure(1.0 + ROW * len(these))
        height = frame.get_figheight()
        axes = frame.add_axes((0.2, 0.66 / height, 0.42, 1 - 0.8 / height))
        if panel.ratio:
            axes.set_xscale("log")
        low, high = panel.ends or _ends(these)
        axes.set_xlim(low, high)
        axes.set_ylim(len(these) - 0.5, -0.5)
        axes.axvline(1 if panel.ratio else 0, color=INK, linewidth=1)
        for row, one in enumerate(these):
            assert one.computed is not None
            colour = COMPARISON if one.verdict == "mismatch" else TREATED
            start, end = one.computed.low, one.computed.high
            if start is not None and end is not None:
                axes.plot(
                    [max(start, low), min(end, high)], [row, row], color=colour, linewidth=1.8, zorder=3
                )
                for at, beyond, mark in ((low, start < low, "<"), (high, end > high, ">")):
                    if beyond:
                        axes.plot(at, row, mark, color=colour, markersize=6, clip_on=False, zorder=4)
            axes.plot(one.computed.value, row, "o", color=colour, markersize=5.5, zorder=5)
            stated = one.row.number("reported_value")
            if stated is not None:
                axes.plot(
                    stated, row, "D", markerfacecolor="none", markeredgecolor=INK, markersize=9, zorder=6
                )
            words = f"{published_cell(one).split(' (')[0]}  |  {computed_cell(one)}"
            axes.text(1.03, row, words, transform=axes.get_yaxis_transform(), va="center", fontsize=9)
        axes.set_yticks(
            range(len(these)), [f"{name_of(one)}  [{level_cell(one)}]" for one in these], fontsize=9
        )
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", visible=True)
        axes.grid(axis="y", visible=False)
        if panel.ratio:
            marks = [mark for mark in (0.25, 0.5, 1, 2, 4) if low <= mark <= high]
            axes.set_xticks(marks, [f"{mark:g}" for mark in marks])
            axes.minorticks_off()
        else:
            axes.xaxis.set_major_formatter(lambda at, _: signed(at, 0))
            axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel(panel.axis, fontsize=10)
        svg = drawing.as_svg(frame, name, alt)
    return Chart(
        id=name,
        title=panel.title,
        alt=alt,
        svg=svg,
        table=_numbers(panel, these),
        notes=(
            "Hollow diamond: published. Dot and line: computed, with an interval at the published "
            "confidence. In orange: differs. In brackets: the level. At the right: published | computed.",
        ),
    )


def _ends(these: list[Reproduction]) -> tuple[float, float]:
    values = [one.computed.value for one in these if one.computed]
    low, high = min(0.0, *values), max(0.0, *values)
    spare = 0.08 * max(high - low, 1.0)
    return math.floor(low - spare), math.ceil(high + spare)


def _numbers(panel: Panel, these: list[Reproduction]) -> Table:
    return Table(
        caption=f"{panel.title}: the numbers drawn",
        columns=("Row", "Published", "Computed", "Verdict", "Level"),
        rows=tuple(
            (name_of(one), published_cell(one), computed_cell(one), one.verdict, level_cell(one))
            for one in these
        ),
        numeric=(1, 2, 4),
    )
