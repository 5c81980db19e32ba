"""The effect measures beside the registered estimate: of totals, of a panel, with and without a buffer."""

from __future__ import annotations

from pathlib import Path

import pytest

from whatworks_eval import evaluate, load_data, load_protocol, protocol_from_dict
from whatworks_eval.effects.odds_ratio import odds_ratio
from whatworks_eval.effects.wdd import LABELS, wdd
from whatworks_eval.effects.weighting import weights_for
from whatworks_eval.judgement import Evaluation
from whatworks_eval.methods.effect_measures import BUFFER
from whatworks_eval.records import Estimate
from whatworks_eval.shipped import shipped_path

PAPER = {
    "treated": [207, 110],
    "comparison": [308, 318],
    "buffer": [178, 157],
    "buffer_comparison": [150, 140],
    "dispersion": 1.0,
}
WITH_BUFFER = [
    LABELS["local"],
    "scaled-control difference",
    "Farrington-Welsh odds ratio",
    LABELS["total"],
    BUFFER,
    "weighted displacement quotient",
    "gross effect",
    "net effect",
    "total net effect",
]


def of_totals(**totals: object) -> Evaluation:
    """The evaluation of totals."""
    protocol = protocol_from_dict(
        {
            "schema": 1,
            "id": "totals",
            "question": "Did it fall?",
            "method": "relative-effect",
            "intervention": {"name": "Patrol", "start": "2019-01", "assignment": "volunteer"},
            "outcome": {"source": "totals", "totals": totals},
        }
    )
    return evaluate(protocol, load_data(protocol))


@pytest.fixture(scope="module")
def simulated() -> Evaluation:
    """The shipped simulated example, which has a buffer."""
    protocol = load_protocol(shipped_path("designs", "simulated-neighbourhoods"))
    return evaluate(protocol, load_data(protocol))


def named(evaluation: Evaluation, start: str) -> Estimate:
    """The alternative whose label begins so."""
    return next(one for one in evaluation.alternatives if one.label.startswith(start))


def labels(evaluation: Evaluation) -> list[str]:
    """Labels of effect measures and the buffer, in order, the odds ratio's figure left off."""
    found = [one.label for one in evaluation.alternatives if one.choice in {"effect measure", "displacement"}]
    return ["Farrington-Welsh odds ratio" if label.startswith("Farrington") else label for label in found]


def test_totals_report_every_measure(simulated: Evaluation) -> None:
    """Nine with a buffer, three without; a panel reports the same nine in the same order."""
    assert labels(of_totals(**PAPER)) == WITH_BUFFER
    assert labels(simulated) == WITH_BUFFER
    assert labels(of_totals(treated=[50, 30], comparison=[60, 55])) == WITH_BUFFER[:3]


def test_totals_give_the_published_numbers() -> None:
    """The worked example of the paper: -107 here, -118 with the rings, -195.6 to -40.4 under dispersion 1."""
    made = of_totals(**PAPER)
    assert named(made, LABELS["local"]).value == -107
    total = named(made, LABELS["total"])
    assert (total.value, total.low, total.high) == pytest.approx((-118, -195.610614, -40.389386), abs=1e-6)
    assert named(made, "weighted displacement quotient").value == pytest.approx(0.2581856883)
    odds = named(made, "Farrington-Welsh")
    assert odds_ratio(odds).value == pytest.approx(1 / 0.5146902, rel=1e-6)
    assert "1.94 (1.47 to 2.57)" in odds.label


def test_area_and_time_weights_reach_the_difference() -> None:
    """Area weights of A1.6 in units of the treated areas' size; windows of 2 and 1 as in A1.5."""
    sizes = {"treated": 1.2, "comparison": 0.9, "buffer": 1.5, "buffer_comparison": 1.6}
    made = of_totals(**PAPER, area_weights=sizes)
    assert named(made, LABELS["total"]).value == pytest.approx(-99.694444 * 1.2, abs=1e-5)
    timed = of_totals(treated=[80, 20], comparison=[100, 50], periods=[2, 1], dispersion=1.0)
    found = named(timed, LABELS["local"])
    assert (found.value, found.se) == pytest.approx((-20, 10.723805295))


def test_a_buffer_comparison_without_a_buffer_is_a_contradiction() -> None:
    """It is told when the protocol is read."""
    with pytest.raises(Exception, match="buffer_comparison") as refused:
        of_totals(treated=[50, 30], comparison=[60, 55], buffer_comparison=[5, 4])
    assert type(refused.value).__name__ == "ProtocolError"


def test_fractions_are_no_counts_but_still_a_ratio() -> None:
    """Totals that are means keep their ratio; measures of counts say why they are missing."""
    made = of_totals(treated=[50.5, 30], comparison=[60, 55])
    assert made.estimate.value is not None
    assert "not a whole number" in str(named(made, LABELS["local"]).why_missing)


def test_a_panel_counts_areas_alike(simulated: Evaluation) -> None:
    """The difference is that of the totals with areas as weights, and lies inside its interval."""
    windowed = simulated.windowed
    assert windowed is not None
    found = named(simulated, LABELS["local"])
    plain = wdd(
        treated=windowed.total("treated"),
        comparison=windowed.total("comparison"),
        weights=weights_for(simulated.protocol, windowed),
    )
    assert found.value == pytest.approx(plain.value)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high < 0
    assert found.inference == simulated.estimate.inference


def test_a_panel_s_scaled_difference_is_the_ratio_in_incidents(simulated: Evaluation) -> None:
    """The same p-value, and the ends of `prevented` with the sign turned."""
    found, prevented = named(simulated, "scaled-control"), simulated.estimate.prevented
    assert found.p_value == simulated.estimate.p_value
    assert found.low == pytest.approx(-(prevented.high or 0))
    assert found.high == pytest.approx(-(prevented.low or 0))


def test_a_panel_has_no_textbook_interval_for_the_rest(simulated: Evaluation) -> None:
    """What has no calibrated interval has none, and says so; the buffer's own change has one."""
    for label in (LABELS["total"], "weighted displacement quotient", "gross", "net effect", "total net"):
        found = named(simulated, label)
        assert found.value is not None
        assert (found.low, found.high, found.se, found.p_value) == (None, None, None, None)
        assert "no calibrated interval" in str(found.why_missing)
    assert named(simulated, BUFFER).low is not None


def test_the_real_forces_get_every_measure(shared_data: Path) -> None:
    """On real counts where nothing was done the difference and the ratio agree that nothing stands out."""
    protocol = load_protocol(shipped_path("designs", "placebo-avon-and-somerset"))
    made = evaluate(protocol, load_data(protocol, base=shared_data / "police_uk"))
    found = named(made, LABELS["local"])
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert found.excludes_zero == made.estimate.excludes_zero
