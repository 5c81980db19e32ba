"""Tables of an effect followed through time: stretches, cohorts, calendar time, comparisons, bounds."""

from __future__ import annotations

from whatworks_eval.judgement import Evaluation
from whatworks_eval.over_time import EventStudy, EventTime, OverTime, Sensitivity
from whatworks_eval.report.numerals import (
    SMALLEST_COUNT,
    clean,
    count,
    listed,
    number,
    p_value,
    per_cent_of,
    percent,
)
from whatworks_eval.report.over_time_words import (
    ABSENT,
    FEWEST_UNITS,
    Scale,
    cohort_name,
    in_unit,
    is_thin,
    scale_of,
    shift_name,
    stretch_name,
)
from whatworks_eval.report.tables import Table, hides_small_counts

COUNTS_LEFT_OUT = (
    f"Counts by cohort are not printed: one of them is below {SMALLEST_COUNT}, or is of a single area, and "
    "could be found from the others."
)


def counts_shown(evaluation: Evaluation) -> bool:
    """True where what each cohort recorded may be printed: no count is small or of a single area.

    One that is left out could be worked out from the rest and their total, so it is all or none.
    """
    over_time = evaluation.over_time
    if over_time is None or not hides_small_counts(evaluation):
        return over_time is not None
    return not any(
        cohort.areas == 1 or (cohort.recorded is not None and cohort.recorded < SMALLEST_COUNT)
        for cohort in over_time.cohorts
    )


def _why(reasons: dict[str, list[str]], rows: int) -> tuple[str, ...]:
    """A sentence for each reason, with the rows it holds for."""
    return tuple(
        f"{'Every row' if len(names) == rows > 1 else listed(names)}: {why}."
        for why, names in reasons.items()
    )


def study_table(evaluation: Evaluation, study: EventStudy) -> Table:
    """The effect in every stretch before and after the start."""
    scale, protocol = scale_of(evaluation), evaluation.protocol
    rows, reasons = [], dict[str, list[str]]()
    for time in study.times:
        name = stretch_name(time, study, protocol)
        places = scale.places(time.low, time.high)
        rows.append(
            (
                name,
                "reference" if time.reference else "before" if time.offset < 0 else "after",
                "0 (reference)" if time.reference else scale.cell(time.value, places),
                ABSENT if time.reference else scale.span(time.low, time.high, places),
                f"{time.areas:,}{' (thin)' if time.thin else ''}",
            )
        )
        if time.why_missing:
            reasons.setdefault(clean(time.why_missing).rstrip("."), []).append(name)
    notes = _why(reasons, len(rows))
    if any(time.thin for time in study.times):
        notes += (
            f"Thin: fewer than {FEWEST_UNITS} treated areas stand behind the stretch; it is left out of the "
            "tests.",
        )
    return Table(
        caption=f"Effect by stretch, against {clean(study.reference)}{in_unit(scale)}",
        columns=(
            "Stretch",
            "Side of the start",
            "Effect",
            f"{per_cent_of(study.confidence)} interval",
            "Treated areas",
        ),
        rows=tuple(rows),
        numeric=(2, 3, 4),
        notes=notes,
    )


def pretrend_table(evaluation: Evaluation, study: EventStudy) -> Table:
    """Departures before the start, the line through them, what the check would find, pretended starts."""
    scale, protocol, found = scale_of(evaluation), evaluation.protocol, study.pretrend
    rows = []
    for time in study.leads:
        places = scale.places(time.low, time.high)
        name = stretch_name(time, study, protocol)
        rows.append(
            (
                f"Departure in {name}" if time.first else f"Departure {name}",
                scale.cell(time.value, places),
                scale.span(time.low, time.high, places),
                ABSENT,
            )
        )
    each = f"a {protocol.period}"
    joint = ABSENT if found.p_value is None else p_value(found.p_value)
    if found.p_value is not None:
        rows.append(("All of these together", ABSENT, ABSENT, joint))
    if found.slope is not None:
        low, high = found.slope_low, found.slope_high
        rows.append(
            (
                f"Straight line through them, {each}",
                scale.cell(found.slope, 2),
                scale.span(low, high, 2),
                ABSENT,
            )
        )
    for often, slope, adds in (
        ("half the time", found.detectable_half, found.bias_half),
        ("four times in five", found.detectable_most, found.bias_most),
    ):
        if slope is not None:
            rows.append((f"Trend the check would find {often}, {each}", scale.cell(slope, 2), ABSENT, ABSENT))
        if adds is not None:
            rows.append(
                (f"What that trend would add to the effect ({often})", scale.cell(adds), ABSENT, ABSENT)
            )
    over_time = evaluation.over_time
    for shift in () if over_time is None else sorted(over_time.shifts, key=lambda one: one.start):
        places = scale.places(shift.low, shift.high)
        name = shift_name(shift)
        rows.append(
            (
                f"'Found' with the {name}",
                scale.cell(shift.value, places),
                scale.span(shift.low, shift.high, places),
                ABSENT if shift.p_value is None else p_value(shift.p_value),
            )
        )
    return Table(
        caption=f"Before the start: departures, trend and pretended starts{in_unit(scale)}",
        columns=("What", "Value", f"{per_cent_of(study.confidence)} interval", "p-value"),
        rows=tuple(rows),
        numeric=(1, 2, 3),
        notes=(f"The p-value of all together: {clean(found.how)}.",) if found.how else (),
    )


