"""police.uk's categories: names checked, and no series chained across a change of the list."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from itertools import pairwise

import numpy as np

from whatworks_eval.errors import DataError
from whatworks_eval.offence_names import OLDER, TODAY
from whatworks_eval.sources.police_uk_files import StreetFile
from whatworks_eval.sources.police_uk_rows import Groups, categories

# The only names that mean the same in the lists of six, eleven and fourteen categories.
CHAINABLE = ("Anti-social behaviour", "Burglary", "Robbery", "Vehicle crime")


def check_offences(files: Sequence[StreetFile], groups: Groups, offences: Sequence[str]) -> list[str]:
    """Notes on the offences wanted; a DataError for a name that is none, or that changed its meaning."""
    if not offences:
        return []
    rows = [int(of_one.sum()) for of_one in groups.wanted]
    absent = [offence for offence, n in zip(offences, rows, strict=True) if n == 0]
    problems: list[str] = []
    notes: list[str] = []
    if absent:
        present = categories(files)
        known = [name for name in dict.fromkeys([*present, *TODAY, *OLDER]) if name]
        for offence in absent:
            if offence in TODAY or offence in OLDER:
                notes.append(f"No row of '{offence}' in the files.")
                continue
            near = get_close_matches(offence.capitalize(), known, n=1, cutoff=0.6)
            meant = f"did you mean '{near[0]}'? " if near else ""
            names = ", ".join(f"'{name}'" for name in sorted(name for name in present if name))
            problems.append(
                f"`outcome.offences`: '{offence}' is not in the files; {meant}The files have {names}"
            )
    problems += _broken_series(files, groups, offences)
    if problems:
        raise DataError(problems)
    return notes


def _broken_series(files: Sequence[StreetFile], groups: Groups, offences: Sequence[str]) -> list[str]:
    """A sentence where months with different lists of categories meet in a name that is not in all."""
    if not any(rows.any() for rows in groups.older):
        return []
    months = np.array([file.month for file in files])
    of_group = months[groups.file]
    violent, disorder = (set(of_group[rows > 0]) for rows in groups.older)
    lists = {
        month: "eleven" if month in disorder else "six" if month in violent else "fourteen"
        for month in sorted(set(of_group))
    }
    if len(set(lists.values())) < 2:
        return []
    ordered = sorted(lists)
    changes = [
        f"{later} ({lists[earlier]} to {lists[later]})"
        for earlier, later in pairwise(ordered)
        if lists[earlier] != lists[later]
    ]
    return [
        f"`outcome.offences`: '{offence}' does not mean the same in every month: police.uk changed its list "
        f"of categories in {', '.join(changes)}. Keep the months on one side, or count "
        f"{', '.join(CHAINABLE)}, which are in every list, or all categories together"
        for offence in offences
        if offence not in CHAINABLE
    ]
