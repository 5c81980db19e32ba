"""A panel written as a table: one row an area and period, so that `source = "counts"` reads it back."""

from __future__ import annotations

from pathlib import Path

from whatworks_eval.panel import Panel


def write_panel(panel: Panel, path: Path) -> None:
    """Write area, period, count and observed, sorted, as parquet or CSV by the file's suffix.

    A missing count is empty, never zero.
    """
    import duckdb
    import numpy as np
    import pandas as pd

    counts = panel.counts.ravel()
    table = pd.DataFrame(
        {
            "area": np.repeat(np.array(panel.areas, dtype=object), len(panel.periods)),
            "period": np.tile(np.array(panel.periods, dtype=object), len(panel.areas)),
            "count": pd.array(np.where(np.isfinite(counts), counts, 0), dtype="Int64"),
            "observed": panel.observed.ravel(),
        }
    )
    table.loc[~table["observed"], "count"] = pd.NA
    path.open("ab").close()  # an OSError, as of any other file, where the place will not take it
    with duckdb.connect() as engine:
        relation = engine.from_df(table)
        if path.suffix == ".parquet":
            relation.write_parquet(str(path))
        else:
            relation.write_csv(str(path), header=True)
