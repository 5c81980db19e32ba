"""Numbers that others publish or that other tools give, to the digits given: reference/test_vectors.md A."""

from __future__ import annotations

import math
from typing import Any

import pytest

from whatworks_eval.effects.harm import OffenceCounts, harm_wdd
from whatworks_eval.effects.odds_ratio import farrington_welsh, odds_ratio
from whatworks_eval.effects.poisson_means import poisson_means
from whatworks_eval.effects.scaled_wdd import scaled_wdd
from whatworks_eval.effects.wdd import Weights, wdd
from whatworks_eval.effects.wdq import (
    buffer_measure,
    gross_effect,
    net_effect,
    success_measure,
    total_net_effect,
    wdq,
)
from whatworks_eval.effects.zero_cells import add_half
from whatworks_eval.methods.relative_effect import poisson_estimate

PAPER = {
    "comparison": (308, 318),
    "treated": (207, 110),
    "buffer_comparison": (150, 140),
    "buffer": (178, 157),
}
TWENTY = {"comparison": (20, 20), "treated": (20, 10)}
RINGS = {"buffer_comparison": (30, 30), "buffer": (30, 20)}
MIXED = {"comparison": (130, 150), "treated": (120, 100)}
LARGE = {
    "comparison": (400, 200),
    "treated": (200, 100),
    "buffer_comparison": (80, 40),
    "buffer": (40, 20),
}
SAMPLE = {
    "comparison": (245, 225),
    "treated": (250, 160),
    "buffer_comparison": (118, 120),
    "buffer": (120, 130),
}
SIZES = Weights(comparison=0.9, treated=1.2, buffer_comparison=1.6, buffer=1.5)
OTHERS = Weights(comparison=2, treated=1.5, buffer_comparison=3, buffer=3.2)
TWICE = Weights(before=2, after=1)
DOUBLED = Weights(comparison=2, treated=1, buffer_comparison=2, buffer=1)
EQUAL = Weights()

# counts, weights, confidence, value, se, low, high
DIFFERENCES: list[tuple[str, dict[str, Any], Weights, float, float, float, float, float]] = [
    ("A1.1", PAPER, EQUAL, 0.95, -118, 39.597979746, -195.610614, -40.389386),
    ("A1.2", TWENTY, EQUAL, 0.90, -10, 8.366600265, -23.761833, 3.761833),
    ("A1.3", TWENTY | RINGS, EQUAL, 0.90, -20, 13.416408, -42.068027, 2.068027),
    ("A1.4", TWENTY, TWICE, 0.90, -10, 6.324555, -20.402968, 0.402968),
    (
        "A1.5",
        {"comparison": (100, 50), "treated": (80, 20)},
        TWICE,
        0.95,
        -20,
        10.723805295,
        -41.018272,
        1.018272,
    ),
    ("A1.6", PAPER, SIZES, 0.95, -99.694444, 35.4280755, -169.1321965, -30.2566924),
    ("A1.7", TWENTY | RINGS, OTHERS, 0.90, -9.791667, 5.906167, -19.506447, -0.076886),
    ("A1.8", MIXED, EQUAL, 0.90, -40, 22.360680, -76.780045, -3.219955),
    (
        "A1.9",
        MIXED | {"buffer_comparison": (30, 25), "buffer": (40, 25)},
        EQUAL,
        0.90,
        -50,
        24.899799,
        -90.956525,
        -9.043475,
    ),
    (
        "A1.10",
        {"comparison": (200, 100), "treated": (100, 20)},
        TWICE,
        0.90,
        -30,
        13.964240,
        -52.969131,
        -7.030869,
    ),
    ("A1.11", LARGE, DOUBLED, 0.90, 0, 23.237900, -38.222944, 38.222944),
    (
        "A1.12",
        {"comparison": (0, 20), "treated": (0, 10)},
        EQUAL,
        0.90,
        -10,
        5.477226,
        -19.009234,
        -0.990766,
    ),
    ("A1.13", SAMPLE, EQUAL, 0.95, -62, 36.986484, -134.492177, 10.492177),
]


@pytest.mark.parametrize(
    ("counts", "weights", "confidence", "value", "se", "low", "high"),
    [pytest.param(*row[1:], id=row[0]) for row in DIFFERENCES],
)
def test_weighted_displacement_difference(
    counts: dict[str, Any],
    weights: Weights,
    confidence: float,
    value: float,
    se: float,
    low: float,
    high: float,
) -> None:
    """Totals, errors and intervals of A1, weights and displacement areas included."""
    found = wdd(**counts, weights=weights, confidence=confidence)
    assert found.value == pytest.approx(value, abs=1e-6)
    assert found.se == pytest.approx(se, abs=1e-6)
    assert found.low == pytest.approx(low, abs=1e-6)
    assert found.high == pytest.approx(high, abs=1e-6)


