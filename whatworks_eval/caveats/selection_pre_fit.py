"""selection.pre-fit: a mixture that did not run with the treated areas before cannot stand in after."""

from __future__ import annotations

from whatworks_eval.caveats.applies import MIXED
from whatworks_eval.caveats.references import SYNTHETIC
from whatworks_eval.caveats.wording import as_percent, number, percent, probability
from whatworks_eval.judgement import Case, EvidenceRule, Measure, Verdict
from whatworks_eval.synthetic_records import SyntheticComparison

ALARM = 0.02  # of sound designs, for the fit and for the pretended start each
EXACT = 0.1  # % of the level: a closer fit is no fit but arithmetic
FEW_SETS = 2.0  # times the typical gap, where there are too few sets for such a rank


def _judge(case: Case) -> Verdict | None:
    made = case.synthetic
    if made is None:
        return None
    evidence = _evidence(made)
    if made.fit.p_value is None or made.fit.typical is None:
        return Verdict(
            kind="not assessed",
            message="How well donors stand in for places where nothing was done is not known: no set of "
            "areas like the treated could be drawn to measure it on.",
            cap=2,
            evidence=evidence,
        )
    share = f"{number(made.fit.rmspe)} % of the level before"
    if _poor(made):
        return Verdict(
            kind="caveat",
            message=f"Before the start the mixture missed the treated areas by {share}, where places like "
            f"them are missed by {number(made.fit.typical)} %. What did not run alike before cannot be "
            "expected to after.",
            cap=2,
            evidence=evidence,
        )
    started = made.in_time
    if started.value is not None and started.p_value is not None and started.p_value <= ALARM:
        return Verdict(
            kind="caveat",
            message=f"With the start pretended to be {started.start}, the same comparison finds "
            f"{percent(as_percent(started.value))} before anything was done, more than places like the "
            f"treated show (p {probability(started.p_value)}).",
            cap=2,
            evidence=evidence,
        )
    said = f"Before the start the mixture missed the treated areas by {share}, as it does places like them"
    if made.fit.rmspe < EXACT:
        said = (
            "Before the start the mixture fits exactly, as so many donors can be made to fit so few periods: "
            "that does not show that they run alike"
        )
    if started.value is None:
        return Verdict(kind="clear", message=f"{said}; no pretended start could be tried.", evidence=evidence)
    return Verdict(
        kind="clear",
        message=f"{said}; with the start pretended to be {started.start} it finds "
        f"{percent(as_percent(started.value))}, no more than in such places.",
        evidence=evidence,
    )


def _poor(made: SyntheticComparison) -> bool:
    fit = made.fit
    if fit.p_value is None or fit.smallest_p is None or fit.typical is None or fit.rmspe < EXACT:
        return False  # ranks among exact fits are of rounding
    if fit.smallest_p <= ALARM:
        return fit.p_value <= ALARM
    return fit.p_value <= fit.smallest_p and fit.rmspe > FEW_SETS * fit.typical


def _evidence(made: SyntheticComparison) -> tuple[Measure, ...]:
    started = made.in_time
    return (
        Measure(name="gap before the start, root mean square", unit="% of the level", value=made.fit.rmspe),
        Measure(
            name="the same in places like the treated, typically",
            unit="% of the level",
            value=made.fit.typical,
            why_missing=None if made.fit.typical is not None else "there are no such places",
        ),
        Measure(
            name="share of such places that fit no better",
            unit="probability",
            value=made.fit.p_value,
            threshold=ALARM,
            why_missing=None if made.fit.p_value is not None else "there are no such places",
        ),
        Measure(
            name="effect with the start pretended to be earlier",
            unit="%",
            value=None if started.value is None else as_percent(started.value),
            why_missing=None if started.value is not None else started.why_missing,
        ),
        Measure(
            name="share of such places that show as much",
            unit="probability",
            value=started.p_value,
            threshold=ALARM,
            why_missing=None if started.p_value is not None else "there is nothing to rank among",
        ),
    )


RULE = EvidenceRule(
    id="selection.pre-fit",
    threat="selection",
    asks="Did the mixture of donors run with the treated areas before the start?",
    why="A synthetic comparison stands on its fit before the start. There is no natural size for a poor one: "
    "a small area's count moves by half its level through chance alone. So the gap before is ranked among "
    "those of placebo sets, each over what its level leads to, and so is the effect 'found' with the start "
    "pretended to be two thirds into the before window, for weights that fit by chance do not last. Among "
    "the worst 2 % in either, comparability is contradicted: level 2 at most. The two together mark down "
    "fewer than one sound design in twenty. With fewer than 49 sets, the worst of all fires where it is "
    "also over twice the typical gap.",
    remedy="Add donors that moved as the treated areas did, lengthen the before window, or use method "
    "'relative-effect' and say that no mixture fits.",
    applies_to=MIXED,
    source=SYNTHETIC,
    judge=_judge,
)
