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
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(f"- {problem}" for problem in self.problems))


class ProtocolError(WhatWorksError):
    """The declared design does not make sense."""

    exit_code = 10


class DataError(WhatWorksError):
    """The data cannot carry the declared design."""

    exit_code = 11


class CannotEstimate(WhatWorksError):
    """Design and data agree, but there is no number to give."""

    exit_code = 12
