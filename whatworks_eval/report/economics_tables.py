"""The tables of the economics: the answer, the chain of assumptions, who pays, who gains."""

from __future__ import annotations

from collections.abc import Mapping

from whatworks_eval.economics.records import Confidence, CostBenefit
from whatworks_eval.records import Interval
from whatworks_eval.report.economics_words import STAFF_HOURS, chain_cell
from whatworks_eval.report.numerals import number, signed
from whatworks_eval.report.pounds import cell, ratio, whole
from whatworks_eval.report.tables import ABSENT, Table

SEEN: Mapping[Confidence | None, str] = {
    "seen_verbatim": "seen in the source itself",
    "secondary": "seen in somebody else's account of the source",
    "derived": "worked out from a source",
    "stated by the user": "stated in the protocol",
    None: "from this evaluation",
}
RANGED = ("Low", "Central", "High")


def answer(made: CostBenefit) -> Table:
    """Costs, benefits, net value and ratio: low, central, high."""
    hours = made.edition == STAFF_HOURS
    each, many = (
        ("unit saved", "Units saved") if hours else ("incident prevented", "Recorded incidents prevented")
    )
    rows = [
        ("Costs (present value)", *_three(made.cost)),
        ("Benefits (present value)", *_three(made.benefit)),
        ("Net present social value", *_three(made.net)),
        ("Benefits over costs", *(ratio(end) for end in (made.ratio.low, made.ratio.value, made.ratio.high))),
        (f"Cost for each {each}", *_three(made.cost_per_incident)),
        (f"{many} a year", *_plain(made.prevented_a_year)),
    ]
    if made.break_even_incidents is not None:
        rows.append(
            (
                f"{'Units' if hours else 'Incidents'} a year at which it breaks even",
                *(ABSENT, _number(made.break_even_incidents), ABSENT),
            )
        )
    notes = [
        f"Pounds of {made.price_year}, discounted to {made.base_year}. Declared costs have no range. "
        "Sentences "
        "round to three figures; tables give whole pounds."
    ]
    if made.range_why_missing:
        notes.append(f"No range: {cell(made.range_why_missing).rstrip('.')}.")
    return Table(
        caption=f"The answer, low to high (effect at design strength level {made.level} of 5)",
        columns=("", *RANGED),
        rows=tuple(rows),
        numeric=(1, 2, 3),
        notes=tuple(notes),
    )


def chain(made: CostBenefit) -> Table:
    """Every assumption from incidents to ratio, in order."""
    return Table(
        caption="The chain of assumptions, from incidents to the ratio",
        columns=("Step", *RANGED, "Unit", "Where it comes from"),
        rows=tuple(
            (
                cell(one.step),
                *(chain_cell(end, one.unit) for end in (one.low, one.value, one.high)),
                cell(one.unit),
                cell(f"{one.source} ({SEEN[one.confidence]})" if one.confidence else one.source),
            )
            for one in made.chain
        ),
        numeric=(1, 2, 3),
        notes=("A dash under low and high: held fixed.",),
    )


def costs(made: CostBenefit) -> Table:
    """Every declared cost, as declared and as it counts."""
    rows: list[tuple[str, ...]] = [
        (
            cell(one.item),
            cell(one.year),
            one.kind,
            one.payer,
            "cash" if one.cash else "time or use",
            whole(one.gbp),
            whole(one.real),
            whole(one.present_value),
        )
        for one in made.costs
    ]
    total = sum(one.real for one in made.costs)
    rows.append(("All costs", "", "", "", "", ABSENT, whole(total), whole(made.cost.value)))
    return Table(
        caption="What it cost",
        columns=(
            *("Item", "Year", "Kind", "Who pays", "Cash or time"),
            *("As declared", f"In {made.price_year} prices", "Present value"),
        ),
        rows=tuple(rows),
        numeric=(5, 6, 7),
        notes=(
            f"Money paid out {whole(made.cost_cash)}; time and things that had another use "
            f"{whole(made.cost_opportunity)}.",
        ),
    )


def pays_and_gains(made: CostBenefit) -> Table:
    """Who bears the costs and who has the benefits, with each side's net: seldom the same people."""
    rows = [
        (cell(who), whole(pounds), whole(0.0), whole(-pounds))
        for who, pounds in made.cost_by_payer.items()
        if who not in made.benefit_by_beneficiary and pounds
    ]
    paying = {str(who): pounds for who, pounds in made.cost_by_payer.items()}
    for who, pounds in made.benefit_by_beneficiary.items():
        paid = paying.get(who, 0.0)
        named = "not split by the source" if who == "not split" else cell(who)
        rows.append((named, whole(paid), whole(pounds), whole(pounds - paid)))
    rows.append(("All", whole(made.cost.value), whole(made.benefit.value), whole(made.net.value)))
    return Table(
        caption="Who pays and who gains (central, present value)",
        columns=("Who", "Pays", "Gains", "Net"),
        rows=tuple(_capital(row) for row in rows),
        numeric=(1, 2, 3),
    )


