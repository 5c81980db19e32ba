"""Which costed offence an incident stands for: said by the user where a category is a mixture, never guessed.

An offence without a unit cost is listed as not valued, with its share; it never takes a neighbour's.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from whatworks_eval.economics.prices import Pounds, no_price_level
from whatworks_eval.economics.records import Confidence, NotValued
from whatworks_eval.economics.unit_costs import UnitCost, multipliers, unit_costs
from whatworks_eval.economics_keys import NOT_VALUED, Economics, Edition, Override
from whatworks_eval.errors import ProtocolError

_HOME_OFFICE = {
    "Violence and sexual offences": (
        *("homicide", "violence with injury", "violence without injury", "rape", "other sexual offences"),
    ),
    "Violent crime": ("homicide", "violence with injury", "violence without injury", "robbery"),
    "Burglary": ("domestic burglary", "commercial burglary"),
    "Vehicle crime": (
        *("theft of vehicle", "theft from vehicle"),
        *("theft of commercial vehicle", "theft from commercial vehicle"),
    ),
    "Criminal damage and arson": ("criminal damage", "commercial criminal damage"),
    "Robbery": ("robbery", "commercial robbery"),
}
_POLICE = {
    "Violence and sexual offences": (
        *("homicide", "violence with injury", "violence without injury", "stalking and harassment"),
        *("rape", "other sexual offences", "death or serious injury by unlawful driving"),
    ),
    "Burglary": ("domestic burglary", "non-domestic burglary"),
    "Criminal damage and arson": ("criminal damage", "arson"),
    "Drugs": ("possession of drugs", "trafficking of drugs"),
}
_2018 = _HOME_OFFICE | {"Criminal damage and arson": ("criminal damage (other than arson)", "arson")}
MIXTURES: Mapping[Edition, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"home-office-2019-20": _HOME_OFFICE, "home-office-2018": _2018, "police-2022-23": _POLICE}
)
"""Categories that several costed offences make up: which share is which must be said."""

_PERSON = {"Theft from the person": "theft from person"}
ALONE: Mapping[Edition, Mapping[str, str]] = MappingProxyType(
    {
        "home-office-2019-20": _PERSON,
        "home-office-2018": {},
        "police-2022-23": _PERSON
        | {
            "Bicycle theft": "bicycle theft",
            "Other theft": "other theft",
            "Possession of weapons": "possession of weapons",
            "Public order": "public order offences",
            "Robbery": "robbery",
            "Shoplifting": "shoplifting",
            "Vehicle crime": "vehicle offences",
        },
    }
)
"""Categories that are one costed offence by another name."""

# Names under which an edition's offence stands in the table of multipliers.
_SAME = {"criminal damage (other than arson)": "criminal damage"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Costed:
    """Part of the incidents prevented, and what one of them is worth.

    Attributes:
        category: The category in the data.
        offence: The costed offence.
        share: Share of all incidents prevented, 0 to 1.
        within: Share of the category's incidents.
        cost: As shipped, or made of the user's value.
        pounds: A crime, anticipation left out unless asked for, in the prices of its source.
        low: The lowest, in the same prices; None where it is held fixed.
        high: The highest.
        local: True where the value is the user's.
        multiplier: Actual crimes for each recorded one.
        multiplier_low: The lowest; None where it is held fixed.
        multiplier_high: The highest.
        multiplier_source: Where it comes from.
        multiplier_confidence: How far that source was seen.
        override: The user's own value, if any.
    """

    category: str
    offence: str
    share: float
    within: float
    cost: UnitCost
    pounds: Pounds
    low: float | None
    high: float | None
    local: bool
    multiplier: float
    multiplier_low: float | None
    multiplier_high: float | None
    multiplier_source: str
    multiplier_confidence: Confidence
    override: Override | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What the incidents prevented stand for.

    Attributes:
        mix: Category, then its share of the incidents.
        costed: The parts with a unit cost.
        not_valued: The parts without.
    """

    mix: Mapping[str, float]
    costed: tuple[Costed, ...]
    not_valued: tuple[NotValued, ...]


