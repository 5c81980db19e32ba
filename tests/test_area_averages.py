"""An index of LSOAs on wards: the population-weighted mean score, by hand, and all that would falsify it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matched_designs import made

from whatworks_eval import cli
from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.protocol import load_protocol
from whatworks_eval.protocol_tables import Covariate
from whatworks_eval.sources.area_averages import mean_scores
from whatworks_eval.sources.covariates import join_covariates

LSOAS = tuple(f"E0100000{at}" for at in range(1, 7))
WARD_OF = dict(zip(LSOAS, ("North", "North", "South", "South", "South", "Elsewhere"), strict=True))
SCORES = dict(zip(LSOAS, (10.5, 40.5, 5.5, 20.5, 35.5, 70.5), strict=True))
PEOPLE = dict(zip(LSOAS, (2_000, 1_000, 1_000, 2_000, 1_000, 1_500), strict=True))
NORTH = 20.5  # (2 × 10.5 + 40.5) / 3
SOUTH = 20.5  # (5.5 + 2 × 20.5 + 35.5) / 4
GIVEN = {"file": "wards.csv", "area": "ward", "residents": "people.csv"}


def panel(areas: tuple[str, ...] = ("North", "South")) -> Panel:
    """A panel of one month."""
    counts = np.ones((len(areas), 1))
    return Panel(areas=areas, periods=("2018-01",), counts=counts, observed=counts > 0, ledger=Ledger())


def written(
    folder: Path,
    *,
    ward_of: dict[str, str] | None = None,
    people: dict[str, float] | None = None,
    scores: dict[str, float] | None = None,
    more: str = "",
) -> Path:
    """Index, lookup and population in a folder."""
    for name, head, held in (
        ("index.csv", "lsoa11_code,IMD_score", SCORES if scores is None else scores),
        ("wards.csv", "lsoa11_code,ward", WARD_OF if ward_of is None else ward_of),
        ("people.csv", "lsoa11_code,residents", PEOPLE if people is None else people),
    ):
        rows = "".join(f"{code},{value}\n" for code, value in held.items())
        text = f"{head}\n{rows}{more if name == 'wards.csv' else ''}"
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def joined(folder: Path, to: Panel | None = None, **how: Any) -> Panel:
    """The panel with the mean scores of its wards."""
    keys = {"path": "index.csv", "edition": 2019, "as": "score", "average": GIVEN, **how}
    covariate = Covariate.model_validate(keys)
    return join_covariates(to or panel(), {"imd_score": covariate}, folder)


def refused(folder: Path, *says: str, to: Panel | None = None, **how: Any) -> str:
    """What a join that cannot be made says, each of these in it."""
    with pytest.raises(DataError) as caught:
        joined(folder, to, **how)
    for text in says:
        assert text in str(caught.value)
    return str(caught.value)


def test_a_ward_has_the_mean_of_its_lsoas_by_population(tmp_path: Path) -> None:
    """Worked by hand; how it was made is in the ledger, with both files it was made from."""
    found = joined(written(tmp_path))
    assert found.covariates["imd_score"].tolist() == pytest.approx([NORTH, SOUTH], abs=1e-12)
    assert found.averaged == {"imd_score": 5}
    (note,) = found.ledger.notes[1:]
    assert "the population-weighted mean of its LSOAs' scores: 5 LSOAs in 2 areas" in note
    assert [one.name for one in found.ledger.files] == ["index.csv", "wards.csv", "people.csv"]


def test_the_plain_mean_is_another_number(tmp_path: Path) -> None:
    """With people moved to the deprived LSOA the ward's score moves with them."""
    found = joined(written(tmp_path, people={**PEOPLE, LSOAS[0]: 1_000, LSOAS[1]: 2_000}))
    assert found.covariates["imd_score"][0] == pytest.approx(30.5)


