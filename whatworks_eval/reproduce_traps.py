"""What a reader of a published number trips over, said with the numbers: one function a trap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from whatworks_eval.effects.wdd import EQUAL
from whatworks_eval.published import Computed, Published
from whatworks_eval.reproduce_measures import Rows, compute, difference, reach_of_rounding, weights_of

DIFFERENCES = {"wdd", "scaled-wdd"}
USUAL = 0.95
WORTH_SAYING = 5.0  # points between a percentage of the count before and one of the count expected


def traps_of(row: Published, rows: Rows, computed: Computed | None) -> tuple[str, ...]:
    """Sentences on the traps of a row, in the order of TRAPS, and the reading's own note last."""
    said = [] if computed is None else [trap(row, rows, computed) for trap in TRAPS]
    made_here = (
        "The published value was itself worked out from published numbers by whoever compiled the row."
        if "computed here" in row.cells["reported_measure"].casefold()
        else ""
    )
    medium = (
        "Medium confidence: read in somebody else's account." if row.cells["confidence"] == "medium" else ""
    )
    return tuple(filter(None, (*said, made_here, medium, row.reading.note)))


def narrow_interval(row: Published, rows: Rows, computed: Computed) -> str:
    """A published interval that is not a 95 % one."""
    level = row.reading.interval
    if level == USUAL or not row.cells["reported_low"]:
        return ""
    again = compute(replace(row, reading=replace(row.reading, interval=USUAL)), rows)
    if again is None or again.low is None or again.high is None:
        return ""
    return (
        f"The published interval is a {100 * level:.0f} % one, the default of the tool used; at 95 % it is "
        f"{_signed(again.low)} to {_signed(again.high)}."
    )


def one_tailed(row: Published, rows: Rows, computed: Computed) -> str:
    """A p-value of one tail."""
    if row.reading.p_sides != 1 or computed.p_value is None:
        return ""
    return f"The published p-value, {row.reading.p}, is one-tailed; two-sided it is {computed.p_value:.5f}."


def rounded(row: Published, rows: Rows, computed: Computed) -> str:
    """Rates or percentages published to few digits."""
    if row.reading.inputs not in {"rates", "changes"}:
        return ""
    low, high = reach_of_rounding(row, rows)
    return (
        f"The numbers behind it are rounded: the value could be anything from {_short(low, high - low)} to "
        f"{_short(high, high - low)}."
    )


def unequal_exposure(row: Published, rows: Rows, computed: Computed) -> str:
    """Windows or areas of unlike size: what the plain difference would have been."""
    if row.reading.measure == "difference-in-differences" and row.reading.units:
        four = [row.number(name) for name in ("treated_before", "treated_after")]
        return (
            f"Unequal exposure: {row.reading.units['treated']:g} against {row.reading.units['comparison']:g} "
            f"blocks and windows of unlike length, so the sums ({four[0]:g} and {four[1]:g} for the treated) "
            "say nothing until they are divided by both."
        )
    if row.reading.measure not in DIFFERENCES or weights_of(row) == EQUAL:
        return ""
    plain = difference(row, EQUAL, confidence=row.reading.interval)
    if plain.value is None or plain.se is None:
        return ""
    return (
        f"Unequal exposure: without the weights the counts would give {_signed(plain.value)} (standard error "
        f"{plain.se:.1f}) instead of {_signed(computed.value)}."
    )


def own_dispersion(row: Published, rows: Rows, computed: Computed) -> str:
    """An interval that leaves out the overdispersion the source itself reports."""
    phi = row.reading.dispersion
    if phi is None:
        return ""
    wider = difference(row, weights_of(row), confidence=USUAL, dispersion=phi)
    if wider.low is None or wider.high is None:
        return ""
    return (
        f"The published interval takes counts to vary by chance alone, though the source puts their "
        f"dispersion at {phi:g}; with it the 95 % interval is {_signed(wider.low)} to {_signed(wider.high)}."
    )


def inverse(row: Published, rows: Rows, computed: Computed) -> str:
    """An odds ratio above 1 that means fewer incidents."""
    if row.reading.measure != "inverse-ratio-of-changes":
        return ""
    return (
        f"Above 1 is good here: the same numbers as a ratio of recorded over expected are "
        f"{1 / computed.value:.3f}, {100 * (1 - 1 / computed.value):.0f} % fewer."
    )


def percent_of_what(row: Published, rows: Rows, computed: Computed) -> str:
    """A difference as a percentage of the count before, and of the count that was expected."""
    treated, comparison = row.pair("treated"), row.pair("comparison")
    if row.reading.measure not in DIFFERENCES or treated is None or comparison is None:
        return ""
    before, after = row.reading.time_weights or (1.0, 1.0)
    own = 100 * ((treated[1] / after) / (treated[0] / before) - 1)
    expected = treated[0] * comparison[1] / comparison[0]
    against = 100 * (treated[1] / expected - 1)
    if abs(own - against) < WORTH_SAYING:
        return ""
    return (
        f"In percent it depends on what of: the treated count changed by {own:+.0f} % of what it was before, "
        f"and stands {against:+.0f} % from what the comparison leads one to expect."
    ).replace("-", "\u2212")


TRAPS: tuple[Callable[[Published, Rows, Computed], str], ...] = (
    narrow_interval,
    one_tailed,
    own_dispersion,
    unequal_exposure,
    rounded,
    inverse,
    percent_of_what,
)


def _signed(value: float) -> str:
    return f"{value:,.1f}".replace("-", "\u2212")


def _short(value: float, width: float) -> str:
    places = 3 if width < 0.1 else 2 if width < 1 else 1
    return f"{value:.{places}f}".replace("-", "\u2212")
