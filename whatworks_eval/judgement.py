"""What is said of a design: measures, rules, their verdicts and findings, the grade, and the Evaluation.

    Protocol or Case ─► Rule ─► Verdict ─► Finding ─► Grade ─► Evaluation

A measure is a number without an opinion; a rule has an opinion, a threshold and a source. What could not be
measured is None with the reason beside it: never NaN, and never passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from whatworks_eval.likeness import Likeness
from whatworks_eval.over_time import OverTime
from whatworks_eval.panel import Ledger
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Curve, Data, Estimate, Placebo, PlaceboSets, Series, Windowed
from whatworks_eval.synthetic_records import SyntheticComparison

if TYPE_CHECKING:
    from whatworks_eval.economics.records import CostBenefit

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

BEST_LEVEL = 5


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
    over_time: OverTime | None = None
    synthetic: SyntheticComparison | None = None


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
        curve: Fitted and expected series; None for methods that fit none.
        economics: Whether it was worth it, at the same level; None where the protocol has no [economics].
        over_time: Leads and lags, cohorts and what they rest on; None for methods without.
        synthetic: Weights, fit and what to doubt of a synthetic comparison; None for other methods.
        likeness: How alike the areas are, from before the start; None where the comparison is not matched.
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
    curve: Curve | None = None
    economics: CostBenefit | None = None
    over_time: OverTime | None = None
    synthetic: SyntheticComparison | None = None
    likeness: Likeness | None = None

    @property
    def caveats(self) -> tuple[Finding, ...]:
        """Findings that raise a doubt: those that lower the level most come first."""
        doubts = [finding for finding in self.findings if finding.kind != "clear"]
        return tuple(sorted(doubts, key=lambda finding: (finding.level_to, finding.kind)))

    def __repr__(self) -> str:
        from whatworks_eval.report.words import headline

        return headline(self)
