"""police.uk street files to a Panel: recorded incidents by LSOA and month, every row accounted for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.panel import InputFile, Ledger, Panel
from whatworks_eval.periods import period_range
from whatworks_eval.sources.boundaries import is_new_in_2021, vintage
from whatworks_eval.sources.grid import to_national_grid
from whatworks_eval.sources.home_areas import Home, home_areas
from whatworks_eval.sources.offences import check_offences
from whatworks_eval.sources.police_uk_files import Found, StreetFile, street_files
from whatworks_eval.sources.police_uk_rows import Groups, count_rows, first_of_each_id

WRONG_MONTH = "month in the row is not the file's"
OTHER_OFFENCE = "other offence"
NO_LOCATION = "no location"
OUTSIDE = "outside home areas"
OTHER_FORCE = "recorded by another force"
REPEATED = "repeated Crime ID"

# A force-month with under this share of the force's usual rows is named in the ledger: probably damaged.
_FEW_ROWS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Coded:
    """Groups with numbers in place of texts. Forces and months are by position in their sorted lists."""

    groups: Groups
    forces: tuple[str, ...]
    months: tuple[str, ...]
    force: NDArray[np.intp]
    month: NDArray[np.intp]
    valid: NDArray[np.bool_]  # the month in the row is the file's
    wanted: NDArray[np.int64]
    has_file: NDArray[np.bool_]  # forces × months


def load_police_uk(
    path: Path,
    *,
    offences: Sequence[str] | None = None,
    home: str | Collection[str] = "auto",
    deduplicate: bool = False,
) -> Panel:
    """Recorded incidents by LSOA and month from police.uk street files.

    A month with a file and no row for an area is zero; a month without a file is missing.

    Args:
        path: A folder or zip of force-months, nested or flat, one or many forces; or one CSV file.
        offences: police.uk categories counted together; None = every row.
        home: 'auto' = the districts with at least a tenth of the busiest district's rows per LSOA;
            'all' = every LSOA in the files; or the area codes themselves.
        deduplicate: Count a Crime ID once. Rows without one are always counted.

    Raises:
        DataError: Nothing to read, or files that cannot be what they say; every problem at once.

    Example:
        >>> load_police_uk(Path("no-such.zip"))
        Traceback (most recent call last):
        ...
        whatworks_eval.errors.DataError: - no-such.zip: not found; give the police.uk folder, zip or CSV ...
    """
    with street_files(path) as found:
        return build_panel(found, offences=offences, home=home, deduplicate=deduplicate)


def build_panel(
    found: Found,
    *,
    offences: Sequence[str] | None = None,
    home: str | Collection[str] = "auto",
    deduplicate: bool = False,
) -> Panel:
    """The Panel of street files that are already found and unpacked. Arguments as `load_police_uk`."""
    wanted = tuple(dict.fromkeys(offences or ()))
    groups = count_rows(found.files, wanted)
    _check_codes(found.files, groups)
    notes = [*found.notes, *check_offences(found.files, groups, wanted)]
    coded = _coded(found.files, groups)
    _check_months(found.files, coded)
    boundaries = _boundaries(coded)
    owner, said = _owners(coded, home, found.files)
    notes += said
    areas = tuple(sorted(owner))
    if not areas:
        raise DataError(
            "no row has an LSOA code, so there is nothing to count by area; "
            'police.uk gives none for Northern Ireland: use `source = "counts"` with your own areas'
        )
    counts, excluded = _counted(coded, areas, owner)
    if deduplicate:
        repeats, sentence = _repeats(found.files, coded, wanted, areas, owner, counts)
        excluded[REPEATED] = repeats
        notes.append(sentence)
    observed = _observed(coded, areas, owner)
    used = int(counts.sum())
    counts[~observed] = np.nan
    names = _force_names(found.files)
    empty = int((np.nansum(counts, axis=1) == 0).sum())
    if empty:
        notes.append(
            f"{empty} of {len(areas)} areas recorded none of the wanted offences; they stay in, as zeros."
        )
    notes += _odd_files(found.files, coded)
    return Panel(
        areas=areas,
        periods=coded.months,
        counts=counts,
        observed=observed,
        centroids=_centroids(coded, areas),
        forces={area: names[coded.forces[at]] for area, at in owner.items() if at >= 0},
        boundaries=boundaries,
        ledger=Ledger(
            read=int(groups.rows.sum()),
            used=used,
            excluded={reason: months for reason, months in excluded.items() if months},
            files=_input_files(found.files, groups),
            periods_without_file=_without_file(coded, names),
            forces=_unlocated(coded, names),
            notes=tuple(notes),
        ),
    )


def _check_codes(files: Sequence[StreetFile], groups: Groups) -> None:
    """A DataError for what is no area code, or one code in two spellings, which would be two areas."""
    plain = {code for code in groups.codes if code.isalnum() and code == code.upper()}
    problems = [
        f"{files[int(groups.file[groups.code == at][0])].name}: LSOA code {code!r} is not written as "
        "police.uk writes codes (E01014370); correct it, or download the file again"
        for at, code in enumerate(groups.codes)
        if code not in plain and (not code.isalnum() or code.upper() in plain)
    ]
    if problems:
        raise DataError(
            problems[:5] + ([f"and {len(problems) - 5} more such codes"] if len(problems) > 5 else [])
        )


def _coded(files: Sequence[StreetFile], groups: Groups) -> _Coded:
    forces = tuple(sorted({file.force for file in files}))
    months = period_range(min(file.month for file in files), max(file.month for file in files), "month")
    of_file = np.array([forces.index(file.force) for file in files])[groups.file]
    month = np.array([months.index(file.month) for file in files])[groups.file]
    written = np.array([months.index(text) if text in months else -1 for text in groups.months])[groups.month]
    has_file = np.zeros((len(forces), len(months)), dtype=bool)
    has_file[of_file, month] = True  # a file without rows is no file
    return _Coded(
        groups=groups,
        forces=forces,
        months=months,
        force=of_file,
        month=month,
        valid=written == month,
        wanted=np.sum(groups.wanted, axis=0) if groups.wanted else groups.rows,
        has_file=has_file,
    )


def _check_months(files: Sequence[StreetFile], coded: _Coded) -> None:
    """A file none of whose rows are of the month in its name is misnamed, or its dates were reworked."""
    right = np.bincount(coded.groups.file, weights=coded.valid, minlength=len(files))
    read = np.bincount(coded.groups.file, weights=coded.groups.rows, minlength=len(files))
    problems = []
    for at in np.flatnonzero((right == 0) & (read > 0)).tolist():
        seen = coded.groups.months[coded.groups.month[coded.groups.file == at][0]]
        problems.append(
            f"{files[at].name}: its rows say Month '{seen}' where the file name says '{files[at].month}'; "
            "name the file after its month, and save months as police.uk writes them (2018-01)"
        )
    if problems:
        raise DataError(problems)
    if not read.any():
        raise DataError("no street file holds a row; download them again from police.uk")


def _boundaries(coded: _Coded) -> int | None:
    """The census the LSOA codes are of; months of two censuses in one panel are an error."""
    codes, code = coded.groups.codes, coded.groups.code
    new = np.array([is_new_in_2021(text) for text in codes], dtype=bool)
    located = code >= 0
    later = np.zeros(len(coded.months), dtype=bool)
    later[coded.month[located][new[code[located]]]] = True
    if later.any():
        old = np.unique(code[located & ~later[coded.month]])
        if vintage(codes[at] for at in old) == 2011:
            first = coded.months[int(np.flatnonzero(later)[0])]
            raise DataError(
                f"the files change from 2011 to 2021 LSOAs ({first} is the first month with 2021 "
                "codes): areas that were split or merged would seem to fall to zero there. Keep the months "
                "on one side only"
            )
    return vintage(codes)


def _owners(
    coded: _Coded, home: str | Collection[str], files: Sequence[StreetFile]
) -> tuple[dict[str, int], list[str]]:
    """Area, then the position of the force it belongs to (-1 = no force has rows there); and notes."""
    groups, codes = coded.groups, coded.groups.codes
    usable = coded.valid & (groups.code >= 0)
    rows = np.zeros((len(coded.forces), len(codes)), dtype=np.int64)
    np.add.at(rows, (coded.force[usable], groups.code[usable]), groups.rows[usable])
    notes: list[str] = []
    if home == "auto":
        names = dict(zip(codes, groups.names, strict=True))
        allowed = np.zeros_like(rows, dtype=bool)
        for at, force in enumerate(_force_names(files)[slug] for slug in coded.forces):
            present = np.flatnonzero(rows[at])
            found = home_areas({codes[i]: int(rows[at, i]) for i in present}, names)
            allowed[at, present] = [codes[i] in found.areas for i in present]
            notes.append(_home_note(force, found))
        rows = np.where(allowed, rows, 0)
    best = rows.argmax(axis=0)
    owner = {codes[i]: int(best[i]) for i in np.flatnonzero(rows.max(axis=0))}
    if home == "all":
        notes.append("Every LSOA in the files counts as an area (home = 'all'), other forces' included.")
    elif not isinstance(home, str):
        asked = sorted(set(home))
        silent = [code for code in asked if code not in owner]
        owner = {code: owner.get(code, 0 if len(coded.forces) == 1 else -1) for code in asked}
        notes.append(
            f"Home areas: the {len(asked)} codes given; {len(silent)} of them have no row of any offence."
            + (f" The first: {', '.join(silent[:5])}." if silent else "")
        )
    return owner, notes


def _home_note(force: str, found: Home) -> str:
    districts = ", ".join(found.districts)
    return (
        f"Home areas of {force}: {len(found.areas)} LSOAs in {len(found.districts)} districts ({districts}). "
        f"Rows per LSOA against the busiest district: quietest kept {100 * found.nearest_in:.1f} %, "
        f"busiest left out {100 * found.nearest_out:.1f} %."
    )


def _counted(
    coded: _Coded, areas: Sequence[str], owner: Mapping[str, int]
) -> tuple[NDArray[np.float64], dict[str, dict[str, int]]]:
    """Wanted rows by area and month, and the rest by reason and month."""
    index = {area: at for at, area in enumerate(areas)}
    # One place more than there are codes, so that position -1 (no location) finds -1 there.
    row_of = np.array([*(index.get(code, -1) for code in coded.groups.codes), -1], dtype=np.intp)
    owner_of = np.array([*(owner.get(code, -1) for code in coded.groups.codes), -1], dtype=np.intp)
    located = coded.groups.code >= 0
    row = row_of[coded.groups.code]
    mine = owner_of[coded.groups.code] == coded.force
    valid = coded.valid
    counts = np.zeros((len(areas), len(coded.months)))
    use = valid & (row >= 0) & mine
    np.add.at(counts, (row[use], coded.month[use]), coded.wanted[use])
    reasons = {
        WRONG_MONTH: (~valid, coded.groups.rows),
        OTHER_OFFENCE: (valid, coded.groups.rows - coded.wanted),
        NO_LOCATION: (valid & ~located, coded.wanted),
        OUTSIDE: (valid & located & (row < 0), coded.wanted),
        OTHER_FORCE: (valid & (row >= 0) & ~mine, coded.wanted),
    }
    return counts, {reason: _by_month(coded, mask, rows) for reason, (mask, rows) in reasons.items()}


def _by_month(coded: _Coded, mask: NDArray[np.bool_], rows: NDArray[np.int64]) -> dict[str, int]:
    totals = np.bincount(coded.month[mask], weights=rows[mask], minlength=len(coded.months))
    return {month: int(n) for month, n in zip(coded.months, totals, strict=True) if n}


def _repeats(
    files: Sequence[StreetFile],
    coded: _Coded,
    offences: Sequence[str],
    areas: Sequence[str],
    owner: Mapping[str, int],
    counts: NDArray[np.float64],
) -> tuple[dict[str, int], str]:
    """Takes repeats of a Crime ID out of the counts, in place; says how many by month."""
    by_force: dict[str, set[str]] = {force: set() for force in coded.forces}
    for area, at in owner.items():
        if at >= 0:
            by_force[coded.forces[at]].add(area)
    row = {area: at for at, area in enumerate(areas)}
    column = {month: at for at, month in enumerate(coded.months)}
    repeats: dict[str, int] = {}
    with_id = 0
    for _, month, area, n, kept in first_of_each_id(files, offences, by_force):
        with_id += n
        if n > kept:
            counts[row[area], column[month]] -= n - kept
            repeats[month] = repeats.get(month, 0) + n - kept
    total = sum(repeats.values())
    return dict(sorted(repeats.items())), (
        f"De-duplicated by Crime ID: {total:,} of {with_id:,} rows with an ID repeat one already counted. "
        "Rows without an ID are all counted."
    )


def _observed(coded: _Coded, areas: Sequence[str], owner: Mapping[str, int]) -> NDArray[np.bool_]:
    """True where the area's force has a file; for an area of no known force, where every force has one."""
    of_force = np.vstack([coded.has_file, coded.has_file.all(axis=0)])  # the last row is owner -1
    return np.asarray(of_force[[owner[area] for area in areas]], dtype=bool)


