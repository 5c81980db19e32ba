"""What a declared design says against itself, though each key is sound alone.

Works on plain mappings shaped like the TOML, one section at a time, so that a fault in one section
does not hide the contradictions in another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from whatworks_eval.did_keys import did_problems
from whatworks_eval.matching_keys import matching_problems
from whatworks_eval.offence_names import OLDER, TODAY
from whatworks_eval.periods import EXAMPLES, PeriodKind, first_day
from whatworks_eval.synthetic_keys import synthetic_problems
from whatworks_eval.trial_keys import trial_problems

_COLUMNS = {"area", "date", "count", "offence", "layout", "sheet", "empty_periods"}
# Source, then the keys of [outcome] it takes, with those it cannot do without.
_TAKES: dict[str, set[str]] = {
    "police-uk": {"path", "offences", "untouched", "deduplicate", "harm"},
    "counts": {"path", "offences", "untouched"} | _COLUMNS,
    "survey": {"path", "measure", "subgroup", "percent", "proportion", "base", "area", "date", "sheet"}
    | {"design_effect", "rolling_months", "periods"},
    # Numbers without rows say in `offences` what was counted.
    "totals": {"totals", "offences"},
    "published-changes": {"changes", "offences", "measure"},
    "dataset": {"dataset", "offences"},
}
_NEEDS = {
    "police-uk": "path",
    "counts": "path",
    "survey": "path",
    "totals": "totals",
    "published-changes": "changes",
    "dataset": "dataset",
}
_BY_AREA = {"police-uk", "counts", "survey", "dataset"}


def contradictions(sections: Mapping[str, Any], *, given: Mapping[str, Any]) -> list[str]:
    """One sentence for each contradiction, in the order of the sections.

    Args:
        sections: Method, period and each section with defaults filled in; None for what cannot be read.
        given: The protocol as written, to tell a key that was given from its default.
    """
    found: list[str] = []
    outcome = sections.get("outcome")
    source = outcome["source"] if outcome else None
    if outcome and source:
        found += _outcome(source, outcome, given["outcome"])
        found += _share_or_count(source, outcome, sections.get("method"))
        found += _sections_for(source, given)
    if "period" in sections or "period" not in given:
        found += _periods(sections, sections.get("period", "month"), source)
    if areas := sections.get("areas"):
        found += _arms(areas)
        found += _area_keys(areas, given, source)
    found += _placebo_outcome(sections)
    found += trial_problems(sections, given)
    found += did_problems(sections, given)
    found += synthetic_problems(sections, given)
    found += matching_problems(sections, given)
    if source:
        found += _comparison(sections, source)
        found += _series(sections, source, given)
    return found


def _outcome(source: str, outcome: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    if _NEEDS[source] not in given:
        yield f"`outcome.{_NEEDS[source]}` is missing; source '{source}' needs it"
    for key in given:
        if key in outcome and key not in _TAKES[source] | {"source", "kind"}:
            takes = ", ".join(f"`{name}`" for name in sorted(_TAKES[source]))
            yield f"`outcome.{key}` is not used with source '{source}', which takes {takes}; take it out"
    if source == "police-uk":
        yield from _offences(outcome["offences"] or ())
        if outcome["harm"] and not outcome["offences"]:
            yield (
                f"`outcome.harm` is '{outcome['harm']}', but `outcome.offences` is absent, which counts "
                "every row; name the offences to weigh: anti-social behaviour has no weight"
            )
    if source == "counts" and outcome["offences"] and not outcome["offence"]:
        yield (
            "`outcome.offences` is given, but `outcome.offence` does not say which column holds the offence; "
            "name the column, or leave `offences` out to count every row"
        )
    yield from _untouched(source, outcome)
    yield from _numbers(outcome)


def _untouched(source: str, outcome: Mapping[str, Any]) -> Iterator[str]:
    """Offences that should not have moved are others than those counted, and can be told from them."""
    names = outcome["untouched"] or ()
    if not names:
        return
    if source == "police-uk":
        yield from _offences(names, key="outcome.untouched")
    if not outcome["offences"]:
        yield "`outcome.untouched` is given, but `outcome.offences` is absent, which counts all; name both"
    both = sorted(set(names) & set(outcome["offences"] or ()))
    if both:
        yield f"'{both[0]}' in both `outcome.offences` and `outcome.untouched`; keep it in one"


def _placebo_outcome(sections: Mapping[str, Any]) -> Iterator[str]:
    """Methods that would leave the untouched offences unasked."""
    method = sections.get("method")
    asked = (None, "relative-effect", "did")
    if (sections.get("outcome") or {}).get("untouched") and method not in asked:
        yield (
            f"`outcome.untouched` is asked by methods 'relative-effect' and 'did', not by '{method}'; take "
            "it out, or evaluate those offences in a design of their own"
        )


def _offences(offences: Sequence[str], key: str = "outcome.offences") -> Iterator[str]:
    """Names that police.uk never had: told here, so that `check` finds a slip without the files."""
    names = {name.casefold(): name for name in (*TODAY, *OLDER)}
    for offence in offences:
        if offence in names.values():
            continue
        near = get_close_matches(offence.casefold(), names, n=1, cutoff=0.6)
        meant = f"did you mean '{names[near[0]]}'?" if near else f"it has {', '.join(TODAY)}"
        yield f"`{key}`: police.uk has no offence '{offence}'; {meant}"


def _share_or_count(source: str, outcome: Mapping[str, Any], method: str | None) -> Iterator[str]:
    """Whether what is counted and where it comes from go together."""
    if source == "survey" and outcome["kind"] != "proportion":
        yield f"`outcome.kind` is '{outcome['kind']}', but a survey gives shares of respondents; take it out"
    if source not in {"survey", "published-changes"} and outcome["kind"] == "proportion":
        yield (
            f"`outcome.kind` is 'proportion', which source '{source}' does not give; survey percentages come "
            'in with source = "survey"'
        )
    if source == "survey" and method not in (None, "before-after", "relative-effect"):
        yield f"`method` '{method}' takes counts; for a survey use 'relative-effect' or 'before-after'"
    if outcome["percent"] and outcome["proportion"]:
        yield "`outcome.percent` and `outcome.proportion` are both given; name the column by what it holds"


def _numbers(outcome: Mapping[str, Any]) -> Iterator[str]:
    totals = outcome["totals"] or {}
    if totals.get("buffer_comparison") and not totals.get("buffer"):
        yield (
            "`outcome.totals.buffer_comparison` is given without `outcome.totals.buffer`; "
            "give both or neither"
        )
    for arm in ("treated", "comparison", "buffer", "buffer_comparison"):
        for value in totals.get(arm) or ():
            if value < 0:
                yield f"`outcome.totals.{arm}` holds {value:g}; a count of incidents cannot be below zero"
    if any(length <= 0 for length in totals.get("periods", ())):
        yield "`outcome.totals.periods` must be above zero: how many periods each window holds"


def _sections_for(source: str, given: Mapping[str, Any]) -> Iterator[str]:
    if source in _BY_AREA:
        for section, what in (("windows", "the periods compared"), ("areas", "who is treated")):
            if section not in given and not (section == "windows" and given.get("method") == "crossover"):
                yield f"`{section}` is missing; source '{source}' needs it: {what}"
        return
    for section in ("areas", "covariates", "matching"):
        if given.get(section):
            yield f"`{section}` is not used with source '{source}', which has no areas; take the section out"


def _periods(sections: Mapping[str, Any], kind: str, source: str | None) -> Iterator[str]:
    if kind not in EXAMPLES:
        return
    if source == "police-uk" and kind != "month":
        yield f"`period` is '{kind}', but police.uk publishes months only; write period = \"month\""
        return
    start = (sections.get("intervention") or {}).get("start")
    windows = sections.get("windows") or {}
    written = {"intervention.start": start}
    for window in ("before", "after"):
        for position, period in enumerate(windows.get(window) or ()):
            written[f"windows.{window}[{position + 1}]"] = period
    for position, change in enumerate((sections.get("context") or {}).get("recording_changes") or ()):
        written[f"context.recording_changes[{position + 1}].start"] = change["start"]
    bad = set()
    for place, period in written.items():
        if period is not None and (why := _not_a_period(period, kind)):
            bad.add(place.split("[")[0])
            yield f"`{place}` is '{period}', {why}; periods are written like '{EXAMPLES[kind]}'"
    before = None if "windows.before" in bad else windows.get("before")
    after = None if "windows.after" in bad else windows.get("after")
    yield from _order(before, after, None if "intervention.start" in bad else start)


def _not_a_period(period: str, kind: PeriodKind) -> str | None:
    try:
        first_day(period, kind)
    except ValueError as error:
        return f"not a {kind}" if "write it like" in str(error) else f"and {error}"
    return None


def _order(before: Sequence[str] | None, after: Sequence[str] | None, start: str | None) -> Iterator[str]:
    for name, window in (("before", before), ("after", after)):
        if window and window[0] > window[1]:
            yield f"`windows.{name}` ends ({window[1]}) before it begins ({window[0]}); swap the two"
    if before and after and max(before) >= min(after):
        yield (
            f"`windows.before` ({before[0]} to {before[1]}) and `windows.after` ({after[0]} to {after[1]}) "
            "overlap or are in the wrong order; the before window must end before the after window begins"
        )
    if before and start and max(before) >= start:
        yield (
            f"`windows.before` reaches {max(before)}, but `intervention.start` is {start}; "
            "end the before window earlier"
        )
    if after and start and min(after) < start:
        yield (
            f"`windows.after` begins {min(after)}, before `intervention.start` ({start}); "
            f"begin it at {start} or later"
        )


def _arms(areas: Mapping[str, Any]) -> Iterator[str]:
    listed = {arm: areas[arm] for arm in ("treated", "comparison", "buffer") if isinstance(areas[arm], tuple)}
    for arm, codes in listed.items():
        for code in sorted(code for code, times in Counter(codes).items() if times > 1):
            yield f"`areas.{arm}` lists '{code}' more than once; keep one"
        if any(not code.strip() for code in codes):
            yield f"`areas.{arm}` holds an empty code; take it out"
    for one, other in (("treated", "comparison"), ("treated", "buffer"), ("comparison", "buffer")):
        both = sorted(set(listed.get(one, ())) & set(listed.get(other, ())))
        if both:
            more = f" and {len(both) - 3} more" if len(both) > 3 else ""
            named = ", ".join(f"'{code}'" for code in both[:3])
            yield f"{named}{more} in both `areas.{one}` and `areas.{other}`; an area has one arm"
    buffer = areas["buffer"]
    if isinstance(buffer, Mapping) and (buffer.get("within_m") is None) == (
        buffer.get("adjacent_to") is None
    ):
        yield '`areas.buffer` takes one of `within_m = 500` and `adjacent_to = "treated"`'


def _area_keys(areas: Mapping[str, Any], given: Mapping[str, Any], source: str | None) -> Iterator[str]:
    if source and source != "police-uk" and "home" in given["areas"]:
        yield f"`areas.home` is not used with source '{source}', only with police-uk; take it out"
    if "matching" in given and areas["comparison"] != "matched":
        yield '`matching` is given, but `areas.comparison` is not "matched"; change one of them'


def _comparison(sections: Mapping[str, Any], source: str) -> Iterator[str]:
    """A method that compares needs something to compare with."""
    if sections.get("method") not in ("relative-effect", "did", "synthetic"):
        return
    key, section = {
        "totals": ("outcome.totals.comparison", sections["outcome"]["totals"]),
        "published-changes": ("outcome.changes.comparison", sections["outcome"]["changes"]),
    }.get(source, ("areas.comparison", sections.get("areas")))
    if section and section.get("comparison") is None:
        yield (
            f"`{key}` is missing; method '{sections['method']}' needs it. Without comparison areas there is "
            "only method 'before-after', which reaches level 2 at most"
        )


def _series(sections: Mapping[str, Any], source: str, given: Mapping[str, Any]) -> Iterator[str]:
    """A time series needs periods, and only a time series fits a season."""
    method = sections.get("method")
    if method == "interrupted-time-series" and source not in _BY_AREA:
        yield (
            f"`method` is 'interrupted-time-series', but source '{source}' has no counts by period; use "
            "'before-after' or 'relative-effect'"
        )
    windows = given.get("windows")
    if isinstance(windows, Mapping) and "seasonal" in windows and method != "interrupted-time-series":
        yield "`windows.seasonal` is only used with method 'interrupted-time-series'; take it out"
