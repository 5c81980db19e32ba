"""Published 'for every pound' claims: hand-worked, gross and net told apart, damaged tables refused."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatworks_eval import cli
from whatworks_eval.errors import DataError
from whatworks_eval.report.ratios import for_every, ratios_text, to_say
from whatworks_eval.reproduce_economics import (
    DATASET,
    FORMULAS,
    INPUTS,
    TABLE,
    Checked,
    check_claims,
    load_claims,
    ratios_as_json,
    unit_of,
)
from whatworks_eval.shipped import shipped_path

FOLDER = shipped_path("datasets", DATASET)


@pytest.fixture(scope="module")
def found() -> dict[str, Checked]:
    """The shipped claims checked."""
    return {one.claim.id: one for one in check_claims()}


# Worked by hand from the numbers in each source.
BY_HAND = {
    "ALG-A": 875 * 2300,
    "TF-A": (366 + 147 / 0.51) / (147 / 0.51),
    "TF-B": (147 + 366 / 1.28) / (366 / 1.28),
    "TF-C": 2.184598,
    "TF-D": 1_268_052_000,
    "CDF-A": 34.5e6 / 1_159_934,
    "CDF-B": 6.25e6 / 1_159_934,
    "CDF-C": 8.1e6 / 1_159_934,
    "SIB-A": 8.387097,
    "RIA-A": 420 / 90,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_what_the_inputs_give_is_what_a_hand_gets(found: dict[str, Checked], name: str) -> None:
    """Every computed number agrees with one worked by hand to seven figures."""
    assert found[name].computed == pytest.approx(BY_HAND[name], rel=1e-6)


def test_each_claim_has_its_outcome(found: dict[str, Checked]) -> None:
    """Which claims follow, which do not, and which cannot be checked."""
    by_outcome: dict[str, set[str]] = {}
    for name, one in found.items():
        by_outcome.setdefault(one.outcome, set()).add(name)
    assert by_outcome == {
        "follows": {"ALG-A", "TF-A", "TF-B", "TF-C", "SIB-A"},
        "does not follow": {"TF-D", "CDF-A", "CDF-B", "CDF-C", "RIA-A"},
        "cannot be checked": {"ALG-B", "LIG-A", "CARA-A", "CARA-B", "SIB-B", "VRU-A", "PBO-A"},
    }


def test_gross_and_net_differ_by_the_cost(found: dict[str, Checked]) -> None:
    """Gross over (gross less net) is the ratio, wherever both are known."""
    known = [one for one in found.values() if one.gross is not None and one.net is not None]
    assert len(known) >= 7
    for one in known:
        assert one.gross is not None
        assert one.net is not None
        spent = one.gross - one.net
        assert spent > 0
        if one.claim.is_ratio:
            assert one.gross / spent == pytest.approx(one.computed, rel=1e-9)


def test_a_claim_that_does_not_follow_says_so_and_why(found: dict[str, Checked]) -> None:
    """No number that the inputs do not give is said without the one they give and the reason."""
    for one in found.values():
        said = " ".join(to_say(one))
        if one.outcome == "does not follow":
            assert "Does not follow from its stated inputs: " in said
            assert one.reason not in {"", "no reason is known"}
        if one.outcome == "cannot be checked":
            assert "Cannot be checked: " in said


def test_a_pound_sentence_never_guesses_gross_or_net(found: dict[str, Checked]) -> None:
    """Where the source does not say, both readings are given, a pound to each side."""
    said = for_every(found["ALG-B"])
    assert "not stated" in said
    assert "£0.86 net" in said
    assert "£2.86 gross" in said
    assert for_every(found["TF-A"]) == ("For every £1 spent, £2.28 gross (economic); £1.28 net of the £1.")
    assert for_every(found["SIB-A"]) == for_every(found["TF-D"]) == ""


def test_every_claim_has_a_source_and_something_it_rests_on() -> None:
    """A row of low confidence is not shipped, and every claim has a source and what it rests on."""
    for claim in load_claims():
        assert claim.cells["confidence"] in {"high", "medium"}
        assert claim.cells["source"]
        assert claim.cells["rests_on"]
        assert claim.cells["basis"] or not claim.is_ratio


def test_the_dataset_page_describes_the_table() -> None:
    """Columns, number of rows and checksum in dataset.toml are those of the table."""
    about = tomllib.loads((FOLDER / "dataset.toml").read_text("utf-8"))
    content = (FOLDER / TABLE).read_bytes()
    with (FOLDER / TABLE).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert tuple(about["columns"]) == tuple(reader.fieldnames or ())
    assert (about["rows"], about["sha256"]) == (len(rows), sha256(content).hexdigest())
    assert set(INPUTS) <= set(about["columns"])


@given(
    numbers=st.fixed_dictionaries(
        {name: st.floats(1.0, 1e6) for name in (*INPUTS, "of.net_benefit")}
        | {"of.reported": st.floats(1.1, 20.0)}
    ),
    scale=st.floats(0.5, 50.0),
)
def test_another_currency_leaves_every_ratio(numbers: dict[str, float], scale: float) -> None:
    """Multiplying every amount of money by one number leaves every ratio where it was."""
    money = {"benefit", "net_benefit", "cost", "set_up", "running", "unit_value", "of.net_benefit"}
    other = {name: value * (scale if name in money else 1.0) for name, value in numbers.items()}
    for name, (_, made) in FORMULAS.items():
        if name not in {"quantity-times-value", "percent-fewer"}:
            assert made(other) == pytest.approx(made(numbers), rel=1e-9)


@pytest.mark.parametrize(
    ("text", "unit"), [("82", 1.0), ("14.80", 0.01), ("1.2e9", 1e8), ("366e6", 1e6), ("2.0e4", 1e3)]
)
def test_the_digits_say_how_far_a_number_was_rounded(text: str, unit: float) -> None:
    """The last digit printed is the unit."""
    assert unit_of(text) == pytest.approx(unit)


def damaged(tmp_path: Path, change: Callable[[list[dict[str, str]]], None]) -> Path:
    """A copy of the table with one thing changed."""
    with (FOLDER / TABLE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = list(rows[0])
    change(rows)
    with (tmp_path / TABLE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path


def test_every_problem_of_a_damaged_table_is_told_at_once(tmp_path: Path) -> None:
    """Row and column of each: not a number, unknown formula, missing input, a row twice, a wrong basis."""

    def change(rows: list[dict[str, str]]) -> None:
        rows[0]["quantity"] = "many"
        rows[1]["basis"] = "roughly"
        rows[3]["formula"] = "guess"
        rows[5]["cost"] = ""
        rows[6]["id"] = rows[5]["id"]
        rows[2]["reason"] = ""

    with pytest.raises(DataError) as refused:
        check_claims(damaged(tmp_path, change))
    told = "\n".join(refused.value.problems)
    for part in (
        "row ALG-A: quantity is 'many'",
        "row ALG-B: basis is 'roughly'",
        "row TF-A: formula is 'guess'",
        "row TF-C: formula 'benefit-over-cost' needs cost",
        "row TF-C: is there twice",
        "row LIG-A: no formula and no reason",
    ):
        assert part in told


def test_a_changed_input_changes_the_outcome(tmp_path: Path) -> None:
    """The check can fail: another cost a family, and the ratio no longer follows."""

    def change(rows: list[dict[str, str]]) -> None:
        next(row for row in rows if row["id"] == "TF-C")["cost"] = "5600"

    outcome = {one.claim.id: one.outcome for one in check_claims(damaged(tmp_path, change))}
    assert outcome["TF-C"] == "does not follow"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error of a command."""
    with pytest.raises(SystemExit) as left:
        cli.main(["reproduce", *words])
    shown = capsys.readouterr()
    return int(left.value.code or 0), shown.out, shown.err


