"""Pictures of a synthetic comparison: recorded against the mixture, and the gap among placebo gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.judgement import Evaluation
from whatworks_eval.periods import calendar_part
from whatworks_eval.report import drawing, tables
from whatworks_eval.report.charts import MOST_TICKS, beside
from whatworks_eval.report.drawing import AFTER_SHADE, COMPARISON, FAINT, INK, TREATED, Chart
from whatworks_eval.report.numerals import SMALLEST_COUNT, plain, signed
from whatworks_eval.synthetic_records import SyntheticComparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INSIDE = 0.98  # of placebo gaps, that the picture is made to hold


def index_chart(evaluation: Evaluation, made: SyntheticComparison) -> Chart:
    """The treated areas against their synthetic comparison, mean of the before window = 100."""
    small = _small(evaluation, made)
    recorded = np.where(small, np.nan, made.recorded)
    after = made.recorded[made.before :].mean(), made.expected[made.before :].mean()
    alt = drawing.short(
        f"Line chart, index with the before window at 100, {made.periods[0]} to {made.periods[-1]}, project "
        f"start {evaluation.protocol.intervention.start}. Mean of the after window: treated "
        f"{plain(float(after[0]), 0)}, synthetic comparison {plain(float(after[1]), 0)}."
    )
    with drawing.style("synthetic"):
        frame = drawing.figure(4.1)
        axes = frame.add_axes((0.08, 0.13, 0.77, 0.78))
        top = max(125.0, 1.08 * float(max(np.nanmax(recorded, initial=100), made.expected.max())))
        axes.set_ylim(min(0.0, 1.08 * float(made.expected.min())), top)
        _frame(axes, made)
        axes.axhline(100, color=INK, linewidth=0.8)
        at = np.arange(len(made.periods))
        axes.plot(at, recorded, "-o", color=TREATED, linewidth=2.2, markersize=3, zorder=3)
        axes.plot(at, made.expected, "--s", color=COMPARISON, linewidth=1.8, markersize=3, zorder=3)
        axes.plot(at[small], np.zeros(int(small.sum())), "o", color=TREATED, mfc="white", markersize=5)
        known = np.flatnonzero(np.isfinite(recorded))
        ends = float(recorded[known[-1]]) if known.size else 0.0, float(made.expected[-1])
        apart = max(0.0, 0.07 * top - abs(ends[0] - ends[1])) / 2
        way = 1.0 if ends[0] >= ends[1] else -1.0
        beside(axes, "Treated", (len(at) - 0.4, ends[0] + way * apart), 6)
        beside(axes, "Synthetic", (len(at) - 0.4, ends[1] - way * apart), 6)
        svg = drawing.as_svg(frame, "synthetic", alt)
    notes = ["Mean of the before window = 100. The after window is shaded. Only periods used are drawn."]
    if small.any():
        notes.append(f"Hollow marks on the base line are periods with fewer than {SMALLEST_COUNT} incidents.")
    return Chart(
        id="synthetic",
        title="Recorded in the treated areas against their synthetic comparison",
        alt=alt,
        svg=svg,
        table=_table(made, small),
        notes=tuple(notes),
    )


def gaps_chart(evaluation: Evaluation, made: SyntheticComparison) -> Chart:
    """The gap of the treated areas by period among those of placebo sets."""
    small = _small(evaluation, made)
    gaps = np.where(small, np.nan, made.gaps)
    after = float(made.gaps[made.before :].mean())
    alt = drawing.short(
        f"Line chart of recorded less synthetic, index points, {made.periods[0]} to {made.periods[-1]}: the "
        f"treated areas, on average {signed(after, 1)} after the start, among {len(made.placebo_gaps)} "
        "placebo sets where nothing was done."
    )
    with drawing.style("synthetic-gaps"):
        frame = drawing.figure(3.4)
        axes = frame.add_axes((0.095, 0.15, 0.755, 0.78))
        own = np.abs(gaps[np.isfinite(gaps)])
        reach = float(own.max(initial=10.0))
        if made.placebo_gaps.size:
            reach = max(reach, float(np.quantile(np.abs(made.placebo_gaps), INSIDE)))
        axes.set_ylim(-1.08 * reach, 1.08 * reach)
        _frame(axes, made)
        at = np.arange(len(made.periods))
        for line in made.placebo_gaps:
            axes.plot(at, line, color=FAINT, linewidth=0.8, zorder=1)
        axes.axhline(0, color=INK, linewidth=0.8, zorder=2)
        axes.plot(at, gaps, "-", color=TREATED, linewidth=2.6, zorder=4)
        known = np.flatnonzero(np.isfinite(gaps))
        if known.size:
            beside(axes, "Treated", (len(at) - 0.4, float(gaps[known[-1]])), 6)
        axes.yaxis.set_major_formatter(lambda value, _: signed(value, 0))
        axes.set_ylabel("Index points", fontsize=11)
        svg = drawing.as_svg(frame, "synthetic-gaps", alt)
    shown = len(made.placebo_gaps)
    left_out = f"Periods with fewer than {SMALLEST_COUNT} incidents in the treated areas are not drawn."
    return Chart(
        id="synthetic-gaps",
        title="Recorded less synthetic: here, and where nothing was done",
        alt=alt,
        svg=svg,
        table=_gap_table(made, small),
        notes=(
            f"Grey: {shown} of the placebo sets, each against its own mixture. A few run off the picture."
            if shown
            else "There are no placebo sets to draw.",
            *((left_out,) if small.any() else ()),
        ),
    )


def _small(evaluation: Evaluation, made: SyntheticComparison) -> NDArray[np.bool_]:
    return np.asarray(tables.hides_small_counts(evaluation) & (made.incidents < SMALLEST_COUNT))


def _frame(axes: Axes, made: SyntheticComparison) -> None:
    """Time along the bottom, the after window shaded, the start marked."""
    size = len(made.periods)
    axes.set_xlim(-0.6, size - 0.4)
    axes.grid(axis="x", visible=False)
    axes.axvspan(made.before - 0.5, size - 0.5, color=AFTER_SHADE, linewidth=0, zorder=0)
    axes.axvline(made.before - 0.5, color=INK, linewidth=1.4, linestyle=(0, (4, 2)), zorder=2)
    firsts = [at for at, one in enumerate(made.periods) if calendar_part(one) in {"01", "W01", "01-01"}]
    if not 2 <= len(firsts) <= MOST_TICKS:
        firsts = list(range(0, size, max(1, -(-size // MOST_TICKS))))
    axes.set_xticks(firsts, [made.periods[at] for at in firsts])
    axes.tick_params(axis="x", length=4)


def _table(made: SyntheticComparison, small: NDArray[np.bool_]) -> tables.Table:
    rows = tuple(
        (
            period,
            "before" if at < made.before else "after",
            f"fewer than {SMALLEST_COUNT} incidents" if small[at] else plain(float(made.recorded[at]), 1),
            plain(float(made.expected[at]), 1),
            "–" if small[at] else signed(float(made.gaps[at]), 1),
        )
        for at, period in enumerate(made.periods)
    )
    return tables.Table(
        caption="Index of recorded incidents, mean of the before window = 100: treated and synthetic",
        columns=("Period", "Window", "Treated", "Synthetic", "Gap"),
        rows=rows,
        numeric=(2, 3, 4),
    )


def _gap_table(made: SyntheticComparison, small: NDArray[np.bool_]) -> tables.Table:
    """The treated gap beside the middle nine tenths of placebo gaps, by period."""
    rows = []
    for at, period in enumerate(made.periods):
        ends = ("–", "–")
        if made.placebo_gaps.size:
            low, high = np.quantile(made.placebo_gaps[:, at], [0.05, 0.95])
            ends = signed(float(low), 1), signed(float(high), 1)
        rows.append((period, "–" if small[at] else signed(float(made.gaps[at]), 1), *ends))
    return tables.Table(
        caption="Recorded less synthetic, index points; nine placebo sets in ten lie between the last two",
        columns=("Period", "Treated", "Placebo, from", "to"),
        rows=tuple(rows),
        numeric=(1, 2, 3),
    )
