"""What `whatworks check` prints: how strong a design could be, before any data are read."""

from __future__ import annotations

from typing import Protocol as Structure

from whatworks_eval.judgement import Finding, Grade
from whatworks_eval.protocol import Protocol


class Appraised(Structure):
    """What `appraise` returns: a protocol, the design rules' findings and the ceiling."""

    @property
    def protocol(self) -> Protocol:
        """What was declared."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The design rules' findings."""

    @property
    def grade(self) -> Grade:
        """The ceiling, as level and as ceiling."""


def render_appraisal(appraisal: Appraised) -> str:
    """The appraisal as text: the best level the design can reach, what holds it, what would raise it.

    Example:
        >>> from whatworks_eval import appraise, load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> appraisal = appraise(load_protocol(shipped_path("designs", "police-now-2016")))
        >>> "The best level this design can reach is 2 of 5" in render_appraisal(appraisal)
        True
    """
    from whatworks_eval.grade import level_in_words, what_would_raise
    from whatworks_eval.report.numerals import clean
    from whatworks_eval.report.strength import binding_words, crosswalk_words
    from whatworks_eval.report.text import bullet, findings, heading, wrap

    protocol, grade = appraisal.protocol, appraisal.grade
    held = tuple(
        finding
        for finding in appraisal.findings
        if finding.rule in grade.bound_by and finding.kind != "clear" and finding.cap == grade.ceiling
    )
    best = f"The best level this design can reach is {grade.ceiling} of 5 on the {grade.scale}."
    parts = [
        heading(clean(protocol.question), "="),
        wrap(f"Design {protocol.id}, SHA-256 {protocol.sha256}."),
        wrap("No data were needed or read: this is what the design alone allows. Data can only lower it."),
        heading("Ceiling"),
        wrap(f"{best} {level_in_words(grade.ceiling)}{crosswalk_words(grade)}"),
        wrap(binding_words(held, grade.ceiling)),
    ]
    raising = [clean(remedy) for remedy in what_would_raise(appraisal.findings, grade) if remedy]
    if raising:
        parts += [wrap("What would raise it:"), *(bullet(remedy) for remedy in raising)]
    return "\n".join([*parts, *findings(appraisal.findings)]) + "\n"
