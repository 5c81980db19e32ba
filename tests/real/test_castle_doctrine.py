"""Castle-doctrine laws and homicide (Cheng and Hoekstra 2013), both codings: the numbers of vector B6.

The shared file is causaldata's, whose `post` starts when any part of a year is covered in some states. The
other coding, bacondecomp's, starts in the year the law took effect: its years are written out here, and the
two differ in 21 state-years, as reference/test_vectors.md B6 says.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from whatworks_eval.did.clustered import Clustered, Kind, clustered
from whatworks_eval.did.fit import Fit
from whatworks_eval.did.linear_fit import fit_linear
from whatworks_eval.did.poisson_fit import fit_poisson
from whatworks_eval.did.two_way import to_grid
from whatworks_eval.did.wild_bootstrap import wild_bootstrap

EFFECTIVE = {  # state number in the file → first year
    10: 2005,
    **dict.fromkeys((1, 2, 3, 11, 15, 17, 18, 19, 23, 25, 37, 41, 42), 2006),
    **dict.fromkeys((26, 35, 43, 44), 2007),
    **dict.fromkeys((36, 49), 2008),
    27: 2009,
}
STATES = np.arange(50)


@pytest.fixture(scope="module")
def castle(shared_data: Path) -> dict[str, np.ndarray]:
    """Columns as states × years."""
    import pandas as pd

    frame = pd.read_csv(shared_data / "panels" / "castle.csv.gz")
    wanted = ("l_homicide", "homicide", "post", "popwt", "l_income")
    _, state = np.unique(frame["sid"], return_inverse=True)
    columns = {name: frame[name].to_numpy(dtype=float) for name in wanted}
    first = frame["sid"].map(EFFECTIVE).fillna(9_999).to_numpy()
    columns["effective"] = (frame["year"].to_numpy() >= first) * 1.0
    found, seen = to_grid(state, frame["year"].to_numpy() - 2000, columns)
    assert seen.all()
    return found


def fitted(castle: dict[str, np.ndarray], coding: str, **more: np.ndarray) -> Fit:
    """Log homicide on the law."""
    return fit_linear(castle["l_homicide"], {"law": castle[coding]}, **more)


def error_of(fit: Fit, kind: Kind) -> Clustered:
    """Clustered by state."""
    return clustered(fit, STATES, kind=kind)


def test_the_codings_differ_in_21_state_years(castle: dict[str, np.ndarray]) -> None:
    """As the reference says: otherwise the years above are wrong."""
    assert (castle["post"] != castle["effective"]).sum() == 21


@pytest.mark.parametrize(
    ("kind", "se", "tolerance"),
    [
        ("CR0", 0.0576957, 1e-7),
        ("CR1", 0.0582814, 1e-7),
        ("CR1S", 0.0618, 5e-5),
        ("CR2", 0.0590858, 1e-7),
        ("fixest", 0.0588740, 3e-7),
    ],
)
def test_errors_of_the_effective_year_coding(
    castle: dict[str, np.ndarray], kind: Kind, se: float, tolerance: float
) -> None:
    """Vector B6: 0.0818116 and each named error to its printed digits."""
    fit = fitted(castle, "effective")
    assert fit.params[0] == pytest.approx(0.0818116, abs=5e-8)
    assert error_of(fit, kind).errors[0] == pytest.approx(se, abs=tolerance)


def test_degrees_of_freedom_and_p_value(castle: dict[str, np.ndarray]) -> None:
    """CR2 has 37.8875 degrees of freedom; fixest's p with 49 is 0.170932."""
    fit = fitted(castle, "effective")
    assert error_of(fit, "CR2").df[0] == pytest.approx(37.8875, abs=5e-5)
    assert error_of(fit, "fixest").p_value("law") == pytest.approx(0.170932, abs=1e-6)


def test_cr3_times_fixests_factor_is_crv3(castle: dict[str, np.ndarray]) -> None:
    """Pyfixest's CRV3 (0.0617480) is the plain one times the same factor as its CRV1 (to 1e-6)."""
    fit = fitted(castle, "effective")
    factor = error_of(fit, "fixest").errors[0] / error_of(fit, "CR0").errors[0]
    assert error_of(fit, "CR3").errors[0] * factor == pytest.approx(0.0617480, abs=1e-6)


def test_weights_and_the_other_coding(castle: dict[str, np.ndarray]) -> None:
    """0.059444 (0.027570) by population; the other coding 0.069398 (0.055860) and 0.075533 (0.033194)."""
    for coding, weighted, value, se in (
        ("effective", True, 0.059444, 0.027570),
        ("post", False, 0.069398, 0.055860),
        ("post", True, 0.075533, 0.033194),
    ):
        fit = fitted(castle, coding, **({"weights": castle["popwt"]} if weighted else {}))
        assert fit.params[0] == pytest.approx(value, abs=1e-6)
        assert error_of(fit, "fixest").errors[0] == pytest.approx(se, abs=1e-6)


def test_wild_bootstrap(castle: dict[str, np.ndarray]) -> None:
    """P is 0.173 to 0.176, to 0.01, with 9,999 and with 99,999 draws."""
    fit = fitted(castle, "effective")
    for draws in (9_999, 99_999):
        found = wild_bootstrap(fit, STATES, "law", seed=2019, draws=draws)
        assert found.p_value == pytest.approx(0.1745, abs=0.01)
        assert found.low is not None
        assert found.high is not None
        assert found.low < 0 < found.high


def test_poisson_on_rates(castle: dict[str, np.ndarray]) -> None:
    """The count version fits the same panel and points the same way; its totals are met."""
    fit = fit_poisson(castle["homicide"], {"law": castle["effective"]}, weights=castle["popwt"])
    assert fit.settled.gap < 1e-9
    assert fit.params[0] > 0
