"""Blocked and paired lots: which allocations are ranked, what is refused, and which trials reach level 5."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trials import DECLARED, blocked_panel, files, names, pairs, trial

from whatworks_eval.contrast import build_contrast
from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.evaluation import estimate, evaluate
from whatworks_eval.inference.allocation_sets import allocation_sets
from whatworks_eval.inference.placebo import relative_change
from whatworks_eval.inference.relabel_test import relabel_test
from whatworks_eval.judgement import Evaluation
from whatworks_eval.panel import Panel


def sets_of(block: list[int], treated: list[int], **more: Any) -> np.ndarray:
    """Members of the sets for rows numbered as listed."""
    return allocation_sets(
        row=np.arange(len(block)),
        treated=np.array(treated),
        block=np.array(block),
        seed=1,
        unit_word="areas",
        **more,
    ).members


def test_every_allocation_of_three_pairs_by_hand() -> None:
    """Two to the third, each once, each with one row a pair; an allocation and its opposite tie: 2 in 8."""
    found = allocation_sets(
        row=np.arange(6),
        treated=np.array([0, 3, 4]),
        block=np.array([0, 0, 1, 1, 2, 2]),
        seed=1,
        unit_word="x",
    )
    assert {tuple(sorted(row)) for row in found.members.tolist()} == {
        (first, second, third) for first, second, third in itertools.product((0, 1), (2, 3), (4, 5))
    }
    assert found.exact
    assert found.smallest_p == 2 / 8
    assert found.stands_for is not None
    assert found.stands_for.tolist() == [0, 3, 4]


def test_without_blocks_all_units_of_the_trial_are_candidates() -> None:
    """Complete randomisation: 10 choose 3, whatever the levels, no mirror where the arms differ."""
    found = allocation_sets(
        row=np.arange(10),
        treated=np.array([0, 1, 2]),
        block=np.zeros(10, dtype=int),
        seed=1,
        unit_word="areas",
    )
    assert len(found.members) == math.comb(10, 3)
    assert found.smallest_p == pytest.approx(1 / 120)
    assert found.how == "every allocation the lot could have drawn (3 of 10 areas)"


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=8), st.integers(0, 1_000)
)
@settings(max_examples=60, deadline=None)
def test_each_set_treats_as_many_in_each_block(sizes: list[tuple[int, int]], seed: int) -> None:
    """Enumerated or drawn, in order or not: every block keeps its number, and no row comes twice."""
    block = np.repeat(np.arange(len(sizes)), [one + other for one, other in sizes])
    starts = np.cumsum([0, *[one + other for one, other in sizes]])
    treated = np.concatenate([start + np.arange(one) for start, (one, _) in zip(starts, sizes, strict=False)])
    for in_order in (False, True):
        found = allocation_sets(
            row=np.arange(len(block)),
            treated=treated,
            block=block,
            seed=seed,
            unit_word="areas",
            draws=1_000,
            in_order=in_order,
        )
        possible = math.prod(math.comb(one + other, one) for one, other in sizes)
        assert found.exact == (possible <= 20_000 and not in_order)
        if found.exact:
            assert len({tuple(sorted(row)) for row in found.members.tolist()}) == possible
        for at, (one, _) in enumerate(sizes):
            assert ((block[found.members] == at).sum(axis=1) == one).all()
        assert all(len(set(row)) == len(row) for row in found.members[:50].tolist())
        assert found.stands_for is not None
        assert (block[found.stands_for] == block[found.members[0]]).all()


def test_drawn_sets_are_as_likely_as_each_other() -> None:
    """Of 16 pairs each member comes up half the time, within four standard errors of 9,999 draws."""
    members = sets_of([at // 2 for at in range(32)], list(range(0, 32, 2)))
    assert len(members) == 9_999
    share = np.bincount(members.ravel(), minlength=32) / len(members)
    assert np.abs(share - 0.5).max() < 4 * 0.5 / math.sqrt(len(members))


def test_the_sets_follow_what_is_declared(tmp_path: Path) -> None:
    """Eight declared pairs give 256 allocations; without the blocks 16 choose 8; not random, neither."""
    treated, block = pairs(8)
    panel = blocked_panel(np.random.default_rng(1), treated, block=block)
    keys = files(tmp_path, treated, block)
    answer = estimate(trial(tmp_path, keys), panel)
    assert answer.effect.sets is not None
    assert (len(answer.effect.sets.members), answer.effect.sets.smallest_p) == (256, 2 / 256)
    assert answer.effect.estimate.inference == (
        "relabelling: every allocation the lot could have drawn (8 of 16 areas, in 8 blocks)"
    )
    bare = {arm: {"file": f"{arm}.csv", "column": "area"} for arm in ("treated", "comparison")}
    plain = estimate(trial(tmp_path, bare | {"unit": "area"}), panel)
    assert plain.effect.sets is not None
    assert len(plain.effect.sets.members) == math.comb(16, 8)
    volunteers = {"name": "Patrol", "start": "2019-01", "assignment": "volunteer"}
    other = estimate(trial(tmp_path, bare | {"unit": "area"}, intervention=volunteers), panel)
    assert "lot" not in other.effect.estimate.inference


def test_p_value_of_a_paired_trial_by_hand(tmp_path: Path) -> None:
    """With one treated of each pair far below the other, only the allocation and its opposite are as far."""
    treated, block = pairs(6)
    panel = blocked_panel(np.random.default_rng(4), treated, block=block, effect=0.2)
    found = estimate(trial(tmp_path, files(tmp_path, treated, block)), panel).effect.estimate
    assert found.p_value == pytest.approx(2 / 64)
    assert found.high is not None
    assert found.high < 0


@pytest.mark.parametrize("seed", range(3))
def test_names_and_order_of_areas_and_blocks_do_not_matter(tmp_path: Path, seed: int) -> None:
    """The same trial with areas renamed and blocks called otherwise has the same interval, to the bit."""
    treated, block = pairs(16)  # drawn sets
    panel = blocked_panel(np.random.default_rng(seed), treated, block=block)
    first = estimate(trial(tmp_path, files(tmp_path, treated, block)), panel).effect.estimate
    order = np.random.default_rng(seed).permutation(32)
    moved = Panel(
        areas=names(32),
        periods=panel.periods,
        counts=panel.counts[order],
        observed=panel.observed,
        ledger=panel.ledger,
    )
    again = files(tmp_path, treated[order], (97 - 3 * block)[order])
    second = estimate(trial(tmp_path, again), moved).effect.estimate
    assert (second.low, second.high, second.p_value) == (first.low, first.high, first.p_value)


def test_whole_units_are_drawn_where_units_were(tmp_path: Path) -> None:
    """Three areas to a unit: 6 pairs of units, 64 allocations of whole units, none that splits one."""
    treated, pair = pairs(6)
    treated, block, unit = (np.repeat(values, 3) for values in (treated, pair, np.arange(12)))
    keys: dict[str, Any] = {}
    for arm, chosen in (("treated", treated), ("comparison", ~treated)):
        rows = [f"a{at:03d},{block[at]},u{unit[at]}" for at in np.flatnonzero(chosen)]
        (tmp_path / f"{arm}.csv").write_text("\n".join(["area,pair,unit", *rows]) + "\n")
        keys[arm] = {"file": f"{arm}.csv", "column": "area", "block": "pair", "unit": "unit"}
    panel = blocked_panel(np.random.default_rng(1), treated, block=unit)
    answer = estimate(trial(tmp_path, keys), panel)
    assert answer.effect.sets is not None
    assert answer.effect.sets.rows == 12
    assert len(answer.effect.sets.members) == 64
    assert "6 of 12 whole units, in 6 blocks" in answer.effect.sets.how


def test_broken_blocks_are_named_all_at_once(tmp_path: Path) -> None:
    """A block with one arm, an empty cell, a unit in two blocks and in both arms: one error, four places."""
    (tmp_path / "treated.csv").write_text("area,pair,unit\na000,p,u0\na001,q,u0\na002,r,u2\na003,,u3\n")
    (tmp_path / "comparison.csv").write_text("area,pair,unit\na004,p,u4\na005,q,u5\na006,q,u3\n")
    keys = {
        arm: {"file": f"{arm}.csv", "column": "area", "block": "pair", "unit": "unit"}
        for arm in ("treated", "comparison")
    }
    panel = blocked_panel(np.random.default_rng(1), np.zeros(7, dtype=bool))
    with pytest.raises(DataError) as raised:
        build_contrast(trial(tmp_path, keys), panel)
    told = "\n".join(raised.value.problems)
    assert len(raised.value.problems) == 4
    assert "block 'r' holds treated areas only" in told
    assert "no block is given for 'a003'" in told
    assert "unit 'u0' is in blocks 'p', 'q'" in told
    assert "unit 'u3' has areas in both arms" in told


def test_blocks_without_a_lot_contradict_themselves(tmp_path: Path) -> None:
    """Blocks with another assignment, in one arm only, with clumps as units: each says what to do."""
    keys: dict[str, Any] = files(tmp_path, *pairs(6))
    need = {"name": "Patrol", "start": "2019-01", "assignment": "need"}
    broken = {"treated": keys["treated"], "comparison": "rest", "unit": "contiguous"}
    with pytest.raises(ProtocolError) as raised:
        trial(tmp_path, broken, intervention=need)
    told = "\n".join(raised.value.problems)
    assert "`intervention.assignment` is 'need'; write \"random\"" in told
    assert "`areas.comparison.block` is missing" in told
    assert "`areas.unit` is 'contiguous'" in told
    uneven = {"treated": keys["treated"] | {"unit": "pair"}, "comparison": keys["comparison"]}
    with pytest.raises(ProtocolError, match=r"`areas.comparison.unit` is missing"):
        trial(tmp_path, uneven)


def judged(tmp_path: Path, many: int = 12, *, unequal: bool = False, **changes: Any) -> Evaluation:
    """The evaluation of a blocked trial of so many pairs in which nothing was done."""
    treated, block = pairs(many)
    if unequal:  # the first pair takes in another comparison area, from the last pair
        block = np.where(np.arange(len(block)) == len(block) - 1, 0, block)
        block[-2] = 0
    panel = blocked_panel(np.random.default_rng(7), treated, block=block)
    panel = changes.pop("data", lambda panel: panel)(panel)
    return evaluate(trial(tmp_path, files(tmp_path, treated, block), **changes), panel)


def level_with(tmp_path: Path, **context: Any) -> Evaluation:
    """The same with some of the context answered otherwise; None takes a key out."""
    said = {key: value for key, value in (DECLARED | context).items() if value is not None}
    return judged(tmp_path, context=said)


def test_a_sound_blocked_trial_reaches_level_five(tmp_path: Path) -> None:
    """Twelve pairs drawn by lot, everything declared, all analysed as drawn: nothing is left to lower it."""
    found = judged(tmp_path)
    assert (found.grade.ceiling, found.grade.level) == (5, 5)
    assert found.grade.bound_by == ()
    assert found.estimate.smallest_p == pytest.approx(2 / 2**12)


@pytest.mark.parametrize(
    ("context", "level", "rule"),
    [
        ({"attrition_percent": 10.0}, 5, ""),
        ({"attrition_percent": 10.5}, 4, "implementation.attrition"),
        ({"attrition_percent": None}, 4, "implementation.attrition"),
        ({"analysed_as_assigned": False}, 4, "implementation.attrition"),
        ({"analysed_as_assigned": None}, 4, "implementation.attrition"),
        ({"comparison_touched": None}, 4, "displacement.comparison-touched"),
        ({"comparison_touched": "Officers crossed over twice."}, 3, "displacement.comparison-touched"),
    ],
)
def test_each_declared_condition_dropped_lowers_it(
    tmp_path: Path, context: dict[str, Any], level: int, rule: str
) -> None:
    """Attrition above a tenth or unstated, not as the lot decided, contamination: 4, 4 and 3."""
    found = level_with(tmp_path, **context)
    assert found.grade.level == level
    assert found.grade.bound_by == ((rule,) if rule else ())


def test_without_a_lot_the_same_data_reach_less(tmp_path: Path) -> None:
    """Volunteers in the same areas: level 4 at most, and neither matched nor adjusted 3."""
    treated, block = pairs(12)
    files(tmp_path, treated, block)
    bare = {arm: {"file": f"{arm}.csv", "column": "area"} for arm in ("treated", "comparison")}
    volunteers = {"name": "Patrol", "start": "2019-01", "assignment": "volunteer"}
    panel = blocked_panel(np.random.default_rng(7), treated, block=block)
    found = evaluate(trial(tmp_path, bare | {"unit": "area"}, intervention=volunteers), panel)
    assert found.grade.ceiling <= 4
    by_rule = {finding.rule: finding.cap for finding in found.findings}
    assert by_rule["selection.not-random"] == 4
    assert found.grade.level == 3


def test_five_pairs_are_too_few(tmp_path: Path) -> None:
    """Five units an arm: level 3; and 2 in 32 is no 0.05, so the smallest p holds it at 4 as well."""
    found = judged(tmp_path, 5)
    assert found.grade.level == 3
    caps = {finding.rule: finding.cap for finding in found.findings}
    assert caps["chance.few-units"] == 3
    assert caps["chance.smallest-p"] == 4
    assert found.estimate.smallest_p == pytest.approx(2 / 32)
    assert found.estimate.low is None


def test_units_without_data_count_as_lost(tmp_path: Path) -> None:
    """Two of twelve treated areas with half their months missing: 17 % lost, so level 4."""

    def holes(panel: Panel) -> Panel:
        treated, _ = pairs(12)
        lost = np.flatnonzero(treated)[:2]
        counts, observed = panel.counts.copy(), panel.observed.copy()
        counts[lost, 14:20], observed[lost, 14:20] = np.nan, False
        return Panel(
            areas=panel.areas,
            periods=panel.periods,
            counts=counts,
            observed=observed,
            ledger=panel.ledger,
        )

    found = judged(tmp_path, data=holes)
    finding = next(one for one in found.findings if one.rule == "implementation.units-lost")
    assert finding.evidence[0].value == pytest.approx(100 * 2 / 12)
    assert finding.evidence[1].value == 0.0
    assert (finding.kind, finding.level_to, found.grade.level) == ("caveat", 4, 4)
    whole = {one.rule: one.kind for one in judged(tmp_path).findings}
    assert whole["implementation.units-lost"] == "clear"


def test_losses_of_one_arm_are_said(tmp_path: Path) -> None:
    """6 % in all, 12 and 0 by arm: said, with both numbers, and no better off than where it is not stated."""
    found = level_with(tmp_path, attrition_percent=6.0, attrition_by_arm=[12.0, 0.0])
    finding = next(one for one in found.findings if one.rule == "implementation.attrition")
    assert (finding.kind, finding.level_to) == ("caveat", 5)
    assert "12 % of the treated and 0 % of the comparison" in finding.message


def test_blocks_shared_out_unevenly_are_said(tmp_path: Path) -> None:
    """One block of four beside pairs is still halves; a block with one of three is not."""
    even = {one.rule: one for one in judged(tmp_path, unequal=True).findings}
    assert even["selection.block-shares"].kind == "clear"
    treated, block = pairs(12)
    treated[-1] = treated[-2] = False
    block[-2:] = 0
    panel = blocked_panel(np.random.default_rng(7), treated, block=block)
    found = evaluate(trial(tmp_path, files(tmp_path, treated, block)), panel)
    finding = next(one for one in found.findings if one.rule == "selection.block-shares")
    assert finding.kind == "caveat"
    assert [measure.value for measure in finding.evidence] == [25.0, 50.0]


@pytest.mark.slow
@pytest.mark.parametrize("effect", [1.0, 0.8])
def test_blocked_trials_are_right_as_often_as_they_say(effect: float) -> None:
    """A thousand trials of 12 pairs, over-dispersed, blocks moving apart: 3.5 to 6.5 % miss the truth.

    Whether an interval holds the truth is whether the truth is rejected; on the first twenty, both are asked.
    """
    _, block = pairs(12)
    missed, rng = 0, np.random.default_rng(round(100 * effect))
    for draw in range(1_000):
        first = rng.random(12) < 0.5
        drawn = np.column_stack([first, ~first]).ravel()
        made = blocked_panel(rng, drawn, block=block, effect=effect)
        sets = allocation_sets(
            row=np.arange(24), treated=np.flatnonzero(drawn), block=block, seed=draw, unit_word="areas"
        )
        before, after = made.counts[:, :12].sum(axis=1), made.counts[:, 12:].sum(axis=1)
        rejected = relabel_test(before, after, sets).p_value(math.log(effect)) <= 0.05
        missed += rejected
        if draw < 20:
            found = relative_change(before, after, sets)
            assert found.low is not None
            assert found.high is not None
            assert (found.low <= math.log(effect) <= found.high) == (not rejected)
    assert 35 <= missed <= 65
