"""analysis.several-outcomes: tested often enough, something always stands out."""

from __future__ import annotations

from whatworks_eval.caveats.applies import ALWAYS
from whatworks_eval.caveats.wording import counted, listed, probability
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Source, Verdict

HOLM = Source(
    key="Holm 1979",
    text="Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of "
    "Statistics 6(2), 65-70. As in statsmodels.stats.multitest.multipletests.",
)


def holm(p_values: list[float]) -> list[float]:
    """P-values adjusted for how many they are.

    Example:
        >>> [round(p, 4) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]]


def _judge(case: Case) -> Verdict | None:
    context, own = case.protocol.context, case.estimate.p_value
    others = context.outcomes
    if others is None and context.outcomes_tested is None:
        return Verdict(
            kind="not assessed",
            message="Whether other outcomes were tested too is not stated; the more there were, the more "
            "likely "
            "that one stands out by chance.",
        )
    known = [outcome for outcome in others or () if outcome.p_value is not None]
    tested = max(context.outcomes_tested or 1, 1 + len(others or ()))
    number = Measure(name="outcomes tested, this one included", unit="outcomes", value=float(tested))
    if tested == 1:
        return Verdict(kind="clear", message="No other outcome was tested.", evidence=(number,))
    said = f"{counted(tested, 'outcome')} were tested"
    if own is None:
        return Verdict(
            kind="not assessed",
            message=f"{said} and this one has no p-value, so what is left of it once the others are counted "
            "cannot be said.",
            evidence=(number,),
        )
    # Outcomes without a p-value count as tests that found nothing: the smallest step of Holm's for them.
    listed_ps = [own, *(outcome.p_value or 0.0 for outcome in known)]
    adjusted = holm(listed_ps + [1.0] * (tested - len(listed_ps)))
    evidence = (
        number,
        Measure(name="p-value of this outcome", unit="probability", value=own),
        Measure(name="the same, Holm-adjusted", unit="probability", value=adjusted[0]),
        *(
            Measure(name=f"{outcome.name}: p-value, Holm-adjusted", unit="probability", value=p)
            for outcome, p in zip(known, adjusted[1:], strict=False)
        ),
    )
    left_out = tested - len(listed_ps)
    unknown = f" ({counted(left_out, 'one')} without a p-value counted)" if left_out else ""
    ps = f"p {probability(own)} by itself and {probability(adjusted[0])} Holm-adjusted"
    alpha = 1 - case.protocol.confidence
    if own <= alpha < adjusted[0]:
        return Verdict(
            kind="caveat",
            message=f"{said}{unknown}; for this one {ps}: once the others are counted it no longer "
            "stands out.",
            evidence=evidence,
        )
    stand = [outcome.name for outcome, p in zip(known, adjusted[1:], strict=False) if p <= alpha]
    also = f" Of the others, {listed(stand)} stands out." if stand else ""
    return Verdict(kind="clear", message=f"{said}{unknown}; for this one {ps}.{also}", evidence=evidence)


RULE = EvidenceRule(
    id="analysis.several-outcomes",
    threat="analysis",
    asks="How many outcomes were tested, and does this one stand out once all are counted?",
    why="With five outcomes and nothing done, one in four evaluations finds at least one at the 5 % "
    "level (1 - "
    "0.95^5 = 23 %). Holm's adjustment, beside the raw p-value, holds that at 5 % whatever the outcomes "
    "have to "
    "do with each other. It is said and does not set the level.",
    remedy="List every outcome that was tested under [context] outcomes, with its p-value; name the main one "
    "before the start.",
    applies_to=ALWAYS,
    source=HOLM,
    judge=_judge,
)
