"""A cohort of offenders before and after a scheme, in words, tables and JSON; small counts never printed."""

from __future__ import annotations

from typing import Any

from whatworks_eval.economics.cohort_file import ARMS, FEWEST, WINDOWS, Arm, Window
from whatworks_eval.economics.cohorts import CohortCosts
from whatworks_eval.records import Interval
from whatworks_eval.report.as_json import finite, interval
from whatworks_eval.report.economics_section import Section
from whatworks_eval.report.economics_words import CREDIT_FROM
from whatworks_eval.report.numerals import clean, counted, number, per_cent_of, percent
from whatworks_eval.report.pounds import between, cell, money, whole
from whatworks_eval.report.tables import ABSENT, Table

TITLE = "What did their crime cost, before and after?"
NAMES: dict[Arm, str] = {"treated": "Joined", "comparison": "Comparison"}
SIMULATED = "SIMULATED PEOPLE: made up by a program. No offender and no scheme is in it."


def cohort_section(found: CohortCosts) -> Section:
    """The whole of it, in the shape of any section on money."""
    tables = [_rates(found), _offences(found), _values(found)]
    return Section(
        headline=cohort_headline(found),
        sentences=tuple(_sentences(found)),
        tables=tuple(table for table in tables if table is not None),
        doubts=tuple((f"cohort.{note.threat}", note.message) for note in found.notes),
        clear=(),
    )


def cohort_headline(found: CohortCosts) -> str:
    """The cost of a year at risk before, after and as expected, with the level; never a cause below 3."""
    before = found.rates["treated", "before"].cost_rate.value or 0.0
    after = found.rates["treated", "after"].cost_rate.value or 0.0
    way = "fell" if after < before else "rose" if after > before else "stayed"
    moved = (
        f"the cost of recorded crime {way} from {money(before)} to {money(after)} for each person and year "
        "in the "
        "community"
    )
    level = f"design strength level {found.level} of 5"
    parts = [SIMULATED] if found.cohort.keys.simulated else []
    if "comparison" not in found.cohort.arms:
        parts.append(
            f"After people joined, {moved}, whatever the cause. With no comparison, how far they would have "
            "fallen "
            "back anyway is not known"
        )
    else:
        parts.append(
            f"After people joined, {moved}; from the change in the comparison cohort, "
            f"{money(found.expected.value or 0.0)} was to be expected"
        )
        parts.append(_difference(found))
    said = ". ".join(part.rstrip(".") for part in parts)
    return f"{said}. The estimate is for these people, at {level}."


def _difference(found: CohortCosts) -> str:
    saved = found.saved.value or 0.0
    what = f"{money(abs(saved))} a person and year {'less' if saved >= 0 else 'more'} than expected"
    if found.saved.low is None or found.saved.high is None:
        said = f"That is {what}; no range can be given ({clean(found.why_no_range or 'not recorded')})"
    elif found.saved.low <= 0 <= found.saved.high:
        said = (
            f"The range includes no saving at all: the best estimate is {what} (range of the saving "
            f"{between(found.saved)})"
        )
    else:
        said = f"That is {what} (range of the saving {between(found.saved)})"
    if found.level < CREDIT_FROM:
        said += "; it may be counted to the scheme only if the change was due to it"
    return said


def _sentences(found: CohortCosts) -> list[str]:
    keys, rows = found.cohort.keys, found.cohort.arms
    people = ", ".join(
        f"{counted(rows[arm].people, 'person', 'people')} ({NAMES[arm].lower()})" for arm in rows
    )
    said = [
        f"{people[:1].upper()}{people[1:]}; rates are for each year in the community, so that custody is no "
        "success."
    ]
    if "comparison" in rows:
        said.append(
            f"In all, {money(abs(found.saved_in_all.value or 0.0))} "
            f"{'less' if (found.saved_in_all.value or 0.0) >= 0 else 'more'} than expected over the time at "
            "risk after "
            f"joining" + _ranged(found.saved_in_all)
        )
    if found.peak.value is not None:
        height = (
            f"{percent(abs(found.peak.value), sign=False)} {'above' if found.peak.value >= 0 else 'below'}"
        )
        said.append(
            f"In the window they were picked on, their crime cost {height} the earlier window"
            + _ranged_percent(found.peak)
        )
    if found.saved_from_earlier.value is not None:
        said.append(
            "Measured from the earlier window: "
            f"{money(abs(found.saved_from_earlier.value))} a person and year "
            f"{'less' if found.saved_from_earlier.value >= 0 else 'more'} than expected"
            + _ranged(found.saved_from_earlier)
        )
    if found.cohort.left_out:
        told = "; ".join(f"{clean(why)}: {_few(n)}" for why, n in sorted(found.cohort.left_out.items()))
        said.append(f"People left out, since missing is not zero: {told}.")
    said.append(
        f"{percent(100 * found.not_valued_share, sign=False)} of the offences have no unit cost and count "
        "for nothing "
        "in the pounds. Offences that were not recorded against these people are not in it either."
    )
    how = (
        f"{keys.draws:,} draws of the same people with replacement"
        if found.cohort.by_person
        else f"{keys.draws:,} draws of counts that vary {keys.dispersion:g} times as much as chance alone"
    )
    if found.saved.low is not None:
        said.append(
            f"A range is the middle {per_cent_of(keys.confidence)} of {how}; unit costs are held fixed."
        )
    return said


