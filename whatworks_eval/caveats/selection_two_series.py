"""selection.two-series: many areas added into one series each side are one pair, however long the series."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ONE_SERIES
from whatworks_eval.caveats.references import WWG
from whatworks_eval.judgement import DesignRule, Verdict
from whatworks_eval.measures.declared import has_comparison
from whatworks_eval.protocol import Protocol


def _judge(protocol: Protocol) -> Verdict | None:
    if not has_comparison(protocol):
        return None  # selection.no-comparison says what there is to say
    other = "one mixture of donors" if protocol.method == "synthetic" else "one comparison series"
    return Verdict(
        kind="caveat",
        message=f"One treated series is compared with {other}: something that reached only the "
        "treated areas at the start cannot be told from the project.",
        cap=3,
    )


RULE = DesignRule(
    id="selection.two-series",
    threat="selection",
    asks="Is the answer read from one series on each side?",
    why="A long series shows the trend before the start, which is more than two totals can. It does not make "
    "one place into several: a time series with a comparison series, or with a mixture of donors, is level 3 "
    "on the scales used here.",
    remedy="Use method 'relative-effect' with at least six treated units, matched or drawn by lot, where a "
    "higher level is wanted; keep the series as a second look.",
    applies_to=ONE_SERIES,
    source=WWG,
    judge=_judge,
)
