"""Writes the reference pages that are made from the code; a test fails when one is out of date.

python docs/generate.py
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import whatworks_eval as ww
from whatworks_eval.caveats.page import rules_page
from whatworks_eval.protocol import Protocol
from whatworks_eval.protocol_problems import known_keys
from whatworks_eval.report.schema import schema_text

DOCS = Path(__file__).resolve().parent
PACKAGE = DOCS.parent / "whatworks_eval"


def protocol_schema() -> str:
    """The JSON Schema of a protocol, for editors that check TOML as it is typed."""
    schema = Protocol.model_json_schema(by_alias=True)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def protocol_page() -> str:
    """Every key of a protocol: what may be written, the default, the meaning."""
    lines = [
        "# Keys of a protocol",
        "",
        "Made by `docs/generate.py` from the models; edit `whatworks_eval/protocol_tables.py` instead.",
        "A worked example with every key is `designs/template.toml`;",
        "[declare a design](../how-to/declare-a-design.md) says how to choose. Unknown keys are refused.",
        "Paths are relative to the protocol.",
    ]
    sections: dict[str, list[str]] = {}
    for dotted, field, words in known_keys(Protocol):
        if words in {"table", "tables by name"}:
            continue
        place, _, name = dotted.rpartition(".")
        if field.is_required():
            absent = "required"
        else:
            default = field.get_default(call_default_factory=True)
            absent = "–" if default in (None, "", ()) else f"`{json.dumps(default, default=str)}`"
        row = f"| `{name}` | {words} | {absent} | {field.description} |"
        sections.setdefault(place, []).append(row)
    for place, rows in sections.items():
        lines += ["", f"## {f'[{place}]' if place else 'At the top'}", ""]
        lines += ["| Key | Write | If absent | Meaning |", "|---|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def cli_page() -> str:
    """Every command with its arguments and options, read from the commands themselves."""
    from typer.main import get_command

    from whatworks_eval.cli import app

    group: Any = get_command(app)
    lines = [
        "# Commands",
        "",
        "Made by `docs/generate.py`; edit `whatworks_eval/cli.py` instead.",
    ]
    lines += _command_lines("whatworks", group)
    for name in sorted(group.commands):
        lines += _command_lines(f"whatworks {name}", group.commands[name])
    return "\n".join(lines) + "\n"


def _command_lines(name: str, command: Any) -> list[str]:
    lines = ["", f"## {name}", "", *inspect.cleandoc(command.help).splitlines()]
    rows = []
    for parameter in command.params:
        option = parameter.param_type_name == "option"
        shown = ", ".join(parameter.opts) if option else (parameter.metavar or parameter.name.upper())
        need = "required" if parameter.required else "optional"
        rows.append(f"| `{shown}` | {need} | {parameter.help} |")
    return [*lines, "", "| Write | | Meaning |", "|---|---|---|", *rows] if rows else lines


def python_page() -> str:
    """Every public name with its signature and docstring."""
    lines = [
        "# Python",
        "",
        "Made by `docs/generate.py` from the docstrings. `import whatworks_eval as ww`.",
        "",
    ]
    for name in ww.__all__:
        thing = getattr(ww, name)
        if name == "__version__":
            continue
        signature = "" if inspect.isclass(thing) else str(inspect.signature(thing))
        lines += [
            f"## {name}",
            "",
            "```text",
            f"{name}{signature}",
            "",
            inspect.cleandoc(thing.__doc__),
            "```",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def inventory() -> str:
    """A table of every file of the package: its name and the first line of its docstring."""
    lines = ["| File | Is for |", "|---|---|"]
    for path in sorted(PACKAGE.rglob("*.py"), key=lambda path: (len(path.parts), path.parts)):
        about = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        lines.append(f"| `{path.relative_to(PACKAGE).as_posix()}` | {about.partition(chr(10))[0]} |")
    return "\n".join(lines)


def architecture_page() -> str:
    """The architecture page with its inventory up to date."""
    page = (DOCS / "architecture.md").read_text("utf-8")
    return re.sub(
        r"(<!-- inventory -->\n).*?(<!-- /inventory -->)",
        lambda found: f"{found[1]}{inventory()}\n{found[2]}",
        page,
        flags=re.DOTALL,
    )


PAGES: dict[str, Callable[[], str]] = {
    "architecture.md": architecture_page,
    "reference/cli.md": cli_page,
    "reference/protocol.md": protocol_page,
    "reference/protocol.schema.json": protocol_schema,
    "reference/python.md": python_page,
    "reference/result.schema.json": schema_text,
    "reference/rules.md": rules_page,
}


def main() -> None:
    """Write every page."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
