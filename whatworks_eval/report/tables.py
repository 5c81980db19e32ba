"""The tables of a report, as text cells: one shape for the terminal and for the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

from whatworks_eval.judgement import Evaluation
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Arm, Estimate, Series
from whatworks_eval.report import survey_words
from whatworks_eval.report.numerals import (
    SMALLEST_COUNT,
    clean,
    count,
    decimals_for,
    enough,
    number,
    p_value,
    per_cent_of,
    percent,
    plain,
    signed,
)
from whatworks_eval.report.words import amount, picked_for_need, range_cell, shown

ARMS: tuple[Arm, ...] = ("treated", "comparison", "buffer")
ABSENT = "–"
PUBLISHED = {"totals", "published-changes"}  # sources whose counts are public already


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A caption, column heads and rows of text; the first cell of a row is its head.

    Attributes:
        caption: What the table holds, as a phrase.
        columns: Heads.
        rows: Cells, as many as columns.
        numeric: Columns set to the right.
        notes: Sentences under the table.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def hides_small_counts(evaluation: Evaluation) -> bool:
    """True where counts below 5 are not to be printed: all sources but published totals."""
    protocol = evaluation.protocol
    return protocol.outcome.source not in PUBLISHED and not survey_words.is_share(protocol)


def name_of(estimate: Estimate, protocol: Protocol) -> str:
    """What to call an estimate: 'As registered', 'Comparison set: nearby areas'."""
    if estimate.choice is None:
        return "As registered" if protocol.registered else "As declared"
    label, choice = clean(estimate.label), clean(estimate.choice)
    if label.casefold().startswith(choice.casefold()):
        return f"{label[:1].upper()}{label[1:]}"
    return f"{choice[:1].upper()}{choice[1:]}: {label}"


def effects(evaluation: Evaluation) -> Table:
    """The registered estimate and every alternative, with intervals; the level is in the caption.

    Those in units of their own stand in a table of their own: `other_units`.
    """
    rows, notes = [], []
    reasons: dict[str, list[str]] = {}
    if picked_for_need(evaluation) is not None:
        notes.append(
            "Places picked at a peak tend to fall with nothing done: no row here is an effect of the project."
        )
    elsewhere = in_other_units(evaluation)
    in_caption = evaluation.protocol.method == "did" and evaluation.estimate.scale == "difference"
    for made in (evaluation.estimate, *evaluation.alternatives):
        if any(made is other for other in elsewhere):
            continue
        name = name_of(made, evaluation.protocol)
        rows.append(
            (
                name,
                *cells(made, bare=in_caption and made.scale == "difference"),
                ABSENT if made.p_value is None else p_value(made.p_value),
                clean(made.inference),
            )
        )
        if made.why_missing:
            reasons.setdefault(clean(made.why_missing).rstrip("."), []).append(name)
    notes += _reasons(reasons, len(rows))
    if evaluation.estimate.smallest_p is not None:
        notes.append(
            f"The smallest p-value this design could have given is {p_value(evaluation.estimate.smallest_p)}."
        )
    level = f"design strength level {evaluation.grade.level} of 5"
    confidence = per_cent_of(evaluation.estimate.confidence)
    return Table(
        caption=f"{survey_words.against(evaluation.protocol)}{_which(evaluation)} ({level})",
        columns=("Estimate", "Change", f"{confidence} interval", "p-value", "How the interval was obtained"),
        rows=tuple(rows),
        numeric=(1, 2, 3),
        notes=tuple(notes),
    )


def _reasons(reasons: dict[str, list[str]], rows: int) -> list[str]:
    """Why cells are empty, each reason once with the rows it is for."""
    return [
        f"{'Every row' if len(names) == rows > 1 else '; '.join(names)}: {why}."
        for why, names in reasons.items()
    ]


def in_other_units(evaluation: Evaluation) -> tuple[Estimate, ...]:
    """Alternatives with values in another unit than the registered estimate's; none of published ones."""
    if evaluation.protocol.outcome.source == "published-changes":
        return ()
    own = evaluation.estimate
    return tuple(
        other
        for other in evaluation.alternatives
        if other.value is not None
        and (other.scale != own.scale or (own.scale == "difference" and other.unit != own.unit))
    )


