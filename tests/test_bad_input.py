"""Bad input, end to end: each gets a clear error with its place, a fix and the right exit code."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from whatworks_eval import cli

PROTOCOL, DATA, CANNOT, USAGE = 10, 11, 12, 2
MONTHS = [f"{year}-{month:02d}" for year in (2018, 2019) for month in range(1, 13)]
AREAS = [f"A{n:02d}" for n in range(1, 25)]
HEADER = ("area", "period", "count")
Rows = list[list[str]]

DESIGN = """
schema = 1
id = "trial"
question = "Did it fall?"
method = "relative-effect"
[intervention]
name = "Patrol"
start = "2019-01"
assignment = "volunteer"
[outcome]
source = "counts"
path = "counts.csv"
[windows]
before = ["2018-01", "2018-12"]
after = ["2019-01", "2019-12"]
[areas]
treated = ["A01", "A02", "A03", "A04", "A05", "A06"]
comparison = "rest"
unit = "area"
"""


def sound_rows() -> Rows:
    """Counts by area and month that vary a little and do not change."""
    return [
        [area, month, str(5 + (7 * place + 3 * position) % 11)]
        for place, area in enumerate(AREAS)
        for position, month in enumerate(MONTHS)
    ]


def write_counts(folder: Path, rows: Rows, header: tuple[str, ...] = HEADER, encoding: str = "utf-8") -> None:
    """A CSV file of counts beside the design."""
    text = io.StringIO()
    csv.writer(text).writerows([list(header), *rows])
    (folder / "counts.csv").write_bytes(text.getvalue().encode(encoding))


def street_zip(folder: Path, members: dict[str, str]) -> None:
    """A zip of street files beside the design."""
    with zipfile.ZipFile(folder / "download.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)


def street_file(month: str) -> str:
    """Rows of one force-month, as police.uk writes them."""
    head = (
        "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
        "Crime type,Last outcome category,Context\n"
    )
    rows = [
        f"{month}{place}{n},{month},Force,Force,{-2.6 + place / 100},51.4{place},On or near X,"
        f"E0101437{place},Town 00{place}A,Burglary,Under investigation,\n"
        for place in range(8)
        for n in range(3)
    ]
    return head + "".join(rows)


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the design as changed, on the files as planted; exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    write_counts(tmp_path, sound_rows())

    def command(
        *changes: tuple[str, str], words: tuple[str, ...] = ("run", "x.toml")
    ) -> tuple[int, str, str]:
        text = DESIGN
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "x.toml").write_text(text, encoding="utf-8")
        with pytest.raises(SystemExit) as left:
            cli.main(words)
        shown = capsys.readouterr()
        return int(left.value.code or 0), shown.out, shown.err

    return command


Command = Callable[..., tuple[int, str, str]]
POLICE = ('source = "counts"\npath = "counts.csv"', 'source = "police-uk"\npath = "download.zip"')


def refused(answer: tuple[int, str, str], code: int, *said: str) -> None:
    """Nothing on standard output, each phrase on standard error, no traceback, the right code."""
    left, out, err = answer
    assert out == ""
    for phrase in said:
        assert phrase in err, err
    assert "Traceback" not in err
    assert left == code, err


def test_the_sound_design_on_the_sound_file_is_evaluated(run: Command) -> None:
    """What the cases below start from is sound, so that each shows what it plants."""
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "level" in out


def test_missing_protocol(run: Command) -> None:
    """A protocol that is not there."""
    refused(run(words=("run", "y.toml")), PROTOCOL, "y.toml", "no such file", "did you mean 'x.toml'")


def test_toml_syntax(run: Command) -> None:
    """A period without quotes is named with its line."""
    refused(run(('start = "2019-01"', "start = 2019-01")), PROTOCOL, "x.toml", "line 8", "quotes")


def test_unknown_key(run: Command) -> None:
    """A misspelt key is named with the one meant."""
    refused(run(("treated =", "treeted =")), PROTOCOL, "`areas.treeted`", "did you mean `areas.treated`")


def test_overlapping_windows(run: Command) -> None:
    """Windows that overlap contradict each other."""
    refused(run(('"2018-12"]', '"2019-02"]')), PROTOCOL, "overlap")


def test_an_area_in_both_arms(run: Command) -> None:
    """An area cannot be compared with itself."""
    refused(run(('comparison = "rest"', 'comparison = ["A06", "A07"]')), PROTOCOL, "'A06' in both")


def test_unknown_offence(run: Command, tmp_path: Path) -> None:
    """An offence that police.uk does not have is named with the one meant."""
    street_zip(tmp_path, {f"{m}/{m}-force-street.csv": street_file(m) for m in MONTHS})
    treated = ('treated = ["A01", "A02", "A03", "A04", "A05", "A06"]', 'treated = ["E01014370"]')
    answer = run((POLICE[0], f'{POLICE[1]}\noffences = ["Burglery"]'), treated)
    refused(answer, PROTOCOL, "outcome.offences", "Burglery", "did you mean 'Burglary'")


def test_missing_file(run: Command) -> None:
    """A data file that is not there."""
    refused(run(("counts.csv", "nowhere.csv")), DATA, "nowhere.csv")


def test_missing_column(run: Command, tmp_path: Path) -> None:
    """A column that is not there is named with those that are."""
    write_counts(tmp_path, sound_rows(), header=("area", "month", "count"))
    refused(run(), DATA, "counts.csv", "period", "month")


def test_text_in_a_count(run: Command, tmp_path: Path) -> None:
    """Text where a number belongs is named with its row."""
    rows = sound_rows()
    rows[10][2] = "many"
    write_counts(tmp_path, rows)
    refused(run(), DATA, "counts.csv", "row 12", "many")


def test_negative_count(run: Command, tmp_path: Path) -> None:
    """A count below zero is named with its row."""
    rows = sound_rows()
    rows[3][2] = "-2"
    write_counts(tmp_path, rows)
    refused(run(), DATA, "counts.csv", "row 5", "-2")


def test_duplicate_area_and_period(run: Command, tmp_path: Path) -> None:
    """An area and period that is there twice is named."""
    rows = sound_rows()
    write_counts(tmp_path, [*rows, rows[30]])
    refused(run(), DATA, "counts.csv", "A02", "2018-07")


def test_every_fault_of_a_file_at_once(run: Command, tmp_path: Path) -> None:
    """Faults in two rows are told together."""
    rows = sound_rows()
    rows[10][2], rows[20][2] = "many", "few"
    write_counts(tmp_path, rows)
    refused(run(), DATA, "row 12", "row 22")


def test_treated_area_absent_from_the_data(run: Command) -> None:
    """A treated area without data is named."""
    refused(run(('"A06"]', '"A6"]')), DATA, "areas.treated", "A6")


def test_empty_after_window(run: Command, tmp_path: Path) -> None:
    """A window without any data."""
    write_counts(tmp_path, [row for row in sound_rows() if row[1] < "2019"])
    code, out, err = run()
    assert (code in {DATA, CANNOT}, out) == (True, "")
    assert "after" in err
    assert "Traceback" not in err


def test_empty_file(run: Command, tmp_path: Path) -> None:
    """A file with nothing in it, and one with only its header."""
    (tmp_path / "counts.csv").write_bytes(b"")
    refused(run(), DATA, "counts.csv")
    write_counts(tmp_path, [])
    refused(run(), DATA, "counts.csv")


def test_wrong_encoding(run: Command, tmp_path: Path) -> None:
    """Text of no known encoding is refused; Windows text is read as that, and the report says so."""
    rows = [["Caf\xe9 Row" if row[0] == "A01" else row[0], *row[1:]] for row in sound_rows()]
    write_counts(tmp_path, rows, encoding="cp1252")
    code, _, err = run(('"A01"', '"Caf\xe9 Row"'))
    assert (code, err) == (0, "")
    page = (tmp_path / "out" / "trial" / "report.html").read_text("utf-8")
    assert "read as Windows-1252" in page
    (tmp_path / "counts.csv").write_bytes(b"area,period,count\nCaf\x81,2018-01,3\n")
    refused(run(), DATA, "counts.csv", "UTF-8")


def test_a_zip_that_climbs_out(run: Command, tmp_path: Path) -> None:
    """A member with a path out of the archive is refused and nothing is written."""
    street_zip(tmp_path, {"../../2018-01-force-street.csv": street_file("2018-01")})
    refused(run(POLICE), DATA, "download.zip", "..")
    assert not (tmp_path.parent.parent / "2018-01-force-street.csv").exists()


def test_a_truncated_zip(run: Command, tmp_path: Path) -> None:
    """Half a zip is named as damaged."""
    street_zip(tmp_path, {f"{m}/{m}-force-street.csv": street_file(m) for m in MONTHS})
    whole = (tmp_path / "download.zip").read_bytes()
    (tmp_path / "download.zip").write_bytes(whole[: len(whole) // 2])
    refused(run(POLICE), DATA, "download.zip")


def test_a_zip_of_something_else(run: Command, tmp_path: Path) -> None:
    """A zip without street files says what it looked for."""
    street_zip(tmp_path, {"letter.txt": "Dear all"})
    refused(run(POLICE), DATA, "download.zip", "street")


def test_html_in_a_name_is_text_in_the_report(run: Command, tmp_path: Path) -> None:
    """A name with markup in it is data: the report shows it and no browser runs it."""
    evil = "<script>alert(1)</script>"
    rows = [[evil if row[0] == "A01" else row[0], *row[1:]] for row in sound_rows()]
    write_counts(tmp_path, rows)
    code, _, err = run(('"A01"', f'"{evil}"'), ('name = "Patrol"', f'name = "{evil}"'))
    assert (code, err) == (0, "")
    page = (tmp_path / "out" / "trial" / "report.html").read_text("utf-8")
    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page


def test_output_path_is_a_file(run: Command, tmp_path: Path) -> None:
    """A file in the way of the report."""
    (tmp_path / "out").write_text("", encoding="utf-8")
    refused(run(), USAGE, "out is a file")


def test_unknown_dataset(run: Command) -> None:
    """A dataset that does not ship is named with the one meant."""
    change = (
        'source = "counts"\npath = "counts.csv"',
        'source = "dataset"\ndataset = "../simulated-neighbour"',
    )
    refused(run(change), DATA, "'../simulated-neighbour'", "simulated-neighbourhoods")


def test_an_areas_file_that_is_not_there(run: Command) -> None:
    """A file of areas that is missing is named."""
    change = ('treated = ["A01", "A02", "A03", "A04", "A05", "A06"]', 'treated = { file = "areas.csv" }')
    refused(run(change), DATA, "areas.csv")


def test_an_areas_file_without_the_column(run: Command, tmp_path: Path) -> None:
    """A column that a file of areas lacks is named."""
    (tmp_path / "areas.csv").write_text("code\nA01\n", encoding="utf-8")
    change = ('treated = ["A01", "A02", "A03", "A04", "A05", "A06"]', 'treated = { file = "areas.csv" }')
    refused(run(change), DATA, "areas.csv", "area")


def test_unknown_rule(run: Command) -> None:
    """A rule that does not exist is a matter of usage."""
    refused(run(words=("explain", "no.such-rule")), USAGE, "no.such-rule")
