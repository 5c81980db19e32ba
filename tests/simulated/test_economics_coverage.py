"""The range of the ratio against a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from whatworks_eval import evaluate, load_data, protocol_from_dict

DRAWS = 400
TREATED, COMPARISON, CHANGE = 600.0, 900.0, 0.8
SPENT, WORTH = 100_000.0, 3.43 * 1300


@pytest.mark.parametrize("left", [1.0, 0.75], ids=["nothing done", "a quarter fewer"])
def test_the_range_covers_the_true_ratio(left: float) -> None:
    """Poisson counts, fixed unit costs, 400 draws: the 95 % range covers the true ratio in at least 93 %.

    The truth is the incidents expected without the project less those expected with it. The binomial error of
    400 draws is 1.1 points at 95 %, so the bar is met by the rate itself, without tolerance.
    """
    random = np.random.default_rng(606)
    true_ratio = TREATED * CHANGE * (1 - left) * WORTH / SPENT
    held = 0
    for draw in range(DRAWS):
        treated = [int(random.poisson(TREATED)), int(random.poisson(TREATED * CHANGE * left))]
        comparison = [int(random.poisson(COMPARISON)), int(random.poisson(COMPARISON * CHANGE))]
        protocol = protocol_from_dict(
            {
                "schema": 1,
                "id": "x",
                "question": "q?",
                "method": "relative-effect",
                "seed": draw,
                "intervention": {"name": "n", "start": "2019-04", "assignment": "random"},
                "outcome": {
                    "source": "totals",
                    "offences": ["Theft from the person"],
                    "totals": {"treated": treated, "comparison": comparison, "dispersion": 1.0},
                },
                "economics": {
                    "months": 12.0,
                    "price_year": "2019-20",
                    "draws": 2000,
                    "costs": [
                        {"item": "x", "gbp": SPENT, "year": "2019-20", "kind": "set-up", "payer": "police"}
                        | {"cash": True}
                    ],
                },
            }
        )
        found = evaluate(protocol, load_data(protocol)).economics
        assert found is not None
        assert found.ratio.low is not None
        assert found.ratio.high is not None
        held += found.ratio.low <= true_ratio <= found.ratio.high
    assert held / DRAWS >= 0.93
