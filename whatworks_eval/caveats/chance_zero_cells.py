"""chance.zero-cells: nothing recorded in one cell of the table leaves a ratio undefined."""

from __future__ import annotations

from whatworks_eval.caveats.applies import TWO_BY_TWO
from whatworks_eval.caveats.references import RATE_RATIOS
from whatworks_eval.caveats.wording import listed
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.panel import Panel


def _judge(case: Case) -> Verdict | None:
    windowed = case.windowed
    if windowed is None:
        return Verdict(
            kind="not assessed",
            message="Whether one of the counts is zero is not known: only percentages are published.",
        )
    cells = {
        f"{arm} areas, {window}": count
        for arm in ("treated", "comparison")
        if windowed.has(arm)
        for window, count in zip(("before", "after"), windowed.total(arm), strict=True)
    }
    evidence = (Measure(name="smallest of the counts", unit="incidents", value=min(cells.values())),)
    empty = [name for name, count in cells.items() if count == 0]
    if not empty:
        many = "four" if len(cells) == 4 else "two"
        return Verdict(
            kind="clear", message=f"Each of the {many} totals of the table is above zero.", evidence=evidence
        )
    nothing = f"Nothing was recorded in the {listed(empty)}"
    table = case.protocol.outcome.totals
    if table is not None and table.add_half:
        return Verdict(
            kind="caveat",
            message=f"{nothing}. As the protocol asks, 0.5 was added to each of the four counts; with counts "
            "this small, that choice makes much of the answer.",
            evidence=evidence,
        )
    instead = (
        "relabelling bounds what it can"
        if isinstance(case.data, Panel)
        else "no half is added unless the protocol asks for it"
    )
    return Verdict(
        kind="caveat",
        message=f"{nothing}, so no ratio is defined; {instead}.",
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="chance.zero-cells",
    threat="chance",
    asks="Is any of the counts zero?",
    why="A ratio with a zero in it is nought or infinite, and its textbook error infinite. Adding a half to "
    "every count makes a number of it, but one that the half decides: with nothing before and three after "
    "against ten and twelve, it reads as a rise of almost five times. So it is done only where the protocol "
    "asks for it, and named. It does not set the level: few incidents do their own harm.",
    remedy="Use longer windows or more areas; or, knowing what it does, outcome.totals.add_half = true.",
    applies_to=TWO_BY_TWO,
    source=RATE_RATIOS,
    judge=_judge,
)
