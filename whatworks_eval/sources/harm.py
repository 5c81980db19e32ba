"""Incidents weighed by harm: each offence counted apart, then summed by its weight."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from whatworks_eval.effects.harm import harm_scheme, weights_of
from whatworks_eval.errors import DataError
from whatworks_eval.panel import Harm, Panel
from whatworks_eval.protocol_tables import Outcome
from whatworks_eval.sources.police_uk import build_panel
from whatworks_eval.sources.police_uk_files import street_files


def weighed(panel: Panel, path: Path, outcome: Outcome) -> Panel:
    """The panel with its incidents weighed by harm beside their number.

    Args:
        panel: Of all the offences together.
        path: The police.uk files it came from.
        outcome: For the offences, the scheme and whether a Crime ID counts once.

    Raises:
        DataError: An offence without a weight, each named; anti-social behaviour above all.
    """
    assert outcome.harm is not None
    scheme = harm_scheme(outcome.harm)
    weights = weights_of(outcome.offences or (), scheme)
    values, number = np.zeros(panel.counts.shape), np.zeros(panel.counts.shape)
    with street_files(path, hashed=False) as found:
        for offence, weight in weights.items():
            part = build_panel(
                found, offences=[offence], home=set(panel.areas), deduplicate=outcome.deduplicate
            )
            if part.areas != panel.areas or part.periods != panel.periods:
                raise DataError(f"{path.name}: '{offence}' covers other areas or months than all together do")
            counts = np.nan_to_num(part.counts)
            values += weight * counts
            number += counts
    if not np.array_equal(number[panel.observed], panel.counts[panel.observed]):
        raise DataError(
            f"{path.name}: the offences counted one by one do not add up to their total, as happens when one "
            "Crime ID stands under two offences; leave out outcome.deduplicate, or outcome.harm"
        )
    values[~panel.observed] = np.nan
    return replace(panel, harm=Harm(scheme=scheme.name, unit=scheme.unit, weights=weights, values=values))
