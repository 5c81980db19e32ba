"""What areas are matched on, by area: from months before the start alone, or from covariates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.panel import Panel

Floats = NDArray[np.float64]

LEVEL, TREND, RESIDENTS, FORCE = "before_level", "before_trend", "residents", "force"
FROM_DATA = (LEVEL, TREND, RESIDENTS)
BETWEEN = "\x1f"  # parts of a label: the unit separator, which no name holds
FEWEST_FOR_TREND = 6  # periods: a third of the window is then two
WORDS = {LEVEL: "level before the start", TREND: "trend before the start"}


def in_words(name: str) -> str:
    """A feature's name for a reader; JSON keeps the key itself.

    Example:
        >>> in_words("before_level"), in_words("imd_without_crime"), in_words("imd2019")
        ('level before the start', 'IMD without crime', 'IMD2019')
    """
    said = re.sub(r"\b(w?imd)(?![a-z])", lambda found: found[1].upper(), name.replace("_", " "))
    return WORDS.get(name, said)


def all_in_words(names: Sequence[str]) -> str:
    """Several features' names as an English list.

    Example:
        >>> all_in_words(["before_level", "imd_score", "residents"])
        'level before the start, IMD score and residents'
    """
    said = [in_words(name) for name in names]
    return " and ".join([", ".join(said[:-1]), *said[-1:]]) if len(said) > 1 else "".join(said)


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

    The level is the log of incidents an observed period with half an incident added; the trend is that of the
    last third of the window less that of the first; residents are logged. Covariates are taken as they are.

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
            columns.append(_log_level(counts))
        elif name == TREND:
            third = counts.shape[1] // 3
            if counts.shape[1] < FEWEST_FOR_TREND:
                problems.append(
                    f"matching.on: 'before_trend' needs {FEWEST_FOR_TREND} periods before the start and "
                    f"there are {counts.shape[1]}; widen windows.before, or match on the level alone"
                )
                continue
            columns.append(_log_level(counts[:, -third:]) - _log_level(counts[:, :third]))
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


def _log_level(counts: Floats) -> Floats:
    """Log of incidents an observed period, half an incident added; NaN where no period was observed.

    A month whose file is missing for one force must not look like a fall there.
    """
    observed = np.isfinite(counts).sum(axis=1)
    level: Floats = np.log((np.nansum(counts, axis=1) + 0.5) / np.where(observed > 0, observed, np.nan))
    return level


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
        elif name in panel.classes:
            parts.append([panel.classes[name].get(panel.areas[at], "") for at in rows])
        elif name in panel.covariates:
            # In full: a district's number has seven digits, and rounded to six all districts are one.
            values = panel.covariates[name][rows] + 0.0
            parts.append([repr(float(value)) if np.isfinite(value) else "" for value in values])
        else:
            has = ", ".join([_known(panel), *sorted(panel.classes), FORCE])
            problems.append(f"matching.exact: '{name}' is not in the data; it has {has}")
    if problems:
        return (), problems
    return tuple(BETWEEN.join(row) if all(row) else "" for row in zip(*parts, strict=True)), []


def _known(panel: Panel) -> str:
    return ", ".join(
        [LEVEL, TREND, *([RESIDENTS] if panel.residents is not None else []), *sorted(panel.covariates)]
    )
