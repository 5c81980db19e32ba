"""Two projects held against each other: the arithmetic, the ranges, the words, and every refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatworks_eval import cli, evaluate, load_data, load_protocol, protocol_from_dict, render
from whatworks_eval.economics.options import (
    AS_MANY,
    MIRRORED,
    NO_YARDSTICK,
    Option,
    compare_options,
    cost_of_each_further,
    difference,
    label_of,
    net_benefit,
)
from whatworks_eval.options_file import LASTING, ON_COSTS
from whatworks_eval.records import Interval
from whatworks_eval.shipped import shipped_path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "how-to" / "was-it-worth-it.md"


def option(cost: float, prevented: float, low: float | None = None, high: float | None = None) -> Option:
    """A project with a fixed cost."""
    return Option(cost=Interval(value=cost), prevented=Interval(value=prevented, low=low, high=high))


def test_the_published_ratio_and_net_benefits() -> None:
    """Vectors I: (1.5e6 - 1e6)/(300 - 200) = 5000; 2 effects for 50,000 at 30,000 gain, for 80,000 lose."""
    found = compare_options(option(1e6, 200), option(1.5e6, 300), worth=6000)
    assert found.ratio.value == 5000
    assert found.label == "costs more and prevents more"
    assert (found.cost.value, found.prevented.value, found.net_benefit.value) == (5e5, 100, 1e5)
    two = Interval(value=2.0)
    gain, loss = (net_benefit(Interval(value=gbp), two, worth=30_000).value for gbp in (50_000, 80_000))
    assert (gain, loss) == (10_000, -20_000)


@pytest.mark.parametrize(
    ("cost", "prevented", "label", "ratio"),
    [
        (-10, 5, "dominates", None),
        (-10, 0, "dominates", None),
        (0, 5, "dominates", None),
        (10, -5, "is dominated", None),
        (10, 0, "is dominated", None),
        (0, -5, "is dominated", None),
        (10, 5, "costs more and prevents more", 2),
        (-10, -5, "costs less and prevents less", 2),
        (0, 0, "no difference", None),
    ],
)
def test_every_quadrant_has_its_label(cost: float, prevented: float, label: str, ratio: float | None) -> None:
    """Nine places on the plane; a ratio in two of them only, and a reason in the others."""
    assert label_of(cost=cost, prevented=prevented) == label
    value, why = cost_of_each_further(cost=cost, prevented=prevented)
    assert value == ratio
    assert (why is None) == (ratio is not None)
    assert (why == AS_MANY) == (prevented == 0)
    found = compare_options(option(100, 50), option(100 + cost, 50 + prevented))
    assert (found.label, found.ratio.value) == (label, ratio)


@pytest.mark.parametrize(("cost", "prevented"), [(100.0, 0.0), (100.0, -3.0), (0.0, -3.0)])
def test_no_price_against_what_is_worse_than_nothing(cost: float, prevented: float) -> None:
    """A first that cost money and prevented none would flatter the second: no ratio, with the reason."""
    found = compare_options(option(cost, prevented), option(500, 10))
    assert found.ratio == Interval()
    assert found.ratio_why_missing == NO_YARDSTICK
    assert compare_options(option(0, 0), option(500, 10)).ratio.value == 50


def test_ranges_worked_by_hand() -> None:
    """Distances 3 and 4 make 5: below 4 (second) with 3 (first), above 12 with 5."""
    first, second = Interval(value=10, low=5, high=13), Interval(value=30, low=26, high=42)
    assert difference(first, second) == Interval(value=20, low=15, high=33)
    made = compare_options(
        Option(cost=Interval(value=100), prevented=first),
        Option(cost=Interval(value=400), prevented=second),
        worth=20,
    )
    assert made.settled
    assert made.ratio == Interval(value=15, low=300 / 33, high=20)
    assert made.net_benefit == Interval(value=100, low=0, high=360)


def test_costs_with_ranges_widen_the_net_benefit_and_leave_the_ratio_without() -> None:
    """Distances of 6 (pounds) and 8 (incidents at a pound each) make 10; 8 with no range of costs."""
    first = Option(cost=Interval(value=20, low=20, high=20), prevented=Interval(value=10, low=10, high=10))
    ranged = Interval(value=30, low=24, high=36)
    second = Option(cost=ranged, prevented=Interval(value=40, low=32, high=48))
    found = compare_options(first, second, worth=1)
    assert found.cost == Interval(value=10, low=4, high=16)
    assert found.net_benefit == Interval(value=20, low=10, high=30)
    assert found.ratio.low is None
    assert found.range_why_missing == "the costs have ranges of their own"


def test_one_project_without_a_range_leaves_the_difference_without() -> None:
    """No end is made up, and nothing is settled."""
    found = compare_options(option(100, 10), option(400, 30, 25, 36), worth=20)
    assert found.prevented == Interval(value=20)
    assert not found.settled
    assert found.net_benefit == Interval(value=100)
    assert found.ratio == Interval(value=15)
    assert found.range_why_missing is not None


pence = st.integers(0, 10**8).map(lambda whole: whole / 100)
count = st.integers(-2_000, 20_000).map(lambda whole: whole / 4)
width = st.integers(1, 4_000).map(lambda whole: whole / 4)


@st.composite
def options(draw: st.DrawFn) -> Option:
    """A project with a range that may be lopsided."""
    value = draw(count)
    return option(draw(pence), value, value - draw(width), value + draw(width))


@given(options(), options())
def test_changing_places_changes_signs_and_mirrors_the_label(one: Option, other: Option) -> None:
    """The ratio stays; every difference and its ends change sign."""
    there, back = compare_options(one, other, worth=7.0), compare_options(other, one, worth=7.0)
    assert back.label == MIRRORED[there.label]
    assert (back.ratio, back.settled) == (there.ratio, there.settled)
    for mine, theirs in (
        (there.cost, back.cost),
        (there.prevented, back.prevented),
        (there.net_benefit, back.net_benefit),
    ):
        assert theirs.value == pytest.approx(-(mine.value or 0.0), abs=1e-6)
        if mine.low is not None and mine.high is not None:
            assert theirs.low == pytest.approx(-mine.high, abs=1e-6)
            assert theirs.high == pytest.approx(-mine.low, abs=1e-6)


@given(options(), options(), st.sampled_from([0.5, 2.0, 8.0, 1000.0]))
def test_other_pounds_scale_the_ratio_and_leave_the_label(one: Option, other: Option, times: float) -> None:
    """Pounds of another year: ratio and net benefit scale, incidents and label stay."""
    scaled = [
        Option(cost=Interval(value=(held.cost.value or 0.0) * times), prevented=held.prevented)
        for held in (one, other)
    ]
    plain, more = compare_options(one, other, worth=3.0), compare_options(*scaled, worth=3.0 * times)
    assert (more.label, more.prevented, more.settled) == (plain.label, plain.prevented, plain.settled)
    for mine, theirs in ((plain.ratio, more.ratio), (plain.net_benefit, more.net_benefit)):
        for end in ("value", "low", "high"):
            before, after = getattr(mine, end), getattr(theirs, end)
            assert (before is None) == (after is None)
            if before is not None:
                assert after == pytest.approx(before * times, rel=1e-9, abs=1e-3)


@given(st.integers(0, 10**6), st.integers(1, 10**4), st.integers(1, 10**6), st.integers(1, 500))
def test_net_benefit_and_ratio_say_the_same(gbp: int, prevented: int, worth: int, more: int) -> None:
    """Where the second costs more and prevents more, it gains just where an incident is worth the ratio."""
    further = 100 * more + 50
    found = compare_options(option(gbp, prevented), option(gbp + further, prevented + more), worth=worth)
    assert found.ratio.value == pytest.approx(further / more)
    assert (found.net_benefit.value or 0.0) == pytest.approx(worth * more - further)
    if worth * more != further:
        assert ((found.net_benefit.value or 0.0) > 0) == (worth > further / more)


@pytest.mark.parametrize(
    "projects",
    [
        ((60, 0.6, 300), (900, 0.85, 4000)),  # a small project, its range lopsided, against a large one
        ((60, 0.6, 60), (90, 0.85, 80)),  # small comparisons too
        ((400, 0.5, 400), (400, 0.9, 400)),
    ],
)
def test_the_range_covers_a_known_difference(projects: tuple[tuple[float, float, float], ...]) -> None:
    """Poisson counts, each effect a ratio of ratios with its textbook range: 95 % of draws, within 1 %.

    The truth is what the ranges are of: incidents there would have been over those there were. Mean treated
    count before, true ratio, mean comparison count; the draws' own error is 0.15 %.
    """
    random = np.random.default_rng(4)
    values, lows, highs, truths = [], [], [], []
    for before, ratio, comparison in projects:
        counts = [random.poisson(mean, 20_000) for mean in (before, before * ratio, comparison, comparison)]
        effect = np.log(counts[1] / counts[0] * counts[2] / counts[3])
        error = 1.959964 * np.sqrt(sum(1 / one for one in counts))
        values.append(counts[1] * np.expm1(-effect))
        lows.append(counts[1] * np.expm1(-effect - error))
        highs.append(counts[1] * np.expm1(-effect + error))
        truths.append(counts[1] * (1 / ratio - 1))
    above = below = 0
    for at in range(20_000):
        spans = (Interval(value=values[n][at], low=lows[n][at], high=highs[n][at]) for n in (0, 1))
        found = difference(*spans)
        assert found.low is not None
        assert found.high is not None
        true = truths[1][at] - truths[0][at]
        above, below = above + (found.low > true), below + (found.high < true)
    assert 1 - (above + below) / 20_000 == pytest.approx(0.95, abs=0.01)
    assert above / 20_000 == pytest.approx(0.025, abs=0.005)


def test_the_range_is_that_of_draws_from_both() -> None:
    """Two normal effects: the ends of the middle 95 % of their difference, to a hundredth of the width."""
    random = np.random.default_rng(1)
    drawn = random.normal(300, 40, 400_000) - random.normal(200, 30, 400_000)
    found = difference(
        *(Interval(value=m, low=m - 1.96 * s, high=m + 1.96 * s) for m, s in ((200, 30), (300, 40)))
    )
    assert [found.low, found.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=1.96)


# ---- the command -------------------------------------------------------------------------------------


class Done(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


COSTS: list[dict[str, Any]] = [
    {"item": "Team", "gbp": 9000.0, "year": "2019-20", "kind": "running", "payer": "police", "cash": True}
]


def design(name: str, totals: dict[str, Any], gbp: float = 9000.0, **keys: Any) -> dict[str, Any]:
    """A project of theft from the person, by totals."""
    economics = {"price_year": "2019-20", "months": 12.0, "costs": [{**COSTS[0], "gbp": gbp}]}
    given = {
        "schema": 1,
        "id": name,
        "question": "Did theft fall?",
        "method": "relative-effect",
        "intervention": {"name": "x", "start": "2019-04", "assignment": "volunteer"},
        "outcome": {"source": "totals", "offences": ["Theft from the person"], "totals": totals},
        "context": {"comparability": "the same town"},
        "economics": {**economics, **keys.pop("economics", {})},
    }
    return {**given, **keys}


SMALL = {"treated": [398, 190], "comparison": [4148, 4140], "periods": [12, 12], "dispersion": 1.0}
LARGE = {"treated": [1398, 690], "comparison": [4148, 4140], "periods": [12, 12], "dispersion": 1.0}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two results that can be compared."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.json", design("a", SMALL))
    write(tmp_path / "b.json", design("b", LARGE, 30_000.0))
    return tmp_path


def write(path: Path, given: dict[str, Any]) -> dict[str, Any]:
    """The result of a design, in a file and as it is."""
    protocol = protocol_from_dict(given)
    text = render(evaluate(protocol, load_data(protocol)), "json")
    path.write_text(text, "utf-8")
    held: dict[str, Any] = json.loads(text)
    return held


def spoiled(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The file with one thing changed."""
    held = json.loads(path.read_text("utf-8"))
    change(held)
    path.write_text(json.dumps(held), "utf-8")


