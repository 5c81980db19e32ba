"""The evaluation for a machine: JSON, schema 1. Same evaluation, same bytes; every number finite or null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from whatworks_eval.judgement import Evaluation, Finding, Measure
from whatworks_eval.records import Estimate, Interval
from whatworks_eval.report.likeness_section import likeness_dict
from whatworks_eval.report.synthetic_section import synthetic_dict

SCHEMA = 1
NOT_FINITE = "the computed value was not a finite number"


def as_json(evaluation: Evaluation) -> str:
    """The evaluation as JSON text: keys in a fixed order, two spaces, a line feed at the end.

    It names the areas compared but says nothing of any single area's counts.

    Example:
        >>> from whatworks_eval import evaluate, load_data, load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> protocol = load_protocol(shipped_path("designs", "police-now-2016"))
        >>> evaluation = evaluate(protocol, load_data(protocol))
        >>> json.loads(as_json(evaluation))["grade"]["level"]
        2
    """
    return json.dumps(as_dict(evaluation), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_dict(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as plain JSON values, as `docs/reference/result.schema.json` describes them."""
    from whatworks_eval.report.over_time_json import over_time  # it is made with this file's `finite`

    return {
        "schema": SCHEMA,
        "tool": tool(),
        "protocol": {"sha256": evaluation.protocol.sha256, **evaluation.protocol.as_dict()},
        "ledger": ledger(evaluation),
        "contrast": contrast(evaluation),
        "estimate": estimate(evaluation.estimate),
        "alternatives": [
            {"label": other.label, "choice": other.choice, **estimate(other)}
            for other in evaluation.alternatives
        ],
        "over_time": over_time(evaluation),
        "findings": [finding(found) for found in evaluation.findings],
        "grade": {
            "scale": evaluation.grade.scale,
            "ceiling": evaluation.grade.ceiling,
            "level": evaluation.grade.level,
            "bound_by": list(evaluation.grade.bound_by),
            "crosswalk": dict(evaluation.grade.crosswalk),
        },
        "matching": None if evaluation.likeness is None else likeness_dict(evaluation.likeness),
        "synthetic": synthetic_dict(evaluation),
        "economics": _economics(evaluation),
    }


def _economics(evaluation: Evaluation) -> dict[str, Any] | None:
    """What the protocol's [economics] came to; None where it has none."""
    from whatworks_eval.report.economics_section import economics_dict

    return None if evaluation.economics is None else economics_dict(evaluation.economics)


def tool() -> dict[str, str]:
    """Name and version of this package."""
    from whatworks_eval import __version__

    return {"name": "whatworks-eval", "version": __version__}


def ledger(evaluation: Evaluation) -> dict[str, Any]:
    """What happened to every row, file, period and area, of the source and of the windows."""
    kept, windowed = evaluation.ledger, evaluation.windowed
    before, after = windowed.periods if windowed is not None else ((), ())
    return {
        "read": kept.read,
        "used": kept.used,
        "excluded": {reason: _sorted(by_period) for reason, by_period in sorted(kept.excluded.items())},
        "files": [{"name": file.name, "sha256": file.sha256, "rows": file.rows} for file in kept.files],
        "periods_without_file": {
            force: list(periods) for force, periods in sorted(kept.periods_without_file.items())
        },
        "forces": {
            force: {
                period: {"rows": rows, "unlocated": unlocated}
                for period, (rows, unlocated) in sorted(by_period.items())
            }
            for force, by_period in sorted(kept.forces.items())
        },
        "periods_used": {"before": list(before), "after": list(after)},
        "periods_dropped": _sorted(windowed.periods_dropped) if windowed is not None else {},
        "areas_dropped": _sorted({**kept.areas_dropped, **(windowed.areas_dropped if windowed else {})}),
        "notes": list(kept.notes),
    }


def contrast(evaluation: Evaluation) -> dict[str, Any]:
    """Who was compared with whom, in which units."""
    used = evaluation.contrast
    return {
        "treated": list(used.treated),
        "comparison": list(used.comparison),
        "buffer": list(used.buffer),
        "pool": list(used.pool),
        "units": _sorted(used.units),
        "unit_basis": used.unit_basis,
        "comparison_units": used.comparison_units,
        "chosen": used.chosen,
        "weights": None if used.weights is None else {a: finite(w) for a, w in sorted(used.weights.items())},
        "pairs": [list(pair) for pair in used.pairs],
    }


def estimate(made: Estimate) -> dict[str, Any]:
    """An estimate on its own scale, with the percentage change and incidents prevented that follow."""
    why = made.why_missing
    if why is None and any(
        part is not None and not math.isfinite(part) for part in (made.value, made.low, made.high)
    ):
        why = NOT_FINITE
    return {
        "scale": made.scale,
        "unit": made.unit,
        "measure": made.measure,
        "value": finite(made.value),
        "se": finite(made.se),
        "low": finite(made.low),
        "high": finite(made.high),
        "confidence": made.confidence,
        "p_value": finite(made.p_value),
        "smallest_p": finite(made.smallest_p),
        "percent_change": interval(made.percent_change),
        "prevented": interval(made.prevented),
        "recorded": finite(made.recorded),
        "expected": finite(made.expected),
        "inference": made.inference,
        "quantiles": [finite(quantile) for quantile in made.quantiles],
        "why_missing": why,
    }


def finding(found: Finding) -> dict[str, Any]:
    """A rule's verdict with the numbers behind it."""
    return {
        "rule": found.rule,
        "threat": found.threat,
        "kind": found.kind,
        "message": found.message,
        "evidence": [measure(taken) for taken in found.evidence],
        "source": {"key": found.source.key, "text": found.source.text},
        "level_from": found.level_from,
        "level_to": found.level_to,
    }


def measure(taken: Measure) -> dict[str, Any]:
    """A measure; null with a reason where it could not be taken."""
    value = finite(taken.value)
    why = taken.why_missing
    if value is None and why is None:
        why = NOT_FINITE if taken.value is not None else "not measured"
    return {
        "name": taken.name,
        "value": value,
        "unit": taken.unit,
        "low": finite(taken.low),
        "high": finite(taken.high),
        "threshold": finite(taken.threshold),
        "why_missing": why,
    }


def interval(span: Interval) -> dict[str, float | None]:
    """Value, low and high."""
    return {"value": finite(span.value), "low": finite(span.low), "high": finite(span.high)}


def finite(value: float | None) -> float | None:
    """The number, or None where it is missing or not finite.

    Example:
        >>> finite(2), finite(math.inf), finite(None)
        (2.0, None, None)
    """
    return float(value) if value is not None and math.isfinite(value) else None


def _sorted(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(mapping.items()))
