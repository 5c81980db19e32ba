"""What the crime of a cohort of offenders costs before and after joining a scheme, beside a comparison.

    offences × unit cost / years in the community = £ a person-year at risk

A person in custody commits no crime in the community: every rate is per year at risk, so that time inside is
not taken for success. Offences are those recorded against these people; no multiplier for unrecorded crime is
applied, since nobody knows whose it is. People join at a peak: an earlier window shows how high.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.economics.cohort_counts import OffenceRow, by_offence
from whatworks_eval.economics.cohort_doubts import DAYS, CohortNote, doubts_of
from whatworks_eval.economics.cohort_file import ARMS, WINDOWS, Arm, ArmRows, Cohort, Window
from whatworks_eval.economics.prices import deflate
from whatworks_eval.economics.unit_costs import unit_costs
from whatworks_eval.errors import CannotEstimate
from whatworks_eval.judgement import Evaluation
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.records import Interval

FEWEST_DRAWN = 10  # people an arm: a bootstrap over fewer says little of chance
UNDEFINED = "in some draws the comparison cost nothing before or after, so its change has no ratio"
TOO_FEW = f"fewer than {FEWEST_DRAWN} people in an arm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One arm in one window.

    Attributes:
        years: Person-years in the community.
        offences: Recorded offences, valued or not.
        offence_rate: Of them, a person-year at risk.
        cost_rate: Pounds a person-year at risk, with its range.
    """

    years: float
    offences: float
    offence_rate: float
    cost_rate: Interval


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CohortCosts:
    """The cost of crime of a cohort, and how far to believe its change.

    Attributes:
        cohort: What was read.
        evaluation: The counts under the ordinary rules, which give the level.
        gbp: Offence, then pounds each in the prices of the appraisal; None where not valued.
        sources: Offence, then where its unit cost comes from, with its price year.
        rates: By arm and window.
        expected: Pounds a person-year expected after, by the comparison's change; else the rate before.
        saved: Expected less recorded, in pounds a person-year at risk.
        saved_in_all: The same for everybody who joined, over their time at risk after.
        ratio: Recorded over expected cost.
        peak: How far the rate of offending before stood above the earlier one, in percent; empty without one.
        saved_from_earlier: As `saved`, from the earlier window instead of the one before; empty without one.
        not_valued_share: Share of the offences of those who joined, before and after, without a unit cost.
        by_offence: Counts by offence, fit to be shared.
        why_no_range: Why there is no range; None where there is one.
        notes: Doubts.
        level: Of the ordinary rules and the notes, the lowest.
    """

    cohort: Cohort
    evaluation: Evaluation
    gbp: Mapping[str, float | None]
    sources: Mapping[str, str]
    rates: Mapping[tuple[Arm, Window], Rate]
    expected: Interval
    saved: Interval
    saved_in_all: Interval
    ratio: Interval
    peak: Interval
    saved_from_earlier: Interval
    not_valued_share: float
    by_offence: tuple[OffenceRow, ...]
    why_no_range: str | None
    notes: tuple[CohortNote, ...]
    level: int


def cohort_protocol(cohort: Cohort) -> Protocol:
    """The cohort as a declared design, so that the ordinary rules give its level.

    Counts after are brought to the time at risk before, arm by arm, since a design of totals has one length
    of window for both arms.
    """
    keys = cohort.keys
    totals: dict[str, Any] = {}
    for arm, rows in cohort.arms.items():
        before, after = (float(rows.counts[window].sum()) for window in ("before", "after"))
        at_risk = rows.days["before"].sum() / rows.days["after"].sum()
        totals[arm] = [before, after * float(at_risk)]
        totals[f"{arm}_units"] = rows.people
    years = float(cohort.arms["treated"].days["before"].sum()) / cohort.arms["treated"].people / DAYS
    return protocol_from_dict(
        {
            "schema": 1,
            "id": keys.id,
            "question": f"{keys.name}: did offending change after people joined?",
            "method": "relative-effect" if "comparison" in cohort.arms else "before-after",
            "intervention": {"name": keys.name, "start": keys.start, "assignment": keys.assignment},
            "outcome": {
                "source": "totals",
                "totals": totals
                | {"periods": [max(12 * years, 0.01)] * 2, "dispersion": _dispersion(cohort)},
            },
            "context": {"comparability": keys.comparability},
        }
    )


