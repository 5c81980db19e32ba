"""Small crossover trials with a known truth."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.protocol import Protocol, protocol_from_dict

CONTEXT: dict[str, Any] = {
    "reporting_change_expected": "none",
    "other_programmes": [],
    "comparison_touched": "",
    "evaluator": "independent",
    "delivery": "15 minutes each on-day, all of it done",
    "attrition_percent": 0.0,
    "analysed_as_assigned": True,
}


def days(many: int) -> tuple[str, ...]:
    """So many days from Monday 1 January 2018."""
    return tuple((date(2018, 1, 1) + timedelta(days=at)).isoformat() for at in range(many))


def by_order(rng: np.random.Generator, units: int, blocks: int, half: int) -> tuple[np.ndarray, np.ndarray]:
    """On or off by unit and period, a coin deciding which comes first in each block; and the block."""
    first = rng.random((units, blocks)) < 0.5
    on = np.repeat(np.stack([first, ~first], axis=2).reshape(units, -1), half, axis=1)
    return on, np.tile(np.repeat(np.arange(blocks), 2 * half), (units, 1))


def by_areas(rng: np.random.Generator, units: int, periods: int, half: int) -> tuple[np.ndarray, np.ndarray]:
    """Schedules in opposite pairs, handed to the units by lot; one block."""
    base = np.repeat(rng.random((units // 2, periods // half)) < 0.5, half, axis=1)
    on = np.vstack([base, ~base])[rng.permutation(units)]
    return on, np.zeros_like(on, dtype=int)


def counts_of(
    rng: np.random.Generator, on: np.ndarray, *, effect: float = 1.0, lingering: float = 1.0
) -> np.ndarray:
    """Over-dispersed counts; units and periods differ; `lingering` is the factor in the first off-period."""
    level = np.exp(rng.normal(1.0, 0.6, len(on)))
    shared = np.exp(rng.normal(0, 0.25, on.shape[1]))
    after = np.zeros_like(on)
    after[:, 1:] = on[:, :-1] & ~on[:, 1:]
    mean = level[:, None] * shared * np.where(on, effect, 1.0) * np.where(after, lingering, 1.0)
    counts: np.ndarray = rng.poisson(mean * rng.gamma(3.0, 1 / 3, mean.shape)).astype(float)
    return counts


def panel_of(counts: np.ndarray) -> Panel:
    """A daily panel."""
    return Panel(
        areas=tuple(f"h{at:02d}" for at in range(len(counts))),
        periods=days(counts.shape[1]),
        period="day",
        counts=counts,
        observed=np.isfinite(counts),
        ledger=Ledger(),
    )


def made(
    rng: np.random.Generator, *, units: int = 10, blocks: int = 4, half: int = 7, **more: float
) -> tuple[Panel, np.ndarray, np.ndarray]:
    """A panel with its schedule and blocks: weeks on and off, the order drawn in each fortnight."""
    on, block = by_order(rng, units, blocks, half)
    return panel_of(counts_of(rng, on, **more)), on, block


def written(folder: Path, on: np.ndarray, block: np.ndarray, panel: Panel) -> None:
    """The schedule as a file."""
    rows = [
        f"{area},{period},{int(on[at, number])},b{block[at, number]}"
        for at, area in enumerate(panel.areas)
        for number, period in enumerate(panel.periods)
    ]
    (folder / "schedule.csv").write_text("\n".join(["area,period,on,fortnight", *rows]) + "\n")


def protocol_of(
    folder: Path,
    *,
    areas: int = 10,
    areas_: dict[str, Any] | None = None,
    crossover: dict[str, Any] | None = None,
    **more: Any,
) -> Protocol:
    """A crossover in which everything is declared."""
    schedule = {"file": "schedule.csv", "block": "fortnight"}
    return protocol_from_dict(
        {
            "schema": 1,
            "id": "crossover",
            "question": "Are there fewer incidents on patrol days?",
            "registered": "2017-12-01",
            "method": "crossover",
            "seed": 3,
            "period": "day",
            "intervention": {"name": "Patrol", "start": "2018-01-01", "assignment": "random"},
            "outcome": {"source": "counts", "path": "counts.csv", "empty_periods": "zero"},
            "areas": areas_ or {"treated": [f"h{at:02d}" for at in range(areas)], "unit": "area"},
            "crossover": {"schedule": schedule, "drawn": "order"} | (crossover or {}),
            "context": CONTEXT,
        }
        | more,
        base=folder,
    )
