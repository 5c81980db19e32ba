"""What every measure does with its counts first: refuse what is no count, and put an error on a number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import NormalDist

from whatworks_eval.errors import DataError
from whatworks_eval.records import Estimate

Pair = tuple[float, float]
"""Incidents in the before and in the after window."""

Arms = Mapping[str, Pair | None]


def count_problems(arms: Arms, *, whole: bool = True) -> Iterator[str]:
    """One sentence for every number that cannot be a count of incidents.

    Args:
        arms: Name of each arm, then its counts before and after; None where there is no such arm.
        whole: False lets fractions pass, for totals of a comparison whose areas count by weight.

    Example:
        >>> list(count_problems({"treated": (3, -2), "comparison": (4, 4)}))
        ['treated, after: -2 is below zero; a count of incidents cannot be']
    """
    for name, pair in arms.items():
        for window, count in zip(("before", "after"), pair or (), strict=False):
            place = f"{name}, {window}: {count:.10g}"
            if not math.isfinite(count):
                yield f"{place} is not a finite number; give the number of incidents"
            elif count < 0:
                yield f"{place} is below zero; a count of incidents cannot be"
            elif whole and count != int(count):
                yield f"{place} is not a whole number; give counts of incidents, not rates or means"


def check_counts(arms: Arms, *, dispersion: float, confidence: float, whole: bool = True) -> None:
    """Nothing, where every number is a count; otherwise every problem at once.

    Raises:
        DataError: A negative, fractional or non-finite count, or a dispersion or confidence out of range.
    """
    problems = list(count_problems(arms, whole=whole))
    if not (math.isfinite(dispersion) and dispersion > 0):
        problems.append(f"the dispersion is {dispersion:g}; it must be above 0 (1 = chance alone)")
    if not 0 < confidence < 1:
        problems.append(f"the confidence is {confidence:g}; it must lie between 0 and 1, as 0.95")
    if problems:
        raise DataError(problems)


def assumed(dispersion: float) -> str:
    """How an interval with an assumed dispersion was obtained, in words.

    Example:
        >>> assumed(1)
        'Poisson error: counts taken to vary by chance alone'
    """
    if dispersion == 1:
        return "Poisson error: counts taken to vary by chance alone"
    return f"assumed dispersion {dispersion:g}: variance of a count taken as {dispersion:g} times its mean"


def with_error(
    value: float,
    variance: float,
    *,
    measure: str,
    label: str,
    unit: str,
    dispersion: float,
    confidence: float,
    recorded: float | None = None,
    expected: float | None = None,
) -> Estimate:
    """A difference with a normal interval; `variance` is that of chance alone, before the dispersion."""
    se = math.sqrt(dispersion * variance)
    normal = NormalDist()
    half = normal.inv_cdf(0.5 + confidence / 2) * se
    spread = NormalDist(value, se)
    return Estimate(
        measure=measure,
        scale="difference",
        unit=unit,
        value=value,
        se=se,
        low=value - half,
        high=value + half,
        p_value=2 * normal.cdf(-abs(value) / se),
        confidence=confidence,
        inference=assumed(dispersion),
        recorded=recorded,
        expected=expected,
        quantiles=tuple(spread.inv_cdf(part / 200) for part in range(1, 200)),
        label=label,
        choice="effect measure",
    )


def undefined(why: str, *, measure: str, label: str, unit: str, confidence: float) -> Estimate:
    """A measure that these counts do not define, with the reason."""
    return Estimate(
        measure=measure,
        scale="difference",
        unit=unit,
        confidence=confidence,
        inference="none",
        why_missing=why,
        label=label,
        choice="effect measure",
    )


def empty_cells(arms: Arms) -> str:
    """The arms and windows without an incident, as a phrase; '' where there is none.

    Example:
        >>> empty_cells({"treated": (3, 0), "comparison": (4, 4)})
        'treated after'
    """
    names = [
        f"{name} {window}"
        for name, pair in arms.items()
        for window, count in zip(("before", "after"), pair or (), strict=False)
        if count == 0
    ]
    return " and ".join(names)
