"""The command line: what is printed where, what is written, and the exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import whatworks_eval
from whatworks_eval import cli
from whatworks_eval.caveats import RULES
from whatworks_eval.errors import CannotEstimate
from whatworks_eval.shipped import list_shipped

HEAVY = {"numpy", "pandas", "scipy", "matplotlib", "duckdb", "narwhals", "statsmodels", "pydantic", "jinja2"}


class Done(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def whatworks(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Done:
        with pytest.raises(SystemExit) as left:
            cli.main(words)
        shown = capsys.readouterr()
        return Done(int(left.value.code or 0), shown.out, shown.err)

    return run


def python(code: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of Python in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, env=os.environ | environment
    )


def test_help_loads_no_heavy_library() -> None:
    """`whatworks --help` answers at once because nothing that takes long to load is loaded."""
    done = python(
        "import sys\nfrom whatworks_eval.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: print(sorted({m.split('.')[0] for m in sys.modules}))"
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.decode().splitlines()[-1]
    assert "typer" in loaded
    assert [name for name in HEAVY if f"'{name}'" in loaded] == []


def test_importing_the_package_loads_nothing_else() -> None:
    """The public names are looked up when first used."""
    done = python(
        "import sys, whatworks_eval\nprint([m for m in sys.modules if m.startswith('whatworks_eval.')])"
    )
    assert done.stdout.strip() == b"[]"


def test_the_public_names_are_all_there() -> None:
    """Each name in `__all__` can be had, `dir` shows them, and no other is made up."""
    for name in whatworks_eval.__all__:
        assert getattr(whatworks_eval, name) is not None
    assert dir(whatworks_eval) == sorted(whatworks_eval.__all__)
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        whatworks_eval.evalute  # noqa: B018 - looking it up is the test


def test_the_module_runs_as_the_command_does() -> None:
    """`python -m whatworks_eval` is `whatworks`."""
    done = subprocess.run(
        [sys.executable, "-m", "whatworks_eval", "--version"], capture_output=True, check=True, text=True
    )
    assert done.stdout == f"whatworks {whatworks_eval.__version__}\n"


@pytest.mark.parametrize(
    "words", [(), ("nonsense",), ("run",), ("run", "a", "b"), ("demo", "--loud"), ("panel", ".")]
)
def test_wrong_usage_leaves_with_two(whatworks: Run, words: tuple[str, ...]) -> None:
    """What cannot be understood leaves with 2 and says how the command is used, without a traceback."""
    done = whatworks(*words)
    assert done.code == 2
    assert "Usage: whatworks" in done.out + done.err
    assert "Traceback" not in done.err


def test_list_names_every_design_and_dataset(whatworks: Run) -> None:
    """Name, title and path of everything that comes with the tool."""
    done = whatworks("list")
    assert (done.code, done.err) == (0, "")
    for item in list_shipped():
        assert item.name in done.out
        assert item.title in done.out
        assert str(item.path) in done.out


def test_rules_names_every_rule(whatworks: Run) -> None:
    """Every rule with what it asks."""
    done = whatworks("rules")
    assert (done.code, done.err) == (0, "")
    for rule in RULES:
        assert rule.id in done.out


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_explain_gives_the_reason_and_the_source(whatworks: Run, rule: object) -> None:
    """Every rule can be explained, with its source."""
    done = whatworks("explain", rule.id)  # type: ignore[attr-defined]
    assert (done.code, done.err) == (0, "")
    assert rule.source.text.split()[0] in done.out  # type: ignore[attr-defined]


def test_an_unknown_rule_is_answered_with_the_one_meant(whatworks: Run) -> None:
    """A slip in the id of a rule is a matter of usage."""
    done = whatworks("explain", "regression.chosen-by-ned")
    assert done.code == 2
    assert "regression.chosen-by-need" in done.err


def test_check_needs_no_data_and_names_the_level(whatworks: Run) -> None:
    """A design is appraised without its data, by path or by the name of a shipped one."""
    done = whatworks("check", "placebo-avon-and-somerset")
    assert (done.code, done.err) == (0, "")
    assert "level" in done.out.lower()
    path = next(item.path for item in list_shipped("designs") if item.name == "placebo-avon-and-somerset")
    assert whatworks("check", str(path)).out == done.out


def test_run_prints_the_answer_with_its_level_and_writes_two_files(whatworks: Run, tmp_path: Path) -> None:
    """Headline, level and doubts on standard output; report.html and result.json in out/ID."""
    done = whatworks("run", "police-now-2016")
    assert (done.code, done.err) == (0, "")
    assert "level 2 of 5" in done.out
    assert "The largest doubts:" in done.out
    folder = tmp_path / "out" / "police-now-2016"
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "result.json"]
    assert json.loads((folder / "result.json").read_text("utf-8"))["grade"]["level"] == 2
    for name in ("report.html", "result.json"):
        assert str(Path("out") / "police-now-2016" / name) in done.out


def test_json_goes_to_a_file_or_alone_to_standard_output(whatworks: Run, tmp_path: Path) -> None:
    """`--json FILE` writes it there too; `--json -` leaves standard output to the JSON."""
    done = whatworks("run", "police-now-2016", "--out", "here", "--json", "deep/down/result.json")
    assert done.code == 0
    deep = (tmp_path / "deep" / "down" / "result.json").read_text("utf-8")
    assert deep == (tmp_path / "here" / "result.json").read_text("utf-8")
    done = whatworks("run", "police-now-2016", "--out", "here", "--json", "-")
    assert json.loads(done.out) == json.loads(deep)
    assert "level 2 of 5" in done.err


def test_demo_says_that_it_is_simulated_and_what_the_truth_is(whatworks: Run, tmp_path: Path) -> None:
    """The demo runs the whole line on shipped data and says what to do next."""
    done = whatworks("demo", "--out", "demo")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("SIMULATED DATA")
    assert "the effect put in is \N{MINUS SIGN}12 %." in " ".join(done.out.split())
    assert "whatworks check" in done.out
    assert (tmp_path / "demo" / "report.html").is_file()
    result = json.loads((tmp_path / "demo" / "result.json").read_text("utf-8"))
    change = result["estimate"]["percent_change"]
    assert change["low"] < -12 < change["high"]
    assert result["grade"]["level"] == 3


def test_results_are_utf8_whatever_the_console() -> None:
    """A console that cannot show '−' or '·' gets the same bytes."""
    line = "from whatworks_eval.cli import main\nmain(['check', 'template'])"
    done = python(line, PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout == python(line, PYTHONIOENCODING="utf-8").stdout
    assert done.stdout.decode("utf-8")


def test_a_fault_of_the_tool_asks_for_a_report(whatworks: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is not ours: a sentence and 70; the traceback only where it is asked for."""

    def broken(file: str) -> None:
        raise KeyError("kaput")

    monkeypatch.setattr(cli, "read", broken)
    done = whatworks("check", "template")
    assert done.code == cli.BUG == 70
    assert "KeyError" in done.err
    assert "--debug" in done.err
    with pytest.raises(KeyError, match="kaput"):
        cli.main(["check", "template", "--debug"])


