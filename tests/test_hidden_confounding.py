"""Hidden confounding: published digits, small cases by hand, and one plain sentence each."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from whatworks_eval.errors import CannotEstimate, DataError
from whatworks_eval.measures import hidden_confounding
from whatworks_eval.measures.hidden_confounding import (
    Test,
    adjusted_for,
    e_value,
    largest_p,
    robustness_value,
    rosenbaum_bounds,
)

TESTS: tuple[Test, ...] = ("signed-rank", "sign")
FORBIDDEN = ("prove", "significant", "no effect", "control group")


def test_robustness_value_of_darfur() -> None:
    """D3 to 1e-9 from the printed estimate, error and degrees of freedom (ten digits)."""
    found = robustness_value(0.0973158193 / 0.0232565378, 783)
    assert found.partial_r2 == pytest.approx(0.0218730933, abs=1e-9)
    assert found.estimate == pytest.approx(0.1387763539, abs=1e-9)
    assert found.interval == pytest.approx(0.0762579655, abs=1e-9)
    assert "13.9 %" in found.sentence
    assert "7.6 %" in found.sentence


@pytest.mark.parametrize(
    ("r2_treatment", "r2_outcome", "value", "t_value"),
    [
        (0.0091642867, 0.1246409230, 0.0752202712, 3.4389039),
        (0.0183285734, 0.2493240642, 0.0529151724, 2.6002462),
        (0.0274928600, 0.3740504710, 0.0303960235, 1.6280620),
    ],
)
def test_adjusted_estimates_of_darfur(
    r2_treatment: float, r2_outcome: float, value: float, t_value: float
) -> None:
    """D3: once, twice and three times as strong as being female; estimates to 1e-8, t to 1e-6."""
    found = adjusted_for(0.0973158193, 0.0232565378, 783, r2_treatment=r2_treatment, r2_outcome=r2_outcome)
    assert found[0] == pytest.approx(value, abs=1e-8)
    assert found[1] == pytest.approx(t_value, abs=1e-6)


def test_robustness_value_is_what_it_says() -> None:
    """Something of that strength on both sides brings the estimate to zero, whichever its sign."""
    for t_value in (4.2, -4.2, 60.0):
        share = robustness_value(t_value, 100).estimate
        moved, _ = adjusted_for(t_value * 0.1, 0.1, 100, r2_treatment=share, r2_outcome=share)
        assert moved == pytest.approx(0.0, abs=1e-9)
    weak = robustness_value(1.0, 100)
    assert weak.interval == 0.0
    assert "zero is in its interval already" in weak.sentence


def test_robustness_value_where_the_outcome_alone_decides() -> None:
    """With t above √df (df − 1) / t*, the share is (f² − f*²) / (1 + f²): 5 degrees of freedom, t = 8."""
    # t* on 4 degrees of freedom = 2.776445; f* = 1.388223; f = 8 / √5 = 3.577709 > 1 / f*
    assert robustness_value(8.0, 5).interval == pytest.approx((12.8 - 1.388223**2) / 13.8, abs=1e-6)


@pytest.mark.parametrize(
    ("ratio", "expected"), [(3.9, 7.263034), (1.8, 3.0), (0.6545455, 2.425735), (0.8, 1.809017)]
)
def test_e_values(ratio: float, expected: float) -> None:
    """D4 to six digits; a ratio and its inverse have one E-value."""
    assert e_value(ratio).estimate == pytest.approx(expected, abs=2e-6)
    assert e_value(1 / ratio).estimate == pytest.approx(expected, abs=2e-6)


def test_e_value_of_the_interval() -> None:
    """The end nearer to 1 is used; an interval that holds 1 needs nothing hidden."""
    assert e_value(3.9, 1.8, 8.7).limit == pytest.approx(3.0, abs=1e-9)
    assert e_value(0.5, 0.3, 0.8).limit == pytest.approx(1.809017, abs=1e-6)
    assert e_value(0.5, 0.3, 1.1).limit == 1.0
    assert "nothing hidden is needed" in e_value(1.4, 0.9, 2.0).sentence
    with pytest.raises(DataError, match="does not hold"):
        e_value(0.5, 0.6, 0.8)
    with pytest.raises(DataError, match="above 0"):
        e_value(0.0)


LEAD = (  # blood lead of 33 children of lead workers and of their matches (Morton et al. 1982), µg/dl
    (38, 23, 41, 18, 37, 36, 23, 62, 31, 34, 24, 14, 21, 17, 16, 20, 15, 10, 45, 39, 22, 35, 49, 48, 44, 35,
     43, 39, 34, 13, 73, 25, 27),
    (16, 18, 18, 24, 19, 11, 10, 15, 16, 18, 18, 13, 19, 10, 16, 16, 24, 13, 9, 14, 21, 19, 7, 18, 19, 12,
     11, 22, 25, 16, 13, 11, 13),
)  # fmt: skip


@pytest.mark.parametrize(
    ("gamma", "expected"), [(2.0, 0.0018), (3.0, 0.0136), (4.0, 0.0388), (4.25, 0.0468), (5.0, 0.0740)]
)
def test_signed_rank_bounds_of_the_lead_study(
    gamma: float, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rosenbaum's printed table for the lead study, to its four digits, by its normal approximation.

    The exact p-values are smaller: the sum leans towards small values when the chance of each pair is high.
    """
    differences = np.subtract(*np.array(LEAD, dtype=float))
    assert 0.1 * expected < largest_p(differences, gamma) < expected
    monkeypatch.setattr(hidden_confounding, "EXACT_UP_TO", 0)
    assert largest_p(differences, gamma) == pytest.approx(expected, abs=5.1e-5)


