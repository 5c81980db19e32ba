"""Residents and deprivation joined on area codes: right column, right boundaries, losses named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whatworks_eval.errors import DataError
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.protocol_tables import Covariate
from whatworks_eval.sources.covariates import join_covariates

AREAS = ("E01000001", "E01000002", "E01000003")
FILE_7 = (
    "LSOA code (2011),LSOA name (2011),Local Authority District code (2019),"
    "Local Authority District name (2019),Index of Multiple Deprivation (IMD) Score,"
    "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived),"
    "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs),"
    "Income Score (rate),Total population: mid 2015 (excluding prisoners) \n"
)
ROWS_7 = [
    "E01000001,City of London 001A,E09000001,City of London,6.2,29199,9,0.007,1296\n",
    "E01000002,City of London 001B,E09000001,City of London,5.1,30379,10,0.034,1156\n",
    "E01000003,City of London 001C,E09000001,City of London,19.4,14915,5,0.086,1350\n",
]


def panel(areas: tuple[str, ...] = AREAS, boundaries: int | None = 2011) -> Panel:
    """A panel of one month."""
    counts = np.ones((len(areas), 1))
    return Panel(
        areas=areas,
        periods=("2018-01",),
        counts=counts,
        observed=counts > 0,
        boundaries=boundaries,
        ledger=Ledger(),
    )


def joined(folder: Path, name: str = "x", to: Panel | None = None, **how: Any) -> Panel:
    """The panel with one covariate."""
    return join_covariates(to or panel(), {name: Covariate(**how)}, folder)


def refused(folder: Path, says: str, name: str = "x", to: Panel | None = None, **how: Any) -> None:
    """The join ends in a DataError that says this and names the covariate."""
    with pytest.raises(DataError) as caught:
        joined(folder, name, to, **how)
    assert says in str(caught.value)
    assert f"`covariates.{name}`" in str(caught.value)


@pytest.fixture
def file_7(tmp_path: Path) -> Path:
    """A folder with a File 7 of three areas, its last header ending in a space as the original's does."""
    (tmp_path / "File_7.csv").write_text(FILE_7 + "".join(ROWS_7), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("as_", "values"),
    [("score", [6.2, 5.1, 19.4]), ("rank", [29199, 30379, 14915]), ("decile", [9, 10, 5])],
)
def test_score_rank_and_decile_are_told_apart(file_7: Path, as_: str, values: list[float]) -> None:
    """By `as`, in the layout of the original File 7."""
    found = joined(file_7, path="File_7.csv", edition=2019, as_=as_)
    assert found.covariates["x"].tolist() == values
    assert found.ledger.files[0].name == "File_7.csv"


def test_an_index_without_as_is_not_guessed(file_7: Path) -> None:
    """A score read as a rank would turn the country upside down."""
    refused(file_7, "holds an index as score, rank, decile; say which with `as`", path="File_7.csv")
    refused(
        file_7,
        "'Income Score (rate)' holds a score, but `as = \"rank\"`",
        path="File_7.csv",
        column="Income Score (rate)",
        as_="rank",
    )


def test_a_named_column_is_taken_as_it_is(file_7: Path) -> None:
    """Any number by area can be a covariate; trailing blanks in a header do not matter."""
    assert joined(file_7, path="File_7.csv", column="Income Score (rate)").covariates["x"].tolist() == [
        0.007,
        0.034,
        0.086,
    ]
    found = joined(file_7, path="File_7.csv", column="Total population: mid 2015 (excluding prisoners)")
    assert found.covariates["x"].tolist() == [1296, 1156, 1350]


def test_a_covariate_called_residents_fills_residents(file_7: Path) -> None:
    """And is not among the covariates."""
    found = joined(file_7, "residents", path="File_7.csv")
    assert found.residents is not None
    assert found.residents.tolist() == [1296, 1156, 1350]
    assert not found.covariates


