"""regression.deprivation-alone: areas as deprived did not stand at the same peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import MATCHED_REGRESSION
from whatworks_eval.caveats.wording import listed, percent, probability
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.matching.features import all_in_words, in_words
from whatworks_eval.measures.declared import is_level_matched, is_matched, matched_on
from whatworks_eval.measures.relative import FALSE_ALARM
from whatworks_eval.panel import Panel


def _judge(case: Case) -> Verdict | None:
    protocol = case.protocol
    if not is_matched(protocol) or is_level_matched(protocol) or protocol.intervention.assignment == "random":
        return None
    alike = all_in_words(matched_on(protocol))
    need = protocol.intervention.assignment == "need"
    stood = _standing(case)
    if stood is None:
        return Verdict(
            kind="not assessed",
            message=f"The areas are matched on {alike} and not on the level before the start, and how high "
            "the treated stood could not be measured.",
            cap=2,
        )
    evidence = (
        Measure(name="treated areas that recorded more than a like area before", unit="%", value=stood.above),
        *_answers(case),
    )
    height = (
        f"before the start a treated area recorded more than {percent(stood.above, 0)} of the other areas "
        f"{'alike in ' + ' and '.join(stood.within) if stood.within else 'to choose from'}"
    )
    high = stood.above > 50 and stood.p_value < FALSE_ALARM
    if not need and not high:
        return Verdict(
            kind="clear",
            message=f"The areas are matched on {alike}, not on the level before the start, but were not "
            f"chosen for need; {height}, which chance may give.",
            evidence=evidence,
        )
    why = "were chosen for need" if need else "stood high (p " + probability(stood.p_value) + ")"
    return Verdict(
        kind="caveat",
        message=f"The areas are matched on {alike} alone and {why}: {height}, and areas picked on their "
        f"recent level fall back with nothing done, where areas merely as deprived do not.{_both(case)}",
        cap=2,
        evidence=evidence,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """How high the treated stood: share of others below, in %, its p-value, and among which others."""

    above: float
    p_value: float
    within: tuple[str, ...]


def _standing(case: Case) -> _Standing | None:
    """How high each treated area stood among the others of its stratum before the start (van Elteren)."""
    windowed = case.windowed
    if windowed is None or not isinstance(case.data, Panel) or windowed.index is None:
        return None
    from scipy.special import ndtr
    from scipy.stats import rankdata

    treated = windowed.arm == "treated"
    inside = windowed.arm != "buffer"
    data, index = case.data, windowed.index
    exact = tuple(
        name for name in case.protocol.matching.exact if name in data.covariates or name in data.classes
    )
    labels = [
        tuple(
            data.classes[name].get(data.areas[at], "") if name in data.classes else data.covariates[name][at]
            for name in exact
        )
        for at in index
    ]
    number_of = {label: at for at, label in enumerate(dict.fromkeys(labels))}
    stratum = np.array([number_of[label] for label in labels])
    shares, excess, variance = [], 0.0, 0.0
    for one in np.unique(stratum[treated]):
        here = inside & (stratum == one)
        count, others = int((here & treated).sum()), int((here & ~treated).sum())
        if not others:
            continue
        ranks = rankdata(windowed.before[here])
        own = float(ranks[treated[here]].sum()) - count * (count + 1) / 2
        shares.append((own / others, count))
        excess += own - count * others / 2
        variance += count * others * (count + others + 1) / 12
    total = sum(count for _, count in shares)
    if not total or variance <= 0:
        return None
    return _Standing(
        above=100.0 * sum(share for share, _ in shares) / total,
        p_value=float(2 * ndtr(-abs(excess) / np.sqrt(variance))),
        within=tuple(in_words(name) for name in exact),
    )


def _both(case: Case) -> str:
    """The answer on every baseline there is."""
    value = case.estimate.percent_change.value
    said = [
        f"{percent(one.percent_change.value, plus=True)} on "
        f"{'an' if one.label[0] in 'aeiou' else 'a'} {one.label}"
        for one in case.alternatives
        if one.choice == "window" and one.percent_change.value is not None
    ]
    if value is None or not said:
        return ""
    turned = any(
        one.choice == "window" and one.value is not None and one.value * (case.estimate.value or 0.0) < 0
        for one in case.alternatives
    )
    signs = ": the sign turns with the baseline" if turned else ""
    return (
        f" The answer is {percent(value, plus=True)} on the declared baseline and {listed(said)}{signs}; a "
        "longer baseline may over-correct where such peaks last."
    )


def _answers(case: Case) -> tuple[Measure, ...]:
    return tuple(
        Measure(
            name=f"answer: {one.label}",
            unit="%",
            value=one.percent_change.value,
            low=one.percent_change.low,
            high=one.percent_change.high,
            why_missing=one.why_missing if one.percent_change.value is None else None,
        )
        for one in case.alternatives
        if one.choice == "window"
    )


RULE = EvidenceRule(
    id="regression.deprivation-alone",
    threat="regression",
    asks="Are areas that may have been picked at their peak compared with areas at a peak as well?",
    why="Matching on deprivation makes areas alike in what is lasting. If the treated were picked within "
    "a band of deprivation because they had most crime of late, they fall back and their matches do not. "
    "In a simulation of 40 wards in four bands, the five highest of each band 'treated' with nothing "
    "done, the ratio is 0.86 on average; on an earlier, longer baseline 1.06, because shocks last. Chosen "
    "for need, or standing above other areas by more than chance (p below 0.03), means level 2 at most; "
    "matched without the level in any case level 3.",
    remedy="Add before_level to matching.on; report the answer on the declared and on a longer baseline.",
    applies_to=WITH_COMPARISON,
    source=MATCHED_REGRESSION,
    judge=_judge,
)
