"""police.uk street files: what is read, what is left out and why, and what is refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from whatworks_eval.errors import DataError
from whatworks_eval.panel import Panel
from whatworks_eval.sources.police_uk import load_police_uk
from whatworks_eval.sources.police_uk_files import HEADER, street_files

ASB, BURGLARY = "Anti-social behaviour", "Burglary"
HOME = "E01000001"
Row = tuple[str, ...]


def row(
    month: str = "2018-01",
    area: str = HOME,
    offence: str = ASB,
    crime: str = "",
    name: str = "Northtown 001A",
    at: tuple[str, str] = ("-2.500000", "51.400000"),
    force: str = "Northshire Police",
) -> Row:
    """One street-level row; a blank area is a row without location."""
    x, y = at if area else ("", "")
    place = "On or near " if area else "No Location"
    return (crime, month, force, force, x, y, place, area, name if area else "", offence, "", "")


def text(rows: Iterable[Row], header: str = HEADER, newline: str = "\r\n") -> str:
    """A street file."""
    return newline.join([header, *(",".join(cells) for cells in rows)]) + newline


def write(folder: Path, month: str, rows: Iterable[Row], force: str = "northshire", **how: str) -> Path:
    """A street file in police.uk's own nested layout."""
    path = folder / month / f"{month}-{force}-street.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text(rows, **how).encode())
    return path


def identity(panel: Panel) -> None:
    """Every row read is used, or excluded under a reason."""
    ledger = panel.ledger
    assert ledger.read == ledger.used + ledger.excluded_rows
    assert ledger.used == np.nansum(panel.counts)
    assert ledger.read == sum(file.rows for file in ledger.files)


def excluded(panel: Panel) -> dict[str, int]:
    """Reason, then rows."""
    return {reason: sum(months.values()) for reason, months in panel.ledger.excluded.items()}


def test_a_covered_month_without_a_row_is_zero_and_a_month_without_a_file_is_missing(tmp_path: Path) -> None:
    """The zero is a count; the missing month is NaN, not observed, and named in the ledger."""
    write(tmp_path, "2018-01", [row(), row(), row(area="E01000002", name="Northtown 001B")])
    write(tmp_path, "2018-03", [row("2018-03")])
    panel = load_police_uk(tmp_path)
    assert panel.areas == ("E01000001", "E01000002")
    assert panel.periods == ("2018-01", "2018-02", "2018-03")
    np.testing.assert_array_equal(panel.counts, [[2, np.nan, 1], [1, np.nan, 0]])
    np.testing.assert_array_equal(panel.observed, [[True, False, True]] * 2)
    assert panel.ledger.periods_without_file == {"Northshire Police": ("2018-02",)}
    identity(panel)


def test_rows_are_excluded_under_the_first_reason_that_applies(tmp_path: Path) -> None:
    """Wrong month, other offence, no location, outside home: each row once, by month."""
    rows = [row() for _ in range(40)]
    rows += [row("2017-12"), row(offence=BURGLARY), row(offence=BURGLARY, area=""), row(area="")]
    rows += [row(area="E01000907", name="Southtown 021A")]
    write(tmp_path, "2018-01", rows)
    panel = load_police_uk(tmp_path, offences=[ASB])
    assert excluded(panel) == {
        "month in the row is not the file's": 1,
        "other offence": 2,
        "no location": 1,
        "outside home areas": 1,
    }
    assert panel.ledger.excluded["no location"] == {"2018-01": 1}
    assert panel.ledger.forces == {"Northshire Police": {"2018-01": (42, 1)}}
    identity(panel)


def test_an_area_with_rows_of_other_offences_only_stays_in_as_zeros(tmp_path: Path) -> None:
    """Home areas come from every offence, so an area without the wanted one is a true zero."""
    write(tmp_path, "2018-01", [row(), row(offence=BURGLARY, area="E01000002", name="Northtown 001B")])
    panel = load_police_uk(tmp_path, offences=[ASB])
    np.testing.assert_array_equal(panel.counts, [[1], [0]])
    assert any("1 of 2 areas recorded none" in note for note in panel.ledger.notes)


