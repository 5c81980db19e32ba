"""Two-way fixed effects without a fit: a balanced panel with one start is a matter of four cell sums.

Poisson: with recorded sums T₀, T₁ (treated, before and after) and C₀, C₁, the coefficient of treated × after
with area and period effects is ln(T₁ C₀ / T₀ C₁). Within a window all areas of an arm share one profile over
periods, so the residual design is constant in each cell of arm × window (κ over the cell's sum) and an area's
influence is (its after count / T₁ - its before count / T₀), with the sign turned in the comparison arm.
Linear: the difference of the differences of cell means; an area's influence is its weight's share of the arm
times (its own change - its arm's change). Both hold with weights by area, not by cell.

The clustered variance is the sum over clusters of squared influence sums, times a correction by name:
`CR0` none; `CR1` G/(G-1); `fixest` G/(G-1) × (N-1)/(N-K), where N counts cells, and K counts 1 for the
effect, and with `nonnested` the periods as well, with `full` all effects, with `none` nothing more.

Source: the identity is vector B4; fixest's correction is Bergé (2018), as pyfixest.ssc(k_fixef=…) states it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whatworks_eval.did.two_way import Bools, Codes, Floats
from whatworks_eval.errors import DataError

Correction = Literal["CR0", "CR1", "fixest"]
Counted = Literal["nonnested", "none", "full"]

ROWS = 256  # areas looked at together
FEWEST_CLUSTERS = 3  # in either arm: two clusters give an error of zero or nearly (known_pitfalls A1, A2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CommonStart:
    """The common-start estimate and what each area adds to its error.

    Attributes:
        scale: 'log-ratio' or 'difference'.
        value: The estimate; None with `why_missing` where a cell sum is zero.
        sums: Weighted sums of the outcome: treated before, treated after, comparison before, after.
        cells: Weighted numbers of cells, in the same order.
        influence: By area; sums to zero in each arm. Empty where there is no estimate.
        treated: By area.
        counted: By area: False where an area recorded nothing at all and so says nothing (counts only).
        periods: Periods in which anything was recorded (counts only; all of them otherwise).
        why_missing: Why there is no estimate.
    """

    scale: Literal["log-ratio", "difference"]
    value: float | None
    sums: tuple[float, float, float, float]
    cells: tuple[float, float, float, float]
    influence: Floats
    treated: Bools
    counted: Bools
    periods: int
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterError:
    """A clustered standard error of one estimate, or why there is none.

    Attributes:
        se: Standard error; None with `why_missing`.
        df: Degrees of freedom for its t distribution: clusters - 1.
        treated_clusters: Clusters with a treated area that says something.
        comparison_clusters: Clusters with a comparison area that says something.
        correction: The small-sample correction, in words.
        sums: Influence summed by cluster.
        why_missing: Why there is no error.
    """

    se: float | None
    df: float | None
    treated_clusters: int
    comparison_clusters: int
    correction: str
    sums: Floats
    why_missing: str | None = None


def common_start_ratio(
    counts: Floats, treated: Bools, after: Bools, *, weights: Floats | None = None
) -> CommonStart:
    """The Poisson two-way effect of a balanced panel with one start: a log ratio of ratios.

    Args:
        counts: areas × periods, every cell observed.
        treated: By area.
        after: By period.
        weights: By area; None = 1.

    Raises:
        DataError: For shapes that do not fit, cells that are not counts, an empty arm or window.

    Example:
        >>> found = common_start_ratio(np.array([[20.0, 10.0], [20.0, 20.0]]), np.array([True, False]),
        ...                            np.array([False, True]))
        >>> round(found.value, 7)
        -0.6931472
    """
    by_area, weight = _windows(counts, treated, after, weights, counts_only=True)
    sums, cells = _cell_sums(by_area, treated, after, weight)
    counted = by_area.sum(axis=1) > 0
    names = ("treated before", "treated after", "comparison before", "comparison after")
    empty = [name for name, total in zip(names, sums, strict=True) if total == 0]
    if empty:
        return CommonStart(
            scale="log-ratio",
            value=None,
            sums=sums,
            cells=cells,
            influence=np.empty(0),
            treated=treated,
            counted=counted & (weight > 0),
            periods=_periods_recorded(counts, weight),
            why_missing=f"nothing was recorded in {' or '.join(empty)}: a ratio has no finite estimate; "
            "see the one-sided bound",
        )
    t0, t1, c0, c1 = sums
    change = np.where(
        treated, by_area[:, 1] / t1 - by_area[:, 0] / t0, by_area[:, 0] / c0 - by_area[:, 1] / c1
    )
    return CommonStart(
        scale="log-ratio",
        value=float(np.log(t1) - np.log(t0) - np.log(c1) + np.log(c0)),
        sums=sums,
        cells=cells,
        influence=weight * change,
        treated=treated,
        counted=counted & (weight > 0),
        periods=_periods_recorded(counts, weight),
    )


def common_start_difference(
    outcome: Floats, treated: Bools, after: Bools, *, weights: Floats | None = None
) -> CommonStart:
    """The linear two-way effect of a balanced panel with one start: a difference of differences of means.

    Args:
        outcome: areas × periods, every cell observed; any unit.
        treated: By area.
        after: By period.
        weights: By area; None = 1.

    Raises:
        DataError: As for `common_start_ratio`, negative values apart.

    Example:
        >>> rows = np.array([[10.0, 11.0, 15.0, 18.0], [9.0, 10.0, 12.0, 13.0]])
        >>> common_start_difference(rows, np.array([True, False]), np.array([False, False, True, True])).value
        3.0
    """
    by_area, weight = _windows(outcome, treated, after, weights, counts_only=False)
    sums, cells = _cell_sums(by_area, treated, after, weight)
    t0, t1, c0, c1 = (total / size for total, size in zip(sums, cells, strict=True))
    change = by_area[:, 1] / after.sum() - by_area[:, 0] / (~after).sum()
    arm_weight = np.where(treated, weight[treated].sum(), -weight[~treated].sum())
    return CommonStart(
        scale="difference",
        value=float((t1 - t0) - (c1 - c0)),
        sums=sums,
        cells=cells,
        influence=weight / arm_weight * (change - np.where(treated, t1 - t0, c1 - c0)),
        treated=treated,
        counted=weight > 0,
        periods=len(after),
    )


def cluster_error(
    found: CommonStart,
    clusters: Codes | None = None,
    *,
    correction: Correction = "fixest",
    counted: Counted = "nonnested",
) -> ClusterError:
    """The clustered standard error of a common-start estimate.

    Args:
        found: The estimate.
        clusters: Code of each area's unit of assignment, from 0; None = each area its own.
        correction: Small-sample correction, as the head of this file states.
        counted: For `fixest`: which effects count as parameters.

    Example:
        >>> counts = np.array([[4.0, 2], [6, 4], [5, 3], [5, 5], [6, 7], [9, 8]])
        >>> found = common_start_ratio(counts, np.arange(6) < 3, np.array([False, True]))
        >>> round(cluster_error(found, correction="CR0").se, 4)
        0.0946
    """
    codes = np.arange(len(found.treated)) if clusters is None else clusters
    told = found.counted
    size = int(codes.max(initial=-1)) + 1
    present = np.bincount(codes[told], minlength=size) > 0
    treated_clusters = int((np.bincount(codes[told & found.treated], minlength=size) > 0).sum())
    comparison_clusters = int((np.bincount(codes[told & ~found.treated], minlength=size) > 0).sum())
    cells = int(told.sum()) * found.periods
    number = int(present.sum())
    effects = {"nonnested": found.periods, "none": 0, "full": int(told.sum()) + found.periods - 1}[counted]
    words = {
        "CR0": "CR0: no small-sample correction",
        "CR1": "CR1: G/(G-1)",
        "fixest": f"G/(G-1) × (N-1)/(N-K), N = {cells:,} cells, K = {1 + effects:,} ({counted})",
    }[correction]
    why = found.why_missing or too_few_clusters(treated_clusters, comparison_clusters)
    if why is None and correction == "fixest" and cells <= 1 + effects:
        why = f"{cells} cells cannot carry {1 + effects} parameters"
    if why is not None:
        return ClusterError(
            se=None,
            df=None,
            treated_clusters=treated_clusters,
            comparison_clusters=comparison_clusters,
            correction=words,
            sums=np.empty(0),
            why_missing=why,
        )
    sums: Floats = np.bincount(codes, weights=found.influence, minlength=size)[present].astype(float)
    factor = 1.0 if correction == "CR0" else number / (number - 1)
    if correction == "fixest":
        factor *= (cells - 1) / (cells - 1 - effects)
    return ClusterError(
        se=float(np.sqrt(factor * (sums @ sums))),
        df=float(number - 1),
        treated_clusters=treated_clusters,
        comparison_clusters=comparison_clusters,
        correction=words,
        sums=sums,
    )


def too_few_clusters(treated: int, comparison: int) -> str | None:
    """Why so few clusters carry no clustered error, or None where they do.

    Source: known_pitfalls A1 and A2: one treated cluster of twenty rejects a true null in 6 draws of 10, and
    two clusters give an error of zero.

    Example:
        >>> too_few_clusters(2, 40)
        '2 treated and 40 comparison clusters: a clustered error needs 3 in each arm'
    """
    if min(treated, comparison) >= FEWEST_CLUSTERS:
        return None
    return (
        f"{treated} treated and {comparison} comparison clusters: a clustered error needs "
        f"{FEWEST_CLUSTERS} in each arm"
    )


def _windows(
    outcome: Floats, treated: Bools, after: Bools, weights: Floats | None, *, counts_only: bool
) -> tuple[Floats, Floats]:
    """Window sums by area (areas × 2) and weights by area, all checked."""
    problems = []
    if outcome.ndim != 2 or outcome.shape != (len(treated), len(after)):
        raise DataError(
            f"the panel has shape {outcome.shape}; treated names {len(treated)} areas and after "
            f"{len(after)} periods"
        )
    for name, flags in (("treated", treated), ("after", after)):
        if flags.all() or not flags.any():
            problems.append(f"'{name}' is {'all' if flags.all() else 'never'} true: both sides are needed")
    weight = np.ones(len(treated)) if weights is None else np.asarray(weights, dtype=float)
    if weight.shape != treated.shape or not np.isfinite(weight).all() or weight.min(initial=0.0) < 0:
        problems.append("weights must be one number an area, 0 or more")
    elif not problems and not (weight[treated].any() and weight[~treated].any()):
        problems.append("all weights of an arm are 0: both arms are needed")
    values = outcome if outcome.dtype == np.float64 else outcome.astype(float)
    # Not a matrix product: on a busy machine its threads wait for each other longer than one takes to add up.
    by_area = np.stack([np.einsum("at,t->a", values, window * 1.0) for window in (~after, after)], axis=1)
    if not np.isfinite(by_area).all():
        area = int(np.argmin(np.isfinite(by_area).all(axis=1)))
        problems.append(
            f"area {area} has a cell that is not a number; a closed form needs every cell observed"
        )
    elif counts_only and values.min(initial=0.0) < 0:
        area, period = divmod(int(values.argmin()), values.shape[1])
        problems.append(f"the count at area {area}, period {period} is negative")
    if problems:
        raise DataError(problems)
    return by_area, weight


def _periods_recorded(counts: Floats, weight: Floats) -> int:
    """Periods in which any area with weight recorded something."""
    seen = np.zeros(counts.shape[1], dtype=bool)
    for start in range(0, len(counts), ROWS):  # the first few rows nearly always settle it
        part = slice(start, start + ROWS)
        seen |= (counts[part][weight[part] > 0] > 0).any(axis=0)
        if seen.all():
            break
    return int(seen.sum())


def _cell_sums(
    by_area: Floats, treated: Bools, after: Bools, weight: Floats
) -> tuple[tuple[float, float, float, float], tuple[float, float, float, float]]:
    """Weighted sums and weighted numbers of cells: treated before, after, comparison before, after."""
    arms = [weight * treated, weight * ~treated]
    before_periods, after_periods = float((~after).sum()), float(after.sum())
    (t0, t1), (c0, c1) = ((float(total) for total in arm @ by_area) for arm in arms)
    treated_weight, comparison_weight = float(arms[0].sum()), float(arms[1].sum())
    return (t0, t1, c0, c1), (
        treated_weight * before_periods,
        treated_weight * after_periods,
        comparison_weight * before_periods,
        comparison_weight * after_periods,
    )
