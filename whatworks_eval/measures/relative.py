"""How the treated changed against their comparison between any two sets of periods, by relabelling."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.placebo import Relative, relative_change
from whatworks_eval.inference.placebo_sets import fewer
from whatworks_eval.inference.relabelling import matches_of
from whatworks_eval.judgement import Case, Measure
from whatworks_eval.panel import Panel
from whatworks_eval.periods import calendar_part
from whatworks_eval.windows import declared_mask

Mask = NDArray[np.bool_]
POWER = 0.8  # four times in five
SETS_LOOKED_AT = 1_999
FALSE_ALARM = 0.03
"""Share of sound designs in which a search for one defect may find it by chance. Below the customary 0.05,
so that at most one sound design in twenty is marked down even where relabelling is a little liberal."""


def relative_between(case: Case, first: Mask, second: Mask, *, confidence: float) -> Relative:
    """The relative change of the treated areas from the first set of periods to the second.

    Args:
        case: With a panel and placebo sets; otherwise there is no value, and the reason.
        first: Over the panel's periods.
        second: The same.
        confidence: Of the interval.
    """
    panel, windowed = case.data, case.windowed
    if not isinstance(panel, Panel) or windowed is None or windowed.index is None or case.sets is None:
        return Relative(
            log_ratio=None, effects=np.empty(0), why_missing="there are no counts by area and period"
        )
    counts = panel.counts[windowed.index]
    before, after = counts[:, first].sum(axis=1), counts[:, second].sum(axis=1)
    if before.sum() <= 0 or after.sum() <= 0:
        return Relative(log_ratio=None, effects=np.empty(0), why_missing="a part has no recorded incident")
    matches = matches_of(case.contrast, windowed, case.protocol.matching.per_treated)
    return relative_change(
        before, after, fewer(case.sets, SETS_LOOKED_AT), confidence=confidence, matches=matches
    )


def with_confidence(name: str, confidence: float) -> str:
    """A measure's name with the confidence of its interval, where that is not the usual 95 %.

    Example:
        >>> with_confidence("trend", 0.99)
        'trend (99 % interval)'
    """
    return name if confidence == 0.95 else f"{name} ({100 * confidence:g} % interval)"


def as_measure(name: str, change: Relative, confidence: float) -> Measure:
    """A relative change as a measure, in percent: 10 = the treated rose a tenth more than the comparison."""
    return Measure(
        name=with_confidence(name, confidence),
        unit="%",
        value=_percent(change.log_ratio),
        low=_percent(change.low),
        high=_percent(change.high),
        why_missing=change.why_missing if change.log_ratio is None else None,
    )


def standard_error(low: float | None, high: float | None, confidence: float) -> float | None:
    """What a normal interval with these ends would have as its standard error; None where an end is missing.

    Example:
        >>> round(standard_error(-0.196, 0.196, 0.95), 3)
        0.1
    """
    if low is None or high is None:
        return None
    return (high - low) / (2 * NormalDist().inv_cdf(0.5 + confidence / 2))


def detectable(se: float | None, confidence: float) -> float | None:
    """The log ratio found, at this confidence, four times in five; None where there is no error.

    Source: reference_facts B7: b = (z of the confidence + z of the power) × standard error.

    Example:
        >>> round(detectable(0.1, 0.95), 3)
        0.28
    """
    if se is None:
        return None
    normal = NormalDist()
    return (normal.inv_cdf(0.5 + confidence / 2) + normal.inv_cdf(POWER)) * se


def usable_baseline(case: Case) -> Mask | None:
    """The periods of the declared before window known for every area used; None where there are no periods.

    More than the effect itself uses: a period dropped only because its counterpart in the after window is
    missing still shows what went on before the start.
    """
    panel, windowed, windows = case.data, case.windowed, case.protocol.windows
    if not isinstance(panel, Panel) or windowed is None or windowed.index is None or windows is None:
        return None
    known: Mask = np.all(panel.observed[windowed.index], axis=0)
    return known & declared_mask(panel, windows.before)


def earlier_periods(case: Case) -> Mask | None:
    """Periods before the before window, known for every area used: the same calendar periods equally often.

    As many whole turns of the before window's calendar as the panel holds, the latest first; None where it
    does not hold one.
    """
    baseline, panel, windowed = usable_baseline(case), case.data, case.windowed
    if baseline is None or not isinstance(panel, Panel) or windowed is None or windowed.index is None:
        return None
    used = np.flatnonzero(baseline)
    known: Mask = np.all(panel.observed[windowed.index], axis=0)
    wanted = {calendar_part(panel.periods[at]) for at in used}
    by_part: defaultdict[str, list[int]] = defaultdict(list)
    for at in range(int(used[0])):
        part = calendar_part(panel.periods[at])
        if known[at] and part in wanted:
            by_part[part].append(at)
    turns = min((len(by_part[part]) for part in wanted), default=0)
    if not turns:
        return None
    mask = np.zeros(len(panel.periods), dtype=bool)
    for part in wanted:
        mask[by_part[part][-turns:]] = True
    return mask


def split(mask: Mask, first: int, last: int) -> tuple[Mask, Mask]:
    """The first and the last so many periods of a mask."""
    at = np.flatnonzero(mask)
    parts = np.zeros((2, len(mask)), dtype=bool)
    parts[0, at[:first]] = True
    parts[1, at[len(at) - last :]] = True
    return parts[0], parts[1]


def _percent(log_ratio: float | None) -> float | None:
    return None if log_ratio is None else 100.0 * math.expm1(log_ratio)
