"""recording.declared-change: a change in how incidents are recorded, which the counts cannot show."""

from __future__ import annotations

from whatworks_eval.caveats.applies import BEFORE_AND_AFTER
from whatworks_eval.caveats.references import HMIC
from whatworks_eval.caveats.wording import listed
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import has_comparison, inside_windows
from whatworks_eval.periods import first_day
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict:
    changes = protocol.context.recording_changes
    if changes is None:
        return Verdict(
            kind="not assessed",
            message="Whether recording practice changed in these areas is not stated.",
        )
    # Where the windows are not declared, every declared change may lie between them.
    inside = [
        change
        for change in changes
        if inside_windows(protocol, first_day(change.start, protocol.period)) is not False
    ]
    if not inside:
        said = "No change in recording practice is declared" + (" inside the windows." if changes else ".")
        return Verdict(kind="clear", message=said)
    uneven = [
        change
        for change in inside
        if change.arm == "treated"
        or (change.arm == "comparison" and has_comparison(protocol))
        or (change.arm == "both" and not has_comparison(protocol))
    ]
    what = listed([f"{change.what}, from {change.start}" for change in (uneven or inside)])
    if uneven:
        return Verdict(
            kind="caveat",
            message=f"Recording practice changed in one arm and not the other between the windows ({what}), "
            "so part of the difference may be recording.",
            cap=2,
        )
    return Verdict(
        kind="caveat",
        message=f"Recording practice changed between the windows ({what}); it is said to have changed in "
        "both arms alike, where the comparison takes it out.",
    )


RULE = DesignRule(
    id="recording.declared-change",
    threat="recording",
    asks="Did recording practice change in one arm between the windows?",
    why="A new crime system or a recording drive moves counts by more than most projects do: inspectors "
    "put the share of reported crime that was recorded at 80.5 % in 2014 and forces have raised it since. "
    "A change both arms share cancels; a change in one arm is taken for the project, and no amount of data "
    "can tell.",
    remedy="Choose windows on one side of the change or comparison areas that share it; say in [context] "
    "recording_changes what is known (an empty list says there was none).",
    applies_to=BEFORE_AND_AFTER,
    source=HMIC,
    judge=_judge,
)