def test_population_of_the_index_file_itself_is_used_where_none_is_named(tmp_path: Path) -> None:
    """File 7 holds the population the index was made with."""
    written(tmp_path)
    head = "LSOA code (2011),Index of Multiple Deprivation (IMD) Score,"
    head += "Total population: mid 2015 (excluding prisoners) \n"
    rows = "".join(f"{code},{SCORES[code]},{PEOPLE[code]}\n" for code in LSOAS)
    (tmp_path / "file7.csv").write_text(head + rows, encoding="utf-8")
    found = joined(tmp_path, path="file7.csv", average={"file": "wards.csv", "area": "ward"})
    assert found.covariates["imd_score"].tolist() == pytest.approx([NORTH, SOUTH])
    refused(tmp_path, "in `average.residents_column`", average={"file": "wards.csv", "area": "ward"})


def test_the_index_without_its_crime_domain_is_averaged_too(tmp_path: Path) -> None:
    """Put together by LSOA first, then averaged: all domains at 10 give 9.99 in every ward."""
    written(tmp_path)
    domains = ("Income", "Employment", "Education", "Health", "Barriers", "Living Environment")
    head = ",".join(f"{domain} Score - exponentially transformed" for domain in domains)
    rows = "".join(f"{code},{','.join(['10'] * 6)}\n" for code in LSOAS)
    (tmp_path / "file9.csv").write_text(f"LSOA code (2011),{head}\n{rows}", encoding="utf-8")
    found = joined(tmp_path, path="file9.csv", **{"as": "value", "without": ("crime",)})
    assert found.covariates["imd_score"].tolist() == pytest.approx([9.99, 9.99])


def test_a_domain_score_below_zero_is_averaged(tmp_path: Path) -> None:
    """Crime and health scores are standardised: half of them lie below zero."""
    written(tmp_path)
    rows = "".join(f"{code},{at - 2.5}\n" for at, code in enumerate(LSOAS))
    (tmp_path / "crime.csv").write_text(f"lsoa11_code,Crime Score\n{rows}", encoding="utf-8")
    found = joined(tmp_path, path="crime.csv", column="Crime Score")
    assert found.covariates["imd_score"].tolist() == pytest.approx([-2.5 + 1 / 3, 0.5])


def test_order_and_repetition_of_rows_change_nothing(tmp_path: Path) -> None:
    """Lookups list an LSOA once for every postcode: it counts once, wherever it stands."""
    codes = list(LSOAS)
    random.Random(3).shuffle(codes)
    folder = written(
        tmp_path,
        ward_of={code: WARD_OF[code] for code in codes},
        people={code: PEOPLE[code] for code in reversed(codes)},
        scores={code: SCORES[code] for code in sorted(codes, reverse=True)},
        more=f"{LSOAS[0]},North\n{LSOAS[0]},North\n",
    )
    assert joined(folder).covariates["imd_score"].tolist() == pytest.approx([NORTH, SOUTH], abs=1e-12)
    assert joined(folder).averaged == {"imd_score": 5}


lsoas = st.lists(
    st.tuples(st.floats(-10, 100, allow_nan=False), st.floats(1, 10_000)), min_size=1, max_size=12
)


def _mean(members: list[tuple[float, float]]) -> float:
    codes = [str(at) for at in range(len(members))]
    scores = {code: score for code, (score, _) in zip(codes, members, strict=True)}
    people = {code: number for code, (_, number) in zip(codes, members, strict=True)}
    return mean_scores({"x": codes}, scores, people)["x"]


@given(lsoas, st.floats(0.01, 100))
def test_population_scales_out(members: list[tuple[float, float]], factor: float) -> None:
    """Twice the people everywhere: the same mean, which lies between the lowest and the highest score."""
    found = _mean(members)
    assert _mean([(score, factor * people) for score, people in members]) == pytest.approx(found, abs=1e-9)
    assert min(score for score, _ in members) - 1e-9 <= found <= max(score for score, _ in members) + 1e-9


@given(lsoas, st.floats(0.05, 0.95), st.randoms(use_true_random=False))
def test_splitting_an_lsoa_changes_nothing(
    members: list[tuple[float, float]], part: float, order: random.Random
) -> None:
    """Two halves of the same score, in any order of the LSOAs, are the whole."""
    (score, people), *rest = members
    split = [(score, part * people), (score, (1 - part) * people), *rest]
    order.shuffle(split)
    assert _mean(split) == pytest.approx(_mean(members), abs=1e-9)


