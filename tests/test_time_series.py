"""Interrupted time series: the fit, its error, the ranks among placebo series, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from whatworks_eval.errors import CannotEstimate, ProtocolError
from whatworks_eval.evaluation import appraise, estimate, evaluate
from whatworks_eval.inference.inversion import invert
from whatworks_eval.inference.segmented import (
    average_gradient,
    design_matrix,
    fit_poisson,
    season_of,
    serial_error,
)
from whatworks_eval.inference.series_sets import fit_shares, series_test
from whatworks_eval.measures.running import running_along, running_effect
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.records import PlaceboSets, Series
from whatworks_eval.report import render

AREAS = tuple(f"A{at:02d}" for at in range(40))


def declared(**changes: Any) -> Protocol:
    """Four of forty areas treated from 2018 on, with 48 months before and 12 after."""
    plain: dict[str, Any] = {
        "schema": 1,
        "id": "series",
        "question": "Did it fall?",
        "registered": "2017-06-01",
        "method": "interrupted-time-series",
        "intervention": {"name": "Patrol", "start": "2018-01", "assignment": "volunteer"},
        "outcome": {"source": "counts", "path": "counts.csv"},
        "windows": {"before": ["2014-01", "2017-12"], "after": ["2018-01", "2018-12"]},
        "areas": {"treated": list(AREAS[:4]), "comparison": "rest", "unit": "area"},
    }
    return protocol_from_dict(
        {key: value for key, value in {**plain, **changes}.items() if value is not None}
    )


MATCHED = {"areas": {"treated": list(AREAS[:4]), "comparison": "matched", "unit": "area"}}
ALONE = {"areas": {"treated": list(AREAS[:4]), "unit": "area"}}


def made_panel(effect: float = 1.0, level: float = 30.0, seed: int = 1, **changes: Any) -> Panel:
    """Counts with a shared trend and season, areas of their own level, and an effect on the treated."""
    rng = np.random.default_rng(seed)
    periods = period_range("2014-01", "2018-12", "month")
    time = np.arange(60)
    mean = level * np.exp(0.15 * np.sin(2 * np.pi * time / 12) + 0.002 * time)
    counts = rng.poisson(mean * rng.gamma(9.0, 1 / 9.0, 40)[:, None] * rng.gamma(30.0, 1 / 30.0, (40, 60)))
    counts = counts.astype(float)
    counts[:4, 48:] = rng.binomial(counts[:4, 48:].astype(int), min(effect, 1.0))
    given: dict[str, Any] = {
        "areas": AREAS,
        "periods": periods,
        "counts": counts,
        "observed": np.ones(counts.shape, dtype=bool),
        "ledger": Ledger(),
    }
    return Panel(**(given | changes))


def test_a_noiseless_line_gives_its_level_and_slope_back() -> None:
    """Given 10 + 0.05 t over 48 months, from the 25th add 2 + 0.1 (t - 25): level 2 and slope 0.1."""
    number = np.arange(1.0, 49.0)
    after = number >= 25
    design = design_matrix(number, after)
    values = 10 + 0.05 * number + np.where(after, 2 + 0.1 * (number - 25), 0.0)
    found = np.linalg.lstsq(design, values, rcond=None)[0]
    assert found[2:] == pytest.approx([2.0, 0.1], abs=1e-8)


def test_a_noiseless_log_line_gives_its_level_slope_and_average_back() -> None:
    """The same on the log scale, where the average effect is recorded over the line carried on."""
    time = np.arange(48.0)
    after = time >= 24
    design = design_matrix(time, after)
    counts = np.exp(design @ np.array([3.0, 0.01, -0.3, 0.02]))
    line = fit_poisson(counts, design)
    assert line.params == pytest.approx([3.0, 0.01, -0.3, 0.02], abs=1e-8)
    assert line.without[after] == pytest.approx(np.exp(3 + 0.01 * time[after]))
    gradient = average_gradient(line, after)
    step = 1e-6
    for at in range(4):
        moved = line.params.copy()
        moved[at] += step
        plain = moved.copy()
        plain[2:4] = 0
        value = np.log(np.exp(design @ moved)[after].sum() / np.exp(design @ plain)[after].sum())
        base = np.log(line.fitted[after].sum() / line.without[after].sum())
        assert (value - base) / step == pytest.approx(gradient[at], abs=1e-4)


def test_an_exposure_moves_the_constant_only() -> None:
    """Residents that do not change leave trend, level and slope as they are."""
    rng = np.random.default_rng(2)
    time = np.arange(36.0)
    design = design_matrix(time, time >= 24)
    counts = rng.poisson(50, 36).astype(float)
    plain, offset = fit_poisson(counts, design), fit_poisson(counts, design, np.full(36, 12_000.0))
    assert plain.params[1:] == pytest.approx(offset.params[1:], abs=1e-8)
    assert plain.params[0] - offset.params[0] == pytest.approx(np.log(12_000))


def test_the_shares_are_a_poisson_model_of_both_series_with_a_free_effect_for_every_month() -> None:
    """Arm by trend, level and slope of the stacked model equal the log-ratio fit."""
    rng = np.random.default_rng(3)
    time = np.arange(24.0)
    design = design_matrix(time, time >= 16)
    own, other = rng.poisson(40, 24).astype(float), rng.poisson(300, 24).astype(float)
    line, settled = fit_shares(own[None], other[None], design)
    assert settled.all()
    months = np.eye(24)
    stacked = np.vstack([np.hstack([months, design]), np.hstack([months, np.zeros_like(design)])])
    # Poisson scores of the stacked model vanish where the log-ratio fit says they do.
    ratio = np.exp(design @ line[0])
    base = (own + other) / (1 + ratio)
    mean = np.concatenate([base * ratio, base])
    assert stacked.T @ (np.concatenate([own, other]) - mean) == pytest.approx(0.0, abs=1e-6)


def test_many_pairs_at_once_are_each_fitted_and_the_empty_ones_say_so() -> None:
    """A pair without incidents on one side does not settle; its neighbours are not touched."""
    rng = np.random.default_rng(4)
    design = design_matrix(np.arange(20.0), np.zeros(20, dtype=bool))[:, :2]
    own, other = rng.poisson(5, (6, 20)).astype(float), rng.poisson(50, (6, 20)).astype(float)
    own[2] = 0
    line, settled = fit_shares(own, other, design)
    assert settled.tolist() == [True, True, False, True, True, True]
    alone, _ = fit_shares(own[4:5], other[4:5], design)
    assert line[4] == pytest.approx(alone[0], abs=1e-9)


def test_a_hypothesised_effect_that_is_right_makes_the_treated_set_ordinary() -> None:
    """With the planted factor taken out exactly, the departure of the treated set is zero."""
    before, after = np.full((10, 12), 20.0), np.full((10, 6), 20.0)
    after[0] *= 0.5
    sets = PlaceboSets(
        row=np.arange(10),
        rows=10,
        treated=np.array([0]),
        members=np.arange(10)[:, None],
        exact=True,
        how="each area",
        smallest_p=0.1,
    )
    design = design_matrix(np.arange(18.0), np.arange(18) >= 12)[:, :2]
    test = series_test(before, after, (design[:12], design[12:]), sets)
    assert test.statistic(float(np.log(0.5)))[-1] == pytest.approx(0.0, abs=1e-9)
    assert test.p_value(float(np.log(0.5))) == 1.0
    assert test.p_value(0.0) == pytest.approx(0.1)


def test_an_interval_that_the_data_leave_open_is_open() -> None:
    """A test that never rejects on one side gives no end there."""
    found = invert(lambda effect: 1.0 if effect < 0.3 else 0.0, 0.0, 0.05)
    assert found.low is None
    assert found.high == pytest.approx(0.3, abs=0.01)
    assert found.quantiles == ()


def rejections(rho: float, share: float, draws: int) -> float:
    """How often nothing is found to be something: 48 + 12 months, a share of the variance persistent."""
    periods = period_range("2014-01", "2018-12", "month")
    time, after = np.arange(60.0), np.arange(60) >= 48
    season = season_of(periods, "month")
    design = design_matrix(time, after, season)
    base = 400 * np.exp(0.1 * np.sin(2 * np.pi * season) + 0.002 * time)
    rng = np.random.default_rng([int(10 * rho), int(10 * share)])
    found = 0
    for draw in range(draws):
        wave = rng.standard_normal(160)
        for at in range(1, 160):
            wave[at] = rho * wave[at - 1] + np.sqrt(1 - rho**2) * wave[at]
        noise = np.sqrt(share) * wave[100:] + np.sqrt(1 - share) * rng.standard_normal(60)
        counts = np.maximum(np.round(base + np.sqrt(6 * base) * noise), 0)
        line = fit_poisson(counts, design)
        gradient = average_gradient(line, after)
        error = serial_error(counts, line, time, gradient[None], seed=draw, draws=199)
        value = float(np.log(counts[after].sum() / line.without[after].sum()))
        found += error.p_value(0, value) <= 0.05
    return found / draws


@pytest.mark.slow
@pytest.mark.parametrize(("rho", "share"), [(0.0, 1.0), (0.3, 1.0), (0.6, 1.0), (0.6, 0.5)])
def test_nothing_is_found_in_about_five_percent_of_series_with_nothing(rho: float, share: float) -> None:
    """5 % within binomial tolerance (300 draws, upper 99 % limit of a true 6 %), up to 0.6."""
    assert 0.02 <= rejections(rho, share, 300) <= 0.092


def test_alone_it_sees_a_fall_and_stays_at_level_two() -> None:
    """A fall of a third is inside the interval; force-wide change is said to be counted."""
    found = evaluate(declared(**ALONE), made_panel(effect=2 / 3))
    assert found.grade.level == found.grade.ceiling == 2
    change = found.estimate
    assert change.low is not None
    assert change.high is not None
    assert change.low < np.log(2 / 3) < change.high < 0
    assert "whatever changed everywhere is counted too" in repr(found)
    assert found.placebo is None
    assert {other.label for other in found.alternatives} >= {
        "change of level at the start",
        "change of slope, per month",
    }


def test_a_change_everywhere_is_the_projects_alone_and_nobodys_against_a_comparison() -> None:
    """All areas fall by a third: alone it is 'found', against the comparison it is not."""
    panel = made_panel()
    counts = panel.counts.copy()
    counts[:, 48:] = np.random.default_rng(5).binomial(counts[:, 48:].astype(int), 2 / 3)
    changed = made_panel(counts=counts)
    alone = estimate(declared(**ALONE), changed).effect.estimate
    against = estimate(declared(), changed).effect.estimate
    assert alone.high is not None
    assert alone.high < 0
    assert against.low is not None
    assert against.high is not None
    assert against.low < 0 < against.high


def test_with_a_comparison_it_covers_a_fall_and_stays_at_level_three_or_below() -> None:
    """The interval holds the planted fall and not zero; the ceiling is 3 even for a matched comparison."""
    found = evaluate(declared(), made_panel(effect=0.6, level=60.0))
    change = found.estimate
    assert change.low is not None
    assert change.high is not None
    assert change.low < np.log(0.6) < change.high < 0
    assert found.grade.ceiling == 3
    assert appraise(declared(**MATCHED)).grade.ceiling == 3
    assert "ratio of ratios, without a trend" in {other.label for other in found.alternatives}
    page = render(found, "html")
    assert 'id="series"' in page
    assert 'id="running"' in page
    assert found.curve is not None
    added_up = running_along(found.curve).cumulative[-1]
    assert added_up == pytest.approx(found.estimate.prevented.value, rel=1e-9)


def test_against_a_matched_comparison_the_interval_holds_the_fall() -> None:
    """Each placebo set is held against its own matches."""
    found = estimate(declared(**MATCHED), made_panel(effect=0.6, level=60.0)).effect.estimate
    assert found.low is not None
    assert found.high is not None
    assert found.low < np.log(0.6) < found.high


def test_a_shared_season_drops_out_of_the_log_ratio() -> None:
    """A season ten times as strong in both arms moves the controlled estimate only by chance."""
    panel = made_panel()
    wave = np.exp(1.5 * np.sin(2 * np.pi * np.arange(60) / 12))
    strong = made_panel(counts=np.round(panel.counts * wave * 5))
    found = estimate(declared(), strong).effect.estimate
    assert found.value is not None
    assert abs(found.value) < 0.1


@pytest.mark.parametrize("areas", [ALONE["areas"], None])
def test_seasonal_terms_are_refused_with_fewer_than_24_before_months(areas: dict[str, Any] | None) -> None:
    """Asked for and impossible: an error that names the key and what to do."""
    windows = {"before": ["2016-02", "2017-12"], "after": ["2018-01", "2018-12"], "seasonal": True}
    changes = {"windows": windows} | ({"areas": areas} if areas else {})
    with pytest.raises(
        CannotEstimate, match=r"windows\.seasonal is true, but the before window holds 23 months"
    ):
        estimate(declared(**changes), made_panel())


def test_too_few_periods_give_a_reason_and_no_number() -> None:
    """Seven months before hold no trend."""
    windows = {"before": ["2017-06", "2017-12"], "after": ["2018-01", "2018-12"]}
    for changes in ({}, ALONE):
        found = evaluate(declared(windows=windows, **changes), made_panel())
        assert found.estimate.value is None
        assert "at least 8 months before" in (found.estimate.why_missing or "")
        assert "No estimate" in repr(found)


def test_nothing_recorded_after_gives_a_reason_and_no_number() -> None:
    """A log of nothing is not a number."""
    counts = made_panel().counts.copy()
    counts[:4, 48:] = 0
    for changes in ({}, ALONE):
        found = estimate(declared(**changes), made_panel(counts=counts)).effect.estimate
        assert found.value is None
        assert "no incident was recorded in the treated areas in the after window" in (
            found.why_missing or ""
        )


def test_all_incidents_in_one_month_hold_no_trend() -> None:
    """Five incidents in the last month before the start: a reason, not a number."""
    counts = made_panel().counts.copy()
    counts[:4, :48] = 0
    counts[:4, 47] = 5
    for changes in ({}, ALONE):
        found = estimate(declared(**changes), made_panel(counts=counts)).effect.estimate
        assert found.value is None
        assert "too few incidents" in (found.why_missing or "")


def test_a_city_sized_series_settles() -> None:
    """Half a million incidents a month are fitted as five hundred are."""
    rng = np.random.default_rng(8)
    time = np.arange(60.0)
    design = design_matrix(time, time >= 48)
    line = fit_poisson(rng.poisson(500_000, 60) * 1.0, design)
    assert abs(line.params[2]) < 0.01


def test_a_missing_month_is_left_out_and_its_place_in_time_kept() -> None:
    """The line runs on over the gap: the estimate is close to that of the whole series."""
    panel = made_panel(effect=2 / 3)
    observed = panel.observed.copy()
    observed[:, 20] = False
    gap = made_panel(counts=np.where(observed, panel.counts, np.nan), observed=observed)
    whole = estimate(declared(**ALONE), panel).effect
    short = estimate(declared(**ALONE), gap).effect
    assert short.curve is not None
    assert panel.periods[20] not in short.curve.periods
    assert short.estimate.value == pytest.approx(whole.estimate.value, abs=0.05)


def test_four_totals_are_no_series() -> None:
    """Refused before any data are read, as is a season for a method that fits none."""
    totals = {"source": "totals", "totals": {"treated": [398, 190], "comparison": [148, 97]}}
    with pytest.raises(ProtocolError, match="no counts by period"):
        declared(outcome=totals, areas=None, windows=None)
    windows = {"before": ["2014-01", "2017-12"], "after": ["2018-01", "2018-12"], "seasonal": True}
    with pytest.raises(ProtocolError, match=r"windows\.seasonal"):
        declared(method="relative-effect", windows=windows)


def weekly() -> Panel:
    """Three years of weeks, nothing done."""
    periods = period_range("2016-W01", "2018-W52", "week")
    counts = np.random.default_rng(6).poisson(12, (40, len(periods))).astype(float)
    observed = np.ones(counts.shape, dtype=bool)
    return made_panel(periods=periods, period="week", counts=counts, observed=observed)


@pytest.mark.parametrize("areas", [ALONE["areas"], None])
def test_weeks_are_a_series_too(areas: dict[str, Any] | None) -> None:
    """Two years of weeks before hold a season; the slope is said per week."""
    windows = {"before": ["2016-W01", "2017-W52"], "after": ["2018-W01", "2018-W52"]}
    changes = {
        "period": "week",
        "windows": windows,
        "intervention": {"name": "Patrol", "start": "2018-W01", "assignment": "volunteer"},
    } | ({"areas": areas} if areas else {})
    found = estimate(declared(**changes), weekly()).effect
    assert found.estimate.value is not None
    assert abs(found.estimate.value) < 0.2
    assert "change of slope, per week" in {other.label for other in found.alternatives}


def test_days_are_refused() -> None:
    """A weekly rhythm is not fitted, so days are to be added up."""
    periods = period_range("2018-01-01", "2018-03-01", "day")
    counts = np.ones((40, len(periods)))
    panel = made_panel(periods=periods, period="day", counts=counts, observed=counts > 0)
    windows = {"before": ["2018-01-01", "2018-01-31"], "after": ["2018-02-01", "2018-02-28"]}
    start = {"name": "Patrol", "start": "2018-02-01", "assignment": "volunteer"}
    with pytest.raises(CannotEstimate, match="Add days up to weeks"):
        estimate(declared(period="day", windows=windows, intervention=start), panel)


def test_names_and_order_of_areas_change_nothing() -> None:
    """The areas the other way round, under each other's names: the same answer."""
    panel = made_panel(effect=0.8)
    turned = made_panel(counts=panel.counts[::-1].copy())
    other = declared(areas={"treated": list(AREAS[-4:]), "comparison": "rest", "unit": "area"})
    first, second = estimate(declared(), panel), estimate(other, turned)
    assert first.effect.estimate.low == pytest.approx(second.effect.estimate.low, abs=1e-9)
    assert first.effect.estimate.p_value == pytest.approx(second.effect.estimate.p_value)


