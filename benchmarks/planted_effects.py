"""How often the rules on effect measures find what is planted, and how often they speak where nothing is.

    python benchmarks/planted_effects.py [draws]

Writes docs/reference/planted-effects.md. These rules lower no level: one fires where it is a caveat.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "rules"))

from cases import World  # noqa: E402
from effect_cases import ringed, scaled_world  # noqa: E402

from whatworks_eval.caveats import find_rule  # noqa: E402
from whatworks_eval.judgement import Case, EvidenceRule, Verdict  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "planted-effects.md"
DRAWS = 400
FIRST_SEED = 30_000
ALIKE = World(treated=30, comparison=90, level=20.0, spread=0.3)
DOUBLE = World(treated=30, comparison=90, level=20.0, spread=0.3, imbalance=2.0)
PLANTED: tuple[tuple[str, str, Callable[[int], Case], Callable[[int], Case]], ...] = (
    (
        "displacement.found",
        "a quarter fewer in the treated areas, a quarter more in the ring around them",
        lambda seed: ringed(effect=0.75, ring=1.25, seed=seed),
        lambda seed: ringed(seed=seed),
    ),
    (
        "analysis.scale-disagreement",
        "treated areas at twice the level, and a common fall of a quarter",
        lambda seed: scaled_world(DOUBLE, 0.75, seed),
        lambda seed: scaled_world(ALIKE, 1.0, seed),
    ),
)


def rate(rule_id: str, make: Callable[[int], Case], draws: int) -> float:
    """Share of draws in which the rule comes out as a caveat, in percent."""
    rule = find_rule(rule_id)
    assert isinstance(rule, EvidenceRule)
    fired = 0
    for seed in range(FIRST_SEED, FIRST_SEED + draws):
        judged = rule.judge(make(seed))
        fired += isinstance(judged, Verdict) and judged.kind == "caveat"
    return 100 * fired / draws


def page(draws: int) -> str:
    """The reference page, as Markdown."""
    lines = [
        "# Planted effects",
        "",
        f"Written by `benchmarks/planted_effects.py`: {draws:,} draws a row, seeds from {FIRST_SEED:,}, "
        "simulated counts as in [planted defects](planted-defects.md). These rules lower no level; one fires "
        "where it comes out as a caveat.",
        "",
        "| Rule | Planted | Fires | Fires where nothing is planted |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {rule} | {what} | {rate(rule, planted, draws):.1f} % | {rate(rule, clean, draws):.1f} % |"
        for rule, what, planted, clean in PLANTED
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS), encoding="utf-8")
