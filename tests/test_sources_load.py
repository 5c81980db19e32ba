"""`load_data`: the right reader for each source, paths as declared, shipped data whole."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.panel import Changes, Panel, Totals
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.protocol_tables import ChangesTable, TotalsTable
from whatworks_eval.sources import SOURCES, load_data
from whatworks_eval.sources.dataset import read_dataset
from whatworks_eval.sources.tables import read_table
from whatworks_eval.sources.totals import load_changes, load_totals

COUNTS = (
    "area,period,count\nE01000001,2018-01,3\nE01000001,2019-01,2\nE01000002,2018-01,1\nE01000002,2019-01,1\n"
)


def protocol(outcome: dict[str, Any], base: Path | None = None, **more: Any) -> Protocol:
    """A design around this outcome."""
    design: dict[str, Any] = {
        "schema": 1,
        "id": "x",
        "question": "Did it change?",
        "method": "relative-effect",
        "intervention": {"name": "x", "start": "2019-01", "assignment": "need"},
        "windows": {"before": ["2018-01", "2018-01"], "after": ["2019-01", "2019-01"]},
        "areas": {"treated": ["E01000001"], "comparison": "rest"},
        "outcome": outcome,
        **more,
    }
    return protocol_from_dict(design, base=base)


def test_every_source_of_the_protocol_has_a_reader() -> None:
    """The table and the protocol's list of names agree."""
    named = Protocol.model_fields["outcome"].annotation.model_fields["source"].annotation.__args__  # type: ignore[union-attr]
    assert set(SOURCES) == set(named)


def test_base_replaces_the_folder_of_the_outcome_alone(tmp_path: Path) -> None:
    """Covariates stay relative to the protocol."""
    (tmp_path / "data").mkdir()
    (tmp_path / "design").mkdir()
    (tmp_path / "data" / "c.csv").write_text(COUNTS)
    (tmp_path / "design" / "r.csv").write_text("area,residents\nE01000001,1500\nE01000002,1600\n")
    declared = protocol(
        {"source": "counts", "path": "c.csv"},
        tmp_path / "design",
        covariates={"residents": {"path": "r.csv"}},
    )
    panel = load_data(declared, base=tmp_path / "data")
    assert isinstance(panel, Panel)
    assert panel.residents is not None
    assert panel.residents.tolist() == [1500, 1600]
    assert [file.name for file in panel.ledger.files] == ["c.csv", "r.csv"]
    with pytest.raises(DataError, match="not found"):
        load_data(declared)


def test_home_may_be_a_file_of_codes(tmp_path: Path) -> None:
    """Relative to the protocol, in any layout with one column of LSOA codes."""
    header = "Crime ID,Month,Longitude,Latitude,LSOA code,LSOA name,Crime type\n"
    for month in ("2018-01", "2019-01"):
        rows = "".join(f",{month},-2.5,51.4,E0100000{n},Northtown 001{'AB'[n - 1]},Drugs\n" for n in (1, 2))
        (tmp_path / f"{month}-northshire-street.csv").write_text(header + rows)
    (tmp_path / "home.csv").write_text("name,code\nNorthtown 001B,E01000002\n")
    areas = {"treated": ["E01000002"], "comparison": "rest", "home": "home.csv"}
    panel = load_data(protocol({"source": "police-uk", "path": "."}, tmp_path, areas=areas))
    assert isinstance(panel, Panel)
    assert panel.areas == ("E01000002",)
    assert panel.ledger.excluded == {"outside home areas": {"2018-01": 1, "2019-01": 1}}


def test_totals_and_changes_come_from_the_protocol_itself() -> None:
    """No file is read; the ledger says so."""
    totals = load_totals(TotalsTable(treated=(398, 190), comparison=(148, 97), periods=(12, 6)))
    assert isinstance(totals, Totals)
    assert (totals.treated, totals.comparison, totals.periods) == ((398, 190), (148, 97), (12, 6))
    changes = load_changes(ChangesTable(treated=-11.7, comparison=-7.2, decimals=1))
    assert isinstance(changes, Changes)
    assert (changes.treated, changes.comparison, changes.decimals) == (-11.7, -7.2, 1)
    assert totals.ledger.notes
    assert changes.ledger.notes


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (
            {"treated": (-1, 5)},
            "`outcome.totals.treated` has -1 incidents before; a count cannot be negative",
        ),
        ({"treated": (1, float("inf"))}, "has inf incidents after; give a number"),
        (
            {"treated": (1, 1), "comparison": (float("nan"), 1)},
            "`outcome.totals.comparison` has nan incidents",
        ),
        ({"treated": (1, 1), "periods": (0, 12)}, "gives the before window a length of 0"),
    ],
)
def test_totals_that_cannot_be_counts_are_refused(table: dict[str, Any], says: str) -> None:
    """Negative, not finite, or over a window of no length."""
    with pytest.raises(DataError) as caught:
        load_totals(TotalsTable(**table))
    assert says in str(caught.value)


