"""regression.run-up: a climb just before the start is followed by a fall with nothing done."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import REGRESSION
from whatworks_eval.caveats.wording import as_percent, change, percent, span
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.declared import has_areas
from whatworks_eval.measures.regression import RunUp, run_ups
from whatworks_eval.records import Interval


def _judge(case: Case) -> Verdict:
    asked = run_ups(case)
    if not asked or all(run_up.detectable is None for run_up in asked):
        if not has_areas(case.protocol):
            return Verdict(
                kind="not assessed",
                message="A run-up before the start cannot be seen without counts by period.",
            )
        why = next((run_up.change.why_missing for run_up in asked if run_up.change.why_missing), None)
        return Verdict(
            kind="not assessed",
            message="Whether the treated areas were climbing before the start could not be measured"
            + (f": {why}." if why else ": there are too few periods before it."),
            cap=5 if case.protocol.intervention.assignment == "random" else 3,
            evidence=tuple(run_up.measure for run_up in asked),
        )
    evidence = _evidence(case, asked)
    found = [run_up for run_up in asked if run_up.found]
    if found:
        return Verdict(
            kind="caveat",
            message="; ".join(_say(run_up) for run_up in found).capitalize() + "." + _both(case),
            cap=2,
            evidence=evidence,
        )
    sizes = [run_up.detectable for run_up in asked if run_up.detectable is not None]
    return Verdict(
        kind="clear",
        message="No climb or fall of the treated areas before the start was found; one of "
        f"{percent(as_percent(min(sizes)))} or more would have been found four times in five." + _both(case),
        evidence=evidence,
    )


def _say(run_up: RunUp) -> str:
    log_ratio = run_up.change.log_ratio
    size = "moved" if log_ratio is None else f"recorded {change(log_ratio)} than the comparison would suggest"
    measure = run_up.measure
    ends = span(Interval(low=measure.low, high=measure.high))
    return f"{run_up.name}, the treated areas {size} ({ends})"


def _both(case: Case) -> str:
    """The answer on the declared and on the longer baseline, where both are there."""
    value = case.estimate.percent_change.value
    longer = [
        other.percent_change.value
        for other in case.alternatives
        if other.choice == "window" and other.label == "longer baseline"
    ]
    if value is None or not longer or longer[0] is None:
        return ""
    return (
        f" The answer is {percent(value, plus=True)} on the declared and "
        f"{percent(longer[0], plus=True)} on a longer baseline."
    )


def _evidence(case: Case, asked: tuple[RunUp, ...]) -> tuple[Measure, ...]:
    sizes = [run_up.detectable for run_up in asked]
    power = tuple(
        Measure(
            name=f"run-up found four times in five: {run_up.name}",
            unit="%",
            value=None if size is None else as_percent(size),
            why_missing="it has no interval" if size is None else None,
        )
        for run_up, size in zip(asked, sizes, strict=True)
    )
    windows = tuple(
        Measure(
            name=f"answer: {other.label}",
            unit="%",
            value=other.percent_change.value,
            low=other.percent_change.low,
            high=other.percent_change.high,
            why_missing=other.why_missing if other.percent_change.value is None else None,
        )
        for other in case.alternatives
        if other.choice == "window"
    )
    return (*(run_up.measure for run_up in asked), *power, *windows)


RULE = EvidenceRule(
    id="regression.run-up",
    threat="regression",
    asks="Were the treated areas climbing, or falling, against the comparison just before the start?",
    why="Projects go where crime has just peaked, and peaks pass. The last quarter of the before window "
    "is set against the rest of it, and the whole window against earlier periods of the same "
    "calendar where the data hold any, by the same relabelling as the effect. Found means that an "
    "interval excludes no change, set so that the questions together find something in 3 sound "
    "designs of 100: level 2. Not finding one in a small project proves little, so the size that "
    "would have been found is printed. 30 treated units of five areas with ten incidents a month "
    "each show a climb of 20 % in the last quarter of 12 months nine times in ten; ten single areas "
    "need 75 %.",
    remedy="Start the before window earlier, before the climb, or set [areas] comparison = 'matched' on a "
    "longer window.",
    applies_to=WITH_COMPARISON,
    source=REGRESSION,
    judge=_judge,
)
