"""analysis.carry-over: an effect that lingers makes the off-periods part of the project."""

from __future__ import annotations

from whatworks_eval.caveats.applies import SWITCHED
from whatworks_eval.caveats.references import ROBINS
from whatworks_eval.caveats.wording import percent, probability
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.crossover import carry_over
from whatworks_eval.measures.relative import FALSE_ALARM


def _judge(case: Case) -> Verdict | None:
    found = carry_over(case)
    if found is None:
        return None
    change = found.change
    if change.value is None or found.p_value is None:
        return Verdict(
            kind="not assessed",
            message="Whether the effect lingers after switching off could not be seen: "
            f"{change.why_missing}.",
            cap=4,
            evidence=(change,),
        )
    said = (
        f"In the first {case.protocol.period} used after switching off, areas recorded "
        f"{percent(abs(change.value))} {'fewer' if change.value < 0 else 'more'} incidents than in other "
        f"off-periods (p {probability(found.p_value)})"
    )
    if found.p_value < FALSE_ALARM:
        return Verdict(
            kind="caveat",
            message=f"{said}: what was done while on is still felt while off, so off-periods do not show "
            "what would have happened without it.",
            cap=3,
            evidence=(change,),
        )
    return Verdict(kind="clear", message=f"{said}, as chance may have it.", evidence=(change,))


RULE = EvidenceRule(
    id="analysis.carry-over",
    threat="analysis",
    asks="Is the effect over by the time the off-periods are counted?",
    why="An area that was patrolled last week may be quieter this week, or busier. Then its off-periods are "
    "touched by the project, which counts as a touched comparison does: level 3 at most. It speaks where the "
    "first period used after a switch differs from other off-periods by more than the lot would give by "
    "itself three times in a hundred. Where this cannot be seen, level 5 is not reached.",
    remedy="Leave out more periods after each switch (crossover.washout), and draw longer stretches next "
    "time.",
    applies_to=SWITCHED,
    source=ROBINS,
    judge=_judge,
)
