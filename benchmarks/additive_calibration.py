"""Is an interval for the weighted displacement difference honest on real counts where nothing was done?

    python benchmarks/additive_calibration.py --data ../shared/data --draws 400 [--shape "clump of 10"]

The cells, draws and placebo sets are those of calibration.py; the statistic is that of inference/additive.py,
which `evaluate` calls. 'planted' takes a fifth of the after incidents out of the treated areas; the truth
is then minus a fifth of what was recorded. 'textbook' is the published test (Poisson error), areas weighted.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from calibration import FALL, FORCES, OFFENCES, SETS, SHAPES, Cell, contrast_of, draw_treated, protocol_of

from whatworks_eval.areas import read_units
from whatworks_eval.effects.wdd import wdd
from whatworks_eval.effects.weighting import weights_for
from whatworks_eval.inference.additive import additive_test
from whatworks_eval.inference.relabel_test import relabel_test
from whatworks_eval.inference.relabelling import matches_of, sets_for
from whatworks_eval.panel import Panel
from whatworks_eval.protocol_tables import UnitLookup
from whatworks_eval.sources import load_data
from whatworks_eval.windows import rewindow, usable

Z = 1.959964


def run_cell(cell: Cell, data: Path, draws: int, seed: int = 1) -> dict[str, Any]:
    """Share of draws in which each test rejects the truth, in percent."""
    kind, size = SHAPES[cell.shape]
    plain = protocol_of(cell, data, {"treated": ["any"], "comparison": "rest"})
    panel = load_data(plain)
    assert isinstance(panel, Panel)
    lookup = UnitLookup(file="lookup_lsoa11_ward17.csv.gz", code="lsoa11_code", unit="ward17_code")
    units = read_units(lookup, data / "geography")
    wards = {area: ward for area, ward in units.items() if area in panel.areas}
    periods = usable(plain, panel, panel.areas)
    level = panel.counts[:, periods.before].sum(axis=1)
    rng = np.random.default_rng([seed, draws])
    missed: dict[str, list[bool]] = {"null": [], "planted": [], "ratio, null": [], "textbook, null": []}
    for _ in range(draws):
        treated = draw_treated(kind, size, level, panel, wards, rng)
        contrast, _ = contrast_of(kind, treated, panel, wards, plain)
        windowed = rewindow(panel, contrast, periods)
        inside = windowed.arm == "treated"
        assert windowed.index is not None
        assert panel.centroids is not None
        thinned = windowed.after.copy()
        thinned[inside] = rng.binomial(thinned[inside].astype(int), FALL)
        truth = (FALL - 1) * float(windowed.after[inside].sum())
        for name, after, effect in (("null", windowed.after, 0.0), ("planted", thinned, truth)):
            changed = replace(windowed, after=after)
            sets = sets_for(contrast, changed, panel.centroids[windowed.index], seed=1, draws=SETS)
            if sets.smallest_p > 0.05:
                continue
            matches = matches_of(contrast, changed, 3)
            test = additive_test(windowed.before, after, sets, matches)
            missed[name].append(test.p_value(effect) <= 0.05)
            if name == "null":
                other = relabel_test(windowed.before, after, sets, matches)
                missed["ratio, null"].append(other.p_value(0.0) <= 0.05)
                plainly = wdd(
                    treated=changed.total("treated"),
                    comparison=changed.total("comparison"),
                    weights=replace(weights_for(plain, changed), before=1.0),
                    whole=False,
                )
                if plainly.value is not None and plainly.se is not None:
                    missed["textbook, null"].append(abs(plainly.value) > Z * plainly.se)
    found = {name: round(100 * float(np.mean(values)), 1) for name, values in missed.items() if values}
    return {"force": cell.force, "offence": cell.offence, "shape": cell.shape, "draws": draws, **found}


def main() -> None:
    """One JSON line a cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--shape", action="append")
    parser.add_argument("--offence", action="append")
    parser.add_argument("--force", action="append")
    told = parser.parse_args()
    for force in told.force or FORCES:
        before, after = FORCES[force][1][0]
        for offence in told.offence or OFFENCES:
            for shape in told.shape or SHAPES:
                cell = Cell(force=force, offence=offence, before=before, after=after, shape=shape)
                print(json.dumps(run_cell(cell, told.data, told.draws)), flush=True)


if __name__ == "__main__":
    main()
