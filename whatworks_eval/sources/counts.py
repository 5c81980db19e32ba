"""A table of counts to a Panel: what is zero, what is missing, and what is an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import PeriodKind, first_day, period_range
from whatworks_eval.sources.area_facts import (
    centroids_by_area,
    covariates_by_area,
    residents_by_area,
    units_by_area,
)
from whatworks_eval.sources.boundaries import vintage
from whatworks_eval.sources.cells import (
    MOST_NAMED,
    Cells,
    Where,
    checked_counts,
    coded_areas,
    coded_periods,
    few,
    frame_columns,
)
from whatworks_eval.sources.tables import text_of

NO_COUNT = "count missing"


def panel_from_counts(
    frame: Any,
    *,
    area: str = "area",
    period: str = "period",
    count: str = "count",
    periods: Iterable[str] | None = None,
    areas: Iterable[str] | None = None,
    residents: Any = None,
    covariates: Any = None,
    centroids: Any = None,
    units: Mapping[str, str] | None = None,
    empty_periods: Literal["missing", "zero"] = "missing",
    period_kind: PeriodKind = "month",
) -> Panel:
    """A Panel from a dataframe with one row an area and period.

    Inside a period that has rows, an absent area is zero; a period without any row is missing for all;
    a null count is a missing cell.

    Args:
        frame: Any dataframe that narwhals takes: pandas, Polars, PyArrow, DuckDB, …
        area: Column with the area code.
        period: Column with the period: text like '2018-01', or dates.
        count: Column with the number of incidents: whole, not negative, or null.
        periods: Every period of the panel, in any order; None = from the first to the last in the frame.
        areas: Further areas, which recorded nothing.
        residents: Area, then people: a mapping, a Series, or a dataframe with 'area' and one other column.
        covariates: Name, then the same; or a dataframe with 'area' and a column for each.
        centroids: A dataframe with columns area, x, y (metres), or a mapping of area to (x, y).
        units: Area, then the unit it belongs to.
        empty_periods: What a period without any row means.
        period_kind: 'month', 'week' or 'day'.

    Raises:
        DataError: Every problem at once; rows are counted from 0.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame(
        ...     {"area": ["a", "b", "a"], "month": ["2018-01", "2018-01", "2018-02"], "n": [3, 1, 2]}
        ... )
        >>> panel_from_counts(frame, area="area", period="month", count="n")
        Panel(2 areas × 2 months 2018-01 to 2018-02, 6 incidents, 0 cells missing)
    """
    columns = frame_columns(frame, (area, period, count), "frame")
    return panel_from_cells(
        columns[area],
        columns[period],
        columns[count],
        where=lambda rows: f"row {few(rows)} (counted from 0)",
        periods=periods,
        areas=areas,
        residents=residents,
        covariates=covariates,
        centroids=centroids,
        units=units,
        empty_periods=empty_periods,
        period_kind=period_kind,
        ledger=Ledger(),
    )


def panel_from_cells(
    areas_in: Cells,
    periods_in: Cells,
    counts_in: Cells,
    *,
    where: Where,
    ledger: Ledger,
    parts: Sequence[int] | None = None,
    periods: Iterable[str] | None = None,
    areas: Iterable[str] | None = None,
    residents: Any = None,
    covariates: Any = None,
    centroids: Any = None,
    units: Mapping[str, str] | None = None,
    empty_periods: Literal["missing", "zero"] = "missing",
    period_kind: PeriodKind = "month",
) -> Panel:
    """The same from three columns of cells, adding to a ledger.

    Args:
        areas_in: Area of each row.
        periods_in: Period of each row.
        counts_in: Count of each row.
        where: Puts row positions into words, for messages.
        ledger: Rows excluded so far, files and notes.
        parts: Input rows behind each row, where several were added up.
        periods: As in `panel_from_counts`, like all that follow.
        areas: Further areas.
        residents: Area, then people.
        covariates: Name, then area, then value.
        centroids: Area, then (x, y) in metres.
        units: Area, then unit.
        empty_periods: What a period without any row means.
        period_kind: What a period is.
    """
    area_at, codes = coded_areas(areas_in, where)
    period_at, named = coded_periods(periods_in, period_kind, where)
    values = checked_counts(counts_in, where)
    every = _every_period(periods, named, period_kind)
    problems: list[str] = []
    column = {name: at for at, name in enumerate(every)}
    outside = [name for name in named if name not in column]
    for name in outside[:MOST_NAMED]:
        rows = np.flatnonzero(period_at == named.index(name))
        problems.append(
            f"{where(rows)}: period {name} lies outside the periods asked for "
            f"({every[0]} to {every[-1]}); widen `periods` or leave the rows out"
        )
    problems += _duplicates(area_at, period_at, codes, named, where)
    if problems:
        raise DataError(problems)
    listed = tuple(sorted({*codes, *(text_of(code) for code in areas or ())}))
    row = {code: at for at, code in enumerate(listed)}
    to_row = np.array([row[code] for code in codes], dtype=np.intp)[area_at]
    to_column = np.array([column[name] for name in named], dtype=np.intp)[period_at]
    has_row = np.zeros(len(every), dtype=bool)
    has_row[to_column] = True
    counts = np.zeros((len(listed), len(every)))
    counts[:, ~has_row] = 0.0 if empty_periods == "zero" else np.nan
    counts[to_row, to_column] = values
    missing = np.isnan(values)
    lost: dict[str, int] = {}
    rows_in = np.ones(len(values), dtype=np.int64) if parts is None else np.asarray(parts, dtype=np.int64)
    for at, n in zip(to_column[missing], rows_in[missing], strict=True):
        lost[every[at]] = lost.get(every[at], 0) + int(n)
    empty = tuple(name for name, there in zip(every, has_row, strict=True) if not there)
    notes = [*ledger.notes, *_notes(empty, empty_periods, period_kind)]
    notes += _absent(area_at, codes, values, int(has_row.sum()), period_kind)
    facts = {
        "residents": residents_by_area(residents, listed, notes) if residents is not None else None,
        "centroids": centroids_by_area(centroids, listed, notes) if centroids is not None else None,
    }
    known = covariates_by_area(covariates, listed, notes) if covariates is not None else {}
    belongs = units_by_area(units, listed, notes) if units is not None else None
    excluded = {reason: dict(by_period) for reason, by_period in ledger.excluded.items()}
    if lost:
        excluded[NO_COUNT] = dict(sorted(lost.items()))
    gone = sum(sum(by_period.values()) for by_period in ledger.excluded.values())
    return Panel(
        areas=listed,
        periods=every,
        period=period_kind,
        counts=counts,
        observed=~np.isnan(counts),
        residents=facts["residents"],
        covariates=known,
        centroids=facts["centroids"],
        units=belongs,
        boundaries=vintage(listed),
        ledger=Ledger(
            read=int(rows_in.sum()) + gone,
            used=int(rows_in[~missing].sum()),
            excluded=excluded,
            files=ledger.files,
            periods_without_file={"": empty} if empty and empty_periods == "missing" else {},
            notes=tuple(notes),
        ),
    )


def _every_period(periods: Iterable[str] | None, named: Sequence[str], kind: PeriodKind) -> tuple[str, ...]:
    """The panel's periods: those asked for, or from the first to the last in the data, without gaps."""
    if periods is None:
        return period_range(named[0], named[-1], kind)
    asked = sorted({str(name) for name in periods})
    wrong = []
    for name in asked:
        try:
            first_day(name, kind)
        except ValueError as error:
            wrong.append(f"`periods`: {error}")
    if wrong or not asked:
        raise DataError(wrong or "`periods` is empty; leave it out to take those in the data")
    whole = period_range(asked[0], asked[-1], kind)
    gaps = [name for name in whole if name not in set(asked)]
    if gaps:
        raise DataError(f"`periods` leaves out {few(gaps)}; give every {kind} from first to last")
    return whole


