"""The treated series against its comparison's, beside the same for every placebo set.

Each month the treated share of all incidents is binomial with a logit equal to the log of the treated over
the comparison mean: a Poisson regression of both series with a free effect for every month, so that
whatever moves both (season, lengths of months, recording) is gone. A straight line is fitted to that log
ratio over the before window and carried on; what the comparison recorded afterwards, times that line, is
what was expected. The departure of the recorded from it is studentised and ranked among placebo sets:

    departure   D = A - E,   E = Σ c·exp(η)        A recorded after, c comparison, η the line carried on
    variance    V = (E + Σ c·exp(2η) + h'I⁻¹h) · (φ + τ²·k)     h = Σ c·exp(η)·x, I the information before

φ and τ² say how spread grows with level (relabel_test.py), k is the squared level of a set over its level;
the ranks supply the scale. For a hypothesised effect, treated after counts are first divided by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.inference.relabel_test import comparison_weights, variance_shape
from whatworks_eval.matching.level import Matches
from whatworks_eval.records import PlaceboSets

if TYPE_CHECKING:
    pass

Floats = NDArray[np.float64]

STEPS = 40
SETTLED = 1e-9
FURTHEST = 25.0  # a log ratio beyond this either way means there is nothing to fit
CELLS = 20_000_000  # sets × comparison areas held at once


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesTest:
    """Recorded and expected of every set, ready to be asked about any hypothesised effect.

    Attributes:
        parts: 6 × sets, the treated set last: recorded after in untreated and in treated areas; expected from
            untreated and from treated comparison areas; variance of the expected number, without treated
            after counts; the factor φ + τ²·k.
        fitted: True for sets with a line; the others count as far as can be.
        exact: True where every possible set is there.
    """

    parts: Floats
    fitted: NDArray[np.bool_]
    exact: bool

    def statistic(self, log_ratio: float) -> Floats:
        """Studentised departures, after taking the effect out of treated areas; the treated set last."""
        scale = float(np.exp(-log_ratio))
        own, treated, expected, shared, variance, factor = self.parts
        recorded = own + scale * treated
        should = expected + scale * shared
        spread = (np.maximum(should + (scale**2 - scale) * treated, 0.0) + variance) * factor
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (recorded - should) / np.sqrt(spread)
        return np.where(self.fitted, np.where(spread > 0, ratio, 0.0), np.inf)

    def p_value(self, log_ratio: float) -> float:
        """Two-sided p-value of the hypothesis that the treated areas changed by this log ratio."""
        size = np.abs(self.statistic(log_ratio))
        as_far = int((size[:-1] >= size[-1] * (1 - 1e-9) - 1e-12).sum())
        if self.exact:
            return max(as_far, 1) / (len(size) - 1)
        return (1 + as_far) / len(size)

    @property
    def effects(self) -> Floats:
        """Log of recorded over expected in each placebo set where both are above zero."""
        recorded, expected = self.parts[0] + self.parts[1], self.parts[2] + self.parts[3]
        known = self.fitted & (recorded > 0) & (expected > 0)
        known[-1] = False
        result: Floats = np.log(recorded[known] / expected[known])
        return result


def series_test(
    before: Floats,
    after: Floats,
    design: tuple[Floats, Floats],
    sets: PlaceboSets,
    matches: Matches | None = None,
) -> SeriesTest:
    """A test that can be asked about any hypothesised effect.

    Args:
        before: Incidents, areas × periods before.
        after: The same after.
        design: Periods × coefficients of the line before, and the same carried on.
        sets: Placebo sets for these areas.
        matches: The matched comparison of each area; None where all outside a set is its comparison.
    """
    inside = sets.row >= 0
    is_treated = inside & np.isin(sets.row, sets.treated)
    untreated_after = np.where(is_treated[:, None], 0.0, after)
    by_row = [
        np.bincount(sets.row[inside], weights=values[inside], minlength=sets.rows).astype(float)
        for values in (before.sum(axis=1), after.sum(axis=1))
    ]
    marked = np.zeros(sets.rows, dtype=bool)
    marked[sets.treated] = True
    phi, tau_squared = variance_shape(by_row[0], by_row[1], marked)
    longer = (by_row[0].sum() + by_row[1].sum()) / max(by_row[0].sum(), 1.0)
    wide = np.concatenate([before, untreated_after, after], axis=1)
    first, middle = before.shape[1], before.shape[1] + after.shape[1]
    parts, fitted = [], []
    for members, own, other in series_of_sets(wide, sets, matches):
        line, settled = fit_shares(own[:, :first], other[:, :first], design[0])
        carried = np.exp(np.clip(line @ design[1].T, -FURTHEST, FURTHEST))
        whole, free = other[:, middle:], other[:, first:middle]
        expected = (free * carried).sum(axis=1)
        slope = (whole * carried) @ design[1]
        certain = _information(own[:, :first], other[:, :first], line, design[0])
        settled &= np.linalg.cond(certain) < 1e12
        certain[~settled] = np.eye(design[0].shape[1])
        solved = np.linalg.solve(certain, slope[:, :, None])[:, :, 0]
        variance = (whole * carried**2).sum(axis=1) + (slope * solved).sum(axis=1)
        level = by_row[0][members]
        crowd = longer * (level**2).sum(axis=1) / np.maximum(level.sum(axis=1), 1.0)
        recorded = own[:, first:middle].sum(axis=1)
        parts.append(
            np.stack(
                [
                    recorded,
                    own[:, middle:].sum(axis=1) - recorded,
                    expected,
                    (whole * carried).sum(axis=1) - expected,
                    variance,
                    phi + tau_squared * crowd,
                ]
            )
        )
        fitted.append(settled)
    return SeriesTest(parts=np.concatenate(parts, axis=1), fitted=np.concatenate(fitted), exact=sets.exact)


def fit_shares(own: Floats, other: Floats, design: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Coefficients of the log ratio of two series, for many pairs at once, and which of them settled.

    Args:
        own: sets × periods.
        other: The same for what each is compared with.
        design: periods × coefficients, the first a constant.
    """
    total = own + other
    sums = own.sum(axis=1), other.sum(axis=1)
    possible = (sums[0] > 0) & (sums[1] > 0)
    line = np.zeros((len(own), design.shape[1]))
    line[possible, 0] = np.log(sums[0][possible] / sums[1][possible])
    settled = ~possible
    for _ in range(STEPS):
        going = np.flatnonzero(~settled)
        if not len(going):
            break
        share = 1 / (1 + np.exp(-np.clip(line[going] @ design.T, -FURTHEST, FURTHEST)))
        slope = (own[going] - total[going] * share) @ design
        certain = _information(own[going], other[going], line[going], design)
        certain += 1e-10 * np.trace(certain, axis1=1, axis2=2)[:, None, None] * np.eye(design.shape[1])
        certain += 1e-12 * np.eye(design.shape[1])
        step = np.linalg.solve(certain, slope[:, :, None])[:, :, 0]
        step *= np.minimum(1.0, 4.0 / np.maximum(np.abs(step @ design.T).max(axis=1), 1e-300))[:, None]
        line[going] += step
        settled[going[np.abs(step @ design.T).max(axis=1) < SETTLED]] = True
    return line, settled & possible & (np.abs(line @ design.T).max(axis=1) < FURTHEST)