def test_the_command_prints_every_claim_and_the_count(capsys: pytest.CaptureFixture[str]) -> None:
    """Every claim on a line of its own, words below, nothing on standard error, no line too wide."""
    code, out, err = run(capsys, "--economics")
    assert (code, err) == (0, "")
    for claim in load_claims():
        assert f"\n{claim.id}" in f"\n{out}"
    assert "17 published claims: 5 follow" in out
    assert max(map(len, out.splitlines())) <= 110
    assert out.strip() == ratios_text(check_claims())


def test_the_command_writes_the_numbers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """--json FILE writes them; --json - leaves standard output to them."""
    code, out, _ = run(capsys, "--economics", "--json", str(tmp_path / "x" / "claims.json"))
    assert code == 0
    assert "Written: " in out
    rows = json.loads((tmp_path / "x" / "claims.json").read_text("utf-8"))
    assert [row["id"] for row in rows] == [claim.id for claim in load_claims()]
    code, out, err = run(capsys, "--economics", "--json", "-")
    assert json.loads(out) == rows == json.loads(ratios_as_json(check_claims()))
    assert "published claims" in err


def test_a_page_is_not_drawn_of_claims(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """--html with --economics is a matter of usage, and nothing is written."""
    code, _, err = run(capsys, "--economics", "--html", str(tmp_path / "page.html"))
    assert code == 2
    assert "--economics" in err
    assert not (tmp_path / "page.html").exists()
