"""Writes published_evaluations.csv and its checksum from the reference table the project keeps.

python datasets/published-evaluations/build.py ../shared/reference/published_evaluations.csv

Rows of low confidence (remembered, not seen) are left out; everything else is copied as it stands, digit for
digit, since the digits say to what a value was published.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent
REFERENCE = HERE.parent.parent.parent / "shared" / "reference" / "published_evaluations.csv"
KEPT = ("high", "medium")
NAME = "published_evaluations.csv"


def table(reference: Path) -> bytes:
    """The table as shipped: rows of high and medium confidence, every cell as in the reference."""
    with reference.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or ()
        rows = list(reader)
    unknown = {row["confidence"] for row in rows} - {*KEPT, "low"}
    if unknown:
        raise SystemExit(
            f"{reference}: confidence is {', '.join(sorted(unknown))}; high, medium or low wanted"
        )
    held = io.StringIO()
    writer = csv.DictWriter(held, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row for row in rows if row["confidence"] in KEPT)
    return held.getvalue().encode()


def main() -> None:
    """Write the table, then its checksum and its number of rows into dataset.toml."""
    made = table(Path(sys.argv[1]) if len(sys.argv) > 1 else REFERENCE)
    (HERE / NAME).write_bytes(made)
    about = HERE / "dataset.toml"
    text = about.read_text("utf-8")
    rows = len(list(csv.DictReader(io.StringIO(made.decode()))))
    text = re.sub(r'^sha256 = ".*"$', f'sha256 = "{sha256(made).hexdigest()}"', text, flags=re.MULTILINE)
    text = re.sub(r"^rows = \d+$", f"rows = {rows}", text, flags=re.MULTILINE)
    about.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
