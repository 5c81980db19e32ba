"""The `survey` source: shares of respondents by area and period, with bases where they are published."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from whatworks_eval.errors import DataError
from whatworks_eval.panel import InputFile, Ledger, Panel
from whatworks_eval.periods import PeriodKind, first_day, period_of, period_range
from whatworks_eval.protocol_tables import Outcome
from whatworks_eval.sources.dates import how_to_write, is_near, read_periods
from whatworks_eval.sources.survey_layouts import Answer, Answers, read_answers
from whatworks_eval.sources.tables import text_of

READ = {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".gz"}
TOTALS = {"mps", "england and wales", "england", "wales", "london", "total", "all areas"}
Z_95 = 1.959964  # published intervals are 95 % intervals
LOST_ZERO = (0.10, 0.30)  # a value at most a tenth in an area that usually stands above three tenths
_SHORT_YEAR = re.compile(r"([A-Za-z]{3})-(\d{2})")
_QUARTERS = re.compile(r"Q([1-4])[ \-]?(\d{4})|(\d{4})[ \-]?Q([1-4])", re.IGNORECASE)

Placed = tuple[Answer, str, str]  # answer, period, file


def load_survey(path: Path, outcome: Outcome, *, period_kind: PeriodKind = "month") -> Panel:
    """The Panel of shares in a file, or in the files of a folder, of survey percentages.

    One question and one group of respondents are taken; every other answer stands in the ledger. Shares run
    from 0 to 1; a missing one is NaN and not observed.

    Raises:
        DataError: Every problem with its file and row.

    Example:
        >>> load_survey(Path("no-such.csv"), Outcome(source="survey", path="no-such.csv"))
        Traceback (most recent call last):
        ...
        whatworks_eval.errors.DataError: - no-such.csv: not found
    """
    files = [read_answers(file, outcome) for file in _files(path, outcome)]
    excluded: defaultdict[str, Counter[str]] = defaultdict(Counter)
    notes = [note for file in files for note in file.notes]
    placed = _placed(files, outcome, period_kind, notes)
    read = len(placed)
    question = _question(placed, outcome)
    notes.append(f"The question read is '{question}'.")
    placed = _leave_out(placed, excluded)
    placed = _take(placed, excluded, lambda answer: answer.question == question, "another question")
    placed = _one_group(placed, outcome, excluded, notes)
    placed = _areas_alone(placed, excluded)
    placed = _one_spelling(placed, notes)
    _check(placed)
    filled = _take(placed, excluded, lambda answer: answer.value is not None, "no value given (blank, N/A)")
    if not filled:
        raise DataError(f"{path.name}: no answer to '{question}' is left; see that it is given by area")
    rolling = outcome.rolling_months or _same(file.rolling_months for file in files)
    return _panel(
        filled,
        sorted({answer.area for answer, _, _ in placed}),
        period_kind,
        rolling,
        Ledger(
            read=read,
            used=len(filled),
            excluded={reason: dict(sorted(by.items())) for reason, by in sorted(excluded.items())},
            files=tuple(InputFile(name=file.name, sha256=file.sha256, rows=file.rows) for file in files),
            notes=(*notes, "Rows are answers: one question, area and period each."),
        ),
    )


def _files(path: Path, outcome: Outcome) -> list[Path]:
    if not path.is_dir():
        if outcome.periods and path.name not in outcome.periods:
            names = ", ".join(map(repr, outcome.periods))
            raise DataError(f"`outcome.periods` names {names}, but the file read is '{path.name}'")
        return [path]
    if outcome.periods:
        return [path / name for name in outcome.periods]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in READ)
    if not found:
        raise DataError(f"{path}: a folder without a CSV or XLSX file")
    return found


def _placed(files: Sequence[Answers], outcome: Outcome, kind: PeriodKind, notes: list[str]) -> list[Placed]:
    """Every answer with the period it belongs to: the file's own, or the declared one."""
    found, problems = list[Placed](), list[str]()
    for file in files:
        declared = outcome.periods.get(file.name)
        if declared is not None:
            try:
                declared = period_of(first_day(declared, kind), kind)
            except ValueError as error:
                problems.append(f"`outcome.periods`, {file.name}: {error}")
                continue
        whens = [answer.when for answer in file.found if answer.when is not None]
        named = _periods(whens, kind, file.name, notes)
        unread: dict[str, list[int]] = {}
        for answer in file.found:
            own = None if answer.when is None else named.get(answer.when)
            if answer.when is not None and own is None:
                unread.setdefault(text_of(answer.when), []).append(answer.row)
                continue
            if own is not None and declared is not None and own != declared:
                problems.append(
                    f"{file.name}, row {answer.row}: the file says {own}, `outcome.periods` {declared}; "
                    "drop it there"
                )
                break
            period = own or declared
            if period is None:
                problems.append(
                    f"{file.name}: the file does not say when the survey was done; write the {kind} its "
                    "fieldwork "
                    f'ended in: `periods = {{ "{file.name}" = "…" }}` under [outcome]'
                )
                break
            found.append((answer, period, file.name))
        problems += [
            f"{file.name}, row {rows[0]}{f' and {len(rows) - 1} more' if len(rows) > 1 else ''}: the date "
            f"'{text}' cannot be read; {how_to_write(kind)}"
            for text, rows in list(unread.items())[:5]
        ]
    if problems:
        raise DataError(problems)
    return found