def _information(own: Floats, other: Floats, line: Floats, design: Floats) -> Floats:
    share = 1 / (1 + np.exp(-np.clip(line @ design.T, -FURTHEST, FURTHEST)))
    crossed = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    found: Floats = ((own + other) * share * (1 - share)) @ crossed
    return found.reshape(len(own), design.shape[1], design.shape[1])


def series_of_sets(
    wide: Floats, sets: PlaceboSets, matches: Matches | None
) -> Iterator[tuple[NDArray[np.intp], Floats, Floats]]:
    """Rows, own series and comparison series of the placebo sets in parts; the treated set last of all."""
    from scipy.sparse import csr_array

    inside = np.flatnonzero(sets.row >= 0)
    gather = csr_array((np.ones(len(inside)), (sets.row[inside], inside)), shape=(sets.rows, len(sets.row)))
    by_row: Floats = np.asarray(gather @ wide)
    total = by_row.sum(axis=0)
    everything = np.vstack([sets.members, sets.treated[None, :]])
    at_once = max(1, CELLS // max(wide.shape[1] * 4, len(matches.places) if matches else 1))
    for start in range(0, len(everything), at_once):
        members = everything[start : start + at_once]
        ends = np.arange(0, members.size + 1, members.shape[1])
        chosen = csr_array((np.ones(members.size), members.ravel(), ends), shape=(len(members), sets.rows))
        own: Floats = np.asarray(chosen @ by_row)
        if matches is None:
            yield members, own, total - own
        else:
            other = [
                weight @ wide[matches.places] for _, weight in comparison_weights(sets, members, matches)
            ]
            yield members, own, np.concatenate(other)
