"""Count the rows of street files by file, month and small area: read by DuckDB, grouped by narwhals.

Only this file touches every row. What comes out is small, and the rest of the room works on that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError
from whatworks_eval.offence_names import OLDER
from whatworks_eval.sources.police_uk_files import NEEDED, StreetFile
from whatworks_eval.sources.tables import sql_path

if TYPE_CHECKING:
    import narwhals as nw

# Every file opened from this month on has today's fourteen names (reference/data_notes.md, 10): older ones
# are not looked for there.
_TODAYS_NAMES_FROM = "2016-07"

# A small buffer lets two cores share files of a few megabytes, the size of a force-month.
_BUFFER = 4_000_000
_LONGEST_LINE = 1_000_000
# Files are read in groups of about this size, so that memory does not grow with the years asked for.
_GROUP_BYTES = 600_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """Rows by file, month and small area: one entry a combination that occurs.

    Attributes:
        codes: LSOA codes, sorted.
        names: LSOA name of each code; the first by alphabet where the rows give several.
        months: Months as written in the rows, sorted; '' where blank.
        file: Position of the file.
        month: Position in `months`.
        code: Position in `codes`; -1 where the row has no LSOA.
        rows: Rows of every category.
        wanted: Rows of each offence counted apart; empty where all are wanted.
        older: Rows of each of `OLDER`.
        located: Rows with coordinates.
        longitude: Mean over located rows, in degrees; 0 where there are none.
        latitude: The same.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    months: tuple[str, ...]
    file: NDArray[np.intp]
    month: NDArray[np.intp]
    code: NDArray[np.intp]
    rows: NDArray[np.int64]
    wanted: tuple[NDArray[np.int64], ...]
    older: tuple[NDArray[np.int64], ...]
    located: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]


def group_rows(rows: nw.LazyFrame[Any], categories: Mapping[str, str]) -> nw.LazyFrame[Any]:
    """Street rows counted by file, month and LSOA, on whatever engine holds them.

    Coordinates are exact decimals, so the order in which an engine adds them does not show in a mean.

    Args:
        rows: Columns file, month, lsoa_code, lsoa_name, crime_type, longitude, latitude.
        categories: Name of a column to make, then the crime type counted in it.
    """
    import narwhals as nw

    return rows.group_by("file", "month", "lsoa_code").agg(
        nw.col("lsoa_name").min().alias("lsoa_name"),
        nw.len().alias("rows"),
        nw.col("longitude").count().alias("located"),
        nw.col("longitude").mean().alias("longitude"),
        nw.col("latitude").mean().alias("latitude"),
        *[
            nw.when(nw.col("crime_type") == category).then(nw.lit(1)).count().alias(column)
            for column, category in categories.items()
        ],
    )


def count_rows(files: Sequence[StreetFile], offences: Sequence[str] = ()) -> Groups:
    """Every row of the files, counted by file, month and LSOA.

    Raises:
        DataError: A row that cannot be read, naming file and line.
    """
    batches = [_collected(batch, offences) for batch in _batches(files)]
    names: dict[str, str] = {}
    for batch in batches:
        for code, name in batch.names.items():
            names[code] = min(names.get(code, name), name)
    names.pop("", None)
    codes = sorted(names)
    months = sorted({month for batch in batches for month in batch.months})
    position = {code: at for at, code in enumerate(codes)}
    of_month = {month: at for at, month in enumerate(months)}

    def joined(column: str) -> NDArray[Any]:
        return np.concatenate([batch.columns[column] for batch in batches])

    return Groups(
        codes=tuple(codes),
        names=tuple(names[code] for code in codes),
        months=tuple(months),
        file=joined("file"),
        month=np.concatenate([_renumbered(b.columns["month"], b.months, of_month) for b in batches]),
        code=np.concatenate([_renumbered(b.columns["code"], b.names, position) for b in batches]),
        rows=joined("rows"),
        wanted=tuple(joined(f"wanted_{number}") for number in range(len(offences))),
        older=tuple(joined(f"older_{number}") for number in range(len(OLDER))),
        located=joined("located"),
        longitude=joined("longitude"),
        latitude=joined("latitude"),
    )


def _renumbered(at: NDArray[Any], here: Iterable[str], everywhere: Mapping[str, int]) -> NDArray[np.intp]:
    """Positions in one batch's list of texts as positions in the list of all; -1 for a text not there."""
    return np.array([everywhere.get(text, -1) for text in here], dtype=np.intp)[at.astype(np.intp)]


