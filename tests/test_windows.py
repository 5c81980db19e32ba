"""Which periods and areas count, and that a missing count is never a zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from whatworks_eval.contrast import build_contrast
from whatworks_eval.errors import CannotEstimate
from whatworks_eval.panel import Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.sources.counts import panel_from_counts
from whatworks_eval.windows import build_windowed, usable


def panel_of(missing: dict[str, list[str]] | None = None, gone: list[str] | None = None) -> Panel:
    """Ten areas, 2018 and 2019, ten incidents a cell; some cells missing, some periods without any row."""
    rows = [
        {"area": f"a{area}", "period": period, "count": 10}
        for area in range(10)
        for period in period_range("2018-01", "2019-12", "month")
        if period not in (gone or [])
    ]
    frame = pd.DataFrame(rows)
    frame["count"] = frame["count"].astype(float)
    for area, periods in (missing or {}).items():
        frame.loc[(frame["area"] == area) & frame["period"].isin(periods), "count"] = np.nan
    return panel_from_counts(frame)


def protocol_of(**windows: object) -> Protocol:
    """Two treated areas, the rest as comparison."""
    return protocol_from_dict(
        {
            "schema": 1,
            "id": "windows",
            "question": "?",
            "method": "relative-effect",
            "intervention": {"name": "x", "start": "2019-01", "assignment": "need"},
            "outcome": {"source": "counts", "path": "x.csv"},
            "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]} | windows,
            "areas": {"treated": ["a0", "a1"], "comparison": "rest", "unit": "area"},
        }
    )


def test_whole_windows_are_used_whole() -> None:
    """Twelve months against twelve, 240 incidents in each window of the treated areas."""
    protocol, panel = protocol_of(), panel_of()
    windowed = build_windowed(protocol, panel, build_contrast(protocol, panel))
    assert windowed is not None
    assert windowed.months == (12.0, 12.0)
    assert windowed.total("treated") == (240.0, 240.0)
    assert windowed.total("comparison") == (960.0, 960.0)
    assert windowed.same_calendar is True


def test_a_missing_month_takes_its_counterpart_along() -> None:
    """A month without a file leaves, and the same calendar month of the other window with it."""
    protocol, panel = protocol_of(), panel_of(gone=["2019-07"])
    windowed = build_windowed(protocol, panel, build_contrast(protocol, panel))
    assert windowed is not None
    assert windowed.months == (11.0, 11.0)
    assert windowed.total("treated") == (220.0, 220.0)
    assert set(windowed.periods_dropped) == {"2018-07", "2019-07"}
    assert "counterpart of 2019-07" in windowed.periods_dropped["2018-07"]


def test_the_counterpart_stays_where_the_protocol_says_so() -> None:
    """With match_missing = false the other window keeps its month, and the calendar no longer matches."""
    protocol, panel = protocol_of(match_missing=False), panel_of(gone=["2019-07"])
    windowed = build_windowed(protocol, panel, build_contrast(protocol, panel))
    assert windowed is not None
    assert windowed.months == (12.0, 11.0)
    assert windowed.same_calendar is False


def test_an_area_with_too_much_missing_leaves_with_a_reason() -> None:
    """Two of twelve months missing is more than a tenth: the area leaves, the months stay."""
    protocol, panel = protocol_of(), panel_of(missing={"a5": ["2018-03", "2018-04"]})
    contrast = build_contrast(protocol, panel)
    windowed = build_windowed(protocol, panel, contrast)
    assert windowed is not None
    assert "a5" not in contrast.comparison
    assert windowed.months == (12.0, 12.0)
    assert windowed.total("comparison") == (840.0, 840.0)
    found = usable(protocol, panel, panel.areas)
    assert "2 of the 12 periods of the before window" in found.areas_dropped["a5"]


def test_one_missing_cell_takes_its_period_for_all() -> None:
    """One of twelve months missing is under a tenth: the area stays, the month leaves for every area."""
    protocol, panel = protocol_of(), panel_of(missing={"a5": ["2018-03"]})
    windowed = build_windowed(protocol, panel, build_contrast(protocol, panel))
    assert windowed is not None
    assert set(windowed.periods_dropped) == {"2018-03", "2019-03"}
    assert windowed.total("treated") == (220.0, 220.0)
    assert np.isfinite(windowed.before).all()


def test_an_empty_window_is_refused_with_what_the_data_hold() -> None:
    """A window outside the data has nothing to say, and the message gives the data's own months."""
    protocol = protocol_of(after=["2020-01", "2020-12"])
    with pytest.raises(CannotEstimate, match="the data run from 2018-01 to 2019-12"):
        build_contrast(protocol, panel_of())


def test_an_arm_with_nothing_left_is_refused() -> None:
    """Both treated areas missing half their months leaves nothing to estimate."""
    half = list(period_range("2018-01", "2018-06", "month"))
    with pytest.raises(CannotEstimate, match=r"areas\.treated: no area is left"):
        build_contrast(protocol_of(), panel_of(missing={"a0": half, "a1": half}))
