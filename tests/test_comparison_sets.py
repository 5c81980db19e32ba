"""The effect under every defensible comparison set: which there are, what is in them, how they are shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rollouts
from rollouts import STARTS

from whatworks_eval import alternatives
from whatworks_eval.alternatives import LESS, comparison_sets
from whatworks_eval.contrast import build_contrast
from whatworks_eval.evaluation import estimate, evaluate
from whatworks_eval.matching.deprivation import deprivation_covariate, same_band
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.records import Estimate
from whatworks_eval.report.effect_charts import estimates_chart

SIDE = 14
AREAS = tuple(f"a{at:03d}" for at in range(SIDE * SIDE))
TREATED = ("a030", "a066", "a102", "a150", "a163")


def panel_of(**other: Any) -> Panel:
    """A square of areas, 24 months, Poisson counts; deprivation rises from west to east."""
    rng = np.random.default_rng(11)
    periods = period_range("2018-01", "2019-12", "month")
    at = np.arange(len(AREAS))
    places = np.column_stack([at % SIDE, at // SIDE]) * 500.0 + rng.uniform(-60, 60, (len(AREAS), 2))
    level = rng.lognormal(2.5, 0.5, len(AREAS))
    panel = Panel(
        areas=AREAS,
        periods=periods,
        counts=rng.poisson(level[:, None], (len(AREAS), len(periods))).astype(float),
        observed=np.ones((len(AREAS), len(periods)), dtype=bool),
        centroids=places,
        ledger=Ledger(),
    )
    return replace(panel, **other)


def protocol_of(**areas: Any) -> Protocol:
    """Five treated areas against the rest, unless told otherwise."""
    return protocol_from_dict(
        {
            "schema": 1,
            "id": "sets",
            "question": "Did it fall?",
            "method": "relative-effect",
            "intervention": {"name": "x", "start": "2019-01", "assignment": "phased"},
            "outcome": {"source": "counts", "path": "x.csv"},
            "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
            "areas": {"treated": list(TREATED), "comparison": "rest", "unit": "area"} | areas,
        }
    )


def sets_of(protocol: Protocol, panel: Panel) -> dict[str, Estimate]:
    """Every other comparison set by label."""
    return {found.label: found for found in comparison_sets(protocol, panel, build_contrast(protocol, panel))}


def log_ratio(panel: Panel, comparison: np.ndarray) -> float:
    """The ratio of ratios of the treated against some areas, added up here."""
    treated = np.isin(panel.areas, TREATED)
    before, after = panel.counts[:, :12].sum(axis=1), panel.counts[:, 12:].sum(axis=1)
    return float(
        np.log(after[treated].sum() / before[treated].sum())
        - np.log(after[comparison].sum() / before[comparison].sum())
    )


SCORE = {"imd_score": np.arange(len(AREAS)) % SIDE + np.arange(len(AREAS)) / 1000}


def test_every_set_is_tried_in_full_and_less_the_adjoining_areas() -> None:
    """Without a declared buffer each set is tried again without what adjoins the treated."""
    found = sets_of(protocol_of(), panel_of(covariates=SCORE))
    in_full = ["level-matched areas", "nearby areas", "same deprivation band"]
    assert list(found) == [*in_full, *(f"{label}, {LESS}" for label in ("as registered", *in_full))]
    assert {one.choice for one in found.values()} == {"comparison set"}
    assert all(one.value is not None for one in found.values())
    assert found[f"as registered, {LESS}"].low is not None
    assert found[f"nearby areas, {LESS}"].low is None
    assert "only the value" in str(found[f"nearby areas, {LESS}"].why_missing)


@pytest.mark.parametrize(
    "changes",
    [
        {"did": {"model": "linear"}},
        {"outcome": {"kind": "rate"}},
        {"did": {"adjust_for": ["wealth"]}, "covariates": {"wealth": {"path": "none.csv"}}},
        {"starts": STARTS[:2]},
        {"method": "relative-effect"},
        {"method": "synthetic"},
        {"method": "interrupted-time-series"},
    ],
    ids=str,
)
def test_a_set_that_cannot_be_tried_is_in_the_terms_of_the_design(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    """Without a map nothing is nearby: the empty answer carries the measure, scale and unit of the others."""
    protocol = rollouts.design(tmp_path if "starts" in changes else None, **changes)
    wealth = np.linspace(-1.0, 1.0, 100)
    panel = replace(rollouts.panel_of(areas=100), centroids=None, covariates={"wealth": wealth})
    missing, made = sets_of(protocol, panel)["nearby areas"], estimate(protocol, panel).effect.estimate
    assert missing.value is None
    assert made.value is not None
    assert (missing.measure, missing.scale, missing.unit) == (made.measure, made.scale, made.unit)


def test_with_a_declared_buffer_no_set_holds_it() -> None:
    """Then nothing more has to be left out."""
    found = sets_of(protocol_of(buffer={"within_m": 800}), panel_of())
    assert list(found) == ["level-matched areas", "nearby areas"]


def test_leaving_out_the_adjoining_areas_changes_what_it_should() -> None:
    """Where crime next door rose fourfold, the comparison without next door does not see it."""
    panel = panel_of()
    treated = np.isin(panel.areas, TREATED)
    assert panel.centroids is not None
    distance = np.linalg.norm(panel.centroids[:, None] - panel.centroids[None, treated], axis=2).min(axis=1)
    beside = (distance < 600) & ~treated
    counts = panel.counts.copy()
    counts[np.ix_(beside, np.arange(12, 24))] *= 4
    moved = replace(panel, counts=counts)
    found = sets_of(protocol_of(), moved)[f"as registered, {LESS}"]
    far = log_ratio(moved, ~treated & ~beside)
    assert log_ratio(moved, ~treated) < -0.2
    assert found.value == pytest.approx(far, abs=0.05)


def test_the_deprivation_band_is_the_deciles_the_treated_lie_in() -> None:
    """One treated column of a west-to-east gradient: the band is the tenth of the areas around it."""
    one = protocol_of(treated=["a005", "a019", "a033"])
    panel = panel_of(covariates=SCORE)
    found = sets_of(one, panel)["same deprivation band"]
    treated = np.isin(panel.areas, ["a005", "a019", "a033"])
    same = same_band(SCORE["imd_score"], treated, deciles=False) & ~treated
    before, after = panel.counts[:, :12].sum(axis=1), panel.counts[:, 12:].sum(axis=1)
    by_hand = np.log(after[treated].sum() / before[treated].sum()) - np.log(
        after[same].sum() / before[same].sum()
    )
    assert 10 <= same.sum() <= 60
    assert found.value == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.full(len(AREAS), np.nan), "no other area is in a decile"),
        (np.full(len(AREAS), 7.0), "in every decile"),
    ],
)
def test_a_band_that_is_no_band_says_why(values: np.ndarray, why: str) -> None:
    """Deprivation that is unknown, or alike everywhere, makes no other comparison."""
    found = sets_of(protocol_of(), panel_of(covariates={"imd_decile": values}))["same deprivation band"]
    assert found.value is None
    assert why in str(found.why_missing)


def test_deciles_are_used_as_they_are() -> None:
    """A column of deciles is not cut again; areas of unknown decile are in no band."""
    deciles = np.array([1.0, 1, 2, 2, np.nan, 3])
    treated = np.array([True, False, False, False, False, False])
    assert same_band(deciles, treated, deciles=True).tolist() == [True, True, False, False, False, False]


def test_a_measure_of_deprivation_is_known_by_its_name() -> None:
    """imd, imd_rank and deprivation are; density is not."""
    assert deprivation_covariate(["density", "IMD_rank"]) == "IMD_rank"
    assert deprivation_covariate(["imd"]) == "imd"
    assert deprivation_covariate(["area_deprivation"]) == "area_deprivation"
    assert deprivation_covariate(["density"]) is None


def test_named_areas_are_tried_without_those_next_door() -> None:
    """A comparison given as codes is a set like any other."""
    named = [area for area in AREAS if area not in TREATED][:80]
    found = sets_of(protocol_of(comparison=named), panel_of())
    assert "every other area" in found
    assert found[f"as registered, {LESS}"].value is not None


def test_without_places_nothing_adjoins() -> None:
    """Then the sets stand as they are, and 'nearby' says why it is missing."""
    found = sets_of(protocol_of(), panel_of(centroids=None))
    assert list(found) == ["level-matched areas", "nearby areas"]
    assert found["nearby areas"].value is None


def test_the_rule_hears_of_every_set() -> None:
    """selection.comparison-choice carries the value of every set that has one."""
    evaluation = evaluate(protocol_of(), panel_of(covariates=SCORE))
    finding = next(one for one in evaluation.findings if one.rule == "selection.comparison-choice")
    with_value = [one for one in evaluation.alternatives if one.choice == "comparison set" and one.value]
    assert len(finding.evidence) == 1 + len(with_value) >= 6


def test_the_chart_shows_the_spread_beside_the_registered_estimate() -> None:
    """Sets stand together under their choice; the band's ends are the lowest and the highest value."""
    evaluation = evaluate(protocol_of(), panel_of(covariates=SCORE))
    chart = estimates_chart(evaluation)
    assert chart is not None
    percents = [
        one.percent_change.value
        for one in evaluation.alternatives
        if one.choice == "comparison set" and one.percent_change.value is not None
    ]
    assert f"spans the {len(percents)} other comparison sets" in chart.notes[1]
    assert f"{abs(min(percents)):.1f} %" in chart.notes[1]
    assert f"{abs(max(percents)):.1f} %" in chart.notes[1]
    assert "Comparison set" in chart.svg


def test_a_treated_area_that_was_left_out_is_in_no_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing like it was found, or its counts are missing: it had the project all the same."""
    protocol, panel = protocol_of(), panel_of()
    whole = build_contrast(protocol, panel)
    out = {"unmatched": {TREATED[4]: "no like"}, "dropped": {TREATED[3]: "missing"}}
    contrast = replace(whole, treated=TREATED[:3], comparison=whole.comparison[:100], **out)  # type: ignore[arg-type]
    seen = []
    build = alternatives.build_windowed
    monkeypatch.setattr(
        alternatives, "build_windowed", lambda design, data, one: seen.append(one) or build(design, data, one)
    )
    found = list(comparison_sets(protocol, panel, contrast))
    assert "level-matched areas" in {one.label for one in found}
    assert len(seen) >= 3
    for one in seen:
        assert not {*TREATED[3:]} & {*one.comparison, *one.pool}
