"""How alike the arms of a matched comparison are, in all that is known of them from before the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.likeness import FeatureGaps, Gap, LeadIn, Likeness
from whatworks_eval.matched import support_of
from whatworks_eval.matching.balance import Difference, balance
from whatworks_eval.matching.features import (
    FEWEST_FOR_TREND,
    FROM_DATA,
    LEVEL,
    RESIDENTS,
    TREND,
    Features,
    features_of,
    until_start,
)
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def likeness_of(protocol: Protocol, panel: Panel, contrast: Contrast) -> Likeness | None:
    """Balance, support and lead-in of a matched comparison; None where the comparison is not matched.

    Every period from the start on is cut off first, so that no number here can depend on an outcome. Balance
    is shown for what was matched on and for whatever else is known of the areas.

    Args:
        protocol: The declared design.
        panel: The whole panel, or one without anything after the start.
        contrast: As built from it.

    Example:
        >>> from whatworks_eval import load_data, protocol_from_dict
        >>> from whatworks_eval.contrast import build_contrast
        >>> protocol = protocol_from_dict({
        ...     "schema": 1, "id": "x", "question": "?", "method": "relative-effect",
        ...     "intervention": {"name": "x", "start": "2016-10", "assignment": "need"},
        ...     "outcome": {"source": "dataset", "dataset": "simulated-neighbourhoods"},
        ...     "windows": {"before": ["2014-10", "2016-09"], "after": ["2016-10", "2018-07"]},
        ...     "areas": {"treated": ["SIM0037", "SIM0038"], "comparison": "matched"},
        ... })
        >>> panel = load_data(protocol)
        >>> found = likeness_of(protocol, panel, build_contrast(protocol, panel))
        >>> found.matched, found.used, found.features[0].name
        (2, 21, 'before_level')
    """
    declared = protocol.areas.comparison if protocol.areas is not None else None
    shares = protocol.outcome.kind == "proportion"
    if declared != "matched" or contrast.weights is None or shares or protocol.windows is None:
        return None
    known = until_start(panel, protocol.intervention.start)
    chosen = protocol.matching
    everyone = {*contrast.treated, *contrast.unmatched}
    to_choose = {*contrast.comparison, *contrast.pool}
    areas = tuple(sorted(everyone | to_choose))
    treated, pool = np.isin(areas, sorted(everyone)), np.isin(areas, sorted(to_choose))
    on = () if chosen.algorithm == "strata" else chosen.on
    before = protocol.windows.before
    features = features_of(known, _all_known(known, on, chosen.exact, before), (), before, areas)
    weights = np.array([contrast.weights.get(area, 0.0) for area in areas])
    inside = np.isin(areas, contrast.treated)
    found = balance(features.values, treated, pool, weights=weights, matched=inside, names=features.names)
    heaviest = int(np.argmax(weights))
    return Likeness(
        chosen=contrast.chosen,
        algorithm=chosen.algorithm,
        on=on,
        period=protocol.period,
        before=before,
        declared=int(treated.sum()),
        matched=int(inside.sum()),
        pool=int(pool.sum()),
        used=found.areas_used,
        effective=found.effective_areas,
        heaviest=(areas[heaviest], float(weights[heaviest] * inside.sum() / weights.sum())),
        features=tuple(
            FeatureGaps(
                name=one.name,
                matched_on=one.name in on,
                before=_gap(one.before),
                after=_gap(one.after),
                not_known=found.not_known.get(one.name, 0),
            )
            for one in found.features
        ),
        unmatched=tuple(sorted(contrast.unmatched.items())),
        beyond=_beyond(protocol, features, areas, treated, pool, set(contrast.unmatched), len(on)),
        periods=known.periods,
        lead_in=_lead_in(known, areas, inside, weights, pool),
        searched=contrast.searched,
        averaged=tuple(
            (one.name, panel.averaged[one.name]) for one in found.features if one.name in panel.averaged
        ),
    )


def _all_known(
    panel: Panel, on: Sequence[str], exact: Sequence[str], window: tuple[str, str]
) -> tuple[str, ...]:
    """Names of features: those matched on, then the others that the data hold, those shared exactly aside."""
    periods = sum(window[0] <= period <= window[1] for period in panel.periods)
    others = {
        LEVEL: True,
        TREND: periods >= FEWEST_FOR_TREND,
        RESIDENTS: panel.residents is not None,
        **{
            name: name not in exact and bool(np.isfinite(values).any())
            for name, values in sorted(panel.covariates.items())
        },
    }
    assert set(FROM_DATA) <= set(others)
    return tuple(dict.fromkeys((*on, *(name for name, has in others.items() if has))))


def _gap(one: Difference) -> Gap:
    return Gap(
        treated=one.treated,
        comparison=one.comparison,
        standardised=one.standardised,
        variance_ratio=one.variance_ratio,
        why_missing=one.why_missing,
    )


def _beyond(
    protocol: Protocol,
    features: Features,
    areas: Sequence[str],
    treated: Bools,
    pool: Bools,
    left: set[str],
    matched_on: int,
) -> tuple[tuple[str, str], ...]:
    """Treated areas kept though they lie beyond the pool in what was matched on, the furthest first."""
    if not matched_on:
        return ()
    own = replace(features, names=features.names[:matched_on], values=features.values[:, :matched_on])
    try:
        found = support_of(own, treated, pool, protocol.matching)
    except DataError:  # alike in all: the match on level alone takes areas that no distance can tell apart
        return ()
    if found is None:
        return ()
    return tuple((areas[one.area], one.how_far) for one in found.beyond if areas[one.area] not in left)


def _lead_in(
    panel: Panel, areas: Sequence[str], inside: Bools, weights: Floats, pool: Bools
) -> tuple[LeadIn, ...]:
    position = {area: at for at, area in enumerate(panel.areas)}
    rows = np.array([position[area] for area in areas], dtype=np.intp)
    counts = np.where(panel.observed, panel.counts, np.nan)[rows]
    groups = (
        ("treated", inside.astype(np.float64)),
        ("comparison", weights),
        ("pool", pool.astype(np.float64)),
    )
    made = []
    for name, weight in groups:
        used = weight > 0
        means = weight[used] @ counts[used] / weight.sum()
        made.append(
            LeadIn(
                group=name,
                areas=int(used.sum()),
                means=_numbers(means),
                totals=_numbers(counts[used].sum(axis=0)),
            )
        )
    return tuple(made)


def _numbers(values: Floats) -> tuple[float | None, ...]:
    return tuple(float(value) if np.isfinite(value) else None for value in values)
