"""Method synthetic from protocol to report: refusals, donors, effects by hand, what must not change it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import whatworks_eval as ww
from whatworks_eval.errors import CannotEstimate, DataError, ProtocolError
from whatworks_eval.evaluation import appraise, estimate, evaluate
from whatworks_eval.inference.placebo_sets import fewer
from whatworks_eval.inference.separate_clumps import separate_clumps
from whatworks_eval.methods.synthetic import comparison_test
from whatworks_eval.methods.synthetic_rests_on import ranked_by_level
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.records import PlaceboSets

BEFORE, AFTER = 24, 12
PERIODS = period_range("2017-01", "2019-12", "month")


def design(changes: dict[str, Any] | None = None, **areas: Any) -> dict[str, Any]:
    """A design as a mapping, one treated area unless told otherwise."""
    plain: dict[str, Any] = {
        "schema": 1,
        "id": "mixture",
        "question": "Did it fall?",
        "method": "synthetic",
        "registered": "2018-11-01",
        "intervention": {"name": "Patrol", "start": "2019-01", "assignment": "volunteer"},
        "outcome": {"source": "counts", "path": "counts.csv"},
        "windows": {"before": ["2017-01", "2018-12"], "after": ["2019-01", "2019-12"]},
        "areas": {"treated": ["U00"], "comparison": "rest", "unit": "area"} | areas,
    }
    return plain | (changes or {})


def protocol(changes: dict[str, Any] | None = None, **areas: Any) -> Protocol:
    """The same as a Protocol."""
    return protocol_from_dict(design(changes, **areas))


def panel_of(counts: np.ndarray, centroids: np.ndarray | None = None) -> Panel:
    """Counts by area and month as a panel."""
    return Panel(
        areas=tuple(f"U{at:02d}" for at in range(len(counts))),
        periods=PERIODS,
        counts=counts.astype(float),
        observed=np.ones(counts.shape, dtype=bool),
        centroids=centroids,
        ledger=Ledger(),
    )


def noisy(units: int = 40, factor: float = 1.0, seed: int = 3) -> np.ndarray:
    """Units with a season and levels of their own; the first one's after counts multiplied by `factor`."""
    rng = np.random.default_rng(seed)
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(BEFORE + AFTER) / 12)
    rates = rng.uniform(40, 120, (units, 1)) * season
    rates[0, BEFORE:] *= factor
    return rng.poisson(rates).astype(float)


@pytest.fixture(scope="module")
def fallen() -> ww.Evaluation:
    """An evaluation where the treated area lost half."""
    return evaluate(protocol(), panel_of(noisy(factor=0.5)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"windows": {"before": ["2018-06", "2018-12"], "after": ["2019-01", "2019-12"]}},
            "needs at least 8",
        ),
        ({"synthetic": {"donors": ["U01", "U01"]}}, "lists 'U01' more than once"),
        ({"synthetic": {"donors": ["U00", "U01"]}}, "holds 'U00', a treated area"),
        ({"synthetic": {"kind": "lasso"}}, "synthetic.kind"),
        ({"method": "did", "synthetic": {"kind": "sdid"}}, "take the section out"),
        ({"outcome": {"source": "counts", "path": "c.csv", "kind": "rate"}}, "takes counts"),
        (
            {"outcome": {"source": "totals", "totals": {"treated": [4, 2], "comparison": [4, 3]}}},
            "use 'relative-effect'",
        ),
    ],
)
def test_what_a_design_says_against_itself_is_told_with_the_way_out(
    changes: dict[str, Any], said: str
) -> None:
    """Each contradiction is one sentence of a ProtocolError."""
    with pytest.raises(ProtocolError, match=said):
        protocol_from_dict(design(changes))


@pytest.mark.parametrize(
    ("areas", "said"),
    [
        ({"comparison": "matched"}, "chooses and weighs its donors itself"),
        ({"comparison": None}, "areas.comparison"),
        ({"treated": {"file": "a.csv", "start": "start"}}, "one start for all; use 'did'"),
        ({"comparison": ["U01", "U02"]}, "holds 'U03', which is not in"),
    ],
)
def test_arms_that_cannot_be_mixed_are_refused(areas: dict[str, Any], said: str) -> None:
    """A matched comparison, none at all, staggered starts, and donors outside the comparison."""
    changes = {"synthetic": {"donors": ["U01", "U03"]}} if "U03" in said else {}
    plain = design(changes, **areas)
    plain["areas"] = {key: value for key, value in plain["areas"].items() if value is not None}
    with pytest.raises(ProtocolError, match=said):
        protocol_from_dict(plain)


