"""How often each rule fires where its defect is planted, and where nothing is planted.

    python benchmarks/planted_defects.py [DRAWS]       writes docs/reference/planted-defects.md

Counts are simulated (tests/rules/cases.py): lognormal levels between areas, each area and each unit with a
shift of its own every year, a common season, and counts that vary more than chance. A rule fires where it
says 'caveat' with a cap; 'not assessed' is counted apart and never as firing.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "rules"))

from cases import World, make_case  # noqa: E402

from whatworks_eval.caveats import find_rule  # noqa: E402
from whatworks_eval.judgement import BEST_LEVEL, Case, EvidenceRule, Verdict  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "planted-defects.md"
DRAWS = 400
FIRST_SEED = 20_000

LARGE = World(treated=30, comparison=90, size=5)
SMALL = World(treated=10, comparison=190, size=1)
CLEAN: Mapping[str, World] = {
    "30 treated units of five areas, 90 comparison units": LARGE,
    "10 treated single areas, 190 comparison areas": SMALL,
}
CAPPING = (
    "selection.baseline-level",
    "selection.baseline-trend",
    "selection.outside-range",
    "regression.run-up",
    "regression.earlier-baseline",
    "recording.missing-periods",
    "recording.unlocated",
    "recording.known-break",
    "chance.one-unit-an-arm",
    "chance.few-units",
    "chance.smallest-p",
    "chance.one-unit-drives",
)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A defect, the rule that must find it, and the world it is planted in.

    Attributes:
        rule: Its id.
        defect: What was planted, with its size.
        world: Where.
        changes: To the protocol.
    """

    rule: str
    defect: str
    world: World
    changes: Mapping[str, Any] = field(default_factory=dict)


NEED = {"intervention": {"assignment": "need"}, "areas": {"comparison": ["B"]}}
VIOLENCE = {"outcome": {"offences": ["Violence and sexual offences"]}}
PLANTED = (
    Planted(
        rule="regression.run-up",
        defect="a climb of 20 % in the last 3 of 12 months",
        world=replace(LARGE, run_up=1.20),
    ),
    Planted(
        rule="regression.run-up",
        defect="a climb of 75 % in the last 3 of 12 months",
        world=replace(SMALL, run_up=1.75),
    ),
    Planted(
        rule="regression.run-up",
        defect="the before year 20 % above the year before it",
        world=replace(LARGE, earlier=1, peak=1.2),
    ),
    Planted(
        rule="regression.earlier-baseline",
        defect="chosen for need, the before year 20 % above the year before it",
        world=replace(LARGE, earlier=1, peak=1.2),
        changes=NEED,
    ),
    Planted(
        rule="selection.baseline-trend",
        defect="a trend of 1.5 % a month, 12 months before",
        world=replace(LARGE, trend=0.015),
    ),
    Planted(
        rule="selection.baseline-trend",
        defect="a trend of 6 % a month, 12 months before",
        world=replace(SMALL, trend=0.06),
    ),
    Planted(
        rule="selection.baseline-trend",
        defect="a trend of 1 % a month, 24 months before",
        world=replace(LARGE, trend=0.01, before=24),
    ),
    Planted(
        rule="selection.baseline-level",
        defect="a level 1.3 times that of the comparison",
        world=replace(LARGE, imbalance=1.3),
    ),
    Planted(
        rule="selection.baseline-level",
        defect="a level 2.2 times that of the comparison",
        world=replace(SMALL, imbalance=2.2),
    ),
    Planted(
        rule="selection.outside-range",
        defect="a level 3 times that of the comparison",
        world=replace(LARGE, imbalance=3.0),
    ),
    Planted(
        rule="selection.outside-range",
        defect="a level 8 times that of the comparison",
        world=replace(SMALL, imbalance=8.0),
    ),
    Planted(
        rule="recording.missing-periods",
        defect="3 of 24 months without a file",
        world=replace(LARGE, before=24, missing=3),
    ),
    Planted(
        rule="recording.missing-periods",
        defect="2 of 12 months without a file",
        world=replace(SMALL, missing=2),
    ),
    Planted(
        rule="recording.unlocated",
        defect="rows without a location from 2 % to 14 %",
        world=replace(LARGE, unlocated=(0.02, 0.14)),
    ),
    Planted(
        rule="recording.known-break",
        defect="violence over the end of the 2014-2018 recording drive, arms in different forces",
        world=replace(LARGE, forces=2),
        changes=VIOLENCE,
    ),
    Planted(
        rule="chance.few-units",
        defect="5 treated units of five areas",
        world=replace(LARGE, treated=5),
    ),
    Planted(
        rule="chance.one-unit-an-arm",
        defect="1 treated unit of five areas",
        world=replace(LARGE, treated=1),
    ),
    Planted(
        rule="chance.smallest-p",
        defect="1 treated unit of five areas against 12",
        world=replace(LARGE, treated=1, comparison=12),
    ),
    Planted(
        rule="chance.one-unit-drives",
        defect="one of 8 treated units of five areas four times as high in the after window",
        world=replace(LARGE, treated=8, one_unit=4.0),
    ),
)


