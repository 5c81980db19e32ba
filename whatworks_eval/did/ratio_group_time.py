"""Log ratios of ratios by cohort and period: each cohort against its own untouched periods.

For the cohort that started in period g, in period t: the log of its count in t over its count in the periods
before g (less `anticipation`), less the same of comparison areas over the same periods. A period before the
start is set against the other periods before it. Sums come before ratios, and a zero sum is a cell without a
number: nothing is added to counts.
"""

from __future__ import annotations

import numpy as np

from whatworks_eval.did.group_time import (
    NO_BEFORE,
    Block,
    Comparison,
    GroupTime,
    MissingCell,
    assemble,
    check_cohorts,
    comparison_areas,
    empty_block,
    why_empty,
)
from whatworks_eval.did.poisson_imputation import check_counts
from whatworks_eval.did.rollout import Bools, Floats, Rollout


def ratio_group_time(
    data: Rollout, *, comparison: Comparison = "never-treated", anticipation: int = 0
) -> GroupTime:
    """Log ratios of ratios by cohort and period, with influence sums by unit.

    `aggregate` gives cohorts their share of areas; `poisson_imputation` gives incidents theirs.

    Args:
        data: The roll-out, of counts.
        comparison: Whom each cohort is compared with; not yet treated means in every period used.
        anticipation: Periods before the start that the project may have touched.

    Raises:
        DataError: A count below zero.
        CannotEstimate: No area is treated, or no cell has incidents in all four sums.

    Example:
        >>> from whatworks_eval.did.rollout import rollout
        >>> cells = ratio_group_time(rollout([[10, 10, 20], [30, 30, 30]], [-1, 2]))
        >>> cells.period.tolist(), np.exp(cells.value).round(9).tolist()
        ([0, 1, 2], [1.0, 1.0, 0.5])
    """
    check_cohorts(data, anticipation)
    counts, observed = check_counts(data)
    blocks = [_block(data, counts, observed, cohort, comparison, anticipation) for cohort in data.cohorts]
    return assemble(data, blocks, scale="log-ratio", anticipation=anticipation)


def _block(
    data: Rollout, counts: Floats, observed: Bools, cohort: int, comparison: Comparison, anticipation: int
) -> Block:
    """All the cells of one cohort."""
    last = cohort - anticipation - 1
    if last < 0:
        return empty_block(data, cohort, NO_BEFORE)
    missing: list[MissingCell] = []
    periods = np.arange(counts.shape[1])
    early = periods <= last
    if last == 0:
        why = "it is the only period before the start, so the base itself"
        missing.append(MissingCell(cohort=cohort, period=0, why=why))
        periods = periods[1:]
    # The base of a period before the start leaves that period out.
    before = counts[:, : last + 1].sum(axis=1)
    whole: Bools = np.array(observed[:, : last + 1].all(axis=1))
    base = before[:, None] - np.where(early, counts, 0.0)[:, periods]
    now = counts[:, periods]
    complete = whole[:, None] & observed[:, periods]
    mine = (data.start == cohort)[:, None] & complete
    allowed = comparison_areas(data, cohort, np.maximum(periods, last) + anticipation, comparison)
    theirs = np.broadcast_to(allowed, complete.shape) & complete
    first, first_if, first_ok = _log_ratio(data.weights, now, base, mine)
    second, second_if, second_ok = _log_ratio(data.weights, now, base, theirs)
    kept = first_ok & second_ok
    treated, compared = mine.sum(axis=0), theirs.sum(axis=0)
    for place in np.flatnonzero(~kept):
        if treated[place] and compared[place]:
            arm = "the cohort's areas" if not first_ok[place] else "the comparison areas"
            why = f"{arm} recorded nothing in the period, or nothing in the periods before the start"
        else:
            why = why_empty(int(periods[place]), last, int(treated[place]))
        missing.append(MissingCell(cohort=cohort, period=int(periods[place]), why=why))
    return Block(
        cohort=cohort,
        period=periods[kept],
        value=(first - second)[kept],
        treated=treated[kept],
        compared=compared[kept],
        treated_units=data.units_in(mine[:, kept]),
        compared_units=data.units_in(theirs[:, kept]),
        reference=np.zeros(int(kept.sum()), dtype=bool),
        influence=data.by_cluster((first_if - second_if)[:, kept]),
        missing=tuple(missing),
    )


def _log_ratio(weights: Floats, now: Floats, base: Floats, arm: Bools) -> tuple[Floats, Floats, Bools]:
    """Log of an arm's count over its base by cell, each area's influence, and where both are above zero."""
    member = weights[:, None] * arm
    top, bottom = member * now, member * base
    total, below = top.sum(axis=0), bottom.sum(axis=0)
    fine: Bools = (total > 0) & (below > 0)
    total, below = np.where(fine, total, 1.0), np.where(fine, below, 1.0)
    return np.log(total / below), top / total - bottom / below, fine
