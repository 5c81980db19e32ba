"""Is a true null rejected 5 % of the time, and a planted fall covered, by `did` on rates, means and cohorts?

    python benchmarks/did_calibration.py run --data ../shared/data --draws 400 --jobs 2 --out /tmp/did.jsonl
    python benchmarks/did_calibration.py table /tmp/did.jsonl > docs/explanation/did-calibration.md

One start for all on counts is the ratio of ratios, whose table is calibration.py's. Here: difference in mean
change (rates, counts), roll-outs in cohorts on real counts where nothing was done, and simulated roll-outs
with few cohorts. Each draw goes through `setting_of` and the test that `did.from_panel` and so `evaluate`
call; every 100th goes through `from_panel` whole, and the two must give the same p-value. Beside them: what
the usual clustered errors would have done.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
from calibration import FORCES, OFFENCES, contrast_of, draw_treated, seed_of

from whatworks_eval.areas import read_units
from whatworks_eval.did.clustered import clustered
from whatworks_eval.did.linear_fit import fit_linear
from whatworks_eval.did.poisson_fit import fit_poisson
from whatworks_eval.inference.mean_change import mean_test
from whatworks_eval.inference.neighbours import adjoining_pairs, clumps
from whatworks_eval.inference.roll_out_test import roll_out_test
from whatworks_eval.methods.did import Setting, from_panel, setting_of
from whatworks_eval.methods.did_errors import clusters_of, in_arms
from whatworks_eval.methods.did_windows import is_linear
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.protocol_tables import UnitLookup
from whatworks_eval.records import Contrast, Windowed
from whatworks_eval.sources import load_data
from whatworks_eval.windows import rewindow, usable

Windows = tuple[tuple[str, str], tuple[str, str]]
FALL, SETS, WHOLE_EVERY, OTHERS_EVERY = 0.8, 399, 100, 4
SIMULATED = "simulated"
SIDE, LEVEL = 10, 8.0  # a simulated map of 10 by 10 areas, incidents an area and month


@dataclass(frozen=True)
class Cell:
    """One place, offence, way of counting change and shape of the treated set.

    Attributes:
        force: A police force, or 'simulated'.
        offence: As in calibration.py.
        outcome: 'rate', 'mean' (difference in mean counts) or 'ratio' (cohorts only).
        kind: As in calibration.py: 'scattered', 'clump' or 'ward'.
        groups: Clumps, wards or single areas treated, by cohort.
        size: Areas in a clump.
    """

    force: str
    offence: str
    outcome: str
    kind: str
    groups: tuple[int, ...]
    size: int = 1

    @property
    def shape(self) -> str:
        """The treated set in words."""
        each = " + ".join(str(number) for number in self.groups)
        what = {"scattered": "scattered", "clump": f"clumps of {self.size}", "ward": "wards"}[self.kind]
        return f"{each} {what}" if self.groups != (1,) else f"clump of {self.size}"


ASB, AVON = "ASB", "Avon & Somerset"
CELLS = (
    Cell(AVON, ASB, "rate", "scattered", (3,)),
    Cell(AVON, ASB, "rate", "scattered", (10,)),
    Cell(AVON, ASB, "rate", "scattered", (40,)),
    Cell(AVON, ASB, "rate", "clump", (1,), 3),
    Cell(AVON, ASB, "rate", "clump", (1,), 10),
    Cell(AVON, ASB, "rate", "ward", (4,)),
    Cell("Gwent", "violence", "mean", "scattered", (10,)),
    Cell("Gwent", "violence", "mean", "clump", (1,), 10),
    Cell(AVON, ASB, "ratio", "scattered", (3, 3, 3)),
    Cell(AVON, ASB, "ratio", "scattered", (10, 10, 10)),
    Cell(AVON, ASB, "ratio", "clump", (2, 2, 2), 4),
    Cell(AVON, ASB, "mean", "scattered", (10, 10, 10)),
    Cell(SIMULATED, "", "ratio", "scattered", (3, 3)),
    Cell(SIMULATED, "", "ratio", "scattered", (2, 2, 2)),
    Cell(SIMULATED, "", "mean", "scattered", (3, 3)),
    Cell(SIMULATED, "", "mean", "scattered", (2, 2, 2)),
)


def windows_of(cell: Cell) -> Windows:
    """A year before and a year after."""
    return (
        FORCES[cell.force][1][0] if cell.force in FORCES else (("2018-01", "2018-12"), ("2019-01", "2019-12"))
    )


def starts_in(cell: Cell) -> list[str]:
    """The start of each cohort: every four months from the first."""
    after = windows_of(cell)[1]
    months = period_range(*after, "month")
    return [months[4 * number] for number in range(len(cell.groups))]


def protocol_of(cell: Cell, data: Path) -> Protocol:
    """The declared design of a cell."""
    before, after = windows_of(cell)
    plain: dict[str, Any] = {
        "schema": 1,
        "id": "did-calibration",
        "question": "Nothing was done: is it found?",
        "method": "did",
        "seed": 1,
        "intervention": {"name": "nothing", "start": after[0], "assignment": "phased"},
        "outcome": {
            "source": "counts",
            "path": "none.csv",
            "kind": "rate" if cell.outcome == "rate" else "count",
        },
        "windows": {"before": before, "after": after},
        "areas": {"treated": ["any"], "comparison": "rest"},
        "did": {"model": "poisson" if cell.outcome == "ratio" else "linear"},
    }
    if cell.force != SIMULATED:
        plain["outcome"] |= {
            "source": "police-uk",
            "path": FORCES[cell.force][0],
            "offences": OFFENCES[cell.offence],
        }
    if cell.outcome == "rate":
        people = data / "population" / "lsoa11_population_mid2017_2019_2020.csv.gz"
        plain["covariates"] = {"residents": {"path": str(people), "column": "mid2019", "code": "lsoa11_code"}}
    return protocol_from_dict(plain, base=data / "police_uk")


@lru_cache(maxsize=2)
def real(cell: Cell, data: Path) -> Panel:
    """The real panel of a cell."""
    panel = load_data(protocol_of(cell, data))
    assert isinstance(panel, Panel)
    return panel


def simulated(rng: np.random.Generator) -> Panel:
    """Counts with area and month effects, areas' own yearly shifts and more than chance variation."""
    periods, areas = period_range("2018-01", "2019-12", "month"), SIDE * SIDE
    mean = LEVEL * rng.gamma(4.0, 0.25, areas)[:, None] * rng.gamma(60.0, 1 / 60.0, len(periods))
    for year in (slice(0, 12), slice(12, 24)):
        mean[:, year] *= np.exp(rng.normal(0, 0.15, areas))[:, None]
    counts = rng.poisson(mean * rng.gamma(5.0, 0.2, mean.shape)).astype(float)
    at = np.arange(areas)
    return Panel(
        areas=tuple(f"S{number:03d}" for number in at),
        periods=tuple(periods),
        counts=counts,
        observed=np.ones(counts.shape, dtype=bool),
        centroids=np.column_stack([at % SIDE, at // SIDE]) * 800.0,
        ledger=Ledger(),
    )


def drawn(
    cell: Cell, panel: Panel, wards: dict[str, str], protocol: Protocol, rng: np.random.Generator
) -> Contrast:
    """The contrast of one draw: separate groups, dealt out to the cohorts."""
    groups = sum(cell.groups)
    nothing = np.zeros(len(panel.areas))
    if cell.kind == "clump":
        taken: list[np.ndarray] = []
        while len(taken) < groups:
            one = draw_treated("clump", cell.size, nothing, panel, wards, rng)
            assert panel.centroids is not None
            together = clumps(adjoining_pairs(panel.centroids), np.sort(np.concatenate([*taken, one])))
            if len(together) == len(taken) + 1 and all(len(group) == cell.size for group in together):
                taken.append(one)
        treated = np.concatenate(taken)
    else:
        treated = draw_treated(cell.kind, groups, nothing, panel, wards, rng)
    contrast, _ = contrast_of(cell.kind, treated, panel, wards, protocol)
    if len(cell.groups) == 1:
        return contrast
    units = sorted({contrast.units[area] for area in contrast.treated})
    begin = np.repeat(starts_in(cell), cell.groups)[rng.permutation(len(units))]
    by_unit = dict(zip(units, begin.tolist(), strict=True))
    return replace(contrast, starts={area: by_unit[contrast.units[area]] for area in contrast.treated})


def planted(panel: Panel, contrast: Contrast, first: str, rng: np.random.Generator) -> Panel:
    """The panel with a fifth of the treated areas' incidents taken out from their start on."""
    counts = panel.counts.copy()
    for area in contrast.treated:
        at = panel.areas.index(area)
        after = np.array([period >= contrast.starts.get(area, first) for period in panel.periods])
        inside = after & panel.observed[at]
        counts[at, inside] = rng.binomial(counts[at, inside].astype(int), FALL)
    return replace(panel, counts=counts)


def effect_in(setting: Setting, windowed: Windowed) -> float:
    """The mean effect of a fall of a fifth on areas as they were, weighted as the estimate weights them."""
    data, total, areas = setting.data, 0.0, 0
    cohort = np.searchsorted(data.starts, data.start)
    for at in np.flatnonzero(windowed.arm == "treated"):
        total += (FALL - 1) * float(data.counts[at, data.after[cohort[at]]].mean())
        areas += 1
    return total / areas


def rejected(setting: Setting, truth: float, *, linear: bool) -> tuple[bool, float]:
    """Whether the hypothesis of this effect is rejected, and its p-value before the floor."""
    make = mean_test if linear else roll_out_test
    test = make(setting.data, setting.sets, setting.cohorts, setting.matches)
    p_value = test.p_value(truth)
    return p_value <= 0.05, p_value


def others(contrast: Contrast, windowed: Windowed, setting: Setting, *, linear: bool) -> dict[str, bool]:
    """Whether the usual two-way regression with clustered errors would have found something."""
    inside = in_arms(windowed)
    data, treated = setting.data, (windowed.arm == "treated")[inside]
    codes = clusters_of(contrast, windowed)[inside]
    counts = data.counts[inside]
    if len(data.starts) == 1:  # two periods say the same as many, and are quicker
        counts = np.column_stack([counts[:, mask].mean(axis=1) for mask in (data.before[0], data.after[0])])
        project = np.outer(treated, [0.0, 1.0])
    else:
        project = (np.arange(counts.shape[1])[None, :] >= data.start[inside, None]) * 1.0
    fit = (fit_linear if linear else fit_poisson)(counts, {"project": project})
    found = {}
    for kind in ("CR1", "CR2") if len(data.starts) == 1 else ("CR1",):
        error = clustered(fit, codes, kind=kind, treated=treated)
        if error.why_missing is not None:  # one treated cluster has no error
            continue
        se = float(error.errors[0])
        if kind == "CR1":
            found["two-way, CR1, normal"] = bool(abs(fit.params[0]) > 1.96 * se)
        elif error.p_value("project") is not None:
            found["two-way, CR2, t"] = bool((error.p_value("project") or 0.0) <= 0.05)
    return found


def run_cell(job: tuple[Cell, Path, int] | tuple[Cell, Path, int, int]) -> dict[str, Any]:
    """Rejection and coverage of one cell; a fourth entry is the seed of another stream of draws."""
    cell, data, draws, *seed = job
    protocol, linear = protocol_of(cell, data), cell.outcome != "ratio"
    assert is_linear(protocol) == linear
    rng = np.random.default_rng([seed_of(cell), draws, *(one for one in seed if one)])  # type: ignore[arg-type]
    panel = simulated(rng) if cell.force == SIMULATED else real(cell, data)
    wards: dict[str, str] = {}
    if cell.kind == "ward":
        lookup = UnitLookup(file="lookup_lsoa11_ward17.csv.gz", code="lsoa11_code", unit="ward17_code")
        found = read_units(lookup, data / "geography")
        wards = {area: found[area] for area in panel.areas}
    if panel.residents is not None:  # places nobody lives in have no rate
        assert (panel.residents > 0).all()
    tally: defaultdict[str, list[bool]] = defaultdict(list)
    periods = usable(protocol, panel, panel.areas)
    for draw in range(draws):
        if cell.force == SIMULATED:
            panel = simulated(rng)
        contrast = drawn(cell, panel, wards, protocol, rng)
        with_fall = planted(panel, contrast, windows_of(cell)[1][0], rng)
        truth = float(np.log(FALL))
        for name, here in (("null", panel), ("planted", with_fall)):
            windowed = rewindow(here, contrast, periods)
            setting = setting_of(protocol, here, contrast, windowed, draws=SETS)
            if setting.sets.smallest_p > 0.05:
                tally["refused"].append(name == "null")
                continue
            if name == "null" and linear:
                truth = effect_in(setting, windowed)
            says, p_value = rejected(setting, 0.0 if name == "null" else truth, linear=linear)
            tally[name].append(says)
            if name == "planted":
                continue
            if draw % OTHERS_EVERY == 0:
                for other, found_it in others(contrast, windowed, setting, linear=linear).items():
                    tally[f"reject {other}"].append(found_it)
            if draw % WHOLE_EVERY == 0:
                whole = from_panel(protocol, here, contrast, windowed, draws=SETS).estimate
                assert whole.p_value == max(p_value, setting.sets.smallest_p)
    return {
        "force": cell.force,
        "offence": cell.offence,
        "outcome": cell.outcome,
        "kind": cell.kind,
        "shape": cell.shape,
        "draws": draws,
        "seed": seed[0] if seed else 0,
        "refused": int(sum(tally["refused"])),
        "rejection": 100 * float(np.mean(tally["null"])) if tally["null"] else None,
        "coverage": 100 - 100 * float(np.mean(tally["planted"])) if tally["planted"] else None,
        "others": {
            name.removeprefix("reject "): 100 * float(np.mean(values))
            for name, values in tally.items()
            if name.startswith("reject ")
        },
        "others_draws": len(range(0, draws, OTHERS_EVERY)),
    }


def main() -> None:
    """Run the cells, or turn their results into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("results", nargs="?", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("did_calibration.jsonl"))
    parser.add_argument("--only", default="", help="run only cells whose force, outcome or shape holds this")
    parser.add_argument("--seed", type=int, default=0, help="another stream of draws than the page's first")
    given = parser.parse_args()
    if given.what == "table":
        from did_calibration_page import page

        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        sys.stdout.write(page([json.loads(line) for line in given.results.read_text().splitlines()]))
        return
    jobs = [
        (cell, given.data.resolve(), given.draws, given.seed)
        for cell in CELLS
        if given.only in f"{cell.force} {cell.outcome} {cell.shape}"
    ]
    with Pool(given.jobs) as pool, given.out.open("a") as out:
        for done, result in enumerate(pool.imap(run_cell, jobs), start=1):
            out.write(json.dumps(result) + "\n")
            out.flush()
            print(f"{done} of {len(jobs)}", file=sys.stderr)


if __name__ == "__main__":
    main()
