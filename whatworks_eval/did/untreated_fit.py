"""Area and period effects by least squares, fitted only to the cells a project cannot have touched.

Areas' own means are solved for given the period effects, which leaves one system as large as the number of
periods (times one plus the covariates, which may matter more in some periods than in others): no dummies
and no sweeps. Which treated cells the fit says anything about is read from that system's null space.

Source: Borusyak, Jaravel and Spiess (2024), Review of Economic Studies 91, 3253-3285, theorems 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whatworks_eval.did.rollout import Bools, Floats

EMPTY = 1e-11  # an eigenvalue of the scaled system below this is a direction that no cell pins down
TOUCHED = 1e-7  # part of a cell that lies in such a direction, above rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class UntreatedFit:
    """The system of one set of untreated cells, ready for any number of outcomes.

    Attributes:
        inside: Cells fitted: areas × periods.
        on: The same as ones and zeros.
        weights: By area.
        design: areas × (1 + k): ones and the covariates that have a coefficient in each period.
        cells: By area: how many of its cells are fitted; at least one, to divide by.
        inverse: Pseudo-inverse of the system of period effects, (periods × (1 + k)) squared.
        null: periods × (1 + k) × directions that no cell pins down.
    """

    inside: Bools
    on: Floats
    weights: Floats
    design: Floats
    cells: Floats
    inverse: Floats
    null: Floats

    def centred(self, values: Floats) -> Floats:
        """Values less the mean of the area's fitted cells; zero outside them."""
        kept = np.where(self.inside, values, 0.0)
        mean = kept.sum(axis=1) / self.cells
        result: Floats = np.where(self.inside, kept - mean[:, None], 0.0)
        return result

    def effects(self, values: Floats) -> Floats:
        """Period effects, periods × (1 + k)."""
        right = self.centred(values).T @ (self.weights[:, None] * self.design)
        effects: Floats = (self.inverse @ right.ravel()).reshape(right.shape)
        return effects

    def expected(self, values: Floats) -> Floats:
        """What every cell would be by the effects: areas × periods, sensible where `reaches` is true."""
        by_period = self.design @ self.effects(values).T
        left = np.where(self.inside, values - by_period, 0.0)
        expected: Floats = by_period + (left.sum(axis=1) / self.cells)[:, None]
        return expected

    def reaches(self) -> Bools:
        """Cells whose expected value the fitted cells pin down: areas × periods."""
        areas = np.array(self.inside.any(axis=1))[:, None]
        found: Bools = np.broadcast_to(areas, self.inside.shape).copy()
        for direction in np.moveaxis(self.null, 2, 0):
            part = self.design @ direction.T
            mean = np.where(self.inside, part, 0.0).sum(axis=1) / self.cells
            found &= np.abs(part - mean[:, None]) < TOUCHED
        return found


def untreated_fit(inside: Bools, weights: Floats, covariates: Floats | None = None) -> UntreatedFit:
    """The system of the cells given, factorised.

    Example:
        >>> fit = untreated_fit(np.array([[True, True], [True, False]]), np.ones(2))
        >>> fit.expected(np.array([[1.0, 3.0], [5.0, 99.0]])).round(9).tolist()
        [[1.0, 3.0], [5.0, 7.0]]
    """
    areas, periods = inside.shape
    design = np.ones((areas, 1))
    if covariates is not None:
        spread = covariates.std(axis=0)
        scaled = (covariates - covariates.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        design = np.column_stack([design, scaled])
    width = design.shape[1]
    cells = np.maximum(inside.sum(axis=1), 1).astype(float)
    on = inside.astype(float)
    rows = (on[:, :, None] * design[:, None, :]).reshape(areas, periods * width)
    rows *= np.sqrt(weights / cells)[:, None]
    system = -(rows.T @ rows)
    for first in range(width):
        for second in range(width):
            both = on.T @ (weights * design[:, first] * design[:, second])
            system[np.arange(periods) * width + first, np.arange(periods) * width + second] += both
    size = np.diag(system).copy()
    # What is left once areas' means are out may be rounding: judged against what was there before.
    solid = size > EMPTY * (np.diag(system) + (rows**2).sum(axis=0)).max(initial=0.0)
    scale = np.where(solid, 1 / np.sqrt(np.where(solid, size, 1.0)), 0.0)
    values, vectors = np.linalg.eigh(system * scale * scale[:, None] + np.diag(np.where(solid, 0.0, -1.0)))
    kept = values > EMPTY
    half = (vectors[:, kept] / np.sqrt(values[kept])) * scale[:, None]
    null = vectors[:, ~kept] * np.where(solid, scale, 1.0)[:, None]
    null = null / np.abs(null).max(axis=0, initial=1e-300)
    return UntreatedFit(
        inside=inside,
        on=on,
        weights=weights,
        design=design,
        cells=cells,
        inverse=half @ half.T,
        null=null.reshape(periods, width, -1),
    )
