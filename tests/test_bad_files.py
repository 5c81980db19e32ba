"""Hostile and damaged input: files that would split an area, lose rows, overflow or fill the memory."""

from __future__ import annotations

import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
import test_bad_input
from test_bad_input import (
    AREAS,
    DATA,
    DESIGN,
    HEADER,
    MONTHS,
    POLICE,
    PROTOCOL,
    USAGE,
    Command,
    refused,
    sound_rows,
    street_file,
    street_zip,
    write_counts,
)

from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.protocol import load_protocol
from whatworks_eval.protocol_tables import Outcome
from whatworks_eval.sources.survey import load_survey
from whatworks_eval.sources.tables import read_table

run = test_bad_input.run  # the fixture: a design as changed, on the files as planted


def test_one_area_written_in_two_ways_is_refused(run: Command, tmp_path: Path) -> None:
    """'a01' beside 'A01' would be two areas, each with zeros where the other has its counts."""
    for other in ("a01", "A 01", "A\u200b01"):
        rows = [[other if row[0] == "A01" and row[1] >= "2019" else row[0], *row[1:]] for row in sound_rows()]
        write_counts(tmp_path, rows)
        refused(run(), DATA, "counts.csv, row", "'A01'", "write each area one way")


def test_names_that_a_blank_tells_apart_are_two_areas(run: Command, tmp_path: Path) -> None:
    """Seven pairs of wards differ in a blank alone (Red Hill, Redhill); so do beats '1 12' and '11 2'."""
    name = {"A07": "Red Hill", "A08": "Redhill", "A09": "1 12", "A10": "11 2"}
    write_counts(tmp_path, [[name.get(row[0], row[0]), *row[1:]] for row in sound_rows()])
    code, _, said = run()
    assert code == 0, said


@pytest.mark.parametrize("cell", ["1,000", "1.000", "12,345", "1.234.567"])
def test_a_thousand_between_semicolons_is_refused(run: Command, tmp_path: Path, cell: str) -> None:
    """'1,000' in a file of semicolons was read as one incident; it may be a thousand."""
    rows = sound_rows()
    rows[10][2] = cell
    lines = [";".join(row) for row in [list(HEADER), *rows]]
    (tmp_path / "counts.csv").write_text("\n".join(lines), encoding="utf-8")
    refused(run(), DATA, "counts.csv, row 12", cell)


@pytest.mark.parametrize("period", ["9999-12", "0018-01", "0018-01-31"])
def test_a_year_that_cannot_be_is_refused(run: Command, tmp_path: Path, period: str) -> None:
    """A slip in a year made thousands of months, or ran past the end of the calendar."""
    rows = sound_rows()
    rows[0][1] = period
    write_counts(tmp_path, rows)
    refused(run(), DATA, "counts.csv, row 2", period)


@pytest.mark.parametrize("cell", ["1e300", "9" * 400])
def test_more_incidents_than_there_can_be(run: Command, tmp_path: Path, cell: str) -> None:
    """A count that overflows where it is squared is named with its row."""
    rows = sound_rows()
    rows[0][2] = cell
    write_counts(tmp_path, rows)
    refused(run(), DATA, "counts.csv, row 2")


def test_areas_without_a_row_are_told(run: Command, tmp_path: Path) -> None:
    """A treated area that leaves the file is taken as zero, and the ledger says which and how often."""
    rows = [row for row in sound_rows() if not (row[0] == "A01" and row[1] >= "2019")]
    write_counts(tmp_path, rows)
    code, out, _ = run(words=("run", "x.toml", "--json", "-"))
    assert code == 0
    notes = json.loads(out)["ledger"]["notes"]
    assert any("12 areas by month have no row" in note and "A01 in 12" in note for note in notes)


def test_control_characters_of_a_file_do_not_reach_the_terminal(run: Command, tmp_path: Path) -> None:
    """What a terminal would obey is written out."""
    rows = sound_rows()
    rows[10][2] = "\x1b]0;owned\x07\u202e"
    write_counts(tmp_path, rows)
    answer = run()
    refused(answer, DATA, r"\x1b]0;owned\x07\u202e")
    assert "\x1b" not in answer[2]


def test_a_date_in_a_count_of_a_workbook(run: Command, tmp_path: Path) -> None:
    """Excel's date in place of a count is named with its row."""
    rows: list[list[object]] = [list(HEADER), *sound_rows()]
    rows[4][2] = datetime(2018, 1, 1)
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "counts.xlsx")
    refused(run(("counts.csv", "counts.xlsx")), DATA, "counts.xlsx, row 5", "2018-01-01")


