"""recording.missing-periods: what was never counted cannot have fallen."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.references import STREET_AUDIT
from whatworks_eval.caveats.wording import listed, percent
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.recording import areas_missing, periods_missing, unlocated

MOST_PERCENT = 10.0


def _judge(case: Case) -> Verdict:
    windows = periods_missing(case)
    if any(measure.value is None for measure in windows):
        return Verdict(
            kind="not assessed",
            message="Whether any period is missing cannot be seen without counts by period.",
            evidence=windows,
        )
    rows = unlocated(case)
    measures = [replace(measure, threshold=MOST_PERCENT) for measure in windows]
    if rows is not None:
        measures.append(replace(rows.overall, threshold=MOST_PERCENT))
    over = [measure for measure in measures if measure.value is not None and measure.value > MOST_PERCENT]
    gone = areas_missing(case)
    evidence = (*measures, gone)
    if over:
        return Verdict(
            kind="caveat",
            message="More than a tenth is missing: "
            + listed([f"{percent(measure.value or 0.0)} ({measure.name})" for measure in over])
            + ". What is left may not speak for the rest.",
            cap=2,
            evidence=evidence,
        )
    lost = [f"{percent(measure.value or 0.0)} ({measure.name})" for measure in measures if measure.value]
    return Verdict(
        kind="clear",
        message=(f"Little is missing: {listed(lost)}" if lost else "No period and no row is missing")
        + (
            f", in the areas used; {percent(gone.value)} of areas are left out since counts are missing."
            if gone.value
            else "."
        ),
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="recording.missing-periods",
    threat="recording",
    asks="Is more than a tenth of either window, or of the rows, missing?",
    why="Files are missing for months at a time (106 of 6,480 force-months from 2014 to 2025) and rows "
    "without a location cannot be put in an area. One month in twelve is under a tenth and passes, with "
    "its counterpart dropped; two are not, nor is a force that cannot place one row in nine. The line at a "
    "tenth is this package's own.",
    remedy="Choose windows with complete data, or offences and areas whose rows are located; ask the force "
    "for the missing months.",
    applies_to=BEFORE_AND_AFTER,
    source=STREET_AUDIT,
    judge=_judge,
)
