"""One cell of a staggered roll-out with covariates: regression, weighting by odds, or both.

The change of treated areas is compared with the change that comparison areas of the same covariates would
have shown. Influence values are of the estimate itself (they sum to zero; their squares sum to its variance)
and carry the estimation of the regression and of the odds.

Source: Sant'Anna and Zhao (2020), J Econometrics 219, 101-122, and the `reg_did_panel`, `std_ipw_did_panel`
and `drdid_panel` estimators of the authors' DRDID package, panel case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whatworks_eval.did.rollout import Bools, Floats

CellMethod = Literal["regression", "weighting", "doubly-robust"]

STEPS = 50
TOLERANCE = 1e-12
OVERLAP = 0.995  # comparison areas more surely like the treated than this are left out, as DRDID does
COLLINEAR = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEffect:
    """One effect and the influence of each area on it.

    Attributes:
        value: Units of the outcome.
        influence: By area of the cell.
    """

    value: float
    influence: Floats


def has_constant(covariates: Floats | None) -> bool:
    """Whether a covariate never varies, so that it says nothing an intercept does not.

    Example:
        >>> has_constant(np.array([[1.0, 5.0], [2.0, 5.0]]))
        True
    """
    return covariates is not None and bool((np.ptp(covariates, axis=0) == 0).any())


def cell_effect(
    change: Floats,
    treated: Bools,
    design: Floats,
    weights: Floats,
    *,
    method: CellMethod,
    chances: dict[bytes, Floats] | None = None,
    key: bytes = b"",
) -> CellEffect | str:
    """The effect in one cell with each area's influence, or in words why there is none.

    Args:
        change: By area: outcome in the period less in the base period.
        treated: By area.
        design: areas × (1 + k): ones and covariates.
        weights: By area.
        method: Which of the three.
        chances: Chances of being treated already worked out, by `key`; added to.
        key: Which areas these are.

    Example:
        >>> x = np.array([0.0, 1, 2, 0, 1, 2])
        >>> arm = np.array([True, True, True, False, False, False])
        >>> found = cell_effect(x + 2 * arm, arm, np.column_stack([np.ones(6), x]), np.ones(6),
        ...                     method="regression")
        >>> round(found.value, 9)
        2.0
    """
    centred = design.copy()
    # A shift and scale of the covariates changes no estimate, and keeps the equations well conditioned.
    spread = centred[:, 1:].std(axis=0)
    centred[:, 1:] = (centred[:, 1:] - centred[:, 1:].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    others = ~treated
    if method in {"regression", "doubly-robust"}:
        gram = (centred[others] * weights[others][:, None]).T @ centred[others]
        if _singular(gram):
            return (
                f"the covariates cannot be told apart among its {int(others.sum())} comparison areas: "
                "use fewer covariates, or more areas"
            )
    if method == "regression":
        return _regression(change, treated, centred, weights)
    if chances is not None and key in chances:
        chance = chances[key]
    else:
        fitted = _logit(treated.astype(float), centred, weights)
        if fitted is None:
            return (
                "the covariates separate its treated from its comparison areas, so no comparison area is "
                "like the treated: use fewer covariates, or the regression method"
            )
        chance = fitted
        if chances is not None:
            chances[key] = chance
    odds = np.where(others & (chance < OVERLAP), chance / (1 - np.minimum(chance, 1 - 1e-6)), 0.0)
    if not odds.any():
        return "no comparison area is like the treated on the covariates"
    if method == "weighting":
        return _weighting(change, treated, centred, weights, chance, odds)
    return _doubly_robust(change, treated, centred, weights, chance, odds)


def _singular(gram: Floats) -> bool:
    values = np.linalg.eigvalsh(gram)
    return bool(values[0] <= COLLINEAR * values[-1])


def _line(change: Floats, others: Bools, design: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Expected change of every area from the comparison areas' line, and influence on its coefficients."""
    weight = weights * others
    inverse = np.linalg.inv((design * weight[:, None]).T @ design)
    expected = design @ (inverse @ (design.T @ (weight * np.where(others, change, 0.0))))
    return expected, (weight * (change - expected))[:, None] * design @ inverse


def _logit(treated: Floats, design: Floats, weights: Floats) -> Floats | None:
    """Chances of being treated by maximum likelihood (Newton); None where they run off to 0 or 1."""
    beta = np.zeros(design.shape[1])
    share = float(weights @ treated / weights.sum())
    beta[0] = np.log(share / (1 - share))
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ beta, -500, 500)))
        information = (design * (weights * chance * (1 - chance))[:, None]).T @ design
        if _singular(information):
            return None
        step = np.linalg.solve(information, design.T @ (weights * (treated - chance)))
        beta = beta + step
        if np.abs(step).max() <= TOLERANCE * (1 + np.abs(beta).max()):
            fitted: Floats = 1 / (1 + np.exp(-np.clip(design @ beta, -500, 500)))
            return fitted
    return None


def _score_influence(treated: Bools, design: Floats, weights: Floats, chance: Floats) -> Floats:
    """Influence of each area on the coefficients of the odds: areas × (1 + k)."""
    information = (design * (weights * chance * (1 - chance))[:, None]).T @ design
    scores: Floats = (weights * (treated - chance))[:, None] * design @ np.linalg.inv(information)
    return scores


def _regression(change: Floats, treated: Bools, design: Floats, weights: Floats) -> CellEffect:
    expected, line = _line(change, ~treated, design, weights)
    own = weights * treated / (weights * treated).sum()
    gap = change - expected
    value = float(own @ gap)
    return CellEffect(value=value, influence=own * (gap - value) - line @ (own @ design))


def _weighting(
    change: Floats, treated: Bools, design: Floats, weights: Floats, chance: Floats, odds: Floats
) -> CellEffect:
    own = weights * treated / (weights * treated).sum()
    other = weights * odds / (weights * odds).sum()
    mine, theirs = float(own @ change), float(other @ change)
    scores = _score_influence(treated, design, weights, chance)
    around = other * (change - theirs)
    return CellEffect(
        value=mine - theirs, influence=own * (change - mine) - around - scores @ (around @ design)
    )


def _doubly_robust(
    change: Floats, treated: Bools, design: Floats, weights: Floats, chance: Floats, odds: Floats
) -> CellEffect:
    expected, line = _line(change, ~treated, design, weights)
    own = weights * treated / (weights * treated).sum()
    other = weights * odds / (weights * odds).sum()
    gap = change - expected
    mine, theirs = float(own @ gap), float(other @ gap)
    scores = _score_influence(treated, design, weights, chance)
    around = other * (gap - theirs)
    return CellEffect(
        value=mine - theirs,
        influence=own * (gap - mine)
        - around
        - scores @ (around @ design)
        - line @ (own @ design - other @ design),
    )
