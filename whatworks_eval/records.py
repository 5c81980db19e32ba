"""The records every room shares. Read this first.

    Protocol, Panel ─► Contrast ─► Windowed ─► Estimate        (numbers: here)
    Case ─► Verdict ─► Finding ─► Grade ─► Evaluation          (what is said of them: judgement.py)

All are frozen; none holds a clock, a path or an unseeded draw; the same protocol and data give
the same bytes. What could not be computed is None, with the reason beside it: never NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.panel import Changes, Panel, Totals
from whatworks_eval.shares import SharedMatches

Scale = Literal["log-ratio", "difference"]
Arm = Literal["treated", "comparison", "buffer"]
Data = Panel | Totals | Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A number with its range; any part None where it could not be computed."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Who is compared with whom, in which units.

    Attributes:
        treated: Sorted area codes as used.
        comparison: The same; empty where the design has none.
        buffer: The same; buffer areas are in neither arm.
        units: Area, then unit, for every treated area and every comparison area whose unit is known.
        unit_basis: Where units come from. 'found' = adjoining treated areas taken as one unit though
            the protocol does not say so; 'area' = declared that each area is its own unit;
            'not stated' = nothing said and nothing to find them by, so each area is taken as its own.
        comparison_units: True where comparison areas have units of the same sort as the treated.
        chosen: How the comparison was chosen, as a phrase: 'every other area in the data'.
        weights: Comparison area, then weight; None where all count once.
        pairs: (treated, comparison) area pairs where matched; empty otherwise.
        pool: Untreated areas in neither arm that placebo sets may be drawn from: those a matched
            comparison was chosen from, or all others where the design has no comparison.
        matches: What every area that could have been treated would be compared with; None where the
        comparison is not matched, or matched on the before level alone.
        unmatched: Treated area left out because nothing like it could be found, then why.
        searched: '' or what the reader should know of the search for matches, as sentences.
        starts: Treated area, then the period it started in; empty where all start together.
        by_lot: True where a lot decided between the treated and the comparison units, so that what it could
            have drawn instead is known.
        blocks: Area, then the block or pair the lot was drawn in; empty where it was drawn among all units
            at once, or there was none.
        dropped: Area of either arm or the buffer that had to leave, then why.
    """

    treated: tuple[str, ...]
    comparison: tuple[str, ...]
    buffer: tuple[str, ...] = ()
    pool: tuple[str, ...] = ()
    units: Mapping[str, str]
    unit_basis: Literal["column", "lookup", "contiguous", "area", "found", "not stated"]
    comparison_units: bool
    chosen: str
    weights: Mapping[str, float] | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    matches: SharedMatches | None = field(default=None, compare=False)
    unmatched: Mapping[str, str] = field(default_factory=dict)
    searched: str = ""
    starts: Mapping[str, str] = field(default_factory=dict)
    by_lot: bool = False
    blocks: Mapping[str, str] = field(default_factory=dict)
    dropped: Mapping[str, str] = field(default_factory=dict)

    @property
    def treated_units(self) -> tuple[str, ...]:
        """Names of the treated units, sorted."""
        return tuple(sorted({self.units[area] for area in self.treated}))

    @property
    def comparison_unit_names(self) -> tuple[str, ...]:
        """Names of the comparison units, sorted; areas where units are not known."""
        return tuple(sorted({self.units.get(area, area) for area in self.comparison}))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Windowed:
    """Counts before and after by area, built once; every method and measure starts here.

    Attributes:
        areas: Areas used, sorted: both arms, the buffer and the pool.
        arm: The arm of each area: 'treated', 'comparison', 'buffer' or 'pool'.
        weight: How often each area counts in its arm's totals: 1, or its weight as a matched comparison.
        before: Incidents in the before window, by area.
        after: Incidents in the after window, by area.
        months: Length of the before and the after window as used, in months.
        periods: The periods used, before then after.
        periods_dropped: Period, then why it was left out of both windows.
        areas_dropped: Area, then why it was left out.
        on_purpose: Of the periods dropped, those the protocol leaves out: they are not missing.
        same_calendar: True where both windows hold the same calendar periods equally often; None where
            the data have no periods.
        index: Position of each used area in the panel; None for totals.
        before_mask: Over the panel's periods; None for totals.
        after_mask: The same.
        rank: Place of each used area by its counts period by period, the same for areas alike in all: tells
            areas of equal totals apart without their names. None where centroids do, and for totals.
    """

    areas: tuple[str, ...]
    arm: NDArray[np.str_]
    weight: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    months: tuple[float, float]
    periods: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    periods_dropped: Mapping[str, str] = field(default_factory=dict)
    areas_dropped: Mapping[str, str] = field(default_factory=dict)
    on_purpose: frozenset[str] = frozenset()
    same_calendar: bool | None = None
    index: NDArray[np.intp] | None = None
    before_mask: NDArray[np.bool_] | None = None
    after_mask: NDArray[np.bool_] | None = None
    rank: NDArray[np.intp] | None = None

    def total(self, arm: Arm) -> tuple[float, float]:
        """Incidents of an arm, before and after, areas counted by weight."""
        share = np.where(self.arm == arm, self.weight, 0.0)
        return float(share @ self.before), float(share @ self.after)

    def has(self, arm: Arm) -> bool:
        """True where the arm holds at least one area."""
        return bool((self.arm == arm).any())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaceboSets:
    """Which areas could as well have been the treated ones: drawn once for a Contrast, used throughout.

    Attributes:
        row: For each area of the Windowed, the row it counts in: its own, or its unit's; -1 for areas
            in no arm.
        rows: Number of rows.
        treated: Rows of the treated areas.
        members: sets × rows in a set. Each set looks like the treated one: as many units, or adjoining
            areas in clumps of the same sizes.
        exact: True where every possible set is here once.
        how: What was relabelled, as a phrase: 'sets of 3 whole wards'.
        smallest_p: The smallest p-value these sets can give: one over the number of separate places.
        stands_for: Treated row that each column of `members` stands for; None where sets have no order.
    """

    row: NDArray[np.intp]
    rows: int
    treated: NDArray[np.intp]
    members: NDArray[np.intp]
    exact: bool
    how: str
    smallest_p: float
    stands_for: NDArray[np.intp] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An effect, kept on one scale; every other way of saying it is derived.

    Attributes:
        measure: Name of the effect measure: 'ratio of ratios'.
        scale: What `value` is on. On both, below zero means fewer incidents than expected.
        unit: Of `value`, in words.
        value: The effect; None where it could not be computed.
        se: Standard error of `value`; None where the inference does not use one.
        low: Lower end of the interval.
        high: Upper end. An interval may be open on one side (one end None).
        p_value: Two-sided, of no effect.
        smallest_p: The smallest p-value this design could have given; None where there is no floor.
        confidence: Of every interval.
        inference: How the interval was obtained, in a few words.
        recorded: Incidents recorded in the treated areas in the after window.
        expected: Incidents expected there without the project.
        quantiles: 199 quantiles of the effect (0.5 %, 1 %, … 99.5 %), for carrying its uncertainty
            onward; empty where there is no interval.
        why_missing: Why the value or the interval is missing; None where both are there.
        label: 'registered' for the estimate the protocol declares; for alternatives, what differs.
        choice: What sort of choice an alternative varies: 'inference', 'comparison set', 'window',
            'effect measure', 'units'.
    """

    measure: str
    scale: Scale = "log-ratio"
    unit: str = "log of recorded over expected"
    value: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    smallest_p: float | None = None
    confidence: float
    inference: str
    recorded: float | None = None
    expected: float | None = None
    quantiles: tuple[float, ...] = ()
    why_missing: str | None = None
    label: str = "registered"
    choice: str | None = None

    @property
    def ratio(self) -> Interval:
        """Recorded over expected; 1 = as expected, below 1 = fewer. Empty on the difference scale."""
        if self.scale != "log-ratio":
            return Interval()
        return self._map(math.exp)

    @property
    def percent_change(self) -> Interval:
        """Recorded against expected, in percent; -10 = a tenth fewer than expected."""
        if self.scale != "log-ratio":
            return Interval()
        return self._map(lambda log_ratio: 100.0 * math.expm1(log_ratio))

    @property
    def prevented(self) -> Interval:
        """Incidents expected but not recorded, in the treated areas over the after window.

        Below zero = more recorded than expected. The recorded count is taken as it is; the range is
        that of the expected count. Empty where nothing was recorded, since the ratio then says nothing
        of how many were expected.
        """
        if self.unit.startswith(("percentage points", "incidents an area", "incidents by")):
            return Interval()  # shares, means and rates: no incidents to count
        if self.scale == "difference":
            low, high = self.high, self.low
            return Interval(
                value=None if self.value is None else -self.value,
                low=None if low is None else -low,
                high=None if high is None else -high,
            )
        if not self.recorded:
            return Interval()
        recorded = self.recorded
        mapped = self._map(lambda log_ratio: recorded * math.expm1(-log_ratio))
        return Interval(value=mapped.value, low=mapped.high, high=mapped.low)

    def _map(self, function: Callable[[float], float]) -> Interval:
        return Interval(
            value=None if self.value is None else function(self.value),
            low=None if self.low is None else function(self.low),
            high=None if self.high is None else function(self.high),
        )

    @property
    def excludes_zero(self) -> bool:
        """True where the interval lies wholly on one side of no effect."""
        return (self.low is not None and self.low > 0) or (self.high is not None and self.high < 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placebo:
    """The effect 'found' in places where nothing was done, beside the one found here.

    Attributes:
        effects: Log ratio of each placebo set against the rest; sets without one left out.
        observed: Log ratio in the treated areas; None where it could not be computed.
        sets: How many placebo sets were drawn or enumerated.
        exact: True where every possible set was used.
        how: What was relabelled, as a phrase: 'sets of 3 whole wards'.
    """

    effects: NDArray[np.float64]
    observed: float | None
    sets: int
    exact: bool
    how: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """Incidents by period for each arm, for charts and tables; NaN where missing.

    Attributes:
        periods: All periods of the panel.
        counts: Arm, then incidents by period over the areas used.
        index: Arm, then the same as an index: mean of the before window = 100.
        before: True for periods used in the before window.
        after: True for periods used in the after window.
        start: The period the project started in.
    """

    periods: tuple[str, ...]
    counts: Mapping[str, NDArray[np.float64]]
    index: Mapping[str, NDArray[np.float64]]
    before: NDArray[np.bool_]
    after: NDArray[np.bool_]
    start: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """The treated series as fitted, and as expected without the project; incidents by period.

    Attributes:
        periods: The periods used, in order; dropped ones left out.
        recorded: What was recorded.
        fitted: What the model makes of it, with the change at the start.
        expected: The trend before, carried on through the after window.
        after: True for after periods.
    """

    periods: tuple[str, ...]
    recorded: NDArray[np.float64]
    fitted: NDArray[np.float64]
    expected: NDArray[np.float64]
    after: NDArray[np.bool_]
