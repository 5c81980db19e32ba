"""What `whatworks cost` does: an earlier result with a file of costs, or a cohort of offenders, in words."""

from __future__ import annotations

import json as json_text
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.terminal import UsageProblem, aside, folder_for, save

if TYPE_CHECKING:
    from whatworks_eval.economics.effect import EffectInput
    from whatworks_eval.economics_keys import Economics

QUANTILES = 199


@dataclass(frozen=True, slots=True, kw_only=True)
class Costed:
    """What a costing says, in each form it is asked for.

    Attributes:
        id: Name of the folder it goes to.
        told: For the terminal.
        page: Makes the HTML page.
        numbers: Makes the JSON.
    """

    id: str
    told: str
    page: Callable[[], str]
    numbers: Callable[[], str]


def command(
    effect: Path | None, costs: Path | None, cohort: Path | None, *, json: str | None, out: Path | None
) -> None:
    """Cost an earlier effect, or a cohort of offenders, and deliver it.

    Raises:
        UsageProblem: Half of what is needed was given, or both kinds.
    """
    if cohort is not None:
        if effect is not None or costs is not None:
            raise UsageProblem("--cohort stands alone: leave out --effect and --costs")
        made = of_cohort(cohort)
    elif effect is None or costs is None:
        raise UsageProblem("cost needs --effect with --costs, or --cohort, or --compare with two results")
    else:
        made = of_effect(effect, costs)
    deliver(made, json=json, out=out)


def deliver(made: Costed, *, json: str | None, out: Path | None) -> None:
    """Print it, and write the page and the numbers where that was asked for."""
    told = made.told
    if out is not None:
        folder = folder_for(made.id, out)
        written = (
            save(folder / "economics.html", made.page()),
            save(folder / "economics.json", made.numbers()),
        )
        told += "".join(f"\nWritten: {path}" for path in written)
    if json is not None and json != "-":
        told += f"\nWritten: {save(Path(json), made.numbers())}"
    if json == "-":
        aside(told)
        print(made.numbers(), end="")
    else:
        print(told)


def of_effect(effect: Path, costs: Path) -> Costed:
    """An earlier evaluation with what the project cost.

    Raises:
        ProtocolError: Every problem with the costs, by file and key.
        DataError: The result cannot be read, or says too little; by file and key.
    """
    from whatworks_eval.economics.appraise import appraise_effect
    from whatworks_eval.report.economics_page import economics_html
    from whatworks_eval.report.economics_section import economics_dict, economics_text

    result = read_result(effect)
    economics = read_costs(costs, result["protocol"])
    try:
        input_ = effect_from(result, economics, name=effect.name, base=costs.parent)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{effect.name}: not as `whatworks run` writes it ({type(error).__name__}: {error}); make it "
            "again"
        ) from None
    try:
        made = appraise_effect(input_, economics)
    except ProtocolError as error:
        raise ProtocolError(f"{costs.name}: {problem}" for problem in error.problems) from None
    protocol = result["protocol"]
    question = str(protocol.get("question", "")) or str(protocol.get("id", "an earlier evaluation"))
    facts = (
        ("Effect", f"{effect.name}, protocol {protocol.get('id')}"),
        ("SHA-256 of its protocol", str(protocol.get("sha256"))),
        ("Costs", costs.name),
        ("Seed", str(made.seed)),
    )
    numbers = {
        "schema": 1,
        "tool": result["tool_now"],
        "effect": {"file": effect.name, "protocol": protocol.get("id"), "sha256": protocol.get("sha256")},
        "economics": economics_dict(made),
    }
    return Costed(
        id=str(protocol.get("id") or "economics"),
        told=f"{question}\n\n{economics_text(made, mark='=')}",
        page=lambda: economics_html(made, title=f"Was it worth it? {question}", facts=facts),
        numbers=lambda: _as_json(numbers),
    )


