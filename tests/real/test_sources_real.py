"""Sources on real files: nothing lost, home areas exact, published numbers met."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whatworks_eval.errors import DataError
from whatworks_eval.panel import Panel
from whatworks_eval.protocol_tables import Covariate, Outcome
from whatworks_eval.sources.boundaries import vintage
from whatworks_eval.sources.counts_file import load_counts
from whatworks_eval.sources.covariates import join_covariates
from whatworks_eval.sources.deprivation import decile_of_rank
from whatworks_eval.sources.grid import to_national_grid
from whatworks_eval.sources.police_uk import load_police_uk
from whatworks_eval.sources.tables import read_table

AVON = "avon-and-somerset_street_2018-01_2020-12.zip"
GWENT = "gwent_street_2020-01_2022-10.zip"
CITY = "city-of-london_street_2018-01_2021-09_stop-and-search_2018-04_2020-11.zip"
CITY_EARLIER = "city-of-london_street_2019-10_2020-11_earlier_snapshot.zip"
CITY_LATER = "city-of-london_street_2022-07_2023-06.zip"
SINGLE = "single_months_and_altered_files.zip"
# Rows as shared/data/README.md gives them (street rows; the earlier snapshot's are not stated there).
ROWS = {AVON: 500_606, GWENT: 180_012, CITY: 28_761, CITY_LATER: 9_019}
FIT = "geography/LSOA11_LSOA21_LAD22_exact_fit_lookup_EW_V3.csv.gz"


@cache
def panel_of(folder: Path, name: str, offences: tuple[str, ...] | None = None) -> Panel:
    """A panel of a real zip, built once."""
    return load_police_uk(folder / "police_uk" / name, offences=offences)


@pytest.mark.parametrize("name", [AVON, GWENT, CITY, CITY_EARLIER, CITY_LATER, SINGLE])
@pytest.mark.parametrize("how", [{}, {"offences": ("Burglary",)}, {"home": "all"}, {"deduplicate": True}])
def test_every_row_of_every_real_file_is_used_or_excluded(
    shared_data: Path, name: str, how: dict[str, Any]
) -> None:
    """Rows read = used + excluded, and the panel holds what was used."""
    panel = load_police_uk(shared_data / "police_uk" / name, **how)
    ledger = panel.ledger
    assert ledger.read == ledger.used + ledger.excluded_rows
    assert ledger.used == np.nansum(panel.counts)
    assert ledger.read == sum(file.rows for file in ledger.files) == ROWS.get(name, ledger.read)


def test_avon_and_somerset_has_35_months_and_the_absent_one_is_missing(shared_data: Path) -> None:
    """2019-07 was never published: NaN for every area, not zero."""
    panel = panel_of(shared_data, AVON)
    assert panel.ledger.read == 500_606
    assert len(panel.ledger.files) == 35
    assert len(panel.periods) == 36
    gap = panel.periods.index("2019-07")
    assert np.isnan(panel.counts[:, gap]).all()
    assert not panel.observed[:, gap].any()
    assert np.delete(panel.observed, gap, axis=1).all()
    assert panel.ledger.periods_without_file == {"Avon and Somerset Constabulary": ("2019-07",)}
    assert panel.boundaries == 2011


def test_anti_social_behaviour_is_not_halved_by_its_twins(shared_data: Path) -> None:
    """Half of the rows have an identical twin; none has an ID, so de-duplication leaves them all."""
    kept = panel_of(shared_data, AVON, ("Anti-social behaviour",))
    again = load_police_uk(
        shared_data / "police_uk" / AVON, offences=["Anti-social behaviour"], deduplicate=True
    )
    assert kept.ledger.used == again.ledger.used == 101_977
    assert any("0 of 0 rows with an ID" in note for note in again.ledger.notes)


@cache
def force_areas(folder: Path) -> dict[str, set[str]]:
    """Police force area, then its 2011 LSOAs: LSOA11 to LSOA21 to LAD24 to PFA24."""
    geography = folder / "geography"
    fit = read_table(folder / FIT)
    best = read_table(geography / "LSOA21_WD24_LAD24_best_fit_lookup_EW.csv.gz")
    forces = read_table(geography / "lookup_ltla24_csp24_pfa24.csv.gz")
    district = dict(zip(best.text("LSOA21CD"), best.text("LAD24CD"), strict=True))
    force = dict(zip(forces.text("ltla24_code"), forces.text("pfa24_name"), strict=True))
    found: dict[str, set[str]] = {}
    for old, new in zip(fit.text("LSOA11CD"), fit.text("LSOA21CD"), strict=True):
        found.setdefault(force.get(district[new], ""), set()).add(old)
    return found


@pytest.mark.parametrize(
    ("name", "force"), [(AVON, "Avon and Somerset"), (GWENT, "Gwent"), (CITY, "London, City of")]
)
def test_home_areas_are_exactly_the_force_area(shared_data: Path, name: str, force: str) -> None:
    """No LSOA too many and none too few, though rows name districts all over the country."""
    assert set(panel_of(shared_data, name).areas) == force_areas(shared_data)[force]


@pytest.mark.parametrize(
    ("force", "label"), [("Hampshire", "Hampshire Constabulary"), ("West Yorkshire", "West Yorkshire Police")]
)
def test_home_areas_of_a_single_month_hold_nothing_of_other_forces(
    shared_data: Path, force: str, label: str
) -> None:
    """A month leaves out the few LSOAs without any row, and takes in none of a neighbour's."""
    panel = panel_of(shared_data, SINGLE)
    assert panel.forces is not None
    found = {area for area, name in panel.forces.items() if name == label}
    truth = force_areas(shared_data)[force]
    assert found <= truth
    assert len(found) > 0.97 * len(truth)


