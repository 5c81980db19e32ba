"""Car thefts by block in Buenos Aires, 1994 (Di Tella and Schargrodsky 2004): the same number by every way.

AER 94(1), Table 3: 876 blocks by nine months, block and month effects, police on the block from August on:
-0.07752; -0.08007 with blocks one away, -0.08080 with one and two (rows DTS-3 to DTS-5 of
reference/published_evaluations.csv, there recalled and reproduced to four or five decimals). Thefts at
corners count a quarter to each block, so counts are not whole. Month codes 72 and 73 are the parts of July;
they are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import whatworks_eval as ww
from whatworks_eval.did.closed_form import common_start_difference, common_start_ratio
from whatworks_eval.did.clustered import clustered
from whatworks_eval.did.linear_fit import fit_linear
from whatworks_eval.did.poisson_fit import fit_poisson

MONTHS = np.arange(4, 13)
AFTER = MONTHS >= 8
SAME_BLOCK = -0.07752


@pytest.fixture(scope="module")
def thefts(shared_data: Path) -> pd.DataFrame:
    """Rows of the months April to December."""
    frame = pd.read_stata(
        shared_data / "panels" / "ditella_schargrodsky_MonthlyPanel.dta.gz", compression="gzip"
    )
    kept = frame[frame["mes"] <= 12]
    assert len(kept) == 876 * 9
    return kept


@pytest.fixture(scope="module")
def grid(thefts: pd.DataFrame) -> np.ndarray:
    """Blocks × months."""
    table = thefts.pivot(index="observ", columns="mes", values="totrob")
    assert table.columns.tolist() == MONTHS.tolist()
    return table.to_numpy(dtype=float)


@pytest.fixture(scope="module")
def distance(thefts: pd.DataFrame) -> np.ndarray:
    """Blocks between each block and the nearest protected institution; nought on the same block."""
    return thefts.groupby("observ")["distanci"].first().to_numpy()


@pytest.mark.parametrize(
    ("reach", "value"), [(0, SAME_BLOCK), (1, -0.08007), (2, -0.08080)], ids=["A", "B", "C"]
)
def test_the_three_columns_of_the_table(
    grid: np.ndarray, distance: np.ndarray, reach: int, value: float
) -> None:
    """Same block, then with blocks one and two away, to 1.5e-5; 37 blocks are treated."""
    columns = {f"{blocks} away": np.outer(distance == blocks, AFTER) * 1.0 for blocks in range(reach + 1)}
    assert columns["0 away"][:, -1].sum() == 37
    assert fit_linear(grid, columns).coefficient("0 away") == pytest.approx(value, abs=1.5e-5)


def test_the_closed_form_is_the_fit(grid: np.ndarray, distance: np.ndarray) -> None:
    """Linear and Poisson, value and clustered error, to 1e-8; the sums are the published ones."""
    treated = distance == 0
    project = {"police": np.outer(treated, AFTER) * 1.0}
    linear = common_start_difference(grid, treated, AFTER)
    fit = fit_linear(grid, project)
    assert linear.value == pytest.approx(fit.params[0], abs=1e-8)
    error = clustered(fit, np.arange(876), kind="CR0").errors[0]
    assert np.sqrt((linear.influence**2).sum()) == pytest.approx(error, rel=1e-8)
    ratio = common_start_ratio(grid, treated, AFTER)
    assert ratio.value == pytest.approx(fit_poisson(grid, project).params[0], abs=1e-8)
    assert ratio.sums[1::2] == pytest.approx((6.5, 439.25))  # DTS-2


def design(thefts: pd.DataFrame, **sections: Any) -> tuple[ww.Protocol, ww.Panel]:  # type: ignore[name-defined]
    """The study as a protocol and a panel, counted in quarters of a theft."""
    rows = pd.DataFrame(
        {
            "area": thefts["observ"].map("B{:03.0f}".format),
            "period": thefts["mes"].map("1994-{:02.0f}".format),
            "n": (4 * thefts["totrob"]).round().to_numpy(dtype=float),
        }
    )
    treated = sorted(set(rows.loc[thefts["distanci"].to_numpy() == 0, "area"]))
    protocol = ww.protocol_from_dict(
        {
            "schema": 1,
            "id": "car-thefts",
            "question": "Are fewer cars stolen on blocks with a police guard?",
            "method": "did",
            "intervention": {"name": "Guard", "start": "1994-08", "assignment": "need"},
            "outcome": {"source": "counts", "path": "none.csv"},
            "windows": {"before": ["1994-04", "1994-07"], "after": ["1994-08", "1994-12"]},
            "areas": {"treated": treated, "comparison": "rest", "unit": "area"},
            **sections,
        }
    )
    return protocol, ww.panel_from_counts(rows, area="area", period="period", count="n")


def test_the_study_through_evaluate(thefts: pd.DataFrame) -> None:
    """Same number, in quarters of a theft; both intervals exclude zero; the design reaches level 2."""
    protocol, panel = design(thefts, did={"model": "linear"})
    found = ww.evaluate(protocol, panel)
    assert found.estimate.value / 4 == pytest.approx(SAME_BLOCK, abs=1.5e-5)
    assert found.estimate.unit == "incidents an area and month"
    assert found.estimate.excludes_zero
    beside = next(one for one in found.alternatives if one.label == "error clustered by unit")
    assert beside.value == pytest.approx(found.estimate.value, abs=1e-8)
    assert beside.excludes_zero
    assert (
        found.grade.level == 2
    )  # placed by where institutions are, no matched comparison, four months before
    ww.render(found, "json")


def test_the_study_as_a_ratio(thefts: pd.DataFrame, grid: np.ndarray, distance: np.ndarray) -> None:
    """As a ratio it is the closed form, to 1e-9, and far lower too; blocks without any theft are named."""
    protocol, panel = design(thefts)
    found = ww.evaluate(protocol, panel)
    assert found.estimate.value == pytest.approx(
        common_start_ratio(grid, distance == 0, AFTER).value, abs=1e-9
    )
    assert found.estimate.high is not None
    assert found.estimate.high < 0
    rule = next(one for one in found.findings if one.rule == "analysis.no-information")
    assert rule.kind == "caveat"
    assert "recorded nothing at any time" in rule.message
