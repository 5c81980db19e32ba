"""Did the arms part before the start, and would this check have seen it if they had?

A joint test of the leads, the straight line that fits them best, and the power of looking: the slope a check
would notice half and four fifths of the time, and what such a slope would add to the effect, both over all
repetitions and over those in which the check noticed nothing (passing a weak check selects, and can make the
bias larger).

Two checks are known. "individual": no lead is outside its own interval (Roth 2022). "joint": the Wald test
does not reject. With many leads the first goes off often with no trend at all, so its false-alarm rate is
given.

Source: Roth (2022), American Economic Review: Insights 4(3), 305-322; Genz (1992), J Comp Graph Stat 1(2),
141-149, for the probability of a box; for the mean of a normal vector inside an ellipsoid about zero,
E[z; |z|² < c] = mean × P(chi² with two more degrees of freedom < c).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whatworks_eval.did.event_path import EventPath, singular, target_weights
from whatworks_eval.errors import DataError

Floats = NDArray[np.float64]
Check = Literal["individual", "joint"]

POINTS = 12  # 2 to this power quasi-random points for a box
DOUBLINGS = 40
HALVINGS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """Whether the leads are all zero.

    Attributes:
        statistic: F where `df` is given, otherwise chi-squared; None where there is none.
        leads: Leads tested, the first degrees of freedom.
        df: Second degrees of freedom; None = chi-squared.
        p_value: None where there is none.
        why_missing: Why there is no test; None where there is one.
    """

    statistic: float | None
    leads: int
    df: float | None
    p_value: float | None
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSlope:
    """The straight line through the reference that fits the leads best.

    Attributes:
        slope: Outcome units a period; above zero = the treated areas were rising against the comparison.
        se: Its standard error.
        weighting: "covariance" (generalised least squares) or "equal" where that cannot be inverted.
    """

    slope: float
    se: float
    weighting: Literal["covariance", "equal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPower:
    """The slope a check of the leads would notice so often, and what it would do to the effect.

    Attributes:
        check: "individual" or "joint".
        power: How often it would be noticed.
        slope: Outcome units a period, above zero; the same downwards. None where there is none.
        bias: What that slope adds to the target effect.
        bias_if_passed: What it adds on average over the repetitions in which nothing was noticed.
        false_alarm: How often the check goes off with no trend at all.
        why_missing: Why there is no slope; None where there is one.
    """

    check: Check
    power: float
    slope: float | None
    bias: float | None
    bias_if_passed: float | None
    false_alarm: float | None
    why_missing: str | None = None


def joint_test(path: EventPath, *, df: float | None = None) -> JointTest:
    """The Wald test that every lead is zero.

    Args:
        path: Leads and lags.
        df: Second degrees of freedom (clusters less one); None = chi-squared.

    Raises:
        DataError: Degrees of freedom that are not above zero.

    Example:
        >>> from whatworks_eval.did.event_path import event_path
        >>> found = joint_test(event_path([2.0, 0.0, 1.0], np.eye(3), [-3, -2, 0]))
        >>> found.statistic, round(found.p_value, 4)
        (4.0, 0.1353)
    """
    from scipy.stats import chi2, f

    if df is not None and not df > 0:
        raise DataError(f"the degrees of freedom are {df}; give a number above zero, or none for chi-squared")
    count = path.leads
    reason = singular(path.covariance[:count, :count])
    if reason is None and df is not None and df < count:
        reason = (
            f"{count} leads but only {df:g} degrees of freedom: the test means nothing; group the periods "
            "into quarters or half-years"
        )
    if reason:
        return JointTest(statistic=None, leads=count, df=df, p_value=None, why_missing=reason)
    leads = path.values[:count]
    wald = float(leads @ np.linalg.solve(path.covariance[:count, :count], leads))
    if df is None:
        return JointTest(statistic=wald, leads=count, df=None, p_value=float(chi2.sf(wald, count)))
    return JointTest(statistic=wald / count, leads=count, df=df, p_value=float(f.sf(wald / count, count, df)))


def lead_slope(path: EventPath) -> LeadSlope | None:
    """The best-fitting straight line through the reference; None where there are no leads.

    Example:
        >>> from whatworks_eval.did.event_path import event_path
        >>> found = lead_slope(event_path([-2.0, -1.0, 1.0], np.eye(3), [-3, -2, 0]))
        >>> round(found.slope, 6), round(found.se, 6)
        (1.0, 0.447214)
    """
    count = path.leads
    if count == 0:
        return None
    steps = path.steps[:count].astype(np.float64)
    covariance = path.covariance[:count, :count]
    if singular(covariance) is None:
        towards = np.linalg.solve(covariance, steps)
        weights = towards / (steps @ towards)
        kind: Literal["covariance", "equal"] = "covariance"
    else:
        weights = steps / (steps @ steps)
        kind = "equal"
    return LeadSlope(
        slope=float(weights @ path.values[:count]),
        se=max(float(weights @ covariance @ weights), 0.0) ** 0.5,
        weighting=kind,
    )


def trend_power(
    path: EventPath,
    *,
    power: float,
    check: Check = "individual",
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> TrendPower:
    """The slope the check would notice with the given probability, and the bias such a slope leaves.

    Args:
        path: Leads and lags; only the covariance and offsets are used, never the coefficients.
        power: 0.5 for half the time, 0.8 for four fifths.
        check: "individual" (Roth 2022: some lead outside its own interval) or "joint" (Wald, chi-squared).
        weights: On the after effects, earliest first; None = their average.
        confidence: One less the error rate of the check.

    Raises:
        DataError: A power not between zero and one, or weights that do not fit.

    Example:
        >>> from whatworks_eval.did.event_path import event_path
        >>> path = event_path([0.0, 0.0], np.eye(2), [-2, 0])
        >>> found = trend_power(path, power=0.5)  # one lead one step away: noticed from 1.96 on half the time
        >>> round(found.slope, 2), round(found.bias, 2), round(found.false_alarm, 3)
        (1.96, 1.96, 0.05)
    """
    if not 0 < power < 1:
        raise DataError(f"the power is {power}; give a probability between zero and one")
    target = target_weights(path, weights)
    count = path.leads
    covariance = path.covariance[:count, :count]
    if reason := singular(covariance):
        return _no_power(check, power, None, reason)
    steps = path.steps.astype(np.float64)
    passed = _box(covariance, confidence) if check == "individual" else _ellipsoid(covariance, confidence)

    def noticed(slope: float) -> float:
        return 1 - passed(slope * steps[:count])[0]

    alarm = noticed(0.0)
    if alarm >= power:
        why = (
            f"with {count} leads the check goes off {alarm:.0%} of the time with no trend at all; group the "
            "periods, or use the joint test"
        )
        return _no_power(check, power, alarm, why)
    high = float(np.sqrt(np.diag(covariance).max()) / np.abs(steps[:count]).max())
    for _ in range(DOUBLINGS):
        if noticed(high) >= power:
            break
        high *= 2
    low = 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if noticed(middle) < power else (low, middle)
    trend = high * steps
    mean_passed = passed(trend[:count])[1]
    moved = path.covariance[count:, :count] @ np.linalg.solve(covariance, mean_passed - trend[:count])
    return TrendPower(
        check=check,
        power=power,
        slope=high,
        bias=float(target @ trend[count:]),
        bias_if_passed=float(target @ (trend[count:] + moved)),
        false_alarm=alarm,
    )


def _no_power(check: Check, power: float, alarm: float | None, why: str) -> TrendPower:
    """A slope that is not there, with its reason."""
    return TrendPower(
        check=check,
        power=power,
        slope=None,
        bias=None,
        bias_if_passed=None,
        false_alarm=alarm,
        why_missing=why,
    )


def _ellipsoid(covariance: Floats, confidence: float) -> Callable[[Floats], tuple[float, Floats]]:
    """Mean of the leads → chance the Wald test passes, and their mean where it does."""
    from scipy.stats import chi2, ncx2

    count = len(covariance)
    limit = float(chi2.ppf(confidence, count))

    def passed(mean: Floats) -> tuple[float, Floats]:
        away = float(mean @ np.linalg.solve(covariance, mean))
        if away == 0:
            return confidence, mean
        chance = float(ncx2.cdf(limit, count, away))
        return chance, mean * float(ncx2.cdf(limit, count + 2, away)) / chance

    return passed


def _box(covariance: Floats, confidence: float) -> Callable[[Floats], tuple[float, Floats]]:
    """Mean of the leads → chance every lead stays inside its own interval, and their mean where all do.

    The same quasi-random points serve every mean, so the chance is smooth in it and the same every time.
    """
    from statistics import NormalDist

    from scipy.special import ndtr, ndtri

    limit = NormalDist().inv_cdf(0.5 + confidence / 2) * np.sqrt(np.diag(covariance))
    root = np.linalg.cholesky(covariance)
    count = len(covariance)
    uniform = _points(count)

    def passed(mean: Floats) -> tuple[float, Floats]:
        drawn = np.zeros((len(uniform), count))
        weight = np.ones(len(uniform))
        for lead in range(count):
            so_far = mean[lead] + drawn[:, :lead] @ root[lead, :lead]
            low = ndtr((-limit[lead] - so_far) / root[lead, lead])
            high = ndtr((limit[lead] - so_far) / root[lead, lead])
            weight *= high - low
            inside = np.clip(low + uniform[:, lead] * (high - low), 1e-300, 1 - 1e-16)
            drawn[:, lead] = ndtri(inside)
        chance = float(weight.mean())
        if chance <= 0:
            return 0.0, mean
        return chance, mean + root @ (weight @ drawn) / weight.sum()

    return passed


@cache
def _points(count: int) -> Floats:
    """Quasi-random points in the unit cube, the same every time."""
    from scipy.stats.qmc import Sobol

    points: Floats = Sobol(count, scramble=True, seed=2022).random_base2(POINTS)
    return points
