"""Is a true null rejected 5 % of the time by the synthetic comparison, and do its rules fire when due?

    python benchmarks/synthetic_calibration.py run --data ../shared/data --draws 120 --out /tmp/cells.jsonl
    python benchmarks/synthetic_calibration.py rules --draws 300 --out /tmp/rules.jsonl
    python benchmarks/synthetic_calibration.py table /tmp/cells.jsonl /tmp/rules.jsonl

`run`: placebo areas on real police.uk counts where nothing was done, a fall of 20 % planted for coverage,
through `comparison_test`, which `estimate` and so `evaluate` call. `rules`: simulated units, clean and with
each defect planted. `table`: both as Markdown, between the marks of docs/explanation/synthetic.md.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from calibration import SHAPES, Cell, contrast_of, draw_treated, protocol_of

from whatworks_eval.caveats import find_rule
from whatworks_eval.errors import CannotEstimate
from whatworks_eval.evaluation import estimate
from whatworks_eval.judgement import BEST_LEVEL, Case, EvidenceRule, Verdict
from whatworks_eval.methods.synthetic import as_estimate, comparison_test, estimator_of
from whatworks_eval.methods.synthetic_rests_on import rests_on
from whatworks_eval.panel import Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.records import Contrast
from whatworks_eval.sources import load_data
from whatworks_eval.windows import build_windowed, rewindow, usable

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "explanation" / "synthetic.md"
WINDOWS = {
    "Avon & Somerset": (("2018-01", "2018-12"), ("2019-01", "2019-12")),
    "Gwent": (("2020-01", "2021-08"), ("2021-09", "2022-08")),
}
KINDS = ("1 scattered", "3 scattered", "clump of 10")
OFFENCES = ("all crime", "ASB")
FALL = 0.8
SETS = 199
MOST_REJECTED, LEAST_COVERED = 7.5, 93.0
WHOLE_EVERY = 60


def real(
    force: str,
    offence: str,
    shape: str,
    data: Path,
    draws: int,
    kind_of_mixture: str = "simplex",
    seed: int = 0,
) -> dict[str, Any]:
    """Rejection of a true null, coverage of a planted fall and spread, for one force, offence and shape."""
    cell = Cell(force, offence, *WINDOWS[force], shape)
    kind, size = SHAPES[shape]
    plain = _synthetic(protocol_of(cell, data, {"treated": ["any"], "comparison": "rest"}), kind_of_mixture)
    panel = load_data(plain)
    assert isinstance(panel, Panel)
    periods = usable(plain, panel, panel.areas)
    late = np.flatnonzero(periods.after)
    rng = np.random.default_rng([len(force), len(offence), size, *([seed] if seed else [])])
    rejected, covered, values, refused = [], [], [], 0
    for draw in range(draws):
        treated = draw_treated(kind, size, np.empty(0), panel, {}, rng)
        contrast, areas = contrast_of(kind, treated, panel, {}, plain)
        windowed = rewindow(panel, contrast, periods)
        try:
            setting, found = comparison_test(plain, panel, contrast, windowed, sets=SETS)
        except CannotEstimate:  # nothing recorded before the start: refused, as a user would be
            refused += 1
            continue
        if max(setting.sets.smallest_p, found.test.smallest_p) > 1 - plain.confidence:
            refused += 1
            continue
        p_value = found.p_value(1.0)
        rejected.append(p_value <= 0.05)
        values.append(found.fit.ratio)
        if draw % WHOLE_EVERY == 0:
            _check_whole(cell, data, areas, panel, p_value, kind_of_mixture)
        counts = panel.counts.copy()
        block = np.ix_(treated, late)
        counts[block] = rng.binomial(counts[block].astype(int), FALL)
        thinned = replace(panel, counts=counts)
        _, planted = comparison_test(
            plain, thinned, contrast, rewindow(thinned, contrast, periods), sets=SETS
        )
        covered.append(planted.p_value(FALL) > 0.05)
    return {
        "force": force,
        "months": f"{int(periods.before.sum())} + {len(late)}",
        "offence": offence,
        "shape": shape,
        "kind": kind_of_mixture,
        "draws": draws,
        "seed": seed,
        "refused": refused,
        "rejected": 100 * float(np.mean(rejected)) if rejected else None,
        "covered": 100 * float(np.mean(covered)) if covered else None,
        "spread": float(np.quantile(np.abs(np.log([v for v in values if v])), 0.95)) if values else None,
    }


def _synthetic(protocol: Protocol, kind: str) -> Protocol:
    keys = protocol.synthetic.model_copy(update={"kind": kind})
    return protocol.model_copy(update={"method": "synthetic", "synthetic": keys})


def _check_whole(
    cell: Cell, data: Path, areas: dict[str, Any], panel: Panel, p_value: float, kind: str
) -> None:
    """`estimate` whole, with all its placebo sets, must agree with the p-value here to sampling error."""
    whole = estimate(_synthetic(protocol_of(cell, data, areas), kind), panel).effect.estimate
    assert whole.p_value is not None
    error = math.sqrt(max(p_value * (1 - p_value), 1 / SETS) / SETS)
    assert abs(whole.p_value - p_value) < 5 * error + 2 / SETS, (whole.p_value, p_value)


UNITS, BEFORE, AFTER = 60, 36, 12
Defect = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def clean_rates(rng: np.random.Generator) -> np.ndarray:
    """Expected counts of 60 units over 48 months: a season, two shared factors, persistent shocks."""
    months = BEFORE + AFTER
    season = 0.15 * np.sin(2 * np.pi * np.arange(months) / 12)
    factors = rng.normal(0, 0.04, (2, months)).cumsum(axis=1)
    shocks = rng.normal(0, 0.05, (UNITS, months))
    for month in range(1, months):
        shocks[:, month] += 0.6 * shocks[:, month - 1]
    level = rng.normal(math.log(80), 0.4, (UNITS, 1))
    return np.exp(level + season + rng.uniform(0, 1, (UNITS, 2)) @ factors + shocks)


def trend(rates: np.ndarray, _: np.random.Generator) -> np.ndarray:
    """The first unit climbs 3 % a month through the before window and on, as no donor does."""
    out = rates.copy()
    out[0] *= np.exp(0.03 * (np.arange(rates.shape[1]) - BEFORE))
    return out


def shift(rates: np.ndarray, _: np.random.Generator) -> np.ndarray:
    """The first unit falls by half two thirds into the before window and stays there."""
    out = rates.copy()
    out[0, 2 * BEFORE // 3 :] *= 0.5
    return out


def two_twins(rates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two donors share the treated unit's own swings; after the start one doubles and the other halves."""
    out = rates.copy()
    out[0] *= np.exp(rng.normal(0, 0.5, rates.shape[1]))
    out[1] = out[2] = out[0]
    out[1, BEFORE:] *= 2.0
    out[2, BEFORE:] *= 0.5
    return out


