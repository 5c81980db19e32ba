"""Real files in, with a ledger: one file a source, and `load_data` to choose among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from whatworks_eval.errors import ProtocolError
from whatworks_eval.panel import Changes, Panel, Totals
from whatworks_eval.protocol_tables import Outcome

if TYPE_CHECKING:
    from whatworks_eval.protocol import Protocol

Data = Panel | Totals | Changes


def load_data(protocol: Protocol, base: str | Path | None = None) -> Data:
    """What the protocol's outcome holds: a Panel, Totals or published Changes, each with its ledger.

    Args:
        protocol: The declared design.
        base: Folder that `outcome.path` alone is relative to; None = the protocol's own.

    Raises:
        DataError: The files cannot carry the design; every problem at once.

    Example:
        >>> from whatworks_eval.protocol import Protocol
        >>> protocol = Protocol.model_validate({
        ...     "schema": 1, "id": "x", "question": "?", "method": "relative-effect",
        ...     "intervention": {"name": "x", "start": "2019-01", "assignment": "need"},
        ...     "outcome": {"source": "totals", "totals": {"treated": [398, 190], "comparison": [148, 97]}},
        ... })
        >>> load_data(protocol).treated
        (398.0, 190.0)
    """
    folder = protocol.base if base is None else Path(base)
    data = SOURCES[protocol.outcome.source](protocol, folder)
    if isinstance(data, Panel) and protocol.covariates:
        from whatworks_eval.sources.covariates import join_covariates

        return join_covariates(data, protocol.covariates, protocol.base)
    return data


def _police_uk(protocol: Protocol, folder: Path) -> Data:
    from whatworks_eval.sources.police_uk import load_police_uk

    if protocol.period != "month":
        raise ProtocolError(
            f"`period` is '{protocol.period}'; police.uk publishes months alone: use period = \"month\""
        )
    home = protocol.areas.home if protocol.areas is not None else "auto"
    panel = load_police_uk(
        _path(protocol, folder),
        offences=protocol.outcome.offences,
        home=home if home in {"auto", "all"} else _codes(protocol.base / home),
        deduplicate=protocol.outcome.deduplicate,
    )
    if protocol.outcome.harm is not None:
        from whatworks_eval.sources.harm import weighed

        panel = weighed(panel, _path(protocol, folder), protocol.outcome)
    if protocol.outcome.untouched:
        from whatworks_eval.sources.untouched import with_untouched

        def again(outcome: Outcome) -> Panel:
            return load_police_uk(
                _path(protocol, folder),
                offences=outcome.offences,
                home=set(panel.areas),
                deduplicate=outcome.deduplicate,
            )

        panel = with_untouched(panel, protocol.outcome, again)
    return panel


def _counts(protocol: Protocol, folder: Path) -> Data:
    from whatworks_eval.sources.counts_file import load_counts

    panel = load_counts(_path(protocol, folder), protocol.outcome, period_kind=protocol.period)
    if protocol.outcome.untouched:
        from whatworks_eval.sources.untouched import with_untouched

        def again(outcome: Outcome) -> Panel:
            return load_counts(_path(protocol, folder), outcome, period_kind=protocol.period)

        panel = with_untouched(panel, protocol.outcome, again)
    return panel


def _survey(protocol: Protocol, folder: Path) -> Data:
    from whatworks_eval.sources.survey import load_survey

    return load_survey(_path(protocol, folder), protocol.outcome, period_kind=protocol.period)


def _totals(protocol: Protocol, folder: Path) -> Data:
    from whatworks_eval.sources.totals import load_totals

    return load_totals(protocol.outcome.totals)


def _changes(protocol: Protocol, folder: Path) -> Data:
    from whatworks_eval.sources.totals import load_changes

    return load_changes(protocol.outcome.changes)


def _dataset(protocol: Protocol, folder: Path) -> Data:
    from whatworks_eval.sources.dataset import load_dataset

    return load_dataset(protocol.outcome, period_kind=protocol.period)


SOURCES: Mapping[str, Callable[[Protocol, Path], Data]] = {
    "police-uk": _police_uk,
    "counts": _counts,
    "survey": _survey,
    "totals": _totals,
    "published-changes": _changes,
    "dataset": _dataset,
}


def _path(protocol: Protocol, folder: Path) -> Path:
    if not protocol.outcome.path:
        raise ProtocolError(
            f'`outcome.path` is missing; source = "{protocol.outcome.source}" needs a file or folder'
        )
    return folder / protocol.outcome.path


def _codes(path: Path) -> tuple[str, ...]:
    """The area codes in a file named as `areas.home`."""
    from whatworks_eval.sources.area_codes import code_column
    from whatworks_eval.sources.tables import read_table

    table = read_table(path)
    return tuple(code for code in table.text(code_column(table)) if code)