def _centroids(coded: _Coded, areas: Sequence[str]) -> NDArray[np.float64]:
    """Mean of the rows' own coordinates by area, over every offence and month, in whole metres."""
    groups, size = coded.groups, len(coded.groups.codes)
    use = groups.code >= 0
    at = groups.code[use]
    located = groups.located[use]
    n = np.bincount(at, weights=located, minlength=size)
    with np.errstate(invalid="ignore"):  # an area of which no row has coordinates stays without a centroid
        longitude, latitude = (
            # Six decimals are all that police.uk gives: rounding makes each sum exact again.
            np.bincount(at, weights=(mean[use] * located).round(6), minlength=size) / n
            for mean in (groups.longitude, groups.latitude)
        )
    position = {code: i for i, code in enumerate(groups.codes)}
    known = np.full((len(areas), 2), np.nan)
    rows = [i for i, area in enumerate(areas) if area in position]
    chosen = [position[areas[i]] for i in rows]
    known[rows] = to_national_grid(longitude[chosen], latitude[chosen])
    return known.round(0)


def _force_names(files: Iterable[StreetFile]) -> dict[str, str]:
    """Force as in the file name, then as in 'Reported by' of its last file, where that is its own."""
    names = {file.force: file.force for file in files}
    for file in sorted(files, key=lambda file: file.month):
        names[file.force] = file.force_name or names[file.force]
    shared = {name for name in names.values() if list(names.values()).count(name) > 1}
    return {force: force if name in shared else name for force, name in names.items()}


