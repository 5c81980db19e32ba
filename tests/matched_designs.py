"""Designs with a matched comparison on made-up counts, written to a folder as a user would have them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from whatworks_eval.periods import period_range

BEFORE = period_range("2018-01", "2018-12", "month")
AFTER = period_range("2019-01", "2019-12", "month")
AREAS = tuple(f"E0100{at:04d}" for at in range(1, 81))
TREATED = AREAS[:6]
HOSTILE = ('=HYPERLINK("http://x")', "<script>alert(1)</script>", '@"x",y', "+1 \u202egpj.exe")


def made(
    folder: Path,
    *,
    areas: Sequence[str] = AREAS,
    treated: Sequence[str] = TREATED,
    seed: int = 1,
    after: float = 1.0,
    periods: Sequence[str] = (*BEFORE, *AFTER),
    matching: Mapping[str, Any] | None = None,
    comparison: str = "matched",
    after_seed: int = 2,
) -> Path:
    """A design with its counts and an index, in this folder: the path of the TOML.

    Args:
        folder: Made if need be.
        areas: Codes; the level rises with their place, treated areas high in it.
        treated: Those that had the project.
        seed: Of the counts before the start.
        after: What the mean of every area is multiplied by from the start on.
        periods: Those in the file.
        matching: Keys of [matching].
        comparison: areas.comparison.
        after_seed: Of the counts from the start on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    early, late = np.random.default_rng(seed), np.random.default_rng(after_seed)
    level = 4 + 16 * np.random.default_rng(9).permutation(len(areas)) / len(areas)
    lines = ["area,period,count"]
    for period in periods:
        rng, factor = (early, 1.0) if period in BEFORE else (late, after)
        for area, mean in zip(areas, level, strict=True):
            lines.append(f"{_cell(area)},{period},{rng.poisson(mean * factor)}")
    (folder / "counts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    index = ["lsoa11_code,IMD_score,IMD_rank"]
    scores = np.round(np.random.default_rng(8).uniform(2, 70, len(areas)), 3)
    ranks = np.random.default_rng(7).choice(32_844, len(areas), replace=False) + 1
    index += [f"{_cell(area)},{score},{rank}" for area, score, rank in zip(areas, scores, ranks, strict=True)]
    (folder / "index.csv").write_text("\n".join(index) + "\n", encoding="utf-8")
    keys = {"on": ["before_level", "imd_score"], **(matching or {})}
    section = "\n".join(f"{key} = {json.dumps(value)}" for key, value in keys.items())
    (folder / "d.toml").write_text(
        'schema = 1\nid = "made"\nquestion = "Did it fall?"\nmethod = "relative-effect"\n'
        'registered = 2018-11-01\n[intervention]\nname = "Patrol"\nstart = "2019-01"\nassignment = "need"\n'
        '[outcome]\nsource = "counts"\npath = "counts.csv"\ncount = "count"\n'
        '[windows]\nbefore = ["2018-01", "2018-12"]\nafter = ["2019-01", "2019-12"]\n'
        f"[areas]\ntreated = {json.dumps(list(treated))}\n"
        f'comparison = {json.dumps(comparison)}\nunit = "area"\n'
        '[covariates.imd_score]\npath = "index.csv"\nedition = 2019\nas = "score"\ncolumn = "IMD_score"\n'
        'code = "lsoa11_code"\n' + (f"[matching]\n{section}\n" if comparison == "matched" else ""),
        encoding="utf-8",
    )
    return folder / "d.toml"


def _cell(text: str) -> str:
    quoted = text.replace('"', '""')
    return f'"{quoted}"'
