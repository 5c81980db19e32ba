"""The design-strength level: the lowest of what the rules allow, never typed and never raised.

Every design starts at level 5 of the Maryland Scientific Methods Scale; each finding may say "at most n".
The level is a minimum, so the order of findings cannot matter and one weakness found twice counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from whatworks_eval.judgement import BEST_LEVEL, Finding, Grade

SCALE = "Maryland Scientific Methods Scale (Farrington, Gottfredson, Sherman and Welsh 2002)"
CROSSWALK = "What Works Centre for Local Economic Growth"

LEVELS: Mapping[int, str] = MappingProxyType(
    {
        1: "Places with and without the project are compared at one time: nothing shows what came first.",
        2: "A change over time is shown, but not what would have happened without the project.",
        3: "The change is set against that of comparison areas whose likeness is argued or partly shown.",
        4: "The change is set against areas shown to be alike before the start, in several units an arm.",
        5: "A lot decided which of enough units had the project, and they were analysed as it decided.",
    }
)
"""What each level means, in one plain sentence."""


def grade(findings: Iterable[Finding]) -> Grade:
    """The level these findings leave, its ceiling from the design rules among them, and which rules bind."""
    from whatworks_eval.caveats import DESIGN_RULES

    found = tuple(findings)
    asked_first = {rule.id for rule in DESIGN_RULES}
    level = min((_most(finding) for finding in found), default=BEST_LEVEL)
    ceiling = ceiling_of(finding for finding in found if finding.rule in asked_first)
    bound_by = dict.fromkeys(
        finding.rule for finding in found if level < BEST_LEVEL and _cap(finding) == level
    )
    return Grade(
        scale=SCALE,
        ceiling=ceiling,
        level=level,
        bound_by=tuple(bound_by),
        crosswalk={CROSSWALK: _local_growth(found, level)},
    )


def ceiling_of(design_findings: Iterable[Finding]) -> int:
    """The best level the design alone allows: the lowest of its findings."""
    return min((_most(finding) for finding in design_findings), default=BEST_LEVEL)


def level_in_words(level: int) -> str:
    """What a level means, in one plain sentence.

    Example:
        >>> level_in_words(2)
        'A change over time is shown, but not what would have happened without the project.'
    """
    return LEVELS[level]


def what_would_raise(findings: Iterable[Finding], grade: Grade) -> tuple[str, ...]:
    """What would have to be done to reach a higher level: the remedy of every binding finding, once each.

    All of them are needed: lifting one cap leaves the others.
    """
    binding = set(grade.bound_by)
    return tuple(
        dict.fromkeys(
            finding.remedy for finding in findings if finding.rule in binding and _cap(finding) == grade.level
        )
    )


def _cap(finding: Finding) -> int:
    """What the rule itself said; a finding lowered from where it started did so by its cap."""
    return min(finding.cap, finding.level_to) if finding.level_to < finding.level_from else finding.cap


def _most(finding: Finding) -> int:
    return min(finding.level_to, finding.cap)


def _local_growth(findings: tuple[Finding, ...], level: int) -> int:
    """The level on the adapted scale of the What Works Centre for Local Economic Growth.

    There the method sets the ceiling and its execution can only lower it: a before-after without comparison
    is 1, a comparison over time 3 at most (2 where comparability is not shown), random allocation 5. So the
    level carries over, but not beyond 3 without a lot and not beyond 1 without a comparison. What the
    findings do not show counts against: no finding that there is a comparison, or a lot, is none.
    """
    clear = {finding.rule for finding in findings if finding.kind == "clear"}
    if "selection.no-comparison" not in clear:
        return 1
    return min(level, 5 if "selection.not-random" in clear else 3)
