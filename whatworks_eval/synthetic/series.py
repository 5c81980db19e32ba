"""Counts by unit and period as series that a synthetic comparison can mix, on a scale that is stated.

    rate    incidents per 1,000 residents and period: units of every size on one scale
    index   100 = a unit's own mean before the start: shapes are compared, levels are not
    count   incidents per unit and period: the treated units' mean, so that donors of like size can reach it

Several treated units are one series: their incidents added up over their residents (rate), over their own
before mean (index) or over how many they are (count).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate, DataError
from whatworks_eval.synthetic.fitted import Floats

Scale = Literal["rate", "index", "count"]
PER = 1_000.0  # residents
WORDS: dict[str, str] = {
    "rate": "incidents per 1,000 residents and period",
    "index": "index, 100 = mean of the before window",
    "count": "incidents per unit and period",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparisonSeries:
    """Series of every unit on one scale.

    Attributes:
        names: Units used, in the order of `values`.
        values: Units × periods, in `unit`.
        sizes: What each unit's value times `incidents_per` adds up by: residents, before mean or 1, so that
            incidents = value × size ÷ base of the scale.
        is_treated: True for the treated units.
        scale: 'rate', 'index' or 'count'.
        unit: The scale in words.
        base: 1,000 for a rate, 100 for an index, 1 for a count.
        before: Periods before the start.
        dropped: Donors left out, each with why.
    """

    names: tuple[str, ...]
    values: Floats
    sizes: Floats
    is_treated: NDArray[np.bool_]
    scale: Scale
    unit: str
    base: float
    before: int
    dropped: tuple[tuple[str, str], ...]

    @property
    def donors(self) -> tuple[str, ...]:
        """Names of the donors, in the order of a fit's weights."""
        return tuple(name for name, own in zip(self.names, self.is_treated, strict=True) if not own)

    def split(self) -> tuple[Floats, Floats]:
        """The treated units as one series by period, and donors × periods."""
        return together(self.values, self.sizes, self.is_treated), self.values[~self.is_treated]


def together(values: Floats, sizes: Floats, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Floats:
    """Units as one series by period: their values averaged by size.

    Example:
        >>> together(np.array([[1.0, 2.0], [4.0, 8.0]]), np.array([1.0, 2.0]), np.array([0, 1])).tolist()
        [3.0, 6.0]
    """
    mixed: Floats = sizes[chosen] @ values[chosen] / sizes[chosen].sum()
    return mixed


def comparison_series(
    counts: Floats,
    names: Sequence[str],
    treated: Sequence[str],
    *,
    before: int,
    scale: Scale,
    residents: Floats | None = None,
) -> ComparisonSeries:
    """Counts as series on one scale, donors that cannot be put on it left out by name.

    Args:
        counts: Units × periods, incidents.
        names: Units, in the order of the rows.
        treated: Which of them are treated.
        before: Periods before the start.
        scale: 'rate', 'index' or 'count'; there is no default, since the answer depends on it.
        residents: By unit; needed for rates.

    Raises:
        DataError: Residents are missing where rates are asked for, names that are there twice or not at all.
        CannotEstimate: A treated unit cannot be put on the scale.

    Example:
        >>> counts = np.array([[10.0, 10, 5], [20.0, 20, 20], [0.0, 0, 3]])
        >>> made = comparison_series(counts, ["a", "b", "c"], ["a"], before=2, scale="index")
        >>> made.values.tolist(), made.dropped
        ([[100.0, 100.0, 50.0], [100.0, 100.0, 100.0]], (('c', 'no incidents before the start'),))
    """
    counts = np.asarray(counts, dtype=np.float64)
    problems = _problems(counts, names, treated, scale, residents)
    if problems:
        raise DataError(problems)
    is_treated = np.isin(np.array(list(names)), list(treated))
    if scale == "rate" and residents is not None:
        sizes = np.asarray(residents, dtype=np.float64)
        why = "residents are not known, or none"
    elif scale == "index":
        sizes, why = counts[:, :before].mean(axis=1), "no incidents before the start"
    else:
        sizes, why = np.ones(len(counts)), ""
    usable = np.isfinite(sizes) & (sizes > 0)
    lost = [name for name, own, fits in zip(names, is_treated, usable, strict=True) if own and not fits]
    if lost:
        raise CannotEstimate(f"treated unit {', '.join(lost)}: {why}; choose another scale than '{scale}'")
    base = {"rate": PER, "index": 100.0, "count": 1.0}[scale]
    return ComparisonSeries(
        names=tuple(name for name, fits in zip(names, usable, strict=True) if fits),
        values=base * counts[usable] / sizes[usable, None],
        sizes=sizes[usable],
        is_treated=is_treated[usable],
        scale=scale,
        unit=WORDS[scale],
        base=base,
        before=before,
        dropped=tuple((name, why) for name, fits in zip(names, usable, strict=True) if not fits),
    )


def _problems(
    counts: Floats, names: Sequence[str], treated: Sequence[str], scale: str, residents: Floats | None
) -> list[str]:
    found = []
    if scale not in get_args(Scale):
        found.append(f"scale '{scale}' is none of {', '.join(get_args(Scale))}")
    if counts.ndim != 2 or len(counts) != len(names):
        found.append(f"{len(names)} names for counts of shape {counts.shape}: give one row a unit")
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        found.append(f"unit {twice[0]!r} is there twice; keep one row a unit")
    absent = sorted(set(treated) - set(names))
    if absent or not treated:
        found.append(
            f"treated unit '{absent[0]}' is not among the units" if absent else "no treated unit named"
        )
    if scale == "rate" and (residents is None or len(residents) != len(names)):
        found.append("rates need residents of every unit; give them, or use scale 'index' or 'count'")
    return found
