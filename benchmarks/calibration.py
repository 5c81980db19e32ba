"""Is a true null rejected 5 % of the time, and a planted effect covered, on real counts?

    python benchmarks/calibration.py run --data ../shared/data --draws 2000 --jobs 2 --out /tmp/cells.jsonl
    python benchmarks/calibration.py table /tmp/cells.jsonl > docs/explanation/calibration.md

Nothing was done in the places drawn here, so every rejection is false. A cell is one force, offence,
pair of windows and shape of the treated set. Each draw goes through `sets_for` and `relabel_test`, which
`estimate` and so `evaluate` call; every 100th draw goes through `estimate` whole, and the two
must give the same p-value and agree on whether the interval holds the truth.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np

from whatworks_eval.areas import read_units
from whatworks_eval.contrast import level_matched
from whatworks_eval.evaluation import estimate
from whatworks_eval.inference.neighbours import adjoining_pairs, clumps
from whatworks_eval.inference.placebo import relative_change
from whatworks_eval.inference.relabel_test import relabel_test
from whatworks_eval.inference.relabelling import matches_of, sets_for
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.protocol_tables import UnitLookup
from whatworks_eval.records import Contrast, Windowed
from whatworks_eval.sources import load_data
from whatworks_eval.windows import rewindow, usable

FORCES = {
    "Avon & Somerset": (
        "avon-and-somerset_street_2018-01_2020-12.zip",
        (
            (("2018-01", "2018-12"), ("2019-01", "2019-12")),
            (("2018-01", "2018-06"), ("2019-01", "2019-06")),
            (("2018-08", "2019-02"), ("2019-08", "2020-02")),
        ),
    ),
    "Gwent": (
        "gwent_street_2020-01_2022-10.zip",
        (
            (("2020-01", "2020-12"), ("2021-01", "2021-12")),
            (("2021-01", "2021-10"), ("2022-01", "2022-10")),
            (("2020-06", "2020-11"), ("2021-06", "2021-11")),
        ),
    ),
}
OFFENCES = {
    "all crime": None,
    "ASB": ["Anti-social behaviour"],
    "violence": ["Violence and sexual offences"],
    "burglary": ["Burglary"],
}
SHAPES = {
    "1 scattered": ("scattered", 1),
    "3 scattered": ("scattered", 3),
    "10 scattered": ("scattered", 10),
    "40 scattered": ("scattered", 40),
    "40 scattered, units found": ("found", 40),
    "clump of 3": ("clump", 3),
    "clump of 10": ("clump", 10),
    "1 ward": ("ward", 1),
    "4 wards": ("ward", 4),
    "3 from top tenth, matched": ("top", 3),
    "10 from top tenth, matched": ("top", 10),
}
FALL = 0.8
SETS = 499
WHOLE_EVERY = 100
WIDTH_EVERY = 20
OTHERS_EVERY = 4
BANDS = {
    "scattered": (3.5, 6.5),
    "found": (3.5, 6.5),
    "clump": (3.5, 7.5),
    "ward": (3.5, 7.5),
    "top": (0.0, 7.5),
}
LEAST_COVERAGE = 93.0


@dataclass(frozen=True)
class Cell:
    """One force, offence, pair of windows and shape."""

    force: str
    offence: str
    before: tuple[str, str]
    after: tuple[str, str]
    shape: str


def protocol_of(cell: Cell, data: Path, areas: dict[str, Any]) -> Protocol:
    """The declared design of a cell, for `estimate` whole."""
    return protocol_from_dict(
        {
            "schema": 1,
            "id": "calibration",
            "question": "Nothing was done: is it found?",
            "method": "relative-effect",
            "seed": 1,
            "intervention": {"name": "nothing", "start": cell.after[0], "assignment": "random"},
            "outcome": {
                "source": "police-uk",
                "path": FORCES[cell.force][0],
                "offences": OFFENCES[cell.offence],
            },
            "windows": {"before": cell.before, "after": cell.after},
            "areas": areas,
        },
        base=data / "police_uk",
    )


def draw_treated(
    kind: str, size: int, before: np.ndarray, panel: Panel, wards: dict[str, str], rng: np.random.Generator
) -> np.ndarray:
    """Indices of the areas 'treated' in one draw."""
    count = len(panel.areas)
    if kind in {"scattered", "found"}:
        return rng.choice(count, size, replace=False)
    if kind == "top":
        highest = np.argsort(-before - rng.random(count) * 0.5)[: count // 10]
        return rng.choice(highest, size, replace=False)
    if kind == "ward":
        chosen = rng.choice(sorted(set(wards.values())), size, replace=False)
        return np.array([at for at, area in enumerate(panel.areas) if wards[area] in set(chosen.tolist())])
    assert panel.centroids is not None
    first = int(rng.integers(count))
    if rng.random() < 0.5:  # the nearest by distance: as round as can be
        return np.argsort(np.linalg.norm(panel.centroids - panel.centroids[first], axis=1))[:size]
    pairs = adjoining_pairs(panel.centroids)
    inside = [first]
    while len(inside) < size:  # grown edge by edge
        touching = pairs[np.isin(pairs, inside).sum(axis=1) == 1]
        if not len(touching):
            return draw_treated(kind, size, before, panel, wards, rng)
        ends = touching[rng.integers(len(touching))]
        inside.append(int(ends[~np.isin(ends, inside)][0]))
    return np.array(inside)


def contrast_of(
    kind: str, treated: np.ndarray, panel: Panel, wards: dict[str, str], protocol: Protocol
) -> tuple[Contrast, dict[str, Any]]:
    """The contrast of a draw, and how a protocol would declare it."""
    names = sorted(panel.areas[at] for at in treated)
    others = tuple(area for area in panel.areas if area not in set(names))
    base = Contrast(
        treated=tuple(names),
        comparison=others,
        units={},
        unit_basis="area",
        comparison_units=True,
        chosen="every other area in the data",
    )
    areas: dict[str, Any] = {"treated": names, "comparison": "rest"}
    if kind == "ward":
        return replace(base, units=wards, unit_basis="lookup"), areas
    if kind in {"clump", "found"}:
        assert panel.centroids is not None
        groups = clumps(adjoining_pairs(panel.centroids), np.sort(treated))
        units = {panel.areas[at]: panel.areas[group[0]] for group in groups for at in group}
        areas["unit"] = "contiguous"
        return replace(base, units=units, unit_basis="contiguous", comparison_units=False), areas
    units = {area: area for area in panel.areas}
    areas["unit"] = "area"
    if kind == "top":
        areas["comparison"] = "matched"
        return level_matched(panel, replace(base, units=units), 3, protocol), areas
    return replace(base, units=units), areas


def candidates(windowed: Windowed, contrast: Contrast, row: np.ndarray) -> dict[str, tuple[float, float]]:
    """Other intervals for the same ratio: log half-width and |log ratio| over it, by name."""
    treated = windowed.arm == "treated"
    (b, a), (cb, ca) = windowed.total("treated"), windowed.total("comparison")
    if min(a, b, ca, cb) <= 0:
        return {}
    value = np.log(a * cb / (b * ca))
    found = {}

    def put(name: str, half: float) -> None:
        found[name] = (float(half), float(abs(value) / half) if half > 0 else np.inf)

    put("Poisson", 1.96 * np.sqrt(1 / a + 1 / b + 1 / ca + 1 / cb))
    units = np.unique(row[treated])
    influence = np.array(
        [
            windowed.after[(row == unit) & treated].sum() / a
            - windowed.before[(row == unit) & treated].sum() / b
            for unit in units
        ]
    )
    clustered = np.sqrt((influence**2).sum())
    put("clustered, normal", 1.96 * clustered)
    if len(units) > 1:
        from scipy.stats import t

        put("clustered, t", t.ppf(0.975, len(units) - 1) * clustered * np.sqrt(len(units) / (len(units) - 1)))
    return found


def run_cell(job: tuple[Cell, Path, int]) -> dict[str, Any]:
    """Rejection, coverage and width of one cell."""
    cell, data, draws = job
    kind, size = SHAPES[cell.shape]
    plain = protocol_of(cell, data, {"treated": ["any"], "comparison": "rest"})
    panel = load_data(plain)
    assert isinstance(panel, Panel)
    lookup = UnitLookup(file="lookup_lsoa11_ward17.csv.gz", code="lsoa11_code", unit="ward17_code")
    known = set(panel.areas)
    wards = {area: ward for area, ward in read_units(lookup, data / "geography").items() if area in known}
    periods = usable(plain, panel, panel.areas)
    before_by_area = panel.counts[:, periods.before].sum(axis=1)
    rng = np.random.default_rng([seed_of(cell), draws])
    tally: defaultdict[str, list[float]] = defaultdict(list)
    for draw in range(draws):
        treated = draw_treated(kind, size, before_by_area, panel, wards, rng)
        contrast, areas = contrast_of(kind, treated, panel, wards, plain)
        windowed = rewindow(panel, contrast, periods)
        one_draw(tally, draw, panel, contrast, windowed, rng)
        if draw % WHOLE_EVERY == 0 and kind != "ward":
            check_whole(cell, data, areas, panel, contrast, windowed)
    return summary(cell, draws, tally)


def one_draw(
    tally: defaultdict[str, list[float]],
    draw: int,
    panel: Panel,
    contrast: Contrast,
    windowed: Windowed,
    rng: np.random.Generator,
) -> None:
    """Add one draw to the tally: is the null rejected, is a planted fall covered, how wide is it?"""
    inside = windowed.arm == "treated"
    thinned = windowed.after.copy()
    thinned[inside] = rng.binomial(thinned[inside].astype(int), FALL)
    assert windowed.index is not None
    assert panel.centroids is not None
    places = panel.centroids[windowed.index]
    for name, after, truth in (("null", windowed.after, 0.0), ("planted", thinned, float(np.log(FALL)))):
        changed = replace(windowed, after=after)
        sets = sets_for(contrast, changed, places, seed=1, draws=SETS)
        if sets.smallest_p > 0.05:
            tally["refused"].append(name == "null")
            continue
        matches = matches_of(contrast, changed, 3)
        test = relabel_test(windowed.before, after, sets, matches)
        tally[name].append(test.p_value(truth) <= 0.05)
        if name == "planted":
            continue
        tally["level"].append(float((windowed.before + after)[inside].sum()))
        (b, a), (cb, ca) = changed.total("treated"), changed.total("comparison")
        tally["ratio"].append(a * cb / (b * ca) if min(b, a, cb, ca) > 0 else np.nan)
        if draw % OTHERS_EVERY:
            continue
        for other, (half, size) in candidates(windowed, contrast, sets.row).items():
            tally[f"width {other}"].append(2 * half)
            tally[f"reject {other}"].append(size > 1)
        if draw % WIDTH_EVERY == 0:
            found = relative_change(windowed.before, after, sets, matches=matches)
            if found.low is not None and found.high is not None:
                tally["width"].append(found.high - found.low)


def summary(cell: Cell, draws: int, tally: defaultdict[str, list[float]]) -> dict[str, Any]:
    """What is kept of a cell: rates in percent, widths on the log scale."""
    level, rejected, ratios = (np.array(tally[name]) for name in ("level", "null", "ratio"))
    parts = np.quantile(level, [1 / 3, 2 / 3, 0.9]) if len(level) else np.zeros(3)
    by_level = (
        level <= parts[0],
        (level > parts[0]) & (level <= parts[1]),
        level > parts[1],
        level > parts[2],
    )
    moved = np.abs(np.log(ratios[ratios > 0]))
    return {
        "force": cell.force,
        "offence": cell.offence,
        "windows": f"{cell.before[0]} to {cell.before[1]} against {cell.after[0]} to {cell.after[1]}",
        "shape": cell.shape,
        "draws": draws,
        "refused": int(sum(tally["refused"])),
        "rejection": 100 * float(rejected.mean()) if len(rejected) else None,
        "coverage": 100 - 100 * float(np.mean(tally["planted"])) if tally["planted"] else None,
        "width": float(np.median(tally["width"])) if tally["width"] else None,
        "fixed_width": 2 * float(np.quantile(moved, 0.95)) if len(moved) else None,
        "rejection_by_level": [100 * float(rejected[part].mean()) for part in by_level] if len(level) else [],
        "mean_change": 100 * float(np.expm1(np.log(ratios[ratios > 0]).mean())) if len(moved) else None,
        "others": {
            name[7:]: [100 * float(np.mean(tally[name])), float(np.median(tally[f"width {name[7:]}"]))]
            for name in list(tally)
            if name.startswith("reject ")
        },
    }


def check_whole(
    cell: Cell, data: Path, areas: dict[str, Any], panel: Panel, contrast: Contrast, windowed: Windowed
) -> None:
    """`estimate` whole must find the contrast, the counts and a p-value on the same side of 0.05."""
    answer = estimate(protocol_of(cell, data, areas), panel)
    assert answer.contrast.treated == contrast.treated
    assert answer.windowed is not None
    assert answer.windowed.total("treated") == windowed.total("treated")
    assert answer.windowed.total("comparison") == windowed.total("comparison")
    found = answer.effect.estimate
    if found.p_value is not None and found.low is not None and found.high is not None:
        inside = found.low <= 0 <= found.high
        assert inside or found.p_value <= 0.05 + 1e-9, (found.low, found.high, found.p_value)


def seed_of(cell: Cell) -> int:
    """A seed that is the same in every run and process."""
    import zlib

    return zlib.crc32(repr(cell).encode())


def cells() -> Iterator[Cell]:
    """Every cell of the table."""
    for shape in SHAPES:
        for force, (_, pairs) in FORCES.items():
            for before, after in pairs:
                for offence in OFFENCES:
                    yield Cell(force, offence, before, after, shape)


def main() -> None:
    """Run the cells, or turn their results into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("results", nargs="?", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("calibration.jsonl"))
    parser.add_argument("--only", default="", help="run only shapes holding this text")
    given = parser.parse_args()
    if given.what == "table":
        from calibration_page import page

        print(page([json.loads(line) for line in given.results.read_text().splitlines()]))
        return
    jobs = [(cell, given.data.resolve(), given.draws) for cell in cells() if given.only in cell.shape]
    with Pool(given.jobs) as pool, given.out.open("a") as out:
        for done, result in enumerate(pool.imap_unordered(run_cell, jobs), start=1):
            out.write(json.dumps(result) + "\n")
            out.flush()
            print(f"{done} of {len(jobs)}", file=sys.stderr)


if __name__ == "__main__":
    main()
