"""displacement.buffer-touches-comparison: what leaks past the ring lands in the comparison."""

from __future__ import annotations

import numpy as np

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.caveats.references import RINGS
from whatworks_eval.caveats.wording import percent
from whatworks_eval.inference.neighbours import adjoining_pairs
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.panel import Panel

MOST = 10.0  # percent of the comparison's incidents before the start


def _judge(case: Case) -> Verdict | None:
    windowed, panel = case.windowed, case.data
    if windowed is None or not windowed.has("buffer") or not windowed.has("comparison"):
        return None
    if not isinstance(panel, Panel) or windowed.index is None or panel.centroids is None:
        return Verdict(
            kind="not assessed",
            message="Whether the comparison areas lie beside the treated areas or the buffer is not known: "
            "the data do not say where areas are.",
        )
    pairs = adjoining_pairs(panel.centroids[windowed.index])
    treated, ring = (_share_beside(case, pairs, arm) for arm in ("treated", "buffer"))
    evidence = (
        Measure(
            name="share of the comparison beside the treated areas", unit="%", value=treated, threshold=MOST
        ),
        Measure(name="share of the comparison beside the buffer", unit="%", value=ring, threshold=MOST),
    )
    if treated > MOST:
        return Verdict(
            kind="caveat",
            message=f"{percent(treated)} of the comparison, by incidents, lies beside the treated areas with "
            "no buffer between: what moves out of them lands in the comparison.",
            cap=3,
            evidence=evidence,
        )
    if ring > MOST:
        return Verdict(
            kind="caveat",
            message=f"{percent(ring)} of the comparison, by incidents, lies beside the buffer: what reaches "
            "past the buffer is counted as comparison, and makes an effect look larger or smaller.",
            evidence=evidence,
        )
    return Verdict(
        kind="clear",
        message=f"{percent(max(treated, ring))} of the comparison, by incidents, lies beside the treated "
        "areas or the buffer.",
        evidence=evidence,
    )


def _share_beside(case: Case, pairs: np.ndarray, arm: str) -> float:
    """Percent of the comparison's incidents before the start in areas that adjoin this arm."""
    windowed = case.windowed
    assert windowed is not None
    inside = windowed.arm == arm
    beside = np.zeros(len(inside), dtype=bool)
    for one, other in ((0, 1), (1, 0)):
        beside[pairs[inside[pairs[:, one]], other]] = True
    share = np.where(windowed.arm == "comparison", windowed.weight * windowed.before, 0.0)
    return 100.0 * float(share[beside].sum() / share.sum()) if share.sum() > 0 else 0.0


RULE = EvidenceRule(
    id="displacement.buffer-touches-comparison",
    threat="displacement",
    asks="Does the buffer keep the comparison areas apart from the treated ones?",
    why="Measuring displacement needs three rings: the treated areas, a buffer that what moves would reach, "
    "and a comparison that it would not. Where the comparison is the rest of a force a few of its areas "
    "touch the buffer and dilute nothing; up to a tenth of its incidents is let pass, which moves an effect "
    "by a tenth of what leaks at most. Comparison areas beside the treated ones with no buffer between hold "
    "the level at 3, as any comparison the project touched; beside the buffer, it is only said.",
    remedy="Widen the buffer, or take comparison areas further away.",
    applies_to=WITH_COMPARISON,
    source=RINGS,
    judge=_judge,
)
