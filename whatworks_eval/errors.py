"""Every way to fail, and the exit code of each.

    WhatWorksError            70  only ever raised as one of these
    ├── ProtocolError         10  the declared design does not make sense
    ├── DataError             11  the data cannot carry the declared design
    └── CannotEstimate        12  design and data agree, but there is no number to give

An error holds every problem found, not the first: a message a person can act on names the file,
row or key, says what is wrong there and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable


class WhatWorksError(Exception):
    """Something the user can mend; shown without a traceback.

    Attributes:
        problems: One sentence or two each: where, what is wrong, what to do.
        exit_code: What `whatworks` returns to the shell.
    """

    exit_code = 70

    def __init__(self, problems: str | Iterable[str]) -> None:
        """Take one problem, or every problem found."""
        told = (problems,) if isinstance(problems, str) else problems
        self.problems: tuple[str, ...] = tuple(map(visible, told))
        super().__init__("\n".join(f"- {problem}" for problem in self.problems))


def visible(text: str) -> str:
    r"""The text with what a terminal would obey, or not show, written out: names come from files.

    Example:
        >>> visible("area 'A1\x1b[2J'")
        "area 'A1\\x1b[2J'"
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


class ProtocolError(WhatWorksError):
    """The declared design does not make sense."""

    exit_code = 10


class DataError(WhatWorksError):
    """The data cannot carry the declared design."""

    exit_code = 11


class CannotEstimate(WhatWorksError):
    """Design and data agree, but there is no number to give."""

    exit_code = 12
