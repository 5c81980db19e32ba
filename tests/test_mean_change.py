"""The change in mean for some cohorts alone, and the answer without each unit: small worlds done by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rollouts import STARTS, design, panel_of, untouched
from test_did import cohorts_of, sets_of

import whatworks_eval as ww
from whatworks_eval.evaluation import estimate
from whatworks_eval.inference.mean_change import mean_change, mean_test
from whatworks_eval.inference.placebo_sets import draw_sets
from whatworks_eval.inference.roll_out_test import arranged
from whatworks_eval.judgement import Case
from whatworks_eval.measures.precision import leave_one_out


@pytest.mark.parametrize("cohort", [0, 1, 2])
def test_one_cohort_of_several_has_its_own_mean_and_interval(cohort: int) -> None:
    """Its own areas by hand; placebo effects on the same scale; both ends, about as wide as such a set's."""
    counts = untouched(np.random.default_rng(6), 150, 24)
    data = cohorts_of(counts, 9, (8, 12, 16))
    sets, cohorts = arranged(sets_of(counts, 9), np.arange(150) % 3, 1)
    only = (np.arange(3) == cohort)[:, None]
    test = mean_test(replace(data, before=data.before & only, after=data.after & only), sets, cohorts)
    found = mean_change(test, sets, confidence=0.95)
    at = data.starts[cohort]
    change = counts[:, at:].mean(axis=1) - counts[:, :at].mean(axis=1)
    own = np.arange(9)[np.arange(9) % 3 == cohort]
    assert found.difference == pytest.approx(change[own].mean() - change[9:].mean(), abs=1e-9)
    assert found.low is not None
    assert found.high is not None
    half = (found.high - found.low) / 2
    assert 0.5 < half / (1.96 * found.effects.std()) < 2.5
    assert test.observed[1] == pytest.approx(1.0)


def test_a_cohort_without_periods_does_not_break_the_rest() -> None:
    """With the first cohort left out nothing is missing or warned about, and the others' mean comes out."""
    counts = untouched(np.random.default_rng(7), 120, 24)
    data = cohorts_of(counts, 9, (8, 12, 16))
    sets, cohorts = arranged(sets_of(counts, 9, draws=399), np.arange(120) % 3, 1)
    later = (np.arange(3) > 0)[:, None]
    test = mean_test(replace(data, before=data.before & later, after=data.after & later), sets, cohorts)
    assert np.isfinite([test.departure, test.variance, test.slope]).all()
    none = np.zeros_like(data.before)
    found = mean_change(
        mean_test(replace(data, before=none, after=none), sets, cohorts), sets, confidence=0.95
    )
    assert found.difference is None
    assert "no treated area has periods" in str(found.why_missing)


@pytest.mark.parametrize("in_unit", [1, 3])
@pytest.mark.parametrize("starts", [(12,), (8, 12, 16)])
def test_a_hypothesis_is_tested_as_if_its_effect_had_never_been(
    starts: tuple[int, ...], in_unit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The p-value of an effect is that of none in counts without it: a place that fell is no quieter one."""
    monkeypatch.setattr("whatworks_eval.inference.mean_change.variance_shape", lambda *_: (1.0, 0.3))
    rng = np.random.default_rng(16)
    counts = untouched(rng, 120, 24) * rng.uniform(0.5, 4.0, (120, 1))
    row = np.arange(120) // in_unit
    sets = draw_sets(
        row=row,
        treated_groups=[np.array([unit]) for unit in range(9 // in_unit)],
        level=np.bincount(row, weights=counts.sum(axis=1)),
        pairs=np.empty((0, 2), dtype=np.intp),
        seed=1,
        unit_word="units",
        draws=499,
    )
    data = cohorts_of(counts, 9, starts)
    if len(starts) > 1:  # areas of a unit start together
        begin = np.array(starts)[(row[:9] % len(starts))]
        data = replace(data, start=np.concatenate([begin, np.full(111, 24)]))
    placed, cohorts = arranged(sets, np.arange(len(counts)) % len(starts), 1)
    clean = mean_test(data, placed, cohorts)
    for effect in (-1.5, -0.5, 2.0, 8.0):
        fell = replace(data, counts=np.where(data.touched(), counts + effect, counts))
        assert mean_test(fell, placed, cohorts).p_value(effect) == clean.p_value(0.0)


def case_of(folder: Path, **sections: object) -> Case:
    """A staggered case with one area that quadruples."""
    panel = panel_of(treated=9, areas=120, starts=STARTS)
    counts = panel.counts.copy()
    counts[4, 15:] *= 4
    panel = replace(panel, counts=counts)
    protocol = design(folder, treated=9, starts=STARTS, **sections)  # type: ignore[arg-type]
    answer = estimate(protocol, panel)
    return Case(
        protocol=protocol,
        data=panel,
        contrast=answer.contrast,
        windowed=answer.windowed,
        estimate=answer.effect.estimate,
        over_time=answer.effect.over_time,
    )


@pytest.mark.parametrize("model", ["poisson", "linear"])
def test_without_the_unit_that_drives_it_is_the_estimate_of_the_others(tmp_path: Path, model: str) -> None:
    """Left out and estimated again on a panel without it, to 1e-9; the unit named is the one planted."""
    case = case_of(tmp_path, did={"model": model})
    found = leave_one_out(case)
    assert found is not None
    assert found.unit == "A0004"
    kept = np.delete(np.arange(120), 4)
    panel = case.data
    assert isinstance(panel, ww.panel.Panel)
    assert panel.centroids is not None
    smaller = replace(
        panel,
        areas=tuple(panel.areas[at] for at in kept),
        counts=panel.counts[kept],
        observed=panel.observed[kept],
        centroids=panel.centroids[kept],
        residents=None,
    )
    path = tmp_path / "areas.csv"
    rows = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("A0004")]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    again = estimate(case.protocol, smaller).effect.estimate
    assert found.without == pytest.approx(again.value, abs=1e-9)
    assert found.moved == pytest.approx(found.without - case.estimate.value, abs=1e-12)


def test_a_staggered_linear_design_goes_through(tmp_path: Path) -> None:
    """No warning, every cohort with both ends, and the rule on one unit speaks in the unit of the outcome."""
    panel = panel_of(effect=0.7, treated=18, starts=STARTS)
    found = ww.evaluate(design(tmp_path, treated=18, starts=STARTS, did={"model": "linear"}), panel)
    assert found.over_time is not None
    assert all(cohort.low is not None and cohort.high is not None for cohort in found.over_time.cohorts)
    rule = next(one for one in found.findings if one.rule == "chance.one-unit-drives")
    assert rule.kind == "clear"
    assert "incidents an area and month" in rule.message
    assert math.isfinite(found.estimate.value or math.nan)


def test_areas_that_leave_are_named_with_their_reason() -> None:
    """What is left out for missing periods is in the windows' record and in the report's JSON."""
    panel = panel_of(areas=100)
    observed = panel.observed.copy()
    observed[60, :3] = False
    found = ww.evaluate(design(), replace(panel, observed=observed))
    assert "3 of the 12 periods of the before window" in found.windowed.areas_dropped["A0060"]
    assert "A0060" not in found.contrast.comparison
    assert '"A0060"' in ww.render(found, "json")
