"""Month by month: what the comparison would lead one to expect, less what was recorded.

    expected = treated before · (comparison this month / comparison before),  prevented = expected - recorded

The baseline gap between the arms is taken out by scaling, so two constant series of any size give exactly
zero. A running difference without that (treated minus comparison, added up) turns a gap that was always there
into a growing effect: treated 20 and comparison 25 a week, nothing done, come out at -75 after 15 weeks.

Beside a time series, expected is what its curve carries on, so that what is added up is what it estimates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.records import Curve, Series

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Running:
    """When an effect appears; incidents in the treated areas, by period used.

    Attributes:
        periods: The periods used, before then after.
        after: True for after periods.
        recorded: What was recorded.
        expected: What the comparison would lead one to expect.
        prevented: Expected less recorded; below zero = more recorded than expected. Adds up to zero over the
            before window where a comparison alone gives what was expected.
        cumulative: The same added up from the first after period; zero before it.
    """

    periods: tuple[str, ...]
    after: NDArray[np.bool_]
    recorded: Floats
    expected: Floats
    prevented: Floats
    cumulative: Floats


def running_effect(series: Series) -> Running | None:
    """Expected less recorded, by period and added up; None without a comparison or a before count.

    Example:
        >>> flat = Series(
        ...     periods=("2019-01", "2019-02", "2019-03"),
        ...     counts={"treated": np.full(3, 20.0), "comparison": np.full(3, 25.0)},
        ...     index={}, before=np.array([True, False, False]), after=np.array([False, True, True]),
        ...     start="2019-02",
        ... )
        >>> running_effect(flat).cumulative.tolist()
        [0.0, 0.0, 0.0]
    """
    if not {"treated", "comparison"} <= set(series.counts):
        return None
    used = np.flatnonzero(series.before | series.after)
    treated, comparison = series.counts["treated"][used], series.counts["comparison"][used]
    after = series.after[used]
    base, scale = _mean(treated[~after]), _mean(comparison[~after])
    if not (base > 0 and scale > 0):
        return None
    # Divided first: a comparison that stays at its mean gives a factor of exactly one.
    expected = base * (comparison / scale)
    return _added_up(tuple(series.periods[at] for at in used), after, treated, expected)


def running_along(curve: Curve) -> Running:
    """Expected by the trend carried on less recorded, by period and added up.

    Example:
        >>> curve = Curve(
        ...     periods=("2019-01", "2019-02", "2019-03"), recorded=np.array([20.0, 15.0, 16.0]),
        ...     fitted=np.array([20.0, 15.5, 15.5]), expected=np.array([20.0, 19.0, 18.0]),
        ...     after=np.array([False, True, True]),
        ... )
        >>> running_along(curve).cumulative.tolist()
        [0.0, 4.0, 6.0]
    """
    return _added_up(curve.periods, curve.after, curve.recorded, curve.expected)


def _added_up(
    periods: tuple[str, ...], after: NDArray[np.bool_], recorded: Floats, expected: Floats
) -> Running:
    prevented = expected - recorded
    return Running(
        periods=periods,
        after=after,
        recorded=recorded,
        expected=expected,
        prevented=prevented,
        cumulative=np.cumsum(np.where(after, prevented, 0.0)),
    )


def _mean(values: Floats) -> float:
    """The mean, exactly the value itself where all are the same."""
    return float(values[0] + (values - values[0]).mean())
