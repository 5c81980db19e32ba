"""Two counts over two exposures: the E-test, right where the exposures differ.

The probability, if both rates were equal (or differed by `difference`), of counts at least as far apart.

Source: Krishnamoorthy and Thomson (2004), J Stat Plan Inference 119, 23-35, as in scipy.stats. Two public
packages standardise by the pooled rate instead, which is another test where exposures differ (they give
0.0015 for 100 in 10 against 25 in 5, this gives 0.0006) or where the difference tested is not zero.
"""

from __future__ import annotations

import math

from whatworks_eval.errors import DataError
from whatworks_eval.records import Estimate

MEASURE = "difference of two Poisson rates"


def poisson_means(
    first: float,
    second: float,
    *,
    exposures: tuple[float, float] = (1.0, 1.0),
    difference: float = 0.0,
    confidence: float = 0.95,
) -> Estimate:
    """The difference of two rates (second less first) with the p-value of the E-test.

    One place at two times, or two places at one time: no comparison group, so never above level 2, and
    counts are taken to vary by chance alone, which crime counts do not.

    Args:
        first: Incidents in the first count.
        second: Incidents in the second.
        exposures: Length of time, or size, behind each count.
        difference: Rate of the first less rate of the second under the hypothesis tested; zero or more.
        confidence: Carried along; the test gives no interval.

    Raises:
        DataError: A count that is not a whole number from zero, or an exposure not above zero.

    Example:
        >>> round(poisson_means(100, 25, exposures=(10, 5)).p_value, 9)
        0.000574719
    """
    problems = [
        f"the {name} count is {count:g}; give a whole number of incidents, zero or more"
        for name, count in (("first", first), ("second", second))
        if not (math.isfinite(count) and count >= 0 and count == int(count))
    ]
    problems += [
        f"the {name} exposure is {exposure:g}; it must be above zero"
        for name, exposure in zip(("first", "second"), exposures, strict=True)
        if not 0 < exposure < math.inf
    ]
    if not (math.isfinite(difference) and difference >= 0):
        problems.append(f"the difference tested is {difference:g}; give zero or more, or swap the counts")
    if problems:
        raise DataError(problems)
    if first == second == 0:
        p_value, why = None, "both counts are zero, so the test is not defined"
    else:
        from scipy.stats import poisson_means_test

        tested = poisson_means_test(int(first), exposures[0], int(second), exposures[1], diff=difference)
        p_value, why = float(tested.pvalue), "the E-test gives a probability, not an interval"
    return Estimate(
        measure=MEASURE,
        scale="difference",
        unit="incidents per unit of exposure",
        value=second / exposures[1] - first / exposures[0],
        p_value=p_value,
        confidence=confidence,
        inference="E-test: counts taken to vary by chance alone",
        why_missing=why,
        label=MEASURE,
        choice="effect measure",
    )
