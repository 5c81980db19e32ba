"""The published Indices of Deprivation: deciles, the index rebuilt, units and a force's profile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from whatworks_eval.errors import DataError
from whatworks_eval.measures.deprivation_profile import deprivation_profile
from whatworks_eval.sources.deprivation import decile_of_rank
from whatworks_eval.sources.index_domains import WEIGHTS, read_domains, rebuilt_scores
from whatworks_eval.sources.index_table import read_index
from whatworks_eval.sources.tables import Table, number_of, read_table
from whatworks_eval.sources.unit_deprivation import by_unit

FILES = {
    2015: "imd2015_england_lsoa11.parquet",
    2019: "IoD2019_File7_layout_PARTIAL_reassembled.csv.gz",
    2025: "imd2025_england_lsoa21.parquet",
}
DECILE = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"
AVON = "Avon and Somerset"  # 678 areas of it: this lookup leaves 3,335 English areas without a force


def _values(table: Table, code: str, column: str) -> dict[str, float]:
    return {
        area: float(number_of(cell) or 0)
        for area, cell in zip(table.text(code), table.column(column), strict=True)
    }


@pytest.fixture(scope="module")
def tables(shared_data: Path) -> dict[int, Table]:
    """The three English editions."""
    return {year: read_table(shared_data / "deprivation" / name) for year, name in FILES.items()}


def test_every_published_decile_is_the_tenth_part_of_its_rank(tables: dict[int, Table]) -> None:
    """ceil(10 × rank / N) in all 32,844, 32,844 and 33,755 areas, without one exception."""
    for year, table in tables.items():
        code = table.columns[0]
        index = read_index(table, year)
        deciles = _values(table, code, DECILE if year == 2019 else "IMD_decile")
        assert len(index.ranks) == index.edition.areas == len(deciles)
        assert len(index.scores) == index.edition.areas
        assert {area: index.decile(area) for area in index.ranks} == deciles


def test_welsh_deciles_have_their_own_size(shared_data: Path) -> None:
    """Nine of 191 areas and one of 190: every published decile, where tenths of 1,909 would miss nine."""
    table = read_table(shared_data / "deprivation" / "imd2019_wales_lsoa11.parquet")
    index = read_index(table)
    assert index.title == "Welsh index of 2019"
    deciles = _values(table, "lsoa11_code", "IMD_decile")
    assert {area: decile_of_rank(rank, 1_909) for area, rank in index.ranks.items()} == deciles


def test_editions_are_told_apart_by_their_own_tables(tables: dict[int, Table]) -> None:
    """Each says its edition by district codes or boundaries, and refuses to be another."""
    for year, table in tables.items():
        assert read_index(table).year == year
        for other in set(FILES) - {year}:
            with pytest.raises(DataError):
                read_index(table, other)


@pytest.mark.parametrize(("year", "tolerance"), [(2019, 0.0015), (2025, 0.0008)])
def test_domain_ranks_give_the_published_score(tables: dict[int, Table], year: int, tolerance: float) -> None:
    """With all seven domains, every area's score as published to three decimals, within the tolerance."""
    index = read_index(tables[year], year)
    domains = read_domains(tables[year], year)
    assert set(domains) == set(WEIGHTS)
    rebuilt = rebuilt_scores(domains)
    assert set(rebuilt) == set(index.scores)
    assert max(abs(rebuilt[area] - index.scores[area]) for area in rebuilt) < tolerance


def test_published_transformed_scores_give_it_too(shared_data: Path, tables: dict[int, Table]) -> None:
    """File 9 of 2019, rounded to three decimals, agrees with domain ranks within 0.005 and with the score."""
    ready = read_domains(
        read_table(shared_data / "deprivation" / "File_9_-_IoD2019_Transformed_Scores.csv.gz"), 2019
    )
    ranked = read_domains(tables[2019], 2019)
    for domain, values in ready.items():
        assert max(abs(values[area] - ranked[domain][area]) for area in values) < 0.005
    scores = read_index(tables[2019]).scores
    assert max(abs(one - scores[area]) for area, one in rebuilt_scores(ready).items()) < 0.001


def test_leaving_crime_out_changes_places_but_not_the_picture(tables: dict[int, Table]) -> None:
    """Without crime the index keeps its order on the whole and moves areas in and out of the first tenth."""
    domains = read_domains(tables[2019], 2019)
    whole, part = rebuilt_scores(domains), rebuilt_scores(domains, without=("crime",))
    areas = sorted(whole)
    with_crime, without = (np.array([made[area] for area in areas]) for made in (whole, part))
    assert 0.99 < np.corrcoef(with_crime, without)[0, 1] < 1
    first = len(areas) // 10
    kept = set(np.argsort(-with_crime)[:first]) & set(np.argsort(-without)[:first])
    assert 0.9 < len(kept) / first < 1


def test_wards_and_a_force_weigh_their_areas_by_residents(
    shared_data: Path, tables: dict[int, Table]
) -> None:
    """Every English ward has a score among its areas'; a ward's mean is that of its areas and residents."""
    index = read_index(tables[2019])
    people = tables[2019]
    residents = _values(people, "LSOA code (2011)", "Total population: mid 2015 (excluding prisoners)")
    lookup = read_table(shared_data / "geography" / "lookup_lsoa11_ward17.csv.gz")
    wards = {
        area: ward
        for area, ward in zip(lookup.text("lsoa11_code"), lookup.text("ward17_code"), strict=True)
        if area.startswith("E")
    }
    found = by_unit(index.scores, residents, wards, form="score")
    assert sum(one.areas for one in found.values()) == 32_844
    assert all(one.value is not None and one.missing == 0 for one in found.values())
    name = max(found, key=lambda ward: found[ward].areas)
    areas = [area for area, ward in wards.items() if ward == name]
    by_hand = np.average([index.scores[a] for a in areas], weights=[residents[a] for a in areas])
    assert found[name].value == pytest.approx(by_hand)


def test_the_profile_of_a_force(shared_data: Path, tables: dict[int, Table]) -> None:
    """Avon and Somerset: the 50 most deprived areas against their force, and against the next 100."""
    index = read_index(tables[2019])
    lookup = read_table(shared_data / "geography" / "LSOA11_to_police_force_England.csv.gz")
    force_of = {
        area: force
        for area, force in zip(lookup.text("LSOA Code"), lookup.text("Police_force"), strict=True)
        if force
    }
    inside = sorted(
        (area for area, force in force_of.items() if force == AVON),
        key=lambda area: index.ranks[area],
    )
    assert len(inside) == 678
    found = deprivation_profile(index, treated=inside[:50], comparison=inside[50:150], force_of=force_of)
    treated, comparison, force = (found.row(group) for group in ("treated", "comparison", "force"))
    assert force.areas == len(inside)
    assert force.mean_score == pytest.approx(np.mean([index.scores[area] for area in inside]))
    assert treated.mean_score is not None
    assert comparison.mean_score is not None
    assert treated.mean_score > comparison.mean_score > force.mean_score
    assert treated.most_deprived == 1.0
    tenth = sum(index.ranks[area] <= 3_284 for area in inside) / len(inside)
    assert force.most_deprived == pytest.approx(tenth)
