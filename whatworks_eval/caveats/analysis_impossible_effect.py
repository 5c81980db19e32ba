"""analysis.impossible-effect: more incidents cannot be prevented than there would have been."""

from __future__ import annotations

from whatworks_eval.caveats.applies import TWO_BY_TWO
from whatworks_eval.caveats.references import SCALES
from whatworks_eval.effects.wdd import why_impossible
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.scales import two_scales


def _judge(case: Case) -> Verdict | None:
    scales = two_scales(case)
    if isinstance(scales, str):
        return Verdict(
            kind="not assessed",
            message="Whether an absolute effect would be larger than what was expected is not known: "
            f"{scales}.",
        )
    assert case.windowed is not None
    own = case.windowed.total("treated")[1] - scales.absolute
    evidence = (
        Measure(
            name="weighted displacement difference",
            unit="incidents",
            value=scales.absolute,
            threshold=-scales.expected,
        ),
        Measure(name="expected by the change of the comparison", unit="incidents", value=scales.expected),
        Measure(name="expected by equal absolute change", unit="incidents", value=own),
    )
    why = why_impossible(scales.absolute, scales.expected, own)
    if why is None:
        return Verdict(
            kind="clear",
            message="The absolute effect is within what was expected in the treated areas.",
            evidence=evidence,
        )
    return Verdict(
        kind="caveat",
        message=f"The weighted displacement difference is refused as impossible: {why}. The comparison is so "
        "much larger or smaller than the treated areas that equal absolute change cannot hold.",
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="analysis.impossible-effect",
    threat="analysis",
    asks="Is the absolute effect possible, given how many incidents were expected?",
    why="A difference in numbers takes over whatever the comparison areas gained or lost. Against an arm "
    "several times as large that can be more than the treated areas ever had: a common fall of a fifth "
    "against a comparison eight times as large reads as 70 incidents more where 50 were recorded before. "
    "A number that implies fewer than no incident, or more prevented than expected, is refused and not "
    "printed. There is no threshold to choose: the line is zero. It does not set the level.",
    remedy="Use the ratio of ratios, or give area weights so that the arms count alike "
    "(outcome.totals.area_weights), or compare with areas of like level.",
    applies_to=TWO_BY_TWO,
    source=SCALES,
    judge=_judge,
)
