"""Two projects held against each other, in sentences: never surer than the lower of their two levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from whatworks_eval.economics.options import AS_MANY, Comparison, Option, worse_than_nothing
from whatworks_eval.records import Interval
from whatworks_eval.report.economics_words import CREDIT_FROM, NOT_SAMPLING
from whatworks_eval.report.numerals import clean, decimals_for, enough, per_cent_of, plain
from whatworks_eval.report.pounds import between, money, whole

IF_THEY_WERE = (
    "What follows holds only if the changes were due to the projects, which a design of level {level} of 5 "
    "does not show."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One of two projects, as its file says.

    Attributes:
        id: Of its protocol.
        option: What it cost and prevented.
        hours: True where staff hours are counted instead of incidents.
        level: Of its effect.
        months: Length of its after window.
        persistence_months: Months the effect is taken to go on beyond it.
        range_why_missing: Why what it prevented has no range.
        includes_none: True where its effect could not be told from none; None where it has no range.
    """

    id: str
    option: Option
    hours: bool
    level: int
    months: float
    persistence_months: float
    range_why_missing: str | None
    includes_none: bool | None


def project_sentence(project: Project, place: str) -> str:
    """What a project cost and what was recorded, without saying why."""
    option = project.option
    cost, found = option.cost, option.prevented
    value = found.value or 0.0
    span = between(cost)
    spent = f"{whole(cost.value)} was spent" + (f" (range {span})" if span else "")
    size = _size(value, found)
    number = f"{size} {'more' if value < 0 else 'fewer'} {_noun(project, size)}"
    were = f"{'was' if size == '1' else 'were'} {'used' if project.hours else 'recorded'} than expected"
    ends = _apart(found, lambda one: _size(one, found), ("fewer", "more"))
    if ends:
        held = f"range {ends}{_told_from_none(project)}"
    else:
        held = f"no range can be given: {clean(project.range_why_missing or 'not recorded').rstrip('.')}"
    told = f"{number} {were} ({held})"
    said = f"{place} ({clean(project.id)}, level {project.level} of 5): {spent}; {told}"
    each = _each(project)
    return f"{said}; {each}." if each else f"{said}."


def _told_from_none(project: Project) -> str:
    found = project.option.prevented
    if not project.includes_none:
        return ""
    if (found.low or 0.0) <= 0 <= (found.high or 0.0):
        return ", so it could not be told from none"
    return "; in the treated areas alone it could not be told from none"


def _each(project: Project) -> str:
    """What it cost for each incident by itself: what it would be held against doing nothing by."""
    cost, found = project.option.cost, project.option.prevented
    value = found.value or 0.0
    if not cost.value:
        return ""
    if value <= 0:
        return "there are none fewer to divide the cost by"
    each = f"{money(cost.value / value)} for each"
    if found.low is None or found.high is None or cost.low is not None:
        return each
    if project.includes_none or found.low <= 0:
        return f"{each} by the best estimate, with no upper end"
    return f"{each} (range {money(cost.value / found.high)} to {money(cost.value / found.low)})"


def comparison_sentences(first: Project, second: Project, made: Comparison) -> list[str]:
    """The difference, what a further incident cost and the net benefit: what is not settled stands first."""
    said = [_difference(first, second, made), _nothing(first, second), _ratio(first, made)]
    if made.worth is not None:
        said.append(_worth(first, made))
    said = [one for one in said if one]
    level = min(first.level, second.level)
    if level < CREDIT_FROM:
        said = [IF_THEY_WERE.format(level=level), *(f"If so, {_low(one)}" for one in said)]
    levels = f"level {level}" if first.level == second.level else f"levels {first.level} and {second.level}"
    designs = f"The comparison rests on designs of {levels} of 5 and is no surer than the weaker of them."
    return [_costs(made), *said, designs]


def _costs(made: Comparison) -> str:
    value = made.cost.value or 0.0
    span = _apart(made.cost, lambda one: money(abs(one)), ("more", "less"))
    if made.same_cost:
        return "The two cost the same."
    way = "more" if value > 0 else "less"
    return f"The second cost {whole(abs(value))} {way} than the first" + (
        f" (range {span})." if span else "."
    )