def _periods(
    whens: Sequence[object], kind: PeriodKind, file: str, notes: list[str]
) -> dict[object, str | None]:
    """Each date as written, then its period; quarters are named by any month or day in them."""
    if kind not in ("month", "quarter"):
        return dict(read_periods(whens, kind))
    found: dict[object, str | None] = {}
    short = False
    months = read_periods(whens, "month")
    for when, month in months.items():
        text = text_of(when)
        if kind == "quarter" and (quarter := _QUARTERS.fullmatch(text)):
            year, number = (quarter[2], quarter[1]) if quarter[1] else (quarter[3], quarter[4])
            found[when] = f"{year}-Q{number}" if is_near(year) else None
            continue
        read = month
        if read is None and (year_of := _SHORT_YEAR.fullmatch(text)):
            read = read_periods([f"{year_of[1]} 20{year_of[2]}"], "month").popitem()[1]
            short = short or read is not None
        found[when] = None if read is None else period_of(first_day(read, "month"), kind)
    if short:
        notes.append(f"{file}: dates like 'Jun-22' were read as month and year: a survey has no days.")
    return found


def _question(placed: Sequence[Placed], outcome: Outcome) -> str:
    """The one question asked for: in full, or by words that only it holds."""
    every = list(dict.fromkeys(answer.question for answer, _, _ in placed if not answer.not_a_share))
    if outcome.measure is None:
        if len(every) == 1:
            return every[0]
        raise DataError(
            f"`outcome.measure` is missing, and the data hold {len(every)} questions: {_quoted(every)}. "
            "Write the words of one"
        )
    wanted = _plain(outcome.measure)
    for whole in (True, False):
        found = [one for one in every if (wanted == _plain(one) if whole else wanted in _plain(one))]
        if len(found) == 1:
            return found[0]
        if found:
            raise DataError(
                f"`outcome.measure`: '{outcome.measure}' fits {len(found)} questions: {_quoted(found)}. "
                "Write more "
                "of the one you mean"
            )
    near = get_close_matches(outcome.measure, every, n=1, cutoff=0.4)
    meant = f"did you mean '{near[0]}'?" if near else f"the questions are {_quoted(every)}"
    raise DataError(f"`outcome.measure`: no question '{outcome.measure}'; {meant}")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace('"', "")).strip().casefold()


