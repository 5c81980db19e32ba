"""Charts of the effect: every estimate with its interval, and the effects 'found' where nothing was done."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.judgement import Evaluation
from whatworks_eval.records import Estimate, Placebo
from whatworks_eval.report import drawing, survey_words, tables
from whatworks_eval.report.charts import beside
from whatworks_eval.report.drawing import AFTER_SHADE, FAINT, INK, TREATED, Chart
from whatworks_eval.report.numerals import clean, p_value, percent, signed
from whatworks_eval.report.words import picked_for_need, range_cell, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 30
WIDEST = (-100.0, 150.0)  # percent; an interval that reaches further is drawn with an arrow


def estimates_chart(evaluation: Evaluation) -> Chart | None:
    """The registered estimate and its alternatives as dots with intervals; None for one alone."""
    every = (evaluation.estimate, *evaluation.alternatives)
    made = [
        one
        for one in every
        if one.scale == survey_words.scale_shown(evaluation)
        and one.choice != "effect measure"  # the same effect under another name
        and not any(one is other for other in tables.in_other_units(evaluation))
        and (one.value is not None or range_cell(one))
    ]
    if len(made) < 2:
        return None  # the table says as much
    lines = _grouped(made)
    level, first = f"design strength level {evaluation.grade.level} of 5", made[0]
    said = tables.cells(first, bare=False)[0] if shown(first).value is not None else "no value"
    alt = drawing.short(
        f"Dot plot of {len(made)} estimates with intervals. {tables.name_of(first, evaluation.protocol)}: "
        f"{said} ({range_cell(first) or 'no interval'}), {level}."
    )
    with drawing.style("estimates"):
        names = [_wrapped(one if isinstance(one, str) else _short_name(one, evaluation)) for one in lines]
        places = _places(names)
        frame = drawing.figure(0.95 + 0.4 * (places[-1] + 1))
        height = frame.get_figheight()
        axes = frame.add_axes((0.27, 0.66 / height, 0.4, 1 - 0.8 / height))
        low, high = _limits(made, clipped=first.scale == "log-ratio")
        axes.set_xlim(low, high)
        axes.set_ylim(places[-1] + 0.5, -0.5)
        axes.axvline(0, color=INK, linewidth=1)
        spread = _draw_spread(axes, lines, places, (low, high))
        for row, name, one in zip(places, names, lines, strict=True):
            _row_name(axes, row, name, bold=isinstance(one, str) or one.choice is None)
            if isinstance(one, str):
                continue
            span, main = shown(one), one.choice is None
            start = low if span.low is None else max(span.low, low)
            end = high if span.high is None else min(span.high, high)
            colour = TREATED if main else "#3D3D3D"
            if span.low is not None or span.high is not None:
                axes.plot([start, end], [row, row], color=colour, linewidth=3 if main else 1.6, zorder=3)
                for at, open_end, mark in ((start, span.low, "<"), (end, span.high, ">")):
                    if open_end is None or not low <= open_end <= high:
                        axes.plot(at, row, mark, color=colour, markersize=6, clip_on=False, zorder=4)
            if span.value is not None:
                kept = min(max(span.value, low), high)
                axes.plot(
                    kept, row, "D" if main else "o", color=colour, markersize=8 if main else 6, zorder=5
                )
            cell, reach = tables.cells(
                one, bare=evaluation.protocol.method == "did" and one.scale == "difference"
            )
            words = ("" if span.value is None else f"{cell}   ") + (
                f"({reach})" if range_cell(one) else "no interval"
            )
            axes.text(1.03, row, words, transform=axes.get_yaxis_transform(), va="center", fontsize=10)
        axes.set_yticks([])
        axes.grid(axis="x", visible=True)
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_formatter(lambda at, _: _tick(at, high - low))
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(survey_words.axis(evaluation), fontsize=11)
        svg = drawing.as_svg(frame, "estimates", alt)
    notes = ["The diamond is the estimate the protocol declares; the dots change one choice each."]
    if spread:
        notes.append(spread)
    if tables.in_other_units(evaluation):
        notes.append("Estimates in other units are not drawn; they have a table of their own.")
    warned = "; none is an effect of the project" if picked_for_need(evaluation) is not None else ""
    return Chart(
        id="estimates",
        title=f"Every estimate with its interval ({level}{warned})",
        alt=alt,
        svg=svg,
        table=tables.effects(evaluation),
        notes=tuple(notes),
    )


def _grouped(made: list[Estimate]) -> list[Estimate | str]:
    """The estimates with those that change the same choice together, under the name of the choice."""
    lines: list[Estimate | str] = [one for one in made if one.choice is None]
    for choice in dict.fromkeys(one.choice for one in made if one.choice is not None):
        lines.append(f"{choice[:1].upper()}{choice[1:]}")
        lines += [one for one in made if one.choice == choice]
    return lines


def _short_name(one: Estimate, evaluation: Evaluation) -> str:
    """The name of an estimate, less the choice it stands under."""
    if one.choice is None:
        return tables.name_of(one, evaluation.protocol)
    label = clean(one.label)
    return label[:1].upper() + label[1:]


def _wrapped(name: str) -> list[str]:
    return textwrap.wrap(name, 26, break_on_hyphens=False) or [""]


def _places(names: list[list[str]]) -> list[float]:
    """Where each row stands: one apart, and more where a name takes three lines or more."""
    places: list[float] = []
    at = 0.0
    for before, name in zip([names[0], *names], names, strict=False):
        if places:
            at += max(1.0, 0.28 * (len(before) + len(name)))
        places.append(at)
    return places


def _draw_spread(
    axes: Axes, lines: list[Estimate | str], places: list[float], limits: tuple[float, float]
) -> str:
    """A band behind the comparison sets, from the lowest to the highest value, and what it means."""
    rows = [
        (row, value)
        for row, one in zip(places, lines, strict=True)
        if not isinstance(one, str) and one.choice == "comparison set"
        if (value := shown(one).value) is not None
    ]
    if len(rows) < 2:
        return ""
    least, most = min(value for _, value in rows), max(value for _, value in rows)
    low, high = limits
    in_percent = all(isinstance(one, str) or one.scale == "log-ratio" for one in lines)
    axes.fill_between(
        [max(least, low), min(most, high)],
        rows[0][0] - 0.5,
        rows[-1][0] + 0.5,
        color=AFTER_SHADE,
        linewidth=0,
        zorder=1,
    )
    ends = [percent(end, 1) if in_percent else signed(end, 2) for end in (least, most)]
    return f"The shaded band spans the {len(rows)} other comparison sets: {ends[0]} to {ends[1]}."


def _row_name(axes: Axes, row: float, lines: list[str], *, bold: bool) -> None:
    """The name of a row at its left, line by line so that every line ends at the same place."""
    for place, line in enumerate(lines):
        axes.annotate(
            line,
            (0, row),
            xycoords=axes.get_yaxis_transform(),
            xytext=(-8, 7 * (len(lines) - 1 - 2 * place)),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=11,
            fontweight="bold" if bold else "normal",
            annotation_clip=False,
        )


def _tick(at: float, width: float) -> str:
    """A tick with the decimals the axis needs: whole numbers but where all of it is within a few units."""
    return signed(at, 0 if width >= 5 or at == 0 else 1 if width >= 0.5 else 2)


def _limits(made: list[Estimate], *, clipped: bool) -> tuple[float, float]:
    ends = [
        end for one in made for end in (shown(one).low, shown(one).value, shown(one).high) if end is not None
    ]
    low, high = min(0.0, *ends), max(0.0, *ends)
    spare = 0.06 * (max(high - low, 1.0) if clipped else (high - low) or 1.0)
    if not clipped:
        return low - spare, high + spare
    return max(low - spare, WIDEST[0]), min(high + spare, WIDEST[1])


def placebo_chart(evaluation: Evaluation) -> Chart | None:
    """The effects 'found' in placebo sets with ours marked; None where the inference used none."""
    placebo = evaluation.placebo
    if placebo is None or not placebo.effects.size:
        return None
    effects = 100 * np.expm1(placebo.effects)
    ours = None if placebo.observed is None else float(100 * np.expm1(placebo.observed))
    low, high = np.quantile(effects, [0.002, 0.998])
    if ours is not None:
        low, high = min(low, ours), max(high, ours)
    spare = 0.04 * max(float(high - low), 0.1)
    edges = np.linspace(low - spare, high + spare, BINS + 1)
    held, _ = np.histogram(np.clip(effects, edges[0], edges[-1]), bins=edges)
    rank = _rank(placebo)
    alt = drawing.short(
        f"Histogram of the change in {len(effects):,} placebo sets, most between "
        f"{percent(float(np.quantile(effects, 0.025)))} and {percent(float(np.quantile(effects, 0.975)))}. "
        + (f"Here: {percent(ours, 1)}. {rank}" if ours is not None else "No value here.")
    )
    with drawing.style("placebo"):
        frame = drawing.figure(3.0)
        axes = frame.add_axes((0.095, 0.19, 0.885, 0.68))
        axes.bar(
            edges[:-1], held, np.diff(edges), align="edge", color=FAINT, edgecolor="white", linewidth=0.5
        )
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(0, 1.08 * held.max())
        axes.axvline(0, color=INK, linewidth=0.8)
        if ours is not None:
            axes.axvline(ours, color=TREATED, linewidth=3)
            at_left = ours < (edges[0] + edges[-1]) / 2
            above = axes.get_xaxis_transform()
            beside(axes, f"Here: {percent(ours, 1)}", (ours, 1.05), 1 if at_left else -1, above)
        axes.xaxis.set_major_formatter(lambda at, _: signed(at, 0))
        axes.set_xlabel("Change against the rest, %", fontsize=11)
        axes.set_ylabel("Placebo sets", fontsize=11)
        svg = drawing.as_svg(frame, "placebo", alt)
    p = evaluation.estimate.p_value
    drawn = "every one there could be" if placebo.exact else "drawn at random"
    notes = [f"{placebo.sets:,} placebo sets, {drawn}: {clean(placebo.how)}.", rank]
    if p is not None:
        alone = evaluation.protocol.method == "before-after"
        weighed = "" if alone else "; it weighs each set by how much chance moves it, so the two may differ"
        notes.append(f"The p-value of the estimate is {p_value(p)}{weighed}.")
        if alone:
            notes.append("The figure here is unadjusted: it holds whatever changed everywhere.")
    return Chart(
        id="placebo",
        title="What the same comparison 'finds' where nothing was done",
        alt=alt,
        svg=svg,
        table=_bins(edges, held),
        notes=tuple(note for note in notes if note),
    )


def _rank(placebo: Placebo) -> str:
    if placebo.observed is None:
        return ""
    as_far = int((np.abs(placebo.effects) >= abs(placebo.observed)).sum())
    return f"{as_far:,} of {placebo.effects.size:,} sets changed at least as much, up or down."


def _bins(edges: NDArray[np.float64], held: NDArray[np.int_]) -> tables.Table:
    rows = tuple(
        (f"{signed(float(start), 1)} to {signed(float(end), 1)}", f"{int(size):,}")
        for start, end, size in zip(edges[:-1], edges[1:], held, strict=True)
        if size
    )
    return tables.Table(
        caption="Placebo sets by the change they show; the first and last rows hold all beyond them",
        columns=("Change, %", "Sets"),
        rows=rows,
        numeric=(0, 1),
    )
