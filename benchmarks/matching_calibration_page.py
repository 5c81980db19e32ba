"""The results of `matching_calibration.py` as a page: bias, rejection and coverage by way of matching."""

# ruff: noqa: E501 - the prose is Markdown, one paragraph a line

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

MOST_REJECTION = 7.5
LEAST_COVERAGE = 93.0
MOST_BIAS = 2.0
ALONE = "IMD alone"
TOP = "from the top tenth"

HEAD = """# Calibration with matching in the loop

What happens when the comparison is matched on real police.uk counts by LSOA where nothing was done: Avon & Somerset
(2018-01 to 2020-02, English index of 2019) and Gwent (2020-01 to 2022-10, Welsh index of 2019), two pairs of windows of the
same calendar months each, anti-social behaviour, violence and all crime, 3, 10 and 20 treated areas. Treated areas are drawn
at random, with odds that rise by a factor of e for each standard deviation of deprivation, and from the tenth that recorded
most before. Each draw is matched anew, three comparison areas each (or weights), by the functions that `evaluate` calls; each
placebo set is compared with matches of its own. {draws} draws a cell; `benchmarks/matching_calibration.py` makes this page.

Asked for: a true null rejected in at most 7.5 % of draws at a nominal 5 %, a planted fall of a fifth covered in at least 93 %,
and recorded incidents within 2 % of expected where the level is matched. A rate from n draws is known to about ±1.96 √(r(1 − r)/n),
so a row is marked only where it misses by more than that; a bias is recorded over expected incidents, summed over draws, with
an error from the spread of the log ratios.

"""


def page(results: list[dict[str, Any]]) -> str:
    """The whole page as Markdown."""
    parts = [HEAD.format(draws=" or ".join(str(n) for n in sorted({one["draws"] for one in results})))]
    parts += [
        _top(results),
        _table(results, ("selection", "matching"), "By how areas were chosen and matched"),
    ]
    parts += [_levels(results), _entropy()]
    parts.append(_table(results, ("selection", "matching", "size"), "Every way, by number of treated areas"))
    parts.append(_table(results, ("force", "selection", "matching"), "Every way, by force"))
    return "\n".join(parts)


def _groups(
    results: Iterable[dict[str, Any]], keys: Sequence[str]
) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    groups: defaultdict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for one in results:
        groups[tuple(one[key] for key in keys)].append(one)
    return dict(groups)


