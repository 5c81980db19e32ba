"""Coordinates, districts and the boundaries of small areas."""

from __future__ import annotations

import numpy as np
import pytest

from whatworks_eval.sources.boundaries import is_lsoa, is_new_in_2021, vintage
from whatworks_eval.sources.carry_over import ExactFit, Kind, carry
from whatworks_eval.sources.grid import to_national_grid
from whatworks_eval.sources.home_areas import district_of, home_areas

# Centroids of LSOAs (2011) as ONS publishes them, in degrees and in metres: the northernmost, the
# southernmost (also the westernmost), the easternmost, and one in the middle of London.
ONS_CENTROIDS = [
    (-2.00927, 55.78279, 399517, 654387, "E01027376"),
    (-6.30214, 49.92333, 91329, 11447, "E01019077"),
    (1.757099, 52.48241, 655201, 293800, "E01030247"),
    (-0.09706, 51.5181, 532129, 181625, "E01000001"),
]


@pytest.mark.parametrize(("longitude", "latitude", "east", "north", "code"), ONS_CENTROIDS)
def test_national_grid_metres_agree_with_ons(
    longitude: float, latitude: float, east: int, north: int, code: str
) -> None:
    """Within the 10 m that five decimals of a degree and seven parameters allow."""
    found = to_national_grid([longitude], [latitude])[0]
    assert np.hypot(found[0] - east, found[1] - north) < 10


def test_missing_coordinates_stay_missing() -> None:
    """NaN in, NaN out, and the others untouched."""
    found = to_national_grid([np.nan, -2.0], [51.0, 49.766])
    assert np.isnan(found[0]).all()
    assert found[1, 0] == pytest.approx(400_000, abs=120)


@pytest.mark.parametrize(
    ("name", "district"),
    [("Bristol 027A", "Bristol"), ("Bath and North East Somerset 007B", "Bath and North East Somerset")],
)
def test_the_district_is_the_name_without_its_last_code(name: str, district: str) -> None:
    """As ONS names LSOAs."""
    assert district_of(name) == district


def test_a_quiet_district_of_the_forces_own_stays_in_and_a_strangers_goes_out() -> None:
    """Per LSOA, not in all: a rural district has few rows, a stranger's has few in each of many."""
    names = {f"E0100{n:04d}": f"City {1 + n // 5:03d}{'ABCDE'[n % 5]}" for n in range(100)}
    names |= {f"E0110{n:04d}": f"Fells {1 + n // 5:03d}{'ABCDE'[n % 5]}" for n in range(20)}
    names |= {f"E0120{n:04d}": f"Elsewhere {1 + n // 5:03d}{'ABCDE'[n % 5]}" for n in range(100)}
    per_lsoa = {"E010": 400, "E011": 60, "E012": 4}
    found = home_areas({code: per_lsoa[code[:4]] for code in names}, names)
    assert found.districts == ("City", "Fells")
    assert len(found.areas) == 120
    assert found.nearest_in == pytest.approx(0.15)
    assert found.nearest_out == pytest.approx(0.01)


def test_one_row_in_a_single_month_does_not_make_a_district_home() -> None:
    """One row in one LSOA is a row per LSOA seen; its number says that the district has many more."""
    rows = {"E01000001": 9, "E01000002": 8, "E01000003": 7, "E01000004": 8, "E01009001": 1}
    names = {code: f"City 001{letter}" for code, letter in zip(sorted(rows), "ABCD", strict=False)}
    names["E01009001"] = "Oldham 012B"
    assert home_areas(rows, names).districts == ("City",)


def test_no_rows_give_no_home() -> None:
    """And no division by nothing."""
    assert home_areas({}, {}).areas == frozenset()


@pytest.mark.parametrize(
    ("code", "lsoa", "new"),
    [
        ("E01000001", True, False),
        ("E01033768", True, False),
        ("E01033769", True, True),
        ("W01001958", True, False),
        ("W01001959", True, True),
        ("E02000001", False, False),
        ("S01006506", False, False),
        ("E0100001", False, False),
        ("ward 7", False, False),
    ],
)
def test_codes_that_came_with_2021_are_told_by_their_number(code: str, lsoa: bool, new: bool) -> None:
    """The last number of 2011 and the first of 2021, in England and Wales."""
    assert (is_lsoa(code), is_new_in_2021(code)) == (lsoa, new)


def test_a_long_list_without_a_new_code_is_of_2011_and_a_short_one_is_not_told() -> None:
    """Three adjoining districts with 497 areas got no new code, so 500 are not enough."""
    old = [f"E0100{n:04d}" for n in range(1, 502)]
    assert vintage(old) == 2011
    assert vintage(old[:500]) is None
    assert vintage([*old[:3], "E01035110"]) == 2021
    assert vintage(["Northtown", "Southtown"]) is None


FIT = ExactFit(
    pairs=(
        ("u", "u", "U"),
        ("s", "s1", "S"),
        ("s", "s2", "S"),
        ("m1", "m", "M"),
        ("m2", "m", "M"),
        ("x1", "x", "X"),
        ("x2", "x", "X"),
    )
)


@pytest.mark.parametrize(
    ("kind", "to_2021", "to_2011"),
    [
        ("score", {"u": 1, "s1": 2, "s2": 2, "m": 4}, {"u": 1, "s": 3, "m1": 6, "m2": 6}),
        ("rank", {"u": 1, "s1": 2, "s2": 2}, {"u": 1, "m1": 6, "m2": 6}),
        ("residents", {"u": 1, "s1": 1, "s2": 1, "m": 8}, {"u": 1, "s": 6, "m1": 3, "m2": 3}),
    ],
)
def test_values_are_carried_over_unchanged_split_and_merged_areas(
    kind: Kind, to_2021: dict[str, float], to_2011: dict[str, float]
) -> None:
    """Scores averaged, ranks only where one area stands for one, residents added up and shared; X missing."""
    of_2011 = {"u": 1.0, "s": 2.0, "m1": 3.0, "m2": 5.0, "x1": 9.0, "x2": 9.0}
    assert carry(of_2011, FIT, source=2011, target=2021, kind=kind) == to_2021
    of_2021 = {"u": 1.0, "s1": 2.0, "s2": 4.0, "m": 6.0, "x": 9.0}
    assert carry(of_2021, FIT, source=2021, target=2011, kind=kind) == to_2011


def test_an_area_with_an_unknown_part_is_left_out() -> None:
    """Half a split area is not the area."""
    assert carry({"s1": 2.0}, FIT, source=2021, target=2011, kind="score") == {}
