"""What a design matches on when it matches on deprivation: which index, which edition, crime in it or not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from whatworks_eval.matching.deprivation import deprivation_covariate
from whatworks_eval.measures.declared import is_matched
from whatworks_eval.protocol import Protocol

WITHOUT = re.compile(r"(without|less|no|non|ex|excl\w*)[ _-]*(the[ _-]*)?crime", re.IGNORECASE)
CRIME = re.compile(r"crime|community[ _-]safety", re.IGNORECASE)
OVERALL = re.compile(
    r"(^|[ _(-])w?imd([ _)-]|\d|$)|multiple[ _-]deprivation|^deprivation([ _-](score|rank|decile))?$",
    re.IGNORECASE,
)
DOMAIN = re.compile(
    r"income|employment|education|skill|health|barrier|housing|living|environment|access|physical",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexUsed:
    """A measure of deprivation that a design matches on.

    Attributes:
        name: Of the covariate.
        edition: Its year, as declared; None where not stated.
        crime: 'domain' where it is the crime domain itself, 'inside' where the overall index holds it,
            'none' where it is left out or another domain.
    """

    name: str
    edition: int | None
    crime: str


def indices_used(protocol: Protocol) -> tuple[IndexUsed, ...]:
    """Measures of deprivation matched on or shared exactly, by their names and columns; empty without any.

    A covariate counts as a measure of deprivation if it declares an edition or that it is a score, rank or
    decile, or by its name.
    """
    if not is_matched(protocol):
        return ()
    looked_at = () if protocol.matching.algorithm == "strata" else protocol.matching.on
    found = []
    for name in dict.fromkeys((*looked_at, *protocol.matching.exact)):
        given = protocol.covariates.get(name)
        declared = given is not None and (given.edition is not None or given.as_ not in ("value", "class"))
        if not declared and deprivation_covariate([name]) is None:
            continue
        if given is not None and "crime" in given.without:
            crime = "none"
        else:
            crime = crime_in(name, "" if given is None else given.column or "")
        found.append(IndexUsed(name=name, edition=None if given is None else given.edition, crime=crime))
    return tuple(found)


def crime_in(name: str, column: str = "") -> str:
    """Whether a measure of deprivation holds recorded crime: 'domain', 'inside' or 'none'.

    Example:
        >>> crime_in("imd_score"), crime_in("imd_without_crime"), crime_in("imd", "Crime Score")
        ('inside', 'none', 'domain')
        >>> crime_in("income_deprivation")
        'none'
    """
    both = f"{name} {column}"
    if WITHOUT.search(both):
        return "none"
    if CRIME.search(column or name):
        return "domain"
    if DOMAIN.search(column or name) and not OVERALL.search(column):
        return "none"
    return "inside"