def _as_json(numbers: Mapping[str, Any]) -> str:
    return json_text.dumps(numbers, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_costs(path: Path, design: Mapping[str, Any]) -> Economics:
    """The [economics] of a TOML file, which may be a whole design.

    Args:
        path: The file.
        design: The protocol of the effect, as its result holds it: what would contradict it is refused.

    Raises:
        ProtocolError: Every problem, by file and key.
    """
    from pydantic import ConfigDict, ValidationError

    from whatworks_eval.economics_contradictions import economics_contradictions
    from whatworks_eval.economics_keys import Economics
    from whatworks_eval.protocol_problems import explain
    from whatworks_eval.survey_keys import Section
    from whatworks_eval.toml_file import read_toml

    class CostsFile(Section):
        """The part of a file that says what a project cost."""

        model_config = ConfigDict(frozen=True, extra="ignore")
        economics: Economics

    CostsFile.model_rebuild(_types_namespace={"Economics": Economics})
    given = read_toml(path)
    if "economics" not in given:
        raise ProtocolError(
            f"{path.name}: no section [economics]; it holds what the project cost, in tables "
            "[[economics.costs]]"
        )
    written = {"economics": _tuples(given["economics"]), "windows": design.get("windows")}
    try:
        economics = CostsFile.model_validate({"economics": written["economics"]}, strict=True).economics
    except ValidationError as error:
        problems = explain(error.errors(include_url=False), CostsFile)
        raise ProtocolError(f"{path.name}: {problem}" for problem in problems) from None
    sections = {**design, "economics": economics.model_dump()}
    if problems := list(economics_contradictions(sections, written)):
        raise ProtocolError(f"{path.name}: {problem}" for problem in problems)
    return economics


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def read_result(path: Path) -> dict[str, Any]:
    """A result.json of an earlier evaluation, as far as its effect goes.

    Raises:
        DataError: What is missing or odd, by file and key.
    """
    from whatworks_eval.report.as_json import tool

    try:
        given = json_text.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; `whatworks run` writes one as result.json") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:  # the second where it nests without end
        raise DataError(
            f"{path.name}: not a JSON file ({error}); give the result.json of an evaluation"
        ) from None
    problems = []
    if not isinstance(given, Mapping):
        raise DataError(
            f"{path.name}: not the result of an evaluation; give the result.json of `whatworks run`"
        )
    if given.get("schema") != 1:
        problems.append(f"`schema` is {given.get('schema')!r}; this version reads 1")
    for key, kind in (("protocol", Mapping), ("estimate", Mapping), ("grade", Mapping)):
        if not isinstance(given.get(key), kind):
            problems.append(f"`{key}` is missing; give the result.json of `whatworks run`, whole")
    if not problems:
        problems += _estimate_problems(given["estimate"])
        level = given["grade"].get("level")
        if not (isinstance(level, int) and not isinstance(level, bool) and 1 <= level <= 5):
            problems.append(f"`grade.level` is {level!r}; expected a whole number from 1 to 5")
        problems += [
            f"`protocol.{key}` is {held!r}; expected a table"
            for key in ("outcome", "areas", "windows")
            if (held := given["protocol"].get(key)) is not None and not isinstance(held, Mapping)
        ]
        if not isinstance(given["protocol"].get("intervention"), Mapping):
            problems.append("`protocol.intervention` is missing; it holds the start of the project")
    if problems:
        raise DataError(f"{path.name}: {problem}" for problem in problems)
    return {**given, "tool_now": tool()}


def _estimate_problems(estimate: Mapping[str, Any]) -> list[str]:
    problems = []
    if estimate.get("scale") not in {"log-ratio", "difference"}:
        problems.append(f"`estimate.scale` is {estimate.get('scale')!r}; expected log-ratio or difference")
    for key in ("value", "low", "high", "recorded", "expected", "confidence"):
        number = estimate.get(key)
        if number is not None and not _is_number(number):
            problems.append(f"`estimate.{key}` is {number!r}, not a number")
    quantiles = estimate.get("quantiles")
    if not isinstance(quantiles, list) or not all(map(_is_number, quantiles)):
        problems.append("`estimate.quantiles` is not a list of numbers")
    elif len(quantiles) not in {0, QUANTILES}:
        problems.append(f"`estimate.quantiles` holds {len(quantiles)} numbers; expected {QUANTILES}, or none")
    elif quantiles != sorted(quantiles):
        problems.append("`estimate.quantiles` are not in order; expected the smallest first")
    return problems


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def effect_from(result: Mapping[str, Any], economics: Economics, *, name: str, base: Path) -> EffectInput:
    """The effect of an earlier result, as economics takes it.

    Args:
        result: What `read_result` returned.
        economics: Its `months` gives the length of the after window where the result does not.
        name: Of the result's file, for errors.
        base: Folder that `shares_file` is relative to.

    Raises:
        DataError: The length of the after window or its start is not to be had.
    """
    from whatworks_eval.economics.effect import (
        EffectInput,
        buffer_correlation,
        months_treated,
        prevented_quantiles,
        why_no_incidents,
    )
    from whatworks_eval.periods import first_day, months_between

    protocol, outcome = result["protocol"], result["protocol"].get("outcome") or {}
    windows = protocol.get("windows")
    period = protocol.get("period", "month")
    estimate = _estimate(result["estimate"])
    problems = []
    declared = used = economics.months
    start = protocol["intervention"].get("start")
    if windows is not None:
        first, last = windows["after"]
        declared, start = float(months_between(first, last, period)), first
        kept = ((result.get("ledger") or {}).get("periods_used") or {}).get("after") or []
        cohorts = [
            (one["start"], one["areas"]) for one in (result.get("over_time") or {}).get("cohorts") or ()
        ]
        used = months_treated(kept, period, cohorts) if kept else declared
    if declared is None or used is None:
        problems.append(
            f"{name}: the length of the after window is not in the result; say how many months it was in "
            "`economics.months`"
        )
    if not start:
        problems.append(f"{name}: `protocol.intervention.start` is missing")
    if problems:
        raise DataError(problems)
    assert declared is not None
    assert used is not None
    beside = next((one for one in result.get("alternatives") or [] if _is_buffer(one)), None)
    buffer = None if beside is None else _estimate(beside).prevented
    areas, used_areas = protocol.get("areas") or {}, result.get("contrast") or {}
    sizes = [len(used_areas.get(arm) or ()) for arm in ("treated", "comparison", "buffer", "pool")]
    totals, changes = outcome.get("totals") or {}, outcome.get("changes") or {}
    return EffectInput(
        prevented=estimate.prevented,
        why_missing=why_no_incidents(estimate),
        quantiles=prevented_quantiles(estimate),
        confidence=estimate.confidence,
        months=used,
        months_declared=declared,
        start=first_day(str(start), period),
        level=int(result["grade"]["level"]),
        offences=None if outcome.get("offences") is None else tuple(outcome["offences"]),
        compared=any(held.get("comparison") is not None for held in (areas, totals, changes)),
        buffer=buffer if buffer is not None and buffer.value is not None else None,
        buffer_correlation=buffer_correlation(outcome.get("totals"), sizes),
        harm=outcome.get("harm"),
        base=base,
        seed=int(protocol.get("seed", 1)),
    )


def _estimate(given: Mapping[str, Any]) -> Any:
    from whatworks_eval.records import Estimate

    return Estimate(
        measure=str(given.get("measure", "")),
        scale=given["scale"],
        unit=str(given.get("unit", "")),
        value=given.get("value"),
        low=given.get("low"),
        high=given.get("high"),
        confidence=float(given.get("confidence") or 0.95),
        inference=str(given.get("inference", "")),
        recorded=given.get("recorded"),
        expected=given.get("expected"),
        quantiles=tuple(float(number) for number in given.get("quantiles") or ()),
        why_missing=given.get("why_missing"),
    )


def _is_buffer(given: Mapping[str, Any]) -> bool:
    from whatworks_eval.methods.effect_measures import BUFFER as LABEL

    return given.get("label") == LABEL


def of_cohort(file: Path) -> Costed:
    """A cohort of offenders before and after joining a scheme, beside a comparison where there is one.

    Args:
        file: TOML with [cohort], or the name of a shipped dataset that holds one.

    Raises:
        ProtocolError: Every problem with the file, by key.
        DataError: Every problem with the people, by file and row.
    """
    from whatworks_eval.economics.cohort_file import load_cohort
    from whatworks_eval.economics.cohorts import cohort_costs, cohort_protocol
    from whatworks_eval.evaluation import evaluate
    from whatworks_eval.report.as_json import tool
    from whatworks_eval.report.cohort_words import TITLE, cohort_dict, cohort_section
    from whatworks_eval.report.economics_page import section_html
    from whatworks_eval.report.economics_section import section_text
    from whatworks_eval.sources import load_data

    cohort = load_cohort(_shipped(file))
    protocol = cohort_protocol(cohort)
    found = cohort_costs(cohort, evaluate(protocol, load_data(protocol)))
    section, title = cohort_section(found), f"{TITLE} {cohort.keys.name}"
    facts = (("Cohort", cohort.keys.id), ("Seed", str(cohort.keys.seed)))
    numbers = {"schema": 1, "tool": tool(), "cohort": cohort_dict(found)}
    return Costed(
        id=cohort.keys.id,
        told=section_text(section, title=title, mark="="),
        page=lambda: section_html(section, title=title, level=found.level, facts=facts),
        numbers=lambda: _as_json(numbers),
    )


def _shipped(file: Path) -> Path:
    """The file, or the one of a shipped dataset of that name."""
    from whatworks_eval.shipped import list_shipped

    if file.exists():
        return file
    held = (item.path / "cohort.toml" for item in list_shipped("datasets") if item.name == str(file))
    return next((path for path in held if path.is_file()), file)