def _input_files(files: Sequence[StreetFile], groups: Groups) -> tuple[InputFile, ...]:
    rows = np.bincount(groups.file, weights=groups.rows, minlength=len(files))
    return tuple(
        InputFile(name=file.name, sha256=file.sha256, rows=int(n))
        for file, n in zip(files, rows, strict=True)
    )


def _without_file(coded: _Coded, names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {
        names[force]: tuple(month for month, there in zip(coded.months, has, strict=True) if not there)
        for force, has in zip(coded.forces, coded.has_file, strict=True)
        if not has.all()
    }


def _unlocated(coded: _Coded, names: Mapping[str, str]) -> dict[str, dict[str, tuple[int, int]]]:
    """Force, then month, then rows of the wanted offences and how many of them have no location."""
    shape = (len(coded.forces), len(coded.months))
    read, without = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    valid = coded.valid
    np.add.at(read, (coded.force[valid], coded.month[valid]), coded.wanted[valid])
    blank = valid & (coded.groups.code < 0)
    np.add.at(without, (coded.force[blank], coded.month[blank]), coded.wanted[blank])
    return {
        names[force]: {
            month: (int(read[i, j]), int(without[i, j]))
            for j, month in enumerate(coded.months)
            if coded.has_file[i, j]
        }
        for i, force in enumerate(coded.forces)
    }


def _odd_files(files: Sequence[StreetFile], coded: _Coded) -> list[str]:
    """Sentences on files without rows, or with far fewer than the force's usual month."""
    rows = np.bincount(coded.groups.file, weights=coded.groups.rows, minlength=len(files))
    notes = []
    for force in coded.forces:
        mine = [at for at, file in enumerate(files) if file.force == force]
        usual = float(np.median(rows[mine]))
        for at in mine:
            if rows[at] == 0:
                notes.append(f"{files[at].name} holds no row: the month is taken as missing, not as zero.")
            elif rows[at] < _FEW_ROWS * usual:
                notes.append(
                    f"{files[at].name} holds {rows[at]:,.0f} rows where the force's usual month has "
                    f"{usual:,.0f}: it looks incomplete. It is counted as it is."
                )
    return notes