def categories(files: Sequence[StreetFile]) -> dict[str, int]:
    """Every category in the files, with its rows; a pass of its own, for when a name is not found."""
    import narwhals as nw

    found: dict[str, int] = {}
    for batch in _batches(files):
        with _rows(batch) as rows:
            counted = rows.group_by("crime_type").agg(nw.len().alias("rows"))
            for name, n in zip(*_fetched(counted).values(), strict=True):
                found[name] = found.get(name, 0) + int(n)
    return dict(sorted(found.items()))


def first_of_each_id(
    files: Sequence[StreetFile], offences: Sequence[str], areas: Mapping[str, Collection[str]]
) -> list[tuple[str, str, str, int, int]]:
    """Rows with a Crime ID by force, month and area, and how many of them come first of their ID.

    The first is the one in the earliest month; within it, the one whose area comes first, so that the
    order of rows in a file does not matter.

    Args:
        files: Street files; those without a Crime ID column are passed over.
        offences: Categories counted; empty = all.
        areas: Force, then the areas that count for it.

    Returns:
        (force, month, area, rows with an ID, of which first) for each combination.
    """
    import narwhals as nw

    keys: dict[tuple[str, str, str], list[int]] = {}
    first: dict[str, tuple[str, str, str]] = {}
    with_id = [file for file in files if "crime_id" in file.columns]
    for batch in _batches(with_id):
        with _rows(batch, with_id=True) as rows:
            chosen = rows.filter(~nw.col("crime_id").is_null(), ~nw.col("lsoa_code").is_null())
            if offences:
                chosen = chosen.filter(nw.col("crime_type").is_in(list(offences)))
            counted = chosen.group_by("crime_id", "file", "month", "lsoa_code").agg(nw.len().alias("rows"))
            table = _fetched(counted)
        for crime, at, month, area, n in zip(*table.values(), strict=True):
            file = batch[int(at)][1]
            if month != file.month or area not in areas.get(file.force, ()):
                continue
            key = (month, area, file.force)
            keys.setdefault(key, [0, 0])[0] += int(n)
            if crime not in first or key < first[crime]:
                first[crime] = key
    for key in first.values():
        keys[key][1] += 1
    return [(force, month, area, n, kept) for (month, area, force), (n, kept) in sorted(keys.items())]


_Batch = list[tuple[int, StreetFile]]


def _batches(files: Sequence[StreetFile]) -> Iterator[_Batch]:
    """Files with the same header, in groups of limited size; each with its position."""
    by_header: dict[tuple[str, ...], _Batch] = {}
    for number, file in enumerate(files):
        by_header.setdefault(file.columns, []).append((number, file))
    for group in by_header.values():
        batch: _Batch = []
        size = 0
        for item in group:
            if batch and size + item[1].bytes > _GROUP_BYTES:
                yield batch
                batch, size = [], 0
            batch.append(item)
            size += item[1].bytes
        yield batch


class _rows:  # used as a function: `with _rows(batch) as rows`
    """The rows of a batch as a lazy frame, over a connection that closes afterwards."""

    def __init__(self, batch: _Batch, *, with_id: bool = False) -> None:
        import duckdb

        self.connection = duckdb.connect(":memory:")
        self.batch = batch
        self.sql = _select(batch, with_id=with_id)

    def __enter__(self) -> nw.LazyFrame[Any]:
        import narwhals as nw

        lazy: nw.LazyFrame[Any] = nw.from_native(self.connection.sql(self.sql))
        return lazy

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import duckdb

        self.connection.close()
        if isinstance(error, duckdb.Error):
            known = _not_utf8(self.batch)
            if known is None and isinstance(error, _of_the_file()):
                known = _explained(error, self.batch)
            if known is not None:
                raise known from error


