"""result.json keeps its contract: every key, every number finite, the same bytes each time."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import report_fixtures as made

from whatworks_eval.judgement import Measure
from whatworks_eval.report import render
from whatworks_eval.report.as_json import NOT_FINITE
from whatworks_eval.report.schema import result_schema, schema_text

EVERY = pytest.mark.parametrize("name", list(made.EVERY))
ESTIMATE_KEYS = [
    *("scale", "unit", "measure", "value", "se", "low", "high", "confidence", "p_value", "smallest_p"),
    *("percent_change", "prevented", "recorded", "expected", "inference", "quantiles", "why_missing"),
]


def result(name: str) -> dict[str, Any]:
    """The JSON of a fixture, parsed with anything but strict numbers refused."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in the JSON")

    parsed: dict[str, Any] = json.loads(made.rendered(name, "json"), parse_constant=refuse)
    return parsed


@EVERY
def test_every_key_of_the_contract_is_there_in_order(name: str) -> None:
    """The keys of DESIGN 5 are there and no others."""
    found = result(name)
    assert list(found) == [
        *("schema", "tool", "protocol", "ledger", "contrast", "estimate"),
        *("alternatives", "over_time", "findings", "grade", "matching", "synthetic", "economics"),
    ]
    assert found["schema"] == 1
    assert found["economics"] is None
    assert list(found["estimate"]) == ESTIMATE_KEYS
    assert all(list(other) == ["label", "choice", *ESTIMATE_KEYS] for other in found["alternatives"])
    for key in ("percent_change", "prevented"):
        assert list(found["estimate"][key]) == ["value", "low", "high"]
    for finding in found["findings"]:
        assert list(finding) == [
            *("rule", "threat", "kind", "message", "evidence", "source", "level_from", "level_to")
        ]
        assert list(finding["source"]) == ["key", "text"]
        for measure in finding["evidence"]:
            assert list(measure) == ["name", "value", "unit", "low", "high", "threshold", "why_missing"]
            assert (measure["value"] is None) == (measure["why_missing"] is not None)
    assert list(found["grade"]) == ["scale", "ceiling", "level", "bound_by", "crosswalk"]


@EVERY
def test_a_result_fits_its_schema(name: str) -> None:
    """The shipped schema describes every fixture."""
    check(result(name), result_schema(), "result")


def check(value: Any, schema: dict[str, Any], where: str) -> None:
    """Fail where a value does not fit the parts of JSON Schema this project uses."""
    if "anyOf" in schema:
        kinds = [part.get("type") for part in schema["anyOf"]]
        check(value, schema["anyOf"][kinds.index("null") if value is None else 0], where)
        return
    if "const" in schema:
        assert value == schema["const"], where
    if "enum" in schema:
        assert value in schema["enum"], (where, value)
    kinds = schema.get("type", [])
    names = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "null": type(None),
    }
    names["number"] = (int, float)  # type: ignore[assignment]
    if kinds:
        assert any(
            isinstance(value, names[kind]) for kind in ([kinds] if isinstance(kinds, str) else kinds)
        ), (where, value)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        assert set(schema.get("required", ())) <= set(value), where
        for key, inner in value.items():
            rest = schema.get("additionalProperties", {})
            assert key in properties or rest is not False, f"{where}.{key} is not in the schema"
            check(inner, properties.get(key, rest or {}), f"{where}.{key}")
    if isinstance(value, list):
        for at, inner in enumerate(value):
            check(inner, schema.get("items", {}), f"{where}[{at}]")
    for key, limit in (("minimum", 1), ("maximum", -1)):
        if key in schema:
            assert limit * value >= limit * schema[key], (where, value)


@EVERY
def test_the_same_evaluation_gives_the_same_bytes(name: str) -> None:
    """No clock, path or order of a set reaches the JSON."""
    assert render(made.EVERY[name](), "json") == made.rendered(name, "json")


def test_a_number_that_is_not_finite_is_null_with_a_reason() -> None:
    """An infinite end or a NaN measure never reaches a reader as a number."""
    evaluation = made.large_drop()
    spoilt = made.finding("chance.dispersion", evidence=(Measure(name="phi", unit="ratio", value=math.nan),))
    spoilt_evaluation = replace(
        evaluation, estimate=replace(evaluation.estimate, low=-math.inf), findings=(spoilt,)
    )
    found = json.loads(render(spoilt_evaluation, "json"))
    assert found["estimate"]["low"] is None
    assert found["estimate"]["why_missing"] == NOT_FINITE
    assert found["findings"][0]["evidence"][0]["why_missing"] == NOT_FINITE


def test_a_missing_value_carries_its_reason() -> None:
    """Where nothing was recorded after, value is null and the reason says so."""
    found = result("nothing_after")["estimate"]
    assert found["value"] is None
    assert found["percent_change"] == {"value": None, "low": None, "high": pytest.approx(-62.0)}
    assert "nothing was recorded" in found["why_missing"]


def test_the_ledger_is_whole() -> None:
    """Rows, files, missing periods, and periods and areas dropped by source or window are all there."""
    found = result("large_drop")["ledger"]
    assert found["read"] == found["used"] + sum(sum(part.values()) for part in found["excluded"].values())
    assert found["periods_without_file"] == {"avon-and-somerset": ["2019-07"]}
    assert set(found["periods_dropped"]) == {"2018-07", "2019-07"}
    assert found["areas_dropped"] == {
        "E01000777": "in another force",
        "E01099999": "missing in 4 of 24 months",
    }
    assert len(found["periods_used"]["before"]) == 11
    assert [file["rows"] for file in found["files"]] == [13_873, 13_001]


def test_no_count_of_a_single_area_is_in_the_json() -> None:
    """Areas are named, and nothing is said of what any one of them recorded."""
    found = result("large_drop")
    assert found["contrast"]["treated"][0] == "E01000000"
    holders = [key for key in found if key not in {"protocol", "contrast"}]
    assert not any("E01000000" in json.dumps(found[key]) for key in holders)


def test_the_protocol_is_whole_with_its_hash() -> None:
    """The protocol can be read back, and its hash is the record's own."""
    evaluation = made.large_drop()
    found = result("large_drop")["protocol"]
    assert found.pop("sha256") == evaluation.protocol.sha256
    assert found == evaluation.protocol.as_dict()


def test_the_schema_in_docs_is_current() -> None:
    """docs/reference/result.schema.json is what the code generates."""
    place = Path(__file__).resolve().parent.parent / "docs" / "reference" / "result.schema.json"
    assert place.read_text(encoding="utf-8") == schema_text(), "run: python -m whatworks_eval.report.schema"
