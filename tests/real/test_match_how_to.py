"""The how-to on matching is true on the real files: what it shows is what the commands print."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from whatworks_eval import cli
from whatworks_eval.evaluation import evaluate
from whatworks_eval.protocol import load_protocol
from whatworks_eval.sources import load_data

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "match-on-deprivation.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| [^|]+ \| ([−+]\d+) % \| ([−+]\d+) to ([−+]\d+) % \| (\d) \|$", re.MULTILINE)
MATCHING = re.compile(r"\[matching\].*", re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """Language and text of every fenced block of the page."""
    return FENCE.findall(PAGE.read_text("utf-8"))


@pytest.fixture
def design(shared_data: Path) -> str:
    """The design of the page, its files where they are here."""
    (text,) = [text for language, text in blocks() if language == "toml"]
    return text.replace("../shared/data", shared_data.as_posix()).replace(
        '"designs/', f'"{ROOT.as_posix()}/designs/'
    )


def test_each_output_shown_is_what_is_printed(
    design: str, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every `whatworks match` and `whatworks deprivation` of the page prints what stands below it."""
    place, seen = tmp_path / "patrols.toml", 0
    for language, text in blocks():
        if language == "toml":
            place.write_text(design, encoding="utf-8")
        elif text.startswith("[matching]"):
            place.write_text(MATCHING.sub(text, design), encoding="utf-8")
        elif text.startswith(("$ whatworks match", "$ whatworks deprivation")):
            command, _, shown = text.partition("\n")
            words = command.split()[2:]
            words = [word.replace("../shared/data", str(shared_data)) for word in words]
            words = [
                {"patrols.toml": str(place), "out": str(tmp_path / "out")}.get(word, word) for word in words
            ]
            with pytest.raises(SystemExit) as left:
                cli.main(words)
            printed = capsys.readouterr().out
            assert not left.value.code
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            assert doctest.OutputChecker().check_output(shown, printed, flags), printed
            seen += 1
    assert seen == 4


def test_the_effects_in_the_table_are_the_ones_found(design: str, shared_data: Path, tmp_path: Path) -> None:
    """Each row's effect, interval and level, whole numbers as printed."""
    texts = [text for _, text in blocks() if text.startswith("[matching]")]
    rows = re.findall(
        r"^\| [^|]+ \| ([−+]\d+) % \| ([−+]\d+) to ([−+]\d+) % \| (\d) \|$", PAGE.read_text("utf-8"), re.M
    )
    assert len(rows) == 2
    for row, keys in zip(rows, (None, texts[0]), strict=True):
        place = tmp_path / "d.toml"
        place.write_text(design if keys is None else MATCHING.sub(keys, design), encoding="utf-8")
        protocol = load_protocol(place)
        evaluation = evaluate(protocol, load_data(protocol, base=shared_data / "police_uk"))
        change = evaluation.estimate.percent_change
        found = [round(value) for value in (change.value, change.low, change.high) if value is not None]
        assert [*found, evaluation.grade.level] == [int(part.replace("−", "-")) for part in row]