@pytest.mark.parametrize("layout", ["nested", "flat", "zip", "zip in a folder of its own", "one file"])
def test_every_layout_of_a_download_gives_the_same_panel(tmp_path: Path, layout: str) -> None:
    """Nested or flat, a folder, a zip or a single file."""
    path = write(tmp_path / "source", "2018-01", [row(), row()])
    target = tmp_path / "source"
    if layout == "flat":
        path.rename(target / path.name)
    elif layout.startswith("zip"):
        inside = "2018-01/" if layout == "zip" else "download (1)/2018-01/"
        target = tmp_path / "x.zip"
        with zipfile.ZipFile(target, "w") as archive:
            archive.write(path, inside + path.name)
    elif layout == "one file":
        target = path
    panel = load_police_uk(target)
    assert panel.counts.tolist() == [[2]]
    assert all(len(file.sha256) == 64 for file in panel.ledger.files)
    identity(panel)


def test_members_of_a_zip_are_gone_afterwards(tmp_path: Path) -> None:
    """The temporary folder does not outlive the reading."""
    path = write(tmp_path, "2018-01", [row()])
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.write(path, path.name)
    with street_files(archive) as found:
        inside = found.files[0].path
        assert inside.is_file()
    assert not inside.exists()


def test_only_street_files_count_and_the_rest_is_said_to_be_passed_over(tmp_path: Path) -> None:
    """Outcomes and stop-and-search files beside street files are not errors, and not counted."""
    path = write(tmp_path, "2018-01", [row()])
    for name in ("2018-01-northshire-outcomes.csv", "2018-01-northshire-stop-and-search.csv"):
        (path.parent / name).write_text("whatever")
    (path.parent / "2018-01-northshire-street - Copy.csv").write_text("whatever")
    panel = load_police_uk(tmp_path)
    notes = " ".join(panel.ledger.notes)
    assert "1 outcomes files passed over" in notes
    assert "1 stop-and-search files passed over" in notes
    assert "'2018-01-northshire-street - Copy.csv' passed over" in notes
    assert panel.ledger.read == 1


SHUFFLED = "LSOA name,LSOA code,Crime type,Month,Latitude,Longitude"


@pytest.mark.parametrize(
    "remake",
    [
        lambda plain: plain.replace("\r\n", "\n"),
        lambda plain: "\ufeff" + plain,
        lambda plain: plain.replace(HEADER, HEADER.lower().replace(" ", "_")),
        lambda plain: plain.replace(HEADER, HEADER.upper()),
        lambda plain: plain.rstrip("\r\n"),
        lambda plain: (
            SHUFFLED + "\r\n" + "Northtown 001A,E01000001,Anti-social behaviour,2018-01,51.4,-2.5\r\n" * 2
        ),
        lambda plain: plain.replace(",Context", ",Context,Context,").replace(ASB + ",,", ASB + ",,,,"),
    ],
    ids=["LF", "BOM", "snake_case", "upper case", "no last newline", "other order", "more columns"],
)
def test_header_and_line_variants_read_alike(tmp_path: Path, remake: Callable[[str], str]) -> None:
    """What people and programmes do to a CSV on the way does not change the counts."""
    path = write(tmp_path, "2018-01", [])
    path.write_bytes(remake(text([row(), row()])).encode())
    panel = load_police_uk(tmp_path, offences=[ASB])
    assert panel.counts.tolist() == [[2]]
    assert panel.centroids is not None
    np.testing.assert_allclose(panel.centroids, [[365317, 166895]], atol=10)


def test_files_with_different_headers_are_read_together(tmp_path: Path) -> None:
    """Headers differ from file to file within one download."""
    write(tmp_path, "2018-01", [row()])
    write(tmp_path, "2018-02", [row("2018-02")] * 2, header=HEADER.lower().replace(" ", "_"))
    assert load_police_uk(tmp_path).counts.tolist() == [[1, 2]]


def test_quoted_commas_odd_characters_and_markup_are_data(tmp_path: Path) -> None:
    """A street called <b>, with a comma, is a street."""
    cells = list(row(name='"<script>Northtown</script> 001A"'))
    cells[6] = '"On or near <b>High Street</b>, ""The Corner"""'
    write(tmp_path, "2018-01", [tuple(cells)])
    assert load_police_uk(tmp_path).counts.tolist() == [[1]]


def test_a_folder_whose_name_looks_like_a_pattern_is_read_as_it_is(tmp_path: Path) -> None:
    """Brackets, asterisks and quotes in a path are not wild cards."""
    folder = tmp_path / "data [2018] it's"
    write(folder, "2018-01", [row()])
    assert load_police_uk(folder).counts.tolist() == [[1]]


