"""The estimators: one file each, from counts to an Estimate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from whatworks_eval.methods import (
    before_after,
    crossover,
    did,
    interrupted_time_series,
    relative_effect,
    synthetic,
)
from whatworks_eval.methods.result import Effect
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Data, Windowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """An estimator and what it is for.

    Attributes:
        name: As in the protocol.
        title: In words.
        needs_comparison: Whether the protocol must name comparison areas.
        estimate: The estimator.
    """

    name: str
    title: str
    needs_comparison: bool
    estimate: Callable[[Protocol, Data, Contrast, Windowed | None], Effect]


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="before-after",
            title="Before and after in the treated areas alone",
            needs_comparison=False,
            estimate=before_after.estimate,
        ),
        Method(
            name="relative-effect",
            title="Before and after, treated against comparison areas: the ratio of ratios",
            needs_comparison=True,
            estimate=relative_effect.estimate,
        ),
        Method(
            name="did",
            title="Difference-in-differences: area and period effects taken out, one start or staggered",
            needs_comparison=True,
            estimate=did.estimate,
        ),
        Method(
            name="interrupted-time-series",
            title="The series after the start against the trend before, with or without a comparison series",
            needs_comparison=False,
            estimate=interrupted_time_series.estimate,
        ),
        Method(
            name="crossover",
            title="Areas switched on and off by lot: while on against while off, areas and periods alike",
            needs_comparison=False,
            estimate=crossover.estimate,
        ),
        Method(
            name="synthetic",
            title="One or few treated areas against a weighted mixture of others that ran alike before",
            needs_comparison=True,
            estimate=synthetic.estimate,
        ),
    )
}
