"""What `whatworks cost --compare` does: two earlier results with their costs held against each other."""

from __future__ import annotations

import json as json_text
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whatworks_eval.errors import DataError
from whatworks_eval.options_file import Held, held_in
from whatworks_eval.terminal import UsageProblem, deliver

if TYPE_CHECKING:
    from whatworks_eval.economics.options import Comparison


def command(
    files: tuple[Path, Path] | None, *, worth: float | None, beside: tuple[object, ...], json: str | None
) -> None:
    """Print the comparison, and write its numbers where that was asked for.

    Args:
        files: The first project and the second.
        worth: Pounds one incident prevented is taken to be worth.
        beside: What else was asked for (--effect, --costs, --cohort, --out): it has no place here.
        json: Where the JSON goes; '-' for standard output alone.

    Raises:
        UsageProblem: The options do not go together.
        DataError: The files cannot be read, or cannot be compared; every reason.
    """
    problems = []
    if files is None:
        problems.append(
            "--worth goes with --compare FIRST SECOND: what one incident prevented is worth there"
        )
    elif any(given is not None for given in beside):
        problems.append(
            "--compare stands alone: leave out --effect, --costs and --cohort; and it makes no page, so "
            "leave out --out and take its numbers with --json FILE"
        )
    if worth is not None and not (math.isfinite(worth) and worth > 0):
        problems.append(f"--worth {worth:g}: expected pounds above zero")
    if problems or files is None:
        raise UsageProblem(problems)
    told, numbers = compared(files, worth=worth)
    deliver(
        told, lambda: json_text.dumps(numbers, indent=2, ensure_ascii=False, allow_nan=False) + "\n", json
    )


def compared(files: tuple[Path, Path], *, worth: float | None = None) -> tuple[str, dict[str, Any]]:
    """Two projects held against each other: for the terminal, and for a machine.

    Raises:
        DataError: Every reason why the files cannot be read or compared.
    """
    from whatworks_eval.economics.options import compare_options
    from whatworks_eval.report import options_words, text

    found: list[Held] = []
    problems: list[str] = []
    for path in files:
        try:
            found.append(held_in(path))
        except DataError as error:
            problems += error.problems
    if len(found) == 2:
        problems += _unlike(*found)
    if problems:
        raise DataError(problems)
    first, second = found
    made = compare_options(first.project.option, second.project.option, worth=worth)
    ranges = options_words.about_ranges(first.share, costs=made.cost.low is not None)
    said = options_words.comparison_sentences(first.project, second.project, made)
    cautions = [ranges, *_cautions(first, second)]
    told = [
        text.heading("Two projects compared", "="),
        *(
            text.bullet(options_words.project_sentence(one.project, place))
            for one, place in ((first, "First"), (second, "Second"))
        ),
        "",
        *(text.bullet(one) for one in said),
        "",
        text.wrap(f"Pounds are of {first.price_year}. {' '.join(cautions)}"),
    ]
    return "\n".join(told), _numbers(first, second, made, [*said, *cautions])


def _unlike(first: Held, second: Held) -> Iterator[str]:
    """Every reason why two projects cannot be held against each other."""
    both = f"{first.file} and {second.file}" if first.file != second.file else "the two files"
    for name, mine, theirs, remedy in (
        ("price year", first.price_year, second.price_year, "set `economics.price_year` alike"),
        (
            "year 0 of discounting",
            first.base_year,
            second.base_year,
            "present values count from it, so only projects begun in the same financial year go together",
        ),
        ("share inside a range", f"{first.share:g}", f"{second.share:g}", "set `confidence` alike"),
    ):
        if mine != theirs:
            yield f"{both}: they differ in {name} ({mine} and {theirs}); {remedy}"
    if tuple(map(str.casefold, first.counted)) != tuple(map(str.casefold, second.counted)):
        mine, theirs = (", ".join(one.counted) or "nothing named" for one in (first, second))
        yield f"{both}: they do not count the same thing ({mine}; {theirs}), so nothing can be compared"
    same = first.yearly == second.yearly and first.yearly.low is not None
    if first.sha256 == second.sha256 or same:
        yield (
            f"{both}: they hold the same effect, so they are one project with two costs, not two projects; "
            "give two evaluations"
        )


def _cautions(first: Held, second: Held) -> Iterator[str]:
    """What the two do not have alike, and what they share."""
    mine, theirs = first.project, second.project
    if mine.months != theirs.months:
        yield f"The first is counted over {mine.months:g} months, the second over {theirs.months:g}."
    if mine.persistence_months or theirs.persistence_months:
        yield (
            f"Beyond what was counted, the effects are assumed to go on for {mine.persistence_months:g} "
            f"months (first) and {theirs.persistence_months:g} (second)."
        )
    if first.taken_off != second.taken_off:
        yield "What is assumed of optimism bias and additionality is not alike in the two."
    if first.opportunity != second.opportunity:
        with_, without = ("first", "second") if first.opportunity else ("second", "first")
        yield (
            f"The costs of the {with_} count time that had another use, those of the {without} none: see "
            "whether something was left out."
        )
    if len(first.counted) > 1:
        yield "One incident counts as much as another, though the mix of offences may differ between the two."
    for arm, meaning in (
        ("treated", "what was prevented there may be counted to both"),
        ("comparison", "their errors are not independent, and the range of the difference is off"),
    ):
        areas = [one.areas.get(arm, frozenset()) for one in (first, second)]
        if shared := len(areas[0] & areas[1]):
            yield f"The two share {shared:,} {arm} {'area' if shared == 1 else 'areas'}: {meaning}."
    if not all(one.areas.get("treated") for one in (first, second)):
        yield "Whether they share areas is not in these files."


def _numbers(first: Held, second: Held, made: Comparison, said: list[str]) -> dict[str, Any]:
    from whatworks_eval.report.as_json import finite, interval, tool

    def one(held: Held) -> dict[str, Any]:
        project = held.project
        return {
            "file": held.file,
            "protocol": project.id,
            "sha256": held.sha256,
            "level": project.level,
            "cost": interval(project.option.cost),
            "prevented": interval(project.option.prevented),
        }

    return {
        "schema": 1,
        "tool": tool(),
        "first": one(first),
        "second": one(second),
        "comparison": {
            "level": min(first.project.level, second.project.level),
            "counted": list(first.counted),
            "price_year": first.price_year,
            "base_year": first.base_year,
            "range_share": first.share,
            "further_cost": interval(made.cost),
            "further_prevented": interval(made.prevented),
            "settled": made.settled,
            "label": made.label,
            "cost_of_each_further": interval(made.ratio),
            "why_missing": made.ratio_why_missing,
            "range_why_missing": made.range_why_missing,
            "worth": finite(made.worth),
            "net_benefit": interval(made.net_benefit),
            "said": said,
        },
    }
