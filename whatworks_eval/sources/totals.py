"""The four numbers of a 2 × 2 table, or two published percentages, as the protocol states them."""

from __future__ import annotations

import math

from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.panel import Changes, Ledger, Totals
from whatworks_eval.protocol_tables import ChangesTable, TotalsTable
from whatworks_eval.sources.cells import MOST_INCIDENTS

_LARGEST = 1e9  # periods, sizes and dispersions beyond this are slips, and overflow where they are squared


def load_totals(table: TotalsTable | None) -> Totals:
    """Totals as written in `[outcome.totals]`, once they make sense as counts.

    Zero incidents are a count like any other; whether they allow an estimate is the method's to say.

    Raises:
        DataError: A negative or non-finite count, or a window without length.

    Example:
        >>> load_totals(TotalsTable(treated=(398, 190), comparison=(148, 97))).treated
        (398.0, 190.0)
    """
    if table is None:
        raise ProtocolError("`outcome.totals` is missing; give `treated = [before, after]` there")
    problems: list[str] = []
    for name in ("treated", "comparison", "buffer", "buffer_comparison"):
        for window, count in zip(("before", "after"), getattr(table, name) or (), strict=False):
            place = f"`outcome.totals.{name}`"
            if not math.isfinite(count):
                problems.append(f"{place} has {count} incidents {window}; give a number")
            elif count < 0:
                problems.append(f"{place} has {count:g} incidents {window}; a count cannot be negative")
            elif count > MOST_INCIDENTS:
                problems.append(
                    f"{place} has {count:g} incidents {window}, more than there can be; correct it"
                )
    for window, length in zip(("before", "after"), table.periods, strict=True):
        if not 1 / _LARGEST <= length <= _LARGEST:
            problems.append(
                f"`outcome.totals.periods` gives the {window} window a length of {length:g}; "
                f"it must be above 0, and at most {_LARGEST:,.0f} periods"
            )
    if not table.dispersion <= _LARGEST:
        problems.append(f"`outcome.totals.dispersion` must be a number from 1 to {_LARGEST:,.0f}")
    weights = table.area_weights.model_dump() if table.area_weights is not None else {}
    problems += [
        f"`outcome.totals.area_weights.{name}` is {weight:g}; sizes lie between {1 / _LARGEST:g} and "
        f"{_LARGEST:,.0f}: give them in another unit"
        for name, weight in weights.items()
        if not 1 / _LARGEST <= weight <= _LARGEST
    ]
    if problems:
        raise DataError(problems)
    return Totals(
        treated=table.treated,
        comparison=table.comparison,
        buffer=table.buffer,
        buffer_comparison=table.buffer_comparison,
        periods=table.periods,
        dispersion=table.dispersion,
        ledger=Ledger(notes=("Totals as written in the protocol; the rows behind them were not seen.",)),
    )


def load_changes(table: ChangesTable | None) -> Changes:
    """Published changes as written in `[outcome.changes]`, once they make sense as percentages.

    Raises:
        DataError: A change that is not a number, or a fall of 100 % or more.

    Example:
        >>> load_changes(ChangesTable(treated=-11.7, comparison=-7.2, decimals=1)).comparison
        -7.2
    """
    if table is None:
        raise ProtocolError("`outcome.changes` is missing; give `treated` there, in percent")
    problems = [
        f"`outcome.changes.{name}` is {value:g} %; give a finite number above -100 (a fall is negative)"
        for name, value in (("treated", table.treated), ("comparison", table.comparison))
        if value is not None and not (math.isfinite(value) and value > -100)
    ]
    if problems:
        raise DataError(problems)
    return Changes(
        treated=table.treated,
        comparison=table.comparison,
        decimals=table.decimals,
        unit=table.unit,
        ledger=Ledger(notes=("Percentages as published; the counts behind them are not known.",)),
    )
