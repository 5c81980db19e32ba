"""Find the street files of a police.uk download: in a folder, in a zip, or one file."""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from whatworks_eval.errors import DataError
from whatworks_eval.periods import YEARS

# YYYY-MM-force-kind.csv, as police.uk names every file it publishes.
_NAMED = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))-(.+)-(street|outcomes|stop-and-search)\.csv", re.IGNORECASE)
_NEARLY = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))-(.+)-street.*\.(csv|txt)", re.IGNORECASE)


HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context"
)
NEEDED = ("month", "longitude", "latitude", "lsoa_code", "lsoa_name", "crime_type")
_HEAD_BYTES = 16_384
_CHUNK = 1 << 20
# A member larger than this (bytes) that unpacks to over so many times its size is no table: text of
# numbers unpacks to about ten times its size.
_LARGE, _SWOLLEN = 50_000_000, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetFile:
    """One force-month of street-level rows.

    Attributes:
        path: Where the bytes are; in a temporary folder for a member of a zip.
        name: As the user would recognise it.
        month: From its name: '2018-01'.
        force: From its name: 'avon-and-somerset'.
        force_name: The 'Reported by' of its first row; '' where it has none.
        columns: Header, normalised: 'crime_id', 'month', …
        sha256: Of the file, or of the zip that held it.
        bytes: Size of the file as text.
    """

    path: Path
    name: str
    month: str
    force: str
    force_name: str
    columns: tuple[str, ...]
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The street files of a download, and what else lay beside them.

    Attributes:
        files: Sorted by force, then month.
        notes: What was passed over, as sentences for the ledger.
    """

    files: tuple[StreetFile, ...]
    notes: tuple[str, ...]


@contextmanager
def street_files(path: Path, *, hashed: bool = True) -> Iterator[Found]:
    """The street files at a path, ready to read; members of a zip lie in a folder that goes afterwards.

    Args:
        path: A folder (nested or flat), a zip of one, or a single CSV file.
        hashed: False leaves the SHA-256 empty, for timing.

    Raises:
        DataError: Nothing to read, a file that is not what its name says, or a force-month twice.

    Example:
        >>> with street_files(Path("no-such-folder")) as found:
        ...     pass
        Traceback (most recent call last):
        ...
        whatworks_eval.errors.DataError: - no-such-folder: not found; give the police.uk folder, zip ...
    """
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
        if is_file:
            path.open("rb").close()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); see that you may open it"
        ) from None
    if is_folder:
        yield _described(_in_folder(path, hashed=hashed), path, _beside(p.name for p in path.rglob("*")))
    elif not is_file:
        raise DataError(f"{path}: not found; give the police.uk folder, zip or CSV file as `outcome.path`")
    elif path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        with TemporaryDirectory(prefix="whatworks-") as folder:
            members, names = _unpacked(path, Path(folder), hashed=hashed)
            yield _described(members, path, _beside(names))
    else:
        named = _NEARLY.fullmatch(path.name)
        if named is None:
            raise DataError(
                f"{path}: month and force cannot be told from this name; "
                "name the file as police.uk does: YYYY-MM-force-street.csv"
            )
        sha256 = hash_of(path) if hashed else ""
        if hashed and (problems := list(open_quote(path, path.name))):
            raise DataError(problems)
        yield _described([(path, path.name, named[1], named[2].lower(), sha256)], path, ())


def open_quote(path: Path, name: str) -> Iterator[str]:
    """A sentence where a quotation mark is not closed on its line: DuckDB drops the rows behind it unsaid."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.count(b'"') % 2:
                yield (
                    f"{name}, line {number}: a quotation mark is opened and not closed on the line, which "
                    "would swallow the rows after it; remove it, or download the file again"
                )
                return


def hash_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


_Raw = tuple[Path, str, str, str, str]  # path, name, month, force, sha256


def _street(name: str) -> re.Match[str] | None:
    found = _NAMED.fullmatch(name)
    return found if found is not None and found[3].lower() == "street" else None


