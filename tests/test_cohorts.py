"""Offender cohorts: hand-worked, invariant, covered in simulation, honest of small counts, bad files told."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatworks_eval import cli
from whatworks_eval.economics.cohort_counts import by_offence
from whatworks_eval.economics.cohort_doubts import DAYS
from whatworks_eval.economics.cohort_file import ArmRows, Cohort, CohortKeys, load_cohort
from whatworks_eval.economics.cohorts import CohortCosts, cohort_costs, cohort_protocol
from whatworks_eval.errors import CannotEstimate, DataError, ProtocolError, WhatWorksError
from whatworks_eval.evaluation import evaluate
from whatworks_eval.report.cohort_words import cohort_dict, cohort_headline, cohort_section
from whatworks_eval.shipped import shipped_path
from whatworks_eval.sources import load_data

FOLDER = shipped_path("datasets", "simulated-cohort")
KEYS: dict[str, Any] = {
    "id": "test",
    "name": "A scheme",
    "start": "2022-04",
    "assignment": "volunteer",
    "comparability": "the next district",
    "price_year": "2019-20",
    "people": "people.csv",
    "draws": 400,
}


def appraised(cohort: Cohort) -> CohortCosts:
    """The cohort under the ordinary rules, and its pounds."""
    protocol = cohort_protocol(cohort)
    return cohort_costs(cohort, evaluate(protocol, load_data(protocol)))


def made(
    treated: dict[str, Any], comparison: dict[str, Any] | None = None, *, days: float = DAYS, **keys: Any
) -> Cohort:
    """A cohort of robberies (and a second sort), from counts a person by window."""
    arms = {}
    for arm, given_ in (("treated", treated), ("comparison", comparison)):
        if given_ is None:
            continue
        counts = {w: np.atleast_2d(np.asarray(rows, dtype=float)) for w, rows in given_.items()}
        people = len(next(iter(counts.values())))
        arms[arm] = ArmRows(people=people, counts=counts, days={w: np.full(people, days) for w in counts})
    offences = ("robbery", "criminal damage")
    return Cohort(keys=CohortKeys(**{**KEYS, **keys}), offences=offences, arms=arms, by_person=True)  # type: ignore[arg-type]


ROBBERY = 8560 + 1450  # £ of 2019-20: consequence and response, anticipation left out
TEN = {"before": [[4, 0]] * 10, "after": [[2, 0]] * 10}
TEN_BESIDE = {"before": [[4, 0]] * 10, "after": [[3, 0]] * 10}


def test_the_cost_of_a_year_is_what_a_hand_gets() -> None:
    """4 robberies a year before, 2 after; the comparison goes from 4 to 3, so 3 were to be expected."""
    found = appraised(made(TEN, TEN_BESIDE))
    assert found.rates["treated", "before"].cost_rate.value == pytest.approx(4 * ROBBERY)
    assert found.rates["treated", "after"].cost_rate.value == pytest.approx(2 * ROBBERY)
    assert found.expected.value == pytest.approx(3 * ROBBERY)
    assert found.saved.value == pytest.approx(ROBBERY)
    assert found.saved_in_all.value == pytest.approx(10 * ROBBERY)
    assert found.ratio.value == pytest.approx(2 / 3)
    # Everybody alike: drawing them again changes nothing.
    assert found.saved.low == pytest.approx(ROBBERY)
    assert found.saved.high == pytest.approx(ROBBERY)


def test_time_inside_is_no_success() -> None:
    """Half the offences in half the time at risk is no change at all."""
    whole = made({"before": [[4, 0]] * 10, "after": [[2, 0]] * 10})
    arms = {
        arm: ArmRows(
            people=rows.people,
            counts=rows.counts,
            days={"before": rows.days["before"], "after": rows.days["after"] / 2},
        )
        for arm, rows in whole.arms.items()
    }
    found = appraised(Cohort(keys=whole.keys, offences=whole.offences, arms=arms, by_person=True))
    assert found.saved.value == pytest.approx(0.0, abs=1e-9)
    assert appraised(whole).saved.value == pytest.approx(2 * ROBBERY)


def test_a_peak_is_measured_and_flagged() -> None:
    """Twice as high before as the year earlier: 100 %, a doubt, and the saving from the earlier year."""
    rows = {"earlier": [[2, 0]] * 10, **TEN}
    beside = {"earlier": [[2, 0]] * 10, **TEN_BESIDE}
    found = appraised(made(rows, beside))
    assert found.peak.value == pytest.approx(100.0)
    assert any(note.threat == "regression" and "100 %" in note.message for note in found.notes)
    # From the earlier year: 2 × (3 / 2) = 3 expected, 2 recorded.
    assert found.saved_from_earlier.value == pytest.approx(ROBBERY)
    assert found.level <= 2


def test_without_a_comparison_the_level_is_below_3_and_no_cause_is_named() -> None:
    """A before-after of people picked at a peak is said 'whatever the cause'."""
    found = appraised(made(TEN))
    assert found.level <= 2
    said = cohort_headline(found)
    assert "whatever the cause" in said
    assert f"level {found.level} of 5" in said
    assert "due to the scheme" not in said


def test_the_level_is_never_above_that_of_the_counts() -> None:
    """Whatever the cohort says for itself, the ordinary rules hold."""
    for assignment in ("need", "volunteer", "random"):
        found = appraised(made(TEN, TEN_BESIDE, assignment=assignment))
        assert found.level <= found.evaluation.grade.level
        if found.level < 3:
            assert "only if the change was due to it" in cohort_headline(found)


def test_unlike_people_are_not_comparable() -> None:
    """More than a quarter of a standard deviation apart before: level 2 at most."""
    draw = np.random.default_rng(3)
    one = {w: np.column_stack([draw.poisson(8, 40), np.zeros(40)]) for w in ("before", "after")}
    other = {w: np.column_stack([draw.poisson(3, 40), np.zeros(40)]) for w in ("before", "after")}
    found = appraised(made(one, other, assignment="volunteer"))
    assert any(note.threat == "selection" for note in found.notes)
    assert found.level <= 2


COUNTS = st.lists(st.lists(st.integers(0, 6), min_size=2, max_size=2), min_size=12, max_size=12)


@given(treated=COUNTS, after=COUNTS, order=st.permutations(range(12)))
@settings(max_examples=25, deadline=None)
def test_order_and_names_do_not_matter(
    treated: list[list[int]], after: list[list[int]], order: list[int]
) -> None:
    """People in another order give the same saving."""
    if not np.sum(treated):
        return
    one = appraised(made({"before": treated, "after": after}))
    two = appraised(made({"before": [treated[i] for i in order], "after": [after[i] for i in order]}))
    assert one.saved.value == pytest.approx(two.saved.value)
    assert one.level == two.level


@given(times=st.integers(2, 5))
@settings(max_examples=4, deadline=None)
def test_more_time_at_risk_scales_every_rate(times: int) -> None:
    """Twice the days, half the cost a year; the ratio stays."""
    one, two = appraised(made(TEN, TEN_BESIDE)), appraised(made(TEN, TEN_BESIDE, days=times * DAYS))
    assert two.saved.value == pytest.approx((one.saved.value or 0.0) / times)
    assert two.ratio.value == pytest.approx(one.ratio.value)


def test_swapping_the_arms_inverts_the_ratio() -> None:
    """Recorded over expected of one arm is one over that of the other."""
    one, two = appraised(made(TEN, TEN_BESIDE)), appraised(made(TEN_BESIDE, TEN))
    assert (one.ratio.value or 0.0) * (two.ratio.value or 0.0) == pytest.approx(1.0)


def test_the_range_covers_a_true_null_in_simulation() -> None:
    """People picked alike in both arms, nothing done: the range holds zero in at least 90 % of 120 draws."""
    draw, held = np.random.default_rng(11), 0
    for _ in range(120):
        arms = {}
        for arm in ("treated", "comparison"):
            steady = draw.gamma(1.2, 3.0, 60)
            arms[arm] = {
                w: np.column_stack([draw.poisson(steady), draw.poisson(2 * steady)])
                for w in ("before", "after")
            }
        found = appraised(made(arms["treated"], arms["comparison"], draws=200))
        assert found.saved.low is not None
        assert found.saved.high is not None
        held += found.saved.low <= 0 <= found.saved.high
    assert held >= 0.90 * 120


def test_the_simulated_scheme_is_not_credited_with_falling_back() -> None:
    """The true effect lies in the range; the plain before-after is many times larger."""
    found = appraised(load_cohort(FOLDER / "cohort.toml"))
    expected, saved = found.expected.value, found.saved
    assert expected is not None
    assert saved.low is not None
    assert saved.high is not None
    assert saved.low < 0.15 * expected < saved.high
    plain = (found.rates["treated", "before"].cost_rate.value or 0.0) - (
        found.rates["treated", "after"].cost_rate.value or 0.0
    )
    assert plain > 5 * abs(saved.value or 0.0)
    assert "SIMULATED" in cohort_headline(found)


def test_small_counts_are_nowhere() -> None:
    """No count of 1 to 4 in the table or the JSON, and none to be had by taking rows off a total."""
    draw = np.random.default_rng(5)
    rows = {w: np.column_stack([draw.poisson(3, 30), np.eye(30)[0] * 3]) for w in ("before", "after")}
    cohort = made(rows, rows)
    merged = by_offence(cohort, dict.fromkeys(cohort.offences, 1.0))
    assert len(merged) == 1
    found = appraised(cohort)
    for row in found.by_offence:
        assert all(n is None or n >= 5 for n in row.counts.values())
    counts = [cell["count"] for one in cohort_dict(found)["offences"] for cell in one["counts"]]
    assert all(n is None or n >= 5 for n in counts)


def test_too_few_people_have_no_range_and_say_why() -> None:
    """A bootstrap over six people is not given."""
    few = {"before": [[4, 0]] * 6, "after": [[2, 0]] * 6}
    found = appraised(made(few, few))
    assert found.saved.low is None
    assert "fewer than 10 people" in str(found.why_no_range)
    assert "no range can be given" in cohort_headline(found)


def test_nothing_to_compare_with_is_refused() -> None:
    """No valued offence before: no cost to hold anything against."""
    with pytest.raises(CannotEstimate, match="no cost to compare"):
        appraised(made({"before": [[0, 0]] * 10, "after": [[1, 0]] * 10}))


TOTALS = """
schema = 1
[cohort]
id = "totals"
name = "A scheme"
start = "2022-04"
assignment = "need"
price_year = "2019-20"
[cohort.totals.treated]
people = 40
before = { days = 14_600, offences = { robbery = 80 } }
after = { days = 14_600, offences = { robbery = 40 } }
[cohort.totals.comparison]
people = 40
before = { days = 14_600, offences = { robbery = 80 } }
after = { days = 14_600, offences = { robbery = 60 } }
"""


def test_totals_alone_take_over_dispersed_counts(tmp_path: Path) -> None:
    """The same sums as by hand, and a range as wide as the dispersion says: four times the variance."""
    (tmp_path / "c.toml").write_text(TOTALS, "utf-8")
    found = appraised(load_cohort(tmp_path / "c.toml"))
    years = 14_600 / DAYS
    assert found.saved.value == pytest.approx((60 - 40) * ROBBERY / years)
    (tmp_path / "c.toml").write_text(TOTALS.replace('"need"', '"need"\ndispersion = 1.0'), "utf-8")
    narrow = appraised(load_cohort(tmp_path / "c.toml"))
    assert found.saved.low is not None
    assert found.saved.high is not None
    assert narrow.saved.low is not None
    assert narrow.saved.high is not None
    wide = (found.saved.high - found.saved.low) / (narrow.saved.high - narrow.saved.low)
    assert wide == pytest.approx(2.0, rel=0.2)


def files(tmp_path: Path, rows: str, **keys: Any) -> Path:
    """A cohort file with its people."""
    held = {**KEYS, **keys}
    lines = [f"{key} = {json.dumps(value)}" for key, value in held.items()]
    (tmp_path / "cohort.toml").write_text("\n".join(["schema = 1", "[cohort]", *lines]), "utf-8")
    (tmp_path / "people.csv").write_text(rows, "utf-8")
    return tmp_path / "cohort.toml"


def rows_of(*changes: tuple[str, str]) -> str:
    """Twelve people in two arms; each change replaces one text by another."""
    lines = ["person,arm,window,days,robbery"]
    for at in range(12):
        arm = "treated" if at < 6 else "comparison"
        lines += [f"P{at:02d},{arm},before,365,3", f"P{at:02d},{arm},after,300,2"]
    text = "\n".join(lines) + "\n"
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_every_problem_with_the_people_is_told_at_once(tmp_path: Path) -> None:
    """File, row and column of each."""
    text = rows_of(
        ("P00,treated,before,365,3", "P00,treated,before,many,3"),
        ("P01,treated,before,365,3", "P01,treated,prior,365,3"),
        ("P02,treated,before,365,3", "P02,treated,before,365,"),
        ("P03,treated,before,365,3", "P03,treated,before,365,-1"),
        ("P04,treated,before,365,3", "P04,treated,before,0,3"),
        ("P06,comparison,after,300,2", "P06,treated,after,300,2"),
        ("P07,comparison,after,300,2", "P07,comparison,before,300,2"),
    )
    with pytest.raises(DataError) as refused:
        load_cohort(files(tmp_path, text))
    told = "\n".join(refused.value.problems)
    for part in (
        "people.csv, row 2: days is 'many'",
        "row 4: window is 'prior'",
        "row 6: robbery is blank",
        "row 8: robbery is -1",
        "row 10: offences, but no days in the community",
        "row 15: person 'P06' is in both arms",
        "row 17: person 'P07' has window 'before' in row 16 too",
    ):
        assert part in told, part


def test_unknown_days_leave_a_person_out_with_a_line(tmp_path: Path) -> None:
    """Missing is not zero: who has no days is left out and counted; zero days are kept."""
    text = rows_of(
        ("P00,treated,after,300,2", "P00,treated,after,,2"),
        ("P07,comparison,after,300,2", "P07,comparison,after,0,0"),
    )
    cohort = load_cohort(files(tmp_path, text))
    assert (cohort.arms["treated"].people, cohort.arms["comparison"].people) == (5, 6)
    assert dict(cohort.left_out) == {"days in the community not known in window 'after'": 1}


def test_an_offence_without_a_unit_cost_is_never_dropped_in_silence(tmp_path: Path) -> None:
    """A slip in an offence's name is answered with the one meant; one said not to be valued is counted."""
    text = rows_of(("robbery", "robery"))
    with pytest.raises(DataError, match="did you mean 'robbery'"):
        load_cohort(files(tmp_path, text))
    both = rows_of(("days,robbery", "days,robbery,drugs")).replace(",3\n", ",3,1\n").replace(",2\n", ",2,1\n")
    cohort = load_cohort(files(tmp_path, both, not_valued=["drugs"]))
    found = appraised(cohort)
    assert found.gbp["drugs"] is None
    assert found.not_valued_share == pytest.approx(2 / 7)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"assignment": "luck"}, "cohort.assignment"),
        ({"people": None}, "either `people`"),
        ({"price_year": "2031-32"}, "2024-25"),
        ({"draws": 3}, "cohort.draws"),
        ({"unit_cost": "x"}, "cohort.unit_cost"),
    ],
)
def test_a_bad_file_names_the_key(tmp_path: Path, keys: dict[str, Any], said: str) -> None:
    """An error of ours with file and key."""
    held = {key: value for key, value in {**KEYS, **keys}.items() if value is not None}
    lines = [f"{key} = {json.dumps(value)}" for key, value in held.items()]
    (tmp_path / "cohort.toml").write_text("\n".join(["schema = 1", "[cohort]", *lines]), "utf-8")
    (tmp_path / "people.csv").write_text(rows_of(), "utf-8")
    with pytest.raises(ProtocolError) as refused:
        load_cohort(tmp_path / "cohort.toml")
    assert "cohort.toml" in str(refused.value)
    assert said in str(refused.value)


