"""The chart of what was there before the start: departures, the trend through them, pretended starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from whatworks_eval.judgement import Evaluation
from whatworks_eval.over_time import EventStudy, EventTime, Shift
from whatworks_eval.report import drawing
from whatworks_eval.report.charts import MOST_TICKS
from whatworks_eval.report.drawing import COMPARISON, INK, TREATED, Chart
from whatworks_eval.report.interval_axis import LEAD, draw_interval, value_axis
from whatworks_eval.report.numerals import clean
from whatworks_eval.report.over_time_tables import pretrend_table
from whatworks_eval.report.over_time_words import (
    Scale,
    in_unit,
    length_of,
    pretrend_sentence,
    scale_of,
    shifts_sentence,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pretrend_chart(evaluation: Evaluation) -> Chart | None:
    """Departures before the start with the trend through them, beside starts pretended to be earlier."""
    over_time = evaluation.over_time
    study = None if over_time is None else over_time.event_study
    if over_time is None or study is None:
        return None
    leads = tuple(time for time in study.leads if time.value is not None)
    if not leads:
        return None
    shifts = sorted((one for one in over_time.shifts if one.value is not None), key=lambda one: one.start)
    scale = scale_of(evaluation)
    alt = drawing.short(
        f"Dot plot of {len(leads)} stretches before the start"
        + (f" and {len(shifts)} pretended starts. " if shifts else ". ")
        + pretrend_sentence(evaluation)
    )
    with drawing.style("pretrend"):
        frame = drawing.figure(4.0)
        axes = frame.add_axes((0.1, 0.17, 0.46 if shifts else 0.72, 0.7))
        limits = value_axis(axes, [*leads, *shifts], scale)
        reference = next(time for time in study.times if time.reference)
        shown = [*leads, reference]
        axes.set_xlim(-0.6, len(shown) - 0.4)
        axes.axhline(0, color=INK, linewidth=1, zorder=1)
        for at, time in enumerate(shown):
            marked = "D" if time.reference else "o"
            draw_interval(
                axes, at, time, scale, LEAD, limits=limits, hollow=time.thin or time.reference, mark=marked
            )
        places = [time.offset - reference.offset for time in shown]
        _slopes(axes, study, scale, places, limits)
        step = max(1, -(-len(shown) // (4 if shifts else MOST_TICKS)))
        names = [_before_tick(time, study) for time in shown]
        axes.set_xticks(range(0, len(shown), step), names[::step], fontsize=10)
        axes.grid(axis="x", visible=False)
        axes.set_title("Before the start", fontsize=12, pad=6)
        if shifts:
            _draw_shifts(drawing_axes(frame, axes), shifts, scale, limits)
        svg = drawing.as_svg(frame, "pretrend", alt)
    notes = [
        sentence for sentence in (pretrend_sentence(evaluation), shifts_sentence(evaluation)) if sentence
    ]
    if study.pretrend.slope is not None:
        notes.append(
            "Unbroken line: the straight line through the reference (hollow diamond) that fits the "
            "departures best."
            + (
                " Dashed lines: the trend, up or down, that the check would find four times in five."
                if study.pretrend.detectable_most is not None
                else ""
            )
        )
    return Chart(
        id="pretrend",
        title="Were the areas already moving apart? The same comparison before anything was done"
        f"{in_unit(scale)}",
        alt=alt,
        svg=svg,
        table=pretrend_table(evaluation, study),
        notes=tuple(notes),
    )


def drawing_axes(frame: object, axes: Axes) -> Axes:
    """A second frame to the right, on the same value axis."""
    made: Axes = frame.add_axes((0.66, 0.17, 0.32, 0.7), sharey=axes)  # type: ignore[attr-defined]
    return made


def _before_tick(time: EventTime, study: EventStudy) -> str:
    if time.first is not None:
        return clean(time.first) + ("\nreference" if time.reference else "")
    length = length_of(study)
    far, near = -time.offset, -time.offset - length + 1
    return (f"{far} to {near}" if far != near else f"{far}") + (
        "\nreference" if time.reference else "\nbefore"
    )


def _slopes(
    axes: Axes, study: EventStudy, scale: Scale, places: list[int], limits: tuple[float, float]
) -> None:
    """The line through the departures, and the trend the check would find four times in five."""
    found = study.pretrend
    if found.slope is not None:
        axes.plot(
            range(len(places)),
            [scale.shown(found.slope * place) for place in places],
            "-",
            color=TREATED,
            linewidth=2,
            zorder=2,
        )
        if len(places) > 1:
            middle = scale.shown(found.slope * (places[0] + places[1]) / 2)
            _name_line(axes, "trend seen", (0.5, middle), TREATED, up=found.slope < 0)
    if found.detectable_most is None:
        return
    for way in (1, -1):
        heights = [scale.shown(way * found.detectable_most * place) for place in places]
        axes.plot(range(len(places)), heights, "--", color=COMPARISON, linewidth=1.8, zorder=2)
        if way < 0:
            inside = next((at for at, height in enumerate(heights) if height < 0.75 * limits[1]), 0)
            at = (float(inside), heights[inside])
            if inside > 0:  # between the stretch before, which is beyond the axis, and this one
                share = (0.75 * limits[1] - heights[inside]) / (heights[inside - 1] - heights[inside])
                at = (inside - share, 0.75 * limits[1])
            _name_line(axes, "found 4 times in 5", at, INK, up=True, left=True)
    axes.set_ylim(*limits)


def _name_line(
    axes: Axes, words: str, at: tuple[float, float], colour: str, *, up: bool, left: bool = False
) -> None:
    """The name of a line above, below or, where `left`, to the right of a point on it."""
    axes.annotate(
        words,
        at,
        xytext=(8 if left else 0, 4 if up else -4),
        textcoords="offset points",
        ha="left" if left else "center",
        va="bottom" if up else "top",
        fontsize=9.5,
        color=colour,
        zorder=6,
        annotation_clip=False,
    )


def _draw_shifts(axes: Axes, shifts: list[Shift], scale: Scale, limits: tuple[float, float]) -> None:
    axes.set_xlim(-0.6, len(shifts) - 0.4)
    axes.axhline(0, color=INK, linewidth=1, zorder=1)
    for at, shift in enumerate(shifts):
        draw_interval(axes, at, shift, scale, LEAD, limits=limits)
    step = max(1, -(-len(shifts) // 3))
    axes.set_xticks(
        range(0, len(shifts), step), [clean(shift.start) for shift in shifts[::step]], fontsize=10
    )
    axes.grid(axis="x", visible=False)
    axes.tick_params(axis="y", labelleft=False)
    axes.set_title("Pretended starts", fontsize=12, pad=6)
