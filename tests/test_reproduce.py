"""`whatworks reproduce`: what is printed, what is written, and what happens to a damaged table."""

from __future__ import annotations

import importlib.util
import json
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from whatworks_eval import cli
from whatworks_eval.errors import DataError
from whatworks_eval.published import DATASET, READINGS, TABLE, Reproduction, load_published
from whatworks_eval.report.forest import PANELS, forest_charts
from whatworks_eval.report.reproduce_page import reproductions_page
from whatworks_eval.report.reproduced import as_text
from whatworks_eval.reproduce import reproduce
from whatworks_eval.reproduce_measures import MEASURES
from whatworks_eval.shipped import shipped_path

FOLDER = shipped_path("datasets", DATASET)


@pytest.fixture(scope="module")
def every() -> tuple[Reproduction, ...]:
    """The shipped table computed again."""
    return reproduce()


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """The command in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(["reproduce", *words])
        shown = capsys.readouterr()
        return int(left.value.code or 0), shown.out, shown.err

    return command


class Outline(HTMLParser):
    """What a screen reader would find: tables, captions, scoped heads, images with words, ids, loads."""

    def __init__(self, text: str) -> None:
        """Read the page."""
        super().__init__()
        self.tables = self.captions = self.heads = self.scoped = self.images = self.named = 0
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count."""
        given = dict(attrs)
        self.tags.add(tag)
        self.tables += tag == "table"
        self.captions += tag == "caption"
        self.heads += tag == "th"
        self.scoped += tag == "th" and given.get("scope") in {"col", "row"}
        self.images += tag == "svg"
        self.named += (
            tag == "svg" and given.get("role") == "img" and 0 < len(given.get("aria-label") or "") < 250
        )
        if given.get("id"):
            self.ids.append(str(given["id"]))
        self.loads += [str(given[key]) for key in ("src", "data", "action") if given.get(key)]
        if tag in {"link", "a", "image", "use"}:
            where = given.get("href") or given.get("xlink:href") or "#"
            self.loads += [where] if not where.startswith("#") else []


def test_the_command_prints_every_row_and_the_count(run: Callable[..., tuple[int, str, str]]) -> None:
    """Every row on a line of its own, reasons below, and nothing on standard error."""
    code, out, err = run()
    assert (code, err) == (0, "")
    starts = [line.split()[0].rstrip("*") for line in out.splitlines() if line.strip()]
    assert {row.id for row in load_published()} <= set(starts)
    assert "adjusted against crude" in " ".join(out.split())
    assert "98 published values: 57 computed again to the digits given, 3 that differ" in " ".join(
        out.split()
    )


