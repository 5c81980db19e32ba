"""How deprived the treated areas are, as a table for the terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from whatworks_eval.measures.deprivation_profile import DeprivationProfile, GroupDeprivation
from whatworks_eval.report.numerals import clean, plain
from whatworks_eval.report.tables import ABSENT, Table
from whatworks_eval.report.text import grid, heading, wrap

_GROUPS = {"treated": "Treated areas", "comparison": "Comparison areas", "force": "Every area of the force"}


def profile_table(made: DeprivationProfile) -> Table:
    """Three rows a force: treated, comparison, the whole force; then the same for all forces."""
    several = len({row.force for row in made.rows}) > 2
    rows = tuple(_row(row) for row in made.rows if several or row.force != made.rows[-1].force)
    reasons = dict.fromkeys(clean(row.why_missing) for row in made.rows if row.why_missing)
    return Table(
        caption=f"Deprivation by the {made.index}, {made.file}",
        columns=("Force", "Group", "Areas", "Mean score", "In the most deprived 10 %"),
        rows=rows,
        numeric=(2, 3, 4),
        notes=(
            "A higher score is more deprived. The most deprived 10 % are those of the whole country.",
            *(f"Absent figures: {reason}." for reason in reasons),
            *(clean(note) for note in made.notes),
        ),
    )


def units_table(made: DeprivationProfile) -> Table:
    """One row a treated unit: its areas and their mean score, each counted with its residents."""
    rows = tuple(
        (
            clean(unit),
            f"{found.areas:,}",
            f"{found.residents:,.0f}",
            ABSENT if found.value is None else plain(found.value, 1),
        )
        for unit, found in made.units.items()
    )
    reasons = dict.fromkeys(clean(found.why_missing) for found in made.units.values() if found.why_missing)
    return Table(
        caption="Treated units, the mean of their areas' scores by residents",
        columns=("Unit", "Areas", "Residents", "Mean score"),
        rows=rows,
        numeric=(1, 2, 3),
        notes=tuple(f"Absent figures: {reason}." for reason in reasons),
    )


def profile_text(made: DeprivationProfile) -> str:
    """The table with a sentence before it."""
    treated, force = made.row("treated"), made.row("force")
    parts = [heading("How deprived are the areas?", "=")]
    if treated.mean_score is not None and force.mean_score is not None:
        parts.append(
            wrap(
                f"The treated areas' mean score is {plain(treated.mean_score, 1)}, their force's average "
                f"{plain(force.mean_score, 1)}. This says who was served, not what it did."
            )
        )
    parts.append(grid(profile_table(made)))
    if made.units:
        parts.append(grid(units_table(made)))
    return "\n".join(parts)


def profile_dict(made: DeprivationProfile) -> dict[str, Any]:
    """The profile as plain JSON values: every number finite, or null with its reason."""
    return {
        "index": made.index,
        "file": made.file,
        "counted_by": made.counted_by,
        "rows": [{**asdict(row), "why_missing": row.why_missing or None} for row in made.rows],
        "notes": list(made.notes),
        "units": {
            unit: {**asdict(found), "why_missing": found.why_missing or None}
            for unit, found in made.units.items()
        },
    }


def _row(row: GroupDeprivation) -> tuple[str, ...]:
    score = ABSENT if row.mean_score is None else plain(row.mean_score, 1)
    share = ABSENT if row.most_deprived is None else f"{plain(100 * row.most_deprived, 1)} %"
    return (clean(row.force), _GROUPS[row.group], f"{row.areas:,}", score, share)
