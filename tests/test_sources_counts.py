"""Tables of counts: what is zero, what is missing, what is refused, and how its place is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from whatworks_eval.errors import DataError
from whatworks_eval.panel import Panel
from whatworks_eval.protocol_tables import Outcome
from whatworks_eval.sources.counts import panel_from_counts
from whatworks_eval.sources.counts_file import load_counts

NAN = float("nan")


def frame(rows: list[tuple[Any, Any, Any]]) -> pd.DataFrame:
    """A long table of counts."""
    return pd.DataFrame(rows, columns=["area", "period", "count"])


PLAIN = frame([("a", "2018-01", 3), ("b", "2018-01", 1), ("a", "2018-02", 2)])


def file_panel(path: Path, **how: Any) -> Panel:
    """The panel in a file, with these keys of [outcome]; its ledger adds up."""
    panel = load_counts(path, Outcome(source="counts", path=path.name, **how))
    assert panel.ledger.read == panel.ledger.used + panel.ledger.excluded_rows
    return panel


# --- what zero and missing mean --------------------------------------------------------------------------


def test_inside_a_period_with_rows_an_absent_area_is_zero() -> None:
    """Somebody reported for that period, and nothing for this area."""
    panel = panel_from_counts(PLAIN)
    np.testing.assert_array_equal(panel.counts, [[3, 2], [1, 0]])
    assert panel.observed.all()


def test_a_period_without_any_row_is_missing_unless_said_to_be_zero() -> None:
    """Nobody reported; with `empty_periods` the user takes it on themselves."""
    gap = frame([("a", "2018-01", 3), ("a", "2018-03", 2)])
    panel = panel_from_counts(gap)
    np.testing.assert_array_equal(panel.counts, [[3, NAN, 2]])
    assert panel.ledger.periods_without_file == {"": ("2018-02",)}
    zero = panel_from_counts(gap, empty_periods="zero")
    np.testing.assert_array_equal(zero.counts, [[3, 0, 2]])
    assert any("2018-02" in note and "zero, as declared" in note for note in zero.ledger.notes)


def test_a_null_count_is_a_missing_cell_and_counted_in_the_ledger() -> None:
    """Not zero, and not the end of the period for other areas."""
    panel = panel_from_counts(frame([("a", "2018-01", None), ("b", "2018-01", 1)]))
    np.testing.assert_array_equal(panel.counts, [[NAN], [1]])
    assert panel.ledger.excluded == {"count missing": {"2018-01": 1}}
    assert (panel.ledger.read, panel.ledger.used) == (2, 1)


def test_areas_and_periods_beyond_the_data_can_be_named() -> None:
    """Areas that recorded nothing are zero where others reported; a period nobody reported is missing."""
    panel = panel_from_counts(PLAIN, areas=["z"], periods=["2018-01", "2018-02", "2018-03"])
    assert panel.areas == ("a", "b", "z")
    np.testing.assert_array_equal(panel.counts, [[3, 2, NAN], [1, 0, NAN], [0, 0, NAN]])


def test_order_of_rows_does_not_matter() -> None:
    """The same cells, the same panel."""
    shuffled = PLAIN.iloc[::-1]
    np.testing.assert_array_equal(panel_from_counts(shuffled).counts, panel_from_counts(PLAIN).counts)


def _polars_like_lazy(plain: pd.DataFrame) -> Any:
    import duckdb

    return duckdb.from_df(plain)


def _arrow(plain: pd.DataFrame) -> Any:
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.Table.from_pandas(plain)


@pytest.mark.parametrize("convert", [lambda plain: plain, _polars_like_lazy, _arrow])
def test_any_dataframe_narwhals_takes_gives_the_same_panel(convert: Callable[[pd.DataFrame], Any]) -> None:
    """pandas, a lazy DuckDB relation, an Arrow table."""
    with_null = frame([("a", "2018-01", 3), ("b", "2018-01", None), ("a", "2018-02", 2)])
    panel = panel_from_counts(convert(with_null))
    np.testing.assert_array_equal(panel.counts, [[3, 2], [NAN, 0]])


@pytest.mark.parametrize(
    ("kind", "cells", "periods"),
    [
        ("month", [date(2018, 1, 1), date(2018, 2, 1)], ("2018-01", "2018-02")),
        ("month", [pd.Timestamp(2018, 1, 31), pd.Timestamp(2018, 2, 28)], ("2018-01", "2018-02")),
        ("month", [201801, 201802], ("2018-01", "2018-02")),
        ("month", ["Jan 2018", "February 2018"], ("2018-01", "2018-02")),
        ("month", ["2018-01-01", "2018-02-01T00:00:00"], ("2018-01", "2018-02")),
        ("month", ["31/01/2018", "01/02/2018"], ("2018-01", "2018-02")),
        ("month", ["01/31/2018", "02/01/2018"], ("2018-01", "2018-02")),
        ("week", ["2018-W01", date(2018, 1, 8)], ("2018-W01", "2018-W02")),
        ("day", ["2018-01-31", "20180201"], ("2018-01-31", "2018-02-01")),
    ],
)
def test_periods_are_read_where_there_is_one_reading(
    kind: Any, cells: list[Any], periods: tuple[str, ...]
) -> None:
    """Dates, names of months, six digits; days and months told apart by the rest of the column."""
    panel = panel_from_counts(frame([("a", cell, 1) for cell in cells]), period_kind=kind)
    assert panel.periods == periods
    assert panel.period == kind


@pytest.mark.parametrize(
    "cell", ["01/02/2018", "Jan-18", "Q1 2018", "2018", "2018-13", "", None, 43101, "Smarch 2018"]
)
def test_a_period_that_could_be_read_two_ways_or_none_is_refused(cell: Any) -> None:
    """With its row and how to write it."""
    with pytest.raises(DataError, match=r"row 1 \(counted from 0\).*write each month like '2018-01'"):
        panel_from_counts(frame([("a", "2018-01", 1), ("b", cell, 1)]))


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            [("a", "2018-01", 1), ("a", "2018-01", 2)],
            "row 0, 1 (counted from 0): area 'a' in 2018-01 is there 2 times",
        ),
        ([("a", "2018-01", -3)], "row 0 (counted from 0): -3 is negative"),
        ([("a", "2018-01", 1.5)], "1.5 is not a whole number of incidents"),
        ([("a", "2018-01", float("inf"))], "inf is not a finite number of incidents"),
        ([("a", "2018-01", "5"), ("b", "2018-01", 2)], "'5' is not a number of incidents"),
        ([("a", "2018-01", True)], "'True' is not a number of incidents"),
        ([("a", "2018-01", "<5"), ("b", "2018-01", 2)], "'<5' is not a number of incidents"),
        ([(None, "2018-01", 1)], "row 0 (counted from 0): no area code"),
        ([("  ", "2018-01", 1)], "no area code"),
    ],
)
def test_a_bad_row_is_named_with_what_is_wrong(rows: list[tuple[Any, Any, Any]], says: str) -> None:
    """Never read as zero, never as missing, never added up."""
    with pytest.raises(DataError) as caught:
        panel_from_counts(frame(rows))
    assert says in str(caught.value)
    assert caught.value.exit_code == 11


def test_every_sort_of_bad_count_is_reported_at_once() -> None:
    """Negative and fractional counts in one go."""
    with pytest.raises(DataError) as caught:
        panel_from_counts(frame([("a", "2018-01", -1.0), ("b", "2018-01", 0.5)]))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"periods": ["2018-01"]}, "period 2018-02 lies outside the periods asked for (2018-01 to 2018-01)"),
        ({"periods": ["2018-01", "2018-03"]}, "`periods` leaves out 2018-02"),
        ({"periods": ["01-2018"]}, "'01-2018' is not a month"),
        ({"periods": []}, "`periods` is empty"),
        ({"count": "n"}, "no column 'n'; the columns are 'area', 'period', 'count'"),
        ({"units": {"x": "u"}}, "units: no area is in the data ('x' against 'a')"),
        ({"residents": {"a": -5}}, "residents: -5 for area 'a'"),
        ({"residents": {"a": "many"}}, "'many' for area 'a' is not a number"),
        ({"covariates": {"imd": {"a": float("inf")}}}, "covariate 'imd': not a finite number for area 'a'"),
        (
            {"centroids": pd.DataFrame({"area": ["a", "a"], "x": [1, 2], "y": [1, 2]})},
            "area a is there more than once",
        ),
        ({"centroids": pd.DataFrame({"area": ["a"], "x": [1]})}, "centroids: no column 'y'"),
    ],
)
def test_a_bad_argument_is_refused_with_what_to_do(how: dict[str, Any], says: str) -> None:
    """Periods with gaps, columns that are not there, facts about areas that are not in the data."""
    with pytest.raises(DataError) as caught:
        panel_from_counts(PLAIN, **how)
    assert says in str(caught.value)


def test_what_is_not_a_dataframe_is_refused() -> None:
    """A dictionary is not one."""
    with pytest.raises(DataError, match="dict is not a dataframe"):
        panel_from_counts({"area": ["a"]})


def test_facts_about_areas_are_put_in_order_and_what_does_not_fit_is_noted() -> None:
    """Unknown areas and areas without a value are both named in the ledger."""
    panel = panel_from_counts(
        PLAIN,
        residents={"b": 1500, "x": 9},
        covariates={"imd": pd.Series({"a": 20.5, "b": 10.0})},
        centroids=pd.DataFrame({"area": ["b", "a"], "x": [5.0, 1.0], "y": [6.0, 2.0]}),
        units={"a": "North", "b": "North"},
    )
    np.testing.assert_array_equal(panel.residents, [NAN, 1500])
    np.testing.assert_array_equal(panel.covariates["imd"], [20.5, 10])
    np.testing.assert_array_equal(panel.centroids, [[1, 2], [5, 6]])
    assert panel.units == {"a": "North", "b": "North"}
    notes = " ".join(panel.ledger.notes)
    assert "1 areas in residents are not in the data: x." in notes
    assert "1 of 2 areas have no residents: a." in notes


def test_covariates_may_be_a_dataframe() -> None:
    """One column each, beside the area."""
    table = pd.DataFrame({"area": ["a", "b"], "imd": [1.0, 2.0], "rural": [0, 1]})
    panel = panel_from_counts(PLAIN, covariates=table)
    assert {name: values.tolist() for name, values in panel.covariates.items()} == {
        "imd": [1, 2],
        "rural": [0, 1],
    }


# --- files -------------------------------------------------------------------------------------------------

LONG = "area,period,count\na,2018-01,3\nb,2018-01,1\na,2018-02,2\n"


def _csv(path: Path, content: str = LONG, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


def _xlsx(path: Path) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["Notes about this file"])  # type: ignore[union-attr]
    sheet = book.create_sheet("Data")
    for cells in (
        ["area ", "period", "count"],
        ["a", datetime(2018, 1, 1), 3],
        ["b", datetime(2018, 1, 1), 1],
    ):
        sheet.append(cells)
    sheet.append([])
    sheet.append(["a", datetime(2018, 2, 1), 2])
    book.save(path)
    return path


def _parquet(path: Path) -> Path:
    import duckdb

    with duckdb.connect() as connection:
        connection.from_df(PLAIN).write_parquet(str(path))
    return path


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: _csv(folder / "x.csv"),
        lambda folder: _csv(folder / "x.csv", encoding="utf-8-sig"),
        lambda folder: _csv(folder / "x.csv", LONG.replace(",", "\t"), "utf-16"),
        lambda folder: _csv(folder / "x.tsv", LONG.replace(",", "\t")),
        lambda folder: _csv(folder / "x.csv", LONG.replace(",", ";").replace("\n", "\r\n")),
        lambda folder: _csv(folder / "x.csv", LONG.replace("area", " AREA ").replace("\nb", "\n\nb")),
        lambda folder: _xlsx(folder / "x.xlsx"),
        lambda folder: _parquet(folder / "x.parquet"),
        lambda folder: _parquet(folder / "it's [1].parquet"),
    ],
    ids=["csv", "BOM", "UTF-16 tabs", "tsv", "semicolons", "blanks", "xlsx", "parquet", "odd name"],
)
def test_every_sort_of_file_gives_the_same_panel(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    """CSV in its encodings, spreadsheets with dates and a sheet of notes, parquet without pyarrow."""
    panel = file_panel(make(tmp_path))
    assert panel.areas == ("a", "b")
    assert panel.periods == ("2018-01", "2018-02")
    np.testing.assert_array_equal(panel.counts, [[3, 2], [1, 0]])
    assert len(panel.ledger.files[0].sha256) == 64


def test_windows_text_is_read_and_said_to_be(tmp_path: Path) -> None:
    """An area called Ynys Môn in Windows-1252 is not mangled."""
    panel = file_panel(_csv(tmp_path / "x.csv", "area,period,count\nYnys Môn,2018-01,1\n", "cp1252"))
    assert panel.areas == ("Ynys Môn",)
    assert any("Windows-1252" in note for note in panel.ledger.notes)


def test_wide_counts_have_a_column_a_period_and_blank_cells_are_missing(tmp_path: Path) -> None:
    """Other columns are named as not used."""
    wide = "ward,code,201801,201802\nNorth,7,3,\nSouth,8,1,0\n"
    panel = file_panel(_csv(tmp_path / "x.csv", wide), area="ward", layout="wide")
    np.testing.assert_array_equal(panel.counts, [[3, NAN], [1, 0]])
    assert panel.ledger.excluded == {"count missing": {"2018-02": 1}}
    assert "Columns not used: code." in panel.ledger.notes


OFFENCES = "area,period,kind,detail,count\na,2018-01,Theft,x,1\na,2018-01,Theft,y,2\na,2018-01,Arson,x,4\n"


def test_offences_are_added_up_and_those_not_wanted_excluded(tmp_path: Path) -> None:
    """Rows that a further column splits are added up, and the ledger says so."""
    path = _csv(tmp_path / "x.csv", OFFENCES)
    assert file_panel(path, offence="kind").counts.tolist() == [[7]]
    panel = file_panel(path, offence="kind", offences=("Theft",))
    assert panel.counts.tolist() == [[3]]
    assert panel.ledger.excluded == {"other offence": {"2018-01": 1}}
    assert any("split further by 'detail'" in note for note in panel.ledger.notes)


def test_a_copied_row_is_an_error_even_where_offences_are_added_up(tmp_path: Path) -> None:
    """Alike in every column but the count."""
    path = _csv(tmp_path / "x.csv", OFFENCES + "a,2018-01,Arson,x,4\n")
    with pytest.raises(DataError, match="row 4 and 5: 'a', 2018-01, 'Arson' is there twice"):
        file_panel(path, offence="kind")


def test_one_missing_part_makes_the_sum_missing(tmp_path: Path) -> None:
    """Theft known and arson not is not a total."""
    path = _csv(tmp_path / "x.csv", OFFENCES.replace("Arson,x,4", "Arson,x,"))
    panel = file_panel(path, offence="kind")
    assert np.isnan(panel.counts).all()
    assert panel.ledger.excluded == {"count missing": {"2018-01": 3}}


@pytest.mark.parametrize(
    ("content", "how", "says"),
    [
        (LONG.replace("area", "beat"), {}, "x.csv: no column 'area'"),
        (LONG.replace("count", "cuont"), {}, "no column 'count'; did you mean 'cuont'?"),
        (LONG.replace(",3", ",three"), {}, "x.csv, row 2: 'three' is not a number of incidents"),
        (LONG.replace(",3", ",<5"), {}, "x.csv, row 2: '<5' is not a number"),
        (LONG.replace(",3", ",-3"), {}, "x.csv, row 2: -3 is negative"),
        (LONG.replace(",3", ",nan"), {}, "x.csv, row 2: 'nan' is not a number"),
        (LONG + "a,2018-01,3\n", {}, "x.csv, row 2, 5: area 'a' in 2018-01 is there 2 times"),
        (LONG + "a,2018-03,1,9\n", {}, "x.csv, row 5: more cells than the header's 3"),
        (LONG.replace("2018-02", "02/2018"), {}, "x.csv, row 4: '02/2018' is not a month"),
        ("area,period,count\n", {}, "a header and no rows"),
        ("", {}, "the file is empty"),
        ("<html>", {}, "a web page, not a table"),
        (LONG, {"offences": ("Theft",)}, "name it in `outcome.offence`"),
        (OFFENCES, {"offence": "kind", "offences": ("theft",)}, "did you mean 'Theft'?"),
        (LONG, {"layout": "wide"}, "no column is named after a month"),
        ("area,2018-01,201801\na,1,2\n", {"layout": "wide"}, "two columns are named after 2018-01"),
        ("area,area,period,count\na,a,2018-01,1\n", {}, "column 'area' is there 2 times"),
        ('area,period,count\n"a,2018-01,1\n', {}, "not a readable CSV row"),
    ],
)
def test_a_bad_file_is_refused_with_file_row_and_remedy(
    tmp_path: Path, content: str, how: dict[str, Any], says: str
) -> None:
    """Row numbers are those an editor or spreadsheet shows."""
    with pytest.raises(DataError) as caught:
        file_panel(_csv(tmp_path / "x.csv", content), **how)
    assert says in str(caught.value)


def test_row_numbers_count_blank_lines_and_lines_inside_quotes(tmp_path: Path) -> None:
    """So that the user finds the row in the file."""
    content = 'area,period,count\n\n"a\nb",2018-01,1\nc,2018-01,many\n'
    with pytest.raises(DataError, match=r"x\.csv, row 5: 'many'"):
        file_panel(_csv(tmp_path / "x.csv", content))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.xlsx", b"not a zip", "not a readable XLSX file"),
        ("x.parquet", b"not parquet", "not a readable parquet file"),
        ("x.xls", b"\xd0\xcf", ".xls files are not read; save it as CSV or XLSX"),
        ("x.csv", b"area,period,count\n\x81\x8d", "neither UTF-8 nor Windows-1252"),
        ("x.csv", b"a\0r\0e\0a\0", "not text that can be read"),
        ("x.csv.gz", b"\x1f\x8b\x08cut", "a damaged gzip file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    """A clear error, whatever library would have stumbled."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        file_panel(tmp_path / name)
    assert says in str(caught.value)


def test_a_worksheet_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With those that are."""
    with pytest.raises(DataError, match="no worksheet 'Counts'; the worksheets are 'Sheet', 'Data'"):
        file_panel(_xlsx(tmp_path / "x.xlsx"), sheet="Counts")
