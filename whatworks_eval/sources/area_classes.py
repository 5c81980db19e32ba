"""Classes of areas joined to a Panel by area code: district, rural-urban class, any name, no number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from whatworks_eval.errors import DataError
from whatworks_eval.panel import Panel
from whatworks_eval.protocol_tables import Covariate
from whatworks_eval.sources.boundaries import is_lsoa, vintage
from whatworks_eval.sources.carry_over import carry, read_exact_fit
from whatworks_eval.sources.cells import few
from whatworks_eval.sources.tables import Table, read_table

_NAMED = 5


def classes_of(
    panel: Panel, covariate: Covariate, base: Path, table: Table, codes: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """The class of each area of the panel that has one, and what to say of the join.

    An area may stand in several rows that say the same: lookups list it once for every part of it. On other
    boundaries a class is carried over from a single area alone, as a rank is. An area elsewhere that lies in
    two classes (a few cross a district's border) has none.

    Args:
        panel: Whose areas are wanted.
        covariate: With `column`, and `lookup` where the boundaries differ.
        base: Folder that `lookup` is relative to.
        table: The file.
        codes: Area of each row of it; '' where a row has none.

    Raises:
        DataError: An area of the panel in two classes, an empty column, or areas of two censuses without a
            lookup.
    """
    assert covariate.column is not None
    held: dict[str, tuple[str, int]] = {}
    torn: set[str] = set()
    here = set(panel.areas)
    problems = []
    for code, label, row in zip(codes, table.text(covariate.column), table.numbers, strict=True):
        if not code or not label:
            continue
        first, at = held.setdefault(code, (label, row))
        if first != label:
            torn.add(code)
        if first != label and code in here:
            problems.append(
                f"{table.name}, row {at} and {row}: area '{code}' is in class '{first}' and in '{label}'; "
                "keep one"
            )
    if problems:
        more = [f"and {len(problems) - _NAMED} more such rows in {table.name}"]
        raise DataError([*problems[:_NAMED], *(more if len(problems) > _NAMED else [])])
    if not held:
        raise DataError(f"{table.name}: column '{covariate.column}' is empty; name another in `column`")
    labels = {code: label for code, (label, _) in held.items() if code not in torn}
    notes = [f"{len(set(labels.values()))} classes in column '{covariate.column}' of {table.name}."]
    source, target = vintage(codes), panel.boundaries
    if source is not None and target is not None and source != target:
        labels = _carried(panel, covariate, base, table, labels, source, target)
        notes.append(f"They were carried from {source} to {target} LSOAs.")
    return {area: labels[area] for area in panel.areas if area in labels}, notes


def _carried(
    panel: Panel,
    covariate: Covariate,
    base: Path,
    table: Table,
    labels: Mapping[str, str],
    source: int,
    target: int,
) -> dict[str, str]:
    """Classes on the panel's boundaries."""
    lost = [area for area in panel.areas if area not in labels and is_lsoa(area)]
    if covariate.lookup is None:
        if not lost:
            return dict(labels)
        raise DataError(
            f"{table.name} is on {source} LSOAs, the data are on those of {target}: {len(lost)} of "
            f"{len(panel.areas)} areas would be lost ({few(lost)}). Give ONS's exact-fit lookup in `lookup`, "
            "or a table on the same areas"
        )
    words = sorted(set(labels.values()))
    number = {word: float(at) for at, word in enumerate(words)}
    fit = read_exact_fit(read_table(base / covariate.lookup))
    numbers = {area: number[label] for area, label in labels.items()}
    carried = carry(numbers, fit, source=source, target=target, kind="rank")
    return {area: words[int(value)] for area, value in carried.items()}
