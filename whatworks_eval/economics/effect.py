"""What economics needs to know of an effect: how many incidents were prevented, over how long, how surely."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.judgement import Evaluation
from whatworks_eval.measures.declared import has_comparison
from whatworks_eval.methods.effect_measures import BUFFER
from whatworks_eval.periods import PeriodKind, first_day, months_between
from whatworks_eval.records import Estimate, Interval

# Where the 199 quantiles of an estimate lie: 0.5 %, 1 %, … 99.5 %.
PROBABILITIES = np.arange(1, 200) / 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectInput:
    """An effect as economics takes it: from an Evaluation, or read back from a result file.

    Attributes:
        prevented: Recorded incidents (or hours) prevented in the treated areas over the after window.
        why_missing: Why that is missing, or has no range; None where both are there.
        quantiles: 199 quantiles of the same, ascending (0.5 %, 1 %, … 99.5 %); empty where there are none.
        confidence: Of the interval.
        months: Months the incidents were prevented in: the after window as used; where areas started at
            different times, the mean of what each had of it.
        months_declared: The same as declared: dropped periods included.
        start: First day of the after window.
        level: The level the evaluation reached.
        offences: Categories counted together; None where not said.
        compared: True where the effect is against comparison areas.
        buffer: Incidents prevented in the buffer, measured beside; None where no buffer was measured.
        buffer_correlation: Of the errors of the two: both are held against the same comparison.
        harm: Scheme of harm weights the protocol names; None where it names none.
        base: Folder that paths in the protocol are relative to.
        seed: Of every draw.
    """

    prevented: Interval
    why_missing: str | None = None
    quantiles: tuple[float, ...] = ()
    confidence: float = 0.95
    months: float
    months_declared: float
    start: date
    level: int
    offences: tuple[str, ...] | None = None
    compared: bool = True
    buffer: Interval | None = None
    buffer_correlation: float = 0.0
    harm: Literal["CCHI 2026", "ONS CSS 2019"] | None = None
    base: Path = Path()
    seed: int = 1


def effect_of(evaluation: Evaluation) -> EffectInput:
    """What an Evaluation says of its effect, as economics takes it.

    Example:
        >>> from whatworks_eval import evaluate, load_data, load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> protocol = load_protocol(shipped_path("designs", "simulated-neighbourhoods"))
        >>> found = effect_of(evaluate(protocol, load_data(protocol)))
        >>> found.months, len(found.quantiles)
        (22.0, 199)
    """
    protocol, estimate = evaluation.protocol, evaluation.estimate
    economics = protocol.economics
    if protocol.windows is not None:
        first, last = protocol.windows.after
        declared = months_between(first, last, protocol.period)
        start = first_day(first, protocol.period)
    else:
        assert economics is not None
        assert economics.months is not None  # a contradiction otherwise
        declared = economics.months
        start = first_day(protocol.intervention.start, protocol.period)
    used = declared
    if evaluation.windowed is not None and evaluation.windowed.periods[1]:
        starts = () if evaluation.over_time is None else evaluation.over_time.cohorts
        cohorts = [(one.start, one.areas) for one in starts]
        used = months_treated(evaluation.windowed.periods[1], protocol.period, cohorts)
    beside = next((one for one in evaluation.alternatives if one.label == BUFFER), None)
    used_areas = evaluation.contrast
    sizes = [
        len(arm) for arm in (used_areas.treated, used_areas.comparison, used_areas.buffer, used_areas.pool)
    ]
    return EffectInput(
        prevented=estimate.prevented,
        why_missing=why_no_incidents(estimate),
        quantiles=prevented_quantiles(estimate),
        confidence=protocol.confidence,
        months=used,
        months_declared=declared,
        start=start,
        level=evaluation.grade.level,
        offences=protocol.outcome.offences,
        compared=has_comparison(protocol),
        buffer=beside.prevented if beside is not None and beside.prevented.value is not None else None,
        buffer_correlation=buffer_correlation(protocol.as_dict()["outcome"].get("totals"), sizes),
        harm=protocol.outcome.harm,
        base=protocol.base,
        seed=protocol.seed,
    )


def months_treated(periods: Sequence[str], period: PeriodKind, cohorts: Sequence[tuple[str, int]]) -> float:
    """Months of the after window as used; with starts that differ, their mean over the treated areas.

    What was prevented in a window that some areas spent untreated is no whole window's worth: a year of it,
    or a month after it, is more.

    Args:
        periods: Those of the after window that were used.
        period: What they are.
        cohorts: Start, then how many areas had it; empty where all started together.

    Example:
        >>> months_treated(("2019-01", "2019-02", "2019-03"), "month", [("2019-01", 10), ("2019-03", 10)])
        2.0
    """
    length = {one: months_between(one, one, period) for one in periods}
    areas = sum(many for _, many in cohorts)
    if areas == 0:
        return sum(length.values())
    within = [many * sum(span for one, span in length.items() if one >= start) for start, many in cohorts]
    return sum(within) / areas or sum(length.values())


def buffer_correlation(totals: Mapping[str, Any] | None, areas: Sequence[int]) -> float:
    """How far the effect and that of the buffer are wrong together, 0 to 1: they share their comparison.

    The variance of a log ratio of ratios is a sum over its arms, one over the counts of each; what the two
    have in common is the comparison's part. Where counts come by area, the number of areas stands for them,
    and the buffer is held against the pool as well.

    Args:
        totals: `outcome.totals` of the protocol; None where counts come by area.
        areas: How many are treated, comparison, buffer and pool.

    Example:
        >>> round(buffer_correlation(None, [10, 30, 10, 0]), 2), buffer_correlation(None, [10, 30, 0, 0])
        (0.25, 0.0)
    """
    if totals is None:
        treated, comparison, buffer, pool = areas
        if not (treated and comparison and buffer):
            return 0.0
        own, beside, shared = 1 / treated, 1 / buffer, 1 / (comparison + pool)
        return shared / math.sqrt((own + 1 / comparison) * (beside + shared))
    pairs = [totals.get(arm) for arm in ("treated", "buffer", "comparison")]
    if any(pair is None for pair in pairs) or totals.get("buffer_comparison") is not None:
        return 0.0
    own, beside, shared = (sum(1 / max(float(count), 0.5) for count in pair) for pair in pairs if pair)
    return shared / math.sqrt((own + shared) * (beside + shared))


def why_no_incidents(estimate: Estimate) -> str | None:
    """Why an estimate says nothing, or nothing certain, of a number of incidents prevented."""
    if estimate.prevented.value is not None:
        return (
            None
            if estimate.quantiles
            else (estimate.why_missing or "the estimate has no quantiles to draw from")
        )
    if estimate.value is None:
        return estimate.why_missing or "there is no estimate"
    if estimate.scale == "difference":  # a mean, a rate or a share, with a value but no incidents
        return "the effect is not one of a number of incidents"
    if not estimate.recorded:
        return (
            "the number of incidents recorded in the treated areas is "
            + ("zero" if estimate.recorded == 0 else "not known")
            + ", so how many were expected cannot be said"
        )
    return "the effect is not one of a number of incidents"


def prevented_quantiles(estimate: Estimate) -> tuple[float, ...]:
    """The 199 quantiles of the incidents prevented, ascending; empty where the estimate has none.

    Example:
        >>> one = Estimate(measure="difference", scale="difference", value=-10.0, confidence=0.95,
        ...                inference="given", quantiles=tuple(float(at) for at in range(-109, 90)))
        >>> prevented_quantiles(one)[0], prevented_quantiles(one)[-1]
        (-89.0, 109.0)
    """
    if len(estimate.quantiles) != len(PROBABILITIES) or estimate.prevented.value is None:
        return ()
    effect: NDArray[np.float64] = np.asarray(estimate.quantiles)[::-1]
    if estimate.scale == "difference":
        return tuple((-effect).tolist())
    return tuple(((estimate.recorded or 0.0) * np.expm1(-effect)).tolist())
