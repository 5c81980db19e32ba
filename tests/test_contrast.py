"""Who is compared with whom: declared, left over, matched, near; and in which units."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from whatworks_eval.contrast import build_contrast
from whatworks_eval.errors import CannotEstimate, DataError
from whatworks_eval.matching.level import match_on_level
from whatworks_eval.panel import Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.sources.counts import panel_from_counts

SIDE = 10


def panel_of(after_factor: float = 1.0, **more: Any) -> Panel:
    """A hundred areas on a grid 100 m apart, area number + 1 incidents a month, two years."""
    periods = period_range("2018-01", "2019-12", "month")
    rows = [
        {
            "area": f"a{area:02d}",
            "period": period,
            "count": int((area + 1) * (after_factor if period >= "2019-01" else 1)),
        }
        for area in range(SIDE * SIDE)
        for period in periods
    ]
    rng = np.random.default_rng(0)
    places = pd.DataFrame(
        [
            {
                "area": f"a{at:02d}",
                "x": 100 * row + rng.uniform(-5, 5),
                "y": 100 * column + rng.uniform(-5, 5),
            }
            for at, (row, column) in enumerate(itertools.product(range(SIDE), repeat=2))
        ]
    )
    return panel_from_counts(pd.DataFrame(rows), centroids=places, **more)


def protocol_of(base: Path | None = None, method: str = "relative-effect", **areas: Any) -> Protocol:
    """A design with the given areas table."""
    return protocol_from_dict(
        {
            "schema": 1,
            "id": "contrast",
            "question": "?",
            "method": method,
            "intervention": {"name": "x", "start": "2019-01", "assignment": "need"},
            "outcome": {"source": "counts", "path": "x.csv"},
            "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
            "areas": areas,
        },
        base=base,
    )


def test_rest_is_everything_but_treated_and_buffer() -> None:
    """A buffer by distance leaves the comparison; nobody is in two arms."""
    contrast = build_contrast(
        protocol_of(treated=["a44"], comparison="rest", buffer={"within_m": 115}), panel_of()
    )
    assert contrast.buffer == ("a34", "a43", "a45", "a54")
    assert len(contrast.comparison) == 95
    assert not set(contrast.comparison) & {"a44", *contrast.buffer}


def test_buffer_of_adjoining_areas() -> None:
    """Adjoining areas are found from centroids alone."""
    contrast = build_contrast(
        protocol_of(treated=["a44"], comparison="rest", buffer={"adjacent_to": "treated"}), panel_of()
    )
    assert {"a34", "a43", "a45", "a54"} <= set(contrast.buffer)
    assert len(contrast.buffer) <= 8


def test_adjoining_treated_areas_are_one_unit_when_found() -> None:
    """Two clumps and a single make three units, and the record says the units were found, not declared."""
    treated = ["a00", "a01", "a11", "a55", "a56", "a99"]
    found = build_contrast(protocol_of(treated=treated, comparison="rest"), panel_of())
    assert len(found.treated_units) == 3
    assert found.unit_basis == "found"
    assert not found.comparison_units
    declared = build_contrast(protocol_of(treated=treated, comparison="rest", unit="contiguous"), panel_of())
    assert declared.unit_basis == "contiguous"


def test_units_from_a_lookup_cover_both_arms(tmp_path: Path) -> None:
    """Wards from a lookup: treated and comparison areas have units of the same sort."""
    lines = ["code,ward"] + [f"a{at:02d},W{at // 10}" for at in range(100)]
    (tmp_path / "wards.csv").write_text("\n".join(lines))
    contrast = build_contrast(
        protocol_of(
            tmp_path,
            treated=[f"a{at:02d}" for at in range(20, 40)],
            comparison="rest",
            unit={"file": "wards.csv", "code": "code", "unit": "ward"},
        ),
        panel_of(),
    )
    assert contrast.treated_units == ("W2", "W3")
    assert len(contrast.comparison_unit_names) == 8
    assert contrast.comparison_units


def test_a_lookup_of_some_comparison_areas_does_not_make_the_rest_units_of_their_own(tmp_path: Path) -> None:
    """Each area without a ward was a unit by itself: 931 in place of 266. None known is another thing."""
    treated = [f"a{at:02d}" for at in range(20, 40)]
    unit = {"file": "wards.csv", "code": "code", "unit": "ward"}
    declared = protocol_of(tmp_path, treated=treated, comparison="rest", unit=unit)
    rows = [f"a{at:02d},W{at // 10}" for at in range(98)]
    (tmp_path / "wards.csv").write_text("\n".join(["code,ward", *rows]))
    with pytest.raises(DataError, match=r"no unit for 2 areas, some of them comparison: a98, a99; add a row"):
        build_contrast(declared, panel_of())
    (tmp_path / "wards.csv").write_text("\n".join(["code,ward", *rows[20:40]]))
    contrast = build_contrast(declared, panel_of())
    assert contrast.treated_units == ("W2", "W3")
    assert not contrast.comparison_units


def test_units_from_the_data_are_used_when_none_are_declared() -> None:
    """A panel that comes with units needs no declaration."""
    units = {f"a{at:02d}": f"U{at // 10}" for at in range(100)}
    contrast = build_contrast(protocol_of(treated=["a20", "a21"], comparison="rest"), panel_of(units=units))
    assert contrast.treated_units == ("U2",)
    assert contrast.comparison_units


def test_areas_and_units_from_a_file(tmp_path: Path) -> None:
    """A file of treated areas with a unit column; the comparison's units stay unknown."""
    (tmp_path / "areas.csv").write_text("lsoa,neighbourhood\na10,North\na11,North\na80,South\n")
    contrast = build_contrast(
        protocol_of(
            tmp_path,
            treated={"file": "areas.csv", "column": "lsoa", "unit": "neighbourhood"},
            comparison="rest",
        ),
        panel_of(),
    )
    assert contrast.treated_units == ("North", "South")
    assert contrast.unit_basis == "column"
    assert not contrast.comparison_units


