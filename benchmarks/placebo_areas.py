"""Draws the treated areas of the two placebo designs from real counts; nothing was done in any of them.

    python benchmarks/placebo_areas.py ../shared/data/police_uk

placebo-avon-and-somerset-areas.csv: eight clumps of six adjoining small areas, from a seed alone. No count
is looked at. hot-spot-placebo-areas.csv: forty of the hundred small areas with most recorded anti-social
behaviour in 2018 (about the top tenth), as somebody choosing by need would choose; the other sixty are left
for a fair comparison. Only the codes of public geography are written.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

import numpy as np

from whatworks_eval.inference.neighbours import adjoining_pairs, neighbour_table
from whatworks_eval.panel import Panel
from whatworks_eval.sources.police_uk import load_police_uk

SEED, CLUMPS, CLUMP_SIZE = 2019, 8, 6
HIGHEST, HOT_SPOTS = 100, 40
DESIGNS = Path(__file__).resolve().parent.parent / "designs"


def read(folder: Path) -> Panel:
    """Recorded anti-social behaviour by home area and month."""
    return load_police_uk(
        folder / "avon-and-somerset_street_2018-01_2020-12.zip", offences=["Anti-social behaviour"]
    )


def clumps(panel: Panel) -> list[list[str]]:
    """Eight groups of six adjoining areas that do not touch each other."""
    assert panel.centroids is not None
    beside = neighbour_table(adjoining_pairs(panel.centroids), len(panel.areas))
    draw = random.Random(SEED)
    taken: set[int] = set()
    found: list[list[str]] = []
    while len(found) < CLUMPS:
        group = [draw.randrange(len(panel.areas))]
        while len(group) < CLUMP_SIZE:
            edge = sorted({int(n) for area in group for n in beside[area] if n >= 0} - set(group))
            if not edge:
                break
            group.append(draw.choice(edge))
        around = {int(n) for area in group for n in beside[area] if n >= 0} | set(group)
        if len(group) == CLUMP_SIZE and not around & taken:
            taken |= set(group)
            found.append(sorted(panel.areas[area] for area in group))
    return found


def hot_spots(panel: Panel) -> list[str]:
    """Forty of the hundred areas with most incidents in 2018, drawn by seed."""
    year = np.array([period.startswith("2018") for period in panel.periods])
    totals = np.nansum(panel.counts[:, year], axis=1)
    order = sorted(range(len(panel.areas)), key=lambda area: (-totals[area], panel.areas[area]))
    return sorted(panel.areas[area] for area in random.Random(SEED).sample(order[:HIGHEST], HOT_SPOTS))


def main(folder: Path) -> None:
    """Write both lists into designs/."""
    panel = read(folder)
    placebo = [(area, f"clump-{n}") for n, group in enumerate(clumps(panel), start=1) for area in group]
    for name, header, rows in (
        ("placebo-avon-and-somerset-areas.csv", ("area", "unit"), placebo),
        ("hot-spot-placebo-areas.csv", ("area",), [(area,) for area in hot_spots(panel)]),
    ):
        with (DESIGNS / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
