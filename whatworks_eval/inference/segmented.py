"""A segmented regression of monthly counts, and its error where months are alike their neighbours.

    log expected = constant + trend·t + level·after + slope·after·(t - t₀) + season + log exposure

t₀ is the first after period, so `level` is the jump there and `slope` the change of trend from then on. The
season is two pairs of harmonics of the year. The mean is fitted by Poisson regression; its error allows for
counts that vary by more than chance (dispersion φ) and for months alike their neighbours: of a Pearson
residual's variance, a share s follows a first-order autoregression ρ and the rest is a month's own. All three
are estimated by restricted maximum likelihood, which allows for the coefficients fitted; critical values
come from series simulated at the estimates. Without the second part (s = 1) counts, whose chance variation
does not carry over, hide a persistent part from the fit.

Source: Bernal, Cummins and Gasparrini (2017), International Journal of Epidemiology 46(1), 348-355 (the
model); Turner et al. (2021), BMC Medical Research Methodology 21:181 (restricted maximum likelihood for short
series); the comparison of errors is this package's, in docs/explanation/interrupted-time-series.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.periods import PeriodKind, first_day, next_period

Floats = NDArray[np.float64]

HARMONICS = 2  # pairs: a yearly and a half-yearly wave
LEVEL, SLOPE = 2, 3  # columns of the design
RHOS = np.linspace(-0.4, 0.95, 28)
SHARES = np.array([0.25, 0.5, 0.75, 1.0])
DRAWS = 1_999
YEAR_DAYS = 365.2425
NOTHING = 1e-12  # what is left over by a series without any noise


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A fitted series.

    Attributes:
        params: Constant, trend, level, slope, then the season; per period.
        fitted: Expected count of each period.
        without: The same with level and slope taken out: the trend before, carried on.
        design: Periods × coefficients.
    """

    params: Floats
    fitted: Floats
    without: Floats
    design: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Serial:
    """How residuals hang together, and what that makes of the error of an effect.

    Attributes:
        next_period: Correlation of one period's residual with the next: s·ρ.
        dispersion: Variance of a count over its mean.
        errors: Standard error of each effect asked about.
        draws: draws × effects: the effect over its standard error in series where there is none, sorted by
            absolute size.
    """

    next_period: float
    dispersion: float
    errors: Floats
    draws: Floats

    def critical(self, effect: int, confidence: float) -> float:
        """The multiple of the standard error that the interval reaches."""
        return float(np.quantile(self.draws[:, effect], confidence))

    def p_value(self, effect: int, value: float) -> float:
        """Two-sided p-value of no effect."""
        as_far = (self.draws[:, effect] >= abs(value) / self.errors[effect]).sum()
        return float((1 + as_far) / (1 + len(self.draws)))

    def quantiles(self, effect: int, value: float) -> tuple[float, ...]:
        """199 quantiles of the effect, alike on both sides."""
        part = np.arange(1, 200) / 200
        size = np.quantile(self.draws[:, effect], np.abs(2 * part - 1))
        return tuple((value + np.sign(part - 0.5) * size * self.errors[effect]).tolist())


def design_matrix(time: Floats, after: NDArray[np.bool_], season: Floats | None = None) -> Floats:
    """Constant, time, level and slope, then two pairs of harmonics where a season is given.

    Args:
        time: Number of each period; gaps are allowed.
        after: True for after periods. The slope counts from the first of them.
        season: Part of the year gone at each period, 0 to 1; None = no seasonal terms.

    Example:
        >>> design_matrix(np.arange(4.0), np.array([False, False, True, True]))[:, 3].tolist()
        [0.0, 0.0, 0.0, 1.0]
    """
    start = time[after].min() if after.any() else 0.0
    columns = [np.ones(len(time)), time - time[0], after * 1.0, np.where(after, time - start, 0.0)]
    if season is not None:
        for wave in range(1, HARMONICS + 1):
            columns += [np.sin(2 * np.pi * wave * season), np.cos(2 * np.pi * wave * season)]
    return np.column_stack(columns)


def season_of(periods: Sequence[str], kind: PeriodKind) -> Floats:
    """Part of the year gone at the start of each period.

    Example:
        >>> season_of(["2018-01", "2018-07"], "month").tolist()
        [0.0, 0.5]
    """
    if kind == "month":
        return np.array([(int(period[5:7]) - 1) / 12 for period in periods])
    return np.array([(first_day(period, kind).timetuple().tm_yday - 1) / YEAR_DAYS for period in periods])


def days_in(periods: Sequence[str], kind: PeriodKind) -> Floats:
    """Days in each period.

    Example:
        >>> days_in(["2019-02", "2020-02"], "month").tolist()
        [28.0, 29.0]
    """
    return np.array(
        [float((first_day(next_period(p, kind), kind) - first_day(p, kind)).days) for p in periods]
    )