def test_two_downloads_of_the_same_months_agree_in_rows(shared_data: Path) -> None:
    """Outcomes are revised from one download to the next; types, months and LSOAs are not."""
    later, earlier = panel_of(shared_data, CITY), panel_of(shared_data, CITY_EARLIER)
    assert later.areas == earlier.areas
    first, last = (later.periods.index(month) for month in (earlier.periods[0], earlier.periods[-1]))
    np.testing.assert_array_equal(later.counts[:, first : last + 1], earlier.counts)


def test_altered_files_are_read_or_refused_by_name(shared_data: Path, tmp_path: Path) -> None:
    """A snake_case header is recognised; a missing one is an error that gives police.uk's."""
    import zipfile

    with zipfile.ZipFile(shared_data / "police_uk" / SINGLE) as archive:
        for member in archive.namelist():
            if member.startswith("altered_by_uploader/"):
                (tmp_path / Path(member).name).write_bytes(archive.read(member))
    essex = load_police_uk(tmp_path / "2018-02-essex-street_snake_case_header.csv")
    assert essex.ledger.read == 13_752
    assert essex.forces is not None
    assert set(essex.forces.values()) == {"Essex Police"}
    with pytest.raises(
        DataError, match=r"2021-01-cambridgeshire-street_no_header\.csv: the header row is missing"
    ):
        load_police_uk(tmp_path / "2021-01-cambridgeshire-street_no_header.csv")


def test_the_oldest_layout_is_read(shared_data: Path) -> None:
    """2011-06: old categories, no Crime IDs, no outcomes."""
    path = shared_data / "police_uk" / "format_excerpts" / "2011-06-metropolitan-street_excerpt.csv"
    panel = load_police_uk(path, offences=["Burglary"], home="all")
    assert panel.ledger.read == panel.ledger.used + panel.ledger.excluded_rows == 13
    with pytest.raises(DataError, match=r"did you mean 'Burglary'\?"):
        load_police_uk(path, offences=["Burglry"])


def test_national_grid_metres_agree_with_ons_everywhere(shared_data: Path) -> None:
    """All 34,753 centroids that ONS gives in degrees and in metres, within 10 m."""
    table = read_table(shared_data / "geography" / "LSOA11_centroids_area_BSC_EW.csv.gz")
    degrees = [np.array(table.text(name), dtype=float) for name in ("LONG", "LAT")]
    metres = np.column_stack([np.array(table.text(name), dtype=float) for name in ("BNG_E", "BNG_N")])
    off = np.hypot(*(to_national_grid(*degrees) - metres).T)
    assert len(off) == 34_753
    assert off.max() < 10


def test_centroids_from_rows_lie_near_the_published_ones(shared_data: Path) -> None:
    """Crime does not happen at the centre of an area, but within a few hundred metres of it."""
    panel = panel_of(shared_data, AVON)
    table = read_table(shared_data / "geography" / "LSOA11_centroids_area_BSC_EW.csv.gz")
    place = dict(
        zip(table.text("LSOA11CD"), zip(table.text("BNG_E"), table.text("BNG_N"), strict=True), strict=True)
    )
    truth = np.array([place[area] for area in panel.areas], dtype=float)
    assert panel.centroids is not None
    off = np.hypot(*(panel.centroids - truth).T)
    assert np.median(off) < 250
    assert np.isfinite(off).all()


def test_the_boundary_rule_holds_for_every_code_there_is(shared_data: Path) -> None:
    """All 2011 codes are of 2011; all 2021 codes are of 2021; no long district list is misread."""
    fit = read_table(shared_data / FIT)
    old, new = set(fit.text("LSOA11CD")), set(fit.text("LSOA21CD"))
    assert vintage(old) == 2011
    assert vintage(new) == 2021
    for force, areas in force_areas(shared_data).items():
        assert vintage(areas) in {2011, None}, force


