"""Is a true null rejected 5 % of the time by the interrupted time series?

    python benchmarks/time_series.py simulated --draws 1000
    python benchmarks/time_series.py real --data ../shared/data --draws 400

`simulated`: monthly counts with a trend, a season, dispersion and autocorrelation, 48 + 12 months, nothing
done; textbook errors beside the registered one. `real`: treated areas against all others, on real
police.uk counts where nothing was done, scattered areas and clumps, with a fall of 20 % planted for coverage.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from calibration import OFFENCES, SHAPES, Cell, contrast_of, draw_treated, protocol_of

from whatworks_eval.areas import read_units
from whatworks_eval.inference.relabelling import sets_for
from whatworks_eval.inference.segmented import (
    average_gradient,
    design_matrix,
    fit_poisson,
    season_of,
    serial_error,
)
from whatworks_eval.inference.series_sets import series_test
from whatworks_eval.panel import Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol_tables import UnitLookup
from whatworks_eval.sources import load_data
from whatworks_eval.windows import rewindow, usable

WINDOWS = {
    "Avon & Somerset": (("2018-01", "2018-12"), ("2019-01", "2019-12")),
    "Gwent": (("2020-01", "2021-08"), ("2021-09", "2022-08")),
}
FALL = 0.8
SETS = 499


def simulate(rho: float, mean: float, dispersion: float, draws: int) -> dict[str, float]:
    """Share of series with nothing in them in which each error finds something at 5 %."""
    periods = period_range("2014-01", "2018-12", "month")
    time, after = np.arange(60.0), np.arange(60) >= 48
    season = season_of(periods, "month")
    design = design_matrix(time, after, season)
    base = mean * np.exp(0.15 * np.sin(2 * np.pi * season) + 0.003 * time)
    rng = np.random.default_rng([int(100 * rho), int(mean), int(dispersion)])
    size = np.sqrt((dispersion - 1) / base)
    hits: dict[str, list[bool]] = {}
    for draw in range(draws):
        wave = rng.standard_normal(160)
        for at in range(1, 160):
            wave[at] = rho * wave[at - 1] + np.sqrt(1 - rho**2) * wave[at]
        counts = rng.poisson(base * np.exp(size * wave[100:] - size**2 / 2)).astype(float)
        line = fit_poisson(counts, design)
        gradient = average_gradient(line, after)
        found = serial_error(counts, line, time, gradient[None, :], seed=draw, draws=499)
        value = float(np.log(counts[after].sum() / line.without[after].sum()))
        inverse = np.linalg.inv(design.T @ (design * line.fitted[:, None]))
        residual = counts - line.fitted
        free = len(time) - design.shape[1]
        scores = design * residual[:, None]
        put = hits.setdefault
        plain = float(gradient @ inverse @ gradient)
        pearson = float((residual**2 / line.fitted).sum() / free)
        put("Poisson", []).append(abs(value) > 1.96 * np.sqrt(plain))
        put("quasi-Poisson", []).append(abs(value) > 2.007 * np.sqrt(pearson * plain))
        for lags in (3, 6):
            meat = scores.T @ scores
            for lag in range(1, lags + 1):
                part = scores[lag:].T @ scores[:-lag]
                meat += (1 - lag / (lags + 1)) * (part + part.T)
            spread = gradient @ inverse @ meat @ inverse @ gradient * len(time) / free
            put(f"Newey-West, {lags} lags", []).append(abs(value) > 2.007 * np.sqrt(spread))
        put("REML, normal", []).append(abs(value) > 1.96 * found.errors[0])
        put("REML, simulated critical values", []).append(found.p_value(0, value) <= 0.05)
        put("residual correlation found", []).append(found.next_period)  # type: ignore[arg-type]
    return {name: float(np.mean(values)) for name, values in hits.items()}


def real(force: str, offence: str, shape: str, data: Path, draws: int) -> dict[str, float]:
    """Rejection of a true null and coverage of a planted fall, for one force, offence and shape."""
    before, after = WINDOWS[force]
    cell = Cell(force, offence, before, after, shape)
    kind, size = SHAPES[shape]
    plain = protocol_of(cell, data, {"treated": ["any"], "comparison": "rest"})
    panel = load_data(plain)
    assert isinstance(panel, Panel)
    assert panel.centroids is not None
    periods = usable(plain, panel, panel.areas)
    used = np.flatnonzero(periods.before | periods.after)
    late = periods.after[used]
    matrix = design_matrix((used - used[0]).astype(float), late)[:, :2]
    design = matrix[~late], matrix[late]
    lookup = UnitLookup(file="lookup_lsoa11_ward17.csv.gz", code="lsoa11_code", unit="ward17_code")
    known = set(panel.areas)
    wards = {area: ward for area, ward in read_units(lookup, data / "geography").items() if area in known}
    rng = np.random.default_rng(7)
    rejected, covered, widths = [], [], []
    for _ in range(draws):
        treated = draw_treated(kind, size, np.empty(0), panel, wards, rng)
        contrast, _ = contrast_of(kind, treated, panel, wards, plain)
        windowed = rewindow(panel, contrast, periods)
        assert windowed.index is not None
        first = panel.counts[np.ix_(windowed.index, used[~late])]
        second = panel.counts[np.ix_(windowed.index, used[late])]
        sets = sets_for(contrast, windowed, panel.centroids[windowed.index], seed=1, draws=SETS)
        rejected.append(series_test(first, second, design, sets).p_value(0.0) <= 0.05)
        inside = windowed.arm == "treated"
        second[inside] = rng.binomial(second[inside].astype(int), FALL)
        test = series_test(first, second, design, sets)
        covered.append(test.p_value(float(np.log(FALL))) > 0.05)
        widths.append(float(np.quantile(np.abs(test.effects), 0.95)))
    return {
        "rejected %": 100 * float(np.mean(rejected)),
        "covered %": 100 * float(np.mean(covered)),
        "half width": float(np.median(widths)),
    }


def main() -> None:
    """Print one JSON line a cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("simulated", "real"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--shape", action="append")
    asked = parser.parse_args()
    if asked.what == "simulated":
        for mean, dispersion in ((100.0, 2.0), (1000.0, 20.0)):
            for rho in (0.0, 0.3, 0.6):
                found = simulate(rho, mean, dispersion, asked.draws)
                print(json.dumps({"mean": mean, "dispersion": dispersion, "rho": rho} | found), flush=True)
        return
    for force in WINDOWS:
        for offence in [name for name in OFFENCES if name != "burglary"]:
            for shape in asked.shape or ("10 scattered", "clump of 10", "4 wards"):
                found = real(force, offence, shape, asked.data, asked.draws)
                print(json.dumps({"force": force, "offence": offence, "shape": shape} | found), flush=True)


if __name__ == "__main__":
    main()
