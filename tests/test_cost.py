"""`whatworks cost`: the same answer as the evaluation it reads back, and a clear word for every bad file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from whatworks_eval import cli, evaluate, load_data, protocol_from_dict, render
from whatworks_eval.report.economics_section import economics_dict

COSTS = """
[economics]
price_year = "2019-20"
months = 12
[[economics.costs]]
item = "Beat team"
gbp = 9_000
year = "2019-20"
kind = "running"
payer = "police"
cash = false
"""
DESIGN: dict[str, Any] = {
    "schema": 1,
    "id": "thefts",
    "question": "Did theft fall?",
    "method": "relative-effect",
    "seed": 7,
    "intervention": {"name": "x", "start": "2019-04", "assignment": "volunteer"},
    "outcome": {
        "source": "totals",
        "offences": ["Theft from the person"],
        "totals": {"treated": [398, 190], "comparison": [148, 140], "periods": [12, 12]},
    },
    "context": {"comparability": "the same town"},
}


class Done(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a result and a file of costs."""
    monkeypatch.chdir(tmp_path)
    protocol = protocol_from_dict(DESIGN)
    (tmp_path / "result.json").write_text(render(evaluate(protocol, load_data(protocol)), "json"), "utf-8")
    (tmp_path / "costs.toml").write_text(COSTS, "utf-8")
    return tmp_path


@pytest.fixture
def cost(capsys: pytest.CaptureFixture[str], place: Path) -> Callable[..., Done]:
    """Run the command there."""

    def run(*words: str) -> Done:
        with pytest.raises(SystemExit) as left:
            cli.main(["cost", *words])
        shown = capsys.readouterr()
        return Done(int(left.value.code or 0), shown.out, shown.err)

    return run


USUAL = ("--effect", "result.json", "--costs", "costs.toml")


def test_a_result_read_back_gives_the_same_pounds(cost: Callable[..., Done]) -> None:
    """Number for number, what the evaluation itself would say with the same [economics]."""
    done = cost(*USUAL, "--json", "-")
    assert done.code == 0
    economics = {
        "price_year": "2019-20",
        "months": 12.0,
        "costs": [
            {"item": "Beat team", "gbp": 9000.0, "year": "2019-20", "kind": "running", "payer": "police"}
            | {"cash": False}
        ],
    }
    protocol = protocol_from_dict({**DESIGN, "economics": economics})
    made = evaluate(protocol, load_data(protocol)).economics
    assert made is not None
    assert json.loads(done.out)["economics"] == json.loads(json.dumps(economics_dict(made)))


def test_a_design_with_windows_read_back_gives_the_same_pounds(
    cost: Callable[..., Done], place: Path
) -> None:
    """The demo's own result, with the demo's design as the file of costs."""
    from whatworks_eval.protocol import load_protocol
    from whatworks_eval.shipped import shipped_path

    path = shipped_path("designs", "simulated-neighbourhoods")
    protocol = load_protocol(path)
    text = render(evaluate(protocol, load_data(protocol)), "json")
    (place / "demo.json").write_text(text, "utf-8")
    done = cost("--effect", "demo.json", "--costs", str(path), "--json", "-")
    assert done.code == 0, done.err
    ours, theirs = json.loads(done.out)["economics"], json.loads(text)["economics"]
    assert ours == theirs


def test_the_command_prints_the_section_and_writes_page_and_numbers(
    cost: Callable[..., Done], place: Path
) -> None:
    """Headline, chain and level on standard output; two files in --out, one in --json."""
    done = cost(*USUAL, "--out", "made", "--json", "also.json")
    assert (done.code, done.err) == (0, "")
    assert "design strength level 3 of 5" in " ".join(done.out.split())
    assert "The chain of assumptions" in done.out
    assert done.out.count("Written: ") == 3
    assert (place / "made" / "economics.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    numbers = json.loads((place / "made" / "economics.json").read_text("utf-8"))
    assert numbers == json.loads((place / "also.json").read_text("utf-8"))
    assert numbers["effect"]["protocol"] == "thefts"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--effect", "result.json"),
        ("--costs", "costs.toml"),
        (*USUAL, "--cohort", "simulated-cohort"),
    ],
)
def test_half_of_what_is_needed_is_a_matter_of_usage(
    cost: Callable[..., Done], words: tuple[str, ...]
) -> None:
    """Exit code 2 and what to give."""
    done = cost(*words)
    assert done.code == 2
    assert "--cohort" in done.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("months = 12", "`economics.months` is missing"),
        ("gbp = 9_000", "`economics.costs[1].gbp` is missing"),
        ('payer = "police"', "`economics.costs[1].payer` is missing"),
    ],
)
def test_costs_that_lack_something_name_file_and_key(
    cost: Callable[..., Done], place: Path, change: str, said: str
) -> None:
    """Exit code 10, the file, the key."""
    (place / "costs.toml").write_text(COSTS.replace(change, ""), "utf-8")
    done = cost(*USUAL)
    assert done.code == 10
    assert "costs.toml" in done.err
    assert said in done.err
    assert done.out == ""


def test_a_file_without_economics_says_so(cost: Callable[..., Done], place: Path) -> None:
    """A TOML file of something else is not a file of costs."""
    (place / "costs.toml").write_text("schema = 1\n", "utf-8")
    done = cost(*USUAL)
    assert done.code == 10
    assert "costs.toml: no section [economics]" in done.err


