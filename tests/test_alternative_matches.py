"""Other good matches of the same areas, and the match adjusted by a regression: what is tried and found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from whatworks_eval import alternative_matches
from whatworks_eval.alternative_matches import ADJUSTED, CHOICE, ways_of
from whatworks_eval.alternatives import matches
from whatworks_eval.contrast import build_contrast
from whatworks_eval.methods.relative_effect import from_panel
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.protocol_tables import Matching
from whatworks_eval.records import Estimate
from whatworks_eval.windows import build_windowed

AREAS = tuple(f"a{at:03d}" for at in range(150))
PERIODS = period_range("2018-01", "2019-12", "month")
TREATED = AREAS[::15]


def panel_of(seed: int = 1, *, slope: float = 0.0, effect: float = 1.0, deprived: float = 0.0) -> Panel:
    """Counts by month; the change from the first to the second year rises with deprivation by `slope`."""
    rng = np.random.default_rng(seed)
    treated = np.isin(AREAS, TREATED)
    score = rng.normal(0, 1, len(AREAS)) + deprived * treated
    level = rng.lognormal(3.0, 0.4, len(AREAS))
    change = np.exp(slope * score) * np.where(treated, effect, 1.0)
    later = np.arange(len(PERIODS)) >= 12
    mean = level[:, None] * np.where(later, change[:, None], 1.0)
    return Panel(
        areas=AREAS,
        periods=PERIODS,
        counts=rng.poisson(mean).astype(float),
        observed=np.ones(mean.shape, dtype=bool),
        covariates={"imd_score": score, "imd_2015": score + rng.normal(0, 0.2, len(AREAS))},
        ledger=Ledger(),
    )


def protocol_of(**matching: Any) -> Protocol:
    """Ten treated areas, matched as told."""
    return protocol_from_dict(
        {
            "schema": 1,
            "id": "matches",
            "question": "Did it fall?",
            "method": "relative-effect",
            "intervention": {"name": "x", "start": "2019-01", "assignment": "need"},
            "outcome": {"source": "counts", "path": "x.csv"},
            "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
            "areas": {"treated": list(TREATED), "comparison": "matched", "unit": "area"},
            "matching": matching,
        }
    )


def found_of(protocol: Protocol, panel: Panel) -> dict[str, Estimate]:
    """Every other match by label."""
    contrast = build_contrast(protocol, panel)
    windowed = build_windowed(protocol, panel, contrast)
    assert windowed is not None
    sets = from_panel(protocol, panel, contrast, windowed, draws=499).sets
    assert sets is not None
    return {one.label: one for one in matches(protocol, panel, contrast, windowed, sets)}


BOTH = {"on": ["before_level", "imd_score"]}


def test_every_good_match_is_tried_once() -> None:
    """Fewer and more matches, two calipers, weights, each area once, two distances and the other edition."""
    found = found_of(protocol_of(**BOTH), panel_of())
    assert [label.split(" (")[0] for label, one in found.items() if one.choice == CHOICE] == [
        "1 match each",
        "5 matches each",
        "caliper of 0.25 SD",
        "caliper of 0.5 SD",
        "weights that balance",
        "each comparison area once",
        "distance by ranks",
        "propensity score",
        "on IMD 2015 instead of IMD score",
    ]
    assert all(one.value is not None for one in found.values())
    assert all(one.low is not None and one.high is not None for one in found.values())
    assert [one.choice for one in found.values()].count(ADJUSTED) == 1


def test_another_match_is_the_one_the_protocol_would_have_made() -> None:
    """'5 matches each' is what per_treated = 5 registers, to the last digit."""
    panel = panel_of()
    other = found_of(protocol_of(**BOTH), panel)["5 matches each"]
    protocol = protocol_of(**BOTH, per_treated=5)
    contrast = build_contrast(protocol, panel)
    windowed = build_windowed(protocol, panel, contrast)
    assert windowed is not None
    assert other.value == pytest.approx(
        from_panel(protocol, panel, contrast, windowed, draws=99).estimate.value
    )


@pytest.mark.parametrize(
    ("declared", "absent"),
    [
        ({"per_treated": 5}, "5 matches each"),
        ({"caliper": 0.5}, "caliper of 0.5 SD"),
        ({"algorithm": "entropy"}, "1 match each"),
        ({"algorithm": "strata", "exact": ["band"]}, "nearest areas"),
        ({"on": ["imd_score", "before_level"], "distance": "propensity"}, "propensity score"),
    ],
)
def test_what_is_declared_is_not_tried_again(declared: dict[str, Any], absent: str) -> None:
    """Nor what makes no sense beside it: weights have no number of matches, strata no distance."""
    assert absent not in ways_of(Matching(**declared), panel_of())


def test_areas_a_caliper_leaves_out_are_counted_in_the_label() -> None:
    """A spread over matches that leave areas out is a spread over questions too."""
    panel = panel_of()
    high = np.isin(AREAS, TREATED[:2])
    panel = replace(panel, covariates={"imd_score": panel.covariates["imd_score"] + 30.0 * high})
    found = found_of(protocol_of(**BOTH), panel)
    (label,) = [label for label in found if label.startswith("caliper of 0.25 SD")]
    assert label.endswith("treated left out)")


def test_one_that_cannot_be_had_says_why() -> None:
    """With fewer areas to choose from than matches wanted once each, there is a reason and no value."""
    panel = panel_of()
    few = [*TREATED, *[area for area in AREAS if area not in TREATED][:8]]
    rows = np.isin(AREAS, few)
    panel = replace(
        panel,
        areas=tuple(np.array(AREAS)[rows].tolist()),
        counts=panel.counts[rows],
        observed=panel.observed[rows],
        covariates={name: values[rows] for name, values in panel.covariates.items()},
    )
    found = found_of(protocol_of(**BOTH), panel)
    missing = [one for one in found.values() if one.value is None]
    assert all(one.why_missing for one in missing)
    assert {one.choice for one in found.values()} == {CHOICE, ADJUSTED}


def test_in_a_large_pool_only_the_value_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is the same value."""
    panel, protocol = panel_of(), protocol_of(**BOTH)
    whole = found_of(protocol, panel)
    monkeypatch.setattr(alternative_matches, "LARGE_POOL", 10)
    bare = found_of(protocol, panel)
    for label, one in bare.items():
        assert one.value == pytest.approx(whole[label].value)
        if one.choice == CHOICE:
            assert one.low is None
            assert one.why_missing is not None


