"""Values known for one census's small areas, carried to those of another by the ONS exact-fit lookup.

    U  unchanged          the value itself
    S  2011 area split    2021 parts take the 2011 value; a 2011 area takes the mean of its parts
    M  2011 areas merged  2011 areas take the 2021 value; a 2021 area takes the mean of its sources
    X  no exact fit       missing

Means are plain, since the residents of the parts are not in the lookup. A rank or decile is carried only
from a single area: a mean of ranks is no rank. Residents are added up where a score is averaged, and
shared equally where it is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from whatworks_eval.errors import DataError
from whatworks_eval.sources.tables import Table

Kind = Literal["score", "rank", "decile", "value", "residents"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactFit:
    """The exact-fit lookup between the LSOAs of 2011 and 2021.

    Attributes:
        pairs: (2011 code, 2021 code, change) for every row; change is U, S, M or X.
    """

    pairs: tuple[tuple[str, str, str], ...]


def read_exact_fit(table: Table) -> ExactFit:
    """The lookup in a table with ONS's columns LSOA11CD, LSOA21CD and CHGIND.

    Raises:
        DataError: A column is missing, or a change is none of U, S, M and X.
    """
    old, new, change = (table.text(column) for column in ("LSOA11CD", "LSOA21CD", "CHGIND"))
    odd = sorted({kind for kind in change if kind not in {"U", "S", "M", "X"}})
    if odd:
        raise DataError(
            f"{table.name}: '{odd[0]}' in CHGIND is none of U, S, M and X; use ONS's exact-fit lookup"
        )
    return ExactFit(pairs=tuple(zip(old, new, change, strict=True)))


def carry(
    values: Mapping[str, float], fit: ExactFit, *, source: int, target: int, kind: Kind
) -> dict[str, float]:
    """Values by the target census's areas; areas without one left out.

    Args:
        values: Area of the source census, then its value.
        fit: The lookup.
        source: 2011 or 2021.
        target: The other one.
        kind: What the values are: it decides how several are put together.

    Example:
        >>> fit = ExactFit(pairs=(("E01000010", "E01033769", "S"), ("E01000010", "E01033770", "S")))
        >>> carry({"E01033769": 10.0, "E01033770": 20.0}, fit, source=2021, target=2011, kind="score")
        {'E01000010': 15.0}
    """
    sources: dict[str, list[str]] = {}
    targets: dict[str, list[str]] = {}
    inexact: set[str] = set()
    for old, new, change in fit.pairs:
        here, there = (old, new) if source == 2011 else (new, old)
        sources.setdefault(there, []).append(here)
        targets.setdefault(here, []).append(there)
        if change == "X":
            inexact.add(there)
    carried: dict[str, float] = {}
    for area, parts in sources.items():
        if area in inexact or any(part not in values for part in parts):
            continue
        if kind == "residents":
            carried[area] = sum(values[part] / len(targets[part]) for part in parts)
        elif len(parts) == 1:
            carried[area] = values[parts[0]]
        elif kind in {"score", "value"}:
            carried[area] = sum(values[part] for part in parts) / len(parts)
    return carried
