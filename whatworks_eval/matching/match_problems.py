"""What can be wrong with a request to match: every problem at once, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError, ProtocolError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Algorithm = Literal["nearest", "optimal", "cardinality", "entropy", "strata"]
Distance = Literal["mahalanobis", "robust", "score", "propensity"]
NO_DISTANCE = ("entropy", "strata")
ONCE = ("optimal", "cardinality")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to match: the arguments of `match` that are not arrays; None is not given."""

    algorithm: Algorithm
    distance: Distance
    per_treated: int | None
    replacement: bool | None
    caliper: float | None
    tolerance: float | Sequence[float] | None
    seconds: float

    @property
    def again(self) -> bool:
        """Whether a comparison area may be used twice."""
        return self.replacement if self.replacement is not None else self.algorithm not in ONCE

    @property
    def each(self) -> int | None:
        """Matches wanted for each treated area; None where the algorithm sets the number."""
        if self.algorithm in NO_DISTANCE:
            return None
        return 1 if self.per_treated is None else self.per_treated


def check_options(options: Options, features: int) -> None:
    """Nothing, where the options go together for so many features.

    Raises:
        ProtocolError: With every option that does not, and what to do.

    Example:
        >>> check_options(Options(algorithm="nearest", distance="robust", per_treated=3, replacement=None,
        ...     caliper=0.25, tolerance=None, seconds=60), 2)
    """
    problems = [*_unknown(options), *_numbers(options), *_clashes(options), *_too_few(options, features)]
    if problems:
        raise ProtocolError(problems)


def _unknown(options: Options) -> Iterator[str]:
    for key, value, known in (
        ("algorithm", options.algorithm, get_args(Algorithm)),
        ("distance", options.distance, get_args(Distance)),
    ):
        if value not in known:
            yield f"matching.{key}: {value!r} is not one of {', '.join(known)}"


def _numbers(options: Options) -> Iterator[str]:
    each, caliper = options.per_treated, options.caliper
    if each is not None and each < 1:
        yield f"matching.per_treated: {each} is not a number of areas; give 1 or more"
    if caliper is not None and not (np.isfinite(caliper) and caliper > 0):
        yield f"matching.caliper: {caliper} is not a width; give standard deviations above 0"
    if not options.seconds > 0:
        yield f"matching.seconds: {options.seconds} is no time; give seconds above 0"


def _clashes(options: Options) -> Iterator[str]:
    way = options.algorithm
    if options.per_treated is not None and way in NO_DISTANCE:
        yield f"matching.per_treated: '{way}' uses every area it can; leave it out"
    if options.caliper is not None and way not in ("nearest", "optimal"):
        yield f"matching.caliper: '{way}' has no caliper; leave it out, or use 'nearest'"
    if options.replacement and way in ONCE:
        yield f"matching.replacement: '{way}' takes an area once; leave it out"
    if options.replacement is False and way in NO_DISTANCE:
        yield f"matching.replacement: '{way}' shares areas; leave it out"
    if options.tolerance is not None and way != "cardinality":
        yield f"matching.tolerance: '{way}' takes none; leave it out, or use 'cardinality'"


def _too_few(options: Options, features: int) -> Iterator[str]:
    way = options.algorithm
    if way != "strata" and features == 0:
        yield f"matching.on names nothing, and '{way}' needs a feature"
    if options.distance == "score" and way not in NO_DISTANCE and features != 1:
        yield f"matching.distance = 'score' takes one feature, and {features} are named in matching.on"
    if way == "cardinality":
        given = np.asarray(np.nan if options.tolerance is None else options.tolerance, dtype=float)
        if not np.isfinite(given).all() or (given <= 0).any() or given.shape not in ((), (features,)):
            yield (
                "matching.tolerance: 'cardinality' needs the largest standardised difference allowed, above "
                "0: one number, or one a feature"
            )


def check_arrays(
    features: Floats,
    treated: Bools,
    pool: Bools,
    exact: Sequence[object] | None,
    names: Sequence[str],
    options: Options,
) -> None:
    """Nothing, where the arrays fit each other and the options.

    Raises:
        DataError: With every problem, and what to do.

    Example:
        >>> arms = np.array([True, False])
        >>> check_arrays(np.ones((2, 1)), arms, ~arms, None, ["x"], Options(algorithm="nearest",
        ...     distance="robust", per_treated=1, replacement=None, caliper=None, tolerance=None, seconds=60))
    """
    areas, problems = len(treated), []
    if features.ndim != 2 or len(features) != areas or features.shape[1] != len(names):
        shape = " × ".join(map(str, features.shape))
        problems.append(f"matching: features are {shape} for {areas} areas and {len(names)} names")
    if len(pool) != areas or (exact is not None and len(exact) != areas):
        problems.append(f"matching: the pool and the labels must be given for each of the {areas} areas")
    if np.isinf(features).any():
        problems.append("matching: a feature holds an infinite value; mend the source, or leave it unknown")
    if not treated.any() or not pool.any():
        problems.append("matching: there is no treated area, or none to choose from")
    both_arms = options.algorithm == "nearest" and options.again and options.distance != "propensity"
    if not problems and not both_arms and (treated & pool).any():
        problems.append(
            "matching: areas are both treated and to be chosen; only 'nearest' with replacement can do that"
        )
    if problems:
        raise DataError(problems)
