"""Puts what the commands print now into the pages that show it; tests/test_docs.py says when that is due.

    python docs/shown_outputs.py [folder with the real police.uk files]

Blocks with a line '...' are left as they are. The sentence the README quotes of the hot spots needs the
real files.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path

import whatworks_eval as ww
from whatworks_eval import cli
from whatworks_eval.report.words import headline
from whatworks_eval.shipped import shipped_path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "tutorials" / "first-evaluation.md")
SHOWN = re.compile(r"(?<=\n\$ )(whatworks [^\n]*)\n(.*?)(?=```)", re.DOTALL)


def printed(command: str) -> str:
    """What a command prints, less what differs from place to place."""
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught), contextlib.suppress(SystemExit):
        cli.main(shlex.split(command)[1:])
    text = caught.getvalue().replace(f"{ROOT.as_posix()}/designs/", "...")
    return re.sub(r"SHA-256\s+[0-9a-f]{64}\.", "SHA-256\n...", text).rstrip() + "\n"


def refreshed(page: str) -> str:
    """The page with every output it shows as the command prints it now."""

    def block(found: re.Match[str]) -> str:
        command, shown = found[1], found[2]
        keep = not shown.strip() or re.search(r"^\.\.\.$", shown, re.MULTILINE)
        return found[0] if keep and "SHA-256" not in shown else f"{command}\n{printed(command)}"

    return SHOWN.sub(block, page)


def quoted(page: str, folder: Path) -> str:
    """The page with what is said of the hot spots now."""
    protocol = ww.load_protocol(shipped_path("designs", "hot-spot-placebo"))
    said = cli.filled(headline(ww.evaluate(protocol, ww.load_data(protocol, base=folder))))
    lines = "".join(f"> {line}\n" for line in said.splitlines())
    return re.sub(r"(?:^> .*\n)+", lines, page, count=1, flags=re.MULTILINE)


def main() -> None:
    """Rewrite the pages."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as empty:
        os.chdir(empty)
        made = {page: refreshed(page.read_text("utf-8")) for page in PAGES}
        os.chdir(before)
    if len(sys.argv) > 1:
        made[PAGES[0]] = quoted(made[PAGES[0]], Path(sys.argv[1]))
    for page, text in made.items():
        page.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