def cohort_table(evaluation: Evaluation, over_time: OverTime) -> Table:
    """The effect in the areas of each start, with what was recorded and expected where it may be printed."""
    scale, estimate = scale_of(evaluation), evaluation.estimate
    shown = counts_shown(evaluation)
    with_counts = shown and any(cohort.recorded is not None for cohort in over_time.cohorts)
    rows, reasons = [], dict[str, list[str]]()
    places = scale.places(estimate.low, estimate.high)
    whole = (
        "All cohorts, as registered",
        f"{sum(cohort.areas for cohort in over_time.cohorts):,}",
        f"{sum(cohort.units for cohort in over_time.cohorts):,}",
        scale.cell(estimate.value, places),
        scale.span(estimate.low, estimate.high, places),
    )
    held = tuple(ABSENT if n is None else count(n) for n in (estimate.recorded, estimate.expected))
    rows.append(whole + held if with_counts else whole)
    for cohort in over_time.cohorts:
        places = scale.places(cohort.low, cohort.high)
        row = (
            f"{clean(cohort.start)}{' (too few to read alone)' if is_thin(cohort) else ''}",
            f"{cohort.areas:,}",
            f"{cohort.units:,}",
            scale.cell(cohort.value, places),
            scale.span(cohort.low, cohort.high, places),
        )
        counts = tuple(ABSENT if n is None else count(n) for n in (cohort.recorded, cohort.expected))
        rows.append(row + counts if with_counts else row)
        if cohort.why_missing:
            reasons.setdefault(clean(cohort.why_missing).rstrip("."), []).append(cohort_name(cohort))
    notes = _why(reasons, len(over_time.cohorts))
    if with_counts:
        notes += (
            "Recorded and expected run from each cohort's start to the end of the after window; expected = "
            "had they changed as the comparison areas did.",
        )
    elif not shown:
        notes += (COUNTS_LEFT_OUT,)
    columns = ("Start", "Areas", "Units", "Effect", f"{per_cent_of(estimate.confidence)} interval")
    return Table(
        caption=f"Effect by start{in_unit(scale)} (design strength level {evaluation.grade.level} of 5)",
        columns=(*columns, "Recorded", "Expected") if with_counts else columns,
        rows=tuple(rows),
        numeric=tuple(range(1, 7 if with_counts else 5)),
        notes=notes,
    )


def calendar_table(evaluation: Evaluation, times: tuple[EventTime, ...]) -> Table:
    """The effect by stretch of calendar time, over the areas that had started by then."""
    scale = scale_of(evaluation)
    rows, reasons = [], dict[str, list[str]]()
    for time in times:
        name = clean(time.first or "")
        if time.last is not None and time.last != time.first:
            name = f"{name} to {clean(time.last)}"
        places = scale.places(time.low, time.high)
        rows.append(
            (name, scale.cell(time.value, places), scale.span(time.low, time.high, places), f"{time.areas:,}")
        )
        if time.why_missing:
            reasons.setdefault(clean(time.why_missing).rstrip("."), []).append(name)
    return Table(
        caption=f"Effect by calendar time, over the areas that had started by then{in_unit(scale)}",
        columns=(
            "Periods",
            "Effect",
            f"{per_cent_of(evaluation.estimate.confidence)} interval",
            "Treated areas",
        ),
        rows=tuple(rows),
        numeric=(1, 2, 3),
        notes=_why(reasons, len(rows)),
    )


def comparisons_table(over_time: OverTime) -> Table | None:
    """What a two-way fixed-effects estimate is made of; None where all areas start together."""
    if not over_time.comparisons:
        return None
    return Table(
        caption="What a two-way fixed-effects regression compares, and how much each counts",
        columns=("Comparison", "Share of that estimate", "Compares with areas already treated"),
        rows=tuple(
            (
                f"{clean(one.kind)[:1].upper()}{clean(one.kind)[1:]}",
                percent(100 * one.weight, 1, sign=False),
                "yes" if one.forbidden else "no",
            )
            for one in over_time.comparisons
        ),
        numeric=(1,),
        notes=("The registered estimate compares every start with untreated areas alone.",),
    )


def sensitivity_table(evaluation: Evaluation, every: tuple[Sensitivity, ...]) -> Table:
    """The interval as the trends are allowed to differ, for each way of differing."""
    scale = scale_of(evaluation)
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    for found in every:
        if found.original is not None and not rows:
            rows.append(("Exactly parallel", ABSENT, scale.span(found.original.low, found.original.high)))
        for bound in found.bounds:
            rows.append(
                (way_of(found), bound_name(found, bound.bound, scale), scale.span(bound.low, bound.high))
            )
        if found.why_missing:
            notes.append(f"{way_of(found)}: {clean(found.why_missing).rstrip('.')}.")
        elif found.largest_step is not None and found.kind == "relative magnitudes":
            notes.append(f"The largest step seen before the start was {scale.size(found.largest_step)}.")
    return Table(
        caption=f"Interval of {clean(every[0].target)}, as trends are allowed to differ{in_unit(scale)}",
        columns=(
            "How trends may differ",
            "By up to",
            f"{per_cent_of(evaluation.estimate.confidence)} interval",
        ),
        rows=tuple(rows),
        numeric=(2,),
        notes=tuple(notes),
    )


def way_of(found: Sensitivity) -> str:
    """A way of differing, for a row or an axis."""
    return (
        "As large as steps before the start" if found.kind == "relative magnitudes" else "A slope that bends"
    )


def bound_name(found: Sensitivity, bound: float, scale: Scale) -> str:
    """How far trends may differ, with its unit."""
    if found.kind == "relative magnitudes":
        return f"{number(round(bound, 2))} times the largest"
    if bound == 0:
        return "a straight line, no bend"
    return f"{scale.size(bound)} a stretch"
