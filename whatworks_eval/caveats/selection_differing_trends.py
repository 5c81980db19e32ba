"""selection.differing-trends: how far the arms could have parted before the effect is no longer there."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ROLLED_OUT, of_a_dose
from whatworks_eval.caveats.references import HONEST_TRENDS
from whatworks_eval.caveats.wording import number
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.over_time import Bound, Sensitivity

SURVIVED = "largest departure survived, in steps seen before the start"
AS_LARGE = 1.0  # as large as the largest step seen before the start
PARTED = (
    "The event study and the estimate reported differ, and the finding does not survive even the trends "
    "seen; with trends exactly parallel, the stretches after the start cannot be told apart from no change"
)
"""Where the event study does not bear the estimate out: there is a finding, and it goes at once."""


def _judge(case: Case) -> Verdict | None:
    if case.over_time is None:
        return of_a_dose(case, "How far differing trends could carry the answer")
    over, name = case.over_time, SURVIVED
    found = over.sensitivity[0] if over.sensitivity else None
    if found is None or found.why_missing is not None or found.original is None or _unknown(found):
        why = over.why_no_event_study if found is None else found.why_missing
        return Verdict(
            kind="not assessed",
            message=f"How far differing trends could carry the answer was not worked out: {why}.",
        )
    if not _apart(found.original):
        return _nothing_seen(case)
    if found.beyond:
        most = found.bounds[-1].bound
        return Verdict(
            kind="clear",
            message=f"The conclusion survives departures from parallel trends beyond {number(most, 2)} times "
            "the largest step seen before the start.",
            evidence=(Measure(name=name, unit="steps", value=most, threshold=AS_LARGE),),
        )
    assert found.breakdown is not None
    evidence = (Measure(name=name, unit="steps", value=found.breakdown, threshold=AS_LARGE),)
    survives = (
        f"The conclusion survives departures from parallel trends up to {number(found.breakdown, 2)} times "
        "the largest step seen before the start"
    )
    if found.breakdown >= AS_LARGE:
        return Verdict(kind="clear", message=f"{survives}.", evidence=evidence)
    return Verdict(
        kind="caveat",
        message=f"{survives}, and no further: a departure as large as one that happened with nothing done "
        "would do away with it.",
        evidence=evidence,
    )


def _nothing_seen(case: Case) -> Verdict:
    """The stretches show nothing with parallel trends: nothing to overturn, or a finding not borne out."""
    if case.estimate.excludes_zero:
        evidence = (Measure(name=SURVIVED, unit="steps", value=0.0, threshold=AS_LARGE),)
        return Verdict(kind="caveat", message=f"{PARTED}.", evidence=evidence)
    return Verdict(
        kind="clear",
        message="The mean of the stretches after the start is not told apart from no change even with "
        "parallel trends, so there is no finding for differing trends to overturn.",
        evidence=(Measure(name=SURVIVED, unit="steps", value=0.0),),
    )


def _apart(bound: Bound) -> bool:
    return (bound.low is not None and bound.low > 0) or (bound.high is not None and bound.high < 0)


def _unknown(found: Sensitivity) -> bool:
    return found.breakdown is None and not found.beyond


RULE = EvidenceRule(
    id="selection.differing-trends",
    threat="selection",
    asks="Would the conclusion survive trends that differ as much as they did before the start?",
    why="Parallel trends are never exact. If the arms may part after the start by as much from one stretch "
    "to the next as they were seen to before it, the interval widens; the breakdown value says by how many "
    "times. Below 1 the conclusion rests on the months after being calmer than the months before; where the "
    "stretches cannot be told from no change even with parallel trends but the estimate can, it is 0. It "
    "does not set the level: with few incidents the largest step before the start is mostly chance.",
    remedy="Say so beside the result; longer stretches (did.stretch) and more areas make the steps smaller.",
    applies_to=ROLLED_OUT,
    source=HONEST_TRENDS,
    judge=_judge,
)