def _quoted(names: Sequence[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"'{name}'" for name in names[:most]) + more


def _take(
    placed: Iterable[Placed],
    excluded: defaultdict[str, Counter[str]],
    wanted: Callable[[Answer], bool],
    reason: str,
) -> list[Placed]:
    """Those answers that are wanted; the others go to the ledger under the reason."""
    kept = []
    for one in placed:
        if wanted(one[0]):
            kept.append(one)
        else:
            excluded[reason][one[1]] += 1
    return kept


def _leave_out(placed: Iterable[Placed], excluded: defaultdict[str, Counter[str]]) -> list[Placed]:
    kept = []
    for one in placed:
        if one[0].not_a_share:
            excluded[one[0].not_a_share][one[1]] += 1
        else:
            kept.append(one)
    return kept


def _one_group(
    placed: list[Placed], outcome: Outcome, excluded: defaultdict[str, Counter[str]], notes: list[str]
) -> list[Placed]:
    groups = list(dict.fromkeys(answer.group for answer, _, _ in placed))
    if outcome.subgroup is None:
        if len(groups) > 1:
            raise DataError(
                f"`outcome.subgroup` is missing, and the data hold {len(groups)} groups of respondents: "
                f"{_quoted(groups)}; name one, and say under `context.subgroup` when it was chosen"
            )
        return placed
    found = [group for group in groups if _plain(group) == _plain(outcome.subgroup)]
    if not found or not found[0]:
        known = _quoted([group for group in groups if group]) or "none"
        raise DataError(f"`outcome.subgroup`: no group '{outcome.subgroup}'; the data name {known}")
    notes.append(f"Answers of one group alone: {found[0]}.")
    return _take(placed, excluded, lambda answer: answer.group == found[0], "another group of respondents")


def _areas_alone(placed: list[Placed], excluded: defaultdict[str, Counter[str]]) -> list[Placed]:
    """Without totals over areas, unless totals are all there is."""

    def is_total(answer: Answer) -> bool:
        return answer.area.casefold() in TOTALS or bool(re.fullmatch(r"[EWK](92|04)\d{6}", answer.area))

    if all(is_total(answer) for answer, _, _ in placed):
        return placed
    return _take(placed, excluded, lambda answer: not is_total(answer), "a total over areas")


def _one_spelling(placed: list[Placed], notes: list[str]) -> list[Placed]:
    """Areas that differ in letter case or blanks alone are one, under the spelling used most."""
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for answer, _, _ in placed:
        spellings[_plain(answer.area)][answer.area] += 1
    name = {key: used.most_common(1)[0][0] for key, used in spellings.items()}
    for key, used in spellings.items():
        if len(used) > 1:
            others = [f"'{other}' ({used[other]} answers)" for other in used if other != name[key]]
            notes.append(f"Spelt in several ways: {', '.join(others)} read as '{name[key]}'.")
    return [
        (replace(answer, area=name[_plain(answer.area)]), period, file) for answer, period, file in placed
    ]


def _check(placed: Sequence[Placed]) -> None:
    """No area has two answers in one period, and none looks like a share whose last zero was lost."""
    problems, at = list[str](), defaultdict[tuple[str, str], list[Placed]](list)
    by_area: defaultdict[str, list[Placed]] = defaultdict(list)
    for one in placed:
        at[one[0].area, one[1]].append(one)
        if one[0].value is not None:
            by_area[one[0].area].append(one)
    for (area, period), several in at.items():
        if len(several) > 1:
            rows = ", ".join(f"{file}, row {answer.row}" for answer, _, file in several[:3])
            problems.append(f"{rows}: area '{area}' has {len(several)} answers in {period}; keep one")
    for area, several in by_area.items():
        usual = float(np.median([answer.value for answer, _, _ in several if answer.value is not None]))
        for answer, period, file in several:
            value = answer.value or 0.0
            lost = 0 < value <= LOST_ZERO[0] and usual >= LOST_ZERO[1] and abs(100 * value % 1) < 1e-9
            if lost and len(several) >= 3:
                problems.append(
                    f"{file}, row {answer.row}: {100 * value:g} % for '{area}' in {period}, where it usually "
                    f"stands near {100 * usual:.0f} %: a lost zero, as when '0,{100 * value:.0f}' is read as "
                    f"{100 * value:.0f} and not {1000 * value:.0f} %; go back to the file as published"
                )
    if problems:
        more = len(problems) - 5
        raise DataError(problems[:5] + ([f"and {more} more such answers"] if more > 0 else []))


def _same(values: Iterable[int | None]) -> int | None:
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None


def _panel(
    filled: Sequence[Placed], areas: Sequence[str], kind: PeriodKind, rolling: int | None, ledger: Ledger
) -> Panel:
    """Shares, bases and effective bases by area and period."""
    named = sorted({period for _, period, _ in filled})
    periods = period_range(named[0], named[-1], kind)
    row = {area: place for place, area in enumerate(areas)}
    column = {period: place for place, period in enumerate(periods)}
    shares, bases, effective = np.full((3, len(areas), len(periods)), np.nan)
    for answer, period, _ in filled:
        place = row[answer.area], column[period]
        assert answer.value is not None
        shares[place] = answer.value
        bases[place] = np.nan if answer.base is None else answer.base
        effective[place] = _effective(answer)
    return Panel(
        areas=tuple(areas),
        periods=periods,
        period=kind,
        counts=shares,
        observed=~np.isnan(shares),
        bases=bases if np.isfinite(bases).any() else None,
        effective_bases=effective if np.isfinite(effective).any() else None,
        rolling_months=rolling,
        ledger=ledger,
    )


def _effective(answer: Answer) -> float:
    """Respondents of a simple random sample with the published 95 % interval; NaN where there is none.

    An interval cut off at 0 or 100 % is short on that side: the longer side is taken.
    """
    value, low, high = answer.value, answer.low, answer.high
    if value is None or low is None or high is None or not 0 < value < 1 or not low < value < high:
        return float("nan")
    se = max(high - value, value - low) / Z_95
    return value * (1 - value) / se**2
