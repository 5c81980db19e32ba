"""`whatworks deprivation`, and the index put together again without some of its domains."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matched_designs import AFTER, AREAS, BEFORE, TREATED, made

from whatworks_eval import cli
from whatworks_eval.deprivation_command import profiles
from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.protocol import load_protocol
from whatworks_eval.protocol_tables import Covariate
from whatworks_eval.sources import load_data
from whatworks_eval.sources.covariates import join_covariates

THREE = ("E01000001", "E01000002", "E01000003")
PERIODS = (*BEFORE, *AFTER)
HEAD = "lsoa11_code,income_rank,employment_rank,education_rank,health_rank,crime_rank,barriers_rank"


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, print, aside."""
    with pytest.raises(SystemExit) as left:
        cli.main(list(words))
    shown = capsys.readouterr()
    return int(left.value.code or 0), shown.out, shown.err


def test_the_profile_is_that_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Mean scores and shares in the most deprived tenth, as worked out from the file by hand."""
    design = made(tmp_path)
    code, out, _ = ran(capsys, "deprivation", str(design), "--json", "-")
    assert code == 0
    (profile,) = json.loads(out)["profiles"]
    lines = [line.split(",") for line in (tmp_path / "index.csv").read_text("utf-8").splitlines()[1:]]
    scores = {line[0].strip('"'): float(line[1]) for line in lines}
    ranks = {line[0].strip('"'): int(line[2]) for line in lines}
    treated = next(row for row in profile["rows"] if row["group"] == "treated")
    whole = next(row for row in profile["rows"] if row["group"] == "force")
    assert treated["mean_score"] == pytest.approx(np.mean([scores[area] for area in TREATED]))
    assert whole["mean_score"] == pytest.approx(np.mean([scores[area] for area in AREAS]))
    # the most deprived tenth of 32,844 areas ends at rank 3,284
    assert whole["most_deprived"] == pytest.approx(np.mean([ranks[area] <= 3_284 for area in AREAS]))
    code, out, _ = ran(capsys, "deprivation", str(design))
    assert (code, "This says who was served, not what it did." in " ".join(out.split())) == (0, True)


def test_a_count_after_the_start_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The comparison's figures rest on the match, and the match on what was known before."""
    one = ran(capsys, "deprivation", str(made(tmp_path)))
    assert one == ran(capsys, "deprivation", str(made(tmp_path, after=3.0, after_seed=5)))