def verdicts(case: Case, rule_id: str) -> tuple[Verdict, ...]:
    """What one evidence rule says of a case."""
    rule = find_rule(rule_id)
    assert isinstance(rule, EvidenceRule)
    said = rule.judge(case)
    return () if said is None else (said,) if isinstance(said, Verdict) else said


def outcome(case: Case, rule_id: str) -> str:
    """'fires' for a caveat with a cap, else 'not assessed' or 'clear'."""
    said = verdicts(case, rule_id)
    if any(verdict.kind == "caveat" and verdict.cap < BEST_LEVEL for verdict in said):
        return "fires"
    return "not assessed" if any(verdict.kind == "not assessed" for verdict in said) else "clear"


def contradicts(case: Case, rule_id: str) -> bool:
    """Whether a rule lowers the level to what its defect deserves; 'too few to say' (level 3) is not that."""
    lowest = {"selection.baseline-level": 2}.get(rule_id, BEST_LEVEL - 1)
    return any(verdict.kind == "caveat" and verdict.cap <= lowest for verdict in verdicts(case, rule_id))


def planted_rate(planted: Planted, draws: int) -> float:
    """Share of draws in which the rule finds the planted defect."""
    found = 0
    for draw in range(draws):
        case = make_case(planted.world, seed=FIRST_SEED + draw, changes=planted.changes)
        found += contradicts(case, planted.rule)
    return found / draws


def clean_rates(world: World, draws: int) -> tuple[Counter[str], Counter[str]]:
    """Draws in which each capping rule fires, and in which it is not assessed, where nothing is planted."""
    fires: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    # The rule about need is asked of a design chosen for need; none of the others looks at that.
    for draw in range(draws):
        case = make_case(world, seed=FIRST_SEED + draw)
        for rule in CAPPING:
            asked = case
            if rule == "regression.earlier-baseline":
                asked = make_case(replace(world, earlier=1), seed=FIRST_SEED + draw, changes=NEED)
            fires[rule] += contradicts(asked, rule)
            missing[rule] += outcome(asked, rule) == "not assessed"
    return fires, missing


def page(draws: int) -> str:
    """The reference page, as Markdown."""
    lines = [
        "# Planted defects",
        "",
        f"Written by `benchmarks/planted_defects.py`: {draws:,} draws a row, seeds from {FIRST_SEED:,}. "
        "Counts are simulated: areas record ten incidents a month at the median level (standard deviation "
        "of log level 0.5), each area and each unit shifts by itself every year (10 % and 5 %), and counts "
        "vary more than chance alone. A rule fires where it lowers the level; 'not assessed' is counted "
        "apart.",
        "",
        "## Where a defect is planted",
        "",
        "| Rule | Planted | Treated and comparison units | Areas in a unit | Fires |",
        "|---|---|---|---|---|",
    ]
    for planted in PLANTED:
        world = planted.world
        lines.append(
            f"| {planted.rule} | {planted.defect} | {world.treated} and {world.comparison} | {world.size} | "
            f"{100 * planted_rate(planted, draws):.1f} % |"
        )
    names = list(CLEAN)
    lines += [
        "",
        "## Where nothing is planted",
        "",
        "| Rule | " + " | ".join(f"{name}: fires | not assessed" for name in names) + " |",
        "|---|" + "---|---|" * len(names),
    ]
    counted = [clean_rates(CLEAN[name], draws) for name in names]
    for rule in CAPPING:
        cells = " | ".join(
            f"{100 * fires[rule] / draws:.1f} % | {100 * missing[rule] / draws:.1f} %"
            for fires, missing in counted
        )
        lines.append(f"| {rule} | {cells} |")
    lines += [
        "",
        "`selection.baseline-level` also says, without lowering an honest design below level 3, that arms "
        "differ by more than a quarter of a standard deviation though chance may do that; this is not "
        "counted as firing. `selection.baseline-trend` is 'not assessed' (level 3 at most, unless a lot "
        "decided) where the trends it cannot rule out would account for the answer.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS), encoding="utf-8")
