"""How strong the design is, in words: the level, what holds it there, what would raise it, what to doubt."""

from __future__ import annotations

from whatworks_eval.judgement import Evaluation, Finding, Grade
from whatworks_eval.report.numerals import clean, counted, listed

CHOSEN_BY_NEED = "regression.chosen-by-need"


def level_sentence(evaluation: Evaluation) -> str:
    """The level and what it means, its scale, the ceiling and the other scales."""
    from whatworks_eval.grade import level_in_words

    grade = evaluation.grade
    best = (
        "That is the best this design could reach"
        if grade.level == grade.ceiling
        else f"By its protocol alone, this design could reach level {grade.ceiling}"
    )
    return (
        f"Level {grade.level} of 5 on the {grade.scale}. {level_in_words(grade.level)} {best}."
        f"{crosswalk_words(grade)}"
    )


def crosswalk_words(grade: Grade) -> str:
    """The level on other scales, as a sentence after a space; '' where there are none."""
    others = [f"level {level} on that of the {name}" for name, level in grade.crosswalk.items()]
    return f" On other scales: {listed(others)}." if others else ""


def binding(evaluation: Evaluation) -> tuple[Finding, ...]:
    """The findings whose cap is the level: caveats first."""
    held = [
        finding
        for finding in evaluation.findings
        if finding.rule in evaluation.grade.bound_by
        and finding.kind != "clear"
        and finding.cap == evaluation.grade.level
    ]
    return tuple(sorted(held, key=lambda finding: finding.kind))


def binding_sentence(evaluation: Evaluation) -> str:
    """How many findings and threats hold the level where it is."""
    return binding_words(binding(evaluation), evaluation.grade.level)


def binding_words(held: tuple[Finding, ...], level: int) -> str:
    """The same for any findings and level."""
    if not held:
        return "Nothing found lowers the level."
    threats: tuple[str, ...] = tuple(dict.fromkeys(finding.threat for finding in held))
    if len(held) == 1:
        return f"One finding ({held[0].rule}) holds it at {level}; answering it would raise the level."
    found, under = counted(len(held), "finding"), counted(len(threats), "threat")
    return (
        f"{found} under {under} ({listed(threats, most=9)}) hold it at {level}; "
        "every one of them would have to be answered to raise it."
    )


def what_would_raise(evaluation: Evaluation) -> tuple[str, ...]:
    """What would have to be done to reach a higher level: one instruction for each binding finding."""
    from whatworks_eval.grade import what_would_raise as remedies

    return tuple(clean(remedy) for remedy in remedies(evaluation.findings, evaluation.grade) if remedy)


def comes_first(finding: Finding) -> bool:
    """True for the finding that places were chosen for need and are not compared with like."""
    return finding.rule == CHOSEN_BY_NEED and finding.kind != "clear" and finding.cap <= 2


def doubts(evaluation: Evaluation, most: int = 3) -> tuple[str, ...]:
    """The largest doubts, as sentences with the rule they come from: lowest cap first, then new threats.

    Regression to the mean leads wherever it is found. A second finding under a threat already named
    waits for the other threats at its cap: one weakness found twice is one weakness.

    Example:
        >>> from whatworks_eval import evaluate, load_data, load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> protocol = load_protocol(shipped_path("designs", "police-now-2016"))
        >>> evaluation = evaluate(protocol, load_data(protocol))
        >>> doubts(evaluation, most=1)[0].split("[")[-1]
        'regression.chosen-by-need]'
    """
    waiting = sorted(
        evaluation.caveats,
        key=lambda finding: (not comes_first(finding), finding.cap, finding.kind),
    )
    told: list[Finding] = []
    while waiting and len(told) < most:
        cap = waiting[0].cap
        named = {finding.threat for finding in told}
        fresh = (f for f in waiting if f.cap == cap and f.kind == waiting[0].kind and f.threat not in named)
        told.append(next(fresh, waiting[0]))
        waiting.remove(told[-1])
    return tuple(f"{clean(finding.message)} [{finding.rule}]" for finding in told)