def test_every_slip_in_the_costs_is_told_at_once(cost: Callable[..., Done], place: Path) -> None:
    """Two wrong keys and a negative amount: three lines, each with its key."""
    text = COSTS.replace("9_000", "-9_000").replace("price_year", "pice_year") + 'whose = "x"\n'
    (place / "costs.toml").write_text(text, "utf-8")
    done = cost(*USUAL)
    assert done.code == 10
    for part in ("pice_year", "gbp", "whose"):
        assert part in done.err


def test_a_year_without_a_price_level_names_the_latest(cost: Callable[..., Done], place: Path) -> None:
    """The error says which year there is."""
    (place / "costs.toml").write_text(
        COSTS.replace('price_year = "2019-20"', 'price_year = "2031-32"'), "utf-8"
    )
    done = cost(*USUAL)
    assert done.code == 10
    assert "costs.toml" in done.err
    assert "2024-25" in done.err


def test_deadweight_is_refused_where_there_is_a_comparison(cost: Callable[..., Done], place: Path) -> None:
    """What the design of the result already took off is not taken off again."""
    extra = '[economics.additionality]\ndeadweight_percent = 20\nsource = "x"\n'
    (place / "costs.toml").write_text(COSTS + extra, "utf-8")
    done = cost(*USUAL)
    assert done.code == 10
    assert "deadweight" in done.err


def spoiled(place: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The result with one thing changed."""
    held = json.loads((place / "result.json").read_text("utf-8"))
    change(held)
    (place / "result.json").write_text(json.dumps(held), "utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda held: held.pop("estimate"), "`estimate` is missing"),
        (lambda held: held.update(schema=2), "`schema` is 2"),
        (lambda held: held["grade"].update(level=7), "`grade.level` is 7"),
        (lambda held: held["estimate"].update(value="much"), "`estimate.value` is 'much'"),
        (lambda held: held["estimate"].update(quantiles=[1.0]), "`estimate.quantiles` holds 1"),
        (lambda held: held["estimate"]["quantiles"].reverse(), "`estimate.quantiles` are not in order"),
        (lambda held: held["estimate"].update(scale="odds"), "`estimate.scale` is 'odds'"),
        (lambda held: held["protocol"].pop("intervention"), "`protocol.intervention` is missing"),
    ],
)
def test_a_damaged_result_names_file_and_key(
    cost: Callable[..., Done], place: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    """Exit code 11, the file, the key; no number, no traceback."""
    spoiled(place, change)
    done = cost(*USUAL)
    assert done.code == 11
    assert "result.json" in done.err
    assert said in done.err
    assert done.out == ""
    assert "Traceback" not in done.err


@pytest.mark.parametrize("key", ["protocol", "estimate", "grade", "ledger", "alternatives"])
@pytest.mark.parametrize("value", [None, [], {}, "x", 3, [{}], {"after": ["x"]}, {"windows": {"after": 1}}])
def test_no_odd_value_in_a_result_brings_a_traceback(
    cost: Callable[..., Done], place: Path, key: str, value: Any
) -> None:
    """Whatever stands in the place of a part: an error of ours, or the answer the rest allows."""
    spoiled(place, lambda held: held.update({key: value}))
    done = cost(*USUAL)
    assert done.code in {0, 10, 11}, done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("value", [None, 3, "x", [], {"after": 3}, {"after": ["x", "y"]}, {}])
@pytest.mark.parametrize("key", ["windows", "outcome", "period", "intervention", "areas", "seed"])
def test_no_odd_value_in_its_protocol_does_either(
    cost: Callable[..., Done], place: Path, key: str, value: Any
) -> None:
    """The same one level down."""
    spoiled(place, lambda held: held["protocol"].update({key: value}))
    done = cost(*USUAL)
    assert done.code in {0, 10, 11}, done.err


@pytest.mark.parametrize("text", ["", "[1, 2]", "{", '"result"', "\x00"])
def test_what_is_no_result_is_said_to_be_none(cost: Callable[..., Done], place: Path, text: str) -> None:
    """Anything but the JSON of an evaluation is refused by name."""
    (place / "result.json").write_text(text, "utf-8")
    done = cost(*USUAL)
    assert done.code == 11
    assert "result.json" in done.err


def test_files_that_are_not_there_are_named(cost: Callable[..., Done], place: Path) -> None:
    """A missing result is 11, a missing file of costs 10."""
    assert cost("--effect", "no.json", "--costs", "costs.toml").code == 11
    assert cost("--effect", "result.json", "--costs", "no.toml").code == 10


def test_an_effect_without_a_number_has_a_cost_and_no_ratio(cost: Callable[..., Done], place: Path) -> None:
    """Missing is not zero: the ratio is null and says why."""

    def change(held: dict[str, Any]) -> None:
        held["estimate"].update(value=None, low=None, high=None, quantiles=[], why_missing="nothing recorded")

    spoiled(place, change)
    done = cost(*USUAL, "--json", "-")
    assert done.code == 0
    made = json.loads(done.out)["economics"]
    assert made["ratio"] == {"value": None, "low": None, "high": None}
    assert "nothing recorded" in made["why_missing"]
    assert made["cost"]["value"] == 9000.0
