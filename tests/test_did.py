"""Method did: the ratio of ratios where it should be that, cohorts, rates, adjustment and dose."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rollouts import STARTS, design, names, panel_of, untouched

import whatworks_eval as ww
from whatworks_eval.did.poisson_fit import fit_poisson
from whatworks_eval.evaluation import estimate
from whatworks_eval.inference.mean_change import mean_change, mean_test
from whatworks_eval.inference.placebo import relative_change
from whatworks_eval.inference.placebo_sets import draw_sets
from whatworks_eval.inference.roll_out_test import CohortWindows, arranged, roll_out_change, roll_out_test
from whatworks_eval.methods import METHODS

NO_PAIRS = np.empty((0, 2), dtype=np.intp)


def sets_of(counts: np.ndarray, treated: int, seed: int = 1, draws: int = 1_999):
    """Placebo sets of single areas."""
    return draw_sets(
        row=np.arange(len(counts)),
        treated_groups=[np.array([at]) for at in range(treated)],
        level=counts.sum(axis=1),
        pairs=NO_PAIRS,
        seed=seed,
        unit_word="areas",
        draws=draws,
    )


def cohorts_of(counts: np.ndarray, treated: int, at: tuple[int, ...]) -> CohortWindows:
    """The windows of treated areas that start in turn at these positions."""
    periods = counts.shape[1]
    start = np.full(len(counts), periods)
    start[:treated] = [at[number % len(at)] for number in range(treated)]
    places = np.arange(periods)[None, :]
    starts = np.array(at)
    return CohortWindows(
        counts=counts,
        start=start,
        before=places < starts[:, None],
        after=places >= starts[:, None],
        starts=starts,
    )


def test_one_start_is_the_relative_effect() -> None:
    """Same estimate, same interval, same p-value: it is the same estimator."""
    panel = panel_of(effect=0.8)
    own = ww.evaluate(design(), panel)
    other = ww.evaluate(design(method="relative-effect"), panel)
    for name in ("value", "low", "high", "p_value", "smallest_p", "recorded", "expected", "quantiles"):
        assert getattr(own.estimate, name) == getattr(other.estimate, name)
    assert own.grade.level <= other.grade.level


def test_one_start_is_the_fixed_effects_poisson_fit() -> None:
    """The registered value is the coefficient a two-way fit would give, to 1e-8."""
    panel = panel_of(effect=0.8)
    after = np.array([period >= STARTS[0] for period in panel.periods])
    project = np.outer(np.arange(len(panel.areas)) < 12, after) * 1.0
    fit = fit_poisson(panel.counts, {"project": project})
    assert estimate(design(), panel).effect.estimate.value == pytest.approx(fit.params[0], abs=1e-8)


def test_one_cohort_ranks_as_the_two_window_test_does() -> None:
    """The test for cohorts with a single cohort is the test of relabel_test.py, interval included."""
    counts = untouched(np.random.default_rng(4), 200, 24)
    sets = sets_of(counts, 9)
    data = cohorts_of(counts, 9, (12,))
    test = roll_out_test(data, sets, np.zeros(9, dtype=np.intp))
    found = roll_out_change(test, sets, confidence=0.95)
    other = relative_change(counts[:, :12].sum(axis=1), counts[:, 12:].sum(axis=1), sets)
    assert found.log_ratio == pytest.approx(other.log_ratio, abs=1e-12)
    assert found.p_value == other.p_value
    assert (found.low, found.high) == pytest.approx((other.low, other.high), abs=2e-4)


def test_cohorts_by_hand() -> None:
    """Two cohorts against one comparison area: recorded over the sum of what each would have recorded."""
    counts = np.array([[10, 10, 5, 5], [20, 20, 20, 30], [10, 20, 30, 40.0]])
    data = cohorts_of(counts, 2, (2, 3))
    sets = draw_sets(
        row=np.arange(3),
        treated_groups=[np.array([0]), np.array([1])],
        level=counts.sum(axis=1),
        pairs=NO_PAIRS,
        seed=1,
        unit_word="areas",
    )
    placed, cohorts = arranged(sets, np.array([0, 1, 0]), 1)
    test = roll_out_test(data, placed, cohorts)
    recorded, expected = test.recorded_and_expected(test.observed, test.observed_others)
    assert recorded == 10 + 30
    assert expected == pytest.approx(20 * 70 / 30 + 60 * 40 / 60)


def test_mean_change_by_hand() -> None:
    """With one cohort the difference in mean change is the difference of differences of means."""
    counts = untouched(np.random.default_rng(5), 150, 20)
    sets = sets_of(counts, 8)
    found = mean_change(
        mean_test(cohorts_of(counts, 8, (10,)), sets, np.zeros(8, dtype=np.intp)), sets, confidence=0.95
    )
    change = counts[:, 10:].mean(axis=1) - counts[:, :10].mean(axis=1)
    assert found.difference == pytest.approx(change[:8].mean() - change[8:].mean(), abs=1e-12)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.difference < found.high


@pytest.mark.parametrize("at", [(12,), (8, 12, 16)])
def test_true_nulls_are_rejected_as_often_as_they_say(at: tuple[int, ...]) -> None:
    """Ratio and mean change, one start or cohorts: 200 panels with nothing done, at the 5 % level.

    By chance 2 to 19 of 200 are rejected in 99.9 % of runs of a test that keeps its level.
    """
    rejected = np.zeros(2)
    for seed in range(200):
        counts = untouched(np.random.default_rng([7, seed]), 120, 24)
        data = cohorts_of(counts, 9, at)
        sets, cohorts = arranged(sets_of(counts, 9, draws=399), np.arange(120) % len(at), 1)
        rejected += [
            roll_out_test(data, sets, cohorts).p_value(0.0) <= 0.05,
            mean_test(data, sets, cohorts).p_value(0.0) <= 0.05,
        ]
    assert (rejected >= 2).all()
    assert (rejected <= 19).all()


def test_a_known_effect_on_cohorts_is_covered(tmp_path: Path) -> None:
    """A fall of a fifth in three cohorts lies inside the 95 % interval in at least 53 of 60 panels.

    A 95 % interval covers in 53 or more of 60 in 99.7 % of runs.
    """
    protocol = design(tmp_path, starts=STARTS)
    covered, values = 0, []
    for seed in range(60):
        found = estimate(protocol, panel_of(effect=0.8, starts=STARTS, seed=seed)).effect.estimate
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= math.log(0.8) <= found.high
        values.append(found.value)
    assert covered >= 53
    assert np.mean(values) == pytest.approx(math.log(0.8), abs=0.02)


def test_names_and_order_of_areas_do_not_matter(tmp_path: Path) -> None:
    """The same areas under other names and in another order give the same numbers."""
    panel = panel_of(effect=0.8, starts=STARTS)
    protocol = design(tmp_path, starts=STARTS)
    first = estimate(protocol, panel).effect.estimate
    other = {area: f"Z{9999 - number:04d}" for number, area in enumerate(panel.areas)}
    order = np.argsort([other[area] for area in panel.areas])
    assert panel.centroids is not None
    assert panel.residents is not None
    renamed = replace(
        panel,
        areas=tuple(sorted(other.values())),
        counts=panel.counts[order],
        observed=panel.observed[order],
        centroids=panel.centroids[order],
        residents=panel.residents[order],
    )
    text = (tmp_path / "areas.csv").read_text("utf-8")
    for area in names(12):
        text = text.replace(area, other[area])
    (tmp_path / "areas.csv").write_text(text, encoding="utf-8")
    second = estimate(protocol, renamed).effect.estimate
    assert second.value == pytest.approx(first.value, abs=1e-12)
    assert second.p_value == first.p_value


def test_rates_are_counts_over_residents() -> None:
    """With the same residents everywhere, the rate's effect is the linear effect on counts, rescaled."""
    panel = panel_of(effect=0.8)
    counts = ww.evaluate(design(did={"model": "linear"}), panel).estimate
    rates = ww.evaluate(design(outcome={"kind": "rate"}), panel).estimate
    assert (counts.unit, rates.unit) == (
        "incidents an area and month",
        "incidents by 1,000 residents and month",
    )
    assert rates.value == pytest.approx(counts.value / 1.6, rel=1e-9)
    assert rates.high == pytest.approx(counts.high / 1.6, rel=1e-3)
    assert rates.prevented.value is None
    assert rates.scale == "difference"


