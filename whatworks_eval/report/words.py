"""What may be said of an estimate: verdict, headline, level, doubts. The wording is a contract (DESIGN 6)."""

from __future__ import annotations

from typing import Literal

from whatworks_eval.judgement import Evaluation, Finding
from whatworks_eval.records import Estimate, Interval
from whatworks_eval.report import survey_words
from whatworks_eval.report.numerals import (
    clean,
    decimals_for,
    enough,
    per_cent_of,
    percent,
    plain,
    signed,
)
from whatworks_eval.report.strength import comes_first, doubts, level_sentence, what_would_raise
from whatworks_eval.report.subject import held_still, in_treated, moved

Verdict = Literal["lower", "higher", "no larger change", "too imprecise", "no interval", "no estimate"]

NEGLIGIBLE_PERCENT = 10.0
BEST_CLAIM_FROM = 4  # the level from which 'reduced' may be said
LEVEL_MATCHED = "level-matched areas"
PICKED = "places picked at a peak tend to fall with nothing done (regression to the mean)"


def shown(estimate: Estimate) -> Interval:
    """The effect as reported: in percent, or in the estimate's own unit on the difference scale."""
    if estimate.scale == "log-ratio":
        return estimate.percent_change
    return Interval(value=estimate.value, low=estimate.low, high=estimate.high)


def verdict(estimate: Estimate) -> Verdict:
    """What the interval supports saying, whatever the level.

    'lower' or 'higher' where the interval lies on one side of zero. Where it holds zero, both ends
    decide: 'no larger change' if neither end reaches 10 %, 'too imprecise' otherwise. Places picked from
    the top tenth fall by 8 to 12 % with nothing done, so a change under 10 % could not be told from the
    way the places were picked: ruling out anything larger is an answer. An interval that still holds a
    change of a tenth leaves open the very thing that was asked. The bound is printed either way, for
    readers who would draw the line elsewhere. The difference scale has no such line: there an interval
    that holds zero is 'too imprecise'.

    Example:
        >>> made = dict(measure="ratio of ratios", confidence=0.95, inference="placebo")
        >>> verdict(Estimate(value=-0.01, low=-0.07, high=0.05, **made))
        'no larger change'
        >>> verdict(Estimate(value=-0.01, low=-0.30, high=0.28, **made))
        'too imprecise'
        >>> verdict(Estimate(value=-0.05, **made))
        'no interval'
    """
    if estimate.low is None and estimate.high is None:
        return "no estimate" if estimate.value is None else "no interval"
    if estimate.excludes_zero:
        return "lower" if estimate.high is not None and estimate.high < 0 else "higher"
    change = estimate.percent_change
    if (
        change.low is not None
        and change.high is not None
        and max(-change.low, change.high) < NEGLIGIBLE_PERCENT
    ):
        return "no larger change"
    return "too imprecise"


def amount(estimate: Estimate, value: float, *, sign: bool = False, least: int = 0) -> str:
    """One number of an estimate with its unit; `least` decimals or more.

    Example:
        >>> made = dict(measure="ratio of ratios", confidence=0.95, inference="placebo")
        >>> amount(Estimate(value=-0.15, low=-0.25, high=-0.05, **made), -13.9)
        '14 %'
    """
    places = enough(value, max(decimals_for(shown(estimate)), least))
    if estimate.scale == "log-ratio":
        return percent(value, places, sign=sign)
    return f"{signed(value, places) if sign else plain(value, places)} {estimate.unit}"


def direction(value: float) -> str:
    """'lower' or 'higher'.

    Example:
        >>> direction(-3.0), direction(3.0)
        ('lower', 'higher')
    """
    return "lower" if value < 0 else "higher"


