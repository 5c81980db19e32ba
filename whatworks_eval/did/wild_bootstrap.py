"""A wild cluster bootstrap of a coefficient of a linear two-way fit: its p-value and the interval it implies.

Restricted: residuals come from the fit in which the coefficient is held at the value asked about; each
cluster's residuals are multiplied by one random weight, and the clustered t statistic of the refit is
compared with that of the data. Weights are Rademacher (±1), all 2^G of them where that is no more than the
draws asked for; with fewer than 12 clusters Webb's six points (±√½, ±1, ±√1½), since 2^G values are coarse.

Nothing is refitted: with h the coefficient's column given all else, a draw's cluster scores are the drawn
scores less what the other columns and the effects take back, which needs matrices only as wide as periods +
columns (see `clustered`). A tested value moves each draw's statistic along a line over a parabola, so an
interval costs no more draws than a p-value.

Source: Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90(3), 414-427; Webb (2023),
Canadian Journal of Economics 56(3), 839-858; Roodman, Nielsen, MacKinnon and Webb (2019), Stata Journal
19(1), 4-60 (the algebra).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whatworks_eval.did.closed_form import FEWEST_CLUSTERS, too_few_clusters
from whatworks_eval.did.clustered import cluster_scores, cluster_sums, working_root
from whatworks_eval.did.fit import Fit
from whatworks_eval.did.two_way import Bools, Codes, Floats
from whatworks_eval.errors import CannotEstimate

Points = Literal["rademacher", "webb"]

FEWEST_FOR_RADEMACHER = 12
WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))
CHUNK = 2_000  # draws at a time: draws × clusters stays small
WIDEST = 60.0  # standard errors from the estimate that an end is looked for
HALVINGS = 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WildBootstrap:
    """What the wild cluster bootstrap says of one coefficient.

    Attributes:
        name: Of the coefficient.
        value: The coefficient.
        p_value: Two-sided, of the coefficient being zero; None with `why_missing`.
        smallest_p: The smallest p-value these draws could give.
        low: Lower end of the values not rejected; None where it lies beyond every value looked at.
        high: Upper end, likewise.
        confidence: Of the interval.
        draws: Draws compared with the data.
        points: Weights drawn.
        enumerated: Whether every assignment of weights was used once.
        clusters: Clusters.
        why_missing: Why there is no p-value.
    """

    name: str
    value: float
    p_value: float | None
    smallest_p: float | None
    low: float | None
    high: float | None
    confidence: float
    draws: int
    points: Points
    enumerated: bool
    clusters: int
    why_missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lines:
    """By draw: the numerator is up + along·δ, the squared error a parabola; δ is estimate - value tested."""

    up: Floats
    along: Floats
    squares: Floats  # draws × 3: constant, linear and quadratic in δ
    enumerated: bool

    def p_value(self, delta: float, variance: float) -> float:
        """Share of draws whose statistic is as far out as that of the data, the data counted among them."""
        numerator = (self.up + self.along * delta) ** 2
        error = self.squares @ np.array([1.0, delta, delta * delta])
        # Both sides squared; a draw without any error counts as far out.
        far = int((numerator * variance >= delta * delta * np.maximum(error, 0.0) * (1 - 1e-9)).sum())
        return far / len(self.up) if self.enumerated else (1 + far) / (1 + len(self.up))


def wild_bootstrap(
    fit: Fit,
    clusters: Codes,
    name: str,
    *,
    seed: int,
    draws: int = 9_999,
    confidence: float = 0.95,
    points: Points | None = None,
    treated: Bools | None = None,
) -> WildBootstrap:
    """The wild cluster bootstrap's p-value of a coefficient of zero and the values it does not reject.

    Args:
        fit: From `fit_linear`.
        clusters: Code of each area's unit of assignment, from 0.
        name: Of the coefficient.
        seed: Of the weights.
        draws: How many.
        confidence: Of the interval.
        points: Weights; None = Rademacher, or Webb's with fewer than 12 clusters.
        treated: By area: ever treated; where given, three clusters are needed in each arm.

    Raises:
        CannotEstimate: For a Poisson fit, whose restricted fit is not a linear one.

    Example:
        >>> from whatworks_eval.did.linear_fit import fit_linear
        >>> rng = np.random.default_rng(3)
        >>> project = np.outer(np.arange(20) < 9, np.arange(6) >= 3) * 1.0
        >>> fit = fit_linear(rng.normal(size=(20, 6)) + project, {"project": project})
        >>> found = wild_bootstrap(fit, np.arange(20), "project", seed=1, draws=999)
        >>> found.p_value < 0.05, found.low < found.value < found.high
        (True, True)
    """
    if fit.kind != "linear":
        raise CannotEstimate(
            "the wild bootstrap is for linear fits: a Poisson fit's residuals cannot change sign; use CR2 or "
            "placebo units for counts"
        )
    at = fit.names.index(name)
    kept, codes = np.unique(clusters[fit.areas], return_inverse=True)
    number = len(kept)
    chosen: Points = points or ("webb" if number < FEWEST_FOR_RADEMACHER else "rademacher")
    why = (
        f"{number} clusters: a clustered error needs {FEWEST_CLUSTERS}" if number < FEWEST_CLUSTERS else None
    )
    if treated is not None:
        ever = np.bincount(codes, weights=treated[fit.areas].astype(float)) > 0
        why = too_few_clusters(int(ever.sum()), int((~ever).sum()))
    value = float(fit.params[at])
    if why is not None:
        return WildBootstrap(
            name=name,
            value=value,
            p_value=None,
            smallest_p=None,
            low=None,
            high=None,
            confidence=confidence,
            draws=0,
            points=chosen,
            enumerated=False,
            clusters=number,
            why_missing=why,
        )
    lines = _drawn(fit, codes, number, at, chosen, seed=seed, draws=draws)
    variance = float((cluster_sums(fit.area_influence()[:, [at]], codes, number) ** 2).sum())
    low, high = (
        _end(lines, variance, side * np.sqrt(variance), 1 - confidence) if variance > 0 else 0.0
        for side in (1.0, -1.0)
    )
    number_drawn = len(lines.up)
    return WildBootstrap(
        name=name,
        value=value,
        p_value=lines.p_value(value, variance),
        # The draw that leaves every sign, and the one that turns them all, repeat the data.
        smallest_p=2 / number_drawn if lines.enumerated else 1 / (1 + number_drawn),
        low=None if low is None else float(value - low),
        high=None if high is None else float(value - high),
        confidence=confidence,
        draws=number_drawn,
        points=chosen,
        enumerated=lines.enumerated,
        clusters=number,
    )


def _drawn(fit: Fit, codes: Codes, number: int, at: int, points: Points, *, seed: int, draws: int) -> _Lines:
    """Every draw's numerator and squared error, as functions of the value tested."""
    column = fit.bread[at] / fit.bread[at, at]
    alone: Floats = np.tensordot(column, fit.design, axes=1)  # the column given all else
    size = float(1 / fit.bread[at, at])  # its weighted sum of squares
    root, _ = working_root(fit)
    # A draw is refitted on all of U, which takes back from its residuals what U can follow. The column has no
    # area means, so its products with U within a cluster are its own cluster scores.
    taken = cluster_scores(fit, codes, number, alone) @ root
    by_residual = cluster_scores(fit, codes, number) @ root
    own_residual = _cluster_products(fit, codes, number, alone, fit.residuals) / size
    own_alone = _cluster_products(fit, codes, number, alone, alone) / size
    enumerated = points == "rademacher" and 2**number <= draws + 1
    rng = np.random.default_rng(seed)
    ups, alongs, squares = [], [], []
    total = 2**number if enumerated else draws
    for start in range(0, total, CHUNK):
        rows = min(CHUNK, total - start)
        if enumerated:
            signs = np.arange(start, start + rows)[:, None] >> np.arange(number) & 1
            weights = 1.0 - 2.0 * signs
        elif points == "rademacher":
            weights = 1.0 - 2.0 * rng.integers(0, 2, (rows, number))
        else:
            weights = WEBB[rng.integers(0, 3, (rows, number))] * (
                1.0 - 2.0 * rng.integers(0, 2, (rows, number))
            )
        # Cluster scores over `size`: constant part from the fit's residuals, linear part from h itself.
        constant = weights * own_residual - (weights @ by_residual) @ taken.T / size
        linear = weights * own_alone - (weights @ taken) @ taken.T / size
        ups.append(weights @ own_residual)
        alongs.append(weights @ own_alone)
        squares.append(
            np.stack(
                [(constant**2).sum(axis=1), 2 * (constant * linear).sum(axis=1), (linear**2).sum(axis=1)],
                axis=1,
            )
        )
    return _Lines(
        up=np.concatenate(ups),
        along=np.concatenate(alongs),
        squares=np.concatenate(squares),
        enumerated=enumerated,
    )


def _cluster_products(fit: Fit, codes: Codes, number: int, left: Floats, right: Floats) -> Floats:
    """Weighted products of two matrices summed by cluster."""
    by_area = np.einsum("at,at,at->a", left, fit.weights, right)
    summed: Floats = np.bincount(codes, weights=by_area, minlength=number).astype(float)
    return summed


def _end(lines: _Lines, variance: float, step: float, alpha: float) -> float | None:
    """How far below (step > 0) or above the estimate a value is still not rejected; None = no end found."""
    inside, outside = 0.0, None
    reach = 0.25
    while reach <= WIDEST:  # the outermost crossing on a grid: p-values by draws have small dips
        if lines.p_value(reach * step, variance) > alpha:
            inside, outside = reach, None
        elif outside is None:
            outside = reach
        if outside is not None and reach > 4 * outside and reach > 10:
            break
        reach *= 1.05
    if outside is None:
        return None
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        if lines.p_value(middle * step, variance) > alpha:
            inside = middle
        else:
            outside = middle
    return outside * step
