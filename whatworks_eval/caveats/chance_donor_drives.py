"""chance.donor-drives: an answer that leaves with one donor is about what happened to that donor."""

from __future__ import annotations

from whatworks_eval.caveats.applies import MIXED
from whatworks_eval.caveats.references import SYNTHETIC
from whatworks_eval.caveats.wording import as_percent, percent
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict


def _judge(case: Case) -> Verdict | None:
    made, estimate = case.synthetic, case.estimate
    if made is None:
        return None
    if estimate.value is None:
        why = (estimate.why_missing or "it could not be computed").rstrip(".")
        return Verdict(
            kind="not assessed", message=f"There is no answer for one donor to drive: {why}.", cap=3
        )
    tried = [(donor, donor.without) for donor in made.left_out if donor.without is not None]
    if not tried:
        return Verdict(
            kind="not assessed",
            message="No donor can be spared, so whether one of them drives the answer is not known.",
            cap=3,
        )
    value = estimate.value
    donor, without = max(tried, key=lambda one: abs(one[1] - value))
    half = None if estimate.low is None or estimate.high is None else (estimate.high - estimate.low) / 2
    evidence = (
        Measure(name="weight of the donor that moves the answer most", unit="%", value=100 * donor.weight),
        Measure(name="answer without it", unit="%", value=as_percent(without)),
        Measure(
            name="how far that moves the answer",
            unit="log points",
            value=abs(without - value),
            threshold=half,
        ),
    )
    said = (
        f"Without {donor.name}, which has {percent(100 * donor.weight)} of the weight, the answer is "
        f"{percent(as_percent(without))} instead of {percent(as_percent(value))}"
    )
    if half is None:
        return Verdict(
            kind="not assessed",
            message=f"{said}; without an interval it cannot be said whether that is much.",
            cap=3,
            evidence=evidence,
        )
    turned = estimate.excludes_zero and value * without <= 0
    if turned or abs(without - value) > half:
        how = "changes sign" if turned else "leaves its own interval"
        return Verdict(kind="caveat", message=f"{said}: it {how} with one donor.", cap=3, evidence=evidence)
    return Verdict(kind="clear", message=f"No one donor drives the answer. {said}.", evidence=evidence)


RULE = EvidenceRule(
    id="chance.donor-drives",
    threat="chance",
    asks="Does the answer hold without any one of the donors?",
    why="A mixture often rests on a handful of places. If one of them had a year of its own, the treated "
    "areas look better or worse for it. Each donor is left out in turn and the rest weighed anew. If that "
    "turns the sign of an answer whose interval excludes zero, or moves it by more than half the width of "
    "its interval, the answer is that donor's: level 3 at most, as for a treated unit that drives it.",
    remedy="Look at what happened to that donor after the start; leave it out of synthetic.donors if it had "
    "a project, a boundary change or a recording change of its own, and report the answer both ways.",
    applies_to=MIXED,
    source=SYNTHETIC,
    judge=_judge,
)
