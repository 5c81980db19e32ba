"""Four counts in, a first look out: a protocol is built and evaluated like any other, and handed back.

`whatworks calc` has no statistics of its own: what it prints is what `whatworks run` would say of the
protocol it prints below.
"""

from __future__ import annotations

import json
import math
import textwrap
from typing import Any

from whatworks_eval.effects.counts import Pair, count_problems
from whatworks_eval.effects.wdd import LABELS, wdd
from whatworks_eval.effects.weighting import weights_for
from whatworks_eval.evaluation import evaluate
from whatworks_eval.judgement import Evaluation
from whatworks_eval.methods.effect_measures import BUFFER
from whatworks_eval.methods.relative_effect import OTHER_DISPERSIONS
from whatworks_eval.protocol import Protocol, protocol_from_dict
from whatworks_eval.records import Estimate, Interval
from whatworks_eval.report import words
from whatworks_eval.report.numerals import MINUS
from whatworks_eval.sources import load_data
from whatworks_eval.sources.cells import MOST_INCIDENTS

WIDTH = 96
NOT_STATED = "1900-01"
QUESTION = "Did the treated areas change differently from the comparison areas?"
TAKEN = (
    "How the places came to be treated is not stated and is taken as 'volunteer'. If they were picked "
    "because they needed it, say --assignment need: places picked at a peak fall back with nothing done."
)


def problems_with(arms: dict[str, Pair | None], periods: Pair, phi: float) -> tuple[str, ...]:
    """What is wrong with the numbers typed, in a sentence each; empty where nothing is.

    Example:
        >>> problems_with({"--treated": (398, -190)}, (12, 12), 4)
        ('--treated, after: -190 is below zero; a count of incidents cannot be',)
    """
    found = list(count_problems(arms))
    found += [
        f"{name}: {count:g} is more incidents than there can be; correct it"
        for name, pair in arms.items()
        for count in pair or ()
        if MOST_INCIDENTS < count < math.inf
    ]
    if arms.get("--buffer-comparison") and not arms.get("--buffer"):
        found.append("--buffer-comparison is given without --buffer; give both or neither")
    if not all(1e-9 <= length <= 1e9 for length in periods):
        found.append(
            f"--periods {periods[0]:g} {periods[1]:g}: both windows must hold more than nothing, and no more "
            "months than there are"
        )
    if not 1 <= phi <= 1e9:
        found.append(f"--phi {phi:g}: the dispersion is 1 (chance alone) or more; crime counts are near 4")
    return tuple(found)


def first_look(
    *,
    treated: Pair,
    comparison: Pair,
    buffer: Pair | None = None,
    buffer_comparison: Pair | None = None,
    periods: Pair = (1.0, 1.0),
    phi: float = 4.0,
    comparability: str = "",
    assignment: str = "volunteer",
    start: str = NOT_STATED,
    add_half: bool = False,
) -> Evaluation:
    """The evaluation of four (or six, or eight) counts, from a protocol made for them.

    Args:
        treated: Incidents before and after in the treated areas.
        comparison: The same in the comparison areas.
        buffer: The same in nearby areas that could take what moves.
        buffer_comparison: The same in areas the buffer alone is compared with.
        periods: How many months the windows hold.
        phi: Assumed variance of a count over its mean.
        comparability: Why the comparison is like the treated; lets the level reach 3.
        assignment: How the places came to be treated.
        start: First month with the project running.
        add_half: Add 0.5 to each count where one is zero.

    Raises:
        ProtocolError: What was given does not make a design.

    Example:
        >>> found = first_look(treated=(398, 190), comparison=(148, 97))
        >>> round(found.estimate.ratio.value, 3), found.grade.level
        (0.728, 2)
    """
    totals: dict[str, Any] = {"treated": treated, "comparison": comparison, "periods": periods}
    totals |= {"dispersion": phi, "add_half": add_half}
    if buffer is not None:
        totals["buffer"] = buffer
    if buffer_comparison is not None:
        totals["buffer_comparison"] = buffer_comparison
    protocol = protocol_from_dict(
        {
            "schema": 1,
            "id": "four-counts",
            "question": QUESTION,
            "method": "relative-effect",
            "intervention": {"name": "not named", "start": start, "assignment": assignment},
            "outcome": {"source": "totals", "totals": totals},
            "context": {"comparability": comparability},
        }
    )
    return evaluate(protocol, load_data(protocol))


def as_text(evaluation: Evaluation, *, assignment_stated: bool = True) -> str:
    """The first look as it is printed: numbers, sentence, level, caveats, and the protocol as TOML.

    Args:
        evaluation: What `first_look` returned.
        assignment_stated: False where nobody said how the places came to be treated.
    """
    parts = [
        numbers(evaluation),
        _filled(words.headline(evaluation)),
        _filled(words.level_sentence(evaluation)),
    ]
    doubts = [finding for finding in evaluation.caveats if finding.kind == "caveat"]
    unknown = [finding.rule for finding in evaluation.caveats if finding.kind == "not assessed"]
    said = [_filled(f"- {finding.message} [{finding.rule}]", "  ") for finding in doubts]
    if not assignment_stated:
        said.insert(0, _filled(f"- {TAKEN}", "  "))
    if unknown:
        said.append(_filled(f"- Not assessed, for want of data: {', '.join(unknown)}.", "  "))
    parts.append("\n".join(["Caveats:", *said]))
    parts.append(
        "As a protocol, for a proper evaluation: save what follows as four-counts.toml, fill in what is not "
        "stated,\nand type: whatworks run four-counts.toml\n\n" + as_toml(evaluation.protocol)
    )
    return "\n\n".join(parts)


