"""Charts of incidents over time: the index, and the counts behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.judgement import Evaluation
from whatworks_eval.periods import calendar_part
from whatworks_eval.records import Arm, Series
from whatworks_eval.report import drawing, tables
from whatworks_eval.report.drawing import AFTER_SHADE, BEFORE_SHADE, COMPARISON, INK, TREATED, Chart
from whatworks_eval.report.numerals import SMALLEST_COUNT, count, plain
from whatworks_eval.report.subject import is_staggered, recorded
from whatworks_eval.report.survey_words import is_share

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

LINES: dict[Arm, tuple[str, str, str]] = {
    "treated": (TREATED, "-", "Treated"),
    "comparison": (COMPARISON, "--", "Comparison"),
}
MOST_TICKS = 9


def index_chart(evaluation: Evaluation) -> Chart | None:
    """Treated against comparison with the mean of the before window at 100; None without periods."""
    series = evaluation.series
    if series is None or is_share(evaluation.protocol):
        return None
    hide = tables.hides_small_counts(evaluation)
    present = [arm for arm in LINES if arm in series.index and np.isfinite(series.index[arm]).any()]
    alt = _index_alt(series, present, hide)
    with drawing.style("index"):
        made = drawing.figure(4.1)
        axes = made.add_axes((0.08, 0.13, 0.77, 0.7))
        tops = [100.0, *(float(np.nanmax(series.index[arm])) for arm in present)]
        axes.set_ylim(0, max(125.0, 1.08 * max(tops)))
        _windows(axes, series, labels=True)
        axes.axhline(100, color=INK, linewidth=0.8)
        ends = []
        for arm in present:
            ends.append(_line(axes, series.index[arm], _small(series, arm, hide), arm))
        _label_ends(axes, ends)
        _time_axis(axes, series)
        svg = drawing.as_svg(made, "index", alt)
    notes = ["Mean of the before window = 100. The shaded windows are the periods compared."]
    if is_staggered(evaluation.protocol):
        notes.append("The line marks the first start; other areas start later, inside the after window.")
    notes += _gap_notes(series, present, hide)
    return Chart(
        id="index",
        title=f"{_title(evaluation)}: treated against comparison areas"
        if len(present) > 1
        else _title(evaluation),
        alt=alt,
        svg=svg,
        table=tables.months(series, hide=hide, index=True),
        notes=tuple(notes),
    )


def counts_chart(evaluation: Evaluation) -> Chart | None:
    """Recorded incidents by period, each arm on its own scale from zero; None without periods."""
    series = evaluation.series
    if is_share(evaluation.protocol):
        from whatworks_eval.report.survey_chart import share_chart  # it draws with this file's tools

        return share_chart(evaluation)
    if series is None:
        return None
    hide = tables.hides_small_counts(evaluation)
    present = [arm for arm in LINES if arm in series.counts and np.isfinite(series.counts[arm]).any()]
    if not present:
        return None
    alt = _counts_alt(series, present, hide)
    with drawing.style("counts"):
        made = drawing.figure(3.8 if len(present) > 1 else 2.6)
        frames = made.subplots(len(present), 1, sharex=True, squeeze=False)[:, 0]
        made.subplots_adjust(left=0.11, right=0.985, top=0.93, bottom=0.12, hspace=0.32)
        for axes, arm in zip(frames, present, strict=True):
            axes.set_ylim(0, max(float(SMALLEST_COUNT), 1.1 * float(np.nanmax(series.counts[arm]))))
            _windows(axes, series, labels=False)
            _line(axes, series.counts[arm], _small(series, arm, hide), arm)
            axes.set_title(f"{LINES[arm][2]} areas", fontsize=12, pad=4)
            axes.yaxis.set_major_formatter(lambda value, _: count(value))
            axes.locator_params(axis="y", nbins=4, integer=True)  # their labels are whole numbers
        _time_axis(frames[-1], series)
        svg = drawing.as_svg(made, "counts", alt)
    notes = ["Each arm has its own scale, from zero."] if len(present) > 1 else []
    notes += _gap_notes(series, present, hide)
    return Chart(
        id="counts",
        title=f"Recorded incidents by {evaluation.protocol.period}",
        alt=alt,
        svg=svg,
        table=tables.months(series, hide=hide, index=False),
        notes=tuple(notes),
    )


def _title(evaluation: Evaluation) -> str:
    what = recorded(evaluation.protocol)  # the lines are of counts, whatever the effect is of
    return f"{what[:1].upper()}{what[1:]}, before window = 100"


def _small(series: Series, arm: Arm, hide: bool) -> NDArray[np.bool_]:
    """True where a count is known and too small to be shown."""
    with np.errstate(invalid="ignore"):
        return np.asarray(hide & (series.counts[arm] < SMALLEST_COUNT))


def _line(
    axes: Axes, values: NDArray[np.float64], small: NDArray[np.bool_], arm: Arm
) -> tuple[float, float, str]:
    """Draw one arm; periods with a small count are hollow marks on the base line. Gives the label's place."""
    colour, dash, name = LINES[arm]
    drawn = np.where(small, np.nan, values)
    at = np.arange(len(values))
    axes.plot(at, drawn, dash, color=colour, linewidth=2.2 if arm == "treated" else 1.8, zorder=3)
    axes.plot(at, drawn, "o" if arm == "treated" else "s", color=colour, markersize=3, zorder=3)
    axes.plot(
        at[small], np.zeros(int(small.sum())), "o", color=colour, mfc="white", markersize=5, clip_on=False
    )
    known = np.flatnonzero(np.isfinite(drawn))
    return (float(known[-1]), float(drawn[known[-1]]), name) if known.size else (float(at[-1]), 0.0, name)


