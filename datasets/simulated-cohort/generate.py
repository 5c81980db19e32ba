"""Makes people.csv: a simulated cohort of offenders whose true effect is known.

    python datasets/simulated-cohort/generate.py

Each person has a steady rate of offending; those who join are picked because the year before was a bad one,
so that they fall back with nothing done. A comparison cohort is picked the same way and does not join. Time
inside is taken off the days in the community. Uses Python's own generator only, so that the same bytes come
out on every machine.
"""

from __future__ import annotations

import csv
import io
import math
import random
from pathlib import Path

SEED = 2023
TRUE_EFFECT_PERCENT = -15.0
PEOPLE = {"treated": 120, "comparison": 120}
POOL = 900  # people looked at in each arm; the worst of their year before are taken
DAYS = 365
# Offence, then its share of all: invented, in the order of how common such offences are.
MIX = {
    "shoplifting": 0.34,
    "violence without injury": 0.18,
    "violence with injury": 0.10,
    "criminal damage": 0.12,
    "theft from vehicle": 0.09,
    "domestic burglary": 0.08,
    "theft of vehicle": 0.05,
    "robbery": 0.04,
}
INSIDE_EACH = 6  # days inside for each offence of the window before, at most half of the year
COLUMNS = ("person", "arm", "window", "days", *MIX)


def poisson(draw: random.Random, mean: float) -> int:
    """A Poisson draw by inversion, from one uniform draw."""
    left, count, chance = draw.random(), 0, math.exp(-mean)
    while left > chance and count < 10_000:
        left -= chance
        count += 1
        chance *= mean / count
    return count


def split(draw: random.Random, total: int) -> dict[str, int]:
    """Offences shared out over their sorts."""
    made = dict.fromkeys(MIX, 0)
    for _ in range(total):
        left, sort = draw.random(), ""
        for sort, share in MIX.items():  # noqa: B007 - the sort it stopped at, or the last
            left -= share
            if left < 0:
                break
        made[sort] += 1
    return made


def person(draw: random.Random, arm: str) -> dict[str, tuple[int, int]]:
    """Days and offences by window of one person, before anybody is picked."""
    steady = 2.5 * draw.gammavariate(1.2, 1 / 1.2)
    windows, before = {}, 0
    for window in ("earlier", "before", "after"):
        days = DAYS - min(INSIDE_EACH * before, DAYS // 2)
        year = steady * draw.gammavariate(2.0, 0.5)  # good years and bad ones
        if window == "after" and arm == "treated":
            year *= 1 + TRUE_EFFECT_PERCENT / 100
        before = poisson(draw, year * days / DAYS)
        windows[window] = (days, before)
    return windows


def table() -> bytes:
    """people.csv as bytes."""
    draw = random.Random(SEED)
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(COLUMNS)
    for arm, size in PEOPLE.items():
        pool = [person(draw, arm) for _ in range(POOL)]
        worst = sorted(range(POOL), key=lambda one: (-pool[one]["before"][1], one))[:size]
        for number, one in enumerate(sorted(worst), start=1):
            for window, (days, offences) in pool[one].items():
                sorts = split(draw, offences)
                writer.writerow((f"{arm[:1].upper()}{number:03d}", arm, window, days, *sorts.values()))
    return held.getvalue().encode()


if __name__ == "__main__":
    (Path(__file__).resolve().parent / "people.csv").write_bytes(table())
