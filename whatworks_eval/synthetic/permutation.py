"""An interval for the effect: every effect that a permutation test of it does not reject.

For a hypothesised effect, that effect is taken out of the treated units. If the hypothesis is right the
treated set is then one set among many like it, and its mean gap over its spread is ranked among theirs.
Weights come from the before window alone, so a set's mean gap is a straight line in the hypothesis:

    statistic of a set    |constant + slope · hypothesis| / spread

with the spread that sets of its level have (`spread.py`), or its own gap before,

and the ends of the interval are crossings of two such lines: found exactly, on no grid. Where every set of
as many units is enumerated, the treated units serving as others' donors with the effect taken out, the test
is exact for units whose allotment was as if by lot: with the own gap before to the letter, with the spread by
level but for its two parts being fitted without the treated units.

Synthetic difference-in-differences weighs periods by what donors did after the start; there placebo sets are
made of donors alone and the test is approximate.

Source: Firpo and Possebom (2018), Journal of Causal Inference 6(2), for inverting the placebo test;
the exactness is Fisher's, of a permutation test.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.synthetic.fitted import Estimator, Floats, Synthetic
from whatworks_eval.synthetic.placebo_rank import (
    MOST_SETS,
    TIE,
    PlaceboRank,
    candidates_of,
    fit_set,
    placebo_rank,
    sets_of,
)
from whatworks_eval.synthetic.series import ComparisonSeries
from whatworks_eval.synthetic.spread import SpreadByLevel, fit_spread

EffectScale = Literal["difference", "ratio"]
Spread = Literal["level", "before-gap"]
_NOT_REJECTED = (
    "no effect so far out is rejected: the treated units are donors of others, "
    "whose gaps over their spread grow as fast with the effect taken out"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectInterval:
    """Effects not rejected.

    Attributes:
        value: Mean gap, or treated over expected; None where nothing above zero was expected.
        low: Lower end; None where it is open.
        high: Upper end.
        confidence: Share of intervals so made that hold the effect, at least, where the test is exact.
        why_open: Why an end is missing; empty where none is.
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    why_open: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PermutationTest:
    """Lines of every set, ready to be asked about any hypothesised effect.

    Attributes:
        fit: The treated units' own synthetic comparison.
        gaps: Mean gap after the start by set, the treated set first, over its spread.
        shares: How much of an effect of 1 on every treated unit is in that gap, over the same.
        levels: The same of an effect in proportion: the treated units' recorded level after the start.
        spread: What gaps are divided by.
        exact: Whether every possible set is there, the treated units among the donors.
        smallest_p: The smallest p-value so few sets can give.
    """

    fit: Synthetic
    gaps: Floats
    shares: Floats
    levels: Floats
    spread: Spread
    exact: bool
    smallest_p: float

    def p_value(
        self, effect: float, scale: EffectScale = "difference", *, spreads: Floats | float = 1.0
    ) -> float:
        """Two-sided p-value of a hypothesised effect: in the unit of the series, or as a ratio above 0.

        Args:
            effect: Hypothesised.
            scale: What it is in.
            spreads: By set, how many times its spread under the hypothesis is what it is with no effect.
        """
        constant, slope = self._lines(scale)
        return self._p(constant / spreads, slope / spreads, effect if scale == "difference" else 1 / effect)

    def interval(self, confidence: float, scale: EffectScale = "difference") -> EffectInterval:
        """The outermost effects not rejected; an end is None where no effect so far out is rejected."""
        alpha = 1 - confidence
        value = self.fit.effect if scale == "difference" else self.fit.ratio
        if self.smallest_p > alpha:
            sets = len(self.gaps)
            why = (
                f"with {sets} sets, the treated one included, the smallest p-value is {self.smallest_p:.3f}: "
                f"no effect can be rejected at {100 * confidence:g} % confidence"
            )
            return EffectInterval(value=value, low=None, high=None, confidence=confidence, why_open=why)
        low, high = self._kept(alpha, *self._lines(scale), positive=scale == "ratio")
        if scale == "ratio":  # lines run along one over the ratio
            low, high = (1 / high if high else None), (1 / low if low else None)
        why = "" if low is not None and high is not None else _NOT_REJECTED
        return EffectInterval(value=value, low=low, high=high, confidence=confidence, why_open=why)

    def _lines(self, scale: EffectScale) -> tuple[Floats, Floats]:
        """Constants and slopes by set: along the effect, or along one over the ratio."""
        if scale == "difference":
            return self.gaps, -self.shares
        return self.gaps - self.levels, self.levels

    @staticmethod
    def _p(constant: Floats, slope: Floats, at: float) -> float:
        heights = np.abs(constant + slope * at)
        return float((heights >= heights[0] * (1 - TIE) - 1e-12).mean())

    def _kept(
        self, alpha: float, constant: Floats, slope: Floats, *, positive: bool
    ) -> tuple[float | None, float | None]:
        """The outermost kept points along the lines: crossings with the treated set's, tried in between."""
        up, down = slope[1:] - slope[0], slope[1:] + slope[0]
        crossings = np.concatenate(
            [
                (constant[0] - constant[1:])[up != 0] / up[up != 0],
                -(constant[0] + constant[1:])[down != 0] / down[down != 0],
            ]
        )
        if positive:
            crossings = crossings[crossings > 0]
        edges = np.unique(crossings)
        if not len(edges):
            return None, None
        reach = 1.0 + float(np.abs(edges).max())
        first = edges[0] / 2 if positive else edges[0] - reach
        inside = np.concatenate([[first], (edges[1:] + edges[:-1]) / 2, [edges[-1] + reach]])
        kept = np.flatnonzero([self._p(constant, slope, float(at)) > alpha + TIE for at in inside])
        if not len(kept):
            return None, None
        low = None if kept[0] == 0 else float(edges[kept[0] - 1])
        high = None if kept[-1] == len(edges) else float(edges[kept[-1]])
        return low, high


