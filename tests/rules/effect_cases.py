"""Cases for the rules on scales, zeros and buffers: a map with a ring, and bare totals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from cases import World, make_case, published_case, totals_design

from whatworks_eval.evaluation import estimate
from whatworks_eval.judgement import Case
from whatworks_eval.panel import Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Data
from whatworks_eval.sources.totals import load_totals

SIDE = 24  # areas along each side of the map
APART = 500.0  # metres between centroids


def case_through(protocol: Protocol, data: Data) -> Case:
    """The case of any design, estimated through the same line as `evaluate`."""
    answer = estimate(protocol, data)
    return Case(
        protocol=protocol,
        data=data,
        contrast=answer.contrast,
        windowed=answer.windowed,
        estimate=answer.effect.estimate,
        alternatives=answer.effect.alternatives,
        sets=answer.effect.sets,
        over_time=answer.effect.over_time,
    )


def totals(**table: Any) -> Case:
    """The case of totals, with the effect measures among its alternatives."""
    protocol = totals_design({"outcome": {"totals": table}})
    return case_through(protocol, load_totals(protocol.outcome.totals))


def scaled_world(world: World, common: float = 1.0, seed: int = 1) -> Case:
    """A panel without a map whose after counts all change by a factor, with its effect measures."""
    made = make_case(world, seed=seed)
    panel, windowed = made.data, made.windowed
    assert isinstance(panel, Panel)
    assert windowed is not None
    assert windowed.after_mask is not None
    counts = panel.counts.copy()
    rng = np.random.default_rng(seed)
    after = windowed.after_mask
    counts[:, after] = rng.binomial(counts[:, after].astype(int), common)
    changed = replace(panel, counts=counts)
    units = {area: made.contrast.units[area] for area in panel.areas}
    protocol = Protocol.model_validate(
        made.protocol.as_dict()
        | {
            "registered": None,
            "areas": {"treated": made.contrast.treated, "comparison": "rest", "unit": "area"},
        }
    )
    return case_through(protocol, replace(changed, units=units))


@lru_cache(maxsize=64)
def ringed(
    *,
    effect: float = 1.0,
    ring: float = 1.0,
    level: float = 20.0,
    sites: int = 4,
    seed: int = 1,
    comparison: str = "rest",
    buffer: bool = True,
) -> Case:
    """A map of small areas with treated sites of nine, a ring around each, and what is planted in either.

    Args:
        effect: Factor on the treated in the after window.
        ring: Factor on the ring.
        level: Incidents an area and month.
        sites: How many sites of three by three areas are treated.
        seed: Of the counts.
        comparison: 'rest', or 'around': only the areas that touch the ring.
        buffer: Whether the ring is declared as buffer.
    """
    rng = np.random.default_rng(seed)
    x, y = (part.ravel() for part in np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    names = tuple(f"A{at:05d}" for at in range(SIDE * SIDE))
    middles = [(4, 4), (18, 4), (4, 18), (18, 18), (11, 11)][:sites]
    reach = np.min([np.maximum(abs(x - a), abs(y - b)) for a, b in middles], axis=0)
    logs = np.log(level) + rng.normal(0, 0.3, len(names))
    periods = period_range("2018-01", "2019-12", "month")
    rates = np.repeat(np.exp(logs)[:, None], len(periods), axis=1)
    for year in (slice(0, 12), slice(12, 24)):
        rates[:, year] *= np.exp(rng.normal(0, 0.06, len(names)))[:, None]
    rates[reach <= 1, 12:] *= effect
    rates[reach == 2, 12:] *= ring
    counts = rng.poisson(rates).astype(float)
    panel = Panel(
        areas=names,
        periods=periods,
        counts=counts,
        observed=np.ones(counts.shape, dtype=bool),
        centroids=np.column_stack([x, y]) * APART + rng.uniform(-40, 40, (len(names), 2)),
        ledger=make_case(World(treated=6, comparison=12)).data.ledger,
    )

    def codes(inside: np.ndarray) -> list[str]:
        return [name for name, chosen in zip(names, inside, strict=True) if chosen]

    areas: dict[str, Any] = {
        "treated": codes(reach <= 1),
        "comparison": "rest" if comparison == "rest" else codes((reach == 3) | (reach == 4)),
        "unit": "contiguous",
    }
    if comparison == "beside":
        areas["comparison"] = codes((reach == 2) | (reach == 5))
    if buffer and comparison != "beside":
        areas["buffer"] = codes(reach == 2)
    if comparison == "beside":
        areas["buffer"] = codes(reach == 4)
    plain: Mapping[str, Any] = totals_design().as_dict() | {
        "outcome": {"source": "counts", "path": "counts.csv"},
        "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
        "areas": areas,
        "registered": None,
    }
    return case_through(Protocol.model_validate(plain), panel)


DOUBLE = World(treated=30, comparison=90, level=20.0, spread=0.3, imbalance=2.0)
LIKE = World(treated=30, comparison=90, level=20.0, spread=0.3)
ALIKE = {"treated": (250, 160), "comparison": (245, 225)}
LARGE = {"treated": (10_000, 8_000), "comparison": (10_000, 10_000)}

EFFECT_CASES: list[tuple[str, Callable[[], Case], str, int]] = [
    ("analysis.scale-disagreement", lambda: scaled_world(DOUBLE, common=0.75), "caveat", 5),
    ("analysis.scale-disagreement", lambda: totals(treated=(398, 190), comparison=(148, 97)), "caveat", 5),
    ("analysis.scale-disagreement", lambda: scaled_world(LIKE, common=0.75), "clear", 5),
    ("analysis.scale-disagreement", lambda: scaled_world(DOUBLE), "clear", 5),
    ("analysis.scale-disagreement", lambda: totals(**ALIKE), "clear", 5),
    ("analysis.scale-disagreement", published_case, "not assessed", 5),
    ("analysis.scale-disagreement", lambda: totals(treated=(0, 3), comparison=(8, 9)), "not assessed", 5),
    ("analysis.impossible-effect", lambda: totals(treated=(50, 45), comparison=(200, 280)), "caveat", 5),
    ("analysis.impossible-effect", lambda: totals(treated=(100, 80), comparison=(400, 200)), "caveat", 5),
    (
        "analysis.impossible-effect",
        lambda: totals(treated=(100, 80), comparison=(400, 200), area_weights={"comparison": 4.0}),
        "clear",
        5,
    ),
    ("analysis.impossible-effect", lambda: totals(**ALIKE), "clear", 5),
    ("analysis.impossible-effect", published_case, "not assessed", 5),
    ("chance.zero-cells", lambda: totals(treated=(5, 0), comparison=(8, 9)), "caveat", 5),
    ("chance.zero-cells", lambda: totals(treated=(5, 0), comparison=(8, 9), add_half=True), "caveat", 5),
    ("chance.zero-cells", lambda: totals(treated=(5, 1), comparison=(8, 9), add_half=True), "clear", 5),
    ("chance.zero-cells", lambda: make_case(World(treated=6, comparison=12)), "clear", 5),
    ("chance.zero-cells", published_case, "not assessed", 5),
    ("displacement.found", lambda: ringed(effect=0.75, ring=1.25), "caveat", 5),
    ("displacement.found", lambda: ringed(effect=0.75), "clear", 5),
    ("displacement.found", lambda: ringed(effect=0.75, ring=0.8), "clear", 5),
    ("displacement.found", lambda: ringed(effect=1.2, ring=1.25), "clear", 5),
    ("displacement.found", lambda: totals(**LARGE, buffer=(10_000, 11_500)), "caveat", 5),
    ("displacement.found", lambda: totals(**LARGE, buffer=(9, 0)), "not assessed", 5),
    ("displacement.too-noisy", lambda: totals(**LARGE, buffer=(20_000, 20_100), dispersion=40), "caveat", 5),
    ("displacement.too-noisy", lambda: totals(**LARGE, buffer=(10_000, 9_900)), "clear", 5),
    ("displacement.too-noisy", lambda: ringed(effect=0.6), "clear", 5),
    ("displacement.too-noisy", lambda: totals(**LARGE, buffer=(9, 0)), "not assessed", 5),
    ("displacement.buffer-touches-comparison", lambda: ringed(comparison="beside"), "caveat", 3),
    ("displacement.buffer-touches-comparison", lambda: ringed(comparison="around"), "caveat", 5),
    ("displacement.buffer-touches-comparison", lambda: ringed(sites=1), "clear", 5),
    (
        "displacement.buffer-touches-comparison",
        lambda: totals(**LARGE, buffer=(100, 90)),
        "not assessed",
        5,
    ),
]
