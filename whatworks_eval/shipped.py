"""The designs and datasets that come with the tool: in the wheel, or in the checkout beside it."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from whatworks_eval.errors import DataError, ProtocolError, WhatWorksError

Kind = Literal["designs", "datasets"]
KINDS: tuple[Kind, ...] = ("designs", "datasets")
_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A design or dataset that comes with the tool.

    Attributes:
        kind: 'designs' or 'datasets'.
        name: What `whatworks run` (a design) or `outcome.dataset` calls it.
        title: The question of a design; the title of a dataset.
        path: Where it lies: the TOML file of a design, the folder of a dataset.
    """

    kind: Kind
    name: str
    title: str
    path: Path


def shipped_path(kind: Kind, name: str) -> Path:
    """Where a shipped design (its TOML file) or dataset (its folder) lies, by name.

    Raises:
        ProtocolError: There is no such design.
        DataError: There is no such dataset.

    Example:
        >>> shipped_path("datasets", "simulated-neighbourhoods").name
        'simulated-neighbourhoods'
    """
    there = {item.name: item.path for item in list_shipped(kind)}
    # Looked up among what is there, never joined to a path: a name cannot climb out of its folder.
    if name in there:
        return there[name]
    near = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(there) or 'none'}"
    error: type[WhatWorksError] = ProtocolError if kind == "designs" else DataError
    raise error(f"no {kind.removesuffix('s')} called '{name}' comes with the tool; {hint}")


def list_shipped(*kinds: Kind) -> tuple[Shipped, ...]:
    """Everything that comes with the tool, by kind and name; only some kinds where they are given."""
    found = []
    for kind in kinds or KINDS:
        pattern, key = ("*.toml", "question") if kind == "designs" else ("*/dataset.toml", "title")
        for path in sorted(_folder(kind).glob(pattern)):
            title = str(tomllib.loads(path.read_text("utf-8")).get(key, ""))
            name, place = (path.stem, path) if kind == "designs" else (path.parent.name, path.parent)
            found.append(Shipped(kind=kind, name=name, title=title, path=place))
    return tuple(found)


def _folder(kind: Kind) -> Path:
    """Inside the package where it was installed from a wheel, beside it in a checkout."""
    inside = _PACKAGE / kind
    return inside if inside.is_dir() else _PACKAGE.parent / kind
