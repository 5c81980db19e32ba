"""`whatworks calc`: four counts typed, a first look printed, a protocol handed back that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from whatworks_eval import cli, evaluate, load_data, load_protocol
from whatworks_eval.calc import as_text, as_toml, first_look

FOUR = ["calc", "--treated", "398", "190", "--comparison", "148", "97"]


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


def test_a_first_look_says_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Every number, the four dispersions with the stated one marked, the sentence, the level, the caveats."""
    code, out, _ = run(FOUR, capsys)
    assert code == 0
    for said in (
        "Ratio of ratios            0.728",
        "Percent change             \u221227.2 %",
        "Incidents prevented        70.9   (recorded 190, expected 260.9)",
        "Weighted displacement      \u2212157.0",
        "dispersion 1      \u221246.5 to \u22120.8",
        "dispersion 8      \u221269.6 to 74.5",
        "design strength level 2 of 5",
        "[analysis.scale-disagreement]",
        "taken as 'volunteer'",
        "[outcome.totals]",
    ):
        assert said in out
    marked = [line for line in out.splitlines() if "<- as declared" in line]
    assert [line.split()[1] for line in marked] == ["4"]


def test_the_level_is_3_with_a_reason_and_2_without() -> None:
    """A declared reason for comparability lifts the cap to 3; need brings it back to 2."""
    counts = {"treated": (398.0, 190.0), "comparison": (148.0, 97.0)}
    assert first_look(**counts).grade.level == 2  # type: ignore[arg-type]
    assert first_look(**counts, comparability="both are town centres").grade.level == 3  # type: ignore[arg-type]
    picked = first_look(**counts, comparability="both are town centres", assignment="need")  # type: ignore[arg-type]
    assert picked.grade.level == 2


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"buffer": (40.0, 35.0), "buffer_comparison": (30.0, 31.0), "periods": (24.0, 12.0)},
        {"phi": 2.5, "comparability": 'Both "town centres"\n\u2014 of like size\\', "start": "2019-01"},
        {"comparison": (0.0, 3.0), "add_half": True},
    ],
)
def test_the_protocol_printed_is_the_protocol_evaluated(tmp_path: Path, more: dict[str, object]) -> None:
    """Read back from TOML it has the same hash, and `evaluate` gives the same numbers and level."""
    counts: dict[str, object] = {"treated": (398.0, 190.0), "comparison": (148.0, 97.0)}
    first = first_look(**(counts | more))  # type: ignore[arg-type]
    path = tmp_path / "four-counts.toml"
    path.write_text(as_toml(first.protocol), "utf-8")
    protocol = load_protocol(path)
    assert protocol.sha256 == first.protocol.sha256
    again = evaluate(protocol, load_data(protocol))
    assert again.estimate == first.estimate
    assert again.alternatives == first.alternatives
    assert again.grade == first.grade


def test_what_is_printed_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text from `schema = 1` on, saved, is accepted by `whatworks run`."""
    monkeypatch.chdir(tmp_path)
    text = as_text(first_look(treated=(398, 190), comparison=(148, 97), buffer=(40, 35)))
    Path("four-counts.toml").write_text(text[text.index("schema = 1") :], "utf-8")
    with pytest.raises(SystemExit) as left:
        cli.main(["run", "four-counts.toml"])
    assert not left.value.code
    assert (tmp_path / "out" / "four-counts" / "report.html").is_file()


def test_json_to_a_file_and_to_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same result either way; with `-` nothing else is on standard output."""
    place = tmp_path / "result.json"
    code, _, _ = run([*FOUR, "--json", str(place)], capsys)
    assert code == 0
    code, out, aside = run([*FOUR, "--json", "-"], capsys)
    assert code == 0
    assert json.loads(out) == json.loads(place.read_text("utf-8"))
    assert "Ratio of ratios" in aside
    labels = [other["label"] for other in json.loads(out)["alternatives"]]
    assert "weighted displacement difference" in labels


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--treated", "398", "-190", "--comparison", "148", "97"], "--treated, after: -190 is below zero"),
        (["--treated", "39.5", "19", "--comparison", "14", "9"], "39.5 is not a whole number"),
        ([*FOUR[1:], "--buffer-comparison", "3", "4"], "without --buffer"),
        ([*FOUR[1:], "--phi", "0.5"], "--phi 0.5"),
        ([*FOUR[1:], "--periods", "12", "0"], "--periods 12 0"),
        (["398", "190", "148", "97"], "Missing option"),
        (["--treated", "398", "--comparison", "148", "97"], ""),
    ],
)
def test_slips_are_usage_errors(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A number that is no count, or a bare number, is refused with exit code 2 and a reason."""
    code, out, aside = run(["calc", *words], capsys)
    assert code == 2
    assert said in aside
    assert "Traceback" not in out + aside


@pytest.mark.parametrize("four", [(0, 0, 0, 0), (5, 0, 6, 7), (0, 5, 6, 7), (5, 4, 0, 7), (50, 45, 200, 280)])
def test_zeros_and_impossible_numbers_are_said_not_printed(
    four: tuple[int, int, int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every table gets an answer: 'not defined' with its reason where there is no number."""
    words = ["calc", "--treated", *map(str, four[:2]), "--comparison", *map(str, four[2:])]
    code, out, _ = run(words, capsys)
    assert code == 0
    assert "not defined" in out
    assert "Missing: " in out
    assert "nan" not in out
    assert "inf " not in out


def test_an_add_half_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Asked for, a half is added and said; the ratio is then that of the counts plus a half."""
    words = ["calc", "--treated", "0", "3", "--comparison", "10", "12"]
    _, without, _ = run(words, capsys)
    _, with_half, _ = run([*words, "--add-half"], capsys)
    assert "Ratio of ratios            not defined" in without
    assert "Ratio of ratios            5.880" in with_half
    assert "0.5 was added to each of the four counts" in " ".join(with_half.split())
