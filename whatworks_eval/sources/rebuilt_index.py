"""The index of a covariate table without some of its domains, or why the table will not give it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from whatworks_eval.errors import DataError
from whatworks_eval.sources.cells import few
from whatworks_eval.sources.index_domains import WEIGHTS, Domain, read_domains, rebuilt_scores
from whatworks_eval.sources.tables import Table


def rebuilt_index(
    table: Table, codes: Sequence[str], edition: int, without: Collection[Domain]
) -> tuple[dict[str, float], str]:
    """Score by area from the domains kept, and a sentence that says how it was made.

    Args:
        table: Domain ranks, or transformed domain scores.
        codes: Area of each row; empty where a row has none.
        edition: Of the English index.
        without: Domains left out.

    Raises:
        DataError: A domain that is kept is not in the table, an area is there twice, or no area has all.

    Example:
        >>> names = ("income", "employment", "education", "health", "barriers", "living environment")
        >>> table = Table(name="x", columns=("lsoa11_code", *(f"{name}_rank" for name in names)),
        ...               rows=(("E01000001", 1, 1, 1, 1, 1, 1),), numbers=(2,), sha256="")
        >>> values, said = rebuilt_index(table, ("E01000001",), 2019, ("crime",))
        >>> round(values["E01000001"], 1), said
        (99.9, 'put together again from 6 of its 7 domains, without crime, in x')
    """
    twice = sorted(code for code, rows in Counter(codes).items() if code and rows > 1)
    if twice:
        raise DataError(f"{table.name}: {few(twice)} there more than once; keep one row an area")
    domains = read_domains(table, edition)
    kept = [domain for domain in WEIGHTS if domain not in without]
    absent = [domain for domain in kept if domain not in domains]
    if absent:
        raise DataError(
            f"{table.name}: `without` needs every other domain, and {', '.join(absent)} "
            f"{'are' if len(absent) > 1 else 'is'} not in it; give File 7 (ranks) or File 9 (transformed "
            f"scores) of the indices of {edition}"
        )
    values = rebuilt_scores({domain: domains[domain] for domain in kept}, without=without)
    if not values:
        lost = {domain: len(domains[domain]) for domain in kept}
        empty = [domain for domain, areas in lost.items() if not areas]
        raise DataError(
            f"{table.name}: no area has every domain that is kept"
            f"{'; empty: ' + ', '.join(empty) if empty else ''}; give File 7 or File 9 of the indices"
        )
    left = ", ".join(sorted(without))
    return values, (
        f"put together again from {len(kept)} of its {len(WEIGHTS)} domains, without {left}, in {table.name}"
    )
