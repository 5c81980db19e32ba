"""recording.unlocated: better geocoding looks like more crime, worse geocoding like less."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.references import STREET_AUDIT
from whatworks_eval.caveats.wording import number, percent
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.declared import has_areas
from whatworks_eval.measures.recording import unlocated

UNEVEN = 10.0  # percentage points from before to after, or percent between the arms
NOTICEABLE = 2.0


def _judge(case: Case) -> Verdict | None:
    if not has_areas(case.protocol):
        return None
    found = unlocated(case)
    if found is None or found.moved.value is None:
        return Verdict(
            kind="not assessed",
            message="The data do not say how many incidents could not be placed in an area.",
        )
    apart = found.apart.value
    moved = found.moved.value
    evidence = (
        replace(found.moved, threshold=UNEVEN),
        replace(found.apart, threshold=UNEVEN),
        *found.shares.values(),
    )
    before, after = (found.shares["treated", window].value or 0.0 for window in ("before", "after"))
    said = (
        f"Rows without a location went from {percent(before)} to {percent(after)} in the treated areas' force"
    )
    between = (
        "" if apart is None else f"; by itself that moves the comparison of the arms by {percent(apart)}"
    )
    worst = max(abs(moved), abs(apart or 0.0))
    if worst > UNEVEN:
        return Verdict(
            kind="caveat",
            message=f"{said} (largest change in either arm {number(moved)} points){between}.",
            cap=2,
            evidence=evidence,
        )
    if worst > NOTICEABLE:
        return Verdict(kind="caveat", message=f"{said}{between}.", evidence=evidence)
    return Verdict(kind="clear", message=f"{said}, too little to matter.", evidence=evidence)


RULE = EvidenceRule(
    id="recording.unlocated",
    threat="recording",
    asks="Did the share of rows without a location change between the windows, or differ between the arms?",
    why="Rows without a location fall out of every area's count. One force went from 14 % to 0.3 % in "
    "three months, which alone raises its areas' counts by a sixth. In the same force both arms share it "
    "and it cancels if it is even; it need not be. A change of over ten percentage points, or one that "
    "alone moves the arms apart by over 10 %, is as large as most effects (level 2); over two, the usual "
    "share of a whole year (1.4 to 2.6 %), is said.",
    remedy="Choose windows with like shares, comparison areas in the same force, or an outcome whose rows "
    "are located.",
    applies_to=BEFORE_AND_AFTER,
    source=STREET_AUDIT,
    judge=_judge,
)