def range_words(estimate: Estimate) -> str:
    """The interval in words: '4 % to 19 % lower', 'at least 62 % lower', '−6 % to +4 %'; '' without one.

    Example:
        >>> made = dict(measure="ratio of ratios", confidence=0.95, inference="placebo")
        >>> range_words(Estimate(value=-0.15, low=-0.25, high=-0.05, **made))
        '5 % to 22 % lower'
        >>> range_words(Estimate(high=-1.0, **made))
        'at least 63.2 % lower'
    """
    span = shown(estimate)
    low, high = span.low, span.high
    if low is None and high is None:
        return ""
    if low is None or high is None:
        end = high if low is None else low
        assert end is not None
        if (low is None and end < 0) or (high is None and end > 0):
            return f"at least {amount(estimate, end)} {direction(end)}"
        return f"anything {'up to' if low is None else 'from'} {amount(estimate, end, sign=True)}" + (
            "" if low is None else " upwards"
        )
    if estimate.excludes_zero:
        near, far = sorted((low, high), key=abs)
        return once(f"{amount(estimate, near)} to {amount(estimate, far)} {direction(near)}", estimate)
    return once(f"{amount(estimate, low, sign=True)} to {amount(estimate, high, sign=True)}", estimate)


def once(words: str, estimate: Estimate) -> str:
    """A range with its unit said once, at its end, on the difference scale."""
    return words.replace(f" {estimate.unit} to ", " to ", 1) if estimate.scale == "difference" else words


def range_cell(estimate: Estimate) -> str:
    """The interval for a table, with signs; in words where an end is open; '' without one.

    Example:
        >>> made = dict(measure="ratio of ratios", confidence=0.95, inference="placebo")
        >>> range_cell(Estimate(value=-0.15, low=-0.25, high=-0.05, **made))
        '\u221222.1 % to \u22124.9 %'
    """
    span = shown(estimate)
    if span.low is None or span.high is None:
        return range_words(estimate)
    low, high = (amount(estimate, end, sign=True, least=1) for end in (span.low, span.high))
    return once(f"{low} to {high}", estimate)


def in_brackets(estimate: Estimate) -> str:
    """The interval with its confidence; says so where there is none.

    Example:
        >>> made = dict(measure="ratio of ratios", confidence=0.95, inference="placebo")
        >>> in_brackets(Estimate(value=-0.15, low=-0.25, high=-0.05, **made))
        '95 % interval: 5 % to 22 % lower'
    """
    words = range_words(estimate)
    return f"{per_cent_of(estimate.confidence)} interval: {words}" if words else "no interval"


def _between(estimate: Estimate) -> str:
    span = shown(estimate)
    if span.low is None or span.high is None or estimate.scale != "log-ratio":
        return range_words(estimate)
    low, high = (signed(end, enough(end, decimals_for(span))) for end in (span.low, span.high))
    return f"between {low} and {high} %"


def _clause(evaluation: Evaluation, against: str | None) -> str:
    """What was found, without a capital or a full stop; `against` is None for a before-after."""
    estimate, what = evaluation.estimate, in_treated(evaluation.protocol)
    value, found = shown(estimate).value, verdict(estimate)
    held = held_still(evaluation.protocol)
    suggest = f"than {against} would suggest{held}" if against else "than before"
    outside = "" if against else "; it leaves out whatever changed everywhere"
    if found == "no estimate":
        return f"no estimate could be made: {_why(estimate)}"
    if found == "no larger change":
        span = shown(estimate)
        largest = max(span.low or 0.0, span.high or 0.0, key=abs)
        beside = f" against {against}{held}" if against else " from before to after"
        return (
            f"{what} showed no change larger than {amount(estimate, largest)}{beside} "
            f"(estimate {_point(estimate)}; {in_brackets(estimate)}{outside})"
        )
    if found == "too imprecise":
        asked = f"differed from what {against} would suggest{held}" if against else "changed"
        best = f"; that range is the {per_cent_of(estimate.confidence)} interval"
        best += "" if value is None else f" around an estimate of {_point(estimate)}"
        return (
            f"the data are too imprecise to tell ({_between(estimate)}) whether {what} {asked}{best}{outside}"
        )
    if found == "no interval":
        assert value is not None
        said = _lower(evaluation, amount(estimate, value), direction(value), suggest, claim=False)
        return f"{said}; no interval can be given, so chance is not ruled out ({_why(estimate)}{outside})"
    if value is None:
        return _lower(evaluation, range_words(estimate).rsplit(" ", 1)[0], found, suggest) + (
            f" ({per_cent_of(estimate.confidence)} interval{outside})"
        )
    return (
        _lower(evaluation, amount(estimate, value), found, suggest) + f" ({in_brackets(estimate)}{outside})"
    )


