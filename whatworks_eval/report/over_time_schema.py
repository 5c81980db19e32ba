"""The JSON Schema of `over_time` in result.json."""

from __future__ import annotations

from typing import get_args

from whatworks_eval.over_time import OverTime, Sensitivity
from whatworks_eval.records import Scale
from whatworks_eval.report.schema import (
    COUNT,
    MAYBE,
    NUMBER,
    TEXT,
    Json,
    _list,
    _literals,
    _map,
    _maybe,
    _object,
)


def over_time_schema() -> Json:
    """The JSON Schema of `over_time` in result.json: null, or an object.

    Example:
        >>> over_time_schema()["anyOf"][1]
        {'type': 'null'}
    """
    flag, whole, words = {"type": "boolean"}, {"type": "integer"}, {"type": ["string", "null"]}
    span = {"value": MAYBE, "low": MAYBE, "high": MAYBE}
    time = _object(
        offset=whole,
        first=words,
        last=words,
        periods=COUNT,
        **span,
        areas=COUNT,
        reference=flag,
        thin=flag,
        why_missing=words,
    )
    pretrend = _object(
        stretches=COUNT,
        p_value=MAYBE,
        how=TEXT,
        slope=MAYBE,
        slope_low=MAYBE,
        slope_high=MAYBE,
        detectable_half=MAYBE,
        detectable_most=MAYBE,
        bias_half=MAYBE,
        bias_most=MAYBE,
        largest_step=MAYBE,
        why_missing=words,
    )
    study = _object(
        scale={"enum": list(get_args(Scale))},
        unit=TEXT,
        reference=TEXT,
        inference=TEXT,
        confidence=NUMBER,
        times=_list(time),
        pretrend=pretrend,
    )
    bound = _object(bound=NUMBER, low=MAYBE, high=MAYBE, why_missing=words)
    made = _object(
        model={"enum": _literals(OverTime, "model")},
        event_study=_maybe(study),
        why_no_event_study=words,
        sensitivity=_list(
            _object(
                kind={"enum": _literals(Sensitivity, "kind")},
                target=TEXT,
                unit=TEXT,
                original=_maybe(bound),
                bounds=_list(bound),
                breakdown=MAYBE,
                beyond=flag,
                largest_step=MAYBE,
                why_missing=words,
            )
        ),
        cohorts=_list(
            _object(
                start=TEXT,
                areas=COUNT,
                units=COUNT,
                **span,
                recorded=MAYBE,
                expected=MAYBE,
                why_missing=words,
            )
        ),
        by_calendar=_list(time),
        comparisons=_list(_object(kind=TEXT, weight=MAYBE, value=MAYBE, forbidden=flag, why_missing=words)),
        forbidden_share=MAYBE,
        shifts=_list(_object(start=TEXT, **span, p_value=MAYBE, why_missing=words)),
        spatial=_object(moran=MAYBE, p_value=MAYBE, neighbours=TEXT, why_missing=words),
        no_information=_object(treated=COUNT, comparison=COUNT, treated_before=COUNT, suppressed=flag),
        entering=_map(TEXT),
        leaving=_map(TEXT),
    )
    made["description"] = (
        "What method 'did' says beyond its estimate, on its scale; null for other methods. A missing number "
        "has its reason in the why_missing beside it; forbidden_share is null where all areas start together."
    )
    return _maybe(made)
