"""analysis.scale-disagreement: equal absolute and equal relative change give different answers."""

from __future__ import annotations

import math

from whatworks_eval.caveats.applies import TWO_BY_TWO
from whatworks_eval.caveats.references import SCALES
from whatworks_eval.caveats.wording import listed, number, percent
from whatworks_eval.effects.wdd import LABELS
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.scales import TwoScales, named, two_scales
from whatworks_eval.records import Estimate

ALIKE = 0.10  # baselines within a tenth of one another
MATTERS = 0.05  # of the expected count: a smaller gap between the answers is not worth a sentence
MORE_THAN = 0.5  # of the larger answer


def _judge(case: Case) -> Verdict | None:
    scales = two_scales(case)
    if isinstance(scales, str):
        return Verdict(
            kind="not assessed",
            message=f"Whether the answer rests on the scale it is given on is not known: {scales}.",
        )
    apart = 100 * (scales.baseline - 1)
    evidence = (
        Measure(
            name="baseline of the treated areas against the comparison",
            unit="%",
            value=apart,
            threshold=100 * ALIKE,
        ),
        Measure(name="answer by equal absolute change", unit="incidents", value=scales.absolute),
        Measure(name="answer by equal relative change", unit="incidents", value=scales.relative),
    )
    said = (
        f"{_incidents(scales.absolute)} by equal absolute change, "
        f"{_incidents(scales.relative)} by equal relative"
    )
    ways = _ways(scales, named(case, LABELS["local"]), case.estimate)
    if not ways:
        return Verdict(
            kind="clear", message=f"Both scales say much the same: {said} change.", evidence=evidence
        )
    return Verdict(
        kind="caveat",
        message=f"The answer rests on the scale: {said} change. They differ {listed(ways)}, because the "
        f"treated areas started {percent(abs(apart))} {'above' if apart > 0 else 'below'} the comparison, "
        f"which itself went {'up' if scales.common > 1 else 'down'} by "
        f"{percent(100 * abs(scales.common - 1))}: "
        "the same proportion is then not the same number.",
        evidence=evidence,
    )


def _ways(scales: TwoScales, absolute: Estimate | None, relative: Estimate) -> list[str]:
    """How the two readings differ: 'in sign', 'in verdict', 'by more than half'."""
    if abs(math.log(scales.baseline)) <= math.log1p(ALIKE):
        return []
    ways = []
    if abs(scales.gap) >= MATTERS * scales.expected:
        if scales.absolute * scales.relative < 0:
            ways.append("in sign")
        if abs(scales.gap) > MORE_THAN * max(abs(scales.absolute), abs(scales.relative)):
            ways.append("by more than half")
    own = "" if absolute is None else _verdict(absolute)
    if own and _verdict(relative) and own != _verdict(relative):
        ways.append("in verdict")
    return ways


def _verdict(estimate: Estimate) -> str:
    """'fewer', 'more' or 'either' by the interval; '' without one."""
    if estimate.low is None or estimate.high is None:
        return ""
    return "fewer" if estimate.high < 0 else "more" if estimate.low > 0 else "either"


def _incidents(value: float) -> str:
    return f"{number(abs(value), 0)} {'fewer' if value < 0 else 'more'}"


RULE = EvidenceRule(
    id="analysis.scale-disagreement",
    threat="analysis",
    asks="Do equal absolute and equal relative change give the same answer?",
    why="The weighted displacement difference takes it that without the project all places would have "
    "changed by the same number of incidents; the ratio of ratios, by the same proportion. Where the "
    "treated areas start higher or lower than the comparison and the comparison itself changes, the two "
    "cannot both hold. It is said where baselines lie more than a tenth apart and the answers differ in "
    "sign, in verdict, or by more than half of the larger, the gap being at least a twentieth of what was "
    "expected, so that two noisy zeros do not disagree. It does not set the level: a measure is not a "
    "design. Simulated with 30 treated areas at twice the level of 90 others and a common fall of a quarter, "
    "it fires in at least 90 % of draws; at like levels with nothing done, in at most 5 %.",
    remedy="Say beforehand which scale is meant and why; or compare with areas of like level "
    "(comparison = 'matched'), where both say the same.",
    applies_to=TWO_BY_TWO,
    source=SCALES,
    judge=_judge,
)
