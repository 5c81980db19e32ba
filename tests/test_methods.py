"""The estimators against hand-worked tables, published numbers and statsmodels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.evaluation import estimate
from whatworks_eval.methods import METHODS
from whatworks_eval.methods.relative_effect import from_changes, poisson_estimate
from whatworks_eval.panel import Changes, Panel, Totals
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.sources.counts import panel_from_counts


def totals_protocol(method: str = "relative-effect", **outcome: Any) -> Protocol:
    """A protocol for bare totals or published changes."""
    return protocol_from_dict(
        {
            "schema": 1,
            "id": "totals",
            "question": "?",
            "method": method,
            "intervention": {"name": "x", "start": "2019-01", "assignment": "need"},
            "outcome": outcome,
        }
    )


def simulated(
    seed: int = 1, areas: int = 120, treated: int = 12, effect: float = 0.8
) -> tuple[Protocol, Panel]:
    """Twelve treated areas of 120 with a known effect, two years of Poisson counts."""
    rng = np.random.default_rng(seed)
    level = rng.lognormal(2.5, 0.4, areas)
    rows = [
        {
            "area": f"a{at:03d}",
            "period": period,
            "count": int(rng.poisson(level[at] * (effect if at < treated and period >= "2019-01" else 1))),
        }
        for at in range(areas)
        for period in period_range("2018-01", "2019-12", "month")
    ]
    protocol = protocol_from_dict(
        {
            "schema": 1,
            "id": "simulated",
            "question": "?",
            "method": "relative-effect",
            "intervention": {"name": "x", "start": "2019-01", "assignment": "random"},
            "outcome": {"source": "counts", "path": "x.csv"},
            "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
            "areas": {
                "treated": [f"a{at:03d}" for at in range(treated)],
                "comparison": "rest",
                "unit": "area",
            },
        }
    )
    return protocol, panel_from_counts(pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("dispersion", "low", "high"), [(1, 0.3657, 1.1714), (2, 0.2874, 1.4908), (4, 0.2044, 2.0964)]
)
def test_published_worked_example(dispersion: float, low: float, high: float) -> None:
    """T 50 to 30, C 60 to 55 (reference B5): ratio 0.654545 and its interval under three dispersions."""
    found = poisson_estimate((50, 30, 60, 55), 0.95, dispersion)
    assert found.ratio.value == pytest.approx(0.654545, abs=5e-7)
    assert found.value == pytest.approx(-0.423814, abs=5e-7)
    assert found.ratio.low == pytest.approx(low, abs=5e-5)
    assert found.ratio.high == pytest.approx(high, abs=5e-5)
    if dispersion == 1:
        assert found.se == pytest.approx(0.296954, abs=5e-7)


def test_poisson_error_is_that_of_a_poisson_regression() -> None:
    """A GLM of statsmodels on the 2 × 2 table, each cell in two halves, gives the same to 1e-8."""
    import warnings

    import statsmodels.api as sm

    counts = np.repeat([25.0, 15, 30, 27.5], 2)
    cells = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0], [1, 0, 1, 0]], dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a saturated table fits perfectly, which statsmodels remarks on
        fit = sm.GLM(counts, np.repeat(cells, 2, axis=0), family=sm.families.Poisson()).fit(tol=1e-12)
    found = poisson_estimate((50, 30, 60, 55), 0.95)
    assert found.value == pytest.approx(fit.params[3], abs=1e-8)
    assert found.se == pytest.approx(fit.bse[3], abs=1e-6)


def test_totals_use_the_stated_dispersion_and_show_the_others() -> None:
    """The registered interval is that of dispersion 4; 1, 2 and 8 stand beside it."""
    protocol = totals_protocol(source="totals", totals={"treated": [398, 190], "comparison": [148, 97]})
    answer = estimate(protocol, Totals(treated=(398, 190), comparison=(148, 97)))
    registered = answer.effect.estimate
    assert registered.value == pytest.approx(math.log(190 * 148 / (398 * 97)))
    assert registered.se == pytest.approx(2 * math.sqrt(1 / 398 + 1 / 190 + 1 / 148 + 1 / 97))
    assert registered.expected == pytest.approx(398 * 97 / 148)
    assert registered.prevented.value == pytest.approx(398 * 97 / 148 - 190)
    inferences = [other for other in answer.effect.alternatives if other.choice == "inference"]
    assert [other.label for other in inferences] == [
        "Poisson interval",
        "dispersion 2",
        "dispersion 8",
    ]


def test_a_zero_in_the_table_gives_a_reason_and_no_number() -> None:
    """No half is added unasked."""
    found = poisson_estimate((50, 0, 60, 55), 0.95)
    assert found.value is None
    assert found.low is None
    assert found.why_missing is not None


def test_police_now_published_changes() -> None:
    """-11.7 % against -7.2 %: 4.8 % lower, 4.7 to 5.0 % given rounding, 4.5 points apart, no interval."""
    effect = from_changes(Changes(treated=-11.7, comparison=-7.2, decimals=1), 0.95)
    assert effect.estimate.ratio.value == pytest.approx(0.883 / 0.928)
    assert round(effect.estimate.percent_change.value or 0, 1) == -4.8
    assert effect.estimate.low is None
    assert "four counts" in str(effect.estimate.why_missing)
    points, lowest, highest = effect.alternatives
    assert points.value == pytest.approx(-4.5)
    assert points.percent_change.value is None
    assert round(lowest.percent_change.value or 0, 1) == -5.0
    assert round(highest.percent_change.value or 0, 1) == -4.7


def test_a_known_effect_is_covered_and_a_narrower_poisson_interval_stands_beside() -> None:
    """A fifth fewer planted: the interval holds -20 % and the estimate is the ratio of the totals."""
    protocol, panel = simulated()
    answer = estimate(protocol, panel)
    found = answer.effect.estimate
    assert answer.windowed is not None
    (b, a), (cb, ca) = answer.windowed.total("treated"), answer.windowed.total("comparison")
    assert found.ratio.value == pytest.approx(a * cb / (b * ca))
    assert found.low is not None
    assert found.high is not None
    assert found.low < math.log(0.8) < found.high < 0
    assert found.p_value is not None
    assert found.p_value <= 0.001
    assert answer.effect.alternatives[0].label == "Poisson interval"


def test_before_after_is_scaled_by_the_length_of_the_windows() -> None:
    """Half as long an after window expects half as many; the interval is that of untreated places."""
    protocol, panel = simulated(effect=1.0)
    shorter = protocol.model_copy(
        update={
            "method": "before-after",
            "windows": protocol.windows.model_copy(update={"after": ("2019-01", "2019-06")})
            if protocol.windows
            else None,
        }
    )
    answer = estimate(shorter, panel)
    found = answer.effect.estimate
    assert answer.windowed is not None
    before, after = answer.windowed.total("treated")
    assert found.expected == pytest.approx(before / 2)
    assert found.value == pytest.approx(math.log(after / (before / 2)))
    assert "leaves out whatever changed everywhere" in found.inference
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high


def test_a_before_after_leaves_zero_out_exactly_where_its_p_value_is_small() -> None:
    """The spread was read between two placebo effects, so that 0 could lie outside beside p = 0.06."""
    compared = 0
    for seed in range(12):
        protocol, panel = simulated(seed, areas=60, treated=1, effect=0.75 + 0.02 * seed)
        found = estimate(protocol.model_copy(update={"method": "before-after"}), panel).effect.estimate
        assert found.low is not None
        assert found.high is not None
        assert found.p_value is not None
        assert (found.low > 0 or found.high < 0) == (found.p_value <= 0.05 + 1e-12)
        compared += found.smallest_p is not None
    assert compared == 12


def test_before_after_alone_assumes_a_dispersion_of_four() -> None:
    """Without any untreated area the variance of a count is taken as four times its mean."""
    protocol = totals_protocol("before-after", source="totals", totals={"treated": [400, 300]})
    found = estimate(protocol, Totals(treated=(400, 300))).effect.estimate
    assert found.se == pytest.approx(math.sqrt(4 * (1 / 400 + 1 / 300)))
    assert "assumed dispersion 4" in found.inference


def test_relative_effect_without_comparison_is_refused() -> None:
    """The message says what to declare instead."""
    protocol = totals_protocol("before-after", source="totals", totals={"treated": [400, 300]})
    relative = protocol.model_copy(update={"method": "relative-effect"})
    with pytest.raises(CannotEstimate, match="before-after"):
        estimate(relative, Totals(treated=(400, 300)))


def test_every_method_file_is_a_method_or_serves_one() -> None:
    """A file in methods/ that no line of METHODS names and no other file here imports would be dead."""
    from pathlib import Path

    import whatworks_eval.methods as room

    files = {path.stem: path.read_text("utf-8") for path in Path(str(room.__file__)).parent.glob("*.py")}
    named = {name.replace("-", "_") for name in METHODS}
    assert named <= files.keys()
    for stem in files.keys() - named - {"__init__"}:
        others = "".join(text for other, text in files.items() if other != stem)
        assert f"methods.{stem}" in others or f" {stem}" in others, stem
