"""What the data come in as: a Panel of counts, Totals, or published Changes, each with its Ledger.

A count and a missing count are never confused: where nothing was observed the count is NaN, so that
no sum can pass over it unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.periods import PeriodKind


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file that was read.

    Attributes:
        name: As the user would recognise it: path relative to its base, or member of an archive.
        sha256: Of the bytes read; of the archive for a member.
        rows: Data rows in it, header not counted.
    """

    name: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What happened to every input row, file, area and period: read = used + excluded.

    Attributes:
        read: Rows read.
        used: Rows counted in the panel.
        excluded: Reason, then period ('' where a row has none), then rows. A row takes the first
            reason that applies.
        files: The files read, with rows and SHA-256.
        periods_without_file: Force ('' where there is one source), then periods for which no file
            exists: missing, not zero.
        forces: Force, then period, then (rows read of the wanted offences, of which without location):
            what the unlocated share is measured from. Empty where the source has no locations.
        areas_dropped: Area, then why.
        notes: Choices that change counts, as sentences (de-duplication, home areas, joins).
    """

    read: int = 0
    used: int = 0
    excluded: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    files: tuple[InputFile, ...] = ()
    periods_without_file: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forces: Mapping[str, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    areas_dropped: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def excluded_rows(self) -> int:
        """Rows excluded under any reason."""
        return sum(sum(by_period.values()) for by_period in self.excluded.values())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Harm:
    """The same incidents weighed by harm.

    Attributes:
        scheme: Scheme and vintage of the weights: 'CCHI 2026'.
        unit: 'days' or 'severity score'.
        weights: Offence, then its weight.
        values: areas × periods, sum over offences of weight × incidents; NaN where not observed.
    """

    scheme: str
    unit: str
    weights: Mapping[str, float]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Recorded incidents, or shares of respondents, by area and period, and what is known of each area.

    Attributes:
        areas: Sorted codes.
        periods: Sorted, without gaps: '2018-01'.
        period: What a period is.
        counts: areas × periods, incidents, or shares from 0 to 1 from a survey; NaN where not observed.
        observed: areas × periods, True where the count is known (zero included).
        bases: areas × periods, respondents behind a survey value, NaN where unknown; None for counts and
            where none is known.
        effective_bases: areas × periods, respondents of a simple random sample that would give the published
            confidence interval; None where no interval is published with the values.
        rolling_months: Months of fieldwork behind each survey value, ending with its period; None for counts
            and where not known.
        residents: By area, people; NaN where not known; None where not given.
        covariates: Name, then value by area (NaN where not known).
        averaged: Covariate that is a mean over LSOAs weighted by population, then how many LSOAs.
        classes: Name, then area, then its class (district, rural-urban class); areas without one left out.
        centroids: areas × 2, British National Grid metres; NaN where not known; None where not given.
        units: Area, then the unit it belongs to (neighbourhood, ward, beat); None where not given.
        forces: Area, then the force that records most of its incidents; None where not given.
        boundaries: Year of the small-area boundaries the codes belong to (2011, 2021), None if unknown.
        harm: The same incidents weighed by harm; None where not asked for.
        untouched: Areas × periods, incidents of offences that the project should not have touched; None where
            none is named.
        ledger: What happened to every input row.
    """

    areas: tuple[str, ...]
    periods: tuple[str, ...]
    period: PeriodKind = "month"
    counts: NDArray[np.float64]
    observed: NDArray[np.bool_]
    bases: NDArray[np.float64] | None = None
    effective_bases: NDArray[np.float64] | None = None
    rolling_months: int | None = None
    residents: NDArray[np.float64] | None = None
    covariates: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    averaged: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    centroids: NDArray[np.float64] | None = None
    units: Mapping[str, str] | None = None
    forces: Mapping[str, str] | None = None
    boundaries: int | None = None
    harm: Harm | None = None
    untouched: NDArray[np.float64] | None = None
    ledger: Ledger

    def __repr__(self) -> str:
        missing = int((~self.observed).sum())
        return (
            f"Panel({len(self.areas)} areas × {len(self.periods)} {self.period}s "
            f"{self.periods[0]} to {self.periods[-1]}, {np.nansum(self.counts):,.0f} incidents, "
            f"{missing} cells missing)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Incidents by arm and window, with how long each window is: the four numbers of a 2 × 2 table.

    Attributes:
        treated: Incidents before and after.
        comparison: The same in the comparison areas; None where there are none.
        buffer: The same in the buffer; None where there is none.
        buffer_comparison: The same in areas the buffer alone is compared with; None where it has none.
        periods: Length of the before and the after window, in periods of the protocol.
        dispersion: Variance of a count over its mean, assumed for the interval.
        ledger: The file or protocol the numbers came from.
    """

    treated: tuple[float, float]
    comparison: tuple[float, float] | None = None
    buffer: tuple[float, float] | None = None
    buffer_comparison: tuple[float, float] | None = None
    periods: tuple[float, float] = (1.0, 1.0)
    dispersion: float = 4.0
    ledger: Ledger = field(default_factory=Ledger)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Published changes, where the counts behind them are not published.

    Attributes:
        treated: Change in the treated areas, in percent; a fall is negative.
        comparison: The same in the comparison areas; None where none was published.
        decimals: Decimal places they were published to: each may be off by half a unit of the last.
        unit: Whether they are percentages of the earlier value or percentage points, if the publication says.
        ledger: The publication.
    """

    treated: float
    comparison: float | None = None
    decimals: int = 0
    unit: Literal["percent", "points", "not stated"] = "percent"
    ledger: Ledger = field(default_factory=Ledger)
