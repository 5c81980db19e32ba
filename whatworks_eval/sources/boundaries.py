"""Which census's small areas a list of LSOA codes belongs to, and how 2011 areas became 2021 areas.

ONS numbers new areas onward and never uses a number twice. In the ONS exact-fit lookup (LSOA 2011 to
LSOA 2021 to LAD 2022, version 3) every 2011 code is at or below E01033768 and W01001958, and every code
that came with 2021 (1,945 in England, 80 in Wales) lies above them. A code above is therefore of 2021. A
list without one is of 2011 if it is so long that a 2021 list would have one: three adjoining districts
(Wigan, Bolton, Bury: 497 areas) got no new code, so the list must be longer than that. For a shorter
list the two cannot be told apart, and need not be where every code in it exists in both.

Source: ONS, LSOA (2011) to LSOA (2021) to Local Authority District (2022) Exact Fit Lookup for EW (V3).
"""

from __future__ import annotations

from collections.abc import Iterable

LAST_OF_2011 = {"E": 1_033_768, "W": 1_001_958}
LAST_OF_2021 = {"E": 1_035_762, "W": 1_002_040}
LONG_ENOUGH = 500


def is_lsoa(code: str) -> bool:
    """True for a code of the form that English and Welsh LSOAs have.

    Example:
        >>> is_lsoa("E01000001"), is_lsoa("E02000001")
        (True, False)
    """
    return len(code) == 9 and code[:3] in {"E01", "W01"} and code[3:].isdigit()


def is_new_in_2021(code: str) -> bool:
    """True for an LSOA code that came with the 2021 census.

    Example:
        >>> is_new_in_2021("E01033768"), is_new_in_2021("E01033769")
        (False, True)
    """
    return is_lsoa(code) and int(code[1:]) > LAST_OF_2011[code[0]]


def vintage(codes: Iterable[str]) -> int | None:
    """2011 or 2021, the census whose LSOAs the codes are; None where that cannot be told.

    Example:
        >>> vintage(["E01000001", "E01035762"])
        2021
        >>> vintage(["E01000001", "E01000002"]) is None
        True
    """
    distinct = {code for code in codes if is_lsoa(code)}
    if any(is_new_in_2021(code) for code in distinct):
        return 2021
    return 2011 if len(distinct) > LONG_ENOUGH else None
