"""What the counts of a design are divided by in a weighted displacement difference."""

from __future__ import annotations

import numpy as np

from whatworks_eval.effects.wdd import Weights
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Windowed


def weights_for(protocol: Protocol, windowed: Windowed) -> Weights:
    """Area and time weights that leave the difference in incidents of the treated areas' after window.

    From a panel, an arm weighs as many areas as it holds (a matched comparison area as often as it counts);
    from totals, what `outcome.totals.area_weights` says, or 1. All are divided by the treated areas' own.
    """
    time = windowed.months[0] / windowed.months[1]
    if windowed.index is not None:
        sizes = {
            arm: max(float(np.where(windowed.arm == arm, windowed.weight, 0.0).sum()), 1e-9)
            for arm in ("treated", "comparison", "buffer")
        }
        sizes["buffer_comparison"] = sizes["comparison"]
    else:
        table = protocol.outcome.totals
        given = None if table is None else table.area_weights
        names = ("treated", "comparison", "buffer", "buffer_comparison")
        sizes = {name: 1.0 if given is None else float(getattr(given, name)) for name in names}
        if table is not None and table.buffer_comparison is None:
            sizes["buffer_comparison"] = sizes["comparison"]
    own = sizes["treated"]
    return Weights(before=time, after=1.0, **{name: size / own for name, size in sizes.items()})
