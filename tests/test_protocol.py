"""The declared design: what is read, what is refused, and how a refusal reads."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatworks_eval.errors import ProtocolError
from whatworks_eval.periods import EXAMPLES, PeriodKind
from whatworks_eval.protocol import Protocol, load_protocol, protocol_from_dict
from whatworks_eval.protocol_problems import known_keys
from whatworks_eval.shipped import list_shipped

SOUND: dict[str, Any] = {
    "schema": 1,
    "id": "patrols-2019",
    "question": "Did it fall?",
    "method": "relative-effect",
    "intervention": {"name": "Patrol", "start": "2019-01", "assignment": "need"},
    "outcome": {"source": "police-uk", "path": "download.zip"},
    "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
    "areas": {"treated": ["E01000001", "E01000002"], "comparison": "rest"},
}
TOTALS = {"treated": [398, 190], "comparison": [148, 97]}


def changed(dotted: str, value: Any) -> dict[str, Any]:
    """The sound design with one key set, or taken out where the value is None."""
    mapping = copy.deepcopy(SOUND)
    *sections, key = dotted.split(".")
    table = mapping
    for section in sections:
        table = table.setdefault(section, {})
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
    return mapping


def problems(mapping: dict[str, Any]) -> tuple[str, ...]:
    """What is said against a design."""
    with pytest.raises(ProtocolError) as raised:
        protocol_from_dict(mapping)
    return raised.value.problems


def without_areas(source: str, key: str, numbers: dict[str, Any]) -> dict[str, Any]:
    """The sound design on numbers in place of counts by area."""
    mapping = {name: value for name, value in SOUND.items() if name not in {"areas", "windows"}}
    return mapping | {"outcome": {"source": source, key: numbers}}


def test_a_sound_design_is_read_with_its_defaults() -> None:
    """What is not written has the default DESIGN gives."""
    protocol = protocol_from_dict(SOUND, base="somewhere")
    assert (protocol.confidence, protocol.period, protocol.registered) == (0.95, "month", None)
    assert protocol.windows is not None
    assert protocol.windows.match_missing
    assert protocol.base == Path("somewhere")


def test_the_hash_is_of_the_design_and_not_of_how_it_is_written() -> None:
    """Order, defaults written out and the folder do not change it; a seed does."""
    plain = protocol_from_dict(SOUND).sha256
    reordered = dict(reversed(list(SOUND.items())))
    assert protocol_from_dict(reordered, base="/elsewhere").sha256 == plain
    assert protocol_from_dict(changed("confidence", 0.95)).sha256 == plain
    assert protocol_from_dict(changed("seed", 7)).sha256 != plain


def test_a_protocol_reads_back_from_its_own_json() -> None:
    """`as_dict` is plain JSON, and declares the same design, less the defaults of other sources."""
    protocol = protocol_from_dict(changed("registered", date(2018, 11, 1)))
    assert json.loads(json.dumps(protocol.as_dict())) == protocol.as_dict()
    assert protocol.as_dict()["schema"] == 1
    assert protocol.as_dict()["registered"] == "2018-11-01"


def test_what_is_no_mapping_is_no_protocol() -> None:
    """A path or a list given by mistake is named as what it is."""
    with pytest.raises(ProtocolError, match="not str"):
        protocol_from_dict("designs/x.toml")  # type: ignore[arg-type]


def test_registered_may_be_iso_text_in_a_mapping() -> None:
    """JSON has no dates, so a mapping may hold one as text."""
    assert protocol_from_dict(changed("registered", "2018-11-01")).registered == date(2018, 11, 1)


@pytest.mark.parametrize(
    ("dotted", "value", "said"),
    [
        ("schema", 2, "`schema` is 2; expected 1"),
        ("id", "My Project", "`id` is 'My Project'; expected small letters"),
        ("question", "", "`question` is empty"),
        ("question", None, "`question` is missing"),
        ("registered", "last May", "`registered` is 'last May'; expected a day, as 2018-11-01"),
        ("method", "before_after", "did you mean 'before-after'?"),
        ("confidence", "0.95", "`confidence` is '0.95'; expected a number"),
        ("confidence", 95, "`confidence` is 95; it must be below 1"),
        ("seed", 1.5, "`seed` is 1.5; expected a whole number"),
        ("seed", True, "`seed` is true; expected a whole number"),
        ("seed", -1, "`seed` is -1; it must be at least 0"),
        ("period", "year", "`period` is 'year'; expected one of 'month', 'quarter', 'week' or 'day'"),
        ("period", "week", 'write period = "month"'),
        ("intervention", "Patrol", "`intervention` is 'Patrol'; expected a table"),
        ("intervention.assignment", "vibes", "expected one of 'random', 'phased', 'need', 'volunteer'"),
        ("intervention.start", date(2019, 1, 1), 'is 2019-01-01; expected text in quotes: "2019-01-01"'),
        ("intervention.start", "2019-13", "`intervention.start` is '2019-13'"),
        ("intervention.strat", "2019-01", "did you mean `intervention.start`?"),
        ("outcome.source", "police.uk", "did you mean 'police-uk'?"),
        ("outcome.kind", "rate", "'rate', but method 'relative-effect' takes counts; use method 'did'"),
        ("outcome.path", None, "`outcome.path` is missing; source 'police-uk' needs it"),
        ("outcome.sheet", "Sheet1", "`outcome.sheet` is not used with source 'police-uk'"),
        ("outcome.offences", "Burglary", "`outcome.offences` is 'Burglary'; expected a list"),
        ("outcome.offences", [], "`outcome.offences` is empty"),
        ("outcome.offences", ["burglary"], "no offence 'burglary'; did you mean 'Burglary'?"),
        ("outcome.offences", ["Knife crime"], "no offence 'Knife crime'"),
        ("windows", None, "`windows` is missing"),
        ("windows.before", ["2018-01"], "`windows.before` is too short; expected two"),
        ("windows.after", ["2019-01", "2019-06", "2019-12"], "`windows.after` holds 3 values; expected 2"),
        ("windows.before", ["2018", "2018-12"], "`windows.before[1]` is '2018', not a month"),
        ("windows.before", ["2018-12", "2018-01"], "ends (2018-01) before it begins (2018-12)"),
        ("windows.before", ["2018-01", "2019-03"], "`windows.before` reaches 2019-03"),
        ("windows.before", ["2018-01", "2019-03"], "overlap"),
        ("windows.after", ["2018-06", "2019-12"], "begins 2018-06, before `intervention.start` (2019-01)"),
        ("windows.match_missing", "yes", "`windows.match_missing` is 'yes'; expected true or false"),
        ("areas", None, "`areas` is missing"),
        ("areas.treated", None, "`areas.treated` is missing"),
        ("areas.treated", "E01000001", "expected a list of area codes"),
        ("areas.treated", [], "expected a list of area codes"),
        ("areas.treated", ["E1", "E1"], "lists 'E1' more than once"),
        ("areas.treated", ["E1", " "], "holds an empty code"),
        ("areas.treated", {"column": "area"}, "`areas.treated.file` is missing"),
        ("areas.treated", {"file": "a.csv", "colunm": "area"}, "did you mean `areas.treated.column`?"),
        ("areas.treated", {"file": "a.csv", "start": "when"}, "has one start for all; use 'did'"),
        ("did", {"model": "linear"}, "`did` is given, but `method` is 'relative-effect'"),
        ("areas.comparison", None, "`areas.comparison` is missing; method 'relative-effect' needs it"),
        ("areas.comparison", "matchd", "did you mean 'matched'?"),
        ("areas.comparison", ["E01000001"], "'E01000001' in both `areas.treated` and `areas.comparison`"),
        ("areas.buffer", ["E01000002"], "'E01000002' in both `areas.treated` and `areas.buffer`"),
        ("areas.buffer", {}, "`areas.buffer` takes one of"),
        ("areas.buffer", {"within_m": 5, "adjacent_to": "treated"}, "`areas.buffer` takes one of"),
        ("areas.buffer", {"within_m": -5}, "`areas.buffer.within_m` is -5; it must be above 0"),
        ("areas.unit", "ward", '`areas.unit` is \'ward\'; expected "area", "contiguous", or { file'),
        ("areas.offences", ["Burglary"], "did you mean `outcome.offences`?"),
        ("covariates.imd", {"as": "score"}, "`covariates.imd.path` is missing"),
        ("covariates.imd", {"path": "f.csv", "edtion": 2019}, "did you mean `covariates.imd.edition`?"),
        ("matching.per_treated", 5, '`matching` is given, but `areas.comparison` is not "matched"'),
        ("matching.caliper", 0.0, "`matching.caliper` is 0.0; it must be above 0"),
        ("matching.on", ["before_tend"], "did you mean 'before_trend'?"),
        ("economics", {"price_year": "2024-25"}, "`economics.costs` is missing; what the project cost"),
        ("context.evaluator", "us", "expected one of 'independent', 'funder' or 'provider'"),
        ("context.attrition_percent", 120, "it must be at most 100"),
        (
            "context.recording_changes",
            [{"what": "x", "start": "May", "arm": "both"}],
            "`context.recording_changes[1].start`",
        ),
        ("offences", ["Burglary"], "`offences` is not a known key; did you mean `outcome.offences`?"),
    ],
)
def test_a_fault_is_named_with_its_key_its_value_and_a_fix(dotted: str, value: Any, said: str) -> None:
    """One planted fault in a sound design brings up the sentence about it."""
    assert any(said in problem for problem in problems(changed(dotted, value))), problems(
        changed(dotted, value)
    )


@pytest.mark.parametrize(
    ("source", "key", "numbers", "said"),
    [
        ("totals", "totals", {"treated": [398, 190]}, "`outcome.totals.comparison` is missing"),
        ("totals", "totals", TOTALS | {"treated": [-1, 190]}, "cannot be below zero"),
        ("totals", "totals", TOTALS | {"periods": [0, 12]}, "`outcome.totals.periods` must be above zero"),
        ("totals", "totals", TOTALS | {"dispersion": 0.5}, "it must be at least 1"),
        ("published-changes", "changes", {"treated": -11.7}, "`outcome.changes.comparison` is missing"),
        ("published-changes", "changes", {"treated": -120, "comparison": 0}, "it must be above -100"),
        ("published-changes", "totals", TOTALS, "`outcome.changes` is missing"),
        ("dataset", "path", "f.csv", "`outcome.dataset` is missing"),
    ],
)
def test_numbers_in_place_of_counts_are_checked(source: str, key: str, numbers: Any, said: str) -> None:
    """Sources without areas name what they lack."""
    assert any(said in problem for problem in problems(without_areas(source, key, numbers)))


def test_areas_mean_nothing_to_totals() -> None:
    """A section that would be passed over in silence is refused."""
    mapping = without_areas("totals", "totals", TOTALS) | {"areas": SOUND["areas"]}
    assert "`areas` is not used with source 'totals'" in problems(mapping)[0]


def test_offences_of_a_counts_table_need_their_column() -> None:
    """Picking offences from a table needs to know where the offence stands."""
    mapping = SOUND | {"outcome": {"source": "counts", "path": "f.csv", "offences": ["Burglary"]}}
    assert "`outcome.offence` does not say which column" in problems(mapping)[0]


def test_every_problem_is_told_at_once() -> None:
    """Faults of form in one section do not hide contradictions in the same section or another."""
    mapping = changed("intervention.assignment", "vibes")
    mapping["windows"] = {"before": ["2018-01", "2019-06"], "after": ["2019-01", "2019-12"]}
    mapping["areas"] = {"treeted": ["E1"], "comparison": ["E2", "E2"]}
    told = "\n".join(problems(mapping))
    for expected in (
        "vibes",
        "overlap",
        "reaches 2019-06",
        "areas.treeted",
        "`areas.treated` is missing",
        "'E2'",
    ):
        assert expected in told


def test_a_file_names_itself_in_every_problem(tmp_path: Path) -> None:
    """Problems of a file start with the file."""
    path = tmp_path / "x.toml"
    path.write_text("schema = 1\n", encoding="utf-8")
    with pytest.raises(ProtocolError) as raised:
        load_protocol(path)
    assert all(problem.startswith(f"{path}: `") for problem in raised.value.problems)
    assert len(raised.value.problems) >= 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a = 1\nstart = 2019-01\n", "start = 2019-01; periods are written in quotes"),
        (b"a = 1\na = 2\n", "line 2 is not TOML (Cannot overwrite a value): a = 2; a key"),
        (b'path = "C:\\Users\\x.csv"\n', "write paths with /"),
        (b"match_missing = True\n", "true and false are written small"),
        (b"a =\n", "text needs quotes"),
        ("name = 'Café'".encode("cp1252"), "line 1 is not UTF-8 text"),
    ],
)
def test_what_is_not_toml_is_shown_with_its_line(tmp_path: Path, text: bytes, said: str) -> None:
    """The line itself and the usual reason, not only a position."""
    path = tmp_path / "x.toml"
    path.write_bytes(text)
    with pytest.raises(ProtocolError, match=r"x\.toml") as raised:
        load_protocol(path)
    assert said in raised.value.problems[0]


def test_a_file_that_is_not_there_points_to_the_one_that_may_be_meant(tmp_path: Path) -> None:
    """A slip in the name is answered with the name of the neighbour."""
    (tmp_path / "patrols.toml").write_text("", encoding="utf-8")
    with pytest.raises(ProtocolError, match=r"did you mean 'patrols\.toml'"):
        load_protocol(tmp_path / "patrol.toml")
    with pytest.raises(ProtocolError, match="cannot be read"):
        load_protocol(tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    """Files saved by Windows editors are sound."""
    design = next(item.path for item in list_shipped("designs") if item.name == "police-now-2016")
    text = design.read_text("utf-8").replace("\n", "\r\n")
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_protocol(path).sha256 == load_protocol(design).sha256


@pytest.mark.parametrize("item", list_shipped("designs"), ids=lambda item: item.name)
def test_every_shipped_design_is_sound_and_named_after_its_file(item: Any) -> None:
    """What the tool ships, it accepts; the template keeps the name of a project of one's own."""
    protocol = load_protocol(item.path)
    assert item.title == protocol.question
    assert item.name in (protocol.id, "template")