def test_matched_areas_are_the_nearest_in_before_level() -> None:
    """The two areas a step away in level are each other's; weights add up to one for each treated area."""
    contrast = build_contrast(protocol_of(treated=["a50"], comparison="matched", unit="area"), panel_of())
    # levels are 12 × (1 … 100): three nearest to a50, ties included, are a48, a49, a51, a52
    assert contrast.comparison == ("a48", "a49", "a51", "a52")
    assert contrast.weights is not None
    assert sum(contrast.weights.values()) == pytest.approx(1.0)
    assert "ties included" in contrast.chosen


def test_matching_never_sees_an_after_count() -> None:
    """Changing every after count leaves the match as it was."""
    protocol = protocol_of(treated=["a50", "a70"], comparison="matched", unit="area")
    assert build_contrast(protocol, panel_of()) == build_contrast(protocol, panel_of(after_factor=3.0))


@pytest.mark.parametrize("on", [["before_level"], ["before_level", "need"]])
def test_a_treated_area_without_counts_leaves_with_a_line(on: list[str]) -> None:
    """Whatever was matched on, an area whose counts are missing is told, not silently fewer."""
    panel = panel_of()
    observed = panel.observed.copy()
    observed[50, :10] = False
    panel = replace(
        panel,
        observed=observed,
        counts=np.where(observed, panel.counts, np.nan),
        covariates={"need": np.random.default_rng(3).normal(size=len(panel.areas))},
    )
    protocol = protocol_of(treated=["a50", "a70"], comparison="matched", unit="area")
    matching = protocol.matching.model_copy(update={"on": tuple(on)})
    protocol = protocol.model_copy(update={"matching": matching})
    contrast = build_contrast(protocol, panel)
    assert contrast.treated == ("a70",)
    assert dict(contrast.dropped) == {"a50": "10 of the 12 periods of the before window are missing"}


def test_matches_agree_with_a_search_by_hand() -> None:
    """Every area's matches are those within the distance of its third nearest."""
    rng = np.random.default_rng(0)
    before = rng.poisson(rng.lognormal(3, 1, 300)).astype(float)
    pool = rng.random(300) > 0.1
    matches = match_on_level(before, pool, 3)
    for area in range(300):
        distance = np.abs(before - before[area])
        distance[area] = np.inf
        distance[~pool] = np.inf
        expected = np.flatnonzero(distance <= np.sort(distance)[2])
        assert matches.of(area).tolist() == expected.tolist()
        assert matches.mean_of(before)[area] == pytest.approx(before[expected].mean())


def test_treated_area_absent_from_the_data_is_named() -> None:
    """The message says which, how many and what to check."""
    with pytest.raises(DataError, match=r"areas\.treated: 1 of 2 areas are not in the data: E01000001"):
        build_contrast(protocol_of(treated=["a01", "E01000001"], comparison="rest"), panel_of())


def test_an_area_listed_twice_in_a_file_is_refused(tmp_path: Path) -> None:
    """A repeated code is named; so is a column that is not there."""
    (tmp_path / "areas.csv").write_text("lsoa\na10\na10\n")
    with pytest.raises(DataError, match="a10 listed more than once"):
        build_contrast(
            protocol_of(tmp_path, treated={"file": "areas.csv", "column": "lsoa"}, comparison="rest"),
            panel_of(),
        )
    with pytest.raises(DataError, match=r"areas\.treated: areas\.csv: no column 'code'"):
        build_contrast(
            protocol_of(tmp_path, treated={"file": "areas.csv", "column": "code"}, comparison="rest"),
            panel_of(),
        )


def test_with_starts_and_every_area_treated_the_last_to_start_is_pointed_to(tmp_path: Path) -> None:
    """A roll-out that reaches everywhere has a comparison while the last to start wait."""
    panel = panel_of()
    rows = [f"{area},{'2019-01' if at % 2 else '2019-05'}" for at, area in enumerate(panel.areas)]
    (tmp_path / "areas.csv").write_text("area,start\n" + "\n".join(rows) + "\n", encoding="utf-8")
    treated = {"file": "areas.csv", "start": "start"}
    with pytest.raises(
        CannotEstimate, match=r"name the last to start as the comparison and end windows\.after"
    ):
        build_contrast(protocol_of(tmp_path, method="did", treated=treated, comparison="rest"), panel)


def test_no_comparison_left_is_refused() -> None:
    """A buffer that swallows every other area leaves nothing to compare with."""
    with pytest.raises(CannotEstimate, match=r"make areas\.buffer smaller$"):
        build_contrast(protocol_of(treated=["a44"], comparison="rest", buffer={"within_m": 1e6}), panel_of())
