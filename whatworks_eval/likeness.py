"""How alike treated and comparison areas are where the comparison was matched: the record a report shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Treated against comparison areas in one feature. None where a number cannot be had.

    Attributes:
        treated: Mean of the treated areas, in the feature's unit (logs for level, trend and residents).
        comparison: Weighted mean of the comparison areas.
        standardised: The difference in standard deviations of the treated areas.
        variance_ratio: Variance among the treated over that among the comparison.
        why_missing: Why one of the two last is None; '' where neither is.
    """

    treated: float
    comparison: float
    standardised: float | None
    variance_ratio: float | None
    why_missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureGaps:
    """One feature before and after matching.

    Attributes:
        name: 'before_level', 'before_trend', 'residents', or a name under [covariates].
        matched_on: Whether the comparison was matched on it.
        before: All treated areas against all areas that could be chosen.
        after: Matched treated areas against their comparison.
        not_known: Areas without it, which its numbers leave out.
    """

    name: str
    matched_on: bool
    before: Gap
    after: Gap
    not_known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadIn:
    """The outcome of one group of areas in the periods before the start.

    Attributes:
        group: 'treated', 'comparison' (as weighted), or 'pool': every area that could be chosen.
        areas: In it.
        means: Incidents an area, by period; None where not observed for some area.
        totals: Recorded incidents, unweighted, by period; None likewise.
    """

    group: str
    areas: int
    means: tuple[float | None, ...]
    totals: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What is known of a matched comparison from before the start alone.

    Attributes:
        chosen: How the comparison was chosen, as a phrase.
        algorithm: As declared.
        on: What was matched on, as declared; empty where areas only share a stratum.
        period: What a period is: 'month'.
        before: The before window, first and last period.
        declared: Treated areas that could have been matched.
        matched: Treated areas with a comparison; the effect is theirs.
        pool: Areas the comparison was chosen from.
        used: Comparison areas.
        effective: How many equally weighted comparison areas would tell as much.
        heaviest: The comparison area that counts most, and for how many treated areas it stands.
        features: Those matched on first, then everything else that is known of the areas.
        unmatched: Treated area, then why it was left out.
        beyond: Treated area kept though nothing to choose from is like it, then how far off it lies.
        periods: Those of `lead_in`, all before the start.
        lead_in: Treated, comparison, pool.
        searched: '' or what the reader should know of the search, as sentences.
        averaged: Feature that is a mean over LSOAs weighted by population, then how many LSOAs.
    """

    chosen: str
    algorithm: str
    on: tuple[str, ...]
    period: str
    before: tuple[str, str]
    declared: int
    matched: int
    pool: int
    used: int
    effective: float
    heaviest: tuple[str, float]
    features: tuple[FeatureGaps, ...]
    unmatched: tuple[tuple[str, str], ...]
    beyond: tuple[tuple[str, str], ...]
    periods: tuple[str, ...]
    lead_in: tuple[LeadIn, ...]
    searched: str = ""
    averaged: tuple[tuple[str, int], ...] = ()
