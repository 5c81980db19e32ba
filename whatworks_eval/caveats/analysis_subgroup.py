"""analysis.subgroup: one group of people out of many, picked when the results were in, is a find."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.judgement import DesignRule, Measure, Source, Verdict
from whatworks_eval.protocol import Protocol

SUBGROUPS = Source(
    key="Sun et al. 2014",
    text="Sun, X., Ioannidis, J. P. A., Agoritsas, T., Alba, A. C. and Guyatt, G. (2014). How to use a "
    "subgroup "
    "analysis: users' guide to the medical literature. JAMA 311(4), 405-411.",
)
CAP = 3


def _judge(protocol: Protocol) -> Verdict | None:
    stated = protocol.context.subgroup
    group = stated.what if stated is not None else protocol.outcome.subgroup
    if group is None:
        return None
    looked = _looked_at(None if stated is None else stated.of)
    many = "" if looked.value is None else f", one of {looked.value:.0f} looked at"
    said = f"The result is for one group alone ({group.strip().rstrip('.')}{many})"
    if stated is None or stated.chosen == "not stated":
        return Verdict(
            kind="not assessed",
            message=f"{said}; whether it was chosen before the results were seen is not stated.",
            cap=CAP,
            evidence=(looked,),
        )
    if stated.chosen == "afterwards":
        return Verdict(
            kind="caveat",
            message=f"{said}, chosen after the results were seen: somewhere among many groups a change this "
            "large may turn up by chance, so it is a lead to follow and not a finding.",
            cap=CAP,
            evidence=(looked,),
        )
    return Verdict(kind="clear", message=f"{said}, chosen beforehand.", evidence=(looked,))


def _looked_at(number: int | None) -> Measure:
    return Measure(
        name="groups looked at",
        unit="groups",
        value=None if number is None else float(number),
        why_missing="how many groups were looked at is not stated" if number is None else None,
    )


RULE = DesignRule(
    id="analysis.subgroup",
    threat="analysis",
    asks="Is the result for one group of people or places, and was that group chosen beforehand?",
    why="Cut by age, sex and ethnicity, a survey has a dozen groups, and with a dozen looks at the 5 % "
    "level one "
    "in two evaluations of a project that did nothing finds something (1 - 0.95^12 = 46 %). A group "
    "chosen once "
    "the results were seen is a choice made after the fact, which the scale here caps at 3. One whose "
    "choice is "
    "not dated is taken no better.",
    remedy="Say under [context] subgroup when the group was chosen and how many were looked at; report the "
    "result for everybody first.",
    applies_to=ALWAYS,
    source=SUBGROUPS,
    judge=_judge,
)
