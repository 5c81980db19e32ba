"""recording.known-break: the yardstick changed, on a date that is known."""

from __future__ import annotations

import re

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.references import BREAKS
from whatworks_eval.caveats.wording import listed
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.breaks import Break, breaks_between
from whatworks_eval.measures.declared import has_comparison
from whatworks_eval.measures.recording import force_weights

UNEVEN = 0.10  # of an arm's incidents


def _judge(case: Case) -> Verdict:
    known = breaks_between(case.protocol)
    if known is None:
        return Verdict(
            kind="not assessed",
            message="The windows are not declared, so known changes in recording cannot be looked up.",
        )
    treated, comparison = force_weights(case, "treated"), force_weights(case, "comparison")
    touching = [
        found for found in known if not found.force or found.force in treated or found.force in comparison
    ]
    if not touching:
        return Verdict(
            kind="clear",
            message="No known change in recording for these offences falls in the time compared.",
        )
    what = listed([f"{_from(found)}: {_brief(found.what)}" for found in touching], most=2)
    if not has_comparison(case.protocol):
        return Verdict(
            kind="caveat",
            message=f"Recording changed in the time compared ({what}), and there is no comparison to take it "
            "out.",
            cap=2,
        )
    if not treated or not comparison:
        # What the protocol says of recording stands in where the data do not say whose areas these are.
        said = case.protocol.context.recording_changes is not None
        return Verdict(
            kind="caveat" if said else "not assessed",
            message=f"Recording changed in the time compared ({what}); whether both arms are recorded by the "
            "same force, so that it cancels, the data do not say.",
            cap=5 if said else 3,
        )
    if any(_uneven(found, treated, comparison) for found in touching):
        return Verdict(
            kind="caveat",
            message=f"Recording changed in the time compared ({what}), and the two arms lie in different "
            "forces, so it may not cancel.",
            cap=2,
        )
    return Verdict(
        kind="caveat",
        message=f"Recording changed in the time compared ({what}); both arms are recorded by the same force, "
        "so most of it cancels.",
    )


def _uneven(known: Break, treated: dict[str, float], comparison: dict[str, float]) -> bool:
    """Whether the arms met the change differently: a national one as each force took it up."""
    forces = [known.force] if known.force else sorted({*treated, *comparison})
    return any(abs(treated.get(force, 0.0) - comparison.get(force, 0.0)) > UNEVEN for force in forces)


def _from(known: Break) -> str:
    return f"from {known.start:%Y-%m}" + ("" if known.end is None else f" to {known.end:%Y-%m}")


def _brief(what: str) -> str:
    """The first clause of a description."""
    return re.split(r"; | \(", what, maxsplit=1)[0].strip().rstrip(".")


RULE = EvidenceRule(
    id="recording.known-break",
    threat="recording",
    asks="Does a known change in recording for these offences fall in the time compared?",
    why="Counting rules change (2023: one principal crime an incident), forces change systems, inspections "
    "raise recording. Inside one force both arms meet the change together and most of it cancels, so it is "
    "said without lowering the level; arms in different forces (more than a tenth of one arm's incidents "
    "elsewhere), or no comparison, leave it in the answer: level 2. Where the data do not name forces, "
    "[context] recording_changes must say what is known, or the level is 3 at most.",
    remedy="Choose windows on one side of the change, or comparison areas in the same force; for count "
    "tables state [context] recording_changes.",
    applies_to=BEFORE_AND_AFTER,
    source=BREAKS,
    judge=_judge,
)
