"""The line from protocol to answer: what `evaluate` returns, and that it is what `estimate` found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from whatworks_eval.evaluation import appraise, estimate, evaluate
from whatworks_eval.panel import Changes, Panel, Totals
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.sources.counts import panel_from_counts


def panel_of(seed: int = 3, first: str = "2016-01", side: int = 12) -> Panel:
    """144 areas on a grid from 2016 to 2019, nothing done anywhere."""
    rng = np.random.default_rng(seed)
    level = rng.lognormal(2.3, 0.5, side * side)
    periods = period_range(first, "2019-12", "month")
    counts = rng.poisson(level[:, None] * np.ones(len(periods)))
    rows = [
        {"area": f"a{at:03d}", "period": period, "count": int(counts[at, number])}
        for at in range(side * side)
        for number, period in enumerate(periods)
    ]
    places = pd.DataFrame(
        {
            "area": [f"a{at:03d}" for at in range(side * side)],
            "x": [400.0 * (at // side) + rng.uniform(-40, 40) for at in range(side * side)],
            "y": [400.0 * (at % side) + rng.uniform(-40, 40) for at in range(side * side)],
        }
    )
    return panel_from_counts(pd.DataFrame(rows), centroids=places)


def protocol_of(**changes: Any) -> Protocol:
    """Eight scattered treated areas, registered beforehand."""
    return protocol_from_dict(
        {
            "schema": 1,
            "id": "evaluation",
            "question": "?",
            "registered": "2018-06-01",
            "method": "relative-effect",
            "intervention": {"name": "x", "start": "2019-01", "assignment": "phased"},
            "outcome": {"source": "counts", "path": "x.csv"},
            "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
            "areas": {
                "treated": ["a005", "a020", "a037", "a052", "a070", "a088", "a111", "a130"],
                "comparison": "rest",
                "unit": "area",
            },
        }
        | changes
    )


def test_evaluate_returns_what_estimate_found() -> None:
    """The calibration tables run through `estimate`; `evaluate` reports the same estimate, to the bit."""
    protocol, panel = protocol_of(), panel_of()
    answer, evaluation = estimate(protocol, panel), evaluate(protocol, panel)
    assert evaluation.estimate == answer.effect.estimate
    assert evaluation.contrast == answer.contrast


def test_every_alternative_is_there_with_its_choice() -> None:
    """Other comparison sets and, with two earlier years in the data, other baselines."""
    evaluation = evaluate(protocol_of(), panel_of())
    labels = [
        (other.choice, other.label) for other in evaluation.alternatives if other.choice != "effect measure"
    ]
    assert labels == [
        ("inference", "Poisson interval"),
        ("comparison set", "level-matched areas"),
        ("comparison set", "nearby areas"),
        ("comparison set", "as registered, less adjoining areas"),
        ("comparison set", "level-matched areas, less adjoining areas"),
        ("comparison set", "nearby areas, less adjoining areas"),
        ("window", "longer baseline"),
        ("window", "earlier baseline"),
    ]
    values = {other.label: other.value for other in evaluation.alternatives}
    assert all(value is not None for value in values.values())


def test_baselines_are_those_of_the_counts() -> None:
    """The longer baseline is 2016 to 2018, the earlier one 2016 and 2017, added up by hand."""
    protocol, panel = protocol_of(), panel_of()
    assert protocol.areas is not None
    treated = np.isin(panel.areas, protocol.areas.treated)
    by_year = {
        year: panel.counts[:, [period.startswith(year) for period in panel.periods]].sum(axis=1)
        for year in ("2016", "2017", "2018", "2019")
    }

    def log_ratio(years: list[str]) -> float:
        before = np.sum([by_year[year] for year in years], axis=0)
        after = by_year["2019"]
        return float(
            np.log(after[treated].sum() / before[treated].sum())
            - np.log(after[~treated].sum() / before[~treated].sum())
        )

    found = {other.label: other.value for other in evaluate(protocol, panel).alternatives}
    assert found["longer baseline"] == pytest.approx(log_ratio(["2016", "2017", "2018"]))
    assert found["earlier baseline"] == pytest.approx(log_ratio(["2016", "2017"]))


def test_without_earlier_years_there_is_no_other_baseline() -> None:
    """Eleven earlier months are not a whole year, so nothing is said."""
    labels = [other.label for other in evaluate(protocol_of(), panel_of(first="2017-02")).alternatives]
    assert "longer baseline" not in labels


def test_an_alternative_that_cannot_be_computed_says_why() -> None:
    """Without centroids nobody is nearby; the record holds the reason in place of a number."""
    panel = panel_of()
    blind = panel_from_counts(
        pd.DataFrame(
            [
                {"area": area, "period": period, "count": int(panel.counts[at, number])}
                for at, area in enumerate(panel.areas)
                for number, period in enumerate(panel.periods)
            ]
        )
    )
    found = {other.label: other for other in evaluate(protocol_of(), blind).alternatives}
    assert found["nearby areas"].value is None
    assert "no centroids" in str(found["nearby areas"].why_missing)


def test_series_start_at_a_hundred() -> None:
    """The index of each arm has mean 100 over the before window, and counts add up to the totals."""
    evaluation = evaluate(protocol_of(), panel_of())
    series, windowed = evaluation.series, evaluation.windowed
    assert series is not None
    assert windowed is not None
    for arm in ("treated", "comparison"):
        assert series.index[arm][series.before].mean() == pytest.approx(100.0)
        assert series.counts[arm][series.after].sum() == pytest.approx(windowed.total(arm)[1])


def test_level_never_exceeds_the_ceiling_of_check() -> None:
    """`appraise` promises the best level; `evaluate` cannot beat it."""
    protocol = protocol_of()
    assert evaluate(protocol, panel_of()).grade.level <= appraise(protocol).grade.ceiling


@pytest.mark.parametrize("comparability", ["", "Same force, same deprivation band, chosen by the analyst."])
def test_bare_totals_come_out_at_two_or_three(comparability: str) -> None:
    """A 2 × 2 table is level 2 unless a reason for comparability is declared, and then 3."""
    protocol = protocol_of(
        outcome={
            "source": "totals",
            "totals": {
                "treated": [398, 190],
                "comparison": [148, 97],
                "periods": [12, 12],
                "treated_units": 8,
                "comparison_units": 8,
            },
        },
        areas=None,
        context={"comparability": comparability},
    )
    evaluation = evaluate(protocol, Totals(treated=(398, 190), comparison=(148, 97), periods=(12, 12)))
    assert evaluation.grade.level == (3 if comparability else 2)
    assert evaluation.series is None


def test_published_changes_have_no_counts_anywhere() -> None:
    """Only percentages went in, so nothing is prevented and nothing is windowed."""
    protocol = protocol_of(
        outcome={
            "source": "published-changes",
            "changes": {"treated": -11.7, "comparison": -7.2, "decimals": 1},
        },
        areas=None,
        windows=None,
    )
    evaluation = evaluate(protocol, Changes(treated=-11.7, comparison=-7.2, decimals=1))
    assert evaluation.windowed is None
    assert evaluation.estimate.prevented.value is None
    assert evaluation.grade.level == 2
