"""The rules on scales, zeros and buffers: when they are asked at all, and how often they fire."""

from __future__ import annotations

import pytest
from cases import World
from effect_cases import ringed, scaled_world, totals

from whatworks_eval.caveats import find_rule
from whatworks_eval.effects.wdd import LABELS
from whatworks_eval.judgement import Case, EvidenceRule, Judged, Verdict
from whatworks_eval.methods.effect_measures import BUFFER, IMPOSSIBLE

DRAWS = 40


def judged(rule_id: str, case: Case) -> Judged:
    """What a rule says, None included."""
    rule = find_rule(rule_id)
    assert isinstance(rule, EvidenceRule)
    return rule.judge(case)


def said(rule_id: str, case: Case) -> Verdict:
    """The one verdict of a rule."""
    found = judged(rule_id, case)
    assert isinstance(found, Verdict)
    return found


@pytest.mark.parametrize(
    "rule_id",
    ["displacement.found", "displacement.too-noisy", "displacement.buffer-touches-comparison"],
)
def test_without_a_buffer_nothing_is_asked_of_it(rule_id: str) -> None:
    """No ring, no verdict: displacement.no-buffer says that there is none."""
    assert judged(rule_id, totals(treated=(50, 30), comparison=(60, 55))) is None
    assert judged(rule_id, ringed(buffer=False)) is None


@pytest.mark.parametrize("ring", [0.7, 1.4])
def test_no_displacement_or_spread_where_the_treated_did_no_better(ring: float) -> None:
    """Whatever the buffer did, the words are not used of a project that gained nothing."""
    found = said("displacement.found", ringed(effect=1.2, ring=ring))
    assert found.kind == "clear"
    assert "nothing that happened in the buffer is called" in found.message
    case = totals(treated=(100, 150), comparison=(100, 100), buffer=(100, 50))
    quotient = next(one for one in case.alternatives if one.measure == "weighted displacement quotient")
    assert quotient.value is None
    assert "did not do better" in str(quotient.why_missing)


def test_an_impossible_difference_is_not_among_the_numbers() -> None:
    """It is refused where it would be printed, with the reason, and its sum with the buffer too."""
    case = totals(treated=(100, 80), comparison=(400, 200), buffer=(50, 40))
    for label in (LABELS["local"], LABELS["total"]):
        refused = next(one for one in case.alternatives if one.label == label)
        assert (refused.value, refused.low, refused.high, refused.p_value) == (None, None, None, None)
        assert str(refused.why_missing).startswith(IMPOSSIBLE)
    assert "refused as impossible" in said("analysis.impossible-effect", case).message


def test_scales_disagree_for_a_reason_that_is_given() -> None:
    """Baseline gap and common change are both in the sentence."""
    message = said("analysis.scale-disagreement", totals(treated=(398, 190), comparison=(148, 97))).message
    assert "by more than half and in verdict" in message
    assert "started 168.9 % above the comparison" in message
    assert "went down by 34.5 %" in message
    turned = said("analysis.scale-disagreement", totals(treated=(200, 130), comparison=(100, 60))).message
    assert "in sign" in turned


def test_the_buffer_stands_where_the_treated_areas_stood() -> None:
    """On a map its change has an interval by relabelling as many adjoining areas, treated areas left out."""
    case = ringed(effect=0.75, ring=1.25)
    buffer = next(one for one in case.alternatives if one.label == BUFFER)
    assert buffer.choice == "displacement"
    assert "adjoining areas" in buffer.inference
    assert buffer.ratio.value == pytest.approx(1.25, abs=0.06)


@pytest.mark.slow
def test_planted_displacement_is_found_and_clean_draws_are_not() -> None:
    """A quarter moved out and a quarter more in the ring is found in 90 %; clean draws in at most 5 %."""
    planted = [ringed(effect=0.75, ring=1.25, seed=seed) for seed in range(DRAWS)]
    clean = [ringed(seed=seed) for seed in range(DRAWS)]
    fired = [
        sum(said("displacement.found", case).kind == "caveat" for case in cases) for cases in (planted, clean)
    ]
    assert fired[0] >= 0.9 * DRAWS
    assert fired[1] <= 0.05 * DRAWS


@pytest.mark.slow
def test_planted_scale_disagreement_is_found_and_clean_draws_are_not() -> None:
    """Twice the level and a common fall of a quarter is found in 90 %; like levels in at most 5 %."""
    world = World(treated=30, comparison=90, level=20.0, spread=0.3)
    double = World(treated=30, comparison=90, level=20.0, spread=0.3, imbalance=2.0)
    planted = [scaled_world(double, 0.75, seed) for seed in range(DRAWS)]
    clean = [scaled_world(world, 1.0, seed) for seed in range(DRAWS)]
    fired = [
        sum(said("analysis.scale-disagreement", case).kind == "caveat" for case in cases)
        for cases in (planted, clean)
    ]
    assert fired[0] >= 0.9 * DRAWS
    assert fired[1] <= 0.05 * DRAWS
