"""What became of a lot: units that have no data left, and how evenly the blocks were shared out."""

from __future__ import annotations

from whatworks_eval.areas import read_areas, read_units
from whatworks_eval.judgement import Case, Measure
from whatworks_eval.panel import Panel
from whatworks_eval.protocol_tables import UnitLookup

ARMS = ("treated", "comparison")


def units_without_data(case: Case) -> tuple[Measure, ...]:
    """Share of the declared units of each arm that are not in the analysis, in percent.

    Units leave where too many of their periods are missing. Empty where there are no counts by area.
    """
    areas = case.protocol.areas
    if not isinstance(case.data, Panel) or areas is None:
        return ()
    lookup = read_units(areas.unit, case.protocol.base) if isinstance(areas.unit, UnitLookup) else {}
    used = {"treated": set(case.contrast.treated), "comparison": set(case.contrast.comparison)}
    if case.windowed is not None:
        used = {arm: kept & set(case.windowed.areas) for arm, kept in used.items()}
    out = {*case.contrast.treated, *case.contrast.buffer}
    found = []
    for arm in ARMS:
        given = getattr(areas, arm)
        if given is None or given == "matched":
            continue
        if given == "rest":
            codes = [area for area in case.data.areas if area not in out]
            of_file: dict[str, str] = {}
        else:
            listed = read_areas(given, case.protocol.base, f"areas.{arm}")
            codes = [area for area in listed.codes if area not in case.contrast.buffer]
            of_file = dict(listed.units)
        unit = {
            area: case.contrast.units.get(area, of_file.get(area, lookup.get(area, area))) for area in codes
        }
        declared = set(unit.values())
        kept = {unit[area] for area in used[arm] if area in unit}
        found.append(
            Measure(
                name=f"{arm} units without enough data",
                unit="%",
                value=100.0 * len(declared - kept) / len(declared) if declared else None,
                why_missing=None if declared else "the arm is empty",
            )
        )
    return tuple(found)


def treated_share_by_block(case: Case) -> tuple[Measure, Measure] | None:
    """Smallest and largest share of a block's units that were treated, in percent; None without blocks."""
    contrast = case.contrast
    if not contrast.blocks:
        return None
    used = (
        set(case.windowed.areas) if case.windowed is not None else {*contrast.treated, *contrast.comparison}
    )
    treated = set(contrast.treated)
    members: dict[str, dict[str, bool]] = {}
    for area in (*contrast.treated, *contrast.comparison):
        if area in used and area in contrast.blocks:
            block = members.setdefault(contrast.blocks[area], {})
            block[contrast.units.get(area, area)] = area in treated
    shares = [100.0 * sum(units.values()) / len(units) for units in members.values()]
    return (
        Measure(name="smallest share of a block that was treated", unit="%", value=min(shares)),
        Measure(name="largest share of a block that was treated", unit="%", value=max(shares)),
    )
