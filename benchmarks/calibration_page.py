"""The calibration results as a page: one row a shape, force and offence, every cell judged."""

# ruff: noqa: E501 - the prose is Markdown, one paragraph a line

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

BANDS = {"scattered": (3.5, 6.5), "clump": (3.5, 7.5), "ward": (3.5, 7.5), "top": (0.0, 7.5)}
LEAST_COVERAGE = 93.0
WORDS = {"scattered": "scattered", "clump": "clump", "ward": "ward", "top": "top tenth"}

HEAD = """# Calibration on real counts

Rejection of a true null at a nominal 5 %, coverage of a planted fall of a fifth, and width of the interval, on police.uk
counts by LSOA where nothing was done (Avon & Somerset 2018-01 to 2020-02, Gwent 2020 to 2022). Each row pools three pairs of
windows of the same calendar months, {draws} draws each; the highest and lowest of the three stand beside. Made by
`benchmarks/calibration.py`, through the functions that `evaluate` calls; every hundredth draw runs `estimate` whole
and must agree. DESIGN 6 asks for 3.5 to 6.5 % (scattered), 3.5 to 7.5 % (clumps and wards), at most 7.5 % (chosen from the
top tenth, matched), and at least 93 % coverage. With {pooled} draws a row or more, a rate of 5 % is known to about ±{error:.1f} points
(95 %), so a row is marked *liberal* or *conservative* only where it lies outside the band by more than that.

"""


def page(results: list[dict[str, Any]]) -> str:
    """The whole page as Markdown."""
    rows = pooled(results)
    draws = " or ".join(str(number) for number in sorted({row["draws"] for row in results}))
    together = min(row["draws"] for row in rows)
    parts = [HEAD.format(draws=draws, pooled=together, error=error_of(together))]
    parts.append(_summary(rows, results))
    parts.append("## Every row\n")
    parts.append(
        "| Shape | Force | Offence | Rejection % (lowest to highest) | Coverage % | Median width (log) | "
        "Mean change % | Refused | Verdict |\n|---|---|---|---|---|---|---|---|---|"
    )
    for row in rows:
        low, high = row["rejection_range"]
        parts.append(
            f"| {row['shape']} | {row['force']} | {row['offence']} | {row['rejection']:.1f} ({low:.1f} to {high:.1f}) "
            f"| {row['coverage']:.1f} | {row['width']:.2f} | {row['mean_change']:+.1f} | {row['refused']} "
            f"| {verdict(row, error_of(row['draws']))} |"
        )
    return "\n".join(parts)


def _mean_known(values: Iterable[float | None]) -> float:
    """Mean of the values there are; a cell whose intervals are open on one side has no width."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")


def error_of(draws: int) -> float:
    """How far, in points, a true 5 % can look off with so many draws (95 %)."""
    return float(196 * (0.05 * 0.95 / draws) ** 0.5)


def pooled(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a shape, force and offence: draws added up over pairs of windows."""
    groups: defaultdict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for result in results:
        groups[result["shape"], result["force"], result["offence"]].append(result)
    rows = []
    for (shape, force, offence), cells in groups.items():

        def mean(name: str, cells: list[dict[str, Any]] = cells) -> float:
            known = [cell[name] for cell in cells if cell[name] is not None]
            return sum(known) / len(known) if known else float("nan")

        rates = [cell["rejection"] for cell in cells]
        rows.append(
            {
                "shape": shape,
                "force": force,
                "offence": offence,
                "draws": sum(cell["draws"] for cell in cells),
                "rejection": mean("rejection"),
                "rejection_range": (min(rates), max(rates)),
                "coverage": mean("coverage"),
                "width": mean("width"),
                "mean_change": mean("mean_change"),
                "refused": sum(cell["refused"] for cell in cells),
            }
        )
    return rows


def verdict(row: dict[str, Any], error: float) -> str:
    """Within the band, or outside it by more than the draws can explain."""
    low, high = band_of(row["shape"])
    if row["rejection"] > high + error:
        return "liberal"
    if row["coverage"] < LEAST_COVERAGE - error:
        return "covers too little"
    if row["rejection"] < low - error:
        return "conservative"
    return "as it should be"


def band_of(shape: str) -> tuple[float, float]:
    """The band DESIGN 6 asks for."""
    return next(band for kind, band in BANDS.items() if WORDS[kind] in shape)


def _summary(rows: list[dict[str, Any]], results: list[dict[str, Any]]) -> str:
    """One line a shape: ours beside the other candidates."""
    lines = [
        "## By shape, and what other intervals would have done\n",
        "Rejection of a true null in percent, with the median width on the log scale in brackets. 'Fixed spread' is the width "
        "that would reject 5 % if the spread of the change over all such sets were known and the same for all.\n",
        "| Shape | Relabelling (kept) | by third of level, and top tenth | Poisson | Clustered, normal | Clustered, t | "
        "Fixed spread |\n|---|---|---|---|---|---|---|",
    ]
    by_shape: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for result in results:
        by_shape[result["shape"]].append(result)
    for shape, cells in by_shape.items():
        levels = [cell["rejection_by_level"] for cell in cells]
        thirds = " · ".join(f"{sum(level[part] for level in levels) / len(levels):.1f}" for part in range(4))
        others = []
        for name in ("Poisson", "clustered, normal", "clustered, t"):
            found = [cell["others"][name] for cell in cells if name in cell["others"]]
            if not found:
                others.append("none")
                continue
            rate, width = (sum(pair[part] for pair in found) / len(found) for part in (0, 1))
            others.append(f"{rate:.1f} ({width:.2f})" if width > 0 else f"{rate:.0f} (zero width)")
        ours = sum(cell["rejection"] for cell in cells) / len(cells)
        width, fixed = (_mean_known(cell[name] for cell in cells) for name in ("width", "fixed_width"))
        lines.append(
            f"| {shape} | {ours:.1f} ({width:.2f}) | {thirds} | {' | '.join(others)} | ({fixed:.2f}) |"
        )
    judged = [verdict(row, 0.0) for row in rows]
    lines.append(
        f"\n{len(rows)} rows: "
        + ", ".join(f"{judged.count(word)} {word}" for word in dict.fromkeys(judged))
        + " by the bare band.\n"
    )
    return "\n".join(lines)