def test_residents_of_several_years_need_the_year_named(tmp_path: Path) -> None:
    """Otherwise the answer would hang on the order of columns."""
    (tmp_path / "p.csv").write_text("lsoa11_code,mid2017,mid2019\nE01000001,1,2\n")
    refused(
        tmp_path, "Name it, and so the year, in `column`: 'mid2017', 'mid2019'", "residents", path="p.csv"
    )
    found = joined(tmp_path, "residents", path="p.csv", column="mid2019")
    np.testing.assert_array_equal(found.residents, [2, np.nan, np.nan])


def test_a_join_that_loses_areas_says_how_many_and_which(tmp_path: Path) -> None:
    """Missing values are NaN, not zero, and the ledger names the areas."""
    (tmp_path / "f.csv").write_text(FILE_7 + ROWS_7[0] + ROWS_7[1].replace(",5.1,", ",,"))
    found = joined(tmp_path, path="f.csv", as_="score")
    np.testing.assert_array_equal(found.covariates["x"], [6.2, np.nan, np.nan])
    assert "2 of 3 areas have no 'x': E01000002, E01000003." in found.ledger.notes


def test_a_decile_is_computed_where_the_edition_gives_ranks_alone(tmp_path: Path) -> None:
    """The tenth part of the national ranking it lies in, rounded up; the ledger says so."""
    (tmp_path / "r.csv").write_text("lsoa11_code,lad13_code,IMD_rank\nE01000001,E09000001,3284\n")
    found = joined(tmp_path, path="r.csv", edition=2015, as_="decile")
    assert found.covariates["x"][0] == 1
    assert any("computed from ranks among 32,844 areas" in note for note in found.ledger.notes)


def test_the_welsh_score_is_found_under_its_own_name(tmp_path: Path) -> None:
    """With the byte-order mark the original carries."""
    (tmp_path / "w.csv").write_text(
        "lsoa,LSOA Name,WIMD 2019,Income\nW01000240,Rhyl West 2,86.6,100\n", "utf-8-sig"
    )
    found = joined(tmp_path, to=panel(("W01000240",)), path="w.csv", edition=2019, as_="score")
    assert found.covariates["x"].tolist() == [86.6]
    refused(
        tmp_path,
        "no rank of the index (it has score)",
        to=panel(("W01000240",)),
        path="w.csv",
        as_="rank",
    )


def test_english_and_welsh_indices_are_never_mixed(file_7: Path) -> None:
    """Not in one table, not across the border; a border panel has values on one side, and says why."""
    (file_7 / "both.csv").write_text(FILE_7 + ROWS_7[0] + ROWS_7[1].replace("E01000002", "W01000240"))
    refused(file_7, "holds English and Welsh areas", path="both.csv", as_="score")
    welsh = panel(("W01000240",))
    refused(file_7, "holds English areas, the data are Welsh", to=welsh, path="File_7.csv", as_="score")
    border = joined(file_7, to=panel(("E01000001", "W01000240")), path="File_7.csv", as_="score")
    np.testing.assert_array_equal(border.covariates["x"], [6.2, np.nan])
    assert any("1 of them lie in the other country" in note for note in border.ledger.notes)


LOOKUP = "LSOA11CD,LSOA11NM,LSOA21CD,LSOA21NM,CHGIND\nE01000001,a,E01000001,a,U\n"
SPLIT = "E01000002,b,E01035001,b1,S\nE01000002,b,E01035002,b2,S\n"
MERGED = "E01000003,c,E01035003,c,M\nE01000004,d,E01035003,c,M\n"


@pytest.fixture
def index_2025(tmp_path: Path) -> Path:
    """A folder with an index on 2021 areas and the exact-fit lookup."""
    rows = "E01000001,10,1\nE01035001,20,2\nE01035002,40,3\nE01035003,50,4\n"
    (tmp_path / "2025.csv").write_text("lsoa21_code,IMD_score,IMD_rank\n" + rows)
    (tmp_path / "fit.csv").write_text(LOOKUP + SPLIT + MERGED, "utf-8-sig")
    return tmp_path


