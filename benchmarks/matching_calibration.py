"""Is a true null rejected 5 % of the time, and the bias gone, when the comparison is matched on real counts?

    python benchmarks/matching_calibration.py run --data ../shared/data --draws 36 --out /tmp/cells.jsonl
    python benchmarks/matching_calibration.py table /tmp/cells.jsonl > docs/explanation/<this page>.md

Nothing was done in the places drawn here. Treated areas are drawn at random, with a chance that rises with
deprivation, and from the tenth that recorded most before; each draw is matched anew by the functions that
`evaluate` calls, and every placebo set is compared with matches of its own. Draws take a force's pairs of
windows in turn. One draw a cell (all cells matched on deprivation alone, a third of the others' middle size)
is evaluated whole, with the areas declared as chosen for need: the contrast must be the same, and matched on
deprivation alone the level must be 2 at most, with a regression finding.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from whatworks_eval.contrast import level_matched
from whatworks_eval.errors import CannotEstimate
from whatworks_eval.evaluation import evaluate
from whatworks_eval.inference.relabel_test import relabel_test
from whatworks_eval.inference.relabelling import matches_of, sets_for
from whatworks_eval.matched import by_features
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.records import Contrast
from whatworks_eval.sources import load_data
from whatworks_eval.windows import rewindow, usable

FORCES: dict[str, dict[str, Any]] = {
    "Avon & Somerset": {
        "path": "police_uk/avon-and-somerset_street_2018-01_2020-12.zip",
        "imd": {
            "path": "deprivation/File_1_-_IMD2019_Index_of_Multiple_Deprivation.xlsx",
            "edition": 2019,
            "as": "rank",
        },
        "windows": (
            (("2018-01", "2018-12"), ("2019-01", "2019-12")),
            (("2018-08", "2019-02"), ("2019-08", "2020-02")),
        ),
        "most_deprived": -1,  # rank 1 is the most deprived
    },
    "Gwent": {
        "path": "police_uk/gwent_street_2020-01_2022-10.zip",
        "imd": {
            "path": "deprivation/wimd-2019-index-and-domain-scores.csv",
            "edition": 2019,
            "as": "score",
        },
        "windows": (
            (("2020-01", "2020-12"), ("2021-01", "2021-12")),
            (("2021-01", "2021-10"), ("2022-01", "2022-10")),
        ),
        "most_deprived": 1,
    },
}
OFFENCES = {
    "ASB": ["Anti-social behaviour"],
    "violence": ["Violence and sexual offences"],
    "all crime": None,
}
ALONE = "IMD alone"
MATCHINGS: dict[str, dict[str, Any]] = {
    "level": {},
    "level and IMD": {"on": ["before_level", "imd"]},
    "level, trend and IMD": {"on": ["before_level", "before_trend", "imd"]},
    "optimal": {"on": ["before_level", "imd"], "algorithm": "optimal"},
    "entropy": {"on": ["before_level", "imd"], "algorithm": "entropy"},
    "propensity": {"on": ["before_level", "imd"], "distance": "propensity"},
    ALONE: {"on": ["imd"]},
}
SELECTIONS = ("at random", "the more deprived the likelier", "from the top tenth")
SIZES = (3, 10, 20)
FALL = 0.8
SETS = 399
ODDS = 1.0  # log odds of being drawn for each standard deviation of deprivation


@dataclass(frozen=True)
class Cell:
    """One force, offence, way of being chosen, way of matching and number of areas."""

    force: str
    offence: str
    selection: str
    matching: str
    size: int


def protocol_of(
    force: str,
    offence: str,
    data: Path,
    turn: int = 0,
    treated: tuple[str, ...] = ("any",),
    matching: str = "",
) -> Protocol:
    """A design that matches: the areas declared as chosen for need, though nothing was done."""
    given = FORCES[force]
    before, after = given["windows"][turn]
    return protocol_from_dict(
        {
            "schema": 1,
            "id": "matching-calibration",
            "question": "Nothing was done: is it found?",
            "method": "relative-effect",
            "registered": "2018-01-01",
            "intervention": {"name": "nothing", "start": after[0], "assignment": "need"},
            "outcome": {"source": "police-uk", "path": given["path"], "offences": OFFENCES[offence]},
            "windows": {"before": before, "after": after},
            "covariates": {"imd": given["imd"]},
            "matching": MATCHINGS[matching] if matching else {},
            "areas": {"treated": list(treated), "comparison": "matched", "unit": "area"},
        },
        base=data,
    )


@lru_cache(maxsize=1)
def panel_of(force: str, offence: str, data: Path) -> Panel:
    """Counts and deprivation of a force."""
    panel = load_data(protocol_of(force, offence, data))
    assert isinstance(panel, Panel)
    known = np.isfinite(panel.covariates["imd"])
    assert known.mean() > 0.98, (force, known.mean())
    return panel


def draw_treated(cell: Cell, panel: Panel, before: np.ndarray, rng: np.random.Generator) -> tuple[str, ...]:
    """Areas 'treated' in one draw."""
    deprived = FORCES[cell.force]["most_deprived"] * panel.covariates["imd"]
    able = np.flatnonzero(np.isfinite(deprived))
    chance = np.ones(len(able))
    if cell.selection == SELECTIONS[1]:
        apart = (deprived[able] - deprived[able].mean()) / deprived[able].std()
        chance = np.exp(ODDS * apart)
    if cell.selection == SELECTIONS[2]:
        able = able[np.argsort(-before[able] - 0.5 * rng.random(len(able)))[: len(able) // 10]]
        chance = np.ones(len(able))
    drawn = rng.choice(able, cell.size, replace=False, p=chance / chance.sum())
    return tuple(sorted(panel.areas[at] for at in drawn))


def matched_contrast(protocol: Protocol, panel: Panel) -> Contrast:
    """As `build_contrast` makes it, without reading tables."""
    assert protocol.areas is not None
    treated = protocol.areas.treated
    assert isinstance(treated, tuple)
    inside = set(treated)
    base = Contrast(
        treated=treated,
        comparison=tuple(area for area in panel.areas if area not in inside),
        units={area: area for area in panel.areas},
        unit_basis="area",
        comparison_units=True,
        chosen="",
    )
    if protocol.matching.on == ("before_level",):
        return level_matched(panel, base, protocol.matching.per_treated, protocol)
    return by_features(panel, base, protocol)


def run_cell(cell: Cell, data: Path, draws: int, seed: int = 0) -> dict[str, Any]:
    """Rejection, coverage and bias of one cell, and the level of one draw evaluated whole."""
    panel = panel_of(cell.force, cell.offence, data)
    rng = np.random.default_rng([zlib.crc32(repr(cell).encode()), draws, *([seed] if seed else [])])
    tally: defaultdict[str, list[float]] = defaultdict(list)
    periods = {}
    levels = []
    for draw in range(draws):
        turn = draw % len(FORCES[cell.force]["windows"])
        plain = protocol_of(cell.force, cell.offence, data, turn)
        if turn not in periods:
            periods[turn] = usable(plain, panel, panel.areas)
        used = periods[turn]
        treated = draw_treated(cell, panel, panel.counts[:, used.before].sum(axis=1), rng)
        protocol = protocol_of(cell.force, cell.offence, data, turn, treated, cell.matching)
        try:
            contrast = matched_contrast(protocol, panel)
        except CannotEstimate:
            tally["refused"].append(1.0)
            continue
        one_draw(tally, panel, contrast, rewindow(panel, contrast, used), rng)
        if draw == 0 and (cell.matching == ALONE or (cell.size == 10 and cell.offence == "ASB")):
            levels.append(whole(protocol, panel, contrast, cell))
    values = np.array(tally["value"])
    return {
        **{name: getattr(cell, name) for name in ("force", "offence", "selection", "matching", "size")},
        "draws": draws,
        "seed": seed,
        "refused": len(tally["refused"]),
        "no_interval": len(tally["no interval"]),
        "tests": len(tally["null"]),
        "rejected": int(sum(tally["null"])),
        "covered": len(tally["planted"]) - int(sum(tally["planted"])),
        "recorded": float(np.sum(tally["recorded"])),
        "expected": float(np.sum(tally["expected"])),
        "unmatched_change": [float(np.sum(tally["plain recorded"])), float(np.sum(tally["plain expected"]))],
        "values": [round(float(value), 5) for value in values],
        "levels": levels,
    }


def one_draw(
    tally: defaultdict[str, list[float]],
    panel: Panel,
    contrast: Contrast,
    windowed: Any,
    rng: np.random.Generator,
) -> None:
    """Add one draw to the tally: null rejected, planted fall covered, recorded against expected."""
    inside = windowed.arm == "treated"
    assert panel.centroids is not None
    sets = sets_for(contrast, windowed, panel.centroids[windowed.index], seed=1, draws=SETS)
    matches = matches_of(contrast, windowed, 3)
    (b, a), (cb, ca) = windowed.total("treated"), windowed.total("comparison")
    if min(a, b, ca, cb) > 0:
        tally["value"].append(np.log(a * cb / (b * ca)))
        tally["recorded"].append(a)
        tally["expected"].append(b * ca / cb)
        rest = ~inside & (windowed.arm != "buffer")
        tally["plain recorded"].append(a)
        tally["plain expected"].append(b * windowed.after[rest].sum() / windowed.before[rest].sum())
    if sets.smallest_p > 0.05 or not len(sets.members):
        tally["no interval"].append(1.0)
        return
    thinned = windowed.after.copy()
    thinned[inside] = rng.binomial(thinned[inside].astype(int), FALL)
    for name, after, truth in (("null", windowed.after, 0.0), ("planted", thinned, float(np.log(FALL)))):
        test = relabel_test(windowed.before, after, sets, matches)
        tally[name].append(float(test.p_value(truth) <= 0.05))


def whole(protocol: Protocol, panel: Panel, contrast: Contrast, cell: Cell) -> dict[str, Any]:
    """The level of a draw evaluated whole, and the regression findings that hold it."""
    found = evaluate(protocol, panel)
    assert found.contrast.treated == contrast.treated
    assert found.contrast.weights == contrast.weights
    held = [one.rule for one in found.findings if one.rule.startswith("regression.") and one.kind == "caveat"]
    if cell.matching == ALONE:
        assert found.grade.level <= 2, (cell, found.grade)
        assert "regression.deprivation-alone" in held, (cell, held)
    return {"level": found.grade.level, "regression": held}


def cells() -> Iterator[Cell]:
    """Every cell of the table, one panel after another."""
    for force in FORCES:
        for offence in OFFENCES:
            for selection in SELECTIONS:
                for matching in MATCHINGS:
                    for size in SIZES:
                        yield Cell(force, offence, selection, matching, size)


def main() -> None:
    """Run the cells, or turn their results into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("results", nargs="?", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("matching_calibration.jsonl"))
    parser.add_argument("--only", default="", help="run only cells whose matching is this")
    parser.add_argument("--size", type=int, help="run only cells of this size")
    parser.add_argument("--offence", default="", help="run only cells of this offence")
    parser.add_argument("--force", default="", help="run only cells of this force")
    parser.add_argument("--selection", default="", help="run only cells chosen this way")
    parser.add_argument("--seed", type=int, default=0, help="another stream of draws than the page's first")
    given = parser.parse_args()
    if given.what == "table":
        from matching_calibration_page import page

        print(page([json.loads(line) for line in given.results.read_text().splitlines()]))
        return
    jobs = [
        cell
        for cell in cells()
        if given.only in ("", cell.matching)
        and given.size in (None, cell.size)
        and given.offence in ("", cell.offence)
        and given.force in ("", cell.force)
        and given.selection in ("", cell.selection)
    ]
    with given.out.open("a") as out:
        for done, cell in enumerate(jobs, start=1):
            out.write(json.dumps(run_cell(cell, given.data.resolve(), given.draws, given.seed)) + "\n")
            out.flush()
            if done % 20 == 0:
                print(f"{done} of {len(jobs)}", file=sys.stderr)


if __name__ == "__main__":
    main()
