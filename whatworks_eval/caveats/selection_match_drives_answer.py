"""selection.match-drives-answer: an answer that turns with the match is an answer about the match."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import MATCHING
from whatworks_eval.caveats.wording import listed, number, percent
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.declared import is_matched
from whatworks_eval.measures.match_spread import Spread, has_interval, match_spread, said_value
from whatworks_eval.records import Estimate


def _judge(case: Case) -> Verdict | None:
    if not is_matched(case.protocol) or case.protocol.matching.algorithm == "strata":
        return None
    spread = match_spread(case)
    if spread is None:
        return Verdict(
            kind="not assessed",
            message="No other good match could be tried, so how far the answer rests on the match is not "
            "known.",
        )
    own = case.estimate
    evidence = (spread.lowest, spread.highest, spread.excluding, *(_measure(one) for one in spread.answers))
    others = spread.answers[1:]
    said = (
        f"Over {len(spread.answers)} good matched sets the answer lies between "
        f"{_say(own, spread.lowest.value or 0.0)} and {_say(own, spread.highest.value or 0.0)}"
    )
    turned = [one for one in others if _turns(own, one)]
    if turned:
        words = listed([f"{_say(own, said_value(one))} with {one.label}" for one in turned])
        return Verdict(
            kind="caveat",
            message=f"The answer changes sign with the match: {_say(own, said_value(own))} as registered, "
            f"{words}. {said}.",
            cap=2,
            evidence=evidence,
        )
    changed = [one for one in others if has_interval(one) and one.excludes_zero != own.excludes_zero]
    if changed and has_interval(own):
        own_does, other_do = ("does", "do not") if own.excludes_zero else ("does not", "do")
        return Verdict(
            kind="caveat",
            message=f"{said}. {_how_many(spread)}; the registered one {own_does}, those with "
            f"{listed([one.label for one in changed])} {other_do}.",
            evidence=evidence,
        )
    across = any(said_value(one) * said_value(own) < 0 for one in others)
    turns = "on both sides of zero" if across else "and does not turn"
    return Verdict(kind="clear", message=f"{said}, {turns}. {_how_many(spread)}.", evidence=evidence)


def _how_many(spread: Spread) -> str:
    return f"{number(spread.excluding.value or 0.0)} of {spread.intervals} intervals exclude zero"


def _turns(own: Estimate, other: Estimate) -> bool:
    """Opposite signs, where at least one of the two says it is not zero."""
    assert own.value is not None
    assert other.value is not None
    return own.value * other.value < 0 and (own.excludes_zero or other.excludes_zero)


def _say(own: Estimate, value: float) -> str:
    if own.scale == "log-ratio":
        return percent(value, plus=True)
    return f"{number(value, 2, plus=True)} {own.unit}"


def _measure(estimate: Estimate) -> Measure:
    span = estimate.percent_change
    ratio = estimate.scale == "log-ratio"
    return Measure(
        name=f"answer: {estimate.label}",
        unit="%" if ratio else estimate.unit,
        value=span.value if ratio else estimate.value,
        low=span.low if ratio else estimate.low,
        high=span.high if ratio else estimate.high,
    )


RULE = EvidenceRule(
    id="selection.match-drives-answer",
    threat="selection",
    asks="Does the answer hold with another good match?",
    why="How many matches, how far at most, by which distance, used once or again, with which edition of "
    "the index: each of these is a choice that sound work makes differently, and published effects have "
    "been known to hang on it. Each is changed in turn. If one says lower and another higher, and at "
    "least one of them excludes zero, the match has made the answer: level 2, as where it changes sign "
    "with the comparison. If only the interval comes to hold or to exclude zero, it is said.",
    remedy="Report the spread; register the match before the start, with a caliper and features that leave "
    "little to choose.",
    applies_to=WITH_COMPARISON,
    source=MATCHING,
    judge=_judge,
)
