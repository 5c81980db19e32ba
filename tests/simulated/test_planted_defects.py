"""Broken designs are called broken and sound ones are not: on seeded draws, and on the page in docs."""

from __future__ import annotations

import re

import pytest
from planted_defects import CAPPING, CLEAN, PAGE, PLANTED, Planted, clean_rates, planted_rate

from whatworks_eval.caveats import find_rule

FOUND, CALLED_BROKEN = 90.0, 5.0  # %, DESIGN 6


@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.rule}, {planted.defect}")
def test_a_planted_defect_is_found(planted: Planted) -> None:
    """In at least nine draws of ten, allowing three fewer of forty for luck."""
    assert planted_rate(planted, 40) >= 33 / 40


@pytest.mark.slow
@pytest.mark.parametrize("name", CLEAN)
def test_a_sound_design_is_not_called_broken(name: str) -> None:
    """No capping rule fires in more than 5 % of clean draws, allowing five more of a hundred for luck."""
    fires, _ = clean_rates(CLEAN[name], 100)
    assert {rule: count for rule, count in fires.items() if count > 10} == {}


def rows() -> list[list[str]]:
    """Cells of every table row on the page."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_keeps_the_promise_where_defects_are_planted() -> None:
    """Every planted row of docs/reference/planted-defects.md is there and says 90 % or more."""
    planted_rows = [row for row in rows() if re.fullmatch(r"\d+ and \d+", row[2])]
    shown = {(row[0], row[1]): float(row[4].removesuffix(" %")) for row in planted_rows}
    assert set(shown) == {(planted.rule, planted.defect) for planted in PLANTED}
    assert {key: rate for key, rate in shown.items() if rate < FOUND} == {}


def test_the_page_keeps_the_promise_where_nothing_is_planted() -> None:
    """Every capping rule is there for every clean world and fires in 5 % of draws at most."""
    shown = {row[0]: row[1:] for row in rows() if row[0] in CAPPING and re.fullmatch(r"[\d.]+ %", row[1])}
    assert set(shown) == set(CAPPING)
    for rule, cells in shown.items():
        assert len(cells) == 2 * len(CLEAN)
        assert all(float(cell.removesuffix(" %")) <= CALLED_BROKEN for cell in cells[::2]), rule


def test_draws_are_enough_to_tell() -> None:
    """The page rests on at least 400 draws a row."""
    said = re.search(r"([\d,]+) draws a row", PAGE.read_text("utf-8"))
    assert said is not None
    assert int(said[1].replace(",", "")) >= 400


def test_rule_pages_state_the_sizes_that_were_planted() -> None:
    """A size in a rule's own words is one of those on the page."""
    sizes = {
        "regression.run-up": ("20 %", "75 %"),
        "selection.baseline-trend": ("1.5 %", "1 %", "6 %"),
        "selection.baseline-level": ("1.3 times", "2.2 times"),
    }
    for rule_id, stated in sizes.items():
        defects = " ".join(planted.defect for planted in PLANTED if planted.rule == rule_id)
        assert all(size in defects and size in find_rule(rule_id).why for size in stated)
