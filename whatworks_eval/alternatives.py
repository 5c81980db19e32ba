"""The same question with one choice changed: another comparison set, another baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.contrast import adjoining_as_units, level_matched, nearby
from whatworks_eval.errors import CannotEstimate
from whatworks_eval.inference.placebo_sets import fewer
from whatworks_eval.methods.relative_effect import MEASURE, as_estimate, from_panel, relative_over
from whatworks_eval.panel import Panel
from whatworks_eval.periods import months_between
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Estimate, PlaceboSets, Windowed
from whatworks_eval.windows import build_windowed, declared_mask

DRAWS = 999  # enough to see how much a choice matters
CLUMPED = "adjoining areas as one unit"
EARLIER_MONTHS = 12  # whole years only, so that the calendar stays balanced


def alternatives_of(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, sets: PlaceboSets
) -> tuple[Estimate, ...]:
    """The effect under every other comparison set and baseline the data allow.

    One that cannot be computed is an Estimate without a value that says why.
    """
    return (
        *other_units(protocol, panel, contrast),
        *comparison_sets(protocol, panel, contrast),
        *baselines(protocol, panel, contrast, windowed, sets),
    )


def other_units(protocol: Protocol, panel: Panel, contrast: Contrast) -> Iterator[Estimate]:
    """The effect with adjoining treated areas as one unit, where the protocol calls each its own."""
    clumped = adjoining_as_units(panel, contrast)
    if clumped is None:
        return
    windowed = build_windowed(protocol, panel, clumped)
    assert windowed is not None
    found = from_panel(protocol, panel, clumped, windowed, draws=DRAWS).estimate
    yield replace(found, label=CLUMPED, choice="units")


def comparison_sets(protocol: Protocol, panel: Panel, contrast: Contrast) -> Iterator[Estimate]:
    """The effect against every other area, level-matched areas and nearby areas: all but the registered."""
    assert protocol.areas is not None
    spoken_for = {*contrast.treated, *contrast.buffer}
    everyone = replace(
        contrast,
        comparison=tuple(area for area in panel.areas if area not in spoken_for),
        pool=(),
        weights=None,
        pairs=(),
    )
    choices: dict[str, Callable[[], Contrast]] = {
        "every other area": lambda: everyone,
        "level-matched areas": lambda: level_matched(
            panel, everyone, protocol.matching.per_treated, protocol
        ),
        "nearby areas": lambda: nearby(panel, everyone),
    }
    registered = {"rest": "every other area", "matched": "level-matched areas"}
    declared = protocol.areas.comparison
    for label, choose in choices.items():
        if isinstance(declared, str) and registered[declared] == label:
            continue
        try:
            other = choose()
            windowed = build_windowed(protocol, panel, other)
            assert windowed is not None
            found = from_panel(protocol, panel, other, windowed, draws=DRAWS).estimate
        except CannotEstimate as problem:
            found = Estimate(
                measure=MEASURE,
                confidence=protocol.confidence,
                inference="none",
                why_missing="; ".join(problem.problems),
            )
        yield replace(found, label=label, choice="comparison set")


def baselines(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, sets: PlaceboSets
) -> Iterator[Estimate]:
    """The effect against a longer and against an earlier baseline, where untouched whole years exist."""
    assert protocol.windows is not None
    assert windowed.index is not None
    assert windowed.before_mask is not None
    earlier = np.array([period < protocol.windows.before[0] for period in panel.periods])
    earlier &= panel.observed[windowed.index].all(axis=0)
    declared = declared_mask(panel, protocol.windows.before) & windowed.before_mask
    years = whole_years(panel, earlier)
    if years is None:
        return
    few = fewer(sets, DRAWS)
    for label, mask in (("longer baseline", years | declared), ("earlier baseline", years)):
        before = panel.counts[np.ix_(windowed.index, np.flatnonzero(mask))].sum(axis=1)
        found = relative_over(protocol, contrast, windowed, few, before, windowed.after)
        treated = (windowed.arm == "treated") * windowed.weight
        comparison = (windowed.arm == "comparison") * windowed.weight
        four = (
            float(treated @ before),
            float(treated @ windowed.after),
            float(comparison @ before),
            float(comparison @ windowed.after),
        )
        estimate = as_estimate(found, four, protocol.confidence, sets.how)
        yield replace(estimate, label=label, choice="window")


def whole_years(panel: Panel, earlier: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The latest whole years among earlier periods, as a mask; None where there is not one whole year."""
    found = np.flatnonzero(earlier)
    if not len(found):
        return None
    months = [months_between(panel.periods[at], panel.periods[at], panel.period) for at in found]
    whole = int(sum(months) + 1e-6) // EARLIER_MONTHS * EARLIER_MONTHS
    if whole == 0:
        return None
    reach = np.cumsum(months[::-1])
    taken = found[::-1][: int(np.searchsorted(reach, whole - 0.02)) + 1]
    mask = np.zeros(len(panel.periods), dtype=bool)
    mask[taken] = True
    return mask
