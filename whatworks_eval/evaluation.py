"""The line from a declared design to an answer: appraise without data, evaluate with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from whatworks_eval.alternatives import alternatives_of
from whatworks_eval.caveats import ask_design, ask_evidence
from whatworks_eval.contrast import build_contrast
from whatworks_eval.economics.appraise import check_economics, cost_benefit
from whatworks_eval.grade import ceiling_of, grade
from whatworks_eval.judgement import Case, Evaluation, Finding, Grade
from whatworks_eval.measures.likeness import likeness_of
from whatworks_eval.methods import METHODS
from whatworks_eval.methods.result import Effect
from whatworks_eval.methods.survey_shares import series_of_shares
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Data, Series, Windowed
from whatworks_eval.windows import build_windowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraisal:
    """How far a design could go, from the protocol alone.

    Attributes:
        protocol: What was declared.
        findings: Every design rule asked.
        grade: Its level is the best this design can reach.
    """

    protocol: Protocol
    findings: tuple[Finding, ...]
    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An estimate with what it rests on, before anything is judged.

    Attributes:
        contrast: Who is compared with whom.
        windowed: Counts before and after; None for published changes.
        effect: The estimate and what came out beside it.
    """

    contrast: Contrast
    windowed: Windowed | None
    effect: Effect


def appraise(protocol: Protocol) -> Appraisal:
    """The best level a design could reach and what holds it there; needs no data.

    Example:
        >>> from whatworks_eval import load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> appraise(load_protocol(shipped_path("designs", "police-now-2016"))).grade.ceiling
        2
    """
    _check_economics(protocol)
    findings = ask_design(protocol)
    return Appraisal(protocol=protocol, findings=findings, grade=grade(findings))


def estimate(protocol: Protocol, data: Data) -> Answer:
    """The registered estimate alone, without judgement: what `evaluate` and the calibration tables call.

    Raises:
        DataError: Where the data cannot carry the declared design.
        CannotEstimate: Where a window or an arm is empty, or the method cannot take this input.
    """
    contrast = build_contrast(protocol, data)
    windowed = build_windowed(protocol, data, contrast)
    method = METHODS[protocol.method]
    return Answer(
        contrast=contrast,
        windowed=windowed,
        effect=method.estimate(protocol, data, contrast, windowed),
    )


def evaluate(protocol: Protocol, data: Data) -> Evaluation:
    """The effect, its interval, the level and every caveat: the only public way to an estimate.

    Args:
        protocol: The declared design.
        data: What `load_data` or `panel_from_counts` returned.

    Raises:
        DataError: Where the data cannot carry the declared design.
        CannotEstimate: Where a window or an arm is empty, or the method cannot take this input.

    Example:
        >>> from whatworks_eval import load_data, load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> protocol = load_protocol(shipped_path("designs", "police-now-2016"))
        >>> evaluation = evaluate(protocol, load_data(protocol))
        >>> round(evaluation.estimate.percent_change.value, 1), evaluation.grade.level
        (-4.8, 2)
    """
    _check_economics(protocol)
    answer = estimate(protocol, data)
    contrast, windowed, effect = answer.contrast, answer.windowed, answer.effect
    others = effect.alternatives
    if isinstance(data, Panel) and windowed is not None and effect.sets is not None and contrast.comparison:
        others += alternatives_of(protocol, data, contrast, windowed, effect.sets)
    case = Case(
        protocol=protocol,
        data=data,
        contrast=contrast,
        windowed=windowed,
        estimate=effect.estimate,
        alternatives=others,
        sets=effect.sets,
        over_time=effect.over_time,
        synthetic=effect.synthetic,
    )
    design = ask_design(protocol)
    findings = design + ask_evidence(case, ceiling_of(design))
    evaluation = Evaluation(
        protocol=protocol,
        ledger=data.ledger,
        contrast=contrast,
        windowed=windowed,
        estimate=effect.estimate,
        alternatives=others,
        findings=findings,
        grade=grade(findings),
        series=series_of(protocol, data, windowed) if isinstance(data, Panel) and windowed else None,
        placebo=effect.placebo,
        centroids=_places(data, windowed) if isinstance(data, Panel) and windowed else {},
        curve=effect.curve,
        over_time=effect.over_time,
        synthetic=effect.synthetic,
        likeness=likeness_of(protocol, data, contrast) if isinstance(data, Panel) else None,
    )
    if protocol.economics is None:
        return evaluation
    return replace(evaluation, economics=cost_benefit(evaluation))


def _check_economics(protocol: Protocol) -> None:
    """Every reason why a declared [economics] cannot be carried out, before anything is estimated."""
    if protocol.economics is not None:
        check_economics(protocol.economics, protocol.outcome.offences, protocol.base)


def series_of(protocol: Protocol, panel: Panel, windowed: Windowed) -> Series:
    """Incidents by period for each arm, and as an index with the before mean at 100.

    A period missing for any area of an arm is missing for the arm.
    """
    if protocol.outcome.kind == "proportion":
        return series_of_shares(protocol, panel, windowed)
    assert windowed.index is not None
    assert windowed.before_mask is not None
    assert windowed.after_mask is not None
    counts, index = {}, {}
    for arm in ("treated", "comparison", "buffer"):
        inside = windowed.arm == arm
        if not inside.any():
            continue
        by_period = windowed.weight[inside] @ panel.counts[windowed.index[inside]]
        mean = float(by_period[windowed.before_mask].mean())
        counts[arm] = by_period
        index[arm] = 100 * by_period / mean if mean > 0 else np.full(len(by_period), np.nan)
    return Series(
        periods=panel.periods,
        counts=counts,
        index=index,
        before=windowed.before_mask,
        after=windowed.after_mask,
        start=protocol.intervention.start,
    )


def _places(panel: Panel, windowed: Windowed) -> dict[str, tuple[float, float]]:
    """Centroids of the areas in an arm, where known."""
    if panel.centroids is None or windowed.index is None:
        return {}
    return {
        area: (float(panel.centroids[at, 0]), float(panel.centroids[at, 1]))
        for area, at, arm in zip(windowed.areas, windowed.index, windowed.arm, strict=True)
        if np.isfinite(panel.centroids[at]).all()
    }
