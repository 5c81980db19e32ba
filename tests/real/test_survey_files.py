"""Every published form of confidence table is read whole, and relabelling holds its level on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import whatworks_eval as ww
from whatworks_eval.evaluation import estimate
from whatworks_eval.panel import Panel
from whatworks_eval.protocol_tables import Outcome
from whatworks_eval.sources.survey import load_survey

ETHNICITY = "mps_neighbourhood_indicators_2015-16_to_2020-21_by_ethnicity.csv"
PERCEPTIONS = "mps_neighbourhood_perceptions_2015-16.csv"
QUESTIONS = (
    "Good Job local",
    "Contact ward officer",
    "Informed local",
    "Listen to concerns",
    "Relied on to be there",
    "Treat everyone fairly",
    "Understand issues",
)
CSEW = "csew_police_force_area_year_ending_sept_2022.xlsx"


def read(folder: Path, name: str, **keys: Any) -> Panel:
    """The panel of a file, its ledger checked: every answer is used or excluded under a reason."""
    path = folder / "confidence" / name
    panel = load_survey(path, Outcome(source="survey", path=name, **keys), period_kind="quarter")
    assert panel.ledger.read == panel.ledger.used + panel.ledger.excluded_rows
    return panel


@pytest.mark.parametrize(
    ("name", "keys", "areas", "periods", "area", "first"),
    [
        ("PAS_buroughs.csv", {"measure": "Good Job local"}, 32, 37, "Ealing", 0.60),
        ("PAS_Total.csv", {"measure": "Informed"}, 1, 37, "MPS", 0.49),
        ("mopac_voice_trend_lambeth_2014-12_2022-06.csv", {"measure": "good job"}, 1, 31, "Lambeth", 0.62),
        ("all_borough_police_fair_june_2022_UTF16_tabs.csv", {}, 32, 1, "Lambeth", 0.38),
        ("all_borough_police_good_job_june_2022.csv", {}, 32, 1, "Croydon", 0.38),
        (
            PERCEPTIONS,
            {"measure": "how good a job", "periods": {PERCEPTIONS: "2016-Q1"}},
            106,
            1,
            "Barking and Dagenham - Whalebone",
            0.67,
        ),
        (
            ETHNICITY,
            {"measure": "how good a job", "subgroup": "Asian", "periods": {ETHNICITY: "2021-Q1"}},
            112,
            1,
            "Barking and Dagenham - Barking",
            0.64,
        ),
        (CSEW, {"measure": "excellent or good job"}, 42, 1, "E23000013", 0.5201364),
        (CSEW, {"measure": "treated fairly by", "sheet": "Table 1"}, 0, 0, "", 0.0),
    ],
)
def test_published_forms_are_read(
    shared_data: Path, name: str, keys: dict[str, Any], areas: int, periods: int, area: str, first: float
) -> None:
    """Separators, decimal commas, byte-order marks, two header rows and UTF-16 are taken as they come."""
    if not areas:
        with pytest.raises(ww.DataError, match="no question"):
            read(shared_data, name, **keys)
        return
    panel = read(shared_data, name, **keys)
    assert len(panel.periods) == periods
    assert len(panel.areas) == areas
    assert panel.counts[panel.areas.index(area), 0] == pytest.approx(first)


def test_one_borough_spelt_two_ways_is_one(shared_data: Path) -> None:
    """Richmond upon Thames is whole, and the ledger says so."""
    panel = read(shared_data, "PAS_buroughs.csv", measure="Good Job local")
    assert panel.observed.all()
    assert any("'Richmond Upon Thames' (3 answers) read as" in note for note in panel.ledger.notes)


def test_csew_intervals_give_effective_bases(shared_data: Path) -> None:
    """Bases as published; the intervals imply a design effect near 2 at the middle of the forces."""
    panel = read(shared_data, CSEW, measure="excellent or good job")
    assert panel.bases is not None
    assert panel.effective_bases is not None
    assert panel.bases[panel.areas.index("E23000013"), 0] == 346
    assert 1.5 < np.nanmedian(panel.bases / panel.effective_bases) < 2.3
    assert panel.rolling_months == 12
    assert panel.periods == ("2022-Q3",)


def test_a_file_that_lost_its_zeros_is_refused(shared_data: Path) -> None:
    """'0,8' became 8.0 in the table an uploader processed: refused by row, not averaged in."""
    name = "london_borough_pas_cleaned_processed_by_uploader.csv"
    with pytest.raises(ww.DataError, match="a lost zero"):
        read(shared_data, name, area="Borough", date="Date", percent="Proportion Relied on to be there")


def test_relabelling_holds_its_level_and_sampling_error_does_not(shared_data: Path) -> None:
    """Boroughs picked at random, year on year: relabelling finds an effect about as often as it should.

    The survey is designed for 400 people a borough and year. Sampling error alone, with a design effect of 2,
    finds one more often: areas drift apart for reasons of their own.
    """
    rng = np.random.default_rng(1)
    found: dict[str, list[bool]] = {"relabelling": [], "sampling": []}
    for question in QUESTIONS:
        panel = read(shared_data, "PAS_buroughs.csv", measure=question)
        panel = replace(panel, bases=np.full(panel.counts.shape, 400.0))
        for year in (2015, 2016, 2017, 2021, 2022):
            for _ in range(6):
                treated = [panel.areas[at] for at in rng.choice(32, 3, replace=False)]
                effect = estimate(_design(question, year, treated), panel).effect
                for made in (effect.estimate, *effect.alternatives):
                    name = made.inference.split(":")[0].split(" ")[0]
                    if made.scale == "difference":
                        found[name].append(made.excludes_zero)
    assert len(found["relabelling"]) == len(found["sampling"]) == 210
    assert 0.01 <= np.mean(found["relabelling"]) <= 0.11
    assert np.mean(found["sampling"]) > np.mean(found["relabelling"]) + 0.03


def _design(question: str, year: int, treated: list[str]) -> Any:
    return ww.protocol_from_dict(
        {
            "schema": 1,
            "id": "placebo",
            "question": "?",
            "method": "relative-effect",
            "period": "quarter",
            "intervention": {"name": "none", "start": f"{year + 1}-Q1", "assignment": "random"},
            "outcome": {"source": "survey", "path": "PAS_buroughs.csv", "measure": question},
            "windows": {"before": [f"{year}-Q4"] * 2, "after": [f"{year + 1}-Q4"] * 2},
            "areas": {"treated": treated, "comparison": "rest", "unit": "area"},
        }
    )