def test_a_workbook_with_a_damaged_part(run: Command, tmp_path: Path) -> None:
    """A worksheet cut short, or one that swells a thousandfold, is refused by name."""
    book = openpyxl.Workbook()
    book.active.append(["area", "period", "count"])
    book.save(tmp_path / "whole.xlsx")
    for says, change in (
        ("not a readable XLSX file", lambda data: data[: len(data) // 2]),
        ("would unpack to", lambda data: data + b" " * 60_000_000),
    ):
        with (
            zipfile.ZipFile(tmp_path / "whole.xlsx") as whole,
            zipfile.ZipFile(tmp_path / "counts.xlsx", "w", zipfile.ZIP_DEFLATED) as made,
        ):
            for name in whole.namelist():
                data = whole.read(name)
                made.writestr(name, change(data) if "sheet1" in name else data)
        refused(run(("counts.csv", "counts.xlsx")), DATA, "counts.xlsx", says)


def test_lists_and_bytes_in_parquet(run: Command, tmp_path: Path) -> None:
    """Cells that are no plain values are named with their row."""
    import pandas as pd

    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(sound_rows(), columns=list(HEADER))
    for column in ("count", "period"):
        frame.assign(**{column: [[1]] * len(frame)}).to_parquet(tmp_path / "counts.parquet")
        refused(run(("counts.csv", "counts.parquet")), DATA, "counts.parquet, row 2", "[1]")


TREATED = ('treated = ["A01", "A02", "A03", "A04", "A05", "A06"]', 'treated = ["E01014370"]')


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("On or near X", '"On or near X', "line 2: a quotation mark"),
        ("E0101", "e0101", "LSOA code 'e0101437"),
        (",E0101", ", E0101", "LSOA code ' E0101437"),
        ("E01014370", "=cmd()", "LSOA code '=cmd()'"),
    ],
)
def test_a_street_file_that_would_lose_rows(
    run: Command, tmp_path: Path, old: str, new: str, says: str
) -> None:
    """An open quote swallowed the rest of a file without a line; a code in two spellings split an area."""
    members = {f"{m}/{m}-force-street.csv": street_file(m) for m in MONTHS}
    name = f"{MONTHS[5]}/{MONTHS[5]}-force-street.csv"
    members[name] = members[name].replace(old, new, 1 if '"' in new else -1)
    street_zip(tmp_path, members)
    refused(run(POLICE, TREATED), DATA, f"{MONTHS[5]}-force-street.csv", says)


def test_a_zip_with_a_damaged_member_or_one_that_swells(run: Command, tmp_path: Path) -> None:
    """Bytes changed on the way, a member of zeros, and a month that cannot be, are refused by name."""
    members = {f"{m}/{m}-force-street.csv": street_file(m) for m in MONTHS}
    street_zip(tmp_path, members)
    whole = (tmp_path / "download.zip").read_bytes()
    damaged = whole[:200] + bytes(byte ^ 255 for byte in whole[200:210]) + whole[210:]
    (tmp_path / "download.zip").write_bytes(damaged)
    refused(run(POLICE, TREATED), DATA, "download.zip", "not a whole zip file")
    street_zip(tmp_path, members | {"2018-01-other-street.csv": "0" * 60_000_000})
    refused(run(POLICE, TREATED), DATA, "2018-01-other-street.csv", "would unpack to")
    street_zip(tmp_path, members | {"9999-12-force-street.csv": street_file("9999-12")})
    refused(run(POLICE, TREATED), DATA, "9999-12-force-street.csv", "9999")


def test_a_file_that_may_not_be_read(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file closed to the user is his to open, not a fault of the tool."""
    opened = Path.open

    def closed(self: Path, *words: Any, **more: Any) -> Any:
        if self.name == "counts.csv":
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *words, **more)

    monkeypatch.setattr(Path, "open", closed)
    refused(run(), DATA, "counts.csv", "Permission denied")


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5000 + "]" * 5000, "seed = " + "9" * 5000, ".".join("a" * 3000) + " = 1"]
)
def test_a_design_nested_too_deeply_or_with_a_monstrous_number(tmp_path: Path, text: str) -> None:
    """What TOML allows and Python cannot hold is the file's fault."""
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolError, match=r"x\.toml"):
        load_protocol(tmp_path / "x.toml")


