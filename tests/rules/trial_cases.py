"""Cases for the rules of randomised trials: blocks shared out, units lost, areas switched on and off."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from crossovers import made, protocol_of, written
from trials import blocked_panel, files, pairs, trial

from whatworks_eval.evaluation import estimate
from whatworks_eval.judgement import Case


def blocked(*, uneven: bool = False, lost: int = 0) -> Case:
    """Twelve pairs; the last pair untreated and in the first block; so many treated areas without data."""
    folder = Path(tempfile.mkdtemp())
    treated, block = pairs(12)
    if uneven:
        treated[-2:], block[-2:] = False, 0
    panel = blocked_panel(np.random.default_rng(7), treated, block=block)
    gone = np.flatnonzero(treated)[:lost]
    counts, observed = panel.counts.copy(), panel.observed.copy()
    counts[gone, 14:20], observed[gone, 14:20] = np.nan, False
    panel = replace(panel, counts=counts, observed=observed)
    protocol = trial(folder, files(folder, treated, block))
    answer = estimate(protocol, panel)
    return Case(
        protocol=protocol,
        data=panel,
        contrast=answer.contrast,
        windowed=answer.windowed,
        estimate=answer.effect.estimate,
    )


def switched(units: int = 10, blocks: int = 4, half: int = 7, lingering: float = 1.0) -> Case:
    """Areas switched by lot, with an effect that lingers or not."""
    folder = Path(tempfile.mkdtemp())
    panel, on, block = made(
        np.random.default_rng(4), units=units, blocks=blocks, half=half, lingering=lingering
    )
    written(folder, on, block, panel)
    protocol = protocol_of(folder, areas=units)
    answer = estimate(protocol, panel)
    return Case(
        protocol=protocol,
        data=panel,
        contrast=answer.contrast,
        windowed=None,
        estimate=answer.effect.estimate,
    )


TRIAL_CASES: list[tuple[str, Callable[[], Case], str, int]] = [
    ("selection.block-shares", blocked, "clear", 5),
    ("selection.block-shares", lambda: blocked(uneven=True), "caveat", 5),
    ("implementation.units-lost", blocked, "clear", 5),
    ("implementation.units-lost", lambda: blocked(lost=2), "caveat", 4),
    ("implementation.units-lost", lambda: blocked(lost=1), "caveat", 5),
    ("chance.few-lots", switched, "clear", 5),
    ("chance.few-lots", lambda: switched(units=5, blocks=1), "caveat", 3),
    ("analysis.carry-over", switched, "clear", 5),
    ("analysis.carry-over", lambda: switched(units=16, blocks=8, lingering=0.4), "caveat", 3),
    ("analysis.carry-over", lambda: switched(units=10, blocks=1, half=1), "not assessed", 4),
    ("history.on-days", switched, "clear", 5),
    ("history.on-days", lambda: switched(units=6, blocks=1, half=2), "caveat", 5),
]