def one_donor(rates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The treated unit shares its own swings with one donor, and that donor doubles after the start."""
    out = rates.copy()
    swings = np.exp(rng.normal(0, 0.5, rates.shape[1]))
    out[0] *= swings
    out[1] = out[0]
    out[1, BEFORE:] *= 2.0
    return out


DEFECTS: dict[str, tuple[str, Defect]] = {
    "a climb of 3 % a month that no donor has": ("selection.pre-fit", trend),
    "a fall by half before the start": ("selection.pre-fit", shift),
    "two donors like the treated, one doubling and one halving after": (
        "selection.weights-not-unique",
        two_twins,
    ),
    "one donor like the treated, doubling after": ("chance.donor-drives", one_donor),
}
RULES = ("selection.pre-fit", "selection.weights-not-unique", "chance.donor-drives")


def simulated_case(seed: int, defect: Defect | None = None) -> Case:
    """The case of simulated units, the first treated, with nothing done."""
    rng = np.random.default_rng(seed)
    rates = clean_rates(rng)
    if defect is not None:
        rates = defect(rates, rng)
    counts = rng.poisson(rates).astype(float)
    names = tuple(f"U{at:02d}" for at in range(UNITS))
    panel = Panel(
        areas=names,
        periods=period_range("2016-01", "2019-12", "month"),
        counts=counts,
        observed=np.ones(counts.shape, dtype=bool),
        ledger=Ledger(),
    )
    protocol = protocol_from_dict(
        {
            "schema": 1,
            "id": "simulated",
            "question": "Nothing was done: is a rule set off?",
            "method": "synthetic",
            "seed": seed,
            "intervention": {"name": "nothing", "start": "2019-01", "assignment": "volunteer"},
            "outcome": {"source": "counts", "path": "counts.csv"},
            "windows": {"before": ["2016-01", "2018-12"], "after": ["2019-01", "2019-12"]},
            "areas": {"treated": ["U00"], "comparison": "rest", "unit": "area"},
        }
    )
    contrast = Contrast(
        treated=names[:1],
        comparison=names[1:],
        units={name: name for name in names},
        unit_basis="area",
        comparison_units=True,
        chosen="every other area in the data",
    )
    return case_of(protocol, panel, contrast)


def case_of(protocol: Protocol, panel: Panel, contrast: Contrast) -> Case:
    """Everything the three rules look at."""
    windowed = build_windowed(protocol, panel, contrast)
    assert windowed is not None
    setting, found = comparison_test(protocol, panel, contrast, windowed)
    return Case(
        protocol=protocol,
        data=panel,
        contrast=contrast,
        windowed=windowed,
        estimate=as_estimate(protocol, found, setting),
        sets=setting.sets,
        synthetic=rests_on(found, setting, estimator_of(protocol.synthetic.kind, setting)),
    )


def fires(case: Case, rule_id: str) -> bool:
    """Whether a rule says 'caveat' with a cap."""
    rule = find_rule(rule_id)
    assert isinstance(rule, EvidenceRule)
    judged = rule.judge(case)
    return isinstance(judged, Verdict) and judged.kind == "caveat" and judged.cap < BEST_LEVEL


def rule_rates(draws: int, first_seed: int = 500) -> list[dict[str, Any]]:
    """How often each rule fires on clean draws, and on its own defect planted."""
    clean: dict[str, list[bool]] = {rule: [] for rule in RULES}
    planted: dict[str, list[bool]] = {defect: [] for defect in DEFECTS}
    for seed in range(first_seed, first_seed + draws):
        case = simulated_case(seed)
        for rule in RULES:
            clean[rule].append(fires(case, rule))
        for defect, (rule, plant) in DEFECTS.items():
            planted[defect].append(fires(simulated_case(seed, plant), rule))
    rows = [{"rule": rule, "defect": "none", "fires": 100 * float(np.mean(clean[rule]))} for rule in RULES]
    rows += [
        {"rule": rule, "defect": defect, "fires": 100 * float(np.mean(planted[defect]))}
        for defect, (rule, _) in DEFECTS.items()
    ]
    return [row | {"draws": draws} for row in rows]


def real_table(cells: list[dict[str, Any]]) -> str:
    """The cells as Markdown, and each shape over all of them."""
    lines = [
        "| Force, before + after months | Offence | Treated | Draws | Rejected | Covers −20 % | 95 % of "
        "values within, log |",
        "|---|---|---|---|---|---|---|",
    ]
    for cell in cells:
        lines.append(
            f"| {cell['force']}, {cell['months']} | {cell['offence']} | {cell['shape']} | "
            f"{cell['draws'] - cell['refused']} | "
            f"{cell['rejected']:.1f} % | {cell['covered']:.1f} % | {cell['spread']:.2f} |"
        )
    for shape in KINDS:
        those = [cell for cell in cells if cell["shape"] == shape]
        weights = [cell["draws"] - cell["refused"] for cell in those]
        rejected, covered = (
            np.average([c[key] for c in those], weights=weights) for key in ("rejected", "covered")
        )
        lines.append(
            f"| **all** | **all** | **{shape}** | **{sum(weights)}** | **{rejected:.1f} %** | "
            f"**{covered:.1f} %** | |"
        )
    return "\n".join(lines)


def rules_table(rows: list[dict[str, Any]]) -> str:
    """How often each rule fires, as Markdown."""
    lines = ["| Rule | Planted | Fires |", "|---|---|---|"]
    lines += [f"| `{row['rule']}` | {row['defect']} | {row['fires']:.1f} % |" for row in rows]
    return "\n".join(lines)


def write_page(cells: Path, rules: Path) -> None:
    """Put both tables between their marks on the page."""
    page = PAGE.read_text("utf-8")
    for name, made in (
        ("calibration", real_table([json.loads(line) for line in cells.read_text().splitlines()])),
        ("rules", rules_table([json.loads(line) for line in rules.read_text().splitlines()])),
    ):
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        page = re.sub(
            pattern, lambda found, made=made: f"{found[1]}{made}\n{found[2]}", page, flags=re.DOTALL
        )
    PAGE.write_text(page, encoding="utf-8", newline="\n")


def main() -> None:
    """Run cells, run rules, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("run", "rules", "table"))
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--kind", choices=("simplex", "sdid", "augmented"), default="simplex")
    parser.add_argument("--seed", type=int, default=0, help="another stream of draws than the page's first")
    parser.add_argument("--force", action="append")
    parser.add_argument("--offence", action="append")
    parser.add_argument("--shape", action="append")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.what == "table":
        write_page(*asked.files)
        return
    with asked.out.open("a", encoding="utf-8") if asked.out else sys.stdout as file:
        if asked.what == "rules":
            for row in rule_rates(asked.draws):
                print(json.dumps(row), file=file, flush=True)
            return
        for force in asked.force or WINDOWS:
            for offence in asked.offence or OFFENCES:
                for shape in asked.shape or KINDS:
                    print(
                        json.dumps(
                            real(force, offence, shape, asked.data, asked.draws, asked.kind, asked.seed)
                        ),
                        file=file,
                        flush=True,
                    )


if __name__ == "__main__":
    main()