def test_a_rate_needs_residents() -> None:
    """Unknown residents are named, with what to do."""
    panel = replace(panel_of(), residents=None)
    with pytest.raises(ww.CannotEstimate, match=r"covariates\.residents"):
        ww.evaluate(design(outcome={"kind": "rate"}), panel)


def write_series(folder: Path, panel: ww.records.Panel, values: np.ndarray, name: str = "hours") -> None:  # type: ignore[name-defined]
    """A number by area and month as a file."""
    lines = ["area,period,value"]
    for area, row in zip(panel.areas, values, strict=True):
        lines += [f"{area},{period},{value:.6f}" for period, value in zip(panel.periods, row, strict=True)]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_adjusting_gives_the_fitted_coefficient(tmp_path: Path) -> None:
    """The value is the two-way fit's own; the interval moves with it and has about the same width."""
    rng = np.random.default_rng(8)
    panel = panel_of(effect=0.8, level=20.0)
    heat = rng.normal(size=panel.counts.shape)
    panel = replace(panel, counts=rng.poisson(panel.counts * np.exp(0.3 * heat)).astype(float))
    write_series(tmp_path, panel, heat)
    protocol = design(tmp_path, did={"series": {"heat": {"path": "hours.csv"}}, "adjust_for": ["heat"]})
    found = ww.evaluate(protocol, panel)
    after = np.array([period >= STARTS[0] for period in panel.periods])
    project = np.outer(np.arange(len(panel.areas)) < 12, after) * 1.0
    fit = fit_poisson(panel.counts, {"project": project, "heat": heat})
    assert found.estimate.value == pytest.approx(fit.coefficient("project"), abs=1e-5)
    assert "adjusted for heat" in found.estimate.measure
    clustered = next(one for one in found.alternatives if one.label == "error clustered by unit")
    assert clustered.value == pytest.approx(found.estimate.value, abs=1e-8)
    assert not [one for one in found.alternatives if one.choice == "effect measure" or "Conley" in one.label]
    plain = ww.evaluate(design(), panel).estimate
    width = found.estimate.high - found.estimate.low
    assert width <= 1.15 * (plain.high - plain.low)
    assert found.estimate.expected == pytest.approx(
        found.estimate.recorded * math.exp(-found.estimate.value), rel=1e-9
    )


