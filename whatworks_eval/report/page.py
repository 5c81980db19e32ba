"""The evaluation as one self-contained HTML file: it loads nothing, runs nothing and can be printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from whatworks_eval.judgement import Evaluation, Finding, Source
from whatworks_eval.report import ledger_tables, tables
from whatworks_eval.report.as_json import tool
from whatworks_eval.report.charts import counts_chart, index_chart
from whatworks_eval.report.cohort_chart import cohort_chart
from whatworks_eval.report.drawing import Chart
from whatworks_eval.report.economics_page import in_template
from whatworks_eval.report.effect_charts import estimates_chart, placebo_chart
from whatworks_eval.report.event_study_chart import event_study_chart
from whatworks_eval.report.evidence import evidence
from whatworks_eval.report.its_chart import series_chart
from whatworks_eval.report.likeness_section import likeness_in_template
from whatworks_eval.report.maps import area_map
from whatworks_eval.report.numerals import clean
from whatworks_eval.report.over_time_tables import calendar_table, comparisons_table
from whatworks_eval.report.over_time_words import forbidden_sentence, unseen
from whatworks_eval.report.pretrend_chart import pretrend_chart
from whatworks_eval.report.running_chart import running_chart
from whatworks_eval.report.sensitivity_chart import sensitivity_chart
from whatworks_eval.report.strength import binding_sentence, doubts, level_sentence, what_would_raise
from whatworks_eval.report.subject import subject, when, where
from whatworks_eval.report.synthetic_section import synthetic_in_template
from whatworks_eval.report.templates import templates
from whatworks_eval.report.text import cap, rows_sentence
from whatworks_eval.report.words import headline, picked_for_need, question

if TYPE_CHECKING:
    from markupsafe import Markup

GROUPS = (
    ("caveat", "Caveats", "Weaknesses found. Those that lower the level most come first."),
    ("not assessed", "Not assessed", "What could not be measured counts as not shown, never as passed."),
    ("clear", "Clear", "Looked at, and nothing found that lowers the level."),
)
CHOSEN = {
    "random": "by lot",
    "phased": "in phases: every area was to be reached, some earlier than others",
    "need": "for need: places where the problem was worst",
    "volunteer": "they volunteered",
    "cutoff": "by a score and a cut-off",
}
UNITS = {
    "column": "as a column of the area file says",
    "lookup": "as the declared lookup says",
    "contiguous": "adjoining treated areas taken as one, as declared",
    "area": "each area its own, as declared",
    "found": "adjoining treated areas taken as one, though not declared",
    "not stated": "not declared: each area is taken as its own",
}


def as_html(evaluation: Evaluation) -> str:
    """The evaluation as HTML text: same evaluation, same bytes."""
    return templates().get_template("page.html.j2").render(**contents(evaluation)) + "\n"


def contents(evaluation: Evaluation) -> dict[str, Any]:
    """Everything the template prints."""
    from markupsafe import Markup

    hide = tables.hides_small_counts(evaluation)
    references = _references(evaluation.findings)
    return {
        "question": question(evaluation),
        "headline": headline(evaluation),
        "warn": picked_for_need(evaluation) is not None,
        "grade": evaluation.grade,
        "level_sentence": level_sentence(evaluation),
        "binding_sentence": binding_sentence(evaluation),
        "raising": what_would_raise(evaluation),
        "doubts": doubts(evaluation),
        "facts": facts(evaluation),
        "arms": tables.arms(evaluation),
        "index": _drawn(index_chart, evaluation, Markup),
        "counts": _drawn(counts_chart, evaluation, Markup),
        "series": _drawn(series_chart, evaluation, Markup),
        "running": _drawn(running_chart, evaluation, Markup),
        "alike": None if evaluation.likeness is None else likeness_in_template(evaluation.likeness),
        "mixture": synthetic_in_template(evaluation),
        "estimates": _drawn(estimates_chart, evaluation, Markup),
        "effects": tables.effects(evaluation),
        "other_units": tables.other_units(evaluation),
        "through": _through_time(evaluation, Markup),
        "economics": None if evaluation.economics is None else in_template(evaluation.economics),
        "placebo": _drawn(placebo_chart, evaluation, Markup),
        "map": _drawn(area_map, evaluation, Markup),
        "groups": [
            (kind, name, about, _shown(evaluation.findings, kind, references, hide=hide))
            for kind, name, about in GROUPS
        ],
        "references": list(references),
        "rows_sentence": rows_sentence(evaluation),
        "ledger": [
            table
            for table in (
                ledger_tables.rows_kept(evaluation) if evaluation.ledger.read else None,
                ledger_tables.lost(evaluation),
                ledger_tables.files(evaluation),
            )
            if table is not None
        ],
        "notes": [clean(note) for note in evaluation.ledger.notes],
        "declared": ledger_tables.declared(evaluation.protocol),
        "protocol": evaluation.protocol,
        "tool": tool(),
    }


def facts(evaluation: Evaluation) -> list[tuple[str, str]]:
    """What was done, where, when and how it was looked at: a name and a phrase each."""
    protocol, context = evaluation.protocol, evaluation.protocol.context
    found = [
        ("Project", clean(protocol.intervention.name)),
        ("Start", _start(evaluation)),
        ("How the places were chosen", CHOSEN[protocol.intervention.assignment]),
        ("What was counted", subject(protocol)),
        ("Who was compared", where(evaluation)),
        ("When", when(evaluation)),
        ("Method", f"{protocol.method}: {clean(evaluation.estimate.measure)}"),
    ]
    if protocol.outcome.source not in tables.PUBLISHED:
        found.insert(5, ("Units", UNITS[evaluation.contrast.unit_basis]))
    found += [
        ("Delivery", clean(context.delivery or "") or "not stated"),
        ("Evaluator", context.evaluator or "not stated"),
        ("Written down", str(protocol.registered) if protocol.registered else "no date given"),
    ]
    return found


def _start(evaluation: Evaluation) -> str:
    """The start; where areas start at different times, from when to when and in how many cohorts."""
    every = sorted(set(evaluation.contrast.starts.values()))
    if len(every) < 2:
        return clean(evaluation.protocol.intervention.start)
    return f"{clean(every[0])} to {clean(every[-1])}: {len(every)} different starts"


def _through_time(evaluation: Evaluation, safe: type[Markup]) -> dict[str, Any] | None:
    """The effect over time: pictures, tables, sentences for what has no picture; None if not followed."""
    over_time = evaluation.over_time
    if over_time is None:
        return None
    drawn = [
        _drawn(draw, evaluation, safe)
        for draw in (event_study_chart, pretrend_chart, cohort_chart, sensitivity_chart)
    ]
    calendar = calendar_table(evaluation, over_time.by_calendar) if over_time.by_calendar else None
    return {
        "unseen": unseen(evaluation),
        "drawn": [made for made in drawn if made is not None],
        "calendar": calendar,
        "comparisons": comparisons_table(over_time),
        "forbidden": forbidden_sentence(over_time),
    }


def _drawn(
    draw: Callable[[Evaluation], Chart | None], evaluation: Evaluation, safe: type[Markup]
) -> dict[str, Any] | None:
    made = draw(evaluation)
    if made is None:
        return None
    return {
        "id": made.id,
        "title": made.title,
        "svg": safe(made.svg),  # matplotlib escapes the names in it
        "table": made.table,
        "notes": made.notes,
    }


def _references(found: tuple[Finding, ...]) -> dict[tuple[str, str], int]:
    """Every source once, numbered in the order of the findings."""
    numbered: dict[tuple[str, str], int] = {}
    for kind, _, _ in GROUPS:
        for finding in found:
            if finding.kind == kind:
                numbered.setdefault(_key(finding.source), len(numbered) + 1)
    return numbered


def _key(source: Source) -> tuple[str, str]:
    return clean(source.key), clean(source.text)


def _shown(
    found: tuple[Finding, ...], kind: str, references: dict[tuple[str, str], int], *, hide: bool
) -> list[dict[str, Any]]:
    these = sorted((finding for finding in found if finding.kind == kind), key=lambda finding: finding.cap)
    return [
        {
            "name": finding.rule.split(".", 1)[-1].replace("-", " "),
            "threat": finding.threat,
            "rule": finding.rule,
            "cap": cap(finding) if kind != "clear" else "",
            "message": clean(finding.message),
            "evidence": evidence(finding, hide=hide),
            "remedy": clean(finding.remedy) if kind != "clear" else "",
            "source": clean(finding.source.key),
            "reference": references[_key(finding.source)],
        }
        for finding in these
    ]
