"""What must not change a match: the order of areas, the units of features, areas that cannot be chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from whatworks_eval.matching.match import Match, match

NAMES = ["level", "imd"]
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"per_treated": 3, "distance": "robust"},
    {"replacement": False, "per_treated": 2},
    {"replacement": False, "caliper": 0.4},
    {"algorithm": "optimal"},
    {"algorithm": "optimal", "per_treated": 2, "caliper": 0.8, "distance": "robust"},
    {"algorithm": "cardinality", "tolerance": 0.3},
    {"algorithm": "entropy"},
    {"algorithm": "strata"},
    {"distance": "propensity"},
)


def areas_of(seed: int, *, ties: bool) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str]]:
    """Features, arms and districts of 60 areas; with ties, small whole numbers so that many are identical."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 1.5, (60, 2))
    if ties:
        features = np.round(features)
    treated = np.zeros(60, dtype=bool)
    treated[rng.choice(60, 12, replace=False)] = True
    return features, treated, rng.choice(["north", "south"], 60).tolist()


def as_table(found: Match, names: NDArray[np.intp]) -> dict[tuple[int, int], float]:
    """Shares by the names of treated and comparison area."""
    return {
        (int(names[one]), int(names[other])): float(share)
        for (one, other), share in zip(found.pairs, found.shares, strict=True)
    }


@pytest.mark.parametrize("way", WAYS, ids=str)
@given(seed=st.integers(0, 10_000), ties=st.booleans(), exact=st.booleans())
@QUICK
def test_order_and_names_change_nothing(way: dict[str, Any], seed: int, ties: bool, exact: bool) -> None:
    """Rows in another order give the same pairs, shares, weights and reasons, to the last bit."""
    features, treated, districts = areas_of(seed, ties=ties)
    order = np.random.default_rng(seed + 1).permutation(60)
    labels = districts if exact else None
    moved = [districts[at] for at in order] if exact else None
    plain, other = (
        outcome(features, treated, labels, way),
        outcome(features[order], treated[order], moved, way),
    )
    if isinstance(plain, str) or isinstance(other, str):
        assert plain == other
        return
    assert as_table(plain, np.arange(60)) == as_table(other, order)
    assert plain.weights[order].tolist() == other.weights.tolist()
    assert plain.unmatched == {int(order[at]): why for at, why in other.unmatched.items()}
    assert (plain.note, plain.proven) == (other.note, other.proven)


def outcome(
    features: NDArray[np.float64], treated: NDArray[np.bool_], labels: list[str] | None, way: dict[str, Any]
) -> Match | str:
    """The match, or what is said instead of one."""
    from whatworks_eval.errors import WhatWorksError

    try:
        return match(features, treated, names=NAMES, exact=labels, **way)
    except WhatWorksError as error:
        return str(error)


@pytest.mark.parametrize("way", [*WAYS[:3], WAYS[4], *WAYS[6:9]], ids=str)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
@QUICK
def test_units_change_nothing(way: dict[str, Any], seed: int, scale: float, shift: float) -> None:
    """A feature in another unit gives the same pairs and, to 1e-6, the same weights."""
    features, treated, _ = areas_of(seed, ties=False)
    plain = outcome(features, treated, None, way)
    other = outcome(features * [scale, 1.0] + [shift, 0.0], treated, None, way)
    if isinstance(plain, str) or isinstance(other, str):
        assert isinstance(plain, str) == isinstance(other, str)
        return
    if way.get("algorithm") == "cardinality":  # several largest sets may be as large
        assert len(plain.matched) == len(other.matched)
        return
    assert plain.pairs.tolist() == other.pairs.tolist()
    assert plain.weights == pytest.approx(other.weights, abs=1e-6)


@pytest.mark.parametrize("way", WAYS, ids=str)
@given(seed=st.integers(0, 10_000), ties=st.booleans())
@QUICK
def test_books_balance(way: dict[str, Any], seed: int, ties: bool) -> None:
    """Shares of each treated area add up to 1, weights to the areas matched, none above 1 if used once."""
    features, treated, _ = areas_of(seed, ties=ties)
    found = outcome(features, treated, None, way)
    if isinstance(found, str):
        return
    assert found.weights.sum() == pytest.approx(len(found.matched), abs=1e-8)
    assert not (found.weights[treated] > 0).any()
    assert sorted([*found.matched.tolist(), *found.unmatched]) == np.flatnonzero(treated).tolist()
    if len(found.pairs):
        sums = np.bincount(found.pairs[:, 0], weights=found.shares, minlength=60)
        assert sums[found.matched] == pytest.approx(np.ones(len(found.matched)), abs=1e-9)
    if not found.replacement:
        assert found.weights.max() <= 1 + 1e-9


@given(seed=st.integers(0, 10_000))
@QUICK
def test_unknown_areas_change_nothing(seed: int) -> None:
    """Areas whose features are not known are listed, and the rest are matched as if they were not there."""
    features, treated, _ = areas_of(seed, ties=False)
    plain = match(features, treated, names=NAMES, per_treated=2)
    wider = np.vstack([features, [[np.nan, 1.0], [1.0, np.nan]]])
    other = match(wider, np.append(treated, [True, False]), names=NAMES, per_treated=2)
    assert other.pairs.tolist() == plain.pairs.tolist()
    assert other.unmatched == {60: "level not known"}
    assert other.not_usable == {61: "IMD not known"}
