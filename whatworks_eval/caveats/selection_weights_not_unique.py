"""selection.weights-not-unique: where other weights fit as well, what they would have said counts too."""

from __future__ import annotations

from whatworks_eval.caveats.applies import MIXED
from whatworks_eval.caveats.references import SYNTHETIC
from whatworks_eval.caveats.wording import as_percent, number, percent
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.records import Estimate
from whatworks_eval.synthetic_records import AsGoodWeights


def _judge(case: Case) -> Verdict | None:
    made, estimate = case.synthetic, case.estimate
    if made is None:
        return None
    if made.as_good is None:
        return Verdict(
            kind="clear",
            message="The weights are the only ones: their size is penalised, so no others fit as well.",
        )
    if estimate.value is None:
        why = (estimate.why_missing or "it could not be computed").rstrip(".")
        return Verdict(kind="not assessed", message=f"There is no answer for other weights to move: {why}.")
    evidence = _evidence(made.as_good)
    if made.as_good.low is None or made.as_good.high is None:
        return Verdict(
            kind="caveat",
            message="Among weights that fit nearly as well are some that expect nothing at all, so the "
            "answer depends on which are taken.",
            cap=3,
            evidence=evidence,
        )
    return _weigh(estimate, made.as_good, made.as_good.low, made.as_good.high, evidence)


def _weigh(
    estimate: Estimate, found: AsGoodWeights, low: float, high: float, evidence: tuple[Measure, ...]
) -> Verdict:
    unique = "" if found.unique else "No one set of weights fits best. "
    said = (
        f"{unique}Weights that fit within {number(found.slack)} % as well say between "
        f"{percent(as_percent(low))} and {percent(as_percent(high))}"
    )
    if estimate.excludes_zero and low < 0 < high:
        return Verdict(
            kind="caveat",
            message=f"{said}: the sign of the answer is that of the weights taken.",
            cap=2,
            evidence=evidence,
        )
    if estimate.low is None or estimate.high is None:
        return Verdict(
            kind="not assessed",
            message=f"{said}; without an interval it cannot be said whether that is much.",
            cap=3,
            evidence=evidence,
        )
    if low < estimate.low or high > estimate.high:
        return Verdict(
            kind="caveat",
            message=f"{said}, which is beyond the interval: it rests on the weights as much as on chance.",
            cap=3,
            evidence=evidence,
        )
    return Verdict(kind="clear", message=f"{said}, inside the interval.", evidence=evidence)


def _evidence(found: AsGoodWeights) -> tuple[Measure, ...]:
    ends = (("least", found.low), ("greatest", found.high))
    return tuple(
        Measure(
            name=f"{word} effect over weights that fit nearly as well",
            unit="%",
            value=None if end is None else as_percent(end),
            why_missing=None if end is not None else "some such weights expect nothing",
        )
        for word, end in ends
    )


RULE = EvidenceRule(
    id="selection.weights-not-unique",
    threat="selection",
    asks="Would other weights that fit as well have said something else?",
    why="Few periods cannot tell many donors apart: quite different mixtures may fit before the start and "
    "part after it. Every mixture whose gap before is at most a tenth larger than the smallest is looked "
    "at, and the least and the greatest effect among them found. A tenth is one standard error of a root "
    "mean square gap over 48 months, less than one over fewer, so such fits cannot be told apart. If they"
    " turn the sign of an answer whose interval excludes zero, the comparison has made the answer: level "
    "2. If they leave the interval, it is narrower than the choice of weights allows: level 3. That the "
    "best weights are not the only ones does not count by itself, since mixtures that say the same are "
    "one answer.",
    remedy="Lengthen the before window, lower synthetic.most_donors, or use kind = 'sdid', which spreads the "
    "weights; report the range.",
    applies_to=MIXED,
    source=SYNTHETIC,
    judge=_judge,
)