@pytest.mark.parametrize(
    ("path", "rank", "decile", "areas"),
    [
        ("imd2015_england_lsoa11.parquet", "IMD_rank", "IMD_decile", 32_844),
        ("imd2025_england_lsoa21.parquet", "IMD_rank", "IMD_decile", 33_755),
        (
            "IoD2019_File7_layout_PARTIAL_reassembled.csv.gz",
            "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)",
            "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)",
            32_844,
        ),
    ],
)
def test_published_deciles_are_the_tenth_part_of_the_rank(
    shared_data: Path, path: str, rank: str, decile: str, areas: int
) -> None:
    """Every area of the English indices of 2015, 2019 and 2025."""
    table = read_table(shared_data / "deprivation" / path)
    ranks, deciles = (np.array(table.text(name), dtype=float) for name in (rank, decile))
    assert len(ranks) == areas
    assert [decile_of_rank(value, areas) for value in ranks] == deciles.tolist()


@pytest.mark.parametrize(
    ("zip_name", "how", "known"),
    [
        (
            AVON,
            {"path": "deprivation/File_1_-_IMD2019_Index_of_Multiple_Deprivation.xlsx", "as_": "rank"},
            1005,
        ),
        (AVON, {"path": "deprivation/IoD2019_File7_layout_PARTIAL_reassembled.csv.gz", "as_": "score"}, 1005),
        (AVON, {"path": "deprivation/imd2015_england_lsoa11.parquet", "as_": "score", "edition": 2015}, 1005),
        (AVON, {"path": "deprivation/imd2025_england_lsoa21.parquet", "as_": "score", "lookup": FIT}, 1005),
        (AVON, {"path": "deprivation/imd2025_england_lsoa21.parquet", "as_": "decile", "lookup": FIT}, 976),
        (GWENT, {"path": "deprivation/imd2019_wales_lsoa11.parquet", "as_": "decile", "edition": 2019}, 368),
        (GWENT, {"path": "deprivation/wimd-2019-index-and-domain-scores.csv", "as_": "score"}, 368),
    ],
)
def test_real_indices_join_to_real_panels(
    shared_data: Path, zip_name: str, how: dict[str, Any], known: int
) -> None:
    """In their original layouts and tidied; how many areas have a value is known."""
    found = join_covariates(panel_of(shared_data, zip_name), {"imd": Covariate(**how)}, shared_data)
    assert np.isfinite(found.covariates["imd"]).sum() == known


def test_an_index_on_2021_areas_is_refused_for_2011_codes(shared_data: Path) -> None:
    """31 of 1,005 areas would go missing without a word."""
    index = Covariate(path="deprivation/imd2025_england_lsoa21.parquet", edition=2025, as_="score")
    with pytest.raises(DataError, match="31 of 1005 areas would be lost"):
        join_covariates(panel_of(shared_data, AVON), {"imd": index}, shared_data)


@pytest.mark.parametrize(
    ("how", "low", "high"),
    [
        (
            {"path": "population/lsoa11_population_mid2017_2019_2020.csv.gz", "column": "mid2019"},
            1.7e6,
            1.75e6,
        ),
        ({"path": "population/census2021-ts001-lsoa.csv.gz", "lookup": FIT}, 1.65e6, 1.8e6),
        ({"path": "deprivation/File_6_-_IoD2019_Population_Denominators.xlsx"}, 1.6e6, 1.7e6),
    ],
)
def test_residents_of_avon_and_somerset_add_up(
    shared_data: Path, how: dict[str, Any], low: float, high: float
) -> None:
    """About 1.7 million people, from three tables on two sets of boundaries."""
    found = join_covariates(panel_of(shared_data, AVON), {"residents": Covariate(**how)}, shared_data)
    assert found.residents is not None
    assert low < found.residents.sum() < high


def test_the_borough_file_loads_in_its_wide_layout(shared_data: Path) -> None:
    """131 months of London boroughs, one column a month, all offences added up or one major group."""
    path = shared_data / "long_series" / "MPS_Borough_Level_Crime_Historical_201004_202102.csv.gz"
    how: dict[str, Any] = {
        "source": "counts",
        "path": path.name,
        "layout": "wide",
        "area": "LookUp_BoroughName",
    }
    panel = load_counts(path, Outcome(**how, offence="MinorText"))
    assert (len(panel.areas), len(panel.periods)) == (33, 131)
    assert panel.ledger.read == panel.ledger.used == 1_723 * 131
    burglary = load_counts(path, Outcome(**how, offence="MajorText", offences=("Burglary",)))
    assert np.nansum(burglary.counts) == 868_452
    assert burglary.ledger.read == burglary.ledger.used + burglary.ledger.excluded_rows == 1_723 * 131
    with pytest.raises(DataError, match="is there 52 times"):
        load_counts(path, Outcome(**how))


def test_a_tableau_export_in_utf_16_is_read(shared_data: Path) -> None:
    """Tab separated, and named .csv all the same."""
    table = read_table(shared_data / "confidence" / "all_borough_police_fair_june_2022_UTF16_tabs.csv")
    assert len(table.columns) > 1
    assert table.rows