def _dispersion(cohort: Cohort) -> float:
    """Variance of people's counts before over their mean, in the arm that joined; as declared for totals."""
    if not cohort.by_person:
        return cohort.keys.dispersion
    each = cohort.arms["treated"].counts["before"].sum(axis=1)
    return max(1.0, float(each.var(ddof=1) / each.mean())) if each.mean() > 0 else 1.0


def cohort_costs(cohort: Cohort, evaluation: Evaluation) -> CohortCosts:
    """The cost of crime before and after, what was expected after, and the level of it all.

    Args:
        cohort: What `load_cohort` returned.
        evaluation: Of `cohort_protocol(cohort)`; the level is never above its.

    Raises:
        CannotEstimate: No offence with a unit cost was recorded before in an arm.

    Example:
        >>> from whatworks_eval.economics.cohort_file import load_cohort
        >>> from whatworks_eval.evaluation import evaluate
        >>> from whatworks_eval.shipped import shipped_path
        >>> from whatworks_eval.sources import load_data
        >>> made = load_cohort(shipped_path("datasets", "simulated-cohort") / "cohort.toml")
        >>> protocol = cohort_protocol(made)
        >>> found = cohort_costs(made, evaluate(protocol, load_data(protocol)))
        >>> found.level, found.saved.low < found.saved.value < found.saved.high
        (2, True)
    """
    gbp, sources = _values(cohort)
    each = np.array([gbp[name] or 0.0 for name in cohort.offences])
    cost = {arm: {w: rows.counts[w] @ each for w in rows.counts} for arm, rows in cohort.arms.items()}
    for arm, by_window in cost.items():
        if by_window["before"].sum() <= 0:
            raise CannotEstimate(
                f"no offence with a unit cost was recorded before in arm '{arm}': there is no cost to "
                "compare with"
            )
    drawn, why = _drawn(cohort, each)
    whole = {arm: _summed(rows, cost[arm]) for arm, rows in cohort.arms.items()}

    def ranged(of: Callable[[_Sums], float | NDArray[np.float64]]) -> Interval:
        middle = float(of(whole))
        value = middle if math.isfinite(middle) else None
        if drawn is None or value is None:
            return Interval(value=value)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.asarray(of(drawn), dtype=float)
        if not np.isfinite(spread).all():
            return Interval(value=value)
        tail = (1 - cohort.keys.confidence) / 2
        low, high = np.quantile(spread, [tail, 1 - tail])
        return Interval(value=value, low=float(low), high=float(high))

    has = {w: w in cohort.arms["treated"].counts for w in WINDOWS}
    saved = ranged(lambda s: _expected(s, "before") - _rate(s, "treated", "after"))
    years_after = float(cohort.arms["treated"].days["after"].sum()) / DAYS
    peak = _peak(cohort, ranged) if has["earlier"] else Interval()
    notes = doubts_of(cohort, peak, each)
    return CohortCosts(
        cohort=cohort,
        evaluation=evaluation,
        gbp=gbp,
        sources=sources,
        rates={
            (arm, w): _as_rate(rows, w, ranged(partial(_rate, arm=arm, window=w)))
            for arm, rows in cohort.arms.items()
            for w in rows.counts
        },
        expected=ranged(lambda s: _expected(s, "before")),
        saved=saved,
        saved_in_all=_times(saved, years_after),
        ratio=ranged(lambda s: _rate(s, "treated", "after") / _expected(s, "before")),
        peak=peak,
        saved_from_earlier=ranged(lambda s: _expected(s, "earlier") - _rate(s, "treated", "after"))
        if has["earlier"]
        else Interval(),
        not_valued_share=_not_valued(cohort, gbp),
        by_offence=by_offence(cohort, gbp),
        why_no_range=why if why else (None if saved.low is not None else UNDEFINED),
        notes=notes,
        level=min([evaluation.grade.level, *(note.cap for note in notes)]),
    )


