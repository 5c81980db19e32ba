"""The English index put together again from its domains, with or without one of them.

Crime is one of the seven domains: areas matched on the whole index are partly matched on recorded crime.
Left out, the other weights are raised in proportion until they add up to what all seven do, after the
transformation the index itself uses:

    R = (N + 1 - rank) / N                            1 for the most deprived area, 1/N for the least
    E = -23 · ln(1 - R · (1 - exp(-100/23)))          0 to 100, about a tenth of areas above 50
    score = sum of weight · E of the domains kept · (0.999 / sum of their weights)

The weights as published (22.5, 13.5 and 9.3 %) add up to 0.999, and published scores are their plain sum.
Domain ranks are enough, and they are published with every edition. With all seven domains this gives the
published overall score within 0.0015 (2019) and 0.0007 (2025) in every area; scores are published to three
decimals, and tied areas share a rank.

Source: MHCLG, The English Indices of Deprivation 2019, Technical Report (transformation, weights); the
formula also in Scottish Indices of Deprivation 2003, appendix 5. The same weights give the scores of 2025.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal, get_args

import numpy as np

from whatworks_eval.errors import DataError
from whatworks_eval.sources.area_codes import code_column
from whatworks_eval.sources.deprivation import ENGLAND, edition_of
from whatworks_eval.sources.tables import Table, number_of

Domain = Literal["income", "employment", "education", "health", "crime", "barriers", "living"]
WEIGHTS: dict[Domain, float] = {
    "income": 0.225,
    "employment": 0.225,
    "education": 0.135,
    "health": 0.135,
    "crime": 0.093,
    "barriers": 0.093,
    "living": 0.093,
}
CURVE = 23.0
# How each domain is named in the tables published and in tidied copies of them; case does not matter.
_NAMES: dict[Domain, str] = {
    "income": "income",
    "employment": "employment",
    "education": "education(?:, skills and training)?",
    "health": "health(?: deprivation and disability)?",
    "crime": "crime",
    "barriers": "barriers(?: to housing and services)?|housing_and_services",
    "living": "living[ _]environment|environment",
}


def transformed(rank: float, areas: int) -> float:
    """A domain rank as the index weighs it: 0 to 100, 100 for rank 1.

    Example:
        >>> round(transformed(1, 32_844), 6), round(transformed(3_285, 32_844), 1)
        (100.0, 50.4)
    """
    share = (areas + 1 - rank) / areas
    return float(-CURVE * np.log(1 - share * (1 - np.exp(-100 / CURVE))))


def rebuilt_scores(
    domains: Mapping[Domain, Mapping[str, float]], *, without: Collection[Domain] = ()
) -> dict[str, float]:
    """The overall score by area from transformed domain scores, on the scale of the published score.

    Weights of the domains kept are raised in proportion to make up for those left out. Areas without every
    domain kept are left out.

    Args:
        domains: Domain, then area, then transformed score.
        without: Domains left out, such as crime.

    Raises:
        DataError: A domain that is kept is not given, or none is kept.

    Example:
        >>> given = {domain: {"E01000001": 10.0} for domain in WEIGHTS} | {"crime": {"E01000001": 90.0}}
        >>> [round(rebuilt_scores(given, without=left)["E01000001"], 2) for left in ((), ("crime",))]
        [17.43, 9.99]
    """
    unknown = sorted(set(without) - set(get_args(Domain)))
    kept = [domain for domain in WEIGHTS if domain not in without]
    absent = [domain for domain in kept if domain not in domains]
    problems = [
        f"'{name}' is not a domain of the index; they are {', '.join(WEIGHTS)}" for name in unknown
    ] + [f"the index cannot be put together: its {name} domain is not in the table" for name in absent]
    if not kept:
        problems.append("every domain is left out; keep at least one")
    if problems:
        raise DataError(problems)
    raised = sum(WEIGHTS.values()) / sum(WEIGHTS[domain] for domain in kept)
    areas = set.intersection(*(set(domains[domain]) for domain in kept))
    return {
        area: raised * sum(WEIGHTS[domain] * domains[domain][area] for domain in kept)
        for area in sorted(areas)
    }


def read_domains(table: Table, edition: int) -> dict[Domain, dict[str, float]]:
    """Transformed scores of the domains a table holds, by area: as published, or from domain ranks.

    Args:
        table: A table of ranks (File 2 or 7 of the indices, or a tidied copy), or of transformed scores
            (File 9).
        edition: 2019 or 2025: ranks are among that edition's areas.

    Raises:
        DataError: No domain in it, a Welsh table, an edition it is not of, or a rank that is none.

    Example:
        >>> table = Table(name="x", columns=("lsoa21_code", "Crime_rank", "IMD_rank"), numbers=(2,),
        ...               rows=(("E01000001", 1, 7),), sha256="")
        >>> {domain: round(values["E01000001"], 6) for domain, values in read_domains(table, 2025).items()}
        {'crime': 100.0}
    """
    codes = table.text(code_column(table))
    if any(code.startswith("W") for code in codes):
        raise DataError(
            f"{table.name}: the Welsh index has other domains and weights; it is not rebuilt here"
        )
    edition_of(table, edition, "E")
    areas = ENGLAND[edition].areas
    found: dict[Domain, dict[str, float]] = {}
    problems: list[str] = []
    for domain, name in _NAMES.items():
        ready = _matching(table, rf"(?:{name}) score - exponentially transformed")
        column = ready or _matching(table, rf"(?:{name})[ _]rank\b.*")
        if column is None:
            continue
        values = {
            code: number
            for code, cell in zip(codes, table.column(column), strict=True)
            if code and (number := number_of(cell, decimal_comma=table.decimal_comma)) is not None
        }
        low, high = (0.0, 100.0) if ready else (1.0, float(areas))
        outside = next((code for code, value in values.items() if not low <= value <= high), None)
        if outside is not None:
            problems.append(
                f"{table.name}: {values[outside]:g} in '{column}' for {outside} is not between {low:g} and "
                f"{high:,.0f}, as edition {edition} has it; check the edition and the column"
            )
        elif ready:
            found[domain] = values
        else:
            found[domain] = {code: transformed(rank, areas) for code, rank in values.items()}
    if problems:
        raise DataError(problems)
    if not found:
        raise DataError(
            f"{table.name}: no rank or transformed score of any domain; give File 7 or File 9 of the indices"
        )
    return found


def _matching(table: Table, pattern: str) -> str | None:
    return next((name for name in table.columns if re.fullmatch(pattern, name.strip(), re.IGNORECASE)), None)