def test_rows_without_location_are_counted_by_force_and_month(tmp_path: Path) -> None:
    """Coordinates without an LSOA code are no location either."""
    stray = list(row())
    stray[7] = stray[8] = ""
    write(tmp_path, "2018-01", [row(), row(area=""), tuple(stray)])
    panel = load_police_uk(tmp_path)
    assert excluded(panel) == {"no location": 2}
    assert panel.ledger.forces["Northshire Police"]["2018-01"] == (3, 2)


# --- Crime IDs ---------------------------------------------------------------------------------------------


def test_identical_rows_are_all_counted_unless_deduplication_is_asked_for(tmp_path: Path) -> None:
    """Anti-social behaviour has no ID: its twins are separate incidents."""
    write(tmp_path, "2018-01", [row(), row(), row(crime="a"), row(crime="a")])
    assert load_police_uk(tmp_path).counts.tolist() == [[4]]
    panel = load_police_uk(tmp_path, deduplicate=True)
    assert panel.counts.tolist() == [[3]]
    assert excluded(panel) == {"repeated Crime ID": 1}
    identity(panel)


def test_a_crime_id_counts_once_in_its_first_month_and_area(tmp_path: Path) -> None:
    """Across months the earliest stays; within a month the area that comes first; rows of others stay out."""
    other = ("E01000002", BURGLARY, "x", "Northtown 001B")
    write(tmp_path, "2018-01", [row(crime="y"), row("2018-01", *other), row(offence=BURGLARY, crime="x")])
    write(
        tmp_path, "2018-02", [row("2018-02", offence=BURGLARY, crime="x"), row("2018-02", area="", crime="y")]
    )
    panel = load_police_uk(tmp_path, deduplicate=True)
    np.testing.assert_array_equal(panel.counts, [[2, 0], [0, 0]])
    assert panel.ledger.excluded["repeated Crime ID"] == {"2018-01": 1, "2018-02": 1}
    assert panel.ledger.excluded["no location"] == {"2018-02": 1}
    assert any("2 of 4 rows with an ID repeat one" in note for note in panel.ledger.notes)
    identity(panel)


def test_deduplication_without_an_id_column_changes_nothing(tmp_path: Path) -> None:
    """A file without Crime IDs has none to repeat."""
    path = write(tmp_path, "2018-01", [])
    path.write_text(SHUFFLED + "\n" + "Northtown 001A,E01000001,Drugs,2018-01,51.4,-2.5\n" * 3)
    assert load_police_uk(tmp_path, deduplicate=True).counts.tolist() == [[3]]


# --- forces and home areas ---------------------------------------------------------------------------------


def test_an_area_belongs_to_the_force_with_most_rows_and_counts_only_its_rows(tmp_path: Path) -> None:
    """The other force's rows there are excluded under a reason of their own."""
    write(tmp_path, "2018-01", [row()] * 9 + [row(area="E01000907", name="Southtown 021A")] * 2)
    write(
        tmp_path,
        "2018-01",
        [row(area="E01000907", name="Southtown 021A", force="Southshire Police")] * 9
        + [row(force="Southshire Police")],
        "southshire",
    )
    write(tmp_path, "2018-02", [row("2018-02")], "northshire")
    panel = load_police_uk(tmp_path)
    assert panel.forces == {"E01000001": "Northshire Police", "E01000907": "Southshire Police"}
    np.testing.assert_array_equal(panel.counts, [[9, 1], [9, np.nan]])
    assert excluded(panel) == {"recorded by another force": 3}
    assert panel.ledger.periods_without_file == {"Southshire Police": ("2018-02",)}
    identity(panel)


def test_home_all_takes_every_area_and_home_codes_take_just_those(tmp_path: Path) -> None:
    """A code without a row is an area with zeros."""
    write(tmp_path, "2018-01", [row()] * 30 + [row(area="E01000907", name="Southtown 021A")])
    assert load_police_uk(tmp_path).areas == (HOME,)
    assert load_police_uk(tmp_path, home="all").areas == (HOME, "E01000907")
    panel = load_police_uk(tmp_path, home=["E01000907", "E01009999"])
    assert panel.areas == ("E01000907", "E01009999")
    np.testing.assert_array_equal(panel.counts, [[1], [0]])
    assert panel.centroids is not None
    assert np.isnan(panel.centroids[1]).all()
    identity(panel)


