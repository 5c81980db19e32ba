"""Indices of Deprivation: form, edition, boundaries, domains, units and the profile of a set of areas."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatworks_eval.errors import DataError
from whatworks_eval.measures.deprivation_profile import ALL, deprivation_profile
from whatworks_eval.sources.deprivation import ENGLAND, check_values, form_of_values
from whatworks_eval.sources.index_domains import WEIGHTS, read_domains, rebuilt_scores, transformed
from whatworks_eval.sources.index_table import IndexTable, not_in_index, read_index
from whatworks_eval.sources.tables import Table
from whatworks_eval.sources.unit_deprivation import by_unit

CODES = [f"E010{n:05}" for n in range(1, 41)]


def _table(columns: tuple[str, ...], rows: list[tuple[Any, ...]], name: str = "index.csv") -> Table:
    return Table(
        name=name, columns=columns, rows=tuple(rows), numbers=tuple(range(2, len(rows) + 2)), sha256=""
    )


def _index(scores: dict[str, float], ranks: dict[str, float], year: int = 2019) -> IndexTable:
    return IndexTable(
        name="index.csv", country="E", year=year, edition=ENGLAND[year], scores=scores, ranks=ranks
    )


def test_numbers_give_their_form_away() -> None:
    """Decimals are scores, whole numbers to 10 deciles, whole and different ranks; a few are not told."""
    assert form_of_values([0.5, 3, 4]) == "score"
    assert form_of_values(list(range(1, 11)) * 3) == "decile"
    assert form_of_values(range(100, 160)) == "rank"
    assert form_of_values([1, 2, 3]) is None
    assert form_of_values([50, 60] * 20) is None


@pytest.mark.parametrize(
    ("said", "values"),
    [("score", list(range(101, 141))), ("score", [1 + n % 10 for n in range(40)]), ("rank", [3, 7] * 20)],
)
def test_values_that_contradict_what_they_are_said_to_be_are_refused(said: Any, values: list[float]) -> None:
    """Ranks or deciles read as scores turn the comparison round; the error says what they look like."""
    table = _table(("lsoa", "imd"), [])
    with pytest.raises(DataError, match=r"are those of a (rank|decile)"):
        check_values(table, "imd", said, dict(zip(CODES, map(float, values), strict=True)))


def test_the_edition_must_be_told_where_two_fit() -> None:
    """2015 and 2019 look alike without district codes; 2011 district codes and 2021 areas give one away."""
    rows = [(code, 10.5 + n, 1 + n) for n, code in enumerate(CODES)]
    plain = _table(("lsoa11_code", "IMD_score", "IMD_rank"), rows)
    with pytest.raises(DataError, match="give the year: 2015 or 2019 or 2025"):
        read_index(plain)
    assert read_index(plain, 2015).title == "English index of 2015"
    dated = _table(("lsoa11_code", "lad13_code", "IMD_rank"), [(r[0], "E07", r[2]) for r in rows])
    assert read_index(dated).year == 2015
    with pytest.raises(DataError, match="2015 edition"):
        read_index(dated, 2019)
    new = _table(("lsoa21_code", "IMD_rank"), [("E01035762", 5)])
    assert read_index(new).year == 2025
    with pytest.raises(DataError, match="on 2011 LSOAs, but its codes are of 2021"):
        read_index(new, 2019)


def test_countries_are_kept_apart() -> None:
    """A table of both is refused; a Welsh one is of 2019; an English edition of Wales there is not."""
    with pytest.raises(DataError, match="not comparable"):
        read_index(_table(("lsoa", "IMD_rank"), [("E01000001", 1), ("W01000001", 2)]))
    welsh = _table(("lsoa", "IMD_rank"), [("W01000001", 191), ("W01000002", 192)])
    index = read_index(welsh)
    assert (index.title, index.decile("W01000001"), index.decile("W01000002")) == (
        "Welsh index of 2019",
        1,
        2,
    )
    with pytest.raises(DataError, match="no Welsh edition 2025"):
        read_index(welsh, 2025)
    with pytest.raises(DataError, match="other domains"):
        read_domains(welsh, 2019)


def test_rank_and_decile_of_a_row_must_agree() -> None:
    """Rank 3,285 is in decile 2 of 2019 and decile 1 of 2025: the wrong edition shows."""
    table = _table(("lsoa", "IMD_rank", "IMD_decile"), [("E01000001", 3_285, 1)])
    with pytest.raises(DataError, match="contradict each other among 32,844"):
        read_index(table, 2019)
    assert read_index(table, 2025).decile("E01000001") == 1


def test_every_problem_of_an_index_is_named_at_once() -> None:
    """An area twice, a score that is text and a rank beyond the last are three lines."""
    rows = [("E01000001", "x", 1), ("E01000001", 2.5, 40_000)]
    with pytest.raises(DataError) as caught:
        read_index(_table(("lsoa", "IMD_score", "IMD_rank"), rows), 2019)
    assert len(caught.value.problems) == 3


def test_areas_of_the_index_must_be_in_it() -> None:
    """A code of another census is an error; one of Wales is missing with a reason."""
    index = _index({"E01000001": 1.0}, {})
    assert not_in_index(index, ["E01000001", "W01000001"]) == ("W01000001",)
    with pytest.raises(DataError, match="on 2011 LSOAs"):
        not_in_index(index, ["E01035762"])


def test_the_transformation_is_the_one_of_the_technical_report() -> None:
    """100 for the most deprived area, about a tenth of areas at or above 50, and nearly 0 for the last."""
    assert transformed(1, 32_844) == pytest.approx(100)
    assert sum(transformed(rank, 1_000) >= 50 for rank in range(1, 1_001)) == 103
    assert 0 < transformed(1_000, 1_000) < 0.1


def test_weights_of_the_domains_kept_make_up_for_those_left_out() -> None:
    """With every domain alike, leaving any of them out changes nothing; what is not given is named."""
    alike = {domain: {"E01000001": 42.0} for domain in WEIGHTS}
    assert sum(WEIGHTS.values()) == pytest.approx(0.999)  # as published: 9.3 % three times is rounded
    for domain in WEIGHTS:
        assert rebuilt_scores(alike, without=(domain,))["E01000001"] == pytest.approx(0.999 * 42.0)
    with pytest.raises(DataError) as caught:
        rebuilt_scores({"crime": {"E01000001": 1.0}}, without=("weather",))  # type: ignore[arg-type]
    assert len(caught.value.problems) == 7  # six domains absent, one unknown
    with pytest.raises(DataError, match="every domain"):
        rebuilt_scores(alike, without=tuple(WEIGHTS))


def test_a_rank_beyond_the_edition_is_refused() -> None:
    """A 2025 rank of 33,000 is none among the 32,844 areas of 2019."""
    table = _table(("lsoa", "Crime_rank"), [("E01000001", 33_000)])
    with pytest.raises(DataError, match="not between 1 and 32,844"):
        read_domains(table, 2019)
    with pytest.raises(DataError, match="no rank or transformed score"):
        read_domains(_table(("lsoa", "IMD_rank"), [("E01000001", 3)]), 2019)


def test_units_are_weighed_by_residents_and_missing_is_not_zero() -> None:
    """Scores and ranks average by residents, deciles become a share, and a gap leaves a reason."""
    unit = {"a1": "a", "a2": "a", "b1": "b", "b2": "b"}
    residents = {"a1": 1_000.0, "a2": 3_000.0, "b1": 500.0, "b2": 500.0}
    scores = {"a1": 60.0, "a2": 20.0, "b1": 10.0}
    found = by_unit(scores, residents, unit, form="score")
    assert found["a"].value == 30.0
    assert (found["b"].value, found["b"].missing) == (None, 1)
    assert "1 of 2 areas" in found["b"].why_missing
    assert by_unit(scores, residents, unit, form="score", most_missing=0.5)["b"].value == 10.0
    deciles = {"a1": 1.0, "a2": 4.0, "b1": 1.0, "b2": 1.0}
    assert by_unit(deciles, residents, unit, form="decile")["a"].value == 0.25
    empty = by_unit({"a1": 1.0}, {"a1": 0.0}, {"a1": "a"}, form="score")["a"]
    assert (empty.value, empty.why_missing) == (None, "nobody lives there")
    with pytest.raises(DataError, match="cannot be"):
        by_unit({"a1": 1.0}, {"a1": -1.0}, {"a1": "a"}, form="score")
    with pytest.raises(DataError, match="same census"):
        by_unit({"z": 1.0}, {"a1": 1.0}, {"a1": "a"}, form="score")


@given(
    st.lists(
        st.tuples(st.floats(0, 90), st.floats(1, 5_000), st.sampled_from("pq")), min_size=2, max_size=30
    ),
    st.floats(0.01, 100),
)
def test_units_do_not_depend_on_order_or_on_the_unit_of_residents(
    rows: list[tuple[float, float, str]], scale: float
) -> None:
    """Areas in another order, or residents in thousands, give the same mean; it lies among the values."""
    names = [f"a{n}" for n in range(len(rows))]
    scores = {name: row[0] for name, row in zip(names, rows, strict=True)}
    residents = {name: row[1] for name, row in zip(names, rows, strict=True)}
    unit = {name: row[2] for name, row in zip(names, rows, strict=True)}
    one = by_unit(scores, residents, unit, form="score")
    two = by_unit(
        dict(reversed(scores.items())),
        {name: scale * value for name, value in residents.items()},
        dict(reversed(unit.items())),
        form="score",
    )
    assert list(one) == list(two)
    for name, value in one.items():
        inside = [scores[area] for area in names if unit[area] == name]
        assert value.value == pytest.approx(two[name].value)
        assert value.value is not None
        assert min(inside) - 1e-9 <= value.value <= max(inside) + 1e-9


def test_a_profile_sets_areas_beside_their_own_forces() -> None:
    """Two treated areas in a poor force, one in a rich one: the force row weighs the forces 2 to 1."""
    force = {"E01000001": "A", "E01000002": "A", "E01000003": "A", "E01000004": "B", "E01000005": "B"}
    scores = dict(zip(force, (50.0, 40.0, 30.0, 20.0, 10.0), strict=True))
    ranks = dict(zip(force, (100.0, 4_000.0, 9_000.0, 15_000.0, 25_000.0), strict=True))
    index = _index(scores, ranks)
    treated, comparison = ["E01000001", "E01000002", "E01000004"], ["E01000003", "W01000001"]
    force |= {"W01000001": "C"}
    found = deprivation_profile(index, treated=treated, comparison=comparison, force_of=force)
    assert found.row("treated", "A").mean_score == 45
    assert found.row("treated", "A").most_deprived == 0.5
    assert found.row("force", "A").mean_score == 40
    assert found.row("force", "B").mean_score == 15
    assert found.row("force").mean_score == pytest.approx((2 * 40 + 15) / 3)
    assert found.row("force").most_deprived == pytest.approx((2 / 3 + 0) / 3)
    assert found.row("treated").mean_score == pytest.approx(110 / 3)
    assert (found.row("comparison").areas, found.row("comparison").missing) == (1, 1)
    assert found.row("comparison", "B").why_missing == "no area"
    assert len(found.rows) == 9
    assert "other country" in found.notes[0]
    assert "in no force with treated areas" in found.notes[1]
    residents = {"E01000001": 3_000.0, "E01000002": 1_000.0, "E01000003": 1_000.0}
    weighed = deprivation_profile(
        index, treated=treated[:2], comparison=[], force_of=force, residents=residents
    )
    assert weighed.counted_by == "residents"
    assert weighed.row("treated").mean_score == pytest.approx(47.5)
    assert weighed.row("force").mean_score == pytest.approx((150 + 40 + 30) / 5)
    assert weighed.row("force", ALL).most_deprived == pytest.approx(0.6)


def test_a_profile_that_cannot_be_made_says_all_that_is_wrong() -> None:
    """No force, an area in both arms, ranks alone: three lines. Without ranks the share is missing."""
    index = _index({}, {"E01000001": 1.0})
    with pytest.raises(DataError) as caught:
        deprivation_profile(index, treated=["E01000001"], comparison=["E01000001"], force_of={})
    assert len(caught.value.problems) == 3
    scored = _index({"E01000001": 30.0}, {})
    found = deprivation_profile(scored, treated=["E01000001"], comparison=[], force_of={"E01000001": "A"})
    assert found.row("treated").mean_score == 30
    assert found.row("treated").most_deprived is None
    assert "rank" in found.row("treated").why_missing
    with pytest.raises(DataError, match="not in it"):
        deprivation_profile(scored, treated=["E01035762"], comparison=[], force_of={"E01035762": "A"})
