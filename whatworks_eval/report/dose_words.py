"""The sentence for an effect by unit of dose: what goes with one more officer hour, not 'treated or not'."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.judgement import Evaluation
from whatworks_eval.matching.features import in_words
from whatworks_eval.report.numerals import clean
from whatworks_eval.report.subject import held_still, subject
from whatworks_eval.report.words import (
    BEST_CLAIM_FROM,
    amount,
    direction,
    in_brackets,
    range_words,
    shown,
    verdict,
)


def dose_clause(evaluation: Evaluation) -> str:
    """What was found by unit of dose, without a capital or a full stop."""
    protocol = evaluation.protocol
    name, what = in_words(clean(protocol.did.dose or "dose")), subject(protocol)
    # The unit says 'by unit of …', and so does the sentence.
    made = replace(evaluation.estimate, unit=evaluation.estimate.unit.split(", by unit of ")[0])
    value, found = shown(made).value, verdict(made)
    why = clean(made.why_missing or "the reason was not recorded").rstrip(".")
    if value is None:
        return f"no estimate could be made: {why}"
    held = held_still(protocol).strip()
    size, more = amount(made, value), f"one more unit of {name}{f' ({held})' if held else ''}"
    if found == "no larger change":
        span = shown(made)
        most = amount(made, max(span.low or 0.0, span.high or 0.0, key=abs))
        return (
            f"{what} showed no change larger than {most} with {more} (estimate "
            f"{amount(made, value, sign=True)}; {in_brackets(made)})"
        )
    if found == "too imprecise":
        return (
            f"the data are too imprecise to tell ({range_words(made)}) whether {what} differs with {more}; "
            f"the estimate is {amount(made, value, sign=True)}"
        )
    way, level = direction(value), evaluation.grade.level
    if found == "no interval":
        return (
            f"with {more} {what} was {size} {way}; no interval can be given, so chance is not ruled out "
            f"({why})"
        )
    if level >= BEST_CLAIM_FROM:
        verb = "reduced" if way == "lower" else "increased"
        return f"{more} {verb} {what} by {size} ({in_brackets(made)})"
    cause = ", whatever the cause" if level <= 2 else ""
    return f"with {more} {what} was {size} {way} ({in_brackets(made)}){cause}"
