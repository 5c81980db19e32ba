"""The chart of how far trends may differ before the conclusion goes: intervals against bounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from whatworks_eval.judgement import Evaluation
from whatworks_eval.over_time import Bound, Sensitivity
from whatworks_eval.report import drawing
from whatworks_eval.report.drawing import COMPARISON, INK, TREATED, Chart
from whatworks_eval.report.effect_charts import WIDEST
from whatworks_eval.report.interval_axis import LEAD, tick
from whatworks_eval.report.numerals import clean, number, per_cent_of
from whatworks_eval.report.over_time_tables import sensitivity_table
from whatworks_eval.report.over_time_words import Scale, in_unit, level_said, scale_of, sensitivity_sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REACH = 4.0  # times the interval with parallel trends: what is drawn on a scale of differences


def sensitivity_chart(evaluation: Evaluation) -> Chart | None:
    """The interval against how far trends may differ, with the breakdown marked; None where there is none."""
    every = () if evaluation.over_time is None else evaluation.over_time.sensitivity
    drawn = [found for found in every if found.bounds and found.original is not None]
    if not drawn:
        return None
    scale = scale_of(evaluation)
    words = [sentence for found in every if (sentence := sensitivity_sentence(found, evaluation))]
    assert drawn[0].original is not None
    low, high = drawn[0].original.low, drawn[0].original.high
    alt = drawing.short(
        f"Intervals as trends are allowed to differ. Exactly parallel: {scale.span(low, high)}. "
        f"{' '.join(words)}"
    )
    limits = _limits(drawn, scale)
    with drawing.style("sensitivity"):
        frame = drawing.figure(4.0)
        width = 0.88 if len(drawn) == 1 else 0.42
        first: Axes | None = None
        for at, found in enumerate(drawn):
            axes = frame.add_axes((0.1 + at * (width + 0.04), 0.24, width, 0.63), sharey=first)
            _panel(axes, found, scale, limits)
            if first is None:
                first = axes
                axes.set_ylabel("Interval, %" if scale.ratio else "Interval", fontsize=11)
            else:
                axes.tick_params(axis="y", labelleft=False)
        svg = drawing.as_svg(frame, "sensitivity", alt)
    notes = [
        *words,
        f"Bars are {per_cent_of(evaluation.estimate.confidence)} intervals of {clean(drawn[0].target)}: less "
        "exact than the registered estimate, since they lean on one stretch. Arrows reach beyond the chart.",
    ]
    if any(found.breakdown for found in drawn):
        notes.append(
            "The dashed line marks how far the conclusion holds: beyond it the interval reaches zero."
        )
    return Chart(
        id="sensitivity",
        title=f"The interval if trends were not parallel{in_unit(scale)} ({level_said(evaluation)})",
        alt=alt,
        svg=svg,
        table=sensitivity_table(evaluation, every),
        notes=tuple(notes),
    )


def _panel(axes: Axes, found: Sensitivity, scale: Scale, limits: tuple[float, float]) -> None:
    """One way of differing: the interval with parallel trends, then at each bound."""
    assert found.original is not None
    step = found.bounds[1].bound - found.bounds[0].bound if len(found.bounds) > 1 else 1.0
    step = step or 1.0
    relative = found.kind == "relative magnitudes"
    axes.set_ylim(*limits)
    parallel = found.bounds[0].bound - step
    axes.set_xlim(parallel - 0.5 * step, found.bounds[-1].bound + 0.5 * step)
    axes.axhline(0, color=INK, linewidth=1, zorder=1)
    _bar(axes, parallel, found.original, scale, LEAD, limits)
    for bound in found.bounds:
        _bar(axes, bound.bound, bound, scale, TREATED, limits)
    if found.breakdown is not None and found.breakdown > 0:
        axes.axvline(found.breakdown, color=COMPARISON, linewidth=2, linestyle=(0, (4, 2)), zorder=2)
        size = number(round(found.breakdown, 2)) if relative else scale.size(found.breakdown).split(" ")[0]
        holds = f"holds up to {size}"
    else:
        holds = "holds throughout" if found.beyond else ""
    axes.set_title(holds, loc="right", fontsize=11, fontweight="bold", pad=12)
    names = [number(round(b.bound, 2)) if relative else _bend(b.bound, scale) for b in found.bounds]
    axes.set_xticks([parallel, *(b.bound for b in found.bounds)], ["parallel", *names], fontsize=10)
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_formatter(lambda at, _: tick(at, limits[1] - limits[0]))
    axes.locator_params(axis="y", nbins=6)
    if relative:
        axes.set_title("Steps as before the start", fontsize=12, pad=12)
        axes.set_xlabel("Times the largest step\nseen before the start", fontsize=11)
    else:
        axes.set_title("A slope that bends", fontsize=12, pad=12)
        unit = ", %" if scale.ratio else ""
        axes.set_xlabel(f"Change of slope a stretch{unit}\n(0 = a straight line)", fontsize=11)


def _bend(bound: float, scale: Scale) -> str:
    """A change of slope for a tick, without its unit."""
    shown = scale.shown(bound)
    return number(round(shown, 0 if shown >= 10 else 2))


def _bar(axes: Axes, at: float, bound: Bound, scale: Scale, colour: str, limits: tuple[float, float]) -> None:
    """An upright interval; an arrow where an end is open or beyond the axis."""
    low, high = limits
    ends = [None if end is None else scale.shown(end) for end in (bound.low, bound.high)]
    start = low if ends[0] is None else max(ends[0], low)
    end = high if ends[1] is None else min(ends[1], high)
    axes.plot([at, at], [start, end], color=colour, linewidth=5, solid_capstyle="butt", zorder=3)
    for place, given, mark in ((low, ends[0], "v"), (high, ends[1], "^")):
        if given is None or not low <= given <= high:
            axes.plot(at, place, mark, color=colour, markersize=8, clip_on=False, zorder=4)


def _limits(drawn: list[Sensitivity], scale: Scale) -> tuple[float, float]:
    """Ends of the value axis: everything where it is near, four times the first interval where it is not."""
    ends = [
        scale.shown(end)
        for found in drawn
        for bound in found.bounds
        for end in (bound.low, bound.high)
        if end is not None
    ]
    assert drawn[0].original is not None
    first = [scale.shown(end) for end in (drawn[0].original.low, drawn[0].original.high) if end is not None]
    low, high = min(0.0, *ends, *first), max(0.0, *ends, *first)
    if scale.ratio:
        low, high = max(low, WIDEST[0]), min(high, max(WIDEST[1], *first, 0.0))
    else:
        reach = REACH * max(abs(end) for end in first) if first else math.inf
        low, high = max(low, -reach), min(high, reach)
    spare = 0.06 * ((high - low) or 1.0)
    return low - spare, high + spare
