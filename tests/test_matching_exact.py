"""What areas are matched on, from what was observed; what they must share, never rounded or run together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from whatworks_eval.errors import ProtocolError
from whatworks_eval.matching.features import features_of
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.protocol import protocol_from_dict


def labels(exact: tuple[str, ...], **known: Any) -> tuple[str, ...]:
    """What each of three areas must share."""
    counts = np.ones((3, 1))
    panel = Panel(
        areas=("a", "b", "c"),
        periods=("2018-01",),
        counts=counts,
        observed=counts > 0,
        ledger=Ledger(),
        **known,
    )
    return features_of(panel, ["before_level"], exact, ("2018-01", "2018-01"), panel.areas).exact


def test_districts_of_seven_digits_are_not_rounded_into_one() -> None:
    """6000022 and 6000023 (two districts) are two strata; nil is one, signed or not."""
    codes = np.array([6_000_022.0, 6_000_023.0, 6_000_022.0])
    first, second, third = labels(("district",), covariates={"district": codes})
    assert first == third
    assert first != second
    assert len(set(labels(("x",), covariates={"x": np.array([0.0, -0.0, np.nan])}))) == 2


def test_names_of_two_classes_are_not_run_together() -> None:
    """'a|b' in 'c' is another stratum than 'a' in 'b|c'; an area without a class is in none."""
    classes = {"one": {"a": "a|b", "b": "a"}, "two": {"a": "c", "b": "b|c", "c": "c"}}
    first, second, third = labels(("one", "two"), classes=classes)
    assert first != second
    assert third == ""


def test_a_month_without_a_file_is_no_fall() -> None:
    """Ten a month throughout is no trend, though two months are missing; all missing is unknown."""
    counts = np.full((3, 12), 10.0)
    observed = np.ones((3, 12), dtype=bool)
    observed[1, 10:] = False
    observed[2, :] = False
    periods = tuple(f"2018-{month:02d}" for month in range(1, 13))
    panel = Panel(
        areas=("a", "b", "c"),
        periods=periods,
        counts=np.where(observed, counts, np.nan),
        observed=observed,
        ledger=Ledger(),
    )
    names = ["before_level", "before_trend"]
    found = features_of(panel, names, (), ("2018-01", "2018-12"), panel.areas).values
    assert found[0] == pytest.approx([np.log(120.5 / 12), 0.0], abs=1e-12)
    assert found[1] == pytest.approx([np.log(100.5 / 10), np.log(20.5 / 2) - np.log(40.5 / 4)], abs=1e-12)
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"matching": {"on": ["kind"]}}, "`matching.on` names 'kind', which holds classes"),
        ({"covariates": {"kind": {"path": "x.csv", "as": "class"}}}, "which needs `column`"),
        (
            {"covariates": {"kind": {"path": "x.csv", "as": "class", "column": "y", "edition": 2019}}},
            "`edition` is for an index of deprivation",
        ),
        (
            {"covariates": {"residents": {"path": "x.csv", "as": "class", "column": "y"}}},
            "residents are a number",
        ),
    ],
)
def test_a_class_is_not_asked_to_be_a_number(sections: dict[str, Any], says: str) -> None:
    """Each misuse is one sentence with the key."""
    with pytest.raises(ProtocolError) as caught:
        protocol_from_dict(
            {
                "schema": 1,
                "id": "x",
                "question": "?",
                "method": "relative-effect",
                "intervention": {"name": "x", "start": "2019-01", "assignment": "need"},
                "outcome": {"source": "counts", "path": "counts.csv"},
                "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
                "areas": {"treated": ["a"], "comparison": "matched"},
                "covariates": {"kind": {"path": "x.csv", "as": "class", "column": "y"}},
                **sections,
            }
        )
    assert says in str(caught.value)
    assert len(caught.value.problems) == 1