def test_an_error_of_ours_has_its_code_and_no_traceback(
    whatworks: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the user can mend is a list of problems and the code of its branch."""

    def cannot(file: str) -> None:
        raise CannotEstimate(["the after window is empty", "so is the other"])

    monkeypatch.setattr(cli, "read", cannot)
    done = whatworks("check", "template")
    assert done == Done(12, "", "- the after window is empty\n- so is the other\n")
    with pytest.raises(CannotEstimate):
        cli.main(["--debug", "check", "template"])


def test_a_panel_is_written_and_read_back(whatworks: Run, shared_data: Path, tmp_path: Path) -> None:
    """The table `panel` writes holds the counts that the source read, and `counts` reads it."""
    zipped = shared_data / "police_uk" / "city-of-london_street_2022-07_2023-06.zip"
    for name in ("panel.parquet", "panel.csv"):
        done = whatworks("panel", "--source", "police-uk", str(zipped), "--out", name)
        assert (done.code, done.out) == (0, f"{name}\n")
        protocol = whatworks_eval.protocol_from_dict(
            {
                "schema": 1, "id": "back", "question": "Same?", "method": "before-after",
                "intervention": {"name": "None", "start": "2023-01", "assignment": "need"},
                "outcome": {"source": "counts", "path": name},
                "windows": {"before": ["2022-07", "2022-12"], "after": ["2023-01", "2023-06"]},
                "areas": {"treated": ["E01000001"]},
            },
            base=tmp_path,
        )  # fmt: skip
        assert "8,004 incidents" in repr(whatworks_eval.load_data(protocol))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--source", "survey", "--out", "p.csv"), "this command reads police-uk"),
        (("--out", "p.xlsx"), "must end in .parquet or .csv"),
    ],
)
def test_panel_says_what_it_takes(whatworks: Run, words: tuple[str, ...], said: str) -> None:
    """Other sources and other kinds of file are a matter of usage."""
    done = whatworks("panel", "download.zip", *words)
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize("place", ["taken", "taken/below", "taken/far/below"])
def test_a_file_in_the_way_of_the_report_is_said_before_any_work(
    whatworks: Run, tmp_path: Path, place: str
) -> None:
    """Where the report cannot go is told with 2, naming the file in the way."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    done = whatworks("run", "police-now-2016", "--out", place)
    assert (done.code, done.out) == (2, "")
    assert "taken is a file, not a folder" in done.err


def test_a_folder_in_the_way_of_a_file_is_said(whatworks: Run, tmp_path: Path) -> None:
    """A folder called report.html cannot be written over."""
    (tmp_path / "here" / "report.html").mkdir(parents=True)
    done = whatworks("run", "police-now-2016", "--out", "here")
    assert done.code == 2
    assert "cannot be written" in done.err


def test_a_data_folder_that_is_not_there_is_said(whatworks: Run) -> None:
    """`--data` names a folder that exists."""
    done = whatworks("run", "placebo-avon-and-somerset", "--data", "nowhere")
    assert done.code == 2
    assert "no such folder" in done.err