def test_units_are_weighed_by_residents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two treated areas of one unit, one with three times the residents: their mean leans to it."""
    design = made(tmp_path)
    lines = [line.split(",") for line in (tmp_path / "index.csv").read_text("utf-8").splitlines()[1:]]
    scores = {line[0].strip('"'): float(line[1]) for line in lines}
    people = {area: 3_000 if area == TREATED[0] else 1_000 for area in AREAS}
    rows = "".join(f"{area},{number}\n" for area, number in people.items())
    (tmp_path / "people.csv").write_text(f"area,residents\n{rows}", encoding="utf-8")
    wards = "".join(f"{area},{'North' if area in TREATED[:2] else area}\n" for area in AREAS)
    (tmp_path / "wards.csv").write_text(f"area,ward\n{wards}", encoding="utf-8")
    text = design.read_text("utf-8")
    assert "[areas]" in text
    text = re.sub(r"(?m)^unit = .*\n", "", text)
    text = text.replace("[areas]\n", '[areas]\nunit = { file = "wards.csv", code = "area", unit = "ward" }\n')
    text += '\n[covariates.residents]\npath = "people.csv"\ncode = "area"\ncolumn = "residents"\n'
    design.write_text(text, encoding="utf-8")
    code, out, err = ran(capsys, "deprivation", str(design), "--json", "-")
    assert code == 0, err
    north = json.loads(out)["profiles"][0]["units"]["North"]
    assert north["value"] == pytest.approx((3 * scores[TREATED[0]] + scores[TREATED[1]]) / 4)
    assert (north["areas"], north["residents"]) == (2, 4_000)
    _, out, _ = ran(capsys, "deprivation", str(design))
    assert "Treated units, the mean of their areas' scores by residents" in out


def test_an_index_on_other_boundaries_is_carried_as_the_match_carries_it(tmp_path: Path) -> None:
    """A split area takes the mean of its parts, one without an exact fit is left out, and it is told."""
    design = made(tmp_path)
    codes = [f"E01{at:06d}" for at in range(1, 41)]
    counts = (tmp_path / "counts.csv").read_text("utf-8")
    text = design.read_text("utf-8")
    for at, area in enumerate(AREAS):
        new = codes[at] if at < len(codes) else f"E01{at + 2_000:06d}"
        counts, text = counts.replace(area, new), text.replace(area, new)
    held = sorted({line.split(",")[0].strip('"') for line in counts.splitlines()[1:]})
    held += [f"E01{at:06d}" for at in range(10_000, 10_600)]  # long enough to be known as of 2011
    more = "".join(f'"{area}",{period},1\n' for area in held[80:] for period in PERIODS)
    (tmp_path / "counts.csv").write_text(counts + more, encoding="utf-8")
    first, second = f"E01{33_800:06d}", f"E01{33_801:06d}"
    fit = ["LSOA11CD,LSOA21CD,CHGIND", f"{codes[0]},{first},S", f"{codes[0]},{second},S"]
    fit += [f"{area},{area},{'X' if area == codes[1] else 'U'}" for area in held if area != codes[0]]
    (tmp_path / "fit.csv").write_text("\n".join(fit) + "\n", encoding="utf-8")
    rows = [f"{first},60.0,100", f"{second},20.0,9000"]
    rows += [f"{area},{10 + at % 30}.5,{at + 1_000}" for at, area in enumerate(held) if area != codes[0]]
    (tmp_path / "index.csv").write_text("lsoa21_code,IMD_score,IMD_rank\n" + "\n".join(rows), "utf-8")
    text = text.replace("edition = 2019", 'edition = 2025\nlookup = "fit.csv"').replace("lsoa11", "lsoa21")
    design.write_text(text, encoding="utf-8")
    protocol = load_protocol(design)
    (profile,) = profiles(protocol, load_data(protocol))
    treated = profile.row("treated")
    own = [40.0, *(10 + at % 30 + 0.5 for at in range(2, 6))]
    assert (treated.areas, treated.missing) == (5, 1)
    assert treated.mean_score == pytest.approx(np.mean(own))
    assert treated.most_deprived is None
    assert "carried from 2021 to 2011 LSOAs" in profile.notes[0]
    assert "left out: 1" in profile.notes[0]


def test_without_an_index_it_says_what_to_add(tmp_path: Path) -> None:
    """No whole index under [covariates]: the error names the section and the file."""
    design = made(tmp_path)
    text = design.read_text("utf-8").replace("edition = 2019\n", "").replace('as = "score"\n', "")
    design.write_text(text, encoding="utf-8")
    protocol = load_protocol(design)
    with pytest.raises(ProtocolError, match=r"add \[covariates.imd_score\]"):
        profiles(protocol, load_data(protocol))


def test_an_index_with_ranks_alone_is_refused(tmp_path: Path) -> None:
    """A table without scores has no mean score: the error names covariate and file."""
    design = made(tmp_path)
    text = design.read_text("utf-8").replace('as = "score"\ncolumn = "IMD_score"', 'as = "rank"')
    design.write_text(text, encoding="utf-8")
    index = [line.split(",") for line in (tmp_path / "index.csv").read_text("utf-8").splitlines()]
    lines = [f"{code},{rank}" for code, _, rank in index]
    (tmp_path / "index.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    protocol = load_protocol(design)
    with pytest.raises(DataError, match=r"covariates.imd_score.*index.csv.*no scores"):
        profiles(protocol, load_data(protocol))


def panel() -> Panel:
    """Three areas, one month."""
    counts = np.ones((3, 1))
    return Panel(
        areas=THREE,
        periods=("2018-01",),
        counts=counts,
        observed=counts > 0,
        boundaries=2011,
        ledger=Ledger(),
    )


def joined(folder: Path, **how: Any) -> Panel:
    """The panel with the index, asked for so."""
    return join_covariates(panel(), {"x": Covariate(path="i.csv", **how)}, folder)


def write(folder: Path, head: str, *rows: str) -> None:
    """A table of the index."""
    (folder / "i.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")


def test_the_index_without_crime_takes_no_crime(tmp_path: Path) -> None:
    """Ranks alike but for crime give scores alike; the weights left are raised to make up for it."""
    head = f"{HEAD},living_environment_rank"
    write(
        tmp_path,
        head,
        "E01000001,1,1,1,1,32844,1,1",
        "E01000002,1,1,1,1,1,1,1",
        "E01000003,9,9,9,9,9,9,9",
    )
    found = joined(tmp_path, edition=2019, without=("crime",))
    values = found.covariates["x"]
    # all six at rank 1 are 100 on the transformed scale; published weights add up to 0.999
    assert values[:2] == pytest.approx([99.9, 99.9])
    assert values[2] < 99.9
    assert "without crime" in found.ledger.notes[0]


@pytest.mark.parametrize(
    ("head", "rows", "how", "says"),
    [
        (HEAD, ("E01000001,1,1,1,1,1,1",), {"edition": 2019}, "living is not in it; give File 7"),
        (HEAD, ("E01000001,1,1,1,1,1,1",), {}, "`without` needs `edition`"),
        ("lsoa11_code,IMD_rank", ("E01000001,4",), {"edition": 2019}, "no rank or transformed score"),
        (
            f"{HEAD},living_environment_rank",
            ("E01000001,1,1,1,1,1,1,1", "E01000001,2,2,2,2,2,2,2"),
            {"edition": 2019},
            "E01000001 there more than once",
        ),
        (
            f"{HEAD},living_environment_rank",
            ("E01000001,1,1,1,1,1,1,40000",),
            {"edition": 2019},
            "not between 1 and 32,844",
        ),
        (
            f"{HEAD},living_environment_rank",
            ("E01000001,,1,1,1,1,1,1",),
            {"edition": 2019},
            "no area has every domain that is kept; empty: income",
        ),
        (
            f"{HEAD},living_environment_rank",
            ("W01000001,1,1,1,1,1,1,1",),
            {"edition": 2019},
            "give that country's own index",
        ),
    ],
    ids=["domain", "edition", "overall", "twice", "range", "empty", "Wales"],
)
def test_an_index_that_cannot_be_rebuilt_says_why(
    tmp_path: Path, head: str, rows: tuple[str, ...], how: dict[str, Any], says: str
) -> None:
    """What is missing or wrong is named, with the covariate it is for."""
    write(tmp_path, head, *rows)
    with pytest.raises(DataError) as caught:
        joined(tmp_path, without=("crime",), **how)
    assert says in str(caught.value)
    assert "`covariates.x`" in str(caught.value)
