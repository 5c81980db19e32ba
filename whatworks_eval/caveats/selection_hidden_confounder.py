"""selection.hidden-confounder: how strong something nobody measured would have to be."""

from __future__ import annotations

import math

import numpy as np

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import E_VALUE, ROBUSTNESS
from whatworks_eval.errors import CannotEstimate
from whatworks_eval.inference.relabelling import matches_of
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.declared import is_matched
from whatworks_eval.measures.hidden_confounding import (
    RosenbaumBounds,
    e_value,
    robustness_value,
    rosenbaum_bounds,
)

LARGEST_USUAL = 12.0  # %: what picking areas at their peak has been seen to make by itself
FEWEST_PAIRS = 6


def _judge(case: Case) -> Verdict | None:
    if not is_matched(case.protocol):
        return None
    own = case.estimate
    if own.value is None or (own.low is None and own.high is None):
        return Verdict(
            kind="not assessed",
            message="Without an answer and its interval there is nothing for something unmeasured to "
            "explain.",
        )
    if own.scale != "log-ratio":
        return _linear(case)
    value = math.exp(own.value)  # an interval by another method than the estimate need not quite hold it
    low = None if own.low is None else min(value, math.exp(own.low))
    high = None if own.high is None else max(value, math.exp(own.high))
    found = e_value(value, low, high)
    evidence = [
        Measure(name="E-value of the answer", unit="ratio", value=found.estimate),
        Measure(
            name="E-value of the nearer end of the interval",
            unit="ratio",
            value=found.limit,
            why_missing=None if found.limit is not None else "that end of the interval is open",
        ),
    ]
    pairs = _bounds(case)
    said = found.sentence
    if pairs is not None:
        evidence.append(
            Measure(
                name="odds of hidden bias that matched pairs would bear (Rosenbaum)",
                unit="ratio",
                value=pairs.gamma,
                why_missing=None if pairs.gamma is not None else "pairs do not tell even without hidden bias",
            )
        )
        if pairs.gamma is not None and own.excludes_zero:
            said = f"{said} {pairs.sentence}"
    nearer = own.low if own.value > 0 else own.high
    weak = own.excludes_zero and nearer is not None and abs(nearer) < -math.log1p(-LARGEST_USUAL / 100)
    if weak:
        return Verdict(
            kind="caveat",
            message="A hidden difference no larger than picking areas at their peak makes "
            f"({LARGEST_USUAL:g} %) would bring no change into the interval. {said}",
            evidence=tuple(evidence),
        )
    return Verdict(kind="clear", message=said, evidence=tuple(evidence))


def _linear(case: Case) -> Verdict:
    own = case.estimate
    units = len(case.contrast.treated_units) + len(case.contrast.comparison_unit_names)
    assert own.value is not None
    error = own.se
    if error is None and own.low is not None and own.high is not None:
        error = (own.high - own.low) / (2 * 1.959964)
    if not error or units < 5:
        return Verdict(
            kind="not assessed",
            message="How strong something unmeasured would have to be cannot be said without a standard "
            "error.",
        )
    found = robustness_value(own.value / error, float(units - 2), alpha=1 - own.confidence)
    return Verdict(
        kind="clear",
        message=found.sentence,
        evidence=(
            Measure(name="robustness value of the answer", unit="%", value=100 * found.estimate),
            Measure(name="robustness value of its interval", unit="%", value=100 * found.interval),
        ),
        source=ROBUSTNESS,
    )


def _bounds(case: Case) -> RosenbaumBounds | None:
    """Bounds on the log change of each treated area less that of its comparison; None with too few."""
    windowed = case.windowed
    if windowed is None:
        return None
    matches = matches_of(case.contrast, windowed, case.protocol.matching.per_treated)
    if matches is None:
        return None
    treated = windowed.arm == "treated"
    own = np.log((windowed.after + 0.5) / (windowed.before + 0.5))[treated]
    other = np.log((matches.mean_of(windowed.after) + 0.5) / (matches.mean_of(windowed.before) + 0.5))[
        treated
    ]
    if len(own) < FEWEST_PAIRS:
        return None
    try:
        return rosenbaum_bounds(own - other)
    except CannotEstimate:
        return None


RULE = EvidenceRule(
    id="selection.hidden-confounder",
    threat="selection",
    asks="How strong would something not measured have to be to explain the answer away?",
    why="Matching makes areas alike in what was measured and in nothing else. The E-value says how "
    "strongly something hidden would have to go with being treated and with the outcome; Rosenbaum's "
    "gamma how unequal the odds of being treated within a pair; the robustness value how much of what is "
    "left of both it would have to account for. None is a test and none sets a level. It is a caveat "
    "where a bias of 12 %, the most that picking real LSOAs from the top tenth has been seen to make by "
    "itself, would bring no change into the interval.",
    remedy="Ask what else differed: other programmes, policing, building, a school; measure it and match "
    "on it.",
    applies_to=WITH_COMPARISON,
    source=E_VALUE,
    judge=_judge,
)
