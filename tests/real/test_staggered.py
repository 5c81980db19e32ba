"""Staggered starts on real panels: the numbers of R, Stata and Python packages (test_vectors.md C)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from whatworks_eval.did.aggregate import aggregate, pre_test
from whatworks_eval.did.comparisons import EARLIER, LATER, NEVER_TREATED, Comparisons, goodman_bacon
from whatworks_eval.did.group_time import GroupTime, group_time
from whatworks_eval.did.imputation import imputation
from whatworks_eval.did.rollout import Rollout, rollout


@pytest.fixture(scope="module")
def counties(shared_data: Path) -> Rollout:
    """Teenage employment (log) in 500 counties, 2003 to 2007, by when their minimum wage rose."""
    frame = pd.read_csv(shared_data / "panels" / "mpdta.csv.gz")
    table = frame.pivot(index="countyreal", columns="year", values="lemp")
    first = frame.groupby("countyreal")["first.treat"].first().loc[table.index].to_numpy()
    people = frame.groupby("countyreal")["lpop"].first().loc[table.index].to_numpy()
    return rollout(table.to_numpy(), np.where(first == 0, -1, first - 2003), covariates=people)


def castle(folder: Path, coding: str, column: str = "l_homicide") -> Rollout:
    """States, 2000 to 2010, by castle-doctrine law: the year it took effect, or that of the `lag0` column.

    The file's own `post` is that of Cunningham's: the year after. The R package bacondecomp's begins one
    year earlier in each of the 21 states.
    """
    frame = pd.read_csv(folder / "panels" / "castle.csv.gz")
    table = frame.pivot(index="sid", columns="year", values=column).to_numpy()
    years = frame.pivot(index="sid", columns="year", values="post").to_numpy().sum(axis=1)
    lag = frame.pivot(index="sid", columns="year", values="lag0").to_numpy()
    if coding == "lag0":
        return rollout(table, np.where(lag.any(axis=1), lag.argmax(axis=1), -1))
    shift = {"effective": 1, "year after": 0}[coding]
    return rollout(table, np.where(years > 0, 11 - years - shift, -1))


def of(cells: GroupTime, year: int) -> dict[int, tuple[float, float]]:
    """Effects and errors of the cohort of a year, by year."""
    return {
        int(period) + 2003: (float(value), float(error))
        for cohort, period, value, error in zip(
            cells.cohort, cells.period, cells.value, cells.se, strict=True
        )
        if cohort + 2003 == year
    }


def test_mpdta_by_cohort_and_year(counties: Rollout) -> None:
    """Every cell of the did package's walk-through, to the digits given."""
    cells = group_time(counties)
    published = {
        2004: {
            2004: (-0.0105032, 0.0232510),
            2005: (-0.0704232, 0.0309848),
            2006: (-0.1372587, 0.0364357),
            2007: (-0.1008114, 0.0343592),
        },
        2006: {
            2004: (0.0065201, 0.0233268),
            2005: (-0.0027508, 0.0195586),
            2006: (-0.0045946, 0.0177552),
            2007: (-0.0412245, 0.0202292),
        },
        2007: {
            2004: (0.0305067, 0.0150336),
            2005: (-0.0027259, 0.0163958),
            2006: (-0.0310871, 0.0178775),
            2007: (-0.0260544, 0.0166554),
        },
    }
    for cohort, years in published.items():
        found = of(cells, cohort)
        assert found.keys() == years.keys()
        for year, pair in years.items():
            assert found[year] == pytest.approx(pair, abs=5.1e-8)
    assert pre_test(cells).p_value == pytest.approx(0.16812, abs=5e-6)


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        ("simple", -0.0399512752, 0.0120340128),
        ("dynamic", -0.0772398215, 0.0199649891),
        ("group", -0.0310182822, 0.0124460593),
        ("calendar", -0.0417004321, 0.0159718519),
    ],
)
def test_mpdta_aggregations(counties: Rollout, kind: Any, value: float, error: float) -> None:
    """The four overall numbers, to ten digits."""
    path = aggregate(group_time(counties), kind)
    assert (path.overall, path.overall_se) == pytest.approx((value, error), abs=6e-11)