def _duplicates(
    area_at: NDArray[np.intp],
    period_at: NDArray[np.intp],
    codes: Sequence[str],
    named: Sequence[str],
    where: Where,
) -> list[str]:
    """A sentence for each area and period that is there more than once: the first few."""
    cell = area_at * len(named) + period_at
    distinct, n = np.unique(cell, return_counts=True)
    twice = distinct[n > 1]
    problems = []
    for value in twice[:MOST_NAMED]:
        code, name = codes[value // len(named)], named[value % len(named)]
        rows = np.flatnonzero(cell == value)
        problems.append(
            f"{where(rows)}: area '{code}' in {name} is there {len(rows)} times; "
            "remove the copies; if they differ by offence, add them up (`outcome.offence` names the column)"
        )
    if len(twice) > MOST_NAMED:
        problems.append(f"and {len(twice) - MOST_NAMED} more areas and periods that are there more than once")
    return problems


def _absent(
    area_at: NDArray[np.intp],
    codes: Sequence[str],
    values: NDArray[np.float64],
    periods: int,
    kind: PeriodKind,
) -> list[str]:
    """A sentence on areas without a row in a period that has rows: one that left would fall to nothing."""
    lacking = periods - np.bincount(area_at, minlength=len(codes))
    if not lacking.any():
        return []
    worst = sorted(np.flatnonzero(lacking).tolist(), key=lambda at: (-lacking[at], codes[at]))
    named = few([f"{codes[at]} in {lacking[at]}" for at in worst])
    zeros = ", though the rows write zeros out" if (values == 0).any() else ""
    return [
        f"{int(lacking.sum()):,} areas by {kind} have no row in a {kind} that others have: taken as zero "
        f"({named}){zeros}. Where a count is not known, give its row with a blank."
    ]


def _notes(empty: Sequence[str], means: str, kind: PeriodKind) -> list[str]:
    if not empty:
        return []
    plural = "" if len(empty) == 1 else "s"
    taken = "missing" if means == "missing" else "zero, as declared"
    return [f"No row in {len(empty)} {kind}{plural} ({few(empty)}): taken as {taken} for every area."]
