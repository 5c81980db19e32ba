"""The records every room shares. Read this first.

    Protocol, Panel ─► Contrast ─► Windowed ─► Estimate ─► Finding ─► Grade ─► Evaluation

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

from whatworks_eval.panel import Changes, Ledger, Panel, Totals
from whatworks_eval.protocol import Protocol

Scale = Literal["log-ratio", "difference"]
Threat = Literal[
    "chance",
    "history",
    "selection",
    "regression",
    "recording",
    "reporting",
    "displacement",
    "analysis",
    "implementation",
]
Kind = Literal["clear", "caveat", "not assessed"]
Arm = Literal["treated", "comparison", "buffer"]
Data = Panel | Totals | Changes

BEST_LEVEL = 5


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
        same_calendar: True where both windows hold the same calendar periods equally often; None where
            the data have no periods.
        index: Position of each used area in the panel; None for totals.
        before_mask: Over the panel's periods; None for totals.
        after_mask: The same.
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
    same_calendar: bool | None = None
    index: NDArray[np.intp] | None = None
    before_mask: NDArray[np.bool_] | None = None
    after_mask: NDArray[np.bool_] | None = None

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
    """

    row: NDArray[np.intp]
    rows: int
    treated: NDArray[np.intp]
    members: NDArray[np.intp]
    exact: bool
    how: str
    smallest_p: float


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number about a design, with no opinion.

    Attributes:
        name: What was measured, in the reader's words.
        unit: '%', 'units', 'incidents', 'months', 'ratio', …
        value: None where it could not be measured.
        why_missing: Then the reason, as a sentence without a full stop; None otherwise.
        low: Lower end of its interval, where it has one.
        high: Upper end.
        threshold: What the rule that asked compares it with; None where no rule has.
    """

    name: str
    unit: str
    value: float | None = None
    why_missing: str | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a rule or a statement comes from.

    Attributes:
        key: Short, as cited: 'Farrington et al. 2002'.
        text: The full reference.
    """

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule says of one design.

    Attributes:
        kind: 'clear', 'caveat' or 'not assessed'.
        message: One or two sentences for the reader of the report, with the numbers in them.
        cap: The level is at most this; 5 where the finding does not limit it. A rule that was not
            assessed still caps, where the level needs its evidence.
        evidence: The measures behind the message.
        threat: Only where it differs from the rule's own.
        source: Only where it differs from the rule's own.
    """

    kind: Kind
    message: str
    cap: int = BEST_LEVEL
    evidence: tuple[Measure, ...] = ()
    threat: Threat | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything an evidence rule may look at; `windowed` and `sets` are None where there are none."""

    protocol: Protocol
    data: Data
    contrast: Contrast
    windowed: Windowed | None
    estimate: Estimate
    alternatives: tuple[Estimate, ...] = ()
    sets: PlaceboSets | None = None


Judged = Verdict | tuple[Verdict, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignRule:
    """A rule that asks the protocol alone.

    Attributes:
        id: 'threat.name', for ever.
        threat: The first half of the id.
        asks: The question, as a sentence with a question mark.
        why: Why it matters, in two or three plain sentences; says how the threshold was chosen.
        remedy: What would lift the cap or answer the doubt: an instruction to the analyst.
        applies_to: Every method, and whether the rule is asked of it.
        source: Where the rule comes from.
        judge: The rule itself; None = the question does not arise.
    """

    id: str
    threat: Threat
    asks: str
    why: str
    remedy: str
    applies_to: Mapping[str, bool]
    source: Source
    judge: Callable[[Protocol], Judged]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRule:
    """A rule that asks a Case: protocol, data and estimate. Attributes as for DesignRule."""

    id: str
    threat: Threat
    asks: str
    why: str
    remedy: str
    applies_to: Mapping[str, bool]
    source: Source
    judge: Callable[[Case], Judged]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule's verdict on this evaluation, with what it does to the level.

    Attributes:
        rule: Its id.
        threat: What it bears on.
        kind: 'clear', 'caveat' or 'not assessed'.
        message: As in the Verdict.
        evidence: As in the Verdict.
        source: As in the Verdict, or the rule's.
        level_from: 5 for design rules, the ceiling for evidence rules.
        level_to: The lower of `level_from` and the rule's cap.
        remedy: What would lift it.
        cap: As in the Verdict: tells a cap equal to the ceiling from no cap at all.
    """

    rule: str
    threat: Threat
    kind: Kind
    message: str
    evidence: tuple[Measure, ...]
    source: Source
    level_from: int
    level_to: int
    remedy: str
    cap: int = BEST_LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The design-strength level, computed as the lowest cap.

    Attributes:
        scale: Name of the scale.
        ceiling: The best this design could reach, from the protocol alone.
        level: The level reached.
        bound_by: Rules whose cap equals the level, in the order asked.
        crosswalk: Other scales: name, then level there.
    """

    scale: str
    ceiling: int
    level: int
    bound_by: tuple[str, ...]
    crosswalk: Mapping[str, int]


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
class Evaluation:
    """The number and how far to believe it: what `evaluate` returns.

    Attributes:
        protocol: What was declared.
        ledger: What happened to every input row.
        contrast: Who was compared with whom.
        windowed: Counts before and after; None for published changes.
        estimate: The registered estimate.
        alternatives: The same question with one choice changed.
        findings: Every rule asked, in order; design rules first.
        grade: The level.
        series: Monthly counts; None where the data have no periods.
        placebo: Placebo effects; None where the inference used none.
        centroids: Area, then (x, y) in metres, for the map; empty where not known.
    """

    protocol: Protocol
    ledger: Ledger
    contrast: Contrast
    windowed: Windowed | None
    estimate: Estimate
    alternatives: tuple[Estimate, ...]
    findings: tuple[Finding, ...]
    grade: Grade
    series: Series | None = None
    placebo: Placebo | None = None
    centroids: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def caveats(self) -> tuple[Finding, ...]:
        """Findings that raise a doubt: those that lower the level most come first."""
        doubts = [finding for finding in self.findings if finding.kind != "clear"]
        return tuple(sorted(doubts, key=lambda finding: (finding.level_to, finding.kind)))

    def __repr__(self) -> str:
        from whatworks_eval.report.words import headline

        return headline(self)