def test_the_ceiling_is_three() -> None:
    """One series against one mixture is level 3 at most, whatever else is well."""
    assert appraise(protocol()).grade.ceiling == 3


def test_an_exact_mixture_gives_the_effect_worked_by_hand() -> None:
    """Half of two donors before; after, the mixture stands at 100 and the treated area at 60: 40 % fewer.

    Counts are 20 and 40 times the shape, so the index, not the count, is what is mixed.
    """
    wave = np.where(np.arange(BEFORE + AFTER) % 2, 0.5, -0.5)
    slow = np.where(np.arange(BEFORE + AFTER) % 4 < 2, 0.4, -0.4)
    counts = np.vstack([100 * (1 + (wave + slow) / 2), 20 * (1 + wave), 40 * (1 + slow), np.full(36, 50.0)])
    counts = np.vstack([counts, 30 * (1 - wave), 30 * (1 - slow)])
    counts[0, BEFORE:] *= 0.6
    found = estimate(protocol(), panel_of(counts)).effect
    assert found.synthetic is not None
    assert found.synthetic.fit.rmspe < 1e-3
    assert found.estimate.ratio.value == pytest.approx(0.6, rel=1e-3)
    assert found.estimate.recorded == pytest.approx(counts[0, BEFORE:].sum())
    assert found.estimate.expected == pytest.approx(counts[0, BEFORE:].sum() / 0.6, rel=1e-3)
    assert found.estimate.smallest_p == pytest.approx(1 / 6)
    assert found.estimate.low is None
    assert "smallest attainable p-value is 0.17" in str(found.estimate.why_missing)


def test_every_set_is_enumerated_where_they_are_few() -> None:
    """40 areas, one treated: 40 sets in all, the smallest p-value 1/40 and an interval at 95 %."""
    found = estimate(protocol(), panel_of(noisy())).effect
    assert found.placebo is not None
    assert found.placebo.exact
    assert found.placebo.sets == 39
    assert found.estimate.smallest_p == pytest.approx(1 / 40)
    assert found.estimate.low is not None
    assert found.estimate.high is not None
    assert found.estimate.low < 0 < found.estimate.high


def test_a_planted_fall_is_inside_its_interval(fallen: ww.Evaluation) -> None:
    """Half is lost: the interval holds -50 %, excludes none, and every other kind of mixture agrees."""
    span = fallen.estimate.percent_change
    assert span.low is not None
    assert span.high is not None
    assert span.low < -50 < span.high < 0
    kinds = [one for one in fallen.alternatives if one.choice == "estimator"]
    assert len(kinds) == 3
    for one in kinds:
        assert one.percent_change.value == pytest.approx(-50, abs=8)
    assert fallen.grade.level <= 3
    assert fallen.estimate.prevented.value == pytest.approx(
        (fallen.estimate.expected or 0) - (fallen.estimate.recorded or 0)
    )


def test_interval_and_p_value_agree(fallen: ww.Evaluation) -> None:
    """Just inside an end the test keeps the effect at 5 %; just outside it does not."""
    design_, panel = protocol(), panel_of(noisy(factor=0.5))
    answer = estimate(design_, panel)
    assert answer.windowed is not None
    _, found = comparison_test(design_, panel, answer.contrast, answer.windowed)
    low, high = fallen.estimate.low, fallen.estimate.high
    assert low is not None
    assert high is not None
    assert found.p_value(float(np.exp(low + 0.01))) > 0.05
    assert found.p_value(float(np.exp(low - 0.01))) <= 0.05
    assert found.p_value(float(np.exp(high + 0.01))) <= 0.05


@pytest.mark.parametrize("kind", ["simplex", "sdid", "augmented"])
def test_names_order_and_size_change_nothing(kind: str) -> None:
    """Areas renamed and reordered give the same value and interval; counts times ten the same ratio."""
    changes = {"synthetic": {"kind": kind}}
    counts = noisy(factor=0.7)
    plain = estimate(protocol(changes), panel_of(counts)).effect.estimate
    shuffled = np.random.default_rng(1).permutation(len(counts))
    treated = f"U{int(np.flatnonzero(shuffled == 0)[0]):02d}"
    moved = estimate(protocol(changes, treated=[treated]), panel_of(counts[shuffled])).effect.estimate
    assert moved.value == pytest.approx(plain.value, abs=1e-6)
    assert moved.p_value == plain.p_value
    assert moved.low == pytest.approx(plain.low, abs=1e-4)
    larger = estimate(protocol(changes), panel_of(10 * counts)).effect.estimate
    assert larger.value == pytest.approx(plain.value, abs=1e-6)


