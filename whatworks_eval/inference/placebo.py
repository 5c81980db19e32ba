"""The change of the treated against their comparison, with an interval by relabelling.

The hypotheses whose rank among placebo sets is not extreme (relabel_test.py) form the interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.inversion import WIDEST, invert
from whatworks_eval.inference.relabel_test import RelabelTest, relabel_test
from whatworks_eval.matching.level import Matches
from whatworks_eval.records import PlaceboSets

Floats = NDArray[np.float64]

GRID = 81  # hypotheses looked at where quantiles are wanted, before the ends are refined
COARSE = 31  # where only the ends are wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """The change of the treated areas relative to their comparison, with its interval.

    Attributes:
        log_ratio: Log of the ratio of ratios; None where a count is zero.
        low: Lower end of the interval on the same scale; None where it is open or there is none.
        high: Upper end.
        p_value: Two-sided, of no effect; None where there are no placebo sets.
        smallest_p: The smallest it could have been.
        quantiles: 199 quantiles of the effect; empty where the interval is open or missing.
        effects: Log ratio of every placebo set with counts above zero.
        why_missing: Why a number or the interval is missing; None where both are there.
    """

    log_ratio: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    smallest_p: float | None = None
    quantiles: tuple[float, ...] = ()
    effects: Floats
    why_missing: str | None = None


def relative_change(
    before: Floats,
    after: Floats,
    sets: PlaceboSets,
    *,
    confidence: float = 0.95,
    matches: Matches | None = None,
    quantiles: bool = False,
) -> Relative:
    """The relative change of the treated areas between two windows, with an interval by relabelling.

    Args:
        before: Incidents by area in the first window.
        after: The same in the second.
        sets: Placebo sets for these areas.
        confidence: Of the interval. Where the sets' smallest p-value is above 1 - confidence there is none.
        matches: As for `relabel_test`.
        quantiles: Whether to compute the 199 quantiles.
    """
    if not len(sets.members):
        inside, rest = np.isin(sets.row, sets.treated), (sets.row >= 0) & ~np.isin(sets.row, sets.treated)
        value = _log_ratio(
            np.array([before[inside].sum(), after[inside].sum(), before[rest].sum(), after[rest].sum()])
        )
        return Relative(
            log_ratio=value,
            effects=np.empty(0),
            why_missing="no set of areas like the treated could be drawn from the comparison areas",
        )
    test = relabel_test(before, after, sets, matches)
    value = _log_ratio(test.four(test.observed))
    if test.totals[0] <= 0 or test.totals[1] + test.totals[2] <= 0:
        return Relative(
            log_ratio=None,
            smallest_p=sets.smallest_p,
            effects=np.empty(0),
            why_missing=_why_no_ratio(test.four(test.observed)),
        )
    four = test.four(test.sums)
    countable = (four > 0).all(axis=-1)
    effects = np.log(four[countable, 1] * four[countable, 2] / (four[countable, 0] * four[countable, 3]))
    p_value = max(test.p_value(0.0), sets.smallest_p)
    if value is None:  # a count of nought stays nought whatever effect is taken out, so nothing bounds it
        return Relative(
            log_ratio=None,
            p_value=p_value,
            smallest_p=sets.smallest_p,
            effects=effects,
            why_missing=_why_no_ratio(test.four(test.observed)),
        )
    if sets.smallest_p > 1 - confidence + 1e-12:
        floor = (
            f"with this many units the smallest attainable p-value is {sets.smallest_p:.2g}, "
            f"so no {100 * confidence:g} % interval exists"
        )
        return Relative(
            log_ratio=value,
            p_value=p_value,
            smallest_p=sets.smallest_p,
            effects=effects,
            why_missing=floor,
        )
    reach = _reach(test, value, 1 - confidence)
    points = GRID if quantiles else COARSE
    ends = invert(test.p_value, value, 1 - confidence, reach=reach, points=points)
    reason = None
    if ends.low is None and ends.high is None:
        reason = "the data bound the effect on neither side"
    elif ends.low is None or ends.high is None:
        reason = "the data bound the effect on one side only"
    return Relative(
        log_ratio=value,
        low=ends.low,
        high=ends.high,
        p_value=max(ends.no_effect, sets.smallest_p),
        smallest_p=sets.smallest_p,
        quantiles=ends.quantiles if quantiles else (),
        effects=effects,
        why_missing=reason,
    )


def _log_ratio(four: Floats) -> float | None:
    if not (four > 0).all():
        return None
    return float(np.log(four[1] * four[2] / (four[0] * four[3])))


def _why_no_ratio(four: Floats) -> str:
    names = (
        "treated areas in the before window",
        "treated areas in the after window",
        "comparison areas in the before window",
        "comparison areas in the after window",
    )
    empty = [name for name, count in zip(names, four, strict=True) if count <= 0]
    return (
        f"no incident was recorded in the {' or the '.join(empty)}, so neither a ratio nor its interval "
        "can be formed"
    )


def _reach(test: RelabelTest, centre: float, alpha: float) -> float:
    """A first guess at twice the half-width: slope of T at the estimate against the spread of T."""
    step = 0.02
    slope = (
        float(test.statistic(test.observed, centre - step))
        - float(test.statistic(test.observed, centre + step))
    ) / (2 * step)
    spread = float(np.quantile(np.abs(test.statistic(test.sums, centre)), 1 - alpha))
    if slope <= 0 or spread <= 0:
        return 1.0
    return float(np.clip(2.0 * spread / slope, 0.02, WIDEST))
