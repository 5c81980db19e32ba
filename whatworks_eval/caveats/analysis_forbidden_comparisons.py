"""analysis.forbidden-comparisons: a two-way estimate that compares with areas already treated."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ROLLED_OUT
from whatworks_eval.caveats.references import STAGGERED
from whatworks_eval.caveats.wording import percent
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict

SHARE = 0.10
LABEL = "two-way fixed effects"


def _judge(case: Case) -> Verdict | None:
    share = None if case.over_time is None else case.over_time.forbidden_share
    if share is None:
        return None
    evidence = (
        Measure(
            name="share of a two-way estimate against areas already treated",
            unit="%",
            value=100.0 * share,
            threshold=100.0 * SHARE,
        ),
    )
    other = next((one for one in case.alternatives if one.label.startswith(LABEL)), None)
    apart = (
        other is not None
        and other.value is not None
        and other.scale == case.estimate.scale
        and case.estimate.low is not None
        and case.estimate.high is not None
        and not case.estimate.low <= other.value <= case.estimate.high
    )
    if share < SHARE and not apart:
        return Verdict(
            kind="clear",
            message=f"Areas start at different times; {percent(100 * share)} of a two-way fixed-effects "
            "estimate would compare with areas already treated. The registered estimate never does.",
            evidence=evidence,
        )
    what = ", and it comes out beyond the registered interval" if apart else ""
    return Verdict(
        kind="caveat",
        message=f"{percent(100 * share)} of a two-way fixed-effects estimate would compare with areas "
        f"already treated{what}. It is shown as an alternative only; do not quote it.",
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="analysis.forbidden-comparisons",
    threat="analysis",
    asks="How much of a two-way fixed-effects estimate would compare with areas already treated?",
    why="Where areas start at different times, the usual regression uses areas already treated as a "
    "comparison for those that start later. An effect that grows or fades is then subtracted from itself, "
    "and the estimate can have the wrong sign. Here each cohort is compared with areas never treated. The "
    "rule speaks from a tenth, or where the regression's estimate lies outside the registered interval. It "
    "does not set the level.",
    remedy="Quote the registered estimate; if an earlier report used the regression, say what share of it "
    "was forbidden.",
    applies_to=ROLLED_OUT,
    source=STAGGERED,
    judge=_judge,
)
