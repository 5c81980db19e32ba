"""Cases of the rules that surveys brought: one that fires, one that is clear, one that cannot be assessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from cases import World, make_case

from whatworks_eval.contrast import build_contrast
from whatworks_eval.judgement import Case
from whatworks_eval.methods.survey_difference import from_panel
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.protocol import protocol_from_dict
from whatworks_eval.windows import build_windowed


def survey(*, base: float | None = 2000.0, rolling: int | None = 3) -> Case:
    """Two areas asked in two quarters a year apart, two quarters after the start."""
    values = np.array([[0.60, 0.5, 0.5, 0.5, 0.66], [0.50, 0.5, 0.5, 0.5, 0.51]])
    panel = Panel(
        areas=("A", "B"),
        periods=("2018-Q1", "2018-Q2", "2018-Q3", "2018-Q4", "2019-Q1"),
        period="quarter",
        counts=values,
        observed=np.ones(values.shape, dtype=bool),
        bases=None if base is None else np.full(values.shape, base),
        rolling_months=rolling,
        ledger=Ledger(),
    )
    protocol = protocol_from_dict(
        {
            "schema": 1,
            "id": "survey",
            "question": "?",
            "method": "relative-effect",
            "period": "quarter",
            "intervention": {"name": "x", "start": "2018-Q4", "assignment": "volunteer"},
            "outcome": {"source": "survey", "path": "survey.csv"},
            "windows": {"before": ["2018-Q1", "2018-Q1"], "after": ["2019-Q1", "2019-Q1"]},
            "areas": {"treated": ["A"], "comparison": "rest", "unit": "area"},
        }
    )
    contrast = build_contrast(protocol, panel)
    windowed = build_windowed(protocol, panel, contrast)
    assert windowed is not None
    effect = from_panel(protocol, panel, contrast, windowed)
    return Case(
        protocol=protocol,
        data=panel,
        contrast=contrast,
        windowed=windowed,
        estimate=effect.estimate,
        alternatives=effect.alternatives,
        sets=effect.sets,
    )


def counted(value: float, p_value: float = 0.03, **changes: Any) -> Case:
    """Counts of burglary with an estimate set by hand."""
    case = make_case(World(treated=6, comparison=12), changes=changes)
    return replace(
        case,
        estimate=replace(case.estimate, value=value, low=value - 0.05, high=value + 0.05, p_value=p_value),
    )


BURGLARY: dict[str, Any] = {"outcome": {"offences": ["Burglary"]}}
OTHERS: dict[str, Any] = {"context": {"outcomes": [{"name": "theft", "p_value": 0.5}]}}

SURVEY_CASES: list[tuple[str, Callable[[], Case], str, int]] = [
    ("chance.small-base", lambda: survey(base=300.0), "caveat", 5),
    ("chance.small-base", survey, "clear", 5),
    ("chance.small-base", lambda: survey(base=None), "not assessed", 5),
    ("analysis.overlapping-estimates", lambda: survey(rolling=12), "caveat", 5),
    ("analysis.overlapping-estimates", survey, "clear", 5),
    ("analysis.overlapping-estimates", lambda: survey(rolling=None), "not assessed", 5),
    ("recording.tipping-point", lambda: counted(-0.10, **BURGLARY), "caveat", 5),
    ("recording.tipping-point", lambda: counted(-0.50, **BURGLARY), "clear", 5),
    ("recording.tipping-point", lambda: counted(-0.10), "not assessed", 5),
    ("analysis.several-outcomes", lambda: counted(-0.1, **OTHERS), "caveat", 5),
    ("analysis.several-outcomes", lambda: counted(-0.1, 0.001, **OTHERS), "clear", 5),
    ("analysis.several-outcomes", lambda: counted(-0.1), "not assessed", 5),
]


def _group(chosen: str) -> Mapping[str, Any]:
    return {"context": {"subgroup": {"what": "women", "chosen": chosen}}}


def _changes(unit: str) -> Mapping[str, Any]:
    return {
        "outcome": {
            "source": "published-changes",
            "kind": "proportion",
            "path": None,
            "offences": None,
            "changes": {"treated": 17, "comparison": 3, "unit": unit},
        },
        "areas": None,
    }


SURVEY_DESIGNS: list[tuple[str, Mapping[str, Any], str, int]] = [
    ("analysis.subgroup", _group("afterwards"), "caveat", 3),
    ("analysis.subgroup", _group("not stated"), "not assessed", 3),
    ("analysis.subgroup", _group("beforehand"), "clear", 5),
    ("analysis.percent-or-points", _changes("not stated"), "caveat", 5),
    ("analysis.percent-or-points", _changes("points"), "clear", 5),
]
