"""The economics of a report, whole: one shape for the terminal, the page and the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whatworks_eval.economics.records import CostBenefit
from whatworks_eval.judgement import Finding
from whatworks_eval.report import as_json, economics_tables, text
from whatworks_eval.report.as_json import finite, interval
from whatworks_eval.report.economics_words import economics_headline, economics_sentences
from whatworks_eval.report.numerals import clean
from whatworks_eval.report.tables import Table

TITLE = "Was it worth it?"
NOT_ASSESSED = "not assessed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What a report says of money.

    Attributes:
        headline: The answer, with its range and level.
        sentences: What else is asked.
        tables: In the order of the report.
        doubts: Findings of the rules on economics that are not clear: rule, then message.
        clear: Names of the rules that found nothing.
    """

    headline: str
    sentences: tuple[str, ...]
    tables: tuple[Table, ...]
    doubts: tuple[tuple[str, str], ...]
    clear: tuple[str, ...]


def section_of(made: CostBenefit) -> Section:
    """The section, from a CostBenefit alone."""
    return Section(
        headline=economics_headline(made),
        sentences=tuple(economics_sentences(made)),
        tables=tuple(economics_tables.tables_of(made)),
        doubts=tuple((found.rule, _said(found)) for found in made.caveats),
        clear=tuple(found.rule for found in made.findings if found.kind == "clear"),
    )


def _said(found: Finding) -> str:
    return clean(found.message) if found.kind != NOT_ASSESSED else f"Not assessed: {clean(found.message)}"


def economics_text(made: CostBenefit, *, mark: str = "-") -> str:
    """The section for a terminal."""
    more = (economics_tables.tornado(made),) if made.tornado else ()
    return section_text(section_of(made), title=TITLE, mark=mark, more=more)


def section_text(section: Section, *, title: str, mark: str = "-", more: tuple[Table, ...] = ()) -> str:
    """Any section for a terminal: headline, sentences, tables (and more of them), doubts."""
    parts = [text.heading(title, mark), text.wrap(section.headline)]
    parts += [text.bullet(sentence) for sentence in section.sentences]
    parts += [text.grid(table) for table in (*section.tables, *more)]
    if section.doubts:
        parts += ["", text.wrap("What the pounds rest on:")]
        parts += [text.bullet(f"[{rule}] {said}") for rule, said in section.doubts]
    if section.clear:
        parts += ["", text.wrap(f"Clear: {', '.join(section.clear)}.")]
    return "\n".join(parts)


def economics_dict(made: CostBenefit) -> dict[str, Any]:
    """The section as plain JSON values: every number finite, or null with its reason."""
    return {
        "price_year": made.price_year,
        "base_year": made.base_year,
        "unit_costs": made.edition,
        "level": made.level,
        "headline": economics_headline(made),
        "cost": interval(made.cost),
        "benefit": interval(made.benefit),
        "net": interval(made.net),
        "ratio": interval(made.ratio),
        "probability_above_one": finite(made.probability_above_one),
        "probability_why_missing": made.probability_why_missing,
        "why_missing": made.why_missing,
        "range_why_missing": made.range_why_missing,
        "range_share": made.range_share,
        "draws": made.draws,
        "seed": made.seed,
        "months": made.months,
        "persistence_months": made.persistence_months,
        "cost_cash": finite(made.cost_cash),
        "cost_opportunity": finite(made.cost_opportunity),
        "cost_by_kind": _numbers(made.cost_by_kind),
        "cost_by_payer": _numbers(made.cost_by_payer),
        "cost_by_year": _numbers(made.cost_by_year),
        "benefit_by_perspective": _numbers(made.benefit_by_perspective),
        "benefit_by_beneficiary": _numbers(made.benefit_by_beneficiary),
        "cashable": finite(made.cashable),
        "capacity_released": finite(made.capacity_released),
        "cost_per_incident": interval(made.cost_per_incident),
        "cost_per_incident_why_missing": made.cost_per_incident_why_missing,
        "payback_months": finite(made.payback_months),
        "payback_why_missing": made.payback_why_missing,
        "break_even_incidents": finite(made.break_even_incidents),
        "break_even_why_missing": made.break_even_why_missing,
        "prevented_a_year": interval(made.prevented_a_year),
        "prevented_includes_zero": made.prevented_includes_zero,
        "anticipation_included": made.anticipation_included,
        "costs": [
            {
                "item": line.item,
                "gbp": finite(line.gbp),
                "year": line.year,
                "price_year": line.price_year,
                "kind": line.kind,
                "payer": line.payer,
                "cash": line.cash,
                "real": finite(line.real),
                "year_index": line.year_index,
                "present_value": finite(line.present_value),
            }
            for line in made.costs
        ],
        "benefits": [
            {
                "category": line.category,
                "offence": line.offence,
                "share": finite(line.share),
                "incidents": interval(line.incidents),
                "multiplier": finite(line.multiplier),
                "unit_cost": interval(line.unit_cost),
                "published": finite(line.published),
                "published_price_year": line.published_price_year,
                "present_value": interval(line.present_value),
                "parts": [
                    {
                        "component": part.component,
                        "perspective": part.perspective,
                        "beneficiary": part.beneficiary,
                        "present_value": finite(part.present_value),
                    }
                    for part in line.parts
                ],
                "source": line.source,
                "confidence": line.confidence,
            }
            for line in made.benefits
        ],
        "not_valued": [
            {"category": one.category, "share": finite(one.share), "why": one.why} for one in made.not_valued
        ],
        "not_valued_share": finite(made.not_valued_share),
        "harm": None
        if made.harm is None
        else {
            "scheme": made.harm.scheme,
            "unit": made.harm.unit,
            "prevented": interval(made.harm.prevented),
            "cost_per_unit": finite(made.harm.cost_per_unit),
            "why_missing": made.harm.why_missing,
            "caveat": made.harm.caveat,
        },
        "hours": None
        if made.hours is None
        else {
            "hours": interval(made.hours.hours),
            "grade": made.hours.grade,
            "hourly": finite(made.hours.hourly),
            "value": interval(made.hours.value),
            "source": made.hours.source,
            "confidence": made.hours.confidence,
        },
        "tornado": [
            {
                "input": entry.input,
                "unit": entry.unit,
                "low": finite(entry.low),
                "high": finite(entry.high),
                "ratio_at_low": finite(entry.ratio_at_low),
                "ratio_at_high": finite(entry.ratio_at_high),
            }
            for entry in made.tornado
        ],
        "chain": [
            {
                "step": step.step,
                "value": finite(step.value),
                "unit": step.unit,
                "low": finite(step.low),
                "high": finite(step.high),
                "source": step.source,
                "confidence": step.confidence,
            }
            for step in made.chain
        ],
        "caveats": [as_json.finding(found) for found in made.caveats],
    }


def _numbers(mapping: Mapping[Any, float]) -> dict[str, float | None]:
    return {str(name): finite(pounds) for name, pounds in mapping.items()}
