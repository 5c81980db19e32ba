"""How long police.uk CSVs take to become a panel, against DuckDB's own grouped count of the same rows.

    python benchmarks/panel_building.py ../shared/data/police_uk/avon-and-somerset_street_2018-01_2020-12.zip

Unzipping and hashing are left out on both sides. Both run in this process, in turn, with a pause, and the
medians are compared: only the ratio means anything on a shared machine. Peak memory is of a fresh process
that builds the panel once. `--copies` writes the same months again for later years, to have more rows.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from whatworks_eval.sources.police_uk import build_panel
from whatworks_eval.sources.police_uk_files import street_files
from whatworks_eval.sources.tables import sql_path

TARGET = 1.3
OFFENCE = "Anti-social behaviour"
# The count judged against is the one that holds what a panel of any offence needs. The coarser one is
# printed beside it: it reads neither category, name nor coordinates.
KEYS = {
    "area × month × category": '"LSOA code", "Month", "Crime type"',
    "area × month": '"LSOA code", "Month"',
}
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context"
)


def main() -> None:
    """Print the table of times, ratios and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zip", type=Path)
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.memory_of:
        print(peak_memory(asked.memory_of))
        return
    print(f"{'rows':>12}  {'what':<44} {'seconds':>8}  {'panel, × this':>13}")
    for copies in asked.copies:
        with TemporaryDirectory() as folder:
            write_months(asked.zip, Path(folder), copies)
            report(Path(folder), asked.repeats)
            found = subprocess.run(
                [sys.executable, __file__, str(asked.zip), "--memory-of", folder],
                check=True,
                capture_output=True,
                text=True,
            )
            print(f"{'':>12}  peak memory of building the panel, whole process: {found.stdout.strip()}")


def write_months(archive: Path, folder: Path, copies: int) -> None:
    """The street files of a zip in a folder, and the same rows again for later years."""
    with street_files(archive, hashed=False) as found:
        first, last = found.files[0].month, found.files[-1].month
        step = int(last[:4]) - int(first[:4]) + 1
        for file in found.files:
            rows = file.path.read_bytes()
            for copy in range(copies):
                month = f"{int(file.month[:4]) + copy * step}{file.month[4:]}"
                moved = rows.replace(f",{file.month},".encode(), f",{month},".encode())
                (folder / f"{month}-{file.force}-street.csv").write_bytes(moved)


def report(folder: Path, repeats: int) -> None:
    """Median times of the panel and of each plain count, and their ratios."""
    with street_files(folder, hashed=False) as found:
        rows = build_panel(found).ledger.read
        panels: dict[str, Callable[[], object]] = {
            "panel, one offence": lambda: build_panel(found, offences=[OFFENCE]),
            "panel, all offences": lambda: build_panel(found),
        }
        counts: dict[str, Callable[[], object]] = {
            f"DuckDB, {name}": lambda keys=keys: plain_count(folder, keys)  # type: ignore[misc]
            for name, keys in KEYS.items()
        }
        seconds = timed(panels | counts, repeats)
    slowest = max(seconds[name] for name in panels)
    for name, taken in seconds.items():
        ratio = f"{slowest / taken:13.2f}" if name in counts else ""
        print(f"{rows:>12,}  {name:<44} {taken:8.3f}  {ratio}")
    kept = slowest <= TARGET * seconds[f"DuckDB, {next(iter(KEYS))}"]
    print(
        f"{'':>12}  at most {TARGET} × the count by area, month and category: {'kept' if kept else 'MISSED'}"
    )


def timed(work: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each piece of work, run in turn so that a busy machine slows all alike."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repeats):
        for name, call in work.items():
            start = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def plain_count(folder: Path, keys: str) -> int:
    """DuckDB's grouped count: explicit columns, no type detection, one header."""
    import duckdb

    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in HEADER.split(","))
    files = ", ".join(sql_path(path) for path in sorted(folder.glob("*-street.csv")))
    with duckdb.connect(":memory:") as connection:
        found = connection.sql(
            f"SELECT {keys}, count(*) AS n FROM read_csv([{files}], columns={{{columns}}}, header=true, "
            f"auto_detect=false, delim=',', quote='\"', escape='\"') GROUP BY ALL"
        ).fetchnumpy()
    return len(found["n"])


def peak_memory(folder: Path) -> str:
    """Peak memory of this process after building the panel once."""
    with street_files(folder, hashed=False) as found:
        read = build_panel(found, offences=[OFFENCE]).ledger.read
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{peak:,.0f} MiB for {read:,} rows"


if __name__ == "__main__":
    main()
