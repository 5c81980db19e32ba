"""Counts before and after, built once: which periods and areas count, and what was left out and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.panel import Changes, Panel, Totals
from whatworks_eval.periods import calendar_part, months_between
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Data, Windowed

MOST_MISSING = 0.10  # share of a window's periods an area may lack before it leaves


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Usable:
    """Periods and areas left after what is missing has been taken out.

    Attributes:
        before: Over the panel's periods, True where used in the before window.
        after: The same for the after window.
        periods_dropped: Period, then why.
        areas_dropped: Area, then why.
        on_purpose: Of the periods dropped, those the protocol leaves out and their counterparts.
    """

    before: NDArray[np.bool_]
    after: NDArray[np.bool_]
    periods_dropped: Mapping[str, str]
    areas_dropped: Mapping[str, str]
    on_purpose: frozenset[str] = frozenset()


def usable(protocol: Protocol, panel: Panel, areas: Iterable[str]) -> Usable:
    """The periods and areas that can be used, for these areas.

    In turn: a period observed for none of the areas leaves; an area missing more than a tenth of the
    periods left in either window leaves; a period missing for any area left leaves for all. Each period
    that leaves takes its counterpart in the other window with it, where the protocol says so and both
    windows hold the same calendar periods equally often.
    """
    assert protocol.windows is not None
    position = {area: at for at, area in enumerate(panel.areas)}
    rows = np.array(sorted(position[area] for area in set(areas)), dtype=np.intp)
    windows = (
        declared_mask(panel, protocol.windows.before),
        declared_mask(panel, protocol.windows.after),
    )
    partner = _counterparts(panel.periods, *windows) if protocol.windows.match_missing else {}
    dropped: dict[str, str] = {}
    keep = np.ones(len(panel.periods), dtype=bool)
    inside = windows[0] | windows[1]

    def drop(at: int, why: str, how: str = "is missing") -> None:
        dropped.setdefault(panel.periods[at], why)
        keep[at] = False
        other = partner.get(at)
        if other is not None and keep[other]:
            keep[other] = False
            dropped.setdefault(panel.periods[other], f"counterpart of {panel.periods[at]}, which {how}")

    for early in _anticipated(protocol, panel):
        if inside[early]:
            drop(
                early,
                "just before the start, when the project may already have been felt (did.anticipation)",
                "is left out (did.anticipation)",
            )
    on_purpose = frozenset(dropped)
    observed = panel.observed[rows]
    for at in np.flatnonzero(inside & ~observed.any(axis=0)):
        drop(int(at), "not observed for any area")
    left: dict[str, str] = {}
    staying = np.ones(len(rows), dtype=bool)
    for name, window in zip(("before", "after"), windows, strict=True):
        used = window & keep
        missing = (~observed[:, used]).sum(axis=1)
        for row in np.flatnonzero(missing > MOST_MISSING * used.sum()):
            staying[row] = False
            left.setdefault(
                panel.areas[rows[row]],
                f"{missing[row]} of the {used.sum()} periods of the {name} window are missing",
            )
    for at in np.flatnonzero(inside & keep & ~observed[staying].all(axis=0)):
        drop(int(at), "missing for at least one area used")
    for name, window, declared in zip(
        ("before", "after"), windows, (protocol.windows.before, protocol.windows.after), strict=True
    ):
        if not (window & keep).any():
            raise CannotEstimate(
                f"windows.{name}: no period from {declared[0]} to {declared[1]} has data for the areas used; "
                f"the data run from {panel.periods[0]} to {panel.periods[-1]}. "
                f"Move the window, or supply the missing periods"
            )
    return Usable(
        before=windows[0] & keep,
        after=windows[1] & keep,
        periods_dropped={period: dropped[period] for period in sorted(dropped)},
        areas_dropped=left,
        on_purpose=on_purpose,
    )


def _anticipated(protocol: Protocol, panel: Panel) -> list[int]:
    """The periods just before the first start that the protocol leaves out, as positions."""
    earlier = [at for at, period in enumerate(panel.periods) if period < protocol.intervention.start]
    return earlier[len(earlier) - protocol.did.anticipation :] if protocol.did.anticipation else []


def declared_mask(panel: Panel, window: tuple[str, str]) -> NDArray[np.bool_]:
    """True for the panel's periods inside a declared window."""
    return np.array([window[0] <= period <= window[1] for period in panel.periods])


