"""What is to be doubted of a cohort: picked at a peak, unlike people, one sort of offence that decides."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.economics.cohort_file import ARMS, Cohort
from whatworks_eval.records import Interval

DAYS = 365.25  # of a year
LARGEST_GAP = 0.25  # standard deviations between the arms before, as selection.baseline-level


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortNote:
    """A doubt, in a sentence.

    Attributes:
        threat: 'regression', 'selection', 'chance', 'recording' or 'analysis'.
        message: What the reader has to know.
        cap: The level is at most this; 5 where it does not limit it.
    """

    threat: str
    message: str
    cap: int = 5


def doubts_of(cohort: Cohort, peak: Interval, each: NDArray[np.float64]) -> tuple[CohortNote, ...]:
    """Doubts, in the order a reader needs them."""
    notes = []
    if peak.value is None:
        notes.append(
            CohortNote(
                threat="regression",
                message="People tend to be picked when their offending is highest, and fall back with "
                "nothing done. No earlier window is given, so how much of a fall that explains is not known.",
                cap=5 if cohort.keys.assignment == "random" else 2,
            )
        )
    elif peak.low is None or peak.low > 0:
        notes.append(
            CohortNote(
                threat="regression",
                message=f"Those who joined stood {peak.value:.0f} % above their own earlier cost of crime "
                "when they joined: some fall back is to be expected with nothing done. Read the figure "
                "measured from the earlier window first.",
                cap=5 if cohort.keys.assignment == "random" else 2,
            )
        )
    gap = baseline_gap(cohort)
    if gap is not None and abs(gap) > LARGEST_GAP:
        notes.append(
            CohortNote(
                threat="selection",
                message=f"Before, those who joined offended {abs(gap):.2f} standard deviations "
                f"{'more' if gap > 0 else 'less'} than the comparison: people so unlike cannot be expected "
                "to change "
                "alike.",
                cap=3 if cohort.keys.assignment == "random" else 2,
            )
        )
    return (*notes, *_dearest(cohort, each))


def _dearest(cohort: Cohort, each: NDArray[np.float64]) -> list[CohortNote]:
    """A note where one sort of offence makes most of the cost: a few of them then decide the answer."""
    rows = cohort.arms["treated"]
    pounds = (rows.counts["before"].sum(axis=0) + rows.counts["after"].sum(axis=0)) * each
    at = int(pounds.argmax())
    share = pounds[at] / pounds.sum()
    if share <= 0.5 or len(pounds) < 2:
        return []
    return [
        CohortNote(
            threat="chance",
            message=f"{cohort.offences[at]} makes {100 * share:.0f} % of the cost: a few offences more or "
            "fewer would change the answer.",
        )
    ]


def baseline_gap(cohort: Cohort) -> float | None:
    """Gap between the arms' yearly offences a person before, in standard deviations; None for totals."""
    if not cohort.by_person or "comparison" not in cohort.arms:
        return None
    each = []
    for arm in ARMS:
        rows = cohort.arms[arm]
        free = rows.days["before"] > 0
        each.append(rows.counts["before"].sum(axis=1)[free] / rows.days["before"][free] * DAYS)
    spread = math.sqrt(sum(float(one.var(ddof=1)) for one in each) / 2)
    return float(each[0].mean() - each[1].mean()) / spread if spread > 0 else None
