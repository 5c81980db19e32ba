"""Known changes in what police record, from the shipped table, and whom they touch."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from whatworks_eval.periods import first_day
from whatworks_eval.protocol import Protocol

COUNTED = ("step", "spell")
"""Kinds that change what a count means; the other rows of the table are for people."""
_EVERYWHERE = ("National", "England and Wales")


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A known change in recording.

    Attributes:
        force: As police.uk writes it; '' where it touched every force.
        start: First day.
        end: Last day of a spell; None for a step, which does not end.
        offences: police.uk names, folded to lower case; empty where every offence is touched.
        what: What happened.
        source: Where that was read.
    """

    force: str
    start: date
    end: date | None
    offences: frozenset[str]
    what: str
    source: str


@lru_cache(maxsize=1)
def known_breaks() -> tuple[Break, ...]:
    """The steps and spells of datasets/recording-breaks, in the order of the table."""
    from whatworks_eval.shipped import shipped_path

    path = shipped_path("datasets", "recording-breaks") / "recording_breaks.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] in COUNTED]
    return tuple(
        Break(
            force="" if row["force"] in _EVERYWHERE else row["force"],
            start=_day(row["from"], last=False),
            end=_day(row["to"], last=True) if row["kind"] == "spell" else None,
            offences=frozenset(
                name.strip().casefold() for name in row["offences"].split(";") if name.strip() != "all"
            ),
            what=row["what"],
            source=row["source"],
        )
        for row in rows
    )


def breaks_between(protocol: Protocol) -> tuple[Break, ...] | None:
    """Known breaks that leave the windows unlike each other, for these offences; None without windows.

    A step counts where it falls after the before window begins and no later than the after window ends; a
    spell where it overlaps that time without covering all of it. All offences are meant where none are named.
    """
    if protocol.windows is None:
        return None
    start = first_day(protocol.windows.before[0], protocol.period)
    last = first_day(protocol.windows.after[1], protocol.period)
    named = protocol.outcome.offences
    offences = None if named is None else {name.strip().casefold() for name in named}

    def counts(known: Break) -> bool:
        if known.offences and offences is not None and not (known.offences & offences):
            return False
        if known.end is None:
            return start < known.start <= last
        return known.start <= last and known.end >= start and not (known.start <= start and known.end >= last)

    return tuple(known for known in known_breaks() if counts(known))


def _day(text: str, *, last: bool) -> date:
    """A day from YYYY, YYYY-MM or YYYY-MM-DD: the first it can mean, or a day in the last month."""
    parts = [int(part) for part in text.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else (12 if last else 1)
    return date(year, month, parts[2] if len(parts) > 2 else (28 if last else 1))
