"""Rules on a mixture of donors, on simulated units: found where planted, quiet where nothing is."""

from __future__ import annotations

import re

import pytest
from synthetic_calibration import DEFECTS, PAGE, RULES, fires, rule_rates, simulated_case


@pytest.mark.slow
@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_found(defect: str) -> None:
    """In at least nine draws of ten, allowing three fewer of thirty for luck."""
    rule, plant = DEFECTS[defect]
    assert sum(fires(simulated_case(seed, plant), rule) for seed in range(30)) >= 24


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_a_sound_design_is_not_called_broken(rule: str) -> None:
    """In at most 5 % of sixty draws, allowing five more for luck."""
    assert sum(fires(simulated_case(seed), rule) for seed in range(900, 960)) <= 8


def test_the_page_keeps_the_promises() -> None:
    """Every rule and defect is in the table: 5 % at most without a defect, 90 % or more with it."""
    page = PAGE.read_text("utf-8")
    rows = re.findall(r"^\| `([a-z.-]+)` \| (.+?) \| ([\d.]+) % \|$", page, flags=re.MULTILINE)
    shown = {(rule, defect): float(rate) for rule, defect, rate in rows}
    assert set(shown) == {(rule, "none") for rule in RULES} | {
        (rule, defect) for defect, (rule, _) in DEFECTS.items()
    }
    for (_, defect), rate in shown.items():
        assert rate <= 5.0 if defect == "none" else rate >= 90.0


def test_the_calibration_on_the_page_keeps_the_promise() -> None:
    """Each shape over all forces and offences: 7.5 % rejected at most, 93 % covered at least."""
    page = PAGE.read_text("utf-8")
    rows = re.findall(
        r"^\| \*\*all\*\* \| \*\*all\*\* \| \*\*(.+?)\*\* \| \*\*(\d+)\*\* \| \*\*([\d.]+) %\*\* \| "
        r"\*\*([\d.]+) %\*\* \| \|$",
        page,
        flags=re.MULTILINE,
    )
    assert len(rows) == 3
    for _, draws, rejected, covered in rows:
        assert int(draws) >= 300
        assert float(rejected) <= 7.5
        assert float(covered) >= 93.0


def test_rates_come_with_their_draws() -> None:
    """A row says which rule, what was planted, how often it fired, and in how many draws."""
    rows = rule_rates(2)
    assert len(rows) == len(RULES) + len(DEFECTS)
    assert all(row["draws"] == 2 and 0 <= row["fires"] <= 100 for row in rows)
