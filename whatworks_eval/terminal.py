"""What every command shares: a design read, an evaluation rendered, a file written, or why not."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from whatworks_eval.errors import WhatWorksError

if TYPE_CHECKING:
    from whatworks_eval.judgement import Evaluation
    from whatworks_eval.protocol import Protocol

WIDTH = 96


class UsageProblem(WhatWorksError):
    """What was typed cannot be done as it stands."""

    exit_code = 2


def summary(evaluation: Evaluation) -> str:
    """What a reader needs first: the question, the answer with its level, the largest doubts."""
    from whatworks_eval.report import words

    told = [words.question(evaluation), words.headline(evaluation), words.level_sentence(evaluation)]
    if evaluation.economics is not None:
        from whatworks_eval.report.economics_words import economics_headline

        told.append(f"Was it worth it? {economics_headline(evaluation.economics)}")
    parts = [filled(sentence) for sentence in told]
    if doubts := words.doubts(evaluation):
        numbered = [filled(f"{n}. {doubt}", "   ") for n, doubt in enumerate(doubts, start=1)]
        parts.append("\n".join(["The largest doubts:", *numbered]))
    return "\n\n".join(parts)


def filled(text: str, indent: str = "") -> str:
    """Text in lines of a width that a terminal and a page can take."""
    return textwrap.fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def read(file: str) -> Protocol:
    """The design in a file, or the shipped one of that name."""
    from whatworks_eval.protocol import load_protocol
    from whatworks_eval.shipped import list_shipped

    path = Path(file)
    if not there_is(path):
        path = next((item.path for item in list_shipped("designs") if item.name == file), path)
    return load_protocol(path)


def there_is(path: Path) -> bool:
    """True where there is a file or folder of that name; False too where it is closed to us, or no name."""
    try:
        return path.exists()
    except OSError:
        return False


def evaluated(protocol: Protocol, data: Path | None) -> Evaluation:
    """The design evaluated on its data; `data` = folder that outcome.path is relative to."""
    from whatworks_eval.evaluation import evaluate
    from whatworks_eval.sources import load_data

    return evaluate(protocol, load_data(protocol, base=data))


def rendered(evaluation: Evaluation, form: str) -> str:
    """The evaluation as 'text', 'json' or 'html'."""
    from whatworks_eval.report import FORMS, render

    return render(evaluation, next(known for known in FORMS if known == form))


def write(evaluation: Evaluation, out: Path | None) -> tuple[Path, ...]:
    """Where report.html and result.json were written."""
    folder = folder_for(evaluation.protocol.id, out)
    return tuple(
        save(folder / name, rendered(evaluation, form))
        for name, form in (("report.html", "html"), ("result.json", "json"))
    )


def folder_for(name: str, out: Path | None) -> Path:
    """Where a report of that name goes; says at once, before any work, where that cannot be a folder."""
    folder = Path("out") / name if out is None else out
    there = next(place for place in (folder, *folder.parents, Path("/")) if there_is(place))
    if not there.is_dir():
        raise UsageProblem(f"--out {folder}: {there} is a file, not a folder; name another place")
    return folder


def save(path: Path, text: str) -> Path:
    """The path, once the text is in it."""
    guarded(path, lambda: path.write_text(text, encoding="utf-8", newline="\n"))
    return path


def guarded(path: Path, write: Callable[[], object]) -> None:
    """Write, or say why the place will not take it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write()
    except (FileExistsError, NotADirectoryError):
        raise UsageProblem(
            f"{path.parent}: a file is in the way of this folder; name another place"
        ) from None
    except OSError as error:
        raise UsageProblem(f"{path}: cannot be written ({error.strerror or error})") from None


def aside(text: str) -> None:
    """Say it on standard error, so that standard output holds results alone."""
    print(text, file=sys.stderr)


def deliver(told: str, numbers: Callable[[], str], json: str | None) -> None:
    """Print what is told; or, with --json -, the numbers alone, and what is told beside them."""
    if json == "-":
        aside(told)
        print(numbers(), end="")
        return
    print(told if json is None else f"{told}\n\nWritten: {save(Path(json), numbers())}")
