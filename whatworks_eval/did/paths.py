"""Effects along event time, cohorts or calendar periods, with what each rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whatworks_eval.did.rollout import Bools, Floats, Ints

FEWEST_UNITS = 3  # treated units a cell must rest on before its error means anything

Scale = Literal["difference", "log-ratio"]
Axis = Literal["overall", "event time", "cohort", "period"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoEffect:
    """A place on the axis that has no number, and why.

    Attributes:
        at: Event time, cohort or period.
        why: In words.
    """

    at: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectPath:
    """Effects along an axis, and one number for all of them.

    Attributes:
        axis: What `at` counts: periods since the start, cohorts (their start period) or periods.
        scale: `difference` in units of the outcome, `log-ratio` of recorded over expected.
        at: Places on the axis, ascending.
        value: Effect at each.
        se: Its standard error.
        treated: Treated areas each rests on.
        treated_units: Units of assignment those belong to; areas where they are the units.
        influence: clusters × places: column sums of squares are `se` squared.
        overall: The one number; None with the reason.
        overall_se: Its standard error.
        overall_influence: By cluster.
        overall_treated: Treated areas behind it.
        overall_units: Units those belong to.
        weighting: How the one number weighs the parts.
        recorded: Incidents recorded in the cells behind each place; None on the difference scale.
        expected: Incidents expected there.
        missing: Places without a number.
        why_missing: Why there is no overall number.
    """

    axis: Axis
    scale: Scale
    at: Ints
    value: Floats
    se: Floats
    treated: Ints
    treated_units: Ints
    influence: Floats
    overall: float | None
    overall_se: float | None
    overall_influence: Floats | None
    overall_treated: int
    overall_units: int
    weighting: str
    recorded: Floats | None = None
    expected: Floats | None = None
    missing: tuple[NoEffect, ...] = ()
    why_missing: str | None = None

    @property
    def few(self) -> Bools:
        """Places resting on so few treated units that the error cannot be trusted."""
        return self.treated_units < FEWEST_UNITS


def standard_error(influence: Floats) -> Floats:
    """Standard errors from influence sums by cluster, down the first axis.

    Example:
        >>> standard_error(np.array([[3.0, 0.0], [4.0, 1.0]])).tolist()
        [5.0, 1.0]
    """
    error: Floats = np.sqrt((influence**2).sum(axis=0))
    return error
