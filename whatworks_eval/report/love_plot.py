"""The love plot: how far apart treated and comparison areas are in each feature, before and after matching.

Source: named after Thomas Love (2004), whose plots of standardised differences it follows.
"""

from __future__ import annotations

from whatworks_eval.likeness import Likeness
from whatworks_eval.report import drawing
from whatworks_eval.report.drawing import COMPARISON, FAINT, INK, TREATED, Chart
from whatworks_eval.report.likeness_words import NEGLIGIBLE, balance_table, label
from whatworks_eval.report.numerals import signed

LONGEST_LABEL = 30
MOST_ROWS = 25


def love_plot(found: Likeness) -> Chart | None:
    """Standardised differences, hollow before matching and filled after; None where there are none."""
    rows = [
        one
        for one in found.features
        if one.before.standardised is not None or one.after.standardised is not None
    ][:MOST_ROWS]
    if not rows:
        return None
    said = [
        f"{label(one.name)} {signed(one.before.standardised or 0.0, 2)} to "
        f"{signed(one.after.standardised or 0.0, 2)}"
        for one in rows
        if one.before.standardised is not None and one.after.standardised is not None
    ]
    alt = drawing.short(
        "Dot plot of standardised differences, treated less comparison areas, before to after matching: "
        f"{'; '.join(said)}."
    )
    values = [
        value
        for one in rows
        for value in (one.before.standardised, one.after.standardised)
        if value is not None
    ]
    with drawing.style("love"):
        frame = drawing.figure(1.35 + 0.42 * len(rows))
        height = frame.get_figheight()
        axes = frame.add_axes((0.27, 0.68 / height, 0.68, 1 - 1.12 / height))
        reach = max(2.5 * NEGLIGIBLE, 1.12 * max(map(abs, values)))
        axes.set_xlim(-reach, reach)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.axvspan(-NEGLIGIBLE, NEGLIGIBLE, color="#D5E3F0", linewidth=0, zorder=0)
        axes.axvline(0, color=INK, linewidth=1, zorder=1)
        for row, one in enumerate(rows):
            ends = (one.before.standardised, one.after.standardised)
            if ends[0] is not None and ends[1] is not None:
                axes.plot([ends[0], ends[1]], [row, row], color=FAINT, linewidth=1.6, zorder=2)
            for value, mark, colour, fill, name in (
                (ends[0], "o", COMPARISON, "white", "Before matching"),
                (ends[1], "D", TREATED, TREATED, "After matching"),
            ):
                if value is not None:
                    axes.plot(
                        value, row, mark, color=colour, mfc=fill, markersize=8, markeredgewidth=1.8,
                        linestyle="none", zorder=3, label=name,
                    )  # fmt: skip
            words = label(one.name)
            words = words if len(words) <= LONGEST_LABEL else f"{words[: LONGEST_LABEL - 1]}…"
            axes.text(
                -0.02,
                row,
                words,
                transform=axes.get_yaxis_transform(),
                ha="right",
                va="center",
                fontweight="bold" if one.matched_on else "normal",
            )
        marks = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(
            list(marks.values()), list(marks), loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2,
            handletextpad=0.2, borderaxespad=0.1,
        )  # fmt: skip
        axes.set_yticks([])
        axes.grid(axis="x", visible=True)
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_formatter(lambda at, _: signed(at, 2 if reach < 0.5 else 1))
        axes.locator_params(axis="x", nbins=7)
        axes.set_xlabel("Treated less comparison, in standard deviations of the treated areas", fontsize=11)
        svg = drawing.as_svg(frame, "love", alt)
    notes = [
        f"Hollow circle: before matching. Filled diamond: after. Shaded: within {NEGLIGIBLE:g} standard "
        "deviations. Names in bold were matched on."
    ]
    if len(found.features) > len(rows):
        notes.append("Features without a standardised difference, or beyond the first 25, are in the table.")
    return Chart(
        id="love",
        title="Treated against comparison areas, before and after matching",
        alt=alt,
        svg=svg,
        table=balance_table(found),
        notes=tuple(notes),
    )