def test_boundaries_of_two_censuses_need_the_exact_fit_lookup(index_2025: Path) -> None:
    """The error counts and names what would be lost; with the lookup scores are carried over."""
    how: dict[str, Any] = {"path": "2025.csv", "edition": 2025, "as": "score"}
    refused(index_2025, "2 of 3 areas would be lost (E01000002, E01000003)", **how)
    found = joined(index_2025, **how, lookup="fit.csv")
    assert found.covariates["x"].tolist() == [10, 30, 50]
    assert any("2 of 3 areas took it from areas that were split or merged" in n for n in found.ledger.notes)


def test_a_rank_is_not_averaged_over_the_parts_of_a_split_area(index_2025: Path) -> None:
    """A mean of ranks is no rank: the area stays without one, and the ledger says so."""
    found = joined(index_2025, path="2025.csv", edition=2025, lookup="fit.csv", as_="rank")
    np.testing.assert_array_equal(found.covariates["x"], [1, np.nan, 4])
    assert "1 of 3 areas have no 'x': E01000002." in found.ledger.notes


def test_other_boundaries_do_not_matter_where_no_area_changed(index_2025: Path) -> None:
    """An area that kept its code kept its boundary."""
    found = joined(index_2025, to=panel(("E01000001",)), path="2025.csv", as_="score")
    assert found.covariates["x"].tolist() == [10]