def test_the_template_shows_every_key() -> None:
    """Each key of the format stands in the template, in use or as a comment."""
    template = next(item.path for item in list_shipped("designs") if item.name == "template").read_text(
        "utf-8"
    )
    names = {dotted.rpartition(".")[2] for dotted, _, _ in known_keys(Protocol)} - {"NAME"}
    assert sorted(name for name in names if name not in template) == []


def test_every_key_says_what_it_means() -> None:
    """No key of the format is without a description, sections aside."""
    tables = {"table", "tables by name"}
    keys = [(dotted, field) for dotted, field, words in known_keys(Protocol) if words not in tables]
    silent = [dotted for dotted, field in keys if not field.description]
    assert silent == []


@pytest.mark.parametrize("kind", ["week", "day"])
def test_weeks_and_days_are_written_in_their_own_way(kind: PeriodKind) -> None:
    """A month where weeks or days are declared is refused, with an example of what is meant."""
    mapping = changed("period", kind)
    mapping["outcome"] = {"source": "counts", "path": "f.csv"}
    told = problems(mapping)
    assert len(told) == 5
    assert all(f"not a {kind}; periods are written like '{EXAMPLES[kind]}'" in problem for problem in told)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted({dotted for dotted, _, _ in known_keys(Protocol) if "NAME" not in dotted})


@given(st.dictionaries(st.sampled_from(KEYS), ODD, min_size=1, max_size=4))
def test_any_design_is_read_or_refused_with_a_reason(planted: dict[str, Any]) -> None:
    """Whatever is written under whatever key: a Protocol, or a ProtocolError with sentences."""
    mapping = copy.deepcopy(SOUND)
    for dotted, value in planted.items():
        *sections, key = dotted.split(".")
        table: Any = mapping
        for section in sections:
            table = table.setdefault(section, {}) if isinstance(table, dict) else {}
        if isinstance(table, dict):
            table[key] = value
    try:
        protocol_from_dict(mapping)
    except ProtocolError as error:
        told = error.problems
    else:
        told = ("read",)
    assert told
    assert all(problem.strip() for problem in told)
