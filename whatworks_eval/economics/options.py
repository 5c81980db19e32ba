"""Two projects held against each other: what the second cost and prevented beyond the first.

    cost, incidents prevented ─► differences (second less first) ─► label, ratio, net benefit at a worth

Ranges are put together as squares: how far each end of a difference lies from its value is the root of the
squares of how far the ends it is made of lie from theirs. That takes the two projects as independent, needs
only their ranges (which may be lopsided) and draws nothing, so that the answer rests on what is printed.

Sources: incremental ratio, dominance and net benefit as in Drummond and others, Methods for the Economic
Evaluation of Health Care Programmes; the ranges as in Zou and Donner (2008), Construction of confidence
limits about effect measures, which Zou, Taleban and Huo (2009, Computational Statistics and Data Analysis
53, 3755-3764) take to net benefit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from whatworks_eval.records import Interval

Label = Literal[
    "dominates",
    "is dominated",
    "costs more and prevents more",
    "costs less and prevents less",
    "no difference",
]
MIRRORED: dict[Label, Label] = {
    "dominates": "is dominated",
    "is dominated": "dominates",
    "costs more and prevents more": "costs less and prevents less",
    "costs less and prevents less": "costs more and prevents more",
    "no difference": "no difference",
}
"""What the label becomes where first and second change places."""
SAME = 1e-9
"""Two amounts are taken as equal within this share of the larger, or this many pounds or incidents."""
NO_YARDSTICK = "one of the two is worse than doing nothing, so a price against it would mean nothing"
AS_MANY = "the two prevented the same, so there is no further incident to divide the cost by"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What one project cost and prevented.

    Attributes:
        cost: Present value in pounds; ends None where it is declared without a range.
        prevented: Incidents (or staff hours) prevented; below zero where more were recorded than expected.
            Ends None where there is no range.
    """

    cost: Interval
    prevented: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The second project against the first; every difference is second less first.

    Attributes:
        cost: Further cost in pounds; without ends where no cost has a range.
        prevented: Further incidents prevented; without ends where either has no range.
        label: What the second is beside the first, by the central values.
        ratio: Pounds for each further incident prevented (or saved for each one forgone); ends only where
            the costs are fixed and the range of `prevented` does not hold zero.
        ratio_why_missing: Why there is none.
        range_why_missing: Why the ratio has no ends, where it has a value.
        settled: True where the range of `prevented` does not hold zero.
        worth: Pounds one incident prevented is taken to be worth; None where not stated.
        net_benefit: Further worth less further cost, in pounds; empty without `worth`.
        same_cost: True where the two cost the same.
    """

    cost: Interval
    prevented: Interval
    label: Label
    ratio: Interval
    ratio_why_missing: str | None
    range_why_missing: str | None
    settled: bool
    worth: float | None
    net_benefit: Interval
    same_cost: bool


def compare_options(first: Option, second: Option, *, worth: float | None = None) -> Comparison:
    """The second project against the first.

    Args:
        first: What it is held against.
        second: What is asked about.
        worth: Pounds one incident prevented is taken to be worth.

    Raises:
        ValueError: A cost or a number prevented has no value.

    Example:
        >>> first = Option(cost=Interval(value=1e6), prevented=Interval(value=200.0))
        >>> second = Option(cost=Interval(value=1.5e6), prevented=Interval(value=300.0))
        >>> found = compare_options(first, second, worth=6000)
        >>> found.label, found.ratio.value, found.net_benefit.value
        ('costs more and prevents more', 5000.0, 100000.0)
    """
    cost = _fixed_or_not(difference(_ends(first.cost), _ends(second.cost)))
    prevented = difference(first.prevented, second.prevented)
    more_cost, more_prevented = cost.value or 0.0, prevented.value or 0.0
    if _same(first.cost.value, second.cost.value):
        more_cost = 0.0
    if _same(first.prevented.value, second.prevented.value):
        more_prevented = 0.0
    label = label_of(cost=more_cost, prevented=more_prevented)
    value, why = cost_of_each_further(cost=more_cost, prevented=more_prevented)
    if value is not None and (worse_than_nothing(first) or worse_than_nothing(second)):
        value, why = None, NO_YARDSTICK
    settled = prevented.low is not None and prevented.high is not None
    settled = settled and not (prevented.low or 0.0) <= 0 <= (prevented.high or 0.0)
    ratio, no_range = _with_ends(value, cost, prevented, settled=settled)
    return Comparison(
        cost=cost,
        prevented=prevented,
        label=label,
        ratio=ratio,
        ratio_why_missing=why,
        range_why_missing=no_range,
        settled=settled,
        worth=worth,
        net_benefit=Interval() if worth is None else net_benefit(cost, prevented, worth=worth),
        same_cost=more_cost == 0,
    )


def worse_than_nothing(option: Option) -> bool:
    """True where doing nothing costs no more and prevents no less, by the central values, and betters one.

    Example:
        >>> worse_than_nothing(Option(cost=Interval(value=100.0), prevented=Interval(value=-2.0)))
        True
    """
    cost, prevented = option.cost.value or 0.0, option.prevented.value or 0.0
    return cost >= 0 >= prevented and (cost, prevented) != (0.0, 0.0)


def label_of(*, cost: float, prevented: float) -> Label:
    """What a project is beside another, from its further cost and the further incidents it prevented.

    One dominates that is no worse in either and better in one.

    Example:
        >>> label_of(cost=-10.0, prevented=0.0), label_of(cost=5.0, prevented=2.0)
        ('dominates', 'costs more and prevents more')
    """
    if cost == 0 and prevented == 0:
        return "no difference"
    if cost <= 0 <= prevented:
        return "dominates"
    if prevented <= 0 <= cost:
        return "is dominated"
    return "costs more and prevents more" if cost > 0 else "costs less and prevents less"


def cost_of_each_further(*, cost: float, prevented: float) -> tuple[float | None, str | None]:
    """The incremental cost-effectiveness ratio in pounds an incident; or None, and why there is none.

    Where the second costs less and prevents less, it is what is saved for each incident no longer prevented.

    Example:
        >>> cost_of_each_further(cost=500_000.0, prevented=100.0)
        (5000.0, None)
        >>> cost_of_each_further(cost=-1.0, prevented=100.0)
        (None, 'one costs less and prevents more, so nothing is paid for the further incidents')
    """
    if prevented == 0:
        return None, AS_MANY
    label = label_of(cost=cost, prevented=prevented)
    if label in {"dominates", "is dominated"}:
        least = "no more" if cost == 0 else "less"
        return None, f"one costs {least} and prevents more, so nothing is paid for the further incidents"
    return cost / prevented, None


def net_benefit(cost: Interval, prevented: Interval, *, worth: float) -> Interval:
    """Worth of further incidents prevented less further cost, in pounds: above zero the second is worth more.

    Args:
        cost: Further cost; taken as fixed where it has no ends.
        prevented: Further incidents prevented; without ends the result has none.
        worth: Pounds one incident prevented is taken to be worth.

    Example:
        >>> two = Interval(value=2.0)
        >>> [net_benefit(Interval(value=gbp), two, worth=30_000).value for gbp in (50_000.0, 80_000.0)]
        [10000.0, -20000.0]
    """
    worths = Interval(
        value=(prevented.value or 0.0) * worth,
        low=None if prevented.low is None else prevented.low * worth,
        high=None if prevented.high is None else prevented.high * worth,
    )
    return difference(_ends(cost), worths)


def difference(first: Interval, second: Interval) -> Interval:
    """The second less the first, taken as independent; ends only where both have them.

    Raises:
        ValueError: One has no value.

    Source: Zou and Donner (2008).

    Example:
        >>> difference(Interval(value=10.0, low=7.0, high=14.0), Interval(value=30.0, low=26.0, high=33.0))
        Interval(value=20.0, low=14.34314575050762, high=24.242640687119284)
    """
    if first.value is None or second.value is None:
        raise ValueError("an option without a value cannot be compared")
    value = second.value - first.value
    if None in (first.low, first.high, second.low, second.high):
        return Interval(value=value)
    below = math.hypot(second.value - (second.low or 0.0), (first.high or 0.0) - first.value)
    above = math.hypot((second.high or 0.0) - second.value, first.value - (first.low or 0.0))
    return Interval(value=value, low=value - below, high=value + above)


def _ends(cost: Interval) -> Interval:
    """The cost, fixed at its value where it was declared without a range."""
    if cost.low is None or cost.high is None:
        return Interval(value=cost.value, low=cost.value, high=cost.value)
    return cost


def _fixed_or_not(cost: Interval) -> Interval:
    return Interval(value=cost.value) if cost.low == cost.high else cost


def _same(first: float | None, second: float | None) -> bool:
    return math.isclose(first or 0.0, second or 0.0, rel_tol=SAME, abs_tol=SAME)


def _with_ends(
    value: float | None, cost: Interval, prevented: Interval, *, settled: bool
) -> tuple[Interval, str | None]:
    """The ratio with its ends, or why it has none."""
    if value is None:
        return Interval(), None
    if prevented.low is None or prevented.high is None:
        return Interval(value=value), "the difference in what was prevented has no range"
    if not settled:
        return Interval(value=value), "it is not settled that either prevented more"
    if cost.low is not None:
        return Interval(value=value), "the costs have ranges of their own"
    ends = sorted(((cost.value or 0.0) / prevented.low, (cost.value or 0.0) / prevented.high))
    return Interval(value=value, low=ends[0], high=ends[1]), None