_Sums = Mapping[Arm, Mapping[Window, tuple[NDArray[np.float64] | float, NDArray[np.float64] | float]]]


def _values(cohort: Cohort) -> tuple[dict[str, float | None], dict[str, str]]:
    keys, found = cohort.keys, unit_costs(cohort.keys.unit_costs)
    gbp: dict[str, float | None] = {}
    sources = {}
    for name in cohort.offences:
        if name not in found or name in keys.not_valued:
            gbp[name] = None
            continue
        unit = found[name]
        kept = sum(
            pounds for part, pounds in unit.parts.items() if keys.anticipation or part != "anticipation"
        )
        gbp[name] = deflate(kept, from_year=unit.price_year, to_year=keys.price_year, key="cohort.price_year")
        sources[name] = f"{unit.source} ({unit.price_year} prices)"
    return gbp, sources


def _summed(rows: ArmRows, cost: Mapping[Window, NDArray[np.float64]]) -> dict[Window, tuple[float, float]]:
    """Pounds and years at risk by window."""
    return {w: (float(cost[w].sum()), float(rows.days[w].sum()) / DAYS) for w in cost}


def _drawn(cohort: Cohort, each: NDArray[np.float64]) -> tuple[_Sums | None, str | None]:
    """The same sums in seeded draws: people drawn again, or over-dispersed counts for totals."""
    keys = cohort.keys
    if min(rows.people for rows in cohort.arms.values()) < FEWEST_DRAWN:
        return None, TOO_FEW
    draw = np.random.default_rng(keys.seed)
    sums: dict[Arm, dict[Window, tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
    for arm in ARMS:
        if arm not in cohort.arms:
            continue
        rows = cohort.arms[arm]
        if cohort.by_person:
            often = draw.multinomial(rows.people, np.full(rows.people, 1 / rows.people), size=keys.draws)
            sums[arm] = {
                w: (often @ (rows.counts[w] @ each), often @ rows.days[w] / DAYS) for w in rows.counts
            }
        else:
            phi = keys.dispersion
            sums[arm] = {
                w: (
                    phi * draw.poisson(counts[0] / phi, size=(keys.draws, len(each))) @ each,
                    np.full(keys.draws, rows.days[w].sum() / DAYS),
                )
                for w, counts in rows.counts.items()
            }
    return sums, None


def _rate(sums: _Sums, arm: Arm, window: Window) -> NDArray[np.float64]:
    pounds, years = sums[arm][window]
    return np.divide(pounds, years)


def _expected(sums: _Sums, start: Window) -> NDArray[np.float64]:
    """Pounds a person-year expected after: the rate at the start, moved as the comparison moved."""
    own = _rate(sums, "treated", start)
    if "comparison" not in sums:
        return own
    return own * _rate(sums, "comparison", "after") / _rate(sums, "comparison", start)


def _as_rate(rows: ArmRows, window: Window, cost: Interval) -> Rate:
    years, offences = float(rows.days[window].sum()) / DAYS, float(rows.counts[window].sum())
    return Rate(years=years, offences=offences, offence_rate=offences / years, cost_rate=cost)


def _times(span: Interval, factor: float) -> Interval:
    return Interval(
        value=None if span.value is None else span.value * factor,
        low=None if span.low is None else span.low * factor,
        high=None if span.high is None else span.high * factor,
    )


def _peak(cohort: Cohort, ranged: Callable[[Callable[[_Sums], NDArray[np.float64]]], Interval]) -> Interval:
    """How far the cost before stood above the earlier one, in percent."""
    return ranged(lambda s: 100 * (_rate(s, "treated", "before") / _rate(s, "treated", "earlier") - 1))


def _not_valued(cohort: Cohort, gbp: Mapping[str, float | None]) -> float:
    rows = cohort.arms["treated"]
    both = rows.counts["before"].sum(axis=0) + rows.counts["after"].sum(axis=0)
    without = sum(n for n, name in zip(both, cohort.offences, strict=True) if gbp[name] is None)
    return float(without / both.sum()) if both.sum() else 0.0
