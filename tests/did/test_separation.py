"""What recorded nothing, and the one end that can still be given: by hand, by SciPy, by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from whatworks_eval.did.separation import find_separation, one_sided_bound, separated_cells
from whatworks_eval.errors import DataError


def test_silent_areas_are_listed_by_arm() -> None:
    """All-zero areas, areas that stopped and an all-zero period are told apart, each by its place."""
    counts = np.array([[3.0, 0, 0, 0], [0, 0, 0, 0], [2, 1, 0, 4], [0, 0, 0, 0], [5, 1, 0, 0], [1, 1, 0, 1]])
    found = find_separation(counts, np.arange(6) < 3, np.arange(4) >= 2)
    assert found.silent_treated.tolist() == [1]
    assert found.silent_comparison.tolist() == [3]
    assert found.stopped_treated.tolist() == [0]
    assert found.stopped_comparison.tolist() == [4]
    assert found.silent_periods.tolist() == [2]
    assert found.empty_cells == ()
    assert "1 of 3 treated areas recorded nothing" in found.reasons[0]
    assert "the estimate is for the areas that recorded something" in found.reasons[0]


def test_nothing_silent_gives_no_reasons() -> None:
    """A panel with counts everywhere has nothing to say."""
    assert find_separation(np.ones((4, 4)), np.arange(4) < 2, np.arange(4) >= 2).reasons == ()


def test_the_bound_is_where_fishers_test_turns() -> None:
    """At the upper end the noncentral hypergeometric chance of nothing is 5 %, by SciPy's distribution."""
    from scipy.stats import nchypergeom_fisher

    bound = one_sided_bound((12.0, 0.0, 30.0, 25.0))
    assert bound.side == "at most"
    ratio = math.exp(bound.log_ratio or 0.0)
    assert nchypergeom_fisher(12 + 30 + 25, 12, 25, ratio).pmf(0) == pytest.approx(0.05, abs=1e-9)


def test_the_rule_of_three() -> None:
    """With large counts the end is -ln 0.05 over the expected count (hand-worked; to 1 in 1,000)."""
    bound = one_sided_bound((1e5, 0.0, 1e9, 1e5))  # expected: 10
    assert math.exp(bound.log_ratio or 0.0) == pytest.approx(-math.log(0.05) / 10, rel=1e-3)


@pytest.mark.parametrize(
    ("empty", "side"), [(0, "at least"), (1, "at most"), (2, "at most"), (3, "at least")]
)
def test_each_empty_cell_has_its_end(empty: int, side: str) -> None:
    """The mirror cases are the same table turned: the end changes its sign with the windows, not its size."""
    sums = [20.0, 20.0, 20.0, 20.0]
    sums[empty] = 0.0
    bound = one_sided_bound((sums[0], sums[1], sums[2], sums[3]))
    first = one_sided_bound((20.0, 0.0, 20.0, 20.0))
    assert bound.side == side
    assert abs(bound.log_ratio or 0.0) == pytest.approx(abs(first.log_ratio or 0.0), abs=1e-9)
    assert ((bound.log_ratio or 0.0) < 0) == (side == "at most")


@settings(max_examples=40, deadline=None)
@given(
    before=st.integers(1, 400),
    other_before=st.integers(1, 400),
    other_after=st.integers(1, 400),
    phi=st.floats(1.0, 5.0),
)
@example(before=5, other_before=1, other_after=5, phi=1.25)  # the cell across was rounded down once
def test_dispersion_and_confidence_only_widen(
    before: int, other_before: int, other_after: int, phi: float
) -> None:
    """More dispersion or more confidence never lowers the upper end."""
    sums = (float(before), 0.0, float(other_before), float(other_after))
    plain = one_sided_bound(sums)
    assert plain.log_ratio is not None
    wider = one_sided_bound(sums, dispersion=phi)
    assert wider.log_ratio is None or wider.log_ratio >= plain.log_ratio - 1e-9
    surer = one_sided_bound(sums, confidence=0.99)
    assert surer.log_ratio is not None
    assert surer.log_ratio > plain.log_ratio


def test_the_upper_end_covers() -> None:
    """Whatever the ratio, an upper end below it comes up in at most 5 % of Poisson draws (2,000 a ratio)."""
    rng = np.random.default_rng(1)
    for ratio in (0.05, 0.1, 0.2, 0.4):
        drawn = rng.poisson([15.0, 15.0 * ratio, 40.0, 40.0], (2_000, 4)).astype(float)
        below = 0
        for row in drawn[(drawn[:, 1] == 0) & (drawn[:, [0, 2, 3]] > 0).all(axis=1)]:
            bound = one_sided_bound((row[0], 0.0, row[2], row[3]))
            below += (bound.log_ratio or 0.0) < math.log(ratio)
        assert below / 2_000 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2_000)


def test_nothing_can_be_said_has_a_reason() -> None:
    """Two empty cells, no empty cell, or too little after dispersion: None with a reason."""
    for sums, words in (
        ((0.0, 0.0, 5.0, 5.0), "more than one cell is empty"),
        ((5.0, 5.0, 5.0, 5.0), "no cell is empty"),
    ):
        found = one_sided_bound(sums)
        assert found.log_ratio is None
        assert words in str(found.why_missing)
    assert "dispersion of 8.00" in str(one_sided_bound((5.0, 0.0, 90.0, 90.0), dispersion=8.0).why_missing)
    with pytest.raises(DataError, match="four counts"):
        one_sided_bound((5.0, -1.0, 5.0, 5.0))


def test_separated_cells_are_those_the_covariate_sets_apart() -> None:
    """A covariate above zero only in zero cells separates those; an ordinary one separates nothing."""
    rng = np.random.default_rng(2)
    counts = 1.0 + rng.poisson(3.0, (12, 8))
    project = np.outer(np.arange(12) < 4, np.arange(8) >= 5) * 1.0
    counts[project == 1] = 0.0
    counts[7, 2] = counts[9, 6] = 0.0
    apart, by = separated_cells(counts, np.stack([rng.normal(size=(12, 8)), project]))
    assert (apart == (project == 1)).all()
    assert by.tolist() == [1]
    counts[0, 7] = 1.0
    apart, by = separated_cells(counts, project[None])
    assert not apart.any()
    assert by.tolist() == []
