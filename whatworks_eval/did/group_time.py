"""Callaway and Sant'Anna's effects by cohort and period, each from clean comparisons alone.

An effect for the cohort that started in period g, in period t, is the change of its areas since a base
period less the change of comparison areas over the same two periods. Comparison areas are never treated, or
not treated yet by the later of the two (`anticipation` periods on top). The base of a period from the start
on, less `anticipation`, is the last one the project cannot have touched; before that it is the period just
before (`varying`: short gaps) or the same as after (`universal`).

Areas missing in either period take no part in that cell. Errors come from influence sums, added up within
the unit of assignment before they are squared; no small-sample factor, as in the authors' package.

Source: Callaway and Sant'Anna (2021), J Econometrics 225, 200-230; Sant'Anna and Zhao (2020), J Econometrics
219, 101-122, for the covariate methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whatworks_eval.did.cell_estimators import CellMethod, cell_effect, has_constant
from whatworks_eval.did.paths import Scale, standard_error
from whatworks_eval.did.rollout import Bools, Floats, Ints, Rollout
from whatworks_eval.errors import CannotEstimate

Comparison = Literal["never-treated", "not-yet-treated"]
Base = Literal["varying", "universal"]
Method = Literal["unconditional", "regression", "weighting", "doubly-robust"]

NO_BEFORE = "treated from the first period on, so there is no earlier period to compare with"


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingCell:
    """A cohort and period with no effect, and why.

    Attributes:
        cohort: Its start period.
        period: None where it holds for every period of the cohort.
        why: In words.
    """

    cohort: int
    period: int | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTime:
    """Effects by cohort and period, one entry a cell, in order of cohort and period.

    Attributes:
        scale: `difference` in units of the outcome, or `log-ratio`.
        cohort: Start period of the cohort.
        period: The period the effect is for.
        value: The effect.
        se: Its standard error; zero in a reference cell.
        treated: Areas of the cohort in the cell.
        compared: Comparison areas in the cell.
        treated_units: Units of assignment the treated areas belong to.
        compared_units: Units the comparison areas belong to.
        reference: The base period itself, zero by construction (universal base only).
        influence: clusters × cells: column sums of squares are `se` squared.
        cohorts: Every cohort with a cell.
        shares: By cohort: its share of all areas, by weight.
        share_influence: clusters × cohorts, of `shares`.
        anticipation: Periods before the start that the project may have touched.
        missing: Cells that have no number.
    """

    scale: Scale
    cohort: Ints
    period: Ints
    value: Floats
    se: Floats
    treated: Ints
    compared: Ints
    treated_units: Ints
    compared_units: Ints
    reference: Bools
    influence: Floats
    cohorts: tuple[int, ...]
    shares: Floats
    share_influence: Floats
    anticipation: int
    missing: tuple[MissingCell, ...]

    @property
    def before(self) -> Bools:
        """Cells before the start that should be zero if the arms ran in parallel."""
        return (self.period < self.cohort - self.anticipation) & ~self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The cells of one cohort, before they are put together.

    Attributes:
        cohort: Its start period.
        period: By cell.
        value: By cell.
        treated: Areas of the cohort, by cell.
        compared: Comparison areas, by cell.
        treated_units: By cell.
        compared_units: By cell.
        reference: By cell.
        influence: clusters × cells.
        missing: Cells left out.
    """

    cohort: int
    period: Ints
    value: Floats
    treated: Ints
    compared: Ints
    treated_units: Ints
    compared_units: Ints
    reference: Bools
    influence: Floats
    missing: tuple[MissingCell, ...]


def group_time(
    data: Rollout,
    *,
    comparison: Comparison = "never-treated",
    base: Base = "varying",
    anticipation: int = 0,
    method: Method = "unconditional",
) -> GroupTime:
    """Effects by cohort and period with their influence sums.

    Args:
        data: The roll-out. Its covariates are used by every method but `unconditional`.
        comparison: Whom each cohort is compared with.
        base: What a period before the start is compared with.
        anticipation: Periods before the start that the project may have touched.
        method: `unconditional`, or how covariates enter: `regression` of the comparison areas' change,
            `weighting` by the odds of being in the cohort, or `doubly-robust` (both).

    Raises:
        CannotEstimate: No area is treated, or no cell has both arms.

    Example:
        >>> from whatworks_eval.did.rollout import rollout
        >>> flat, later = [1.0, 2.0, 3.0], [2.0, 3.0, 9.0]
        >>> cells = group_time(rollout([flat, flat, later], [-1, -1, 2]))
        >>> [(int(g), int(t), float(v)) for g, t, v in zip(cells.cohort, cells.period, cells.value)]
        [(2, 1, 0.0), (2, 2, 5.0)]
    """
    if method != "unconditional" and data.covariates is None:
        raise CannotEstimate(f"method '{method}' needs covariates; give some, or ask for 'unconditional'")
    if method != "unconditional" and has_constant(data.covariates):
        raise CannotEstimate("a covariate is the same in every area; leave it out")
    check_cohorts(data, anticipation)
    blocks = []
    for cohort in data.cohorts:
        periods, bases = _cells_of(cohort, data.outcome.shape[1], base, anticipation)
        if not len(periods):
            blocks.append(empty_block(data, cohort, NO_BEFORE))
            continue
        allowed = comparison_areas(data, cohort, np.maximum(periods, bases) + anticipation, comparison)
        if method == "unconditional":
            blocks.append(_plain_block(data, cohort, periods, bases, allowed))
        else:
            blocks.append(_adjusted_block(data, cohort, periods, bases, allowed, method))
    return assemble(data, blocks, scale="difference", anticipation=anticipation)