def test_the_command_writes_the_page_and_the_numbers(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    """--html and --json write where they are told and say so."""
    code, out, _ = run("--html", "made/page.html", "--json", "made/rows.json")
    assert code == 0
    assert out.count("Written: ") == 2
    rows = json.loads((tmp_path / "made" / "rows.json").read_text("utf-8"))
    assert [row["id"] for row in rows] == [row.id for row in load_published()]
    first = rows[0]
    assert (first["verdict"], first["level"], first["checks"][0]["computed"]) == ("match", 2, -118.0)
    page = (tmp_path / "made" / "page.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")


def test_json_alone_leaves_standard_output_to_the_numbers(run: Callable[..., tuple[int, str, str]]) -> None:
    """--json - is for pipes: the table goes to standard error."""
    code, out, err = run("--json", "-")
    assert code == 0
    assert len(json.loads(out)) == len(load_published())
    assert "Why they differ" in err


def test_a_file_in_the_way_is_told(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """A place that cannot be written to is a slip of the user, not a fault of the tool."""
    (tmp_path / "taken").write_text("here", encoding="utf-8")
    code, _, err = run("--html", "taken/page.html")
    assert code == 2
    assert "a file is in the way" in err


def test_the_page_can_be_read_without_seeing_it(every: tuple[Reproduction, ...]) -> None:
    """Captions, scoped heads, described pictures, unique ids, and nothing loaded or run."""
    page = Outline(reproductions_page(every))
    assert page.tables == page.captions == 3 + len(PANELS)
    assert page.heads == page.scoped > 150
    assert page.images == page.named == len(PANELS)
    assert len(page.ids) == len(set(page.ids))
    assert page.loads == []
    assert not page.tags & {"script", "iframe", "object", "form"}


def test_the_page_is_the_same_bytes_every_time(every: tuple[Reproduction, ...]) -> None:
    """No clock, path or order of a set reaches the page."""
    assert reproductions_page(every) == reproductions_page(reproduce())


def test_what_a_row_says_is_escaped(every: tuple[Reproduction, ...]) -> None:
    """Words from a table are words, not markup, wherever they are shown."""
    nasty = "<script>alert(1)</script>$x_{1}$&"
    cells = {
        **every[0].row.cells,
        "study": nasty,
        "source": nasty,
        "reported_measure": nasty,
        "outcome": nasty,
    }
    bad = replace(
        every[0],
        row=replace(every[0].row, id=nasty, cells=cells),
        reason=nasty,
        notes=(nasty,),
        verdict="mismatch",
    )
    page = reproductions_page((bad, *every[1:]))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_every_picture_has_its_numbers(every: tuple[Reproduction, ...]) -> None:
    """A plot for each scale; every computed row is in one or is named as left out."""
    drawn = [row[0].rstrip("*") for chart in forest_charts(every) for row in chart.table.rows]
    left = {"DAL-6", "DTS-1", "DTS-2", "CH13-6", "BLU-1", "TF-3", "VRU-2"}
    assert len(drawn) == len(set(drawn))
    assert set(drawn) | left == {one.row.id for one in every if one.computed}
    assert all(name in reproductions_page(every) for name in left)


def test_nothing_is_drawn_where_nothing_was_computed(every: tuple[Reproduction, ...]) -> None:
    """A table without a computed row has no picture and still prints."""
    none = tuple(one for one in every if one.computed is None)
    assert forest_charts(none) == ()
    assert "0 computed again" in " ".join(as_text(none).split())
    assert "<svg" not in reproductions_page(none)


def test_every_measure_is_used_and_every_reading_names_one() -> None:
    """The table of measures and the readings hold the same names."""
    used = {row.reading.measure for row in load_published()} - {""}
    assert used == set(MEASURES)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the dataset that can be damaged."""
    return Path(shutil.copytree(FOLDER, tmp_path / "copy"))


def damage(path: Path, old: str, new: str) -> None:
    """Replace the first of some text in a file."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_cell_that_is_no_number_is_named(copy: Path) -> None:
    """The row and the column are told."""
    damage(copy / TABLE, ",207,110,", ",2o7,110,")
    with pytest.raises(DataError, match=r"row WR18-1: treated_before is '2o7', not a number"):
        load_published(copy)


def test_readings_and_rows_must_be_the_same(copy: Path) -> None:
    """A reading of no row, a row without a reading and a misspelt key are all told."""
    damage(copy / READINGS, 'rows = ["WT-2"]', 'rows = ["WT-22"]')
    with pytest.raises(DataError, match="no reading for row 'WT-2'") as told:
        load_published(copy)
    assert "'WT-22' is not a row" in str(told.value)
    damage(copy / READINGS, "displacement_comparison =", "displacment_comparison =")
    with pytest.raises(DataError, match="'displacment_comparison' is not a known key"):
        load_published(copy)


def test_the_checksum_and_the_number_of_rows_are_those_of_the_table() -> None:
    """dataset.toml describes the file that is shipped, column by column."""
    about = tomllib.loads((FOLDER / "dataset.toml").read_text("utf-8"))
    assert about["sha256"] == sha256((FOLDER / about["file"]).read_bytes()).hexdigest()
    rows = load_published()
    assert about["rows"] == len(rows)
    assert tuple(about["columns"]) == tuple(rows[0].cells)


def test_the_table_is_what_its_script_makes(shared_data: Path) -> None:
    """From the project's reference table the script makes the same bytes as are shipped."""
    reference = shared_data.parent / "reference" / "published_evaluations.csv"
    if not reference.is_file():
        pytest.skip(f"the reference table is not here: {reference}")
    spec = importlib.util.spec_from_file_location("build_published", FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert build.table(reference) == (FOLDER / TABLE).read_bytes()
