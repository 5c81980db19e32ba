"""What is wrong with a declared design, in the user's words: key, value, likely fix."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_ANY = "NAME"
_BRANCHES = {"table", "codes", "word"}
_KINDS = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false, without quotes",
    "tuple_type": "a list in square brackets",
    "dict_type": "a table",
    "model_type": "a table of keys",
    "model_attributes_type": "a table of keys",
    "date_type": "a day, as 2018-11-01",
    "finite_number": "a finite number",
}
_LIMITS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}
_WRITTEN = {
    "areas.treated": 'a list of area codes, or a file as { file = "areas.csv", column = "area" }',
    "areas.comparison": '"rest", "matched", a list of area codes, or { file = "areas.csv", column = "area" }',
    "areas.unit": '"area", "contiguous", or { file = "units.csv", code = "area", unit = "ward" }',
    "covariates.NAME.average": '{ file = "wards.csv", area = "ward", residents = "population.csv" }',
    "areas.buffer": '{ within_m = 500 }, { adjacent_to = "treated" }, or a list of area codes',
    "id": "small letters, digits and hyphens, at most 80, as 'asb-hotspots-2019'",
}


def explain(errors: Sequence[ErrorDetails], model: type[BaseModel]) -> list[str]:
    """One sentence for each problem the model found: dotted key, value and likely fix."""
    keys = {dotted: field for dotted, field, _ in known_keys(model)}
    # A list all of whose entries are wrong is not also empty.
    inside = {error["loc"][:-1] for error in errors if isinstance(error["loc"][-1], int)}
    told = [error for error in errors if error["type"] != "too_short" or error["loc"] not in inside]
    return list(dict.fromkeys(_sentence(error, keys) for error in told))


def _sentence(error: ErrorDetails, keys: Mapping[str, FieldInfo]) -> str:
    dotted = _dotted(error["loc"])
    general = re.sub(r"\[\d+\]", "", re.sub(r"^covariates\.[^.]+", f"covariates.{_ANY}", dotted))
    if error["type"] == "extra_forbidden":
        return _unknown(dotted, general, keys)
    if error["type"] == "missing":
        if dotted.endswith("]"):
            return f"`{dotted.rsplit('[', 1)[0]}` is too short; expected two: {_meaning(general, keys)}"
        return f"`{dotted}` is missing; {_meaning(general, keys)}"
    return f"`{dotted}` {_complaint(error, general, _meaning(general, keys))}"


def _complaint(error: ErrorDetails, general: str, meaning: str) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    expected = str(context.get("expected", ""))
    if general in _WRITTEN:
        said = f"is {shown(value)}; expected {_WRITTEN[general]}{_guess(value, expected)}"
    elif kind == "literal_error":
        said = f"is {shown(value)}; expected {_one_of(expected)}{_guess(value, expected)}"
    elif kind in _KINDS:
        said = f"is {shown(value)}; expected {_KINDS[kind]}{_unquoted(value)}"
    elif kind in _LIMITS:
        key, word = _LIMITS[kind]
        said = f"is {shown(value)}; it must be {word} {context[key]:g}"
    elif kind in {"too_short", "string_too_short"}:
        said = f"is empty; {meaning}"
    elif kind == "too_long":
        said = f"holds {len(value)} values; expected {context['max_length']}: {meaning}"
    else:
        said = f"is {shown(value)}: {error['msg']}"
    return said


def _unknown(dotted: str, general: str, keys: Mapping[str, FieldInfo]) -> str:
    section, _, name = general.rpartition(".")
    siblings = {key.rpartition(".")[2]: key for key in keys if key.rpartition(".")[0] == section}
    if elsewhere := [key for key in keys if key.rpartition(".")[2] == name and _ANY not in key]:
        hint = f"did you mean `{elsewhere[0]}`?"
    elif near := difflib.get_close_matches(name, siblings, n=1, cutoff=0.6):
        hint = f"did you mean `{dotted.rpartition('.')[0]}.{near[0]}`?".replace("`.", "`")
    elif near := difflib.get_close_matches(name, {key.rpartition(".")[2] for key in keys}, n=1, cutoff=0.75):
        hint = f"did you mean `{next(key for key in keys if key.rpartition('.')[2] == near[0])}`?"
    else:
        hint = f"{f'`{section}`' if section else 'the protocol'} takes {_listed(sorted(siblings))}"
    return f"`{dotted}` is not a known key; {hint}"


def known_keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo, str]]:
    """Each key a protocol can have: dotted name, field, and what may be written there."""
    for name, field in model.model_fields.items():
        dotted = f"{prefix}{field.alias or name}"
        yield dotted, field, _type_words(field.annotation)
        for inner, through_name in _models(field.annotation):
            yield from known_keys(inner, f"{dotted}.{_ANY}." if through_name else f"{dotted}.")


def _models(annotation: Any, through_name: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, through_name
        return
    through_name = through_name or get_origin(annotation) is dict
    for part in get_args(annotation):
        yield from _models(part, through_name)


def _type_words(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_words(parts[0])
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type_words(part) for part in parts if part is not type(None)))
    if origin is tuple:
        inner = _type_words(parts[0])
        return f"list of {inner}" if parts[-1] is Ellipsis else f"[{inner}, {inner}]"
    if origin is dict:
        return "tables by name"
    if parts:  # a Literal
        return ", ".join(shown(part) for part in parts)
    named = {str: "text", int: "whole number", float: "number", bool: "true or false", date: "day"}
    return named.get(annotation, "table")


def _dotted(place: Sequence[int | str]) -> str:
    dotted = ""
    for part in place:
        if isinstance(part, int):
            dotted += f"[{part + 1}]"
        elif part not in _BRANCHES:
            dotted += f".{part}" if dotted else part
    return dotted


def _meaning(general: str, keys: Mapping[str, FieldInfo]) -> str:
    field = keys.get(general)
    if field is None or not field.description:
        return "it is needed"
    description = field.description.rstrip(".")
    return description[0].lower() + description[1:]


def shown(value: Any) -> str:
    """A value as a user would recognise it, cut short where long."""
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _unquoted(value: Any) -> str:
    return f': "{value.isoformat()}"' if isinstance(value, date) else ""


def _one_of(expected: str) -> str:
    return f"one of {expected}" if "," in expected or " or " in expected else expected


def _guess(value: Any, expected: str) -> str:
    choices = re.findall(r"'([^']*)'", expected)
    near = difflib.get_close_matches(str(value).lower().replace("_", "-"), choices, n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