def test_an_adjusted_interval_and_its_p_value_agree(tmp_path: Path) -> None:
    """Zero is outside the 95 % interval where p is below 0.05 and nowhere else, whatever the heat does."""
    protocol = design(tmp_path, did={"series": {"heat": {"path": "hours.csv"}}, "adjust_for": ["heat"]})
    for seed in range(8):
        rng = np.random.default_rng(seed)
        panel = panel_of(effect=0.78, level=3.0, seed=seed)
        heat = rng.normal(size=panel.counts.shape)
        heat[:12, 12:] += 0.7
        panel = replace(panel, counts=rng.poisson(panel.counts * np.exp(heat - 0.5)).astype(float))
        write_series(tmp_path, panel, heat)
        found = estimate(protocol, panel).effect.estimate
        outside = found.low > 0 or found.high < 0
        assert outside == (found.p_value <= 0.05), (seed, found)


def test_nothing_recorded_is_not_blamed_on_the_adjustment(tmp_path: Path) -> None:
    """Where the treated areas recorded nothing after the start, the error says so and what to do."""
    panel = panel_of()
    panel.counts[:12, 12:] = 0.0
    write_series(tmp_path, panel, np.random.default_rng(1).normal(size=panel.counts.shape))
    protocol = design(tmp_path, did={"series": {"heat": {"path": "hours.csv"}}, "adjust_for": ["heat"]})
    with pytest.raises(ww.CannotEstimate, match=r"nothing was recorded in the treated areas after the start"):
        ww.evaluate(protocol, panel)