def test_rates_of_recording_that_are_no_shares(run: Command) -> None:
    """A rate of 0 or below was divided by, or its logarithm taken."""
    for rate in ("0", "-1", "inf", "nan", "101"):
        rates = f'[{{ treated = [{rate}, 85], comparison = [90, 90], source = "a" }}]'
        context = f"[context]\nrecording_rates = {rates}\n[windows]"
        refused(run(("[windows]", context)), PROTOCOL, "context.recording_rates[1].treated[1]")


def test_covariates_that_are_no_table(run: Command) -> None:
    """With method did too, a number where tables belong is named."""
    answer = run(('method = "relative-effect"', 'method = "did"\ncovariates = 2'))
    refused(answer, PROTOCOL, "`covariates` is 2")


def test_totals_out_of_all_range(run: Command) -> None:
    """Numbers that overflow where they are squared are refused."""
    source = 'source = "counts"\npath = "counts.csv"'
    start = DESIGN.index("[windows]")
    for wrong in (
        "treated = [1e300, 4]",
        "treated = [5, 4]\nperiods = [1e-300, 1]",
        "treated = [5, 4]\ndispersion = 1e300",
    ):
        totals = f'source = "totals"\n[outcome.totals]\ncomparison = [5, 6]\n{wrong}'
        refused(run((DESIGN[start:], ""), (source, totals)), DATA, "outcome.totals")
    weights = "treated = [5, 4]\narea_weights = { treated = inf }"
    totals = f'source = "totals"\n[outcome.totals]\ncomparison = [5, 6]\n{weights}'
    refused(run((DESIGN[start:], ""), (source, totals)), DATA, "area_weights.treated")


def test_names_too_long_for_a_disk(run: Command) -> None:
    """A slip of the hand at the prompt is told as one."""
    long = "a" * 5000
    refused(run(words=("run", long)), PROTOCOL, "cannot be read")
    refused(run(words=("run", "x.toml", "--out", long)), USAGE, "cannot be written")
    refused(run(words=("panel", long, "--out", "x.csv")), DATA, "cannot be read")
    refused(run(("counts.csv", long)), DATA, "cannot be read")


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("residents", "-5", "residents"),
        ("residents", "1e12", "more residents than there are people"),
        ("footfall", "1e300", "row 2"),
        ("footfall", "inf", "row 2"),
    ],
)
def test_a_covariate_that_cannot_be(run: Command, tmp_path: Path, column: str, cell: str, says: str) -> None:
    """Numbers that no area can have, or that overflow where they are multiplied, are refused by name."""
    cells = [cell, *(["1500"] * (len(AREAS) - 1))]
    lines = [f"{area},{value}" for area, value in zip(AREAS, cells, strict=True)]
    (tmp_path / "known.csv").write_text("\n".join([f"area,{column}", *lines]), encoding="utf-8")
    table = f'[covariates.{column}]\npath = "known.csv"\ncolumn = "{column}"\n[windows]'
    refused(run(("[windows]", table)), DATA, f"`covariates.{column}`: known.csv", says)


@pytest.mark.parametrize("column", ["period", "noted"])
def test_times_with_a_zone_in_parquet(tmp_path: Path, column: str) -> None:
    """Which column, why and what to do: not that another package has to be installed."""
    path = tmp_path / "counts.parquet"
    connection = duckdb.connect(":memory:")
    zoned = f"SELECT 'A01' AS area, TIMESTAMPTZ '2018-01-31 23:30:00+00' AS {column}, 3 AS count"
    connection.sql(f"COPY ({zoned}) TO '{path}' (FORMAT parquet)")
    connection.close()
    with pytest.raises(DataError, match=rf"times with a time zone in '{column}'.* without a zone"):
        read_table(path)


@pytest.mark.parametrize("row", ["A01,9999-Q4,50,100", "A01,2018-Q1,50,1e300"])
def test_a_survey_that_cannot_be(tmp_path: Path, row: str) -> None:
    """A date past the end of the calendar, or more respondents than people, is named with its row."""
    rest = "\n".join(f"{area},{year}-Q1,50,100" for area in AREAS for year in (2018, 2019))
    (tmp_path / "survey.csv").write_text(f"area,period,percent,base\n{row}\n{rest}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"survey\.csv, row 2"):
        load_survey(
            tmp_path / "survey.csv",
            Outcome(source="survey", path="survey.csv", percent="percent"),
            period_kind="quarter",
        )
