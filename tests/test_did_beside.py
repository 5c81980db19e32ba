"""What stands beside a difference-in-differences is as uncertain as it is: stretches, cohorts, covariates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rollouts import STARTS, design, panel_of

import whatworks_eval as ww
from whatworks_eval.contrast import build_contrast
from whatworks_eval.evaluation import estimate
from whatworks_eval.methods.did import setting_of
from whatworks_eval.methods.did_event_study import Studied, about_zero, event_study
from whatworks_eval.methods.did_trends import sensitivity_of, with_pretrend
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.windows import build_windowed

BEFORE = {"windows": {"before": ["2017-01", "2018-12"]}}


def top_matched(seed: int, effect: float = 1.0, **sections: dict[str, str]) -> tuple[Protocol, Panel]:
    """Twenty of the busiest areas of 150, compared with their like: few are, so the comparison is small."""
    panel = panel_of(seed=seed, areas=150, treated=0, level=15.0, first="2017-01", spread=0.1)
    rng = np.random.default_rng(seed)
    level = 15 * rng.gamma(2.0, 0.5, (150, 1))
    busiest = np.argsort(-level[:, 0])[5:25]
    mean = level * np.exp(rng.normal(0, 0.1, panel.counts.shape))
    mean[busiest, 24:] *= effect
    treated = [panel.areas[at] for at in sorted(busiest)]
    areas = {"treated": treated, "comparison": "matched"}
    protocol = design(areas=areas, **BEFORE, **sections)  # type: ignore[arg-type]
    return protocol, replace(panel, counts=rng.poisson(mean).astype(float), centroids=None)


def studied(protocol: Protocol, panel: Panel) -> tuple[Studied, float]:
    """The event study with 499 placebo sets, and the smallest p-value they give."""
    contrast = build_contrast(protocol, panel)
    windowed = build_windowed(protocol, panel, contrast)
    assert windowed is not None
    setting = setting_of(protocol, panel, contrast, windowed, draws=499)
    found = event_study(protocol, panel, contrast, windowed, setting)
    assert not isinstance(found, str)
    return found, setting.sets.smallest_p


@pytest.mark.parametrize("model", ["poisson", "linear"])
def test_leads_of_a_matched_comparison_are_not_found_too_often(model: str) -> None:
    """Nothing done, few areas alike: at most 2 of 12 tests at 5 %, and 10 of 12 intervals hold nothing."""
    rejected = covered = 0
    for seed in range(12):
        found, smallest = studied(*top_matched(seed, did={"model": model}))
        p_value = with_pretrend(found, smallest).pretrend.p_value
        original = sensitivity_of(found, 0.95)[0].original
        assert p_value is not None
        assert original is not None
        assert original.low is not None
        assert original.high is not None
        rejected += p_value <= 0.05
        covered += original.low <= 0 <= original.high
    assert rejected <= 2
    assert covered >= 10


def test_the_covariance_of_the_stretches_has_their_intervals() -> None:
    """Each stretch is as uncertain for the sensitivity as in the event study; an effect does not widen it."""
    widths = []
    for effect in (1.0, 0.5):
        found, _ = studied(design(treated=40), panel_of(effect=effect, level=40.0, treated=40, areas=120))
        assert found.covariance is not None
        times = [found.study.times[at] for at in found.kept]
        errors = np.array([(time.high - time.low) / 2 / 1.959964 for time in times])  # type: ignore[operator]
        np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), errors, rtol=1e-6)
        sets_own = np.sqrt(np.diag(about_zero(found.placebo)))
        np.testing.assert_allclose(sets_own, errors, rtol=0.25)
        widths.append(errors[-1])
    # Half the incidents: at most as uncertain as chance makes it, not as the effect in a third of the sets.
    assert widths[1] < 1.6 * widths[0]


def test_anticipated_months_of_later_cohorts_touch_no_stretch(tmp_path: Path) -> None:
    """Whatever was recorded in the month before a cohort's start, left out, leads and lags stay."""
    panel = panel_of(starts=STARTS, treated=36, level=30.0)
    counts = panel.counts.copy()
    for area in range(36):
        counts[area, {0: 11, 1: 14, 2: 18}[area % 3]] *= 3
    protocol = design(tmp_path, treated=36, starts=STARTS, did={"anticipation": 1, "stretch": 3})
    plain, moved = (
        [(time.offset, time.value, time.reference) for time in studied(protocol, one)[0].study.times]
        for one in (panel, replace(panel, counts=counts))
    )
    assert len(plain) > 4
    assert moved == plain
    assert next(offset for offset, _, reference in plain if reference) == -4
    study = studied(protocol, panel)[0].study
    assert study.reference == "the last 3 months before the start and the 1 left out ahead of it"


def test_names_decide_nothing_of_a_wild_bootstrap() -> None:
    """The weights are drawn for units in order of their counts, whatever the areas are called."""
    panel = panel_of(treated=12, areas=60)
    ends = []
    for prefix in "AZ":
        mine = tuple(f"{prefix if at % 2 else 'M'}{at:04d}" for at in range(60))
        order = np.argsort(mine)
        named = replace(
            panel,
            areas=tuple(np.array(mine)[order].tolist()),
            counts=panel.counts[order],
            centroids=None,
            residents=None,
        )
        protocol = design(areas={"treated": list(mine[:12])}, did={"model": "linear"})
        alternatives = estimate(protocol, named).effect.alternatives
        one = next(one for one in alternatives if one.label == "wild cluster bootstrap")
        ends.append((one.low, one.high, one.p_value))
    assert ends[0] == pytest.approx(ends[1], abs=1e-9)


