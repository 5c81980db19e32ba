"""The same effects weighted by harm: each offence counts as much as its weight says.

    harm difference     sum of w × WDD            variance   sum of w² × variance of each WDD
    harm ratio          (H1t / H0t) / (H1c / H0c)  with H = sum of w × count;
                        variance of its log   dispersion × sum over the four of (sum of w² × count) / H²

A sum dominated by a few grave offences is much noisier than its counts look, and the variance of a weighted
sum knows it. Anti-social behaviour is never weighted; an offence without a weight is refused by name.

Source: the harm-weighted difference of the R package ptools; Sherman, Neyroud and Neyroud (2016), The
Cambridge Crime Harm Index, Policing 10(3), 171-183; ONS Crime Severity Score.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Literal

from whatworks_eval.effects.counts import Pair, assumed, check_counts, undefined, with_error
from whatworks_eval.effects.wdd import EQUAL, Weights, wdd
from whatworks_eval.errors import DataError
from whatworks_eval.records import Estimate
from whatworks_eval.shipped import shipped_path

SchemeName = Literal["CCHI 2026", "ONS CSS 2019"]
Level = Literal["police.uk category", "HO offence code"]
MEASURE, RATIO = "harm-weighted displacement difference", "ratio of ratios of harm"
ASB = "anti-social behaviour"
_ROWS = {"CCHI 2026": ("CCHI", "2026"), "ONS CSS 2019": ("ONS_CSS", "2019 download")}
CAVEAT = (
    "The weights are averages over a whole category, not the index itself: the mix of offences inside a "
    "category may shift with the project, and the way of averaging alone can move the answer fourfold"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmScheme:
    """Weights of harm of one scheme and vintage.

    Attributes:
        name: Scheme and vintage: 'CCHI 2026'.
        unit: 'days' or 'severity score'.
        level: What the weights are of.
        weights: Offence (or its code), then its weight.
        caveat: What must be said beside every number; '' where the weights are of single offences.
    """

    name: SchemeName
    unit: str
    level: Level
    weights: Mapping[str, float]
    caveat: str


@lru_cache(maxsize=8)
def harm_scheme(name: SchemeName = "CCHI 2026", level: Level = "police.uk category") -> HarmScheme:
    """The shipped weights of one scheme, vintage and level.

    Raises:
        DataError: There are none of that scheme at that level.

    Example:
        >>> found = harm_scheme("CCHI 2026")
        >>> found.weights["Robbery"], found.unit
        (365.0, 'days')
    """
    if name not in _ROWS:
        raise DataError(f"no harm weights called '{name}' come with the tool; there are {', '.join(_ROWS)}")
    path = shipped_path("datasets", "harm-weights") / "harm_weights.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [
            row
            for row in csv.DictReader(lines)
            if (row["scheme"], row["vintage"]) == _ROWS[name] and row["level"] == level and row["value"]
        ]
    if not rows:
        raise DataError(f"'{name}' has no weights by {level}; it has them by police.uk category")
    key = "offence" if level == "police.uk category" else "code"
    return HarmScheme(
        name=name,
        unit=rows[0]["unit"],
        level=level,
        weights={row[key]: float(row["value"]) for row in rows},
        caveat=CAVEAT if level == "police.uk category" else "",
    )


def weights_of(offences: Iterable[str], scheme: HarmScheme) -> dict[str, float]:
    """The weight of every offence; one refusal that names each offence without one.

    Raises:
        DataError: An offence without a weight, anti-social behaviour above all.

    Example:
        >>> weights_of(["Burglary"], harm_scheme("CCHI 2026"))
        {'Burglary': 244.68}
    """
    known = {name.casefold(): weight for name, weight in scheme.weights.items()}
    offences = list(offences)
    problems = [
        f"'{offence}' is not an offence and has no weight of harm in any scheme; leave it out, and evaluate "
        "it by number"
        if offence.strip().casefold() == ASB
        else f"'{offence}' has no weight by {scheme.level} in {scheme.name}; leave it out and say so, or use "
        f"another scheme. It has {', '.join(sorted(scheme.weights)[:14])}"
        for offence in offences
        if offence.strip().casefold() not in known
    ]
    if problems:
        raise DataError(problems)
    return {offence: known[offence.strip().casefold()] for offence in offences}


@dataclass(frozen=True, slots=True, kw_only=True)
class OffenceCounts:
    """Incidents of one offence, before and after.

    Attributes:
        treated: In the treated areas.
        comparison: In the comparison areas.
        buffer: In the buffer; None where there is none.
        buffer_comparison: In the buffer's own comparison; None where there is none.
    """

    treated: Pair
    comparison: Pair
    buffer: Pair | None = None
    buffer_comparison: Pair | None = None


def harm_wdd(
    counts: Mapping[str, OffenceCounts],
    weights: Mapping[str, float],
    *,
    sizes: Weights = EQUAL,
    unit: str = "units of harm",
    source: str = "weights as given",
    dispersion: float = 1.0,
    confidence: float = 0.95,
) -> Estimate:
    """The weighted displacement difference summed over offences, each times its weight of harm.

    Offences are taken to vary independently of one another.

    Args:
        counts: Offence, then its counts.
        weights: Offence, then its weight (`weights_of`).
        sizes: Area and time weights of the counts.
        unit: Of a weight, as 'days'.
        source: Scheme and vintage of the weights, carried in the measure's name.
        dispersion: Variance of a count over its mean.
        confidence: Of the interval.

    Raises:
        DataError: An offence without a weight, or what `wdd` refuses.

    Example:
        >>> robbery = OffenceCounts(treated=(144, 92), comparison=(86, 64))
        >>> harm_wdd({"robbery": robbery}, {"robbery": 7}).value
        -210.0
    """
    _check_weighted(counts, weights)
    value = variance = 0.0
    for offence, count in counts.items():
        found = wdd(
            treated=count.treated,
            comparison=count.comparison,
            buffer=count.buffer,
            buffer_comparison=count.buffer_comparison,
            weights=sizes,
            confidence=confidence,
        )
        if found.value is not None and found.se is not None:  # an offence never recorded adds nothing
            value += weights[offence] * found.value
            variance += (weights[offence] * found.se) ** 2
    named = {"measure": f"{MEASURE} ({source})", "label": MEASURE, "unit": unit, "confidence": confidence}
    if variance == 0:
        return undefined("every count is zero, so neither the difference nor its error is defined", **named)  # type: ignore[arg-type]
    return with_error(value, variance, dispersion=dispersion, **named)  # type: ignore[arg-type]


def harm_ratio(
    counts: Mapping[str, OffenceCounts],
    weights: Mapping[str, float],
    *,
    source: str = "weights as given",
    dispersion: float = 1.0,
    confidence: float = 0.95,
) -> Estimate:
    """The ratio of ratios of harm, with the error of weighted sums.

    Args:
        counts: Offence, then its counts; a buffer in them is not used.
        weights: Offence, then its weight.
        source: Scheme and vintage of the weights, carried in the measure's name.
        dispersion: Variance of a count over its mean.
        confidence: Of the interval.

    Raises:
        DataError: An offence without a weight, or a number that is no count.

    Example:
        >>> one = {"theft": OffenceCounts(treated=(50, 30), comparison=(60, 55))}
        >>> found = harm_ratio(one, {"theft": 2})
        >>> round(found.ratio.value, 6), round(found.se, 6)
        (0.654545, 0.296954)
    """
    _check_weighted(counts, weights)
    for offence, count in counts.items():
        arms = {f"{offence}, treated": count.treated, f"{offence}, comparison": count.comparison}
        check_counts(arms, dispersion=dispersion, confidence=confidence)
    cells = [
        [(weights[offence], getattr(count, arm)[window]) for offence, count in counts.items()]
        for arm in ("treated", "comparison")
        for window in (0, 1)
    ]
    sums = [
        (sum(weight * count for weight, count in cell), sum(weight**2 * count for weight, count in cell))
        for cell in cells
    ]
    harm = [total for total, _ in sums]
    made = {
        "measure": f"{RATIO} ({source})",
        "unit": "log of harm recorded over harm expected",
        "confidence": confidence,
        "inference": assumed(dispersion),
        "recorded": harm[1],
        "label": RATIO,
        "choice": "effect measure",
    }
    if min(harm) <= 0:
        return Estimate(
            why_missing="one of the four sums of harm is zero, so neither the ratio nor its error is defined",
            **made,
        )
    value = math.log(harm[1] * harm[2] / (harm[0] * harm[3]))
    se = math.sqrt(dispersion * sum(square / total**2 for total, square in sums))
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * se
    return Estimate(
        value=value,
        se=se,
        low=value - half,
        high=value + half,
        p_value=2 * NormalDist().cdf(-abs(value) / se),
        expected=harm[0] * harm[3] / harm[2],
        **made,
    )


def _check_weighted(counts: Mapping[str, OffenceCounts], weights: Mapping[str, float]) -> None:
    problems = [f"'{offence}' has counts and no weight" for offence in counts if offence not in weights]
    problems += [
        f"the weight of '{offence}' is {weight:g}; a weight must be above zero and finite"
        for offence, weight in weights.items()
        if not 0 < weight < math.inf
    ]
    problems += [
        f"'{offence}' is not an offence and has no weight of harm; leave it out"
        for offence in counts
        if offence.strip().casefold() == ASB
    ]
    if not counts:
        problems.append("there is no offence to weigh")
    if problems:
        raise DataError(problems)
