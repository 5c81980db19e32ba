"""The chart of cohorts: the effect in the areas of each start, with all of them together above."""

from __future__ import annotations

from whatworks_eval.judgement import Evaluation
from whatworks_eval.over_time import Cohort
from whatworks_eval.records import Estimate
from whatworks_eval.report import drawing
from whatworks_eval.report.drawing import INK, TREATED, Chart
from whatworks_eval.report.effect_charts import WIDEST
from whatworks_eval.report.interval_axis import LEAD, tick
from whatworks_eval.report.numerals import counted, per_cent_of
from whatworks_eval.report.over_time_tables import cohort_table
from whatworks_eval.report.over_time_words import (
    FEWEST_UNITS,
    Scale,
    cohort_name,
    cohorts_sentence,
    is_thin,
    level_said,
    scale_of,
)

WHOLE = "All cohorts"


def cohort_chart(evaluation: Evaluation) -> Chart | None:
    """A forest of cohorts, those with few units hollow; None where all areas start together."""
    over_time = evaluation.over_time
    if over_time is None or not over_time.cohorts:
        return None
    scale, made = scale_of(evaluation), evaluation.estimate
    rows: list[Estimate | Cohort] = [made, *over_time.cohorts]
    alt = drawing.short(
        f"Dot plot of the effect by start, {counted(len(over_time.cohorts), 'cohort')}. {WHOLE}: "
        f"{scale.said(made.value)} ({scale.span(made.low, made.high)}), level {evaluation.grade.level} of 5. "
        f"{cohorts_sentence(evaluation)}"
    )
    with drawing.style("cohorts"):
        frame = drawing.figure(0.95 + 0.4 * len(rows))
        height = frame.get_figheight()
        axes = frame.add_axes((0.27, 0.66 / height, 0.4, 1 - 0.8 / height))
        low, high = _limits(rows, scale)
        axes.set_xlim(low, high)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.axvline(0, color=INK, linewidth=1)
        for row, one in enumerate(rows):
            main = isinstance(one, Estimate)
            hollow = isinstance(one, Cohort) and is_thin(one)
            colour = TREATED if main else LEAD
            if one.low is not None or one.high is not None:
                start = low if one.low is None else max(scale.shown(one.low), low)
                end = high if one.high is None else min(scale.shown(one.high), high)
                axes.plot([start, end], [row, row], color=colour, linewidth=3 if main else 1.6, zorder=3)
                for at, given, mark in ((start, one.low, "<"), (end, one.high, ">")):
                    if given is None or not low <= scale.shown(given) <= high:
                        axes.plot(at, row, mark, color=colour, markersize=6, clip_on=False, zorder=4)
            if one.value is not None:
                kept = min(max(scale.shown(one.value), low), high)
                axes.plot(
                    kept,
                    row,
                    "D" if main else "o",
                    color=colour,
                    markerfacecolor="white" if hollow else colour,
                    markeredgewidth=1.6,
                    markersize=8 if main else 7,
                    zorder=5,
                )
            places = scale.places(one.low, one.high)
            words = "" if one.value is None else f"{scale.cell(one.value, places)}   "
            held = scale.span(one.low, one.high, places)
            words += "no interval" if held == "none" else f"({held})"
            axes.text(1.03, row, words, transform=axes.get_yaxis_transform(), va="center", fontsize=10)
            axes.annotate(
                WHOLE if isinstance(one, Estimate) else cohort_name(one),
                (0, row),
                xycoords=axes.get_yaxis_transform(),
                xytext=(-8, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=11,
                fontweight="bold" if main else "normal",
                annotation_clip=False,
            )
        axes.set_yticks([])
        axes.grid(axis="x", visible=True)
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_formatter(lambda at, _: tick(at, high - low))
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(f"Recorded against expected, {scale.unit}  (below zero = fewer)", fontsize=11)
        svg = drawing.as_svg(frame, "cohorts", alt)
    notes = [cohorts_sentence(evaluation)]
    notes.append(
        f"The diamond is the registered estimate over all areas; the dots are the areas of each start, with "
        f"their {per_cent_of(made.confidence)} intervals."
    )
    if any(is_thin(cohort) for cohort in over_time.cohorts):
        notes.append(f"Hollow: fewer than {FEWEST_UNITS} units, so that one bad month looks like an effect.")
    return Chart(
        id="cohorts",
        title=f"The effect by start ({level_said(evaluation)})",
        alt=alt,
        svg=svg,
        table=cohort_table(evaluation, over_time),
        notes=tuple(notes),
    )


def _limits(rows: list[Estimate | Cohort], scale: Scale) -> tuple[float, float]:
    ends = [scale.shown(end) for one in rows for end in (one.low, one.value, one.high) if end is not None]
    low, high = min(0.0, *ends, 0.0), max(0.0, *ends, 0.0)
    spare = 0.06 * ((high - low) or 1.0)
    low, high = low - spare, high + spare
    return (max(low, WIDEST[0]), min(high, WIDEST[1])) if scale.ratio else (low, high)