def _lower(evaluation: Evaluation, size: str, way: str, suggest: str, *, claim: bool = True) -> str:
    """The words a level allows for a fall or a rise."""
    level, what = evaluation.grade.level, in_treated(evaluation.protocol)
    held = held_still(evaluation.protocol)
    if level <= 2 or suggest == "than before":
        return f"{what} was {size} {way} {suggest}, whatever the cause"
    if level >= BEST_CLAIM_FROM and claim:
        verb = "reduced" if way == "lower" else "increased"
        name = clean(evaluation.protocol.intervention.name)
        return f"{name} {verb} {what} by {size}{held}"
    motion = moved(evaluation, way)
    return (
        f"{what} {motion}: it was {size} {way} than expected from them{held}"
        if motion
        else f"{what} was {size} {way} {suggest}"
    )


def _point(estimate: Estimate) -> str:
    value = shown(estimate).value
    return "not available" if value is None else amount(estimate, value, sign=True)


def _why(estimate: Estimate) -> str:
    return clean(estimate.why_missing or "the reason was not recorded").rstrip(".")


def picked_for_need(evaluation: Evaluation) -> Finding | None:
    """The finding that the treated places were chosen for need and not compared with like; None if not."""
    for finding in evaluation.findings:
        if comes_first(finding):
            return finding
    return None


def alternative(evaluation: Evaluation, label: str) -> Estimate | None:
    """The alternative estimate of that label; None where there is none."""
    return next((other for other in evaluation.alternatives if other.label == label), None)


def _matched_clause(evaluation: Evaluation) -> str:
    matched = alternative(evaluation, LEVEL_MATCHED)
    if matched is None or (matched.value is None and not range_words(matched)):
        return "and no estimate against areas of like level could be made"
    value = shown(matched).value
    if value is None or verdict(matched) in {"no larger change", "too imprecise"}:
        return f"and against level-matched areas the figure is {_point(matched)} ({in_brackets(matched)})"
    return (
        f"and against level-matched areas it was {amount(matched, value)} {direction(value)} "
        f"({in_brackets(matched)})"
    )


def _published(evaluation: Evaluation) -> str:
    """The sentence for published percentages: what they imply, how rounding blurs it, what is missing."""
    estimate, what = evaluation.estimate, in_treated(evaluation.protocol)
    changes, value = evaluation.protocol.outcome.changes, shown(evaluation.estimate).value
    if value is None or changes is None:
        return f"no estimate could be made: {_why(estimate)}"
    if changes.unit != "percent":
        return survey_words.published(evaluation, what)
    beside = []
    ends = [
        end
        for other in evaluation.alternatives
        if other.choice == "rounding" and (end := shown(other).value) is not None
    ]
    if len(ends) > 1:
        near, far = min(ends, key=abs), max(ends, key=abs)
        beside.append(f"{plain(near, 1)} to {plain(far, 1)} % given the rounding")
    points = next((other for other in evaluation.alternatives if other.scale == "difference"), None)
    if points is not None and points.value is not None:
        places = max(changes.decimals, 1)
        beside.append(f"{plain(points.value, places)} points between two percentage changes")
    against = "than comparison areas would suggest" if changes.comparison is not None else "than before"
    brackets = f" ({'; '.join(beside)})" if beside else ""
    outside = (
        "" if changes.comparison is not None else ", and the figure leaves out whatever changed everywhere"
    )
    return (
        f"by the published percentages, {what} was about {percent(value, 1, sign=False)} {direction(value)} "
        f"{against}, whatever the cause{brackets}{outside}. No interval can be computed without the counts "
        "behind them, so chance is not ruled out"
    )


