"""The panel a difference-in-differences works on: counts or rates, and the windows of each cohort."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.inference.roll_out_test import CohortWindows
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, PlaceboSets, Windowed

PER_RESIDENTS = 1_000


def used_periods(windowed: Windowed) -> NDArray[np.intp]:
    """Positions in the panel of the periods of both windows, in order."""
    assert windowed.before_mask is not None
    assert windowed.after_mask is not None
    return np.flatnonzero(windowed.before_mask | windowed.after_mask)


def is_linear(protocol: Protocol) -> bool:
    """Whether the effect is a difference of means, not a ratio of counts."""
    model = protocol.did.model or ("poisson" if protocol.outcome.kind == "count" else "linear")
    return model == "linear"


def unit_of(protocol: Protocol) -> str:
    """What a linear effect is counted in."""
    what = (
        f"incidents by {PER_RESIDENTS:,} residents"
        if protocol.outcome.kind == "rate"
        else "incidents an area"
    )
    return f"{what} and {protocol.period}"


def starts_used(contrast: Contrast, windowed: Windowed) -> list[str]:
    """The periods in which some area that is still in started, in order; empty where all start together."""
    staying = set(windowed.areas)
    return sorted({start for area, start in contrast.starts.items() if area in staying})


def roll_out_of(protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed) -> CohortWindows:
    """Values by area and used period, with the before and after periods of each cohort.

    A cohort's baseline is every used period before its start, less those the protocol leaves out for
    anticipation; its effect is wanted over every used period from its start on.

    Raises:
        CannotEstimate: A cohort has no period before or after its start.
    """
    assert windowed.index is not None
    used = used_periods(windowed)
    names = [panel.periods[at] for at in used]
    starts = starts_used(contrast, windowed) or [protocol.intervention.start]
    places = np.searchsorted(names, starts).astype(np.intp)
    place = {start: int(at) for start, at in zip(starts, places, strict=True)}
    at_start = np.unique(places)  # starts with no used period between them are one
    only = int(at_start[0])
    start = np.array(
        [
            place[contrast.starts[area]]
            if area in contrast.starts
            else only
            if arm == "treated"
            else len(used)
            for area, arm in zip(windowed.areas, windowed.arm, strict=True)
        ],
        dtype=np.intp,
    )
    periods = np.arange(len(used))
    # Before the first start the windows leave out what is anticipated; later cohorts have their own such
    # months.
    gap = np.where(at_start > at_start[0], protocol.did.anticipation, 0)
    before = periods[None, :] < (at_start - gap)[:, None]
    after = periods[None, :] >= at_start[:, None]
    empty = [
        min(start for start in starts if place[start] == at)
        for at, one, two in zip(at_start.tolist(), before, after, strict=True)
        if not one.any() or not two.any()
    ]
    if empty:
        raise CannotEstimate(
            f"areas.treated: areas that start in {', '.join(empty)} have no used period before or after it; "
            "widen the windows, or leave these areas out"
        )
    return CohortWindows(
        counts=values_of(protocol, panel, windowed)[:, used],
        start=start,
        before=before,
        after=after,
        starts=at_start,
    )


def values_of(protocol: Protocol, panel: Panel, windowed: Windowed) -> NDArray[np.float64]:
    """Incidents, or incidents by 1,000 residents, by used area and every period of the panel.

    Raises:
        CannotEstimate: A rate is wanted and residents are not known for an area used.
    """
    assert windowed.index is not None
    counts = panel.counts[windowed.index]
    if protocol.outcome.kind != "rate":
        return counts
    if panel.residents is None:
        raise CannotEstimate(
            "outcome.kind is 'rate', but the data have no residents; give them as [covariates.residents]"
        )
    residents = panel.residents[windowed.index]
    unknown = [area for area, people in zip(windowed.areas, residents, strict=True) if not people > 0]
    if unknown:
        some = ", ".join(unknown[:5])
        raise CannotEstimate(
            f"outcome.kind is 'rate', but residents are not known, or nought, for {len(unknown)} areas used "
            f"({some}); give them, or leave these areas out"
        )
    found: NDArray[np.float64] = PER_RESIDENTS * counts / residents[:, None]
    return found


def cohort_of_rows(data: CohortWindows, sets: PlaceboSets) -> NDArray[np.intp]:
    """Cohort of each row the placebo sets count in; what it says of untreated rows is not looked at."""
    found = np.zeros(sets.rows, dtype=np.intp)
    treated = np.flatnonzero((data.start < data.counts.shape[1]) & (sets.row >= 0))
    found[sets.row[treated]] = np.searchsorted(data.starts, data.start[treated])
    return found
