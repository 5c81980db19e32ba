"""What of the recorded incidents is missing: periods, areas, and rows without a place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from whatworks_eval.judgement import Case, Measure
from whatworks_eval.panel import Panel
from whatworks_eval.periods import period_range
from whatworks_eval.records import Arm


def periods_missing(case: Case) -> tuple[Measure, Measure]:
    """Periods of the declared before and after window that could not be used, in percent.

    Those the protocol itself leaves out (did.anticipation) are not missing: the share is of the others.
    """
    found = []
    for at, window in enumerate(("before", "after")):
        name, unit = f"{case.protocol.period}s of the {window} window missing or dropped", "%"
        windows, windowed = case.protocol.windows, case.windowed
        if windows is None or windowed is None or windowed.index is None:
            found.append(Measure(name=name, unit=unit, why_missing="there are no counts by period"))
            continue
        first, last = windows.before if window == "before" else windows.after
        declared = period_range(first, last, case.protocol.period)
        wanted = len(declared) - len(windowed.on_purpose.intersection(declared))
        found.append(Measure(name=name, unit=unit, value=100.0 * (1 - len(windowed.periods[at]) / wanted)))
    return found[0], found[1]


def areas_missing(case: Case) -> Measure:
    """Areas of either arm left out because too many of their periods are missing, in percent."""
    name, unit = "areas left out because their counts are missing", "%"
    windowed = case.windowed
    if windowed is None or windowed.index is None:
        return Measure(name=name, unit=unit, why_missing="there are no counts by area")
    kept = int(((windowed.arm == "treated") | (windowed.arm == "comparison")).sum())
    left = len(windowed.areas_dropped)
    return Measure(name=name, unit=unit, value=100.0 * left / (kept + left))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocated:
    """Rows without a location, in percent of rows, by arm and window.

    Attributes:
        shares: (arm, window), then the share.
        overall: Over both windows and all forces of either arm.
        moved: Largest change of one arm from before to after, in percentage points.
        apart: How differently the two arms' counts were moved by it, in percent of the count.
    """

    shares: dict[tuple[str, str], Measure]
    overall: Measure
    moved: Measure
    apart: Measure


def unlocated(case: Case) -> Unlocated | None:
    """Rows without a location by arm and window; None where the source has no rows with locations.

    An area's count holds only rows with a place. If a share u has none, the count is short by that share, so
    a change from u to v moves it by (1 - v) / (1 - u) with nothing else changed. Arms are weighted by where
    their incidents are recorded: a share is known by force, not by area.
    """
    panel, windowed = case.data, case.windowed
    if not isinstance(panel, Panel) or not panel.ledger.forces or windowed is None or windowed.index is None:
        return None
    arms: list[Arm] = ["treated", "comparison"] if windowed.has("comparison") else ["treated"]
    shares: dict[tuple[str, str], Measure] = {}
    rows = missing = 0.0
    for arm in arms:
        weights = force_weights(case, arm)
        for at, window in enumerate(("before", "after")):
            name = f"rows without a location, {arm} areas, {window}"
            share, total, without = _share(panel, weights, windowed.periods[at])
            rows, missing = rows + total, missing + without
            shares[arm, window] = Measure(
                name=name,
                unit="%",
                value=share,
                why_missing=None if share is not None else "no rows were read there",
            )
    moves, shifts = [], []
    for arm in arms:
        before, after = shares[arm, "before"].value, shares[arm, "after"].value
        if before is None or after is None or before >= 100:
            continue
        moves.append(after - before)
        shifts.append(100.0 * ((100 - after) / (100 - before) - 1))
    nothing = "the share is not known in both windows"
    return Unlocated(
        shares=shares,
        overall=Measure(
            name="rows without a location, both windows",
            unit="%",
            value=100.0 * missing / rows if rows else None,
            why_missing=None if rows else nothing,
        ),
        moved=Measure(
            name="largest change in the share of rows without a location",
            unit="percentage points",
            value=max(moves, key=abs) if moves else None,
            why_missing=None if moves else nothing,
        ),
        apart=Measure(
            name="difference between the arms in how far that alone moved their counts",
            unit="% of the count",
            value=shifts[0] - shifts[1] if len(shifts) == 2 else None,
            why_missing=None if len(shifts) == 2 else "there are not two arms with known shares",
        ),
    )


def force_weights(case: Case, arm: Arm) -> dict[str, float]:
    """Share of an arm's incidents before the start by force; empty where forces are not known."""
    panel, windowed = case.data, case.windowed
    if not isinstance(panel, Panel) or windowed is None or windowed.index is None:
        return {}
    if panel.forces is None:
        only = list(panel.ledger.forces)
        return {only[0]: 1.0} if len(only) == 1 else {}
    inside = np.flatnonzero(windowed.arm == arm)
    labels = [panel.forces.get(windowed.areas[at], "") for at in inside]
    if not labels or "" in labels:
        return {}
    names = sorted(set(labels))
    number = {name: at for at, name in enumerate(names)}
    group = np.array([number[label] for label in labels], dtype=np.intp)
    # One is added so that areas that recorded nothing still say where they lie.
    counts = np.bincount(group, weights=(windowed.weight * (windowed.before + 1.0))[inside])
    return dict(zip(names, (counts / counts.sum()).tolist(), strict=True))


def _share(
    panel: Panel, weights: dict[str, float], periods: Iterable[str]
) -> tuple[float | None, float, float]:
    """Weighted share without location in percent, and the rows and unlocated rows behind it."""
    share, rows, missing, known = 0.0, 0.0, 0.0, 0.0
    used = tuple(periods)
    for force, weight in weights.items():
        by_period = panel.ledger.forces.get(force, {})
        read = sum(by_period.get(period, (0, 0))[0] for period in used)
        without = sum(by_period.get(period, (0, 0))[1] for period in used)
        if read:
            share += weight * without / read
            known += weight
            rows, missing = rows + read, missing + without
    return (100.0 * share / known if known > 0 else None), rows, missing