@pytest.mark.parametrize(
    ("content", "how", "says"),
    [
        (
            FILE_7 + ROWS_7[0],
            {"edition": 2015, "as": "score"},
            "its district codes are those of the 2019 edition",
        ),
        (FILE_7 + ROWS_7[0], {"edition": 2010, "as": "score"}, "there is no English edition 2010 here"),
        (FILE_7 + ROWS_7[0] * 2, {"as": "score"}, "row 2 and 3: area 'E01000001' is there twice"),
        (FILE_7 + ROWS_7[0].replace("6.2", "low"), {"as": "score"}, "row 2: 'low' in"),
        (FILE_7 + ROWS_7[0].replace(",9,", ",11,"), {"as": "decile"}, "11 in"),
        (FILE_7 + ROWS_7[0].replace("29199", "0.5"), {"as": "rank"}, "is not a rank"),
        (FILE_7 + ROWS_7[0].replace("6.2", ""), {"as": "score"}, "is empty; name another"),
        (
            FILE_7 + ROWS_7[0].replace("E01000001", "E01009999"),
            {"as": "score"},
            "none of the 3 areas of the data",
        ),
        (
            "lsoa11_code,IMD_score\nE01035001,5\n",
            {"as": "score", "edition": 2019},
            "but its codes are of 2021",
        ),
        ("ward,imd\nNorth,5\n", {}, "no column holds LSOA codes"),
        ("a,b,n\nE01000001,E01000001,1\n", {}, "columns 'a', 'b' all hold LSOA codes"),
        ("area,n,m\nE01000001,1,2\n", {}, "which column is meant? Name it in `column`: 'n', 'm'"),
        ("area,n\nE01000001,1\n", {"column": "nn"}, "no column 'nn'; did you mean 'n'?"),
        ("area,n\nE01000001,1\n", {"as": "score"}, "it has no column of the overall index"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_what_to_do(
    tmp_path: Path, content: str, how: dict[str, Any], says: str
) -> None:
    """Edition, column, code or value: the file is named, and its row where there is one."""
    (tmp_path / "f.csv").write_text(content)
    refused(tmp_path, says, path="f.csv", **how)


def test_every_covariate_that_fails_is_reported_at_once(tmp_path: Path) -> None:
    """Two files that are not there are two problems."""
    both = {name: Covariate(path=f"{name}.csv") for name in ("a", "b")}
    with pytest.raises(DataError) as caught:
        join_covariates(panel(), both, tmp_path)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "`covariates.a`",
        "`covariates.b`",
    ]


def test_a_class_is_read_as_a_name_and_never_as_a_number(tmp_path: Path) -> None:
    """Districts fill `classes`, blank ones are missing, and a lookup may list an area twice alike."""
    rows = "lsoa,lad\nE01000001,E06000022\nE01000001,E06000022\nE01000002,\nE01000003,E06000023\n"
    (tmp_path / "lad.csv").write_text(rows, encoding="utf-8")
    found = joined(tmp_path, "district", path="lad.csv", column="lad", **{"as": "class"})
    assert found.classes["district"] == {"E01000001": "E06000022", "E01000003": "E06000023"}
    assert "district" not in found.covariates
    assert any("1 of 3 areas have no 'district': E01000002" in note for note in found.ledger.notes)
    refused(tmp_path, 'as = "class"', path="lad.csv", column="lad")


def test_an_area_in_two_classes_is_refused_where_it_is_in_the_data(tmp_path: Path) -> None:
    """Of two districts for one area neither is taken; an area elsewhere in two districts does no harm."""
    rows = "lsoa,lad\nE01000001,a\nE01000002,b\nE01000003,a\nE01000009,a\nE01000009,b\n"
    (tmp_path / "lad.csv").write_text(rows, encoding="utf-8")
    assert len(joined(tmp_path, path="lad.csv", column="lad", **{"as": "class"}).classes["x"]) == 3
    (tmp_path / "lad.csv").write_text(rows + "E01000001,b\n", encoding="utf-8")
    says = "row 2 and 7: area 'E01000001' is in class 'a' and in 'b'"
    refused(tmp_path, says, path="lad.csv", column="lad", **{"as": "class"})


def test_a_class_is_carried_to_other_boundaries_from_one_area_alone(tmp_path: Path) -> None:
    """A part of a split area takes its class; an area merged of two has none."""
    others = "".join(f"E01{number:06d},z\n" for number in range(2_000, 2_600))  # long: so of 2011
    rows = "lsoa11_code,lad\nE01000010,x\nE01000011,y\nE01000012,y\n"
    (tmp_path / "lad.csv").write_text(rows + others, "utf-8")
    fit = "E01000010,E01033769,S\nE01000010,E01033770,S\nE01000011,E01033771,M\nE01000012,E01033771,M\n"
    (tmp_path / "fit.csv").write_text("LSOA11CD,LSOA21CD,CHGIND\n" + fit, "utf-8")
    new = panel(("E01033769", "E01033770", "E01033771"), 2021)
    how = {"path": "lad.csv", "column": "lad", "as": "class"}
    refused(tmp_path, "exact-fit lookup", to=new, **how)
    found = joined(tmp_path, to=new, lookup="fit.csv", **how)
    assert found.classes["x"] == {"E01033769": "x", "E01033770": "x"}


def test_domain_scores_lie_on_both_sides_of_zero(tmp_path: Path) -> None:
    """Crime and health scores are standardised, so half are negative; of the overall index none can be."""
    head = "LSOA code (2011),Crime Score,Index of Multiple Deprivation (IMD) Score\n"
    rows = "".join(f"{area},{score},{score}\n" for area, score in zip(AREAS, (-2.01, 0.4, 1.3), strict=True))
    (tmp_path / "x.csv").write_text(head + rows, encoding="utf-8")
    found = joined(tmp_path, path="x.csv", edition=2019, as_="score", column="Crime Score")
    assert found.covariates["x"].tolist() == [-2.01, 0.4, 1.3]
    refused(tmp_path, "-2.01 in 'Index of", path="x.csv", edition=2019, as_="score")


def test_another_index_with_scores_below_zero_is_a_score(tmp_path: Path) -> None:
    """Townsend's and Carstairs's scores are sums of z-scores: below zero is less deprived than the mean."""
    rows = "".join(f"{area},{score}\n" for area, score in zip(AREAS, (-4.2, 0.4, 6.3), strict=True))
    (tmp_path / "x.csv").write_text("lsoa,Townsend\n" + rows, encoding="utf-8")
    found = joined(tmp_path, path="x.csv", as_="score", column="Townsend")
    assert found.covariates["x"].tolist() == [-4.2, 0.4, 6.3]