def permutation_test(
    series: ComparisonSeries,
    estimator: Estimator,
    *,
    spread: Spread = "level",
    candidates: Collection[str] | None = None,
    most: int = MOST_SETS,
    seed: int = 0,
) -> PermutationTest:
    """A test that can be asked about any hypothesised effect.

    Args:
        series: Every unit on one scale.
        estimator: Such as `simplex`; the same for the treated and every other set.
        spread: What gaps are divided by: what sets of that level stray by, or the set's own gap before.
        candidates: Donors that sets are made of, beside the treated units; None = all. The test is exact
            for units whose allotment was as if by lot among these.
        most: Sets above which they are drawn.
        seed: Of the draws.

    Raises:
        CannotEstimate, DataError: As `placebo_rank`.

    Source: Firpo and Possebom (2018), Journal of Causal Inference 6(2).

    Example:
        >>> from whatworks_eval.synthetic.series import comparison_series
        >>> from whatworks_eval.synthetic.simplex import simplex
        >>> draws = np.random.default_rng(5).poisson(50, (25, 20)).astype(float)
        >>> draws[0, 12:] -= 30
        >>> series = comparison_series(draws, [f"u{n:02}" for n in range(25)], ["u00"], before=12,
        ...                            scale="count")
        >>> test = permutation_test(series, simplex)
        >>> found = test.interval(0.95)
        >>> test.p_value(0.0), found.low < -30 < found.high < 0
        (0.04, True)
    """
    units = np.arange(len(series.names))
    treated = units[series.is_treated]
    donors = units[~series.is_treated]
    placebos = placebo_rank(series, estimator, candidates=candidates, most=most, seed=seed)
    fit = placebos.fit
    shape = fit_spread(*_in_incidents(series, placebos)) if spread == "level" else None
    if fit.time_weights.size:
        place = {name: at for at, name in enumerate(series.names)}
        sets = [treated, *(np.array([place[name] for name in chosen]) for chosen in placebos.sets)]
        own = np.concatenate([[fit.spread], placebos.spreads])
        spreads = own if shape is None else np.array([_by_level(series, one, shape) for one in sets])
        first = np.zeros(len(spreads))
        first[0] = 1.0
        return PermutationTest(
            fit=fit,
            gaps=np.concatenate([[fit.effect], placebos.effects]) / spreads,
            shares=first / spreads,
            levels=first * float(fit.treated[fit.before :].mean()) / spreads,
            spread=spread,
            exact=False,
            smallest_p=1 / len(spreads),
        )
    drawn_from = np.union1d(treated, candidates_of(series, candidates))
    members, exact = sets_of(drawn_from, len(treated), most=most, seed=seed)
    others = members[(members != treated).any(axis=1)]
    lines = [_line(series, treated, fit, donors, shape)]
    for chosen in others:
        rest = np.setdiff1d(units, chosen)
        lines.append(_line(series, chosen, fit_set(series, chosen, rest, estimator), rest, shape))
    gaps, shares, levels = np.array(lines).T
    return PermutationTest(
        fit=fit,
        gaps=gaps,
        shares=shares,
        levels=levels,
        spread=spread,
        exact=exact,
        smallest_p=1 / len(lines),
    )


def _line(
    series: ComparisonSeries,
    chosen: NDArray[np.intp],
    fit: Synthetic,
    donors: NDArray[np.intp],
    shape: SpreadByLevel | None,
) -> tuple[float, float, float]:
    """Mean gap of a set, and how an effect on the treated units enters it: as an amount, in proportion."""
    after = series.values[:, series.before :].mean(axis=1)
    own = series.sizes[chosen] / series.sizes[chosen].sum() * series.is_treated[chosen]
    lent = fit.weights * series.is_treated[donors]
    share = float(own.sum() - lent.sum())
    level = float(own @ after[chosen] - lent @ after[donors])
    by = fit.spread if shape is None else _by_level(series, chosen, shape)
    return fit.effect / by, share / by, level / by


def _incidents(series: ComparisonSeries, chosen: NDArray[np.intp]) -> float:
    """Incidents per period of a set before the start."""
    before = np.abs(series.values[chosen, : series.before]).mean(axis=1)
    return float(before @ series.sizes[chosen]) / series.base


def _by_level(series: ComparisonSeries, chosen: NDArray[np.intp], shape: SpreadByLevel) -> float:
    """Spread of a set's mean gap by its level, in the unit of the series."""
    stray = float(shape.of(np.array([_incidents(series, chosen)]))[0])
    return stray * series.base / float(series.sizes[chosen].sum())


def _in_incidents(series: ComparisonSeries, placebos: PlaceboRank) -> tuple[Floats, Floats]:
    """Mean gaps of placebo sets, and their incidents before the start, both per period."""
    place = {name: at for at, name in enumerate(series.names)}
    sets = [np.array([place[name] for name in chosen]) for chosen in placebos.sets]
    sizes = np.array([series.sizes[chosen].sum() for chosen in sets])
    return placebos.effects * sizes / series.base, np.array([_incidents(series, one) for one in sets])
