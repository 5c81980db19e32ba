"""The chart of shares over time: both arms on one scale, in percent."""

from __future__ import annotations

import numpy as np

from whatworks_eval.judgement import Evaluation
from whatworks_eval.records import Arm, Series
from whatworks_eval.report import charts, drawing
from whatworks_eval.report.drawing import Chart
from whatworks_eval.report.numerals import clean, plain
from whatworks_eval.report.survey_words import share
from whatworks_eval.report.tables import ARMS, Table


def share_chart(evaluation: Evaluation) -> Chart | None:
    """Treated against comparison share by period; None without periods."""
    series = evaluation.series
    if series is None:
        return None
    present = [arm for arm in charts.LINES if arm in series.counts and np.isfinite(series.counts[arm]).any()]
    what = share(evaluation.protocol)
    alt = _alt(series, present)
    with drawing.style("counts"):
        made = drawing.figure(4.1)
        axes = made.add_axes((0.08, 0.13, 0.77, 0.7))
        axes.set_ylim(0, 100)
        charts._windows(axes, series, labels=True)
        none = np.zeros(len(series.periods), dtype=bool)
        charts._label_ends(axes, [charts._line(axes, series.counts[arm], none, arm) for arm in present])
        charts._time_axis(axes, series)
        axes.set_ylabel("%", rotation=0)
        svg = drawing.as_svg(made, "counts", alt)
    notes = ["The scale runs from 0 to 100 %. The shaded windows are the periods compared."]
    if any(np.isnan(series.counts[arm]).any() for arm in present):
        notes.append("Gaps are periods with no data: missing, not zero.")
    return Chart(
        id="counts",
        title=f"{clean(what[:1].upper() + what[1:])}, by {evaluation.protocol.period}",
        alt=alt,
        svg=svg,
        table=shares_by_period(series),
        notes=tuple(notes),
    )


def shares_by_period(series: Series) -> Table:
    """The share of each arm by period, in percent."""
    present = [arm for arm in ARMS if arm in series.counts]
    rows = []
    for place, period in enumerate(series.periods):
        window = "before" if series.before[place] else "after" if series.after[place] else "neither"
        cells = [
            "missing"
            if np.isnan(series.counts[arm][place])
            else f"{plain(float(series.counts[arm][place]), 1)} %"
            for arm in present
        ]
        rows.append((period, window, *cells))
    return Table(
        caption="Share of respondents, by period",
        columns=("Period", "Window", *(arm.capitalize() for arm in present)),
        rows=tuple(rows),
        numeric=tuple(range(2, 2 + len(present))),
    )


def _alt(series: Series, present: list[Arm]) -> str:
    said, windows = [], (series.before, series.after)
    for arm in present:
        held = [series.counts[arm][window & np.isfinite(series.counts[arm])] for window in windows]
        if all(part.size for part in held):
            before, after = (f"{plain(float(part.mean()), 1)} %" for part in held)
            said.append(f"{arm} {before} before and {after} after")
    span = f"{series.periods[0]} to {series.periods[-1]}"
    return drawing.short(
        f"Line chart of the share of respondents, {span}, project start {series.start}. Mean of each window: "
        f"{'; '.join(said) or 'not known'}."
    )
