"""Facts that can be read off a protocol alone: lengths, calendars, what there is to compare with."""

from __future__ import annotations

from collections import Counter
from datetime import date

from whatworks_eval.judgement import Measure
from whatworks_eval.periods import first_day, months_between, period_range
from whatworks_eval.protocol import Protocol

RESTRICTIONS = (date(2020, 3, 1), date(2021, 7, 31))
"""First and last day of the months with Covid restrictions (recording-breaks dataset)."""


def has_areas(protocol: Protocol) -> bool:
    """True where counts by area come in, so that comparability can be measured; False for bare totals."""
    return protocol.outcome.source not in ("totals", "published-changes")


def has_comparison(protocol: Protocol) -> bool:
    """True where the method compares the treated areas with others, and others are declared."""
    if protocol.method == "before-after":
        return False
    if protocol.method == "crossover":
        return True  # the same areas, and others in the same periods, while switched off
    if protocol.outcome.source == "totals":
        return protocol.outcome.totals is not None and protocol.outcome.totals.comparison is not None
    if protocol.outcome.source == "published-changes":
        return protocol.outcome.changes is not None and protocol.outcome.changes.comparison is not None
    return protocol.areas is not None and protocol.areas.comparison is not None


def starts_differ(protocol: Protocol) -> bool:
    """True where a column says when each treated area started."""
    treated = protocol.areas.treated if protocol.areas is not None else ()
    return not isinstance(treated, tuple) and treated.start is not None


def is_matched(protocol: Protocol) -> bool:
    """True where the comparison areas are chosen to be of like level before the start."""
    return has_areas(protocol) and protocol.areas is not None and protocol.areas.comparison == "matched"


def before_months(protocol: Protocol) -> Measure:
    """Length of the declared before window, in months."""
    name = "length of the before window"
    if protocol.windows is None:
        return Measure(name=name, unit="months", why_missing="the windows are not declared")
    first, last = protocol.windows.before
    return Measure(name=name, unit="months", value=months_between(first, last, protocol.period))


def calendar_difference(protocol: Protocol) -> Measure:
    """Largest difference between the windows in the share of one calendar month, in percentage points.

    Zero where both windows hold the same calendar months equally often, whatever their lengths.
    """
    name = "largest difference in the share of one calendar month"
    if protocol.windows is None:
        return Measure(name=name, unit="percentage points", why_missing="the windows are not declared")
    shares = []
    for first, last in (protocol.windows.before, protocol.windows.after):
        periods = period_range(first, last, protocol.period)
        months = Counter(first_day(period, protocol.period).month for period in periods)
        shares.append([months[month] / len(periods) for month in range(1, 13)])
    largest = max(abs(before - after) for before, after in zip(*shares, strict=True))
    return Measure(name=name, unit="percentage points", value=100.0 * largest)


def restricted_periods(protocol: Protocol) -> tuple[Measure, Measure]:
    """Periods with Covid restrictions inside the before and the after window."""
    found = []
    for window in ("before", "after"):
        name = f"{protocol.period}s with Covid restrictions in the {window} window"
        if protocol.windows is None:
            found.append(
                Measure(name=name, unit=f"{protocol.period}s", why_missing="the windows are not declared")
            )
            continue
        first, last = protocol.windows.before if window == "before" else protocol.windows.after
        days = (first_day(period, protocol.period) for period in period_range(first, last, protocol.period))
        hit = sum(RESTRICTIONS[0] <= day <= RESTRICTIONS[1] for day in days)
        found.append(Measure(name=name, unit=f"{protocol.period}s", value=float(hit)))
    return found[0], found[1]


def inside_windows(protocol: Protocol, day: date) -> bool | None:
    """True where a change on this day falls between the start of the first window and the end of the last.

    A change at or before the first day of the before window leaves both windows alike. None where the
    windows are not declared.
    """
    if protocol.windows is None:
        return None
    start = first_day(protocol.windows.before[0], protocol.period)
    last = first_day(protocol.windows.after[1], protocol.period)
    return start < day <= last
