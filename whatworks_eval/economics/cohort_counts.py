"""Counts by offence fit to be shared: sorts with a small cell are added together until none is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from whatworks_eval.economics.cohort_file import ARMS, FEWEST, Arm, Cohort, Window

_ALL_OTHER = "all other offences"


@dataclass(frozen=True, slots=True, kw_only=True)
class OffenceRow:
    """Offences of one sort by arm and window; small counts merged so that nobody is told of.

    Attributes:
        offence: As the unit costs call it, or 'all other offences'.
        gbp: Pounds each, in the prices of the appraisal; None where not valued or a mixture.
        counts: Arm and window, then how many; None where it may not be printed.
    """

    offence: str
    gbp: float | None
    counts: Mapping[tuple[Arm, Window], float | None]


def by_offence(cohort: Cohort, gbp: Mapping[str, float | None]) -> tuple[OffenceRow, ...]:
    """Counts by offence with no count below 5: sorts with a small cell are added together until none is left.

    Where even all of them together hold a small cell, that cell is None.
    """
    cells = [(arm, w) for arm in ARMS if arm in cohort.arms for w in cohort.arms[arm].counts]
    table = {
        name: np.array([cohort.arms[arm].counts[w].sum(axis=0)[at] for arm, w in cells])
        for at, name in enumerate(cohort.offences)
    }
    merged = [name for name in table if (table[name] < FEWEST).any()]
    kept = sorted((name for name in table if name not in merged), key=lambda name: -table[name].sum())
    # One small row alone could be had from the totals by taking off the others.
    while (
        merged
        and kept
        and (len(merged) < 2 or bool(np.any(np.sum([table[n] for n in merged], axis=0) < FEWEST)))
    ):
        merged.append(kept.pop())
    rows = [
        OffenceRow(
            offence=name,
            gbp=gbp[name],
            counts={cell: float(n) for cell, n in zip(cells, table[name], strict=True)},
        )
        for name in kept
    ]
    if merged:
        together = np.sum([table[name] for name in merged], axis=0)
        rows.append(
            OffenceRow(
                offence=_ALL_OTHER if kept else "all offences",
                gbp=None,
                counts={
                    cell: float(n) if n >= FEWEST else None for cell, n in zip(cells, together, strict=True)
                },
            )
        )
    return tuple(rows)
