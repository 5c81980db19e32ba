"""Small randomised trials with a known truth, for the tests of blocks and crossovers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict

PERIODS = period_range("2018-01", "2019-12", "month")
DECLARED: dict[str, Any] = {
    "recording_changes": [],
    "reporting_change_expected": "none",
    "other_programmes": [],
    "comparison_touched": "",
    "evaluator": "independent",
    "delivery": "Two officers, 20 hours a week, all of it done",
    "attrition_percent": 0.0,
    "analysed_as_assigned": True,
}


def names(many: int) -> tuple[str, ...]:
    """Codes of areas."""
    return tuple(f"a{at:03d}" for at in range(many))


def blocked_panel(
    rng: np.random.Generator, treated: np.ndarray, *, effect: float = 1.0, block: np.ndarray | None = None
) -> Panel:
    """Over-dispersed counts of two years; levels differ widely between areas and blocks change differently.

    Args:
        rng: Of everything.
        treated: True for treated areas.
        effect: Factor on the treated in 2019.
        block: Of each area; None = one block.
    """
    many = len(treated)
    block = np.zeros(many, dtype=int) if block is None else block
    level = np.exp(rng.normal(2.0, 0.5, block.max() + 1)[block] + rng.normal(0, 0.3, many))
    after = np.arange(len(PERIODS)) >= 12
    shift = rng.normal(0, 0.25, block.max() + 1)[block] + rng.normal(0, 0.15, many)
    mean = level[:, None] * np.exp(np.where(after, shift[:, None], 0.0))
    mean = mean * np.where(after[None, :] & treated[:, None], effect, 1.0)
    counts = rng.poisson(mean * rng.gamma(4.0, 0.25, mean.shape)).astype(float)
    return Panel(
        areas=names(many),
        periods=PERIODS,
        counts=counts,
        observed=np.ones(counts.shape, dtype=bool),
        ledger=Ledger(),
    )


def files(folder: Path, treated: np.ndarray, block: np.ndarray) -> dict[str, Any]:
    """The two files of a blocked trial, and what the protocol says of them."""
    keys = {}
    for arm, chosen in (("treated", treated), ("comparison", ~treated)):
        rows = [f"a{at:03d},{block[at]}" for at in np.flatnonzero(chosen)]
        (folder / f"{arm}.csv").write_text("\n".join(["area,pair", *rows]) + "\n")
        keys[arm] = {"file": f"{arm}.csv", "column": "area", "block": "pair"}
    return keys


def trial(folder: Path, areas: dict[str, Any], **changes: Any) -> Protocol:
    """A trial in which everything is declared; `changes` replace whole sections, None takes one out."""
    plain = {
        "schema": 1,
        "id": "trial",
        "question": "Did it fall?",
        "registered": "2018-06-01",
        "method": "relative-effect",
        "seed": 3,
        "intervention": {"name": "Patrol", "start": "2019-01", "assignment": "random"},
        "outcome": {"source": "counts", "path": "counts.csv", "offences": ["Burglary"], "offence": "offence"},
        "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
        "areas": areas,
        "context": DECLARED,
    } | changes
    return protocol_from_dict({key: value for key, value in plain.items() if value is not None}, base=folder)


def pairs(many: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Treated by a coin in each of so many pairs, and the pair of each area."""
    first = np.random.default_rng(seed).random(many) < 0.5
    treated = np.column_stack([first, ~first]).ravel()
    return treated, np.repeat(np.arange(many), 2)