def test_mpdta_along_each_axis(counties: Rollout) -> None:
    """By event time, cohort and calendar year."""
    cells = group_time(counties)
    dynamic = aggregate(cells, "dynamic")
    assert dynamic.at.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert dynamic.value == pytest.approx(
        [0.0305067, -0.0005631, -0.0244587, -0.0199318, -0.0509574, -0.1372587, -0.1008114], abs=5.1e-8
    )
    assert dynamic.se == pytest.approx(
        [0.0150336, 0.0132916, 0.0142364, 0.0118264, 0.0168935, 0.0364357, 0.0343592], abs=5.1e-8
    )
    group = aggregate(cells, "group")
    assert group.value == pytest.approx([-0.079749, -0.022910, -0.026054], abs=6e-7)
    assert group.se == pytest.approx([0.026368, 0.016703, 0.016655], abs=6e-7)
    calendar = aggregate(cells, "calendar")
    assert calendar.value == pytest.approx([-0.0105, -0.0704, -0.0488, -0.0371], abs=5.1e-5)
    assert calendar.se[2:] == pytest.approx([0.0201, 0.0137], abs=5.1e-5)
    universal = aggregate(group_time(counties, base="universal"), "dynamic")
    assert universal.value[:4] == pytest.approx([0.003306, 0.025022, 0.024459, 0], abs=6e-7)
    assert universal.se[:3] == pytest.approx([0.024452, 0.018119, 0.014236], abs=6e-7)
    assert universal.value[4:] == pytest.approx(dynamic.value[3:], abs=1e-14)


def test_mpdta_not_yet_treated(counties: Rollout) -> None:
    """Counties that start later are compared too."""
    cells = group_time(counties, comparison="not-yet-treated")
    simple = aggregate(cells, "simple")
    assert (simple.overall, simple.overall_se) == pytest.approx((-0.0397636256, 0.0120524248), abs=6e-11)
    group = aggregate(cells, "group")
    assert group.value == pytest.approx([-0.083694, -0.018282, -0.026054], abs=6e-7)
    assert group.se == pytest.approx([0.025702, 0.015922, 0.016655], abs=6e-7)
    assert of(cells, 2006)[2006] == pytest.approx((0.0046609, 0.0163356), abs=5.1e-8)


@pytest.mark.parametrize(
    ("method", "value", "error", "tolerance"),
    [
        ("regression", -0.0419686124, 0.0114448298, 6e-11),
        ("weighting", -0.0417770822, 0.0114997194, 6e-11),
        # The tool behind the published digits leaves out the last normalisation of the authors' own code.
        ("doubly-robust", -0.0417514971, 0.0115029200, 4e-7),
    ],
)
def test_mpdta_with_population(
    counties: Rollout, method: Any, value: float, error: float, tolerance: float
) -> None:
    """Log population as covariate, by each method."""
    cells = group_time(counties, method=method)
    simple = aggregate(cells, "simple")
    assert (simple.overall, simple.overall_se) == pytest.approx((value, error), abs=tolerance)
    if method == "doubly-robust":
        group = aggregate(cells, "group")
        assert group.value == pytest.approx([-0.084576, -0.020166, -0.028781], abs=1e-6)
        assert group.se == pytest.approx([0.024565, 0.017470, 0.016239], abs=1e-6)
        assert pre_test(cells).p_value == pytest.approx(0.2327, abs=5e-5)
        dynamic = aggregate(cells, "dynamic")
        assert (dynamic.overall, dynamic.overall_se) == pytest.approx((-0.0804, 0.0190), abs=5.1e-5)


def by_kind(found: Comparisons) -> list[tuple[float, float]]:
    """Weight and value by kind."""
    totals = {total.kind: (total.weight, total.value) for total in found.kinds}
    return [totals[kind] for kind in (NEVER_TREATED, LATER, EARLIER)]


