"""regression.earlier-baseline: areas chosen for need may be believed if they stood as high long before."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import REGRESSION
from whatworks_eval.caveats.wording import as_percent, change, percent, span
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.declared import has_areas, has_comparison, is_matched
from whatworks_eval.measures.regression import RunUp, earlier_change
from whatworks_eval.records import Interval

LARGEST_RISE = 8.0  # %


def _judge(case: Case) -> Verdict | None:
    protocol = case.protocol
    if (
        protocol.intervention.assignment != "need"
        or not has_areas(protocol)
        or not has_comparison(protocol)
        or is_matched(protocol)
        or (protocol.areas is not None and protocol.areas.comparison == "rest")
    ):
        return None
    earlier = earlier_change(case)
    if earlier is None:
        return Verdict(
            kind="not assessed",
            message="The areas were chosen for need and the data hold no earlier year, so it is not shown "
            "that they did not stand at a peak.",
            cap=2,
        )
    measure = earlier.measure
    low, high = earlier.change.low, earlier.change.high
    if earlier.change.log_ratio is None or low is None or high is None:
        return Verdict(
            kind="not assessed",
            message="The areas were chosen for need, and how far they rose from an earlier baseline has no "
            f"interval: {earlier.change.why_missing or 'too little data'}.",
            cap=2,
            evidence=(measure,),
        )
    said = _said(earlier)
    if earlier.found:
        return Verdict(
            kind="caveat",
            message=f"{said}: the baseline is not where they usually stood, and falling back to it would "
            "look like an effect.",
            cap=2,
            evidence=(measure,),
        )
    if as_percent(high) >= LARGEST_RISE:
        return Verdict(
            kind="not assessed",
            message=f"{said}, which does not rule out the rise of {percent(LARGEST_RISE)} that picking "
            "areas at their peak commonly brings.",
            cap=2,
            evidence=(measure,),
        )
    return Verdict(
        kind="clear",
        message=f"{said}: they were chosen for need but did not stand at a passing peak.",
        evidence=(measure,),
    )


def _said(earlier: RunUp) -> str:
    measure = earlier.measure
    assert earlier.change.log_ratio is not None
    return (
        f"In {earlier.name}, the treated areas recorded {change(earlier.change.log_ratio)} than the "
        f"comparison would suggest ({span(Interval(low=measure.low, high=measure.high))})"
    )


RULE = EvidenceRule(
    id="regression.earlier-baseline",
    threat="regression",
    asks="Did areas chosen for need stand as high in an earlier, untouched baseline?",
    why="Areas picked from the top tenth of real LSOAs fall by 8 to 12 % with nothing done, because the "
    "figures they were picked on were partly luck. If they stood as high a year or more earlier, it was "
    "not luck. The earlier baseline agrees where the change from it has an interval that holds zero and "
    "ends below a rise of 8 %, the least that such picking brings; anything else leaves need with declared "
    "areas at level 2.",
    remedy="Supply data for at least one earlier year, or set [areas] comparison = 'matched'.",
    applies_to=WITH_COMPARISON,
    source=REGRESSION,
    judge=_judge,
)
