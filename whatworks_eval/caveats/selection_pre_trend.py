"""selection.pre-trend: the arms already moving apart before the start, and what a check could have seen."""

from __future__ import annotations

import math

from whatworks_eval.caveats.applies import ROLLED_OUT, of_a_dose
from whatworks_eval.caveats.references import PRETRENDS
from whatworks_eval.caveats.wording import number, percent, probability
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.measures.relative import FALSE_ALARM


def _judge(case: Case) -> Verdict | None:
    if case.over_time is None:
        return of_a_dose(case, "Whether the arms were already moving apart before the start")
    study = case.over_time.event_study
    if study is None or study.pretrend.p_value is None:
        why = case.over_time.why_no_event_study if study is None else study.pretrend.why_missing
        return Verdict(
            kind="not assessed",
            message=f"Whether the arms were already moving apart before the start was not tested: {why}.",
        )
    found, ratio = study.pretrend, study.scale == "log-ratio"

    def said(value: float | None) -> float | None:
        if value is None:
            return None
        return 100.0 * math.expm1(value) if ratio else value

    unit = "%" if ratio else study.unit
    period = case.protocol.period
    assert found.p_value is not None
    p_value = found.p_value
    evidence = (
        Measure(
            name="p-value of all leads together", unit="probability", value=p_value, threshold=FALSE_ALARM
        ),
        Measure(
            name="slope before the start",
            unit=f"{unit} a {period}",
            value=said(found.slope),
            low=said(found.slope_low),
            high=said(found.slope_high),
        ),
        _or_why(f"slope found half the time, {unit} a {period}", said(found.detectable_half)),
        _or_why(f"slope found four times in five, {unit} a {period}", said(found.detectable_most)),
        _or_why(f"what that slope would add to the effect, {unit}", said(found.bias_most)),
    )
    if p_value <= FALSE_ALARM:
        return Verdict(
            kind="caveat",
            message=f"The arms were already moving apart before the start (all {found.stretches} earlier "
            f"stretches together: p {probability(p_value)}), so what followed cannot be laid to the project.",
            cap=2,
            evidence=evidence,
        )
    value, bias = case.estimate.value, found.bias_most
    none = "No difference in trend was detected before the start"
    if (found.slope_low or 0.0) > 0 or (found.slope_high or 0.0) < 0:
        none = (
            "Taken together, the stretches before the start cannot be told apart from no difference, though "
            "a straight line through them can"
        )
    if value is None:
        return Verdict(
            kind="clear",
            message=f"{none} (p {probability(p_value)}); there is no effect to set the power "
            "of that check against.",
            evidence=evidence,
        )
    if bias is None or abs(bias) >= abs(value):

        def words(amount: float) -> str:
            shown = float(said(amount) or 0.0)
            if not ratio:
                return f"{number(amount, 2, plus=True)} {study.unit}"
            return percent(shown, 0 if abs(shown) >= 10 else 1, plus=True)

        adds = (
            "how large a trend it would find cannot be said"
            if bias is None
            else "a trend it would find four times in five would by itself come to a change of "
            f"{words(-abs(bias))} or {words(abs(bias))}, and the effect estimated is "
            f"{words(value)}"
        )
        return Verdict(
            kind="caveat",
            message=f"{none}, but the check is weak: {adds}.",
            evidence=evidence,
        )
    return Verdict(
        kind="clear",
        message=f"{none} (p {probability(p_value)}), by a "
        "check that would find most trends as large as the effect.",
        evidence=evidence,
    )


def _or_why(name: str, value: float | None) -> Measure:
    words, unit = name.rsplit(", ", 1)
    if value is None:
        return Measure(
            name=words, unit=unit, why_missing="the check goes off more often than that with no trend"
        )
    return Measure(name=words, unit=unit, value=value)


RULE = EvidenceRule(
    id="selection.pre-trend",
    threat="selection",
    asks="Were the arms already moving apart before the start, and would the check have seen it?",
    why="Difference-in-differences takes the comparison's change for what the treated areas would have done. "
    "If the two moved apart before anything was done, they would have gone on to. All stretches before the "
    "start are tested together, ranked among placebo sets; below 0.03, so that one sound design in thirty is "
    "marked down, the level is 2 at most. A check that sees nothing is only worth its power: with few months "
    "it finds a trend that would make the whole effect hardly more often than by chance, so its power is "
    "always given. With thirty treated areas of a dozen incidents a month and twelve months before, a drift "
    "apart of 3 % a month is found in nine draws of ten, one of 2 % in about seven.",
    remedy="Use a longer before window, or comparison areas whose earlier months run alongside.",
    applies_to=ROLLED_OUT,
    source=PRETRENDS,
    judge=_judge,
)