def fit_poisson(counts: Floats, design: Floats, exposure: Floats | None = None) -> Line:
    """The segmented Poisson regression of a series.

    Raises:
        CannotEstimate: Where the fit does not settle.
    """
    import warnings

    with warnings.catch_warnings():  # statsmodels resets the filters when first imported
        from statsmodels.genmod.families import Poisson
        from statsmodels.genmod.generalized_linear_model import GLM

        warnings.simplefilter("ignore")  # whether it settled is asked below
        offset = np.zeros(len(counts)) if exposure is None else np.log(exposure)
        found = GLM(counts, design, family=Poisson(), offset=offset).fit(maxiter=200, tol=1e-12, rtol=1e-12)
    params: Floats = np.asarray(found.params, dtype=float)
    if not found.converged or not np.isfinite(params).all():
        raise CannotEstimate(
            "the fit of the series did not settle: too few incidents are spread over these periods"
        )
    plain = params.copy()
    plain[LEVEL : SLOPE + 1] = 0.0
    return Line(
        params=params,
        fitted=np.exp(design @ params + offset),
        without=np.exp(design @ plain + offset),
        design=design,
    )


def average_gradient(line: Line, after: NDArray[np.bool_]) -> Floats:
    """How the log of recorded over expected in the after window moves with each coefficient."""
    mean, without = line.fitted[after], line.without[after]
    base = line.design[after].copy()
    base[:, LEVEL : SLOPE + 1] = 0.0
    gradient: Floats = mean @ line.design[after] / mean.sum() - without @ base / without.sum()
    return gradient


def alike(rho: float, apart: Floats) -> Floats:
    """Correlation of periods so far apart under a first-order autoregression.

    Example:
        >>> alike(-0.5, np.array([0.0, 1.0, 2.0])).tolist()
        [1.0, -0.5, 0.25]
    """
    size: Floats = np.power(abs(rho), apart)
    return size if rho >= 0 else np.where(apart % 2 == 0, size, -size)


def serial_error(
    counts: Floats, line: Line, time: Floats, effects: Floats, *, seed: int, draws: int = DRAWS
) -> Serial:
    """The error of effects that are linear in the coefficients, and what they do where there is nothing.

    The fit is taken as linear about its mean: √μ times the design, with residuals (y - μ)/√μ.

    Args:
        counts: Incidents by period.
        line: The fit.
        time: Number of each period; periods further apart are less alike.
        effects: effects × coefficients.
        seed: Of the simulated series.
        draws: How many.
    """
    root = np.sqrt(line.fitted)
    scaled = line.design * root[:, None]
    orthogonal, triangle = np.linalg.qr(scaled, mode="complete")
    width = line.design.shape[1]
    inside, rest = orthogonal[:, :width], orthogonal[:, width:]
    size = rest.shape[1]
    # Each effect as weights on the scaled residuals.
    weights = np.linalg.solve(triangle[:width].T, effects.T).T @ inside.T
    apart = np.abs(np.subtract.outer(time, time))
    axes, logs, spreads, scales = [], [], [], []
    for rho in RHOS:
        like = alike(float(rho), apart)
        values, vectors = np.linalg.eigh(rest.T @ like @ rest)
        mixed = (1 - SHARES)[:, None] + SHARES[:, None] * np.maximum(values, 1e-9)
        axes.append(rest @ vectors)
        scales.append(1 / mixed)
        logs.append(np.log(mixed).sum(axis=1))
        own, carried = (weights**2).sum(axis=1), np.einsum("ij,jk,ik->i", weights, like, weights)
        spreads.append((1 - SHARES)[:, None] * own + SHARES[:, None] * carried)
    spread = np.concatenate(spreads)
    penalty = 0.5 * np.concatenate(logs)

    def likeliest(residuals: Floats) -> tuple[NDArray[np.intp], Floats]:
        """Place of ρ and s, and φ, by restricted maximum likelihood, by series."""
        squares = np.concatenate(
            [(residuals @ axis) ** 2 @ scale.T for axis, scale in zip(axes, scales, strict=True)], axis=1
        )
        place = (-0.5 * size * np.log(np.maximum(squares, NOTHING)) - penalty).argmax(axis=1)
        return place, np.maximum(squares[np.arange(len(place)), place], NOTHING) / size

    found, dispersion = likeliest(((counts - line.fitted) / root)[None, :])
    at = int(found[0])
    rho, share = float(RHOS[at // len(SHARES)]), float(SHARES[at % len(SHARES)])
    mixed = (1 - share) * np.eye(len(counts)) + share * alike(rho, apart)
    noise = np.random.default_rng(seed).standard_normal((draws, len(counts)))
    drawn = noise @ np.linalg.cholesky(mixed).T
    place, scale = likeliest(drawn)
    ratios = np.abs(drawn @ weights.T) / np.sqrt(scale[:, None] * spread[place])
    return Serial(
        next_period=share * rho,
        dispersion=float(dispersion[0]),
        errors=np.sqrt(dispersion[0] * spread[at]),
        draws=np.sort(ratios, axis=0),
    )
