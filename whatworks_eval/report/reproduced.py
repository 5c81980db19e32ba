"""Published against computed, as words and tables: one shape for the terminal and for the page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from whatworks_eval.published import Check, Reproduction, Verdict, decimals
from whatworks_eval.report.numerals import clean, counted, listed, signed
from whatworks_eval.report.tables import ABSENT, Table

WIDTH = 96
VERDICTS: tuple[Verdict, ...] = ("match", "mismatch", "cannot be computed")
SAID = (
    "The level is that of the numbers in the row by the same rules as any evaluation; a study may hold more "
    "evidence than its row."
)


def published_cell(found: Reproduction) -> str:
    """The published value with its interval, digit for digit."""
    by_name = {check.name: check.published for check in found.checks}
    return _with_ends(*(by_name.get(name) for name in ("value", "low", "high")))


def computed_cell(found: Reproduction) -> str:
    """The computed value with its interval, to one digit more than was published."""
    by_name = {check.name: check for check in found.checks}
    return _with_ends(*(_again(by_name.get(name)) for name in ("value", "low", "high")))


def _again(check: Check | None) -> str | None:
    if check is None or check.computed is None:
        return None
    return f"{check.computed:.{decimals(check.published) + 1}f}"


def _with_ends(value: str | None, low: str | None, high: str | None) -> str:
    ends = "" if low is None or high is None else f"{_minus(low)} to {_minus(high)}"
    if value is None:
        return ends or ABSENT
    return _minus(value) + (f" ({ends})" if ends else "")


def _minus(text: str) -> str:
    return signed(float(text), decimals(text), plus=False)


def level_cell(found: Reproduction) -> str:
    """The level, or a dash."""
    return ABSENT if found.level is None else str(found.level)


def tally_sentence(every: Sequence[Reproduction]) -> str:
    """How many rows match, do not, or cannot be computed, and with what confidence they were read."""
    size = {verdict: sum(one.verdict == verdict for one in every) for verdict in VERDICTS}
    medium = sum(one.row.cells["confidence"] == "medium" for one in every)
    return (
        f"{counted(len(every), 'published value')}: {size['match']} computed again to the digits given, "
        f"{size['mismatch']} that differ for a known reason, {size['cannot be computed']} that cannot be "
        f"computed from what is published. {counted(medium, 'row')} of medium confidence "
        f"{'is' if medium == 1 else 'are'} marked *; remembered rows are left out."
    )


def as_text(every: Sequence[Reproduction]) -> str:
    """Every row on a line, then the reasons, for the terminal."""
    wide = max(len(one.row.id) for one in every) + 1
    rows = [
        (name_of(one), published_cell(one), computed_cell(one), one.verdict, level_cell(one)) for one in every
    ]
    heads = ("Row", "Published", "Computed", "Verdict", "Level")
    sizes = [max(wide, len(heads[0]))] + [
        max(len(heads[at]), *(len(row[at]) for row in rows)) for at in range(1, 5)
    ]
    lines = [
        "  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip() for row in rows
    ]
    head = "  ".join(cell.ljust(size) for cell, size in zip(heads, sizes, strict=True)).rstrip()
    parts = ["\n".join([head, *lines])]
    for verdict, title in (("mismatch", "Why they differ:"), ("cannot be computed", "Why not computed:")):
        said = [
            _filled(f"{listed(names, most=len(names))}: {why}.")
            for why, names in reasons(every, verdict)  # type: ignore[arg-type]
        ]
        if said:
            parts.append("\n".join([title, *said]))
    parts.append(_filled(tally_sentence(every)))
    parts.append(_filled(SAID))
    return "\n\n".join(parts)


def reasons(every: Iterable[Reproduction], verdict: Verdict) -> list[tuple[str, list[str]]]:
    """Each reason for a verdict, with the rows it holds for."""
    found: dict[str, list[str]] = {}
    for one in every:
        if one.verdict == verdict:
            found.setdefault(clean(one.reason), []).append(one.row.id)
    return list(found.items())


def name_of(found: Reproduction) -> str:
    """The id of a row, starred where it was read in somebody else's account."""
    return found.row.id + ("*" if found.row.cells["confidence"] == "medium" else "")


def table_of(every: Sequence[Reproduction], verdict: Verdict) -> Table | None:
    """All rows of one verdict with what the page says of each; None where there is none."""
    these = [one for one in every if one.verdict == verdict]
    if not these:
        return None
    title = {
        "match": "Computed again to the digits given",
        "mismatch": "Differs, for a known reason",
        "cannot be computed": "Cannot be computed from what is published",
    }[verdict]
    computed = () if verdict == "cannot be computed" else ("Computed",)
    return Table(
        caption=f"{title}: {counted(len(these), 'row')}",
        columns=(
            "Row",
            "Study and outcome",
            "Published as",
            "Published",
            *computed,
            "Level",
            "To know",
            "Source",
        ),
        rows=tuple(
            (
                name_of(one),
                _study(one),
                clean(one.row.cells["reported_measure"]),
                _held(published_cell(one)),
                *([_held(computed_cell(one))] if computed else []),
                level_cell(one),
                clean(" ".join(_to_know(one))),
                clean(one.row.cells["source"]),
            )
            for one in these
        ),
        numeric=(3, 4, 5) if computed else (3, 4),
        notes=("* Medium confidence: read in somebody else's account.", SAID),
    )


def _held(cell: str) -> str:
    """The cell with its interval held on one line, so that only the gap before it may break."""
    value, gap, interval = cell.partition(" (")
    return value + gap + interval.replace(" ", "\u00a0")


def _study(found: Reproduction) -> str:
    cells = found.row.cells
    return clean(f"{cells['study']} ({cells['year'] or 'no year'}): {cells['outcome']}")


def _to_know(found: Reproduction) -> list[str]:
    said = [_sentence(found.reason)] if found.reason else []
    said += list(found.notes)
    if found.level is None:
        said.append(f"No level: {found.why_no_level}.")
    return said


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