def _few(size: int) -> str:
    return f"fewer than {FEWEST}" if size < FEWEST else f"{size:,}"


def _ranged(span: Interval) -> str:
    ends = between(span)
    return f" (range of the saving {ends})." if ends else "."


def _ranged_percent(span: Interval) -> str:
    if span.low is None or span.high is None:
        return "."
    return f" (range {percent(span.low)} to {percent(span.high)})."


def _cells(found: CohortCosts) -> list[tuple[Arm, Window]]:
    return [(arm, w) for arm in ARMS for w in WINDOWS if (arm, w) in found.rates]


def _rates(found: CohortCosts) -> Table:
    rows = []
    for arm, window in _cells(found):
        rate = found.rates[arm, window]
        few = rate.offences < FEWEST
        rows.append(
            (
                f"{NAMES[arm]}, {window}",
                f"{found.cohort.arms[arm].people:,}",
                f"{rate.years:,.1f}",
                f"fewer than {FEWEST}" if few else f"{rate.offences:,.0f}",
                ABSENT if few else number(float(f"{rate.offence_rate:.3g}")),
                ABSENT if few else whole(rate.cost_rate.low),
                ABSENT if few else whole(rate.cost_rate.value),
                ABSENT if few else whole(rate.cost_rate.high),
            )
        )
    return Table(
        caption=f"Offences and cost, a year in the community ({found.cohort.keys.price_year} prices)",
        columns=(
            "Cohort and window",
            "People",
            "Years at risk",
            "Offences",
            "A year",
            "Cost: low",
            "Central",
            "High",
        ),
        rows=tuple(rows),
        numeric=(1, 2, 3, 4, 5, 6, 7),
    )


def _offences(found: CohortCosts) -> Table:
    cells = _cells(found)
    return Table(
        caption="Recorded offences",
        columns=("Offence", *(f"{NAMES[arm]}, {window}" for arm, window in cells)),
        rows=tuple(
            (
                cell(row.offence[:1].upper() + row.offence[1:]),
                *(f"fewer than {FEWEST}" if (n := row.counts[one]) is None else f"{n:,.0f}" for one in cells),
            )
            for row in found.by_offence
        ),
        numeric=tuple(range(1, len(cells) + 1)),
        notes=(f"Sorts with a count below {FEWEST} are added together.",),
    )


def _values(found: CohortCosts) -> Table:
    return Table(
        caption=f"What an offence is taken to cost ({found.cohort.keys.price_year} prices)",
        columns=("Offence", "Pounds", "Where it comes from"),
        rows=tuple(
            (
                cell(name[:1].upper() + name[1:]),
                "not valued" if gbp is None else whole(gbp),
                cell(found.sources.get(name, "no unit cost")),
            )
            for name, gbp in found.gbp.items()
        ),
        numeric=(1,),
        notes=(
            "The costs of anticipating crime are "
            + _anticipation(found)
            + " No multiplier for unrecorded crime is applied: nobody knows whose it is.",
        ),
    )


def _anticipation(found: CohortCosts) -> str:
    keys = found.cohort.keys
    if keys.unit_costs == "home-office-2018":
        return "in the unit costs of the 2018 edition, which are here as whole sums."
    return "counted." if keys.anticipation else "left out."


def cohort_dict(found: CohortCosts) -> dict[str, Any]:
    """The same as plain JSON values; counts by offence merged as in the table."""
    keys = found.cohort.keys
    return {
        "id": keys.id,
        "name": keys.name,
        "simulated": keys.simulated,
        "headline": cohort_headline(found),
        "level": found.level,
        "bound_by": list(found.evaluation.grade.bound_by),
        "price_year": keys.price_year,
        "unit_costs": keys.unit_costs,
        "people": {arm: rows.people for arm, rows in found.cohort.arms.items()},
        "left_out": {why: n if n >= FEWEST else None for why, n in sorted(found.cohort.left_out.items())},
        "rates": [
            {
                "arm": arm,
                "window": window,
                "years_at_risk": finite(rate.years),
                "offences": finite(rate.offences) if rate.offences >= FEWEST else None,
                "offences_a_year": finite(rate.offence_rate) if rate.offences >= FEWEST else None,
                "cost_a_year": interval(rate.cost_rate if rate.offences >= FEWEST else Interval()),
            }
            for arm, window in _cells(found)
            for rate in (found.rates[arm, window],)
        ],
        "expected": interval(found.expected),
        "saved": interval(found.saved),
        "saved_in_all": interval(found.saved_in_all),
        "ratio": interval(found.ratio),
        "peak_percent": interval(found.peak),
        "saved_from_earlier": interval(found.saved_from_earlier),
        "not_valued_share": finite(found.not_valued_share),
        "why_no_range": found.why_no_range,
        "offences": [
            {
                "offence": row.offence,
                "gbp": finite(row.gbp),
                "counts": [
                    {"arm": arm, "window": window, "count": finite(row.counts[arm, window])}
                    for arm, window in _cells(found)
                ],
            }
            for row in found.by_offence
        ],
        "notes": [{"threat": note.threat, "message": note.message, "cap": note.cap} for note in found.notes],
    }