@pytest.fixture
def cost(capsys: pytest.CaptureFixture[str], place: Path) -> Callable[..., Done]:
    """Run the command there."""

    def run(*words: str) -> Done:
        with pytest.raises(SystemExit) as left:
            cli.main(["cost", *words])
        shown = capsys.readouterr()
        return Done(int(left.value.code or 0), shown.out, " ".join(shown.err.split()))

    return run


BOTH = ("--compare", "a.json", "b.json")


def test_the_numbers_are_those_of_the_two_results(cost: Callable[..., Done], place: Path) -> None:
    """Cost and cost for each as each result says them; differences, ratio and net benefit from these."""
    done = cost(*BOTH, "--worth", "400", "--json", "-")
    assert done.code == 0, done.err
    made = json.loads(done.out)
    assert made["schema"] == 1
    assert [made[one]["protocol"] for one in ("first", "second")] == ["a", "b"]
    for one, file in (("first", "a.json"), ("second", "b.json")):
        held = json.loads((place / file).read_text("utf-8"))
        assert made[one]["sha256"] == held["protocol"]["sha256"]
        assert made[one]["cost"]["value"] == held["economics"]["cost"]["value"]
        each = made[one]["cost"]["value"] / made[one]["prevented"]["value"]
        assert each == pytest.approx(held["economics"]["cost_per_incident"]["value"], rel=1e-9)
        for end in ("value", "low", "high"):  # 12 months: a year of it is all of it
            assert made[one]["prevented"][end] == pytest.approx(held["economics"]["prevented_a_year"][end])
    told = made["comparison"]
    more = made["second"]["prevented"]["value"] - made["first"]["prevented"]["value"]
    assert told["further_prevented"]["value"] == pytest.approx(more)
    assert told["further_cost"]["value"] == pytest.approx(21_000)
    assert told["cost_of_each_further"]["value"] == pytest.approx(21_000 / more)
    assert told["net_benefit"]["value"] == pytest.approx(400 * more - 21_000)
    assert told["settled"] is True
    assert told["level"] == 3
    assert told["label"] == "costs more and prevents more"


