"""Rules on a mixture of donors: each fires on its defect, is clear without it, says what it cannot see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cases import design

from whatworks_eval.caveats import (
    chance_donor_drives,
    selection_pre_fit,
    selection_two_series,
    selection_weights_not_unique,
)
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.panel import Totals
from whatworks_eval.records import Contrast, Estimate
from whatworks_eval.synthetic_records import (
    AsGoodWeights,
    Donor,
    Fit,
    PretendedStart,
    SyntheticComparison,
)

PRE_FIT = selection_pre_fit.RULE
UNIQUE = selection_weights_not_unique.RULE
DRIVES = chance_donor_drives.RULE


def mixture(**changes: Any) -> SyntheticComparison:
    """A sound mixture of three donors, with changes."""
    sound = SyntheticComparison(
        kind="simplex",
        donor_word="areas",
        possible=40,
        periods=("2018-12", "2019-01"),
        before=1,
        recorded=np.array([100.0, 70.0]),
        expected=np.array([100.0, 100.0]),
        incidents=np.array([50.0, 35.0]),
        donors=tuple(
            Donor(name=name, areas=(name,), weight=weight, without=without)
            for name, weight, without in (("A", 0.5, -0.30), ("B", 0.3, -0.40), ("C", 0.2, -0.35))
        ),
        effective=2.6,
        fit=Fit(rmspe=8.0, typical=7.5, p_value=0.40, smallest_p=0.01),
        as_good=AsGoodWeights(low=-0.45, high=-0.25, slack=10.0, unique=True),
        in_time=PretendedStart(start="2018-09", value=0.05, p_value=0.50, smallest_p=0.01),
        placebo_gaps=np.zeros((3, 2)),
    )
    return replace(sound, **changes)


def case(made: SyntheticComparison | None = None, **estimate: Any) -> Case:
    """A case with that mixture and an estimate of -0.36 (-0.6 to -0.1), with changes."""
    known = {"value": -0.36, "low": -0.60, "high": -0.10} | estimate
    return Case(
        protocol=design({"method": "synthetic"}),
        data=Totals(treated=(1.0, 1.0)),
        contrast=Contrast(
            treated=("T",),
            comparison=("A", "B", "C"),
            units={"T": "T"},
            unit_basis="area",
            comparison_units=True,
            chosen="every other area in the data",
        ),
        windowed=None,
        estimate=Estimate(measure="mixture", confidence=0.95, inference="by hand", **known),
        synthetic=made or mixture(),
    )


def judged(rule: EvidenceRule, made: Case) -> Verdict:
    """The one verdict of a rule."""
    found = rule.judge(made)
    assert isinstance(found, Verdict)
    return found


@pytest.mark.parametrize("rule", [PRE_FIT, UNIQUE, DRIVES], ids=lambda rule: rule.id)
def test_a_sound_mixture_is_clear(rule: EvidenceRule) -> None:
    """Nothing planted, nothing capped; and without a mixture the question does not arise."""
    found = judged(rule, case())
    assert (found.kind, found.cap) == ("clear", 5)
    assert rule.judge(replace(case(), synthetic=None)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"fit": Fit(rmspe=30.0, typical=7.5, p_value=0.01, smallest_p=0.01)},
        {"fit": Fit(rmspe=16.0, typical=7.5, p_value=0.10, smallest_p=0.10)},
        {"in_time": PretendedStart(start="2018-09", value=-0.4, p_value=0.01, smallest_p=0.01)},
    ],
    ids=["worst 2 %", "few sets, twice the typical gap", "pretended start"],
)
def test_a_poor_fit_before_caps_at_two(changes: dict[str, Any]) -> None:
    """Among the worst fits, or an effect before there was one: comparability is contradicted."""
    found = judged(PRE_FIT, case(mixture(**changes)))
    assert (found.kind, found.cap) == ("caveat", 2)


def test_with_few_sets_the_worst_fit_alone_is_not_enough() -> None:
    """The worst of ten, but under twice the typical gap, is what chance gives one in ten."""
    made = mixture(fit=Fit(rmspe=14.0, typical=7.5, p_value=0.10, smallest_p=0.10))
    assert judged(PRE_FIT, case(made)).kind == "clear"


def test_a_fit_that_cannot_be_ranked_is_not_passed() -> None:
    """Without placebo sets comparability is not shown: level 2 at most."""
    made = mixture(fit=Fit(rmspe=8.0, typical=None, p_value=None, smallest_p=None))
    found = judged(PRE_FIT, case(made))
    assert (found.kind, found.cap) == ("not assessed", 2)


def test_a_start_that_cannot_be_pretended_is_said() -> None:
    """The fit is still judged."""
    found = judged(PRE_FIT, case(mixture(in_time=PretendedStart(why_missing="too few periods"))))
    assert found.kind == "clear"
    assert "no pretended start could be tried" in found.message


@pytest.mark.parametrize(("low", "high", "cap"), [(-0.70, -0.25, 3), (-0.45, -0.05, 3), (-0.45, 0.05, 2)])
def test_other_weights_beyond_the_interval_are_told(low: float, high: float, cap: int) -> None:
    """Beyond an end of the interval: level 3; a turned sign: level 2."""
    made = mixture(as_good=AsGoodWeights(low=low, high=high, slack=10.0, unique=False))
    found = judged(UNIQUE, case(made))
    assert (found.kind, found.cap) == ("caveat", cap)
    assert "No one set of weights fits best" in found.message


def test_ties_that_say_the_same_are_one_answer() -> None:
    """Weights that are not unique but agree are said, and clear."""
    made = mixture(as_good=AsGoodWeights(low=-0.40, high=-0.30, slack=10.0, unique=False))
    found = judged(UNIQUE, case(made))
    assert found.kind == "clear"
    assert "No one set of weights fits best" in found.message


def test_weights_without_an_interval_or_value_are_not_passed() -> None:
    """No interval: not assessed, level 3. No value: nothing to move. A penalised kind: always unique."""
    found = judged(UNIQUE, case(low=None, high=None))
    assert (found.kind, found.cap) == ("not assessed", 3)
    assert judged(UNIQUE, case(value=None, low=None, high=None)).kind == "not assessed"
    assert judged(UNIQUE, case(mixture(as_good=None, kind="sdid"))).kind == "clear"
    nothing = AsGoodWeights(low=None, high=-0.2, slack=10.0, unique=True)
    assert judged(UNIQUE, case(mixture(as_good=nothing))).cap == 3


@pytest.mark.parametrize(("without", "how"), [(0.02, "changes sign"), (-0.65, "leaves its own interval")])
def test_one_donor_that_drives_the_answer_is_named(without: float, how: str) -> None:
    """Without it the sign turns, or the answer moves by over half the interval (0.25)."""
    donors = (Donor(name="A", areas=("A",), weight=0.5, without=without), *mixture().donors[1:])
    found = judged(DRIVES, case(mixture(donors=donors)))
    assert (found.kind, found.cap) == ("caveat", 3)
    assert "Without A" in found.message
    assert how in found.message


def test_donors_that_cannot_be_spared_are_not_passed() -> None:
    """Two donors alone, no interval, or no value: not assessed, level 3."""
    alone = tuple(replace(donor, without=None) for donor in mixture().donors)
    for made in (
        case(mixture(donors=alone)),
        case(low=None, high=None),
        case(value=None, low=None, high=None),
    ):
        found = judged(DRIVES, made)
        assert (found.kind, found.cap) == ("not assessed", 3)


def test_one_series_against_a_mixture_is_level_three() -> None:
    """The design rule says what the comparison is."""
    found = selection_two_series.RULE.judge(design({"method": "synthetic"}))
    assert isinstance(found, Verdict)
    assert found.cap == 3
    assert "mixture of donors" in found.message


def test_an_exact_fit_is_no_likeness_and_its_rounding_is_not_ranked() -> None:
    """Thirty donors fit eleven months exactly: neither praised nor marked down for a rounding."""
    exact = Fit(rmspe=9.9e-7, typical=1.6e-8, p_value=0.003, smallest_p=0.003)
    found = judged(PRE_FIT, case(mixture(fit=exact)))
    assert found.kind == "clear"
    assert "does not show that they run alike" in found.message
    assert "missed the treated areas by 0 %" not in found.message