# --- categories --------------------------------------------------------------------------------------------


def test_an_unknown_offence_is_an_error_with_the_likely_name(tmp_path: Path) -> None:
    """Every wrong name at once, each with what was probably meant."""
    write(tmp_path, "2018-01", [row(), row(offence=BURGLARY)])
    with pytest.raises(DataError) as caught:
        load_police_uk(tmp_path, offences=["Antisocial behaviour", "burglery", BURGLARY])
    assert len(caught.value.problems) == 2
    assert "'Antisocial behaviour' is not in the files; did you mean 'Anti-social behaviour'?" in str(
        caught.value
    )
    assert "did you mean 'Burglary'?" in str(caught.value)
    assert caught.value.exit_code == 11


def test_a_known_offence_that_did_not_happen_is_zero(tmp_path: Path) -> None:
    """Robbery can be absent from a small force's month: the file is there, so the count is zero."""
    write(tmp_path, "2018-01", [row()])
    panel = load_police_uk(tmp_path, offences=["Robbery"])
    assert panel.counts.tolist() == [[0]]
    assert any("No row of 'Robbery'" in note for note in panel.ledger.notes)


def test_a_category_that_changed_its_meaning_is_not_chained(tmp_path: Path) -> None:
    """'Drugs' in the old list and in today's are not one series; burglary is, and so are all together."""
    write(tmp_path, "2013-04", [row("2013-04"), row("2013-04", offence="Public disorder and weapons")])
    write(tmp_path, "2013-05", [row("2013-05"), row("2013-05", offence="Drugs")])
    with pytest.raises(DataError, match=r"'Drugs' does not mean the same .* 2013-05 \(eleven to fourteen\)"):
        load_police_uk(tmp_path, offences=["Drugs"])
    assert load_police_uk(tmp_path, offences=[ASB]).counts.tolist() == [[1, 1]]
    assert load_police_uk(tmp_path).counts.tolist() == [[2, 2]]


# --- LSOA vintages -----------------------------------------------------------------------------------------


def test_months_on_2011_and_2021_areas_are_not_put_in_one_panel(tmp_path: Path) -> None:
    """Areas that were split would seem to fall to zero at the change."""
    old = [row(area=f"E0100{n:04d}", name="Northtown 001A") for n in range(1, 600)]
    write(tmp_path, "2018-01", old)
    assert load_police_uk(tmp_path).boundaries == 2011
    new = [row("2018-02", area="E01035110"), row("2018-02")]
    write(tmp_path, "2018-02", new)
    with pytest.raises(DataError, match="2018-02 is the first month with 2021 codes"):
        load_police_uk(tmp_path)
    (tmp_path / "2018-01" / "2018-01-northshire-street.csv").unlink()
    assert load_police_uk(tmp_path).boundaries == 2021


# --- what is refused ---------------------------------------------------------------------------------------


def refused(path: Path, says: str) -> None:
    """Reading ends in a DataError, exit code 11, that says this."""
    with pytest.raises(DataError) as caught:
        load_police_uk(path)
    assert says in str(caught.value)
    assert caught.value.exit_code == 11


def test_the_same_force_month_twice_is_an_error_naming_both_files(tmp_path: Path) -> None:
    """Two downloads of a month differ in outcomes and sometimes in rows."""
    write(tmp_path / "first", "2018-01", [row()])
    write(tmp_path / "second", "2018-01", [row()])
    refused(
        tmp_path,
        "second/2018-01/2018-01-northshire-street.csv: northshire 2018-01 is here twice, also as first/",
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (text([row()]).split("\r\n", 1)[1].encode(), "the header row is missing (the file begins ',2018-01"),
        (text([row()]).replace(",Month", ",When").encode(), "column 'Month' is missing"),
        (text([row()]).replace("LSOA code", "Area").encode(), "column 'LSOA code' is missing"),
        (text([row()]).replace("Location", "Month").encode(), "column 'month' is there twice"),
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>", "a web page, not a CSV"),
        (text([row()]).encode("utf-16"), "not UTF-8 text"),
        (text([row()]).replace(",", ";").encode(), "not separated by commas"),
        (
            text([row(), row(at=("west", "51.4"))]).encode(),
            "line 3: 'west' in column longitude is not a number",
        ),
        (text([row(), (*row(), "extra")]).encode(), "line 3: 13 cells where the header has 12"),
        (text([row(), row()[:5]]).encode(), "line 3: 5 cells where the header has 12"),
        (text([row("Jan-18")]).encode(), "its rows say Month 'Jan-18' where the file name says '2018-01'"),
        (text([row(name="Caf\xe9 001A")]).encode("cp1252"), "line 2: not UTF-8 text"),
        (text([]).encode(), "no street file holds a row"),
        (text([row(area="")]).encode(), "no row has an LSOA code"),
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, content: bytes, says: str) -> None:
    """Place, fault and remedy; never a traceback, never a number."""
    path = write(tmp_path, "2018-01", [])
    path.write_bytes(content)
    refused(tmp_path, says)


