"""chance.few-comparison-areas: one area used again and again is still one area."""

from __future__ import annotations

import numpy as np

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import EFFECTIVE_SIZE
from whatworks_eval.caveats.wording import counted, number
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.matching.balance import effective_size
from whatworks_eval.measures.declared import is_matched

FEWEST = 6.0


def _judge(case: Case) -> Verdict | None:
    windowed = case.windowed
    if not is_matched(case.protocol):
        return None
    if windowed is None or case.contrast.weights is None:
        return Verdict(
            kind="not assessed", message="How often each comparison area is used is not known.", cap=3
        )
    inside = windowed.arm == "comparison"
    weights = np.where(inside, windowed.weight, 0.0)
    used, effective = int((weights > 0).sum()), effective_size(weights)
    treated = int((windowed.arm == "treated").sum())
    most = 100.0 * float(weights.max(initial=0.0)) / max(float(weights.sum()), 1e-12)
    evidence = (
        Measure(name="comparison areas used", unit="areas", value=float(used)),
        Measure(name="effective number of comparison areas", unit="areas", value=effective, threshold=FEWEST),
        Measure(name="share of the comparison that is its most used area", unit="%", value=most),
    )
    said = f"{counted(used, 'comparison area is used', 'comparison areas are used')}"
    if effective < FEWEST:
        return Verdict(
            kind="caveat",
            message=f"{said}, and with how often each is they tell as much as {number(effective)} used "
            "once: one odd area among them would decide the answer.",
            cap=3,
            evidence=evidence,
        )
    if effective < treated:
        return Verdict(
            kind="caveat",
            message=f"{said}; with how often each is they tell as much as {number(effective)}, fewer than "
            f"the {treated} treated areas they stand for.",
            evidence=evidence,
        )
    return Verdict(
        kind="clear",
        message=f"{said}, which tell as much as {number(effective)} used once.",
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="chance.few-comparison-areas",
    threat="chance",
    asks="Does the matched comparison rest on enough different areas?",
    why="Matching with replacement may use the same few areas for many treated ones, and weights may pile "
    "up on a handful. The effective number, the squared sum of weights over the sum of their squares, "
    "says how many areas used once would tell as much. Below six, the least this package asks of either "
    "arm, the level is 3 at most. Fewer than there are treated areas is said; the interval allows for it.",
    remedy="Match with replacement = false or algorithm = 'optimal', take more matches each, or widen the "
    "pool.",
    applies_to=WITH_COMPARISON,
    source=EFFECTIVE_SIZE,
    judge=_judge,
)
