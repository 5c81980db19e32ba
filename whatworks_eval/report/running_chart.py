"""The chart of when an effect appears: expected by the comparison less recorded, by period and added up."""

from __future__ import annotations

import numpy as np

from whatworks_eval.judgement import Evaluation
from whatworks_eval.measures.running import Running, running_along, running_effect
from whatworks_eval.periods import calendar_part
from whatworks_eval.report import drawing, tables
from whatworks_eval.report.charts import MOST_TICKS
from whatworks_eval.report.drawing import AFTER_SHADE, FAINT, INK, TREATED, Chart
from whatworks_eval.report.numerals import SMALLEST_COUNT, count, plain, signed
from whatworks_eval.report.subject import is_staggered
from whatworks_eval.report.survey_words import is_share


def running_chart(evaluation: Evaluation) -> Chart | None:
    """Fewer or more than the comparison would lead one to expect; None without a comparison.

    None too where a small count could be worked back from it, and where the estimate expects another number
    than this sum does: a start for each area, a mixture, something held still.
    """
    running = _running(evaluation)
    if running is None or not running.after.any():
        return None
    if tables.hides_small_counts(evaluation) and (running.recorded < SMALLEST_COUNT).any():
        return None
    alt = _alt(running)
    with drawing.style("running"):
        made = drawing.figure(4.6)
        upper, lower = made.subplots(2, 1, sharex=True)
        made.subplots_adjust(left=0.11, right=0.985, top=0.93, bottom=0.11, hspace=0.32)
        at = np.arange(len(running.periods))
        first = int(np.flatnonzero(running.after)[0])
        colours = np.where(running.after, TREATED, FAINT)
        upper.bar(at, running.prevented, width=0.8, color=colours.tolist())
        lower.plot(at[first:], running.cumulative[first:], "-o", color=TREATED, linewidth=2.2, markersize=3)
        for axes, title in ((upper, "Each period"), (lower, "Added up from the first after period")):
            axes.axvspan(first - 0.5, len(at) - 0.5, color=AFTER_SHADE, linewidth=0, zorder=0)
            axes.axhline(0, color=INK, linewidth=0.8)
            axes.grid(axis="x", visible=False)
            axes.set_title(title, fontsize=12, pad=4)
            axes.yaxis.set_major_formatter(lambda value, _: signed(value, 0))
            axes.yaxis.get_major_locator().set_params(integer=True)
        lower.set_xlim(-0.6, len(at) - 0.4)
        ticks = [at for at, period in enumerate(running.periods) if calendar_part(period) in {"01", "W01"}]
        if not 2 <= len(ticks) <= MOST_TICKS:
            ticks = list(range(0, len(at), max(1, -(-len(at) // MOST_TICKS))))
        lower.set_xticks(ticks, [running.periods[place] for place in ticks])
        svg = drawing.as_svg(made, "running", alt)
    carried_on = evaluation.curve is not None
    expected = (
        "the trend of the ratio of the arms before the start, carried on, times the comparison"
        if carried_on
        else "treated before × comparison now / comparison before"
    )
    notes = [
        "Above zero = fewer recorded than expected. The gap between the arms before the start is taken out: "
        f"expected = {expected}.",
        "Pale bars, before the start, show how far single periods stray with nothing done. They and the sum "
        "have no interval here: the estimate for the whole window has.",
    ]
    return Chart(
        id="running",
        title="When does it appear? Incidents fewer than the comparison would lead one to expect",
        alt=alt,
        svg=svg,
        table=_table(running),
        notes=tuple(notes),
    )


def _running(evaluation: Evaluation) -> Running | None:
    """What adds up to the registered estimate; None where nothing does."""
    protocol, series = evaluation.protocol, evaluation.series
    if series is None or "comparison" not in series.counts or is_share(protocol):
        return None
    if evaluation.synthetic is not None or is_staggered(protocol) or protocol.did.adjust_for:
        return None
    return running_effect(series) if evaluation.curve is None else running_along(evaluation.curve)


def _table(running: Running) -> tables.Table:
    rows = tuple(
        (
            period,
            "after" if late else "before",
            count(float(recorded)),
            plain(float(expected), 1),
            signed(float(prevented), 1),
            signed(float(added), 1) if late else "before the start",
        )
        for period, late, recorded, expected, prevented, added in zip(
            running.periods,
            running.after,
            running.recorded,
            running.expected,
            running.prevented,
            running.cumulative,
            strict=True,
        )
    )
    return tables.Table(
        caption="Expected by the comparison less recorded, treated areas, by period",
        columns=("Period", "Window", "Recorded", "Expected", "Fewer than expected", "Added up"),
        rows=rows,
        numeric=(2, 3, 4, 5),
    )


def _alt(running: Running) -> str:
    late = np.flatnonzero(running.after)
    most = late[int(np.argmax(np.abs(running.prevented[late])))]
    return drawing.short(
        f"Bar and line chart, {running.periods[0]} to {running.periods[-1]}, of expected less recorded "
        f"incidents. Added up over the after window: {signed(float(running.cumulative[-1]), 0)}; largest "
        f"single period {running.periods[most]}, {signed(float(running.prevented[most]), 0)}."
    )
