"""Placebo sets of several single areas: each area stands in as often as it would be treated."""

from __future__ import annotations

import numpy as np

from whatworks_eval.methods.synthetic_sets import drawn_evenly, setting_of
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import protocol_from_dict
from whatworks_eval.records import Contrast, PlaceboSets
from whatworks_eval.windows import build_windowed

UNITS = 240
PERIODS = period_range("2018-01", "2019-12", "month")


def sets_of(counts: np.ndarray, treated: np.ndarray) -> tuple[PlaceboSets, np.ndarray]:
    """Placebo sets of a design with these areas treated, and the area of each row."""
    names = tuple(f"U{at:03d}" for at in range(len(counts)))
    chosen = sorted(names[at] for at in treated)
    panel = Panel(
        areas=names,
        periods=PERIODS,
        counts=counts,
        observed=np.ones(counts.shape, dtype=bool),
        ledger=Ledger(),
    )
    protocol = protocol_from_dict(
        {
            "schema": 1,
            "id": "sets",
            "question": "Who may stand in?",
            "method": "synthetic",
            "seed": int(treated[0]),
            "intervention": {"name": "nothing", "start": "2019-01", "assignment": "volunteer"},
            "outcome": {"source": "counts", "path": "counts.csv"},
            "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
            "areas": {"treated": chosen, "comparison": "rest", "unit": "area"},
        }
    )
    contrast = Contrast(
        treated=tuple(chosen),
        comparison=tuple(name for name in names if name not in chosen),
        units={name: name for name in names},
        unit_basis="area",
        comparison_units=True,
        chosen="every other area in the data",
    )
    windowed = build_windowed(protocol, panel, contrast)
    assert windowed is not None
    assert windowed.index is not None
    sets = setting_of(protocol, panel, contrast, windowed, most_sets=199).sets
    area = np.empty(sets.rows, dtype=np.intp)
    area[sets.row] = windowed.index
    return sets, area


def test_the_smallest_and_largest_areas_stand_in_as_often_as_any() -> None:
    """Areas treated at random: each tenth by level makes up 10 % of the placebo sets, to 1.5 points.

    With windows that stop at the ends of the order, the first and last tenth made up 6 % each.
    """
    rng = np.random.default_rng(8)
    counts = rng.poisson(np.exp(rng.normal(3, 1, (UNITS, 1))), (UNITS, len(PERIODS))).astype(float)
    tenth = counts.sum(axis=1).argsort().argsort() * 10 // UNITS
    seen = np.zeros(10)
    for treated in rng.permutation(UNITS).reshape(-1, 3):  # every area once
        sets, area = sets_of(counts, treated)
        held = area[sets.members]
        assert (np.diff(np.sort(held, axis=1)) > 0).all()  # no area twice in a set
        seen += np.bincount(tenth[held].ravel(), minlength=10)
    assert (np.abs(seen / seen.sum() - 0.1) < 0.015).all()


def test_any_area_stands_for_another_as_often_as_that_one_for_it() -> None:
    """The smallest for the tenth smallest, and the other way about: alike to three Monte Carlo errors."""
    level = np.arange(float(UNITS))
    near = np.array([0, 9])
    drawn = PlaceboSets(
        row=np.arange(UNITS),
        rows=UNITS,
        treated=near,
        members=np.zeros((20_000, 2), dtype=np.intp),
        exact=False,
        how="",
        smallest_p=0.0,
        stands_for=near,
    )
    members = drawn_evenly(drawn, level, seed=4).members
    there, back = (members[:, 0] == 9).sum(), (members[:, 1] == 0).sum()
    assert there > 300  # of 20,000: ranks 0 and 9 stand for one another twice in 101
    assert abs(there - back) < 3 * np.sqrt(there + back)


def test_sets_that_are_all_there_are_left_as_they_are() -> None:
    """One treated area, whose every like area is in a set: nothing is drawn."""
    rng = np.random.default_rng(2)
    counts = rng.poisson(20, (UNITS, len(PERIODS))).astype(float)
    sets, _ = sets_of(counts, np.array([5]))
    assert sets.exact
    assert len(np.unique(sets.members)) == len(sets.members)
