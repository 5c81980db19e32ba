"""How deprived the treated areas are beside their force's average and beside the comparison chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from whatworks_eval.errors import DataError
from whatworks_eval.sources.index_table import IndexTable, not_in_index
from whatworks_eval.sources.unit_deprivation import UnitValue

Group = Literal["treated", "comparison", "force"]
ALL = "all forces"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDeprivation:
    """Deprivation of one group of areas in one force, or in all.

    Attributes:
        force: Name, or 'all forces'.
        group: 'treated', 'comparison', or 'force': every area of the force, the treated included.
        areas: With a value. Of 'force' in the row for all forces: those of every force with treated areas.
        missing: Without one, being in the other country or without residents.
        mean_score: Mean index score, higher = more deprived; of 'force' in the row for all forces, the mean
            of the forces' averages, each counted as its treated areas are.
        most_deprived: Share (0 to 1) in the nation's most deprived tenth, averaged likewise.
        why_missing: Why a figure is None; empty where none is.
    """

    force: str
    group: Group
    areas: int
    missing: int
    mean_score: float | None
    most_deprived: float | None
    why_missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeprivationProfile:
    """The treated areas' deprivation beside their force's and the comparison's: who was served, no effect.

    Attributes:
        index: Edition in words.
        file: Name of its table.
        counted_by: 'areas' or 'residents'.
        rows: Three for each force with treated areas, in order of name, then three for all forces.
        notes: What was left out or could not be given, as sentences.
        units: Treated unit, then the mean score of its areas, each counted with its residents; empty where
        units or residents are not known.
    """

    index: str
    file: str
    counted_by: Literal["areas", "residents"]
    rows: tuple[GroupDeprivation, ...]
    notes: tuple[str, ...]
    units: Mapping[str, UnitValue] = field(default_factory=dict)

    def row(self, group: Group, force: str = ALL) -> GroupDeprivation:
        """The figures of one group; a KeyError where the force has no treated area."""
        for row in self.rows:
            if (row.group, row.force) == (group, force):
                return row
        raise KeyError((group, force))


def deprivation_profile(
    index: IndexTable,
    *,
    treated: Sequence[str],
    comparison: Sequence[str],
    force_of: Mapping[str, str],
    residents: Mapping[str, float] | None = None,
) -> DeprivationProfile:
    """Mean score and share in the most deprived tenth: treated areas, their force, the comparison chosen.

    Args:
        index: One edition of one country's index, for every group: scores of two are never compared.
        treated: LSOA codes.
        comparison: LSOA codes; may be empty.
        force_of: Every area of the forces concerned, then its force.
        residents: Counts areas by their residents; None counts each area once, as published profiles do.

    Raises:
        DataError: A treated area without a force, an area of the index's country that is not in the index,
            an area in both arms, no treated area, or an index without scores; all at once.

    Source: Police Now, Impact and Insights Report 2020/21: average IMD score of the areas served against the
    force average, and areas within the most deprived 10 %.

    Example:
        >>> from whatworks_eval.sources.deprivation import ENGLAND
        >>> codes = [f"E0100000{n}" for n in range(1, 5)]
        >>> index = IndexTable(name="x", country="E", year=2019, edition=ENGLAND[2019],
        ...                    scores=dict(zip(codes, (60.0, 30.0, 20.0, 10.0), strict=True)),
        ...                    ranks=dict(zip(codes, (900, 6_000, 12_000, 25_000), strict=True)))
        >>> found = deprivation_profile(index, treated=codes[:2], comparison=codes[2:3],
        ...                             force_of=dict.fromkeys(codes, "Kent"))
        >>> [(row.group, row.mean_score, row.most_deprived) for row in found.rows[:3]]
        [('treated', 45.0, 0.5), ('comparison', 20.0, 0.0), ('force', 30.0, 0.25)]
    """
    _check(index, treated, comparison, force_of)
    forces = sorted({force_of[area] for area in treated})
    members: dict[str, list[str]] = {force: [] for force in forces}
    for area, force in force_of.items():
        if force in members:
            members[force].append(area)
    abroad = set(not_in_index(index, [*treated, *comparison, *(a for f in forces for a in members[f])]))
    rows: list[GroupDeprivation] = []
    for force in forces:
        own = [area for area in treated if force_of[area] == force]
        like = [area for area in comparison if force_of.get(area) == force]
        rows += [
            _group(index, force, "treated", own, abroad, residents),
            _group(index, force, "comparison", like, abroad, residents),
            _group(index, force, "force", members[force], abroad, residents),
        ]
    weights = _weights(treated, forces, force_of, abroad, residents)
    rows += [
        _group(index, ALL, "treated", treated, abroad, residents),
        _group(index, ALL, "comparison", comparison, abroad, residents),
        _of_forces([row for row in rows if row.group == "force"], weights),
    ]
    return DeprivationProfile(
        index=index.title,
        file=index.name,
        counted_by="areas" if residents is None else "residents",
        rows=tuple(rows),
        notes=_notes(index, comparison, force_of, forces, abroad),
    )


def _check(
    index: IndexTable, treated: Sequence[str], comparison: Sequence[str], force_of: Mapping[str, str]
) -> None:
    problems = []
    if not treated:
        problems.append("no treated area is given")
    both = sorted(set(treated) & set(comparison))
    if both:
        problems.append(f"{both[0]} is both treated and comparison")
    twice = len(treated) - len(set(treated)) + len(comparison) - len(set(comparison))
    if twice:
        problems.append(f"{twice} areas are named twice; name each once")
    homeless = [area for area in treated if area not in force_of]
    if homeless:
        problems.append(
            f"{len(homeless)} treated areas have no force ('{homeless[0]}' for one); complete the lookup"
        )
    if not index.scores:
        problems.append(
            f"{index.name}: it has no scores of the index, only ranks; give the table with scores"
        )
    if problems:
        raise DataError(problems)


def _counts(
    areas: Collection[str], abroad: Collection[str], residents: Mapping[str, float] | None
) -> dict[str, float]:
    """What each area with a value counts: 1, or its residents."""
    inside = [area for area in areas if area not in abroad]
    if residents is None:
        return dict.fromkeys(inside, 1.0)
    return {area: residents[area] for area in inside if residents.get(area, 0.0) > 0}


def _group(
    index: IndexTable,
    force: str,
    group: Group,
    areas: Sequence[str],
    abroad: Collection[str],
    residents: Mapping[str, float] | None,
) -> GroupDeprivation:
    counts = _counts(areas, abroad, residents)
    whole = sum(counts.values())
    score = share = None
    why = "" if counts else ("no area" if not areas else "no area with a value")
    if counts:
        score = sum(index.scores[area] * count for area, count in counts.items()) / whole
        deciles = {area: index.decile(area) for area in counts}
        if None in deciles.values():
            why = (
                "areas made of several have no rank, and the most deprived tenth is known by rank"
                if index.carried is not None or index.averaged
                else "its table has no ranks of every area, and the most deprived tenth is known by rank"
            )
        else:
            share = sum(counts[area] for area, decile in deciles.items() if decile == 1) / whole
    return GroupDeprivation(
        force=force,
        group=group,
        areas=len(counts),
        missing=len(areas) - len(counts),
        mean_score=score,
        most_deprived=share,
        why_missing=why,
    )


def _weights(
    treated: Sequence[str],
    forces: Sequence[str],
    force_of: Mapping[str, str],
    abroad: Collection[str],
    residents: Mapping[str, float] | None,
) -> list[float]:
    """What the treated areas of each force count together."""
    counts = _counts(treated, abroad, residents)
    return [sum(count for area, count in counts.items() if force_of[area] == force) for force in forces]


def _of_forces(rows: Sequence[GroupDeprivation], weights: Sequence[float]) -> GroupDeprivation:
    """The forces' averages put together as the treated areas lie in them: what they are compared with."""
    pairs = [(row, weight) for row, weight in zip(rows, weights, strict=True) if weight > 0]
    whole = sum(weights)

    def mean(figures: list[float | None]) -> float | None:
        known = [figure for figure in figures if figure is not None]
        if not pairs or len(known) < len(pairs):
            return None
        return sum(figure * weight for figure, (_, weight) in zip(known, pairs, strict=True)) / whole

    score, share = mean([row.mean_score for row, _ in pairs]), mean([row.most_deprived for row, _ in pairs])
    why = next(
        (row.why_missing for row, _ in pairs if row.why_missing), "" if pairs else "no area with a value"
    )
    return GroupDeprivation(
        force=ALL,
        group="force",
        areas=sum(row.areas for row in rows),
        missing=sum(row.missing for row in rows),
        mean_score=score,
        most_deprived=share,
        why_missing=why,
    )


def _notes(
    index: IndexTable,
    comparison: Sequence[str],
    force_of: Mapping[str, str],
    forces: Sequence[str],
    abroad: Collection[str],
) -> tuple[str, ...]:
    notes = [f"{index.averaged[:1].upper()}{index.averaged[1:]}."] if index.averaged else []
    inexact = sum(area[0] == index.country for area in abroad) if index.carried is not None else 0
    if index.carried is not None:
        lost = f"; without an exact fit and left out: {inexact}" if inexact else ""
        notes.append(
            f"Its scores were carried from {index.edition.boundaries} to {index.carried} LSOAs, the plain "
            f"mean where several became one{lost}."
        )
    if len(abroad) > inexact:
        notes.append(
            f"{len(abroad) - inexact} areas lie in the other country, whose index is not comparable, and are "
            "left out."
        )
    elsewhere = sum(force_of.get(area) not in forces for area in comparison)
    if elsewhere:
        notes.append(
            f"{elsewhere} of {len(comparison)} comparison areas lie in no force with treated areas and "
            f"count in the row for {ALL} alone."
        )
    notes.append(
        f"Scores are of the {index.title} and compare areas within it: not with another edition or country."
    )
    return tuple(notes)