def test_zero_incidents_are_totals_like_any_other() -> None:
    """Whether they allow an estimate is the method's to say."""
    assert load_totals(TotalsTable(treated=(5, 0))).treated == (5, 0)


def test_changes_that_are_no_percentage_are_refused() -> None:
    """Infinite growth is not a finding."""
    with pytest.raises(DataError, match=r"`outcome\.changes\.treated` is inf"):
        load_changes(ChangesTable(treated=float("inf")))


def test_a_table_that_is_missing_is_named() -> None:
    """With what to write there."""
    with pytest.raises(ProtocolError, match=r"`outcome\.totals` is missing"):
        load_totals(None)
    with pytest.raises(ProtocolError, match=r"`outcome\.changes` is missing"):
        load_changes(None)


def dataset(folder: Path, data: str, sha256: str | None = None, panel: str = "") -> Path:
    """A dataset folder."""
    (folder / "d.csv").write_text(data)
    checksum = sha256 or hashlib.sha256(data.encode()).hexdigest()
    panel = panel or 'area = "area"\nperiod = "month"\ncount = "n"\nunit = "ward"\nresidents = "people"\n'
    (folder / "dataset.toml").write_text(
        f'title = "Made up"\nsimulated = true\nseed = 7\ngenerator = "g.py"\n'
        f'data = "d.csv"\nsha256 = "{checksum}"\n'
        f"[panel]\n{panel}"
    )
    return folder


DATA = "area,month,n,ward,people\na,2018-01,3,W1,100\nb,2018-01,1,W1,200\na,2018-02,2,W1,100\n"


def test_a_dataset_is_read_as_it_describes_itself(tmp_path: Path) -> None:
    """Columns by their declared role; simulated data say so in the ledger."""
    panel = read_dataset(dataset(tmp_path, DATA))
    np.testing.assert_array_equal(panel.counts, [[3, 2], [1, 0]])
    assert panel.units == {"a": "W1", "b": "W1"}
    assert panel.residents is not None
    assert panel.residents.tolist() == [100, 200]
    assert "SIMULATED (seed 7, g.py)" in panel.ledger.notes[0]


@pytest.mark.parametrize(
    ("data", "how", "says"),
    [
        (DATA, {"sha256": "0" * 64}, "not the file that dataset.toml describes"),
        (DATA, {"panel": 'area = "area"\nperiod = "month"'}, "`panel.count` is missing"),
        (
            DATA,
            {"panel": 'area="area"\nperiod="month"\ncount="n"\ncolour="x"'},
            "`panel.colour` is not a known key",
        ),
        (DATA + "b,2018-02,1,W2,200\n", {}, "row 5: area 'b' is in unit 'W2' here, in 'W1' before"),
        (DATA + "b,2018-02,1,W1,201\n", {}, "row 5: 'people' of area 'b' differs"),
        (DATA + "b,2018-02,few,W1,200\n", {}, "row 5: 'few' is not a number"),
    ],
)
def test_a_dataset_that_is_not_what_it_says_is_refused(
    tmp_path: Path, data: str, how: dict[str, Any], says: str
) -> None:
    """Checksum, keys, and facts that must be the same in every row of an area."""
    with pytest.raises(DataError) as caught:
        read_dataset(dataset(tmp_path, data, **how))
    assert says in str(caught.value)


def test_the_shipped_simulation_loads_with_its_units_and_places() -> None:
    """`source = "dataset"` finds it by name."""
    panel = load_data(
        protocol(
            {"source": "dataset", "dataset": "simulated-neighbourhoods"},
            areas={"treated": ["SIM0001"], "comparison": "rest"},
        )
    )
    assert isinstance(panel, Panel)
    assert panel.observed.all()
    assert panel.units is not None
    assert set(panel.units) == set(panel.areas)
    assert panel.centroids is not None
    assert np.isfinite(panel.centroids).all()
    assert panel.ledger.read == panel.ledger.used + panel.ledger.excluded_rows


def test_a_dataset_without_an_outcome_is_not_evaluated(tmp_path: Path) -> None:
    """Reference tables ship in the same folder."""
    (tmp_path / "dataset.toml").write_text('title = "Reference"\n')
    with pytest.raises(DataError, match="holds no outcome to evaluate"):
        read_dataset(tmp_path)


def test_a_column_of_codes_is_read_as_text_without_its_blanks(tmp_path: Path) -> None:
    """Beats numbered 1, 2, 3 in a spreadsheet come out as '1', '2', '3'."""
    import openpyxl

    book = openpyxl.Workbook()
    for cells in (["beat", "n"], [1, 5], [None, 6], [2.0, 7]):
        book.active.append(cells)  # type: ignore[union-attr]
    book.save(tmp_path / "b.xlsx")
    assert read_table(tmp_path / "b.xlsx").text("beat") == ("1", "", "2")