def _select(batch: _Batch, *, with_id: bool) -> str:
    """One scan with explicit columns: no type detection, no union by name."""
    header = batch[0][1].columns
    # A column we do not need may be there twice or have no name; its position is all that matters.
    named = [name if name in (*NEEDED, "crime_id") else f"other_{at}" for at, name in enumerate(header)]
    kinds = {"longitude": "DECIMAL(9,6)", "latitude": "DECIMAL(9,6)"}
    columns = ", ".join(f"'{name}': '{kinds.get(name, 'VARCHAR')}'" for name in named)
    paths = ", ".join(sql_path(file.path) for _, file in batch)
    crime_id = "crime_id, " if with_id else ""
    return (
        f"SELECT {crime_id}file_index AS file, {', '.join(NEEDED)} "
        f"FROM read_csv([{paths}], columns={{{columns}}}, header=true, auto_detect=false, delim=',', "
        f"quote='\"', escape='\"', buffer_size={_BUFFER}, max_line_size={_LONGEST_LINE})"
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Collected:
    """One batch, grouped: texts once each, and positions in place of them in the columns."""

    names: dict[str, str]  # by code, sorted by code; '' where rows have none
    months: tuple[str, ...]
    columns: dict[str, NDArray[Any]]


def _collected(batch: _Batch, offences: Sequence[str]) -> _Collected:
    columns = {f"wanted_{number}": offence for number, offence in enumerate(offences)}
    older = {f"older_{number}": name for number, name in enumerate(OLDER)}
    looked_for = any(file.month < _TODAYS_NAMES_FROM for _, file in batch)
    reading = _rows(batch)
    with reading as rows:
        grouped = group_rows(rows, columns | older if looked_for else columns)
        # From here on the table is small. Texts become numbers in DuckDB, since each that crosses into
        # Python costs more than counting the row did.
        run = reading.connection
        run.execute(f"CREATE TEMP TABLE grouped AS {grouped.to_native().sql_query()}")
        names, months = _numbered(run, "lsoa_code", "min(lsoa_name)"), _numbered(run, "month", "''")
        found = run.sql(
            "SELECT grouped.* EXCLUDE (month, lsoa_code, lsoa_name), "
            "of_month.number AS month, of_lsoa_code.number AS code "
            "FROM grouped JOIN of_month ON of_month.text = coalesce(month, '') "
            "JOIN of_lsoa_code ON of_lsoa_code.text = coalesce(lsoa_code, '')"
        ).fetchnumpy()
    plain = {name: np.ma.filled(values, 0) for name, values in found.items()}
    plain["file"] = np.array([number for number, _ in batch])[plain["file"].astype(np.intp)]
    for column in older:
        plain.setdefault(column, np.zeros(len(plain["rows"]), np.int64))
    return _Collected(names=names, months=tuple(months), columns=plain)


def _numbered(run: Any, column: str, beside: str) -> dict[str, str]:
    """Each text of a column with what stands beside it, sorted; numbered in the table `of_<column>`."""
    run.execute(
        f"CREATE TEMP TABLE of_{column} AS "
        f"SELECT coalesce({column}, '') AS text, coalesce({beside}, '') AS beside, "
        "row_number() OVER (ORDER BY text) - 1 AS number FROM grouped GROUP BY text"
    )
    rows = run.execute(f"SELECT text, beside FROM of_{column} ORDER BY number").fetchall()
    return dict(rows)


def _fetched(lazy: nw.LazyFrame[Any]) -> dict[str, NDArray[Any]]:
    """A small lazy result as arrays; a missing text is ''."""
    columns: dict[str, NDArray[Any]] = lazy.to_native().fetchnumpy()
    return {
        name: values.filled("" if values.dtype == object else 0)
        if isinstance(values, np.ma.MaskedArray)
        else values
        for name, values in columns.items()
    }


def _of_the_file() -> tuple[type[Exception], ...]:
    """What DuckDB raises where a file is at fault; anything else is a fault of ours, and stays one."""
    import duckdb

    return (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException)


def _not_utf8(batch: _Batch) -> DataError | None:
    """The first file that is not UTF-8, by reading it again: DuckDB may stumble over its own message."""
    for _, file in batch:
        try:
            data = file.path.read_bytes()
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            return DataError(f"{file.name}, line {line}: not UTF-8 text; save the file as 'CSV UTF-8'")
    return None


def _explained(error: Exception, batch: _Batch) -> DataError:
    """DuckDB's message in one sentence: which file, which line, what is wrong."""
    text = str(error)
    names = {str(file.path): file.name for _, file in batch}
    where = next((name for path, name in names.items() if f"file = {path}" in text), None)
    where = where or next((name for path, name in names.items() if path in text), batch[0][1].name)
    line = re.search(r"Line: (\d+)", text)
    place = f"{where}, line {line[1]}" if line else where
    if found := re.search(r'converting column "(\w+)"\. Could not convert string "([^"]*)"', text):
        return DataError(f"{place}: '{found[2]}' in column {found[1]} is not a number; correct or blank it")
    wrong = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if wrong:
        return DataError(f"{place}: {wrong[2]} cells where the header has {wrong[1]}; the row is damaged")
    first = next((part for part in text.splitlines() if part.strip()), "cannot be read")
    return DataError(f"{place}: cannot be read as CSV ({first}); download the file again")
