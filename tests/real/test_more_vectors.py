"""Vectors of C5 and G1 that other files leave out (test_vectors.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whatworks_eval.did.clustered import clustered
from whatworks_eval.did.linear_fit import fit_linear
from whatworks_eval.matching.distances import Positions
from whatworks_eval.matching.nearest import nearest_without_replacement
from whatworks_eval.matching.propensity import propensity

NAMES = ["hispan", "white", "age", "educ", "married", "nodegree", "re74", "re75"]


def test_two_way_error_of_the_simulated_panel() -> None:
    """C5: 1.982540 with error 0.019338 clustered by 40 states, 46,500 rows."""
    package = pytest.importorskip("pyfixest")
    frame = pd.read_csv(Path(package.__file__).parent / "did" / "data" / "df_het.csv")
    table = frame.pivot(index="unit", columns="year", values=["dep_var", "treat"])
    states = np.unique(frame.groupby("unit")["state"].first(), return_inverse=True)[1]
    fit = fit_linear(table["dep_var"].to_numpy(float), {"treat": table["treat"].to_numpy(float)})
    assert fit.params[0] == pytest.approx(1.982540, abs=6e-7)
    assert clustered(fit, states, kind="fixest").errors[0] == pytest.approx(0.019338, abs=6e-7)


def test_pairs_of_lalonde_within_a_caliper_and_adjusted(shared_data: Path) -> None:
    """G1: naive -635.0262120; caliper 0.1 SD 111 pairs, 1835.4077; pairs adjusted by regression 1121.1772."""
    frame = pd.read_csv(shared_data / "panels" / "lalonde_matchit.csv.gz")
    frame = frame.assign(hispan=(frame["race"] == "hispan") * 1, white=(frame["race"] == "white") * 1)
    features, treated = frame[NAMES].to_numpy(float), frame["treat"].to_numpy() == 1
    earned = frame["re78"].to_numpy(float)
    assert earned[treated].mean() - earned[~treated].mean() == pytest.approx(-635.0262120, abs=5e-8)
    score = propensity(features, treated, NAMES).probability
    place = Positions(at=score[:, None], hardest=score, name="propensity score")
    one_stratum = np.zeros(len(frame), dtype=np.intp)

    def pairs(caliper: float | None) -> np.ndarray:
        return nearest_without_replacement(
            place, one_stratum, treated, ~treated, per_treated=1, caliper=caliper
        )

    near = pairs(0.1 * float(score.std(ddof=1)))
    assert len(near) == 111
    assert (earned[near[:, 0]] - earned[near[:, 1]]).mean() == pytest.approx(1835.4077, abs=5.1e-5)
    own, other = pairs(None).T
    design = np.column_stack([np.ones(len(frame)), features])
    slopes = np.linalg.lstsq(design[other], earned[other], rcond=None)[0]
    assert (earned[own] - design[own] @ slopes).mean() == pytest.approx(1121.1772, abs=5.1e-5)
