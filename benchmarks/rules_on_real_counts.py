"""How often each evidence rule fires on real counts where nothing was done.

    python benchmarks/rules_on_real_counts.py ../shared/data [DRAWS]

Writes docs/reference/rules-on-real-counts.md. Areas of Avon & Somerset are drawn at random as 'treated':
scattered, in clumps of adjoining areas, or as whole wards; all others are the comparison.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "rules"))

from cases import design  # noqa: E402

from whatworks_eval.alternatives import alternatives_of  # noqa: E402
from whatworks_eval.caveats import EVIDENCE_RULES  # noqa: E402
from whatworks_eval.inference.neighbours import adjoining_pairs, neighbour_table  # noqa: E402
from whatworks_eval.judgement import BEST_LEVEL, Case, Verdict  # noqa: E402
from whatworks_eval.methods.relative_effect import from_panel  # noqa: E402
from whatworks_eval.panel import Panel  # noqa: E402
from whatworks_eval.records import Contrast  # noqa: E402
from whatworks_eval.sources.police_uk import load_police_uk  # noqa: E402
from whatworks_eval.windows import build_windowed  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "rules-on-real-counts.md"
ARCHIVE = "police_uk/avon-and-somerset_street_2018-01_2020-12.zip"
WARDS = "geography/lookup_lsoa11_ward17.csv.gz"
OFFENCES = ("Anti-social behaviour", "Violence and sexual offences")
SHAPES = ("10 scattered areas", "one clump of 10", "8 clumps of 6", "4 whole wards")
WINDOWS = {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]}


def draw(panel: Panel, shape: str, wards: dict[str, str], table: np.ndarray, seed: int) -> Contrast:
    """Treated areas of a shape, all others as comparison."""
    rng = np.random.default_rng(seed)
    units: dict[str, str]
    if shape == "10 scattered areas":
        treated = {panel.areas[at] for at in rng.choice(len(panel.areas), 10, replace=False)}
        units, basis, both = {area: area for area in panel.areas}, "area", True
    elif shape == "4 whole wards":
        units, basis, both = {area: wards[area] for area in panel.areas if area in wards}, "lookup", True
        chosen = set(rng.choice(sorted(set(units.values())), 4, replace=False).tolist())
        treated = {area for area, ward in units.items() if ward in chosen}
    else:
        clumps, size = (1, 10) if shape == "one clump of 10" else (8, 6)
        units, basis, both = {}, "contiguous", False
        for clump in range(clumps):
            units |= {panel.areas[at]: f"clump {clump}" for at in _grow(table, size, set(units), panel, rng)}
        treated = set(units)
    return Contrast(
        treated=tuple(sorted(treated)),
        comparison=tuple(area for area in panel.areas if area not in treated),
        units=units,
        unit_basis=basis,  # type: ignore[arg-type]
        comparison_units=both,
        chosen="every other area in the data",
    )


def _grow(table: np.ndarray, size: int, taken: set[str], panel: Panel, rng: np.random.Generator) -> set[int]:
    while True:
        group = {int(rng.integers(len(panel.areas)))}
        while len(group) < size:
            edge = sorted({int(other) for area in group for other in table[area] if other >= 0} - group)
            if not edge:
                break
            group.add(int(rng.choice(edge)))
        if len(group) == size and not {panel.areas[at] for at in group} & taken:
            return group


def rates(panel: Panel, offence: str, shape: str, wards: dict[str, str], draws: int) -> Counter[str]:
    """Draws in which each rule lowers the level, and the least level it leaves."""
    assert panel.centroids is not None
    table = neighbour_table(adjoining_pairs(panel.centroids), len(panel.areas))
    fires: Counter[str] = Counter()
    for seed in range(draws):
        protocol = design(
            {"seed": seed, "windows": WINDOWS, "outcome": {"source": "police-uk", "offences": [offence]}}
        )
        contrast = draw(panel, shape, wards, table, seed)
        windowed = build_windowed(protocol, panel, contrast)
        assert windowed is not None
        effect = from_panel(protocol, panel, contrast, windowed, draws=1_999)
        assert effect.sets is not None
        others = alternatives_of(protocol, panel, contrast, windowed, effect.sets)
        case = Case(
            protocol=protocol,
            data=panel,
            contrast=contrast,
            windowed=windowed,
            estimate=effect.estimate,
            alternatives=effect.alternatives + others,
            sets=effect.sets,
        )
        for rule in EVIDENCE_RULES:
            said = rule.judge(case)
            for verdict in () if said is None else (said,) if isinstance(said, Verdict) else said:
                if verdict.kind == "caveat" and verdict.cap < BEST_LEVEL:
                    fires[f"{rule.id} ({verdict.cap})"] += 1
    return fires


def page(data: Path, draws: int) -> str:
    """The reference page, as Markdown."""
    import pandas as pd

    lookup = pd.read_csv(data / WARDS)
    wards = dict(zip(lookup.iloc[:, 0], lookup.iloc[:, 1], strict=True))
    lines = [
        "# Rules on real counts where nothing was done",
        "",
        f"Written by `benchmarks/rules_on_real_counts.py`: {draws:,} draws a cell on police.uk counts of "
        "Avon & Somerset, 2018 against 2019 (July 2019 has no file, so July is left out of both years), "
        "treated areas drawn at random, all others as comparison, a design declared not random. Share of "
        "draws in which a rule lowers the level, with the level it leaves in brackets; rules that never "
        "did are left out.",
        "",
    ]
    for offence in OFFENCES:
        panel = load_police_uk(data / ARCHIVE, offences=[offence])
        found = {shape: rates(panel, offence, shape, wards, draws) for shape in SHAPES}
        lines += [
            f"## {offence}",
            "",
            "| Rule (level) | " + " | ".join(SHAPES) + " |",
            "|---" * (1 + len(SHAPES)) + "|",
        ]
        for name in sorted({name for counts in found.values() for name in counts}):
            cells = " | ".join(f"{100 * found[shape][name] / draws:.1f} %" for shape in SHAPES)
            lines.append(f"| {name} | {cells} |")
        lines.append("")
    lines += [
        "Rules that fire by design: `chance.few-units` and `chance.one-unit-an-arm` on one clump and four "
        "wards; `recording.missing-periods` on violence, because one row in nine has no location; "
        "`selection.baseline-level (3)` says that the arms stood apart by no more than chance may do, "
        "which leaves a design that is not random at level 3, where it is without it.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 400), encoding="utf-8")
