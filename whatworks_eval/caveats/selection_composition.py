"""selection.composition: areas that enter or leave the data while the project runs."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ROLLED_OUT, of_a_dose
from whatworks_eval.caveats.references import ROBINS
from whatworks_eval.caveats.wording import counted, listed, percent
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict

MOST = 10.0  # % of either arm


def _judge(case: Case) -> Verdict | None:
    if case.windowed is None:
        return None
    over, lost = case.over_time, set(case.windowed.areas_dropped)
    if over is None and not lost:
        return of_a_dose(case, "Whether areas enter or leave the data while the project runs")
    moved: set[str] = set() if over is None else {area for area, _ in (*over.entering, *over.leaving)}
    treated = {*case.contrast.treated}
    both = {*treated, *case.contrast.comparison, *lost}
    share = 100.0 * len(moved | lost) / max(len(both), 1)
    evidence = (
        Measure(name="areas entering or leaving", unit="% of areas", value=share, threshold=MOST),
        Measure(name="areas left out for it", unit="areas", value=float(len(lost))),
    )
    if not moved and not lost:
        return Verdict(
            kind="clear", message="The same areas are observed from beginning to end.", evidence=evidence
        )
    named = listed(sorted(moved | lost), 3)
    left = f"; {counted(len(lost), 'area is', 'areas are')} left out" if lost else ""
    return Verdict(
        kind="caveat",
        message=f"{counted(len(moved | lost), 'area enters or leaves', 'areas enter or leave')} the data "
        f"during the windows ({named}), {percent(share)} of those used{left}. The effect is for the areas "
        "that stay.",
        cap=4 if share > MOST else 5,
        evidence=evidence,
    )


RULE = EvidenceRule(
    id="selection.composition",
    threat="selection",
    asks="Do areas enter or leave the data while the project runs?",
    why="If areas come in or drop out between the windows, part of the change is a change of areas. Areas "
    "missing more than a tenth of a window leave altogether, with a line in the ledger, so no area is "
    "counted on one side alone; what remains is that the answer is for those that stayed. Above a tenth of "
    "areas the level is 4 at most, as for attrition in a trial.",
    remedy="Find the missing periods, or say why these areas came and went.",
    applies_to=ROLLED_OUT,
    source=ROBINS,
    judge=_judge,
)