def test_every_damaged_file_is_reported_at_once(tmp_path: Path) -> None:
    """Not one error a run."""
    for month in ("2018-01", "2018-02"):
        write(tmp_path, month, []).write_bytes(b"")
    with pytest.raises(DataError) as caught:
        load_police_uk(tmp_path)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "member", ["../../evil-street.csv", "/etc/2018-01-x-street.csv", "..\\x.csv", "C:\\x.csv"]
)
def test_a_zip_with_a_path_that_climbs_out_is_refused(tmp_path: Path, member: str) -> None:
    """Even where the member is not one that would be read."""
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("2018-01/2018-01-northshire-street.csv", text([row()]))
        info = zipfile.ZipInfo("placeholder")
        info.filename = member
        opened.writestr(info, text([row()]))
    refused(archive, "has a path that leads out of the archive")
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


def test_a_truncated_or_damaged_zip_is_refused(tmp_path: Path) -> None:
    """Cut short, or with bytes changed inside."""
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as opened:
        opened.writestr("2018-01/2018-01-northshire-street.csv", text([row()] * 200))
    data = whole.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(data[: len(data) // 2])
    refused(cut, "cut.zip: not a whole zip file")
    changed = tmp_path / "changed.zip"
    changed.write_bytes(data[:500] + b"?" + data[501:])
    refused(changed, "changed.zip: not a whole zip file")


def test_paths_that_lead_nowhere_say_what_to_give(tmp_path: Path) -> None:
    """Not there, empty, holding only zips, or a file with a name that tells nothing."""
    refused(tmp_path / "none", "not found; give the police.uk folder")
    refused(tmp_path, "holds no street file")
    (tmp_path / "a.zip").write_bytes(b"")
    refused(tmp_path, "Archive 'a.zip' inside was not opened")
    (tmp_path / "crimes.csv").write_text(text([row()]))
    refused(tmp_path / "crimes.csv", "month and force cannot be told from this name")


def test_a_file_without_rows_is_missing_not_zero(tmp_path: Path) -> None:
    """A header alone is a failed export, not a month without crime."""
    write(tmp_path, "2018-01", [row()])
    write(tmp_path, "2018-02", [])
    panel = load_police_uk(tmp_path)
    np.testing.assert_array_equal(panel.counts, [[1, np.nan]])
    assert panel.ledger.periods_without_file == {"Northshire Police": ("2018-02",)}
    assert any("holds no row" in note for note in panel.ledger.notes)


def test_a_file_with_far_fewer_rows_than_usual_is_named(tmp_path: Path) -> None:
    """It is counted as it is, and the ledger says that it looks incomplete."""
    for month in ("2018-01", "2018-02", "2018-03"):
        write(tmp_path, month, [row(month)] * (2 if month == "2018-02" else 100))
    notes = " ".join(load_police_uk(tmp_path).ledger.notes)
    assert "2018-02/2018-02-northshire-street.csv holds 2 rows" in notes


def test_the_same_files_give_the_same_panel_byte_for_byte(tmp_path: Path) -> None:
    """Reading in parallel does not show in the result."""
    rows = [row(area=f"E0100{n % 50:04d}", at=(f"-2.{n:06d}", f"51.{n:06d}")) for n in range(1, 3000)]
    write(tmp_path, "2018-01", rows)
    first, second = load_police_uk(tmp_path), load_police_uk(tmp_path)
    assert first.centroids is not None
    assert second.centroids is not None
    assert first.centroids.tobytes() == second.centroids.tobytes()
    assert first.counts.tobytes() == second.counts.tobytes()
    assert first.ledger == second.ledger
