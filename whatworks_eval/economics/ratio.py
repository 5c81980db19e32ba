"""The ratio with its range: draws of everything that is uncertain, and what each input does by itself.

The effect is drawn from its own 199 quantiles; what the user gave a low and a high for is drawn from a
triangle over them. What has no range is held fixed, and the chain of assumptions shows which that is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from whatworks_eval.economics.benefits import Formula, Inputs, Numbers
from whatworks_eval.economics.effect import PROBABILITIES, EffectInput
from whatworks_eval.economics.records import TornadoEntry
from whatworks_eval.records import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """An input with the lowest and the highest it could be; ends None where it is held fixed.

    Attributes:
        name: As in the chain of assumptions.
        unit: Of the values.
        value: Central.
        low: The lowest.
        high: The highest.
        group: Ranges of one group are drawn together, as they would be wrong together.
    """

    name: str
    unit: str
    value: float
    low: float | None = None
    high: float | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """Every input of the formula, with its range.

    Attributes:
        prevented: Incidents prevented over the after window.
        buffer: The same in the buffer; None where it is not counted.
        persistence: Months after the window.
        pounds: For each costed offence.
        multipliers: For each costed offence.
    """

    prevented: Range
    buffer: Range | None
    persistence: Range
    pounds: tuple[Range, ...]
    multipliers: tuple[Range, ...]

    def central(self) -> Inputs:
        """The formula's inputs, each at its central value."""
        return Inputs(
            prevented=self.prevented.value,
            buffer=self.buffer.value if self.buffer else 0.0,
            persistence=self.persistence.value,
            pounds=[one.value for one in self.pounds],
            multipliers=[one.value for one in self.multipliers],
        )


def draw_effect(effect: EffectInput, uniform: Numbers) -> Numbers:
    """Incidents prevented at each place of a uniform draw, read off the 199 quantiles.

    Beyond the outermost quantiles (one draw in a hundred) the outermost is taken.
    """
    return np.asarray(np.interp(uniform, PROBABILITIES, np.asarray(effect.quantiles)))


def draw_two_sided(one: Range, normal: Numbers, confidence: float) -> Numbers:
    """Draws about a value whose interval may be lopsided: half a normal on each side, to its own end."""
    if one.low is None or one.high is None:
        return np.full(normal.shape, one.value)
    at = NormalDist().inv_cdf(0.5 + confidence / 2)
    below, above = (one.value - one.low) / at, (one.high - one.value) / at
    return one.value + normal * np.where(normal < 0, below, above)


def draw_triangle(one: Range, uniform: Numbers) -> Numbers:
    """Draws from a triangle over the range with its peak at the central value; fixed where there is no range.

    Example:
        >>> draw_triangle(Range(name="x", unit="£", value=2, low=1, high=3), np.array([0, 0.5, 1])).tolist()
        [1.0, 2.0, 3.0]
    """
    if one.low is None or one.high is None or one.high == one.low:
        return np.full(uniform.shape, float(one.value))
    width, left, right = one.high - one.low, one.value - one.low, one.high - one.value
    rising = one.low + np.sqrt(uniform * width * left)
    falling = one.high - np.sqrt((1 - uniform) * width * right)
    return np.where(uniform * width <= left, rising, falling)


def draw_inputs(inputs: Uncertain, effect: EffectInput, *, draws: int, seed: int) -> Inputs:
    """The formula's inputs, each `draws` times; the same seed gives the same draws."""
    random = np.random.default_rng([seed, 6])
    together: dict[str, Numbers] = {}

    def uniform(one: Range) -> Numbers:
        if one.group is None:
            return random.random(draws)
        if one.group not in together:
            together[one.group] = random.random(draws)
        return together[one.group]

    # One draw in each of as many equal slices, shuffled: by itself the effect then has its own interval
    # again, where plain draws gave ends a few percent off those printed beside them.
    place = (random.permutation(draws) + 0.5) / draws
    prevented = draw_effect(effect, place)
    buffer: Numbers | float = 0.0
    if inputs.buffer is not None:
        normal = _together(place, random.standard_normal(draws), effect.buffer_correlation)
        buffer = draw_two_sided(inputs.buffer, normal, effect.confidence)
    return Inputs(
        prevented=prevented,
        buffer=buffer,
        persistence=draw_triangle(inputs.persistence, uniform(inputs.persistence)),
        pounds=[draw_triangle(one, uniform(one)) for one in inputs.pounds],
        multipliers=[draw_triangle(one, uniform(one)) for one in inputs.multipliers],
    )


def _together(uniform: Numbers, normal: Numbers, correlation: float) -> Numbers:
    """Normal draws that go with uniform ones as far as the correlation says."""
    from scipy.special import ndtri

    along = ndtri(np.clip(uniform, 1e-12, 1 - 1e-12))
    return np.asarray(correlation * along + np.sqrt(1 - correlation**2) * normal)


def span_of(value: float, draws: Numbers | None, share: float) -> Interval:
    """A central value with the middle `share` of its draws; without draws, the value alone."""
    if draws is None:
        return Interval(value=value)
    low, high = np.quantile(draws, [0.5 - share / 2, 0.5 + share / 2])
    return Interval(value=value, low=float(low), high=float(high))


def tornado(inputs: Uncertain, formula: Formula, cost: float) -> tuple[TornadoEntry, ...]:
    """What each input with a range does to the ratio by itself, the largest first.

    An effect with one end open is left out: there is no ratio at that end. Where the effect is taken to go on
    after the window without a range for how long, the low end is that it does not.
    """
    found = []
    for low, high, entry in _ends(inputs):
        at = [float(formula.benefit(end)) / cost for end in (low, high)]
        assert entry.low is not None
        assert entry.high is not None
        found.append(
            TornadoEntry(
                input=entry.name,
                unit=entry.unit,
                low=entry.low,
                high=entry.high,
                ratio_at_low=at[0],
                ratio_at_high=at[1],
            )
        )
    return tuple(sorted(found, key=lambda one: -one.swing))


def _ends(inputs: Uncertain) -> Iterator[tuple[Inputs, Inputs, Range]]:
    """The formula's inputs with one of them at its low and at its high end, for each that has both."""
    central = inputs.central()
    lasting = inputs.persistence
    if lasting.low is None and lasting.value > 0:
        lasting = replace(lasting, low=0.0, high=lasting.value)
    single = {"prevented": inputs.prevented, "buffer": inputs.buffer, "persistence": lasting}
    for field, one in single.items():
        if one is not None and one.low is not None and one.high is not None:
            yield replace(central, **{field: one.low}), replace(central, **{field: one.high}), one  # type: ignore[arg-type]
    for field, ranges in (("pounds", inputs.pounds), ("multipliers", inputs.multipliers)):
        groups: dict[str, list[int]] = {}
        for place, one in enumerate(ranges):
            if one.low is not None and one.high is not None:
                groups.setdefault(one.group or f"{field}{place}", []).append(place)
        for places in groups.values():
            ends: list[Inputs] = []
            for end in ("low", "high"):
                values = [
                    getattr(one, end) if place in places else one.value for place, one in enumerate(ranges)
                ]
                ends.append(replace(central, **{field: values}))  # type: ignore[arg-type]
            first = ranges[places[0]]
            if len(places) == 1:
                yield ends[0], ends[1], first
                continue
            # Several move together: said as percent of the central values.
            assert first.low is not None
            assert first.high is not None
            percent = (100 * (first.low / first.value - 1), 100 * (first.high / first.value - 1))
            yield (
                ends[0],
                ends[1],
                Range(name=first.group or first.name, unit="%", value=0.0, low=percent[0], high=percent[1]),
            )