def test_parts_of_the_difference() -> None:
    """Local and displacement parts of A1.1, A1.6, A1.7 and A1.11, each with its own error; Z of A1.6."""
    assert (wdd(**PAPER, part="local").value, wdd(**PAPER, part="displacement").value) == (-107, -11)
    assert wdd(**PAPER, part="local").se == pytest.approx(30.708305066, abs=1e-9)
    assert wdd(**PAPER, part="displacement").se == pytest.approx(25)
    local, ring = (wdd(**PAPER, weights=SIZES, part=part) for part in ("local", "displacement"))
    assert (local.value, local.se) == pytest.approx((-91.944444, 31.511560), abs=1e-6)
    assert (ring.value, ring.se) == pytest.approx((-7.75, 16.191669), abs=1e-6)
    local, ring = (wdd(**(TWENTY | RINGS), weights=OTHERS, part=part) for part in ("local", "displacement"))
    assert (local.value, local.se) == pytest.approx((-6.666667, 4.830459), abs=1e-6)
    assert (ring.value, ring.se) == pytest.approx((-3.125, 3.398452), abs=1e-6)
    local, ring = (wdd(**LARGE, weights=DOUBLED, part=part) for part in ("local", "displacement"))
    assert (local.se, ring.se) == pytest.approx((21.213203, 9.486833), abs=1e-6)
    whole = wdd(**PAPER, weights=SIZES)
    assert whole.value is not None
    assert whole.se is not None
    assert whole.value / whole.se == pytest.approx(-2.813995483, abs=1e-9)


def test_one_tailed_p_of_a_sample() -> None:
    """A1.13 is quoted with a one-tailed p: half of ours, which is two-sided."""
    found = wdd(**SAMPLE)
    assert found.p_value == pytest.approx(2 * 0.046841, abs=2e-6)


def test_harm_weighted_difference() -> None:
    """A2: five offences, their own differences, the weighted sum, its error and its interval."""
    counts = {
        "vehicle": OffenceCounts(comparison=(133, 91), treated=(130, 74)),
        "theft": OffenceCounts(comparison=(388, 305), treated=(327, 202)),
        "burglary": OffenceCounts(comparison=(148, 97), treated=(398, 190)),
        "robbery": OffenceCounts(comparison=(86, 64), treated=(144, 92)),
        "assault": OffenceCounts(comparison=(94, 67), treated=(183, 96)),
    }
    own = {
        "vehicle": (-14, 20.688161),
        "theft": (-42, 34.957117),
        "burglary": (-157, 28.861739),
        "robbery": (-30, 19.646883),
        "assault": (-60, 20.976177),
    }
    for offence, (value, se) in own.items():
        found = wdd(treated=counts[offence].treated, comparison=counts[offence].comparison)
        assert (found.value, found.se) == pytest.approx((value, se), abs=1e-6)
    weights = dict(zip(counts, (3, 2, 5, 7, 10), strict=True))
    found = harm_wdd(counts, weights)
    assert found.value == -1721
    assert found.se == pytest.approx(304.10360077, abs=1e-8)
    assert (found.low, found.high) == pytest.approx((-2317.03210507, -1124.96789493), abs=1e-8)
    assert found.se is not None
    assert found.value / found.se == pytest.approx(-5.65925558, abs=1e-8)


@pytest.mark.parametrize(
    ("four", "log", "ratio", "se", "p_value", "ends", "wider"),
    [
        (
            (50, 30, 60, 55),
            -0.4238142,
            0.6545455,
            0.2969542,
            0.153521,
            (0.365740, 1.171407),
            (0.287390, 1.490760),
        ),
        (
            (207, 110, 308, 318),
            -0.6641900,
            0.5146902,
            0.1425245,
            3.2e-06,
            (0.389250, 0.680555),
            (0.346719, 0.764037),
        ),
        ((20, 10, 20, 20), -0.6931472, 0.5, 0.5, 0.165657, (0.187659, 1.332204), (0.125049, 1.999219)),
        (
            (120, 85, 118, 108),
            -0.2562871,
            0.7739198,
            0.1945042,
            0.187623,
            (0.528608, 1.133074),
            (0.451394, 1.326894),
        ),
        (
            (250, 160, 245, 225),
            -0.3611293,
            0.6968889,
            0.1370258,
            0.008402,
            (0.532754, 0.911591),
            (0.476666, 1.018856),
        ),
    ],
)
def test_ratio_of_ratios_and_its_inverse(
    four: tuple[float, float, float, float],
    log: float,
    ratio: float,
    se: float,
    p_value: float,
    ends: tuple[float, float],
    wider: tuple[float, float],
) -> None:
    """A3 under dispersion 1 and 2; the odds ratio is one over each of them."""
    found, doubled = poisson_estimate(four, 0.95), poisson_estimate(four, 0.95, 2.0)
    assert found.value == pytest.approx(log, abs=1e-7)
    assert found.ratio.value == pytest.approx(ratio, abs=1e-7)
    assert found.se == pytest.approx(se, abs=1e-7)
    assert found.p_value == pytest.approx(p_value, abs=1e-6, rel=0.02)
    assert (found.ratio.low, found.ratio.high) == pytest.approx(ends, abs=1e-6)
    assert (doubled.ratio.low, doubled.ratio.high) == pytest.approx(wider, abs=1e-6)
    inverse = farrington_welsh(treated=four[:2], comparison=four[2:])
    assert odds_ratio(inverse).value == pytest.approx(1 / ratio, rel=1e-6)
    assert (odds_ratio(inverse).low, odds_ratio(inverse).high) == pytest.approx(
        (1 / ends[1], 1 / ends[0]), rel=1e-5
    )
    assert inverse.p_value == pytest.approx(found.p_value)