@given(text=st.text(max_size=200))
@settings(max_examples=40, deadline=None)
def test_no_text_brings_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever stands in the file of people: a cohort, or an error of ours."""
    place = tmp_path_factory.mktemp("fuzz")
    path = files(place, "")
    (place / "people.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(WhatWorksError):
        load_cohort(path)


def test_the_command_runs_the_shipped_example(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name from anywhere: words on standard output, page and numbers where asked."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        cli.main(["cost", "--cohort", "simulated-cohort", "--out", "made"])
    shown = capsys.readouterr()
    assert (left.value.code or 0, shown.err) == (0, "")
    assert "SIMULATED PEOPLE" in shown.out
    assert "design strength level 2 of 5" in " ".join(shown.out.split())
    page = (tmp_path / "made" / "economics.html").read_text("utf-8")
    assert "<script" not in page
    assert (
        json.loads((tmp_path / "made" / "economics.json").read_text("utf-8"))["cohort"]["simulated"] is True
    )


def test_a_hostile_name_is_escaped(tmp_path: Path) -> None:
    """What a file says is printed as words."""
    cohort = load_cohort(files(tmp_path, rows_of(), name="<script>x</script>"))
    from whatworks_eval.report.economics_page import section_html

    page = section_html(cohort_section(appraised(cohort)), title=cohort.keys.name, level=2, facts=())
    assert "<script" not in page


def generator() -> ModuleType:
    """The program that makes the shipped people."""
    spec = importlib.util.spec_from_file_location("generate_cohort", FOLDER / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shipped_people_are_what_the_generator_makes() -> None:
    """The same seed gives the same bytes, and dataset.toml says so."""
    program = generator()
    shipped = (FOLDER / "people.csv").read_bytes()
    about = tomllib.loads((FOLDER / "dataset.toml").read_text("utf-8"))
    assert program.table() == shipped
    assert about["sha256"] == sha256(shipped).hexdigest()
    assert (about["seed"], about["true_effect_percent"]) == (program.SEED, program.TRUE_EFFECT_PERCENT)
    assert about["simulated"] is True