def test_residents_change_nothing_but_the_constant() -> None:
    """People who do not change in number are taken in as exposure and leave the answer as it is."""
    plain = estimate(declared(**ALONE), made_panel(effect=0.8)).effect.estimate
    known = estimate(declared(**ALONE), made_panel(effect=0.8, residents=np.full(40, 1_500.0))).effect
    assert known.estimate.value == pytest.approx(plain.value, abs=1e-8)


def test_the_same_data_and_seed_give_the_same_answer() -> None:
    """Simulated critical values come from the protocol's seed."""
    first, again = (estimate(declared(**ALONE), made_panel(effect=0.8)).effect.estimate for _ in range(2))
    assert first == again


def flat(treated: float, comparison: float, months: int = 15) -> Series:
    """Two constant series."""
    number = np.arange(months)
    return Series(
        periods=period_range("2018-01", "2020-12", "month")[:months],
        counts={"treated": np.full(months, treated), "comparison": np.full(months, comparison)},
        index={},
        before=number < 6,
        after=number >= 6,
        start="2018-07",
    )


@pytest.mark.parametrize(("treated", "comparison"), [(20.0, 25.0), (7.0, 3.0), (1.0, 1 / 3), (13.0, 701.7)])
def test_constant_series_give_exactly_zero(treated: float, comparison: float) -> None:
    """Treated 20 and comparison 25 a month with nothing done: a peer's running sum says -75."""
    found = running_effect(flat(treated, comparison))
    assert found is not None
    assert found.prevented.tolist() == [0.0] * 15
    assert found.cumulative.tolist() == [0.0] * 15


def test_a_fall_from_the_third_month_on_shows_from_the_third_month_on() -> None:
    """Five fewer a month: nothing in the first two after months, then five more each."""
    series = flat(20.0, 25.0, 12)
    series.counts["treated"][8:] -= 5
    found = running_effect(series)
    assert found is not None
    assert found.cumulative[6:].tolist() == [0.0, 0.0, 5.0, 10.0, 15.0, 20.0]


def test_without_a_comparison_there_is_no_running_effect() -> None:
    """A running difference needs something to run against."""
    series = flat(20.0, 25.0)
    assert running_effect(Series(**{**_fields(series), "counts": {"treated": np.ones(15)}})) is None


def _fields(series: Series) -> dict[str, Any]:
    return {name: getattr(series, name) for name in ("periods", "index", "before", "after", "start")}
