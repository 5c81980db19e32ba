"""history.anticipation: a change just before the start, when the project may already have been felt."""

from __future__ import annotations

import numpy as np

from whatworks_eval.caveats.applies import ROLLED_OUT
from whatworks_eval.caveats.references import QUALITY
from whatworks_eval.caveats.wording import change
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.relative import FALSE_ALARM, as_measure, relative_between, usable_baseline

FEWEST = 6  # periods before the start, for the last of them to be compared with the rest
LAST = 1


def _judge(case: Case) -> Verdict | None:
    baseline = usable_baseline(case)
    name = "last period before the start against the earlier ones"
    if baseline is None or int(baseline.sum()) < FEWEST or case.sets is None:
        return Verdict(
            kind="not assessed",
            message=f"Whether anything changed just before the start is not known: it takes {FEWEST} periods "
            "before.",
        )
    at = np.flatnonzero(baseline)
    earlier, last = baseline.copy(), np.zeros(len(baseline), dtype=bool)
    earlier[at[-LAST:]], last[at[-LAST:]] = False, True
    confidence = 1 - FALSE_ALARM
    found = relative_between(case, earlier, last, confidence=confidence)
    evidence = (as_measure(name, found, confidence),)
    if found.log_ratio is None or (found.low is None and found.high is None):
        return Verdict(
            kind="not assessed",
            message=f"Whether anything changed just before the start is not known: {found.why_missing}.",
            evidence=evidence,
        )
    below = found.high is not None and found.high < 0
    above = found.low is not None and found.low > 0
    if not below and not above:
        return Verdict(
            kind="clear",
            message="In the last period before the start the treated areas stood where they had before.",
            evidence=evidence,
        )
    tail = (
        "if the project was already felt, the baseline holds part of its effect and the estimate understates "
        "it"
        if below
        else "places picked at a peak fall back with nothing done, which would be counted as an effect"
    )
    return Verdict(
        kind="caveat",
        message=f"In the last {case.protocol.period} before the start the treated areas recorded "
        f"{change(found.log_ratio)} than their comparison, against the months before: {tail}.",
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="history.anticipation",
    threat="history",
    asks="Did anything change in the treated areas just before the start?",
    why="Projects are announced, officers move in early and offenders hear. If the last period before the "
    "start already differs, the baseline is not untouched. The last period is set against the rest of the "
    "before window by the relabelling of the effect itself, at 97 %: with thirty treated "
    "areas of a dozen incidents a month, a last month 30 % lower is found in nine draws of ten. It does not "
    "set the level: regression.run-up does where the change is a rise.",
    remedy="Leave those periods out with did.anticipation, if they can be said to be the project's; "
    "otherwise say what happened in them.",
    applies_to=ROLLED_OUT,
    source=QUALITY,
    judge=_judge,
)
