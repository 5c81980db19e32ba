"""The declared design: TOML in, a frozen Protocol out, or every problem with it at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationError

from whatworks_eval.contradictions import contradictions
from whatworks_eval.did_keys import Did
from whatworks_eval.economics_contradictions import economics_contradictions
from whatworks_eval.economics_keys import Economics
from whatworks_eval.errors import ProtocolError
from whatworks_eval.periods import PeriodKind
from whatworks_eval.protocol_problems import explain
from whatworks_eval.protocol_tables import Areas, Context, Covariate, Intervention, Matching, Outcome, Windows
from whatworks_eval.survey_keys import Section
from whatworks_eval.synthetic_keys import SyntheticKeys
from whatworks_eval.toml_file import read_toml
from whatworks_eval.trial_keys import Crossover

Method = Literal[
    "before-after", "relative-effect", "did", "interrupted-time-series", "crossover", "synthetic"
]


class Protocol(Section):
    """A declared design. Build one with `load_protocol` or `protocol_from_dict`."""

    schema_: Literal[1] = Field(alias="schema", description="Version of this format.")
    id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        max_length=80,
        description="Short name: small letters, digits and hyphens.",
    )
    question: str = Field(min_length=1, description="The question, as a sentence.")
    registered: date | None = Field(
        None, description="Day the analysis was written down; absent = it was not written down beforehand."
    )
    method: Method = Field(description="How the effect is estimated.")
    confidence: float = Field(0.95, ge=0.5, lt=1.0, description="Confidence of every interval.")
    seed: int = Field(1, ge=0, description="Seed of every random draw.")
    period: PeriodKind = Field("month", description="What a period is (police-uk: month only).")
    intervention: Intervention
    outcome: Outcome
    windows: Windows | None = None
    areas: Areas | None = None
    covariates: dict[str, Covariate] = Field(default_factory=dict)
    matching: Matching = Matching()
    did: Did = Did()
    synthetic: SyntheticKeys = SyntheticKeys()
    crossover: Crossover | None = None
    context: Context = Context()
    economics: Economics | None = None

    _base: Path = PrivateAttr(default=Path())

    @property
    def base(self) -> Path:
        """Folder that paths in the protocol are relative to. Not part of the protocol's hash."""
        return self._base

    @property
    def sha256(self) -> str:
        """Hash of the canonical JSON with defaults filled in: the same design, the same hash."""
        canonical = json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The protocol as plain JSON values, with the names used in TOML."""
        return self.model_dump(mode="json", by_alias=True)


_SECTIONS: dict[str, type[Section]] = {
    "intervention": Intervention,
    "outcome": Outcome,
    "windows": Windows,
    "areas": Areas,
    "matching": Matching,
    "context": Context,
    "economics": Economics,
    "did": Did,
    "synthetic": SyntheticKeys,
}


def load_protocol(path: str | Path) -> Protocol:
    """The design declared in a TOML file; ProtocolError with every problem where there are any.

    Example:
        >>> load_protocol("nowhere.toml")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        whatworks_eval.errors.ProtocolError: - nowhere.toml: there is no such file; ...
    """
    path = Path(path)
    return _parse(read_toml(path), base=path.parent, file=str(path))


def protocol_from_dict(mapping: Mapping[str, Any], base: str | Path | None = None) -> Protocol:
    """The design held in a mapping shaped like the TOML; ProtocolError with every problem.

    Args:
        mapping: Sections and keys as in TOML.
        base: Folder that paths in it are relative to; None = the current folder.

    Example:
        >>> totals = {"treated": [398, 190], "comparison": [148, 97]}
        >>> protocol = protocol_from_dict({
        ...     "schema": 1, "id": "lighting", "question": "Did it fall?", "method": "relative-effect",
        ...     "intervention": {"name": "Street lighting", "start": "2019-01", "assignment": "need"},
        ...     "outcome": {"source": "totals", "totals": totals},
        ... })
        >>> protocol.outcome.totals.treated
        (398.0, 190.0)
    """
    if not isinstance(mapping, Mapping):
        raise ProtocolError(f"a protocol is a mapping of sections, not {type(mapping).__name__}")
    return _parse(mapping, base=Path() if base is None else Path(base), file=None)


def _parse(mapping: Mapping[str, Any], *, base: Path, file: str | None) -> Protocol:
    try:
        plain = _plain(mapping)
    except RecursionError:
        raise ProtocolError(
            f"{file or 'the protocol'}: tables are nested too deeply; a design needs four"
        ) from None
    problems: list[str] = []
    protocol: Protocol | None = None
    try:
        # Strict: TOML has types, and a number in quotes is more often a slip than a wish.
        protocol = Protocol.model_validate(plain, strict=True)
    except ValidationError as error:
        problems += explain(error.errors(include_url=False), Protocol)
    # Contradictions are looked for in every section that can be read, so that mending a misspelt key
    # does not bring up the next complaint.
    readable = _readable(plain)
    problems += contradictions(readable, given=plain)
    problems += economics_contradictions(readable, plain)
    if problems or protocol is None:
        raise ProtocolError(f"{file}: {problem}" if file else problem for problem in problems)
    protocol._base = base
    return protocol


def _plain(value: Any) -> Any:
    """The same less what is None; tuples for lists, text for paths, a date where `registered` is ISO text."""
    if isinstance(value, Mapping):
        plain = {str(key): _plain(item) for key, item in value.items() if item is not None}
        if isinstance(registered := plain.get("registered"), str):
            with suppress(ValueError):  # the model then says what is wrong with it
                plain["registered"] = date.fromisoformat(registered)
        return plain
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return str(value) if isinstance(value, Path) else value


def _readable(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Each section with defaults filled in, less the keys that are wrong by themselves."""
    readable = {key: plain[key] for key in ("method", "period") if isinstance(plain.get(key), str)}
    for name, section in _SECTIONS.items():
        given = plain.get(name)
        if not isinstance(given, Mapping):
            continue
        try:
            readable[name] = section.model_validate(given, strict=True).model_dump(by_alias=True)
        except ValidationError as error:
            wrong = {problem["loc"][0] for problem in error.errors()}
            readable[name] = {
                field.alias or key: None
                if field.is_required()
                else field.get_default(call_default_factory=True)
                for key, field in section.model_fields.items()
            } | {key: value for key, value in given.items() if key not in wrong}
    return readable