def test_small_cohorts_get_no_error_about_their_own_mean(tmp_path: Path) -> None:
    """Three units a cohort: the imputation and the mean of ratios come without an interval, and say why."""
    panel = panel_of(starts=STARTS, treated=9, level=30.0)
    found = ww.evaluate(design(tmp_path, treated=9, starts=STARTS), panel)
    for label in ("imputation", "mean of ratios"):
        one = next(one for one in found.alternatives if one.label.startswith(label))
        assert one.value is not None
        assert one.low is None
        assert "a cohort holds 3 units" in (one.why_missing or "")
    larger = ww.evaluate(design(tmp_path, treated=15, starts=STARTS), replace(panel))
    assert next(one for one in larger.alternatives if one.label.startswith("imputation")).low is not None


def test_a_covariate_that_cannot_be_used_is_not_dropped_in_silence(tmp_path: Path) -> None:
    """An area without its covariate: the doubly robust line says so; residents are a covariate too."""
    panel = panel_of(starts=STARTS, treated=36)
    imd = np.random.default_rng(2).normal(20, 8, len(panel.areas))
    imd[200] = np.nan
    panel = replace(panel, covariates={"imd": imd}, residents=np.exp(imd[::-1] / 20) * 500)
    panel.residents[np.isnan(panel.residents)] = 900.0  # type: ignore[index]
    for name in ("imd", "residents"):
        given = {"covariates": {name: {"path": "x.csv"}}, "did": {"adjust_for": [name]}}
        found = ww.evaluate(design(tmp_path, treated=36, starts=STARTS, **given), panel)
        robust = next(one for one in found.alternatives if one.label.endswith(f"doubly robust with {name}"))
        if name == "imd":
            assert robust.value is None
            assert "not known for 1 areas used (A0200)" in (robust.why_missing or "")
        else:
            assert robust.value is not None


def test_complete_suppression_of_a_roll_out_is_one_end(tmp_path: Path) -> None:
    """Nothing recorded after any start: an upper end and no number, near what one start would give."""
    panel = panel_of(starts=STARTS, treated=12, level=2.0)
    counts = panel.counts.copy()
    for area in range(12):
        counts[area, {0: 12, 1: 15, 2: 19}[area % 3] :] = 0
    found = ww.evaluate(design(tmp_path, treated=12, starts=STARTS), replace(panel, counts=counts))
    assert found.estimate.value is None
    assert found.estimate.low is None
    assert found.estimate.high is not None
    # Three expected by chance alone would be the least that 97.5 % leaves; dispersion and the baseline add.
    assert np.log(3.6 / found.estimate.expected) < found.estimate.high < np.log(12 / found.estimate.expected)
    assert found.over_time.no_information.suppressed


def test_a_linear_roll_out_shows_a_linear_regression_beside_it(tmp_path: Path) -> None:
    """Two-way fixed effects are on the scale of the design, which is what its shares are of."""
    protocol = design(tmp_path, treated=36, starts=STARTS, did={"model": "linear"})
    found = estimate(protocol, panel_of(starts=STARTS, treated=36))
    two_way = next(one for one in found.effect.alternatives if one.label.startswith("two-way"))
    assert two_way.scale == "difference"


def test_a_straight_drift_that_is_enough_is_a_breakdown_at_nought() -> None:
    """Where smoothness of nought already holds zero, the breakdown is 0 and not unknown."""
    found, _ = studied(*top_matched(3, effect=0.8))
    smooth = next(one for one in sensitivity_of(found, 0.95) if one.kind == "smoothness")
    first = smooth.bounds[0]
    assert first.bound == 0
    if first.low is not None and first.high is not None and first.low <= 0 <= first.high:
        assert smooth.breakdown == 0.0
    else:
        assert smooth.breakdown is None or smooth.breakdown > 0


def test_untouched_offences_of_an_adjusted_effect_are_their_own_incidents() -> None:
    """Recorded and expected are of the untouched offences, not of those the project was meant for."""
    panel = panel_of(treated=12, areas=60)
    rng = np.random.default_rng(9)
    fraud = rng.poisson(3.0, panel.counts.shape).astype(float)
    panel = replace(panel, untouched=fraud, covariates={"imd": rng.uniform(0, 50, 60)})
    outcome = {"offence": "offence", "offences": ["Burglary"], "untouched": ["Fraud"]}
    given = {"covariates": {"imd": {"path": "x.csv"}}, "did": {"adjust_for": ["imd"]}}
    found = ww.evaluate(design(outcome=outcome, **given), panel)
    beside = next(one for one in found.alternatives if one.choice == "untouched offences")
    after = np.array(panel.periods) >= STARTS[0]
    assert beside.recorded == fraud[:12][:, after].sum()
    assert beside.expected == pytest.approx(beside.recorded * np.exp(-beside.value))
    assert found.estimate.recorded == panel.counts[:12][:, after].sum()
