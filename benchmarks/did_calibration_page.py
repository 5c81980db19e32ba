"""The calibration of `did` as a page: one row a cell, judged, beside the intervals it replaces."""

# ruff: noqa: E501 - the prose is Markdown, one paragraph a line

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from calibration_page import LEAST_COVERAGE, error_of

BANDS = {"scattered": (3.5, 6.5), "clump": (3.5, 7.5), "ward": (3.5, 7.5)}
OUTCOMES = {"rate": "difference in rates", "mean": "difference in mean counts", "ratio": "ratio, by cohort"}
OTHERS = ("two-way, CR1, normal", "two-way, CR2, t")
INSIDE = "within the band"

HEAD = """# Calibration of difference-in-differences

Rejection of a true null at a nominal 5 %, and coverage of a planted fall of a fifth, where nothing was done: police.uk counts by LSOA (Avon & Somerset 2018 against 2019, rates by residents of mid-2019; Gwent 2020 against 2021), and simulated panels of 100 areas by 24 months whose areas shift by themselves from year to year (15 %) and vary more than chance. Cohorts start four months apart. Made by `benchmarks/did_calibration.py`, through the functions that `evaluate` calls; every hundredth draw runs `did.from_panel` whole and must give the same p-value. One start for all on counts is the ratio of ratios: its table is [calibration](calibration.md).

The bars are 3.5 to 6.5 % (scattered areas), 3.5 to 7.5 % (clumps and wards) and at least 93 % coverage. With {draws} draws a row a rate of 5 % is known to about ±{error:.1f} points (95 %). A row is called *liberal*, *conservative* or *covers too little* where it lies outside its bar by more than that; one outside by less is called *outside the bar, within the error of the draws*: such a row is neither passed nor failed by this table. Rows are {rows} in number, so about one in twenty would stray that far by luck.

"""

FOOT = """
The last two columns are what the usual two-way regression would have said of the same draws (every fourth of them, so ±{error:.1f} points): an error clustered by unit with the normal distribution (CR1), and with the small-sample correction and Satterthwaite degrees of freedom (CR2). 'none': with one treated cluster there is no such error, or (CR2, cohorts) it was not computed. This is why the registered interval relabels whole units, and why a clustered error stands beside it and never in its place: see [parallel trends](parallel-trends.md).
"""


def page(results: list[dict[str, Any]]) -> str:
    """The whole page as Markdown."""
    draws = min(row["draws"] for row in results)
    beside = min(row["others_draws"] for row in results)
    lines = [
        HEAD.format(draws=draws, error=error_of(draws), rows=len(results)),
        _summary(results),
        "| Where | Offence | Estimate | Treated | Rejection % | Coverage % | Refused | Verdict | "
        + " | ".join(f"{other}: rejection %" for other in OTHERS)
        + " |",
        "|" + "---|" * (8 + len(OTHERS)),
    ]
    for row in results:
        others = [f"{row['others'][name]:.0f}" if name in row["others"] else "none" for name in OTHERS]
        lines.append(
            f"| {row['force']} | {row['offence'] or '–'} | {OUTCOMES[row['outcome']]} | {row['shape']} "
            f"| {row['rejection']:.1f} | {row['coverage']:.1f} | {row['refused']} "
            f"| {verdict(row, error_of(row['draws']))} | {' | '.join(others)} |"
        )
    return "\n".join(lines) + "\n" + FOOT.format(error=error_of(beside))


def verdict(row: dict[str, Any], error: float) -> str:
    """Within its bar, outside by less than the draws can tell, or outside."""
    low, high = BANDS[row["kind"]]
    rejection, coverage = row["rejection"], row["coverage"]
    if rejection > high + error:
        return "liberal"
    if coverage < LEAST_COVERAGE - error:
        return "covers too little"
    if rejection < low - error:
        return "conservative"
    if low <= rejection <= high and coverage >= LEAST_COVERAGE:
        return INSIDE
    return "outside the bar, within the error of the draws"


def _summary(results: Iterable[dict[str, Any]]) -> str:
    """How many rows came out how, and the means."""
    rows = list(results)
    said = [verdict(row, error_of(row["draws"])) for row in rows]
    counts = ", ".join(f"{said.count(word)} {word}" for word in dict.fromkeys(said))
    mean = sum(row["rejection"] for row in rows) / len(rows)
    cover = sum(row["coverage"] for row in rows) / len(rows)
    return f"{len(rows)} rows: {counts}. Mean rejection {mean:.1f} %, mean coverage {cover:.1f} %.\n"