def summed(cells: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Rates in percent and bias in percent, with their errors (95 %), over cells."""
    tests = sum(one["tests"] for one in cells)
    values = np.concatenate([one["values"] for one in cells])
    recorded, expected = (sum(one[name] for one in cells) for name in ("recorded", "expected"))
    plain = [sum(one["unmatched_change"][at] for one in cells) for at in (0, 1)]
    rejected, covered = (
        100 * sum(one[name] for one in cells) / max(tests, 1) for name in ("rejected", "covered")
    )
    return {
        "tests": tests,
        "rejected": rejected,
        "covered": covered,
        "error": _error(5.0, tests),
        "bias": 100 * (recorded / expected - 1),
        "bias_error": 196 * float(values.std()) / max(len(values), 1) ** 0.5,
        "plain": 100 * (plain[0] / plain[1] - 1),
        "refused": sum(one["refused"] + one["no_interval"] for one in cells),
    }


def _error(rate: float, tests: int) -> float:
    share = rate / 100
    return float(196 * (share * (1 - share) / max(tests, 1)) ** 0.5)


def verdict(found: dict[str, float], matching: str) -> str:
    """As asked for, or what it misses by more than the draws can explain."""
    said = []
    if found["rejected"] > MOST_REJECTION + _error(MOST_REJECTION, int(found["tests"])):
        said.append("liberal")
    if found["covered"] < LEAST_COVERAGE - _error(LEAST_COVERAGE, int(found["tests"])):
        said.append("covers too little")
    if matching == ALONE and abs(found["bias"]) > MOST_BIAS:
        said.append("biased, and level 2 at most where chosen for need")
    elif abs(found["bias"]) > MOST_BIAS + found["bias_error"]:
        said.append("biased")
    return " and ".join(said) or "as asked for"


def _table(results: list[dict[str, Any]], keys: tuple[str, ...], title: str) -> str:
    lines = [f"## {title}\n"]
    lines.append(
        f"| {' | '.join(key.capitalize() for key in keys)} | Tests | Rejected % | Covered % | Bias % | Verdict |"
    )
    lines.append("|---" * (len(keys) + 5) + "|")
    judged = []
    for names, cells in _groups(results, keys).items():
        found = summed(cells)
        judged.append(verdict(found, names[keys.index("matching")]))
        without = f" ({found['refused']:.0f} without an answer)" if found["refused"] else ""
        lines.append(
            f"| {' | '.join(str(name) for name in names)} | {found['tests']:.0f}{without} | {found['rejected']:.1f} "
            f"| {found['covered']:.1f} | {found['bias']:+.1f} ± {found['bias_error']:.1f} | {judged[-1]} |"
        )
    counts = ", ".join(f"{judged.count(word)} {word}" for word in dict.fromkeys(judged))
    above = sum(summed(cells)["rejected"] > MOST_REJECTION for cells in _groups(results, keys).values())
    lines.append(f"\n{len(judged)} rows: {counts}. Above 7.5 % by the bare number: {above}.\n")
    return "\n".join(lines)


def _top(results: list[dict[str, Any]]) -> str:
    lines = [
        "## Regression to the mean, and what matching does to it\n",
        "Areas drawn from the tenth that recorded most before: the change against every other area, and against three areas each of like level, of like level and deprivation, and of like deprivation alone. Nothing was done.\n",
        "| Force | Offence | Every other area % | Level % | Level and IMD % | IMD alone % |\n|---|---|---|---|---|---|",
    ]
    inside = [one for one in results if one["selection"] == TOP]
    for (force, offence), cells in _groups(inside, ("force", "offence")).items():
        by = _groups(cells, ("matching",))
        plain = summed(cells)["plain"]
        told = [summed(by[name,])["bias"] for name in ("level", "level and IMD", ALONE)]
        lines.append(
            f"| {force} | {offence} | {plain:+.1f} | " + " | ".join(f"{value:+.1f}" for value in told) + " |"
        )
    return "\n".join(lines) + "\n"


def _levels(results: list[dict[str, Any]]) -> str:
    levels = [level for one in results if one["matching"] == ALONE for level in one["levels"]]
    named = sum("regression.deprivation-alone" in one["regression"] for one in levels)
    others = [level["level"] for one in results if one["matching"] != ALONE for level in one["levels"]]
    return (
        "## What the tool says of a match without the level\n\n"
        f"{len(levels)} draws matched on deprivation alone, the areas declared as chosen for need, were evaluated whole: the level was "
        f"{max((one['level'] for one in levels), default=0)} at most, and regression.deprivation-alone named the reason in {named} of them. "
        f"Of {len(others)} draws matched on the level as well, evaluated whole, {sum(level >= 3 for level in others)} reached level 3 or more.\n"
    )


def _entropy() -> str:
    return (
        "## Weights balance the spread as well as the mean\n\n"
        "Entropy weights that balance the mean of each feature alone look like busy areas by mixing ordinary with very busy ones, and "
        "such a mixture falls back less. Run that way over the same cells, draws from the top tenth came out with a bias of -2.6 % "
        "(-4.4 % in the mean of log ratios) at 2.5 % rejection (648 draws, seeds as here). The mean of each feature's squared distance from the treated areas' mean is therefore "
        "balanced too. Where no weights can do both, the mean alone is balanced, and selection.imbalance compares the variances. The "
        "remedy was chosen on these cells and judged on them, and the entropy rows come from a second run after it.\n"
    )