def test_bounds_by_counting_every_sign() -> None:
    """Six pairs with ties and a zero: the exact p is the weight of the sign patterns at least as large."""
    differences = np.array([2.0, 2.0, -1.0, 3.0, 5.0, 0.0, 4.0])
    ranks = np.array([3.5, 3.5, 2.0, 5.0, 7.0, 6.0])  # the zero has rank 1
    for gamma in (1.0, 1.7, 3.0):
        chance = gamma / (1 + gamma)
        total = sum(
            np.prod([chance if up else 1 - chance for up in signs])
            for signs in itertools.product((0, 1), repeat=6)
            if float(np.dot(signs, ranks)) >= 25.0
        )
        assert largest_p(differences, gamma) == pytest.approx(total, abs=1e-12)
    assert rosenbaum_bounds(differences).zeros == 1


def test_gamma_is_where_p_passes() -> None:
    """At the gamma found the two-sided p is alpha; the side of the result does not matter."""
    rng = np.random.default_rng(1)
    for size in (40, 400):  # exact, and the normal approximation
        differences = rng.normal(-0.5, 1.0, size)
        for test in TESTS:
            found = rosenbaum_bounds(differences, test=test)
            assert found.gamma is not None
            at = 2 * largest_p(differences, found.gamma, test=test)
            assert at == pytest.approx(0.05, abs=1e-6)
            assert rosenbaum_bounds(-differences, test=test).gamma == found.gamma


def test_bounds_hold_their_error_under_the_bias_they_allow() -> None:
    """1,000 draws of 40 pairs without an effect, odds 2 to 1 of favouring the treated: p is honest.

    At most 5 % of draws fall below 0.05, and not far fewer: 3 to 7 %, four binomial errors being 2.8 points.
    """
    rng = np.random.default_rng(7)
    sizes = np.abs(rng.normal(size=(1_000, 40)))
    signs = np.where(rng.random((1_000, 40)) < 2 / 3, 1.0, -1.0)
    draws = sizes * signs
    assert 0.03 <= np.mean([largest_p(one, 2.0) <= 0.05 for one in draws]) <= 0.07
    assert np.mean([largest_p(one, 1.0) <= 0.05 for one in draws[:200]]) > 0.3


def test_gamma_beyond_what_is_looked_at() -> None:
    """4,000 pairs that all rise: more than 1,000 to 1, and the sentence says 'more than'."""
    found = rosenbaum_bounds(np.linspace(1, 2, 4_000), test="sign")
    assert found.gamma == hidden_confounding.LARGEST_GAMMA
    assert "more than 1,000 times" in found.sentence


def test_nothing_to_explain_away() -> None:
    """Where chance will do, gamma is None, and the sentence says so; without differences nothing is."""
    assert rosenbaum_bounds(np.array([1.0, -2.0, 3.0])).gamma is None
    with pytest.raises(CannotEstimate, match="no pair shows a difference"):
        rosenbaum_bounds(np.zeros(4))
    with pytest.raises(DataError, match="not a number"):
        largest_p(np.array([1.0, np.nan]), 2.0)
    with pytest.raises(DataError, match="1 or more"):
        largest_p(np.array([1.0]), 0.5)


def test_sentences_are_one_and_plain() -> None:
    """One sentence each, none with a word the project does not use."""
    said = [
        rosenbaum_bounds(np.arange(1.0, 20.0)).sentence,
        rosenbaum_bounds(np.array([1.0, -1.0])).sentence,
        e_value(0.7, 0.6, 0.9).sentence,
        e_value(0.7).sentence,
        robustness_value(3.0, 90).sentence,
    ]
    for sentence in said:
        assert sentence.endswith(".")
        assert sentence.count(". ") == 0
        assert not any(word in sentence.lower() for word in FORBIDDEN)