def test_names_do_not_choose_among_donors_that_tie_in_level() -> None:
    """With few incidents many areas tie at the thirtieth donor; renaming them all moves no digit.

    Ties by name made the ratio 0.92 under one naming of these very counts and 0.98 under another.
    """
    counts = np.random.default_rng(7).poisson(1.5, (80, len(PERIODS))).astype(float)
    found = []
    for name in (np.arange(80), np.random.default_rng(11).permutation(80)):
        order = np.argsort(name)
        made = protocol({"synthetic": {"most_donors": 12}}, treated=[f"U{name[0]:02d}"])
        estimate = evaluate(made, panel_of(counts[order])).estimate
        found.append([estimate.value, estimate.low, estimate.high, estimate.p_value])
    assert found[0][0] is not None
    assert found[1] == pytest.approx(found[0], abs=1e-9)


def test_after_counts_do_not_move_the_weights() -> None:
    """Whatever follows the start, donors and weights of the simplex stay as they were."""
    counts = noisy()
    other = counts.copy()
    other[:, BEFORE:] = np.random.default_rng(9).poisson(70, (len(counts), AFTER))
    one, two = (estimate(protocol(), panel_of(made)).effect.synthetic for made in (counts, other))
    assert one is not None
    assert two is not None
    assert {d.name: round(d.weight, 9) for d in one.donors} == {
        d.name: round(d.weight, 9) for d in two.donors
    }


def test_a_treated_clump_is_mixed_from_separate_clumps() -> None:
    """Four adjoining treated areas: donors are clumps of four, no area in two, none of them treated."""
    grid = np.array([(x, y) for x in range(12) for y in range(8)], dtype=float) * 100
    grid += np.random.default_rng(0).uniform(-5, 5, grid.shape)
    counts = noisy(units=len(grid))
    treated = ["U00", "U01", "U08", "U09"]
    plain = design(treated=treated)
    del plain["areas"]["unit"]
    found = estimate(protocol_from_dict(plain), panel_of(counts, grid)).effect.synthetic
    assert found is not None
    assert found.donor_word == "clumps of 4 adjoining areas"
    held = [area for donor in found.donors for area in donor.areas]
    assert all(len(donor.areas) == 4 for donor in found.donors)
    assert len(held) == len(set(held))
    assert not set(held) & set(treated)
    assert found.possible >= 15


def test_clumps_share_no_row_and_hang_together() -> None:
    """On a 6 × 6 grid with edges between neighbours, clumps of three use most rows, each once."""
    places = np.array([(x, y) for x in range(6) for y in range(6)], dtype=float)
    pairs = np.array(
        [(a, b) for a in range(36) for b in range(a + 1, 36) if abs(places[a] - places[b]).sum() == 1]
    )
    free = np.ones(36, dtype=bool)
    free[[0, 35]] = False
    made = separate_clumps(pairs, places, free, 3)
    rows = np.concatenate(made)
    assert len(rows) == len(set(rows.tolist()))
    assert not {0, 35} & set(rows.tolist())
    assert len(made) >= 9
    edges = {tuple(pair) for pair in pairs.tolist()}
    for group in made:
        inside = [pair for pair in edges if set(pair) <= set(group.tolist())]
        assert len(inside) >= 2


def test_named_donors_alone_are_mixed_and_strangers_refused() -> None:
    """Donors named in the protocol alone have weight; a name that is no comparison area is an error."""
    donors = ["U03", "U04", "U05", "U06"]
    found = estimate(protocol({"synthetic": {"donors": donors}}), panel_of(noisy())).effect.synthetic
    assert found is not None
    assert {donor.name for donor in found.donors} <= set(donors)
    assert found.possible == 4
    with pytest.raises(DataError, match="Z99"):
        estimate(protocol({"synthetic": {"donors": ["U03", "Z99"]}}), panel_of(noisy()))