def map_offences(economics: Economics, offences: Sequence[str] | None, base: Path = Path()) -> Mapped:
    """The incidents of an outcome as costed offences; every problem at once where that cannot be said.

    Args:
        economics: Edition, mix, shares and local values.
        offences: The categories counted together; None where the outcome does not say.
        base: Folder that `shares_file` is relative to.

    Raises:
        ProtocolError: The mix or the shares of a mixture are missing, or name what has no unit cost.

    Example:
        >>> cost = dict(item="x", gbp=1.0, year="2019-20", kind="set-up", payer="police", cash=True)
        >>> found = map_offences(Economics(costs=[cost]), ["Theft from the person"])
        >>> [(one.offence, one.share, one.multiplier) for one in found.costed]
        [('theft from person', 1.0, 3.43)]
        >>> map_offences(Economics(costs=[cost]), ["Drugs"]).not_valued[0].share
        1.0
    """
    problems: list[str] = []
    mix = _mix(economics, offences, problems)
    shares = _shares(economics, base)
    local = {one.offence.casefold(): one for one in economics.overrides}
    costed: list[Costed] = []
    without: list[NotValued] = []
    for category, part in mix.items():
        split = _split(category, economics, shares, local)
        if isinstance(split, str):
            problems.append(split)
            continue
        if isinstance(split, NotValued):
            without.append(NotValued(category=category, share=part, why=split.why))
            continue
        for offence, within in split.items():
            if within == 0:
                continue
            if offence.casefold() == NOT_VALUED:
                why = "the shares given leave this part of the category without a value"
                without.append(NotValued(category=category, share=part * within, why=why))
                continue
            found = _costed(category, offence, part, within, economics, local)
            if isinstance(found, str):
                problems.append(found)
            else:
                costed.append(found)
    problems += _unused(mix, shares, local, costed)
    if problems:
        raise ProtocolError(problems)
    return Mapped(mix=mix, costed=tuple(costed), not_valued=tuple(without))


def _mix(economics: Economics, offences: Sequence[str] | None, problems: list[str]) -> dict[str, float]:
    if economics.mix:
        for category in economics.mix:
            if offences and category not in offences:
                problems.append(f"`economics.mix` names '{category}', which is not among `outcome.offences`")
        return dict(economics.mix)
    if offences and len(offences) == 1:
        return {offences[0]: 1.0}
    counted = (
        f"counts {len(offences)} categories together" if offences else "does not say which offences it counts"
    )
    problems.append(
        f"`economics.mix` is missing; the outcome {counted}, so say which share of the incidents prevented "
        "each "
        'is, as { "Burglary" = 0.4, "Vehicle crime" = 0.6 }'
    )
    return {}


def _shares(economics: Economics, base: Path) -> Mapping[str, Mapping[str, float]]:
    if economics.shares_file is None:
        return economics.shares
    path = base / economics.shares_file
    found: dict[str, dict[str, float]] = {}
    key = f"`economics.shares_file` ({economics.shares_file})"
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = {"category", "offence", "share"} - set(reader.fieldnames or ())
            if missing:
                raise ProtocolError(f"{key} has no column {', '.join(sorted(missing))}")
            for number, row in enumerate(reader, start=2):
                table = found.setdefault(row["category"], {})
                if row["offence"] in table:
                    raise ProtocolError(f"{key}, line {number}: '{row['offence']}' is there twice; keep one")
                table[row["offence"]] = _share(row["share"], f"{key}, line {number}")
    except OSError as error:
        raise ProtocolError(f"{key} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{key} is not UTF-8 text; save it as CSV UTF-8") from error
    wrong = [
        f"{key}: the shares of '{category}' add up to {sum(table.values()):g}; they add up to 1"
        for category, table in found.items()
        if abs(sum(table.values()) - 1) > 0.001
    ]
    if wrong:
        raise ProtocolError(wrong)
    return found


def _share(text: str | None, place: str) -> float:
    try:
        share = float(text or "")
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ProtocolError(f"{place}: the share is '{text}'; expected a number from 0 to 1")
    return share


def _split(
    category: str,
    economics: Economics,
    shares: Mapping[str, Mapping[str, float]],
    local: Mapping[str, Override],
) -> Mapping[str, float] | NotValued | str:
    """Costed offence, then its share of the category; or why there is none; or what must be said first."""
    edition = economics.unit_costs
    said = {name.casefold(): table for name, table in shares.items()}
    if category.casefold() in said:
        return said[category.casefold()]
    if (own := local.get(category.casefold())) is not None and own.gbp is not None:
        return {category: 1.0}
    if category in ALONE[edition]:
        return {ALONE[edition][category]: 1.0}
    if category in MIXTURES[edition]:
        offences = ", ".join(f"'{one}'" for one in MIXTURES[edition][category])
        return (
            f"`economics.shares` says nothing of '{category}', which is a mixture; say which share of it is "
            f"{offences}, and which is '{NOT_VALUED}'"
        )
    if category.casefold() in unit_costs(edition):
        return {category.casefold(): 1.0}
    why = f"the unit costs '{edition}' have none for it, and no neighbour's is borrowed"
    if category == "Shoplifting":
        why += "; whether 'commercial theft' stands for it is for you to say, under `economics.shares`"
    return NotValued(category=category, share=None, why=why)