def _difference(first: Project, second: Project, made: Comparison) -> str:
    found = made.prevented
    value = found.value or 0.0
    size = _size(value, found)
    counted = f"{size} {{way}} {_noun(first, size)}"
    ways = ("more", "fewer")
    if made.ratio_why_missing == AS_MANY or made.label == "no difference":
        told = "the second prevented as many as the first"
    elif min(first.option.prevented.value or 0.0, second.option.prevented.value or 0.0) > 0:
        verb = "saved" if first.hours else "prevented"
        told = f"the second {verb} {counted.format(way='more' if value >= 0 else 'fewer')} than the first"
    else:  # one of them prevented none: only what was recorded can be held against what was expected
        told = f"the second had {counted.format(way='fewer' if value >= 0 else 'more')} than the first"
        told += ", each against what was expected"
        ways = ("fewer", "more")
    span = _apart(found, lambda one: _size(one, found), ways)
    if made.settled:
        return f"{told[:1].upper()}{told[1:]} (range {span})."
    but = f"the range is {span}" if span else "the difference has no range"
    verb = "saved" if first.hours else "prevented"
    return f"These data do not settle which of the two {verb} more: by the best estimates {told}, but {but}."


def _nothing(first: Project, second: Project) -> str:
    """A project that cost money and prevented none is no yardstick: doing nothing costs less."""
    none = [place for place, one in (("first", first), ("second", second)) if worse_than_nothing(one.option)]
    done = "saved" if first.hours else "prevented"
    if not none:
        return ""
    if len(none) == 2:
        return f"By the estimates neither {done} any: spending nothing is better than either."
    other = "second" if none == ["first"] else "first"
    return (
        f"By its estimate the {none[0]} {done} none, and spending nothing is better: hold the {other} "
        f"against nothing, not against the {none[0]}."
    )


def _ratio(first: Project, made: Comparison) -> str:
    """The price of a further incident, or which of the two dominates; '' where one is no yardstick."""
    one = "staff hour" if first.hours else "incident"
    best = "" if made.settled else "by the best estimates, "
    if made.label == "no difference":
        return "By the estimates there is nothing between them in cost or in what was prevented."
    if made.label in {"dominates", "is dominated"}:
        better, worse = ("second", "first") if made.label == "dominates" else ("first", "second")
        cheaper = "cost no more" if made.same_cost else "cost less"
        many = "as much as" if made.ratio_why_missing == AS_MANY else "more than"
        verb = "saved" if first.hours else "prevented"
        told = f"{best}the {better} {cheaper} and {verb} {many} the {worse}"
        return f"{told[:1].upper()}{told[1:]}, so there is no price of a further {one}."
    if made.ratio.value is None:
        return ""
    value = made.ratio.value
    if made.label == "costs more and prevents more":
        told = f"{best}each further {one} that the second prevented cost {money(value)}"
    else:
        told = (
            f"{best}the second saved {money(value)} for each {one} that it did not prevent and the first did"
        )
    if first.hours:
        told = told.replace("did not prevent", "did not save").replace("prevented cost", "saved cost")
    ends = between(made.ratio)
    if ends:
        return f"{told[:1].upper()}{told[1:]} (range {ends})."
    why = clean(made.range_why_missing or "")
    return f"{told[:1].upper()}{told[1:]}; no range can be given, since {why}."


def _worth(first: Project, made: Comparison) -> str:
    net, worth = made.net_benefit, made.worth or 0.0
    value = net.value or 0.0
    one = "staff hour saved" if first.hours else "incident prevented"
    way = "better" if value >= 0 else "worse"
    told = f"At {money(worth)} for each {one}, the second is {money(abs(value))} {way} value than the first"
    span = _apart(net, lambda gbp: money(abs(gbp)), ("better", "worse"))
    if not span:
        return (
            f"{told}, by the best estimates; no range can be given, so which is better value is not settled."
        )
    open_ = net.low is not None and net.high is not None and net.low <= 0 <= net.high
    doubt = ", so which of the two is better value is not settled" if open_ else ""
    return f"{told} (range {span}{doubt})."


def about_ranges(share: float, *, costs: bool) -> str:
    """What the ranges are, in one sentence."""
    said = f"Ranges are of {per_cent_of(share)}, the two effects taken as independent"
    said += f". {NOT_SAMPLING}" if costs else "; costs are as declared, without one."
    return f"{said} Costs are present values; what was prevented is not discounted."


def _noun(project: Project, size: str) -> str:
    return ("staff hour" if project.hours else "incident") + ("" if size == "1" else "s")


def _size(value: float, span: Interval) -> str:
    return plain(value, enough(value, decimals_for(span)))


def _apart(span: Interval, say: Callable[[float], str], ways: tuple[str, str]) -> str:
    """A range as 'a to b more', or 'a less to b more' where it holds zero; '' without ends."""
    if span.low is None or span.high is None:
        return ""
    above, below = ways
    if span.low >= 0:
        return f"{say(span.low)} to {say(span.high)} {above}"
    if span.high <= 0:
        return f"{say(span.high)} to {say(span.low)} {below}"
    return f"{say(span.low)} {below} to {say(span.high)} {above}"


def _low(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"
