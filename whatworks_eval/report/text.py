"""The evaluation in a terminal: plain text, at most 100 columns."""

from __future__ import annotations

import re
import textwrap

from whatworks_eval.judgement import Evaluation, Finding
from whatworks_eval.report import tables
from whatworks_eval.report.numerals import clean, counted
from whatworks_eval.report.over_time_tables import study_table
from whatworks_eval.report.over_time_words import level_said, sentences
from whatworks_eval.report.strength import binding_sentence, doubts, level_sentence, what_would_raise
from whatworks_eval.report.subject import when, where
from whatworks_eval.report.words import headline, question

WIDTH = 100
HEADS = {"caveat": "Caveats", "not assessed": "Not assessed", "clear": "Clear"}


def as_text(evaluation: Evaluation) -> str:
    """The evaluation as plain text: headline, strength, doubts, estimates, findings, data."""
    parts = [
        heading(question(evaluation), "="),
        wrap(headline(evaluation)),
        heading("Strength"),
        wrap(level_sentence(evaluation)),
        wrap(binding_sentence(evaluation)),
    ]
    raising = what_would_raise(evaluation)
    if raising:
        parts += [wrap("What would raise it:"), *(bullet(remedy) for remedy in raising)]
    worries = doubts(evaluation)
    if worries:
        parts += [heading("Largest doubts"), *(bullet(doubt) for doubt in worries)]
    parts += [
        heading("What was compared"),
        wrap(f"{clean(evaluation.protocol.intervention.name)}: {where(evaluation)}."),
    ]
    parts += [wrap(f"Windows: {when(evaluation)}.")]
    counts = tables.arms(evaluation)
    if counts is not None:
        parts.append(grid(counts))
    if evaluation.likeness is not None:
        from whatworks_eval.report.likeness_section import likeness_text  # it wraps with this file's tools

        parts.append(likeness_text(evaluation.likeness))
    if evaluation.synthetic is not None:
        from whatworks_eval.report.synthetic_section import synthetic_text  # it wraps with this file's tools

        parts.append(synthetic_text(evaluation))
    parts += [heading("Estimates"), grid(tables.effects(evaluation))]
    if (elsewhere := tables.other_units(evaluation)) is not None:
        parts.append(grid(elsewhere))
    parts += through_time(evaluation)
    if evaluation.economics is not None:
        from whatworks_eval.report.economics_section import economics_text

        parts.append(economics_text(evaluation.economics))
    parts += findings(evaluation.findings)
    parts += [
        heading("Data and versions"),
        wrap(rows_sentence(evaluation)),
        wrap(f"Protocol {evaluation.protocol.id}, SHA-256 {evaluation.protocol.sha256}."),
    ]
    return "\n".join(parts) + "\n"


def rows_sentence(evaluation: Evaluation) -> str:
    """How many rows were read, used and excluded, from how many files."""
    kept = evaluation.ledger
    if not kept.read:
        return "The numbers stand in the protocol; no rows were read."
    return (
        f"{kept.read:,} rows read, {kept.used:,} used, {kept.excluded_rows:,} excluded; "
        f"{counted(len(kept.files), 'file')}."
    )


def through_time(evaluation: Evaluation) -> list[str]:
    """The effect followed through time, in sentences and a table of stretches; empty for most methods."""
    over_time = evaluation.over_time
    if over_time is None:
        return []
    parts = [heading(f"How the effect looks over time ({level_said(evaluation)})")]
    parts += [bullet(sentence) for sentence in sentences(evaluation)]
    if over_time.event_study is not None:
        parts.append(grid(study_table(evaluation, over_time.event_study)))
    return parts


def findings(found: tuple[Finding, ...]) -> list[str]:
    """Every finding: caveats, then what was not assessed, then what is clear, by name only."""
    parts = []
    for kind in ("caveat", "not assessed"):
        these = sorted((f for f in found if f.kind == kind), key=lambda finding: finding.cap)
        if these:
            parts.append(heading(f"{HEADS[kind]} ({len(these)})"))
            parts += [
                bullet(f"[{finding.rule}; {cap(finding)}] {clean(finding.message)}") for finding in these
            ]
    passed = [finding.rule for finding in found if finding.kind == "clear"]
    if passed:
        parts += [heading(f"Clear ({len(passed)})"), wrap(", ".join(dict.fromkeys(passed)) + ".")]
    return parts


def cap(finding: Finding) -> str:
    """What a finding does to the level."""
    return "does not limit the level" if finding.cap >= 5 else f"level at most {finding.cap}"


def wrap(text: str, first: str = "", rest: str = "") -> str:
    """The text in lines of at most 100 columns; a number is not parted from its per cent sign.

    Example:
        >>> print(wrap("a " * 48 + "12 % lower"))
        a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a 12 %
        lower
    """
    held = re.sub(r"(?<=\d) %", "\u00a0%", clean(text))
    lines = textwrap.wrap(held, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return "\n".join(lines).replace("\u00a0", " ")


def bullet(text: str) -> str:
    """The text as an item of a list.

    Example:
        >>> bullet("One doubt.")
        '- One doubt.'
    """
    return wrap(text, "- ", "  ")


def heading(text: str, mark: str = "-") -> str:
    """A heading with a rule under it and, but for the first, a blank line before."""
    lines = wrap(text)
    longest = max(len(line) for line in lines.splitlines() or [""])
    return ("" if mark == "=" else "\n") + lines + "\n" + mark * longest


def grid(table: tables.Table) -> str:
    """A table in columns that fit the width; the widest text column is wrapped where they do not."""
    columns = len(table.columns)
    lines = [table.columns, *table.rows]
    widths = [max(len(line[at]) for line in lines) for at in range(columns)]
    room = WIDTH - 2 * (columns - 1)
    floors = [
        max(len(word) for line in lines for word in (line[at].split() or [""])) for at in range(columns)
    ]
    while sum(widths) > room:
        spare = [at for at in range(columns) if widths[at] > max(floors[at], 6)]
        if not spare:
            break
        widths[max(spare, key=lambda at: (at not in table.numeric, widths[at]))] -= 1
    out = [wrap(table.caption)]
    for line in lines:
        cells = [
            (textwrap.wrap(cell, widths[at], break_on_hyphens=False) or [""]) for at, cell in enumerate(line)
        ]
        for row in range(max(len(cell) for cell in cells)):
            parts = [
                (cell[row] if row < len(cell) else "").rjust(widths[at])
                if at in table.numeric
                else (cell[row] if row < len(cell) else "").ljust(widths[at])
                for at, cell in enumerate(cells)
            ]
            out.append("  ".join(parts).rstrip())
        if line is table.columns:
            out.append("  ".join("-" * width for width in widths))
    return "\n".join(["", *out, *(wrap(note) for note in table.notes)])
