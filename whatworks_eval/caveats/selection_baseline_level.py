"""selection.baseline-level: areas that start from different levels seldom move alike."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import TAKEN_AS_THEY_ARE
from whatworks_eval.caveats.references import WWG
from whatworks_eval.caveats.wording import number, probability, span
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.comparability import Level, baseline_level
from whatworks_eval.measures.declared import has_areas
from whatworks_eval.measures.relative import FALSE_ALARM
from whatworks_eval.records import Interval

LARGEST = 0.25  # standard deviations
USELESS = 100.0  # an interval whose ends are further apart than this many times tells a reader nothing


def _judge(case: Case) -> Verdict:
    level = baseline_level(case)
    if level is None or level.difference.value is None:
        return _not_measured(case, level)
    difference = replace(level.difference, threshold=LARGEST)
    evidence = (level.ratio, difference, *level.means, *level.per_resident)
    said = _in_words(level)
    if abs(level.difference.value) <= LARGEST:
        return Verdict(
            kind="clear", message=f"{said}, within a quarter of a standard deviation.", evidence=evidence
        )
    apart = f"{said}, {number(abs(level.difference.value), 2)} standard deviations apart"
    if level.p_value is not None and level.p_value < FALSE_ALARM:
        return Verdict(
            kind="caveat",
            message=f"{apart} and further than chance would put this many units (p "
            f"{probability(level.p_value)}). Areas that start from such different levels cannot be expected "
            "to change alike.",
            cap=2,
            evidence=evidence,
        )
    return Verdict(
        kind="caveat",
        message=f"{apart}, though with so few units chance alone may do that.",
        cap=5 if case.protocol.intervention.assignment == "random" else 3,
        evidence=evidence,
    )


def _in_words(level: Level) -> str:
    treated, comparison = (measure.value for measure in level.means)
    assert treated is not None
    assert comparison is not None
    ratio = Interval(value=level.ratio.value, low=level.ratio.low, high=level.ratio.high)
    typical = f"typical ratio {number(ratio.value or 0, 2)}"
    if ratio.low is None or ratio.high is None:
        ends = ""
    elif ratio.high > USELESS * ratio.low:
        ends = f" ({typical}, from too few units to say how far off that may be)"
    else:
        ends = f" ({typical}, {span(ratio, unit='', places=2)})"
    return (
        f"Before the start, treated areas recorded {number(treated)} incidents an area and month and "
        f"comparison areas {number(comparison)}{ends}"
    )


def _not_measured(case: Case, level: Level | None) -> Verdict:
    evidence: tuple[Measure, ...] = () if level is None else (level.difference,)
    if not has_areas(case.protocol):
        return Verdict(
            kind="not assessed", message="Levels before the start cannot be compared without counts by area."
        )
    return Verdict(
        kind="not assessed",
        message="Levels before the start could not be compared, so the comparison is not shown to be alike.",
        cap=3 if case.protocol.context.comparability.strip() else 2,
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="selection.baseline-level",
    threat="selection",
    asks="Did treated and comparison areas record alike before the start?",
    why="Busy places swing further, fall back from peaks and meet changes in policing first, so a "
    "comparison from another level is not a comparison. It counts as contradicted (level 2) only "
    "where the gap in mean log level is both over a quarter of a standard deviation, this package's "
    "caliper for matching, and beyond what chance would give this many units (p below 0.03): a "
    "random draw of few units is often far off by size alone. A gap that is large but within chance "
    "leaves comparability unshown (level 3), except where a lot decided. With 30 treated units of "
    "five areas it finds a level 1.3 times that of the comparison nine times in ten; with ten single "
    "areas, 2.2 times.",
    remedy="Set [areas] comparison = 'matched', or name comparison areas that recorded about as much "
    "before the start.",
    applies_to=TAKEN_AS_THEY_ARE,
    source=WWG,
    judge=_judge,
)
