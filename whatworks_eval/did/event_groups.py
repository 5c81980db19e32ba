"""Monthly event-study coefficients as quarters or half-years: fewer numbers, each less noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whatworks_eval.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupedEvents:
    """Coefficients of whole groups of periods, relative to the group just before the start.

    Attributes:
        offsets: Groups from the start: 0 is the first after it; -1, the reference, is left out.
        values: Mean of the group less the mean of the reference group, units as they came.
        covariance: Of those.
        size: Periods in a group.
        left_out: Offsets at either end that do not fill a group.
    """

    offsets: tuple[int, ...]
    values: Floats
    covariance: Floats
    size: int
    left_out: tuple[int, ...]


def group_events(
    values: ArrayLike,
    covariance: ArrayLike,
    *,
    offsets: Sequence[int],
    size: int,
    reference: int | Sequence[int] = -1,
) -> GroupedEvents:
    """Means of `size` periods at a time, counted from the start, with their covariance (a linear map, exact).

    Args:
        values: One coefficient an offset.
        covariance: Of the coefficients.
        offsets: Periods from the start (0 = the first after it).
        size: Periods in a group: 3 for quarters of months, 6 for half-years.
        reference: The one offset the coefficients are relative to, in the last group before the start; or
            all offsets of that group, where they are relative to its mean.

    Raises:
        DataError: Shapes that do not fit, a gap, a reference outside the last group before the start, or no
            whole group besides the reference.

    Example:
        >>> found = group_events([2.0, 2.0, 1.0, 6.0, 8.0], np.eye(5), offsets=[-4, -3, -2, 0, 1], size=2)
        >>> found.offsets, found.values.tolist()  # the reference group is (1 + 0) / 2
        ((-2, 0), [1.5, 6.5])
    """
    coefficients = np.asarray(values, dtype=np.float64)
    matrix = np.asarray(covariance, dtype=np.float64)
    given = [int(offset) for offset in offsets]
    base = (
        (int(reference),) if isinstance(reference, (int, np.integer)) else tuple(int(at) for at in reference)
    )
    count = len(given)
    last = set(range(-size, 0))
    problems = []
    if size < 1:
        problems.append(f"the group size is {size}; give one period or more")
    if coefficients.shape != (count,) or matrix.shape != (count, count):
        problems.append(
            f"{count} offsets but coefficients of shape {coefficients.shape} and a covariance of shape "
            f"{matrix.shape}; give one coefficient an offset"
        )
    together = given + list(base)
    if len(set(together)) < len(together):
        problems.append("an offset is given twice, or is both a coefficient and the reference")
    elif sorted(together) != list(range(min(together), max(together) + 1)):
        problems.append(f"the offsets {sorted(together)} leave a gap; give every period")
    if not (set(base) <= last and (len(base) == 1 or set(base) == last)):
        problems.append(
            f"the reference {list(base)} must be one offset of the last group before the start, or all of it "
            f"({-size} to -1)"
        )
    if problems:
        raise DataError(problems)
    column = {offset: number for number, offset in enumerate(given)}
    whole = [
        group
        for group in range(min(together) // size, max(together) // size + 1)
        if group * size >= min(together) and (group + 1) * size - 1 <= max(together)
    ]
    if -1 not in whole or len(whole) < 2:
        raise DataError(
            f"offsets {min(together)} to {max(together)} do not hold the {size} periods before the start and "
            "one more whole group; use a smaller group"
        )

    def mean(group: int) -> Floats:
        row = np.zeros(count)
        for offset in range(group * size, (group + 1) * size):
            if offset in column:  # the reference itself is zero
                row[column[offset]] = 1 / size
        return row

    kept = [group for group in whole if group != -1]
    mapping = np.array([mean(group) - mean(-1) for group in kept])
    inside = {offset for group in whole for offset in range(group * size, (group + 1) * size)}
    return GroupedEvents(
        offsets=tuple(kept),
        values=mapping @ coefficients,
        covariance=mapping @ matrix @ mapping.T,
        size=size,
        left_out=tuple(sorted(set(together) - inside)),
    )
