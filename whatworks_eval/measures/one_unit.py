"""The answer of a roll-out or a difference in means without each treated unit in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.roll_out_test import CohortWindows
from whatworks_eval.judgement import Case
from whatworks_eval.methods.did_windows import roll_out_of
from whatworks_eval.panel import Panel
from whatworks_eval.records import Windowed

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOneOut:
    """How the answer moves when one treated unit is left out; all on the scale of the estimate.

    Attributes:
        unit: The unit whose absence moves it most.
        moved: By how much: answer without it less answer with it.
        without: The answer without it.
    """

    unit: str
    moved: float
    without: float


def over_cohorts(case: Case, windowed: Windowed) -> LeaveOneOut | None:
    """The treated unit whose absence moves the answer most, each area over its own windows.

    None with one unit, without counts by area and period, or where nothing would be left. The comparison
    stays as it is, a unit's own matches included: what moves is the treated side. Adjusted counts are taken
    as recorded.
    """
    panel, value = case.data, case.estimate.value
    if not isinstance(panel, Panel) or value is None:
        return None
    treated = np.flatnonzero(windowed.arm == "treated")
    labels = [case.contrast.units.get(windowed.areas[at], windowed.areas[at]) for at in treated]
    names = sorted(set(labels))
    if len(names) < 2:
        return None
    data = roll_out_of(case.protocol, panel, case.contrast, windowed)
    group = np.searchsorted(names, labels)
    weight = np.where(windowed.arm == "comparison", windowed.weight, 0.0)
    first, second = _parts(data, treated, weight, ratio=case.estimate.scale == "log-ratio")

    def left(values: Floats) -> Floats:
        by_unit = np.bincount(group, weights=values, minlength=len(names))
        found: Floats = values.sum() - by_unit
        return found

    first_left, second_left = left(first), left(second)
    if (second_left <= 0).any():
        return None
    if case.estimate.scale == "log-ratio":
        if (first_left <= 0).any():
            return None
        moved = np.log(first_left / second_left) - np.log(first.sum() / second.sum())
    else:
        moved = first_left / second_left - first.sum() / second.sum()
    most = int(np.argmax(np.abs(moved)))
    return LeaveOneOut(unit=names[most], moved=float(moved[most]), without=value + float(moved[most]))


def _parts(
    data: CohortWindows, treated: NDArray[np.intp], weight: Floats, *, ratio: bool
) -> tuple[Floats, Floats]:
    """By treated area: recorded and expected for a ratio; its own difference and one for a mean."""
    cohort = np.searchsorted(data.starts, data.start[treated])
    first, second = np.zeros(len(treated)), np.zeros(len(treated))
    for number, (before, after) in enumerate(zip(data.before, data.after, strict=True)):
        mine = cohort == number
        own = data.counts[treated[mine]]
        if ratio:
            of_comparison = weight @ data.counts
            share = of_comparison[after].sum() / max(of_comparison[before].sum(), 1e-300)
            first[mine], second[mine] = own[:, after].sum(axis=1), own[:, before].sum(axis=1) * share
        else:
            change = data.counts[:, after].mean(axis=1) - data.counts[:, before].mean(axis=1)
            first[mine] = change[treated[mine]] - weight @ change / max(weight.sum(), 1e-300)
            second[mine] = 1.0
    return first, second
