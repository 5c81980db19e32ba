"""Interrupted time series on real series: peers' numbers, London boroughs, and police.uk placebo draws."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whatworks_eval import evaluate, load_data, protocol_from_dict
from whatworks_eval.evaluation import Evaluation
from whatworks_eval.inference.segmented import average_gradient, design_matrix, fit_poisson, serial_error
from whatworks_eval.inference.series_sets import series_test
from whatworks_eval.records import PlaceboSets
from whatworks_eval.report import render

LONG = "long_series/MPS_Borough_Level_Crime_Historical_201004_202102.csv.gz"
SHOOTINGS = "panels/wheeler_did_simulated_monthly.csv.gz"


def shootings(folder: Path) -> np.ndarray:
    """The treated series: 132 months, with a break at the 64th."""
    with gzip.open(folder / SHOOTINGS, "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["Exper"] == "1"]
    return np.array([float(row["Y"]) for row in sorted(rows, key=lambda row: int(row["Ord"]))])


def test_segmented_regression_gives_the_numbers_of_r_and_statsmodels(shared_data: Path) -> None:
    """Least squares, Newey-West and Poisson of reference/test_vectors.md F2, to the digits given."""
    from statsmodels.regression.linear_model import OLS

    counts = shootings(shared_data)
    time = np.arange(1.0, 133.0)
    design = design_matrix(time, time >= 64)
    from_zero = design.copy()
    from_zero[:, 1] = time
    plain = OLS(counts, from_zero).fit()
    assert plain.params == pytest.approx([8.324629, 0.084101, -5.713328, -0.099264], abs=5e-7)
    assert plain.bse[2:] == pytest.approx([1.292629, 0.034061], abs=5e-7)
    for lags, small, expected in ((3, False, 1.940196), (3, True, 1.970279), (1, False, 1.618861)):
        robust = OLS(counts, from_zero).fit(
            cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": small}
        )
        assert robust.bse[2] == pytest.approx(expected, abs=5e-7)
    line = fit_poisson(counts, design)
    assert line.params[2:] == pytest.approx([-0.554754, -0.009692], abs=5e-7)
    inverse = np.linalg.inv(design.T @ (design * line.fitted[:, None]))
    assert np.sqrt(np.diag(inverse))[2:] == pytest.approx([0.112242, 0.003049], abs=5e-7)
    dispersion = ((counts - line.fitted) ** 2 / line.fitted).sum() / 128
    assert dispersion == pytest.approx(1.532431, abs=5e-7)
    found = serial_error(counts, line, time, average_gradient(line, time >= 64)[None], seed=1)
    assert found.dispersion == pytest.approx(1.53, abs=0.1)
    assert 0 < found.next_period < 0.4


def boroughs(folder: Path, place: Path, **changes: Any) -> Evaluation:
    """Camden and Islington 'treated' in 2016, when nothing was done there."""
    with gzip.open(folder / LONG, "rt") as file:
        (place / "boroughs.csv").write_text(file.read())
    plain: dict[str, Any] = {
        "schema": 1,
        "id": "boroughs",
        "question": "Nothing was done: is it found?",
        "method": "interrupted-time-series",
        "intervention": {"name": "nothing", "start": "2016-01", "assignment": "volunteer"},
        "outcome": {
            "source": "counts",
            "path": "boroughs.csv",
            "layout": "wide",
            "area": "LookUp_BoroughName",
            "offence": "MajorText",
            "offences": ["Burglary"],
        },
        "windows": {"before": ["2012-01", "2015-12"], "after": ["2016-01", "2016-12"]},
        "areas": {"treated": ["Camden", "Islington"], "unit": "area"},
    }
    protocol = protocol_from_dict({**plain, **changes}, base=place)
    return evaluate(protocol, load_data(protocol))


def test_london_boroughs_with_and_without_a_comparison(shared_data: Path, tmp_path: Path) -> None:
    """Eleven years of monthly counts: both forms run, say their level and draw their charts."""
    alone = boroughs(shared_data, tmp_path)
    assert alone.grade.ceiling == alone.grade.level == 2
    assert alone.estimate.low is not None
    assert alone.estimate.high is not None
    poisson = next(other for other in alone.alternatives if other.label == "Poisson interval")
    assert poisson.se is not None
    assert alone.estimate.se is not None
    assert alone.estimate.se > 1.5 * poisson.se
    assert 'id="series"' in (page := render(alone, "html"))
    assert 'id="running"' not in page
    areas = {"treated": ["Camden", "Islington"], "comparison": "rest", "unit": "area"}
    against = boroughs(shared_data, tmp_path, areas=areas)
    assert against.grade.ceiling == 3
    assert against.estimate.smallest_p == pytest.approx(1 / 528)
    assert 'id="running"' in render(against, "html")
    assert {finding.rule for finding in against.findings} >= {
        "history.autocorrelation",
        "history.seasonal-windows",
        "selection.two-series",
    }


def placebo_boroughs(folder: Path, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Burglary by borough over the 48 months from a place in the series, and the 12 after."""
    with gzip.open(folder / LONG, "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["MajorText"] == "Burglary"]
    months = [name for name in rows[0] if name.isdigit()][first : first + 60]
    names = sorted({row["LookUp_BoroughName"] for row in rows} - {"London Heathrow and London City Airports"})
    counts = np.zeros((len(names), 60))
    for row in rows:
        if row["LookUp_BoroughName"] in names:
            counts[names.index(row["LookUp_BoroughName"])] += [float(row[month] or 0) for month in months]
    return counts[:, :48], counts[:, 48:]


@pytest.mark.parametrize("first", [0, 12, 24, 36, 48])
def test_every_borough_in_turn_is_ranked_among_the_others(shared_data: Path, first: int) -> None:
    """With each area treated once, one in twenty stands out at 5 %: two or fewer of 32, by construction."""
    before, after = placebo_boroughs(shared_data, first)
    design = design_matrix(np.arange(60.0), np.arange(60) >= 48)[:, :2]
    size = len(before)
    low = 0
    for treated in range(size):
        sets = PlaceboSets(
            row=np.arange(size),
            rows=size,
            treated=np.array([treated]),
            members=np.arange(size)[:, None],
            exact=True,
            how="each borough",
            smallest_p=1 / size,
        )
        low += series_test(before, after, (design[:48], design[48:]), sets).p_value(0.0) <= 0.05
    assert low <= 2
