"""The measures behind a finding, as a table."""

from __future__ import annotations

from whatworks_eval.judgement import Finding, Measure
from whatworks_eval.records import Interval
from whatworks_eval.report.numerals import SMALLEST_COUNT, clean, count, decimals_for, enough, number, signed
from whatworks_eval.report.tables import ABSENT, Table

ONE = {"units": "unit", "areas": "area", "months": "month", "incidents": "incident", "cohorts": "cohort"}
"""Units that are counted, and what one of them is called."""


def evidence(finding: Finding, *, hide: bool) -> Table | None:
    """The measures behind a finding; None where it has none."""
    if not finding.evidence:
        return None
    rows = tuple(
        (
            _capital(taken.name),
            "not measured" if taken.value is None else measured(taken, taken.value, hide=hide),
            _range(taken, hide=hide),
            ABSENT if taken.threshold is None else measured(taken, taken.threshold, hide=False),
        )
        for taken in finding.evidence
    )
    reasons: dict[str, list[str]] = {}
    for taken in finding.evidence:
        if taken.why_missing:
            reasons.setdefault(clean(taken.why_missing).rstrip("."), []).append(_capital(taken.name))
    kept = [at for at in range(4) if at < 2 or any(row[at] != ABSENT for row in rows)]
    heads = ("Measure", "Value", "Interval", "Compared with")
    return Table(
        caption=f"Evidence for {finding.rule}",
        columns=tuple(heads[at] for at in kept),
        rows=tuple(tuple(row[at] for at in kept) for row in rows),
        numeric=tuple(range(1, len(kept))),
        notes=tuple(f"{'; '.join(names)}: {why}." for why, names in reasons.items()),
    )


def measured(taken: Measure, value: float, *, hide: bool) -> str:
    """One number of a measure with its unit: decimals from its interval, else three figures."""
    unit = clean(taken.unit)
    if unit == "incidents" and hide and 0 <= value < SMALLEST_COUNT:
        return count(value, hide=True)
    said = _plain_number(taken, value)
    if said == "1" and unit in ONE:
        unit = ONE[unit]
    return said if unit in {"", "ratio", "number"} else f"{said} {unit}"


def _plain_number(taken: Measure, value: float) -> str:
    if taken.low is None or taken.high is None:
        return number(value)
    known = [part for part in (taken.value, taken.low, taken.high) if part is not None]
    if all(part == round(part) for part in known):
        return number(value)
    places = max(decimals_for(Interval(low=taken.low, high=taken.high)), 1)
    return signed(value, enough(value, places), plus=False)


def _range(taken: Measure, *, hide: bool) -> str:
    if taken.low is None and taken.high is None:
        return ABSENT
    if taken.low is None:
        return f"up to {measured(taken, taken.high or 0.0, hide=hide)}"
    if taken.high is None:
        return f"from {measured(taken, taken.low, hide=hide)}"
    return f"{_plain_number(taken, taken.low)} to {measured(taken, taken.high, hide=hide)}"


def _capital(name: str) -> str:
    name = clean(name)
    return name[:1].upper() + name[1:]