def test_a_dose_is_an_effect_by_unit(tmp_path: Path) -> None:
    """Officer hours with a planted effect of -2 % an hour: 24 panels, on average and inside the interval.

    A 95 % interval covers in 20 or more of 24 in 99.7 % of runs.
    """
    protocol = design(tmp_path, treated=40, did={"series": {"hours": {"path": "hours.csv"}}, "dose": "hours"})
    values, covered = [], 0
    for seed in range(24):
        rng = np.random.default_rng([11, seed])
        panel = panel_of(level=25.0, areas=120, seed=seed)
        hours = np.zeros(panel.counts.shape)
        hours[:40, 12:] = rng.uniform(2, 12, (40, 12))
        panel = replace(panel, counts=rng.poisson(panel.counts * np.exp(-0.02 * hours)).astype(float))
        write_series(tmp_path, panel, hours)
        found = estimate(protocol, panel).effect.estimate
        assert found.low is not None
        assert found.high is not None
        values.append(found.value)
        covered += found.low < -0.02 < found.high
    assert np.mean(values) == pytest.approx(-0.02, abs=0.001)
    assert covered >= 20
    assert found.measure == "change with one more unit of hours"
    assert "CR2" in found.inference


def test_untouched_offences_are_asked_of_a_dose_too(tmp_path: Path) -> None:
    """What is declared is not dropped: the same fit of the untouched offences, and the rule that reads it."""
    outcome = {"offence": "offence", "offences": ["Burglary"], "untouched": ["Fraud"]}
    dose = {"series": {"hours": {"path": "hours.csv"}}, "dose": "hours"}
    protocol = design(tmp_path, treated=40, did=dose, outcome=outcome)
    rng = np.random.default_rng(12)
    panel = panel_of(level=25.0, areas=120)
    hours = np.zeros(panel.counts.shape)
    hours[:40, 12:] = rng.uniform(2, 12, (40, 12))
    write_series(tmp_path, panel, hours)
    fraud = rng.poisson(20.0 * np.exp(-0.03 * hours)).astype(float)
    found = ww.evaluate(protocol, replace(panel, untouched=fraud))
    beside = next(one for one in found.alternatives if one.choice == "untouched offences")
    alone = estimate(protocol, replace(panel, counts=fraud)).effect.estimate
    assert (beside.value, beside.low) == pytest.approx((alone.value, alone.low), rel=1e-9)
    rule = next(one for one in found.findings if one.rule == "selection.untouched-offences")
    assert rule.kind == "caveat"
    none = ww.evaluate(protocol, replace(panel, untouched=np.where(hours > 0, 0.0, fraud)))
    rule = next(one for one in none.findings if one.rule == "selection.untouched-offences")
    assert rule.kind == "not assessed"


def test_a_dose_in_few_units_is_refused(tmp_path: Path) -> None:
    """Below six units with a changing dose there is no honest clustered error."""
    panel = panel_of()
    hours = np.zeros(panel.counts.shape)
    hours[:3, 12:] = 4.0
    write_series(tmp_path, panel, hours)
    protocol = design(tmp_path, treated=3, did={"series": {"hours": {"path": "hours.csv"}}, "dose": "hours"})
    with pytest.raises(ww.CannotEstimate, match="3 units with a dose that changes"):
        ww.evaluate(protocol, panel)