def _in_folder(folder: Path, *, hashed: bool) -> list[_Raw]:
    raw: list[_Raw] = []
    problems: list[str] = []
    for path in sorted(folder.rglob("*")):
        named = _street(path.name)
        if named is not None and path.is_file():
            name = path.relative_to(folder).as_posix()
            raw.append((path, name, named[1], named[2].lower(), hash_of(path) if hashed else ""))
            problems += open_quote(path, name) if hashed and _quoted(path) else ()
    if problems:
        raise DataError(problems)
    return raw


def _quoted(path: Path) -> bool:
    with path.open("rb") as stream:
        return any(b'"' in chunk for chunk in iter(lambda: stream.read(_CHUNK), b""))


def _unpacked(archive: Path, folder: Path, *, hashed: bool) -> tuple[list[_Raw], list[str]]:
    """The street files of a zip, written under names of our own, and every member's name."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            climbing = [member.filename for member in members if _climbs_out(member.filename)]
            if climbing:
                raise DataError(
                    f"{archive.name}: member '{name}' has a path that leads out of the archive; "
                    "do not trust this file, download it again from police.uk"
                    for name in climbing
                )
            refuse_swollen(
                archive.name,
                [member for member in members if _street(PurePosixPath(member.filename).name)],
                most=shutil.disk_usage(folder).free,
            )
            sha256 = hash_of(archive) if hashed else ""
            raw: list[_Raw] = []
            problems: list[str] = []
            for number, member in enumerate(members):
                named = _street(PurePosixPath(member.filename).name)
                if named is None:
                    continue
                target, quoted = folder / f"{number:05d}.csv", False
                with opened.open(member) as source, target.open("wb") as out:
                    while chunk := source.read(_CHUNK):
                        quoted = quoted or b'"' in chunk
                        out.write(chunk)
                name = f"{archive.name}/{member.filename}"
                problems += open_quote(target, name) if quoted else ()
                raw.append((target, name, named[1], named[2].lower(), sha256))
            if problems:
                raise DataError(problems)
            return raw, [PurePosixPath(member.filename).name for member in members]
    except (zipfile.BadZipFile, EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"{archive.name}: not a whole zip file ({error}); the download was cut short or damaged: "
            "download it again"
        ) from error
    except (RuntimeError, NotImplementedError) as error:
        raise DataError(
            f"{archive.name}: cannot be unpacked ({error}); unpack it yourself and give the folder"
        ) from error


def refuse_swollen(archive: str, members: Sequence[zipfile.ZipInfo], *, most: float) -> None:
    """A DataError where members would unpack to more than `most` bytes, or to far more than text does."""
    problems = [
        f"{archive}: member '{member.filename}' would unpack to {member.file_size / 1e6:,.0f} MB from "
        f"{member.compress_size / 1e6:,.1f} MB, which no table of counts does; do not trust this file, "
        "download it again"
        for member in members
        if member.file_size > _LARGE and member.file_size > _SWOLLEN * max(member.compress_size, 1)
    ]
    total = sum(member.file_size for member in members)
    if total > most and not problems:
        problems.append(
            f"{archive}: would unpack to {total / 1e9:,.1f} GB, more than the {most / 1e9:,.1f} GB there is "
            "room for; give fewer months, or unpack it yourself and give the folder"
        )
    if problems:
        raise DataError(problems)


def _climbs_out(member: str) -> bool:
    parts = PurePosixPath(member.replace("\\", "/")).parts
    return ".." in parts or member.startswith(("/", "\\")) or bool(parts and parts[0].endswith(":"))


def _beside(names: Iterator[str] | list[str]) -> tuple[str, ...]:
    """Sentences on the files that are not street files."""
    outcomes = searches = 0
    nearly: list[str] = []
    archives: list[str] = []
    for name in names:
        named = _NAMED.fullmatch(name)
        if named is not None:
            outcomes += named[3].lower() == "outcomes"
            searches += named[3].lower() == "stop-and-search"
        elif _NEARLY.fullmatch(name):
            nearly.append(name)
        elif name.lower().endswith(".zip"):
            archives.append(name)
    notes = []
    if outcomes:
        notes.append(f"{outcomes} outcomes files passed over: only street files are counted.")
    if searches:
        notes.append(f"{searches} stop-and-search files passed over: only street files are counted.")
    notes += [
        f"'{name}' passed over: not named like police.uk's YYYY-MM-force-street.csv. Rename it to count it."
        for name in sorted(nearly)
    ]
    notes += [
        f"Archive '{name}' inside was not opened. Name it itself to read it." for name in sorted(archives)
    ]
    return tuple(notes)


def _described(raw: list[_Raw], path: Path, notes: tuple[str, ...]) -> Found:
    """Headers read and checked, and no force-month twice."""
    if not raw:
        what = " ".join(notes)
        raise DataError(
            f"{path}: holds no street file (YYYY-MM-force-street.csv). "
            + (what or "Give the folder or zip that police.uk's download unpacks to.")
        )
    problems: list[str] = []
    files: list[StreetFile] = []
    first_seen: dict[tuple[str, str], str] = {}
    for at, name, month, force, sha256 in sorted(raw, key=lambda item: (item[3], item[2], item[1])):
        if int(month[:4]) not in YEARS:
            problems.append(
                f"{name}: the year {month[:4]} in the file's name cannot be; rename or remove the file"
            )
            continue
        if (force, month) in first_seen:
            problems.append(
                f"{name}: {force} {month} is here twice, also as {first_seen[force, month]}; "
                "two downloads of the same month differ: keep one of them"
            )
            continue
        first_seen[force, month] = name
        try:
            columns, force_name = _header(at, name)
        except DataError as error:
            problems += error.problems
            continue
        files.append(
            StreetFile(
                path=at.resolve(),
                name=name,
                month=month,
                force=force,
                force_name=force_name,
                columns=columns,
                sha256=sha256,
                bytes=at.stat().st_size,
            )
        )
    if problems:
        raise DataError(problems)
    return Found(files=tuple(files), notes=notes)


def _header(path: Path, name: str) -> tuple[tuple[str, ...], str]:
    """The normalised header and the force's own name, or a DataError that says what the file is."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if not head.strip():
        raise DataError(
            f"{name}: the file is empty; download it again, or remove it if there is no such month"
        )
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in head:
        raise DataError(f"{name}: not UTF-8 text (UTF-16, or not text at all); save it as 'CSV UTF-8'")
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace")
    if text.lstrip().startswith("<"):
        raise DataError(f"{name}: a web page, not a CSV file; download it again from police.uk")
    rows = list(csv.reader(text.splitlines()[:2]))
    columns = tuple(cell.strip().lower().replace(" ", "_") for cell in rows[0])
    missing = [column for column in NEEDED if column not in columns]
    if len(missing) == len(NEEDED):
        if len(rows[0]) == 1 and (";" in text or "\t" in text):
            raise DataError(f"{name}: not separated by commas; save it as comma-separated CSV")
        raise DataError(
            f"{name}: the header row is missing (the file begins '{text[:40].splitlines()[0]}'); "
            f"put police.uk's back as the first line: {HEADER}"
        )
    if missing:
        spoken = ", ".join(f"'{column.replace('_', ' ').capitalize()}'" for column in missing)
        raise DataError(
            f"{name}: column {spoken} is missing; use the file as police.uk publishes it: {HEADER}".replace(
                "'Lsoa", "'LSOA"
            )
        )
    repeated = sorted({column for column in columns if column in NEEDED and columns.count(column) > 1})
    if repeated:
        raise DataError(f"{name}: column '{repeated[0]}' is there twice; keep one of them")
    force_name = ""
    if "reported_by" in columns and len(rows) > 1 and len(rows[1]) > columns.index("reported_by"):
        force_name = rows[1][columns.index("reported_by")].strip()
    return columns, force_name
