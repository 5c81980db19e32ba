"""The chart of a time series: what was recorded, what was fitted, and the trend before carried on."""

from __future__ import annotations

import numpy as np

from whatworks_eval.judgement import Evaluation
from whatworks_eval.periods import calendar_part
from whatworks_eval.records import Curve
from whatworks_eval.report import drawing, tables
from whatworks_eval.report.charts import MOST_TICKS, beside
from whatworks_eval.report.drawing import AFTER_SHADE, COMPARISON, INK, TREATED, Chart
from whatworks_eval.report.numerals import SMALLEST_COUNT, count


def series_chart(evaluation: Evaluation) -> Chart | None:
    """Recorded, fitted and expected incidents in the treated areas by period; None without a fit."""
    curve = evaluation.curve
    if curve is None:
        return None
    hide = tables.hides_small_counts(evaluation)
    small = hide & (curve.recorded < SMALLEST_COUNT)
    alt = _alt(evaluation, curve, hide)
    with drawing.style("series"):
        made = drawing.figure(4.1)
        axes = made.add_axes((0.09, 0.13, 0.76, 0.78))
        at = np.arange(len(curve.periods))
        top = max(float(line.max()) for line in (curve.recorded, curve.fitted, curve.expected))
        axes.set_ylim(0, max(float(SMALLEST_COUNT), 1.1 * top))
        axes.set_xlim(-0.6, len(at) - 0.4)
        axes.grid(axis="x", visible=False)
        first = int(np.flatnonzero(curve.after)[0])
        axes.axvspan(first - 0.5, len(at) - 0.5, color=AFTER_SHADE, linewidth=0, zorder=0)
        axes.plot(at[~small], curve.recorded[~small], "o", color=INK, markersize=3.5, zorder=3)
        axes.plot(at[small], np.zeros(int(small.sum())), "o", color=INK, mfc="white", markersize=5)
        for part in (~curve.after, curve.after):
            axes.plot(at[part], curve.fitted[part], "-", color=TREATED, linewidth=2.2, zorder=2)
        late = curve.after
        axes.plot(at[late], curve.expected[late], "--", color=COMPARISON, linewidth=2.2, zorder=2)
        ends = float(curve.fitted[-1]), float(curve.expected[-1])
        apart = max(0.0, 0.07 * axes.get_ylim()[1] - abs(ends[0] - ends[1])) / 2
        way = 1.0 if ends[0] >= ends[1] else -1.0
        beside(axes, "Fitted", (len(at) - 0.4, ends[0] + way * apart), 6)
        beside(axes, "Expected", (len(at) - 0.4, ends[1] - way * apart), 6)
        axes.yaxis.set_major_formatter(lambda value, _: count(value))
        ticks = [
            place for place, period in enumerate(curve.periods) if calendar_part(period) in {"01", "W01"}
        ]
        if not 2 <= len(ticks) <= MOST_TICKS:
            ticks = list(range(0, len(at), max(1, -(-len(at) // MOST_TICKS))))
        axes.set_xticks(ticks, [curve.periods[place] for place in ticks])
        svg = drawing.as_svg(made, "series", alt)
    against = (
        "Expected = the trend before of the ratio of treated to comparison areas, carried on, times what the "
        "comparison areas recorded."
        if evaluation.contrast.comparison
        else "Expected = the treated areas' own trend and time of year before the start, carried on. "
        "Whatever changed everywhere at the start is part of the gap."
    )
    notes = ["Dots are recorded incidents; the after window is shaded.", against]
    if small.any():
        notes.append(f"Hollow marks on the base line are periods with fewer than {SMALLEST_COUNT} incidents.")
    return Chart(
        id="series",
        title="Recorded incidents in the treated areas against the trend before the start",
        alt=alt,
        svg=svg,
        table=_table(curve, hide),
        notes=tuple(notes),
    )


def _table(curve: Curve, hide: bool) -> tables.Table:
    rows = tuple(
        (
            period,
            "after" if late else "before",
            count(float(seen), hide=hide),
            count(float(fitted)),
            count(float(expected)) if late else "as fitted",
        )
        for period, late, seen, fitted, expected in zip(
            curve.periods, curve.after, curve.recorded, curve.fitted, curve.expected, strict=True
        )
    )
    return tables.Table(
        caption="Incidents in the treated areas: recorded, fitted and expected, by period",
        columns=("Period", "Window", "Recorded", "Fitted", "Expected"),
        rows=rows,
        numeric=(2, 3, 4),
    )


def _alt(evaluation: Evaluation, curve: Curve, hide: bool) -> str:
    late = curve.after
    recorded = count(float(curve.recorded[late].sum()), hide=hide)
    return drawing.short(
        f"Line chart of incidents in the treated areas, {curve.periods[0]} to {curve.periods[-1]}, project "
        f"start {evaluation.protocol.intervention.start}. In the after window {recorded} were recorded "
        f"where the trend before, carried on, gives {count(float(curve.expected[late].sum()))}."
    )
