"""[matching] and rebuilt indices: what a design says against itself, with the way out."""

from __future__ import annotations

from typing import Any

import pytest

from whatworks_eval.errors import ProtocolError
from whatworks_eval.protocol import Protocol, protocol_from_dict


def protocol(
    matching: dict[str, Any], covariates: dict[str, Any] | None = None, source: str = "police-uk"
) -> Protocol:
    """A design matched so."""
    return protocol_from_dict(
        {
            "schema": 1,
            "id": "x",
            "question": "?",
            "method": "relative-effect",
            "intervention": {"name": "x", "start": "2019-01", "assignment": "need"},
            "outcome": {"source": source, "path": "x.zip"},
            "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
            "areas": {"treated": ["a"], "comparison": "matched"},
            "covariates": {"imd": {"path": "i.csv"}} if covariates is None else covariates,
            "matching": matching,
        }
    )


@pytest.mark.parametrize(
    ("matching", "says"),
    [
        ({"on": ["before_levle"]}, "did you mean 'before_level'?"),
        ({"on": ["ethnicity"]}, "give its file as [covariates.ethnicity]"),
        ({"on": ["imd", "imd"]}, "names 'imd' more than once"),
        ({"exact": ["forces"]}, "did you mean 'force'?"),
        ({"exact": ["before_level"]}, "put it in `matching.on`"),
        ({"on": ["before_level", "imd"], "distance": "score"}, "takes one feature"),
        ({"tolerance": 0.1}, '`matching.tolerance` is not used by \'nearest\'; take it out, or use'),
        ({"algorithm": "cardinality"}, "needs `matching.tolerance`"),
        ({"algorithm": "entropy", "caliper": 0.2}, "`matching.caliper` is not used by 'entropy'"),
        ({"algorithm": "strata", "exact": ["imd"], "caliper": 0.2}, "not used by 'strata'"),
        ({"algorithm": "cardinality", "tolerance": 0.1, "caliper": 0.2}, "not used by 'cardinality'"),
        ({"algorithm": "entropy", "per_treated": 3}, "`matching.per_treated` is not used by 'entropy'"),
        ({"algorithm": "strata", "exact": ["imd"], "per_treated": 1}, "`matching.per_treated` is not used"),
        ({"algorithm": "entropy", "distance": "score"}, "`matching.distance` is not used by 'entropy'"),
        ({"algorithm": "optimal", "replacement": True}, "which never uses an area twice"),
        ({"algorithm": "cardinality", "tolerance": 0.1, "replacement": False}, "never uses an area twice"),
        ({"algorithm": "strata"}, "needs `matching.exact`"),
    ],
)  # fmt: skip
def test_a_contradiction_is_named_with_the_way_out(matching: dict[str, Any], says: str) -> None:
    """Each is one sentence with the key and what to write instead."""
    with pytest.raises(ProtocolError) as caught:
        protocol(matching)
    assert says in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    "matching",
    [
        {},
        {"on": ["before_level", "before_trend", "residents", "imd"], "exact": ["force"]},
        {"on": ["imd"], "distance": "score", "caliper": 0.25},
        {"algorithm": "strata", "exact": ["imd"]},
        {"algorithm": "cardinality", "tolerance": 0.1, "per_treated": 2},
        {"algorithm": "optimal", "caliper": 0.5},
        {"algorithm": "entropy", "on": ["before_level", "imd"]},
        {"replacement": False},
    ],
)
def test_sound_matching_is_taken(matching: dict[str, Any]) -> None:
    """Every way of matching can be declared."""
    assert protocol(matching).matching.model_dump()


def test_data_of_your_own_may_bring_covariates() -> None:
    """Counts handed over in Python may hold covariates no file is named for; a slip is still told."""
    assert protocol({"on": ["ethnicity"]}, source="counts").matching.on == ("ethnicity",)
    with pytest.raises(ProtocolError, match="did you mean 'before_trend'"):
        protocol({"on": ["before_tend"]}, source="counts")


def test_every_problem_is_told_at_once() -> None:
    """Three slips, three sentences."""
    with pytest.raises(ProtocolError) as caught:
        protocol({"on": ["imdd"], "algorithm": "strata", "tolerance": 0.1})
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"without": ["crime"]}, "needs `edition`, 2019 or 2025"),
        ({"without": ["crime"], "edition": 2015}, "needs `edition`, 2019 or 2025"),
        ({"without": ["crim"], "edition": 2019}, "did you mean 'crime'?"),
        ({"without": ["crime"], "edition": 2019, "as": "rank"}, 'use as = "score"'),
        ({"without": ["crime"], "edition": 2019, "column": "IMD"}, "take it out"),
        (
            {
                "without": ["income", "employment", "education", "health", "crime", "barriers", "living"],
                "edition": 2019,
            },
            "keep at least one",
        ),
    ],
)
def test_an_index_cannot_be_rebuilt_anyhow(table: dict[str, Any], says: str) -> None:
    """What is asked for without crime must be a score of an edition that can be put together."""
    with pytest.raises(ProtocolError) as caught:
        protocol({}, {"imd": {"path": "i.csv", **table}})
    assert says in str(caught.value)
