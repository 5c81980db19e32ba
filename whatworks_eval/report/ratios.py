"""Published 'for every pound' claims checked, as words for the terminal: built from the numbers checked."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from whatworks_eval.report.numerals import MINUS, counted, signed
from whatworks_eval.report.pounds import money
from whatworks_eval.report.tables import ABSENT
from whatworks_eval.reproduce_economics import OUTCOMES, Checked, unit_of

WIDTH = 96
MEDIUM = "Medium confidence: read in somebody else's account."
SAID = (
    "Gross = before the pound spent is taken off; net = after. A ratio is no better than the effect it "
    "multiplies, whose design is named with each claim as its source describes it; a ratio that follows from "
    "its inputs may still rest on an effect that is not there."
)


def for_every(found: Checked) -> str:
    """The claim as 'for every £1', gross and net told apart; '' where it is no ratio or none is printed.

    Example:
        >>> from whatworks_eval.reproduce_economics import check_claims
        >>> by_id = {one.claim.id: one for one in check_claims()}
        >>> for_every(by_id["TF-B"])
        'For every £1 spent, £1.51 gross (fiscal); £0.51 net of the £1.'
        >>> for_every(by_id["CDF-B"])  # doctest: +ELLIPSIS
        'From the inputs printed, £5.39 gross (health service) for every £1 spent, not £14.80; £4.39 net ...'
    """
    cells, sign = found.claim.cells, found.claim.sign
    if not found.claim.is_ratio or not cells["reported"]:
        return ""
    printed = float(cells["reported"])
    places = max(2, len(cells["reported"].partition(".")[2]))
    said = f"{sign}{printed:,.{places}f}"
    if cells["basis"] == "not stated":
        return (
            f"For every {sign}1 spent, {said}; not stated whether before the {sign}1 is taken off (then "
            f"{sign}{printed - 1:,.{places}f} net) or after (then {sign}{printed + 1:,.{places}f} gross)."
        )
    who = "" if cells["perspective"] in {"", "not stated"} else f" ({cells['perspective']})"
    if found.outcome == "does not follow" and found.computed is not None:
        return (
            f"From the inputs printed, {sign}{found.computed:,.{places}f} gross{who} for every {sign}1 "
            f"spent, not {said}; {_pounds(found.computed - 1, sign, places)} net of the {sign}1."
        )
    return (
        f"For every {sign}1 spent, {said} gross{who}; "
        f"{_pounds(printed - 1, sign, places)} net of the {sign}1."
        + (" As printed: it could not be checked." if found.outcome == "cannot be checked" else "")
    )


def _pounds(value: float, sign: str, places: int) -> str:
    return f"{MINUS if value < 0 else ''}{sign}{abs(value):,.{places}f}"


def printed_cell(found: Checked) -> str:
    """The number as printed; a dash where none is."""
    return _number(found.claim.cells["reported"], found, None)


def computed_cell(found: Checked) -> str:
    """What the inputs give, to one digit more than was printed; a dash where they give nothing."""
    if found.computed is None:
        return ABSENT
    return _number(found.claim.cells["reported"], found, found.computed)


def _number(text: str, found: Checked, computed: float | None) -> str:
    if not text:
        return ABSENT
    value = float(text) if computed is None else computed
    if found.claim.cells["measure"] == "benefit":
        return money(value, found.claim.sign)
    places = len(text.partition("e")[0].partition(".")[2]) + (computed is not None)
    return signed(value, places, plus=False)


def ratios_text(every: Sequence[Checked]) -> str:
    """Every claim on a line, then what is to be said of each, for the terminal."""
    heads = ("Claim", "Project", "Printed", "From inputs", "Outcome")
    rows = [
        (
            one.claim.id + ("*" if one.claim.cells["confidence"] == "medium" else ""),
            textwrap.shorten(one.claim.cells["project"], 44, placeholder="…"),
            printed_cell(one),
            computed_cell(one),
            one.outcome,
        )
        for one in every
    ]
    sizes = [max(len(line[at]) for line in (heads, *rows)) for at in range(len(heads))]
    lines = [
        "  ".join(
            cell.rjust(size) if at in {2, 3} else cell.ljust(size)
            for at, (cell, size) in enumerate(zip(line, sizes, strict=True))
        ).rstrip()
        for line in (heads, *rows)
    ]
    parts = ["\n".join(lines)]
    for one in every:
        parts.append(_filled(f"{one.claim.id}: {' '.join(to_say(one))}"))
    parts += [_filled(tally(every)), _filled(SAID)]
    return "\n\n".join(parts)


def to_say(found: Checked) -> list[str]:
    """Sentences on one claim: what it says, what follows, gross and net, what it rests on, its source."""
    cells, sign = found.claim.cells, found.claim.sign
    said = [f"“{cells['claim']}”.", for_every(found)]
    if found.outcome == "does not follow":
        said.append(f"Does not follow from its stated inputs: {found.reason}.")
    elif found.outcome == "cannot be checked":
        said.append(f"Cannot be checked: {found.reason}.")
    elif found.computed is not None and not _to_the_digits(found):
        said.append("It follows only within the rounding of the inputs.")
    if found.gross is not None and found.net is not None:
        said.append(f"In all {money(found.gross, sign)} gross, {money(found.net, sign)} net of cost.")
    said += [f"Rests on: {cells['rests_on'][:1].lower()}{cells['rests_on'][1:]}.", cells["note"]]
    said += [MEDIUM if cells["confidence"] == "medium" else "", f"Source: {cells['source']}."]
    return [sentence for sentence in said if sentence]


def _to_the_digits(found: Checked) -> bool:
    text = found.claim.cells["reported"]
    return abs((found.computed or 0.0) - float(text)) <= unit_of(text) / 2


def tally(every: Sequence[Checked]) -> str:
    """How many claims follow, do not, or cannot be checked."""
    size = {outcome: sum(one.outcome == outcome for one in every) for outcome in OUTCOMES}
    return (
        f"{counted(len(every), 'published claim')}: {size['follows']} follow from the inputs printed beside "
        f"them, {size['does not follow']} do not, {size['cannot be checked']} cannot be checked because "
        "inputs are not given. Claims marked * were read in somebody else's account."
    )


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
