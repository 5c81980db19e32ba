"""selection.baseline-trend: arms that were already drifting apart go on doing so."""

from __future__ import annotations

from whatworks_eval.caveats.applies import TAKEN_AS_THEY_ARE
from whatworks_eval.caveats.references import PRETRENDS
from whatworks_eval.caveats.wording import percent, span
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.comparability import FEWEST_PERIODS, Trend, baseline_trend
from whatworks_eval.measures.declared import has_areas
from whatworks_eval.records import Estimate, Interval

NEGLIGIBLE = 10.0
"""% between the windows: smaller changes cannot be told from how places were picked, so they pass."""


def _judge(case: Case) -> Verdict:
    random = case.protocol.intervention.assignment == "random"
    not_shown = 5 if random else 3
    trend = baseline_trend(case)
    if trend is None:
        if not has_areas(case.protocol):
            return Verdict(
                kind="not assessed",
                message="Trends before the start cannot be compared without counts by period.",
            )
        return Verdict(
            kind="not assessed",
            message=f"Fewer than {FEWEST_PERIODS} {case.protocol.period}s before the start can be used, too "
            "few to compare trends.",
            cap=not_shown,
        )
    evidence = (trend.slope, trend.drift, trend.detectable)
    low, high = trend.slope.low, trend.slope.high
    if trend.slope.value is None or low is None or high is None:
        return Verdict(
            kind="not assessed",
            message="The difference in trend before the start has no interval: "
            f"{trend.why_open or 'too little data'}.",
            cap=not_shown,
            evidence=evidence,
        )
    said = (
        f"Before the start the treated areas {_moved(trend)} a month against the comparison "
        f"({span(Interval(low=low, high=high))})"
    )
    if low > 0 or high < 0:
        return Verdict(
            kind="caveat",
            message=f"{said}. Left alone that would amount to "
            f"{percent(trend.drift.value or 0.0, plus=True)} between the windows.",
            cap=2,
            evidence=evidence,
        )
    if _too_wide(trend, _as_ratio(case)):
        return Verdict(
            kind="not assessed",
            message=f"{said}, too uncertain to rule out a trend that would account for the answer: one of "
            f"up to {percent(trend.detectable.value or 0.0)} a month could be missed.",
            cap=not_shown,
            evidence=evidence,
        )
    return Verdict(
        kind="clear",
        message=f"{said}, too little to account for the answer.",
        evidence=evidence,
    )


def _as_ratio(case: Case) -> Estimate:
    """The estimate, or where that is a difference of means, the same counts as a ratio."""
    if case.estimate.scale == "log-ratio":
        return case.estimate
    return next((other for other in case.alternatives if other.choice == "model"), case.estimate)


def _too_wide(trend: Trend, estimate: Estimate) -> bool:
    """Whether trends not ruled out reach the effect found or, where none was, outweigh its uncertainty."""
    low, high = trend.drift.low, trend.drift.high
    effect = estimate.percent_change
    if low is None or high is None or effect.value is None or effect.low is None or effect.high is None:
        return True
    if estimate.excludes_zero:
        return low <= effect.value if effect.value < 0 else high >= effect.value
    return max(-low, high) > max(NEGLIGIBLE, (effect.high - effect.low) / 2)


def _moved(trend: Trend) -> str:
    value = trend.slope.value or 0.0
    return f"moved by {percent(value, 2, plus=True)}"


RULE = EvidenceRule(
    id="selection.baseline-trend",
    threat="selection",
    asks="Were treated and comparison areas moving alike before the start?",
    why="The comparison stands for what would have happened, so the arms must have been moving alike. A "
    "trend found (its interval excludes none; 3 sound designs in 100 would seem to have one) "
    "contradicts that: level 2. A trend not found is a pass only if the interval is narrow: where a "
    "trend it cannot rule out would account for the answer or, for an answer near zero, would add up "
    "to more than its uncertainty and a tenth, the trend is not assessed and the level stays at 3, "
    "that of likeness argued and not contradicted; allocation by lot does not need it. From 12 "
    "periods, 30 treated units of five areas with ten incidents a month each show a trend of 1.5 % a "
    "month nine times in ten (1 % from 24 periods); ten single areas need 6 %.",
    remedy="Lengthen the before window (24 months see trends about three times as small as 12), take more "
    "units, or choose comparison areas that were moving alike.",
    applies_to=TAKEN_AS_THEY_ARE,
    source=PRETRENDS,
    judge=_judge,
)