def test_nothing_is_tried_where_nothing_was_matched() -> None:
    """Against every other area there is no other match."""
    protocol = protocol_of()
    plain = protocol.model_copy(
        update={"areas": protocol.areas.model_copy(update={"comparison": "rest"}) if protocol.areas else None}
    )
    assert found_of(plain, panel_of()) == {}


def adjusted(found: dict[str, Estimate]) -> Estimate:
    """The doubly robust one."""
    (one,) = [one for one in found.values() if one.choice == ADJUSTED]
    return one


def test_the_adjustment_takes_out_what_the_match_left() -> None:
    """Matched on the level, with change that rises with deprivation: the match is off, the adjustment not."""
    plain, made = [], []
    for seed in range(30):
        panel = panel_of(seed, slope=0.15, effect=0.8, deprived=1.0)
        protocol = protocol_of(on=["before_level"])
        protocol = protocol.model_copy(update={"covariates": {"imd_score": None}})
        contrast = build_contrast(protocol, panel)
        windowed = build_windowed(protocol, panel, contrast)
        assert windowed is not None
        effect = from_panel(protocol, panel, contrast, windowed, draws=99)
        assert effect.sets is not None
        (one,) = alternative_matches.adjusted_match(protocol, panel, contrast, windowed, effect.sets)
        assert effect.estimate.value is not None
        assert one.value is not None
        plain.append(effect.estimate.value)
        made.append(one.value)
    assert np.mean(plain) == pytest.approx(np.log(0.8) + 0.15, abs=0.03)
    assert np.mean(made) == pytest.approx(np.log(0.8), abs=0.03)


def test_the_adjustment_changes_nothing_where_nothing_was_left() -> None:
    """With no slope to find it moves the answer by chance alone, and its expected count fits its ratio."""
    panel, protocol = panel_of(3), protocol_of(**BOTH)
    one = adjusted(found_of(protocol, panel))
    contrast = build_contrast(protocol, panel)
    windowed = build_windowed(protocol, panel, contrast)
    assert windowed is not None
    own = from_panel(protocol, panel, contrast, windowed, draws=99).estimate
    assert own.value is not None
    assert one.value == pytest.approx(own.value, abs=0.05)
    assert one.value is not None
    assert one.recorded == own.recorded
    assert one.expected == pytest.approx(own.recorded / np.exp(one.value))


def test_after_counts_of_the_treated_have_no_part_in_the_regression() -> None:
    """It is fitted to untreated areas: a planted effect is returned whole."""
    panel, protocol = panel_of(4), protocol_of(**BOTH)
    treated, later = np.isin(AREAS, TREATED), np.arange(24) >= 12
    halved = replace(panel, counts=np.where(treated[:, None] & later, 2.0 * panel.counts, panel.counts))
    one, other = adjusted(found_of(protocol, panel)), adjusted(found_of(protocol, halved))
    assert other.value == pytest.approx((one.value or 0.0) + np.log(2.0), abs=1e-9)


def test_strata_can_be_evaluated_and_compare_with_the_whole_stratum() -> None:
    """Every area of the band, each treated area's once; what placebo sets are compared with likewise."""
    panel = panel_of()
    band = np.digitize(panel.covariates["imd_score"], [-0.7, 0.0, 0.7]).astype(float)
    panel = replace(panel, covariates={"band": band})
    protocol = protocol_of(algorithm="strata", exact=["band"])
    contrast = build_contrast(protocol, panel)
    treated = np.isin(AREAS, TREATED)
    before, after = panel.counts[:, :12].sum(axis=1), panel.counts[:, 12:].sum(axis=1)
    parts = np.zeros(2)
    for at in np.flatnonzero(treated):
        same = (band == band[at]) & ~treated
        parts += before[same].mean(), after[same].mean()
    windowed = build_windowed(protocol, panel, contrast)
    assert windowed is not None
    own = from_panel(protocol, panel, contrast, windowed, draws=199).estimate
    expected = np.log(after[treated].sum() / before[treated].sum() * parts[0] / parts[1])
    assert own.value == pytest.approx(expected, rel=1e-9)
    assert own.low is not None
    assert own.high is not None