def test_what_cost_writes_compares_as_the_result_does(cost: Callable[..., Done], place: Path) -> None:
    """economics.json of the same effect and costs: the same comparison to the last digit."""
    (place / "costs.toml").write_text(
        '[economics]\nprice_year = "2019-20"\nmonths = 12\n[[economics.costs]]\nitem = "Team"\ngbp = 30_000\n'
        'year = "2019-20"\nkind = "running"\npayer = "police"\ncash = true\n',
        "utf-8",
    )
    assert cost("--effect", "b.json", "--costs", "costs.toml", "--out", "made").code == 0
    one, other = (
        json.loads(cost("--compare", "a.json", file, "--json", "-").out)
        for file in ("b.json", "made/economics.json")
    )
    for key in ("further_cost", "further_prevented", "cost_of_each_further", "label", "level"):
        assert one["comparison"][key] == other["comparison"][key]
    assert one["second"]["sha256"] == other["second"]["sha256"]


def test_part_without_a_value_counts_as_prevented(cost: Callable[..., Done], place: Path) -> None:
    """A tenth of the incidents has no unit cost: all of them are compared, as in the cost for each."""
    shares = {"Vehicle crime": {"theft from vehicle": 0.7, "theft of vehicle": 0.2, "not valued": 0.1}}
    for name, totals in (("a", SMALL), ("b", LARGE)):
        given = design(name, totals, economics={"shares": shares})
        given["outcome"]["offences"] = ["Vehicle crime"]
        held = write(place / f"{name}.json", given)
        made = json.loads(cost(*BOTH, "--json", "-").out) if name == "b" else None
    assert made is not None
    for end in ("value", "low", "high"):
        assert made["second"]["prevented"][end] == pytest.approx(held["economics"]["prevented_a_year"][end])


