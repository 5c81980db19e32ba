"""The record of a two-way fit, and the checks every fit makes of what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from whatworks_eval.did.two_way import Bools, Codes, Floats, weighted_gram
from whatworks_eval.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """How an iterative fit ended.

    Attributes:
        iterations: Steps taken; 0 for a direct solution.
        step: Largest last movement of a coefficient, on its own scale.
        gap: Largest relative difference of an area's or period's fitted total from its recorded one.
    """

    iterations: int
    step: float
    gap: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A fit with area and period effects, as weighted least squares at its solution.

    Matrices are of the areas and periods kept. The score of a cell is design × weights × residuals.

    Attributes:
        kind: 'poisson' (coefficients on the log scale) or 'linear' (in the outcome's unit).
        names: Of the coefficients.
        params: Coefficients.
        design: columns × areas × periods: the columns without their area and period effects.
        weights: areas × periods, of the working least squares: the declared weight, for Poisson times the
            fitted count; zero where a cell is missing.
        residuals: areas × periods (Poisson: recorded over fitted, less 1; linear: recorded - fitted).
        fitted: areas × periods, in the outcome's unit.
        bread: columns × columns: the inverse of the weighted sums of products of `design`.
        areas: Place of each kept area among those given.
        periods: Place of each kept period among those given.
        cells: Cells used.
        absorbed: Independent area and period effects.
        settled: How the fit ended.
    """

    kind: Literal["poisson", "linear"]
    names: tuple[str, ...]
    params: Floats
    design: Floats
    weights: Floats
    residuals: Floats
    fitted: Floats
    bread: Floats
    areas: Codes
    periods: Codes
    cells: int
    absorbed: int
    settled: Settled

    def area_influence(self) -> Floats:
        """What each kept area adds to each coefficient: areas × columns; it sums to zero over areas."""
        scores = np.einsum("kat,at->ak", self.design, self.weights * self.residuals)
        influence: Floats = scores @ self.bread
        return influence

    def coefficient(self, name: str) -> float:
        """One coefficient by its name."""
        return float(self.params[self.names.index(name)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """What a fit is of, checked: finite, zero where not observed.

    Attributes:
        outcome: areas × periods.
        columns: columns × areas × periods.
        names: Of the columns.
        weights: areas × periods; zero where not observed.
        offset: areas × periods, on the log scale.
    """

    outcome: Floats
    columns: Floats
    names: tuple[str, ...]
    weights: Floats
    offset: Floats


def checked_cells(
    outcome: Floats,
    covariates: Mapping[str, Floats],
    *,
    weights: Floats | None = None,
    offset: Floats | None = None,
    observed: Bools | None = None,
    counts: bool,
) -> Cells:
    """The cells of a fit, or every problem with them at once.

    Args:
        outcome: areas × periods.
        covariates: Name → areas × periods, or anything that broadcasts to it.
        weights: areas × periods, or one an area (areas × 1); None = 1.
        offset: Log exposure, likewise; None = 0.
        observed: False where a cell is missing; None = all observed.
        counts: Whether the outcome must not be negative.

    Raises:
        DataError: For a wrong shape, a value that is not a number in an observed cell, a negative count or
            weight, or no covariate.
    """
    shape = outcome.shape
    seen = np.ones(shape, dtype=bool) if observed is None else observed
    problems = [] if len(covariates) else ["no covariate is given: a fit needs at least one to estimate"]
    given = {"outcome": outcome, **covariates}
    if weights is not None:
        given["weights"] = weights
    if offset is not None:
        given["offset"] = offset
    whole: dict[str, Floats] = {}
    for name, values in given.items():
        try:
            matrix = np.broadcast_to(np.asarray(values, dtype=float), shape)
        except ValueError:
            problems.append(f"'{name}' has shape {np.shape(values)}; areas × periods {shape} is needed")
            continue
        finite = np.isfinite(matrix)
        if not finite.all():
            wrong = ~finite & seen
            if wrong.any():
                area, period = (int(at[0]) for at in np.nonzero(wrong))
                problems.append(
                    f"'{name}' is not a number at area {area}, period {period} "
                    f"({int(wrong.sum())} such cells); mark the cell as not observed or give its value"
                )
                continue
        whole[name] = matrix if observed is None else np.where(seen, matrix, 0.0)
    for name in ("outcome", "weights") if counts else ("weights",):
        if name in whole and whole[name].min(initial=0.0) < 0:
            area, period = divmod(int(whole[name].argmin()), shape[1])
            problems.append(f"'{name}' is negative at area {area}, period {period}; it must be 0 or more")
    if problems:
        raise DataError(problems)
    base = whole.get("weights", np.ones(shape))
    return Cells(
        outcome=whole["outcome"],
        columns=np.stack([whole[name] for name in covariates]),
        names=tuple(covariates),
        weights=base * seen if observed is not None else base,
        offset=whole.get("offset", np.zeros((1, 1))),
    )


def bread_of(weights: Floats, design: Floats) -> Floats:
    """The inverse of the weighted sums of products of a residual design."""
    gram = weighted_gram(weights, design)
    size = np.sqrt(np.diag(gram))
    bread: Floats = np.linalg.inv(gram / size / size[:, None]) / size / size[:, None]
    return bread
