"""Clustered errors of a two-way fit: CR0, CR1, CR1S, CR2 with its degrees of freedom, CR3, and fixest's.

The adjustments of CR2 and CR3 are those of the full model with a dummy for every area and period, without
building it. The working variance is the inverse of the fit's weights (Poisson: the mean), and the root of CR2
is taken once rows are scaled by √weight, so the area dummies, which lie inside a cluster, may be left out of
the adjustment (a test holds it to the full model). Unweighted linear fits have clubSandwich's numbers; with
weights, and for counts, its root is another solution of the same equation (no scaling), as unbiased where the
working variance holds and up to a tenth apart in panels of a dozen areas. What stays is U: the residual
columns and the period dummies without area means, as wide as columns + periods. With R R' the generalised
inverse of U'WU, and C_g = R' U_g' W_g U_g R, cluster g's adjusted score for coefficient j is

    e_j' R f(I - C_g) R' (U_g' W_g e_g)      f: CR0 x⁰ · CR2 x^(-1/2) · CR3 x^(-1)

so that every matrix is of that width and no cluster's rows are ever squared. Satterthwaite's degrees of
freedom are (Σ P_gg)² / ΣΣ P_gh², P being the working covariance of the adjusted scores.

Source: Pustejovsky and Tipton (2018), Journal of Business & Economic Statistics 36(4), 672-683; Bell and
McCaffrey (2002), Survey Methodology 28(2), 169-181; fixest's correction as in `closed_form`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whatworks_eval.did.closed_form import FEWEST_CLUSTERS, too_few_clusters
from whatworks_eval.did.fit import Fit
from whatworks_eval.did.two_way import Bools, Codes, Floats
from whatworks_eval.errors import DataError

Kind = Literal["CR0", "CR1", "CR1S", "CR2", "CR3", "fixest"]

WORDS: dict[Kind, str] = {
    "CR0": "CR0: no small-sample correction",
    "CR1": "CR1: scaled by G/(G-1), with G units",
    "CR1S": "CR1S: G/(G-1) × (N-1)/(N-K), K counting every area and period",
    "CR2": "CR2, corrected for few units; Satterthwaite degrees of freedom",
    "CR3": "CR3: like leaving out one cluster at a time",
    "fixest": "G/(G-1) × (N-1)/(N-K), K counting columns and periods: areas lie inside clusters",
}
NULL = 1e-9  # an eigenvalue of the scaled system, or of I - C_g, below this is nothing but rounding
NEARLY_FLAT = 0.4  # size of C_g below which the series of its power is short
MOST_TERMS = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clustered:
    """Clustered errors of every coefficient of a fit, or why there are none.

    Attributes:
        kind: As asked.
        words: The convention, to be named beside the interval.
        names: Of the coefficients.
        params: Coefficients.
        covariance: columns × columns; empty with `why_missing`.
        errors: Standard errors; empty with `why_missing`.
        df: Degrees of freedom by coefficient: Satterthwaite for CR2, clusters - 1 otherwise.
        clusters: Clusters in the fit.
        why_missing: Why there is no error.
    """

    kind: Kind
    words: str
    names: tuple[str, ...]
    params: Floats
    covariance: Floats
    errors: Floats
    df: Floats
    clusters: int
    why_missing: str | None = None

    def interval(self, name: str, confidence: float = 0.95) -> tuple[float, float] | None:
        """The t interval of a coefficient, in its own unit; None where there is no error."""
        if self.why_missing is not None:
            return None
        from scipy.stats import t

        at = self.names.index(name)
        reach = float(t.ppf(0.5 + confidence / 2, self.df[at]) * self.errors[at])
        return float(self.params[at]) - reach, float(self.params[at]) + reach

    def p_value(self, name: str) -> float | None:
        """The two-sided p-value of a coefficient of zero; None where there is no error."""
        if self.why_missing is not None:
            return None
        from scipy.stats import t

        at = self.names.index(name)
        return float(2 * t.sf(abs(self.params[at]) / self.errors[at], self.df[at]))


def clustered(fit: Fit, clusters: Codes, *, kind: Kind = "CR2", treated: Bools | None = None) -> Clustered:
    """The clustered errors of a fit.

    Args:
        fit: From `fit_poisson` or `fit_linear`.
        clusters: Code of each area's unit of assignment, from 0; by area as given to the fit.
        kind: Which error.
        treated: By area as given to the fit: ever treated. Where given, three clusters are needed in each arm
            (a cluster with any treated area is a treated one); otherwise three in all.

    Raises:
        DataError: Where the codes are not one an area.

    Example:
        >>> from whatworks_eval.did.poisson_fit import fit_poisson
        >>> rng = np.random.default_rng(1)
        >>> project = np.outer(np.arange(8) < 4, np.arange(6) >= 3) * 1.0
        >>> fit = fit_poisson(rng.poisson(9.0, (8, 6)).astype(float), {"project": project})
        >>> found = clustered(fit, np.arange(8), kind="CR2")
        >>> found.clusters, round(float(found.df[0]), 1)
        (8, 5.9)
        >>> clustered(fit, np.arange(8) // 4).why_missing
        '2 clusters: a clustered error needs 3'
    """
    if fit.areas.max() >= len(clusters) or clusters.ndim != 1:
        raise DataError(
            f"cluster codes are for {len(clusters)} areas; the fit knows area {int(fit.areas.max())}"
        )
    kept, codes = np.unique(clusters[fit.areas], return_inverse=True)
    number = len(kept)
    why = (
        f"{number} clusters: a clustered error needs {FEWEST_CLUSTERS}" if number < FEWEST_CLUSTERS else None
    )
    if treated is not None:
        ever = np.bincount(codes, weights=treated[fit.areas].astype(float)) > 0
        why = too_few_clusters(int(ever.sum()), int((~ever).sum()))
    covariance, df = np.empty((0, 0)), np.empty(0)
    if why is None:
        if kind in ("CR2", "CR3"):
            covariance, df, why = _adjusted(fit, codes, number, kind)
        else:
            covariance, df = _plain(fit, codes, number, kind)
    return Clustered(
        kind=kind,
        words=WORDS[kind],
        names=fit.names,
        params=fit.params,
        covariance=covariance,
        errors=np.sqrt(np.diag(covariance)) if len(covariance) else np.empty(0),
        df=df,
        clusters=number,
        why_missing=why,
    )


def _plain(fit: Fit, codes: Codes, number: int, kind: Kind) -> tuple[Floats, Floats]:
    """Covariance without adjustment of the scores, times the named factor."""
    sums = cluster_sums(fit.area_influence(), codes, number)
    factor = {"CR0": 1.0}.get(kind, number / (number - 1))
    counted = {"CR1S": fit.absorbed, "fixest": len(fit.periods)}.get(kind)
    if counted is not None:
        factor *= (fit.cells - 1) / (fit.cells - len(fit.names) - counted)
    return factor * (sums.T @ sums), np.full(len(fit.names), number - 1.0)


def _adjusted(fit: Fit, codes: Codes, number: int, kind: Kind) -> tuple[Floats, Floats, str | None]:
    """Covariance and degrees of freedom with scores adjusted cluster by cluster, or why not."""
    wide = len(fit.names) + fit.weights.shape[1]
    root, coefficients = working_root(fit)
    order, edges = members(codes, number)
    scores = cluster_scores(fit, codes, number) @ root
    width, columns = root.shape[1], len(fit.names)
    influence = np.empty((number, columns))
    own, across = np.empty((number, columns)), np.empty((number, columns, width))
    degenerate = 0
    for cluster in range(number):
        gram = root.T @ cluster_gram(fit, order[edges[cluster] : edges[cluster + 1]], wide) @ root
        turned, alone = _lifted(coefficients, gram, -0.5 if kind == "CR2" else -1.0)
        degenerate += alone
        influence[cluster] = turned @ scores[cluster]
        across[cluster] = turned @ gram
        own[cluster] = np.einsum("kw,kw->k", across[cluster], turned)
    if kind == "CR3" and degenerate:
        why = (
            f"{degenerate} clusters cannot be left out: without one of them a coefficient is no longer known"
        )
        return np.empty((0, 0)), np.empty(0), why
    df = np.full(columns, number - 1.0)
    if kind == "CR2":
        for at in range(columns):
            part = across[:, at]
            working = own[:, at] - np.einsum("gw,gw->g", part, part)
            joint = part.T @ part
            # ΣΣ P² where P = diag(own) - part part'.
            square = (own[:, at] ** 2 - 2 * own[:, at] * np.einsum("gw,gw->g", part, part)).sum() + np.sum(
                joint**2
            )
            df[at] = working.sum() ** 2 / square
    return influence.T @ influence, df, None


def _lifted(rows: Floats, gram: Floats, power: float) -> tuple[Floats, bool]:
    """Rows times (I - gram) to a power, on its range, and whether its range is less than everything.

    A cluster among many hardly bends the fit: its series is summed; an eigenvalue problem is for the rest.
    """
    if np.vdot(gram, gram) < NEARLY_FLAT**2:
        total, term = rows, rows
        for number in range(1, MOST_TERMS):
            term = term @ gram * ((number - 1 - power) / number)
            total = total + term
            if np.abs(term).max() <= 1e-15 * np.abs(total).max():
                return total, False
    values, vectors = np.linalg.eigh(gram)
    room = 1 - values
    factor = np.where(room > NULL, np.maximum(room, NULL) ** power, 0.0)
    return (rows @ vectors) * factor @ vectors.T, bool((room < NULL).any())


def cluster_sums(by_area: Floats, codes: Codes, number: int) -> Floats:
    """Sums over the areas of each cluster: clusters × columns.

    Example:
        >>> cluster_sums(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 0]), 2).tolist()
        [[5.0], [2.0]]
    """
    return np.stack([np.bincount(codes, weights=column, minlength=number) for column in by_area.T], axis=1)


def members(codes: Codes, number: int) -> tuple[Codes, Codes]:
    """Areas in order of their cluster, and where each cluster begins (one more for the end)."""
    order = np.argsort(codes, kind="stable")
    return order, np.searchsorted(codes[order], np.arange(number + 1))


def cluster_gram(fit: Fit, areas: Codes, wide: int) -> Floats:
    """U_g' W_g U_g of some areas: columns first, then periods without area means."""
    columns = len(fit.names)
    weights, design = fit.weights[areas], fit.design[:, areas]
    total = weights.sum(axis=1)
    shares = weights / np.sqrt(np.where(total > 0, total, 1.0))[:, None]
    weighted = design * weights
    gram = np.empty((wide, wide))
    gram[:columns, :columns] = weighted.reshape(columns, -1) @ design.reshape(columns, -1).T
    # The columns have no weighted area mean, so the period dummies' area means drop out beside them.
    gram[:columns, columns:] = weighted.sum(axis=1)
    gram[columns:, :columns] = gram[:columns, columns:].T
    gram[columns:, columns:] = -shares.T @ shares
    gram[range(columns, wide), range(columns, wide)] += weights.sum(axis=0)
    return gram


