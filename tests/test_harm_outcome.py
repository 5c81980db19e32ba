"""The effect weighed by harm, from a declared design to an estimate beside the registered one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import whatworks_eval as ww
from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context\n"
)
BURGLARY, SHOPLIFTING = 244.68, 1.0  # days, CCHI 2026, as shipped


def write_files(folder: Path, seed: int = 1) -> None:
    """Twenty-four months of forty areas in one district, burglary and shoplifting."""
    rng = np.random.default_rng(seed)
    for year in (2018, 2019):
        for month in range(1, 13):
            period = f"{year}-{month:02d}"
            rows = []
            for at in range(40):
                code, name = f"E0101{4000 + at}", f"Bristol {1 + at // 4:03d}{'ABCD'[at % 4]}"
                place = f"{-2.6 + 0.01 * (at % 8):.4f},{51.4 + 0.01 * (at // 8):.4f}"
                for offence, mean in (("Burglary", 3.0), ("Shoplifting", 6.0)):
                    rows += [
                        f",{period},Avon and Somerset Constabulary,Avon and Somerset Constabulary,{place},"
                        f"On or near X,{code},{name},{offence},,\n"
                    ] * int(rng.poisson(mean))
            inside = folder / period
            inside.mkdir(parents=True)
            (inside / f"{period}-avon-and-somerset-street.csv").write_text(HEADER + "".join(rows))


def protocol_of(folder: Path, **outcome: Any) -> Protocol:
    """Eight treated areas; burglary and shoplifting weighed by harm."""
    declared = {
        "source": "police-uk",
        "path": "files",
        "offences": ["Burglary", "Shoplifting"],
        "harm": "CCHI 2026",
    } | outcome
    return ww.protocol_from_dict(
        {
            "schema": 1,
            "id": "harm",
            "question": "?",
            "method": "relative-effect",
            "intervention": {"name": "x", "start": "2019-01", "assignment": "phased"},
            "outcome": {key: value for key, value in declared.items() if value is not None},
            "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
            "areas": {
                "treated": [f"E0101{4000 + at}" for at in range(0, 40, 5)],
                "comparison": "rest",
                "unit": "area",
            },
        },
        base=folder,
    )


def test_harm_is_the_weighted_sum_and_stands_beside_the_number(tmp_path: Path) -> None:
    """Each offence counted apart, times its weight; the ratio of ratios of the sums; a caveat on averages."""
    write_files(tmp_path / "files")
    protocol = protocol_of(tmp_path)
    panel = ww.load_data(protocol)
    assert isinstance(panel, Panel)
    assert panel.harm is not None
    parts = {}
    for offence in ("Burglary", "Shoplifting"):
        one = ww.load_data(protocol_of(tmp_path, offences=[offence], harm=None))
        assert isinstance(one, Panel)
        parts[offence] = one.counts
    expected = BURGLARY * parts["Burglary"] + SHOPLIFTING * parts["Shoplifting"]
    assert panel.harm.values == pytest.approx(expected)
    evaluation = ww.evaluate(protocol, panel)
    found = next(other for other in evaluation.alternatives if other.label == "weighed by harm (CCHI 2026)")
    treated = np.isin(panel.areas, evaluation.contrast.treated)
    before, after = expected[:, :12].sum(axis=1), expected[:, 12:].sum(axis=1)
    by_hand = np.log(after[treated].sum() / before[treated].sum()) - np.log(
        after[~treated].sum() / before[~treated].sum()
    )
    assert found.value == pytest.approx(by_hand)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert "days" in found.measure
    assert found.prevented.value is None  # days would pass for incidents there
    assert [finding.kind for finding in evaluation.findings if finding.rule == "analysis.harm-weights"] == [
        "caveat"
    ]


def test_anti_social_behaviour_is_never_weighed(tmp_path: Path) -> None:
    """It is refused by name; so is an offence the scheme has no average for, and a design that names none."""
    write_files(tmp_path / "files")
    with pytest.raises(DataError, match="'Anti-social behaviour' is not an offence and has no weight"):
        ww.load_data(protocol_of(tmp_path, offences=["Burglary", "Anti-social behaviour"]))
    with pytest.raises(ProtocolError, match=r"outcome\.offences` is absent"):
        protocol_of(tmp_path, offences=None)
