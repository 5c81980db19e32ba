"""displacement.too-noisy: a buffer that could hide everything says nothing."""

from __future__ import annotations

from whatworks_eval.caveats.applies import TWO_BY_TWO
from whatworks_eval.caveats.references import DISPLACEMENT
from whatworks_eval.caveats.wording import number
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.scales import displaced, named
from whatworks_eval.methods.effect_measures import BUFFER

SHARE = 0.5  # of the incidents prevented


def _judge(case: Case) -> Verdict | None:
    buffer = named(case, BUFFER)
    if buffer is None:
        return None
    prevented = case.estimate.prevented.value
    if case.estimate.value is None or prevented is None:
        return Verdict(
            kind="not assessed",
            message="Whether the buffer could hide displacement is not known: there is no effect to set it "
            "against.",
        )
    if prevented <= 0:
        return None  # nothing was gained, so nothing could have moved
    value, low, high = displaced(buffer)
    measure = Measure(
        name="incidents more in the buffer than expected",
        unit="incidents",
        value=value,
        low=low,
        high=high,
        threshold=SHARE * prevented,
        why_missing=None if value is not None else buffer.why_missing or "nothing was recorded there",
    )
    if low is None or high is None:
        return Verdict(
            kind="not assessed",
            message="Whether the buffer could hide displacement is not known: it has no interval.",
            evidence=(measure,),
        )
    if low <= 0 and high > SHARE * prevented:
        return Verdict(
            kind="caveat",
            message=f"The buffer is too noisy to say: {number(high, 0)} incidents could have moved there, "
            f"against {number(prevented, 0)} fewer in the treated areas, and none could have.",
            evidence=(measure,),
        )
    said = (
        "The buffer's rise stands out from chance"
        if low > 0
        else f"At most {number(max(high, 0), 0)} incidents could have moved to the buffer, against "
        f"{number(prevented, 0)} fewer in the treated areas"
    )
    return Verdict(kind="clear", message=f"{said}.", evidence=(measure,))


RULE = EvidenceRule(
    id="displacement.too-noisy",
    threat="displacement",
    asks="Could the buffer show displacement if there were any?",
    why="'No displacement was found' is often said of a buffer so small or so noisy that the whole effect "
    "could have moved into it unseen. The line is half the incidents prevented: a buffer whose interval "
    "holds both zero and more than that cannot tell a real gain from a move next door. It does not set "
    "the level.",
    remedy="Say that displacement cannot be judged; a wider buffer, a longer after window or several sites "
    "narrow it.",
    applies_to=TWO_BY_TWO,
    source=DISPLACEMENT,
    judge=_judge,
)
