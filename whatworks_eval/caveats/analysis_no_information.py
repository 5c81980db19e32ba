"""analysis.no-information: areas in which nothing was recorded carry nothing about a ratio."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ROLLED_OUT, of_a_dose
from whatworks_eval.caveats.references import RATE_RATIOS
from whatworks_eval.caveats.wording import counted
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.methods.did_windows import is_linear


def _judge(case: Case) -> Verdict | None:
    if is_linear(case.protocol):
        return None
    if case.over_time is None:
        return of_a_dose(case, "Whether there are treated areas in which nothing was recorded")
    found = case.over_time.no_information
    evidence = (
        Measure(name="treated areas with nothing recorded", unit="areas", value=float(len(found.treated))),
        Measure(
            name="comparison areas with nothing recorded", unit="areas", value=float(len(found.comparison))
        ),
        Measure(
            name="treated areas with nothing before but something after",
            unit="areas",
            value=float(len(found.treated_before)),
        ),
    )
    said = []
    if found.suppressed:
        said.append(
            "nothing at all was recorded in the treated areas after the start: the effect is bounded on one "
            "side only"
        )
    if found.treated:
        said.append(
            f"{counted(len(found.treated), 'treated area')} recorded nothing at any time, "
            "so the ratio is for the others"
        )
    if found.treated_before:
        said.append(
            f"{counted(len(found.treated_before), 'treated area')} recorded nothing before and something "
            "after: taken together with the rest, since none was expected there"
        )
    if not said:
        silent = len(found.comparison)
        beside = (
            f" {counted(silent, 'comparison area')} recorded nothing and carry no weight." if silent else ""
        )
        return Verdict(
            kind="clear",
            message=f"Every treated area recorded something before the start.{beside}",
            evidence=evidence,
        )
    text = "; ".join(said)
    return Verdict(kind="caveat", message=f"{text[0].upper()}{text[1:]}.", evidence=evidence)


RULE = EvidenceRule(
    id="analysis.no-information",
    threat="analysis",
    asks="Are there treated areas in which nothing was recorded?",
    why="A ratio says nothing of an area with no incident, and a Poisson fit drops such areas without a "
    "word: the estimate is then for the busier places only. Where everything stopped after the start, "
    "software that iterates prints a huge effect with a tiny error; here there is an end on one side and no "
    "number. It does not set the level.",
    remedy="Use a longer before window or a broader offence, or say which places the answer is for.",
    applies_to=ROLLED_OUT,
    source=RATE_RATIOS,
    judge=_judge,
)
