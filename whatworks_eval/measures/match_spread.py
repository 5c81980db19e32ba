"""How far the answer moves from one good match to another."""

from __future__ import annotations

from dataclasses import dataclass

from whatworks_eval.judgement import Case, Measure
from whatworks_eval.records import Estimate

CHOICE = "match"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The answers over good matched sets, the registered one among them.

    Attributes:
        answers: The registered estimate, then the others that have a value.
        missing: Those without one.
        lowest: The lowest answer.
        highest: The highest.
        excluding: How many intervals exclude zero.
        intervals: Of how many.
    """

    answers: tuple[Estimate, ...]
    missing: tuple[Estimate, ...]
    lowest: Measure
    highest: Measure
    excluding: Measure
    intervals: int


def said_value(estimate: Estimate) -> float:
    """The answer as it is said: in percent, or in its own unit where it is a difference."""
    percent = estimate.percent_change.value
    return (estimate.value or 0.0) if percent is None else percent


def has_interval(estimate: Estimate) -> bool:
    """Whether there is an interval, open on one side or not."""
    return estimate.low is not None or estimate.high is not None


def match_spread(case: Case) -> Spread | None:
    """The spread over good matched sets; None where no other could be tried or there is no answer."""
    own = case.estimate
    others = [one for one in case.alternatives if one.choice == CHOICE]
    valued = [one for one in others if one.value is not None and one.scale == own.scale]
    if own.value is None or not valued:
        return None
    answers = (own, *valued)
    values = [said_value(one) for one in answers]
    unit = "%" if own.scale == "log-ratio" else own.unit
    intervals = sum(has_interval(one) for one in answers)
    return Spread(
        answers=answers,
        missing=tuple(one for one in others if one.value is None),
        lowest=Measure(name="lowest answer over good matched sets", unit=unit, value=min(values)),
        highest=Measure(name="highest answer over good matched sets", unit=unit, value=max(values)),
        excluding=Measure(
            name=f"matched sets whose interval excludes zero, of {intervals}",
            unit="sets",
            value=float(sum(one.excludes_zero for one in answers)),
        ),
        intervals=intervals,
    )
