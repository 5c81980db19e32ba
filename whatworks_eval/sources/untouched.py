"""Incidents of offences that a project should not have touched, beside those it was meant to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from whatworks_eval.errors import DataError
from whatworks_eval.panel import Panel
from whatworks_eval.protocol_tables import Outcome


def with_untouched(panel: Panel, outcome: Outcome, load: Callable[[Outcome], Panel]) -> Panel:
    """The panel with the untouched offences counted over the same areas and periods.

    An area or period the panel has and the untouched offences lack recorded none of them, where the period is
    observed at all.

    Args:
        panel: Of the offences the project was meant to touch.
        outcome: Names the untouched ones.
        load: Reads the same files for another outcome.

    Raises:
        DataError: None of the untouched offences is in the data.
    """
    other = load(outcome.model_copy(update={"offences": outcome.untouched, "untouched": None, "harm": None}))
    if not np.nansum(other.counts) > 0:
        raise DataError(
            f"outcome.untouched: no incident of {', '.join(outcome.untouched or ())} is in the data; check "
            "the names"
        )
    place = {area: at for at, area in enumerate(panel.areas)}
    when = {period: at for at, period in enumerate(panel.periods)}
    rows = [(at, place[area]) for at, area in enumerate(other.areas) if area in place]
    columns = [(at, when[period]) for at, period in enumerate(other.periods) if period in when]
    found = np.zeros(panel.counts.shape)
    here, there = (np.array([pair[side] for pair in rows], dtype=np.intp) for side in (1, 0))
    to, of = (np.array([pair[side] for pair in columns], dtype=np.intp) for side in (1, 0))
    found[np.ix_(here, to)] = np.nan_to_num(other.counts[np.ix_(there, of)])
    return replace(panel, untouched=np.where(panel.observed, found, np.nan))
