"""Which costed offence an incident stands for, and what [economics] may not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from economics_fixtures import cost, economics
from hypothesis import given, settings
from hypothesis import strategies as st

from whatworks_eval import protocol_from_dict
from whatworks_eval.economics.appraise import check_economics
from whatworks_eval.economics.mapping import ALONE, MIXTURES, map_offences
from whatworks_eval.economics.unit_costs import EDITIONS, unit_costs
from whatworks_eval.economics_keys import Economics
from whatworks_eval.errors import ProtocolError
from whatworks_eval.offence_names import OLDER, TODAY

VIOLENCE = "Violence and sexual offences"
SHARES = {"violence with injury": 0.3, "violence without injury": 0.4, "not valued": 0.3}


@pytest.mark.parametrize("edition", EDITIONS)
def test_categories_lead_to_costed_offences(edition: Any) -> None:
    """Every category named is one of police.uk, and none is both a mixture and one offence."""
    assert set(MIXTURES[edition]) | set(ALONE[edition]) <= {*TODAY, *OLDER}
    assert not set(MIXTURES[edition]) & set(ALONE[edition])
    assert set(ALONE[edition].values()) <= set(unit_costs(edition))


def test_a_mixture_is_never_silently_one_offence() -> None:
    """Violence and sexual offences without shares is an error that lists what it is made of."""
    with pytest.raises(
        ProtocolError, match="is a mixture; say which share of it is 'homicide', 'violence with"
    ):
        map_offences(economics(), [VIOLENCE])


def test_shares_of_a_mixture_are_used_as_given() -> None:
    """Three parts: two costed, one not valued, and together the whole."""
    found = map_offences(economics(shares={VIOLENCE: SHARES}), [VIOLENCE])
    assert {one.offence: one.share for one in found.costed} == {
        "violence with injury": 0.3,
        "violence without injury": 0.4,
    }
    assert [(one.category, one.share) for one in found.not_valued] == [(VIOLENCE, 0.3)]


def test_shares_come_from_a_file_as_well(tmp_path: Path) -> None:
    """The same shares in a CSV file give the same parts; a share that is no number names its line."""
    lines = [f"{VIOLENCE},{offence},{share}" for offence, share in SHARES.items()]
    (tmp_path / "shares.csv").write_text("\n".join(["category,offence,share", *lines]), "utf-8")
    stated = map_offences(economics(shares={VIOLENCE: SHARES}), [VIOLENCE])
    assert map_offences(economics(shares_file="shares.csv"), [VIOLENCE], tmp_path) == stated
    (tmp_path / "bad.csv").write_text(f"category,offence,share\n{VIOLENCE},rape,half\n", "utf-8")
    with pytest.raises(ProtocolError, match=r"bad.csv.*line 2: the share is 'half'"):
        map_offences(economics(shares_file="bad.csv"), [VIOLENCE], tmp_path)
    with pytest.raises(ProtocolError, match="cannot be read"):
        map_offences(economics(shares_file="none.csv"), [VIOLENCE], tmp_path)


@pytest.mark.parametrize(
    "category", ["Drugs", "Public order", "Possession of weapons", "Anti-social behaviour"]
)
def test_nothing_is_borrowed(category: str) -> None:
    """What the Home Office does not cost is listed with its share and has no value."""
    found = map_offences(economics(), [category])
    assert found.costed == ()
    assert [(one.category, one.share) for one in found.not_valued] == [(category, 1.0)]


def test_a_value_of_ones_own_is_used_where_given() -> None:
    """Anti-social behaviour valued by the user takes no multiplier unless the value is for an actual one."""
    own = {
        "offence": "Anti-social behaviour",
        "gbp": 62.0,
        "price_year": "2024-25",
        "source": "force finance",
    }
    found = map_offences(economics(overrides=[own]), ["Anti-social behaviour"]).costed[0]
    assert (found.pounds.gbp, found.pounds.price_year, found.multiplier) == (62.0, "2024-25", 1.0)
    with pytest.raises(ProtocolError, match="no multiplier from recorded to actual"):
        map_offences(economics(overrides=[{**own, "per": "actual"}]), ["Anti-social behaviour"])


def test_several_categories_need_a_mix() -> None:
    """The outcome does not tell them apart; the shares of the mix multiply those inside a category."""
    with pytest.raises(ProtocolError, match=r"`economics.mix` is missing; the outcome counts 2 categories"):
        map_offences(economics(), ["Drugs", "Theft from the person"])
    with pytest.raises(ProtocolError, match="does not say which offences"):
        map_offences(economics(), None)
    mixed = economics(mix={VIOLENCE: 0.5, "Drugs": 0.5}, shares={VIOLENCE: SHARES})
    found = map_offences(mixed, [VIOLENCE, "Drugs"])
    assert [one.share for one in found.costed] == [0.15, 0.2]
    assert sum(one.share or 0 for one in found.not_valued) == pytest.approx(0.65)


def test_anticipation_is_left_out_unless_asked_for() -> None:
    """Domestic burglary: 5,510 + 1,180 without, 7,720 as printed with."""
    shares = {"Burglary": {"domestic burglary": 1.0}}
    without = map_offences(economics(shares=shares), ["Burglary"]).costed[0]
    counted = map_offences(economics(shares=shares, anticipation=True), ["Burglary"]).costed[0]
    assert (without.pounds.gbp, counted.pounds.gbp) == (6690.0, 7720.0)


def test_slips_in_names_are_told_all_at_once() -> None:
    """A share of an offence without cost, a category not counted, a value nobody asked for, a bad year."""
    own = {"offence": "Robbery", "gbp": 1.0, "price_year": "2030-31", "source": "x"}
    shares = {VIOLENCE: {"affray": 1.0}, "Burglary": {"domestic burglary": 1.0}}
    with pytest.raises(ProtocolError) as caught:
        check_economics(economics(shares=shares, overrides=[own]), [VIOLENCE])
    said = " ".join(caught.value.problems)
    assert len(caught.value.problems) == 4
    for part in ("'affray'", "'Burglary', which is not a category counted", "'Robbery'", "2030-31"):
        assert part in said


def protocol(**changes: Any) -> dict[str, Any]:
    """A design of totals with [economics]; `changes` go into that section, `outcome` and `method` beside."""
    made: dict[str, Any] = {
        "schema": 1,
        "id": "x",
        "question": "q?",
        "method": changes.pop("method", "relative-effect"),
        "intervention": {"name": "n", "start": "2019-04", "assignment": "need"},
        "outcome": {
            "source": "totals",
            "offences": ["Theft from the person"],
            "totals": changes.pop("totals", {"treated": [398, 190], "comparison": [148, 97]}),
        },
        "economics": {"months": 12.0, "costs": [cost()], **changes},
    }
    return made


def test_a_sound_section_is_taken() -> None:
    """Defaults as DESIGN says."""
    found = protocol_from_dict(protocol()).economics
    assert found is not None
    assert (found.price_year, found.unit_costs, found.anticipation) == (
        "2024-25",
        "home-office-2019-20",
        False,
    )


BUFFER = {"treated": [398, 190], "comparison": [148, 97], "buffer": [40, 35]}
OWN = {"offence": "Theft from the person", "source": "x"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"additionality": {"deadweight_percent": 10.0, "source": "x"}}, "would count it twice"),
        (
            {"additionality": {"displacement_percent": 10.0, "source": "x"}, "totals": BUFFER},
            "a buffer measures what moved next door",
        ),
        (
            {"additionality": {"leakage_percent": 10.0, "source": "x"}, "totals": BUFFER},
            "a buffer measures what moved next door",
        ),
        ({"months": None}, "`economics.months` is missing"),
        ({"mix": {"Drugs": 0.4}}, "adds up to 0.4"),
        ({"shares": {"Drugs": {"robbery": 1.4, "rape": -0.4}}}, "outside 0 to 1"),
        ({"shares": {"Drugs": {"robbery": 1.0}}, "shares_file": "x.csv"}, "both given; keep one"),
        ({"price_year": "2024-26"}, "written like '2024-25'"),
        ({"costs": [cost(year="2019-19")]}, r"costs\[1\].year` is '2019-19'"),
        ({"overrides": [OWN]}, "neither `gbp` nor `multiplier`"),
        ({"overrides": [{**OWN, "gbp": 1.0}]}, "`gbp` and `price_year` go together"),
        (
            {"overrides": [{**OWN, "gbp": 5.0, "price_year": "2019-20", "low": 6.0, "high": 7.0}]},
            "`gbp` must lie between",
        ),
        ({"overrides": [{**OWN, "multiplier": 2.0, "multiplier_low": 1.0}]}, "go together"),
        ({"overrides": [{**OWN, "multiplier": 2.0}] * 2}, "more than one override"),
        ({"persistence_months": 6.0, "persistence_range": [7.0, 9.0]}, "does not hold `persistence_months`"),
        ({"hours": {}, "mix": {"Drugs": 1.0}}, "would count it twice"),
        ({"hours": {"gbp": 40.0}}, "give all three or none"),
        ({"hours": {"low": 1.0, "high": 2.0}}, "without `gbp`"),
        ({"costs": []}, "`economics.costs` is empty"),
        ({"ratio": 1}, "`economics.ratio` is not a known key"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], said: str) -> None:
    """Each is an error that says what is wrong and what to do."""
    with pytest.raises(ProtocolError, match=said):
        protocol_from_dict(protocol(**changes))


def test_deadweight_is_taken_where_nothing_is_compared() -> None:
    """A before-after knows nothing of what would have happened anyway."""
    made = protocol(additionality={"deadweight_percent": 10.0, "source": "x"}, method="before-after")
    made["outcome"]["totals"] = {"treated": [398, 190]}
    assert protocol_from_dict(made).economics is not None


def test_windows_already_say_how_long_the_window_is() -> None:
    """`months` beside [windows] is one number too many."""
    made = protocol()
    made["windows"] = {"before": ["2018-04", "2019-03"], "after": ["2019-04", "2020-03"]}
    with pytest.raises(ProtocolError, match="says how long the after window is; take it out"):
        protocol_from_dict(made)


def test_shares_of_respondents_have_no_pounds() -> None:
    """A survey prevents no incidents."""
    made = protocol()
    made["outcome"] = {"source": "survey", "path": "x.csv", "measure": "trust"}
    with pytest.raises(ProtocolError, match="pounds are worked out from incidents prevented"):
        protocol_from_dict(made)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(key=st.sampled_from(sorted(Economics.model_fields)), value=ODD)
def test_odd_values_are_refused_in_our_words(key: str, value: Any) -> None:
    """Whatever is written under a key of [economics]: a protocol, or an error of ours; never a traceback."""
    said: tuple[str, ...] = ()
    try:
        found = protocol_from_dict(protocol(**{key: value})).economics
        assert found is not None
        check_economics(found, ["Theft from the person"])
    except ProtocolError as error:
        said = error.problems
    assert all(len(problem) > 10 for problem in said)
