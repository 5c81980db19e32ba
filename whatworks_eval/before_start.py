"""Data as they stood before the start: what a comparison may be chosen from, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.panel import Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol


def before_start(protocol: Protocol, panel: Panel) -> Panel:
    """The panel with every count from the start on taken out: nothing made from it can depend on one.

    Which cells were observed is kept, so that the same areas and months leave for missing data as in the
    evaluation. Where the data end before the start, the periods of the after window are put in as observed.

    Example:
        >>> from whatworks_eval import load_data, protocol_from_dict
        >>> protocol = protocol_from_dict({
        ...     "schema": 1, "id": "x", "question": "?", "method": "relative-effect",
        ...     "intervention": {"name": "x", "start": "2016-10", "assignment": "need"},
        ...     "outcome": {"source": "dataset", "dataset": "simulated-neighbourhoods"},
        ...     "windows": {"before": ["2014-10", "2016-09"], "after": ["2016-10", "2018-07"]},
        ...     "areas": {"treated": ["SIM0037"], "comparison": "matched"},
        ... })
        >>> panel = load_data(protocol)
        >>> early = before_start(protocol, panel)
        >>> float(early.counts[:, panel.periods.index("2016-10") :].sum())
        0.0
    """
    start = protocol.intervention.start
    late = np.array([period >= start for period in panel.periods])
    counts = np.where(late & panel.observed, 0.0, panel.counts)
    early = replace(
        panel,
        counts=counts,
        bases=_early(panel.bases, late),
        effective_bases=_early(panel.effective_bases, late),
        harm=None,
        untouched=None,
    )
    if late.any() or protocol.windows is None or panel.bases is not None:
        return early
    first, last = protocol.windows.after
    added = tuple(
        period for period in period_range(first, last, protocol.period) if period > panel.periods[-1]
    )
    shape = (len(panel.areas), len(added))
    return replace(
        early,
        periods=(*panel.periods, *added),
        counts=np.column_stack([counts, np.zeros(shape)]),
        observed=np.column_stack([panel.observed, np.ones(shape, dtype=bool)]),
    )


def _early(values: NDArray[np.float64] | None, late: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    return None if values is None else np.where(late, np.nan, values)