@pytest.mark.parametrize(
    ("four", "expected", "prevented", "difference"),
    [
        ((50, 30, 60, 55), 45.8333, 15.8333, -15),
        ((120, 85, 118, 108), 109.8305, 24.8305, -25),
        ((250, 160, 245, 225), 229.5918, 69.5918, -70),
    ],
)
def test_expected_prevented_and_the_difference(
    four: tuple[float, float, float, float], expected: float, prevented: float, difference: float
) -> None:
    """A3: expected and prevented by equal relative change beside the difference by equal absolute change."""
    arms: dict[str, Any] = {"treated": four[:2], "comparison": four[2:]}
    found = scaled_wdd(**arms)
    assert found.expected == pytest.approx(expected, abs=1e-4)
    assert found.prevented.value == pytest.approx(prevented, abs=1e-4)
    assert wdd(**arms).value == difference


def test_a_half_added_to_a_table_with_a_zero() -> None:
    """A3: 0, 3, 10, 12 with 0.5 added to all four."""
    found = poisson_estimate(add_half((0, 3, 10, 12)), 0.95)
    assert found.value == pytest.approx(1.7715568, abs=1e-7)
    assert found.ratio.value == pytest.approx(5.88, abs=1e-9)
    assert found.se == pytest.approx(1.5687423, abs=1e-7)


def test_weighted_displacement_quotient() -> None:
    """A4 and B5: quotients with their success and buffer measures; gross, net and total net effect."""
    flat: dict[str, Any] = {"treated": (100, 50), "comparison": (100, 100)}
    assert wdq(**flat, buffer=(100, 150)).value == pytest.approx(-1)
    assert wdq(**flat, buffer=(100, 75)).value == pytest.approx(0.5)
    found = wdq(treated=(207, 110), comparison=(308, 318), buffer=(178, 157))
    assert found.value == pytest.approx(0.2581856883, abs=1e-9)
    assert success_measure((207, 110), (308, 318)) == pytest.approx(-0.3261659724, abs=1e-10)
    assert buffer_measure((178, 157), (308, 318)) == pytest.approx(-0.0842113861, abs=1e-10)
    three: dict[str, Any] = {"treated": (100, 70), "comparison": (200, 190), "buffer": (80, 70)}
    assert wdq(**three).value == pytest.approx(0.24)
    assert success_measure((100, 70), (200, 190)) == pytest.approx(-0.131579, abs=1e-6)
    assert buffer_measure((80, 70), (200, 190)) == pytest.approx(-0.031579, abs=1e-6)
    assert gross_effect(treated=(100, 70)).prevented.value == 30
    net = net_effect(treated=(100, 70), comparison=(200, 190))
    assert net.prevented.value == pytest.approx(0.131579, abs=1e-6)
    assert total_net_effect(**three).prevented.value == pytest.approx(31)


@pytest.mark.parametrize(
    ("first", "second", "exposures", "difference", "p_value"),
    [
        (3, 0, (1, 1), 0, 0.0883790095),
        (0, 3, (1, 1), 0, 0.0883790095),
        (6, 2, (1, 1), 0, 0.1748748209),
        (20, 10, (1, 1), 0, 0.0688317821),
        (10, 5, (1, 1), 0, 0.2061644141),
        (15, 5, (1, 1), 0, 0.0250351144),
        (100, 25, (10, 5), 0, 0.000574719),
        (15, 5, (1, 1), 5, 0.272678),
    ],
)
def test_poisson_means(
    first: float, second: float, exposures: tuple[float, float], difference: float, p_value: float
) -> None:
    """A5 and B5: Krishnamoorthy and Thomson's own test, unequal exposures and a difference included."""
    found = poisson_means(first, second, exposures=exposures, difference=difference)
    assert found.p_value == pytest.approx(p_value, abs=1e-6)


@pytest.mark.parametrize(
    ("mean", "se", "needed", "powered"),
    [
        (20, 8.944272, 17.530451, 25.058138),
        (50, 14.142136, 27.718076, 39.620398),
        (100, 20, 39.199280, 56.031704),
        (200, 28.284271, 55.436153, 79.240796),
    ],
)
def test_planning_a_difference(mean: float, se: float, needed: float, powered: float) -> None:
    """A7: with four equal counts the error is sqrt(4m); 1.96 and 2.80 of it are needed."""
    found = wdd(treated=(mean, mean), comparison=(mean, mean))
    assert found.se == pytest.approx(se, abs=1e-6)
    assert found.high == pytest.approx(needed, abs=1e-6)
    assert found.se is not None
    assert (1.9599639845 + 0.8416212336) * found.se == pytest.approx(powered, abs=1e-5)
    assert math.isclose(found.value or 0.0, 0.0)
