"""A TOML file in, its tables out, or the line where it stops being TOML and the usual reason."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

from whatworks_eval.errors import ProtocolError


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; ProtocolError naming the file, the line and the likely fix."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError:
        beside = [other.name for other in path.parent.glob(f"*{path.suffix}")]
        near = difflib.get_close_matches(path.name, beside, n=1)
        hint = (
            f"did you mean '{near[0]}'?"
            if near
            else "`whatworks list` shows the designs that come with the tool"
        )
        raise ProtocolError(f"{path}: there is no such file; {hint}") from None
    except OSError as error:
        raise ProtocolError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ProtocolError(f"{path}: line {line} is not UTF-8 text; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ProtocolError(_explain(error, text, str(path))) from None
    except RecursionError:
        raise ProtocolError(
            f"{path}: brackets or dotted names are nested too deeply; a design needs four"
        ) from None
    except ValueError as error:  # a whole number of thousands of digits
        raise ProtocolError(f"{path}: a value in it cannot be read ({error}); correct it") from None


def _explain(error: tomllib.TOMLDecodeError, text: str, file: str) -> str:
    place = re.search(r"at line (\d+), column (\d+)", str(error))
    lines = text.splitlines()
    number = int(place[1]) if place else max(len(lines), 1)
    line = lines[number - 1].strip() if number <= len(lines) else ""
    what = re.sub(r"\s*\(at .*\)$", "", str(error))
    if re.search(r"(?<![\"'\d])\d{4}-(\d{2}|W\d{2})(?![\d\"'-])", line):
        fix = 'periods are written in quotes, as "2019-01"'
    elif "overwrite" in what or "declare" in what:
        fix = "a key or section is there twice; keep one"
    elif re.search(r"\b(True|False)\b", line):
        fix = "true and false are written small"
    elif "\\" in line:
        fix = "write paths with / or in single quotes: \\ is special between double quotes"
    else:
        fix = "text needs quotes, and each key stands on its own line as key = value"
    return f"{file}: line {number} is not TOML ({what}): {line}; {fix}"
