"""Real wards on an index of LSOAs: scores against pandas, a match of three to one, a published ranking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from whatworks_eval.before_start import before_start
from whatworks_eval.contrast import build_contrast
from whatworks_eval.deprivation_command import profiles
from whatworks_eval.errors import DataError
from whatworks_eval.measures.likeness import likeness_of
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol, load_protocol
from whatworks_eval.sources import load_data
from whatworks_eval.sources.area_averages import mean_scores

INDEX = "deprivation/IoD2019_File7_layout_PARTIAL_reassembled.csv.gz"
DOMAINS = "deprivation/File_9_-_IoD2019_Transformed_Scores.csv.gz"
WARDS = "geography/lookup_lsoa11_ward17.csv.gz"
PEOPLE = "population/lsoa11_population_mid2017_2019_2020.csv.gz"
SCORE = "Index of Multiple Deprivation (IMD) Score"
LIVING = "Total population: mid 2015 (excluding prisoners)"
STREET = "police_uk/avon-and-somerset_street_2018-01_2020-12.zip"
LEAST = 100  # incidents in 35 months: fewer is a neighbouring force's ward with a stray crime


@pytest.fixture(scope="module")
def counts(shared_data: Path) -> pd.DataFrame:
    """Anti-social behaviour by ward and month, summed over LSOAs with pandas."""
    import zipfile

    parts = []
    with zipfile.ZipFile(shared_data / STREET) as archive:
        for name in archive.namelist():
            if name.endswith("-street.csv"):
                with archive.open(name) as file:
                    part = pd.read_csv(file, usecols=["Month", "LSOA code", "Crime type"])
                parts.append(part[part["Crime type"] == "Anti-social behaviour"])
    rows = pd.concat(parts).merge(
        pd.read_csv(shared_data / WARDS), left_on="LSOA code", right_on="lsoa11_code"
    )
    table = rows.groupby(["ward17_code", "Month"]).size().unstack(fill_value=0)
    table = table[table.sum(axis=1) >= LEAST]
    return table.stack().rename("count").rename_axis(["ward", "month"]).reset_index()


def design(
    folder: Path, data: Path, counts: pd.DataFrame, *, wards: str = WARDS, area: str = "ward17_code"
) -> Path:
    """Twelve treated wards out of the forty with most recorded, matched three to one."""
    counts.to_csv(folder / "wards.csv", index=False)
    early = counts[counts["month"] < "2019-01"].groupby("ward")["count"].sum()
    top = early.sort_values(ascending=False, kind="stable").index[:40]
    treated = sorted(np.random.default_rng(11).choice(top, 12, replace=False).tolist())
    held = {
        "schema": 1,
        "id": "wards",
        "question": "Did it fall?",
        "method": "relative-effect",
        "intervention": {"name": "Nothing (placebo)", "start": "2019-01", "assignment": "need"},
        "outcome": {"source": "counts", "path": "wards.csv", "area": "ward", "date": "month"},
        "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
        "areas": {"treated": treated, "comparison": "matched", "unit": "area"},
        "covariates": {
            "imd_score": {
                "path": str(data / INDEX),
                "edition": 2019,
                "as": "score",
                "average": {"file": str(data / wards), "area": area},
            },
            "imd_without_crime": {
                "path": str(data / DOMAINS),
                "edition": 2019,
                "without": ["crime"],
                "average": {
                    "file": str(data / wards),
                    "area": area,
                    "residents": str(data / PEOPLE),
                    "residents_column": "mid2017",
                },
            },
        },
        "matching": {"on": ["before_level", "imd_score"], "per_treated": 3},
    }
    (folder / "d.toml").write_text(_toml(held), encoding="utf-8")
    return folder / "d.toml"


def _toml(held: dict[str, Any], path: str = "") -> str:
    plain = "".join(f"{key} = {json.dumps(one)}\n" for key, one in held.items() if not isinstance(one, dict))
    inner = "".join(
        f"[{path}{key}]\n{_toml(one, f'{path}{key}.')}" for key, one in held.items() if isinstance(one, dict)
    )
    return plain + inner


@pytest.fixture(scope="module")
def loaded(
    shared_data: Path, counts: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Protocol, Panel]:
    """The design and its panel."""
    protocol = load_protocol(design(tmp_path_factory.mktemp("wards"), shared_data, counts))
    panel = load_data(protocol)
    assert isinstance(panel, Panel)
    return protocol, panel


def by_pandas(shared_data: Path, scores: pd.Series, people: pd.Series) -> pd.Series:
    """Mean score by ward, each LSOA by its people."""
    wards = pd.read_csv(shared_data / WARDS).set_index("lsoa11_code")["ward17_code"]
    held = pd.DataFrame({"ward": wards, "score": scores, "people": people}).dropna()
    held["product"] = held["score"] * held["people"]
    sums = held.groupby("ward")[["product", "people"]].sum()
    return sums["product"] / sums["people"]


def test_ward_scores_are_those_of_pandas(shared_data: Path, loaded: tuple[Protocol, Panel]) -> None:
    """Both indices to 1e-9: by the population of File 7, and by mid-2017 estimates."""
    _, panel = loaded
    index = pd.read_csv(shared_data / INDEX).rename(columns=str.strip).set_index("LSOA code (2011)")
    expected = by_pandas(shared_data, index[SCORE], index[LIVING])
    found = panel.covariates["imd_score"]
    assert len(panel.areas) > 180
    assert np.abs(found - expected.loc[list(panel.areas)].to_numpy()).max() < 1e-9
    table = pd.read_csv(shared_data / DOMAINS).set_index("LSOA code (2011)")
    weights = {"Income": 0.225, "Employment": 0.225, "Education": 0.135, "Health": 0.135}
    weights |= {"Barriers": 0.093, "Living Environment": 0.093}
    scores = sum(
        weight * table[f"{name} Score - exponentially transformed"] for name, weight in weights.items()
    ) * (0.999 / sum(weights.values()))
    people = pd.read_csv(shared_data / PEOPLE).set_index("lsoa11_code")["mid2017"]
    expected = by_pandas(shared_data, scores, people)
    found = panel.covariates["imd_without_crime"]
    assert np.abs(found - expected.loc[list(panel.areas)].to_numpy()).max() < 1e-9


def test_treated_wards_are_matched_and_described(loaded: tuple[Protocol, Panel]) -> None:
    """Three wards for each treated one, as deprived; the profile's mean is that of the panel's scores."""
    protocol, panel = loaded
    contrast = build_contrast(protocol, before_start(protocol, panel))
    found = likeness_of(protocol, panel, contrast)
    assert found is not None
    assert (found.matched, found.declared) == (12, 12)
    lsoas = panel.averaged["imd_score"]
    assert dict(found.averaged) == {"imd_score": lsoas, "imd_without_crime": lsoas}
    score = next(one for one in found.features if one.name == "imd_score")
    assert score.before.standardised is not None
    assert score.after.standardised is not None
    assert abs(score.after.standardised) < abs(score.before.standardised)
    (profile,) = profiles(protocol, panel)
    values = dict(zip(panel.areas, panel.covariates["imd_score"], strict=True))
    assert profile.row("treated").mean_score == pytest.approx(np.mean([values[a] for a in contrast.treated]))
    assert profile.row("force").mean_score == pytest.approx(np.mean(list(values.values())))


def test_a_lookup_of_the_other_census_is_refused(
    shared_data: Path, counts: pd.DataFrame, tmp_path: Path
) -> None:
    """ONS's lookup from 2021 LSOAs to wards of 2024, under the index of 2019."""
    place = design(
        tmp_path,
        shared_data,
        counts,
        wards="geography/LSOA21_WD24_LAD24_best_fit_lookup_EW.csv.gz",
        area="WD24CD",
    )
    with pytest.raises(DataError, match="is on 2011 LSOAs, but its codes are of 2021; give a lookup"):
        load_data(load_protocol(place))


