"""selection.comparison-choice: an answer that turns with the comparison is an answer about the comparison."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import QUALITY
from whatworks_eval.caveats.wording import effect, listed
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.declared import has_areas
from whatworks_eval.records import Estimate


def _judge(case: Case) -> Verdict:
    others = [
        other for other in case.alternatives if other.choice == "comparison set" and other.value is not None
    ]
    registered = case.estimate
    if not others or registered.value is None:
        limited = has_areas(case.protocol) and case.protocol.intervention.assignment != "random"
        return Verdict(
            kind="not assessed",
            message="No other set of comparison areas could be tried, so how far the answer rests on the "
            "choice is not known.",
            cap=3 if limited else 5,
        )
    evidence = tuple(_measure(estimate) for estimate in (registered, *others))
    values = [estimate.value for estimate in (registered, *others) if estimate.value is not None]
    spread = f"between {effect(registered, min(values))} and {effect(registered, max(values))}"
    against = [other for other in others if _turns(registered, other)]
    if against:
        return Verdict(
            kind="caveat",
            message="The answer changes sign with the comparison: "
            f"{effect(registered, values[0])} as registered, "
            + listed([f"{effect(other, other.value or 0.0)} against {other.label}" for other in against])
            + ".",
            cap=2,
            evidence=evidence,
        )
    said = (
        f"Against {len(others)} other sets of comparison areas the answer lies {spread}"
        if len(others) > 1
        else f"Against {others[0].label} the answer is {effect(registered, values[1])} instead of "
        f"{effect(registered, values[0])}"
    )
    apart = [other for other in others if (other.value or 0.0) * registered.value < 0]
    if apart:
        said += (
            f"; {len(apart)} on the other side of zero from the declared one, but neither that one nor any "
            "of these excludes zero"
        )
    else:
        said += ", and does not turn"
    return Verdict(kind="clear", message=f"{said}.", evidence=evidence)


def _turns(registered: Estimate, other: Estimate) -> bool:
    """Opposite signs, where at least one of the two says it is not zero: two noisy zeros do not disagree."""
    if registered.value is None or other.value is None:
        return False
    return registered.value * other.value < 0 and (registered.excludes_zero or other.excludes_zero)


def _measure(estimate: Estimate) -> Measure:
    span = estimate.percent_change
    if estimate.scale != "log-ratio":
        return Measure(
            name=estimate.label,
            unit=estimate.unit,
            value=estimate.value,
            low=estimate.low,
            high=estimate.high,
        )
    return Measure(name=f"answer: {estimate.label}", unit="%", value=span.value, low=span.low, high=span.high)


RULE = EvidenceRule(
    id="selection.comparison-choice",
    threat="selection",
    asks="Does the answer hold against other comparison areas?",
    why="The rest of the force, areas of like level, areas nearby and areas as deprived are all defensible "
    "comparisons, each with or without the areas that adjoin the treated. If one of them says "
    "higher where the declared one says lower, or the other way round, and at least one of the two excludes "
    "zero, the choice has made the answer: level 2. Two answers on either side of zero whose intervals both "
    "hold zero do not disagree; treating them as if they did would "
    "mark down a third of sound designs.",
    remedy="Find out how the comparison sets differ, and register the one most like the treated areas "
    "before the start.",
    applies_to=WITH_COMPARISON,
    source=QUALITY,
    judge=_judge,
)