def check_cohorts(data: Rollout, anticipation: int) -> None:
    """Refuse what has no treated area, or an anticipation that is not a number of periods."""
    if anticipation < 0:
        raise CannotEstimate(f"anticipation is {anticipation}; give a number of periods, zero or more")
    if not data.cohorts:
        raise CannotEstimate("no area is ever treated; give each treated area its start period")


def comparison_areas(data: Rollout, cohort: int, untouched_until: Ints, comparison: Comparison) -> Bools:
    """Who may be compared with the cohort, areas × cells, or areas × 1 where it is the same in all.

    Example:
        >>> from whatworks_eval.did.rollout import rollout
        >>> made = rollout([[1, 2, 3]] * 3, [-1, 1, 2])
        >>> comparison_areas(made, 1, np.array([1, 2]), "not-yet-treated").tolist()
        [[True, True], [False, False], [True, False]]
    """
    if comparison == "never-treated":
        alike: Bools = data.never[:, None]
        return alike
    later = (data.start[:, None] > untouched_until[None, :]) & (data.start != cohort)[:, None]
    allowed: Bools = later | data.never[:, None]
    return allowed


def assemble(data: Rollout, blocks: list[Block], *, scale: Scale, anticipation: int) -> GroupTime:
    """The cohorts' cells as one record.

    Raises:
        CannotEstimate: There is no cell at all.
    """
    missing = tuple(cell for block in blocks for cell in block.missing)
    blocks = [block for block in blocks if len(block.period)]
    if not blocks:
        raise CannotEstimate(
            [
                f"no effect can be worked out for areas that start in period {cell.cohort}"
                + ("" if cell.period is None else f", in period {cell.period}")
                + f": {cell.why}"
                for cell in missing
            ]
        )
    influence = np.concatenate([block.influence for block in blocks], axis=1)
    cohorts = tuple(block.cohort for block in blocks)
    member = (data.start[:, None] == np.array(cohorts)[None, :]).astype(float)
    total = data.weights.sum()
    shares = data.weights @ member / total
    share_influence = data.by_cluster(data.weights[:, None] * (member - shares) / total)
    return GroupTime(
        scale=scale,
        cohort=np.concatenate([np.full(len(block.period), block.cohort) for block in blocks]),
        period=np.concatenate([block.period for block in blocks]),
        value=np.concatenate([block.value for block in blocks]),
        se=standard_error(influence),
        treated=np.concatenate([block.treated for block in blocks]),
        compared=np.concatenate([block.compared for block in blocks]),
        treated_units=np.concatenate([block.treated_units for block in blocks]),
        compared_units=np.concatenate([block.compared_units for block in blocks]),
        reference=np.concatenate([block.reference for block in blocks]),
        influence=influence,
        cohorts=cohorts,
        shares=shares,
        share_influence=share_influence,
        anticipation=anticipation,
        missing=missing,
    )


def _cells_of(cohort: int, periods: int, base: Base, anticipation: int) -> tuple[Ints, Ints]:
    """Periods of the cohort's cells and the base period of each."""
    last = cohort - anticipation - 1
    if last < 0:
        return np.array([], dtype=np.int64), np.array([], dtype=np.int64)
    every = np.arange(periods)
    bases = np.where((every > last) | (base == "universal"), last, every - 1)
    return every[bases >= 0], bases[bases >= 0]