def other_units(evaluation: Evaluation) -> Table | None:
    """The alternatives that are in units of their own, which each row names; None where there are none."""
    rows = []
    reasons: dict[str, list[str]] = {}
    for made in in_other_units(evaluation):
        name = name_of(made, evaluation.protocol)
        rows.append(
            (
                name,
                *cells(made, bare=made.scale == "difference"),
                "percent" if made.scale == "log-ratio" else clean(made.unit),
                ABSENT if made.p_value is None else p_value(made.p_value),
                clean(made.inference),
            )
        )
        if made.why_missing:
            reasons.setdefault(clean(made.why_missing).rstrip("."), []).append(name)
    if not rows:
        return None
    return Table(
        caption="The same question in other units, not to be set beside the numbers above "
        f"(design strength level {evaluation.grade.level} of 5)",
        columns=(
            "Estimate",
            "Change",
            f"{per_cent_of(evaluation.estimate.confidence)} interval",
            "Counted in",
            "p-value",
            "How the interval was obtained",
        ),
        rows=tuple(rows),
        numeric=(1, 2, 4),
        notes=tuple(_reasons(reasons, len(rows))),
    )


def cells(made: Estimate, *, bare: bool) -> tuple[str, str]:
    """Value and interval; without their unit where it is named once for all."""
    held, span = shown(made), range_cell(made) or "none"
    cell = ABSENT if held.value is None else amount(made, held.value, sign=True, least=1)
    if not bare:
        return cell, span
    if held.value is not None and held.low is not None and held.high is not None:
        least = 2 if max(abs(held.low), abs(held.high)) < 10 else 1
        places = max(decimals_for(held), least)
        said = [signed(part, enough(part, places)) for part in (held.value, held.low, held.high)]
        return said[0], f"{said[1]} to {said[2]}"
    return cell.removesuffix(f" {made.unit}"), span.removesuffix(f" {made.unit}")


def _which(evaluation: Evaluation) -> str:
    """Where, how and in what unit the estimates of the first table are."""
    where = "" if evaluation.protocol.did.dose is not None else f" in the treated areas, {_sort(evaluation)}"
    if evaluation.protocol.method == "did" and evaluation.estimate.scale == "difference":
        where += f", in {clean(evaluation.estimate.unit)}"
    return where


def _sort(evaluation: Evaluation) -> str:
    if evaluation.protocol.method == "before-after":
        return "unadjusted: leaves out whatever changed everywhere"
    return clean(evaluation.estimate.measure)


def arms(evaluation: Evaluation) -> Table | None:
    """Incidents before and after by arm, with the change of each, unadjusted; None without counts."""
    windowed = evaluation.windowed
    if windowed is None:
        return _published(evaluation)
    if survey_words.is_share(evaluation.protocol):
        return _shares(evaluation)
    hide, (months_before, months_after) = hides_small_counts(evaluation), windowed.months
    weighted: tuple[str, ...] = ()
    if evaluation.contrast.weights is not None:
        weighted = ("Comparison incidents are counted as often as each area stands as a match.",)
    rows = []
    for arm in ARMS:
        if not windowed.has(arm):
            continue
        before, after = windowed.total(arm)
        small = hide and min(before, after) < SMALLEST_COUNT
        change = ABSENT if not before or small else (after / months_after) / (before / months_before)
        rows.append(
            (
                arm.capitalize(),
                f"{int((windowed.arm == arm).sum()):,}" if windowed.index is not None else ABSENT,
                count(before, hide=hide),
                count(after, hide=hide),
                change if isinstance(change, str) else percent(100 * (change - 1), 1),
            )
        )
    return Table(
        caption="Recorded incidents by arm, before and after",
        columns=(
            "Arm",
            "Areas",
            f"Before ({_months(evaluation, 0)})",
            f"After ({_months(evaluation, 1)})",
            _change_of(evaluation),
        ),
        rows=tuple(rows),
        numeric=(1, 2, 3, 4),
        notes=(_expected(evaluation, hide), *weighted),
    )


def _change_of(evaluation: Evaluation) -> str:
    """What the last column holds: a change by month where the windows are of unlike length."""
    assert evaluation.windowed is not None
    before, after = evaluation.windowed.months
    by = "" if before == after else f" of the number a {evaluation.protocol.period}"
    return f"Change{by}, unadjusted"


def _shares(evaluation: Evaluation) -> Table:
    """Shares before and after by arm, and how far each moved in points, unadjusted."""
    before, after = (f"{name} ({_months(evaluation, at)})" for at, name in enumerate(("Before", "After")))
    return Table(
        caption="Share of respondents by arm, before and after; periods count alike",
        columns=("Arm", "Areas", before, after, "Change, unadjusted"),
        rows=tuple(survey_words.rows_of_arms(evaluation)),
        numeric=(1, 2, 3, 4),
        notes=(survey_words.note_on_arms(evaluation),),
    )


