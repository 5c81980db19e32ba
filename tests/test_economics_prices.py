"""Prices, discounting and the shipped tables behind them."""

from __future__ import annotations

import csv
import tomllib
from hashlib import sha256
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatworks_eval.economics.discounting import discount_factor, present_value
from whatworks_eval.economics.prices import Pounds, add_up, deflate, deflator, latest_year
from whatworks_eval.economics.unit_costs import EDITIONS, hourly_costs, multipliers, unit_costs
from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.shipped import shipped_path

UNIT_COSTS = shipped_path("datasets", "unit-costs")
TABLES = sorted(UNIT_COSTS.glob("*.csv"))


def rows_of(path) -> list[dict[str, str]]:
    """The rows of a shipped table."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize(
    ("year", "factor"),
    [
        *((0, 1.0), (1, 0.966183575), (5, 0.841973167), (10, 0.708918814), (30, 0.356278411)),
        *((31, 0.345901370), (75, 0.094213773), (76, 0.091915876)),
    ],
)
def test_discount_factors_are_the_published_ones(year: int, factor: float) -> None:
    """Test vectors I: 3.5 % to year 30, 3.0 % to 75, 2.5 % after; to nine places."""
    assert discount_factor(year) == pytest.approx(factor, abs=5e-10)


def test_present_values_are_the_published_ones() -> None:
    """Test vectors I: a loan, and costs against benefits over ten years; to ten places."""
    assert present_value([-100] + [30] * 5) == pytest.approx(35.4515712641, abs=1e-10)
    costs, benefits = present_value([100, 50, 50]), present_value([0, 0, 0] + [30] * 7)
    assert costs == pytest.approx(194.9847137623, abs=1e-10)
    assert benefits == pytest.approx(171.2397670087, abs=1e-10)
    # The vector prints 0.8782214955, which its own two sums above do not give: they give 0.87822149596.
    assert benefits / costs == pytest.approx(171.2397670087 / 194.9847137623, abs=1e-10)
    assert benefits / costs == pytest.approx(0.8782214955, abs=1e-9)
    assert benefits - costs == pytest.approx(-23.7449467536, abs=1e-10)


def test_the_health_rate_is_only_taken_when_asked_for() -> None:
    """1.5 % a year for units of health; pounds of crime never take it."""
    assert discount_factor(1, health=True) == pytest.approx(1 / 1.015)
    assert discount_factor(31, health=True) == pytest.approx(1 / (1.015**30 * 1.0129))
    assert discount_factor(1) == pytest.approx(1 / 1.035)


@given(
    gbp=st.floats(1, 1e9),
    years=st.tuples(st.sampled_from(sorted(deflator())), st.sampled_from(sorted(deflator()))),
)
def test_deflating_there_and_back_is_the_identity(gbp: float, years: tuple[str, str]) -> None:
    """Prices of one year in another and back again, to a part in 10^12."""
    there = deflate(gbp, from_year=years[0], to_year=years[1])
    assert deflate(there, from_year=years[1], to_year=years[0]) == pytest.approx(gbp, rel=1e-12)


def test_a_year_without_a_price_level_names_the_latest() -> None:
    """Nothing is carried forward."""
    assert latest_year() == "2024-25"
    with pytest.raises(ProtocolError, match="latest financial year with a price level is 2024-25"):
        deflate(1.0, from_year="2025-26", to_year="2019-20")
    with pytest.raises(ProtocolError, match="nearest is 2003-04"):
        deflate(1.0, from_year="2004-05", to_year="2019-20")


def test_pounds_of_two_years_are_not_added() -> None:
    """Mixed price years are an error, and fine once brought to one year."""
    old, new = Pounds(gbp=100.0, price_year="2015-16"), Pounds(gbp=100.0, price_year="2024-25")
    with pytest.raises(ProtocolError, match="2015-16, 2024-25 cannot be added"):
        add_up([old, new])
    assert add_up([old.in_prices("2024-25"), new]).gbp == pytest.approx(100 + 100 * 112.375 / 83.75)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_is_what_its_description_says(path) -> None:
    """Rows and checksum; every value a number, every row with price year, source and mark."""
    about = tomllib.loads((UNIT_COSTS / "dataset.toml").read_text("utf-8"))
    rows = rows_of(path)
    assert about["files"][path.name]["rows"] == len(rows)
    assert about["files"][path.name]["sha256"] == sha256(path.read_bytes()).hexdigest()
    assert set(rows[0]) == set(about["columns"])
    for row in rows:
        assert float(row["value_gbp"]) >= 0  # some are zero as printed
        assert row["confidence"] in {"seen_verbatim", "secondary"}
        assert len(row["price_year"]) == 7
        assert row["source"]
        assert row["per"]


def test_every_table_is_described() -> None:
    """No file of unit costs without its line in dataset.toml."""
    about = tomllib.loads((UNIT_COSTS / "dataset.toml").read_text("utf-8"))
    assert {path.name for path in TABLES} == set(about["files"])


@pytest.mark.parametrize(
    ("file", "offences"), [("home_office_2019_20.csv", 19), ("home_office_fraud_2023_24.csv", 2)]
)
def test_components_of_every_home_office_row_add_up(file: str, offences: int) -> None:
    """Anticipation, consequence and response sum to the total within the £10 of published rounding."""
    rows = sorted(rows_of(UNIT_COSTS / file), key=lambda row: (row["offence"], row["perspective"]))
    seen = 0
    for offence, group in groupby(rows, key=lambda row: (row["offence"], row["perspective"])):
        values = {row["component"]: float(row["value_gbp"]) for row in group}
        parts = [values[part] for part in ("anticipation", "consequence", "response")]
        assert abs(sum(parts) - values["total"]) <= 10, offence
        seen += 1
    assert seen == offences


@pytest.mark.parametrize("name", ["gdp-deflator", "recorded-to-actual"])
def test_the_other_tables_are_what_their_descriptions_say(name: str) -> None:
    """Rows, checksum and columns of the deflator and the multipliers."""
    folder = shipped_path("datasets", name)
    about = tomllib.loads((folder / "dataset.toml").read_text("utf-8"))
    rows = rows_of(folder / about["file"])
    assert (len(rows), sha256((folder / about["file"]).read_bytes()).hexdigest()) == (
        about["rows"],
        about["sha256"],
    )
    assert set(rows[0]) == set(about["columns"])


def test_the_2018_edition_is_as_printed() -> None:
    """Test vectors I: the totals read in a newspaper, in 2015-16 prices."""
    printed = {"rape": 39360, "violence with injury": 14050, "robbery": 11320, "theft of vehicle": 10290}
    printed |= {"arson": 8420, "other sexual offences": 6520, "criminal damage (other than arson)": 1350}
    printed |= {"theft from vehicle": 870, "cybercrime": 550}
    found = unit_costs("home-office-2018")
    assert {offence: found[offence].total for offence in printed} == printed
    assert {one.price_year for one in found.values()} == {"2015-16"}


def test_what_was_only_remembered_is_not_shipped() -> None:
    """The 2018 edition has no burglary, and no value for anti-social behaviour is £673."""
    assert "domestic burglary" not in unit_costs("home-office-2018")
    assert "673" not in {row["value_gbp"] for path in TABLES for row in rows_of(path)}


def test_police_costs_are_for_recorded_crimes() -> None:
    """They take no multiplier; Home Office costs do."""
    assert {one.per for one in unit_costs("police-2022-23").values()} == {"recorded"}
    assert {one.per for one in unit_costs("home-office-2019-20").values()} == {"actual"}
    assert multipliers()["cybercrime"][0] == 33.42
    assert hourly_costs()["inspector and above"].total == 58.16


def test_an_edition_that_does_not_exist_is_refused() -> None:
    """The error lists those there are."""
    with pytest.raises(DataError, match=", ".join(EDITIONS)):
        unit_costs("home-office-1999")  # type: ignore[arg-type]
