"""Cases for the rules of difference-in-differences: simulated panels with one thing planted in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from effect_cases import case_through
from rollouts import STARTS, design, panel_of

from whatworks_eval.alternatives import alternatives_of
from whatworks_eval.inference.neighbours import adjoining_pairs
from whatworks_eval.judgement import Case
from whatworks_eval.panel import Panel

SMALL = 144  # areas of a panel where the rules are asked many times
MANY = 30  # treated areas at which rates are stated
SHORT = {"did": {"stretch": 12}}  # the whole before window: nothing to refer to
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


def part_of_all(share: float) -> Case:
    """A panel of which this share of areas is observed up to September of the after year alone."""
    leaving = range(SMALL - round(share * SMALL), SMALL)
    return did_case(unrecorded(panel_of(areas=SMALL), list(leaving), slice(21, 24)))


def all_adjoin() -> Case:
    """Every comparison area adjoins a treated one."""
    panel = panel_of()
    assert panel.centroids is not None
    pairs = adjoining_pairs(panel.centroids)
    beside = set(pairs[(pairs < 12).any(axis=1)].ravel().tolist()) - set(range(12))
    return did_case(panel, areas={"comparison": sorted(panel.areas[at] for at in beside)})


def with_untouched(change: float, *, seed: int = 3, method: str = "did") -> Case:
    """A second offence in the same areas, which changes by this factor in the treated after the start."""
    panel, rng = panel_of(treated=MANY, areas=SMALL, seed=seed), np.random.default_rng([seed, 8])
    other = panel_of(treated=MANY, areas=SMALL, seed=seed + 100).counts
    other[:MANY, 12:] = rng.binomial(other[:MANY, 12:].astype(int), change)
    outcome = {"offence": "offence", "offences": ["Burglary"], "untouched": ["Fraud"]}
    return did_case(replace(panel, untouched=other), treated=MANY, outcome=outcome, method=method)


DID_CASES: list[tuple[str, Callable[[], Case], str, int, str]] = [
    ("selection.untouched-offences", lambda: with_untouched(0.7), "caveat", 2, "Whatever moved these"),
    (
        "selection.untouched-offences",
        lambda: with_untouched(0.7, method="relative-effect"),
        "caveat",
        2,
        "Whatever moved these",
    ),
    ("selection.untouched-offences", lambda: with_untouched(1.0), "clear", 5, "no change was detected"),
    ("selection.pre-trend", lambda: common(drift=0.03, level=30.0), "caveat", 2, "were already moving apart"),
    ("selection.pre-trend", common, "caveat", 5, "by itself come to"),
    ("selection.pre-trend", lambda: common(treated=30, effect=0.4, level=40.0), "clear", 5, "most trends"),
    (
        "selection.pre-trend",
        lambda: did_case(panel_of(), **SHORT),
        "not assessed",
        5,
        "too few for stretches",
    ),
    (
        "selection.differing-trends",
        lambda: common(treated=30, effect=0.4, level=40.0),
        "clear",
        5,
        "survives",
    ),
    ("selection.differing-trends", lambda: common(effect=0.8), "caveat", 5, "and no further"),
    ("selection.differing-trends", common, "clear", 5, "no finding for differing trends to overturn"),
    ("selection.differing-trends", lambda: common(effect=0.8, lead=0.5), "caveat", 5, "even the trends seen"),
    ("selection.differing-trends", lambda: did_case(panel_of(), **SHORT), "not assessed", 5, "too few"),
    ("selection.composition", common, "clear", 5, "from beginning to end"),
    ("selection.composition", lambda: part_of_all(0.05), "caveat", 5, "7 areas enter or leave"),
    ("selection.composition", lambda: part_of_all(0.2), "caveat", 4, "29 areas are left out"),
    ("history.anticipation", lambda: common(lead=0.6), "caveat", 5, "understates it"),
    ("history.anticipation", lambda: common(lead=1.5), "caveat", 5, "picked at a peak"),
    ("history.anticipation", common, "clear", 5, "stood where they had before"),
    (
        "history.anticipation",
        lambda: did_case(panel_of(), windows={"before": ["2018-08", "2018-12"]}),
        "not assessed",
        5,
        "it takes 6 periods",
    ),
    (
        "analysis.forbidden-comparisons",
        lambda: staggered(treated=42, areas=49),
        "caveat",
        5,
        "do not quote it",
    ),
    ("analysis.forbidden-comparisons", staggered, "clear", 5, "never does"),
    ("analysis.no-information", common, "clear", 5, "something before the start"),
    (
        "analysis.no-information",
        lambda: did_case(silent(panel_of(), [200, 201], slice(None))),
        "clear",
        5,
        "2 comparison areas recorded nothing",
    ),
    (
        "analysis.no-information",
        lambda: did_case(silent(panel_of(), [3], slice(None))),
        "caveat",
        5,
        "1 treated area recorded nothing at any time",
    ),
    (
        "analysis.no-information",
        lambda: did_case(silent(panel_of(), [3], slice(12))),
        "caveat",
        5,
        "nothing before and something after",
    ),
    (
        "analysis.no-information",
        lambda: did_case(silent(panel_of(), range(12), slice(12, None))),
        "caveat",
        5,
        "bounded on one side",
    ),
    ("analysis.functional-form", common, "clear", 5, "the answer is the same"),
    (
        "analysis.functional-form",
        lambda: did_case(unlike_levels(times=3.0, common=0.75), treated=MANY),
        "caveat",
        5,
        "depends on how change is counted",
    ),
    ("chance.few-clusters", lambda: common(treated=50), "clear", 5, "holds 50 units"),
    ("chance.few-clusters", common, "caveat", 5, "may be too narrow"),
    ("chance.few-clusters", staggered, "caveat", 5, "shown beside it give intervals"),
    ("chance.few-clusters", lambda: common(treated=5), "caveat", 5, "none is shown"),
    ("chance.single-area-cohorts", staggered, "clear", 5, "at least 3 units"),
    ("chance.single-area-cohorts", lambda: staggered(treated=7), "caveat", 5, "2019-04 (2 units)"),
    ("chance.spatial-correlation", common, "clear", 5, "do not visibly move together"),
    (
        "chance.spatial-correlation",
        lambda: did_case(together(spread=0.4), treated=MANY),
        "caveat",
        5,
        "each area is declared a unit of its own",
    ),
    (
        "chance.spatial-correlation",
        lambda: did_case(together(spread=0.4), treated=MANY, areas={"unit": "contiguous"}),
        "caveat",
        5,
        "so the interval allows for it",
    ),
    (
        "chance.spatial-correlation",
        lambda: did_case(without_places(panel_of())),
        "not assessed",
        5,
        "no centroids",
    ),
    (
        "displacement.neighbour-exposure",
        lambda: did_case(next_door(factor=2.0)),
        "caveat",
        3,
        "changes the answer",
    ),
    ("displacement.neighbour-exposure", common, "clear", 5, "does not change the answer"),
    ("displacement.neighbour-exposure", all_adjoin, "not assessed", 5, "there is no estimate"),
]
