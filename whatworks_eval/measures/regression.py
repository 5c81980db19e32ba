"""Did the treated areas climb to a peak just before the start? Changes inside and before the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whatworks_eval.inference.placebo import Relative
from whatworks_eval.judgement import Case, Measure
from whatworks_eval.measures.relative import (
    FALSE_ALARM,
    Mask,
    as_measure,
    detectable,
    earlier_periods,
    relative_between,
    split,
    standard_error,
    usable_baseline,
)

FEWEST_PERIODS = 12  # to look for a run-up inside the before window
LAST_PART = 4  # the last quarter of the before window against what came before it


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUp:
    """One comparison of a later with an earlier part of the time before the start.

    Attributes:
        name: What was compared with what.
        change: Of treated against comparison areas.
        confidence: Of its interval: all comparisons made together find something by chance 3 times in 100.
        detectable: Log ratio it would find four times in five; None where it has no interval.
    """

    name: str
    change: Relative
    confidence: float
    detectable: float | None

    @property
    def found(self) -> bool:
        """True where the interval excludes no change."""
        low, high = self.change.low, self.change.high
        return (low is not None and low > 0) or (high is not None and high < 0)

    @property
    def measure(self) -> Measure:
        """The change as a measure, in percent."""
        return as_measure(self.name, self.change, self.confidence)


def run_ups(case: Case) -> tuple[RunUp, ...]:
    """Rises of treated against comparison areas before the start: inside the before window and up to it.

    The last quarter of the before window against the rest of it, where it holds 12 periods; and the whole
    before window against earlier periods of the same calendar, where the panel holds any. Empty where
    neither can be asked.
    """
    baseline = usable_baseline(case)
    if baseline is None or case.sets is None:
        return ()
    pairs: list[tuple[str, Mask, Mask]] = []
    length = int(baseline.sum())
    if length >= FEWEST_PERIODS:
        last = length // LAST_PART
        rest, end = split(baseline, length - last, last)
        pairs.append(
            (f"last {last} {case.protocol.period}s before the start against those before them", rest, end)
        )
    earlier = earlier_periods(case)
    if earlier is not None:
        name = f"the before window against the {int(earlier.sum())} {case.protocol.period}s before it"
        pairs.append((name, earlier, baseline))
    if not pairs:
        return ()
    # Shared out, so that asking twice does not find something twice as often where there is nothing.
    confidence = 1 - FALSE_ALARM / len(pairs)
    return tuple(_run_up(case, name, first, second, confidence) for name, first, second in pairs)


def earlier_change(case: Case) -> RunUp | None:
    """The change from earlier periods of the same calendar to the before window; None without any."""
    baseline, earlier = usable_baseline(case), earlier_periods(case)
    if baseline is None or earlier is None or case.sets is None:
        return None
    name = f"the before window against the {int(earlier.sum())} {case.protocol.period}s before it"
    return _run_up(case, name, earlier, baseline, 1 - FALSE_ALARM)


def _run_up(case: Case, name: str, first: Mask, second: Mask, confidence: float) -> RunUp:
    change = relative_between(case, np.asarray(first), np.asarray(second), confidence=confidence)
    error = standard_error(change.low, change.high, confidence)
    return RunUp(name=name, change=change, confidence=confidence, detectable=detectable(error, confidence))
