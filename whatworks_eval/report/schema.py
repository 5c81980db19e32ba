"""The JSON Schema of result.json: what `as_json` promises, for whoever reads it with another program.

Written to docs/reference by `python -m whatworks_eval.report.schema`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from whatworks_eval.judgement import Kind, Threat
from whatworks_eval.records import Contrast, Scale

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
TEXTS: Json = {"type": "array", "items": TEXT}
COUNT: Json = {"type": "integer", "minimum": 0}
NUMBER: Json = {"type": "number"}
MAYBE: Json = {"type": ["number", "null"]}
LEVEL: Json = {"type": "integer", "minimum": 1, "maximum": 5}
_ECONOMICS_NUMBERS = (
    *(
        "probability_above_one",
        "range_share",
        "months",
        "persistence_months",
        "cost_cash",
        "cost_opportunity",
    ),
    *("cashable", "capacity_released", "payback_months", "break_even_incidents", "not_valued_share"),
)
_ECONOMICS_REASONS = ("", "range_", "probability_", "cost_per_incident_", "payback_", "break_even_")
SHA256: Json = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def result_schema() -> Json:
    """The schema as plain JSON values.

    Example:
        >>> sorted(result_schema()["properties"])[:3]
        ['alternatives', 'contrast', 'economics']
    """
    from whatworks_eval.report.over_time_schema import over_time_schema  # it is made with this file's parts

    made = _object(
        schema={"const": 1},
        tool=_object(name=TEXT, version=TEXT),
        protocol={
            "type": "object",
            "required": ["sha256", "schema", "id"],
            "properties": {"sha256": SHA256},
            "description": "The declared design with defaults filled in; see protocol.schema.json.",
        },
        ledger=_object(
            read=COUNT,
            used=COUNT,
            excluded=_map(_map(COUNT)),
            files=_list(_object(name=TEXT, sha256=TEXT, rows=COUNT)),
            periods_without_file=_map(TEXTS),
            forces=_map(_map(_object(rows=COUNT, unlocated=COUNT))),
            periods_used=_object(before=TEXTS, after=TEXTS),
            periods_dropped=_map(TEXT),
            areas_dropped=_map(TEXT),
            notes=TEXTS,
        ),
        contrast=_object(
            treated=TEXTS,
            comparison=TEXTS,
            buffer=TEXTS,
            pool=TEXTS,
            units=_map(TEXT),
            unit_basis={"enum": _literals(Contrast, "unit_basis")},
            comparison_units={"type": "boolean"},
            chosen=TEXT,
            weights=_maybe(_map(NUMBER)),
            pairs=_list({"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}),
        ),
        estimate=_estimate(),
        alternatives=_list(_estimate(label=TEXT, choice=_maybe(TEXT))),
        over_time=over_time_schema(),
        findings=_list(_finding()),
        grade=_object(scale=TEXT, ceiling=LEVEL, level=LEVEL, bound_by=TEXTS, crosswalk=_map(LEVEL)),
        matching=_maybe(likeness_schema()),
        synthetic=_maybe(synthetic_schema()),
        economics=_maybe(economics_schema()),
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "result.json of whatworks_eval, schema 1",
        "description": "Every number is finite, or null with its reason in why_missing.",
        **made,
    }


def synthetic_schema() -> Json:
    """What a synthetic comparison rests on; null for other methods. Series and fit in index points.

    Example:
        >>> sorted(synthetic_schema()["properties"])[:3]
        ['as_good', 'donor_word', 'donors']
    """
    return _object(
        kind=TEXT,
        donor_word=TEXT,
        possible=COUNT,
        effective=NUMBER,
        donors=_list(_object(name=TEXT, areas=TEXTS, weight=NUMBER, without=MAYBE)),
        fit=_object(rmspe=NUMBER, typical=MAYBE, p_value=MAYBE, smallest_p=MAYBE),
        as_good=_maybe(_object(low=MAYBE, high=MAYBE, slack_percent=NUMBER, unique={"type": "boolean"})),
        in_time=_object(
            start=_maybe(TEXT), value=MAYBE, p_value=MAYBE, smallest_p=MAYBE, why_missing=_maybe(TEXT)
        ),
        series=_list(_object(period=TEXT, window=TEXT, recorded=MAYBE, expected=MAYBE)),
    )


def likeness_schema() -> Json:
    """What is said of a matched comparison, from before the start alone; null where there is none.

    Example:
        >>> sorted(likeness_schema()["properties"])[:3]
        ['algorithm', 'averaged', 'beyond']
    """
    gap = _object(
        treated=NUMBER,
        comparison=NUMBER,
        standardised=MAYBE,
        variance_ratio=MAYBE,
        why_missing=_maybe(TEXT),
    )
    return _object(
        **dict.fromkeys(("chosen", "algorithm", "estimand"), TEXT),
        searched=_maybe(TEXT),
        averaged=_map(COUNT),
        on=TEXTS,
        **dict.fromkeys(("treated", "matched", "pool", "used"), COUNT),
        effective=NUMBER,
        heaviest=_object(area=TEXT, stands_for=NUMBER),
        features=_list(
            _object(name=TEXT, matched_on={"type": "boolean"}, before=gap, after=gap, not_known=COUNT)
        ),
        unmatched=_map(TEXT),
        beyond=_list(_object(area=TEXT, how_far=TEXT)),
    )


def _finding() -> Json:
    measure = _object(
        name=TEXT,
        value=MAYBE,
        unit=TEXT,
        low=MAYBE,
        high=MAYBE,
        threshold=MAYBE,
        why_missing=_maybe(TEXT),
    )
    return _object(
        rule={"type": "string", "pattern": r"^[a-z]+\.[a-z0-9-]+$"},
        threat={"enum": list(get_args(Threat))},
        kind={"enum": list(get_args(Kind))},
        message=TEXT,
        evidence=_list(measure),
        source=_object(key=TEXT, text=TEXT),
        level_from=LEVEL,
        level_to=LEVEL,
    )


def economics_schema() -> Json:
    """What the economics of a result is; pounds of `price_year`, present values unless their name says not.

    Example:
        >>> sorted(economics_schema()["properties"])[:2]
        ['anticipation_included', 'base_year']
    """
    span = _object(value=MAYBE, low=MAYBE, high=MAYBE)
    parts = _object(component=TEXT, perspective=TEXT, beneficiary=TEXT, present_value=MAYBE)
    return _object(
        **dict.fromkeys(("price_year", "base_year", "unit_costs", "headline"), TEXT),
        level=LEVEL,
        **dict.fromkeys(("cost", "benefit", "net", "ratio", "cost_per_incident", "prevented_a_year"), span),
        **dict.fromkeys(_ECONOMICS_NUMBERS, MAYBE),
        **{f"{name}why_missing": _maybe(TEXT) for name in _ECONOMICS_REASONS},
        draws=COUNT,
        seed=COUNT,
        **{f"cost_by_{name}": _map(MAYBE) for name in ("kind", "payer", "year")},
        **{f"benefit_by_{name}": _map(MAYBE) for name in ("perspective", "beneficiary")},
        prevented_includes_zero=_maybe({"type": "boolean"}),
        anticipation_included={"type": "boolean"},
        costs=_list(
            _object(
                **dict.fromkeys(("item", "year", "price_year", "kind", "payer"), TEXT),
                **dict.fromkeys(("gbp", "real", "present_value"), MAYBE),
                cash={"type": "boolean"},
                year_index=COUNT,
            )
        ),
        benefits=_list(
            _object(
                **dict.fromkeys(("category", "offence", "published_price_year", "source"), TEXT),
                **dict.fromkeys(("share", "multiplier", "published"), MAYBE),
                **dict.fromkeys(("incidents", "unit_cost", "present_value"), span),
                parts=_list(parts),
                confidence=TEXT,
            )
        ),
        not_valued=_list(_object(category=TEXT, share=MAYBE, why=TEXT)),
        harm=_maybe(
            _object(
                **dict.fromkeys(("scheme", "unit", "caveat"), TEXT),
                prevented=span,
                cost_per_unit=MAYBE,
                why_missing=_maybe(TEXT),
            )
        ),
        hours=_maybe(
            _object(
                **dict.fromkeys(("grade", "source", "confidence"), TEXT),
                hours=span,
                hourly=MAYBE,
                value=span,
            )
        ),
        tornado=_list(
            _object(
                **dict.fromkeys(("input", "unit"), TEXT),
                **dict.fromkeys(("low", "high", "ratio_at_low", "ratio_at_high"), MAYBE),
            )
        ),
        chain=_list(
            _object(
                **dict.fromkeys(("step", "unit", "source"), TEXT),
                **dict.fromkeys(("value", "low", "high"), MAYBE),
                confidence=_maybe(TEXT),
            )
        ),
        caveats=_list(_finding()),
    )


def _estimate(**more: Json) -> Json:
    interval = _object(value=MAYBE, low=MAYBE, high=MAYBE)
    return _object(
        **more,
        scale={"enum": list(get_args(Scale))},
        unit=TEXT,
        measure=TEXT,
        value=MAYBE,
        se=MAYBE,
        low=MAYBE,
        high=MAYBE,
        confidence=NUMBER,
        p_value=MAYBE,
        smallest_p=MAYBE,
        percent_change=interval,
        prevented=interval,
        recorded=MAYBE,
        expected=MAYBE,
        inference=TEXT,
        quantiles=_list(NUMBER),
        why_missing=_maybe(TEXT),
    )


def _object(**properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _map(of: Json) -> Json:
    return {"type": "object", "additionalProperties": of}


def _list(of: Json) -> Json:
    return {"type": "array", "items": of}


def _maybe(of: Json) -> Json:
    return {"anyOf": [of, {"type": "null"}]}


def _literals(record: type, field: str) -> list[str]:
    from typing import get_type_hints

    return list(get_args(get_type_hints(record)[field]))


def schema_text() -> str:
    """The schema as text, as it stands in docs/reference."""
    return json.dumps(result_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    place = Path(__file__).resolve().parents[2] / "docs" / "reference" / "result.schema.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(schema_text(), encoding="utf-8")
    print(f"Written: {place}")
