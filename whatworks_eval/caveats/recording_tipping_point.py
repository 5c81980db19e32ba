"""recording.tipping-point: how far recording alone would have had to move to give the answer."""

from __future__ import annotations

import math

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.wording import as_percent, number, percent
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Source, Verdict
from whatworks_eval.protocol import Protocol

RATES = Source(
    key="HMIC 2014; HMICFRS 2025",
    text="Her Majesty's Inspectorate of Constabulary (2014). Crime-recording: making the victim count: an "
    "estimated 80.5 % of reported crime recorded, audit November 2012 to October 2013. HMICFRS (2025), PEEL "
    "spotlight on crime recording, as reported in its press notice: 94.8 % in the year to 31 March 2025.",
)
LOWEST, HIGHEST = 80.5, 94.8  # percent of reported crime recorded, England and Wales, all crime
LOWEST_OF = "HMIC 2014, seen in the report"
HIGHEST_OF = "HMICFRS 2025, from a press notice"
PLAUSIBLE = 100 * (1 - LOWEST / HIGHEST)  # 15.1 %: from the highest to the lowest national rate


def _judge(case: Case) -> Verdict | tuple[Verdict, ...] | None:
    if case.protocol.did.dose is not None:
        return None  # by unit of dose, not over a window
    estimate = case.estimate
    if case.protocol.outcome.kind == "proportion" or estimate.scale != "log-ratio" or estimate.value is None:
        return None
    value = estimate.value
    if value == 0:
        return None
    near = estimate.low if value > 0 else estimate.high
    tip = as_percent(value)
    beside = "" if case.protocol.method == "before-after" else " relative to comparison"
    way = "fallen" if value < 0 else "risen"
    said = (
        f"Recording in the treated areas would have had to have {way} by {percent(abs(tip))}{beside} for "
        "there to be "
        "no change at all"
    )
    ends = near is not None and near * value > 0
    if ends:
        assert near is not None
        said += f", and by {percent(abs(as_percent(near)))} for the interval to reach zero"
    evidence = _evidence(case, tip, as_percent(near) if ends and near is not None else None)
    if not _is_crime(case.protocol):
        return Verdict(
            kind="not assessed",
            message=f"{said}. {_why_not(case.protocol)}, so how likely that is cannot be said.",
            evidence=evidence,
        )
    relative = abs(tip) if value < 0 else 100 * (1 - math.exp(-value))
    if relative <= PLAUSIBLE:
        return Verdict(
            kind="caveat",
            message=f"{said}. National rates of recording have lain between {number(LOWEST)} and "
            f"{number(HIGHEST)} % of reported crime. From the higher to the lower is a fall of "
            f"{percent(PLAUSIBLE)}, so a shift that large in one place is possible; nothing here says that "
            "it happened.",
            evidence=evidence,
        )
    return Verdict(
        kind="clear",
        message=f"{said}: more than the {percent(PLAUSIBLE)} between the highest and the lowest known "
        "national rate.",
        evidence=evidence,
    )


def _is_crime(protocol: Protocol) -> bool:
    """True where what is counted is crime and not, in whole or part, anti-social behaviour incidents."""
    offences = protocol.outcome.offences
    return offences is not None and not any("anti-social" in offence.casefold() for offence in offences)


def _why_not(protocol: Protocol) -> str:
    """Why the published rates of recording say nothing of this outcome."""
    if protocol.outcome.offences is None and protocol.outcome.source != "police-uk":
        return "Published recording rates are of crimes, and which offences are counted is not stated"
    return (
        "Published recording rates are of crimes; anti-social behaviour is recorded as incidents, for which "
        "no such rate is known"
    )


def _evidence(case: Case, tip: float, near: float | None) -> tuple[Measure, ...]:
    """The tipping point, and the answer under stated rates of recording."""
    value = case.estimate.value
    assert value is not None

    def corrected(treated: tuple[float, float], comparison: tuple[float, float]) -> float:
        """The answer, in percent, had everything reported been recorded."""
        shift = math.log(treated[1] / treated[0]) - math.log(comparison[1] / comparison[0])
        return as_percent(value - shift)

    same = (LOWEST, LOWEST)
    tried = [
        (
            f"answer, had treated recording gone from {number(HIGHEST)} to {number(LOWEST)} % ({HIGHEST_OF}; "
            f"{LOWEST_OF}) and comparison recording stayed",
            corrected((HIGHEST, LOWEST), same),
        ),
        (
            f"answer, had treated recording gone from {number(LOWEST)} to {number(HIGHEST)} % and comparison "
            "recording stayed",
            corrected((LOWEST, HIGHEST), same),
        ),
    ]
    if not _is_crime(case.protocol):
        tried = []
    for rates in case.protocol.context.recording_rates:
        said = " and ".join(
            f"{arm} recording gone from {number(ends[0])} to {number(ends[1])} %"
            for arm, ends in (("treated", rates.treated), ("comparison", rates.comparison))
        )
        tried.append((f"answer, had {said} ({rates.source})", corrected(rates.treated, rates.comparison)))
    return (
        Measure(
            name="relative change of recording that would account for the whole answer",
            unit="%",
            value=tip,
            threshold=-PLAUSIBLE if tip < 0 else 100 * (HIGHEST / LOWEST - 1),
        ),
        *(
            ()
            if near is None
            else (
                Measure(
                    name="relative change of recording that would bring the interval to zero",
                    unit="%",
                    value=near,
                ),
            )
        ),
        *(Measure(name=name, unit="%", value=answer) for name, answer in tried),
    )


RULE = EvidenceRule(
    id="recording.tipping-point",
    threat="recording",
    asks="How far would recording have had to change to leave nothing of the answer, and is that far?",
    why="A recorded count is what happened times what is reported times what is recorded. The estimate "
    "is the "
    "change of that product, so a fall of 10 % is also what a fall of recording by 10 % against comparison "
    "would give. The plausible range is the step between the highest and the lowest published national rates "
    "(94.8 and 80.5 %: 15.1 %). It is said and does not set the level: a known change in one arm does, under "
    "recording.declared-change.",
    remedy="Ask the force for its recording audits in both windows and give the rates under [context] "
    "recording_rates; look at calls for service or a survey beside recorded crime.",
    applies_to=BEFORE_AND_AFTER,
    source=RATES,
    judge=_judge,
)
