"""Small tables as people keep them: CSV, TSV, XLSX or parquet, with the row numbers the user sees."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from whatworks_eval.errors import DataError
from whatworks_eval.sources.police_uk_files import hash_of, refuse_swollen

Cell = Any  # str from text files; str, number, date, bool or None from XLSX and parquet

_DELIMITERS = (",", "\t", ";", "|")
_LONGEST_CELL = 1_000_000
_LARGEST = 1e30  # beyond this numbers overflow where they are multiplied
MOST_UNPACKED = 1_000_000_000  # bytes that a compressed table may unpack to
# What openpyxl and the readers under it raise where a workbook is cut short, edited or encrypted.
DAMAGED = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, NotImplementedError, OSError, RuntimeError),
    *(SyntaxError, TypeError, ValueError, zlib.error),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A table as it stands in its file.

    Attributes:
        name: File name, for messages.
        columns: Header, without blanks at either end.
        rows: One tuple a data row, as long as the header; blank rows left out.
        numbers: Row of the file each came from, as an editor or spreadsheet counts: the header is 1.
        sha256: Of the file's bytes.
        decimal_comma: True where cells are separated by semicolons, so that '12,5' may be a number.
        notes: What was assumed in reading it, as sentences.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: tuple[int, ...]
    sha256: str
    decimal_comma: bool = False
    notes: tuple[str, ...] = ()

    def position(self, column: str) -> int:
        """Where a column stands; letter case is forgiven, anything else is a DataError with a suggestion."""
        for same in (str, str.casefold):
            wanted = same(column.strip())
            places = [at for at, name in enumerate(self.columns) if same(name) == wanted]
            if len(places) == 1:
                return places[0]
            if len(places) > 1:
                raise DataError(f"{self.name}: column '{column}' is there {len(places)} times; keep one")
        near = get_close_matches(column, self.columns, n=1, cutoff=0.6)
        meant = f"; did you mean '{near[0]}'?" if near else ""
        raise DataError(f"{self.name}: no column '{column}'{meant} The columns are {_listed(self.columns)}")

    def column(self, column: str) -> tuple[Cell, ...]:
        """The cells of a column, as they are."""
        at = self.position(column)
        return tuple(row[at] for row in self.rows)

    def text(self, column: str) -> tuple[str, ...]:
        """The cells of a column as text: '' where blank, '12' for a cell holding 12.0."""
        return tuple(text_of(cell) for cell in self.column(column))


def read_table(path: Path, *, sheet: str | None = None, wanted: Sequence[str] = ()) -> Table:
    """A CSV, TSV, XLSX or parquet file as a Table; a text file may be gzipped.

    Text is UTF-8 (with or without a byte-order mark), UTF-16 with one, or else Windows-1252, which the
    table's notes then say. The separator is the one the header uses most.

    Args:
        path: The file.
        sheet: Worksheet of an XLSX file; None = the first one that holds a table.
        wanted: Columns by which to tell the right worksheet, where several hold tables.

    Example:
        >>> read_table(Path("no-such.csv"))
        Traceback (most recent call last):
        ...
        whatworks_eval.errors.DataError: - no-such.csv: not found
    """
    try:
        if path.is_dir():
            raise DataError(f"{path}: a folder; give the file itself")
        if not path.is_file():
            raise DataError(f"{path}: not found")
        path.open("rb").close()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); see that you may open it"
        ) from None
    suffix = path.suffix.lower()
    if suffix in {".xlsx", ".xlsm"}:
        return _from_xlsx(path, sheet, wanted)
    if suffix == ".parquet":
        return _from_parquet(path)
    if suffix in {".xls", ".ods", ".dta", ".sav", ".zip", ".pdf"}:
        raise DataError(f"{path.name}: {suffix} files are not read; save it as CSV or XLSX")
    return _from_text(path)


def text_of(cell: Cell) -> str:
    """A cell as text without blanks at either end; a whole number without its '.0'.

    Example:
        >>> text_of(12.0), text_of(" E01000001 "), text_of(None)
        ('12', 'E01000001', '')
    """
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN is the only value unlike itself
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def number_of(cell: Cell, *, decimal_comma: bool = False) -> float | None:
    """A cell as a number, None where blank; ValueError where it is anything else.

    '1,234' is one thousand and more, except in a file that separates cells by semicolons.

    Example:
        >>> number_of("1,234"), number_of(""), number_of("12,5", decimal_comma=True)
        (1234.0, None, 12.5)
    """
    if isinstance(cell, bool):
        raise ValueError(f"'{cell}' is not a number")
    if not isinstance(cell, str):
        if cell is None or cell != cell:  # noqa: PLR0124 - NaN
            return None
        return _finite(cell)
    text = cell.strip()
    if not text:
        return None
    if decimal_comma:
        text = text.replace(",", ".")
    elif "," in text:
        first, *rest = text.lstrip("-").split(",")
        if not (1 <= len(first) <= 3 and all(len(part.split(".")[0]) == 3 for part in rest)):
            raise ValueError(f"'{cell}' is not a number")
        text = text.replace(",", "")
    if "_" in text or "n" in text.lower():  # Python's float() also takes 1_0, nan and inf
        raise ValueError(f"'{cell}' is not a number")
    return _finite(text)


def _finite(cell: Cell) -> float:
    """The number in a cell; ValueError for a date, a list, or what is too large to be told from infinity."""
    try:
        number = float(cell)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"'{cell}' is not a number") from error
    if not abs(number) < _LARGEST:
        raise ValueError(f"'{cell}' is not a number that can be reckoned with")
    return number


def _listed(names: Iterable[str], most: int = 12) -> str:
    shown = [f"'{name}'" for name in names]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more


# --- text ---------------------------------------------------------------------------------------------


def _from_text(path: Path) -> Table:
    text, notes = _decoded(path)
    if text.lstrip()[:1] == "<":
        raise DataError(f"{path.name}: a web page, not a table; download the file itself")
    lines = text.splitlines()
    header = next((line for line in lines if line.strip()), "")
    if not header:
        raise DataError(f"{path.name}: the file is empty")
    delimiter = max(_DELIMITERS, key=lambda mark: (_outside_quotes(header, mark), -_DELIMITERS.index(mark)))
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    raw: list[list[str]] = []
    numbers: list[int] = []
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                raw.append(cells)
                numbers.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path.name}, line {start}: not a readable CSV row ({error})") from error
    return _table(path, raw, numbers, notes=notes, decimal_comma=delimiter == ";")


def _outside_quotes(line: str, mark: str) -> int:
    return sum(part.count(mark) for part in line.split('"')[::2])


def _decoded(path: Path) -> tuple[str, tuple[str, ...]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); copy it to a disk of yours"
        ) from None
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(MOST_UNPACKED + 1)
            if len(data) > MOST_UNPACKED:
                raise DataError(
                    f"{path.name}: unpacks to more than {MOST_UNPACKED / 1e9:g} GB, which no table of counts "
                    "does; see that it is the right file"
                )
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path.name}: a damaged gzip file ({error}); download it again") from error
    try:
        if data[:3] == b"\xef\xbb\xbf":
            return data[3:].decode("utf-8"), ()
        if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            return data.decode("utf-16"), ()
        if b"\0" in data:
            raise DataError(f"{path.name}: not text that can be read; save it as 'CSV UTF-8'")
        return data.decode("utf-8"), ()
    except UnicodeDecodeError as error:
        if data[:2] in {b"\xff\xfe", b"\xfe\xff"} or data[:3] == b"\xef\xbb\xbf":
            raise DataError(f"{path.name}: damaged text ({error.reason}); save it as 'CSV UTF-8'") from error
    try:
        return data.decode("cp1252"), (f"{path.name} is not UTF-8: read as Windows-1252.",)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name}: neither UTF-8 nor Windows-1252 (byte {error.start}); save it as 'CSV UTF-8'"
        ) from error


# --- spreadsheets and parquet ---------------------------------------------------------------------------


def _from_xlsx(path: Path, sheet: str | None, wanted: Sequence[str]) -> Table:
    import warnings
    from zipfile import BadZipFile, ZipFile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with ZipFile(path) as archive:
            refuse_swollen(path.name, archive.infolist(), most=MOST_UNPACKED)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's remarks on styles it does not know
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            names = tuple(one.title for one in book.worksheets)  # less sheets that hold a chart alone
            if sheet is not None and sheet not in names:
                raise DataError(f"{path.name}: no worksheet '{sheet}'; the worksheets are {_listed(names)}")
            tables = []
            for name in (sheet,) if sheet is not None else names:
                rows = [list(row) for row in book[name].iter_rows(values_only=True)]
                filled = [(at, row) for at, row in enumerate(rows, start=1) if any(_filled(c) for c in row)]
                if filled and filled[0][0] == 1 and _is_header(filled[0][1], alone=sheet is not None):
                    tables.append((name, filled))
            book.close()
    except (BadZipFile, InvalidFileException, *DAMAGED) as error:
        raise DataError(
            f"{path.name}: not a readable XLSX file ({error}); save it again from Excel"
        ) from error
    if not tables:
        where = f"worksheet '{sheet}'" if sheet is not None else "no worksheet"
        raise DataError(f"{path.name}: {where} starts with a header row; put the column names in row 1")
    asked = {name.casefold() for name in wanted}
    chosen = [
        pair for pair in tables if asked <= {text_of(cell).casefold() for cell in pair[1][0][1]}
    ] or tables
    name, filled = chosen[0]
    notes = (f"{path.name}: worksheet '{name}' of {len(names)} was read.",) if len(names) > 1 else ()
    return _table(path, [row for _, row in filled], [at for at, _ in filled], notes=notes)


def _filled(cell: Cell) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _is_header(row: Sequence[Cell], *, alone: bool) -> bool:
    """True for a first row that could name columns: a worksheet of notes has one cell, or none."""
    return alone or sum(_filled(cell) for cell in row) >= 2


def _from_parquet(path: Path) -> Table:
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        found = connection.sql(f"SELECT * FROM read_parquet({sql_path(path)})")
        columns = list(found.columns)
        zoned = [
            name for name, kind in zip(columns, found.types, strict=True) if "WITH TIME ZONE" in str(kind)
        ]
        if zoned:
            raise DataError(
                f"{path.name}: times with a time zone in {_listed(zoned)}; near midnight the zone decides "
                "the day, so save them as dates or as text without a zone"
            )
        rows = [
            tuple(str(c) if isinstance(c, list | dict | bytes) else c for c in row)
            for row in found.fetchall()
        ]
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{path.name}: not a readable parquet file ({first})") from error
    finally:
        connection.close()
    return _table(path, [columns, *map(list, rows)], list(range(1, len(rows) + 2)))


def sql_path(path: Path) -> str:
    """A path as an SQL text, with the characters that DuckDB would read as a pattern made plain.

    Example:
        >>> sql_path(Path("it's [1].csv"))
        "'it''s [[]1].csv'"
    """
    plain = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))
    return "'" + plain.replace("'", "''") + "'"


def _table(
    path: Path,
    raw: Sequence[Sequence[Cell]],
    numbers: Sequence[int],
    *,
    notes: tuple[str, ...] = (),
    decimal_comma: bool = False,
) -> Table:
    """Rows cut or padded to the header; a row with more cells than the header has names is an error."""
    columns = [text_of(cell) for cell in raw[0]]
    while columns and not columns[-1]:
        columns.pop()
    width = len(columns)
    long = [
        number
        for row, number in zip(raw[1:], numbers[1:], strict=True)
        if len(row) > width and any(_filled(cell) for cell in row[width:])
    ]
    if long:
        raise DataError(
            f"{path.name}, row {_few(long)}: more cells than the header's {width}; "
            "a text with the separator in it needs quotes"
        )
    return Table(
        name=path.name,
        columns=tuple(columns),
        rows=tuple(tuple(row[:width]) + (None,) * (width - len(row)) for row in raw[1:]),
        numbers=tuple(numbers[1:]),
        sha256=hash_of(path),
        decimal_comma=decimal_comma,
        notes=notes,
    )


def _few(numbers: Sequence[int], most: int = 5) -> str:
    more = f" and {len(numbers) - most} more" if len(numbers) > most else ""
    return ", ".join(str(number) for number in numbers[:most]) + more
