"""Words and a table for shares of survey respondents: percent and points, never one for the other."""

from __future__ import annotations

from whatworks_eval.judgement import Evaluation
from whatworks_eval.protocol import Protocol
from whatworks_eval.protocol_tables import ChangesTable
from whatworks_eval.records import Scale
from whatworks_eval.report.numerals import clean, percent, plain, signed

DRIFT = "places picked at an extreme tend to drift back with nothing done (regression to the mean)"
NO_CREDIT = "no change here can be credited to the project"


def is_share(protocol: Protocol) -> bool:
    """True where the outcome is a share of respondents."""
    return protocol.outcome.kind == "proportion"


def share(protocol: Protocol) -> str:
    """What the share is of, as a singular phrase.

    Example:
        >>> from whatworks_eval import load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> share(load_protocol(shipped_path("designs", "police-now-confidence")))
        'the share of people aged 16 to 24 who have confidence in the police'
    """
    outcome = protocol.outcome
    if outcome.source == "survey":
        asked = f" ('{clean(outcome.measure)}')" if outcome.measure else ""
        among = f" among {clean(outcome.subgroup)} respondents" if outcome.subgroup else ""
        return f"the survey share{asked}{among}"
    return f"the share of {clean(outcome.measure)}" if outcome.measure else "the survey share"


def published(evaluation: Evaluation, what: str) -> str:
    """The sentence for published changes in points, or of a unit nobody states."""
    changes, estimate = evaluation.protocol.outcome.changes, evaluation.estimate
    assert changes is not None
    alone = changes.comparison is None or evaluation.protocol.method == "before-after"
    than = "than before" if alone else "than comparison areas would suggest"
    given = signed(changes.treated, changes.decimals)
    if not alone and changes.comparison is not None:
        given += f" against {signed(changes.comparison, changes.decimals)}"
    points = changes.treated - (0.0 if alone or changes.comparison is None else changes.comparison)
    way = "lower" if points < 0 else "higher"
    if changes.unit == "points" or estimate.percent_change.value is None:
        size = f"{plain(points, changes.decimals)} percentage points {way} {than}"
    else:
        ratio = estimate.percent_change.value
        size = (
            f"{percent(ratio, 1, sign=False)} {'lower' if ratio < 0 else 'higher'} {than} if these are "
            "percentages, "
            f"or {plain(points, changes.decimals)} percentage points {way} if they are points, which the "
            "publication does not say"
        )
    outside = ", and the figure leaves out whatever changed everywhere" if alone else ""
    return (
        f"by the published changes ({given}), {what} was {size}; whatever the cause{outside}. No "
        "interval can be "
        "computed without the numbers of people asked, so chance is not ruled out"
    )


def changes_unit(changes: ChangesTable) -> str:
    """What published changes are in, for the head of a table.

    Example:
        >>> from whatworks_eval.protocol_tables import ChangesTable
        >>> changes_unit(ChangesTable(treated=17, comparison=3, unit="not stated"))
        'percent or points, not stated'
    """
    return {"percent": "%", "points": "percentage points", "not stated": "percent or points, not stated"}[
        changes.unit
    ]


def against(protocol: Protocol) -> str:
    """What a table of estimates shows."""
    if protocol.did.dose is not None:
        return f"Recorded with one more unit of {clean(protocol.did.dose)}, against without"
    return "Share against that expected" if is_share(protocol) else "Recorded against expected"


def axis(evaluation: Evaluation) -> str:
    """The label under a chart of estimates."""
    if scale_shown(evaluation) == "difference":
        if not is_share(evaluation.protocol):
            return f"{against(evaluation.protocol)}, {clean(evaluation.estimate.unit)}  (below zero = fewer)"
        return "Share against that expected, percentage points  (below zero = lower)"
    way = "lower" if is_share(evaluation.protocol) else "fewer"
    return f"{against(evaluation.protocol)}, %  (below zero = {way})"


def scale_shown(evaluation: Evaluation) -> Scale:
    """The scale estimates are drawn on: for shares by area and method 'did' their own, else percent."""
    own = is_share(evaluation.protocol) or evaluation.protocol.method == "did"
    return evaluation.estimate.scale if own else "log-ratio"


def rows_of_arms(evaluation: Evaluation) -> list[tuple[str, ...]]:
    """Arm, areas, share before and after in percent, and the change in points."""
    series, windowed = evaluation.series, evaluation.windowed
    assert series is not None
    assert windowed is not None
    rows: list[tuple[str, ...]] = []
    for arm in ("treated", "comparison", "buffer"):
        if arm not in series.counts:
            continue
        before, after = (float(series.counts[arm][mask].mean()) for mask in (series.before, series.after))
        rows.append(
            (
                arm.capitalize(),
                f"{int((windowed.arm == arm).sum()):,}",
                f"{plain(before, 1)} %",
                f"{plain(after, 1)} %",
                f"{signed(after - before, 1)} points",
            )
        )
    return rows


def note_on_arms(evaluation: Evaluation) -> str:
    """What stands under the table of shares."""
    found = evaluation.estimate
    if found.value is None:
        return "A change within one arm is not an effect: it holds whatever else changed."
    return (
        "Changes are in percentage points: from 60 to 66 % is 6 points, which is 10 percent of the "
        "share. A change "
        "within one arm is not an effect: it holds whatever else changed."
    )
