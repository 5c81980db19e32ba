"""Every published value whose numbers are shipped comes out again to the digits given, traps included."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from whatworks_eval.published import Published, load_published
from whatworks_eval.reproduce import reproduce

EVERY = {one.row.id: one for one in reproduce()}
# Published values that the numbers beside them do not give, each for a reason that is known.
DIFFER = {"DOD-1": "rounded", "CAR-1": "adjusted against crude", "SIB-2": "rounded"}
FROM_COUNTS = [
    name
    for name, one in EVERY.items()
    if one.row.cells["confidence"] == "high"
    and one.row.reading.inputs in {"counts", "persons"}
    and name not in DIFFER
]


def note(name: str) -> str:
    """All that is said beside a row."""
    return " ".join(EVERY[name].notes)


def test_all_but_a_few_of_the_count_rows_are_here() -> None:
    """Nothing is passed by leaving it out: 38 rows of high confidence start from counts."""
    assert len(FROM_COUNTS) == 38


@pytest.mark.parametrize("name", FROM_COUNTS)
def test_a_row_of_counts_comes_out_to_the_digits_given(name: str) -> None:
    """Value, interval, error and test are within half a unit of the last digit printed."""
    found = EVERY[name]
    assert found.verdict == "match"
    assert found.checks[0].name == "value"
    for check in found.checks:
        exponent = Decimal(check.published).as_tuple().exponent
        assert isinstance(exponent, int)
        assert check.computed is not None, check.name
        assert check.computed == pytest.approx(float(check.published), abs=0.5 * 10**exponent + 1e-9), (
            check.name
        )


def test_what_does_not_match_is_known() -> None:
    """Three published values differ from their own numbers, and each says why."""
    differ = {name: one.reason for name, one in EVERY.items() if one.verdict == "mismatch"}
    assert set(differ) == set(DIFFER)
    assert all(DIFFER[name] in reason for name, reason in differ.items())


def test_what_cannot_be_computed_says_why() -> None:
    """No row is passed over in silence."""
    bare = [
        name for name, one in EVERY.items() if one.verdict == "cannot be computed" and len(one.reason) < 20
    ]
    assert bare == []
    assert all(one.computed is None for one in EVERY.values() if one.verdict == "cannot be computed")


def test_values_by_hand() -> None:
    """Five kinds of value worked out on paper."""
    by_hand = {
        "WR18-1": (110 - 207) - (318 - 308) + (157 - 178) - (140 - 150),
        "WT-2": (30 / 50) / (55 / 60),
        "STK-4": (1 - 0.02) / (1 - 0.43),
        "SS-1": (19 / 27) / (4 / 31),
        "DTS-2": (6.5 / 5 - 12.5 / 3) / 37 - (439.25 / 5 - 239.5 / 3) / 839,
    }
    for name, value in by_hand.items():
        computed = EVERY[name].computed
        assert computed is not None
        assert computed.value == pytest.approx(value, abs=1e-9)


def test_ninety_per_cent_intervals_are_told() -> None:
    """The tools' default is 90 %: one published interval excludes zero only because of it."""
    assert "90 % one, the default of the tool used; at 95 % it is −83.8 to 3.8" in note("WT-5")
    assert "90 %" not in note("DAL-1")


def test_a_one_tailed_p_is_told() -> None:
    """0.00144 of one tail is 0.00288 of two."""
    assert "one-tailed; two-sided it is 0.00288" in note("WR18-1")


def test_rounded_rates_say_how_far_they_reach() -> None:
    """43 % less 31 % is 12 points, or anything from 11 to 13."""
    assert "anything from 11.0 to 13.0" in note("JDL-2")


def test_adjusted_is_not_crude() -> None:
    """(5/7) / (8/5) = 0.446 from the printed rates, 0.58 from the published model."""
    computed = EVERY["CAR-1"].computed
    assert computed is not None
    assert computed.value == pytest.approx((5 / 7) / (8 / 5))