def _months(evaluation: Evaluation, window: int) -> str:
    windowed = evaluation.windowed
    assert windowed is not None
    if windowed.index is None:
        return f"{number(windowed.months[window])} {evaluation.protocol.period}s"
    return f"{len(windowed.periods[window])} {evaluation.protocol.period}s"


def _trend_gone_on(evaluation: Evaluation) -> str:
    if not evaluation.contrast.comparison:
        return " had their own trend before the start gone on, and nothing else changed anywhere."
    return (
        " had the trend of their ratio to the comparison areas gone on: see the chart of recorded against "
        "expected."
    )


def _expected(evaluation: Evaluation, hide: bool) -> str:
    made = evaluation.estimate
    if made.recorded is None or made.expected is None:
        return "A change within one arm is not an effect: it holds whatever else changed."
    if hide and made.recorded < SMALLEST_COUNT:
        return (
            "Fewer than 5 incidents were recorded in the treated areas in the after window; the expected "
            "number is not printed, since the small count could be found from it."
        )
    prevented = made.prevented
    span = "in the after window"
    if evaluation.contrast.starts:
        span = "from each area's own start to the end of the after window (not in the whole of it)"
    words = (
        f"In the treated areas {count(made.recorded)} were recorded {span}, where "
        f"{count(made.expected)} would have been expected"
    )
    if evaluation.protocol.method == "before-after":
        return f"{words} had nothing changed at all: an unadjusted figure."
    if evaluation.curve is not None:
        return words + _trend_gone_on(evaluation)
    like = "the mixture" if evaluation.protocol.method == "synthetic" else "the comparison areas"
    if picked_for_need(evaluation) is not None:
        return (
            f"{words} had they changed as {like} did. The gap is not a count of incidents "
            "prevented: places picked at a peak tend to fall with nothing done."
        )
    words += f" had they changed as {like} did"
    if prevented.value is not None and prevented.low is not None and prevented.high is not None:
        what = "fewer" if prevented.value >= 0 else "more"
        confidence = per_cent_of(made.confidence)
        low, high = sorted((prevented.low, prevented.high))
        words += (
            f": {count(abs(prevented.value))} {what} ({confidence} interval: "
            f"{_fewer(low)} to {_fewer(high)}; design strength level {evaluation.grade.level} of 5)"
        )
        if evaluation.grade.level <= 2:
            words += ", whatever the cause"
    return f"{words}."


def _fewer(value: float) -> str:
    return f"{plain(value, 0)} {'fewer' if value >= 0 else 'more'}"


def _published(evaluation: Evaluation) -> Table | None:
    changes = evaluation.protocol.outcome.changes
    if changes is None:
        return None
    rows = [("Treated", percent(changes.treated, changes.decimals))]
    if changes.comparison is not None:
        rows.append(("Comparison", percent(changes.comparison, changes.decimals)))
    if changes.unit != "percent":
        rows = [(arm, cell.removesuffix(" %")) for arm, cell in rows]
    return Table(
        caption="Changes as published, before to after",
        columns=("Arm", f"Change, unadjusted ({survey_words.changes_unit(changes)})"),
        rows=tuple(rows),
        numeric=(1,),
        notes=("The counts behind the percentages are not published.",)
        if not survey_words.is_share(evaluation.protocol)
        else ("The shares and the numbers of people asked are not published.",),
    )


def months(series: Series, *, hide: bool, index: bool) -> Table:
    """Incidents by period and arm, or the same as an index with the before window at 100."""
    present = [arm for arm in ARMS if arm in series.counts]
    rows = []
    for place, period in enumerate(series.periods):
        window = "before" if series.before[place] else "after" if series.after[place] else "neither"
        cells = []
        for arm in present:
            seen = float(series.counts[arm][place])
            if math.isnan(seen):
                cells.append("missing")
            elif hide and seen < SMALLEST_COUNT:
                cells.append(count(seen, hide=True))
            elif index:
                at = float(series.index[arm][place])
                cells.append("no index" if math.isnan(at) else plain(at, 1))
            else:
                cells.append(count(seen))
        rows.append((period, window, *cells))
    what = "Index of recorded incidents, mean of the before window = 100" if index else "Recorded incidents"
    return Table(
        caption=f"{what}, by period",
        columns=("Period", "Window", *(arm.capitalize() for arm in present)),
        rows=tuple(rows),
        numeric=tuple(range(2, 2 + len(present))),
    )
