"""Comparison areas as deprived as the treated: those in the deciles the treated areas lie in."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

DECILES = 10


def deprivation_covariate(names: Iterable[str]) -> str | None:
    """The first covariate that is a measure of deprivation, by its name; None where there is none.

    Example:
        >>> deprivation_covariate(["density", "imd_score"])
        'imd_score'
    """
    words = ("imd_", "deprivation", "deprived")
    return next(
        (
            name
            for name in names
            if name.casefold() == "imd" or any(word in name.casefold() for word in words)
        ),
        None,
    )


def same_band(values: NDArray[np.float64], treated: NDArray[np.bool_], *, deciles: bool) -> NDArray[np.bool_]:
    """Areas in a decile that holds a treated area; areas whose value is not known are in none.

    Args:
        values: Deprivation by area: a score or rank, or a decile; NaN where not known.
        treated: True for the treated areas.
        deciles: Whether the values are deciles already; scores and ranks are cut into tenths of the areas
            in the data whose value is known, ties kept together.

    Example:
        >>> scores = np.arange(20.0)
        >>> np.flatnonzero(same_band(scores, scores == 4, deciles=False)).tolist()
        [4, 5]
    """
    known = np.isfinite(values)
    band = np.full(len(values), -1.0)
    if deciles:
        band[known] = values[known]
    else:
        inside = np.sort(values[known])
        band[known] = np.searchsorted(inside, values[known], side="left") * DECILES // max(len(inside), 1)
    wanted = np.unique(band[treated & known])
    same: NDArray[np.bool_] = known & np.isin(band, wanted)
    return same