def numbers(evaluation: Evaluation) -> str:
    """The effect on every scale, with its intervals under each dispersion, as a plain table."""
    estimate, confidence = evaluation.estimate, 100 * evaluation.protocol.confidence
    absolute = _named(evaluation, LABELS["local"])
    lines = [
        f"Ratio of ratios            {_number(estimate.ratio.value, 3)}   (below 1 = fewer than expected)",
        f"Percent change             {_number(estimate.percent_change.value, 1, unit=' %')}",
        f"Incidents prevented        {_number(estimate.prevented.value, 1)}   (recorded "
        f"{_number(estimate.recorded, 0)}, expected {_number(estimate.expected, 1)})",
        f"Weighted displacement      {_number(None if absolute is None else absolute.value, 1)}"
        "   (incidents, by equal absolute change; below 0 = fewer)",
    ]
    if (buffer := _named(evaluation, BUFFER)) is not None:
        total = _named(evaluation, LABELS["total"])
        lines += [
            f"  with the buffer          {_number(None if total is None else total.value, 1)}",
            f"Buffer against comparison  {_number(buffer.percent_change.value, 1, unit=' %')}"
            f"   ({_ends(buffer.percent_change, 1)} % under dispersion {_dispersion(evaluation):g})",
        ]
    lines += ["", f"{confidence:g} % intervals   change, %            prevented              WDD"]
    for dispersion in sorted({*OTHER_DISPERSIONS, _dispersion(evaluation)}):
        made = _under(evaluation, dispersion)
        mark = "  <- as declared" if dispersion == _dispersion(evaluation) else ""
        lines.append(
            f"dispersion {dispersion:<4g}   {_ends(made.percent_change, 1):<20} "
            f"{_ends(made.prevented, 0):<22} "
            f"{_ends(_absolute_under(evaluation, dispersion), 0)}{mark}"
        )
    missing = dict.fromkeys(
        one.why_missing for one in (estimate, absolute) if one is not None and one.why_missing
    )
    return "\n".join([*lines, *(f"Missing: {why}." for why in missing)])


def _dispersion(evaluation: Evaluation) -> float:
    table = evaluation.protocol.outcome.totals
    assert table is not None
    return table.dispersion


def _under(evaluation: Evaluation, dispersion: float) -> Estimate:
    """The ratio of ratios under a dispersion: the registered estimate or one of its alternatives."""
    if dispersion == _dispersion(evaluation):
        return evaluation.estimate
    label = "Poisson interval" if dispersion == 1 else f"dispersion {dispersion:g}"
    found = _named(evaluation, label)
    assert found is not None
    return found


def _absolute_under(evaluation: Evaluation, dispersion: float) -> Interval:
    """The weighted displacement difference under a dispersion; empty where it was refused."""
    declared, windowed = _named(evaluation, LABELS["local"]), evaluation.windowed
    if declared is None or declared.value is None or windowed is None:
        return Interval()
    found = wdd(
        treated=windowed.total("treated"),
        comparison=windowed.total("comparison"),
        weights=weights_for(evaluation.protocol, windowed),
        dispersion=dispersion,
        confidence=evaluation.protocol.confidence,
    )
    return Interval(value=found.value, low=found.low, high=found.high)


def _named(evaluation: Evaluation, label: str) -> Estimate | None:
    return next((other for other in evaluation.alternatives if other.label == label), None)


def _number(value: float | None, places: int, unit: str = "") -> str:
    if value is None:
        return "not defined"
    text = f"{abs(value):,.{places}f}"
    return f"{MINUS if value < 0 and text.strip('0.,') else ''}{text}{unit}"


def _ends(interval: Interval, places: int) -> str:
    if interval.low is None or interval.high is None:
        return "none"
    return f"{_number(interval.low, places)} to {_number(interval.high, places)}"


def _filled(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def as_toml(protocol: Protocol) -> str:
    """A protocol of totals as TOML that `whatworks run` reads back to the same design.

    Example:
        >>> found = first_look(treated=(398, 190), comparison=(148, 97), periods=(12, 12))
        >>> print(as_toml(found.protocol).splitlines()[-1])
        # comparability = ""    # why the comparison is like the treated: level 3 at most
    """
    totals, intervention = protocol.outcome.totals, protocol.intervention
    assert totals is not None
    unstated = "    # not stated: put the first month with the project running"
    how = "    # how the places came to be treated: random, phased, need, volunteer, cutoff"
    lines = [
        "schema = 1",
        f"id = {_text(protocol.id)}",
        f"question = {_text(protocol.question)}",
        f"method = {_text(protocol.method)}",
    ]
    if protocol.confidence != Protocol.model_fields["confidence"].default:
        lines.append(f"confidence = {protocol.confidence!r}")
    lines += [
        "",
        "[intervention]",
        f"name = {_text(intervention.name)}",
        f"start = {_text(intervention.start)}{unstated if intervention.start == NOT_STATED else ''}",
        f"assignment = {_text(intervention.assignment)}{how}",
        "",
        "[outcome]",
        'source = "totals"',
        "",
        "[outcome.totals]",
    ]
    for name in ("treated", "comparison", "buffer", "buffer_comparison", "periods"):
        if (pair := getattr(totals, name)) is not None:
            lines.append(f"{name} = [{_plain(pair[0])}, {_plain(pair[1])}]")
    lines.append(f"dispersion = {_plain(totals.dispersion)}")
    if totals.add_half:
        lines.append("add_half = true")
    reason = protocol.context.comparability
    lines += ["", "[context]"]
    lines.append(
        f"comparability = {_text(reason)}"
        if reason
        else '# comparability = ""    # why the comparison is like the treated: level 3 at most'
    )
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A TOML string: JSON's escapes are TOML's, but for the delete character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
