"""The pages are true: generated ones current, examples run, commands and links there, words in order."""

from __future__ import annotations

import doctest
import importlib.util
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import whatworks_eval
from whatworks_eval import cli
from whatworks_eval.caveats import RULES
from whatworks_eval.evaluation import evaluate
from whatworks_eval.methods import METHODS
from whatworks_eval.protocol import load_protocol, protocol_from_dict
from whatworks_eval.report.words import headline
from whatworks_eval.shipped import shipped_path
from whatworks_eval.sources import load_data

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "datasets").glob("*/README.md")])
FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
MINIMAL: dict[str, Any] = {
    "schema": 1,
    "id": "x",
    "question": "?",
    "method": "relative-effect",
    "intervention": {"name": "x", "start": "2019-01", "assignment": "need"},
}
BY_AREA: dict[str, Any] = {
    "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
    "areas": {"treated": ["a"], "comparison": "rest"},
}


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Every fenced block in a language, with a name for the test."""
    for page in PAGES:
        for position, found in enumerate(FENCE.finditer(page.read_text("utf-8")), start=1):
            if found[1] == language:
                yield f"{page.relative_to(ROOT)}:{position}", found[2]


def named(language: str) -> Any:
    """The blocks of a language as parameters."""
    return [pytest.param(text, id=name) for name, text in blocks(language)]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """docs/generate.py."""
    spec = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_current(generate: ModuleType) -> None:
    """Each page made from the code is what the code makes now; `python docs/generate.py` mends it."""
    stale = [name for name, make in generate.PAGES.items() if (DOCS / name).read_text("utf-8") != make()]
    assert stale == []


def test_everything_public_is_documented() -> None:
    """Public names, commands, rules and methods each have their place in the pages."""
    python, commands, rules = (
        (DOCS / "reference" / name).read_text("utf-8") for name in ("python.md", "cli.md", "rules.md")
    )
    names = set(whatworks_eval.__all__) - {"__version__"}
    assert {name for name in names if f"\n## {name}\n" not in python} == set()
    registered = {command.name or command.callback.__name__ for command in cli.app.registered_commands}  # type: ignore[union-attr]
    assert {name for name in registered if f"\n## whatworks {name}\n" not in commands} == set()
    assert {rule.id for rule in RULES if f"### {rule.id}" not in rules} == set()
    assert {name for name in METHODS if not (DOCS / "explanation" / f"{name}.md").is_file()} == set()


def test_the_schema_in_docs_is_of_a_sound_design(generate: ModuleType) -> None:
    """The JSON Schema names every section a design can have."""
    schema = json.loads(generate.protocol_schema())
    assert set(BY_AREA) | set(MINIMAL) <= set(schema["properties"])
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that is there."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("text", named("toml"))
def test_designs_in_the_pages_are_sound(text: str) -> None:
    """A TOML example is a design, or a section that fits into one."""
    mapping = tomllib.loads(text)
    if "schema" not in mapping:
        sections = BY_AREA if mapping["outcome"]["source"] == "counts" else {}
        mapping = MINIMAL | sections | mapping
    assert protocol_from_dict(mapping).schema_ == 1


@pytest.mark.parametrize("text", named("python"))
def test_python_in_the_pages_runs(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python example runs as it stands, from the top of the checkout."""
    monkeypatch.chdir(ROOT)
    exec(compile(text, "example", "exec"), {"__name__": "example"})


def commands_in(text: str) -> list[tuple[list[str], str]]:
    """Each `$ whatworks …` of a block with the output shown below it ('' where none is)."""
    parts = re.split(r"^ *\$ ", text, flags=re.MULTILINE)[1:]
    split = [part.partition("\n") for part in parts]
    return [(shlex.split(command), shown.strip()) for command, _, shown in split]


@pytest.mark.parametrize("text", named("console"))
def test_commands_in_the_pages_do_what_is_shown(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command with output shown prints that ('...' for anything); one without is at least a command."""
    monkeypatch.chdir(tmp_path)
    registered = {command.name or command.callback.__name__ for command in cli.app.registered_commands}  # type: ignore[union-attr]
    for words, shown in commands_in(text):
        assert words[0] == "whatworks"
        assert words[1] in registered
        if not shown:
            continue
        with pytest.raises(SystemExit) as left:
            cli.main(words[1:])
        assert not left.value.code
        printed = capsys.readouterr().out
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        checker = doctest.OutputChecker()
        assert checker.check_output(f"{shown}\n", printed, flags), printed


def test_the_readme_quotes_what_is_said_of_the_hot_spots(shared_data: Path) -> None:
    """The sentence the README quotes is the one the tool says of the real data."""
    protocol = load_protocol(shipped_path("designs", "hot-spot-placebo"))
    said = headline(evaluate(protocol, load_data(protocol, base=shared_data / "police_uk")))
    quoted = re.findall(r"^> (.*)$", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE)
    assert " ".join(" ".join(quoted).split()) == " ".join(said.split())


def test_the_readme_names_the_commands_that_ci_calls() -> None:
    """What the README says to type is there, and CI types it."""
    readme, ci = ((ROOT / name).read_text("utf-8") for name in ("README.md", ".ci/run"))
    for command in ("sh scripts/demo", "sh scripts/test"):
        assert command in readme
        assert (ROOT / command.split()[1]).is_file()
    assert "sh scripts/test" in ci


def test_the_glossary_is_in_order() -> None:
    """A word is found where the alphabet puts it, once."""
    words = re.findall(
        r"^\| ([A-Za-z ]+) \| ", (DOCS / "glossary.md").read_text("utf-8"), flags=re.MULTILINE
    )[1:]
    assert words == sorted(set(words), key=str.casefold)
    assert len(words) > 30


def test_no_page_says_what_may_not_be_said() -> None:
    """The words DESIGN forbids are in no page, but where a page says that they are not used."""
    for page in PAGES:
        text = page.read_text("utf-8")
        for word in ("control group", "statistically significant", "proved that", "proven"):
            assert word not in text.lower(), f"{page}: {word}"