def perspectives(made: CostBenefit) -> Table:
    """The benefit as fiscal, economic and social, and what of the fiscal part is cash."""
    rows = [
        (f"{kind[:1].upper()}{kind[1:]}", whole(pounds))
        for kind, pounds in made.benefit_by_perspective.items()
    ]
    if made.cashable is not None:
        rows.append(("Of the fiscal part: cash that can be taken out of a budget", whole(made.cashable)))
    if made.capacity_released is not None:
        rows.append(("Of the fiscal part: time and capacity released", whole(made.capacity_released)))
    return Table(
        caption="What sort of benefit (central, present value)",
        columns=("Sort", "Pounds"),
        rows=tuple(rows),
        numeric=(1,),
    )


def by_offence(made: CostBenefit) -> Table | None:
    """Incidents prevented, multiplier, unit cost and benefit by costed offence; None without any."""
    if not made.benefits:
        return None
    edges = (("low", "Low"), ("value", "Central"), ("high", "High"))
    return Table(
        caption="Benefit by offence",
        columns=(
            *(
                "Counted as",
                "Valued as",
                "Share",
                "Incidents prevented",
                "Actual for each recorded",
                "Each costs",
            ),
            *(name for _, name in edges),
        ),
        rows=tuple(
            (
                cell(line.category),
                cell(line.offence),
                f"{100 * line.share:.0f} %",
                _number(line.incidents.value),
                number(float(f"{line.multiplier:.3g}")),
                whole(line.unit_cost.value),
                *(whole(getattr(line.present_value, edge)) for edge, _ in edges),
            )
            for line in made.benefits
        ),
        numeric=(2, 3, 4, 5, 6, 7, 8),
        notes=(f"Unit costs: {made.edition}, in {made.price_year} prices.",),
    )


def not_valued(made: CostBenefit) -> Table | None:
    """What no pound stands for; None where everything is valued."""
    if not made.not_valued:
        return None
    return Table(
        caption="Not valued: counted in the effect, worth nothing in the sum",
        columns=("Offence", "Share of incidents", "Why"),
        rows=tuple(
            (cell(one.category), ABSENT if one.share is None else f"{100 * one.share:.0f} %", cell(one.why))
            for one in made.not_valued
        ),
        numeric=(1,),
    )


def tornado(made: CostBenefit) -> Table:
    """What each input does to the ratio by itself, the largest first."""
    return Table(
        caption="Benefits over costs with one input at its low or high, all others central",
        columns=("Input", "Low", "High", "Ratio at low", "Ratio at high"),
        rows=tuple(
            (
                cell(f"{one.input[:1].upper()}{one.input[1:]}"),
                f"{chain_cell(one.low, one.unit)}{_unit(one.unit)}",
                f"{chain_cell(one.high, one.unit)}{_unit(one.unit)}",
                ratio(one.ratio_at_low),
                ratio(one.ratio_at_high),
            )
            for one in made.tornado
        ),
        numeric=(1, 2, 3, 4),
    )


def tables_of(made: CostBenefit) -> list[Table]:
    """Every table but the tornado's, in the order of the report."""
    if made.ratio.value is None:
        every: list[Table | None] = [costs(made), not_valued(made), chain(made) if made.chain else None]
    else:
        every = [
            *(answer(made), pays_and_gains(made), perspectives(made), costs(made)),
            *(by_offence(made), not_valued(made), chain(made)),
        ]
    return [table for table in every if table is not None]


def _unit(unit: str) -> str:
    return "" if unit.startswith("£") else f" {cell(unit)}"


def _three(span: Interval) -> tuple[str, str, str]:
    return whole(span.low), whole(span.value), whole(span.high)


def _plain(span: Interval) -> tuple[str, str, str]:
    return _number(span.low), _number(span.value), _number(span.high)


def _number(value: float | None) -> str:
    return ABSENT if value is None else signed(value, 0 if abs(value) >= 10 else 1, plus=False)


def _capital(row: tuple[str, ...]) -> tuple[str, ...]:
    return (f"{row[0][:1].upper()}{row[0][1:]}", *row[1:])
