"""The tornado: what each input does to the ratio by itself, the largest at the top."""

from __future__ import annotations

import textwrap

from whatworks_eval.economics.records import CostBenefit, TornadoEntry
from whatworks_eval.report import drawing, economics_tables
from whatworks_eval.report.drawing import COMPARISON, INK, TREATED, Chart
from whatworks_eval.report.economics_words import chain_cell
from whatworks_eval.report.numerals import clean, listed, signed
from whatworks_eval.report.pounds import ratio

MOST = 8  # bars: beyond that the swings are too small to see
SMALLEST = 0.005  # a swing that would round away


def tornado_chart(made: CostBenefit) -> Chart | None:
    """Bars from the ratio at an input's low to the ratio at its high; None where no input has a range."""
    entries = [entry for entry in made.tornado if entry.swing >= SMALLEST][:MOST]
    central = made.ratio.value
    if not entries or central is None:
        return None
    first = entries[0]
    alt = drawing.short(
        f"Tornado chart of benefits over costs, {ratio(central)} with every input central. "
        f"{_capital(first.input)} matters most: {ratio(first.ratio_at_low)} to {ratio(first.ratio_at_high)}. "
        f"{len(entries)} inputs in all."
    )
    ends = [end for entry in entries for end in (entry.ratio_at_low, entry.ratio_at_high)]
    low, high = min(*ends, central, 1.0), max(*ends, central, 1.0)
    spare = 0.3 * max(high - low, 0.1)  # for the labels at the ends of the bars
    with drawing.style("tornado"):
        frame = drawing.figure(1.15 + 0.58 * len(entries))
        height = frame.get_figheight()
        axes = frame.add_axes((0.3, 0.62 / height, 0.67, 1 - 1.08 / height))
        axes.set_xlim(low - spare, high + spare)
        axes.set_ylim(len(entries) - 0.5, -0.5)
        for row, entry in enumerate(entries):
            for end, at, colour in (
                (entry.low, entry.ratio_at_low, COMPARISON),
                (entry.high, entry.ratio_at_high, TREATED),
            ):
                axes.barh(row, at - central, left=central, height=0.5, color=colour, zorder=3)
                right = at > central or (at == central and entry.ratio_at_low < entry.ratio_at_high)
                axes.annotate(
                    _label(end, entry),
                    (at, row),
                    xytext=(5 if right else -5, 0),
                    textcoords="offset points",
                    ha="left" if right else "right",
                    va="center",
                    fontsize=9.5,
                    zorder=5,
                )
            axes.annotate(
                "\n".join(textwrap.wrap(_capital(entry.input), 30, break_on_hyphens=False)),
                (0, row),
                xycoords=axes.get_yaxis_transform(),
                xytext=(-8, 0),
                textcoords="offset points",
                ha="right",
                multialignment="right",
                va="center",
                fontsize=10,
                annotation_clip=False,
            )
        axes.axvline(central, color=INK, linewidth=1, zorder=4)
        axes.axvline(1.0, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=2)
        above = axes.get_xaxis_transform()
        left = central < 1.0
        near = abs(central - 1.0) < 0.25 * (high - low + 2 * spare)
        for at, said, side in (
            (central, f"Central: {ratio(central)}", left),
            (1.0, "Breaks even: 1", not left),
        ):
            axes.annotate(
                said,
                (at, 1.0),
                xycoords=above,
                xytext=((-4 if side else 4) if near else 0, 5),
                textcoords="offset points",
                ha=("right" if side else "left") if near else "center",
                va="bottom",
                fontsize=10,
                fontweight="bold",
            )
        axes.set_yticks([])
        axes.grid(axis="x", visible=True)
        axes.grid(axis="y", visible=False)
        places = 1 if high - low < 6 else 0
        axes.xaxis.set_major_formatter(lambda at, _: signed(at, places, plus=False))
        axes.set_xlabel("Benefits over costs", fontsize=11)
        svg = drawing.as_svg(frame, "tornado", alt)
    return Chart(
        id="tornado",
        title=f"Which input matters most (effect at design strength level {made.level} of 5)",
        alt=alt,
        svg=svg,
        table=economics_tables.tornado(made),
        notes=_notes(made, len(entries)),
    )


def _capital(name: str) -> str:
    said = clean(name)
    return f"{said[:1].upper()}{said[1:]}"


def _label(value: float, entry: TornadoEntry) -> str:
    unit = "" if entry.unit.startswith("£") else f" {clean(entry.unit)}"
    return chain_cell(value, entry.unit) + (unit if len(unit) <= 11 else "")


def _notes(made: CostBenefit, drawn: int) -> tuple[str, ...]:
    notes = [
        "Each bar moves one input from its low (orange) to its high (dark blue), which are printed at its "
        "ends; all "
        "others stay central. Inputs without a bar are held fixed."
    ]
    left = [clean(entry.input) for entry in made.tornado[drawn:]]
    if left:
        notes.append(f"Not drawn, since they move it less: {listed(left)}.")
    return tuple(notes)
