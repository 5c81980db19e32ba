"""Method did end to end on real police.uk counts: design file, data, estimate, every rendering."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import whatworks_eval as ww
from whatworks_eval.judgement import Evaluation
from whatworks_eval.panel import Panel
from whatworks_eval.shipped import shipped_path

STARTS = ("2019-01", "2019-04", "2019-08")
CLUMPS = 8
DESIGN = """
schema = 1
id = "did-placebo"
question = "Did recorded anti-social behaviour change in places drawn by lot, where nothing was done?"
method = "did"
seed = 2019

[intervention]
name = "Nothing (placebo)"
start = "2019-01"
assignment = "phased"

[outcome]
source = "police-uk"
path = "avon-and-somerset_street_2018-01_2020-12.zip"
offences = ["Anti-social behaviour"]
kind = "{kind}"

[windows]
before = ["2018-01", "2018-12"]
after = ["2019-01", "2019-12"]

[areas]
treated = {{ file = "areas.csv", column = "area", unit = "unit"{start} }}
comparison = "rest"
{more}
"""


def clumps() -> list[tuple[str, str]]:
    """Area and unit of the shipped placebo clumps, drawn without sight of a count."""
    path = shipped_path("designs", "placebo-avon-and-somerset").with_name(
        "placebo-avon-and-somerset-areas.csv"
    )
    rows = [line.split(",") for line in path.read_text("utf-8").splitlines()[1:]]
    return [(area, unit) for area, unit in rows]


@pytest.fixture(scope="module")
def evaluations(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluation]:
    """One start, staggered, and rates, each through the whole line from its own design file."""
    folder = tmp_path_factory.mktemp("did")
    numbered = {f"clump-{number}": STARTS[number % 3] for number in range(1, CLUMPS + 1)}
    numbered["clump-1"] = STARTS[0]
    lines = [f"{area},{unit},{numbered[unit]}" for area, unit in clumps()]
    (folder / "areas.csv").write_text("area,unit,begins\n" + "\n".join(lines) + "\n", encoding="utf-8")
    people = shared_data / "population" / "lsoa11_population_mid2017_2019_2020.csv.gz"
    residents = (
        f'[covariates.residents]\npath = "{people.as_posix()}"\ncolumn = "mid2019"\ncode = "lsoa11_code"\n'
    )
    found = {}
    for name, kind, start, more in (
        ("one start", "count", "", ""),
        ("staggered", "count", ', start = "begins"', ""),
        ("rate", "rate", "", residents),
        ("staggered rate", "rate", ', start = "begins"', residents),
    ):
        path = folder / f"{name.replace(' ', '-')}.toml"
        path.write_text(DESIGN.format(kind=kind, start=start, more=more), encoding="utf-8")
        protocol = ww.load_protocol(path)
        found[name] = ww.evaluate(protocol, ww.load_data(protocol, base=shared_data / "police_uk"))
    return found


def parts(evaluation: Evaluation, panel: Panel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts of the treated and of the comparison areas, and which periods are used."""
    at = {area: place for place, area in enumerate(panel.areas)}
    treated = np.array([at[area] for area in evaluation.contrast.treated])
    other = np.array([at[area] for area in evaluation.contrast.comparison])
    used = np.isin(panel.periods, [period for window in evaluation.windowed.periods for period in window])
    return treated, other, used


@pytest.fixture(scope="module")
def panel(shared_data: Path) -> Panel:
    """The counts all of them rest on."""
    protocol = ww.load_protocol(shipped_path("designs", "placebo-avon-and-somerset"))
    return ww.load_data(protocol, base=shared_data / "police_uk")


def test_one_start_is_the_ratio_of_ratios(evaluations: dict[str, Evaluation], panel: Panel) -> None:
    """By hand from the counts, to 1e-9, with both Julys left out."""
    found = evaluations["one start"]
    treated, other, used = parts(found, panel)
    assert used.sum() == 22
    after = used & (np.array(panel.periods) >= "2019-01")
    before = used & ~after
    four = [panel.counts[np.ix_(rows, mask)].sum() for rows in (treated, other) for mask in (before, after)]
    assert found.estimate.value == pytest.approx(math.log(four[1] * four[2] / four[0] / four[3]), abs=1e-9)
    assert "whole units" in found.estimate.inference or "adjoining" in found.estimate.inference


def test_staggered_is_recorded_over_expected(evaluations: dict[str, Evaluation], panel: Panel) -> None:
    """Each cohort against its own months before, by hand, to 1e-9; cohorts add up."""
    found = evaluations["staggered"]
    treated, other, used = parts(found, panel)
    months = np.array(panel.periods)
    recorded = expected = 0.0
    for area, row in zip(found.contrast.treated, treated, strict=True):
        after = used & (months >= found.contrast.starts[area])
        before = used & ~after
        recorded += panel.counts[row, after].sum()
        ratio = panel.counts[np.ix_(other, after)].sum() / panel.counts[np.ix_(other, before)].sum()
        expected += panel.counts[row, before].sum() * ratio
    assert found.estimate.value == pytest.approx(math.log(recorded / expected), abs=1e-9)
    assert found.estimate.recorded == recorded
    assert found.over_time.cohorts
    assert sum(cohort.units for cohort in found.over_time.cohorts) == CLUMPS
    assert sum(cohort.expected for cohort in found.over_time.cohorts) == pytest.approx(expected)


def test_rates_are_differences_of_mean_rates(
    evaluations: dict[str, Evaluation], panel: Panel, shared_data: Path
) -> None:
    """Incidents by 1,000 residents and month, by hand, to 1e-9; cohorts have both ends."""
    found = evaluations["rate"]
    assert found.estimate.unit == "incidents by 1,000 residents and month"
    people = pd.read_csv(shared_data / "population" / "lsoa11_population_mid2017_2019_2020.csv.gz")
    residents = people.set_index("lsoa11_code")["mid2019"].loc[list(panel.areas)].to_numpy()
    treated, other, used = parts(found, panel)
    after = used & (np.array(panel.periods) >= "2019-01")
    before = used & ~after
    change = panel.counts[:, after].mean(axis=1) - panel.counts[:, before].mean(axis=1)
    rate = 1_000 * change / residents
    assert found.estimate.value == pytest.approx(rate[treated].mean() - rate[other].mean(), abs=1e-9)
    for cohort in evaluations["staggered rate"].over_time.cohorts:
        assert cohort.low < cohort.value < cohort.high


@pytest.mark.parametrize("name", ["one start", "staggered", "rate", "staggered rate"])
def test_nothing_is_found_where_nothing_was_done(evaluations: dict[str, Evaluation], name: str) -> None:
    """Eight clumps drawn by lot: the interval holds no change, no rule misfires, no NaN is printed."""
    found = evaluations[name]
    assert found.estimate.low < 0 < found.estimate.high
    assert found.over_time.event_study.pretrend.p_value > 0.03
    drives = next(one for one in found.findings if one.rule == "chance.one-unit-drives")
    assert "nothing would be left" not in drives.message
    ledger = found.ledger
    assert ledger.read == ledger.used + sum(sum(by.values()) for by in ledger.excluded.values())
    for kind in ("text", "html"):
        assert "nan" not in ww.render(found, kind).replace("anance", "").split()
    text = ww.render(found, "json")
    assert "NaN" not in text
    assert json.loads(text)["estimate"]["value"] == pytest.approx(found.estimate.value)
