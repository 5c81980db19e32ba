"""Area × period effects for counts, fitted only to the cells a project cannot have touched.

Expected count of a cell = effect of its area × effect of its period (× exposure). By maximum likelihood
every area's and every period's expected total over the cells fitted is what was recorded there; a few rounds
of proportional fitting come near, and Newton's method on the period effects ends it.

Source: the Poisson two-way model of Wooldridge (2023), Econometrics Journal 26, C31-C66; fitting of margins,
Deming and Stephan (1940), Annals of Mathematical Statistics 11, 427-444.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whatworks_eval.did.rollout import Bools, Floats
from whatworks_eval.errors import CannotEstimate

ROUNDS = 10
STEPS = 100
HALVINGS = 30
SETTLED = 1e-9  # largest gap in a period's total, as a share of all incidents; one more step squares it
EMPTY = 1e-11
TOUCHED = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class UntreatedCounts:
    """The fit and what errors need of it.

    Attributes:
        inside: Cells fitted.
        shares: Period effect × exposure, over the area's sum of it in its fitted cells: areas × periods.
        fitted: Expected counts in all cells: the area's recorded total in its fitted cells × `shares`.
        usable: Cells whose expected count the fitted cells pin down.
        inverse: Pseudo-inverse of the information on the logs of the period effects.
    """

    inside: Bools
    shares: Floats
    fitted: Floats
    usable: Bools
    inverse: Floats

    def scores(self, counts: Floats, weights: Floats) -> Floats:
        """Each area's pull on each period effect: areas × periods."""
        scores: Floats = weights[:, None] * np.where(self.inside, counts - self.fitted, 0.0)
        return scores


def untreated_counts(counts: Floats, inside: Bools, weights: Floats, exposure: Floats) -> UntreatedCounts:
    """Period effects and expected counts from the cells given.

    Args:
        counts: areas × periods, zero or more where `inside`.
        inside: Cells to fit.
        weights: By area.
        exposure: areas × periods, above zero.

    Raises:
        CannotEstimate: Nothing is recorded in the cells given, or the effects do not settle.

    Example:
        >>> counts = np.array([[2.0, 4.0], [3.0, 0.0]])
        >>> inside = np.array([[True, True], [True, False]])
        >>> fit = untreated_counts(counts, inside, np.ones(2), np.ones((2, 2)))
        >>> fit.fitted.round(9).tolist()
        [[2.0, 4.0], [3.0, 6.0]]
    """
    kept = np.where(inside, counts, 0.0)
    by_period = weights @ kept
    live = by_period > 0
    if not live.any():
        raise CannotEstimate("nothing was recorded in any cell the project cannot have touched")
    area_total = kept.sum(axis=1)
    base = np.where(inside & live, exposure, 0.0)
    logs = np.where(live, 0.0, -np.inf)
    told = area_total > 0
    _refuse_separated(kept[told] > 0, (inside & live)[told])
    for _ in range(ROUNDS):
        shares = _shares(base[told], logs, live)
        fitted = weights[told] @ (area_total[told][:, None] * shares)
        logs[live] += np.log(by_period[live] / fitted[live])
    logs, inverse, null = _newton(kept[told], base[told], weights[told], logs, live)
    effect = np.where(live, np.exp(np.where(live, logs, 0.0)), 0.0)
    own = base @ effect
    shares = np.divide(exposure * effect, own[:, None], out=np.zeros_like(exposure), where=(own > 0)[:, None])
    usable = (own > 0)[:, None] & live[None, :]
    weighing = np.where(inside & live, shares, 0.0)
    for direction in null.T:
        usable &= np.abs(direction[None, :] - (weighing @ direction)[:, None]) < TOUCHED
    return UntreatedCounts(
        inside=inside & live,
        shares=shares,
        fitted=area_total[:, None] * shares,
        usable=usable,
        inverse=inverse,
    )


def _refuse_separated(recorded: Bools, inside: Bools) -> None:
    """Refuse where periods fall in two sets and no incident speaks for one of them against the other.

    Their ratio then runs off to nothing or without end. Source: the condition of Ford (1957), American
    Mathematical Monthly 64(8), 28-33, for choices among the periods each area is fitted in.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    beside = csr_array(inside.astype(float).T @ recorded.astype(float) > 0)
    _, joined = connected_components(beside, directed=True, connection="weak")
    _, settled = connected_components(beside, directed=True, connection="strong")
    largest = {part: np.bincount(settled[joined == part]).argmax() for part in np.unique(joined)}
    apart = [
        period for period in np.flatnonzero(inside.any(axis=0)) if settled[period] != largest[joined[period]]
    ]
    if apart:
        raise CannotEstimate(
            f"the effects of periods {', '.join(str(period) for period in apart)} do not settle against the "
            "others': of untouched areas seen in both, none recorded anything in the one or in the other; "
            "leave those periods out"
        )


def _shares(base: Floats, logs: Floats, live: Bools) -> Floats:
    """Each area's fitted cells as shares of one."""
    effect = np.where(live, np.exp(np.where(live, logs, 0.0)), 0.0)
    weighed = base * effect
    total = weighed.sum(axis=1, keepdims=True)
    shares: Floats = weighed / np.where(total > 0, total, 1.0)
    return shares


def _newton(
    counts: Floats, base: Floats, weights: Floats, logs: Floats, live: Bools
) -> tuple[Floats, Floats, Floats]:
    """Logs of the period effects, the pseudo-inverse of their information, and directions not pinned down."""
    totals = counts.sum(axis=1)
    whole = float(weights @ totals)
    pull = weights * totals

    def gap(trial: Floats) -> tuple[Floats, Floats]:
        shares = _shares(base, trial, live)
        return weights @ counts - pull @ shares, shares

    score, shares = gap(logs)
    for _ in range(STEPS):
        expected = pull @ shares
        information = np.diag(expected) - shares.T @ (pull[:, None] * shares)
        inverse, null = _pseudo_inverse(information, live, float(expected.max()))
        if np.abs(score).max() <= SETTLED * whole:
            polished = np.where(live, np.where(live, logs, 0.0) + inverse @ score, -np.inf)
            return polished, inverse, null
        step = np.where(live, inverse @ score, 0.0)
        for halving in range(HALVINGS):
            trial = np.where(live, np.where(live, logs, 0.0) + step / 2**halving, -np.inf)
            next_score, next_shares = gap(trial)
            # Likelihood is concave in the logs: stop where the slope along the step has not turned far.
            if float(next_score @ step) >= -0.5 * abs(float(score @ step)):
                break
        logs, score, shares = trial, next_score, next_shares
    raise CannotEstimate(
        "area and period effects of the untouched cells do not settle; leave out periods with few incidents"
    )


def _pseudo_inverse(information: Floats, live: Bools, whole: float) -> tuple[Floats, Floats]:
    """The inverse on what the cells pin down, and a basis of the rest, largest entry one."""
    size = np.diag(information)
    solid = live & (size > EMPTY * whole)
    scale = np.where(solid, 1 / np.sqrt(np.where(solid, size, 1.0)), 0.0)
    values, vectors = np.linalg.eigh(
        information * scale * scale[:, None] - np.diag(np.where(solid, 0.0, 1.0))
    )
    kept = values > EMPTY
    half = (vectors[:, kept] / np.sqrt(values[kept])) * scale[:, None]
    null = vectors[:, ~kept] * np.where(solid, scale, 1.0)[:, None]
    return half @ half.T, null / np.abs(null).max(axis=0, initial=1e-300)