def cluster_scores(fit: Fit, codes: Codes, number: int, residuals: Floats | None = None) -> Floats:
    """U_g' W_g e_g by cluster: clusters × (columns + periods)."""
    weighted = fit.weights * (fit.residuals if residuals is None else residuals)
    total = fit.weights.sum(axis=1)
    mean = weighted.sum(axis=1) / np.where(total > 0, total, 1.0)
    by_area = np.concatenate(
        [np.einsum("kat,at->ak", fit.design, weighted), weighted - fit.weights * mean[:, None]], axis=1
    )
    return cluster_sums(by_area, codes, number)


def working_root(fit: Fit) -> tuple[Floats, Floats]:
    """R, with R R' the generalised inverse of U'WU, and the rows of R that give the coefficients."""
    columns, wide = len(fit.names), len(fit.names) + fit.weights.shape[1]
    system = cluster_gram(fit, np.arange(len(fit.weights)), wide)
    # The columns are orthogonal to the effects: what is left beside them is rounding.
    system[:columns, columns:] = system[columns:, :columns] = 0.0
    size = np.sqrt(np.diag(system))
    scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    values, vectors = np.linalg.eigh(system * scale * scale[:, None])
    kept = values > NULL
    root: Floats = vectors[:, kept] / np.sqrt(values[kept]) * scale[:, None]
    return root, root[:columns]