def same_calendar(before: Sequence[str], after: Sequence[str]) -> bool:
    """True where both windows hold the same calendar periods equally often.

    Example:
        >>> same_calendar(["2018-01", "2018-02"], ["2019-01", "2019-02"])
        True
    """
    return Counter(map(calendar_part, before)) == Counter(map(calendar_part, after))


def _counterparts(
    periods: Sequence[str], before: NDArray[np.bool_], after: NDArray[np.bool_]
) -> dict[int, int]:
    """The period in the other window at the same place in the calendar, the nth for the nth."""
    inside = [np.flatnonzero(before).tolist(), np.flatnonzero(after).tolist()]
    if not same_calendar([periods[at] for at in inside[0]], [periods[at] for at in inside[1]]):
        return {}
    places: list[defaultdict[str, list[int]]] = []
    for window in inside:
        by_part: defaultdict[str, list[int]] = defaultdict(list)
        for at in window:
            by_part[calendar_part(periods[at])].append(at)
        places.append(by_part)
    partner = {}
    for part, first in places[0].items():
        for one, other in zip(first, places[1][part], strict=True):
            partner[one], partner[other] = other, one
    return partner


def build_windowed(protocol: Protocol, data: Data, contrast: Contrast) -> Windowed | None:
    """Counts by area before and after; None for published changes, without counts, and for crossovers.

    Raises:
        CannotEstimate: Where a window or an arm is left empty.
    """
    if isinstance(data, Changes) or protocol.method == "crossover":
        return None
    if isinstance(data, Totals):
        return _from_totals(data)
    areas = tuple(sorted({*contrast.treated, *contrast.comparison, *contrast.buffer, *contrast.pool}))
    return rewindow(data, contrast, usable(protocol, data, areas))


def rewindow(panel: Panel, contrast: Contrast, periods: Usable) -> Windowed:
    """Counts by area for any two sets of periods, for the areas of a contrast that stay."""
    arms = dict.fromkeys(contrast.pool, "pool")
    arms |= dict.fromkeys(contrast.buffer, "buffer")
    arms |= dict.fromkeys(contrast.comparison, "comparison")
    arms |= dict.fromkeys(contrast.treated, "treated")
    for name in ("treated", "comparison"):
        declared = [area for area in arms if arms[area] == name]
        if declared and all(area in periods.areas_dropped for area in declared):
            why = periods.areas_dropped[sorted(declared)[0]]
            raise CannotEstimate(f"areas.{name}: no area is left; for each, too much is missing ({why})")
    position = {area: at for at, area in enumerate(panel.areas)}
    areas = tuple(sorted(area for area in arms if area not in periods.areas_dropped))
    index = np.array([position[area] for area in areas], dtype=np.intp)
    weights = contrast.weights or {}
    used = (
        tuple(np.array(panel.periods)[periods.before].tolist()),
        tuple(np.array(panel.periods)[periods.after].tolist()),
    )
    return Windowed(
        areas=areas,
        arm=np.array([arms[area] for area in areas]),
        weight=np.array([weights.get(area, 1.0) for area in areas]),
        before=panel.counts[np.ix_(index, np.flatnonzero(periods.before))].sum(axis=1),
        after=panel.counts[np.ix_(index, np.flatnonzero(periods.after))].sum(axis=1),
        months=(
            sum(months_between(period, period, panel.period) for period in used[0]),
            sum(months_between(period, period, panel.period) for period in used[1]),
        ),
        periods=used,
        periods_dropped=periods.periods_dropped,
        areas_dropped={**contrast.dropped, **periods.areas_dropped},
        on_purpose=periods.on_purpose,
        same_calendar=same_calendar(*used),
        index=index,
        before_mask=periods.before,
        after_mask=periods.after,
        rank=_rank(panel.counts[index]) if panel.centroids is None else None,
    )


def _rank(counts: NDArray[np.float64]) -> NDArray[np.intp]:
    """Place of each row when they are put in order period by period, missing first; equal rows share one."""
    _, place = np.unique(np.nan_to_num(counts, nan=-1.0), axis=0, return_inverse=True)
    return np.asarray(place, dtype=np.intp).ravel()


def _from_totals(totals: Totals) -> Windowed:
    arms = {"buffer": totals.buffer, "comparison": totals.comparison, "treated": totals.treated}
    known = {name: counts for name, counts in arms.items() if counts is not None}
    names = tuple(sorted(known))
    return Windowed(
        areas=names,
        arm=np.array(names),
        weight=np.ones(len(names)),
        before=np.array([known[name][0] for name in names]),
        after=np.array([known[name][1] for name in names]),
        months=totals.periods,
    )
