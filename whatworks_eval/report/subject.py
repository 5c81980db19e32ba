"""What was counted, where and when, as phrases that can stand in a sentence."""

from __future__ import annotations

import math

from whatworks_eval.judgement import Evaluation
from whatworks_eval.matching.features import in_words
from whatworks_eval.methods.did_windows import PER_RESIDENTS
from whatworks_eval.protocol import Protocol
from whatworks_eval.report import survey_words
from whatworks_eval.report.numerals import clean, counted, listed

# Offence names that read as one thing, so that 'was' and 'fell' agree with them.
ONE_THING = {
    "anti-social behaviour",
    "bicycle theft",
    "burglary",
    "criminal damage and arson",
    "other crime",
    "other theft",
    "robbery",
    "shoplifting",
    "theft from the person",
    "vehicle crime",
    "violence",
    "violent crime",
}
MOST_OFFENCES = 3
HELD_AGAINST_MORE = {"interrupted-time-series", "synthetic"}  # than the comparison areas as they are


def subject(protocol: Protocol) -> str:
    """What the effect is of, as a singular phrase: 'recorded burglary', 'the number of recorded incidents'.

    Example:
        >>> from whatworks_eval import load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> protocol = load_protocol(shipped_path("designs", "police-now-2016"))
        >>> outcome = protocol.outcome.model_copy(update={"kind": "rate"})
        >>> subject(protocol.model_copy(update={"outcome": outcome}))
        'the rate for 1,000 residents of recorded anti-social behaviour'
    """
    if survey_words.is_share(protocol):
        return survey_words.share(protocol)
    said = recorded(protocol)
    if protocol.outcome.kind == "rate":
        return f"the rate for {PER_RESIDENTS:,} residents of {said.removeprefix('the number of ')}"
    return said


def recorded(protocol: Protocol) -> str:
    """What was recorded, as counted: of a rate, the incidents behind it."""
    offences = protocol.outcome.offences
    if not offences:
        every = " (every offence category)" if protocol.outcome.source == "police-uk" else ""
        return f"the number of recorded incidents{every}"
    names = [_small(clean(offence)) for offence in offences]
    if len(names) == 1 and names[0] in ONE_THING:
        return f"recorded {names[0]}"
    return f"the number of recorded incidents ({listed(names, most=MOST_OFFENCES)})"


def in_treated(protocol: Protocol) -> str:
    """What was counted, in the treated areas.

    Example:
        >>> from whatworks_eval import load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> in_treated(load_protocol(shipped_path("designs", "police-now-2016")))
        'recorded anti-social behaviour in the treated areas'
    """
    each = ", each from its own start," if is_staggered(protocol) else ""
    return f"{subject(protocol)} in the treated areas{each}"


def held_still(protocol: Protocol) -> str:
    """What the estimate is adjusted for, to follow a number: ' with footfall held still'; '' for nothing.

    A number that changes by period is held still; one that does not, a covariate, is allowed for. With
    several starts the estimate itself is not adjusted.
    """
    if is_staggered(protocol):
        return ""
    names = [name for name in protocol.did.adjust_for if name != protocol.did.dose]
    moving = [in_words(name) for name in names if name in protocol.did.series]
    fixed = [in_words(name) for name in names if name not in protocol.did.series]
    parts = [f"with {listed(moving)} held still"] if moving else []
    parts += [f"allowing for {listed(fixed)}"] if fixed else []
    return f" {' and '.join(parts)}" if parts else ""


def is_staggered(protocol: Protocol) -> bool:
    """True where the treated areas start at different times."""
    treated = None if protocol.areas is None else protocol.areas.treated
    return getattr(treated, "start", None) is not None


def _small(name: str) -> str:
    """A name without its capital, unless it is an abbreviation."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def moved(evaluation: Evaluation, way: str) -> str:
    """How the treated areas moved against the comparison areas: 'fell more than in comparison areas'.

    Read off the totals, so that 'fell' is never said of a rise; '' where there are none, where areas start at
    different times, so that no two totals are before and after, and where the totals say another thing than
    the estimate: one of a trend carried on, of a mixture, or with something held still.
    """
    windowed = evaluation.windowed
    if windowed is None or not windowed.has("comparison") or is_staggered(evaluation.protocol):
        return ""
    months_before, months_after = windowed.months
    fell, grew = {}, {}
    for arm in ("treated", "comparison"):
        before, after = windowed.total("treated" if arm == "treated" else "comparison")
        fell[arm] = after * months_before < before * months_after
        grew[arm] = after / before if before else math.nan
    if evaluation.protocol.method in HELD_AGAINST_MORE or not (
        grew["treated"] < grew["comparison"] if way == "lower" else grew["treated"] > grew["comparison"]
    ):
        return ""
    if fell["treated"]:
        if way == "lower":
            return "fell more than in comparison areas" + (
                "" if fell["comparison"] else ", where it did not fall"
            )
        return "fell less than in comparison areas"
    if way == "lower":
        return "rose less than in comparison areas"
    return "rose more than in comparison areas" + (", where it fell" if fell["comparison"] else "")


def where(evaluation: Evaluation) -> str:
    """Who was compared with whom: '30 areas in 6 units against 200 areas (every other area in the data)'."""
    contrast = evaluation.contrast
    if evaluation.protocol.outcome.source in {"totals", "published-changes"}:
        return "treated areas against comparison areas; the source gives them only in total"
    units = len(contrast.treated_units)
    treated = counted(len(contrast.treated), "treated area")
    if units != len(contrast.treated):
        treated += f" in {counted(units, 'unit')}"
    if evaluation.protocol.crossover is not None:
        return f"{treated}, while switched on, against {clean(contrast.chosen)}"
    if not contrast.comparison:
        return f"{treated}, with nothing to compare them with"
    words = (
        f"{treated} against {counted(len(contrast.comparison), 'comparison area')} ({clean(contrast.chosen)})"
    )
    if contrast.buffer:
        words += f"; {counted(len(contrast.buffer), 'buffer area')} left out of both"
    return words


def when(evaluation: Evaluation) -> str:
    """The windows as used: '2018-01 to 2018-12 before, 2019-01 to 2019-12 after'."""
    windowed, declared = evaluation.windowed, evaluation.protocol.windows
    kind = evaluation.protocol.period
    if (turns := evaluation.protocol.crossover) is not None:
        span = (
            f"{clean(turns.periods[0])} to {clean(turns.periods[1])}"
            if turns.periods
            else f"every {kind} of it"
        )
        first = kind if turns.washout == 1 else counted(turns.washout, kind)
        out = f"; the first {first} after each possible switch left out"
        return f"on and off by the schedule, {span}{out if turns.washout else ''}"
    if windowed is not None and windowed.periods[0] and windowed.periods[1]:
        parts = []
        for name, periods in zip(("before", "after"), windowed.periods, strict=True):
            parts.append(f"{periods[0]} to {periods[-1]} {name} ({counted(len(periods), kind)} used)")
        return ", ".join(parts)
    if declared is not None:
        before, after = (" to ".join(window) for window in (declared.before, declared.after))
        return f"{before} before, {after} after"
    return f"before and after {clean(evaluation.protocol.intervention.start)}"
