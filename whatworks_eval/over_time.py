"""An effect followed through time: leads and lags, cohorts, and how much a broken trend would matter.

    Windowed, PlaceboSets ─► EventStudy ─► PreTrend, Sensitivity ┐
    start of each area    ─► Cohort, GroupTime, Comparison       ├─► OverTime ─► rules, report
    residuals, zeros      ─► Spatial, NoInformation              ┘

What `method = "did"` knows beyond its Estimate. All values are on the scale of the estimate (log ratio, or
difference); what could not be computed is None with the reason beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from whatworks_eval.records import Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTime:
    """The effect in one stretch of periods, counted from the start.

    Attributes:
        offset: First period of the stretch, counted from the start: -1 = the last before, 0 = the first with
            the project running.
        first: Its first period, as '2018-01'; None where areas start at different times.
        last: Its last period; None likewise.
        periods: How many periods it holds.
        value: The effect against the reference; None where it could not be computed.
        low: Lower end of its interval.
        high: Upper end.
        areas: Treated areas behind it.
        reference: True for the stretch everything is measured against (value 0 by construction).
        thin: True where fewer than three treated areas are behind it; left out of joint tests.
        why_missing: Why value or interval is missing.
    """

    offset: int
    first: str | None = None
    last: str | None = None
    periods: int = 1
    value: float | None = None
    low: float | None = None
    high: float | None = None
    areas: int
    reference: bool = False
    thin: bool = False
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreTrend:
    """Whether the arms already moved apart before the start, and what such a test could have seen.

    Source: Roth (2022), Pretest with caution, American Economic Review: Insights 4(3).

    Attributes:
        stretches: How many stretches before the start were tested together.
        p_value: Of no departure in any of them; None where there is no test.
        how: How that p-value was obtained, as a phrase.
        slope: Departure per period by a straight line through the stretches before the start; on the scale of
            the estimate.
        slope_low: Lower end of its interval.
        slope_high: Upper end.
        detectable_half: The slope per period the test would find half the time.
        detectable_most: The slope it would find four times in five.
        bias_half: What `detectable_half` would add to the effect over the after window.
        bias_most: The same for `detectable_most`.
        largest_step: The largest step between neighbouring stretches before the start.
        why_missing: Why there is no test.
    """

    stretches: int = 0
    p_value: float | None = None
    how: str = ""
    slope: float | None = None
    slope_low: float | None = None
    slope_high: float | None = None
    detectable_half: float | None = None
    detectable_most: float | None = None
    bias_half: float | None = None
    bias_most: float | None = None
    largest_step: float | None = None
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStudy:
    """Leads and lags: the effect stretch by stretch, before the start and after it.

    Attributes:
        scale: Of every value.
        unit: In words.
        times: In order; the reference among them.
        reference: What everything is measured against, as a phrase: 'the twelve months before the start'.
        inference: How the intervals were obtained, as a phrase.
        pretrend: The test before the start and its power.
        confidence: Of every interval.
    """

    scale: Scale
    unit: str
    times: tuple[EventTime, ...]
    reference: str
    inference: str
    pretrend: PreTrend
    confidence: float

    @property
    def leads(self) -> tuple[EventTime, ...]:
        """Stretches before the start, without the reference."""
        return tuple(time for time in self.times if time.offset < 0 and not time.reference)

    @property
    def lags(self) -> tuple[EventTime, ...]:
        """Stretches from the start on."""
        return tuple(time for time in self.times if time.offset >= 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The interval if the trends may differ by so much.

    Attributes:
        bound: How much: times the largest step before the start, or change of slope per stretch.
        low: Lower end of the interval; None = open.
        high: Upper end.
    """

    bound: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """How the interval widens as the trends are allowed to differ.

    Source: Rambachan and Roth (2023), Review of Economic Studies 90(5).

    Attributes:
        kind: 'relative magnitudes' (times the largest step before) or 'smoothness' (change of slope).
        target: What the interval is of: 'the mean of the stretches after the start'.
        unit: Of `bound`, in words.
        original: The interval with exactly parallel trends.
        bounds: In order of bound.
        breakdown: The largest bound at which the interval still excludes zero; 0 where it includes zero at
            once; None where it could not be computed, or it is beyond the bounds tried.
        beyond: True where zero is still excluded at the largest bound tried.
        largest_step: Relative magnitudes: the largest step before the start.
        why_missing: Why there is nothing.
    """

    kind: Literal["relative magnitudes", "smoothness"]
    target: str
    unit: str
    original: Bound | None = None
    bounds: tuple[Bound, ...] = ()
    breakdown: float | None = None
    beyond: bool = False
    largest_step: float | None = None
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Areas that started in the same period, and their effect.

    Attributes:
        start: The period they started in.
        areas: How many.
        units: How many units they belong to.
        value: Their effect; None where it could not be computed.
        low: Lower end of its interval.
        high: Upper end.
        recorded: Incidents recorded from their start to the end of the after window.
        expected: Incidents expected there without the project.
        why_missing: Why value or interval is missing.
    """

    start: str
    areas: int
    units: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    recorded: float | None = None
    expected: float | None = None
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One sort of two-by-two comparison inside a two-way fixed-effects estimate.

    Source: Goodman-Bacon (2021), Journal of Econometrics 225(2).

    Attributes:
        kind: 'treated against never treated', 'earlier against later', 'later against earlier'.
        weight: Its share of the estimate, 0 to 1.
        value: Its weighted mean effect, on the linear scale of that estimate.
        forbidden: True where areas already treated serve as the comparison.
    """

    kind: str
    weight: float
    value: float
    forbidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spatial:
    """Whether neighbouring areas still move together once the arms are accounted for.

    Attributes:
        moran: Moran's I of each area's own change; None where it is not known where areas are.
        p_value: By permutation.
        neighbours: Whom an area was compared with, in words.
        why_missing: Why there is none.
    """

    moran: float | None = None
    p_value: float | None = None
    neighbours: str = ""
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoInformation:
    """Areas a Poisson fit can say nothing of: nothing was recorded in them at any time, or before.

    Attributes:
        treated: Treated areas with nothing recorded in either window.
        comparison: Comparison areas likewise.
        treated_before: Treated areas with nothing before but something after: none was expected there.
        suppressed: True where the treated areas recorded something before and nothing after: complete
            suppression, which bounds the effect on one side only.
    """

    treated: tuple[str, ...] = ()
    comparison: tuple[str, ...] = ()
    treated_before: tuple[str, ...] = ()
    suppressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """The effect 'found' at a start before the real one, in the before window alone.

    Attributes:
        start: The pretended start.
        value: The effect found; None where it could not be computed.
        low: Lower end of its interval.
        high: Upper end.
        p_value: Two-sided, of no effect.
    """

    start: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTime:
    """Everything a difference-in-differences says beyond its estimate.

    Attributes:
        event_study: Leads and lags; None where they could not be formed (then `why_no_event_study`).
        sensitivity: To differing trends; relative magnitudes first.
        cohorts: In order of start; empty where all start together.
        by_calendar: Effect by calendar period over all cohorts then treated; empty where all start together.
        comparisons: What a two-way fixed-effects estimate would be made of; empty where all start together.
        shifts: Placebo starts before the real one.
        spatial: Of the areas' changes.
        no_information: Areas nothing can be said of.
        model: 'poisson' or 'linear'.
        entering: Areas observed only from some period of the windows on, with that period.
        leaving: Areas observed only up to some period, with that period.
    """

    model: Literal["poisson", "linear"]
    event_study: EventStudy | None = None
    why_no_event_study: str | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    by_calendar: tuple[EventTime, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    shifts: tuple[Shift, ...] = ()
    spatial: Spatial = Spatial()
    no_information: NoInformation = NoInformation()
    entering: tuple[tuple[str, str], ...] = ()
    leaving: tuple[tuple[str, str], ...] = ()

    @property
    def forbidden_share(self) -> float | None:
        """Share of the two-way estimate that compares with treated areas; None where all start together."""
        if not self.comparisons:
            return None
        return sum(comparison.weight for comparison in self.comparisons if comparison.forbidden)
