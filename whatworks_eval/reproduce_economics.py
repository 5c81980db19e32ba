"""Published 'for every pound' claims worked out again from the inputs printed beside them.

    published_ratios.csv ─► Claim ─► Checked: follows · does not follow · cannot be checked

A claim follows where its stated inputs give the number printed, at the digits printed, allowing for the
rounding of the inputs. Whether a benefit is gross (before the pound spent is taken off) or net is read from
the source and never guessed; what is not stated is said not to be.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from whatworks_eval.errors import DataError
from whatworks_eval.shipped import shipped_path

DATASET = "published-ratios"
TABLE = "published_ratios.csv"
RATIO = "benefit-cost ratio"

Outcome = Literal["follows", "does not follow", "cannot be checked"]
OUTCOMES: tuple[Outcome, ...] = ("follows", "does not follow", "cannot be checked")
BASES = ("gross", "net", "not stated", "")
INPUTS = (
    *("benefit", "net_benefit", "cost", "set_up", "running", "years"),
    *("quantity", "unit_value", "comparison_value"),
)
EXACT = {"years", "quantity"}  # counted, not rounded
Numbers = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One published claim about money, as its source prints it.

    Attributes:
        id: For ever.
        cells: Every cell of its row as printed: the digits say to what a number was published.
    """

    id: str
    cells: Mapping[str, str]

    def number(self, column: str) -> float | None:
        """A cell as a number; None where it is empty."""
        text = self.cells[column]
        return float(text) if text else None

    @property
    def is_ratio(self) -> bool:
        """True for a benefit over a cost."""
        return self.cells["measure"] == RATIO

    @property
    def sign(self) -> str:
        """The currency's sign."""
        return "US$" if self.cells["currency"] == "USD" else "£"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A claim with what its stated inputs give.

    Attributes:
        claim: What was published.
        outcome: Whether the claim follows from its stated inputs.
        computed: What they give; None where they are not stated.
        low: The least they give within the rounding of the inputs.
        high: The most.
        gross: Benefit before the cost is taken off, in the source's money; None where not known.
        net: Benefit after; None where not known.
        reason: Why it does not follow, or cannot be checked; '' where it follows.
    """

    claim: Claim
    outcome: Outcome
    computed: float | None = None
    low: float | None = None
    high: float | None = None
    gross: float | None = None
    net: float | None = None
    reason: str = ""


def unit_of(text: str) -> float:
    """The size of the last digit a number was printed to.

    Example:
        >>> unit_of("2.18"), unit_of("366e6"), unit_of("2.0e4"), unit_of("5493")
        (0.01, 1000000.0, 1000.0, 1.0)
    """
    mantissa, _, exponent = text.partition("e")
    return float(f"1e{int(exponent or 0) - len(mantissa.partition('.')[2])}")


FORMULAS: Mapping[str, tuple[tuple[str, ...], Callable[[Numbers], float]]] = {
    "benefit-over-cost": (("benefit", "cost"), lambda n: n["benefit"] / n["cost"]),
    "quantity-times-value": (("quantity", "unit_value"), lambda n: n["quantity"] * n["unit_value"]),
    "quantity-times-value-over-cost": (
        ("quantity", "unit_value", "cost"),
        lambda n: n["quantity"] * n["unit_value"] / n["cost"],
    ),
    "years-of-benefit-over-cost": (
        ("benefit", "set_up", "running", "years"),
        lambda n: n["years"] * n["benefit"] / (n["set_up"] + n["years"] * n["running"]),
    ),
    "percent-fewer": (
        ("quantity", "comparison_value"),
        lambda n: 100 * (1 - n["quantity"] / n["comparison_value"]),
    ),
    # The cost is what the other ratio of the same programme implies: its net benefit over its ratio less 1.
    "one-cost-two-ratios": (
        ("net_benefit", "of.net_benefit", "of.reported"),
        lambda n: 1 + n["net_benefit"] * (n["of.reported"] - 1) / n["of.net_benefit"],
    ),
}


def load_claims(folder: Path | None = None) -> tuple[Claim, ...]:
    """Every row of the shipped table, in its order.

    Args:
        folder: Where the table lies; None = the shipped one.

    Raises:
        DataError: Every cell that cannot be read, with its row and column.

    Example:
        >>> claims = load_claims()
        >>> claims[0].id, claims[0].cells["reported"]
        ('ALG-A', '2.01e6')
    """
    folder = shipped_path("datasets", DATASET) if folder is None else folder
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if problems := list(_problems(rows)):
        raise DataError(problems)
    return tuple(Claim(id=row["id"], cells=row) for row in rows)


def _problems(rows: list[dict[str, str]]) -> Iterable[str]:
    there: dict[str, dict[str, str]] = {}
    for row in rows:
        place = f"{TABLE}, row {row['id']}"
        if row["id"] in there:
            yield f"{place}: is there twice; keep one"
        there.setdefault(row["id"], row)
        if row["basis"] not in BASES:
            yield f"{place}: basis is '{row['basis']}'; expected gross, net or not stated"
        for column in ("reported", *INPUTS):
            if row[column] and not _is_number(row[column]):
                yield f"{place}: {column} is '{row[column]}', not a number"
    for row in rows:
        place = f"{TABLE}, row {row['id']}"
        if row["formula"] and row["formula"] not in FORMULAS:
            yield f"{place}: formula is '{row['formula']}'; expected one of {', '.join(FORMULAS)}"
        elif not row["formula"] and not row["reason"]:
            yield f"{place}: no formula and no reason; say why the claim cannot be checked"
        elif row["formula"]:
            for name in ("reported", *FORMULAS[row["formula"]][0]):
                own, _, column = name.rpartition(".")
                held = there.get(row["of"], {}) if own else row
                if not held.get(column):
                    yield f"{place}: formula '{row['formula']}' needs {name}, which is empty"


def check_claims(folder: Path | None = None) -> tuple[Checked, ...]:
    """Every published claim with what its stated inputs give, in the order of the table.

    Args:
        folder: Where the table lies; None = the shipped one.

    Raises:
        DataError: The table cannot be read.

    Example:
        >>> found = {one.claim.id: one for one in check_claims()}
        >>> found["TF-C"].outcome, round(found["TF-C"].computed, 4), found["TF-C"].net
        ('follows', 2.1846, 6507.0)
        >>> found["CDF-A"].outcome, round(found["CDF-A"].computed, 1)
        ('does not follow', 29.7)
    """
    claims = {claim.id: claim for claim in load_claims(folder)}
    return tuple(_check(claim, claims) for claim in claims.values())


def _check(claim: Claim, claims: Mapping[str, Claim]) -> Checked:
    formula = claim.cells["formula"]
    if not formula:
        return Checked(claim=claim, outcome="cannot be checked", reason=claim.cells["reason"])
    names, made = FORMULAS[formula]
    texts = {name: _cell(name, claim, claims) for name in names}
    middle = {name: float(text) for name, text in texts.items()}
    ends = [
        (middle[name],)
        if name in EXACT and formula != "percent-fewer"
        else (middle[name] - unit_of(text) / 2, middle[name] + unit_of(text) / 2)
        for name, text in texts.items()
    ]
    # Each formula only rises or only falls in each of its inputs, so that its ends lie at corners.
    corners = [made(dict(zip(names, corner, strict=True))) for corner in itertools.product(*ends)]
    computed, low, high = made(middle), min(corners), max(corners)
    printed, half = float(claim.cells["reported"]), unit_of(claim.cells["reported"]) / 2
    follows = low <= printed + half and high >= printed - half
    gross, net = _amounts(claim, computed)
    return Checked(
        claim=claim,
        outcome="follows" if follows else "does not follow",
        computed=computed,
        low=low,
        high=high,
        gross=gross,
        net=net,
        reason="" if follows else claim.cells["reason"] or "no reason is known",
    )


def _cell(name: str, claim: Claim, claims: Mapping[str, Claim]) -> str:
    own, _, column = name.rpartition(".")
    return (claims[claim.cells["of"]] if own else claim).cells[column]


def _amounts(claim: Claim, computed: float) -> tuple[float | None, float | None]:
    """Benefit before and after the cost is taken off, where the row's numbers give them."""
    formula = claim.cells["formula"]
    net, cost, quantity = (claim.number(name) for name in ("net_benefit", "cost", "quantity"))
    if formula == "one-cost-two-ratios" and net is not None:
        return net * computed / (computed - 1), net
    gross = claim.number("benefit")
    if formula.startswith("quantity-times-value"):
        gross = (quantity or 0.0) * (claim.number("unit_value") or 0.0)
        if formula == "quantity-times-value" and cost is not None:
            cost *= quantity or 0.0  # of each
    if formula == "percent-fewer" or gross is None:
        return None, None
    if formula == "years-of-benefit-over-cost":
        years = claim.number("years") or 0.0
        gross *= years
        cost = (claim.number("set_up") or 0.0) + years * (claim.number("running") or 0.0)
    return gross, None if cost is None else gross - cost


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def ratios_as_json(every: Iterable[Checked]) -> str:
    """Every claim as a JSON list: same table, same bytes."""
    return json.dumps([as_dict(one) for one in every], indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_dict(found: Checked) -> dict[str, Any]:
    """A checked claim as plain JSON values; inputs that are not stated are left out."""
    cells = found.claim.cells
    return {
        "id": found.claim.id,
        **{name: cells[name] or None for name in ("project", "year", "claim", "measure", "basis")},
        **{name: cells[name] or None for name in ("perspective", "currency", "reported", "formula")},
        "inputs": {name: float(cells[name]) for name in INPUTS if cells[name]},
        "of": cells["of"] or None,
        "outcome": found.outcome,
        "computed": found.computed,
        "low": found.low,
        "high": found.high,
        "gross": found.gross,
        "net": found.net,
        "reason": found.reason or None,
        **{name: cells[name] or None for name in ("rests_on", "confidence", "source", "note")},
    }
