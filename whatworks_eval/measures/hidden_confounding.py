"""How strong something nobody measured would have to be to explain a result away."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate, DataError

Floats = NDArray[np.float64]
EXACT_UP_TO = 100  # pairs: beyond, a normal approximation, whose gamma is about 1 % off there
LARGEST_GAMMA = 1_000.0
Test = Literal["signed-rank", "sign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosenbaumBounds:
    """What hidden bias matched pairs could bear.

    Attributes:
        gamma: The odds, one area of a pair against the other, of being the treated one, at which the largest
            possible p-value reaches `alpha`; None where it is above `alpha` without any hidden bias.
        p_value: Two-sided, without hidden bias.
        pairs: Pairs with a difference other than zero.
        zeros: Pairs without a difference, which favour neither side.
        alpha: The p-value asked about.
        test: 'signed-rank' or 'sign'.
    """

    gamma: float | None
    p_value: float
    pairs: int
    zeros: int
    alpha: float
    test: Test

    @property
    def sentence(self) -> str:
        """One plain sentence.

        Example:
            >>> RosenbaumBounds(gamma=None, p_value=0.2, pairs=9, zeros=0, alpha=0.05, test="sign").sentence
            'Chance alone could give so large a difference (p = 0.20), so there is nothing to explain away.'
        """
        if self.gamma is None:
            return (
                f"Chance alone could give so large a difference (p = {self.p_value:.2f}), "
                "so there is nothing to explain away."
            )
        size = f"{self.gamma:.1f}" if self.gamma < LARGEST_GAMMA else f"more than {LARGEST_GAMMA:,.0f}"
        return (
            f"Something not measured that goes with the outcome, and that makes one area of a pair {size} "
            "times as likely (in odds) as its match to be the treated one, could explain the difference away."
        )


def largest_p(differences: Floats, gamma: float, *, test: Test = "signed-rank") -> float:
    """The largest one-sided p-value a hidden bias of `gamma` could hide, 0 to 1, on the side of the result.

    Args:
        differences: By pair, treated less comparison (log changes). A zero takes a rank and
            favours neither side.
        gamma: Odds that one area of a pair rather than the other is the treated one, 1 or more.
        test: 'signed-rank' (Wilcoxon) or 'sign' (the number of pairs on each side).

    Raises:
        CannotEstimate: Where there is no difference other than zero.
        DataError: Where a difference is not a number or gamma is below 1.

    Source: Rosenbaum 2002, Observational Studies, 2nd edition, section 4.3, whose table for the lead
        study ranks zeros too; exact up to `EXACT_UP_TO` pairs.

    Example:
        >>> largest_p(np.array([1.0, 2.0, 3.0]), 1.0), round(largest_p(np.array([1.0, 2.0, 3.0]), 2.0), 4)
        (0.125, 0.2963)
    """
    steps, reached = _scores(differences, test)
    if not gamma >= 1:
        raise DataError(f"hidden confounding: gamma is {gamma}; it is a ratio of odds, 1 or more")
    return _tail(steps, reached, gamma / (1.0 + gamma))


def rosenbaum_bounds(
    differences: Floats, *, alpha: float = 0.05, test: Test = "signed-rank"
) -> RosenbaumBounds:
    """The hidden bias at which matched pairs would no longer tell: two-sided, twice the one-sided p-value.

    Args:
        differences: By pair, treated less comparison (log changes).
        alpha: The p-value asked about.
        test: As `largest_p`.

    Raises:
        CannotEstimate: Where there is no difference other than zero.
        DataError: Where a difference is not a number.

    Source: as `largest_p`.

    Example:
        >>> found = rosenbaum_bounds(-np.arange(1.0, 11.0), test="sign")
        >>> round(found.p_value, 6), round(found.gamma, 3)
        (0.001953, 2.242)
    """
    steps, reached = _scores(differences, test)

    def p_at(gamma: float) -> float:
        return min(1.0, 2.0 * _tail(steps, reached, gamma / (1.0 + gamma)))

    p_value, gamma = p_at(1.0), None
    if p_value <= alpha:
        low, high = 0.0, 0.0 if p_at(LARGEST_GAMMA) <= alpha else math.log(LARGEST_GAMMA)
        while high - low > 1e-8:  # p rises with gamma, so halving finds where it passes alpha
            middle = 0.5 * (low + high)
            low, high = (middle, high) if p_at(math.exp(middle)) <= alpha else (low, middle)
        gamma = math.exp(low) if high else LARGEST_GAMMA
    return RosenbaumBounds(
        gamma=gamma,
        p_value=p_value,
        pairs=len(steps),
        zeros=len(differences) - len(steps),
        alpha=alpha,
        test=test,
    )


def _scores(differences: Floats, test: Test) -> tuple[NDArray[np.intp], int]:
    """Twice the score of each pair (a whole number, ties included), and twice the sum on the larger side."""
    from scipy.stats import rankdata

    if not np.isfinite(differences).all():
        raise DataError(
            "hidden confounding: a pair's difference is not a number; leave the pair out, and say so"
        )
    shown = differences != 0
    if not shown.any():
        raise CannotEstimate(
            "hidden confounding: no pair shows a difference, so there is nothing to explain away"
        )
    ranks = rankdata(np.abs(differences)) if test == "signed-rank" else np.ones(len(differences))
    steps = np.round(2 * ranks[shown]).astype(np.intp)
    up = int(steps[differences[shown] > 0].sum())
    return steps, max(up, int(steps.sum()) - up)


def _tail(steps: NDArray[np.intp], reached: int, chance: float) -> float:
    """Chance that a sum of scores, each in with the same chance, is at least the one reached."""
    total = int(steps.sum())
    if len(steps) > EXACT_UP_TO:
        from scipy.stats import norm

        spread = math.sqrt(chance * (1 - chance) * float(np.square(steps).sum()))
        return float(norm.sf((reached - chance * total) / spread))
    mass = np.zeros(total + 1)
    mass[0] = 1.0
    for step in steps.tolist():
        moved = np.zeros_like(mass)
        moved[step:] = mass[: total + 1 - step]
        mass = (1 - chance) * mass + chance * moved
    return min(1.0, float(mass[reached:].sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class EValue:
    """How strongly something not measured would have to go with both treatment and outcome.

    Attributes:
        estimate: As a ratio, to move the estimate to 1.
        limit: As a ratio, to move the interval's nearer end to 1; 1 where the interval holds 1 already; None
            where there is no interval.
    """

    estimate: float
    limit: float | None

    @property
    def sentence(self) -> str:
        """One plain sentence.

        Example:
            >>> EValue(estimate=2.43, limit=1.0).sentence
            'The interval holds no change already: nothing hidden is needed to explain it away.'
        """
        if self.limit == 1:
            return "The interval holds no change already: nothing hidden is needed to explain it away."
        end = (
            "" if self.limit is None else f" ({self.limit:.1f} times would bring no change into the interval)"
        )
        return (
            "To explain the whole result away, something not measured would have to be "
            f"{self.estimate:.1f} times as common among the treated, and change the outcome "
            f"{self.estimate:.1f} times{end}, beyond what was matched or adjusted for."
        )


def e_value(ratio: float, low: float | None = None, high: float | None = None) -> EValue:
    """The E-value of a ratio of risks, rates or counts, and of the end of its interval nearer to 1.

    Args:
        ratio: Above 0; 1 is no change.
        low: Lower end of its interval.
        high: Upper end.

    Raises:
        DataError: Where a ratio is not above 0, or the interval does not hold it.

    Source: VanderWeele and Ding 2017, Annals of Internal Medicine 167(4), 268-274.

    Example:
        >>> round(e_value(0.8).estimate, 6), round(e_value(3.9, 1.8, 8.7).limit, 6)
        (1.809017, 3.0)
    """
    ends = [end for end in (low, high) if end is not None]
    if not all(math.isfinite(value) and value > 0 for value in (ratio, *ends)):
        raise DataError("hidden confounding: a ratio must be a number above 0")
    if (low is not None and low > ratio) or (high is not None and high < ratio):
        raise DataError(f"hidden confounding: the interval {low} to {high} does not hold the ratio {ratio}")
    nearer = low if ratio >= 1 else high
    limit = None
    if nearer is not None:
        limit = 1.0 if (nearer <= 1 <= ratio or ratio <= 1 <= nearer) else _e_value(nearer)
    return EValue(estimate=_e_value(ratio), limit=limit)


def _e_value(ratio: float) -> float:
    above = max(ratio, 1.0 / ratio)
    return above + math.sqrt(above * (above - 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustnessValue:
    """What share of what is left of treatment and of outcome something hidden would have to account for.

    Attributes:
        estimate: Share, 0 to 1, that would bring the coefficient to zero.
        interval: Share that would bring zero into its interval; 0 where it is there already.
        partial_r2: Share of the outcome's remaining variance that treatment accounts for.
    """

    estimate: float
    interval: float
    partial_r2: float

    @property
    def sentence(self) -> str:
        """One plain sentence.

        Example:
            >>> RobustnessValue(estimate=0.1388, interval=0.0763, partial_r2=0.0219).sentence[-83:]
            'would bring the estimate to zero; 7.6 % of each would bring zero into its interval.'
        """
        end = (
            "zero is in its interval already"
            if self.interval == 0
            else f"{100 * self.interval:.1f} % of each would bring zero into its interval"
        )
        return (
            f"Something not measured that accounts for {100 * self.estimate:.1f} % of what is left of both "
            f"treatment and outcome would bring the estimate to zero; {end}."
        )


def robustness_value(t_value: float, df: float, *, alpha: float = 0.05) -> RobustnessValue:
    """The robustness value of a linear coefficient, from its t statistic and degrees of freedom.

    Args:
        t_value: Coefficient over its (classical) standard error.
        df: Residual degrees of freedom, above 1.
        alpha: One less the confidence of the interval.

    Raises:
        DataError: Where t is not a number or df is not above 1.

    Source: Cinelli and Hazlett 2020, Journal of the Royal Statistical Society B 82(1), 39-67; sensemakr.

    Example:
        >>> found = robustness_value(4.18445, 783)
        >>> round(found.estimate, 4), round(found.interval, 4)
        (0.1388, 0.0763)
    """
    from scipy.stats import t as student

    if not math.isfinite(t_value) or not df > 1:
        raise DataError(
            f"hidden confounding: t = {t_value} on {df} degrees of freedom has no robustness value"
        )
    strength = abs(t_value) / math.sqrt(df)
    critical = float(student.isf(alpha / 2, df - 1)) / math.sqrt(df - 1)
    if strength <= critical:
        interval = 0.0
    elif strength > 1.0 / critical:  # so strong that the outcome's share alone decides
        interval = (strength**2 - critical**2) / (1.0 + strength**2)
    else:
        interval = _share(strength - critical)
    return RobustnessValue(
        estimate=_share(strength), interval=interval, partial_r2=strength**2 / (1.0 + strength**2)
    )


def _share(strength: float) -> float:
    return 0.5 * (math.sqrt(strength**4 + 4.0 * strength**2) - strength**2)


def adjusted_for(
    value: float, se: float, df: float, *, r2_treatment: float, r2_outcome: float
) -> tuple[float, float]:
    """A linear coefficient moved towards zero by something hidden of stated strength, and its t statistic.

    Args:
        value: The coefficient.
        se: Its (classical) standard error.
        df: Residual degrees of freedom.
        r2_treatment: Share of what is left of treatment that the hidden thing accounts for, 0 to below 1.
        r2_outcome: Share of what is left of the outcome, 0 to 1.

    Raises:
        DataError: Where a share is out of range.

    Source: Cinelli and Hazlett 2020, as `robustness_value`.

    Example:
        >>> found = adjusted_for(0.0973158193, 0.0232565378, 783, r2_treatment=0.0091642867,
        ...                      r2_outcome=0.1246409230)
        >>> [round(one, 4) for one in found]
        [0.0752, 3.4389]
    """
    if not (0 <= r2_treatment < 1 and 0 <= r2_outcome < 1):
        raise DataError("hidden confounding: shares of variance must be from 0 to below 1")
    bias = se * math.sqrt(df * r2_outcome * r2_treatment / (1.0 - r2_treatment))
    error = se * math.sqrt((1.0 - r2_outcome) / (1.0 - r2_treatment) * df / (df - 1.0))
    moved = (
        math.copysign(abs(value) - bias, value)
        if bias <= abs(value)
        else -math.copysign(bias - abs(value), value)
    )
    return moved, moved / error
