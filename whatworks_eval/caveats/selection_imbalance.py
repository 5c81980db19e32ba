"""selection.imbalance: a match that did not make the arms alike."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import BALANCE
from whatworks_eval.caveats.wording import listed, number, probability
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.matching.features import in_words
from whatworks_eval.measures.declared import is_matched
from whatworks_eval.measures.match_balance import Gap, gaps
from whatworks_eval.measures.relative import FALSE_ALARM
from whatworks_eval.panel import Panel

LARGEST = 0.25  # standard deviations
WORTH_SAYING = 0.1
LARGEST_RATIO = 2.0  # of variances, either way


def _judge(case: Case) -> Verdict | None:
    if not is_matched(case.protocol):
        return None
    found = gaps(case)
    if not found:
        return Verdict(
            kind="not assessed",
            message="How alike the matched areas are could not be measured, so the match is not shown to "
            "work.",
            cap=3,
        )
    chance = FALSE_ALARM / (2 * len(found))  # shared out over means and variances of all features
    evidence = tuple(measure for gap in found for measure in _measures(gap))
    averaged = _averaged(case)
    apart = [said for gap in found if (said := _apart(gap, chance)) is not None]
    if apart:
        return Verdict(
            kind="caveat",
            message=f"After matching the arms are still not alike, by more than chance: {listed(apart)}. The "
            f"comparison is not the like of the treated areas.{averaged}",
            cap=2,
            evidence=evidence,
        )
    wide = [gap for gap in found if abs(_size(gap)) > LARGEST]
    if wide:
        return Verdict(
            kind="caveat",
            message="After matching these lie more than a quarter of a standard deviation apart, which with "
            f"this many areas chance may do: {_sizes(wide)}.{averaged}",
            evidence=evidence,
        )
    some = [gap for gap in found if abs(_size(gap)) > WORTH_SAYING]
    rest = f"; the widest gaps are {_sizes(some)}" if some else " (all within a tenth)"
    return Verdict(
        kind="clear",
        message=f"After matching, {len(found)} features lie within a quarter of a standard deviation{rest}."
        f"{averaged}",
        evidence=evidence,
    )


def _averaged(case: Case) -> str:
    """That a score is a mean over LSOAs, as sentences; '' where none is."""
    known = case.data.averaged if isinstance(case.data, Panel) else {}
    return "".join(
        f" In {in_words(name)} each area has the population-weighted mean of its LSOAs' scores, {lsoas:,} "
        "LSOAs in all."
        for name, lsoas in known.items()
    )


def _size(gap: Gap) -> float:
    return gap.after.standardised or 0.0


def _apart(gap: Gap, chance: float) -> str | None:
    """What is not alike in a feature, and not by chance; None where nothing is."""
    if abs(_size(gap)) > LARGEST and gap.p_value is not None and gap.p_value < chance:
        return f"{gap.name} by {number(_size(gap), 2)} standard deviations (p {probability(gap.p_value)})"
    ratio = gap.after.variance_ratio
    if ratio is None or gap.spread_p is None or gap.spread_p >= chance:
        return None
    if 1 / LARGEST_RATIO <= ratio <= LARGEST_RATIO:
        return None
    chance_of = probability(gap.spread_p)
    return f"{gap.name} varies {number(ratio, 2)} times as much among the treated (p {chance_of})"


def _sizes(found: list[Gap]) -> str:
    return listed([f"{gap.name} ({number(_size(gap), 2)})" for gap in found])


def _measures(gap: Gap) -> tuple[Measure, ...]:
    unit = "standard deviations"
    before, after = gap.before.standardised, gap.after.standardised
    ratio = gap.after.variance_ratio
    return (
        Measure(
            name=f"{gap.name}: difference before matching",
            unit=unit,
            value=before,
            why_missing=None if before is not None else gap.before.why_missing or "not known",
        ),
        Measure(
            name=f"{gap.name}: difference after matching",
            unit=unit,
            value=after,
            threshold=LARGEST,
            why_missing=None if after is not None else gap.after.why_missing or "not known",
        ),
        Measure(
            name=f"{gap.name}: variance of treated over comparison",
            unit="ratio",
            value=ratio,
            threshold=LARGEST_RATIO,
            why_missing=None if ratio is not None else gap.after.why_missing or "it is yes or no",
        ),
    )


RULE = EvidenceRule(
    id="selection.imbalance",
    threat="selection",
    asks="Did matching make the arms alike in level, trend and everything else declared?",
    why="A match is a promise that may not be kept: where the pool holds few areas like the treated, the "
    "nearest are still far off. A standardised difference above 0.25 or a variance ratio outside 0.5 to 2 "
    "is the usual limit. With few areas chance alone passes it, so comparability counts as contradicted "
    "(level 2) only where each treated unit's difference from its own comparison, or the ratio of "
    "variances, is also beyond chance: p below 0.03, shared out over everything looked at. From 0.1 to "
    "0.25 it is said. Of 20 treated areas among 220 matched on deprivation alone, a level 2.2 times as "
    "high is found nine times in ten; of those matched on the level alone, one standard deviation more of "
    "deprivation.",
    remedy="Match on what is not alike as well, widen the pool, set a caliper, or choose algorithm = "
    "'cardinality' with a tolerance.",
    applies_to=WITH_COMPARISON,
    source=BALANCE,
    judge=_judge,
)
