"""analysis.harm-weights: an average over a category is not the index."""

from __future__ import annotations

from whatworks_eval.caveats.applies import WITH_COMPARISON
from whatworks_eval.effects.harm import harm_scheme
from whatworks_eval.judgement import DesignRule, Source, Verdict
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict | None:
    name = protocol.outcome.harm
    if name is None:
        return None
    return Verdict(
        kind="caveat",
        message=f"The effect is also weighed by harm ({name}). {harm_scheme(name).caveat}.",
    )


RULE = DesignRule(
    id="analysis.harm-weights",
    threat="analysis",
    asks="Are incidents weighed by harm, and with what?",
    why="Street-level files name a category, not an offence, so the weight is an average over all that the "
    "category holds: violence alone spans 1 to 5,475 days. One group that took means of subgroups for "
    "violence and sexual offences came to 730 days, against a median of 182.5. It changes what the number "
    "means, not how well the design isolates it, and does not set the level.",
    remedy="Use Home Office offence codes where the force supplies them, and report the number of incidents "
    "first.",
    applies_to=WITH_COMPARISON,
    source=Source(
        key="Sherman, Neyroud and Neyroud 2016",
        text="Sherman, L., Neyroud, P. W. and Neyroud, E. (2016). The Cambridge Crime Harm Index. "
        "Policing 10(3), 171-183. Category averages and vintages: datasets/harm-weights in this package.",
    ),
    judge=_judge,
)