def test_an_lsoa_in_two_areas_is_an_error(tmp_path: Path) -> None:
    """Whole LSOAs alone can be averaged; an LSOA torn between areas not in the data is nobody's concern."""
    refused(written(tmp_path, more=f"{LSOAS[0]},South\n"), "1 LSOAs are in two areas of 'ward'", LSOAS[0])
    assert joined(written(tmp_path, more=f"{LSOAS[5]},Further\n")).averaged == {"imd_score": 5}


def test_an_area_without_lsoas_is_an_error(tmp_path: Path) -> None:
    """One that is named, and all of them, which are codes of another sort."""
    folder = written(tmp_path)
    refused(
        folder, "1 of 3 areas of the data have no LSOA in it (West)", to=panel(("North", "South", "West"))
    )
    refused(
        folder, "none of the 2 areas of the data is in 'ward' ('East' for one)", to=panel(("East", "West"))
    )


def test_every_lsoa_needs_a_score_and_a_population(tmp_path: Path) -> None:
    """Both lists at once, up to five named; the LSOAs of areas that are not in the data do not matter."""
    many = {f"E01001{at:03d}": "North" for at in range(7)}
    folder = written(tmp_path, ward_of={**WARD_OF, **many}, people={LSOAS[0]: 1, LSOAS[1]: 1})
    refused(
        folder,
        "index.csv: 7 LSOAs of the areas have no score",
        "people.csv: 10 LSOAs of the areas have no population",
        "E01001004 and 2 more",
    )
    folder = written(
        tmp_path,
        scores={code: SCORES[code] for code in LSOAS[:5]},
        people={code: PEOPLE[code] for code in LSOAS[:5]},
    )
    assert joined(folder).covariates["imd_score"].tolist() == pytest.approx([NORTH, SOUTH])


def test_lsoas_of_the_other_country_are_said_to_be(tmp_path: Path) -> None:
    """An English index has no score for a Welsh LSOA, and why is told."""
    folder = written(tmp_path, ward_of={**WARD_OF, "W01000001": "North"}, people={**PEOPLE, "W01000001": 9})
    refused(folder, "1 LSOAs of the areas have no score", "1 of them lie in the other country")


@pytest.mark.parametrize("people", [0, -5])
def test_a_population_must_be_above_zero(tmp_path: Path, people: int) -> None:
    """None and fewer than none are mistakes of the file, not weights."""
    says = f"1 LSOAs of the areas have no population above zero ({LSOAS[2]}: {people})"
    refused(written(tmp_path, people={**PEOPLE, LSOAS[2]: people}), says)


def test_the_census_of_lookup_and_population_must_be_that_of_the_index(tmp_path: Path) -> None:
    """A lookup from 2021 LSOAs under the index of 2019 is refused by what it is, not by what it lacks."""
    folder = written(tmp_path, ward_of={**WARD_OF, "E01035000": "North"})
    refused(folder, "wards.csv: `edition = 2019` is on 2011 LSOAs, but its codes are of 2021; give a lookup")
    folder = written(tmp_path, people={**PEOPLE, "E01035000": 5})
    refused(folder, "people.csv: `edition = 2019` is on 2011 LSOAs, but its codes are of 2021")


def test_an_index_that_is_not_by_lsoa_has_nothing_to_average(tmp_path: Path) -> None:
    """Scores by ward are the areas' own already."""
    (tmp_path / "own.csv").write_text("area,IMD_score\nNorth,10.5\nSouth,20.5\n", encoding="utf-8")
    refused(written(tmp_path), "`average` needs an index by LSOA", path="own.csv", code="area")


