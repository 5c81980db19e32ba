"""Cases for the rules of difference-in-differences: simulated panels with one thing planted in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from effect_cases import case_through
from rollouts import STARTS, design, panel_of

from whatworks_eval.alternatives import alternatives_of
from whatworks_eval.judgement import Case
from whatworks_eval.panel import Panel

SMALL = 144  # areas of a panel where the rules are asked many times
MANY = 30  # treated areas at which rates are stated
BLOCK = 2_400.0  # metres: three areas along each side


def did_case(panel: Panel, /, folder: Path | None = None, **sections: Any) -> Case:
    """The case of a did design over a panel, its alternatives as `evaluate` has them."""
    protocol = design(folder, **sections)
    case = case_through(protocol, panel)
    assert case.windowed is not None
    if case.sets is None:
        return case
    others = alternatives_of(protocol, panel, case.contrast, case.windowed, case.sets)
    return replace(case, alternatives=(*case.alternatives, *others))


def unrecorded(panel: Panel, areas: Sequence[int], periods: slice) -> Panel:
    """The panel with these areas' counts missing in these periods."""
    observed, counts = panel.observed.copy(), panel.counts.copy()
    observed[list(areas), periods] = False
    counts[list(areas), periods] = np.nan
    return replace(panel, observed=observed, counts=counts)


def silent(panel: Panel, areas: Sequence[int], periods: slice) -> Panel:
    """The panel with nothing recorded in these areas in these periods."""
    counts = panel.counts.copy()
    counts[list(areas), periods] = 0
    return replace(panel, counts=counts)


def together(*, spread: float, seed: int = 1) -> Panel:
    """Blocks of nine adjoining areas that share a change between the years (s.d. of the log)."""
    panel, rng = panel_of(treated=MANY, areas=SMALL, seed=seed, spread=0.15), np.random.default_rng([seed, 5])
    assert panel.centroids is not None
    corner = (panel.centroids // BLOCK).astype(int)
    _, block = np.unique(corner[:, 0] * 1_000 + corner[:, 1], return_inverse=True)
    share = np.exp(rng.normal(0, spread, block.max() + 1))[block]
    counts = panel.counts.copy()
    counts[:, 12:] = rng.poisson(counts[:, 12:] * share[:, None])
    return replace(panel, counts=counts)


def unlike_levels(*, times: float, common: float, seed: int = 1) -> Panel:
    """Treated areas at so many times the level of the rest, and the same relative change everywhere."""
    panel, rng = panel_of(treated=MANY, areas=SMALL, seed=seed, spread=0.15), np.random.default_rng([seed, 6])
    counts = panel.counts.copy()
    counts[:MANY] = rng.poisson(counts[:MANY] * times)
    counts[:, 12:] = rng.binomial(counts[:, 12:].astype(int), common)
    return replace(panel, counts=counts)


def next_door(*, factor: float, seed: int = 1) -> Panel:
    """Areas that adjoin a treated one change by a factor in the after window."""
    panel, rng = panel_of(seed=seed), np.random.default_rng([seed, 7])
    assert panel.centroids is not None
    apart = np.abs(panel.centroids[:, None] - panel.centroids[None, :12]).max(axis=2).min(axis=1)
    beside = (apart > 0) & (apart <= 800.0)
    counts = panel.counts.copy()
    counts[beside, 12:] = rng.poisson(counts[beside, 12:] * factor)
    return replace(panel, counts=counts)


@cache
def staggered(
    *, treated: int = 12, areas: int = SMALL, starts: tuple[str, ...] = STARTS, effect: float = 1.0
) -> Case:
    """A roll-out in cohorts."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        panel = panel_of(treated=treated, areas=areas, starts=starts, effect=effect)
        return did_case(panel, Path(folder), treated=treated, starts=starts)


@cache
def common(*, treated: int = 12, linear: bool = False, **planted: float) -> Case:
    """One start for all; `planted` goes to `panel_of`."""
    sections: Mapping[str, Any] = {"did": {"model": "linear"}} if linear else {}
    return did_case(panel_of(treated=treated, **planted), treated=treated, **sections)  # type: ignore[arg-type]


def without_places(panel: Panel) -> Panel:
    """The panel without a map."""
    return replace(panel, centroids=None)