def test_incidents_without_any_value_are_compared(cost: Callable[..., Done], place: Path) -> None:
    """Drugs have no unit cost: no pound of benefit, but cost and incidents can still be compared."""
    for name, totals in (("a", SMALL), ("b", LARGE)):
        given = design(name, totals)
        given["outcome"]["offences"] = ["Drugs"]
        held = write(place / f"{name}.json", given)
    assert held["economics"]["benefits"] == []
    assert {step["step"] for step in held["economics"]["chain"]} >= {LASTING}
    made = json.loads(cost(*BOTH, "--json", "-").out)
    for end in ("value", "low", "high"):
        assert made["second"]["prevented"][end] == pytest.approx(held["economics"]["prevented_a_year"][end])


@pytest.mark.parametrize(
    ("keys", "compared"),
    [
        ({"persistence_months": 6.0}, False),
        ({"persistence_range": (0.0, 12.0)}, False),
        ({"optimism_bias_benefits_percent": 10.0}, False),
        ({"optimism_bias_costs_percent": 10.0}, True),
    ],
)
def test_incidents_without_value_that_were_added_to_or_cut_are_refused(
    cost: Callable[..., Done], place: Path, keys: dict[str, Any], compared: bool
) -> None:
    """The file then holds only what was counted, not what the cost of each is of: no number is made up."""
    for name, totals in (("a", SMALL), ("b", LARGE)):
        given = design(name, totals, economics=keys)
        given["outcome"]["offences"] = ["Drugs"]
        held = write(place / f"{name}.json", given)
    assert held["economics"]["benefits"] == []
    done = cost(*BOTH)
    assert done.code == (0 if compared else 11)
    assert compared == (ON_COSTS in {step["step"] for step in held["economics"]["chain"]})
    assert compared or "how many incidents were prevented cannot be said" in done.err


