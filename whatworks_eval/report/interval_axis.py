"""Upright intervals and the axis they stand on: shared by the charts of an effect through time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from whatworks_eval.over_time import EventTime, Shift
from whatworks_eval.report.effect_charts import WIDEST
from whatworks_eval.report.numerals import signed
from whatworks_eval.report.over_time_words import Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAD = "#3D3D3D"


def value_axis(axes: Axes, these: Sequence[EventTime | Shift], scale: Scale) -> tuple[float, float]:
    """Set the value axis so that every dot is seen and most intervals are; gives its ends."""
    dots = [scale.shown(one.value) for one in these if one.value is not None]
    ends = [scale.shown(end) for one in these for end in (one.low, one.high) if end is not None]
    low, high = min(0.0, *dots, *ends), max(0.0, *dots, *ends)
    if scale.ratio:
        low, high = max(low, WIDEST[0]), min(high, max(WIDEST[1], *dots))
    spare = 0.07 * ((high - low) or 1.0)
    axes.set_ylim(low - spare, high + spare)
    axes.yaxis.set_major_formatter(lambda at, _: tick(at, high - low))
    axes.locator_params(axis="y", nbins=6)
    axes.set_ylabel("Effect, %" if scale.ratio else "Effect", fontsize=11)
    return low - spare, high + spare


def tick(at: float, width: float) -> str:
    """A tick with the decimals the axis needs.

    Example:
        >>> tick(-20.0, 80.0), tick(0.5, 2.0), tick(0.0, 2.0)
        ('\u221220', '+0.5', '0')
    """
    if at == 0:
        return "0"
    return signed(at, 0 if width >= 5 else 1 if width >= 0.5 else 2)


def draw_interval(
    axes: Axes,
    at: float,
    one: EventTime | Shift,
    scale: Scale,
    colour: str,
    *,
    limits: tuple[float, float],
    hollow: bool = False,
    mark: str = "o",
) -> None:
    """A dot with its upright interval; an arrow where an end is open or beyond the axis."""
    low, high = limits
    if one.low is not None or one.high is not None:
        start = low if one.low is None else max(scale.shown(one.low), low)
        end = high if one.high is None else min(scale.shown(one.high), high)
        axes.plot([at, at], [start, end], color=colour, linewidth=2, zorder=3)
        if one.low is None or scale.shown(one.low) < low:
            axes.plot(at, low, "v", color=colour, markersize=6, clip_on=False, zorder=4)
        if one.high is None or scale.shown(one.high) > high:
            axes.plot(at, high, "^", color=colour, markersize=6, clip_on=False, zorder=4)
    if one.value is not None:
        axes.plot(
            at,
            scale.shown(one.value),
            mark,
            color=colour,
            markerfacecolor="white" if hollow else colour,
            markeredgewidth=1.6,
            markersize=7,
            zorder=5,
        )