def headline(evaluation: Evaluation) -> str:
    """What was found and how far to believe it, in two or three sentences; the level is always there.

    Where the places were chosen for need and compared with the rest, regression to the mean comes before
    the number and the estimate against level-matched areas comes with it, in one sentence, so that the
    number cannot be quoted alone.

    Example:
        >>> from whatworks_eval import evaluate, load_data, load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> protocol = load_protocol(shipped_path("designs", "police-now-2016"))
        >>> evaluation = evaluate(protocol, load_data(protocol))
        >>> print(headline(evaluation))  # doctest: +ELLIPSIS
        Because places picked at a peak tend to fall with nothing done ... at design strength level 2 of 5.
    """
    protocol, estimate = evaluation.protocol, evaluation.estimate
    alone = protocol.method == "before-after"
    need = picked_for_need(evaluation) is not None
    rest = protocol.areas is not None and protocol.areas.comparison == "rest"
    if protocol.outcome.source == "published-changes":
        said = _published(evaluation)
        alone = protocol.outcome.changes is not None and protocol.outcome.changes.comparison is None
    elif protocol.did.dose is not None:
        from whatworks_eval.report.dose_words import dose_clause  # it is made with this file's words

        said = dose_clause(evaluation)
    else:
        said = _clause(evaluation, None if alone else _against(evaluation, rest=need and rest))
    if alone and verdict(estimate) != "no estimate":
        said = f"unadjusted, {said}"
    elif _own_trend(evaluation) and verdict(estimate) != "no estimate":
        said = f"with no comparison, so that whatever changed everywhere is counted too, {said}"
    if estimate.recorded == 0 and estimate.value is None:
        bounded = estimate.low is not None or estimate.high is not None
        limit = "so there is only a limit" if bounded else "so no change in proportion can be worked out"
        nothing = f"nothing was recorded in the treated areas in the after window, {limit}"
        said = f"{nothing}. {said[0].upper()}{said[1:]}"
    if need:
        if not alone and not _own_trend(evaluation):
            said = f"{said}, {_matched_clause(evaluation)}"
        fell = (shown(estimate).value or estimate.high or 0.0) < 0
        lesson = (
            "no fall here can be credited to the project" if fell else "any bias here favours the project"
        )
        picked = PICKED
        if survey_words.is_share(protocol):
            picked, lesson = survey_words.DRIFT, survey_words.NO_CREDIT
        said = f"because {picked}, and these were chosen for need, {lesson}: {said}"
    return f"{said[0].upper()}{said[1:]}. {scope_sentence(evaluation)}"


def _own_trend(evaluation: Evaluation) -> bool:
    """True for a time series held against nothing but its own trend."""
    return evaluation.protocol.method == "interrupted-time-series" and not evaluation.contrast.comparison


def _against(evaluation: Evaluation, *, rest: bool) -> str:
    """What the treated areas are held against: a trend and a mixture are not the comparison areas as such."""
    if evaluation.protocol.method == "crossover":
        return "their periods switched off"
    if _own_trend(evaluation):
        return "their own trend before the start"
    if evaluation.protocol.method == "synthetic":
        return f"a mixture of {'other' if rest else 'comparison'} areas"
    areas = "every other area" if rest else "comparison areas"
    if evaluation.protocol.method == "interrupted-time-series":
        return f"the earlier trend of their ratio to {areas}"
    return areas


def scope_sentence(evaluation: Evaluation) -> str:
    """The sentence that always follows the number: these areas, these months, this level."""
    level = f"design strength level {evaluation.grade.level} of 5"
    months = f"{evaluation.protocol.period}s"
    if verdict(evaluation.estimate) == "no estimate":
        return f"This evaluation of these areas and these {months} stands at {level}."
    return f"The estimate is for these areas and these {months}, at {level}."


def question(evaluation: Evaluation) -> str:
    """The question as declared, on one line."""
    return clean(evaluation.protocol.question)


__all__ = ["doubts", "headline", "level_sentence", "verdict", "what_would_raise"]
