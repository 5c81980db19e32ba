"""The series a time series analysis is about: treated and comparison by period, and what is fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.inference.segmented import days_in, design_matrix, season_of
from whatworks_eval.inference.series_sets import fit_shares, series_of_sets
from whatworks_eval.matching.level import Matches
from whatworks_eval.panel import Panel
from whatworks_eval.periods import months_between
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import PlaceboSets, Windowed

Floats = NDArray[np.float64]

FEWEST_BEFORE, FEWEST_AFTER = 8, 3  # periods; fewer hold no trend
SEASON_MONTHS = 24.0  # before months from which a season is told from a trend
SLACK = 0.1  # of a month: 104 weeks are 23.9 months and pass


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arms:
    """Series by arm over the periods used, before then after.

    Attributes:
        periods: The periods.
        time: Number of each, gaps kept.
        after: True for after periods.
        treated: Incidents in the treated areas.
        comparison: In the comparison areas, by weight; None without a comparison.
        by_area: Areas of the Windowed × periods.
        exposure: Days of each period, times residents where they are known.
        design: Constant, time, level, slope and, where fitted, the season.
        seasonal: Whether the season is fitted.
        too_little: Why nothing can be fitted; None where it can.
    """

    periods: tuple[str, ...]
    time: Floats
    after: NDArray[np.bool_]
    treated: Floats
    comparison: Floats | None
    by_area: Floats
    exposure: Floats
    design: Floats
    seasonal: bool
    too_little: str | None


def arms_of(protocol: Protocol, panel: Panel, windowed: Windowed) -> Arms:
    """The series of both arms and what is to be fitted.

    Alone, a series gets seasonal terms where the before window holds 24 months; against a comparison,
    which shares the season, only where the protocol asks.

    Raises:
        CannotEstimate: Where seasonal terms are asked for with under 24 before months, or periods are days.
    """
    assert windowed.index is not None
    assert windowed.before_mask is not None
    assert windowed.after_mask is not None
    if protocol.period == "day":
        raise CannotEstimate(
            "method 'interrupted-time-series' takes months or weeks: days have a weekly rhythm it does not "
            'fit. Add days up to weeks and write period = "week"'
        )
    used = np.flatnonzero(windowed.before_mask | windowed.after_mask)
    after: NDArray[np.bool_] = windowed.after_mask[used]
    periods = tuple(panel.periods[at] for at in used)
    by_area = panel.counts[np.ix_(windowed.index, used)]
    compared = windowed.has("comparison")
    early = [period for period, late in zip(periods, after, strict=True) if not late]
    months = sum(months_between(period, period, protocol.period) for period in early)
    enough = months >= SEASON_MONTHS - SLACK
    asked = None if protocol.windows is None else protocol.windows.seasonal
    if asked and not enough:
        raise CannotEstimate(
            f"windows.seasonal is true, but the before window holds {months:.0f} months with data and a "
            f"season takes {SEASON_MONTHS:.0f}: with fewer it cannot be told from a trend. Begin "
            "windows.before earlier, or take windows.seasonal out"
        )
    seasonal = bool(asked) or (asked is None and enough and not compared)
    time = (used - used[0]).astype(float)
    treated = windowed.weight[windowed.arm == "treated"] @ by_area[windowed.arm == "treated"]
    comparison = windowed.weight[windowed.arm == "comparison"] @ by_area[windowed.arm == "comparison"]
    return Arms(
        periods=periods,
        time=time,
        after=after,
        treated=treated,
        comparison=comparison if compared else None,
        by_area=by_area,
        exposure=days_in(periods, protocol.period) * _residents(panel, windowed),
        design=design_matrix(time, after, season_of(periods, protocol.period) if seasonal else None),
        seasonal=seasonal,
        too_little=_too_little(after, treated, comparison if compared else None, protocol.period),
    )


def line_of(arms: Arms) -> tuple[Floats, bool]:
    """Expected treated counts: the comparison's, times the line of the log ratio before, carried on.

    And whether it could be fitted.
    """
    assert arms.comparison is not None
    plain = np.delete(arms.design, (2, 3), axis=1)
    early = ~arms.after
    line, settled = fit_shares(arms.treated[None, early], arms.comparison[None, early], plain[early])
    return arms.comparison * np.exp(plain @ line[0]), bool(settled[0])


def coefficients_of(
    arms: Arms, sets: PlaceboSets, matches: Matches | None
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Coefficients of the log ratio by set, the treated last; which settled; fitted treated counts."""
    lines, settled = [], []
    for _, own, other in series_of_sets(arms.by_area, sets, matches):
        found, good = fit_shares(own, other, arms.design)
        lines.append(found)
        settled.append(good)
    line = np.concatenate(lines)
    assert arms.comparison is not None
    return line, np.concatenate(settled), arms.comparison * np.exp(arms.design @ line[-1])


def _residents(panel: Panel, windowed: Windowed) -> float:
    """Residents of the treated areas; 1 where any is not known."""
    if panel.residents is None or windowed.index is None:
        return 1.0
    people = float(panel.residents[windowed.index[windowed.arm == "treated"]].sum())
    return people if np.isfinite(people) and people > 0 else 1.0


def _too_little(
    after: NDArray[np.bool_], treated: Floats, comparison: Floats | None, kind: str
) -> str | None:
    early, late = int((~after).sum()), int(after.sum())
    if early < FEWEST_BEFORE or late < FEWEST_AFTER:
        return (
            f"a time series needs at least {FEWEST_BEFORE} {kind}s before and {FEWEST_AFTER} after, and "
            f"there are {early} and {late}"
        )
    for name, series in (("treated", treated), ("comparison", comparison)):
        for window, mask in (("before", ~after), ("after", after)):
            if series is not None and series[mask].sum() <= 0:
                return f"no incident was recorded in the {name} areas in the {window} window"
    return None