def test_castle_laws_as_bacondecomp_codes_them(shared_data: Path) -> None:
    """Goodman-Bacon's weights, and effects by cohort; a lone state's tiny error is marked."""
    data = castle(shared_data, "effective")
    found = goodman_bacon(data)
    assert found.twfe == pytest.approx(0.0818116, abs=6e-8)
    expected = [(0.9083, 0.0880), (0.0598, -0.0055), (0.0319, 0.0703)]
    assert np.array(by_kind(found)) == pytest.approx(np.array(expected), abs=5.1e-5)
    assert found.forbidden_share == pytest.approx(0.0319, abs=5.1e-5)
    never = group_time(data)
    simple = aggregate(never, "simple")
    assert (simple.overall, simple.overall_se) == pytest.approx((0.1103830, 0.0387242), abs=6e-8)
    later = aggregate(group_time(data, comparison="not-yet-treated"), "simple")
    assert (later.overall, later.overall_se) == pytest.approx((0.1093550, 0.0391654), abs=6e-8)
    group = aggregate(never, "group")
    assert group.treated.tolist() == [1, 13, 4, 2, 1]
    assert group.value == pytest.approx([0.093070, 0.109945, 0.128402, 0.122121, -0.002808], abs=6e-7)
    assert group.few.tolist() == [True, False, False, True, True]
    dynamic = aggregate(never, "dynamic")
    assert (dynamic.at[0], dynamic.treated[0], dynamic.few[0]) == (-8, 1, True)
    assert (dynamic.value[0], dynamic.se[0]) == pytest.approx((0.527606, 0.041401), abs=6e-7)
    assert pre_test(never).left_out == 4 + 7 + 8


def test_castle_laws_by_the_lag_column(shared_data: Path) -> None:
    """The other coding: group-time effects, imputation, and the weights."""
    data = castle(shared_data, "lag0")
    simple = aggregate(group_time(data), "simple")
    assert (simple.overall, simple.overall_se) == pytest.approx((0.0973922, 0.0408684), abs=6e-8)
    later = aggregate(group_time(data, comparison="not-yet-treated"), "simple")
    assert (later.overall, later.overall_se) == pytest.approx((0.0968005, 0.0410653), abs=6e-8)
    dynamic = aggregate(group_time(data), "dynamic")
    assert (dynamic.overall, dynamic.overall_se) == pytest.approx((0.0836741, 0.0419963), abs=6e-8)
    group = aggregate(group_time(data), "group")
    assert (group.overall, group.overall_se) == pytest.approx((0.0998610, 0.0377116), abs=6e-8)
    imputed = imputation(data)
    assert (imputed.value, imputed.se) == pytest.approx((0.0746777, 0.0591788), abs=6e-8)
    assert imputed.by_cohort.treated.tolist() == [3, 11, 4, 2, 1]
    found = goodman_bacon(data)
    assert found.twfe == pytest.approx(0.0787996, abs=6e-8)
    expected = [(0.894471, 0.086215), (0.066484, -0.020220), (0.039045, 0.077521)]
    assert np.array(by_kind(found)) == pytest.approx(np.array(expected), abs=6e-7)


def test_castle_laws_by_the_file_s_own_column(shared_data: Path) -> None:
    """The regression on `post` as the file has it, a year later in 21 states than bacondecomp's."""
    assert goodman_bacon(castle(shared_data, "year after")).twfe == pytest.approx(0.069398, abs=6e-7)


def test_simulated_panel_of_pyfixest() -> None:
    """1,500 units, 31 years, effects that differ by cohort and grow: imputation is the two-stage estimate."""
    package = pytest.importorskip("pyfixest")
    folder = Path(package.__file__).parent / "did" / "data"
    frame = pd.read_csv(folder / "df_het.csv")
    table = frame.pivot(index="unit", columns="year", values="dep_var")
    first = frame.groupby("unit")["g"].first().to_numpy()
    state = frame.groupby("unit")["state"].first().to_numpy()
    data = rollout(table.to_numpy(), np.where(first > 0, first - 1990, -1), clusters=state)
    assert imputation(data).value == pytest.approx(2.230482, abs=6e-7)
    found = goodman_bacon(data)
    assert found.twfe == pytest.approx(1.982540, abs=6e-7)
    assert found.forbidden_share > 0.05
