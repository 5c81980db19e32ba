"""selection.untouched-offences: an effect on what the project could not have touched is not the project's."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import QUALITY
from whatworks_eval.caveats.wording import effect, effect_span, probability
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.relative import FALSE_ALARM

CHOICE = "untouched offences"


def _judge(case: Case) -> Verdict | None:
    other = next((one for one in case.alternatives if one.choice == CHOICE), None)
    if other is None:
        return None
    named = other.label
    if other.value is None or other.p_value is None:
        return Verdict(
            kind="not assessed",
            message=f"Whether {named}, which the project should not have touched, moved too is not known: "
            f"{other.why_missing}.",
        )
    evidence = (
        Measure(
            name="p-value of no change in the untouched offences",
            unit="probability",
            value=other.p_value,
            threshold=FALSE_ALARM,
        ),
    )
    said = f"{effect(other, other.value)} ({effect_span(other)}, p {probability(other.p_value)})"
    if other.p_value > FALSE_ALARM:
        return Verdict(
            kind="clear",
            message=f"In {named}, which the project should not have touched, no change was detected: {said}.",
            evidence=evidence,
        )
    return Verdict(
        kind="caveat",
        message=f"The same estimate finds a change in {named}, which the project should not have touched: "
        f"{said}. Whatever moved these may have moved the rest.",
        cap=2,
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="selection.untouched-offences",
    threat="selection",
    asks="Does the same estimate find nothing in offences the project should not have touched?",
    why="A placebo outcome: if burglary patrols come with a fall in shoplifting against the same comparison "
    "areas, something else set these places apart. The same estimate, with the same placebo sets, is made of "
    "the offences named in outcome.untouched; below 0.03 the arms are shown not to be comparable, and the "
    "level is 2 at most. Not finding a change says little where the offences are few.",
    remedy="Find out what else changed in these places; name offences only if nothing about the project "
    "could reach them.",
    applies_to=WITH_COMPARISON,
    source=QUALITY,
    judge=_judge,
)
