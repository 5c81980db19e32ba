"""Simulated panels for difference-in-differences: areas on a grid, started together or in cohorts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict

BEFORE = ("2018-01", "2018-12")
AFTER = ("2019-01", "2019-12")
STARTS = ("2019-01", "2019-04", "2019-08")
SIDE = 16  # areas along each side


def names(areas: int) -> tuple[str, ...]:
    """Area codes."""
    return tuple(f"A{number:04d}" for number in range(areas))


def panel_of(
    *,
    treated: int = 12,
    areas: int = SIDE * SIDE,
    level: float = 12.0,
    effect: float = 1.0,
    starts: Sequence[str] = STARTS[:1],
    lead: float = 1.0,
    drift: float = 0.0,
    seed: int = 1,
    spread: float = 0.05,
    first: str = BEFORE[0],
) -> Panel:
    """Counts by area and month; treated areas come first, their starts in turn.

    Args:
        treated: Treated areas.
        areas: All areas.
        level: Mean incidents an area and month.
        effect: Factor in treated cells.
        starts: Starts dealt out in turn.
        lead: Factor in the treated areas in the last month before the first start.
        drift: Log change a month of the treated areas against the rest, all along.
        seed: Of the draws.
        spread: Of areas' own changes from month to month (standard deviation of the log).
        first: First month.
    """
    rng = np.random.default_rng(seed)
    periods = tuple(period_range(first, AFTER[1], "month"))
    mean = level * rng.gamma(6.0, 1 / 6.0, areas)[:, None] * np.ones(len(periods))
    mean = mean * (1 + 0.2 * np.sin(2 * np.pi * np.arange(len(periods)) / 12))
    mean = mean * np.exp(rng.normal(0, spread, mean.shape))
    begin = start_of(treated, starts)
    at = {period: place for place, period in enumerate(periods)}
    for area, start in enumerate(begin):
        mean[area, at[start] :] *= effect
        mean[area, at[starts[0]] - 1] *= lead
        mean[area] *= np.exp(drift * (np.arange(len(periods)) - at[starts[0]]))
    counts = rng.poisson(mean).astype(float)
    side = int(np.ceil(np.sqrt(areas)))
    order = rng.permutation(areas)  # treated areas lie anywhere
    places = np.column_stack([order % side, order // side]) * 800.0
    return Panel(
        areas=names(areas),
        periods=periods,
        counts=counts,
        observed=np.ones(counts.shape, dtype=bool),
        centroids=places.astype(float),
        residents=np.full(areas, 1600.0),
        ledger=Ledger(),
    )


def start_of(treated: int, starts: Sequence[str]) -> list[str]:
    """The start of each treated area, dealt out in turn."""
    return [starts[number % len(starts)] for number in range(treated)]


def design(folder: Path | None = None, /, *, treated: int = 12, **sections: Mapping[str, Any]) -> Protocol:
    """A protocol of method did over those panels; with a folder, starts are read from a file in it."""
    listed: Any = list(names(treated))
    starts = sections.pop("starts", None)
    if folder is not None and starts:
        lines = [
            f"{area},{start}" for area, start in zip(listed, start_of(treated, list(starts)), strict=True)
        ]
        (folder / "areas.csv").write_text("area,start\n" + "\n".join(lines) + "\n", encoding="utf-8")
        listed = {"file": "areas.csv", "start": "start"}
    plain: dict[str, Any] = {
        "schema": 1,
        "id": "rollout",
        "question": "Did it fall?",
        "registered": "2018-11-01",
        "method": "did",
        "intervention": {"name": "Patrol", "start": STARTS[0], "assignment": "phased"},
        "outcome": {"source": "counts", "path": "none.csv"},
        "windows": {"before": list(BEFORE), "after": list(AFTER)},
        "areas": {"treated": listed, "comparison": "rest", "unit": "area"},
    }
    for name, section in sections.items():
        plain[name] = {**plain.get(name, {}), **section} if isinstance(section, Mapping) else section
    return protocol_from_dict(plain, base=folder)


def untouched(rng: np.random.Generator, areas: int, periods: int, level: float = 8.0) -> NDArray[np.float64]:
    """Counts with area and month effects and nothing done."""
    mean = level * rng.gamma(5.0, 0.2, (areas, 1)) * rng.gamma(60.0, 1 / 60.0, (1, periods))
    counts: NDArray[np.float64] = rng.poisson(mean).astype(float)
    return counts
