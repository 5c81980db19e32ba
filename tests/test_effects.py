"""Effect measures where they end: zeros, slips, signs, impossible numbers, offences without a weight."""

from __future__ import annotations

from typing import Any

import pytest

from whatworks_eval.effects.harm import (
    OffenceCounts,
    harm_ratio,
    harm_scheme,
    harm_wdd,
    weights_of,
)
from whatworks_eval.effects.odds_ratio import farrington_welsh, odds_ratio
from whatworks_eval.effects.poisson_means import poisson_means
from whatworks_eval.effects.scaled_wdd import in_incidents, scaled_wdd
from whatworks_eval.effects.wdd import Weights, wdd, why_impossible
from whatworks_eval.effects.wdq import gross_effect, net_effect, reading, total_net_effect, wdq
from whatworks_eval.errors import DataError
from whatworks_eval.methods.relative_effect import poisson_estimate

BOTH: dict[str, Any] = {"treated": (100, 50), "comparison": (100, 100)}


def test_nothing_recorded_is_undefined() -> None:
    """A1.14: all zeros is undefined with a reason: not zero with an interval of no width, not a crash."""
    nothing: dict[str, Any] = {"treated": (0, 0), "comparison": (0, 0)}
    for found in (wdd(**nothing), wdd(**nothing, buffer=(3, 4)), scaled_wdd(**nothing)):
        assert found.value is None
        assert (found.low, found.high, found.p_value) == (None, None, None)
        assert found.why_missing


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"treated": (3, -2)}, "treated, after: -2 is below zero"),
        ({"treated": (3.5, 2)}, "treated, before: 3.5 is not a whole number"),
        ({"comparison": (float("nan"), 2)}, "comparison, before: nan is not a finite number"),
        ({"comparison": (1, float("inf"))}, "comparison, after: inf is not a finite number"),
        ({"dispersion": 0}, "dispersion"),
        ({"confidence": 95}, "confidence"),
    ],
)
@pytest.mark.parametrize("measure", [wdd, scaled_wdd, farrington_welsh, net_effect])
def test_what_is_no_count_is_refused(measure: Any, wrong: dict[str, Any], said: str) -> None:
    """Negative, fractional and non-finite counts are refused, with the arm and the window."""
    with pytest.raises(DataError, match=said):
        measure(**(BOTH | wrong))


def test_every_problem_is_told_at_once() -> None:
    """Two slips are two sentences."""
    with pytest.raises(DataError) as refused:
        wdd(treated=(-1, 2.5), comparison=(3, 4))
    assert len(refused.value.problems) == 2


def test_weights_must_be_above_zero() -> None:
    """A weight of nought would divide by it."""
    with pytest.raises(DataError, match="weight 'treated' is 0"):
        wdd(**BOTH, weights=Weights(treated=0))


def test_a_buffer_comparison_needs_a_buffer() -> None:
    """There is nothing to compare it with."""
    with pytest.raises(DataError, match="no buffer"):
        wdd(**BOTH, buffer_comparison=(3, 4))
    with pytest.raises(DataError, match="no buffer"):
        wdd(**BOTH, part="displacement")


def test_a_comparison_that_serves_twice_counts_twice_in_the_error() -> None:
    """Without its own comparison the buffer shares that of the treated areas, whose variance is fourfold."""
    found = wdd(**BOTH, buffer=(40, 50))
    assert found.value == -40
    assert found.se == pytest.approx((150 + 90 + 4 * 200) ** 0.5)


def test_dispersion_widens_by_its_root() -> None:
    """Four times the variance is twice the width, for every measure."""
    for measure, counts in (
        (wdd, BOTH),
        (scaled_wdd, BOTH),
        (farrington_welsh, BOTH),
        (net_effect, BOTH),
        (total_net_effect, BOTH | {"buffer": (40, 30)}),
        (gross_effect, {"treated": (100, 50)}),
    ):
        one, four = (measure(**counts, dispersion=phi) for phi in (1.0, 4.0))
        assert four.se == pytest.approx(2 * one.se)
        assert four.value == one.value


def test_the_odds_ratio_is_labelled_as_the_inverse() -> None:
    """Half the expected count is an odds ratio of 2, and says that above 1 is good; the sign stays ours."""
    found = farrington_welsh(**BOTH)
    assert odds_ratio(found).value == pytest.approx(2)
    assert found.value is not None
    assert found.value < 0
    assert "inverse" in found.label
    assert "above 1 is good" in found.label
    assert farrington_welsh(treated=(5, 0), comparison=(4, 4)).why_missing == (
        "no incident was recorded (treated after), so the odds ratio is not defined"
    )


def test_incidents_of_a_ratio_hold_zero_where_the_ratio_does() -> None:
    """The scaled difference of a ratio is below zero exactly where the whole ratio is."""
    for four in ((100, 50, 100, 100), (100, 95, 100, 100), (20, 30, 30, 30)):
        ratio = poisson_estimate(four, 0.95)
        assert in_incidents(ratio).excludes_zero == ratio.excludes_zero
        assert in_incidents(ratio).value == pytest.approx(four[1] - four[0] * four[3] / four[2])


