"""The allocations a lot could have drawn instead: what a randomised trial is ranked among.

Within each block as many units as were treated, from the units of the trial and no others. Nothing asks for
units of like level: the lot made every such set as likely as the one it drew, so the rank of the treated
among them is exact whatever the units are like.

Source: Fisher (1935), The Design of Experiments: the test follows from how the lot was drawn.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.inference.placebo_sets import CELLS, DRAWS, ENUMERATE_UP_TO, FEWEST_DRAWS, PLACES
from whatworks_eval.records import PlaceboSets

Rows = NDArray[np.intp]
SHOWN = 5  # names in a message before the rest are counted


def allocation_sets(
    *,
    row: Rows,
    treated: Rows,
    block: Rows,
    seed: int,
    unit_word: str,
    in_order: bool = False,
    draws: int = DRAWS,
) -> PlaceboSets:
    """Sets of rows the lot could have treated: all of them up to 20,000, otherwise drawn.

    Args:
        row: Row of each area, -1 for areas that are not in the trial.
        treated: Rows of the treated units.
        block: Block of each row, numbered from 0; all 0 where the lot was drawn among all units at once.
        seed: Of the draws. Rows should come in an order that does not depend on area names.
        unit_word: What a row is called: 'areas', 'whole units'.
        in_order: True where it matters which treated row a drawn one stands for (starts differ): then sets
            are drawn in random order, never listed.
        draws: Sets wanted where there are more than can be listed.

    Example:
        >>> pairs = np.repeat(np.arange(6), 2)
        >>> sets = allocation_sets(
        ...     row=np.arange(12), treated=np.arange(0, 12, 2), block=pairs, seed=1, unit_word="areas"
        ... )
        >>> len(sets.members), sets.smallest_p
        (64, 0.03125)
        >>> sets.how
        'every allocation the lot could have drawn (6 of 12 areas, in 6 blocks)'
    """
    rows = len(block)
    # Blocks in the order of their first row, so that their names matter to no draw.
    _, first = np.unique(block, return_index=True)
    inside = [np.flatnonzero(block == block[at]) for at in np.sort(first)]
    given = [members[np.isin(members, treated)] for members in inside]
    wanted = [len(rows_given) for rows_given in given]
    possible = math.prod(math.comb(len(members), many) for members, many in zip(inside, wanted, strict=True))
    of = f"({len(treated)} of {rows} {unit_word}"
    of += f", in {len(inside)} blocks)" if len(inside) > 1 else ")"
    # Where half of every block is treated, an allocation and its opposite are as far apart either way.
    halves = all(2 * many == len(members) for members, many in zip(inside, wanted, strict=True))
    exact = possible <= ENUMERATE_UP_TO and not in_order
    if exact:
        members = _every(inside, wanted)
    else:
        many_draws = min(draws, max(FEWEST_DRAWS, PLACES // max(1, len(treated))))
        members = _drawn(inside, wanted, many_draws, np.random.default_rng(seed))
    floor = (2 if halves and not in_order else 1) / possible
    return PlaceboSets(
        row=row,
        rows=rows,
        treated=np.sort(treated),
        members=members,
        exact=exact,
        how=f"{'every allocation' if exact else 'allocations'} the lot could have drawn {of}",
        smallest_p=min(1.0, floor if exact else max(floor, 1 / (1 + len(members)))),
        stands_for=np.concatenate(given),
    )


def _every(inside: Sequence[Rows], wanted: Sequence[int]) -> Rows:
    choices = [
        list(itertools.combinations(members.tolist(), many))
        for members, many in zip(inside, wanted, strict=True)
    ]
    every = itertools.product(*choices)
    return np.array([list(itertools.chain.from_iterable(parts)) for parts in every], dtype=np.intp)


def _drawn(inside: Sequence[Rows], wanted: Sequence[int], draws: int, rng: np.random.Generator) -> Rows:
    """Draws, each taking as many rows of every block as were treated there, in random order."""
    columns = []
    for members, many in zip(inside, wanted, strict=True):
        at_once = max(1, min(draws, CELLS // len(members)))
        parts = []
        for first in range(0, draws, at_once):
            keys = rng.random((min(at_once, draws - first), len(members)))
            parts.append(members[np.argsort(keys, axis=1)[:, :many]])
        columns.append(np.vstack(parts))
    return np.hstack(columns)


def checked_blocks(
    arms: Mapping[str, Mapping[str, str]], units: Mapping[str, str], codes: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Area, then the block the lot was drawn in, over both arms; empty where no blocks were declared.

    Args:
        arms: Arm, then area, then block ('' where its cell is empty).
        units: Area, then unit: what the lot was drawn over.
        codes: Arm, then its areas.

    Raises:
        DataError: An area without a block, a unit in two blocks or in both arms, a block with one arm only;
            every problem at once.

    Example:
        >>> checked_blocks({"treated": {"a": "1"}, "comparison": {"b": "1"}}, {},
        ...                {"treated": ["a"], "comparison": ["b"]})
        {'a': '1', 'b': '1'}
    """
    blocks = {area: block for of_arm in arms.values() for area, block in of_arm.items()}
    if not blocks:
        return {}
    problems = []
    arms_of: dict[str, set[str]] = {}
    blocks_of_unit: dict[str, set[str]] = {}
    arms_of_unit: dict[str, set[str]] = {}
    for arm, areas in codes.items():
        empty = [area for area in areas if not blocks.get(area)]
        if empty:
            problems.append(
                f"areas.{arm}: no block is given for {_listed(empty)}; write the block or pair each was "
                "drawn in"
            )
        for area in areas:
            unit = units.get(area, area)
            arms_of_unit.setdefault(unit, set()).add(arm)
            if block := blocks.get(area):
                arms_of.setdefault(block, set()).add(arm)
                blocks_of_unit.setdefault(unit, set()).add(block)
    for unit, found in sorted(blocks_of_unit.items()):
        if len(found) > 1:
            problems.append(
                f"areas: unit '{unit}' is in blocks {_listed(sorted(found))}; a unit is drawn in one block, "
                "so give all its areas the same"
            )
    for unit, found in sorted(arms_of_unit.items()):
        if len(found) > 1:
            problems.append(f"areas: unit '{unit}' has areas in both arms; a lot gives a unit one arm")
    for block, found in sorted(arms_of.items()):
        if len(found) == 1:
            problems.append(
                f"areas: block '{block}' holds {found.pop()} areas only; add the other arm, or take the "
                "block out of both files and count its units in context.attrition_percent"
            )
    if problems:
        raise DataError(problems)
    return blocks


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"'{name}'" for name in names[:SHOWN]) + more