def test_two_columns_of_lsoas_ask_for_the_key_that_tells(tmp_path: Path) -> None:
    """The message names the key of this table, not that of the index."""
    folder = written(tmp_path)
    rows = "".join(f"{code},{code},{ward}\n" for code, ward in WARD_OF.items())
    (folder / "wards.csv").write_text(f"LSOA11CD,LSOA21CD,ward\n{rows}", encoding="utf-8")
    refused(folder, "wards.csv: which column holds the LSOA codes? Name it in `average.code`")
    assert joined(folder, average={**GIVEN, "code": "LSOA11CD"}).averaged == {"imd_score": 5}


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"as": "rank"}, 'a mean of ranks is no rank; use as = "score"'),
        ({"as": "decile"}, 'a mean of deciles is no decile; use as = "score"'),
        ({"as": "class", "column": "x"}, "names have none"),
        ({"as": "value"}, '`average` takes the mean of scores: use as = "score"'),
        ({"edition": None}, "`average` needs `edition`"),
        ({"lookup": "fit.csv"}, "take `lookup` out"),
    ],
)
def test_scores_alone_are_averaged(tmp_path: Path, how: dict[str, Any], says: str) -> None:
    """Ranks, deciles, classes, an index of no declared edition: told before any file is read."""
    refused(tmp_path, says, **how)
    design = made(tmp_path)
    keys = {"path": "index.csv", "edition": 2019, "as": "score", "average": GIVEN, **how}
    lines = [f"{key} = {_toml(value)}" for key, value in keys.items() if value is not None]
    text = "[covariates.imd_score]\n" + "\n".join(lines) + "\n"
    old = design.read_text("utf-8")
    design.write_text(re.sub(r"(?ms)^\[covariates.imd_score\]\n.*?(?=^\[)", text, old), encoding="utf-8")
    with pytest.raises(ProtocolError) as caught:
        load_protocol(design)
    assert "`covariates.imd_score`: `average`" in str(caught.value)
    assert says in str(caught.value)


def test_residents_are_not_averaged(tmp_path: Path) -> None:
    """They are added up, and a table of them by ward is asked for."""
    with pytest.raises(DataError, match="residents are added up"):
        join_covariates(
            panel(),
            {
                "residents": Covariate.model_validate(
                    {"path": "people.csv", "average": GIVEN, "as": "score", "edition": 2019}
                )
            },
            written(tmp_path),
        )


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {json.dumps(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


WARDS = tuple(f"E0500{at:04d}" for at in range(1, 41))


def _by_ward(folder: Path) -> tuple[Path, dict[str, float]]:
    """A matched design on forty wards of three LSOAs each, and the wards' scores by hand."""
    design = made(folder, areas=WARDS, treated=WARDS[:4])
    rng = np.random.default_rng(4)
    ward_of = {f"E01{at:06d}": WARDS[at % len(WARDS)] for at in range(3 * len(WARDS))}
    scores = {code: round(float(rng.uniform(1, 70)), 3) for code in ward_of}
    people: dict[str, float] = {code: int(rng.integers(1_000, 3_000)) for code in ward_of}
    written(folder, ward_of=ward_of, scores=scores, people=people)
    with design.open("a", encoding="utf-8") as out:
        out.write("[covariates.imd_score.average]\nfile = 'wards.csv'\narea = 'ward'\n")
        out.write("residents = 'people.csv'\n")
    by_hand = {}
    for ward in WARDS:
        codes = [code for code, one in ward_of.items() if one == ward]
        weights = [people[code] for code in codes]
        by_hand[ward] = float(np.average([scores[code] for code in codes], weights=weights))
    return design, by_hand


def _ran(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as left:
        cli.main(list(words))
    shown = capsys.readouterr()
    assert not left.value.code, shown.err
    return shown.out


def test_wards_are_matched_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Match, profile and report all say that the scores are means, over how many LSOAs."""
    design, by_hand = _by_ward(tmp_path)
    told = " ".join(_ran(capsys, "match", str(design), "--out", str(tmp_path / "out")).split())
    assert "the population-weighted mean of its LSOAs' scores, over 120 LSOAs in all." in told
    (profile,) = json.loads(_ran(capsys, "deprivation", str(design), "--json", "-"))["profiles"]
    treated = next(row for row in profile["rows"] if row["group"] == "treated")
    assert treated["mean_score"] == pytest.approx(np.mean([by_hand[ward] for ward in WARDS[:4]]), abs=1e-9)
    assert treated["most_deprived"] is None
    assert "areas made of several have no rank" in treated["why_missing"]
    assert "mean of its LSOAs' scores: 120 LSOAs in 40 areas" in profile["notes"][0]
    result = json.loads(_ran(capsys, "run", str(design), "--json", "-"))
    (balance,) = [one for one in result["findings"] if one["rule"] == "selection.imbalance"]
    assert "population-weighted mean of its LSOAs' scores, 120 LSOAs in all" in balance["message"]
