"""What areas are matched on, by area: from months before the start alone, or from covariates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.panel import Panel

Floats = NDArray[np.float64]

LEVEL, TREND, RESIDENTS, FORCE = "before_level", "before_trend", "residents", "force"
FROM_DATA = (LEVEL, TREND, RESIDENTS)
FEWEST_FOR_TREND = 6  # periods: a third of the window is then two


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """What areas are matched on.

    Attributes:
        names: Of the columns.
        values: Areas × features; NaN where not known.
        exact: A label for each area that matches must share; empty where none.
    """

    names: tuple[str, ...]
    values: Floats
    exact: tuple[str, ...] = ()


def until_start(panel: Panel, start: str) -> Panel:
    """The panel without any period from the start on: all that a match may look at."""
    kept = np.array([period < start for period in panel.periods])
    return replace(
        panel,
        periods=tuple(period for period, inside in zip(panel.periods, kept, strict=True) if inside),
        counts=panel.counts[:, kept],
        observed=panel.observed[:, kept],
        bases=None if panel.bases is None else panel.bases[:, kept],
        effective_bases=None if panel.effective_bases is None else panel.effective_bases[:, kept],
        harm=None,
        untouched=None,
    )


def features_of(
    panel: Panel, on: Sequence[str], exact: Sequence[str], window: tuple[str, str], areas: Sequence[str]
) -> Features:
    """Features of these areas.

    The level is the log of incidents a period with half an incident added; the trend is the log ratio of the
    last third of the window to the first, likewise; residents are logged. Covariates are taken as they are.

    Args:
        panel: Without any period after the start.
        on: Names of features.
        exact: Names of what matches must share.
        window: The before window, first and last period.
        areas: Codes, in the order wanted.

    Raises:
        DataError: A name that is not in the data, or a window too short for a trend; every problem at once.
    """
    position = {area: at for at, area in enumerate(panel.areas)}
    rows = np.array([position[area] for area in areas], dtype=np.intp)
    inside = np.array([window[0] <= period <= window[1] for period in panel.periods])
    counts = np.where(panel.observed, panel.counts, np.nan)[np.ix_(rows, np.flatnonzero(inside))]
    problems = []
    columns = []
    for name in on:
        if name == LEVEL:
            columns.append(
                np.log((np.nansum(counts, axis=1) + 0.5) / np.isfinite(counts).sum(axis=1).clip(1))
            )
        elif name == TREND:
            third = counts.shape[1] // 3
            if counts.shape[1] < FEWEST_FOR_TREND:
                problems.append(
                    f"matching.on: 'before_trend' needs {FEWEST_FOR_TREND} periods before the start and "
                    f"there are {counts.shape[1]}; widen windows.before, or match on the level alone"
                )
                continue
            ends = (np.nansum(part, axis=1) + 0.5 for part in (counts[:, :third], counts[:, -third:]))
            early, late = ends
            columns.append(np.log(late / early))
        elif name == RESIDENTS:
            if panel.residents is None:
                problems.append(
                    "matching.on: 'residents' are not in the data; give them as [covariates.residents]"
                )
                continue
            people = panel.residents[rows]
            columns.append(np.log(np.where(people > 0, people, np.nan)))
        elif name in panel.covariates:
            columns.append(panel.covariates[name][rows])
        else:
            problems.append(f"matching.on: '{name}' is not in the data; it has {_known(panel)}")
    labels, lost = _labels(panel, exact, rows)
    problems += lost
    if problems:
        raise DataError(problems)
    return Features(names=tuple(on), values=np.column_stack(columns), exact=labels)


def _labels(panel: Panel, exact: Sequence[str], rows: NDArray[np.intp]) -> tuple[tuple[str, ...], list[str]]:
    """What each area must share with its matches, as one text; empty text where a part is not known."""
    if not exact:
        return (), []
    parts: list[list[str]] = []
    problems = []
    for name in exact:
        if name == FORCE:
            if panel.forces is None:
                problems.append("matching.exact: 'force' is not known for these data")
                continue
            parts.append([panel.forces.get(panel.areas[at], "") for at in rows])
        elif name in panel.covariates:
            values = panel.covariates[name][rows]
            parts.append([f"{value:g}" if np.isfinite(value) else "" for value in values])
        else:
            problems.append(f"matching.exact: '{name}' is not in the data; it has {_known(panel)}, {FORCE}")
    if problems:
        return (), problems
    return tuple("|".join(row) if all(row) else "" for row in zip(*parts, strict=True)), []


def _known(panel: Panel) -> str:
    return ", ".join(
        [LEVEL, TREND, *([RESIDENTS] if panel.residents is not None else []), *sorted(panel.covariates)]
    )