def _plain_block(data: Rollout, cohort: int, periods: Ints, bases: Ints, allowed: Bools) -> Block:
    """Differences of mean changes for all the cohort's periods at once."""
    rows = np.flatnonzero(data.start == cohort)
    others = np.flatnonzero(allowed.any(axis=1))
    treated, treated_in, treated_if = _mean_change(data, rows, periods, bases, None)
    part = allowed[others] if allowed.shape[1] > 1 else None
    compared, compared_in, compared_if = _mean_change(data, others, periods, bases, part)
    treated_n, compared_n = treated_in.sum(axis=0), compared_in.sum(axis=0)
    kept = (treated_n > 0) & (compared_n > 0)
    if data.n_clusters == len(data.start):
        influence = np.zeros((data.n_clusters, int(kept.sum())))
        influence[data.clusters[rows]] = treated_if[:, kept]
        influence[data.clusters[others]] = -compared_if[:, kept]
    else:
        influence = data.by_cluster(treated_if[:, kept], rows) - data.by_cluster(compared_if[:, kept], others)
    reference = (periods == bases)[kept]
    influence[:, reference] = 0.0
    return Block(
        cohort=cohort,
        period=periods[kept],
        value=(treated - compared)[kept],
        treated=treated_n[kept],
        compared=compared_n[kept],
        treated_units=data.units_in(treated_in[:, kept], rows),
        compared_units=data.units_in(compared_in[:, kept], others),
        reference=reference,
        influence=influence,
        missing=tuple(
            MissingCell(cohort=cohort, period=int(t), why=why_empty(int(t), int(b), int(n)))
            for t, b, n in zip(periods[~kept], bases[~kept], treated_n[~kept], strict=True)
        ),
    )


def why_empty(period: int, base: int, treated: int) -> str:
    """Why a cell has no number, where an arm of it is empty."""
    who = "no comparison area" if treated else "no area of the cohort"
    return f"{who} is observed, and untouched where it must be, in both period {base} and period {period}"


def _mean_change(
    data: Rollout, rows: Ints, periods: Ints, bases: Ints, part: Bools | None
) -> tuple[Floats, Bools, Floats]:
    """Weighted mean change by cell, the areas in it, and each area's influence on it."""
    table = data.outcome[rows]
    change = table[:, periods] - table[:, bases]
    inside = np.isfinite(change)
    if part is not None:
        inside &= part
    if inside.all():
        weights = np.broadcast_to(data.weights[rows][:, None], change.shape)
    else:
        weights = data.weights[rows][:, None] * inside
        change = np.where(inside, change, 0.0)
    total = weights.sum(axis=0)
    safe = np.where(total > 0, total, 1.0)
    share = weights / safe
    mean = (share * change).sum(axis=0)
    change -= mean
    change *= share
    return mean, inside, change


def _adjusted_block(
    data: Rollout, cohort: int, periods: Ints, bases: Ints, allowed: Bools, method: CellMethod
) -> Block:
    """The cohort's cells with covariates, one after the other."""
    assert data.covariates is not None
    mine = data.start == cohort
    design = np.column_stack([np.ones(len(mine)), data.covariates])
    found: list[tuple[int, float, bool, Floats]] = []
    arms = []
    missing = []
    chances: dict[bytes, Floats] = {}
    for place, (t, b) in enumerate(zip(periods, bases, strict=True)):
        change = data.outcome[:, t] - data.outcome[:, b]
        others = allowed[:, place] if allowed.shape[1] > 1 else allowed[:, 0]
        inside = np.isfinite(change) & (mine | others)
        arm = mine[inside]
        counts = int(arm.sum()), int((~arm).sum())
        if t == b and min(counts):
            found.append((int(t), 0.0, True, np.zeros(data.n_clusters)))
            arms.append((inside & mine, inside & ~mine))
            continue
        if not min(counts):
            missing.append(
                MissingCell(cohort=cohort, period=int(t), why=why_empty(int(t), int(b), counts[0]))
            )
            continue
        result = cell_effect(
            change[inside],
            arm,
            design[inside],
            data.weights[inside],
            method=method,
            chances=chances,
            key=inside.tobytes(),
        )
        if isinstance(result, str):
            missing.append(MissingCell(cohort=cohort, period=int(t), why=result))
            continue
        summed = data.by_cluster(result.influence[:, None], np.flatnonzero(inside))[:, 0]
        found.append((int(t), result.value, False, summed))
        arms.append((inside & mine, inside & ~mine))
    if not found:
        return empty_block(data, cohort, tuple(missing))
    columns = list(zip(*found, strict=True))
    treated, compared = (np.column_stack([pair[arm] for pair in arms]) for arm in (0, 1))
    return Block(
        cohort=cohort,
        period=np.array(columns[0], dtype=np.int64),
        value=np.array(columns[1], dtype=float),
        treated=treated.sum(axis=0),
        compared=compared.sum(axis=0),
        treated_units=data.units_in(treated),
        compared_units=data.units_in(compared),
        reference=np.array(columns[2], dtype=bool),
        influence=np.column_stack(columns[3]),
        missing=tuple(missing),
    )


def empty_block(data: Rollout, cohort: int, why: str | tuple[MissingCell, ...]) -> Block:
    """A cohort without cells, and why: a sentence for the whole cohort, or one a cell."""
    none = np.array([], dtype=np.int64)
    missing = (MissingCell(cohort=cohort, period=None, why=why),) if isinstance(why, str) else why
    return Block(
        cohort=cohort,
        period=none,
        value=none.astype(float),
        treated=none,
        compared=none,
        treated_units=none,
        compared_units=none,
        reference=none.astype(bool),
        influence=np.zeros((data.n_clusters, 0)),
        missing=missing,
    )
