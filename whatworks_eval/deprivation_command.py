"""What `whatworks deprivation` prints: who was served, against their force and the comparison chosen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from whatworks_eval.before_start import before_start
from whatworks_eval.contrast import build_contrast
from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.measures.deprivation_profile import DeprivationProfile, deprivation_profile
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Data
from whatworks_eval.sources.unit_deprivation import UnitValue
from whatworks_eval.terminal import UsageProblem, aside, read, save

if TYPE_CHECKING:
    from whatworks_eval.sources.index_table import IndexTable

NO_FORCES = "all areas in the data"


def profiles(protocol: Protocol, data: Data) -> tuple[DeprivationProfile, ...]:
    """One profile for each edition of the index under [covariates]; scores of two are never put together.

    Args:
        protocol: With at least one covariate that is an index of deprivation.
        data: What `load_data` returned; no count after the start is used.

    Raises:
        ProtocolError: No areas, or no index under [covariates].
        DataError: The index lacks scores, an area or an edition; or is of another census than the areas.
    """
    from whatworks_eval.sources.area_averages import averaged_index
    from whatworks_eval.sources.index_table import carried_to, read_index
    from whatworks_eval.sources.tables import read_table

    named = {
        name: covariate
        for name, covariate in protocol.covariates.items()
        if covariate.edition is not None and not covariate.without
    }
    if not isinstance(data, Panel) or not named:
        raise ProtocolError(
            "covariates: no whole index of deprivation is among them; add [covariates.imd_score] with the "
            "`path` of a file that holds the scores (File 7 of the English indices), `edition` and "
            'as = "score"'
        )
    contrast = build_contrast(protocol, before_start(protocol, data))
    forces = data.forces or {}
    force_of = {area: forces.get(area, NO_FORCES) for area in data.areas}
    found: dict[tuple[str, int | None], DeprivationProfile] = {}
    problems = []
    for name, covariate in named.items():
        if (covariate.path, covariate.edition) in found:
            continue
        try:
            table = read_table(protocol.base / covariate.path)
            index = read_index(table, covariate.edition)
            if covariate.average is not None:
                index = averaged_index(index, covariate, protocol.base, table, data.areas)
            if covariate.lookup is not None and data.boundaries not in (None, index.edition.boundaries):
                lookup = read_table(protocol.base / covariate.lookup)
                index = carried_to(index, lookup, data.boundaries)
            made = deprivation_profile(
                index,
                treated=sorted({*contrast.treated, *contrast.unmatched}),
                comparison=contrast.comparison,
                force_of=force_of,
            )
            found[covariate.path, covariate.edition] = replace(made, units=_units(data, contrast, index))
        except DataError as error:
            problems += [f"`covariates.{name}`: {problem}" for problem in error.problems]
    if not found:
        raise DataError(problems)
    left = tuple(f"Left out: {problem}." for problem in problems)
    return tuple(replace(one, notes=(*one.notes, *left)) for one in found.values())


def _units(data: Panel, contrast: Contrast, index: IndexTable) -> dict[str, UnitValue]:
    """The treated units' mean scores by residents; empty where areas are the units, or without residents."""
    from whatworks_eval.sources.unit_deprivation import by_unit

    unit_of = {area: contrast.units[area] for area in contrast.treated if area in contrast.units}
    if data.residents is None or len(set(unit_of.values())) == len(unit_of):
        return {}
    known = np.isfinite(data.residents)
    residents = {
        area: float(people)
        for area, people, has in zip(data.areas, data.residents, known, strict=True)
        if has
    }
    return by_unit(index.scores, residents, unit_of, form="score")


def command(file: str, *, data: Path | None, numbers: str | None) -> None:
    """Print the profile of every index declared; `numbers` = where JSON goes, '-' for stdout alone."""
    from whatworks_eval.report.deprivation_table import profile_dict, profile_text
    from whatworks_eval.sources import load_data

    protocol = read(file)
    if data is not None and not data.is_dir():
        raise UsageProblem(f"--data {data}: there is no such folder")
    made = profiles(protocol, load_data(protocol, base=data))
    told = "\n".join(profile_text(one) for one in made)
    held: dict[str, Any] = {
        "schema": 1,
        "protocol": {"sha256": protocol.sha256, "id": protocol.id},
        "profiles": [profile_dict(one) for one in made],
    }
    values = json.dumps(held, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if numbers == "-":
        aside(told)
        print(values, end="")
        return
    print(told if numbers is None else f"{told}\n\nWritten: {save(Path(numbers), values)}")