def test_all_of_england_lies_between_its_wards(shared_data: Path) -> None:
    """Wards weighed by their people give the country's mean back, which LSOAs give directly."""
    index = pd.read_csv(shared_data / INDEX).rename(columns=str.strip).set_index("LSOA code (2011)")
    wards = pd.read_csv(shared_data / WARDS).set_index("lsoa11_code")["ward17_code"]
    wards = wards[wards.index.isin(index.index)]
    members = {ward: list(codes) for ward, codes in wards.groupby(wards).groups.items()}
    means = pd.Series(mean_scores(members, index[SCORE].to_dict(), index[LIVING].to_dict()))
    people = index[LIVING].groupby(wards).sum()
    direct = (index[SCORE] * index[LIVING]).sum() / index[LIVING].sum()
    assert len(wards) == 32_844
    assert (means * people).sum() / people.sum() == pytest.approx(direct, abs=1e-9)


def test_the_most_deprived_district_is_the_one_published(shared_data: Path) -> None:
    """Blackpool is the highest of 317 districts by average score, as the indices of 2019 publish it.

    Source: Blackpool JSNA, Deprivation (2020), www.blackpooljsna.org.uk, after MHCLG's district summaries.
    """
    index = pd.read_csv(shared_data / INDEX).rename(columns=str.strip).set_index("LSOA code (2011)")
    names = index["Local Authority District name (2019)"]
    members = {name: list(codes) for name, codes in names.groupby(names).groups.items()}
    means = mean_scores(members, index[SCORE].to_dict(), index[LIVING].to_dict())
    assert len(means) == 317
    assert max(means, key=lambda name: means[name]) == "Blackpool"
