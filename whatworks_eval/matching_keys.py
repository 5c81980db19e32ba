"""What a design says against itself about matching and the index of deprivation it matches on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

LEVEL, TREND, RESIDENTS, FORCE = "before_level", "before_trend", "residents", "force"
NO_DISTANCE = ("entropy", "strata")
ONCE = ("optimal", "cardinality")
DOMAINS = ("income", "employment", "education", "health", "crime", "barriers", "living")
REBUILT = (2019, 2025)  # editions whose published scores come out again from their domains
# Data handed over in Python may bring covariates that no file is named for.
_BRINGS_ITS_OWN = ("counts", "dataset")


def matching_problems(sections: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    """What a design says against itself about matching and deprivation, one sentence each.

    Args:
        sections: As for `contradictions`.
        given: The protocol as written.

    Example:
        >>> list(matching_problems({"matching": {"algorithm": "cardinality", "tolerance": None}},
        ...                        {"matching": {"algorithm": "cardinality"}}))  # doctest: +ELLIPSIS
        ["`matching.algorithm` is 'cardinality', which needs `matching.tolerance`: ..."]
    """
    covariates = given.get("covariates")
    tables = covariates if isinstance(covariates, Mapping) else {}
    for name, table in tables.items():
        if isinstance(table, Mapping) and table.get("without"):
            yield from _rebuilt(name, table)
        if isinstance(table, Mapping) and table.get("as") == "class":
            yield from _class(name, table, sections)
        if isinstance(table, Mapping) and table.get("average"):
            told = ([ADDED] if name == RESIDENTS else []) + average_problems(table)
            yield from (f"`covariates.{name}`: {problem}" for problem in told)
    matching, written = sections.get("matching"), given.get("matching")
    if not matching or not isinstance(written, Mapping):
        return
    outcome = sections.get("outcome") or {}
    yield from _names(matching, tables, outcome.get("source"))
    yield from _options(matching, written)


def _names(matching: Mapping[str, Any], tables: Mapping[str, Any], source: str | None) -> Iterator[str]:
    """Whether everything matched on is known or comes with a file."""
    for key, own in (("on", (LEVEL, TREND, RESIDENTS)), ("exact", (FORCE,))):
        names = [name for name in matching.get(key) or () if isinstance(name, str)]
        known = list(dict.fromkeys([*own, *sorted(tables)]))
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                yield f"`matching.{key}` names '{name}' more than once; keep one"
            near = get_close_matches(name, known, n=1, cutoff=0.75)
            if name in known or (source in _BRINGS_ITS_OWN and not near):
                continue
            if key == "exact" and name in (LEVEL, TREND, RESIDENTS):
                yield (
                    f"`matching.exact` names '{name}', a number that hardly two areas share; put it in "
                    "`matching.on`"
                )
                continue
            meant = f"did you mean '{near[0]}'?" if near else f"give its file as [covariates.{name}]"
            yield (
                f"`matching.{key}` names '{name}', which is not known: there are {', '.join(known)}; {meant}"
            )


def _options(matching: Mapping[str, Any], written: Mapping[str, Any]) -> Iterator[str]:
    """Whether algorithm, distance and limits go together."""
    way, distance = matching.get("algorithm"), matching.get("distance")
    on = matching.get("on") or ()
    if distance == "score" and way not in NO_DISTANCE and len(on) > 1:
        yield (
            f"`matching.distance` is 'score', which takes one feature, and `matching.on` names {len(on)}; "
            'name one, or use distance = "mahalanobis"'
        )
    if way == "cardinality" and matching.get("tolerance") is None:
        yield (
            "`matching.algorithm` is 'cardinality', which needs `matching.tolerance`: the largest "
            "standardised difference allowed, for instance 0.1"
        )
    if matching.get("tolerance") is not None and way != "cardinality":
        yield (
            f"`matching.tolerance` is not used by '{way}'; take it out, or use algorithm = \"cardinality\""
        )
    if matching.get("caliper") is not None and way not in ("nearest", "optimal"):
        yield (f"`matching.caliper` is not used by '{way}'; take it out, or use algorithm = \"nearest\"")
    if way in NO_DISTANCE:
        for key in ("per_treated", "distance"):
            if key in written:
                yield f"`matching.{key}` is not used by '{way}', which takes every area it can; take it out"
    if matching.get("replacement") is not None and way != "nearest":
        why = "never uses an area twice" if way in ONCE else "shares areas out by weight"
        yield f"`matching.replacement` is not used by '{way}', which {why}; take it out"
    if way == "strata" and not matching.get("exact"):
        yield (
            "`matching.algorithm` is 'strata', which needs `matching.exact`: what areas of a stratum share, "
            'such as ["force"] or a class under [covariates]'
        )


def _rebuilt(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    """Whether an index asked for without some of its domains can be put together."""
    place, left_out = f"`covariates.{name}", table["without"]
    if not isinstance(left_out, list | tuple):
        return  # the model says so
    if not set(DOMAINS) - set(left_out):
        yield f"{place}.without` leaves out every domain; keep at least one"
    if table.get("edition") not in REBUILT:
        yield (
            f"{place}.without` needs `edition`, {' or '.join(map(str, REBUILT))}: domain ranks are among "
            "that edition's areas, and these are the editions whose scores come out again"
        )
    for key, want in (("column", None), ("as", "score")):
        said = table.get(key)
        if said is not None and said != want:
            asks = (
                'it is a score: use as = "score"'
                if key == "as"
                else "the file's domains are read; take it out"
            )
            yield f"{place}.{key}` is '{said}', but `without` puts the index together again; {asks}"


ADDED = "`average` is for scores; residents are added up: give a table of residents by your own areas"


def average_problems(table: Mapping[str, Any]) -> list[str]:
    """What a covariate that is a mean over LSOAs says against itself, one sentence each.

    Example:
        >>> average_problems({"average": {"file": "x.csv", "area": "ward"}, "as": "score"})
        ['`average` needs `edition`, so that index and lookup are known to be of the same LSOAs']
    """
    form, found = table.get("as") or "value", []
    if form in ("rank", "decile"):
        found.append(
            f'`average` takes the mean of scores, and `as` is "{form}": a mean of {form}s is no {form}; use '
            'as = "score" and the column of the score'
        )
    elif form == "class":
        found.append('`average` takes the mean of scores, and `as` is "class": names have none; take one out')
    elif form != "score" and not table.get("without"):
        found.append('`average` takes the mean of scores: use as = "score", and the column of a score')
    if not table.get("edition"):
        found.append("`average` needs `edition`, so that index and lookup are known to be of the same LSOAs")
    if table.get("lookup"):
        found.append(
            "`average` takes its own lookup from the index's LSOAs to your areas (`average.file`), and "
            "`lookup` carries an index to another census's LSOAs; take `lookup` out"
        )
    return found


def _class(name: str, table: Mapping[str, Any], sections: Mapping[str, Any]) -> Iterator[str]:
    """Whether a covariate that holds names is used where a name can be."""
    place = f"`covariates.{name}"
    if name == RESIDENTS:
        yield f'{place}.as` is "class", but residents are a number; take `as` out'
    if not table.get("column"):
        yield f'{place}.as` is "class", which needs `column`: the one that holds the classes'
    for key in ("edition", "without"):
        if table.get(key):
            yield f'{place}.as` is "class", and `{key}` is for an index of deprivation; take one out'
    for section, key in (("matching", "on"), ("did", "adjust_for")):
        if name in ((sections.get(section) or {}).get(key) or ()):
            yield (
                f"`{section}.{key}` names '{name}', which holds classes and no numbers; classes go into "
                "`matching.exact`"
            )