@pytest.mark.parametrize(
    ("treated", "buffer"), [((100, 150), (100, 50)), ((100, 150), (100, 120)), ((100, 100), (100, 50))]
)
def test_no_quotient_where_the_treated_did_no_better(
    treated: tuple[float, float], buffer: tuple[float, float]
) -> None:
    """C7: a rise in the treated areas is never read as displacement or spread, whatever the quotient."""
    found = wdq(treated=treated, comparison=(100, 100), buffer=buffer)
    assert found.value is None
    assert "did not do better" in reading(found)
    assert not reading(found).startswith(("displacement", "spread"))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (14_000, "displacement, smaller than the direct effect"),
        (16_000, "displacement as large as the direct effect or larger"),
        (7_500, "spread of benefit, smaller than the direct effect"),
        (3_000, "spread of benefit, larger than the direct effect"),
        (10_050, "neither displacement nor spread of benefit can be told: the interval holds zero"),
    ],
)
def test_reading_of_a_quotient(after: float, said: str) -> None:
    """The bands of the POP Center's appendix, and no band where the interval holds zero."""
    found = wdq(treated=(10_000, 5_000), comparison=(10_000, 10_000), buffer=(10_000, after))
    assert reading(found) == said


def test_a_quotient_of_noise_has_no_interval() -> None:
    """Where the direct effect itself may be nothing, the quotient may be anything."""
    found = wdq(treated=(10, 9), comparison=(20, 20), buffer=(8, 8))
    assert found.value is not None
    assert (found.low, found.high) == (None, None)
    assert "cannot be told from zero" in str(found.why_missing)


def test_the_interval_of_a_quotient_covers() -> None:
    """Fieller's interval holds the true quotient in 95 % of draws."""
    import numpy as np

    rng = np.random.default_rng(7)
    draws = rng.poisson([800, 320, 1600, 1600, 600, 660], size=(1500, 6))
    truth = (660 - 600) / (320 - 800)
    held = 0
    for t0, t1, c0, c1, b0, b1 in draws.tolist():
        found = wdq(treated=(t0, t1), comparison=(c0, c1), buffer=(b0, b1))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    assert 0.935 <= held / 1500 <= 0.965


def test_what_cannot_be_an_effect_is_refused() -> None:
    """More prevented than expected, or fewer than no incident expected; nothing else."""
    assert "85 incidents prevented where 70 were expected" in str(why_impossible(-85, 70, 130))
    assert "fewer than none" in str(why_impossible(180, 50, -100))
    assert why_impossible(-60, 70, 130) is None
    assert why_impossible(None, 70, 130) is None


def test_shipped_weights_of_harm() -> None:
    """Both schemes by category and the ONS one by code; the vintage is in the name, the caveat beside."""
    cambridge, ons = harm_scheme("CCHI 2026"), harm_scheme("ONS CSS 2019")
    assert (len(cambridge.weights), cambridge.unit) == (13, "days")
    assert (len(ons.weights), ons.unit) == (5, "severity score")
    assert "not the index itself" in cambridge.caveat
    codes = harm_scheme("ONS CSS 2019", "HO offence code")
    assert codes.weights["28E"] == pytest.approx(465.381473)
    assert codes.caveat == ""
    assert "30A" not in codes.weights  # a notebook gives it the weight of a dwelling
    with pytest.raises(DataError, match="no weights by HO offence code"):
        harm_scheme("CCHI 2026", "HO offence code")


def test_an_offence_without_a_weight_is_refused_by_name() -> None:
    """Anti-social behaviour is never weighted; a category the scheme lacks is not given a neighbour's."""
    with pytest.raises(DataError) as refused:
        weights_of(["Burglary", "Anti-social behaviour", "Vehicle crime"], harm_scheme("ONS CSS 2019"))
    assert "'Anti-social behaviour' is not an offence" in refused.value.problems[0]
    assert "'Vehicle crime' has no weight" in refused.value.problems[1]
    asb = {"Anti-social behaviour": OffenceCounts(treated=(5, 4), comparison=(5, 4))}
    with pytest.raises(DataError, match="not an offence"):
        harm_wdd(asb, {"Anti-social behaviour": 1})
    with pytest.raises(DataError, match="has counts and no weight"):
        harm_wdd({"theft": asb["Anti-social behaviour"]}, {})


def test_harm_knows_that_grave_offences_make_noise() -> None:
    """A few grave offences widen the interval far beyond that of the counts."""
    counts = {
        "theft": OffenceCounts(treated=(400, 300), comparison=(400, 390)),
        "robbery": OffenceCounts(treated=(10, 9), comparison=(10, 11)),
    }
    even = harm_ratio(counts, {"theft": 1, "robbery": 1})
    grave = harm_ratio(counts, {"theft": 1, "robbery": 365})
    assert even.se is not None
    assert grave.se is not None
    assert grave.se > 3 * even.se
    assert harm_wdd(counts, {"theft": 1, "robbery": 1}).value == -92


def test_poisson_means_refuses_what_it_cannot_test() -> None:
    """No counts at all have no p-value; a fraction, or an exposure of nought, is refused."""
    assert poisson_means(0, 0).p_value is None
    with pytest.raises(DataError) as refused:
        poisson_means(2.5, -1, exposures=(0, 1), difference=-1)
    assert len(refused.value.problems) == 4
