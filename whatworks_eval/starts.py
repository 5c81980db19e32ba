"""When each treated area started, where they did not all start together: read and checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from whatworks_eval.areas import AreaList
from whatworks_eval.errors import DataError
from whatworks_eval.periods import EXAMPLES, first_day
from whatworks_eval.protocol import Protocol

SHOWN = 5  # problems of one sort named before the rest are counted


def apart_by_start(units: Mapping[str, str], starts: Mapping[str, str]) -> dict[str, str]:
    """The units with adjoining areas that start at different times told apart: they were assigned apart.

    Args:
        units: Area, then the clump of adjoining areas it lies in.
        starts: Area, then the period it started in; empty where no column says.

    Example:
        >>> apart_by_start({"a": "both", "b": "both"}, {"a": "2019-01", "b": "2019-04"})
        {'a': 'both, from 2019-01', 'b': 'both, from 2019-04'}
    """
    together = defaultdict(set)
    for area, start in starts.items():
        together[units.get(area, area)].add(start)
    return {
        area: f"{unit}, from {starts[area]}" if area in starts and len(together[unit]) > 1 else unit
        for area, unit in units.items()
    }


def starts_of(protocol: Protocol, treated: AreaList, units: Mapping[str, str]) -> dict[str, str]:
    """The period each treated area started in; empty where all start together.

    Args:
        protocol: For the windows, the first start and what a period is.
        treated: The treated areas as declared.
        units: Area, then unit: areas of one unit start together, since the unit is what was assigned.

    Raises:
        DataError: A start that is no period or lies outside the after window, units whose areas start at
            different times, or a first start other than `intervention.start`; every problem at once.
    """
    if not treated.starts:
        return {}
    assert protocol.windows is not None
    first, last = protocol.windows.after
    problems = []
    for area, start in treated.starts.items():
        try:
            first_day(start, protocol.period)
        except ValueError:
            problems.append(
                f"areas.treated: {area} starts in '{start}', which is not a {protocol.period}; "
                f"write it like '{EXAMPLES[protocol.period]}'"
            )
            continue
        if not first <= start <= last:
            problems.append(
                f"areas.treated: {area} starts in {start}, outside windows.after ({first} to {last}); "
                "widen the window, or leave the area out (one that starts later is a comparison area until "
                "then)"
            )
    if not problems:
        together = defaultdict(set)
        for area, start in treated.starts.items():
            together[units.get(area, area)].add(start)
        problems += [
            f"areas.treated: unit '{unit}' starts in {' and in '.join(sorted(starts))}; a unit is what was "
            "assigned, so its areas start together: correct the starts, or declare smaller units"
            for unit, starts in sorted(together.items())
            if len(starts) > 1
        ]
        earliest = min(treated.starts.values())
        if earliest != protocol.intervention.start:
            problems.append(
                f"intervention.start is {protocol.intervention.start}, but the first area starts in "
                f"{earliest}; make them agree"
            )
    if problems:
        more = len(problems) - SHOWN
        raise DataError(
            problems[:SHOWN] + ([f"areas.treated: and {more} more like these"] if more > 0 else [])
        )
    starts = dict(sorted(treated.starts.items()))
    return starts if len(set(starts.values())) > 1 else {}
