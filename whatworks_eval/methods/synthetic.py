"""Synthetic comparison: a weighted mixture of donors that ran as the treated areas did before the start.

Each series is an index, 100 = its own before mean, so that a small donor can stand for a large treated area:
what is compared is how counts changed, not how many there were. The treated areas are one series, their
total. Weights come from the before window alone. The effect is the log of recorded over expected incidents
in the after window, expected = the mixture's index times the treated before mean.

The interval is a placebo test turned round: every set of areas like the treated (methods/synthetic_sets.py)
gets its own mixture, its mean gap over the spread that sets of its level have is ranked, and the effects that
are not rejected form the interval (synthetic/sets_test.py). Every set is there where they are few.

Source: Abadie, Diamond and Hainmueller (2010), JASA 105:493-505; Arkhangelsky et al. (2021), AER
111:4088-4118; Ben-Michael, Feller and Rothstein (2021), JASA 116:1789-1803; Firpo and Possebom (2018),
Journal of Causal Inference 6(2), for the interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.inference.inversion import invert
from whatworks_eval.inference.placebo_sets import fewer
from whatworks_eval.methods import relative_effect
from whatworks_eval.methods.result import Effect
from whatworks_eval.methods.synthetic_rests_on import rests_on
from whatworks_eval.methods.synthetic_sets import Setting, setting_of
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Data, Estimate, Placebo, Windowed
from whatworks_eval.synthetic.augmented import augmented
from whatworks_eval.synthetic.fitted import Estimator
from whatworks_eval.synthetic.sdid import sdid
from whatworks_eval.synthetic.sets_test import SetsTest, sets_test
from whatworks_eval.synthetic.simplex import simplex
from whatworks_eval.synthetic_keys import FEWEST_BEFORE, METHOD, Kind

NAME = METHOD
MOST_SETS = 999
BESIDE = 199  # sets for what stands beside the registered estimate: the fewest that give a 95 % interval room
MEASURES: dict[Kind, str] = {
    "simplex": "recorded over a synthetic comparison",
    "sdid": "recorded over a synthetic comparison, periods weighted (SDID)",
    "augmented": "recorded over an augmented synthetic comparison",
}


def estimate(protocol: Protocol, data: Data, contrast: Contrast, windowed: Windowed | None) -> Effect:
    """The effect with its interval, other kinds of mixture beside it, and what it rests on.

    Raises:
        CannotEstimate: No counts by area and period, no comparison, or too few donors or before periods.
    """
    if not isinstance(data, Panel) or windowed is None:
        raise CannotEstimate(
            "method 'synthetic' needs counts by area and period; with totals use method 'relative-effect'"
        )
    if not windowed.has("comparison"):
        raise CannotEstimate(
            "method 'synthetic' mixes comparison areas and there are none: declare areas.comparison"
        )
    setting, found = comparison_test(protocol, data, contrast, windowed)
    registered = as_estimate(protocol, found, setting)
    return Effect(
        estimate=registered,
        alternatives=(
            *_other_kinds(protocol, setting, registered),
            _ratio_of_ratios(protocol, data, contrast, windowed),
        ),
        sets=setting.sets,
        placebo=Placebo(
            effects=found.log_ratios,
            observed=registered.value,
            sets=len(found.fits) - 1,
            exact=setting.sets.exact,
            how=setting.sets.how,
        ),
        synthetic=rests_on(found, setting, estimator_of(protocol.synthetic.kind, setting)),
    )


def comparison_test(
    protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed, *, sets: int = MOST_SETS
) -> tuple[Setting, SetsTest]:
    """The rows and donors of a design, and its test: what the calibration tables run through.

    Raises:
        CannotEstimate: Too few before periods or donors, or nothing recorded before.
    """
    if len(windowed.periods[0]) < FEWEST_BEFORE:
        raise CannotEstimate(
            f"{len(windowed.periods[0])} before periods are usable, and method 'synthetic' needs "
            f"{FEWEST_BEFORE} to weigh donors by; begin windows.before earlier"
        )
    setting = setting_of(protocol, panel, contrast, windowed, most_sets=sets)
    return setting, _test(setting, protocol.synthetic.kind, MOST_SETS)


def _test(setting: Setting, kind: Kind, most: int) -> SetsTest:
    return sets_test(
        setting.counts,
        fewer(setting.sets, most).members,
        estimator_of(kind, setting),
        keep_apart=kind == "sdid",
    )


def estimator_of(kind: Kind, setting: Setting) -> Estimator:
    """The estimator of a kind of mixture, told how many units are treated where it asks."""
    if kind == "sdid":
        return partial(sdid, treated_units=setting.counts.units)
    return augmented if kind == "augmented" else simplex


def as_estimate(protocol: Protocol, found: SetsTest, setting: Setting, kind: Kind | None = None) -> Estimate:
    """The Estimate behind a test: log ratio, interval by inversion, the smallest p-value it could give."""
    kind = kind or protocol.synthetic.kind
    ratio = found.fit.ratio
    recorded = float(setting.counts.after[setting.counts.treated].sum())
    made = Estimate(
        measure=MEASURES[kind],
        confidence=protocol.confidence,
        inference=f"rank among synthetic comparisons of {setting.sets.how}",
        recorded=recorded,
        expected=recorded / ratio if ratio else None,
    )
    floor = max(setting.sets.smallest_p, found.test.smallest_p)
    made = replace(made, p_value=max(found.p_value(1.0), floor), smallest_p=floor)
    if ratio is None:
        return replace(made, why_missing="the mixture expects nothing in the after window")
    if ratio == 0:
        return replace(
            made, why_missing="nothing was recorded in the treated areas in the after window, so no ratio is"
        )
    value = math.log(ratio)
    made = replace(made, value=value)
    if floor > 1 - protocol.confidence + 1e-12:
        why = (
            f"with this many units the smallest attainable p-value is {floor:.2g}, "
            f"so no {100 * protocol.confidence:g} % interval exists"
        )
        return replace(made, why_missing=why)
    ends = invert(lambda log_ratio: found.p_value(math.exp(log_ratio)), value, 1 - protocol.confidence)
    open_on = [end for end, at in (("below", ends.low), ("above", ends.high)) if at is None]
    bounds = f"the data do not bound the effect from {' or '.join(open_on)}" if open_on else None
    return replace(
        made,
        low=ends.low,
        high=ends.high,
        p_value=max(ends.no_effect, floor),
        quantiles=ends.quantiles,
        why_missing=bounds,
    )


def _other_kinds(protocol: Protocol, setting: Setting, registered: Estimate) -> Iterator[Estimate]:
    """The effect with the two kinds of mixture that were not registered."""
    for kind, measure in MEASURES.items():
        if kind == protocol.synthetic.kind:
            continue
        try:
            found = as_estimate(protocol, _test(setting, kind, BESIDE), setting, kind)
        except CannotEstimate as problem:
            found = Estimate(
                measure=measure,
                confidence=protocol.confidence,
                inference="none",
                recorded=registered.recorded,
                why_missing="; ".join(problem.problems),
            )
        yield replace(found, label=measure, choice="estimator")


def _ratio_of_ratios(protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed) -> Estimate:
    """The effect against all comparison areas, each counted as it is."""
    found = relative_effect.from_panel(protocol, panel, contrast, windowed, draws=MOST_SETS).estimate
    return replace(found, label="ratio of ratios, every donor as it is", choice="estimator")


def against(protocol: Protocol, panel: Panel, contrast: Contrast, windowed: Windowed) -> Estimate:
    """The estimate against another comparison set, for the alternatives.

    Against areas matched on level, which are too few to mix, it is the ratio of ratios.
    """
    if contrast.weights is not None:
        return relative_effect.from_panel(protocol, panel, contrast, windowed, draws=BESIDE).estimate
    setting, found = comparison_test(_any_donor(protocol), panel, contrast, windowed, sets=BESIDE)
    return as_estimate(protocol, found, setting)


def _any_donor(protocol: Protocol) -> Protocol:
    """The same design with every area of another comparison a donor."""
    keys = protocol.synthetic.model_copy(update={"donors": None})
    return protocol.model_copy(update={"synthetic": keys})
