"""An effect followed through time for a machine: `over_time` in result.json.

Numbers are on the scale of the estimate (log ratio, or difference). Areas in which nothing was recorded are
counted and not named, and what a cohort recorded is left out where it could give away a count below 5.
"""

from __future__ import annotations

from typing import Any

from whatworks_eval.judgement import Evaluation
from whatworks_eval.over_time import (
    Bound,
    Cohort,
    EventStudy,
    EventTime,
    OverTime,
    PreTrend,
    Sensitivity,
    Shift,
)
from whatworks_eval.report.as_json import finite
from whatworks_eval.report.over_time_tables import COUNTS_LEFT_OUT, counts_shown

Json = dict[str, Any]
REFERENCE = "the reference: zero by construction"
NOT_COMPUTED = "it could not be computed from these periods"
OPEN_END = "an end of the interval is open, or too far out to mean anything"
ONE_END = "one end of the interval is open"
NOT_FOUND_SO_OFTEN = "the check goes off more often than that with no trend at all, or its power is not known"
BEYOND = "beyond the bounds tried"
NO_COUNTS = "the effect is a difference of means, which has no count expected, or nothing could be expected"


def over_time(evaluation: Evaluation) -> Json | None:
    """Leads and lags, sensitivity, cohorts and what they rest on; None for methods without."""
    found = evaluation.over_time
    if found is None:
        return None
    study, shown = found.event_study, counts_shown(evaluation)
    return {
        "model": found.model,
        "event_study": None if study is None else _study(study),
        "why_no_event_study": None if study is not None else found.why_no_event_study or NOT_COMPUTED,
        "sensitivity": [_sensitivity(one) for one in found.sensitivity],
        "cohorts": [_cohort(one, shown=shown) for one in found.cohorts],
        "by_calendar": [_time(one) for one in found.by_calendar],
        "comparisons": [
            {
                "kind": one.kind,
                "weight": finite(one.weight),
                "value": finite(one.value),
                "forbidden": one.forbidden,
                "why_missing": _why(None, one.weight, one.value),
            }
            for one in found.comparisons
        ],
        "forbidden_share": finite(found.forbidden_share),
        "shifts": [_shift(one) for one in found.shifts],
        "spatial": {
            "moran": finite(found.spatial.moran),
            "p_value": finite(found.spatial.p_value),
            "neighbours": found.spatial.neighbours,
            "why_missing": _why(found.spatial.why_missing, found.spatial.moran, found.spatial.p_value),
        },
        "no_information": _no_information(found),
        "entering": dict(found.entering),
        "leaving": dict(found.leaving),
    }


def _study(study: EventStudy) -> Json:
    return {
        "scale": study.scale,
        "unit": study.unit,
        "reference": study.reference,
        "inference": study.inference,
        "confidence": study.confidence,
        "times": [_time(time) for time in study.times],
        "pretrend": _pretrend(study.pretrend),
    }


def _time(time: EventTime) -> Json:
    why = time.why_missing or (REFERENCE if time.reference else None)
    return {
        "offset": time.offset,
        "first": time.first,
        "last": time.last,
        "periods": time.periods,
        "value": finite(time.value),
        "low": finite(time.low),
        "high": finite(time.high),
        "areas": time.areas,
        "reference": time.reference,
        "thin": time.thin,
        "why_missing": why or _why_of(time),
    }


def _pretrend(found: PreTrend) -> Json:
    power = (found.detectable_half, found.detectable_most, found.bias_half, found.bias_most)
    reason = found.why_missing
    if reason is None and any(finite(part) is None for part in power):
        reason = NOT_FOUND_SO_OFTEN
    return {
        "stretches": found.stretches,
        "p_value": finite(found.p_value),
        "how": found.how,
        "slope": finite(found.slope),
        "slope_low": finite(found.slope_low),
        "slope_high": finite(found.slope_high),
        "detectable_half": finite(found.detectable_half),
        "detectable_most": finite(found.detectable_most),
        "bias_half": finite(found.bias_half),
        "bias_most": finite(found.bias_most),
        "largest_step": finite(found.largest_step),
        "why_missing": _why(reason, found.p_value, found.slope, found.slope_low, found.largest_step),
    }


def _sensitivity(found: Sensitivity) -> Json:
    reason = found.why_missing
    if reason is None and finite(found.breakdown) is None:
        reason = BEYOND if found.beyond else NOT_COMPUTED
    return {
        "kind": found.kind,
        "target": found.target,
        "unit": found.unit,
        "original": None if found.original is None else _bound(found.original),
        "bounds": [_bound(bound) for bound in found.bounds],
        "breakdown": finite(found.breakdown),
        "beyond": found.beyond,
        "largest_step": finite(found.largest_step),
        "why_missing": reason if found.largest_step is not None else reason or NOT_COMPUTED,
    }


def _bound(bound: Bound) -> Json:
    low, high = finite(bound.low), finite(bound.high)
    return {
        "bound": bound.bound,
        "low": low,
        "high": high,
        "why_missing": OPEN_END if low is None or high is None else None,
    }


def _cohort(cohort: Cohort, *, shown: bool) -> Json:
    recorded, expected = (finite(n) if shown else None for n in (cohort.recorded, cohort.expected))
    reason = cohort.why_missing
    if reason is None and (recorded is None or expected is None):
        reason = NO_COUNTS if shown else COUNTS_LEFT_OUT
    return {
        "start": cohort.start,
        "areas": cohort.areas,
        "units": cohort.units,
        "value": finite(cohort.value),
        "low": finite(cohort.low),
        "high": finite(cohort.high),
        "recorded": recorded,
        "expected": expected,
        "why_missing": reason or _why_of(cohort),
    }


def _shift(shift: Shift) -> Json:
    return {
        "start": shift.start,
        "value": finite(shift.value),
        "low": finite(shift.low),
        "high": finite(shift.high),
        "p_value": finite(shift.p_value),
        "why_missing": _why_of(shift) or _why(None, shift.p_value),
    }


def _no_information(found: OverTime) -> Json:
    """How many areas, not which: a name here would say that it recorded nothing."""
    return {
        "treated": len(found.no_information.treated),
        "comparison": len(found.no_information.comparison),
        "treated_before": len(found.no_information.treated_before),
        "suppressed": found.no_information.suppressed,
    }


def _why_of(found: EventTime | Cohort | Shift) -> str | None:
    """Why a value or its interval is missing, where no reason is given: open at one end is not unknown."""
    low, high = finite(found.low), finite(found.high)
    if finite(found.value) is not None and (low is None) != (high is None):
        return ONE_END
    return _why(None, found.value, low, high)


def _why(reason: str | None, *numbers: float | None) -> str | None:
    """The reason given; one of our own where a number is missing without one."""
    if reason is not None:
        return reason
    return NOT_COMPUTED if any(finite(one) is None for one in numbers) else None
