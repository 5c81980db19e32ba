"""recording.detection-driven: some offences are recorded because police go looking."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.wording import listed
from whatworks_eval.judgement import DesignRule, Source, Verdict
from whatworks_eval.protocol import Protocol

DETECTION_DRIVEN = ("Drugs", "Possession of weapons", "Public order", "Public disorder and weapons")
_FOLDED = {name.casefold() for name in DETECTION_DRIVEN}


def _judge(protocol: Protocol) -> Verdict:
    offences = protocol.outcome.offences
    if offences is None:
        if protocol.outcome.source == "police-uk":
            return Verdict(
                kind="caveat",
                message="All offences are counted together, among them drugs, weapons and public order, "
                "which rise when police look for them, so more patrol can raise the count.",
            )
        return Verdict(
            kind="not assessed",
            message="Which offences are counted is not stated, so whether patrol itself would raise the "
            "count is not known.",
        )
    driven = [offence for offence in offences if offence.strip().casefold() in _FOLDED]
    if driven:
        return Verdict(
            kind="caveat",
            message=f"{listed(driven)} {'is' if len(driven) == 1 else 'are'} recorded mostly when police "
            "look, so more patrol can raise the count and a fall can mean less activity.",
        )
    return Verdict(
        kind="clear",
        message=f"The offences counted ({listed(offences)}) are mostly reported by the public rather than "
        "found.",
    )


RULE = DesignRule(
    id="recording.detection-driven",
    threat="recording",
    asks="Would police activity by itself raise the count?",
    why="Drugs, weapons and public order offences are recorded largely when officers find them. A rise may "
    "be the project being delivered, a fall may be fewer officers, so these belong outside the main "
    "outcome. It changes what the number means, not how well the design isolates it, and does not set the "
    "level.",
    remedy="Leave drugs, possession of weapons and public order out of [outcome] offences, and report them "
    "apart as activity.",
    applies_to=ALWAYS,
    source=Source(
        key="whatworks_eval, after Farrington 2003",
        text="Reasoned here: offences recorded through police activity measure that activity (construct "
        "validity, Farrington 2003, Annals of the American Academy 587, 49-68).",
    ),
    judge=_judge,
)
