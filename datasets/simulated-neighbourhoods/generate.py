"""Makes incidents.csv.gz: a simulated neighbourhood programme whose true effect is known.

    python datasets/simulated-neighbourhoods/generate.py

Modelled on the design of Police Now's second cohort (22 months before, two months between, 22 months
after, five forces, neighbourhoods chosen because they needed it) and on how real counts behave. What was
measured on recorded anti-social behaviour in 1,006 LSOAs of Avon and Somerset, 2018 and 2019, and what
comes out here, is in README.md. Uses Python's own generator only, whose stream is documented not to
change, so that the same bytes of text come out on every machine.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import NormalDist

SEED = 2018
TRUE_EFFECT_PERCENT = -12.0
TOWNS, ACROSS, DOWN = 5, 8, 6  # neighbourhoods in a town lie on a grid
AREAS_EACH = 4  # small areas in a neighbourhood: a two by two block
TREATED_BY_TOWN = (7, 7, 6, 6, 6)
BLOCK_M, TOWN_M = 900, 30_000  # metres between neighbourhoods, between towns
FIRST, LAST, START = (2013, 10), (2018, 7), (2016, 10)

LEVEL = math.log(2.2)  # incidents a month in a typical area
LEVEL_SD_NEIGHBOURHOOD, LEVEL_SD_AREA = 0.70, 0.55
# Slow shocks: deviations from the usual level that last (AR(1), by month) …
PERSIST = 0.92
SHOCK_SD_NEIGHBOURHOOD, SHOCK_SD_AREA = 0.18, 0.23
# … and the month's own, which makes monthly counts more variable than Poisson.
NOISE_SD = 0.30
NEED_NOISE_SD = 0.5  # how loosely the ranking by need follows the usual level
SEASON, PEAK_MONTH = 0.20, 7
TREND_A_YEAR = -0.037  # everywhere: about 7 % lower after 22 + 2 months

_NORMAL = NormalDist()
COLUMNS = ("area", "neighbourhood", "period", "incidents", "x", "y", "residents")


def months() -> list[tuple[int, int]]:
    """Every month from first to last, as (year, month)."""
    first, last = FIRST[0] * 12 + FIRST[1] - 1, LAST[0] * 12 + LAST[1] - 1
    return [(month // 12, month % 12 + 1) for month in range(first, last + 1)]


def normal(draw: random.Random) -> float:
    """A standard normal draw, from one uniform draw."""
    return _NORMAL.inv_cdf(max(draw.random(), 1e-12))


def poisson(draw: random.Random, mean: float) -> int:
    """A Poisson draw by inversion, from one uniform draw."""
    left, count, chance = draw.random(), 0, math.exp(-mean)
    while left > chance and count < 10_000:
        left -= chance
        count += 1
        chance *= mean / count
    return count


def shocks(draw: random.Random, sd: float, length: int) -> list[float]:
    """A slow series with standard deviation `sd` that forgets 1 - PERSIST of itself a month."""
    series = [sd * normal(draw)]
    step = sd * math.sqrt(1 - PERSIST**2)
    while len(series) < length:
        series.append(PERSIST * series[-1] + step * normal(draw))
    return series


def phases(draw: random.Random, levels: list[float]) -> tuple[set[int], set[int]]:
    """The neighbourhoods of the first phase and of the second: in each town those in most need."""
    per_town = ACROSS * DOWN
    need = [level + NEED_NOISE_SD * normal(draw) for level in levels]
    first: set[int] = set()
    second: set[int] = set()
    for town, wanted in enumerate(TREATED_BY_TOWN):
        inside = range(town * per_town, (town + 1) * per_town)
        worst = sorted(inside, key=lambda index: -need[index])[: 2 * wanted]
        # Who goes first is not settled by need: half of them, as the draw has it.
        shuffled = sorted(worst, key=lambda index: draw.random())
        first |= set(shuffled[:wanted])
        second |= set(shuffled[wanted:])
    return first, second


def rows() -> Iterator[tuple[str, str, str, int, int, int, int]]:
    """Area, neighbourhood, month, incidents, place and residents, for each area and month."""
    draw = random.Random(SEED)
    levels = [LEVEL_SD_NEIGHBOURHOOD * normal(draw) for _ in range(TOWNS * ACROSS * DOWN)]
    treated, _ = phases(draw, levels)
    calendar = months()
    for index, level in enumerate(levels):
        town, place = divmod(index, ACROSS * DOWN)
        together = shocks(draw, SHOCK_SD_NEIGHBOURHOOD, len(calendar))
        for corner in range(AREAS_EACH):
            usual = LEVEL + level + LEVEL_SD_AREA * normal(draw)
            own = shocks(draw, SHOCK_SD_AREA, len(calendar))
            x = 400_000 + town * TOWN_M + place % ACROSS * BLOCK_M + corner % 2 * BLOCK_M // 2
            y = 300_000 + place // ACROSS * BLOCK_M + corner // 2 * BLOCK_M // 2
            x, y = x + draw.randrange(-90, 91), y + draw.randrange(-90, 91)
            residents = 1000 + draw.randrange(1400)
            for position, (year, month) in enumerate(calendar):
                log_rate = usual + together[position] + own[position] + NOISE_SD * normal(draw)
                log_rate += SEASON * math.cos(2 * math.pi * (month - PEAK_MONTH) / 12)
                log_rate += TREND_A_YEAR * position / 12
                if index in treated and (year, month) >= START:
                    log_rate += math.log1p(TRUE_EFFECT_PERCENT / 100)
                yield (
                    f"SIM{index * AREAS_EACH + corner + 1:04d}",
                    f"SIM-N{index + 1:03d}",
                    f"{year}-{month:02d}",
                    poisson(draw, math.exp(log_rate)),
                    x,
                    y,
                    residents,
                )


def areas_of_phases() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Area and neighbourhood of every area in the first phase, and in the second."""
    draw = random.Random(SEED)
    levels = [LEVEL_SD_NEIGHBOURHOOD * normal(draw) for _ in range(TOWNS * ACROSS * DOWN)]
    first, second = (
        [
            (f"SIM{index * AREAS_EACH + corner + 1:04d}", f"SIM-N{index + 1:03d}")
            for index in sorted(phase)
            for corner in range(AREAS_EACH)
        ]
        for phase in phases(draw, levels)
    )
    return first, second


def as_csv(header: Sequence[str], body: Iterable[Sequence[str | int]]) -> bytes:
    """Rows as the bytes of a CSV file with LF line ends."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(body)
    return text.getvalue().encode()


def files() -> dict[str, bytes]:
    """Name, then content, of every file; the incidents not yet compressed."""
    first, second = areas_of_phases()
    return {
        "incidents.csv": as_csv(COLUMNS, rows()),
        "first-phase.csv": as_csv(("area", "neighbourhood"), first),
        "second-phase.csv": as_csv(("area", "neighbourhood"), second),
    }


def main() -> None:
    """Write the files beside this program."""
    folder = Path(__file__).parent
    for name, content in files().items():
        if name == "incidents.csv":
            packed = gzip.compress(content, compresslevel=9, mtime=0)
            (folder / f"{name}.gz").write_bytes(packed)
        else:
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
