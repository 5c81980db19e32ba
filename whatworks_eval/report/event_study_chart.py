"""Charts of an effect stretch by stretch: leads and lags, and what was there before the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from whatworks_eval.judgement import Evaluation
from whatworks_eval.over_time import EventStudy, EventTime
from whatworks_eval.report import drawing
from whatworks_eval.report.charts import MOST_TICKS, beside
from whatworks_eval.report.drawing import AFTER_SHADE, BEFORE_SHADE, FAINT, INK, TREATED, Chart
from whatworks_eval.report.interval_axis import LEAD, draw_interval, value_axis
from whatworks_eval.report.numerals import clean, per_cent_of
from whatworks_eval.report.over_time_tables import study_table
from whatworks_eval.report.over_time_words import (
    FEWEST_UNITS,
    Scale,
    in_unit,
    length_of,
    level_said,
    scale_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def event_study_chart(evaluation: Evaluation) -> Chart | None:
    """Leads and lags with intervals, the reference and the start marked; None where there are none."""
    study = None if evaluation.over_time is None else evaluation.over_time.event_study
    if study is None or not any(time.value is not None and not time.reference for time in study.times):
        return None
    scale = scale_of(evaluation)
    alt = _study_alt(evaluation, study, scale)
    with drawing.style("event-study"):
        frame = drawing.figure(4.3)
        axes = frame.add_axes((0.1, 0.17, 0.88, 0.7))
        size = len(study.times)
        axes.set_xlim(-0.6, size - 0.4)
        cut_low, cut_high = value_axis(axes, study.times, scale)
        start = sum(time.offset < 0 for time in study.times) - 0.5
        axes.axvspan(-0.6, start, color=BEFORE_SHADE, linewidth=0, zorder=0)
        axes.axvspan(start, size - 0.4, color=AFTER_SHADE, linewidth=0, zorder=0)
        axes.axhline(0, color=INK, linewidth=1, zorder=1)
        axes.axvline(start, color=INK, linewidth=1.4, linestyle=(0, (4, 2)), zorder=2)
        for at, time in enumerate(study.times):
            draw_interval(
                axes,
                at,
                time,
                scale,
                TREATED if time.offset >= 0 else LEAD,
                limits=(cut_low, cut_high),
                hollow=time.thin or time.reference,
                mark="D" if time.reference else "o",
            )
            if time.reference:
                axes.axvspan(at - 0.5, min(at + 0.5, start), color=FAINT, alpha=0.55, linewidth=0, zorder=0)
                _above(axes, "reference", at, bold=False)
        _above(axes, _start_words(evaluation), start, line=True)
        _stretch_ticks(axes, study, evaluation)
        axes.set_xlabel(_about_stretches(evaluation, study), fontsize=11)
        svg = drawing.as_svg(frame, "event-study", alt)
    return Chart(
        id="event-study",
        title=f"The effect stretch by stretch, before and after the start{in_unit(scale)} ("
        f"{level_said(evaluation)})",
        alt=alt,
        svg=svg,
        table=study_table(evaluation, study),
        notes=tuple(_study_notes(study)),
    )


def _study_notes(study: EventStudy) -> list[str]:
    notes = [
        f"Each dot compares one stretch with {clean(study.reference)} (the hollow diamond), with its "
        f"{per_cent_of(study.confidence)} interval. Dots before the start should lie near zero: nothing had "
        "been done."
    ]
    if any(time.thin for time in study.times):
        notes.append(
            f"Hollow dots rest on fewer than {FEWEST_UNITS} treated areas and are left out of the tests."
        )
    if any(time.value is None for time in study.times):
        notes.append("A stretch without a dot has no value; the table says why.")
    notes.append(
        "Because the reference is one stretch alone, these intervals are wider than that of the registered "
        "estimate, which uses every month before the start."
        if length_of(study) > 1
        else "Because the reference is one period alone, these intervals are wider than that of the "
        "registered estimate, which uses the whole before window."
    )
    notes.append(f"Intervals: {clean(study.inference)}.")
    return notes


def _study_alt(evaluation: Evaluation, study: EventStudy, scale: Scale) -> str:
    def spread(times: tuple[EventTime, ...]) -> str:
        known = [time.value for time in times if time.value is not None]
        if not known:
            return "none"
        return (
            scale.said(known[0])
            if len(known) == 1
            else f"{scale.cell(min(known))} to {scale.said(max(known))}"
        )

    return drawing.short(
        f"Dot plot of the effect in {len(study.times)} stretches against {clean(study.reference)}. Before "
        f"the start: {spread(study.leads)}. After: {spread(study.lags)}. "
        f"Level {evaluation.grade.level} of 5."
    )


def _start_words(evaluation: Evaluation) -> str:
    if evaluation.contrast.starts:
        return "each area's own start"
    return f"start {clean(evaluation.protocol.intervention.start)}"


def _about_stretches(evaluation: Evaluation, study: EventStudy) -> str:
    kind, length = evaluation.protocol.period, length_of(study)
    stretch = f"{kind}s in stretches of {length}" if length > 1 else f"{kind}s"
    if evaluation.contrast.starts:
        return f"{stretch[:1].upper()}{stretch[1:]}, counted from each area's own start"
    return f"First {kind} of each stretch ({stretch})" if length > 1 else stretch[:1].upper() + stretch[1:]


def _above(axes: Axes, words: str, at: float, *, bold: bool = True, line: bool = False) -> None:
    """Words above the frame; with a line down to it for the start."""
    above = axes.get_xaxis_transform()
    if line:
        axes.plot([at, at], [1.0, 1.13], transform=above, color=INK, linewidth=1.4, clip_on=False)
        beside(axes, words, (at, 1.11), 5 if at < sum(axes.get_xlim()) / 2 else -5, above)
        return
    axes.text(
        at,
        1.012,
        words,
        transform=above,
        ha="center",
        va="bottom",
        fontsize=10,
        fontweight="bold" if bold else "normal",
    )


def _stretch_ticks(axes: Axes, study: EventStudy, evaluation: Evaluation) -> None:
    """A tick for each stretch, or for every few where there are many; short names that fit."""
    size = len(study.times)
    step = max(1, -(-size // MOST_TICKS))
    length, names = length_of(study), []
    for time in study.times[::step]:
        if time.first is not None:
            names.append(clean(time.first))
        elif time.offset < 0:
            near = -time.offset - length + 1
            names.append(f"{-time.offset} to {near}\nbefore" if length > 1 else f"{near}\nbefore")
        else:
            first = time.offset + 1
            names.append(f"{first} to {time.offset + length}" if length > 1 else f"{first}")
    axes.set_xticks(range(0, size, step), names, fontsize=10)
    axes.tick_params(axis="x", length=4)
    axes.grid(axis="x", visible=False)