def test_units_of_several_areas_are_mixed_whole(tmp_path: Any) -> None:
    """With a lookup from area to unit, donors are units and the treated unit is the total of its areas."""
    lookup = "area,unit\n" + "".join(f"U{at:02d},B{at // 2:02d}\n" for at in range(40))
    (tmp_path / "units.csv").write_text(lookup, encoding="utf-8")
    plain = design(treated=["U00", "U01"], unit={"file": "units.csv", "code": "area", "unit": "unit"})
    found = estimate(protocol_from_dict(plain, base=tmp_path), panel_of(noisy())).effect
    assert found.synthetic is not None
    assert found.synthetic.donor_word == "whole units"
    assert found.synthetic.possible == 19
    assert all(len(donor.areas) == 2 for donor in found.synthetic.donors)
    assert found.estimate.recorded == noisy()[:2, BEFORE:].sum()


def test_what_cannot_be_estimated_is_said() -> None:
    """Nothing before: refused. Nothing after: no value, with the reason. Too few usable months: refused."""
    empty = noisy()
    empty[0, :BEFORE] = 0
    with pytest.raises(CannotEstimate, match="nothing was recorded in the treated areas before"):
        estimate(protocol(), panel_of(empty))
    gone = noisy()
    gone[0, BEFORE:] = 0
    none = estimate(protocol(), panel_of(gone)).effect.estimate
    assert none.value is None
    assert "nothing was recorded" in str(none.why_missing)
    panel = panel_of(noisy())
    observed, counts = panel.observed.copy(), panel.counts.copy()
    observed[:, : BEFORE - 5] = False
    counts[~observed] = np.nan
    windows = {"before": ["2017-01", "2018-12"], "after": ["2019-01", "2019-12"], "match_missing": False}
    with pytest.raises(CannotEstimate, match="5 before periods are usable"):
        estimate(protocol({"windows": windows}), replace(panel, observed=observed, counts=counts))


def test_ranks_allow_for_level() -> None:
    """A gap of 30 points is the largest of four alike; with half of the level behind it, it may not be."""
    sizes, level = np.array([30.0, 10.0, 9.0, 11.0]), np.full(4, 100.0)
    assert ranked_by_level(sizes, level).p_value == 0.25
    rng = np.random.default_rng(2)
    level = np.concatenate([[10.0], rng.uniform(200, 800, 60)])
    gaps = 100 / np.sqrt(level) * np.abs(rng.normal(0, 1, 61))
    gaps[0] = 100 / np.sqrt(10.0)
    assert (ranked_by_level(gaps, level).p_value or 0) > 0.1
    assert ranked_by_level(np.array([np.nan, 1.0, 2.0]), np.ones(3)).p_value is None


def test_the_report_says_what_the_mixture_rests_on(fallen: ww.Evaluation) -> None:
    """Text, page and JSON hold weights, fit and pretended start, with the level beside them."""
    text, page = ww.render(fallen, "text"), ww.render(fallen, "html")
    made = json.loads(ww.render(fallen, "json"))["synthetic"]
    assert "The synthetic comparison, and what it rests on" in text
    assert f"Who stands in for the treated areas (design strength level {fallen.grade.level} of 5)" in text
    assert 'id="mixture"' in page
    assert 'id="synthetic-gaps"' in page
    assert sum(donor["weight"] for donor in made["donors"]) == pytest.approx(1, abs=1e-4)
    assert len(made["series"]) == BEFORE + AFTER
    assert made["in_time"]["start"] == "2018-05"
    assert made["as_good"]["low"] <= (fallen.estimate.value or 0) + 0.05
    assert ww.render(fallen, "html") == page


def test_small_counts_are_not_in_the_report() -> None:
    """A month with fewer than five incidents has no index in JSON, and none in the table of the page."""
    counts = noisy(factor=0.5)
    counts[0, BEFORE + 2] = 3
    evaluation = evaluate(protocol(), panel_of(counts))
    made = json.loads(ww.render(evaluation, "json"))["synthetic"]["series"][BEFORE + 2]
    assert made["recorded"] is None
    assert "fewer than 5 incidents" in ww.render(evaluation, "html")


def test_fewer_placebo_clumps_still_span_every_level() -> None:
    """Clumps come in the order of their level: taking the first would rank the treated among the smallest."""
    sets = PlaceboSets(
        row=np.arange(9),
        rows=9,
        treated=np.array([4]),
        members=np.arange(9)[:, None],
        exact=False,
        how="by hand",
        smallest_p=1 / 9,
    )
    few = fewer(sets, 5)
    assert few.members[:, 0].tolist() == [0, 2, 4, 6, 8]
    assert few.smallest_p == pytest.approx(1 / 6)
    assert fewer(sets, 9) is sets