def test_unequal_exposure_is_told() -> None:
    """Two years against one: -20 a year, -10 if they are taken as equal."""
    assert "without the weights the counts would give −10.0 (standard error 15.8)" in note("WT-1")
    assert "unequal exposure" in EVERY["SOU-1"].reason


def test_percent_of_what_is_told() -> None:
    """100 of 120 is -17 %; 100 against 120 x 150 / 130 = 138 expected is -28 %."""
    assert "−17 % of what it was before, and stands −28 %" in note("WT-5")
    assert EVERY["WT-5"].of_before == pytest.approx(100 * (100 / 120 - 1))
    assert EVERY["WT-5"].of_expected == pytest.approx(100 * (100 / (120 * 150 / 130) - 1))


def test_an_odds_ratio_is_told_to_be_the_inverse() -> None:
    """1.72 is 0.582 the right way up."""
    assert "Above 1 is good here" in note("STK-4")
    assert "0.582, 42 % fewer" in note("STK-4")


def test_an_interval_that_leaves_out_its_own_dispersion_is_told() -> None:
    """With the dispersion the source itself reports, one published interval no longer excludes zero."""
    assert "dispersion at 1.5209; with it the 95 % interval is −241.7 to 3.7" in note("WC-NYC-viol-scan")


def test_levels_come_from_the_ordinary_rules() -> None:
    """One area before and after is at most 2; nothing here is above it, since no comparability is shown."""
    levels = {name: one.level for name, one in EVERY.items() if one.level is not None}
    for name in ("RIA-1", "GMP-1", "DOD-1", "PN-1", "STK-1"):
        assert levels[name] <= 2
        assert "selection.no-comparison" in EVERY[name].bound_by
    assert max(levels.values()) <= 2
    assert all(one.why_no_level for one in EVERY.values() if one.level is None)


def test_only_what_was_seen_is_shipped() -> None:
    """High confidence, medium confidence labelled, nothing remembered."""
    assert {one.row.cells["confidence"] for one in EVERY.values()} == {"high", "medium"}
    medium = [one for one in EVERY.values() if one.row.cells["confidence"] == "medium" and one.computed]
    assert all(any("Medium confidence" in said for said in one.notes) for one in medium)


def numbers_in(row: Published) -> set[float]:
    """Every number printed anywhere in a row, without its sign."""
    text = " ".join(row.cells.values())
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    return {float(found) for found in re.findall(r"\d*\.?\d+", text)}


@pytest.mark.parametrize("row", load_published(), ids=lambda row: row.id)
def test_a_reading_adds_no_number_of_its_own(row: Published) -> None:
    """Weights, scales, percentages and parts in a reading stand in the words of its row."""
    reading = row.reading
    given = [
        *(reading.displacement_comparison or ()),
        *reading.area_weights.values(),
        *(reading.time_weights or ()),
        *filter(None, (reading.scale, reading.dispersion)),
        *reading.units.values(),
        *(value for key, value in reading.changes.items() if key != "decimals"),
        *reading.parts,
        *reading.part_weights,
        *reading.harm_weights,
        *(
            float(text)
            for text in (reading.se, reading.z, reading.p, reading.log_value, reading.log_se)
            if text
        ),
    ]
    assert {abs(value) for value in given} <= numbers_in(row)
    if reading.interval != 0.95:
        assert f"{100 * reading.interval:.0f}% CI" in row.cells["reported_measure"]


def test_the_harm_weighted_sum_is_that_of_its_rows() -> None:
    """The five rows it names, each times its weight."""
    found = EVERY["DAL-6"]
    parts = [EVERY[name].computed for name in found.row.reading.of]
    total = sum(
        weight * part.value
        for weight, part in zip(found.row.reading.harm_weights, parts, strict=True)
        if part is not None
    )
    assert found.computed is not None
    assert found.computed.value == pytest.approx(total)
