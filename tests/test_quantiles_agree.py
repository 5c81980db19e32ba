"""Quantiles, interval and p-value of one estimate say the same: economics draws from the first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matched_designs import made
from test_survey import many, relabelled

from whatworks_eval.evaluation import evaluate
from whatworks_eval.inference.inversion import invert
from whatworks_eval.methods.result import half_width
from whatworks_eval.protocol import load_protocol
from whatworks_eval.sources import load_data


@pytest.mark.parametrize(("alpha", "least", "most"), [(0.05, 4, 194), (0.1, 9, 189)])
def test_ends_are_quantiles_where_few_places_make_the_p_value_a_step(
    alpha: float, least: int, most: int
) -> None:
    """A step function with long treads, one of them at alpha itself, lopsided about its centre."""

    def p_value(effect: float) -> float:
        far = abs(effect) * (1.0 if effect > 0 else 0.45)
        return max(round(20 * (1 - far)), 1) / 20 if far < 3 else 0.01

    found = invert(p_value, 0.1, alpha)
    assert found.low is not None
    assert found.high is not None
    assert found.quantiles[least] == found.low
    assert found.quantiles[most] == found.high
    assert list(found.quantiles) == sorted(found.quantiles)


def test_quantiles_beyond_an_end_lie_beyond_it() -> None:
    """A p-value with a dip inside the interval: no quantile of the middle 95 % is outside it."""

    def p_value(effect: float) -> float:
        return 0.02 if 0.2 < abs(effect) < 0.25 else max(0.0, 1 - abs(effect))

    found = invert(p_value, 0.0, 0.05)
    held = np.array(found.quantiles)
    assert (held[:4] <= found.low).all()
    assert (held[4:195] >= found.low).all()
    assert (held[4:195] <= found.high).all()
    assert (held[195:] >= found.high).all()


def test_a_lopsided_survey_interval_has_lopsided_quantiles() -> None:
    """The 2.5 % and 97.5 % quantiles are the ends, not their mirror images about the value."""
    estimate = relabelled(many(3, effect=0.1)).estimate
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.value is not None
    assert abs((estimate.high - estimate.value) - (estimate.value - estimate.low)) > 0.01
    assert (estimate.quantiles[4], estimate.quantiles[194]) == pytest.approx((estimate.low, estimate.high))


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("many_sets", [20, 21, 39, 60, 199])
def test_an_effect_is_beyond_the_width_exactly_where_its_rank_is_rare(exact: bool, many_sets: int) -> None:
    """Level and slope change: outside the spread of placebo series where the rank is at most 5 %."""
    sizes = np.random.default_rng(many_sets).gamma(2.0, size=many_sets)
    half = half_width(sizes, 0.05, exact=exact)
    for place in range(many_sets):
        value = float(np.sort(sizes)[place]) if exact else float(np.sort(sizes)[place]) + 1e-9
        as_far = int((sizes >= value).sum())
        rank = as_far / many_sets if exact else (1 + as_far) / (1 + many_sets)
        assert (value > half) == (rank <= 0.05 + 1e-12)


def test_expected_belongs_to_the_value_where_adjoining_matches_are_left_out(tmp_path: Path) -> None:
    """A matched comparison less its adjoining areas: recorded over expected is the ratio that is shown."""
    from dataclasses import replace

    path = made(tmp_path, matching={"per_treated": 3})
    protocol = load_protocol(path)
    panel = load_data(protocol)
    side = 9
    at = np.arange(len(panel.areas))
    placed = replace(panel, centroids=np.column_stack([at % side, at // side]) * 500.0)
    shown = [
        one
        for one in evaluate(protocol, placed).alternatives
        if one.label == "as registered, less adjoining areas"
    ]
    assert len(shown) == 1
    assert shown[0].value is not None
    assert shown[0].recorded is not None
    assert shown[0].expected == pytest.approx(shown[0].recorded / np.exp(shown[0].value), rel=1e-9)