def test_staff_hours_are_compared_as_hours(cost: Callable[..., Done], place: Path) -> None:
    """Two hours for each unit saved: hours on both sides, and the words say hours, not incidents."""
    hours = {"per_incident": 2.0, "grade": "sergeant and below"}
    for name, totals in (("a", SMALL), ("b", LARGE)):
        given = design(name, totals, 9000.0 if name == "a" else 30_000.0, economics={"hours": hours})
        given["outcome"].pop("offences")
        held = write(place / f"{name}.json", given)
    done = cost(*BOTH)
    assert done.code == 0, done.err
    assert "staff hours were used than expected" in " ".join(done.out.split())
    assert "incident" not in done.out
    made = json.loads(cost(*BOTH, "--json", "-").out)
    assert made["second"]["prevented"]["value"] == held["economics"]["hours"]["hours"]["value"]


def test_what_is_not_settled_is_said_before_any_price(cost: Callable[..., Done], place: Path) -> None:
    """Effects that overlap: the doubt stands first, and the price has no range."""
    write(place / "b.json", design("b", {**SMALL, "treated": [398, 180]}, 30_000.0))
    told = " ".join(cost(*BOTH, "--worth", "500").out.split())
    doubt = told.index("These data do not settle which of the two prevented more")
    assert doubt < told.index("each further incident that the second prevented cost")
    assert "no range can be given, since it is not settled that either prevented more" in told
    assert "worse to" in told
    made = json.loads(cost(*BOTH, "--json", "-").out)["comparison"]
    assert made["settled"] is False
    assert made["cost_of_each_further"]["low"] is None


def test_below_level_three_all_is_if_the_changes_were_due(cost: Callable[..., Done], place: Path) -> None:
    """One weak design: the level of the comparison is its, and every sentence after the costs is an if."""
    weak = design("a", {"treated": [398, 190], "periods": [12, 12]}, method="before-after")
    weak.pop("context")
    held = write(place / "a.json", weak)
    assert held["grade"]["level"] < 3
    made = json.loads(cost(*BOTH, "--worth", "400", "--json", "-").out)
    assert made["comparison"]["level"] == held["grade"]["level"]
    said = made["comparison"]["said"]
    at = next(
        n for n, one in enumerate(said) if one.startswith("What follows holds only if the changes were")
    )
    for one in said:
        assert (
            "prevented" not in one
            or one.startswith("If so, ")
            or one.startswith("Costs are")
            or "Ranges" in one
        )
    assert said[at + 1].startswith("If so, ")
    told = " ".join(cost(*BOTH).out.split())
    first = told[: told.index("What follows holds")]
    assert "prevented" not in first


def test_one_that_dominates_has_no_price(cost: Callable[..., Done], place: Path) -> None:
    """More prevented for less: said in words, from either side."""
    write(place / "b.json", design("b", LARGE, 5000.0))
    told = " ".join(cost(*BOTH).out.split())
    assert "The second cost less and prevented more than the first, so there is no price of a further" in told
    back = " ".join(cost("--compare", "b.json", "a.json").out.split())
    assert "The second cost less and prevented more" not in back
    assert "The first cost less and prevented more than the second" in back


