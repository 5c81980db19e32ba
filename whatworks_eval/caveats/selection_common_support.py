"""selection.common-support: nobody can be matched to an area unlike any other."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import WWG
from whatworks_eval.caveats.wording import counted, listed, percent, probability
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.match_balance import OutOfReach, out_of_reach
from whatworks_eval.measures.relative import FALSE_ALARM

MOST_BEYOND = 10.0  # % of treated areas


def _judge(case: Case) -> Verdict | tuple[Verdict, ...] | None:
    found = out_of_reach(case)
    if found is None:
        return None
    said = [verdict for verdict in (_left_out(found), _kept(found)) if verdict is not None]
    return tuple(said) if len(said) > 1 else said[0]


def _left_out(found: OutOfReach) -> Verdict | None:
    if not found.left_out:
        return None
    share = 100.0 * len(found.left_out) / found.treated
    named = listed([f"{area}: {why}" for area, why in found.left_out.items()], most=3)
    return Verdict(
        kind="caveat",
        message=f"{counted(len(found.left_out), 'treated area')} of {found.treated} could not be matched and "
        f"{'is' if len(found.left_out) == 1 else 'are'} left out ({named}). The effect is that of the other "
        f"{found.treated - len(found.left_out)}, not of the project as a whole.",
        evidence=(Measure(name="treated areas left out", unit="% of treated areas", value=share),),
    )


def _kept(found: OutOfReach) -> Verdict | None:
    if found.why_missing is not None:
        return Verdict(
            kind="not assessed",
            message="Whether there are areas like each treated one could not be judged: "
            f"{found.why_missing.rstrip('.')}.",
            cap=3,
        )
    share = 100.0 * len(found.kept) / max(found.treated, 1)
    evidence = (
        Measure(
            name="treated areas beyond every area to choose from",
            unit="% of treated areas",
            value=share,
            threshold=MOST_BEYOND,
        ),
    )
    if not found.kept:
        if found.left_out:
            return None
        return Verdict(
            kind="clear", message="There are areas like every treated one to choose from.", evidence=evidence
        )
    named = listed([f"{area}: {how}" for area, how in found.kept.items()], most=3)
    said = (
        f"{counted(len(found.kept), 'treated area')} ({percent(share)} of them) "
        f"{'has' if len(found.kept) == 1 else 'have'} no like among the areas to choose from ({named})"
    )
    if share > MOST_BEYOND and found.chance is not None and found.chance <= FALSE_ALARM:
        return Verdict(
            kind="caveat",
            message=f"{said}, more than a random choice would give (p {probability(found.chance)}). Nothing "
            "shows what such outliers would have done.",
            cap=2,
            evidence=evidence,
        )
    return Verdict(
        kind="caveat",
        message=f"{said}; their part of the answer rests on areas unlike them.",
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="selection.common-support",
    threat="selection",
    asks="Is there anything like each treated area to match it with?",
    why="The communities that get a project are often 'unusual outliers'. A treated area is named where "
    "it lies outside the pool's range in a feature matched on, or where its nearest area is more than "
    "0.25 standard deviations away and further than for 99 in 100 areas of the pool. More than a tenth of "
    "treated areas kept beyond the pool, and more than a random choice would give (p at most 0.03), "
    "contradicts comparability: level 2. Leaving them out does not lower the level but changes the "
    "question: the effect is that of the areas that stayed. Of 20 treated areas four times as busy as 200 "
    "others, it is found nine times in ten.",
    remedy="Widen the pool to other forces, match on less, or set matching.outside_support = 'drop' and "
    "report whom the answer does not speak for.",
    applies_to=WITH_COMPARISON,
    source=WWG,
    judge=_judge,
)
