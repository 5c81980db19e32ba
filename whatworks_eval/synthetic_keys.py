"""Keys of a protocol that the synthetic comparison brought: its kind, and who may be mixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from whatworks_eval.periods import EXAMPLES, period_range
from whatworks_eval.survey_keys import Section

Kind = Literal["simplex", "sdid", "augmented"]

METHOD = "synthetic"
FEWEST_BEFORE = 8
"""Before periods below which a mixture of donors fits the noise: no more numbers than the ends of a pretended
start and the periods after it need (two thirds of eight are five, and three are left to look at)."""


class SyntheticKeys(Section):
    """How `method = "synthetic"` mixes its comparison; each key has a default that suits most designs."""

    kind: Kind = Field(
        "simplex",
        description="Weights of donors that are at least 0 and add up to 1 (simplex), the same with weighted "
        "periods and a level difference (sdid), or corrected by a ridge regression, which goes beyond the "
        "donors (augmented). The others stand beside it.",
    )
    donors: tuple[str, ...] | None = Field(
        None,
        min_length=2,
        description="Codes of the comparison areas that may be mixed. Absent = all comparison areas.",
    )
    most_donors: int = Field(
        30,
        ge=2,
        le=500,
        description="Donors that may be mixed at most: those nearest in before level. With many more donors "
        "than periods, noise is fitted.",
    )


def synthetic_problems(sections: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    """What a design says against itself about a synthetic comparison, one sentence each.

    Args:
        sections: As for `contradictions`.
        given: The protocol as written.
    """
    method = sections.get("method")
    if method != METHOD:
        if METHOD in given and method is not None:
            yield (
                f"`synthetic` is given, but `method` is '{method}'; take the section out, or use method "
                "'synthetic'"
            )
        return
    outcome, areas = sections.get("outcome") or {}, sections.get("areas") or {}
    if outcome.get("source") in ("totals", "published-changes"):
        yield (
            f"`method` is 'synthetic', but source '{outcome['source']}' has no counts by area and period; "
            "use 'relative-effect'"
        )
    if outcome.get("harm"):
        yield "`outcome.harm` is not used with method 'synthetic'; take it out, or use 'relative-effect'"
    if areas.get("comparison") == "matched":
        yield (
            "`areas.comparison` is \"matched\", but method 'synthetic' chooses and weighs its donors itself; "
            'write "rest", or name the areas'
        )
    yield from _donors(sections, areas)
    yield from _length(sections)


def _donors(sections: Mapping[str, Any], areas: Mapping[str, Any]) -> Iterator[str]:
    """Donors are comparison areas, each once."""
    donors = (sections.get(METHOD) or {}).get("donors") or ()
    twice = sorted({code for code in donors if list(donors).count(code) > 1})
    if twice:
        yield f"`synthetic.donors` lists '{twice[0]}' more than once; keep one"
    comparison, treated = areas.get("comparison"), areas.get("treated")
    inside = sorted(set(donors) & set(treated if isinstance(treated, tuple) else ()))
    if inside:
        yield f"`synthetic.donors` holds '{inside[0]}', a treated area; donors are comparison areas"
    if isinstance(comparison, tuple):
        absent = sorted(set(donors) - set(comparison) - set(inside))
        if absent:
            yield (
                f"`synthetic.donors` holds '{absent[0]}', which is not in `areas.comparison`; "
                "add it there, or take it out"
            )


def _length(sections: Mapping[str, Any]) -> Iterator[str]:
    """The before window is long enough for a mixture to be more than noise."""
    window, kind = (sections.get("windows") or {}).get("before"), sections.get("period", "month")
    if not window or kind not in EXAMPLES:
        return
    try:
        periods = len(period_range(window[0], window[1], kind))
    except ValueError:
        return  # told where periods are checked
    if 0 < periods < FEWEST_BEFORE:
        yield (
            f"`windows.before` holds {periods} {kind}s; method 'synthetic' needs at least {FEWEST_BEFORE} to "
            "weigh donors by. Begin it earlier, or use method 'relative-effect'"
        )