def test_a_project_that_prevented_none_is_no_yardstick(cost: Callable[..., Done], place: Path) -> None:
    """More was recorded than expected: no price is printed, and doing nothing is named."""
    write(place / "a.json", design("a", {**SMALL, "treated": [398, 460]}))
    told = " ".join(cost(*BOTH).out.split())
    assert "By its estimate the first prevented none, and spending nothing is better" in told
    assert "each further incident" not in told
    assert json.loads(cost(*BOTH, "--json", "-").out)["comparison"]["why_missing"] == NO_YARDSTICK


def test_what_the_two_have_not_alike_is_said(cost: Callable[..., Done], place: Path) -> None:
    """Months, persistence and time left out of one side's costs: each in a sentence."""
    keys = {"months": 24.0, "persistence_months": 6.0, "costs": [{**COSTS[0], "cash": False}]}
    write(place / "b.json", design("b", LARGE, economics=keys))
    told = " ".join(cost(*BOTH).out.split())
    assert "The first is counted over 12 months, the second over 24." in told
    assert "assumed to go on for 0 months (first) and 6 (second)" in told
    assert "The costs of the second count time that had another use, those of the first none" in told


def test_shared_areas_are_said(cost: Callable[..., Done], place: Path) -> None:
    """Comparison areas in both: the two are not independent."""
    for name in ("a", "b"):
        arms = {"treated": [f"{name}1", f"{name}2"], "comparison": ["x", "y"]}
        spoiled(place / f"{name}.json", lambda held, arms=arms: held["contrast"].update(arms))
    assert "The two share 2 comparison areas" in " ".join(cost(*BOTH).out.split())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda held: held.update(economics=None), "it holds no economics"),
        (lambda held: held["economics"].update(price_year="2018-19"), "price year (2019-20 and 2018-19)"),
        (lambda held: held["economics"].update(base_year="2018-19"), "year 0 of discounting"),
        (lambda held: held["economics"].update(range_share=0.9), "share inside a range (0.95 and 0.9)"),
        (lambda held: held["economics"]["benefits"][0].update(category="Robbery"), "do not count the same"),
        (lambda held: held["economics"].update(level=7), "`economics.level` is 7"),
        (lambda held: held["economics"].pop("cost"), "`cost` is None"),
        (lambda held: held["economics"]["cost"].update(value=None), "`economics.cost` has no value"),
        (lambda held: held["economics"]["cost"].update(value="x"), "expected a value with its low"),
        (lambda held: held["economics"]["prevented_a_year"].update(low=1e9), "its low is above its high"),
        (lambda held: held["economics"]["cost_per_incident"].update(value=1.0), "make it again"),
        (lambda held: held.update(schema=2), "not one of ours"),
        (lambda held: held.pop("protocol"), "not one of ours"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(
    cost: Callable[..., Done], place: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    """Exit code 11, the reason, no number."""
    spoiled(place / "b.json", change)
    done = cost(*BOTH)
    assert done.code == 11
    assert said in done.err
    assert done.out == ""


def test_every_reason_is_told_at_once(cost: Callable[..., Done], place: Path) -> None:
    """Prices, base year and offences differ: three lines; and each file's own faults together."""

    def change(held: dict[str, Any]) -> None:
        held["economics"].update(price_year="2018-19", base_year="2018-19")
        held["economics"]["benefits"][0].update(category="Robbery")

    spoiled(place / "b.json", change)
    err = cost(*BOTH).err
    assert err.count("- the two files" if "the two files" in err else "- a.json and b.json") == 3
    spoiled(place / "b.json", lambda held: held["economics"].update(level=0, months=-1))
    for text in ("{", "[" * 100_000):
        (place / "a.json").write_text(text, "utf-8")
        err = cost(*BOTH).err
        assert all(part in err for part in ("a.json: not a JSON", "`economics.level`", "`economics.months`"))


def test_hours_are_not_compared_with_incidents(cost: Callable[..., Done], place: Path) -> None:
    """One counts thefts, the other staff hours."""
    hours = {"per_incident": 2.0, "grade": "sergeant and below"}
    given = design("b", LARGE, economics={"hours": hours})
    given["outcome"].pop("offences")
    write(place / "b.json", given)
    done = cost(*BOTH)
    assert done.code == 11
    assert "do not count the same thing (Theft from the person; staff hours (sergeant and below))" in done.err


def test_an_effect_without_a_number_is_refused_with_its_reason(
    cost: Callable[..., Done], place: Path
) -> None:
    """Nothing before the project among the comparison: no incidents prevented, so nothing to compare."""
    held = write(place / "b.json", design("b", {**LARGE, "comparison": [0, 12]}))
    assert held["economics"]["prevented_a_year"]["value"] is None
    done = cost(*BOTH)
    assert done.code == 11
    assert "b.json: how many incidents were prevented cannot be said" in done.err
    assert held["economics"]["why_missing"].split(",")[0][:40] in done.err


def test_one_effect_with_two_costs_is_not_two_projects(cost: Callable[..., Done], place: Path) -> None:
    """The same file, and the same counts with other costs: their errors are one, not two."""
    assert "they hold the same effect" in cost("--compare", "a.json", "a.json").err
    write(place / "b.json", design("b", SMALL, 1000.0))
    assert "they hold the same effect" in cost(*BOTH).err


@pytest.mark.parametrize("key", ["protocol", "economics", "contrast", "grade"])
@pytest.mark.parametrize("value", [None, [], {}, "x", 3, [{}], {"treated": 3}, {"cost": [1]}])
def test_no_odd_value_brings_a_traceback(
    cost: Callable[..., Done], place: Path, key: str, value: Any
) -> None:
    """Whatever stands in the place of a part: an error of ours, or the answer the rest allows."""
    spoiled(place / "b.json", lambda held: held.update({key: value}))
    assert cost(*BOTH).code in {0, 11}


@pytest.mark.parametrize("value", [None, [], {}, "x", -1, True, [3], [{}], {"value": 3}, {"hours": None}])
def test_no_odd_value_in_its_economics_does_either(
    cost: Callable[..., Done], place: Path, value: Any
) -> None:
    """The same one level down, for every key."""
    whole = (place / "b.json").read_text("utf-8")
    for key in json.loads(whole)["economics"]:
        (place / "b.json").write_text(whole, "utf-8")
        spoiled(place / "b.json", lambda held, key=key: held["economics"].update({key: value}))
        assert cost(*BOTH).code in {0, 11}, key


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*BOTH, "--out", "x"), "leave out --out"),
        ((*BOTH, "--effect", "a.json"), "--compare stands alone"),
        ((*BOTH, "--cohort", "simulated-cohort"), "--compare stands alone"),
        ((*BOTH, "--worth", "0"), "--worth 0: expected pounds above zero"),
        ((*BOTH, "--worth", "nan"), "--worth nan"),
        (("--worth", "3"), "--worth goes with --compare"),
        (("--compare", "a.json"), "--compare"),
    ],
)
def test_options_that_do_not_go_together(
    cost: Callable[..., Done], words: tuple[str, ...], said: str
) -> None:
    """Exit code 2 and what to do."""
    done = cost(*words)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""


