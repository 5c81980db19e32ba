"""displacement.found: what went down in the treated areas went up next door."""

from __future__ import annotations

from whatworks_eval.caveats.applies import TWO_BY_TWO
from whatworks_eval.caveats.references import DISPLACEMENT
from whatworks_eval.caveats.wording import percent, span
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.scales import in_percent, named
from whatworks_eval.methods.effect_measures import BUFFER


def _judge(case: Case) -> Verdict | None:
    buffer = named(case, BUFFER)
    if buffer is None:
        return None
    measure = in_percent("buffer against the comparison", buffer)
    if buffer.low is None or buffer.high is None:
        return Verdict(
            kind="not assessed",
            message="Whether incidents moved to the buffer is not known: "
            f"{buffer.why_missing or 'there is no interval'}.",
            evidence=(measure,),
        )
    if case.estimate.value is None or case.estimate.value >= 0:
        return Verdict(
            kind="clear",
            message="The treated areas did not do better than the comparison, so nothing that happened in "
            "the buffer is called displacement or spread of benefit.",
            evidence=(measure,),
        )
    value = buffer.percent_change.value
    assert value is not None
    ends = span(buffer.percent_change)
    if buffer.low > 0:
        return Verdict(
            kind="caveat",
            message=f"The buffer went up by {percent(value)} against the comparison ({ends}) where the "
            "treated areas went down: displacement, unless something else raised it there.",
            evidence=(measure,),
        )
    if buffer.high < 0:
        return Verdict(
            kind="clear",
            message=f"The buffer went down too, by {percent(-value)} against the comparison ({ends}): what "
            "one would see if the benefit spread, or if the whole neighbourhood was getting better.",
            evidence=(measure,),
        )
    return Verdict(
        kind="clear",
        message=f"No displacement is seen: the buffer changed by {percent(value, plus=True)} against the "
        f"comparison ({ends}).",
        evidence=(measure,),
    )


RULE = EvidenceRule(
    id="displacement.found",
    threat="displacement",
    asks="Did incidents rise in the buffer where they fell in the treated areas?",
    why="Incidents that move next door are not prevented. The buffer is put in the place of the treated "
    "areas and compared with the areas in neither; it is called displacement where the whole interval lies "
    "above zero and the treated areas did better than the comparison, never otherwise: a rise on both sides "
    "is not displacement. The interval's own confidence is the only threshold. It does not set the level; "
    "the effect must be read together with the buffer's. Simulated with four sites of nine small areas, 20 "
    "incidents an area and month, a quarter fewer in the sites and a quarter more in the ring, it fires in "
    "at least 90 % of draws; with nothing done, in at most 5 %.",
    remedy="Report the total with the buffer (total net effect), look at which offences moved, and say so "
    "beside the effect.",
    applies_to=TWO_BY_TWO,
    source=DISPLACEMENT,
    judge=_judge,
)
