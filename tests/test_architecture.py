"""The shape of the package: which way imports go, and how long a file may grow."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "whatworks_eval"
ARCHITECTURE = PACKAGE.parent / "docs" / "architecture.md"
# A room may import from rooms on earlier lines, and from itself. docs/architecture.md shows the same lines.
ORDER = (
    ("errors", "periods", "offence_names"),
    ("toml_file", "protocol_problems", "survey_keys"),
    ("did_keys", "trial_keys", "matching_keys", "synthetic_keys"),
    ("contradictions",),
    ("economics_keys", "economics_contradictions"),
    ("protocol_tables", "panel", "shipped", "shares"),
    ("protocol",),
    ("records", "panel_file", "published"),
    ("over_time", "likeness", "synthetic_records", "match_list"),
    ("judgement",),
    ("effects",),
    ("sources", "windows", "matching", "before_start"),
    ("areas", "inference", "matched"),
    ("starts", "did", "synthetic"),
    ("contrast", "methods"),
    ("measures",),
    ("economics", "alternative_matches"),
    ("alternatives", "caveats", "reproduce_measures"),
    ("grade", "reproduce_traps", "reproduce_economics"),
    ("evaluation", "report"),
    ("calc", "reproduce", "terminal", "options_file"),
    ("again", "costing", "options_command", "match_command", "deprivation_command"),
    ("cli",),
    ("__main__",),
)
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
# The package itself only names its public functions: it is imported by all, and imports when asked.
ROOT = "__init__"
GOES_BACK = {
    # So that a notebook cannot show an Evaluation without its level.
    ("judgement.py", "report"),
    # So that an Evaluation can say what it holds; for type checking only.
    ("judgement.py", "economics"),
}
LONGEST = 400
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """The folder a file is in, or its own name at the top."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """Rooms a file imports from anywhere in it: at the top, inside functions, for type checking alike."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE.name:
            parts = node.module.split(".")[1:]
            found |= {parts[0]} if parts else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.split(".")[1] for alias in node.names if alias.name.startswith(f"{PACKAGE.name}.")
            }
    return found & set(RANK)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    """No file imports from its own line of the order or a later one, its own room aside."""
    room = room_of(path)
    if room == ROOT:
        return
    assert room in RANK, f"{room} has no place in ORDER"
    back = {
        other
        for other in imported_rooms(path) - {room}
        if RANK[other] >= RANK[room] and (str(path.relative_to(PACKAGE)), other) not in GOES_BACK
    }
    assert not back


def test_the_order_is_the_one_the_architecture_page_shows() -> None:
    """The page's picture of the order is this file's."""
    shown = " ←\n".join(", ".join(rooms) for rooms in ORDER)
    assert f"```text\n{shown}\n```" in ARCHITECTURE.read_text("utf-8")


def test_every_room_in_the_order_exists() -> None:
    """A room that went leaves no line behind."""
    assert set(RANK) == {room_of(path) for path in FILES} - {ROOT}


def test_files_stay_short() -> None:
    """No file past 400 lines; the median near 100."""
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert {name: n for name, n in lengths.items() if n > LONGEST} == {}
    assert median(lengths.values()) <= 150


def test_no_file_is_a_drawer_for_everything() -> None:
    """A helper lives with what it helps."""
    assert {path.stem for path in FILES} & {"utils", "util", "helpers", "common", "misc"} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    """Only numpy and pydantic at the top of a file, so that `--help` stays quick."""
    heavy = {
        "pandas",
        "scipy",
        "matplotlib",
        "duckdb",
        "narwhals",
        "statsmodels",
        "openpyxl",
        "jinja2",
        "afcharts",
    }
    top = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            top.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            top |= {alias.name.split(".")[0] for alias in node.names}
    assert not top & heavy