def _costed(
    category: str,
    offence: str,
    part: float,
    within: float,
    economics: Economics,
    local: Mapping[str, Override],
) -> Costed | str:
    own = local.get(offence.casefold())
    shipped = unit_costs(economics.unit_costs).get(offence.casefold())
    cost = shipped if own is None or own.gbp is None else _own_cost(own)
    if cost is None:
        return (
            f"`economics.shares` gives '{category}' a share of '{offence}', which has no unit cost in "
            f"'{economics.unit_costs}'; write the share under '{NOT_VALUED}', or give it a value under "
            "[[economics.overrides]]"
        )
    is_local = own is not None and own.gbp is not None
    low, high = (own.low, own.high) if own is not None and is_local else (None, None)
    gbp = cost.total
    if not economics.anticipation and "anticipation" in cost.parts:
        # As the parts say it, not the printed total less one part, which would carry its rounding.
        gbp = sum(value for name, value in cost.parts.items() if name != "anticipation")
    if not is_local and economics.unit_cost_range_percent is not None:
        out = economics.unit_cost_range_percent / 100
        low, high = gbp * (1 - out), gbp * (1 + out)
    known = multipliers().get(_SAME.get(cost.offence, cost.offence))
    source, confidence = (f"the protocol: {own.source}", "stated by the user") if own else ("", "secondary")
    if cost.per == "recorded":
        times, source, confidence = 1.0, "the unit cost is for a recorded crime", cost.confidence
    elif own is not None and own.multiplier is not None:
        times = own.multiplier
    elif known is not None:
        (times, source), confidence = known, "secondary"
    else:
        return (
            f"'{offence}' has no multiplier from recorded to actual crimes; give one under "
            '[[economics.overrides]], as { offence = "…", multiplier = 1.5, source = "…" }'
        )
    return Costed(
        category=category,
        offence=cost.offence,
        share=part * within,
        within=within,
        cost=cost,
        pounds=Pounds(gbp=gbp, price_year=cost.price_year),
        low=low,
        high=high,
        local=is_local,
        multiplier=times,
        multiplier_low=own.multiplier_low if own is not None and cost.per == "actual" else None,
        multiplier_high=own.multiplier_high if own is not None and cost.per == "actual" else None,
        multiplier_source=source,
        multiplier_confidence=confidence,  # type: ignore[arg-type]
        override=own,
    )


def _own_cost(own: Override) -> UnitCost:
    assert own.gbp is not None
    assert own.price_year is not None
    return UnitCost(
        offence=own.offence,
        victim="individual",
        parts={"whole": own.gbp},
        total=own.gbp,
        price_year=own.price_year,
        per=own.per,
        source=f"the protocol: {own.source}",
        confidence="stated by the user",
    )


def _unused(
    mix: Mapping[str, float],
    shares: Mapping[str, Mapping[str, float]],
    local: Mapping[str, Override],
    costed: Sequence[Costed],
) -> Iterator[str]:
    """Shares and values that nothing asked for: as a rule a slip in a name."""
    if not mix:
        return
    categories = {category.casefold() for category in mix}
    named = {offence.casefold() for table in shares.values() for offence in table}
    for category in shares:
        if category.casefold() not in categories:
            yield (
                f"`economics.shares` names '{category}', which is not a category counted; those are "
                f"{', '.join(mix)}"
            )
    used = {one.offence.casefold() for one in costed} | categories | named
    for offence, one in local.items():
        if offence not in used:
            yield f"`economics.overrides` has a value for '{one.offence}', which is not counted; take it out"


def year_problems(economics: Economics) -> Iterator[str]:
    """Financial years of the protocol without a price level, each named with its key."""
    named = {"economics.price_year": economics.price_year}
    for place, cost in enumerate(economics.costs, start=1):
        key = "price_year" if cost.price_year else "year"
        named[f"economics.costs[{place}].{key}"] = cost.price_year or cost.year
    for place, one in enumerate(economics.overrides, start=1):
        if one.price_year:
            named[f"economics.overrides[{place}].price_year"] = one.price_year
    if economics.hours and economics.hours.price_year:
        named["economics.hours.price_year"] = economics.hours.price_year
    for key, year in named.items():
        if said := no_price_level(year, key):
            yield said
