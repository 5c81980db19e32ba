"""What economics needs to know of an effect: how many incidents were prevented, over how long, how surely."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.judgement import Evaluation
from whatworks_eval.measures.declared import has_comparison
from whatworks_eval.methods.effect_measures import BUFFER
from whatworks_eval.periods import first_day, months_between
from whatworks_eval.records import Estimate, Interval

# Where the 199 quantiles of an estimate lie: 0.5 %, 1 %, … 99.5 %.
PROBABILITIES = np.arange(1, 200) / 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectInput:
    """An effect as economics takes it: from an Evaluation, or read back from a result file.

    Attributes:
        prevented: Recorded incidents (or hours) prevented in the treated areas over the after window.
        why_missing: Why that is missing, or has no range; None where both are there.
        quantiles: 199 quantiles of the same, ascending (0.5 %, 1 %, … 99.5 %); empty where there are none.
        confidence: Of the interval.
        months: Length of the after window as used, in months.
        months_declared: The same as declared: dropped periods included.
        start: First day of the after window.
        level: The level the evaluation reached.
        offences: Categories counted together; None where not said.
        compared: True where the effect is against comparison areas.
        buffer: Incidents prevented in the buffer, measured beside; None where no buffer was measured.
        harm: Scheme of harm weights the protocol names; None where it names none.
        base: Folder that paths in the protocol are relative to.
        seed: Of every draw.
    """

    prevented: Interval
    why_missing: str | None = None
    quantiles: tuple[float, ...] = ()
    confidence: float = 0.95
    months: float
    months_declared: float
    start: date
    level: int
    offences: tuple[str, ...] | None = None
    compared: bool = True
    buffer: Interval | None = None
    harm: Literal["CCHI 2026", "ONS CSS 2019"] | None = None
    base: Path = Path()
    seed: int = 1


def effect_of(evaluation: Evaluation) -> EffectInput:
    """What an Evaluation says of its effect, as economics takes it.

    Example:
        >>> from whatworks_eval import evaluate, load_data, load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> protocol = load_protocol(shipped_path("designs", "simulated-neighbourhoods"))
        >>> found = effect_of(evaluate(protocol, load_data(protocol)))
        >>> found.months, len(found.quantiles)
        (22.0, 199)
    """
    protocol, estimate = evaluation.protocol, evaluation.estimate
    economics = protocol.economics
    if protocol.windows is not None:
        first, last = protocol.windows.after
        declared = months_between(first, last, protocol.period)
        start = first_day(first, protocol.period)
    else:
        assert economics is not None
        assert economics.months is not None  # a contradiction otherwise
        declared = economics.months
        start = first_day(protocol.intervention.start, protocol.period)
    used = declared
    if evaluation.windowed is not None and evaluation.windowed.periods[1]:
        used = evaluation.windowed.months[1]
    beside = next((one for one in evaluation.alternatives if one.label == BUFFER), None)
    return EffectInput(
        prevented=estimate.prevented,
        why_missing=why_no_incidents(estimate),
        quantiles=prevented_quantiles(estimate),
        confidence=protocol.confidence,
        months=used,
        months_declared=declared,
        start=start,
        level=evaluation.grade.level,
        offences=protocol.outcome.offences,
        compared=has_comparison(protocol),
        buffer=beside.prevented if beside is not None and beside.prevented.value is not None else None,
        harm=protocol.outcome.harm,
        base=protocol.base,
        seed=protocol.seed,
    )


def why_no_incidents(estimate: Estimate) -> str | None:
    """Why an estimate says nothing, or nothing certain, of a number of incidents prevented."""
    if estimate.prevented.value is not None:
        return (
            None
            if estimate.quantiles
            else (estimate.why_missing or "the estimate has no quantiles to draw from")
        )
    if estimate.value is None:
        return estimate.why_missing or "there is no estimate"
    if not estimate.recorded:
        return (
            "the number of incidents recorded in the treated areas is "
            + ("zero" if estimate.recorded == 0 else "not known")
            + ", so how many were expected cannot be said"
        )
    return "the effect is not one of a number of incidents"


def prevented_quantiles(estimate: Estimate) -> tuple[float, ...]:
    """The 199 quantiles of the incidents prevented, ascending; empty where the estimate has none.

    Example:
        >>> one = Estimate(measure="difference", scale="difference", value=-10.0, confidence=0.95,
        ...                inference="given", quantiles=tuple(float(at) for at in range(-109, 90)))
        >>> prevented_quantiles(one)[0], prevented_quantiles(one)[-1]
        (-89.0, 109.0)
    """
    if len(estimate.quantiles) != len(PROBABILITIES) or estimate.prevented.value is None:
        return ()
    effect: NDArray[np.float64] = np.asarray(estimate.quantiles)[::-1]
    if estimate.scale == "difference":
        return tuple((-effect).tolist())
    return tuple(((estimate.recorded or 0.0) * np.expm1(-effect)).tolist())
