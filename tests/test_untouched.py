"""Offences the project should not have touched: read beside the others, and contradictions told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import whatworks_eval as ww

ROWS = """area,period,offence,count
A,2018-01,Burglary,5
A,2018-01,Fraud,2
A,2018-02,Burglary,4
B,2018-01,Burglary,3
B,2018-02,Fraud,7
C,2018-01,Theft,1
C,2018-02,Burglary,2
"""


def design(folder: Path, **outcome: object) -> ww.protocol.Protocol:  # type: ignore[name-defined]
    """A design over those rows."""
    (folder / "counts.csv").write_text(ROWS, encoding="utf-8")
    return ww.protocol_from_dict(
        {
            "schema": 1,
            "id": "untouched",
            "question": "Did it fall?",
            "method": "relative-effect",
            "intervention": {"name": "p", "start": "2018-02", "assignment": "need"},
            "outcome": {"source": "counts", "path": "counts.csv", "offence": "offence", **outcome},
            "windows": {"before": ["2018-01", "2018-01"], "after": ["2018-02", "2018-02"]},
            "areas": {"treated": ["A"], "comparison": ["B", "C"], "unit": "area"},
        },
        base=folder,
    )


def test_untouched_offences_are_counted_over_the_same_areas(tmp_path: Path) -> None:
    """By hand: an area without a row in an observed month recorded none of them."""
    panel = ww.load_data(design(tmp_path, offences=["Burglary"], untouched=["Fraud"]))
    assert panel.areas == ("A", "B", "C")
    assert panel.counts.tolist() == [[5, 4], [3, 0], [0, 2]]
    assert panel.untouched is not None
    np.testing.assert_array_equal(panel.untouched, [[2, 0], [0, 7], [0, 0]])


def test_offences_that_are_not_there_are_named(tmp_path: Path) -> None:
    """A slip in the name is an error, not a column of zeros."""
    with pytest.raises(ww.DataError, match="Frawd"):
        ww.load_data(design(tmp_path, offences=["Burglary"], untouched=["Frawd"]))


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ({"untouched": ["Fraud"]}, "`outcome.offences` is absent"),
        ({"offences": ["Fraud"], "untouched": ["Fraud"]}, "'Fraud' in both"),
    ],
)
def test_an_offence_is_one_or_the_other(tmp_path: Path, outcome: dict[str, object], said: str) -> None:
    """What the project was for and what it could not touch are told apart."""
    with pytest.raises(ww.ProtocolError, match=said):
        design(tmp_path, **outcome)


def test_a_method_that_would_not_ask_them_refuses_them(tmp_path: Path) -> None:
    """Declared and never looked at would read as looked at."""
    valid = design(tmp_path, offences=["Burglary"], untouched=["Fraud"]).model_dump(exclude_none=True)
    for method in ("interrupted-time-series", "synthetic"):
        with pytest.raises(ww.ProtocolError, match=f"not by '{method}'"):
            design_with(valid, method)


def design_with(valid: dict[str, object], method: str) -> ww.protocol.Protocol:  # type: ignore[name-defined]
    """The same design by another method."""
    sections = {key: valid[key] for key in ("id", "question", "intervention", "outcome", "windows", "areas")}
    return ww.protocol_from_dict({"schema": 1, **sections, "method": method})
