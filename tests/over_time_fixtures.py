"""Evaluations by method did made by hand: one start, several starts, a linear model, a dose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import report_fixtures as made

from whatworks_eval.judgement import Evaluation
from whatworks_eval.over_time import (
    Bound,
    Cohort,
    Comparison,
    EventStudy,
    EventTime,
    NoInformation,
    OverTime,
    PreTrend,
    Sensitivity,
    Shift,
    Spatial,
)
from whatworks_eval.records import Estimate, Scale

LINEAR_UNIT = "incidents an area and month"
SILENT = "E01000003"
QUARTERS = ("2018-01", "2018-04", "2018-07", "2018-10", "2019-01", "2019-04", "2019-07", "2019-10")
LASTS = ("2018-03", "2018-06", "2018-09", "2018-12", "2019-03", "2019-06", "2019-09", "2019-12")


def study_of(
    *,
    scale: Scale = "log-ratio",
    unit: str = "log of recorded over expected",
    named: bool = True,
    **changes: Any,
) -> EventStudy:
    """Three leads, a reference and four lags; the last rests on two areas."""
    times = []
    for at, (value, half) in enumerate(
        (
            (0.02, 0.1),
            (-0.04, 0.1),
            (0.01, 0.09),
            (0.0, 0.0),
            (-0.2, 0.1),
            (-0.25, 0.1),
            (-0.3, 0.12),
            (-0.1, 0.4),
        )
    ):
        reference = at == 3
        times.append(
            EventTime(
                offset=3 * (at - 4),
                first=QUARTERS[at] if named else None,
                last=LASTS[at] if named else None,
                periods=3,
                value=value,
                low=None if reference else value - half,
                high=None if reference else value + half,
                areas=2 if at == 7 else 12,
                reference=reference,
                thin=at == 7,
            )
        )
    pretrend = PreTrend(
        stretches=3,
        p_value=0.41,
        how="all stretches together, ranked among 1,999 placebo sets",
        slope=-0.002,
        slope_low=-0.012,
        slope_high=0.008,
        detectable_half=0.009,
        detectable_most=0.0119,
        bias_half=0.065,
        bias_most=0.0862,
        largest_step=0.06,
    )
    whole: dict[str, Any] = {
        "scale": scale,
        "unit": unit,
        "times": tuple(times),
        "reference": "the last 3 months before the start",
        "inference": "relabelling: sets of 12 areas of like level",
        "pretrend": pretrend,
        "confidence": 0.95,
    }
    return EventStudy(**{**whole, **changes})


def sensitivity_of(breakdown: float | None = 1.3, **changes: Any) -> tuple[Sensitivity, ...]:
    """Both ways of differing, the first with that breakdown."""
    target = "the mean of the stretches after the start, against the last stretch before it"
    bounds = (
        Bound(bound=0.0, low=-0.35, high=-0.15),
        Bound(bound=1.0, low=-0.5, high=-0.03),
        Bound(bound=2.0, low=None, high=0.3),
    )
    relative = Sensitivity(
        kind="relative magnitudes",
        target=target,
        unit="times the largest step between stretches before the start",
        original=Bound(bound=0.0, low=-0.35, high=-0.15),
        bounds=bounds,
        breakdown=breakdown,
        largest_step=0.06,
    )
    smooth = replace(
        relative,
        kind="smoothness",
        unit="change of the difference in slope from one stretch to the next",
        bounds=tuple(replace(bound, bound=bound.bound / 50) for bound in bounds),
        breakdown=None,
        beyond=True,
    )
    return replace(relative, **changes), smooth


COHORTS = (
    Cohort(
        start="2019-01", areas=7, units=7, value=-0.3, low=-0.45, high=-0.14, recorded=700.0, expected=945.0
    ),
    Cohort(
        start="2019-04", areas=4, units=4, value=-0.2, low=-0.4, high=0.02, recorded=410.0, expected=500.8
    ),
    Cohort(start="2019-08", areas=1, units=1, value=0.1, low=-0.5, high=None, recorded=100.0, expected=90.5),
)
SHIFTS = (
    Shift(start="2018-10", value=0.02, low=-0.08, high=0.12, p_value=0.7),
    Shift(start="2018-07", value=-0.03, low=-0.12, high=0.06, p_value=0.5),
)


def common() -> Evaluation:
    """Counts, one start."""
    return made.evaluation(
        protocol=made.make_protocol(method="did"),
        over_time=OverTime(
            model="poisson",
            event_study=study_of(),
            sensitivity=sensitivity_of(),
            shifts=SHIFTS,
            spatial=Spatial(moran=0.04, p_value=0.2, neighbours="8 nearest areas, alike"),
            no_information=NoInformation(treated=(SILENT,)),
            entering=(("E01000090", "2018-03"),),
        ),
    )


def staggered(**changes: Any) -> Evaluation:
    """Counts, three starts, the last of one area."""
    start = common()
    starts = {
        area: cohort.start
        for area, cohort in zip(
            start.contrast.treated, [one for one in COHORTS for _ in range(one.areas)], strict=True
        )
    }
    assert start.over_time is not None
    followed = replace(
        start.over_time,
        event_study=study_of(named=False),
        cohorts=COHORTS,
        by_calendar=tuple(time for time in study_of().times if time.offset >= 0),
        comparisons=(
            Comparison(kind="treated against never treated", weight=0.76, value=-2.0, forbidden=False),
            Comparison(kind="later against earlier, already treated", weight=0.24, value=1.0, forbidden=True),
        ),
    )
    return replace(
        start,
        protocol=made.make_protocol(
            method="did", areas={"treated": {"file": "a.csv", "start": "start"}, "comparison": "rest"}
        ),
        contrast=replace(start.contrast, starts=starts),
        over_time=replace(followed, **changes),
    )


def linear() -> Evaluation:
    """Differences of means, with the ratio and a different unit beside them."""
    start = common()
    own: dict[str, Any] = {
        "measure": "difference in mean change",
        "scale": "difference",
        "unit": LINEAR_UNIT,
        "p_value": 0.01,
        "confidence": 0.95,
        "inference": "relabelling",
    }
    assert start.over_time is not None
    return replace(
        start,
        estimate=Estimate(value=-0.61, low=-0.93, high=-0.28, **own),
        alternatives=(
            Estimate(value=-0.5, low=-0.9, high=-0.1, label="nearby areas", choice="comparison set", **own),
            made.make_estimate(-14.0, -24.0, -2.0, label="ratio of counts", choice="model"),
        ),
        placebo=None,
        over_time=replace(
            start.over_time, model="linear", event_study=study_of(scale="difference", unit=LINEAR_UNIT)
        ),
    )


def dose(value: float | None = -3.1, low: float | None = -5.0, high: float | None = -1.2) -> Evaluation:
    """An effect by hour of patrol."""
    table = {"patrol_hours": {"path": "hours.csv"}}
    return made.evaluation(
        protocol=made.make_protocol(method="did", did={"dose": "patrol_hours", "series": table}),
        estimate=made.make_estimate(
            value,
            low,
            high,
            measure="change with one more unit of patrol_hours",
            unit="log ratio by unit of patrol_hours",
            recorded=None,
            expected=None,
        ),
        alternatives=(),
        placebo=None,
    )


def unfollowed() -> Evaluation:
    """A before window too short for an event study."""
    start = common()
    return replace(
        start,
        over_time=OverTime(
            model="poisson", why_no_event_study="the before window holds 1 months, too few for stretches of 1"
        ),
    )


def hostile() -> Evaluation:
    """Names that try to be markup wherever a file can put one."""
    found = staggered()
    assert found.over_time is not None
    return replace(
        found,
        over_time=replace(
            found.over_time,
            event_study=replace(
                study_of(),
                reference=made.HOSTILE,
                inference=made.HOSTILE,
                times=tuple(replace(time, why_missing=made.HOSTILE) for time in study_of().times),
            ),
            cohorts=tuple(replace(one, start=made.HOSTILE, why_missing=made.HOSTILE) for one in COHORTS),
            shifts=tuple(replace(one, start=made.HOSTILE) for one in SHIFTS),
            comparisons=tuple(replace(one, kind=made.HOSTILE) for one in found.over_time.comparisons),
            sensitivity=sensitivity_of(target=made.HOSTILE),
        ),
    )


EVERY: dict[str, Callable[[], Evaluation]] = {
    one.__name__: one for one in (common, staggered, linear, dose, unfollowed, hostile)
}
