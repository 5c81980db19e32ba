"""What a crime costs, from the shipped tables: one edition at a time, never two in one sum."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, get_args

from whatworks_eval.economics.records import BenefitPart, Component, Confidence
from whatworks_eval.economics_keys import Beneficiary, Edition, Grade, Perspective
from whatworks_eval.errors import DataError
from whatworks_eval.shipped import shipped_path

EDITIONS: tuple[Edition, ...] = get_args(Edition)
FILES: Mapping[Edition, str] = MappingProxyType(
    {
        "home-office-2019-20": "home_office_2019_20.csv",
        "home-office-2018": "home_office_2018.csv",
        "police-2022-23": "police_2022_23.csv",
    }
)
PARTS: tuple[Component, ...] = ("anticipation", "consequence", "response")
_WHOLE = {"total", "total (rounded)", "crime response workforce cost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCost:
    """What one crime costs.

    Attributes:
        offence: As the source calls it.
        victim: 'individual', 'business' or 'police' (a cost to the police alone).
        parts: Component, then pounds; 'whole' alone where the source does not split it.
        total: Pounds, as printed; parts may differ from it by rounding.
        price_year: Whose prices.
        per: Whether it is for a crime that happens, or for one recorded.
        source: Where it was read.
        confidence: How far that source was seen.
    """

    offence: str
    victim: Literal["individual", "business", "police"]
    parts: Mapping[Component, float]
    total: float
    price_year: str
    per: Literal["actual", "recorded"]
    source: str
    confidence: Confidence

    @property
    def unsplit(self) -> bool:
        """True where anticipation is in the total and cannot be left out: a shipped cost without parts."""
        return "whole" in self.parts and self.victim != "police" and self.confidence != "stated by the user"


@lru_cache(maxsize=4)
def unit_costs(edition: Edition = "home-office-2019-20") -> Mapping[str, UnitCost]:
    """Every unit cost of an edition, by offence.

    Raises:
        DataError: No such edition.

    Example:
        >>> found = unit_costs("home-office-2019-20")["robbery"]
        >>> found.total, dict(found.parts)
        (10490.0, {'anticipation': 480.0, 'consequence': 8560.0, 'response': 1450.0})
    """
    if edition not in FILES:
        raise DataError(f"no unit costs called '{edition}' come with the tool; there are {', '.join(FILES)}")
    rows = _rows(FILES[edition])
    found = {}
    for row in rows:
        if row["component"] not in _WHOLE:
            continue
        offence = row["offence"]
        parts: dict[Component, float] = {
            part: float(other["value_gbp"])
            for part in PARTS
            for other in rows
            if other["offence"] == offence and other["component"] == part
        }
        found[offence] = UnitCost(
            offence=offence,
            victim=row["perspective"],  # type: ignore[arg-type]
            parts=MappingProxyType(parts or {"whole": float(row["value_gbp"])}),
            total=float(row["value_gbp"]),
            price_year=row["price_year"],
            per="recorded" if row["per"] == "recorded crime" else "actual",
            source="; ".join((row["source"], *_superseded(row["note"]))),
            confidence=row["confidence"],  # type: ignore[arg-type]
        )
    return MappingProxyType(found)


@lru_cache(maxsize=1)
def multipliers() -> Mapping[str, tuple[float, str]]:
    """Crimes that happen for each one recorded, by costed offence, with the source.

    Example:
        >>> multipliers()["theft of vehicle"][0]
        0.71
    """
    path = shipped_path("datasets", "recorded-to-actual") / "recorded_to_actual.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        return MappingProxyType(
            {row["offence"]: (float(row["multiplier"]), row["source"]) for row in csv.DictReader(lines)}
        )


@lru_cache(maxsize=1)
def hourly_costs() -> Mapping[Grade, UnitCost]:
    """What an hour of staff time costs, by grade; old values, marked with their price year.

    Example:
        >>> hourly_costs()["sergeant and below"].total, hourly_costs()["PCSO"].price_year
        (38.43, '2013-14')
    """
    named: dict[str, Grade] = {
        "police officer, sergeant and below": "sergeant and below",
        "police officer, inspector and above": "inspector and above",
        "police community support officer": "PCSO",
    }
    return MappingProxyType(
        {
            named[row["offence"]]: UnitCost(
                offence=row["offence"],
                victim="police",
                parts=MappingProxyType({"whole": float(row["value_gbp"])}),
                total=float(row["value_gbp"]),
                price_year=row["price_year"],
                per="recorded",
                source=row["source"],
                confidence=row["confidence"],  # type: ignore[arg-type]
            )
            for row in _rows("officer_hours.csv")
        }
    )


def whose(component: Component, victim: str) -> tuple[Perspective, Beneficiary]:
    """Whether a part of a unit cost is a gain to budgets, the economy or wellbeing, and who gains it.

    Consequences hold lost output and harm in one sum, which the tables seen do not split.

    Example:
        >>> whose("response", "individual")
        ('fiscal', 'police and other criminal justice')
    """
    bears: Beneficiary = "businesses" if victim == "business" else "victims"
    if victim == "police":
        return "fiscal", "police"
    if component == "response":
        return "fiscal", "police and other criminal justice"
    if component == "anticipation":
        return "economic", "businesses" if victim == "business" else "public"
    return (
        ("economic and social", bears) if component == "consequence" else ("economic and social", "not split")
    )


def parts_of(cost: UnitCost, present_value: float, *, anticipation: bool) -> tuple[BenefitPart, ...]:
    """A present value shared out over the parts of its unit cost, in their proportion."""
    kept = {part: gbp for part, gbp in cost.parts.items() if anticipation or part != "anticipation"}
    total = sum(kept.values())
    return tuple(
        BenefitPart(
            component=part,
            perspective=whose(part, cost.victim)[0],
            beneficiary=whose(part, cost.victim)[1],
            present_value=present_value * gbp / total if total else 0.0,
        )
        for part, gbp in kept.items()
    )


def _superseded(note: str) -> list[str]:
    """What the note says has taken a value's place: it goes wherever the source goes."""
    return [said.strip() for said in note.split(";") if "superseded" in said]


def _rows(file: str) -> list[dict[str, str]]:
    path = shipped_path("datasets", "unit-costs") / file
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