def test_every_problem_of_a_series_is_told_at_once(tmp_path: Path) -> None:
    """A repeated row, a cell that is no number and a missing month, each by row or name."""
    panel = panel_of()
    write_series(tmp_path, panel, np.ones(panel.counts.shape))
    lines = (tmp_path / "hours.csv").read_text("utf-8").splitlines()
    lines[3] = lines[2]
    lines[5] = f"{panel.areas[0]},{panel.periods[4]},many"
    (tmp_path / "hours.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    protocol = design(tmp_path, did={"series": {"heat": {"path": "hours.csv"}}, "adjust_for": ["heat"]})
    with pytest.raises(ww.DataError) as raised:
        ww.evaluate(protocol, panel)
    text = "\n".join(raised.value.problems)
    for part in (
        "row 4",
        "is already in row 3",
        "'many', not a number",
        "A0000 in 2018-03",
        "not taken for zero",
    ):
        assert part in text


def test_starts_are_checked(tmp_path: Path) -> None:
    """No period, outside the after window, a unit in two minds, and a first start that does not agree."""
    panel = panel_of(starts=STARTS)
    protocol = design(tmp_path, starts=STARTS)
    path = tmp_path / "areas.csv"
    good = path.read_text("utf-8")
    for old, new, said in (
        ("2019-04", "April", "not a month"),
        ("2019-04", "2021-04", "outside windows.after"),
        ("2019-01", "2019-02", "make them agree"),
    ):
        path.write_text(good.replace(old, new), encoding="utf-8")
        with pytest.raises(ww.DataError, match=said):
            ww.evaluate(protocol, panel)
    units = design(
        tmp_path,
        starts=STARTS,
        areas={"unit": {"file": "units.csv", "code": "area", "unit": "ward"}},
    )
    rows = "".join(f"{area},{number // 2}\n" for number, area in enumerate(panel.areas))
    (tmp_path / "units.csv").write_text(f"area,ward\n{rows}", encoding="utf-8")
    mixed = units.model_copy(
        update={"areas": units.areas.model_copy(update={"treated": protocol.areas.treated})}
    )
    mixed._base = tmp_path
    with pytest.raises(ww.DataError, match="its areas start together"):
        ww.evaluate(mixed, panel)


def test_a_staggered_design_shows_every_estimator(tmp_path: Path) -> None:
    """The field's estimators stand beside the registered one, all near a planted fall; cohorts add up."""
    panel = panel_of(effect=0.8, starts=STARTS, treated=36, level=30.0)
    found = ww.evaluate(design(tmp_path, treated=36, starts=STARTS), panel)
    labels = {one.label.split(",")[0] for one in found.alternatives if one.choice == "estimator"}
    ratios = {"Poisson imputation", "mean of ratios by cohort and period"}
    assert {"Callaway-Sant'Anna", "two-way fixed effects", *ratios} <= labels
    for one in found.alternatives:
        if one.choice == "estimator" and one.scale == "log-ratio":
            assert one.value == pytest.approx(math.log(0.8), abs=0.05)
    over = found.over_time
    assert over is not None
    assert [cohort.start for cohort in over.cohorts] == list(STARTS)
    assert sum(cohort.areas for cohort in over.cohorts) == 36
    assert sum(cohort.recorded for cohort in over.cohorts) == pytest.approx(found.estimate.recorded)
    assert sum(cohort.expected for cohort in over.cohorts) == pytest.approx(found.estimate.expected)
    assert sum(part.weight for part in over.comparisons) == pytest.approx(1.0)


def test_anticipation_leaves_the_months_out() -> None:
    """Two months before the start are in neither window, and the ledger of periods says why."""
    found = ww.evaluate(design(did={"anticipation": 2}), panel_of())
    dropped = found.windowed.periods_dropped
    assert "did.anticipation" in dropped["2018-12"]
    assert "did.anticipation" in dropped["2018-11"]
    assert max(found.windowed.periods[0]) == "2018-10"


def test_complete_suppression_is_one_end_and_no_number() -> None:
    """Nothing after the start: an upper end, no value, no error, and the words say at least."""
    panel = panel_of(level=2.0)
    counts = panel.counts.copy()
    counts[:12, 12:] = 0
    found = ww.evaluate(design(), replace(panel, counts=counts))
    assert found.estimate.value is None
    assert found.estimate.se is None
    assert found.estimate.low is None
    assert found.estimate.high is not None
    assert found.estimate.high < -1
    assert found.over_time is not None
    assert found.over_time.no_information.suppressed


def test_a_pre_trend_is_seen_and_caps_the_level() -> None:
    """Arms drifting apart by 3 % a month are contradicted: level 2 at most."""
    found = ww.evaluate(design(), panel_of(drift=0.03, level=30.0))
    rule = next(one for one in found.findings if one.rule == "selection.pre-trend")
    assert rule.kind == "caveat"
    assert found.grade.level <= 2
    pretrend = found.over_time.event_study.pretrend
    assert pretrend.slope == pytest.approx(0.03, abs=0.012)
    assert pretrend.detectable_half < pretrend.detectable_most


def test_a_large_effect_survives_and_breaks_down_somewhere() -> None:
    """A planted fall survives steps as large as those before the start; the curve widens with the bound."""
    found = ww.evaluate(design(), panel_of(effect=0.4, level=40.0, treated=30))
    relative = found.over_time.sensitivity[0]
    assert relative.beyond or relative.breakdown >= 1
    widths = [bound.high - bound.low for bound in relative.bounds]
    assert widths == sorted(widths)


def test_did_is_in_the_table_and_refuses_totals() -> None:
    """Totals have no months, and the message says what to use."""
    assert METHODS["did"].needs_comparison
    with pytest.raises(ww.ProtocolError, match="use 'relative-effect', which is the same estimate"):
        ww.protocol_from_dict(
            {
                "schema": 1,
                "id": "x",
                "question": "q?",
                "method": "did",
                "intervention": {"name": "p", "start": "2019-01", "assignment": "need"},
                "outcome": {"source": "totals", "totals": {"treated": [3, 4], "comparison": [5, 6]}},
            }
        )


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        (
            {"method": "relative-effect", "did": {"model": "linear"}},
            "take the section out, or use method 'did'",
        ),
        ({"method": "relative-effect", "outcome": {"kind": "rate"}}, "is 'rate', but method"),
        ({"did": {"dose": "hours"}}, "`did.dose` is 'hours', which is not under"),
        ({"did": {"adjust_for": ["imd"]}}, "names 'imd', which is under neither"),
        ({"did": {"series": {"heat": {"path": "x.csv"}}}}, "`did.series.heat` is not used"),
        ({"did": {"model": "poisson"}, "outcome": {"kind": "rate"}}, "a Poisson model takes counts"),
        ({"areas": {"treated": {"file": "a.csv", "start": "s"}}, "did": {"dose": "x"}}, "take one out"),
        (
            {"method": "relative-effect", "areas": {"treated": {"file": "a.csv", "start": "s"}}},
            "has one start for all; use 'did'",
        ),
        (
            {"areas": {"comparison": {"file": "a.csv", "start": "s"}}},
            "a comparison area is never treated",
        ),
    ],
)
def test_contradictions_are_told(sections: dict[str, object], said: str) -> None:
    """What the keys of [did] say against the rest is an error with a way out."""
    with pytest.raises(ww.ProtocolError, match=said.replace("[", r"\[")):
        design(**sections)  # type: ignore[arg-type]


