"""history.autocorrelation: months alike their neighbours tell less than as many separate ones."""

from __future__ import annotations

from dataclasses import replace

from whatworks_eval.caveats.applies import SERIES
from whatworks_eval.caveats.references import TIME_SERIES_ERRORS
from whatworks_eval.caveats.wording import number
from whatworks_eval.judgement import Case, EvidenceRule, Verdict
from whatworks_eval.measures.autocorrelation import autocorrelation

LARGEST = 0.6


def _judge(case: Case) -> Verdict:
    rho, spread = autocorrelation(case)
    rho = replace(rho, threshold=LARGEST)
    if rho.value is None:
        return Verdict(
            kind="not assessed",
            message=f"How alike neighbouring periods are is not measured: {rho.why_missing}.",
            evidence=(rho, spread),
        )
    kind = case.protocol.period
    said = f"What the fit leaves over in one {kind} and in the next is correlated at {number(rho.value, 2)}"
    if spread.value is not None:
        said += f", and varies {number(spread.value)} times as much as chance alone"
    if rho.value > LARGEST:
        return Verdict(
            kind="caveat",
            message=f"{said}. So much persistence may be a trend that bends, which the straight line before "
            "the start does not follow; the interval was shown to hold its promise up to "
            f"{number(LARGEST, 1)} only.",
            evidence=(rho, spread),
        )
    return Verdict(kind="clear", message=f"{said}; the interval allows for it.", evidence=(rho, spread))


RULE = EvidenceRule(
    id="history.autocorrelation",
    threat="history",
    asks="Are neighbouring periods so alike that the trend before cannot be trusted?",
    why="A good month tends to follow a good month. In series with a correlation of 0.6 and nothing in them, "
    "errors that take months as separate find something in a fifth to a quarter, and the usual correction "
    "in a quarter; the error used here in 4 to 7.5 %. The line is drawn where that was shown: beyond it "
    "a bend is as likely as persistence. It is said and does not set the level.",
    remedy="Look at the chart for a bend before the start; a longer before window, a later first period or "
    "comparison areas that bend alike would answer it.",
    applies_to=SERIES,
    source=TIME_SERIES_ERRORS,
    judge=_judge,
)