def test_the_page_shows_what_is_printed(
    cost: Callable[..., Done], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example of two projects: the shipped beat, and the second one as the page describes it."""
    page = PAGE.read_text("utf-8")
    section = page[page.index("## Two projects") :]
    text = shipped_path("designs", "beat-problem-solving").read_text("utf-8")
    for old, new in (
        ('id = "beat-problem-solving"', 'id = "beat-patrols"'),
        ("treated = [96, 52]", "treated = [420, 300]"),
        ("comparison = [540, 521]", "comparison = [2540, 2521]"),
        ("gbp = 3_400", "gbp = 9_000"),
        ("gbp = 7_900", "gbp = 31_000"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (place / "second.toml").write_text(text, "utf-8")
    for folder, path in (
        ("first", shipped_path("designs", "beat-problem-solving")),
        ("second", place / "second.toml"),
    ):
        protocol = load_protocol(path)
        (place / folder).mkdir()
        (place / folder / "result.json").write_text(
            render(evaluate(protocol, load_data(protocol)), "json"), "utf-8"
        )
    command = re.search(r"^\$ whatworks cost (--compare.*)$", section, re.MULTILINE)
    shown = re.search(r"^```text\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert command is not None
    assert shown is not None
    assert cost(*command[1].split()).out.strip() == shown[1].strip()