def test_covariates_go_beside_a_staggered_estimate(tmp_path: Path) -> None:
    """With several starts a covariate makes a doubly robust alternative; the registered one stays."""
    panel = panel_of(effect=0.8, starts=STARTS, treated=36)
    panel = replace(panel, covariates={"imd": np.random.default_rng(2).normal(20, 8, len(panel.areas))})
    given = {"covariates": {"imd": {"path": "imd.csv"}}, "did": {"adjust_for": ["imd"]}}
    found = ww.evaluate(design(tmp_path, treated=36, starts=STARTS, **given), panel)
    other = ww.evaluate(design(tmp_path, treated=36, starts=STARTS), panel)
    assert found.estimate.value == other.estimate.value
    robust = next(one for one in found.alternatives if one.label.endswith("doubly robust with imd"))
    assert robust.value is not None
    assert robust.low is not None
    series = {"series": {"heat": {"path": "x.csv"}}, "adjust_for": ["heat"]}
    with pytest.raises(ww.ProtocolError, match="names 'heat', which varies, and is for one start"):
        design(tmp_path, treated=36, starts=STARTS, did=series)


def test_adjoining_areas_that_start_apart_are_units_apart(tmp_path: Path) -> None:
    """A clump found on the map is not one unit where its areas were given the project at different times."""
    panel = panel_of(effect=0.8, starts=STARTS)
    number = np.arange(len(panel.areas))
    in_rows = np.column_stack([number % 16, number // 16]) * 800.0  # the treated areas adjoin
    protocol = design(tmp_path, starts=STARTS, areas={"unit": "contiguous"})
    found = estimate(protocol, replace(panel, centroids=in_rows))
    started: dict[str, set[str]] = {}
    for area in found.contrast.treated:
        started.setdefault(found.contrast.units[area], set()).add(found.contrast.starts[area])
    assert sorted(when for starts in started.values() for when in starts) == sorted(STARTS)
    assert all(unit.endswith(f"from {when}") for unit, (when,) in started.items())
    assert found.effect.estimate.value == pytest.approx(math.log(0.8), abs=0.1)


def test_a_cohort_that_leaves_the_data_is_no_cohort(tmp_path: Path) -> None:
    """Where every area of one start is missing too much, the others are estimated and the loss has a line."""
    panel = panel_of(effect=0.8, starts=STARTS)
    observed, counts = panel.observed.copy(), panel.counts.copy()
    observed[1:12:3, 5:] = False
    counts[1:12:3, 5:] = np.nan
    found = ww.evaluate(design(tmp_path, starts=STARTS), replace(panel, observed=observed, counts=counts))
    assert [cohort.start for cohort in found.over_time.cohorts] == [STARTS[0], STARTS[2]]
    assert set(found.windowed.areas_dropped) == set(names(12)[1::3])
    assert found.estimate.value == pytest.approx(math.log(0.8), abs=0.1)


def test_starts_without_a_used_month_between_them_are_one(tmp_path: Path) -> None:
    """Months missing for all between two starts leave both areas' effects over the same months."""
    panel = panel_of(effect=0.8, starts=STARTS)
    observed, counts = panel.observed.copy(), panel.counts.copy()
    observed[:, 12:15] = False
    counts[:, 12:15] = np.nan
    found = ww.evaluate(design(tmp_path, starts=STARTS), replace(panel, observed=observed, counts=counts))
    assert [(cohort.start, cohort.areas) for cohort in found.over_time.cohorts] == [
        (STARTS[0], 8),
        (STARTS[2], 4),
    ]
    assert found.estimate.value == pytest.approx(math.log(0.8), abs=0.1)


def test_a_covariate_that_is_not_in_the_data_is_named() -> None:
    """A panel made by hand without the covariate is an error of ours with its name, not a missing key."""
    given = {"covariates": {"imd": {"path": "imd.csv"}}, "did": {"adjust_for": ["imd"]}}
    with pytest.raises(ww.DataError, match="covariate 'imd' is not in the data"):
        ww.evaluate(design(**given), panel_of())


def test_leads_of_an_adjusted_effect_are_adjusted_too(tmp_path: Path) -> None:
    """A number that rises before the start and drives counts is no trend once adjusted for."""
    panel = panel_of(level=30.0, treated=30, spread=0.01)
    heat = np.zeros(panel.counts.shape)
    heat[:30, 3:12] = np.linspace(0, 1.5, 9)
    rng = np.random.default_rng(4)
    panel = replace(panel, counts=rng.poisson(panel.counts * np.exp(0.3 * heat)).astype(float))
    write_series(tmp_path, panel, heat)
    plain = ww.evaluate(design(treated=30), panel).over_time.event_study
    given = {"series": {"heat": {"path": "hours.csv"}}, "adjust_for": ["heat"]}
    own = ww.evaluate(design(tmp_path, treated=30, did=given), panel).over_time.event_study
    assert plain.pretrend.p_value < 0.01
    assert max(abs(lead.value) for lead in own.leads) < 0.5 * max(abs(lead.value) for lead in plain.leads)