def _label_ends(axes: Axes, ends: list[tuple[float, float, str]]) -> None:
    """Name each line at its right end, moved apart where two would overlap."""
    low, high = axes.get_ylim()
    least = 0.07 * (high - low)
    placed = sorted(ends, key=lambda end: end[1])
    heights = [end[1] for end in placed]
    for place in range(1, len(heights)):
        short = least - (heights[place] - heights[place - 1])
        if short > 0:
            heights[place] += short / 2
            heights[place - 1] -= short / 2
    right = axes.get_xlim()[1]
    for (_, _, name), height in zip(placed, heights, strict=True):
        beside(axes, name, (right, height), 6)


def beside(
    axes: Axes, words: str, place: tuple[float, float], points: int, of: str | Transform = "data"
) -> None:
    """Bold words some points to the right of a place, or to the left where points are negative."""
    axes.annotate(
        words,
        place,
        xycoords=of,
        xytext=(points, 0),
        textcoords="offset points",
        ha="left" if points > 0 else "right",
        va="center",
        fontweight="bold",
        annotation_clip=False,
    )


def _windows(axes: Axes, series: Series, *, labels: bool) -> None:
    """Shade the periods compared, mark the start; names above the frame."""
    size = len(series.periods)
    axes.set_xlim(-0.6, size - 0.4)
    axes.grid(axis="x", visible=False)
    for mask, shade, name in ((series.before, BEFORE_SHADE, "before"), (series.after, AFTER_SHADE, "after")):
        held = np.flatnonzero(mask)
        for run in np.split(held, np.flatnonzero(np.diff(held) > 1) + 1) if held.size else []:
            axes.axvspan(run[0] - 0.5, run[-1] + 0.5, color=shade, linewidth=0, zorder=0)
        if labels and held.size:
            middle = (held[0] + held[-1]) / 2
            axes.text(middle, 1.015, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom")
    at = sum(period < series.start for period in series.periods) - 0.5
    if 0 < at + 0.5 < size:
        axes.axvline(at, color=INK, linewidth=1.4, linestyle=(0, (4, 2)), zorder=2)
        if labels:
            above = axes.get_xaxis_transform()
            axes.plot([at, at], [1.0, 1.19], transform=above, color=INK, linewidth=1.4, clip_on=False)
            beside(axes, f"start {series.start}", (at, 1.15), 4 if at < size / 2 else -4, above)


def _time_axis(axes: Axes, series: Series) -> None:
    """Ticks at the first period of a year where there are several, else spread evenly."""
    firsts = [
        at for at, period in enumerate(series.periods) if calendar_part(period) in {"01", "W01", "01-01"}
    ]
    if not 2 <= len(firsts) <= MOST_TICKS:
        step = max(1, -(-len(series.periods) // MOST_TICKS))
        firsts = list(range(0, len(series.periods), step))
    axes.set_xticks(firsts, [series.periods[at] for at in firsts])
    axes.tick_params(axis="x", length=4)


def _gap_notes(series: Series, present: list[Arm], hide: bool) -> list[str]:
    notes = []
    if any(np.isnan(series.counts[arm]).any() for arm in present):
        notes.append("Gaps are periods with no data: missing, not zero.")
    if any(_small(series, arm, hide).any() for arm in present):
        notes.append(f"Hollow marks on the base line are periods with fewer than {SMALLEST_COUNT} incidents.")
    return notes


def _index_alt(series: Series, present: list[Arm], hide: bool) -> str:
    said = []
    for arm in present:
        late = series.after & np.isfinite(series.index[arm])
        if late.any() and not (hide and series.counts[arm][late].sum() < SMALLEST_COUNT):
            said.append(f"{arm} {plain(float(series.index[arm][late].mean()), 0)}")
    span = f"{series.periods[0]} to {series.periods[-1]}"
    return drawing.short(
        f"Line chart, index with the before window at 100, {span}, project start {series.start}. "
        f"Mean of the after window: {', '.join(said) or 'too small to show'}."
    )


def _counts_alt(series: Series, present: list[Arm], hide: bool) -> str:
    said = []
    for arm in present:
        values = series.counts[arm][np.isfinite(series.counts[arm])]
        low, high = count(float(values.min()), hide=hide), count(float(values.max()), hide=hide)
        said.append(f"{arm} between {low} and {high}")
    span = f"{series.periods[0]} to {series.periods[-1]}"
    return drawing.short(f"Line charts of recorded incidents by period, {span}: {'; '.join(said)}.")
