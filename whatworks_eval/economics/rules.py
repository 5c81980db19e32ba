"""What is said against a ratio: rules on economics alone, in the form of the others.

None of them moves the level, which is the effect's; they say what the pounds rest on beyond it. That
pounds of several years are added is not a rule but an error (prices.py).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from whatworks_eval.economics.effect import EffectInput
from whatworks_eval.economics.records import CostBenefit
from whatworks_eval.economics.verdicts import (
    EconomicsCase,
    judge_anticipation,
    judge_displacement,
    judge_includes_zero,
    judge_level,
    judge_multiplier,
    judge_not_cashable,
    judge_not_valued,
    judge_one_input,
    judge_opportunity,
    judge_persistence,
    judge_single_source,
)
from whatworks_eval.economics_keys import Economics
from whatworks_eval.errors import ProtocolError
from whatworks_eval.judgement import Finding, Judged, Source, Threat, Verdict

GREEN_BOOK = Source(
    key="HM Treasury 2026",
    text="HM Treasury (2026) The Green Book: appraisal and evaluation in central government.",
)
HOME_OFFICE = Source(
    key="Home Office 2026",
    text="Home Office (2026) Economic and social costs of crime 2019 to 2020; read in one transcription.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EconomicsRule:
    """A rule that asks an EconomicsCase; it never limits the level.

    Attributes:
        id: 'economics.name', for ever.
        threat: What it bears on.
        asks: The question, as a sentence with a question mark.
        why: Why it matters, in two or three plain sentences; says how the threshold was chosen.
        remedy: What would answer the doubt: an instruction to the analyst.
        source: Where the rule comes from.
        judge: The rule itself; None = the question does not arise.
    """

    id: str
    threat: Threat
    asks: str
    why: str
    remedy: str
    source: Source
    judge: Callable[[EconomicsCase], Judged]


ECONOMICS_RULES: tuple[EconomicsRule, ...] = (
    EconomicsRule(
        id="economics.interval-includes-zero",
        threat="chance",
        asks="Does the ratio rest on an effect whose interval includes none prevented?",
        why="A benefit is incidents times pounds. Where the interval of the incidents includes none, so "
        "does that "
        "of the benefit, whatever the central ratio. The interval's own confidence is the only threshold.",
        remedy="Put the range of the ratio in the headline, not its central value, and report the break-even "
        "number of incidents.",
        source=GREEN_BOOK,
        judge=judge_includes_zero,
    ),
    EconomicsRule(
        id="economics.level-below-3",
        threat="analysis",
        asks="Is the effect at level 3 or above?",
        why="Multiplying by pounds adds no evidence. Below level 3 the change may be due to anything, and a "
        "probability that the project paid would be one about something else. Level 3 is where the scale "
        "first "
        "holds a comparison of like with like.",
        remedy="Write 'if the change was due to the project' before every pound, or find a better "
        "comparison.",
        source=GREEN_BOOK,
        judge=judge_level,
    ),
    EconomicsRule(
        id="economics.single-source",
        threat="analysis",
        asks="Was every unit cost seen in the issuing body's own words?",
        why="The Home Office table of 2019-20 was read in one transcription, and that of 2018 in a "
        "newspaper. A slip in "
        "copying would go straight into the ratio.",
        remedy="Check the unit costs named here against the publication, or give them under "
        "[[economics.overrides]] with their source.",
        source=HOME_OFFICE,
        judge=judge_single_source,
    ),
    EconomicsRule(
        id="economics.not-cashable",
        threat="analysis",
        asks="Is any of the benefit time released rather than money saved?",
        why="Officers freed by fewer incidents are still paid. The value is real where their time goes to "
        "something "
        "useful, and is not a saving to a budget until somebody takes it out.",
        remedy="Report cashable savings apart from capacity released, and set `cashable_percent` only to "
        "what a "
        "budget holder has agreed to take out.",
        source=GREEN_BOOK,
        judge=judge_not_cashable,
    ),
    EconomicsRule(
        id="economics.anticipation",
        threat="analysis",
        asks="Are the costs of anticipating crime counted as saved?",
        why="People insure and lock up against crime in general. A project of one neighbourhood and year "
        "seldom "
        "changes that, so the Home Office advises to leave it out of small changes.",
        remedy="Leave `anticipation` out, unless the project itself replaced security or insurance.",
        source=HOME_OFFICE,
        judge=judge_anticipation,
    ),
    EconomicsRule(
        id="economics.large-multiplier",
        threat="recording",
        asks="Does a large step from recorded to actual crimes drive the benefit?",
        why="Where one crime in five or fewer is recorded, most of the benefit lies in crimes nobody "
        "counted, "
        "assumed to fall alike. Five, and a quarter of the benefit, are conventions of this tool.",
        remedy="Show the ratio without these offences, or give a multiplier of your own with its range.",
        source=HOME_OFFICE,
        judge=judge_multiplier,
    ),
    EconomicsRule(
        id="economics.not-valued",
        threat="analysis",
        asks="Does every incident counted have a value in pounds?",
        why="Anti-social behaviour, drugs, weapons and public order have no Home Office unit cost. Leaving "
        "them out "
        "makes the benefit too small where they fell, and borrowing a neighbour's value would make one up.",
        remedy="Say which offences are left out, or give a value with its source under "
        "[[economics.overrides]].",
        source=HOME_OFFICE,
        judge=judge_not_valued,
    ),
    EconomicsRule(
        id="economics.persistence",
        threat="analysis",
        asks="Is the effect taken to go on after the months with data?",
        why="Effects fade, and a fade is what a longer after window would show. Any month assumed beyond "
        "the data is a "
        "judgement.",
        remedy="Set `persistence_months` to 0 for the main result, and show the longer period as what it "
        "would be.",
        source=GREEN_BOOK,
        judge=judge_persistence,
    ),
    EconomicsRule(
        id="economics.displacement-not-measured",
        threat="displacement",
        asks="Was it measured whether incidents moved elsewhere?",
        why="Incidents that move next door still cost. Leaving displacement at nothing without having "
        "looked assumes "
        "the answer.",
        remedy="Declare a buffer, or take off a share with its source under [economics.additionality].",
        source=GREEN_BOOK,
        judge=judge_displacement,
    ),
    EconomicsRule(
        id="economics.no-opportunity-cost",
        threat="analysis",
        asks="Does the cost side count time that had another use?",
        why="An officer in the project is not somewhere else. A ratio that counts only money paid out makes "
        "a project "
        "run on staff time look nearly free.",
        remedy="Add the hours of staff and volunteers with `cash = false`.",
        source=GREEN_BOOK,
        judge=judge_opportunity,
    ),
    EconomicsRule(
        id="economics.one-input",
        threat="analysis",
        asks="Does a single input by itself carry the ratio across 1?",
        why="A ratio that turns with one number is an answer about that number. Each input is moved over "
        "its own range with "
        "the others at their central values; the only threshold is a ratio of 1.",
        remedy="Find a better value for the input named here before anything else.",
        source=GREEN_BOOK,
        judge=judge_one_input,
    ),
)
"""Asked of every cost-benefit result, in this order."""


def ask_economics(economics: Economics, effect: EffectInput, result: CostBenefit) -> tuple[Finding, ...]:
    """What the rules say of a result; every finding leaves the level where it is."""
    case = EconomicsCase(economics=economics, effect=effect, result=result)
    findings: list[Finding] = []
    for rule in ECONOMICS_RULES:
        judged = rule.judge(case)
        for verdict in () if judged is None else (judged,) if isinstance(judged, Verdict) else judged:
            findings.append(
                Finding(
                    rule=rule.id,
                    threat=verdict.threat or rule.threat,
                    kind=verdict.kind,
                    message=verdict.message,
                    evidence=verdict.evidence,
                    source=verdict.source or rule.source,
                    level_from=result.level,
                    level_to=result.level,
                    remedy=rule.remedy,
                    cap=verdict.cap,
                )
            )
    return tuple(findings)


def find_economics_rule(rule_id: str) -> EconomicsRule:
    """The rule on economics with this id.

    Raises:
        ProtocolError: There is none; the message names the nearest.

    Example:
        >>> find_economics_rule("economics.persistence").threat
        'analysis'
    """
    by_id = {rule.id: rule for rule in ECONOMICS_RULES}
    if rule_id in by_id:
        return by_id[rule_id]
    near = difflib.get_close_matches(rule_id, by_id, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else "`whatworks rules` lists them"
    raise ProtocolError(f"no rule called '{rule_id}'; {hint}")
